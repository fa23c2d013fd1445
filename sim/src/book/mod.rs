//! The order book of the accounts: orders, the trades they made, and what the orders list knows of them.

mod initial;
mod log;
mod order;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

pub(crate) use log::{Log, News};
pub(crate) use order::{Course, Kind, Leg, Order, Status, Step, Trail};

use crate::clock::DAY_MS;

/// The first order id handed out.
const FIRST_ORDER: i64 = 1_234_567_890;
/// Orders, trades and placements kept; a simulator that serves a whole campaign must not grow.
const KEPT: usize = 20_000;

/// One execution.
#[derive(Debug, Clone)]
pub(crate) struct Trade {
    pub(crate) execution_id: String,
    pub(crate) order: i64,
    pub(crate) account: String,
    pub(crate) conid: i64,
    pub(crate) is_buy: bool,
    pub(crate) client_id: Option<String>,
    pub(crate) size: f64,
    pub(crate) price: f64,
    pub(crate) commission: f64,
    /// When the broker knows the commission (epoch milliseconds).
    pub(crate) charged_ms: i64,
    pub(crate) at_ms: i64,
}

/// One acceptance, for tests that look for duplicates.
#[derive(Debug, Clone)]
pub(crate) struct Placement {
    pub(crate) order: i64,
    pub(crate) at_ms: i64,
    pub(crate) origin: Origin,
}

/// Why an order was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// There was no question, or all were answered.
    Answered,
    /// Its question had been given up.
    Zombie,
    /// A person entered it at TWS.
    Tws,
}

/// All orders and trades, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) orders: BTreeMap<i64, Order>,
    /// The orders that have something before them.
    pub(crate) open: BTreeSet<i64>,
    /// Those of earlier days that the broker no longer shows.
    past: BTreeSet<i64>,
    /// When the day of its orders ends (epoch milliseconds), once that was asked.
    day_ends_ms: Option<i64>,
    pub(crate) trades: VecDeque<Trade>,
    /// Trades there ever were, the forgotten ones too.
    traded: u64,
    pub(crate) placements: VecDeque<Placement>,
    pub(crate) log: Log,
    /// The orders as the list shows them: a little behind.
    shown: BTreeMap<i64, Order>,
    /// Client ids, and when they were registered (epoch milliseconds).
    registered: HashMap<String, i64>,
    handed_out: i64,
}

impl Book {
    /// The id of the next order.
    pub(crate) fn next_id(&mut self) -> i64 {
        self.handed_out += 1;
        FIRST_ORDER + self.handed_out - 1
    }

    /// The order with this id.
    pub(crate) fn order(&self, id: i64) -> Option<&Order> {
        self.orders.get(&id)
    }

    /// Puts a new order into the book; the oldest finished one makes room if there are too many.
    pub(crate) fn enter(&mut self, order: Order) {
        if !order.status.is_final() {
            self.open.insert(order.id);
        }
        self.orders.insert(order.id, order);
        if self.orders.len() > KEPT
            && let Some(old) = self.orders.keys().find(|id| !self.open.contains(id)).copied()
        {
            self.orders.remove(&old);
            self.shown.remove(&old);
            self.past.remove(&old);
        }
    }

    /// The order with this id, while the broker shows it.
    pub(crate) fn shown(&self, id: i64) -> Option<&Order> {
        self.order(id).filter(|_| !self.is_past(id))
    }

    /// The broker no longer shows it, or does again, whatever has become of it.
    pub(crate) fn hide(&mut self, id: i64, is_hidden: bool) {
        if is_hidden {
            self.past.insert(id)
        } else {
            self.past.remove(&id)
        };
    }

    /// Whether its day is over and the broker no longer shows it.
    pub(crate) fn is_past(&self, id: i64) -> bool {
        self.past.contains(&id)
    }

    /// The last close, if New York's day has ended since this was last asked. What came after that close is
    /// of the next day already.
    pub(crate) fn ended_day(&mut self, now_ms: i64) -> Option<i64> {
        let ends = *self.day_ends_ms.get_or_insert_with(|| next_midnight(now_ms));
        if now_ms < ends {
            return None;
        }
        let next = next_midnight(now_ms);
        self.day_ends_ms = Some(next);
        Some(next - DAY_MS - AFTER_CLOSE_MS)
    }

    /// From now on the broker no longer shows what was over by then (epoch milliseconds).
    pub(crate) fn turn_the_page(&mut self, until_ms: i64) {
        let over = self.orders.values().filter(|order| !self.open.contains(&order.id));
        let over = over.filter(|order| order.changed_ms < until_ms);
        self.past.extend(over.map(|order| order.id));
    }

    /// Keeps a trade.
    pub(crate) fn keep_trade(&mut self, trade: Trade) {
        self.traded += 1;
        keep(&mut self.trades, trade);
    }

    /// The number of the next trade.
    pub(crate) fn traded(&self) -> u64 {
        self.traded
    }

    /// The trades from this number on, as far as they are kept.
    pub(crate) fn trades_from(&self, number: u64) -> impl Iterator<Item = &Trade> {
        let wanted = usize::try_from(self.traded.saturating_sub(number)).unwrap_or(usize::MAX);
        self.trades.iter().skip(self.trades.len().saturating_sub(wanted))
    }

    /// Keeps an acceptance.
    pub(crate) fn keep_placement(&mut self, placement: Placement) {
        keep(&mut self.placements, placement);
    }

    /// Notes a change for those who read them.
    pub(crate) fn note(&mut self, at_ms: i64, news: News) {
        if let Some(order) = self.log.note(at_ms, news) {
            self.shown.insert(order.id, order);
        }
    }

    /// The orders as they were at this moment (epoch milliseconds).
    pub(crate) fn list(&mut self, at_ms: i64) -> &BTreeMap<i64, Order> {
        for order in self.log.show(at_ms) {
            self.shown.insert(order.id, order);
        }
        &self.shown
    }

    /// Changes the owner of everything, as another login does.
    pub(crate) fn rename(&mut self, change: impl Fn(&str) -> String) {
        self.list(i64::MAX);
        let orders = self.orders.values_mut().chain(self.shown.values_mut());
        orders.for_each(|order| order.account = change(&order.account));
        self.trades.iter_mut().for_each(|trade| trade.account = change(&trade.account));
    }

    /// A client id is taken for 24 hours.
    pub(crate) fn is_registered(&self, client_id: &str, now_ms: i64) -> bool {
        self.registered.get(client_id).is_some_and(|at| now_ms - at < DAY_MS)
    }

    /// Takes a client id; those of yesterday are forgotten now and then.
    pub(crate) fn register(&mut self, client_id: &str, now_ms: i64) {
        if self.registered.len() % KEPT == KEPT - 1 {
            self.registered.retain(|_, at| now_ms - *at < DAY_MS);
        }
        self.registered.insert(client_id.to_owned(), now_ms);
    }
}

/// From the last close, at 20:00, to midnight.
const AFTER_CLOSE_MS: i64 = 4 * 60 * 60_000;

/// New York's next midnight, epoch milliseconds.
fn next_midnight(now_ms: i64) -> i64 {
    let zone = TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC);
    let now = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone);
    let tomorrow =
        now.date().checked_add(1.day()).and_then(|day| day.to_zoned(now.time_zone().clone()));
    tomorrow.map_or(now_ms + DAY_MS, |midnight| midnight.timestamp().as_millisecond())
}

fn keep<T>(all: &mut VecDeque<T>, one: T) {
    all.push_back(one);
    if all.len() > KEPT {
        all.pop_front();
    }
}
