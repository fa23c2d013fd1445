//! Days in New York, which all statements follow.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// Fixed holidays: month and day.
const HOLIDAYS: [(i8, i8); 3] = [(1, 1), (7, 4), (12, 25)];

/// New York's clock.
#[derive(Debug, Clone)]
pub(crate) struct NewYork(TimeZone);

impl Default for NewYork {
    fn default() -> Self {
        Self(TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC))
    }
}

impl NewYork {
    /// The day of a moment (epoch milliseconds).
    pub(crate) fn day(&self, ms: i64) -> Date {
        self.show(ms, |zoned| zoned.date())
    }

    /// The moment at which the clock shows so many seconds after midnight.
    pub(crate) fn moment(&self, day: Date, seconds: i64) -> i64 {
        let midnight = day.at(0, 0, 0, 0).to_zoned(self.0.clone());
        midnight.map_or(0, |zoned| zoned.timestamp().as_millisecond()) + seconds * 1000
    }

    /// Writes a moment with a strftime pattern.
    pub(crate) fn format(&self, ms: i64, pattern: &str) -> String {
        self.show(ms, |zoned| zoned.strftime(pattern).to_string())
    }

    fn show<T>(&self, ms: i64, how: impl FnOnce(jiff::Zoned) -> T) -> T {
        let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
        how(at.to_zoned(self.0.clone()))
    }
}

/// Markets are open.
pub(crate) fn is_business(day: Date) -> bool {
    let is_weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    !is_weekend && !HOLIDAYS.contains(&(day.month(), day.day()))
}

/// So many days later, or earlier.
pub(crate) fn plus(day: Date, days: i64) -> Date {
    day.checked_add(days.days()).unwrap_or(day)
}

/// Days from `from` to `to`.
pub(crate) fn between(from: Date, to: Date) -> i64 {
    from.until(to).map_or(0, |span| i64::from(span.get_days()))
}

/// This day, or the next on which markets are open.
pub(crate) fn business_from(day: Date) -> Date {
    let mut day = day;
    while !is_business(day) {
        day = plus(day, 1);
    }
    day
}

/// This day, or the last before it on which markets were open.
pub(crate) fn business_until(day: Date) -> Date {
    let mut day = day;
    while !is_business(day) {
        day = plus(day, -1);
    }
    day
}

/// Every day from `from` to `to`.
pub(crate) fn each(from: Date, to: Date) -> impl Iterator<Item = Date> {
    (0..=between(from, to).max(-1)).map(move |n| plus(from, n))
}
