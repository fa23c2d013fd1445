//! The invented history as a whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use super::dice::Dice;
use super::event::{Event, Fill, Order};
use super::{Opening, balance, holdings, payments, rare, trips};
use crate::flex::days::{business_from, plus};
use crate::flex::dec::Dec;
use crate::flex::prices::Prices;
use crate::instruments::Instrument;
use crate::trading::commission;

/// Trading begins nine and a half hours after midnight (seconds).
const OPEN: i64 = 34_200;
/// Ids of orders and executions: room for each account, and where they begin.
const ROOM: u64 = 10_000_000;
const FIRST_ORDER: u64 = 400_000_000;
const FIRST_TRADE: u64 = 6_000_000_000;

/// Everything that happened before the simulator started.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The day the account was opened.
    pub(crate) first: Date,
    /// The day the simulator started: nothing is invented from then on.
    pub(crate) start: Date,
    pub(crate) days: BTreeMap<Date, Vec<Event>>,
    /// Interest that accrues on each day.
    pub(crate) interest: BTreeMap<String, Dec>,
}

/// What the history of one account is made of.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) prices: &'a Prices,
    pub(super) opening: &'a Opening,
    pub(super) dice: Dice,
    pub(super) plan: Plan,
    account: u64,
    orders: u64,
    fills: u64,
}

impl Plan {
    /// The history of the account with this number; the prices learn of its splits.
    pub(crate) fn new(
        prices: &mut Prices,
        opening: &Opening,
        (seed, account): (u64, u64),
        start: Date,
    ) -> Self {
        let january = start.first_of_year();
        let first =
            business_from(january.with().year(january.year() - 2).build().unwrap_or(january));
        prices.splits = rare::splits(prices.universe(), first);
        let interest = payments::daily(opening);
        let mut draft = Draft {
            prices,
            opening,
            dice: Dice::new(seed, account + 77),
            plan: Self { first, start, days: BTreeMap::new(), interest },
            account,
            orders: 0,
            fills: 0,
        };
        holdings::open(&mut draft);
        trips::shares(&mut draft);
        trips::derivatives(&mut draft);
        trips::currencies(&mut draft);
        rare::events(&mut draft);
        payments::all(&mut draft);
        balance::balance(&mut draft);
        draft.plan
    }

    /// What happened on a day, in order.
    pub(crate) fn on(&self, day: Date) -> &[Event] {
        self.days.get(&day).map_or(&[], Vec::as_slice)
    }
}

impl Draft<'_> {
    /// The last day of the invented history.
    pub(super) fn last(&self) -> Date {
        plus(self.plan.start, -1)
    }

    /// Whether this day belongs to it.
    pub(super) fn has(&self, day: Date) -> bool {
        day >= self.plan.first && day < self.plan.start
    }

    /// Adds an event; the day stays in order.
    pub(super) fn add(&mut self, day: Date, event: Event) {
        if self.has(day) {
            let events = self.plan.days.entry(day).or_default();
            let at = events.partition_point(|other| other.at_ms() <= event.at_ms());
            events.insert(at, event);
        }
    }

    /// A moment of the trading day, by chance.
    pub(super) fn moment(&mut self, day: Date) -> i64 {
        let seconds = self.dice.between(OPEN + 60, OPEN + 20_000);
        self.prices.clock().moment(day, seconds)
    }

    /// The next id of an order, and of an execution.
    pub(super) fn order_id(&mut self) -> u64 {
        self.orders += 1;
        FIRST_ORDER + self.account * ROOM + self.orders
    }

    pub(super) fn trade_id(&mut self) -> u64 {
        self.fills += 1;
        FIRST_TRADE + self.account * ROOM + self.fills
    }

    /// An order that trades so many units at about this price, in so many parts.
    pub(super) fn trade(
        &mut self,
        of: &Arc<Instrument>,
        (day, quantity): (Date, Dec),
        price: Option<Dec>,
        parts: i64,
    ) {
        let at = self.moment(day);
        let order = self.order_id();
        let price = price.unwrap_or_else(|| self.prices.at(of, day, at));
        let mut left = quantity;
        let step = part(quantity, parts, of.lot);
        let mut fills = Vec::new();
        for n in 0..parts {
            let size = if n == parts - 1 || step.is_zero() { left } else { step };
            if size.is_zero() {
                break;
            }
            left -= size;
            // The price wanders a tick to and fro, and ends where it began.
            let ticks = [0, 1, 0, -1][usize::try_from(n % 4).unwrap_or(0)];
            let off = Dec::near(of.tick, 6).times(Dec::whole(ticks));
            let price = if price > off { price + off } else { price };
            fills.push(self.fill(of, (order, n), (at + n * 1_700, size, price)));
        }
        let kinds = ["LMT", "LMT", "MKT", "STPLMT", "MIDPX"];
        let kind = self.dice.pick(&kinds).copied().unwrap_or("LMT");
        let is_api = self.dice.percent(40);
        let reference = if is_api { format!("ref-{order}") } else { String::new() };
        let entered_ms = at - self.dice.between(1, 60) * 1000;
        let order = Order {
            id: order,
            of: Arc::clone(of),
            kind,
            reference,
            is_api,
            transaction: "ExchTrade",
            note: if fills.len() > 1 { "P" } else { "" },
            entered_ms,
            fills,
        };
        self.add(day, Event::Order(order));
    }

    /// One execution with its commission and the taxes of its country.
    pub(super) fn fill(
        &mut self,
        of: &Instrument,
        (order, n): (u64, i64),
        (at_ms, quantity, price): (i64, Dec, Dec),
    ) -> Fill {
        let (size, cost) = (quantity.abs().float(), price.float());
        let id = self.trade_id();
        let currency =
            if of.is("CASH") { self.prices.base().to_owned() } else { of.currency.clone() };
        Fill {
            id,
            execution: format!("0000aaaa.{order:08x}.01.{:02}", n + 1),
            at_ms,
            exchange: exchange(of, id),
            quantity,
            price,
            commission: -Dec::near(commission(of, size, cost), 4),
            commission_currency: currency,
            tax: tax(of, quantity, price),
        }
    }
}

/// A part of a whole, in whole lots.
fn part(quantity: Dec, parts: i64, lot: u32) -> Dec {
    let lot = Dec::whole(i64::from(lot.max(1)));
    let size = quantity.abs().over(Dec::whole(parts.max(1)), 6).down_to(lot);
    if quantity.is_negative() { -size } else { size }
}

/// Where it was executed.
pub(super) fn exchange(of: &Instrument, id: u64) -> &'static str {
    let places: &[&'static str] = match (of.sec_type.as_str(), of.is_us()) {
        ("OPT", _) => &["CBOE", "AMEX", "PHLX"],
        ("FUT" | "FOP", _) => &["CME"],
        ("CASH", _) => &["IDEALFX"],
        (_, true) => &["ISLAND", "ARCA", "IEX", "BATS"],
        _ => &["IBIS", "AEB", "LSE"],
    };
    let at = usize::try_from(id % places.len() as u64).unwrap_or(0);
    places.get(at).copied().unwrap_or("--")
}

/// Purchases in France and the United Kingdom, and all trades in Hong Kong, are taxed.
fn tax(of: &Instrument, quantity: Dec, price: Dec) -> Dec {
    if !of.is("STK") {
        return Dec::ZERO;
    }
    let is_buy = !quantity.is_negative();
    let part = match of.country.as_str() {
        "FR" if is_buy => Dec::parts(3, 3),
        "GB" if is_buy => Dec::parts(5, 3),
        "HK" => Dec::parts(1, 3),
        _ => Dec::ZERO,
    };
    -quantity.abs().times(price).times(part).round(2)
}
