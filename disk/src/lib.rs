//! The user's own files and folders: nobody else reads them, and a crash or a loss of power leaves what was there
//! before or what was written, never a part of it.

mod plain;

pub use plain::plainly;

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Makes a folder for the user alone, with those above it that are missing, and makes sure that they stay. One that
/// is there is left as it is.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    let missing = folder.ancestors().skip(1).take_while(|above| !above.exists());
    let made: Vec<&Path> = std::iter::once(folder).chain(missing).collect();
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    // Also that of one that is there already: whoever made it may not have come so far.
    made.into_iter().try_for_each(sync_parent)
}

/// How a file is opened that only its user may read, once it is said what for.
pub fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Closes a file to everybody but its user.
#[cfg(unix)]
pub fn close(path: &Path) -> io::Result<()> {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(path, mode)
}

/// Elsewhere the folder's rights are the file's.
#[cfg(not(unix))]
pub fn close(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Replaces a file by these bytes: durable when this returns. An error: the old one is there.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, |file| file.write_all(bytes))
}

/// Replaces a file by what `write` puts into it.
pub fn replace_with(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let beside = beside(path);
    let written = write_new(&beside, write).and_then(|()| std::fs::rename(&beside, path));
    if let Err(error) = written {
        let _ = std::fs::remove_file(&beside);
        return Err(error);
    }
    sync_parent(path)
}

fn write_new(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut file = private().write(true).create(true).truncate(true).open(path)?;
    write(&mut file)?;
    file.sync_all()
}

/// What is written until it takes the file's place.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(".tmp");
    path.with_file_name(name)
}

/// Raises a flag, a file whose being there is all that counts: afterwards it is there even if the machine loses
/// power now. One that is up keeps its words.
pub fn raise(flag: &Path, words: &str) -> io::Result<()> {
    match private().write(true).create_new(true).open(flag) {
        Ok(mut file) => {
            // A full disk has no room for words.
            let _ = writeln!(file, "{words}");
            file.sync_all()?;
        }
        // Whoever raised it may have been cut short before it was durable.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => sync(flag)?,
        Err(error) => return Err(error),
    }
    sync_parent(flag)
}

/// Makes sure that a file or folder stays as it is now.
fn sync(path: &Path) -> io::Result<()> {
    if path.metadata()?.is_dir() { sync_folder(path) } else { File::open(path)?.sync_all() }
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        None => Ok(()),
        Some(here) if here.as_os_str().is_empty() => sync_folder(Path::new(".")),
        Some(folder) => sync_folder(folder),
    }
}

/// A new or renamed file is only there for good once its folder is synced.
#[cfg(unix)]
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Windows opens no folders; its file systems log changes of names in order.
#[cfg(not(unix))]
pub fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn folders_are_the_user_s_alone_and_one_that_is_there_stays_as_it_is() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a/b");
        make_folder(&folder).unwrap();
        assert_eq!((mode(&folder), mode(folder.parent().unwrap())), (0o700, 0o700));
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o750)).unwrap();
        make_folder(&folder).unwrap();
        assert_eq!(mode(&folder), 0o750);
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_or_not_at_all() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("x.json");
        replace(&path, b"one").unwrap();
        assert_eq!((std::fs::read(&path).unwrap(), mode(&path)), (b"one".to_vec(), 0o600));
        let failed = replace_with(&path, |file| {
            file.write_all(b"tw")?;
            Err(io::Error::other("full"))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        replace(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_flag_keeps_its_first_words_and_one_that_leads_nowhere_is_none() {
        let home = tempfile::tempdir().unwrap();
        let flag = home.path().join("FLAG");
        raise(&flag, "one").unwrap();
        raise(&flag, "two").unwrap();
        assert_eq!(std::fs::read_to_string(&flag).unwrap(), "one\n");
        assert_eq!(mode(&flag), 0o600);
        let folder = home.path().join("FOLDER");
        std::fs::create_dir(&folder).unwrap();
        raise(&folder, "is there").unwrap();
        let link = home.path().join("LINK");
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        assert!(raise(&link, "x").is_err());
        assert!(raise(&home.path().join("none/FLAG"), "x").is_err());
    }
}
