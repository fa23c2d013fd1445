//! What Portfolio Analyst tells of an account: the past that statements tell, by other questions.
//!
//! Net asset value is cash, shares and options, without what accrued: so is net liquidation here, and so the
//! last day joins those before it.

use std::sync::Arc;

use jiff::civil::Date;

use super::days::{NewYork, plus};
use super::dec::Dec;
use super::ledger::{Eye, Fact, Flow, FlowKind, Ledger, Traded};
use super::past::{Bulk, Order, Plan, Real};
use super::prices::Prices;
use crate::accounts::Account;
use crate::state::World;

/// An account at the end of a day, in one currency.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DayEnd {
    pub(crate) day: Date,
    pub(crate) net: f64,
    /// What came from outside on that day; below zero if it went there.
    pub(crate) outside: f64,
}

impl DayEnd {
    /// What the day made of one unit. Money from outside earns nothing on the day on which it comes.
    pub(crate) fn growth(&self, before: f64) -> f64 {
        if before > 0.0 { (self.net - self.outside) / before } else { 1.0 }
    }
}

/// An order's executions of one day, or a dividend.
#[derive(Debug, Clone)]
pub(crate) struct Deal {
    pub(crate) day: Date,
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) currency: String,
    /// Below zero for sales.
    pub(crate) quantity: f64,
    pub(crate) price: f64,
    /// Cash that came of it, without commissions; below zero for purchases.
    pub(crate) amount: f64,
}

/// What closing a position gained on a day, commissions taken off.
#[derive(Debug, Clone)]
pub(crate) struct Gain {
    pub(crate) day: Date,
    pub(crate) currency: String,
    pub(crate) amount: f64,
}

/// One account's past.
#[derive(Debug)]
pub(crate) struct Past<'a> {
    world: &'a World,
    account: &'a Account,
    prices: Prices,
    plan: Plan,
    real: Real,
    pub(crate) today: Date,
}

impl<'a> Past<'a> {
    /// The past of the account with this id.
    pub(crate) fn of(world: &'a World, id: &str) -> Option<Self> {
        let number = world.accounts.iter().position(|account| account.id == id)?;
        let (account, opening) = (world.accounts.get(number)?, world.flex.openings.get(number)?);
        let (now, clock) = (world.clock.now_ms(), NewYork::default());
        let universe = Arc::clone(&world.universe);
        let mut prices = Prices::new(world.market.clone(), universe, &account.currency, now);
        let start = clock.day(world.clock.start_ms());
        let plan = Plan::new(&mut prices, opening, (world.seed(), number as u64), start);
        let real = Real::of(&world.book, &world.universe, id, now);
        Some(Self { world, account, prices, plan, real, today: clock.day(now) })
    }

    /// Every day that has a report, and today as it is now, in this currency.
    pub(crate) fn days(&self, currency: &str) -> Vec<DayEnd> {
        let mut days = Vec::new();
        let mut outside = Dec::ZERO;
        self.tell(plus(self.today, -1), &mut |fact: Fact<'_>| match &fact {
            Fact::Day(_) => outside = Dec::ZERO,
            Fact::Flow(flow) if is_from_outside(flow) => outside += flow.base,
            Fact::Transfer(_, [_, base]) => outside += *base,
            Fact::End(ledger) => {
                let rate = self.prices.rate(currency, ledger.day).float();
                let nav = ledger.nav.cash + ledger.nav.stock + ledger.nav.options;
                let (net, outside) = (nav.float() / rate, outside.float() / rate);
                days.push(DayEnd { day: ledger.day, net, outside });
            }
            _ => {}
        });
        let rate = self.world.rate(&self.account.currency, currency).unwrap_or(1.0);
        let net = self.world.worth(self.account).base.net() * rate;
        days.push(DayEnd { day: self.today, net, outside: 0.0 });
        days
    }

    /// What was dealt in a contract from this day on, and what that gained, oldest first.
    pub(crate) fn deals(&self, conid: i64, from: Date) -> (Vec<Deal>, Vec<Gain>) {
        let (mut deals, mut gains) = (Vec::new(), Vec::new());
        let mut day = self.plan.first;
        self.tell(self.today, &mut |fact: Fact<'_>| match &fact {
            Fact::Day(date) => day = *date,
            Fact::Order(order, traded) if order.of.conid == conid && day >= from => {
                deals.extend(deal(order, traded, day));
                gains.extend(gain(order, traded, day));
            }
            Fact::Flow(flow) if day >= from => deals.extend(dividend(flow, conid)),
            _ => {}
        });
        (deals, gains)
    }

    /// What one unit of a currency was worth in another at the end of a day.
    pub(crate) fn rate(&self, from: &str, to: &str, day: Date) -> f64 {
        self.prices.rate(from, day).float() / self.prices.rate(to, day).float()
    }

    fn tell(&self, last: Date, eye: Eye<'_>) {
        let mut ledger = Ledger::new(&self.prices, &self.plan).with(&self.real);
        ledger.run(last, &Bulk::default(), eye);
    }
}

fn is_from_outside(flow: &Flow<'_>) -> bool {
    matches!(flow.kind, FlowKind::Deposit | FlowKind::Withdrawal)
}

fn deal(order: &Order, traded: &[Traded<'_>], day: Date) -> Option<Deal> {
    let quantity: Dec = traded.iter().map(|one| one.fill.quantity).sum();
    let paid: Dec = traded.iter().map(|one| one.fill.quantity.times(one.fill.price)).sum();
    let money: Dec = traded.iter().map(|one| one.money).sum();
    if quantity.is_zero() {
        return None;
    }
    Some(Deal {
        day,
        kind: if quantity.is_negative() { "Sell" } else { "Buy" },
        name: order.of.name.clone(),
        currency: order.of.currency.clone(),
        quantity: quantity.float(),
        price: paid.float() / quantity.float(),
        amount: -money.float(),
    })
}

/// Only what closes something gains.
fn gain(order: &Order, traded: &[Traded<'_>], day: Date) -> Option<Gain> {
    if traded.iter().all(|one| one.lots.is_empty()) {
        return None;
    }
    let amount: Dec = traded.iter().map(|one| one.realized).sum();
    Some(Gain { day, currency: order.of.currency.clone(), amount: amount.float() })
}

fn dividend(flow: &Flow<'_>, conid: i64) -> Option<Deal> {
    let of = flow.of.filter(|of| of.conid == conid)?;
    let kind = match flow.kind {
        FlowKind::Dividend => "Dividend",
        FlowKind::Lieu => "Payment In Lieu Of Dividend",
        _ => return None,
    };
    Some(Deal {
        day: flow.day,
        kind,
        name: of.name.clone(),
        currency: flow.currency.to_owned(),
        quantity: 0.0,
        price: 0.0,
        amount: flow.amount.float(),
    })
}
