//! An account's value day by day, and the part of it that a period is about.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::digits;
use crate::flex::{DayEnd, Past};
use crate::market::round_to;
use crate::state::World;

/// The periods that there are.
pub(super) const PERIODS: [&str; 6] = ["1D", "7D", "MTD", "1M", "YTD", "1Y"];

/// The first day of a period that ends today.
pub(super) fn begin(period: &str, today: Date) -> Option<Date> {
    let begin = match period {
        "1D" => Ok(today),
        "7D" => today.checked_sub(6.days()),
        "MTD" => Ok(today.first_of_month()),
        "1M" => today.checked_sub(1.month()),
        "YTD" => Ok(today.first_of_year()),
        "1Y" => today.checked_sub(1.year()),
        _ => return None,
    };
    begin.ok()
}

/// All days of these accounts together, in one currency; the last is today.
pub(super) fn whole(world: &World, ids: &[String], currency: &str) -> Vec<DayEnd> {
    let all = ids.iter().filter_map(|id| Past::of(world, id));
    let all: Vec<Vec<DayEnd>> = all.map(|past| past.days(currency)).collect();
    match &all[..] {
        [one] => one.clone(),
        _ => together(&all),
    }
}

/// On a day on which one account has no report it is worth what it was before.
fn together(all: &[Vec<DayEnd>]) -> Vec<DayEnd> {
    let days: BTreeSet<Date> = all.iter().flatten().map(|end| end.day).collect();
    let mut sums: BTreeMap<Date, DayEnd> =
        days.iter().map(|day| (*day, DayEnd { day: *day, net: 0.0, outside: 0.0 })).collect();
    for account in all {
        let mut ends = account.iter().peekable();
        let mut net = 0.0;
        for (day, sum) in &mut sums {
            if let Some(end) = ends.next_if(|end| end.day == *day) {
                net = end.net;
                sum.outside += end.outside;
            }
            sum.net += net;
        }
    }
    sums.into_values().collect()
}

/// The days of a period, and the one before it.
#[derive(Debug)]
pub(super) struct Curve<'a> {
    pub(super) from: Date,
    before: DayEnd,
    days: &'a [DayEnd],
}

impl<'a> Curve<'a> {
    /// The part of a history that begins on this day.
    pub(super) fn cut(history: &'a [DayEnd], from: Date) -> Self {
        let (earlier, days) = history.split_at(history.partition_point(|end| end.day < from));
        let nothing = DayEnd { day: from, net: 0.0, outside: 0.0 };
        Self { from, before: earlier.last().copied().unwrap_or(nothing), days }
    }

    pub(super) fn dates(&self) -> Vec<String> {
        self.days.iter().map(|end| digits(end.day)).collect()
    }

    /// What the account was worth at the end of each day.
    pub(super) fn navs(&self) -> Vec<f64> {
        self.days.iter().map(|end| round_to(end.net, 4)).collect()
    }

    /// The last day before the period.
    pub(super) fn start_nav(&self) -> Value {
        json!({ "date": digits(self.before.day), "val": round_to(self.before.net, 4) })
    }

    /// Time-weighted returns from the beginning until each day, as parts of one.
    pub(super) fn returns(&self) -> Vec<f64> {
        let grown = self.growths().scan(1.0, |grown, (_, growth)| {
            *grown *= growth;
            Some(round_to(*grown - 1.0, 8))
        });
        grown.collect()
    }

    /// The return of each month (`202610`), or of the part of it that belongs to the period.
    pub(super) fn months(&self) -> BTreeMap<String, f64> {
        let mut months: BTreeMap<String, f64> = BTreeMap::new();
        for (day, growth) in self.growths() {
            *months.entry(day.strftime("%Y%m").to_string()).or_insert(1.0) *= growth;
        }
        months.into_iter().map(|(month, growth)| (month, round_to(growth - 1.0, 8))).collect()
    }

    fn growths(&self) -> impl Iterator<Item = (Date, f64)> + '_ {
        self.days.iter().scan(self.before.net, |before, end| {
            let growth = end.growth(*before);
            *before = end.net;
            Some((end.day, growth))
        })
    }
}
