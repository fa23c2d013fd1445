//! systemd: the socket that it listens on, and words to it. Without it in the environment they go nowhere.

use std::ffi::OsString;
use std::io;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use ibd_protocol::socket::Passed;
use listenfd::ListenFd;
use rustix::io::{FdFlags, fcntl_setfd};
use sd_notify::NotifyState;

/// The socket that it listens on, kept under its own number for the program that may take our place.
#[derive(Debug)]
pub struct Socket(UnixListener);

impl Socket {
    /// What was handed over. Taken before there is a second thread: what names it goes out of the environment, so that
    /// no child takes it for its own.
    pub fn handed() -> Option<Self> {
        match ListenFd::from_env().take_unix_listener(0) {
            Ok(socket) => socket.map(Self),
            Err(error) => {
                eprintln!(
                    "ibd: the service manager's socket cannot be used ({error}); one of our own is"
                );
                None
            }
        }
    }

    /// The same socket, to accept from.
    pub fn passed(&self) -> io::Result<Passed> {
        self.0.try_clone().map(Passed)
    }

    /// Leaves it open for the program that takes our place, and says how that is told of it.
    pub fn hand_on(&self) -> io::Result<Vec<(&'static str, OsString)>> {
        fcntl_setfd(&self.0, FdFlags::empty())?;
        // The process stays the same one.
        let pid = std::process::id().to_string();
        Ok(vec![("LISTEN_PID", pid.into()), ("LISTEN_FDS", "1".into())])
    }
}

/// Clients are served.
pub fn ready() {
    tell(&[NotifyState::Ready, NotifyState::Status("serving clients; see `ibctl status`")]);
}

/// The daemon ends: what is under way is finished.
pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("ending; calls under way are finished")]);
}

/// A newer build takes this one's place, in the same process.
pub fn reloading() {
    let status = NotifyState::Status("a newer ibd takes its place; calls under way are finished");
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now, status]),
        // Without the time it would be taken for a failure.
        Err(_) => tell(&[status]),
    }
}

/// The daemon lives.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// How long it may be silent before the service manager takes it to hang. `None`: nobody counts.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

fn tell(words: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(words) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}
