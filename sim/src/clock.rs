//! The simulated clock: real time, perhaps faster, plus whatever the control API advanced it by.

use std::time::Instant;

use jiff::Timestamp;

/// Milliseconds in one day.
pub(crate) const DAY_MS: i64 = 86_400_000;
/// The fastest a clock may run: a day in less than a tenth of a second is of no use to anybody.
const FASTEST: f64 = 1_000_000.0;

/// Tells simulated time. Prices, warm-ups, windows and expiries all read it, never the system's.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    base_ms: i64,
    /// Simulated milliseconds per real one, since `paced_at`.
    rate: f64,
    /// Real milliseconds at which the rate was set.
    paced_at: i64,
    /// Simulated milliseconds gone by then, and those the clock was advanced by.
    gone_ms: i64,
}

impl Clock {
    /// Starts at `at` (the scenario's `now`) or at the system's time.
    pub(crate) fn start(at: Option<Timestamp>, rate: f64) -> Self {
        let base = at.unwrap_or_else(Timestamp::now);
        let (started, base_ms) = (Instant::now(), base.as_millisecond());
        Self { started, base_ms, rate, paced_at: 0, gone_ms: 0 }
    }

    /// Simulated milliseconds since the start.
    pub(crate) fn elapsed_ms(&self) -> i64 {
        let real = self.real_ms() - self.paced_at;
        // Whole milliseconds at the usual rate, so that nothing is rounded there.
        let passed = if self.rate == 1.0 { real } else { (real as f64 * self.rate) as i64 };
        self.gone_ms + passed
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

    /// Simulated milliseconds per real one.
    pub(crate) fn rate(&self) -> f64 {
        self.rate
    }

    /// Moves simulated time forward.
    pub(crate) fn advance(&mut self, seconds: u32) {
        self.gone_ms += i64::from(seconds) * 1000;
    }

    /// From now on simulated time passes this much faster than real time.
    pub(crate) fn pace(&mut self, rate: f64) {
        self.gone_ms = self.elapsed_ms();
        self.paced_at = self.real_ms();
        self.rate = rate;
    }
}

/// A clock neither stands still nor runs backwards.
pub(crate) fn is_rate(rate: f64) -> bool {
    rate > 0.0 && rate <= FASTEST
}

/// The system's time, epoch seconds: what an authenticator app sees, whatever is simulated.
pub(crate) fn system_s() -> i64 {
    Timestamp::now().as_second()
}

/// Formats epoch milliseconds in UTC with a strftime pattern.
pub(crate) fn utc(ms: i64, pattern: &str) -> String {
    Timestamp::from_millisecond(ms).map(|t| t.strftime(pattern).to_string()).unwrap_or_default()
}
