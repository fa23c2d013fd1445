//! Which days are covered and which are missing.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use serde::Serialize;

use super::Entry;
use crate::summary::Period;

/// The days of an account that statements cover.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Covered, from the first to the last.
    pub have: Vec<Period>,
    /// Not covered, between the first day covered and the last.
    pub missing: Vec<Period>,
}

/// What statements cover together, of one account or of whichever they are about.
///
/// A last day that was not over when the statement was made does not count. Two statements between
/// which there is only a weekend leave nothing out.
pub fn coverage<'e>(
    entries: impl IntoIterator<Item = &'e Entry>,
    account: Option<&str>,
) -> Coverage {
    Coverage::of(entries.into_iter().flat_map(|entry| covered(entry, account)).collect())
}

/// The whole days of a statement.
pub(crate) fn covered(entry: &Entry, account: Option<&str>) -> Vec<Period> {
    let made = entry.generated.map(|made| made.date());
    let of = |name: &str| account.is_none_or(|account| account.eq_ignore_ascii_case(name));
    entry
        .accounts
        .iter()
        .filter(|covered| of(&covered.account))
        .filter_map(|covered| whole(covered.period?, made))
        .collect()
}

fn whole(period: Period, made: Option<Date>) -> Option<Period> {
    let last =
        made.and_then(|made| made.yesterday().ok()).map_or(period.to, |last| last.min(period.to));
    (last >= period.from).then_some(Period { from: period.from, to: last })
}

/// Whether no working day is between one and the other.
fn is_next(last: Date, next: Date) -> bool {
    between(last, next).is_none_or(is_weekend)
}

fn is_weekend(gap: Period) -> bool {
    let days = gap.from.series(1.day()).take_while(|day| *day <= gap.to);
    days.take(3).all(|day| matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday))
}

/// The days between, if there are any.
fn between(last: Date, next: Date) -> Option<Period> {
    let (from, to) = (last.tomorrow().ok()?, next.yesterday().ok()?);
    (from <= to).then_some(Period { from, to })
}

impl Coverage {
    /// Of some periods, in any order.
    pub(crate) fn of(mut periods: Vec<Period>) -> Self {
        periods.sort();
        let mut have: Vec<Period> = Vec::new();
        for period in periods {
            match have.last_mut() {
                Some(last) if is_next(last.to, period.from) => last.to = last.to.max(period.to),
                _ => have.push(period),
            }
        }
        let missing = have.windows(2).filter_map(|two| between(two[0].to, two[1].from)).collect();
        Self { have, missing }
    }

    /// What of some days is not covered, but for weekends.
    pub fn gaps(&self, asked: Period) -> Vec<Period> {
        let mut gaps = Vec::new();
        let mut from = asked.from;
        for have in &self.have {
            if have.to < from {
                continue;
            }
            if have.from > asked.to {
                break;
            }
            gaps.extend(between_days(from, have.from));
            let Ok(next) = have.to.tomorrow() else { break };
            from = next;
        }
        if from <= asked.to {
            gaps.push(Period { from, to: asked.to });
        }
        gaps.retain(|gap| !is_weekend(*gap));
        gaps
    }
}

/// From a day that is not covered to before one that is.
fn between_days(from: Date, covered: Date) -> Option<Period> {
    let to = covered.yesterday().ok()?;
    (from <= to).then_some(Period { from, to })
}

/// `have 2025-01-01 … 2026-10-31, missing March 2026`
pub fn describe(coverage: &Coverage) -> String {
    let (Some(first), Some(last)) = (coverage.have.first(), coverage.have.last()) else {
        return "have nothing".to_owned();
    };
    let missing: Vec<String> = coverage.missing.iter().map(|gap| name(*gap)).collect();
    let whole = format!("have {} … {}", first.from, last.to);
    if missing.is_empty() { whole } else { format!("{whole}, missing {}", missing.join(", ")) }
}

/// A year, a month or some days, as people say it.
pub(crate) fn name(period: Period) -> String {
    let Period { from, to } = period;
    let is_whole_months = from.day() == 1 && to == to.last_of_month();
    match (is_whole_months, from.year() == to.year()) {
        (true, true) if from.month() == 1 && to.month() == 12 => from.year().to_string(),
        (true, true) if from.month() == to.month() => from.strftime("%B %Y").to_string(),
        (true, _) => format!("{} … {}", from.strftime("%B %Y"), to.strftime("%B %Y")),
        _ if from == to => from.to_string(),
        _ => format!("{from} … {to}"),
    }
}
