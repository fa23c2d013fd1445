//! launchd's agent. Here this is only compiled by the release workflow.
//!
//! There is no socket of launchd's: `launch_activate_socket` is a function of C that no safe, well-kept crate has.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::places::Places;

pub(super) fn start_command(_: &Places) -> Option<(PathBuf, Vec<OsString>)> {
    let agent = PathBuf::from(std::env::var_os("HOME")?).join("Library/LaunchAgents/ibd.plist");
    let target = format!("gui/{}/ibd", rustix::process::getuid().as_raw());
    let program = super::system_program("launchctl")?;
    agent.exists().then(|| (program, vec!["kickstart".into(), target.into()]))
}

pub(super) fn listens(_: &Places) -> bool {
    false
}
