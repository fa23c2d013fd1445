//! How far IBKR's clock is from ours. A request whose time is off by minutes is refused, and the refusal tells by its
//! `Date` what the time would have been.

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};

/// What must be added to our clock to have IBKR's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Skew(SignedDuration);

impl Skew {
    /// Both clocks agree.
    pub const NONE: Self = Self(SignedDuration::ZERO);

    /// What an answer's `Date` says, given when by our clock its request was sent and when it was received. `None` if
    /// the date cannot be read.
    ///
    /// A date has whole seconds and was written at some moment in between. As long as both clocks may have been right,
    /// they are taken to be: nothing is corrected by less than is known.
    pub fn measure(date: &str, sent: Timestamp, received: Timestamp) -> Option<Self> {
        let earliest = DateTimeParser::new().parse_timestamp(date.trim()).ok()?;
        let latest = earliest.checked_add(SignedDuration::from_secs(1)).ok()?;
        let least = earliest.duration_since(received);
        let most = latest.duration_since(sent);
        if least <= SignedDuration::ZERO && most >= SignedDuration::ZERO {
            return Some(Self::NONE);
        }
        let middle = least.checked_add(most)?.checked_div(2)?;
        Some(Self(middle))
    }

    /// IBKR's time when our clock shows this one. What lies beyond all calendars stays as it is.
    pub fn corrected(self, now: Timestamp) -> Timestamp {
        now.checked_add(self.0).unwrap_or(now)
    }

    /// Seconds by which our clock is slow; below zero if it is fast.
    pub fn seconds(self) -> i64 {
        self.0.as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_clock_that_may_be_right_is_left_alone() {
        let date = "Sun, 22 Nov 2026 10:00:00 GMT";
        for (sent, received) in [
            ("2026-11-22T10:00:00.2Z", "2026-11-22T10:00:00.4Z"),
            ("2026-11-22T10:00:00.9Z", "2026-11-22T10:00:05Z"),
            ("2026-11-22T09:59:40Z", "2026-11-22T10:00:00Z"),
        ] {
            assert_eq!(Skew::measure(date, at(sent), at(received)), Some(Skew::NONE), "{sent}");
        }
    }

    #[test]
    fn a_clock_that_is_wrong_is_corrected_both_ways() {
        let date = "Sun, 22 Nov 2026 10:00:00 GMT";
        let (fast, slow) = ("2026-11-22T10:10:00Z", "2026-11-22T09:50:00Z");
        let skew = |now: &str| {
            Skew::measure(date, at(now), at(now) + SignedDuration::from_secs(1)).unwrap()
        };
        assert_eq!((skew(fast).seconds(), skew(slow).seconds()), (-600, 600));
        assert_eq!(skew(slow).corrected(at(slow)), at("2026-11-22T10:00:00Z"));
    }

    #[test]
    fn what_is_no_date_says_nothing() {
        for date in ["", "now", "2026-11-22"] {
            assert_eq!(
                Skew::measure(date, at("2026-11-22T10:00:00Z"), at("2026-11-22T10:00:01Z")),
                None
            );
        }
    }
}
