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
    pub(super) bar: Span,
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
                Span::back_to(from, end.unwrap_or(now))
            }
            (None, None) => Span::period("1m")?,
        };
        let bar = match args.bar.as_deref() {
            Some(text) => period.bar(text)?,
            None => period.usual_bar(USUAL),
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
        Ok(Self { period, bar, end, from, to })
    }
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
            .filter(|from| *from <= last && self.bar.is_within_a_day())
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
                    format!("{} {} {end}", part.period, part.bar).trim().to_owned()
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
}
