//! Files that somebody else may have put there: nothing but a regular file is read, no more than it may have, and
//! none that another user can change.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use crate::Secret;

/// Reads a text file of at most `most` bytes. A pipe, a device or a folder is none: it could be waited for, or
/// read, for ever.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut text = String::new();
    let read = File::open(path)?.take(most + 1).read_to_string(&mut text)?;
    if read as u64 > most {
        Err(io::Error::other(format!("it is longer than {most} bytes")))
    } else {
        Ok(text)
    }
}

/// The same of a file that holds a secret: one that others can read or change is refused.
pub fn read_private(path: &Path, most: u64) -> io::Result<Secret> {
    if let Some(why) = why_foreign(path) {
        return Err(io::Error::other(why));
    }
    let mode = std::fs::metadata(path).map(|found| mode(&found))?;
    if mode & 0o077 != 0 {
        let why = format!("others can read it (mode {mode:04o}): `chmod 600` it");
        return Err(io::Error::other(why));
    }
    read_text(path, most).map(Secret::new)
}

#[cfg(unix)]
fn mode(found: &Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::mode(found) & 0o7777
}

/// Elsewhere a user's own folders are closed to others.
#[cfg(not(unix))]
fn mode(_: &Metadata) -> u32 {
    0o600
}

/// Which of a path and the folders above it is a link to what is not there.
pub fn broken_link(path: &Path) -> Option<&Path> {
    let leads_nowhere = |one: &&Path| {
        std::fs::symlink_metadata(one).is_ok_and(|found| found.is_symlink()) && !one.exists()
    };
    path.ancestors().find(leads_nowhere)
}

/// Why a file or folder must not be relied on: it belongs to another user, or another user can change it. `None`:
/// it is ours, or not there.
pub fn why_foreign(path: &Path) -> Option<String> {
    let found = std::fs::metadata(path).ok()?;
    why(&found).map(|why| format!("{} {why}", path.display()))
}

#[cfg(unix)]
fn why(found: &Metadata) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let mode = found.mode() & 0o7777;
    // Where every user has a group of their own, that group is nobody else.
    let is_group = mode & 0o020 != 0 && found.gid() != group;
    match () {
        () if found.uid() != user && found.uid() != 0 => {
            Some(format!("belongs to user {}", found.uid()))
        }
        () if mode & 0o002 != 0 || is_group => {
            Some(format!("can be changed by other users (mode {mode:04o}): `chmod go-w` it"))
        }
        () => None,
    }
}

/// Elsewhere a user's own folders are closed to others.
#[cfg(not(unix))]
fn why(_: &Metadata) -> Option<String> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_device_is_no_file_and_a_long_one_is_refused() {
        assert!(read_text(Path::new("/dev/zero"), 10).is_err());
        assert!(read_text(Path::new("/"), 10).is_err());
        let path = std::env::temp_dir().join(format!("ibd-files-{}", std::process::id()));
        std::fs::write(&path, "0123456789").unwrap();
        assert_eq!(read_text(&path, 10).unwrap(), "0123456789");
        assert!(read_text(&path, 9).unwrap_err().to_string().contains("longer"));
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_secret_that_others_can_read_is_not_read() {
        let path = std::env::temp_dir().join(format!("ibd-private-{}", std::process::id()));
        std::fs::write(&path, "x").unwrap();
        for (mode, is_read) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read_private(&path, 10).is_ok(), is_read, "{mode:o}");
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read_private(&path, 10).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn what_others_can_change_is_foreign() {
        let path = std::env::temp_dir().join(format!("ibd-foreign-{}", std::process::id()));
        std::fs::write(&path, "").unwrap();
        for (mode, is_foreign) in [(0o600, false), (0o644, false), (0o664, false), (0o666, true)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(why_foreign(&path).is_some(), is_foreign, "{mode:o}");
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(why_foreign(&path), None, "what is not there is nobody's");
    }
}
