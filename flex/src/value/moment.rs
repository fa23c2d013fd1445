//! A date with or without a time, read by its shape.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::{Offset, TimeZone};

use super::{BadValue, Order, cut};

/// A date, perhaps with a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    /// The day, where the time is.
    pub date: Date,
    /// The time, if the text had one.
    pub time: Option<Time>,
    /// What the text said of the zone.
    pub zone: Zone,
}

/// The zone of a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Zone {
    /// Not said: US/Eastern, unless the template says otherwise.
    #[default]
    Unsaid,
    /// Minutes east of UTC.
    Minutes(i16),
    /// A name that is not known here, and so an instant that is not known.
    Other,
}

impl Moment {
    /// The instant, of a moment with a time in a known zone.
    pub fn timestamp(&self) -> Option<Timestamp> {
        let time = self.date.to_datetime(self.time?);
        let zone = match self.zone {
            Zone::Unsaid => TimeZone::get("America/New_York").ok()?,
            Zone::Minutes(minutes) => {
                TimeZone::fixed(Offset::from_seconds(i32::from(minutes) * 60).ok()?)
            }
            Zone::Other => return None,
        };
        Some(time.to_zoned(zone).ok()?.timestamp())
    }

    /// Reads text that has no white space around it and is not empty.
    pub(super) fn read(text: &str, order: Order) -> Result<Self, BadValue> {
        let bad = || BadValue::Date(cut(text));
        let (written, rest) = split(text).ok_or_else(bad)?;
        let date = match written {
            Written::Certain { year, month, day } => Date::new(year, month, day).ok(),
            Written::Slashes { year, first, second } => slashes(year, (first, second), order)
                .ok_or_else(|| BadValue::Ambiguous(cut(text)))?,
        };
        let date = date.ok_or_else(bad)?;
        let rest = rest.trim_start_matches([';', ',', ' ', 'T']);
        if rest.is_empty() {
            return Ok(Self { date, time: None, zone: Zone::Unsaid });
        }
        let (time, rest) = time(rest).ok_or_else(bad)?;
        let zone = zone(rest.trim_start()).ok_or_else(bad)?;
        Ok(Self { date, time: Some(time), zone })
    }
}

/// `2026-11-02` or `2026-11-02T14:30:03`, with `-05:00` where the text gave the zone.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.date.fmt(f)?;
        let Some(time) = self.time else { return Ok(()) };
        write!(f, "T{time}")?;
        match self.zone {
            Zone::Minutes(0) => f.write_str("Z"),
            Zone::Minutes(minutes) => {
                let sign = if minutes < 0 { '-' } else { '+' };
                let minutes = minutes.unsigned_abs();
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
            Zone::Unsaid | Zone::Other => Ok(()),
        }
    }
}

/// A date's parts.
#[derive(Clone, Copy)]
enum Written {
    Certain { year: i16, month: i8, day: i8 },
    Slashes { year: i16, first: i8, second: i8 },
}

/// The date at the start of a text, and what follows it.
fn split(text: &str) -> Option<(Written, &str)> {
    let bytes = text.as_bytes();
    match (digits(bytes), bytes.get(digits(bytes))) {
        (4, Some(b'-')) => dashed(text),
        (2 | 1, Some(b'/')) => with_slashes(text),
        (2 | 1, Some(b'-')) => with_name(text),
        // yyyyMMdd, then HHmmss or HH:mm:ss right behind it, or anything else that is no digit.
        (8 | 10 | 14, _) => compact(text),
        _ => None,
    }
}

fn compact(text: &str) -> Option<(Written, &str)> {
    let date = Written::Certain {
        year: number(text.get(..4)?)?,
        month: small(text.get(4..6)?)?,
        day: small(text.get(6..8)?)?,
    };
    Some((date, &text[8..]))
}

fn dashed(text: &str) -> Option<(Written, &str)> {
    if text.as_bytes().get(7) != Some(&b'-') {
        return None;
    }
    let date = Written::Certain {
        year: number(text.get(..4)?)?,
        month: small(text.get(5..7)?)?,
        day: small(text.get(8..10)?)?,
    };
    Some((date, &text[10..]))
}

fn with_slashes(text: &str) -> Option<(Written, &str)> {
    let (first, rest) = text.split_once('/')?;
    let (second, rest) = rest.split_once('/')?;
    let (year, rest) = year(rest)?;
    Some((Written::Slashes { year, first: small(first)?, second: small(second)? }, rest))
}

/// `02-NOV-26`
fn with_name(text: &str) -> Option<(Written, &str)> {
    const NAMES: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let (day, rest) = text.split_once('-')?;
    let (name, rest) = rest.split_once('-')?;
    let month = NAMES.iter().position(|month| name.eq_ignore_ascii_case(month))?;
    let (year, rest) = year(rest)?;
    let date = Written::Certain { year, month: i8::try_from(month).ok()? + 1, day: small(day)? };
    Some((date, rest))
}

/// The year that ends a date, of two digits or four. A time may follow with nothing between: then
/// the number of digits tells which it is.
fn year(text: &str) -> Option<(i16, &str)> {
    let length = match (digits(text.as_bytes()), text.as_bytes().get(digits(text.as_bytes()))) {
        (2 | 8, _) | (4, Some(b':')) => 2,
        (4 | 10, _) | (6, Some(b':')) => 4,
        _ => return None,
    };
    let (year, rest) = text.split_at(length);
    let year: i16 = number(year)?;
    let year = match length {
        4 => year,
        // IBKR's first accounts are from the nineties.
        _ if year >= 80 => 1900 + year,
        _ => 2000 + year,
    };
    Some((year, rest))
}

/// The first two numbers of a date with slashes.
pub(super) fn slashed(text: &str) -> Option<(i8, i8)> {
    match with_slashes(text)? {
        (Written::Slashes { first, second, .. }, _) => Some((first, second)),
        (Written::Certain { .. }, _) => None,
    }
}

/// The date; nothing, if nobody knows which it is; and nothing in it, if there is no such day.
fn slashes(year: i16, (first, second): (i8, i8), order: Order) -> Option<Option<Date>> {
    let month_first = Date::new(year, first, second).ok();
    let day_first = Date::new(year, second, first).ok();
    match (order, month_first, day_first) {
        (Order::MonthFirst, date, _) | (Order::DayFirst, _, date) => Some(date),
        (Order::Unknown, Some(one), Some(other)) if one != other => None,
        (Order::Unknown, one, other) => Some(one.or(other)),
    }
}

/// `HHmmss` or `HH:mm:ss`
fn time(text: &str) -> Option<(Time, &str)> {
    let (parts, length) = match digits(text.as_bytes()) {
        6 => ([0..2, 2..4, 4..6], 6),
        2 if text.as_bytes().get(5) == Some(&b':') => ([0..2, 3..5, 6..8], 8),
        _ => return None,
    };
    let [hour, minute, second] = parts.map(|part| text.get(part).and_then(small));
    let time = Time::new(hour?, minute?, second?, 0).ok()?;
    Some((time, &text[length..]))
}

/// What follows a time.
fn zone(text: &str) -> Option<Zone> {
    Some(match text {
        "" => Zone::Unsaid,
        "EST" => Zone::Minutes(-300),
        "EDT" => Zone::Minutes(-240),
        "UTC" | "GMT" | "Z" => Zone::Minutes(0),
        name if name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'/' || b == b'_') => {
            Zone::Other
        }
        offset => Zone::Minutes(minutes(offset)?),
    })
}

/// `-0500` or `-05:00`
fn minutes(text: &str) -> Option<i16> {
    let (sign, text) = match text.split_at_checked(1)? {
        ("-", rest) => (-1, rest),
        ("+", rest) => (1, rest),
        _ => return None,
    };
    let (hours, minutes) = match text.len() {
        4 => (text.get(..2)?, text.get(2..)?),
        5 if text.as_bytes()[2] == b':' => (text.get(..2)?, text.get(3..)?),
        _ => return None,
    };
    let (hours, minutes): (i16, i16) = (number(hours)?, number(minutes)?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| b.is_ascii_digit()).count()
}

fn number(text: &str) -> Option<i16> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// One or two digits.
fn small(text: &str) -> Option<i8> {
    (text.len() <= 2).then(|| number(text))?.and_then(|number| number.try_into().ok())
}
