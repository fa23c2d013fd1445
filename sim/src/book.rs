//! The order book of the accounts: orders that are there, and the trades they made.

use crate::accounts::resolve;
use crate::instruments::Universe;
use crate::scenario::{OrderSpec, Scenario};

/// The first order id handed out.
const FIRST_ORDER: i64 = 1_234_567_890;
/// How long ago the first of the initial orders was entered, and the step between them (milliseconds).
const ENTERED_BEFORE_MS: i64 = 1_800_000;

/// One order.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) id: i64,
    pub(crate) account: String,
    pub(crate) conid: i64,
    pub(crate) is_buy: bool,
    pub(crate) quantity: f64,
    pub(crate) filled: f64,
    /// Average price of what was filled.
    pub(crate) avg_price: f64,
    /// `LMT`, `MKT`, `STP`, `STOP_LIMIT`.
    pub(crate) kind: String,
    pub(crate) limit: Option<f64>,
    pub(crate) stop: Option<f64>,
    pub(crate) tif: String,
    pub(crate) status: String,
    pub(crate) client_id: Option<String>,
    /// Epoch milliseconds of the last change.
    pub(crate) changed_ms: i64,
}

/// One execution.
#[derive(Debug, Clone)]
pub(crate) struct Trade {
    pub(crate) execution_id: String,
    pub(crate) order: i64,
    pub(crate) size: f64,
    pub(crate) price: f64,
    pub(crate) at_ms: i64,
}

/// All orders and trades, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) orders: Vec<Order>,
    pub(crate) trades: Vec<Trade>,
}

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
            let entered = start_ms - ENTERED_BEFORE_MS + at as i64 * 60_000;
            book.enter(spec, universe, entered, first)?;
        }
        Ok(book)
    }

    fn enter(
        &mut self,
        spec: &OrderSpec,
        universe: &Universe,
        at_ms: i64,
        first: &str,
    ) -> Result<(), String> {
        let instrument = resolve(spec.conid, spec.symbol.as_deref(), universe)?;
        let avg_price = if spec.filled > 0.0 { spec.price.unwrap_or(instrument.base) } else { 0.0 };
        let order = Order {
            id: FIRST_ORDER + self.orders.len() as i64,
            account: spec.account.clone().unwrap_or_else(|| first.to_owned()),
            conid: instrument.conid,
            is_buy: side(&spec.side)?,
            quantity: spec.quantity,
            filled: spec.filled,
            avg_price,
            kind: kind(&spec.kind)?,
            limit: if spec.kind == "MKT" { None } else { spec.price },
            stop: spec.stop_price,
            tif: spec.tif.clone(),
            status: spec.status.clone(),
            client_id: spec.client_id.clone(),
            changed_ms: at_ms,
        };
        self.execute(&order);
        self.orders.push(order);
        Ok(())
    }

    /// Records what an order has filled as one trade.
    fn execute(&mut self, order: &Order) {
        if order.filled > 0.0 {
            let execution_id = format!("0000aaaa.{:08}.01.01", order.id % 100_000_000);
            let (size, price, at_ms) = (order.filled, order.avg_price, order.changed_ms);
            self.trades.push(Trade { execution_id, order: order.id, size, price, at_ms });
        }
    }

    /// The order with this id.
    pub(crate) fn order(&self, id: i64) -> Option<&Order> {
        self.orders.iter().find(|o| o.id == id)
    }
}

fn side(word: &str) -> Result<bool, String> {
    match word {
        "BUY" => Ok(true),
        "SELL" => Ok(false),
        other => Err(format!("scenario: an order's side is BUY or SELL, not {other}")),
    }
}

fn kind(word: &str) -> Result<String, String> {
    if ["LMT", "MKT", "STP", "STOP_LIMIT"].contains(&word) {
        return Ok(word.to_owned());
    }
    Err(format!("scenario: an order's type is LMT, MKT, STP or STOP_LIMIT, not {word}"))
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
