//! Closing prices and conversion rates of any day, as exact decimals.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use jiff::civil::Date;

use super::days::NewYork;
use super::dec::Dec;
use crate::instruments::{Instrument, Universe};
use crate::market::Market;

/// Markets close sixteen hours after midnight (seconds).
pub(super) const CLOSE: i64 = 16 * 3600;
/// Decimals of a conversion rate.
const RATE_PLACES: u32 = 8;

/// A share that became several.
#[derive(Debug, Clone, Copy)]
pub(super) struct Split {
    pub(super) conid: i64,
    /// The first day with the new count.
    pub(super) day: Date,
    pub(super) ratio: i64,
}

/// Prices as one account sees them.
#[derive(Debug)]
pub(super) struct Prices {
    market: Market,
    universe: Arc<Universe>,
    /// What a currency is in dollars: the pair, and whether the dollar comes first.
    pairs: HashMap<String, (Instrument, bool)>,
    base: String,
    /// Nobody knows later prices (epoch milliseconds).
    until_ms: i64,
    pub(super) splits: Vec<Split>,
    clock: NewYork,
    closes: RefCell<HashMap<Date, i64>>,
    rates: RefCell<HashMap<(Date, String), Dec>>,
    last: RefCell<HashMap<(Date, i64), Dec>>,
}

impl Prices {
    pub(super) fn new(market: Market, universe: Arc<Universe>, base: &str, until_ms: i64) -> Self {
        let mut pairs = HashMap::new();
        for pair in universe.iter().filter(|of| of.is("CASH")) {
            if pair.currency == "USD" {
                pairs.insert(pair.symbol.clone(), (pair.clone(), false));
            } else if pair.symbol == "USD" {
                pairs.entry(pair.currency.clone()).or_insert((pair.clone(), true));
            }
        }
        Self {
            market,
            universe,
            pairs,
            base: base.to_owned(),
            until_ms,
            splits: Vec::new(),
            clock: NewYork::default(),
            closes: RefCell::default(),
            rates: RefCell::default(),
            last: RefCell::default(),
        }
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    pub(super) fn universe(&self) -> &Universe {
        &self.universe
    }

    pub(super) fn clock(&self) -> &NewYork {
        &self.clock
    }

    /// The day's last price.
    pub(super) fn close(&self, of: &Instrument, day: Date) -> Dec {
        let key = (day, of.conid);
        if let Some(known) = self.last.borrow().get(&key) {
            return *known;
        }
        let price = self.at(of, day, self.close_ms(day));
        self.last.borrow_mut().insert(key, price);
        price
    }

    /// The price at a moment of this day, in the shares of this day.
    pub(super) fn at(&self, of: &Instrument, day: Date, ms: i64) -> Dec {
        let later = |split: &&Split| split.conid == of.conid && day < split.day;
        let ratio = self.splits.iter().find(later).map_or(1, |split| split.ratio);
        let price = Dec::near(self.market.price(&self.universe, of, ms), 6);
        price.times(Dec::whole(ratio))
    }

    /// How much of the base currency one unit is, at the day's end.
    pub(super) fn rate(&self, currency: &str, day: Date) -> Dec {
        if currency == self.base {
            return Dec::whole(1);
        }
        let key = (day, currency.to_owned());
        if let Some(known) = self.rates.borrow().get(&key) {
            return *known;
        }
        let ms = self.close_ms(day);
        let rate = self.in_dollars(currency, ms) / self.in_dollars(&self.base, ms);
        let rate = Dec::near(rate, RATE_PLACES);
        self.rates.borrow_mut().insert(key, rate);
        rate
    }

    fn in_dollars(&self, currency: &str, ms: i64) -> f64 {
        match self.pairs.get(currency) {
            Some((pair, true)) => 1.0 / self.market.price(&self.universe, pair, ms),
            Some((pair, false)) => self.market.price(&self.universe, pair, ms),
            None => 1.0,
        }
    }

    fn close_ms(&self, day: Date) -> i64 {
        let close =
            *self.closes.borrow_mut().entry(day).or_insert_with(|| self.clock.moment(day, CLOSE));
        close.min(self.until_ms)
    }
}
