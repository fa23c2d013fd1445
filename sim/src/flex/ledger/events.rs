//! Everything that is not a trade.

use std::sync::Arc;

use super::fact::{Accrual, Acted, Fact, Flow, FlowKind};
use super::lots::{Lot, Position};
use super::{Due, Eye, Ledger};
use crate::flex::dec::Dec;
use crate::flex::past::{Action, Dividend, Identity, Movement, MovementKind, Transfer};

/// Transactions get their ids from the day and their place in it.
const FIRST_TRANSACTION: u64 = 20_000_000_000;

impl<'a> Ledger<'a> {
    /// An id for what has none: made of the moment, the kind and the currency.
    fn transaction(&self, at_ms: i64, kind: FlowKind, currency: &str) -> u64 {
        let letters = currency.bytes().fold(0u64, |sum, byte| sum * 31 + u64::from(byte));
        let moment = (at_ms / 1000).cast_unsigned() % 1_000_000_000;
        FIRST_TRANSACTION + moment * 10_000 + letters % 600 * 16 + kind as u64
    }

    pub(super) fn move_money(&mut self, movement: &Movement, eye: Eye<'_>) {
        let kind = match movement.kind {
            MovementKind::Deposit => FlowKind::Deposit,
            MovementKind::Withdrawal => FlowKind::Withdrawal,
            MovementKind::Fee => FlowKind::Fee,
        };
        let flow = self.flow(kind, &movement.currency, movement.amount);
        let id = self.transaction(movement.at_ms, kind, &movement.currency);
        self.put(Flow { text: &movement.text, at_ms: movement.at_ms, id, ..flow }, eye);
    }

    pub(super) fn go_ex(&mut self, dividend: &Arc<Dividend>, eye: Eye<'_>) {
        let held = self.positions.get(&dividend.of.conid).map_or(Dec::ZERO, Position::quantity);
        if held.is_zero() {
            return;
        }
        let gross = held.times(dividend.per_share).round(2);
        // Who is short pays the dividend to somebody else, and nothing is withheld.
        let tax = gross.positive().times(dividend.tax).round(2);
        let due = Due { dividend: Arc::clone(dividend), quantity: held, gross, tax };
        eye(Fact::Dividend { due: &due, is_new: true, rate: self.rate(&dividend.of.currency) });
        self.due.push(due);
    }

    pub(super) fn pay(&mut self, dividend: &Arc<Dividend>, eye: Eye<'_>) {
        let number = dividend.number;
        let Some(at) = self.due.iter().position(|due| due.dividend.number == number) else {
            return;
        };
        let due = self.due.remove(at);
        eye(Fact::Dividend { due: &due, is_new: false, rate: self.rate(&dividend.of.currency) });
        let of = &dividend.of;
        let head = format!("{}({})", of.symbol, of.isin());
        let per_share = format!("{} {} PER SHARE", of.currency, dividend.per_share);
        let (kind, text) = if due.gross.is_negative() {
            (FlowKind::Lieu, format!("{head} PAYMENT IN LIEU OF DIVIDEND {per_share}"))
        } else {
            (FlowKind::Dividend, format!("{head} CASH DIVIDEND {per_share} (Ordinary Dividend)"))
        };
        self.paid(&due, (kind, due.gross, &text), eye);
        if !due.tax.is_zero() {
            let text = format!("{head} CASH DIVIDEND {per_share} - {} TAX", of.country);
            self.paid(&due, (FlowKind::Withholding, -due.tax, &text), eye);
        }
    }

    fn paid(&mut self, due: &Due, (kind, amount, text): (FlowKind, Dec, &str), eye: Eye<'_>) {
        let dividend = &due.dividend;
        let flow = Flow {
            of: Some(&dividend.of),
            text,
            at_ms: dividend.paid_ms,
            id: FIRST_TRANSACTION / 2 + dividend.number % 1_000_000_000 * 4 + kind as u64 % 4,
            action: dividend.number,
            ex: Some(dividend.ex),
            ..self.flow(kind, &dividend.of.currency, amount)
        };
        self.put(flow, eye);
    }

    /// Interest of one day.
    pub(super) fn accrue(&mut self, eye: Eye<'_>) {
        let plan = self.plan;
        for (currency, amount) in &plan.interest {
            *self.interest.entry(currency.clone()).or_default() += *amount;
            let base = self.in_base(*amount, currency);
            eye(Fact::Interest(Accrual { currency, amount: *amount, base, is_reversal: false }));
        }
    }

    /// What accrued is paid, to the cent.
    pub(super) fn pay_interest(&mut self, at_ms: i64, eye: Eye<'_>) {
        for (currency, accrued) in self.interest.clone() {
            let amount = accrued.round(2);
            if amount.is_zero() {
                continue;
            }
            *self.interest.entry(currency.clone()).or_default() -= amount;
            let base = -self.in_base(amount, &currency);
            let reversal =
                Accrual { currency: &currency, amount: -amount, base, is_reversal: true };
            eye(Fact::Interest(reversal));
            let word = if amount.is_negative() { "DEBIT" } else { "CREDIT" };
            let month = self.prices.clock().format(at_ms - 864_000_000, "%b-%Y");
            let text = format!("{currency} {word} INT FOR {}", month.to_uppercase());
            let id = self.transaction(at_ms, FlowKind::Interest, &currency);
            let flow = self.flow(FlowKind::Interest, &currency, amount);
            self.put(Flow { text: &text, at_ms, id, ..flow }, eye);
        }
    }

    /// Every lot has more units and the same cost.
    pub(super) fn split(&mut self, action: &Action, eye: Eye<'_>) {
        let Some(position) = self.positions.get_mut(&action.of.conid) else { return };
        let before = position.quantity();
        for lot in &mut position.lots {
            lot.price = lot.price.over(Dec::whole(action.ratio), 6);
            lot.quantity = lot.quantity.times(Dec::whole(action.ratio));
        }
        let more = position.quantity() - before;
        let acted = Acted { quantity: more, ..Acted::default() };
        eye(Fact::Action { action, acted, rate: self.rate(&action.of.currency) });
    }

    /// The position is gone, and money is there.
    pub(super) fn merge(&mut self, action: &Action, eye: Eye<'_>) {
        let of = &action.of;
        let Some(position) = self.positions.get_mut(&of.conid) else { return };
        let quantity = position.quantity();
        let proceeds = quantity.times(action.cash).times(of.units());
        let mut closing = position.close_lots(-quantity);
        closing.realize(proceeds, action.at_ms);
        let acted = Acted {
            quantity: -quantity,
            proceeds,
            realized: proceeds - closing.cost,
            value: -position.value,
            is_long_term: closing.lots.iter().all(|lot| lot.is_long_term),
        };
        eye(Fact::Action { action, acted, rate: self.rate(&of.currency) });
        let text = format!(
            "{} MERGED(Acquisition) FOR {} {} PER SHARE",
            of.symbol, of.currency, action.cash
        );
        let flow = self.flow(FlowKind::Action, &of.currency, proceeds);
        let base = flow.base;
        let flow = Flow { of: Some(of), text: &text, at_ms: action.at_ms, id: action.id, ..flow };
        self.put(flow, eye);
        if let Some(position) = self.positions.get_mut(&of.conid) {
            position.proceeds += proceeds;
            position.base_proceeds += base;
        }
    }

    /// Shares arrive, with the price that was paid for them elsewhere.
    pub(super) fn transfer(&mut self, transfer: &Transfer, eye: Eye<'_>) {
        let (of, day) = (&transfer.of, self.day);
        let close = self.prices.close(of, day);
        let amount = transfer.quantity.times(close).times(of.units());
        let base = self.in_base(amount, &of.currency);
        let position =
            self.positions.entry(of.conid).or_insert_with(|| Position::new(Arc::clone(of)));
        position.lots.push_back(Lot {
            quantity: transfer.quantity,
            cost: transfer.cost,
            price: transfer.cost.over(transfer.quantity, 6),
            at_ms: transfer.at_ms,
            order: 0,
            id: transfer.id,
        });
        position.arrived += amount;
        position.base_arrived += base;
        eye(Fact::Transfer(transfer, [amount, base]));
    }
}
