//! A client's file on disk: read as it is, replaced as a whole, with the rights that it has and where a link leads.

use std::fs::Permissions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ibd_protocol::files;

use crate::daemon::Fault;

/// More than any client's file, in bytes. Claude Code keeps histories in its own.
const LONGEST: u64 = 256 << 20;

/// Whose rights a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rights {
    /// This system's.
    Ours,
    /// Those of Windows, seen from a Linux below it: what Linux shows of them means nothing.
    OfWindows,
}

/// A file as it was read. It may hold secrets, so it cannot be printed.
pub(super) struct File {
    /// Where it really lies.
    pub(super) path: PathBuf,
    /// `None`: it is not there.
    pub(super) text: Option<String>,
    /// Names of backups that lie beside it.
    pub(super) beside: Vec<String>,
    of: Rights,
}

impl File {
    pub(super) fn read(path: &Path, of: Rights) -> Result<Self, Fault> {
        let path = target(path)?;
        let text = match files::read_text(&path, LONGEST) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(unusable(&path, "it is no text in UTF-8"));
            }
            Err(error) => return Err(unusable(&path, &ibd_disk::plainly(&error))),
        };
        // Whoever can change it decides what its client launches; and root would take it from its owner.
        if of == Rights::Ours
            && let Some(why) = files::why_foreign(&path)
        {
            return Err(Fault::new(why, "Nothing was written."));
        }
        let beside = backups(&path);
        Ok(Self { path, text, beside, of })
    }

    /// Something that lies beside it, read in the same way.
    pub(super) fn read_sibling(&self, name: &str) -> Result<Self, Fault> {
        Self::read(&self.sibling(name), self.of)
    }

    /// The file's own name.
    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Something that lies beside it.
    pub(super) fn sibling(&self, name: &str) -> PathBuf {
        self.path.with_file_name(name)
    }

    /// Keeps a text beside it.
    pub(super) fn keep(&self, name: &str, text: &str) -> Result<(), Fault> {
        let path = self.sibling(name);
        self.put(&path, text)
    }

    /// Puts a text into its place, if it is still what was read: its client may have written it meanwhile.
    pub(super) fn replace(&self, text: &str) -> Result<(), Fault> {
        self.check()?;
        if let Some(folder) = self.path.parent().filter(|folder| !folder.exists()) {
            match ibd_disk::make_folder(folder) {
                Err(_) if self.of == Rights::OfWindows && folder.is_dir() => {}
                made => made.map_err(|error| unwritten(folder, &error))?,
            }
        }
        self.put(&self.path, text)
    }

    /// Removes it, if it is still what was read.
    pub(super) fn remove(&self) -> Result<(), Fault> {
        self.check()?;
        std::fs::remove_file(&self.path).map_err(|error| unwritten(&self.path, &error))
    }

    /// Removes what lies beside it. That it stays is no harm.
    pub(super) fn forget(&self, name: &str) {
        let _ = std::fs::remove_file(self.sibling(name));
    }

    fn check(&self) -> Result<(), Fault> {
        let now = match files::read_text(&self.path, LONGEST) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(unusable(&self.path, &ibd_disk::plainly(&error))),
        };
        if now == self.text {
            return Ok(());
        }
        Err(Fault::new(
            format!("{} was changed meanwhile", self.path.display()),
            "Nothing was written. End its client if it is running, then try again.",
        ))
    }

    fn put(&self, path: &Path, text: &str) -> Result<(), Fault> {
        let written = put(path, text, self.rights());
        // Whether a folder can be made durable there, Windows does not always say.
        let is_there = || files::read_text(path, LONGEST).is_ok_and(|now| now == text);
        match written {
            Err(_) if self.of == Rights::OfWindows && is_there() => Ok(()),
            written => written.map_err(|error| unwritten(path, &error)),
        }
    }

    fn rights(&self) -> Option<Permissions> {
        let found = self.path.metadata().ok().filter(|_| self.of == Rights::Ours);
        found.map(|found| found.permissions())
    }
}

/// Where a path leads: people keep such files in a folder of their own and link to them.
fn target(path: &Path) -> Result<PathBuf, Fault> {
    match std::fs::canonicalize(path) {
        Ok(real) => Ok(real),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match files::broken_link(path) {
            Some(link) => Err(Fault::new(
                format!("{} is a link to what is not there", link.display()),
                "Correct the link, or remove it. Nothing was written.",
            )),
            None => Ok(path.to_owned()),
        },
        Err(error) => Err(unusable(path, &ibd_disk::plainly(&error))),
    }
}

/// The names of its backups.
fn backups(path: &Path) -> Vec<String> {
    let own = path.file_name().unwrap_or_default().to_string_lossy();
    let start = format!("{own}{}", ibd_clients::MARK);
    let folder = path.parent().map(std::fs::read_dir);
    let entries = folder.into_iter().flatten().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.starts_with(&start)).collect()
}

fn put(path: &Path, text: &str, rights: Option<Permissions>) -> io::Result<()> {
    ibd_disk::replace_with(path, |file| {
        file.write_all(text.as_bytes())?;
        rights.map_or(Ok(()), |rights| file.set_permissions(rights))
    })
}

fn unusable(path: &Path, why: &str) -> Fault {
    Fault::new(format!("{}: {why}", path.display()), "Nothing was written.")
}

fn unwritten(path: &Path, error: &io::Error) -> Fault {
    Fault::new(
        format!("{} cannot be written: {}", path.display(), ibd_disk::plainly(error)),
        "The file is as it was.",
    )
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn rights_stay_links_are_followed_and_what_changed_meanwhile_is_not_written_over() {
        let home = tempfile::tempdir().unwrap();
        let real = home.path().join("real.json");
        let link = home.path().join("link.json");
        std::fs::write(&real, "one").unwrap();
        std::fs::set_permissions(&real, Permissions::from_mode(0o640)).unwrap();
        symlink("real.json", &link).unwrap();
        let file = File::read(&link, Rights::Ours).unwrap();
        assert_eq!(file.text.as_deref(), Some("one"));
        file.keep("real.json.ibd-backup-1", "one").unwrap();
        file.replace("two").unwrap();
        assert!(link.is_symlink());
        for name in ["real.json", "real.json.ibd-backup-1"] {
            let mode = home.path().join(name).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o640, "{name}");
        }
        assert_eq!(std::fs::read_to_string(&real).unwrap(), "two");
        assert!(file.replace("three").unwrap_err().text.contains("meanwhile"));
        assert!(file.remove().is_err());
        assert_eq!(File::read(&link, Rights::Ours).unwrap().beside, ["real.json.ibd-backup-1"]);
    }

    #[test]
    fn a_file_that_is_not_there_is_made_for_its_user_alone() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a/b.json");
        let file = File::read(&path, Rights::Ours).unwrap();
        assert_eq!(file.text, None);
        file.replace("{}").unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        symlink("nowhere", home.path().join("broken.json")).unwrap();
        assert!(
            File::read(&home.path().join("broken.json"), Rights::Ours)
                .err()
                .unwrap()
                .text
                .contains("link")
        );
        std::fs::write(&path, b"\xff\xfe{\0").unwrap();
        assert!(File::read(&path, Rights::Ours).err().unwrap().text.contains("UTF-8"));
    }

    /// Linux shows every file of Windows as one that everybody can change.
    #[test]
    fn what_linux_shows_of_the_rights_of_windows_is_no_reason_to_refuse() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config.json");
        std::fs::write(&path, "one").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
        assert!(File::read(&path, Rights::Ours).is_err());
        let file = File::read(&path, Rights::OfWindows).unwrap();
        file.keep("config.json.ibd-backup-1", "one").unwrap();
        file.replace("two").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        let kept = file.read_sibling("config.json.ibd-backup-1").unwrap();
        assert_eq!(kept.text.as_deref(), Some("one"));
    }
}
