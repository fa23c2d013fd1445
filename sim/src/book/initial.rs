//! The orders that are there from the start.

use super::{Book, Course, Kind, Order, Status, Trade};
use crate::accounts::resolve;
use crate::instruments::Universe;
use crate::scenario::{OrderSpec, Scenario};

/// How long ago the first of the initial orders was entered, and the step between them (milliseconds).
const ENTERED_BEFORE_MS: i64 = 1_800_000;
const ENTERED_STEP_MS: i64 = 60_000;

impl Book {
    /// The scenario's orders, or the default five, for the first account unless they say otherwise.
    pub(crate) fn build(
        scenario: &Scenario,
        universe: &Universe,
        start_ms: i64,
        first: &str,
    ) -> Result<Self, String> {
        let specs = scenario.orders.clone().unwrap_or_else(usual);
        let mut book = Self::default();
        for (at, spec) in specs.iter().enumerate() {
            let entered = start_ms - ENTERED_BEFORE_MS + at as i64 * ENTERED_STEP_MS;
            let order = from_spec(spec, universe, first)?;
            let id = book.next_id();
            book.begin_with(Order { id, entered_ms: entered, changed_ms: entered, ..order });
        }
        Ok(book)
    }

    /// An order that everybody knows already; what it has filled was one trade.
    fn begin_with(&mut self, order: Order) {
        if order.filled > 0.0 {
            self.keep_trade(Trade {
                execution_id: format!("0000aaaa.{:08}.01.01", order.id % 100_000_000),
                order: order.id,
                account: order.account.clone(),
                conid: order.conid,
                is_buy: order.is_buy,
                client_id: order.client_id.clone(),
                size: order.filled,
                price: order.avg_price,
                commission: (order.filled * 0.005).max(1.0),
                charged_ms: order.changed_ms,
                at_ms: order.changed_ms,
            });
        }
        if let Some(client_id) = &order.client_id {
            self.register(client_id, order.entered_ms);
        }
        self.shown.insert(order.id, order.clone());
        self.enter(order);
    }
}

fn from_spec(spec: &OrderSpec, universe: &Universe, first: &str) -> Result<Order, String> {
    let instrument = resolve(spec.conid, spec.symbol.as_deref(), universe)?;
    let avg_price = if spec.filled > 0.0 { spec.price.unwrap_or(instrument.base) } else { 0.0 };
    let kind = kind(&spec.kind)?;
    Ok(Order {
        id: 0,
        account: spec.account.clone().unwrap_or_else(|| first.to_owned()),
        conid: instrument.conid,
        conidex: instrument.conid.to_string(),
        legs: Vec::new(),
        is_buy: side(&spec.side)?,
        quantity: spec.quantity,
        filled: spec.filled,
        avg_price,
        fills: u32::from(spec.filled > 0.0),
        kind,
        limit: spec.price.filter(|_| kind != Kind::Market),
        stop: spec.stop_price,
        trail: None,
        tif: spec.tif.clone(),
        outside_rth: false,
        status: status(&spec.status)?,
        client_id: spec.client_id.clone(),
        parent: None,
        group: None,
        reason: None,
        course: Course::Market,
        due: None,
        triggered: false,
        is_stuck: false,
        rested: true,
        seen: i64::MIN,
        entered_ms: 0,
        changed_ms: 0,
    })
}

fn side(word: &str) -> Result<bool, String> {
    match word {
        "BUY" => Ok(true),
        "SELL" => Ok(false),
        other => Err(format!("scenario: an order's side is BUY or SELL, not {other}")),
    }
}

fn kind(word: &str) -> Result<Kind, String> {
    let known = ["LMT", "MKT", "STP", "STOP_LIMIT"].contains(&word);
    let wrong = || format!("scenario: an order's type is LMT, MKT, STP or STOP_LIMIT, not {word}");
    Kind::parse(word).filter(|_| known).ok_or_else(wrong)
}

fn status(word: &str) -> Result<Status, String> {
    Status::parse(word).ok_or_else(|| format!("scenario: there is no order status {word}"))
}

fn spec(symbol: &str, side: &str, quantity: f64, kind: &str, price: f64) -> OrderSpec {
    let is_stop = kind == "STP";
    OrderSpec {
        account: None,
        conid: None,
        symbol: Some(symbol.to_owned()),
        side: side.to_owned(),
        quantity,
        kind: kind.to_owned(),
        price: if is_stop { None } else { Some(price) },
        stop_price: if is_stop { Some(price) } else { None },
        tif: "DAY".to_owned(),
        status: "Submitted".to_owned(),
        filled: 0.0,
        client_id: None,
    }
}

/// Three orders at work, one filled and one cancelled today.
fn usual() -> Vec<OrderSpec> {
    let gtc = || "GTC".to_owned();
    vec![
        OrderSpec {
            tif: gtc(),
            status: "PreSubmitted".to_owned(),
            client_id: Some("sim-1".to_owned()),
            ..spec("AAPL", "SELL", 10.0, "STP", 240.0)
        },
        OrderSpec {
            tif: gtc(),
            client_id: Some("sim-2".to_owned()),
            ..spec("MSFT", "BUY", 5.0, "LMT", 430.0)
        },
        OrderSpec { client_id: Some("sim-3".to_owned()), ..spec("SAP", "BUY", 4.0, "LMT", 195.5) },
        OrderSpec {
            filled: 5.0,
            status: "Filled".to_owned(),
            client_id: Some("sim-4".to_owned()),
            ..spec("IBM", "BUY", 5.0, "MKT", 296.8)
        },
        OrderSpec { status: "Cancelled".to_owned(), ..spec("NVDA", "BUY", 10.0, "LMT", 150.0) },
    ]
}
