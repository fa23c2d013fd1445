//! When something expires, as people write it: a day or a month. Pure.

use jiff::civil::Date;

use super::Contract;
use crate::refusal::Refusal;

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// A day, or a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    year: i16,
    month: i8,
    day: Option<Date>,
}

impl Expiry {
    /// Reads `2027-01-15`, `20270115`, `JAN27`, `JAN2027`, `2027-01` and `202701`.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        let plain = text.trim().to_ascii_uppercase();
        let found =
            day(&plain).map(Self::of).or_else(|| by_name(&plain)).or_else(|| by_number(&plain));
        found.ok_or_else(|| {
            Refusal::argument(
                "expiry",
                format!("{text:?} is no expiry."),
                "Write a day as 2027-01-15, or a month as JAN27.",
            )
        })
    }

    /// The same, of what is not over.
    pub fn read_alive(text: &str, today: Date) -> Result<Self, Refusal> {
        let expiry = Self::read(text)?;
        let is_over = match expiry.day {
            Some(day) => day < today,
            None => (expiry.year, expiry.month) < (today.year(), today.month()),
        };
        if is_over {
            Err(Refusal::argument(
                "expiry",
                format!("{} is over.", text.trim()),
                "Use an expiry that is still to come.",
            ))
        } else {
            Ok(expiry)
        }
    }

    /// This day.
    pub fn of(day: Date) -> Self {
        Self { year: day.year(), month: day.month(), day: Some(day) }
    }

    /// The day, where one is named.
    pub fn day(self) -> Option<Date> {
        self.day
    }

    /// The month as IBKR names it: `JAN27`.
    pub fn month(self) -> String {
        format!("{}{:02}", month_name(self.month), self.year.rem_euclid(100))
    }

    /// Whether a contract expires then. Some futures expire in the month before the one that they are called by.
    pub fn is_of(self, contract: &Contract) -> bool {
        let Some(date) = contract.expiry else { return false };
        let is_month = date.year() == self.year && date.month() == self.month;
        match self.day {
            Some(day) => date == day,
            None => is_month || self.is_named_by(contract),
        }
    }

    fn is_named_by(self, contract: &Contract) -> bool {
        let called = [self.month(), format!("{}{}", month_name(self.month), self.year)];
        let words = contract.description.as_deref().unwrap_or_default().to_uppercase();
        words.split_whitespace().any(|word| called.iter().any(|name| name == word))
    }
}

/// The months are 1 to 12: dates have no others, and what is read is checked.
fn month_name(month: i8) -> &'static str {
    MONTHS[usize::from(month.unsigned_abs()).saturating_sub(1) % 12]
}

/// `20270115` and `2027-01-15`.
pub fn day(text: &str) -> Option<Date> {
    let forms = ["%Y%m%d", "%Y-%m-%d"];
    let read = forms.iter().find_map(|form| Date::strptime(form, text.trim()).ok());
    read.filter(|day| day.year() >= 1900)
}

fn by_name(text: &str) -> Option<Expiry> {
    let name = text.get(..3)?;
    let month = MONTHS.iter().position(|one| *one == name)?;
    let rest = text.get(3..).filter(|rest| rest.bytes().all(|b| b.is_ascii_digit()))?;
    let year = match rest.len() {
        2 => 2000 + rest.parse::<i16>().ok()?,
        4 => rest.parse().ok()?,
        _ => return None,
    };
    Some(Expiry { year, month: i8::try_from(month + 1).ok()?, day: None })
}

/// `202701` and `2027-01`.
fn by_number(text: &str) -> Option<Expiry> {
    let digits = text.replacen('-', "", 1);
    let is_month = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit());
    let (year, month) = (digits.get(..4)?, digits.get(4..)?);
    let month: i8 = month.parse().ok().filter(|month| (1..=12).contains(month))?;
    is_month.then_some(Expiry { year: year.parse().ok()?, month, day: None })
}

/// As IBKR writes a day: `20270115`.
pub fn plain(day: Date) -> String {
    day.strftime("%Y%m%d").to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_expiry_is_read_however_it_is_written() {
        for (text, month, day) in [
            ("2099-01-16", "JAN99", Some("2099-01-16")),
            ("20990116", "JAN99", Some("2099-01-16")),
            ("jan99", "JAN99", None),
            ("JAN2099", "JAN99", None),
            ("209901", "JAN99", None),
            (" 2099-01 ", "JAN99", None),
        ] {
            let expiry = Expiry::read(text).unwrap();
            let found = expiry.day().map(|day| day.to_string());
            assert_eq!((expiry.month().as_str(), found.as_deref()), (month, day), "{text}");
        }
        for bad in
            ["", "JAN", "JANUARY27", "27-01-15", "20991350", "209913", "é99", "JAN1", "2099-0-1"]
        {
            assert_eq!(Expiry::read(bad).unwrap_err().field.as_deref(), Some("expiry"), "{bad}");
        }
    }

    #[test]
    fn what_is_over_is_said_to_be() {
        let today = day("2026-11-30").unwrap();
        for (text, is_alive) in [
            ("2026-11-30", true),
            ("2026-11-29", false),
            ("NOV26", true),
            ("202610", false),
            ("JAN27", true),
        ] {
            assert_eq!(Expiry::read_alive(text, today).is_ok(), is_alive, "{text}");
        }
    }
}
