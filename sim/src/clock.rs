//! The simulated clock: real time plus whatever the control API advanced it by.

use std::time::Instant;

use jiff::Timestamp;

/// Milliseconds in one day.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// Tells simulated time. Prices, warm-ups, windows and expiries all read it, never the system's.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    base_ms: i64,
    advanced_ms: i64,
}

impl Clock {
    /// Starts at `at` (the scenario's `now`) or at the system's time.
    pub(crate) fn start(at: Option<Timestamp>) -> Self {
        let base = at.unwrap_or_else(Timestamp::now);
        Self { started: Instant::now(), base_ms: base.as_millisecond(), advanced_ms: 0 }
    }

    /// Simulated milliseconds since the start.
    pub(crate) fn elapsed_ms(&self) -> i64 {
        self.real_ms() + self.advanced_ms
    }

    /// Real milliseconds since the start; idleness is measured in these, so that advancing the
    /// clock does not look like a client that fell silent.
    pub(crate) fn real_ms(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// Simulated time, epoch milliseconds.
    pub(crate) fn now_ms(&self) -> i64 {
        self.base_ms + self.elapsed_ms()
    }

    /// Epoch milliseconds of the moment the simulator started; prices are anchored here.
    pub(crate) fn start_ms(&self) -> i64 {
        self.base_ms
    }

    /// Moves simulated time forward.
    pub(crate) fn advance(&mut self, seconds: u32) {
        self.advanced_ms += i64::from(seconds) * 1000;
    }
}

/// Formats epoch milliseconds in UTC with a strftime pattern.
pub(crate) fn utc(ms: i64, pattern: &str) -> String {
    Timestamp::from_millisecond(ms).map(|t| t.strftime(pattern).to_string()).unwrap_or_default()
}
