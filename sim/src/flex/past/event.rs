//! The things that can happen to an account.

use std::sync::Arc;

use jiff::civil::Date;

use crate::flex::dec::Dec;
use crate::instruments::Instrument;

/// One thing that happened on a day.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// An order and its executions.
    Order(Order),
    /// Money came or went.
    Movement(Movement),
    /// A dividend is due to whoever holds the share now.
    Ex(Arc<Dividend>),
    /// It is paid.
    Pay(Arc<Dividend>),
    /// The interest of the month is paid.
    Interest { at: i64 },
    /// A share became several.
    Split(Action),
    /// A share became money.
    Merger(Action),
    /// Shares came from elsewhere.
    Transfer(Transfer),
}

/// An order with executions of one contract on one day.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) of: Arc<Instrument>,
    /// `LMT`, `MKT`, …; empty for what the broker booked itself.
    pub(crate) kind: &'static str,
    pub(crate) reference: String,
    pub(crate) is_api: bool,
    /// `ExchTrade`, `BookTrade`, `TradeCancel`.
    pub(crate) transaction: &'static str,
    /// Added to the notes of each execution.
    pub(crate) note: &'static str,
    pub(crate) entered_ms: i64,
    pub(crate) fills: Vec<Fill>,
}

/// One execution.
#[derive(Debug, Clone)]
pub(crate) struct Fill {
    pub(crate) id: u64,
    pub(crate) execution: String,
    pub(crate) at_ms: i64,
    pub(crate) exchange: &'static str,
    /// Below zero for sales.
    pub(crate) quantity: Dec,
    pub(crate) price: Dec,
    /// Below zero.
    pub(crate) commission: Dec,
    pub(crate) commission_currency: String,
    /// Below zero, in the contract's currency.
    pub(crate) tax: Dec,
}

impl Order {
    pub(crate) fn at_ms(&self) -> i64 {
        self.fills.last().map_or(self.entered_ms, |fill| fill.at_ms)
    }
}

/// Why money moved that no trade moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MovementKind {
    Deposit,
    Withdrawal,
    Fee,
}

/// Money that came or went.
#[derive(Debug, Clone)]
pub(crate) struct Movement {
    pub(crate) kind: MovementKind,
    pub(crate) currency: String,
    pub(crate) amount: Dec,
    pub(crate) text: String,
    pub(crate) at_ms: i64,
}

/// A dividend of one share.
#[derive(Debug)]
pub(crate) struct Dividend {
    pub(crate) number: u64,
    pub(crate) of: Arc<Instrument>,
    pub(crate) per_share: Dec,
    /// Withheld part.
    pub(crate) tax: Dec,
    pub(crate) ex: Date,
    pub(crate) pay: Date,
    pub(crate) paid_ms: i64,
}

/// A corporate action.
#[derive(Debug, Clone)]
pub(crate) struct Action {
    pub(crate) id: u64,
    pub(crate) of: Arc<Instrument>,
    /// New shares for an old one.
    pub(crate) ratio: i64,
    /// Money for each share.
    pub(crate) cash: Dec,
    pub(crate) at_ms: i64,
}

/// Shares from another broker.
#[derive(Debug, Clone)]
pub(crate) struct Transfer {
    pub(crate) id: u64,
    pub(crate) of: Arc<Instrument>,
    pub(crate) quantity: Dec,
    pub(crate) cost: Dec,
    pub(crate) at_ms: i64,
}

impl Event {
    /// Its place within the day.
    pub(crate) fn at_ms(&self) -> i64 {
        match self {
            Self::Order(order) => order.at_ms(),
            Self::Movement(movement) => movement.at_ms,
            // Whoever holds it when the day begins.
            Self::Ex(_) => 0,
            Self::Pay(dividend) => dividend.paid_ms,
            Self::Interest { at } => *at,
            Self::Split(_) => 1,
            Self::Merger(action) => action.at_ms,
            Self::Transfer(transfer) => transfer.at_ms,
        }
    }
}
