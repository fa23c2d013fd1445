//! Periods and bars of price histories, held against IBKR's table. Pure.

use std::fmt;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::refusal::Refusal;

/// A unit of time, as IBKR writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// So many of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    count: u32,
    unit: Unit,
}

/// Bars that IBKR has.
const BARS: [(u32, Unit); 15] = [
    (1, Unit::Minute),
    (2, Unit::Minute),
    (3, Unit::Minute),
    (5, Unit::Minute),
    (10, Unit::Minute),
    (15, Unit::Minute),
    (30, Unit::Minute),
    (1, Unit::Hour),
    (2, Unit::Hour),
    (3, Unit::Hour),
    (4, Unit::Hour),
    (8, Unit::Hour),
    (1, Unit::Day),
    (1, Unit::Week),
    (1, Unit::Month),
];
/// How many of a unit a period can have.
const MOST: [(Unit, u32); 6] = [
    (Unit::Minute, 30),
    (Unit::Hour, 8),
    (Unit::Day, 1_000),
    (Unit::Week, 792),
    (Unit::Month, 182),
    (Unit::Year, 15),
];
const HOUR: u32 = 60;
const DAY: u32 = 24 * HOUR;
const WEEK: u32 = 7 * DAY;
const MONTH: u32 = 30 * DAY;
const YEAR: u32 = 365 * DAY;
/// From a period of so many minutes on: the shortest and the longest bar, in minutes.
const TABLE: [(u32, u32, u32); 9] = [
    (1, 1, 1),
    (HOUR, 1, 8 * HOUR),
    (WEEK, 10, WEEK),
    (MONTH, HOUR, MONTH),
    (3 * MONTH, 2 * HOUR, MONTH),
    (6 * MONTH, 4 * HOUR, MONTH),
    (YEAR, 8 * HOUR, MONTH),
    (2 * YEAR, DAY, MONTH),
    (15 * YEAR, WEEK, MONTH),
];
/// Of a trading day's minutes so many are regular hours of most exchanges.
const TRADED: u32 = 390;

impl Span {
    /// A period of so many days.
    pub fn days(days: u32) -> Self {
        if days <= 1_000 {
            Self { count: days.max(1), unit: Unit::Day }
        } else {
            Self { count: days.div_ceil(365), unit: Unit::Year }
        }
    }

    /// The period that reaches from its end back to the beginning of this day, wherever on earth it begins.
    pub fn back_to(day: Date, end: Timestamp) -> Self {
        let begin = day.to_zoned(TimeZone::UTC).map_or(end, |at| at.timestamp());
        let hours = end.duration_since(begin).as_hours().max(0);
        Self::days(u32::try_from((hours + 12 + 23).div_euclid(24)).unwrap_or(u32::MAX))
    }

    /// The exchange's day of a bar of this length. One of a day or longer that begins at midnight in UTC is named by
    /// its day, and not by a moment.
    pub fn day_of(self, time: Timestamp, zone: &TimeZone) -> Date {
        let utc = time.to_zoned(TimeZone::UTC);
        if self.is_of_days() && utc.time() == Time::midnight() {
            utc.date()
        } else {
            time.to_zoned(zone.clone()).date()
        }
    }

    /// Reads a period: `1d`, `2w`, `6m` (months), `1y`, `30min`, `8h`, also in words: `3 months`.
    pub fn period(text: &str) -> Result<Self, Refusal> {
        let wrong = |why: &str| {
            Refusal::argument(
                "period",
                format!("{text:?} is no period{why}."),
                "Write it as 30min, 8h, 5d, 2w, 6m (months) or 1y; or give from and to.",
            )
        };
        let span = read(text).ok_or_else(|| wrong(""))?;
        let most = MOST.iter().find(|(unit, _)| *unit == span.unit).map_or(0, |(_, most)| *most);
        if span.count > most {
            return Err(wrong(&format!(" of IBKR's: at most {most} of that unit")));
        }
        Ok(span)
    }

    /// Reads a bar that this period can have.
    pub fn bar(self, text: &str) -> Result<Self, Refusal> {
        let fitting = || {
            let names = self.bars().into_iter().map(|bar| bar.to_string());
            format!("Use one of {}.", names.collect::<Vec<_>>().join(", "))
        };
        let bar = read(text).filter(|bar| BARS.contains(&(bar.count, bar.unit)));
        let bar = bar.ok_or_else(|| {
            Refusal::argument("bar", format!("{text:?} is no bar of IBKR's."), fitting())
        })?;
        if self.bars().contains(&bar) {
            Ok(bar)
        } else {
            let message = format!("IBKR gives no bars of {bar} for a period of {self}.");
            Err(Refusal::argument("bar", message, fitting()))
        }
    }

    /// The bar that shows this period in at most so many rows.
    pub fn usual_bar(self, rows: usize) -> Self {
        let bars = self.bars();
        // From two weeks on people think in days.
        let is_long = self.minutes() >= 2 * WEEK;
        let fits = |bar: &&Self| self.bars_of(**bar) <= rows && (bar.is_of_days() || !is_long);
        let longest = Self { count: 1, unit: Unit::Day };
        bars.iter().find(fits).or(bars.last()).copied().unwrap_or(longest)
    }

    /// About how many bars this period has.
    pub fn bars_of(self, bar: Self) -> usize {
        let days = self.minutes().div_ceil(DAY);
        // Five days in seven are traded.
        let traded = (days * 5).div_ceil(7).max(1);
        let count = match bar.minutes() {
            minutes if minutes < DAY => {
                let in_a_day = TRADED.div_ceil(minutes);
                if self.minutes() < DAY {
                    self.minutes().div_ceil(minutes)
                } else {
                    traded * in_a_day
                }
            }
            DAY => traded,
            minutes => self.minutes().div_ceil(minutes),
        };
        count as usize
    }

    /// The bars that IBKR has for this period, the shortest first.
    fn bars(self) -> Vec<Self> {
        let minutes = self.minutes();
        let row = TABLE.iter().rev().find(|(from, ..)| minutes >= *from);
        let (_, shortest, longest) = row.copied().unwrap_or(TABLE[0]);
        // Several days can be told day by day.
        let longest = if minutes >= DAY { longest.max(DAY) } else { longest };
        let all = BARS.map(|(count, unit)| Self { count, unit });
        let fits = |bar: &Self| (shortest..=longest).contains(&bar.minutes());
        all.into_iter().filter(fits).collect()
    }

    fn minutes(self) -> u32 {
        self.count
            * match self.unit {
                Unit::Minute => 1,
                Unit::Hour => HOUR,
                Unit::Day => DAY,
                Unit::Week => WEEK,
                Unit::Month => MONTH,
                Unit::Year => YEAR,
            }
    }

    /// Whether IBKR has bars of this length for this period.
    pub fn has(self, bar: Self) -> bool {
        self.bars().contains(&bar)
    }

    /// The longest period that IBKR has.
    pub fn longest() -> Self {
        let (unit, count) = MOST[MOST.len() - 1];
        Self { count, unit }
    }

    /// Whether IBKR has so long a period.
    pub fn is_within_ibkrs(self) -> bool {
        self.minutes() <= Self::longest().minutes()
    }

    /// The last day on which a bar of this length can begin that is over before this one.
    pub fn before(self, day: Date) -> Date {
        let back = match self.unit {
            Unit::Minute | Unit::Hour => jiff::Span::new(),
            Unit::Day => i64::from(self.count).days(),
            Unit::Week => i64::from(self.count).weeks(),
            Unit::Month => i64::from(self.count).months(),
            Unit::Year => i64::from(self.count).years(),
        };
        day.checked_sub(back).unwrap_or(day)
    }

    /// The first day of the week or month that a day is in; of other lengths the day itself.
    pub fn begin_of(self, day: Date) -> Date {
        match self.unit {
            Unit::Week => {
                let since_monday = i64::from(day.weekday().to_monday_zero_offset());
                day.checked_sub(since_monday.days()).unwrap_or(day)
            }
            Unit::Month => day.first_of_month(),
            _ => day,
        }
    }

    /// Whether a bar is one day or shorter: no bar is of two days.
    pub fn is_within_a_day(self) -> bool {
        self.minutes() <= DAY
    }

    /// Whether a bar is one day or longer: it is told by its date.
    pub fn is_of_days(self) -> bool {
        self.unit >= Unit::Day
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Minute => "min",
            Unit::Hour => "h",
            Unit::Day => "d",
            Unit::Week => "w",
            Unit::Month => "m",
            Unit::Year => "y",
        };
        write!(f, "{}{unit}", self.count)
    }
}

fn read(text: &str) -> Option<Span> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, word) = text.split_at(digits);
    let word = word.trim().to_ascii_lowercase();
    let count = if count.is_empty() { 1 } else { count.parse().ok()? };
    let unit = match word.as_str() {
        "min" | "mins" | "minute" | "minutes" => Unit::Minute,
        "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Hour,
        "d" | "day" | "days" => Unit::Day,
        "w" | "wk" | "week" | "weeks" => Unit::Week,
        // A capital M is a month everywhere, and a small one here.
        "m" | "mo" | "mon" | "month" | "months" => Unit::Month,
        "y" | "yr" | "year" | "years" => Unit::Year,
        _ => return None,
    };
    (count > 0).then_some(Span { count, unit })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn periods_are_read_as_people_write_them_and_ibkr_has_them() {
        for (text, expected) in [
            ("1d", "1d"),
            ("6M", "6m"),
            ("3 months", "3m"),
            ("30 min", "30min"),
            ("year", "1y"),
            ("2 Weeks", "2w"),
        ] {
            assert_eq!(Span::period(text).unwrap().to_string(), expected, "{text}");
        }
        for text in ["", "0d", "5", "1001d", "40min", "16y", "1 fortnight", "-1d"] {
            assert_eq!(Span::period(text).unwrap_err().field.as_deref(), Some("period"), "{text}");
        }
        assert_eq!(Span::days(400).to_string(), "400d");
        assert_eq!(Span::days(1_001).to_string(), "3y");
    }

    #[test]
    fn bars_fit_their_period() {
        for (period, bar, fits) in [
            ("1d", "1min", true),
            ("1d", "8h", true),
            ("1w", "5min", false),
            ("1w", "10min", true),
            ("1m", "30min", false),
            ("1m", "1h", true),
            ("1y", "1d", true),
            ("2y", "8h", false),
            ("15y", "1d", false),
            ("15y", "1w", true),
            ("1d", "7min", false),
            ("1d", "1y", false),
        ] {
            let found = Span::period(period).unwrap().bar(bar);
            assert_eq!(found.is_ok(), fits, "{period} {bar}");
            if let Err(refusal) = found {
                assert!(refusal.next.starts_with("Use one of "), "{}", refusal.next);
            }
        }
    }

    #[test]
    fn the_usual_bar_gives_a_table_that_can_be_read() {
        for (period, expected) in [
            ("1d", "5min"),
            ("5d", "30min"),
            ("1m", "1d"),
            ("1y", "1w"),
            ("5y", "1m"),
            ("1h", "1min"),
        ] {
            let period = Span::period(period).unwrap();
            let bar = period.usual_bar(80);
            assert_eq!(bar.to_string(), expected, "{period}");
            assert!(period.bars_of(bar) <= 80, "{period}");
        }
    }
}
