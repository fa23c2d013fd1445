//! The part of the past that is asked for, and the exchange's days in it.

use ibd_cpapi::history::MAX_BARS;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Args;
use crate::contracts::expiry;
use crate::history::{Days, Span, end_of};
use crate::refusal::Refusal;

/// Rows that the bar is chosen for where none is named.
const USUAL: usize = 80;

/// The part of the past that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) period: Span,
    /// The bars that are told.
    pub(super) bar: Span,
    /// The bars that IBKR is asked for: days, where weeks and months of them begin in the middle.
    pub(super) source: Span,
    pub(super) end: Option<Timestamp>,
    /// Days of the exchange.
    pub(super) from: Option<Date>,
    pub(super) to: Option<Date>,
}

impl Part {
    pub(super) fn of(args: &Args, now: Timestamp) -> Result<Self, Refusal> {
        let (from, to) = (day("from", args.from.as_deref())?, day("to", args.to.as_deref())?);
        if let Some(from) = from.filter(|from| from.year() < 1970) {
            let message = format!("from, {from}, is before 1970.");
            return Err(Refusal::argument("from", message, "Give a later day."));
        }
        let end = to.and_then(|day| end_of(day, now));
        let period = match (args.period.as_deref(), from) {
            (Some(_), Some(_)) => {
                return Err(Refusal::argument(
                    "period",
                    "Both period and from are given.",
                    "Give period (with to, where it does not end today), or from and to.",
                ));
            }
            (Some(text), None) => Span::period(text)?,
            (None, Some(from)) => {
                let since = from.to_zoned(TimeZone::UTC).map_or(now, |at| at.timestamp());
                if since >= end.unwrap_or(now) {
                    let message = format!("from, {from}, is not before the end of the period.");
                    return Err(Refusal::argument("from", message, "Give an earlier day."));
                }
                let period = Span::back_to(from, end.unwrap_or(now));
                in_reach(from, period)?;
                period
            }
            (None, None) => Span::period("1m")?,
        };
        let bar = match args.bar.as_deref() {
            Some(text) => period.bar(text)?,
            None => period.usual_bar(USUAL),
        };
        let day = Span::days(1);
        let is_put_together = from.is_some()
            && !bar.is_within_a_day()
            && period.has(day)
            && period.bars_of(day) <= MAX_BARS;
        let (period, source) = match from {
            Some(_) if is_put_together => (period, day),
            // A bar that begins before it belongs to it as well.
            Some(from) if !bar.is_within_a_day() => {
                (Span::back_to(bar.before(from), end.unwrap_or(now)), bar)
            }
            _ => (period, bar),
        };
        let count = period.bars_of(bar);
        if count > MAX_BARS {
            return Err(Refusal::argument(
                "bar",
                format!("{period} in bars of {bar} are about {count}; IBKR gives {MAX_BARS}."),
                format!(
                    "Use bars of {} or longer, or a shorter period.",
                    period.usual_bar(MAX_BARS)
                ),
            ));
        }
        Ok(Self { period, bar, source, end, from, to })
    }

    /// Whether a bar of IBKR's that begins on this day has something of the part.
    pub(super) fn reaches(&self, day: Date) -> bool {
        let is_late = |from: Date| day >= from || day > self.source.before(from);
        self.from.is_none_or(is_late) && self.to.is_none_or(|to| day <= to)
    }
}

/// IBKR's past has an end.
fn in_reach(from: Date, period: Span) -> Result<(), Refusal> {
    if period.is_within_ibkrs() {
        return Ok(());
    }
    let message = format!("from, {from}, is too far back: IBKR tells {} at most.", Span::longest());
    Err(Refusal::argument("from", message, "Give a later day, or an earlier to with it."))
}

impl Part {
    /// In words, for a person.
    pub(super) fn told(&self) -> String {
        match (self.from, self.to) {
            (Some(from), Some(to)) => format!("{from} to {to}"),
            (Some(from), None) => format!("since {from}"),
            (None, Some(to)) => format!("{} to {to}", self.period),
            (None, None) => self.period.to_string(),
        }
    }

    /// The days that are asked for, where bars are such as can be kept by day.
    pub(super) fn days(&self, now: Timestamp, zone: &TimeZone) -> Option<Days> {
        let today = now.to_zoned(zone.clone()).date();
        let last = self.to.map_or(today, |to| to.min(today));
        self.from
            .filter(|from| *from <= last && self.source.is_within_a_day())
            .map(|first| Days { first, last })
    }
}

fn day(field: &str, text: Option<&str>) -> Result<Option<Date>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    expiry::day(text).map(Some).ok_or_else(|| {
        Refusal::argument(field, format!("{text:?} is no day."), "Write it as 2026-01-31.")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_part_of_the_past_is_what_was_asked_for() {
        let now: Timestamp = "2026-11-30T15:00:00Z".parse().unwrap();
        let part = |period: &str, from: &str, to: &str, bar: &str| {
            let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            let args = Args {
                period: text(period),
                from: text(from),
                to: text(to),
                bar: text(bar),
                ..Args::default()
            };
            match Part::of(&args, now) {
                Ok(part) => {
                    let end = part.end.map(|end| end.to_string()).unwrap_or_default();
                    let of = if part.source == part.bar {
                        String::new()
                    } else {
                        format!(" of {}", part.source)
                    };
                    format!("{} {}{of} {end}", part.period, part.bar).trim().to_owned()
                }
                Err(refusal) => refusal.field.unwrap(),
            }
        };
        for (period, from, to, bar, expected) in [
            ("", "", "", "", "1m 1d"),
            ("1d", "", "", "", "1d 5min"),
            ("", "2026-11-02", "2026-11-06", "1h", "6d 1h 2026-11-07T12:00:00Z"),
            ("", "2026-11-28", "", "", "4d 15min"),
            ("", "2026-11-02", "2026-11-30", "1d", "30d 1d"),
            ("", "2026-09-02", "2026-11-30", "1w", "91d 1w of 1d"),
            ("", "2024-05-15", "", "1m", "931d 1m of 1d"),
            ("", "2014-01-15", "", "1w", "13y 1w"),
            ("", "2001-01-02", "", "1m", "from"),
            ("", "2001-01-02", "2003-01-02", "1m", "732d 1m of 1d 2003-01-03T12:00:00Z"),
            ("6m", "", "", "1w", "6m 1w"),
            ("1m", "2026-11-02", "", "", "period"),
            ("", "2026-12-02", "", "", "from"),
            ("", "2026-11-10", "2026-11-02", "", "from"),
            ("", "yesterday", "", "", "from"),
            ("1w", "", "", "1min", "bar"),
            ("1000d", "", "", "8h", "bar"),
        ] {
            assert_eq!(part(period, from, to, bar), expected, "{period} {from} {to} {bar}");
        }
    }

    #[test]
    fn a_bar_that_begins_before_the_part_and_ends_in_it_is_one_of_it() {
        let now: Timestamp = "2026-11-30T15:00:00Z".parse().unwrap();
        let part = |bar: &str, from: &str| {
            let text = |text: &str| Some(text.to_owned());
            let args = Args { from: text(from), bar: text(bar), ..Args::default() };
            Part::of(&args, now).unwrap()
        };
        let day = |text: &str| text.parse::<Date>().unwrap();
        for (bar, from, first, is_one) in [
            ("1w", "2014-01-15", "2014-01-13", true),
            ("1w", "2014-01-15", "2014-01-08", false),
            ("1w", "2014-01-15", "2014-01-09", true),
            ("1m", "2014-01-15", "2014-01-02", true),
            ("1m", "2014-01-15", "2013-12-15", false),
            ("1d", "2026-11-02", "2026-11-01", false),
            ("1d", "2026-11-02", "2026-11-02", true),
        ] {
            assert_eq!(part(bar, from).reaches(day(first)), is_one, "{bar} {from} {first}");
        }
    }
}
