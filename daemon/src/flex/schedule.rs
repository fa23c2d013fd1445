//! Runs that happen by themselves, once a day. Pure: no clock of its own.

use std::fmt;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// IBKR makes the statements of a day by this clock, as a rule between midnight and six.
const ZONE: &str = "America/New_York";
/// A run that failed is tried again after this, for so long.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);
const FOR: SignedDuration = SignedDuration::from_hours(6);

/// A time of day in New York.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Daily(Time);

impl Daily {
    /// From `06:15`.
    pub fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.trim().split_once(':')?;
        let is_short = hour.len() <= 2 && minute.len() == 2;
        let time = Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()?;
        is_short.then_some(Self(time))
    }

    /// When it was this time last, up to `now`.
    pub fn last(self, now: Timestamp) -> Option<Timestamp> {
        let zone = TimeZone::get(ZONE).unwrap_or(TimeZone::UTC);
        let today = now.to_zoned(zone.clone()).date();
        let on = |date: jiff::civil::Date| {
            Some(date.to_datetime(self.0).to_zoned(zone.clone()).ok()?.timestamp())
        };
        match on(today) {
            Some(at) if at <= now => Some(at),
            _ => on(today.checked_sub(1.day()).ok()?),
        }
    }
}

impl fmt::Display for Daily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

/// A run that nobody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// When it began.
    pub at: Timestamp,
    /// It failed in a way that an hour does not mend.
    pub in_vain: bool,
}

/// Whether a query is to be run now. `had`: when it last gave a statement; `tried`: when it was last run
/// by itself. A daemon that did not run at that time catches up.
pub fn is_due(daily: Daily, had: Option<Timestamp>, tried: Option<Tried>, now: Timestamp) -> bool {
    let Some(due) = daily.last(now) else { return false };
    if had.is_some_and(|had| had >= due) {
        return false;
    }
    match tried.filter(|tried| tried.at >= due) {
        None => true,
        Some(tried) => {
            let is_again = now.duration_since(tried.at) >= AGAIN && now.duration_since(due) < FOR;
            is_again && !tried.in_vain
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_table() {
        let daily = Daily::parse("06:15").unwrap();
        // 06:15 in New York is 11:15 UTC in November.
        let due = "2026-11-24T11:15:00Z";
        for (had, tried, now, expected) in [
            (None, None, "2026-11-24T11:14:59Z", true),
            (Some("2026-11-23T12:00:00Z"), None, "2026-11-24T11:14:59Z", false),
            (Some("2026-11-23T12:00:00Z"), None, due, true),
            (Some("2026-11-20T12:00:00Z"), None, "2026-11-24T20:00:00Z", true),
            (Some(due), None, "2026-11-24T20:00:00Z", false),
            (None, Some(due), "2026-11-24T11:20:00Z", false),
            (None, Some(due), "2026-11-24T12:15:00Z", true),
            (None, Some("2026-11-24T16:20:00Z"), "2026-11-24T17:21:00Z", false),
            (None, Some("2026-11-24T16:20:00Z"), "2026-11-25T11:15:00Z", true),
        ] {
            let had = had.map(at);
            let tried = tried.map(|tried| Tried { at: at(tried), in_vain: false });
            assert_eq!(is_due(daily, had, tried, at(now)), expected, "{had:?} {tried:?} {now}");
            let in_vain = tried.map(|tried| Tried { in_vain: true, ..tried });
            let is_new = in_vain.is_none_or(|tried| tried.at < daily.last(at(now)).unwrap());
            assert_eq!(is_due(daily, had, in_vain, at(now)), expected && is_new, "{now}");
        }
    }

    #[test]
    fn a_time_of_day_is_hours_and_minutes() {
        assert_eq!(Daily::parse("6:15").unwrap().to_string(), "06:15");
        for bad in ["", "6", "24:00", "06:60", "06:5", "006:15", "noon", "-1:00"] {
            assert_eq!(Daily::parse(bad), None, "{bad}");
        }
    }
}
