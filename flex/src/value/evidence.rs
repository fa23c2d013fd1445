//! Which of day and month comes first, in a template whose dates have slashes.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::moment;

/// Which comes first in `03/04/2026`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Nothing tells. Dates without slashes are read all the same, and those that can be read in
    /// one way only.
    #[default]
    Unknown,
    /// `MM/dd`
    MonthFirst,
    /// `dd/MM`
    DayFirst,
}

/// What a statement's dates tell of their format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Evidence {
    has_slashes: bool,
    /// A date that the template writes has none: then no other has.
    has_none: bool,
    never_month_first: bool,
    never_day_first: bool,
}

/// No statement covers more: days.
const LONGEST_PERIOD: i32 = 366;

impl Evidence {
    /// Takes one date, or date and time, into account.
    pub fn observe(&mut self, text: &str) {
        let Some((first, second)) = moment::slashed(text.trim()) else { return };
        self.has_slashes = true;
        self.never_month_first |= first > 12;
        self.never_day_first |= second > 12;
    }

    /// Takes into account that a statement is about the days from one to another, and was made after
    /// the last of them.
    pub fn frame(&mut self, from: &str, to: &str, generated: &str) {
        [from, to, generated].into_iter().for_each(|text| self.observe(text));
        self.has_none |=
            !self.has_slashes && super::date(from, Order::Unknown).is_ok_and(|d| d.is_some());
        if self.is_settled() {
            return;
        }
        let (month, day) = (Order::MonthFirst, Order::DayFirst);
        let fits = |order| is_possible(from, to, generated, order);
        match (fits(month), fits(day)) {
            (true, false) => self.never_day_first = true,
            (false, true) => self.never_month_first = true,
            _ => {}
        }
    }

    /// Whether more rows could tell nothing new: dates have no slashes, or the order is known.
    pub fn is_settled(&self) -> bool {
        self.has_none || self.never_day_first || self.never_month_first
    }

    /// Dates with slashes, and nothing tells which way round.
    pub fn is_ambiguous(&self) -> bool {
        self.has_slashes && self.order() == Order::Unknown
    }

    /// What is known.
    pub fn order(&self) -> Order {
        match (self.never_month_first, self.never_day_first) {
            (true, false) => Order::DayFirst,
            (false, true) => Order::MonthFirst,
            _ => Order::Unknown,
        }
    }
}

fn is_possible(from: &str, to: &str, generated: &str, order: Order) -> bool {
    let read = |text: &str| super::date(text, order).ok().flatten();
    let days = |from: Date, to: Date| from.until(to).map(|span| span.get_days()).unwrap_or(-1);
    let (Some(from), Some(to)) = (read(from), read(to)) else { return true };
    let is_period = (0..=LONGEST_PERIOD).contains(&days(from, to));
    // A statement of a day that is not over, made abroad, may seem to be from tomorrow.
    is_period && read(generated).is_none_or(|made| days(to, made) >= -1)
}
