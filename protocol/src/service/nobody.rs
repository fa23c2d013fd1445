//! A system whose service manager we have nothing for: clients start the daemon. Here this is only compiled by the
//! release workflow.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::places::Places;

pub(super) fn start_command(_: &Places) -> Option<(PathBuf, Vec<OsString>)> {
    None
}

pub(super) fn listens(_: &Places) -> bool {
    false
}
