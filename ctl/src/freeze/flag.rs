//! The flag that keeps trading frozen: a file whose being there is enough, so that it works without
//! the daemon, its journal or its store.

use std::io;
use std::path::{Path, PathBuf};

use ibd_protocol::Places;
use ibd_protocol::places::FLAG;
use jiff::Timestamp;

/// Where it lies. The daemon looks there.
pub(crate) fn file(places: &Places) -> PathBuf {
    places.flag()
}

/// Where those lie that freeze every profile: an account belongs to none of them.
pub(crate) fn shared(places: &Places) -> Vec<PathBuf> {
    let folders = places.shared().into_iter().enumerate();
    let there = folders.filter(|(at, folder)| *at == 0 || folder.is_dir());
    there.map(|(_, folder)| folder.join(FLAG)).collect()
}

/// Raises the one of this profile and those of all.
pub(crate) fn raise_all(places: &Places, now: Timestamp) -> io::Result<()> {
    let mut raised = Ok(());
    for flag in std::iter::once(file(places)).chain(shared(places)) {
        raised = raised.and(raise(&flag, now));
    }
    raised
}

/// Whether any of them is up.
pub(crate) fn is_up(places: &Places) -> bool {
    let mut flags = std::iter::once(file(places)).chain(shared(places));
    flags.any(|flag| std::fs::symlink_metadata(flag).is_ok())
}

/// Raises it, with the folders that it lies in. Afterwards it is there even if the machine loses power now.
pub(crate) fn raise(path: &Path, now: Timestamp) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    // Nothing that could fail stands between a person and the flag where its folder is there.
    if !folder.is_dir() {
        ibd_disk::make_folder(folder)?;
    }
    ibd_disk::raise(path, &format!("{now:.0} ibctl freeze"))
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn it_is_raised_with_its_folders_and_only_for_its_owner() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("state/ibd/default/FROZEN");
        raise(&path, "2026-11-23T07:30:00.5Z".parse().unwrap()).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "2026-11-23T07:30:00Z ibctl freeze\n");
    }

    #[test]
    fn raised_again_it_keeps_its_first_words() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("FROZEN");
        std::fs::write(&path, "the breaker\n").unwrap();
        raise(&path, Timestamp::now()).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "the breaker\n");
    }

    #[test]
    fn a_flag_that_leads_nowhere_is_no_flag() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("FROZEN");
        std::os::unix::fs::symlink("nowhere", &path).unwrap();
        assert!(raise(&path, Timestamp::now()).is_err());
    }
}
