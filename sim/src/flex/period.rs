//! The periods of query templates.

use jiff::ToSpan;
use jiff::civil::Date;

use super::days::{self, business_until, plus};

/// A period by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Period {
    Today,
    LastBusinessDay,
    Calendar(u16),
    Business(u16),
    MonthToDate,
    QuarterToDate,
    YearToDate,
    LastMonth,
    LastQuarter,
}

impl Period {
    /// Reads a name, e.g. `Last365CalendarDays`.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        let count = |end: &str| {
            let digits = name.strip_prefix("Last")?.strip_suffix(end)?;
            digits.parse().ok().filter(|n| (1..=365).contains(n))
        };
        Ok(match name {
            "Today" => Self::Today,
            "LastBusinessDay" => Self::LastBusinessDay,
            "MonthToDate" => Self::MonthToDate,
            "QuarterToDate" => Self::QuarterToDate,
            "YearToDate" => Self::YearToDate,
            "LastMonth" => Self::LastMonth,
            "LastQuarter" => Self::LastQuarter,
            _ => match (count("CalendarDays"), count("BusinessDays")) {
                (Some(days), _) => Self::Calendar(days),
                (_, Some(days)) => Self::Business(days),
                _ => return Err(format!("flex: there is no period {name}")),
            },
        })
    }

    /// First and last day, if `today` is today and `last` the last day that can be reported.
    pub(crate) fn range(self, today: Date, last: Date) -> (Date, Date) {
        match self {
            Self::Today => (today, today),
            Self::LastBusinessDay => (business_until(last), business_until(last)),
            Self::Calendar(days) => (plus(last, 1 - i64::from(days)), last),
            Self::Business(days) => (back(last, days), last),
            Self::MonthToDate => (last.first_of_month(), last),
            Self::QuarterToDate => (quarter(last), last),
            Self::YearToDate => (last.first_of_year(), last),
            Self::LastMonth => before(last.first_of_month(), 1),
            Self::LastQuarter => before(quarter(last), 3),
        }
    }
}

/// The first of so many business days that end with `last`.
fn back(last: Date, days: u16) -> Date {
    let mut first = business_until(last);
    for _ in 1..days {
        first = business_until(plus(first, -1));
    }
    first
}

fn quarter(day: Date) -> Date {
    let over = (day.month() - 1) % 3;
    day.first_of_month().checked_sub(i32::from(over).months()).unwrap_or(day)
}

/// The months before this first day of a month.
fn before(first: Date, months: i32) -> (Date, Date) {
    (first.checked_sub(months.months()).unwrap_or(first), days::plus(first, -1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use jiff::civil::date;

    #[test]
    fn periods_end_with_the_last_day_that_is_known() {
        let (today, last) = (date(2026, 11, 3), date(2026, 11, 2));
        let range = |name: &str| Period::parse(name).unwrap().range(today, last);
        assert_eq!(range("Today"), (today, today));
        assert_eq!(range("Last365CalendarDays"), (date(2025, 11, 3), last));
        assert_eq!(range("Last2BusinessDays"), (date(2026, 10, 30), last));
        assert_eq!(range("QuarterToDate"), (date(2026, 10, 1), last));
        assert_eq!(range("LastMonth"), (date(2026, 10, 1), date(2026, 10, 31)));
        assert_eq!(range("LastQuarter"), (date(2026, 7, 1), date(2026, 9, 30)));
        assert!(Period::parse("Last366CalendarDays").is_err());
    }
}
