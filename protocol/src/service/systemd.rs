//! The user manager of systemd: which of our units it has, by their files alone.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::places::Places;

const SERVICE: &str = "ibd.service";
const SOCKET: &str = "ibd.socket";

pub(super) fn start_command(places: &Places) -> Option<(PathBuf, Vec<OsString>)> {
    let arguments = ["--user", "start", SERVICE].map(OsString::from).to_vec();
    let is_installed = folders(places).iter().any(|folder| has_service(folder));
    is_installed.then(|| Some((super::system_program("systemctl")?, arguments))).flatten()
}

pub(super) fn listens(places: &Places) -> bool {
    folders(places).iter().any(|folder| has_socket(folder))
}

/// Where a person's units are, or what a person or this machine's owner has enabled of a package's. Whoever names another
/// place for configuration does not hide what is installed.
fn folders(places: &Places) -> Vec<PathBuf> {
    let of_person = [Some(places.config.clone()), Places::default_config()];
    let above = of_person.iter().flatten().filter_map(|folder| folder.parent());
    above.chain([Path::new("/etc")]).map(|folder| folder.join("systemd/user")).collect()
}

/// A unit of this user's own, or one that is enabled. That a package has brought one, and nobody has enabled it, is no
/// wish to have it started.
fn has_service(folder: &Path) -> bool {
    let own = folder.join(SERVICE);
    own.exists() || folder.join("default.target.wants").join(SERVICE).exists() || has_socket(folder)
}

fn has_socket(folder: &Path) -> bool {
    folder.join("sockets.target.wants").join(SOCKET).exists()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_is_enabled_counts_and_a_link_to_what_is_gone_does_not() {
        let scratch = tempfile::tempdir().unwrap();
        let (folder, package) = (scratch.path().join("user"), scratch.path().join("package"));
        std::fs::create_dir_all(folder.join("sockets.target.wants")).unwrap();
        std::fs::create_dir_all(folder.join("default.target.wants")).unwrap();
        std::fs::create_dir(&package).unwrap();
        assert!(!has_service(&folder) && !has_socket(&folder));
        symlink(package.join(SERVICE), folder.join("default.target.wants").join(SERVICE)).unwrap();
        symlink(package.join(SOCKET), folder.join("sockets.target.wants").join(SOCKET)).unwrap();
        assert!(!has_service(&folder) && !has_socket(&folder), "the package was removed");
        std::fs::write(package.join(SERVICE), "").unwrap();
        assert!(has_service(&folder) && !has_socket(&folder));
        std::fs::write(package.join(SOCKET), "").unwrap();
        assert!(has_socket(&folder));
        std::fs::remove_dir_all(folder.join("default.target.wants")).unwrap();
        assert!(has_service(&folder), "its socket starts it");
    }

    #[test]
    fn a_unit_of_this_users_own_counts_though_nobody_enabled_it() {
        let scratch = tempfile::tempdir().unwrap();
        std::fs::write(scratch.path().join(SERVICE), "").unwrap();
        assert!(has_service(scratch.path()) && !has_socket(scratch.path()));
    }
}
