//! Unpacks archives that may be hostile: nothing leaves the folder, and nothing grows without end.

mod links;
mod tar;
#[cfg(test)]
mod tests;
mod zip;

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{Doing, InstallError};
use crate::progress::Reporter;
use crate::tree::Budget;
use links::Links;

/// An archive that is being unpacked.
pub(crate) struct Unpacking<'a> {
    /// A new folder, into which nobody else writes.
    pub into: &'a Path,
    /// How much may be written.
    pub budget: Budget,
    /// Told about the bytes.
    pub reporter: &'a Reporter,
}

/// Unpacks `archive`, a zip or a gzipped tar: what it is tells its first bytes, not its name.
pub(crate) fn unpack(archive: &Path, mut to: Unpacking<'_>) -> Result<(), InstallError> {
    let mut file = File::open(archive).doing("reading", archive)?;
    let mut start = [0; 16];
    let read = read_start(&mut file, &mut start).doing("reading", archive)?;
    let file = File::open(archive).doing("reading", archive)?;
    let mut links = Links::default();
    match &start[..read] {
        [b'P', b'K', 3 | 5, 4 | 6, ..] => zip::unpack(file, &mut to, &mut links)?,
        [0x1f, 0x8b, ..] => tar::unpack(file, &mut to, &mut links)?,
        other => {
            let hint = looks_like(other);
            return Err(InstallError::NoArchive { what: to.budget.what, hint });
        }
    }
    // After all files, so that no file is ever written through a link.
    links.make(to.into)
}

fn read_start(file: &mut File, start: &mut [u8]) -> std::io::Result<usize> {
    let mut read = 0;
    while read < start.len() {
        match file.read(&mut start[read..])? {
            0 => break,
            more => read += more,
        }
    }
    Ok(read)
}

fn looks_like(start: &[u8]) -> &'static str {
    match start.trim_ascii_start() {
        [] => " but empty",
        [b'<', ..] => " but a web page: a proxy or a login page may have answered instead",
        _ => "",
    }
}

impl Unpacking<'_> {
    /// Makes the folder `name`, and those above it.
    fn folder(&mut self, name: &Path) -> Result<(), InstallError> {
        let folder = self.into.join(name);
        fs::create_dir_all(&folder).doing("creating", &folder)
    }

    /// Makes the new file `name`, and the folders above it.
    fn file(&mut self, name: &Path, input: impl Read, mode: u32) -> Result<u64, InstallError> {
        if let Some(parent) = name.parent() {
            self.folder(parent)?;
        }
        let file = self.into.join(name);
        let written = match self.budget.write(input, &file) {
            Ok(written) => written,
            Err(error) => return Err(name_damage(error, name)),
        };
        crate::tree::set_executable(&file, mode & 0o111 != 0).doing("writing", &file)?;
        Ok(written)
    }
}

/// Errors of decompressing come out of the copying as input errors: they are the archive's fault.
fn name_damage(error: InstallError, name: &Path) -> InstallError {
    use std::io::ErrorKind::{AlreadyExists, InvalidData, InvalidInput, Other, UnexpectedEof};

    match error {
        InstallError::Io { why, .. } if why.kind() == AlreadyExists => {
            let entry = name.display().to_string();
            InstallError::Unsafe { entry, why: "a second file of the same name" }
        }
        InstallError::Io { why, .. }
            if matches!(why.kind(), InvalidData | InvalidInput | UnexpectedEof | Other) =>
        {
            InstallError::Damaged(format!("{}: {why}", name.display()))
        }
        other => other,
    }
}

/// A name in an archive as a path below the folder. `None`: the folder itself.
fn inside(name: &str) -> Result<Option<PathBuf>, InstallError> {
    let refuse = |why| Err(InstallError::Unsafe { entry: name.to_owned(), why });
    // Backslashes separate on Windows, and in archives made there.
    if name.starts_with(['/', '\\']) {
        return refuse("a path from the root of the disk");
    }
    if name.contains(['\0', ':']) {
        return refuse("a name that means something else to the system");
    }
    let mut path = PathBuf::new();
    for step in name.split(['/', '\\']) {
        match step {
            "" | "." => {}
            ".." => return refuse("a path that leads out of the folder"),
            step => path.push(step),
        }
    }
    Ok((path != PathBuf::new()).then_some(path))
}
