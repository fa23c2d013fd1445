//! Fills: executions, commissions, and what they do to positions and cash.

use super::ticket::Ticket;
use crate::accounts::{Account, Holding};
use crate::book::{Leg, News, Order, Status, Trade};
use crate::instruments::Instrument;
use crate::market::round_to;
use crate::state::World;
use crate::value::INITIAL;

/// Less than this is nothing.
const NOTHING: f64 = 1e-9;
/// A combination has fewer legs than this.
const MOST_LEGS: usize = 10;

/// Whether the websocket tells of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    Pushed,
    Silent,
}

/// What a ticket would cost, in the account's base currency.
#[derive(Debug)]
pub(crate) struct Cost {
    pub(crate) currency: String,
    pub(crate) equity: f64,
    pub(crate) available: f64,
    pub(crate) cash: f64,
    pub(crate) initial_before: f64,
    pub(crate) initial_after: f64,
    /// Units before and after.
    pub(crate) held: f64,
    pub(crate) held_after: f64,
}

impl Cost {
    /// The account cannot carry it.
    pub(crate) fn is_beyond(&self) -> bool {
        self.held_after.abs() > self.held.abs() && self.initial_after > self.equity
    }
}

/// What the broker takes for one execution, in the contract's currency.
pub(crate) fn commission(of: &Instrument, size: f64, price: f64) -> f64 {
    let amount = match of.sec_type.as_str() {
        "OPT" => (size * 0.65).max(1.0),
        "FUT" | "FOP" => size * 2.25,
        "CASH" => 2.0,
        _ if of.is_us() => (size * 0.005).max(1.0),
        _ => (size * price * 0.0005).max(3.0),
    };
    round_to(amount, 2)
}

impl World {
    /// Fills so much of an order at this price.
    pub(crate) fn fill(&mut self, id: i64, quantity: f64, price: f64) {
        self.fill_and(id, (quantity, price), Telling::Pushed);
    }

    /// The same, and the websocket tells of it or not.
    pub(crate) fn fill_and(&mut self, id: i64, (quantity, price): (f64, f64), telling: Telling) {
        let now = self.clock.now_ms();
        let Some(order) = self.book.orders.get_mut(&id) else { return };
        let quantity = quantity.min(order.left());
        if quantity <= NOTHING {
            return;
        }
        let cost = order.avg_price * order.filled + price * quantity;
        order.filled = round_to(order.filled + quantity, 8);
        order.avg_price = cost / order.filled;
        order.fills += 1;
        order.changed_ms = now;
        let is_whole = order.left() <= NOTHING;
        if is_whole {
            (order.status, order.due, order.is_stuck) = (Status::Filled, None, false);
            self.book.open.remove(&id);
        }
        let order = order.clone();
        let news = match telling {
            Telling::Pushed => News::Fill(Box::new(order.clone())),
            Telling::Silent => News::Quiet(Box::new(order.clone())),
        };
        self.book.note(now, news);
        self.execute(&order, (quantity, price), telling);
        if is_whole {
            self.after_fill(&order);
        }
    }

    /// Siblings and the rest of a group are cancelled; children wake up by themselves.
    fn after_fill(&mut self, order: &Order) {
        let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
        let others = self.related(|other| {
            same(&other.group, &order.group)
                || (other.parent.is_some() && other.parent == order.parent)
        });
        for other in others {
            self.end(other, Status::Cancelled);
        }
        for child in self.related(|other| other.parent == Some(order.id)) {
            if let Some(child) = self.book.orders.get_mut(&child) {
                child.seen = i64::MIN;
            }
        }
    }

    /// One execution, or one per leg, of each account that the order is for.
    fn execute(&mut self, order: &Order, (quantity, price): (f64, f64), telling: Telling) {
        for (owner, (own, quantity)) in self.owners(order, quantity).iter().enumerate() {
            let place = owner * MOST_LEGS + 1;
            if own.legs.is_empty() {
                let leg = Leg { conid: own.conid, ratio: 1 };
                let trade = self.execute_leg(own, &leg, (place, *quantity, price));
                self.tell_trade(trade, telling);
            }
            for (at, leg) in own.legs.iter().enumerate() {
                let Some(touch) = self.touch(leg.conid, &[]) else { continue };
                let size = quantity * leg.ratio.unsigned_abs() as f64;
                let trade = self.execute_leg(own, leg, (place + at, size, touch.last));
                self.tell_trade(trade, telling);
            }
        }
    }

    fn execute_leg(
        &mut self,
        order: &Order,
        leg: &Leg,
        (at, size, price): (usize, f64, f64),
    ) -> Option<Trade> {
        let now = self.clock.now_ms();
        let of = self.universe.get(leg.conid).cloned()?;
        let is_buy = order.is_buy == (leg.ratio > 0);
        let trade = Trade {
            execution_id: format!(
                "0000aaaa.{:08}.{at:02}.{:02}",
                order.id % 100_000_000,
                order.fills
            ),
            order: order.id,
            account: order.account.clone(),
            conid: leg.conid,
            is_buy,
            client_id: order.client_id.clone(),
            size,
            price,
            commission: commission(&of, size, price),
            charged_ms: now + self.rules.commission_millis,
            at_ms: now,
        };
        if let Some(account) = self.accounts.iter_mut().find(|a| a.id == order.account) {
            account.settle(&of, &trade);
        }
        self.book.keep_trade(trade.clone());
        Some(trade)
    }

    /// The websocket tells of an execution now, and again when its commission is known.
    fn tell_trade(&mut self, trade: Option<Trade>, telling: Telling) {
        let Some(trade) = trade.filter(|_| telling == Telling::Pushed) else { return };
        let now = self.clock.now_ms();
        self.book.note(now, News::Trade(Box::new(trade.clone())));
        self.uncharged.push(trade);
    }

    /// Tells of the commissions that are known by now: the same executions once more.
    pub(super) fn charge(&mut self) {
        let now = self.clock.now_ms();
        let all = std::mem::take(&mut self.uncharged);
        let (due, waiting): (Vec<_>, Vec<_>) = all.into_iter().partition(|t| t.charged_ms <= now);
        self.uncharged = waiting;
        for trade in due {
            self.book.note(now, News::Trade(Box::new(trade)));
        }
    }

    /// What a ticket would cost this account; `None` if nobody can tell.
    pub(crate) fn cost(&self, account: &str, ticket: &Ticket) -> Option<Cost> {
        let account = self.account(account)?;
        let contract = &ticket.contract;
        let of = self.universe.contract(contract.conid, &contract.legs)?;
        let touch = self.touch(contract.conid, &contract.legs)?;
        let price = ticket.prices.limit.or(ticket.prices.stop).unwrap_or(touch.last).abs();
        let rate = self.rate(&of.currency, &account.currency)?;
        let held = account.holdings.iter().find(|h| h.conid == contract.conid);
        let held = held.map_or(0.0, |h| h.quantity);
        let units = self.units(ticket);
        let held_after = if ticket.is_buy { held + units } else { held - units };
        let worth = self.worth(account);
        // Futures and currencies are carried by a small part of what they stand for.
        let part = if of.is("FUT") || of.is("CASH") { 0.1 } else { 1.0 };
        let growth = (held_after.abs() - held.abs()) * price * of.size() * rate * part;
        Some(Cost {
            currency: account.currency.clone(),
            equity: worth.base.net(),
            available: worth.available(),
            cash: units * price * of.size() * rate,
            initial_before: worth.initial(),
            initial_after: worth.initial() + growth * INITIAL,
            held,
            held_after,
        })
    }
}

impl Account {
    /// Cash and position after an execution.
    fn settle(&mut self, of: &Instrument, trade: &Trade) {
        let signed = if trade.is_buy { trade.size } else { -trade.size };
        let amount = signed * trade.price * of.size();
        match of.sec_type.as_str() {
            "CASH" => {
                self.pay(&of.symbol, signed);
                self.pay(&of.currency, -amount);
            }
            "FUT" => {
                let gained = self.hold(of, signed, trade.price);
                self.pay(&of.currency, gained);
            }
            _ => {
                self.hold(of, signed, trade.price);
                self.pay(&of.currency, -amount);
            }
        }
        self.pay(&of.currency, -trade.commission);
    }

    fn pay(&mut self, currency: &str, amount: f64) {
        let cash = self.cash.entry(currency.to_owned()).or_default();
        *cash = round_to(*cash + amount, 4);
    }

    /// Changes a position; the answer is what closing (a part of) it gained.
    fn hold(&mut self, of: &Instrument, signed: f64, price: f64) -> f64 {
        let Some(at) = self.holdings.iter().position(|h| h.conid == of.conid) else {
            self.holdings.push(Holding { conid: of.conid, quantity: signed, avg_price: price });
            return 0.0;
        };
        let Some(held) = self.holdings.get_mut(at) else { return 0.0 };
        let after = round_to(held.quantity + signed, 8);
        let gained = if held.quantity * signed < 0.0 {
            let closed = signed.abs().min(held.quantity.abs()) * held.quantity.signum();
            closed * (price - held.avg_price) * of.size()
        } else {
            held.avg_price = (held.avg_price * held.quantity + price * signed) / after;
            0.0
        };
        // It went through zero: what is there now was bought at this price.
        if held.quantity * after < 0.0 {
            held.avg_price = price;
        }
        held.quantity = after;
        if after.abs() <= NOTHING {
            self.holdings.remove(at);
        }
        *self.realized.entry(of.currency.clone()).or_default() += gained;
        gained
    }
}
