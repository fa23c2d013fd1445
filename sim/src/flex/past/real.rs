//! What the account really traded in the simulator.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use super::event::{Event, Fill, Order};
use crate::book::{Book, Kind, Trade};
use crate::flex::days::NewYork;
use crate::flex::dec::Dec;
use crate::instruments::{Instrument, Universe};

/// One execution and what its order says about it.
#[derive(Debug, Clone)]
struct Row {
    trade: Trade,
    kind: &'static str,
    entered_ms: i64,
}

/// The executions of one account, by day.
#[derive(Debug, Clone, Default)]
pub(crate) struct Real {
    days: BTreeMap<Date, Vec<Row>>,
    instruments: BTreeMap<i64, Arc<Instrument>>,
}

impl Real {
    /// The executions until this moment (epoch milliseconds).
    pub(crate) fn of(book: &Book, universe: &Universe, account: &str, until_ms: i64) -> Self {
        let clock = NewYork::default();
        let mut real = Self::default();
        let own = book.trades.iter().filter(|t| t.account == account && t.at_ms <= until_ms);
        for trade in own {
            let Some(of) = universe.get(trade.conid) else { continue };
            real.instruments.entry(of.conid).or_insert_with(|| Arc::new(of.clone()));
            let order = book.order(trade.order);
            let row = Row {
                trade: trade.clone(),
                kind: order.map_or("LMT", |order| word(order.kind)),
                entered_ms: order.map_or(trade.at_ms, |order| order.entered_ms),
            };
            real.days.entry(clock.day(trade.at_ms)).or_default().push(row);
        }
        real
    }

    /// Days on which something was traded.
    pub(crate) fn has(&self, day: Date) -> bool {
        self.days.contains_key(&day)
    }

    /// The orders that traded on a day, each with its executions.
    pub(crate) fn on(&self, day: Date) -> Vec<Event> {
        let rows = self.days.get(&day).map_or(&[][..], Vec::as_slice);
        let mut orders: Vec<Order> = Vec::new();
        for row in rows {
            let (id, conid) = (row.trade.order.cast_unsigned(), row.trade.conid);
            let Some(of) = self.instruments.get(&conid) else { continue };
            let known = orders.iter_mut().find(|order| order.id == id && order.of.conid == conid);
            match known {
                Some(order) => order.fills.push(fill(row, of)),
                None => orders.push(order(row, of)),
            }
        }
        let partial = |mut order: Order| {
            order.note = if order.fills.len() > 1 { "P" } else { "" };
            Event::Order(order)
        };
        orders.into_iter().map(partial).collect()
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Limit => "LMT",
        Kind::Market => "MKT",
        Kind::Stop => "STP",
        Kind::StopLimit => "STPLMT",
        Kind::MidPrice => "MIDPX",
        Kind::Trail => "TRAIL",
        Kind::TrailLimit => "TRAILLMT",
    }
}

fn order(row: &Row, of: &Arc<Instrument>) -> Order {
    Order {
        id: row.trade.order.cast_unsigned(),
        of: Arc::clone(of),
        kind: row.kind,
        reference: row.trade.client_id.clone().unwrap_or_default(),
        is_api: true,
        transaction: "ExchTrade",
        note: "",
        entered_ms: row.entered_ms,
        fills: vec![fill(row, of)],
    }
}

fn fill(row: &Row, of: &Instrument) -> Fill {
    let trade = &row.trade;
    let size = Dec::near(trade.size, 6);
    // The digits of the execution id are a number of their own.
    let digits: String = trade.execution_id.chars().skip(9).filter(char::is_ascii_digit).collect();
    Fill {
        id: digits.parse().unwrap_or_default(),
        execution: trade.execution_id.clone(),
        at_ms: trade.at_ms,
        exchange: "ISLAND",
        quantity: if trade.is_buy { size } else { -size },
        price: Dec::near(trade.price, 6),
        commission: -Dec::near(trade.commission, 4),
        commission_currency: of.currency.clone(),
        tax: Dec::ZERO,
    }
}
