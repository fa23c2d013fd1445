//! Purses: one per currency.

use std::collections::BTreeMap;

use super::fact::{Fact, Flow, FlowKind};
use super::{Due, Eye, Ledger};
use crate::flex::dec::Dec;
use crate::flex::past::Identity;

impl<'a> Ledger<'a> {
    /// A change in cash that nothing else is known of.
    pub(super) fn flow<'f>(&self, kind: FlowKind, currency: &'f str, amount: Dec) -> Flow<'f> {
        Flow {
            kind,
            currency,
            amount,
            base: self.in_base(amount, currency),
            rate: self.rate(currency),
            of: None,
            text: "",
            at_ms: 0,
            day: self.day,
            id: 0,
            action: 0,
            ex: None,
        }
    }

    /// Books it.
    pub(super) fn put(&mut self, flow: Flow<'_>, eye: Eye<'_>) {
        *self.cash.entry(flow.currency.to_owned()).or_default() += flow.amount;
        eye(Fact::Flow(flow));
    }

    pub(crate) fn cash(&self) -> &BTreeMap<String, Dec> {
        &self.cash
    }

    pub(crate) fn interest(&self) -> &BTreeMap<String, Dec> {
        &self.interest
    }

    pub(crate) fn due(&self) -> &[Due] {
        &self.due
    }

    /// What open futures gained so far, by currency.
    pub(crate) fn futures(&self) -> BTreeMap<String, Dec> {
        let mut gained: BTreeMap<String, Dec> = BTreeMap::new();
        for position in self.positions.values().filter(|position| position.of.is("FUT")) {
            let paid = |lot: &super::Lot| lot.quantity.times(lot.price).times(position.of.units());
            let paid: Dec = position.lots.iter().map(paid).sum();
            *gained.entry(position.of.currency.clone()).or_default() += position.value - paid;
        }
        gained
    }
}
