//! Positions and their lots: first in, first out.

use std::collections::VecDeque;
use std::sync::Arc;

use super::fact::{ClosedLot, Mark};
use crate::clock::DAY_MS;
use crate::flex::dec::Dec;
use crate::flex::past::{Fill, Identity};
use crate::instruments::Instrument;

/// Held for longer than this is long term.
const YEAR_MS: i64 = 365 * DAY_MS;

/// Units that were opened together.
#[derive(Debug, Clone)]
pub(crate) struct Lot {
    /// Below zero if sold short.
    pub(crate) quantity: Dec,
    /// What they cost, commission and taxes included; below zero if sold short.
    pub(crate) cost: Dec,
    pub(crate) price: Dec,
    pub(crate) at_ms: i64,
    pub(crate) order: u64,
    pub(crate) id: u64,
}

/// All lots of a contract, and how the day went.
#[derive(Debug, Clone)]
pub(crate) struct Position {
    pub(crate) of: Arc<Instrument>,
    pub(crate) lots: VecDeque<Lot>,
    pub(crate) price: Dec,
    /// At the last price, in its own currency; a future's stands for what it controls.
    pub(crate) value: Dec,
    /// What it adds to the account, in the base currency.
    pub(crate) base_value: Dec,
    /// What changed that in the day, but for the rate.
    pub(super) base_change: Dec,
    /// Proceeds of the day, what came from elsewhere, and what the trades gained until the close.
    pub(super) proceeds: Dec,
    pub(super) base_proceeds: Dec,
    pub(super) arrived: Dec,
    pub(super) base_arrived: Dec,
    pub(super) base_trades: Dec,
}

/// What closing units came to.
#[derive(Debug, Default)]
pub(super) struct Closing {
    pub(super) quantity: Dec,
    pub(super) cost: Dec,
    pub(super) lots: Vec<ClosedLot>,
}

impl Position {
    pub(super) fn new(of: Arc<Instrument>) -> Self {
        let zero = Dec::ZERO;
        Self {
            of,
            lots: VecDeque::new(),
            price: zero,
            value: zero,
            base_value: zero,
            base_change: zero,
            proceeds: zero,
            base_proceeds: zero,
            arrived: zero,
            base_arrived: zero,
            base_trades: zero,
        }
    }

    pub(crate) fn quantity(&self) -> Dec {
        self.lots.iter().map(|lot| lot.quantity).sum()
    }

    pub(crate) fn cost(&self) -> Dec {
        self.lots.iter().map(|lot| lot.cost).sum()
    }

    /// Every lot with what it gained so far; together exactly what the position gained.
    pub(crate) fn gains(&self) -> impl Iterator<Item = (&Lot, Dec)> {
        let units = self.of.units();
        self.lots
            .iter()
            .map(move |lot| (lot, lot.quantity.times(self.price).times(units) - lot.cost))
    }

    pub(super) fn begin_day(&mut self) {
        (self.proceeds, self.arrived) = (Dec::ZERO, Dec::ZERO);
        (self.base_proceeds, self.base_arrived, self.base_trades) =
            (Dec::ZERO, Dec::ZERO, Dec::ZERO);
    }

    /// Takes units out, oldest lots first: at most as many as there are on the other side.
    pub(super) fn close_lots(&mut self, quantity: Dec) -> Closing {
        let mut closing = Closing::default();
        let mut left = quantity;
        while let Some(lot) = self.lots.front_mut() {
            if left.is_zero() || lot.quantity.is_negative() == left.is_negative() {
                break;
            }
            let size = left.abs().min(lot.quantity.abs());
            let is_whole = size == lot.quantity.abs();
            let cost = if is_whole { lot.cost } else { lot.cost.share(size, lot.quantity.abs()) };
            let signed = if left.is_negative() { -size } else { size };
            closing.lots.push(ClosedLot {
                quantity: signed,
                opened_at: lot.at_ms,
                open_price: lot.price,
                open_id: lot.id,
                cost,
                realized: Dec::ZERO,
                is_long_term: false,
            });
            closing.quantity += signed;
            closing.cost += cost;
            left -= signed;
            lot.quantity += signed;
            lot.cost -= cost;
            if is_whole {
                self.lots.pop_front();
            }
        }
        closing
    }

    /// Puts units in that cost so much.
    pub(super) fn open_lot(&mut self, quantity: Dec, cost: Dec, (fill, order): (&Fill, u64)) {
        let (price, at_ms, id) = (fill.price, fill.at_ms, fill.id);
        self.lots.push_back(Lot { quantity, cost, price, at_ms, order, id });
    }

    /// Values it, and tells how the day went.
    pub(super) fn close(&mut self, price: Dec, rate: Dec) -> Mark {
        let quantity = self.quantity();
        let value = quantity.times(price).times(self.of.units());
        let amount = value - self.value + self.proceeds - self.arrived;
        let base = amount.times(rate).round(9);
        (self.value, self.price) = (value, price);
        if self.of.is("FUT") {
            self.base_change = Dec::ZERO;
        } else {
            self.base_value = value.times(rate).round(9);
            self.base_change = base - self.base_proceeds + self.base_arrived;
        }
        Mark {
            of: Arc::clone(&self.of),
            quantity,
            price,
            amount,
            base,
            base_trades: self.base_trades,
        }
    }
}

impl Closing {
    /// Shares what was got for the whole among the lots; the last takes what is left.
    pub(super) fn realize(&mut self, got: Dec, at_ms: i64) {
        let (whole, count) = (self.quantity, self.lots.len());
        let mut left = got;
        for (n, lot) in self.lots.iter_mut().enumerate() {
            let part = if n + 1 == count { left } else { got.share(lot.quantity, whole) };
            left -= part;
            lot.realized = part - lot.cost;
            lot.is_long_term = at_ms - lot.opened_at > YEAR_MS;
        }
    }
}
