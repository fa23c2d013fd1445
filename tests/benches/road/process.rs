//! What the kernel says about a process. Each benchmark uses its part.
#![allow(dead_code)]

use std::fs::read_to_string;
use std::time::Duration;

/// Resident memory in KiB.
pub(crate) fn rss(pid: u32) -> u64 {
    kib(&read_to_string(format!("/proc/{pid}/status")).unwrap_or_default(), "VmRSS:").unwrap_or(0)
}

/// The most that was resident since it began, in KiB.
pub(crate) fn peak(pid: u32) -> u64 {
    kib(&read_to_string(format!("/proc/{pid}/status")).unwrap_or_default(), "VmHWM:").unwrap_or(0)
}

/// Resident memory with shared pages divided among those who share them. Only for who may look: the
/// daemon lets no other program of its user see this, only root.
pub(crate) fn pss(pid: u32) -> Option<u64> {
    kib(&read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?, "Pss:")
}

fn kib(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with(key))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// What a process has used up so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Used {
    /// Time on a processor, to the nanosecond where the kernel says so, else in its ticks.
    pub(crate) cpu: Duration,
    /// How often one of its threads went to sleep, and so how often one was woken.
    pub(crate) sleeps: u64,
}

impl Used {
    pub(crate) fn by(pid: u32) -> Self {
        let mut used = Self::default();
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        for task in tasks {
            let task = task.path();
            let schedule = read_to_string(task.join("schedstat")).unwrap_or_default();
            let nanos = schedule.split_whitespace().next().and_then(|word| word.parse().ok());
            used.cpu += nanos
                .map(Duration::from_nanos)
                .unwrap_or_else(|| ticks(&read_to_string(task.join("stat")).unwrap_or_default()));
            let status = read_to_string(task.join("status")).unwrap_or_default();
            used.sleeps += kib(&status, "voluntary_ctxt_switches:").unwrap_or(0);
        }
        used
    }

    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(before.cpu),
            sleeps: self.sleeps.saturating_sub(before.sleeps),
        }
    }
}

/// User and system time of a `stat` line, whose ticks are hundredths of a second.
fn ticks(stat: &str) -> Duration {
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|word| word.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
