//! The broker's hours: when logins end at night, and when it is closed. Functions of the time only.
//!
//! Local time of the region: at midnight web logins end; at one o'clock the brokerage session
//! breaks off and cannot be opened for some minutes. Saturday evening in New York everything ends.

use jiff::Timestamp;
use jiff::civil::{DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};

use crate::scenario::{Region, Scenario};

/// Local hour of the nightly drop.
const NIGHTLY_HOUR: i8 = 1;
/// Local hours between which the broker is closed on Saturday, in New York.
const WEEKEND: (i8, i8) = (18, 22);
const NEW_YORK: &str = "America/New_York";

/// Why the broker does not serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    /// No brokerage session can be had.
    Night,
    /// Not even a login.
    Weekend,
}

/// What happened to the session while time passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// The brokerage session broke off.
    Dropped,
    /// The login ended, and the brokerage session with it.
    LoggedOut,
}

/// The hours of one region.
#[derive(Debug)]
pub(crate) struct Calendar {
    home: TimeZone,
    new_york: TimeZone,
    midnight: bool,
    night_ms: i64,
}

impl Calendar {
    /// The calendar of a scenario, if it wants one.
    pub(crate) fn of(rules: &Scenario) -> Result<Option<Self>, String> {
        if !rules.calendar {
            return Ok(None);
        }
        let zone = |name| TimeZone::get(name).map_err(|e| format!("calendar: {e}"));
        let home = zone(match rules.region {
            Region::Us => NEW_YORK,
            Region::Eu => "Europe/Zurich",
            Region::Hk => "Asia/Hong_Kong",
        })?;
        let night_ms = i64::from(rules.nightly_minutes) * 60_000;
        Ok(Some(Self { home, new_york: zone(NEW_YORK)?, midnight: rules.midnight_reset, night_ms }))
    }

    /// Whether the broker is closed at this moment (epoch milliseconds).
    pub(crate) fn closed(&self, at: i64) -> Option<Closed> {
        let evening = local(at, &self.new_york);
        if evening.weekday() == Weekday::Saturday
            && (WEEKEND.0..WEEKEND.1).contains(&evening.hour())
        {
            return Some(Closed::Weekend);
        }
        let since = at - last(&local(at, &self.home), NIGHTLY_HOUR, None)?;
        (since < self.night_ms).then_some(Closed::Night)
    }

    /// The worst that happened after `from` and not later than `to` (epoch milliseconds).
    pub(crate) fn event(&self, from: i64, to: i64) -> Option<Event> {
        let (home, evening) = (local(to, &self.home), local(to, &self.new_york));
        let passed = |moment: Option<i64>| moment.is_some_and(|moment| moment > from);
        let midnight = self.midnight && passed(last(&home, 0, None));
        if midnight || passed(last(&evening, WEEKEND.0, Some(Weekday::Saturday))) {
            return Some(Event::LoggedOut);
        }
        passed(last(&home, NIGHTLY_HOUR, None)).then_some(Event::Dropped)
    }
}

fn local(ms: i64, zone: &TimeZone) -> Zoned {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone.clone())
}

/// The last time that a local clock showed this full hour, on this day of the week if one is given.
fn last(now: &Zoned, hour: i8, day: Option<Weekday>) -> Option<i64> {
    let mut at: DateTime = now.date().at(hour, 0, 0, 0);
    if at > now.datetime() {
        at = at.checked_sub(1.day()).ok()?;
    }
    while day.is_some_and(|day| at.weekday() != day) {
        at = at.checked_sub(1.day()).ok()?;
    }
    Some(at.to_zoned(now.time_zone().clone()).ok()?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    fn calendar(region: Region) -> Calendar {
        let rules = Scenario { calendar: true, region, ..Scenario::default() };
        Calendar::of(&rules).unwrap().unwrap()
    }

    #[test]
    fn the_night_is_at_one_of_each_regions_own_clock() {
        // In summer New York is at -4, Zurich at +2 and Hong Kong at +8.
        for (region, at) in [
            (Region::Us, "2026-07-15T05:00:00Z"),
            (Region::Eu, "2026-07-14T23:00:00Z"),
            (Region::Hk, "2026-07-14T17:00:00Z"),
        ] {
            let (here, at) = (calendar(region), ms(at));
            assert_eq!(here.closed(at - 1), None, "{region:?}");
            assert_eq!(here.closed(at), Some(Closed::Night));
            assert_eq!(here.closed(at + 599_999), Some(Closed::Night));
            assert_eq!(here.closed(at + 600_000), None);
            assert_eq!(here.event(at - 2, at - 1), None);
            assert_eq!(here.event(at - 1, at), Some(Event::Dropped));
            assert_eq!(here.event(at, at + 3_600_000), None, "once a night");
            assert_eq!(here.event(at - 3_600_001, at), Some(Event::LoggedOut), "midnight too");
        }
    }

    #[test]
    fn saturday_evening_is_new_yorks_for_everybody() {
        let (here, at) = (calendar(Region::Hk), ms("2026-07-18T22:00:00Z"));
        assert_eq!(here.event(at - 1, at), Some(Event::LoggedOut));
        assert_eq!(here.closed(at), Some(Closed::Weekend));
        assert_eq!(here.closed(at + 4 * 3_600_000), None);
        assert_eq!(here.closed(at - 86_400_000), None, "not on Friday");
    }

    #[test]
    fn a_week_in_one_step_is_noticed() {
        let rules = Scenario { calendar: true, midnight_reset: false, ..Scenario::default() };
        let here = Calendar::of(&rules).unwrap().unwrap();
        let monday = ms("2026-07-13T16:00:00Z");
        assert_eq!(here.event(monday, monday + 4 * 86_400_000), Some(Event::Dropped));
        assert_eq!(here.event(monday, monday + 7 * 86_400_000), Some(Event::LoggedOut));
    }
}
