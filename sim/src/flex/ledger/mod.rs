//! The ledger: books one day after the other and tells what came of each event.
//!
//! Everything in the base currency is rounded where it arises and summed from there, so that all sums
//! agree; what is left between two days is the translation of currencies.

mod cash;
mod events;
mod fact;
mod lots;
mod trade;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

pub(super) use fact::{Acted, ClosedLot, Fact, Flow, FlowKind, Nav, Traded};
pub(super) use lots::{Lot, Position};

use super::days::{is_business, plus};
use super::dec::Dec;
use super::past::{Bulk, Dividend, Event, Identity, Plan, Real};
use super::prices::Prices;

/// Where facts go.
pub(super) type Eye<'e> = &'e mut dyn FnMut(Fact<'_>);

/// A dividend that is due and not paid yet.
#[derive(Debug, Clone)]
pub(super) struct Due {
    pub(super) dividend: Arc<Dividend>,
    pub(super) quantity: Dec,
    pub(super) gross: Dec,
    pub(super) tax: Dec,
}

/// An account at the end of a day.
#[derive(Debug, Clone)]
pub(super) struct Ledger<'a> {
    prices: &'a Prices,
    plan: &'a Plan,
    real: Option<&'a Real>,
    /// The last day that was booked.
    pub(super) day: Date,
    /// The last report day, whose prices and rates count.
    pub(super) marked: Date,
    cash: BTreeMap<String, Dec>,
    /// Interest that accrued and is not paid.
    interest: BTreeMap<String, Dec>,
    due: Vec<Due>,
    pub(super) positions: BTreeMap<i64, Position>,
    /// In the base currency.
    pub(super) nav: Nav,
}

impl<'a> Ledger<'a> {
    /// An account that was never used.
    pub(super) fn new(prices: &'a Prices, plan: &'a Plan) -> Self {
        Self {
            prices,
            plan,
            real: None,
            day: plus(plan.first, -1),
            marked: plan.first,
            cash: BTreeMap::new(),
            interest: BTreeMap::new(),
            due: Vec::new(),
            positions: BTreeMap::new(),
            nav: Nav::default(),
        }
    }

    /// The same with what was really traded.
    pub(super) fn with(mut self, real: &'a Real) -> Self {
        self.real = Some(real);
        self
    }

    pub(super) fn prices(&self) -> &'a Prices {
        self.prices
    }

    /// Markets were open, or something was traded all the same.
    pub(super) fn is_report_day(&self, day: Date) -> bool {
        day >= self.plan.first && (is_business(day) || self.real.is_some_and(|real| real.has(day)))
    }

    /// Books everything up to the end of this day, and nobody looks.
    pub(super) fn run_to(&mut self, last: Date) {
        self.run(last, &Bulk::default(), &mut |_| {});
    }

    /// Books everything up to the end of this day.
    pub(super) fn run(&mut self, last: Date, bulk: &Bulk, eye: Eye<'_>) {
        while self.day < last {
            let day = plus(self.day, 1);
            if self.is_report_day(day) {
                self.book(day, bulk, eye);
            }
            self.day = day;
        }
    }

    fn book(&mut self, day: Date, bulk: &Bulk, eye: Eye<'_>) {
        (self.day, self.marked) = (day, day);
        eye(Fact::Day(day));
        self.positions.values_mut().for_each(Position::begin_day);
        let before = self.nav;
        let mut flows = Dec::ZERO;
        let mut seen = |fact: Fact<'_>| {
            if let Fact::Flow(flow) = &fact {
                flows += flow.base;
            }
            eye(fact);
        };
        for event in self.plan.on(day) {
            self.apply(event, &mut seen);
        }
        for event in self.real.map(|real| real.on(day)).unwrap_or_default() {
            self.apply(&event, &mut seen);
        }
        for event in bulk.on(self.prices, day) {
            self.apply(&event, &mut seen);
        }
        if day < self.plan.start {
            self.accrue(&mut seen);
        }
        self.close(&mut seen);
        self.translate(before, flows, eye);
        eye(Fact::End(self));
        self.positions.retain(|_, position| !position.lots.is_empty());
    }

    fn apply(&mut self, event: &Event, eye: Eye<'_>) {
        match event {
            Event::Order(order) => self.trade(order, eye),
            Event::Movement(movement) => self.move_money(movement, eye),
            Event::Ex(dividend) => self.go_ex(dividend, eye),
            Event::Pay(dividend) => self.pay(dividend, eye),
            Event::Interest { at } => self.pay_interest(*at, eye),
            Event::Split(action) => self.split(action, eye),
            Event::Merger(action) => self.merge(action, eye),
            Event::Transfer(transfer) => self.transfer(transfer, eye),
        }
    }

    /// Values every position at the day's last price; futures are settled in cash.
    fn close(&mut self, eye: Eye<'_>) {
        let mut all = std::mem::take(&mut self.positions);
        for position in all.values_mut() {
            let price = self.prices.close(&position.of, self.day);
            let rate = self.rate(&position.of.currency);
            let mark = position.close(price, rate);
            if position.of.is("FUT") && !mark.amount.is_zero() {
                let flow = self.flow(FlowKind::Settling, &position.of.currency, mark.amount);
                let text = format!("Cash settling MTM {}", position.of.ticker());
                let at = self.prices.clock().moment(self.day, 72_000);
                self.put(Flow { of: Some(&position.of), text: &text, at_ms: at, ..flow }, eye);
            }
            eye(Fact::Mark(&mark));
        }
        self.positions = all;
    }

    /// What the day's rates alone did to each part of the account.
    fn translate(&mut self, before: Nav, flows: Dec, eye: Eye<'_>) {
        let after = self.value();
        let positions: Dec = self.positions.values().map(|p| p.base_change).sum();
        let cash = after.cash - before.cash - flows;
        let held = after.stock + after.options - before.stock - before.options - positions;
        let accrued = after.interest + after.dividends - before.interest - before.dividends;
        self.nav = after;
        eye(Fact::Translation { cash, held, accrued });
    }

    /// The account in its base currency.
    fn value(&self) -> Nav {
        let mut nav = Nav::default();
        for (currency, amount) in &self.cash {
            nav.add_cash(self.in_base(*amount, currency));
        }
        for (currency, amount) in &self.interest {
            nav.interest += self.in_base(*amount, currency);
        }
        for due in &self.due {
            nav.dividends += self.in_base(due.gross - due.tax, &due.dividend.of.currency);
        }
        for position in self.positions.values() {
            nav.add_position(&position.of, position.base_value);
        }
        nav
    }

    fn rate(&self, currency: &str) -> Dec {
        self.prices.rate(currency, self.day)
    }

    fn in_base(&self, amount: Dec, currency: &str) -> Dec {
        amount.times(self.rate(currency)).round(9)
    }
}
