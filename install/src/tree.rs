//! Walking, copying and comparing folders.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::error::{Doing, InstallError};

/// Deeper than any folder we install; a loop of links ends here.
const DEPTH: usize = 32;

/// How much may still be written.
#[derive(Debug)]
pub(crate) struct Budget {
    /// What is being written, for the error.
    pub what: String,
    /// Bytes left.
    pub bytes: u64,
    /// Bytes at the start, for the error.
    pub max_bytes: u64,
    /// Files and folders left.
    pub entries: usize,
    /// Files and folders at the start, for the error.
    pub max_entries: usize,
}

impl Budget {
    /// Takes one file or folder.
    pub fn take_entry(&mut self) -> Result<(), InstallError> {
        self.entries = self
            .entries
            .checked_sub(1)
            .ok_or_else(|| InstallError::TooManyFiles(self.what.clone(), self.max_entries))?;
        Ok(())
    }

    /// Writes a new file from `input`, whatever length that claims, and makes it durable.
    pub fn write(&mut self, input: impl Read, file: &Path) -> Result<u64, InstallError> {
        let mut output = File::create_new(file).doing("writing", file)?;
        // One byte more than allowed tells that there is more.
        let mut input = input.take(self.bytes.saturating_add(1));
        let written = io::copy(&mut input, &mut output).doing("writing", file)?;
        self.bytes = self.bytes.checked_sub(written).ok_or_else(|| InstallError::TooLarge {
            what: self.what.clone(),
            limit: self.max_bytes,
        })?;
        output.sync_all().doing("writing", file)?;
        Ok(written)
    }
}

/// The files below `folder`, relative to it, in the order of their names. Links are not followed.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>, InstallError> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(relative) = folders.pop() {
        let here = folder.join(&relative);
        for entry in fs::read_dir(&here).doing("reading", &here)? {
            let entry = entry.doing("reading", &here)?;
            let name = relative.join(entry.file_name());
            match entry.file_type().doing("reading", &here)? {
                kind if kind.is_dir() => folders.push(name),
                kind if kind.is_file() => found.push(name),
                // A link's target is within the same folder, and counted there.
                _ => {}
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Copies `from` to the new folder `to` as it is seen through its links. Returns the bytes.
pub(crate) fn copy(from: &Path, to: &Path, budget: &mut Budget) -> Result<u64, InstallError> {
    copy_level(from, to, (budget, DEPTH))
}

fn copy_level(
    from: &Path,
    to: &Path,
    (budget, depth): (&mut Budget, usize),
) -> Result<u64, InstallError> {
    if depth == 0 {
        return Err(InstallError::TooManyFiles(budget.what.clone(), budget.max_entries));
    }
    fs::create_dir(to).doing("creating", to)?;
    let mut bytes = 0;
    for entry in fs::read_dir(from).doing("reading", from)? {
        let source = entry.doing("reading", from)?.path();
        let Some(name) = source.file_name() else { continue };
        let target = to.join(name);
        // A link that leads nowhere is nothing to copy, nor is a pipe or a socket.
        let Ok(about) = fs::metadata(&source) else { continue };
        budget.take_entry()?;
        if about.is_dir() {
            bytes += copy_level(&source, &target, (&mut *budget, depth - 1))?;
        } else if about.is_file() {
            let input = File::open(&source).doing("reading", &source)?;
            bytes += budget.write(input, &target)?;
            set_executable(&target, is_executable(&source)).doing("writing", &target)?;
        }
    }
    Ok(bytes)
}

/// The first folder at or below `top` that `is_it`, at most `depth` levels down.
pub(crate) fn find(top: &Path, depth: usize, is_it: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let mut level = vec![top.to_owned()];
    for _ in 0..=depth {
        level.sort();
        if let Some(found) = level.iter().find(|folder| is_it(folder)) {
            return Some(found.clone());
        }
        level = level.iter().flat_map(|folder| subfolders(folder)).collect();
    }
    None
}

/// The folders directly in `folder`; links are not followed.
pub(crate) fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

/// Whether somebody may run it.
#[cfg(unix)]
pub(crate) fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    fs::metadata(file).is_ok_and(|about| about.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
pub(crate) fn is_executable(_: &Path) -> bool {
    false
}

/// One of two modes: what others gave (setuid, writable by all) does not come along.
#[cfg(unix)]
pub(crate) fn set_executable(file: &Path, executable: bool) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    let mode = if executable { 0o755 } else { 0o644 };
    fs::set_permissions(file, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
pub(crate) fn set_executable(_: &Path, _: bool) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(bytes: u64, entries: usize) -> Budget {
        let what = "it".to_owned();
        Budget { what, bytes, max_bytes: bytes, entries, max_entries: entries }
    }

    #[cfg(unix)]
    #[test]
    fn a_copy_has_the_links_contents_and_the_run_bit() {
        let folder = tempfile::tempdir().unwrap();
        let (outside, from) = (folder.path().join("outside"), folder.path().join("from"));
        fs::create_dir_all(from.join("bin")).unwrap();
        fs::write(&outside, "conf").unwrap();
        fs::write(from.join("bin/java"), "program").unwrap();
        set_executable(&from.join("bin/java"), true).unwrap();
        std::os::unix::fs::symlink(&outside, from.join("conf")).unwrap();
        std::os::unix::fs::symlink("nowhere", from.join("dangling")).unwrap();
        let to = folder.path().join("to");
        assert_eq!(copy(&from, &to, &mut budget(100, 10)).unwrap(), 11);
        assert!(fs::symlink_metadata(to.join("conf")).unwrap().is_file());
        assert!(is_executable(&to.join("bin/java")) && !is_executable(&to.join("conf")));
        assert!(!to.join("dangling").exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_loop_of_links_ends() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("from");
        fs::create_dir(&from).unwrap();
        std::os::unix::fs::symlink(".", from.join("again")).unwrap();
        let copied = copy(&from, &folder.path().join("to"), &mut budget(100, 1_000));
        assert!(matches!(copied, Err(InstallError::TooManyFiles(..))), "{copied:?}");
    }

    #[test]
    fn no_more_is_written_than_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let mut budget = budget(10, 1);
        assert_eq!(budget.write(&b"0123456789"[..], &folder.path().join("a")).unwrap(), 10);
        let more = budget.write(&b"0"[..], &folder.path().join("b"));
        assert!(matches!(more, Err(InstallError::TooLarge { limit: 10, .. })), "{more:?}");
        budget.take_entry().unwrap();
        assert!(budget.take_entry().is_err());
    }

    #[test]
    fn a_folder_is_found_some_levels_down_and_the_upper_one_wins() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("a/b/c/it")).unwrap();
        let is_it = |folder: &Path| folder.join("it").is_dir();
        assert_eq!(find(folder.path(), 2, is_it), None);
        assert_eq!(find(folder.path(), 3, is_it), Some(folder.path().join("a/b/c")));
        fs::create_dir_all(folder.path().join("z/it")).unwrap();
        assert_eq!(find(folder.path(), 3, is_it), Some(folder.path().join("z")));
    }
}
