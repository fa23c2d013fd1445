//! What the ledger tells.

use std::sync::Arc;

use jiff::civil::Date;

use super::{Due, Ledger};
use crate::flex::dec::Dec;
use crate::flex::past::{Action, Fill, Order, Transfer};
use crate::instruments::Instrument;

/// One thing that came of an event.
#[derive(Debug)]
pub(crate) enum Fact<'a> {
    /// A day begins.
    Day(Date),
    /// An order and its executions.
    Order(&'a Order, &'a [Traded<'a>]),
    /// Cash changed.
    Flow(Flow<'a>),
    /// A dividend became due (`Po`), or is no longer so (`Re`).
    Dividend { due: &'a Due, is_new: bool, rate: Dec },
    /// Interest accrued, or was paid.
    Interest(Accrual<'a>),
    /// A split or a merger.
    Action { action: &'a Action, acted: Acted, rate: Dec },
    /// Shares came: their value, in their own currency and in the base currency.
    Transfer(&'a Transfer, [Dec; 2]),
    /// A position at the end of the day.
    Mark(&'a Mark),
    /// What changed because rates did (and, of accruals, all that changed).
    Translation { cash: Dec, held: Dec, accrued: Dec },
    /// The day is over.
    End(&'a Ledger<'a>),
}

/// Why cash changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FlowKind {
    Purchase,
    Sale,
    Commission,
    Tax,
    Settling,
    Deposit,
    Withdrawal,
    Dividend,
    Lieu,
    Withholding,
    Interest,
    Fee,
    Action,
}

/// A change in cash.
#[derive(Debug, Clone)]
pub(crate) struct Flow<'a> {
    pub(crate) kind: FlowKind,
    pub(crate) currency: &'a str,
    pub(crate) amount: Dec,
    /// In the base currency.
    pub(crate) base: Dec,
    pub(crate) rate: Dec,
    pub(crate) of: Option<&'a Arc<Instrument>>,
    pub(crate) text: &'a str,
    pub(crate) at_ms: i64,
    pub(crate) day: Date,
    /// Of the transaction; 0 for parts of trades.
    pub(crate) id: u64,
    /// Of the dividend; 0 if there is none.
    pub(crate) action: u64,
    /// The day the dividend was due to whoever held the share.
    pub(crate) ex: Option<Date>,
}

impl FlowKind {
    /// A part of a trade, which has a row elsewhere.
    pub(crate) fn is_trade(self) -> bool {
        matches!(self, Self::Purchase | Self::Sale | Self::Commission | Self::Tax)
    }
}

/// What came of a corporate action.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Acted {
    pub(crate) quantity: Dec,
    pub(crate) proceeds: Dec,
    pub(crate) realized: Dec,
    pub(crate) value: Dec,
    pub(crate) is_long_term: bool,
}

/// Interest of a day.
#[derive(Debug)]
pub(crate) struct Accrual<'a> {
    pub(crate) currency: &'a str,
    pub(crate) amount: Dec,
    pub(crate) base: Dec,
    /// It was paid, and is no longer accrued.
    pub(crate) is_reversal: bool,
}

/// What came of one execution.
#[derive(Debug)]
pub(crate) struct Traded<'a> {
    pub(crate) fill: &'a Fill,
    pub(crate) money: Dec,
    pub(crate) proceeds: Dec,
    pub(crate) net: Dec,
    pub(crate) cost: Dec,
    pub(crate) realized: Dec,
    pub(crate) mtm: Dec,
    pub(crate) close: Dec,
    pub(crate) rate: Dec,
    /// `O`, `C` or `C;O`.
    pub(crate) indicator: &'static str,
    pub(crate) lots: Vec<ClosedLot>,
}

/// A lot, or part of one, that an execution closed.
#[derive(Debug, Clone)]
pub(crate) struct ClosedLot {
    /// As the execution: below zero for sales.
    pub(crate) quantity: Dec,
    pub(crate) opened_at: i64,
    pub(crate) open_price: Dec,
    pub(crate) open_id: u64,
    pub(crate) cost: Dec,
    pub(crate) realized: Dec,
    /// Held for more than a year.
    pub(crate) is_long_term: bool,
}

/// A position's day.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) of: Arc<Instrument>,
    pub(crate) quantity: Dec,
    pub(crate) price: Dec,
    /// Gain of the day without commissions, in its own currency.
    pub(crate) amount: Dec,
    /// The same in the base currency, and the part of it that the day's trades made.
    pub(crate) base: Dec,
    pub(crate) base_trades: Dec,
}

/// The account in its base currency.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Nav {
    pub(crate) cash: Dec,
    pub(crate) cash_long: Dec,
    pub(crate) cash_short: Dec,
    pub(crate) stock: Dec,
    pub(crate) stock_long: Dec,
    pub(crate) stock_short: Dec,
    pub(crate) options: Dec,
    pub(crate) options_long: Dec,
    pub(crate) options_short: Dec,
    pub(crate) interest: Dec,
    pub(crate) dividends: Dec,
}

impl Nav {
    pub(super) fn add_cash(&mut self, amount: Dec) {
        self.cash += amount;
        self.cash_long += amount.positive();
        self.cash_short += amount.negative();
    }

    pub(super) fn add_position(&mut self, of: &Instrument, amount: Dec) {
        let (all, long, short) = if of.is_option() {
            (&mut self.options, &mut self.options_long, &mut self.options_short)
        } else {
            (&mut self.stock, &mut self.stock_long, &mut self.stock_short)
        };
        *all += amount;
        *long += amount.positive();
        *short += amount.negative();
    }

    pub(crate) fn total(&self) -> Dec {
        self.cash + self.stock + self.options + self.interest + self.dividends
    }
}
