//! What an account had at the end of the day before the simulator started.

use std::collections::BTreeMap;

use crate::accounts::{Account, Holding};
use crate::book::{Book, Trade};
use crate::flex::dec::Dec;
use crate::flex::past::Identity;
use crate::instruments::{Instrument, Universe};

/// One position: units and the price paid for each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    pub(crate) conid: i64,
    pub(crate) quantity: Dec,
    pub(crate) price: Dec,
}

/// Cash and positions before the first trade that the simulator knows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Opening {
    pub(crate) cash: BTreeMap<String, Dec>,
    pub(crate) held: Vec<Held>,
}

impl Opening {
    /// The openings of all accounts, in their order.
    pub(crate) fn all(accounts: &[Account], book: &Book, universe: &Universe) -> Vec<Self> {
        accounts.iter().map(|account| Self::of(account, book, universe)).collect()
    }

    /// What an account has now, without the trades that are in the book already.
    fn of(account: &Account, book: &Book, universe: &Universe) -> Self {
        let mut opening = Self {
            cash: account
                .cash
                .iter()
                .map(|(c, amount)| (c.clone(), Dec::near(*amount, 4)))
                .collect(),
            held: account.holdings.iter().map(held).collect(),
        };
        for trade in book.trades.iter().filter(|trade| trade.account == account.id) {
            if let Some(of) = universe.get(trade.conid) {
                opening.take_back(of, trade);
            }
        }
        opening.held.retain(|held| !held.quantity.is_zero());
        opening
    }

    fn take_back(&mut self, of: &Instrument, trade: &Trade) {
        let (size, price) = (Dec::near(trade.size, 6), Dec::near(trade.price, 6));
        let signed = if trade.is_buy { size } else { -size };
        let paid = match of.sec_type.as_str() {
            "FUT" => Dec::ZERO,
            _ => signed.times(price).times(of.units()),
        };
        let commission = Dec::near(trade.commission, 4);
        *self.cash.entry(of.currency.clone()).or_default() += paid + commission;
        if of.is("CASH") {
            *self.cash.entry(of.symbol.clone()).or_default() -= signed;
            return;
        }
        match self.held.iter_mut().find(|held| held.conid == of.conid) {
            Some(held) => held.quantity -= signed,
            None => self.held.push(Held { conid: of.conid, quantity: -signed, price }),
        }
    }
}

fn held(holding: &Holding) -> Held {
    Held {
        conid: holding.conid,
        quantity: Dec::near(holding.quantity, 6),
        price: Dec::near(holding.avg_price, 6),
    }
}
