//! Months in which the simulator's options and futures end, whatever day a test runs on.

use jiff::civil::{Date, Weekday};
use jiff::{Span, Zoned};

/// A month with its third Friday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month(Date);

/// The month of monthly options that is so many after the nearest one; the simulator lists four.
pub fn option_month(ahead: i64) -> Month {
    let today = Zoned::now().date();
    // Not one that ends while the test runs.
    let is_near = third_friday(today.first_of_month()) <= today.saturating_add(Span::new().days(1));
    let first =
        today.first_of_month().saturating_add(Span::new().months(i64::from(is_near) + ahead));
    Month(third_friday(first))
}

/// The nearest quarter in which futures and their options end.
pub fn quarter() -> Month {
    (0..4)
        .map(option_month)
        .find(|month| month.0.month() % 3 == 0)
        .unwrap_or_else(|| option_month(0))
}

fn third_friday(first: Date) -> Date {
    first.nth_weekday_of_month(3, Weekday::Friday).unwrap_or(first)
}

impl Month {
    /// `JAN27`
    pub fn code(self) -> String {
        self.0.strftime("%b%y").to_string().to_uppercase()
    }

    /// The day on which its monthly options end: `2027-01-15`.
    pub fn day(self) -> String {
        self.0.to_string()
    }

    /// As the simulator numbers its months.
    pub fn number(self) -> i64 {
        (i64::from(self.0.year()) - 2020) * 12 + i64::from(self.0.month())
    }

    /// As people write it in digits: `202701`, `2027-01`.
    pub fn in_digits(self) -> [String; 2] {
        [self.0.strftime("%Y%m").to_string(), self.0.strftime("%Y-%m").to_string()]
    }
}
