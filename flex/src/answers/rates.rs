//! Into base currency: by the row's own rate, or by that of its day.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::Rate;
use crate::cell::Cell;

/// A rate older than this is none.
const OLDEST: i32 = 7;

#[derive(Debug, Default)]
pub(super) struct Rates {
    /// By account: the base currency, as the statement says it.
    bases: BTreeMap<String, String>,
    /// From `ConversionRates`: by currencies, then by day.
    days: BTreeMap<(String, String), BTreeMap<Date, Decimal>>,
    /// By account: currencies whose rate to base is 1. There is one, if the template has rates.
    ones: BTreeMap<String, BTreeSet<String>>,
    /// By currency, account and source: the lowest and the highest.
    used: BTreeMap<(String, String, &'static str), (Decimal, Decimal)>,
}

pub(super) const OF_ROW: &str = "fxRateToBase of each row";
pub(super) const OF_DAY: &str = "ConversionRates of the day";

impl Rates {
    pub(super) fn set_base(&mut self, account: &str, currency: &str) {
        if currency.len() == 3 && !self.bases.contains_key(account) {
            self.bases.insert(account.to_owned(), currency.to_owned());
        }
    }

    /// The newest statement's rate of a day counts.
    pub(super) fn add_day(&mut self, (from, to): (&str, &str), (date, rate): (Date, Decimal)) {
        let of_pair = self.days.entry((from.to_owned(), to.to_owned())).or_default();
        of_pair.entry(date).or_insert(rate);
    }

    /// An account's base currency: its own, or the only one that rates lead to.
    pub(super) fn base(&self, account: &str) -> Option<&str> {
        if let Some(base) = self.bases.get(account) {
            return Some(base);
        }
        only(self.days.keys().map(|(_, to)| to.as_str()))
            .or_else(|| only(self.ones.get(account)?.iter().map(String::as_str)))
    }

    /// Notes that a rate was used.
    pub(super) fn note(
        &mut self,
        (currency, account): (&str, &str),
        (rate, source): (Decimal, &'static str),
    ) {
        if source == OF_ROW && rate == Decimal::ONE {
            let ones = self.ones.entry(account.to_owned()).or_default();
            if !ones.contains(currency) {
                ones.insert(currency.to_owned());
            }
        }
        let key = (currency.to_owned(), account.to_owned(), source);
        let used = self.used.entry(key).or_insert((rate, rate));
        *used = (used.0.min(rate), used.1.max(rate));
    }

    /// The rate of a day, or of the last day before that has one.
    pub(super) fn of_day(&self, currency: &str, base: &str, date: Option<Date>) -> Option<Decimal> {
        if currency == base {
            return Some(Decimal::ONE);
        }
        let of_pair = self.days.get(&(currency.to_owned(), base.to_owned()))?;
        let (day, rate) = of_pair.range(..=date?).next_back()?;
        let age = day.until(date?).ok()?.get_days();
        (age <= OLDEST).then_some(*rate)
    }

    /// What was used, for the answer.
    pub(super) fn finish(&self) -> Vec<Rate> {
        let mut all: BTreeMap<(&str, &str, &'static str), (Decimal, Decimal)> = BTreeMap::new();
        for ((currency, account, source), (lowest, highest)) in &self.used {
            let base = self.base(account).unwrap_or(UNNAMED);
            if currency != base {
                let used = all.entry((currency, base, source)).or_insert((*lowest, *highest));
                *used = (used.0.min(*lowest), used.1.max(*highest));
            }
        }
        let rate = |((currency, base, source), (lowest, highest)): ((&str, &str, _), _)| Rate {
            currency: currency.to_owned(),
            base: base.to_owned(),
            lowest: Cell::Number(lowest),
            highest: Cell::Number(highest),
            source,
        };
        all.into_iter().map(rate).collect()
    }
}

/// A base currency whose name no statement says.
pub(super) const UNNAMED: &str = "base";

fn only<'a>(mut all: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}
