//! The daemon's lock: the real mutual exclusion of daemons, and whether it is still the file that is held.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::BeginError;

/// A daemon that drains is given this long to let go of the lock.
const LOCK: Duration = Duration::from_secs(25);
/// How often it is looked whether the lock is still the file that is held.
const LOCK_LOOK: Duration = Duration::from_secs(2);

/// The real mutual exclusion: survives stale sockets, reused pids and two runtime folders. The socket is one that only a
/// daemon at work answers; without one, whoever holds the lock is waited for.
pub(super) async fn take(path: &Path, socket: Option<&Path>) -> Result<File, BeginError> {
    let io = |error| BeginError::Io("the daemon's lock", error);
    let file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(io)?;
    let deadline = tokio::time::Instant::now() + LOCK;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(std::fs::TryLockError::Error(error)) => return Err(io(error)),
            Err(std::fs::TryLockError::WouldBlock) => {}
        }
        // One that still answers its socket is at work; one that does not is going.
        let answers = match socket {
            Some(socket) => ibd_protocol::socket::connect(socket).await.is_ok(),
            None => false,
        };
        if answers || tokio::time::Instant::now() > deadline {
            let pid = std::fs::read_to_string(path).unwrap_or_default();
            return Err(BeginError::AlreadyRuns(pid.trim().to_owned()));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let pid = std::process::id().to_string();
    file.set_len(0).map_err(io)?;
    // The lock is what counts; a disk that is full has no room for whose it is.
    if let Err(error) = std::io::Write::write_all(&mut &file, pid.as_bytes()) {
        tracing::warn!(%error, "the pid could not be written into the daemon's lock");
    }
    Ok(file)
}

/// Ends when the file at the lock's path is not the one that is held any more: then the state folder was removed or
/// replaced, another daemon could start beside this one, and what this one writes is read by nobody.
pub(super) async fn lost(path: PathBuf, held: Option<FileId>) {
    let Some(held) = held else { return std::future::pending().await };
    loop {
        tokio::time::sleep(LOCK_LOOK).await;
        if file_id(std::fs::metadata(&path)) != Some(held) {
            return;
        }
    }
}

pub(super) type FileId = (u64, u64);

#[cfg(unix)]
pub(super) fn file_id(found: std::io::Result<std::fs::Metadata>) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    found.ok().map(|found| (found.dev(), found.ino()))
}

/// Elsewhere a file that is open cannot be removed.
#[cfg(not(unix))]
pub(super) fn file_id(_: std::io::Result<std::fs::Metadata>) -> Option<FileId> {
    None
}
