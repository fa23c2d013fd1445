//! The days that a call is about. Pure.

use jiff::ToSpan;
use jiff::civil::Date;

use super::Args;
use crate::refusal::Refusal;

/// Days back if a call says nothing.
const USUAL: usize = 90;
/// Ten years; IBKR keeps no more.
const MOST: u32 = 3_650;

/// From one day to another, both counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Date,
    pub(super) to: Date,
    today: Date,
}

impl Span {
    /// What the arguments say.
    pub(super) fn of(args: &Args, today: Date) -> Result<Self, Refusal> {
        let read = |field: &str, text: &Option<String>| {
            text.as_deref().map(|text| day(field, text)).transpose()
        };
        let (from, to) = (read("from", &args.from)?, read("to", &args.to)?.unwrap_or(today));
        if args.days.is_some() && from.is_some() {
            let message = "days and from both say where it begins.";
            return Err(Refusal::argument("days", message, "Give one of them."));
        }
        let back = args.days.unwrap_or(USUAL);
        let back = u32::try_from(back).ok().filter(|back| *back <= MOST);
        let begin = back.and_then(|back| to.checked_sub(i64::from(back).days()).ok());
        let too_long = |field: &str| {
            let message = format!("More than {MOST} days back there is nothing.");
            Refusal::argument(
                field,
                message,
                "Give a later day; older trades are in statements: ask_flex.",
            )
        };
        let field = if from.is_some() { "from" } else { "days" };
        let from = from.or(begin).ok_or_else(|| too_long(field))?;
        if to < from {
            let message = format!("to ({to}) is before from ({from}).");
            return Err(Refusal::argument("to", message, "Correct one of them."));
        }
        if to > today || from > today {
            let message = format!("{} has not come yet.", to.max(from));
            return Err(Refusal::argument("to", message, "Give a day up to today."));
        }
        let span = Self { from, to, today };
        if span.days() > MOST { Err(too_long(field)) } else { Ok(span) }
    }

    /// Days back from today that IBKR must be asked for.
    pub(super) fn days(&self) -> u32 {
        let back = self.from.until(self.today).map_or(0, |span| span.get_days());
        u32::try_from(back).unwrap_or(0).max(1)
    }
}

fn day(field: &str, text: &str) -> Result<Date, Refusal> {
    text.trim().parse::<Date>().map_err(|_| {
        let message = format!("{field} is no day: {text:?}.");
        Refusal::argument(field, message, "Write it as 2026-01-31.")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn days_are_counted_back_or_named() {
        let today: Date = "2026-11-02".parse().unwrap();
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let read = |days: Option<usize>, from: &str, to: &str| {
            let args = Args { days, from: text(from), to: text(to), ..Args::default() };
            match Span::of(&args, today) {
                Ok(span) => format!("{} {} {}", span.from, span.to, span.days()),
                Err(refusal) => refusal.field.unwrap(),
            }
        };
        for (days, from, to, expected) in [
            (None, "", "", "2026-08-04 2026-11-02 90"),
            (Some(1), "", "", "2026-11-01 2026-11-02 1"),
            (None, "2026-01-01", "", "2026-01-01 2026-11-02 305"),
            (None, "2026-01-01", "2026-01-31", "2026-01-01 2026-01-31 305"),
            (Some(30), "", "2026-10-01", "2026-09-01 2026-10-01 62"),
            (Some(30), "2026-01-01", "", "days"),
            (None, "January", "", "from"),
            (None, "2026-03-01", "2026-02-01", "to"),
            (None, "", "2026-12-24", "to"),
            (Some(100_000), "", "", "days"),
            (Some(usize::MAX), "", "", "days"),
            (None, "1999-01-01", "", "from"),
        ] {
            assert_eq!(read(days, from, to), expected, "{days:?} {from} {to}");
        }
    }
}
