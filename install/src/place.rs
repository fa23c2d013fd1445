//! The folder of one kind of thing: who may write in it, and what is kept there.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::checksum::{Checksum, is_short};
use crate::error::{Doing, InstallError};
use crate::progress::{Reporter, Stage};
use crate::tree;

/// Between two looks at somebody else's lock.
const LOOK: Duration = Duration::from_millis(50);
/// What unfinished work is named.
const UNFINISHED: [&str; 2] = [".unpack-", ".old-"];

/// `<data>/<kind>/` and `<data>/downloads/`.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Where the versions and their record are.
    pub folder: PathBuf,
    /// Where downloads are while they come.
    pub downloads: PathBuf,
    kind: &'static str,
}

/// The right to install, until it is dropped. Clones share it: work that outlives its caller has it
/// until its end.
#[derive(Debug, Clone)]
pub(crate) struct Lock {
    _file: Arc<File>,
    /// Somebody else had it first.
    pub has_waited: bool,
}

impl Place {
    /// That of `kind`, not made yet.
    pub fn of(data: &Path, kind: &'static str) -> Self {
        Self { folder: data.join(kind), downloads: data.join("downloads"), kind }
    }

    /// Makes its folders, for this user only.
    pub fn make(&self) -> Result<(), InstallError> {
        for folder in [&self.folder, &self.downloads] {
            ibd_disk::make_folder(folder).doing("creating", folder)?;
        }
        Ok(())
    }

    /// Waits for whoever installs the same kind of thing. The lock file is never removed: the system
    /// frees it when its holder ends.
    pub async fn lock(&self, wait: Duration, reporter: &Reporter) -> Result<Lock, InstallError> {
        let path = self.folder.join("install.lock");
        let deadline = Instant::now() + wait;
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.doing("opening", &path)?;
        let mut has_waited = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Lock { _file: Arc::new(file), has_waited }),
                Err(TryLockError::Error(why)) => return Err(why).doing("locking", &path),
                Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                    return Err(InstallError::Busy);
                }
                Err(TryLockError::WouldBlock) => has_waited = true,
            }
            reporter.tell(Stage::Waiting, 0, None);
            sleep(LOOK).await;
        }
    }

    /// A new name for a folder that is being filled. Only for whoever holds the lock.
    pub fn unfinished(&self) -> PathBuf {
        self.folder.join(format!("{}{}", UNFINISHED[0], std::process::id()))
    }

    /// Removes what an interrupted install left. Only for whoever holds the lock.
    pub fn sweep(&self) {
        for folder in tree::subfolders(&self.folder) {
            if name_of(&folder).is_some_and(|name| UNFINISHED.iter().any(|u| name.starts_with(u))) {
                remove(&folder);
            }
        }
    }

    /// Removes all versions but those of `keep`.
    pub fn prune(&self, keep: &[&str]) {
        for folder in tree::subfolders(&self.folder) {
            if name_of(&folder).is_some_and(|name| is_short(name) && !keep.contains(&name)) {
                remove(&folder);
            }
        }
    }

    /// Removes this kind's downloads, which are installed or have been given up.
    pub fn forget_downloads(&self) {
        let Ok(entries) = fs::read_dir(&self.downloads) else { return };
        let prefix = format!("{}-", self.kind);
        for file in entries.flatten().map(|entry| entry.path()) {
            if name_of(&file).is_some_and(|name| name.starts_with(&prefix)) {
                let _ = fs::remove_file(file);
            }
        }
    }

    /// Moves the finished `folder` to its place. `false`: the very same was there already, and a
    /// gateway that runs from it goes on undisturbed.
    pub fn adopt(&self, folder: &Path, name: &str) -> Result<bool, InstallError> {
        let target = self.folder.join(name);
        if target.symlink_metadata().is_ok() {
            if is_same(folder, &target) {
                return Ok(false);
            }
            // Something was damaged or added. A folder cannot replace another in one step.
            let old = self.folder.join(format!("{}{name}", UNFINISHED[1]));
            fs::rename(&target, &old).doing("replacing", &target)?;
        }
        ibd_disk::sync_folder(folder).doing("writing", folder)?;
        fs::rename(folder, &target).doing("creating", &target)?;
        ibd_disk::sync_folder(&self.folder).doing("writing", &self.folder)?;
        Ok(true)
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (Checksum::of_folder(one), Checksum::of_folder(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

fn name_of(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

/// What cannot be removed now is removed another time: an install does not fail for it.
fn remove(folder: &Path) {
    if let Err(error) = fs::remove_dir_all(folder) {
        tracing::warn!(folder = %folder.display(), %error, "could not remove an old folder");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(data: &Path) -> Place {
        let place = Place::of(data, "gateway");
        place.make().unwrap();
        place
    }

    #[tokio::test]
    async fn a_second_installer_waits_for_the_first_but_not_for_ever() {
        let data = tempfile::tempdir().unwrap();
        let place = place(data.path());
        let silent = Reporter::silent();
        let first = place.lock(Duration::ZERO, &silent).await.unwrap();
        assert!(!first.has_waited);
        let busy = place.lock(Duration::from_millis(120), &silent).await;
        assert!(matches!(busy, Err(InstallError::Busy)), "{busy:?}");
        let second = place.lock(Duration::from_secs(30), &silent);
        let release = async {
            sleep(Duration::from_millis(120)).await;
            drop(first);
        };
        let (second, ()) = tokio::join!(second, release);
        assert!(second.unwrap().has_waited);
    }

    #[test]
    fn only_what_is_ours_is_removed() {
        let data = tempfile::tempdir().unwrap();
        let place = place(data.path());
        let (old, kept) = ("00000000000000aa", "00000000000000bb");
        for name in [old, kept, "mine", ".unpack-7", ".old-00000000000000cc"] {
            fs::create_dir(place.folder.join(name)).unwrap();
        }
        place.sweep();
        place.prune(&[kept]);
        let mut left = tree::subfolders(&place.folder);
        left.sort();
        assert_eq!(left, [place.folder.join(kept), place.folder.join("mine")]);
    }

    #[test]
    fn the_same_content_stays_where_it_is_and_damaged_content_is_replaced() {
        let data = tempfile::tempdir().unwrap();
        let place = place(data.path());
        let name = "00000000000000aa";
        let fill = |content: &str| {
            let folder = place.unfinished();
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("jar"), content).unwrap();
            folder
        };
        assert!(place.adopt(&fill("good"), name).unwrap());
        assert!(!place.adopt(&fill("good"), name).unwrap());
        fs::write(place.folder.join(name).join("jar"), "damaged").unwrap();
        place.sweep();
        assert!(place.adopt(&fill("good"), name).unwrap());
        assert_eq!(fs::read_to_string(place.folder.join(name).join("jar")).unwrap(), "good");
    }

    #[cfg(unix)]
    #[test]
    fn the_folders_are_for_this_user_only() {
        use std::os::unix::fs::PermissionsExt;

        let data = tempfile::tempdir().unwrap();
        let mode = fs::metadata(place(data.path()).folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
