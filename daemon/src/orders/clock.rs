//! The moment, by the clock on the wall, which somebody may set, and by the time since the machine was
//! started, which nobody sets and which goes on over restarts of the daemon.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Time since the machine was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot {
    /// Which start of the machine.
    pub id: String,
    /// Milliseconds since then, sleep included.
    pub millis: u64,
}

impl Boot {
    /// Now; nothing where the system does not say which start it is.
    pub fn now() -> Option<Self> {
        Some(Self { id: boot_id()?.to_owned(), millis: since_boot()? })
    }

    /// How long before `now` this was, if the machine has not been started anew between.
    pub fn age(&self, now: &Self) -> Option<Duration> {
        (self.id == now.id).then(|| Duration::from_millis(now.millis.saturating_sub(self.millis)))
    }
}

/// The moment, by every clock.
#[derive(Debug, Clone)]
pub struct Now {
    /// May jump.
    pub wall: Timestamp,
    /// Does not, and ends with the daemon.
    pub steady: Instant,
    /// Does not, and ends with the machine.
    pub boot: Option<Boot>,
}

impl Now {
    /// This moment.
    pub fn get() -> Self {
        Self { wall: Timestamp::now(), steady: Instant::now(), boot: Boot::now() }
    }
}

#[cfg(target_os = "linux")]
fn boot_id() -> Option<&'static str> {
    static ID: OnceLock<Option<String>> = OnceLock::new();
    ID.get_or_init(|| {
        let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Some(text.trim().to_owned()).filter(|id| !id.is_empty())
    })
    .as_deref()
}

/// Milliseconds since the machine was started: with sleep on Linux, without it on other Unix systems.
#[cfg(unix)]
pub(super) fn since_boot() -> Option<u64> {
    #[cfg(target_os = "linux")]
    let clock = rustix::time::ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = rustix::time::ClockId::Monotonic;
    let time = rustix::time::clock_gettime(clock);
    let (seconds, nanos) = (u64::try_from(time.tv_sec).ok()?, u64::try_from(time.tv_nsec).ok()?);
    Some(seconds * 1_000 + nanos / 1_000_000)
}

/// Elsewhere the wall clock and the daemon's own have to do.
#[cfg(not(target_os = "linux"))]
fn boot_id() -> Option<&'static str> {
    static NONE: OnceLock<Option<String>> = OnceLock::new();
    NONE.get_or_init(|| None).as_deref()
}

#[cfg(not(unix))]
pub(super) fn since_boot() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_since_the_start_of_the_machine_says_nothing_over_another_start() {
        let at = |id: &str, millis| Boot { id: id.to_owned(), millis };
        assert_eq!(at("a", 1_000).age(&at("a", 3_500)), Some(Duration::from_millis(2_500)));
        assert_eq!(at("a", 1_000).age(&at("b", 3_500)), None);
        assert_eq!(at("a", 9_000).age(&at("a", 3_500)), Some(Duration::ZERO));
    }
}
