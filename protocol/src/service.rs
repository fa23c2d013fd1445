//! The user's service, where one is installed: whether it is, how it is started, and whether the service manager listens
//! in the daemon's place. What only one system has stands in a file of its own.

#[cfg(target_os = "macos")]
mod launchd;
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod nobody;
#[cfg(target_os = "linux")]
mod systemd;

use std::ffi::OsString;
use std::path::PathBuf;

#[cfg(target_os = "macos")]
use launchd as system;
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
use nobody as system;
#[cfg(target_os = "linux")]
use systemd as system;

use crate::places::Places;

/// The only profile that there is a service for: the others are started by their clients.
pub const PROFILE: &str = "default";

/// What starts the service of this profile, if one is installed.
pub(crate) fn start_command(places: &Places) -> Option<(PathBuf, Vec<OsString>)> {
    if places.profile == PROFILE { system::start_command(places) } else { None }
}

/// Whether the service manager listens on the socket: whoever connects then has a daemon started.
pub fn listens(places: &Places) -> bool {
    places.profile == PROFILE && system::listens(places)
}

/// Whether a service is installed that starts a daemon at login, or when somebody connects.
pub fn is_installed(places: &Places) -> bool {
    start_command(places).is_some()
}

/// A program of the system, wherever this environment would have it looked for.
#[cfg(unix)]
fn system_program(name: &str) -> Option<PathBuf> {
    let path = std::env::split_paths(crate::start::SYSTEM_PATH);
    path.map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}
