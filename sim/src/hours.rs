//! When an exchange is open, by its own clock: the same hours for schedules, quotes and histories. Weekends
//! are closed; there are no holidays.

use std::ops::Range;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::instruments::Instrument;

/// Which part of a day is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Regular hours, the liquid session.
    Regular,
    /// Those and everything around them.
    Extended,
}

/// Time zone, opening and closing of the liquid session, and of everything around it.
#[derive(Debug, Clone)]
pub(crate) struct Hours {
    pub(crate) zone: &'static str,
    pub(crate) open: i8,
    pub(crate) open_minute: i8,
    pub(crate) close: i8,
    pub(crate) early: i8,
    pub(crate) late: i8,
    clock: TimeZone,
}

impl Hours {
    /// The hours of the exchange that lists it.
    pub(crate) fn of(instrument: &Instrument) -> Self {
        let hours = |zone, (open, open_minute), close, early, late| Self {
            zone,
            open,
            open_minute,
            close,
            early,
            late,
            clock: TimeZone::get(zone).unwrap_or(TimeZone::UTC),
        };
        match (instrument.sec_type.as_str(), instrument.country.as_str()) {
            ("FUT" | "FOP" | "CASH", _) => hours("America/New_York", (0, 0), 23, 0, 23),
            (_, "JP") => hours("Asia/Tokyo", (9, 0), 15, 9, 15),
            (_, "HK") => hours("Asia/Hong_Kong", (9, 30), 16, 9, 16),
            (_, "GB") => hours("Europe/London", (8, 0), 16, 8, 17),
            (_, "CH") => hours("Europe/Zurich", (9, 0), 17, 9, 18),
            (_, "DE" | "NL" | "FR" | "ES") => hours("Europe/Berlin", (9, 0), 17, 8, 18),
            (_, "MX") => hours("America/Mexico_City", (8, 30), 15, 8, 15),
            _ => hours("America/New_York", (9, 30), 16, 4, 20),
        }
    }

    /// Its local day at a moment (epoch milliseconds).
    pub(crate) fn day(&self, at_ms: i64) -> Date {
        let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        at.to_zoned(self.clock.clone()).date()
    }

    /// The moment at which its clocks show this (epoch milliseconds).
    pub(crate) fn moment(&self, day: Date, (hour, minute): (i8, i8)) -> i64 {
        let local = day.at(hour, minute, 0, 0).to_zoned(self.clock.clone());
        local.map_or(0, |zoned| zoned.timestamp().as_millisecond())
    }

    /// When it is open on a trading day (epoch milliseconds).
    pub(crate) fn session(&self, day: Date, part: Part) -> Range<i64> {
        match part {
            Part::Regular => {
                let opening = (self.open, self.open_minute);
                self.moment(day, opening)..self.moment(day, (self.close, 0))
            }
            Part::Extended => self.moment(day, (self.early, 0))..self.moment(day, (self.late, 0)),
        }
    }

    /// Minutes that this part of a day has.
    pub(crate) fn minutes(&self, part: Part) -> i64 {
        let (from, to) = match part {
            Part::Regular => (i64::from(self.open) * 60 + i64::from(self.open_minute), self.close),
            Part::Extended => (i64::from(self.early) * 60, self.late),
        };
        i64::from(to) * 60 - from
    }

    /// Whether it is open at this moment, before and after regular hours too.
    pub(crate) fn is_open(&self, at_ms: i64) -> bool {
        let day = self.day(at_ms);
        is_trading(day) && self.session(day, Part::Extended).contains(&at_ms)
    }

    /// The last trading day of which this part has begun by then.
    pub(crate) fn begun(&self, at_ms: i64, part: Part) -> Date {
        self.last(at_ms, |day| self.session(day, part).start)
    }

    /// The last trading day that is wholly over by then.
    pub(crate) fn ended(&self, at_ms: i64) -> Date {
        self.last(at_ms, |day| self.session(day, Part::Extended).end)
    }

    fn last(&self, at_ms: i64, moment: impl Fn(Date) -> i64) -> Date {
        let mut day = self.day(at_ms);
        while !is_trading(day) || moment(day) > at_ms {
            day = earlier(day);
        }
        day
    }
}

/// Exchanges are open on this day.
pub(crate) fn is_trading(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// The trading day before this day.
pub(crate) fn before(day: Date) -> Date {
    let mut day = earlier(day);
    while !is_trading(day) {
        day = earlier(day);
    }
    day
}

fn earlier(day: Date) -> Date {
    day.checked_sub(1.day()).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::instruments::Universe;
    use jiff::civil::date;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn a_weekend_belongs_to_friday_and_a_day_begins_with_its_exchange() {
        let universe = Universe::new(date(2026, 11, 22), 0);
        let (apple, toyota) = (265_598, 14_020_991);
        let hours = |conid| Hours::of(universe.get(conid).unwrap());
        let friday = date(2026, 11, 20);
        for (at, open, begun) in [
            ("2026-11-20T08:59:59Z", false, date(2026, 11, 19)),
            ("2026-11-20T09:00:00Z", true, friday),
            ("2026-11-21T00:59:59Z", true, friday),
            ("2026-11-21T01:00:00Z", false, friday),
            ("2026-11-22T16:00:00Z", false, friday),
            ("2026-11-23T09:00:00Z", true, date(2026, 11, 23)),
        ] {
            let hours = hours(apple);
            assert_eq!(hours.is_open(ms(at)), open, "{at}");
            assert_eq!(hours.begun(ms(at), Part::Extended), begun, "{at}");
        }
        // Monday in Tokyo begins on Sunday in New York.
        assert!(hours(toyota).is_open(ms("2026-11-23T00:00:00Z")));
        assert_eq!(before(date(2026, 11, 23)), friday);
        assert_eq!(hours(apple).minutes(Part::Regular), 390);
    }
}
