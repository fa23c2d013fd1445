//! The process that holds the daemon's lock: found without a word from it, because it may speak another
//! protocol, or none any more.

use std::fs::{File, TryLockError};
use std::time::Duration;

use ibd_protocol::Places;
use tokio::time::Instant;

/// Between looks at the lock.
const LOOK: Duration = Duration::from_millis(20);

/// Its process id, if it is certain that it holds the lock. A number in a lock that is free is nobody's, or
/// somebody else's by now.
pub(crate) fn pid(places: &Places) -> Option<u32> {
    let path = places.daemon_lock();
    let file = File::open(&path).ok()?;
    if !matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return None;
    }
    let pid = std::fs::read_to_string(&path).ok()?.trim().parse().ok()?;
    holds(pid, &file).then_some(pid)
}

/// The kernel lists who holds which file; where it does not, the number was written under the lock.
#[cfg(target_os = "linux")]
fn holds(pid: u32, file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    let Ok(inode) = file.metadata().map(|file| file.ino()) else { return false };
    let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    match holder(&locks, inode) {
        Some(holder) => holder == pid,
        // Some file systems number their files otherwise there.
        None => std::fs::read_to_string(format!("/proc/{pid}/comm"))
            .is_ok_and(|name| name.trim() == "ibd"),
    }
}

#[cfg(not(target_os = "linux"))]
fn holds(_: u32, _: &File) -> bool {
    true
}

/// The process with a whole-file lock on this file: `1: FLOCK ADVISORY WRITE 1234 fd:01:5678 0 EOF`.
#[cfg(target_os = "linux")]
fn holder(locks: &str, inode: u64) -> Option<u32> {
    let mut holders = locks.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        // One that only waits for it has an arrow before its kind.
        let [_, "FLOCK", _, _, pid, file, ..] = words[..] else { return None };
        let is_this = file.rsplit(':').next()?.parse::<u64>() == Ok(inode);
        is_this.then(|| pid.parse().ok()).flatten()
    });
    holders.next()
}

/// Asks it to end as a service manager would: what is under way is finished first.
#[cfg(unix)]
pub(crate) fn ask_to_end(pid: u32) -> std::io::Result<()> {
    use rustix::process::{Pid, Signal, kill_process};
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    Ok(kill_process(pid.ok_or(std::io::ErrorKind::InvalidInput)?, Signal::TERM)?)
}

#[cfg(not(unix))]
pub(crate) fn ask_to_end(_: u32) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Waits until nobody holds the lock; whether that came to be in time.
pub(crate) async fn gone(places: &Places, patience: Duration) -> bool {
    let Ok(lock) = File::open(places.daemon_lock()) else { return true };
    let deadline = Instant::now() + patience;
    loop {
        if lock.try_lock().is_ok() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        tokio::time::sleep(LOOK).await;
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn the_kernels_list_is_read() {
        let locks = "1: POSIX  ADVISORY  WRITE 7 fd:01:42 0 EOF\n\
            2: FLOCK  ADVISORY  WRITE 1234 fd:01:42 0 EOF\n\
            2: -> FLOCK  ADVISORY  WRITE 99 fd:01:42 0 EOF\n\
            3: FLOCK  ADVISORY  READ  55 00:2a:421 0 EOF\n";
        assert_eq!(holder(locks, 42), Some(1234));
        assert_eq!(holder(locks, 421), Some(55));
        assert_eq!(holder(locks, 4), None);
    }

    #[test]
    fn only_who_holds_a_lock_is_its_holder() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let lock = File::open(file.path()).unwrap();
        lock.try_lock().unwrap();
        let me = std::process::id();
        // Where the kernel's list has it, nobody else passes.
        let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
        if holder(&locks, lock.metadata().unwrap().ino()) == Some(me) {
            assert!(holds(me, &lock) && !holds(1, &lock));
        }
    }
}
