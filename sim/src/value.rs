//! What an account is worth: the one place where positions, prices, cash and exchange rates meet,
//! so that ledger, summary and profit and loss agree with each other.

use std::collections::BTreeMap;

use crate::accounts::{Account, Holding};
use crate::instruments::Instrument;
use crate::state::World;

/// Share of the gross position value asked as initial margin.
pub(crate) const INITIAL: f64 = 0.35;
/// Share asked as maintenance margin.
pub(crate) const MAINTENANCE: f64 = 0.325;

/// One position at present prices, in its own currency.
#[derive(Debug)]
pub(crate) struct Valued<'a> {
    pub(crate) instrument: &'a Instrument,
    pub(crate) quantity: f64,
    pub(crate) avg_price: f64,
    /// With the noise of a 32-bit float, as the portfolio shows it.
    pub(crate) price: f64,
    pub(crate) market_value: f64,
    pub(crate) unrealized: f64,
    /// Profit and loss since the prior close.
    pub(crate) daily: f64,
}

/// One currency's share of an account.
#[derive(Debug, Default, Clone)]
pub(crate) struct Purse {
    pub(crate) cash: f64,
    pub(crate) stocks: f64,
    pub(crate) options: f64,
    pub(crate) future_options: f64,
    /// Futures count by their profit, not by their notional value.
    pub(crate) futures: f64,
    pub(crate) unrealized: f64,
    pub(crate) realized: f64,
    pub(crate) gross: f64,
    pub(crate) daily: f64,
    /// Into the account's base currency.
    pub(crate) rate: f64,
}

impl Purse {
    /// Cash plus everything owned.
    pub(crate) fn net(&self) -> f64 {
        self.cash + self.owned() + self.futures
    }

    /// What was paid for, at present prices.
    pub(crate) fn owned(&self) -> f64 {
        self.stocks + self.options + self.future_options
    }

    fn add(&mut self, other: &Self, rate: f64) {
        self.cash += other.cash * rate;
        self.stocks += other.stocks * rate;
        self.options += other.options * rate;
        self.future_options += other.future_options * rate;
        self.futures += other.futures * rate;
        self.unrealized += other.unrealized * rate;
        self.realized += other.realized * rate;
        self.gross += other.gross * rate;
        self.daily += other.daily * rate;
    }
}

/// A whole account.
#[derive(Debug)]
pub(crate) struct Worth {
    pub(crate) purses: BTreeMap<String, Purse>,
    /// Everything in the base currency.
    pub(crate) base: Purse,
}

impl Worth {
    /// Initial margin.
    pub(crate) fn initial(&self) -> f64 {
        self.base.gross * INITIAL
    }

    /// Maintenance margin.
    pub(crate) fn maintenance(&self) -> f64 {
        self.base.gross * MAINTENANCE
    }

    /// What can still be used.
    pub(crate) fn available(&self) -> f64 {
        self.base.net() - self.initial()
    }

    /// What is left before a liquidation.
    pub(crate) fn excess(&self) -> f64 {
        self.base.net() - self.maintenance()
    }
}

impl World {
    /// The present price of an instrument.
    pub(crate) fn price(&self, of: &Instrument) -> f64 {
        self.market.price(&self.universe, of, self.clock.now_ms())
    }

    /// How much of `to` one unit of `from` is; `None` for a currency that is not traded here.
    pub(crate) fn rate(&self, from: &str, to: &str) -> Option<f64> {
        Some(self.in_dollars(from)? / self.in_dollars(to)?)
    }

    fn in_dollars(&self, currency: &str) -> Option<f64> {
        if currency == "USD" {
            return Some(1.0);
        }
        let pairs = || self.universe.iter().filter(|i| i.is("CASH"));
        if let Some(pair) = pairs().find(|i| i.symbol == currency && i.currency == "USD") {
            return Some(self.price(pair));
        }
        pairs()
            .find(|i| i.symbol == "USD" && i.currency == currency)
            .map(|pair| 1.0 / self.price(pair))
    }

    /// A position at present prices; `None` if its contract does not exist.
    pub(crate) fn value(&self, holding: &Holding) -> Option<Valued<'_>> {
        let instrument = self.universe.get(holding.conid)?;
        let price = f64::from(self.price(instrument) as f32);
        let before = self.market.prior_close(&self.universe, instrument, self.clock.now_ms());
        let units = holding.quantity * instrument.size();
        Some(Valued {
            instrument,
            quantity: holding.quantity,
            avg_price: holding.avg_price,
            price,
            market_value: units * price,
            unrealized: units * (price - holding.avg_price),
            daily: units * (price - before),
        })
    }

    /// All of an account's positions, by description.
    pub(crate) fn holdings<'a>(&'a self, account: &'a Account) -> Vec<Valued<'a>> {
        let mut all: Vec<_> = account.holdings.iter().filter_map(|h| self.value(h)).collect();
        all.sort_by_key(|v| v.instrument.description());
        all
    }

    /// What an account is worth now.
    pub(crate) fn worth(&self, account: &Account) -> Worth {
        let mut purses: BTreeMap<String, Purse> = BTreeMap::new();
        for (currency, amount) in &account.cash {
            purses.entry(currency.clone()).or_default().cash = *amount;
        }
        for (currency, amount) in &account.realized {
            purses.entry(currency.clone()).or_default().realized = *amount;
        }
        for held in account.holdings.iter().filter_map(|h| self.value(h)) {
            held.put_into(purses.entry(held.instrument.currency.clone()).or_default());
        }
        let mut base = Purse { rate: 1.0, ..Purse::default() };
        for (currency, purse) in &mut purses {
            purse.rate = self.rate(currency, &account.currency).unwrap_or(1.0);
            base.add(purse, purse.rate);
        }
        Worth { purses, base }
    }
}

impl Valued<'_> {
    fn put_into(&self, purse: &mut Purse) {
        match self.instrument.sec_type.as_str() {
            "OPT" => purse.options += self.market_value,
            "FOP" => purse.future_options += self.market_value,
            "FUT" => purse.futures += self.unrealized,
            _ => purse.stocks += self.market_value,
        }
        purse.gross += if self.instrument.is("FUT") { 0.0 } else { self.market_value.abs() };
        purse.unrealized += self.unrealized;
        purse.daily += self.daily;
    }
}
