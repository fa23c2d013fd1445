//! The files whose being there freezes trading: this profile's own, and the one above the profiles, because
//! they may trade in the same account. Nobody need be able to write a journal to raise one.

use std::io;
use std::path::{Path, PathBuf};

use ibd_protocol::places::{FLAG, Places};

/// Where they lie.
#[derive(Debug, Clone)]
pub struct Flags {
    /// This profile's own.
    pub own: PathBuf,
    /// In every folder above profiles that counts here; the first is this profile's.
    pub shared: Vec<PathBuf>,
}

impl Flags {
    /// Those of a profile.
    pub fn of(places: &Places) -> Self {
        let shared = places.shared().into_iter().map(|folder| folder.join(FLAG)).collect();
        Self { own: places.flag(), shared }
    }

    /// Whether this profile's own is up.
    pub fn is_own_up(&self) -> bool {
        is_up(&self.own)
    }

    /// The one that is up for every profile.
    pub fn shared_up(&self) -> Option<&Path> {
        self.shared.iter().map(PathBuf::as_path).find(|flag| is_up(flag))
    }

    /// Raises all of them. An error: one could not be raised; the others were.
    pub fn raise(&self) -> io::Result<()> {
        let mut raised = Ok(());
        for flag in self.every() {
            raised = raised.and(ibd_disk::raise(flag, "frozen by ibd"));
        }
        raised
    }

    /// Lowers all of them. An error: which one stays up, and why.
    pub fn lower(&self) -> Result<(), String> {
        for flag in self.every() {
            match std::fs::remove_file(flag) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(format!("{} cannot be removed: {error}", flag.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Other profiles whose own flag is up: they stay frozen when the shared one is lowered.
    pub fn others_up(&self) -> Vec<String> {
        let own = self.own.parent();
        let folders = self.shared.iter().filter_map(|flag| std::fs::read_dir(flag.parent()?).ok());
        let mut up: Vec<String> = folders
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|folder| Some(folder.as_path()) != own && is_up(&folder.join(FLAG)))
            .filter_map(|folder| Some(folder.file_name()?.to_string_lossy().into_owned()))
            .collect();
        up.sort();
        up.dedup();
        up
    }

    /// Where there is no folder there is no profile that could look.
    fn every(&self) -> impl Iterator<Item = &PathBuf> {
        let there = |flag: &&PathBuf| flag.parent().is_some_and(Path::is_dir);
        std::iter::once(&self.own).chain(&self.shared).filter(there)
    }
}

/// What cannot be looked at may be there.
fn is_up(flag: &Path) -> bool {
    match std::fs::symlink_metadata(flag) {
        Ok(_) => true,
        Err(error) => {
            !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn flags(home: &Path, profile: &str) -> Flags {
        let own = home.join(profile);
        std::fs::create_dir_all(&own).unwrap();
        Flags {
            own: own.join(FLAG),
            shared: vec![home.join(FLAG), home.join("elsewhere").join(FLAG)],
        }
    }

    #[test]
    fn a_freeze_of_one_profile_is_one_of_all() {
        let home = tempfile::tempdir().unwrap();
        let (one, other) = (flags(home.path(), "default"), flags(home.path(), "paper"));
        assert!(!one.is_own_up() && one.shared_up().is_none());
        one.raise().unwrap();
        one.raise().unwrap();
        assert!(one.is_own_up() && !other.is_own_up());
        assert_eq!(other.shared_up(), Some(home.path().join(FLAG).as_path()));
        assert_eq!(other.others_up(), ["default"]);
        other.lower().unwrap();
        assert!(other.shared_up().is_none() && one.is_own_up(), "who froze for itself stays so");
        one.lower().unwrap();
        one.lower().unwrap();
        assert!(!one.is_own_up() && one.others_up().is_empty());
    }

    #[test]
    fn a_folder_that_is_not_there_is_not_made() {
        let home = tempfile::tempdir().unwrap();
        flags(home.path(), "default").raise().unwrap();
        assert!(!home.path().join("elsewhere").exists());
    }

    #[test]
    fn whatever_lies_there_is_a_flag_and_one_that_stays_is_named() {
        let home = tempfile::tempdir().unwrap();
        let flags = flags(home.path(), "default");
        std::fs::create_dir(home.path().join(FLAG)).unwrap();
        assert!(flags.shared_up().is_some());
        let stays = flags.lower().unwrap_err();
        assert!(stays.contains("FROZEN cannot be removed"), "{stays}");
    }
}
