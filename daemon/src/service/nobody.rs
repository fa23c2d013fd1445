//! A system whose service manager is told nothing: launchd watches the process alone, and Windows has no service of ours.
//! Here this is only compiled by the release workflow.

use std::ffi::OsString;
use std::io;
use std::time::Duration;

use ibd_protocol::socket::Passed;

/// A socket that is never handed over.
#[derive(Debug)]
pub enum Socket {}

impl Socket {
    /// Nothing is handed over.
    pub fn handed() -> Option<Self> {
        None
    }

    /// There is none.
    pub fn passed(&self) -> io::Result<Passed> {
        match *self {}
    }

    /// There is none.
    pub fn hand_on(&self) -> io::Result<Vec<(&'static str, OsString)>> {
        match *self {}
    }
}

/// Nobody listens.
pub fn ready() {}

/// Nobody listens.
pub fn stopping() {}

/// Nobody listens.
pub fn reloading() {}

/// Nobody listens.
pub fn alive() {}

/// Nobody counts.
pub fn watchdog() -> Option<Duration> {
    None
}
