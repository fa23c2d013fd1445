//! What a frame of the websocket says. A frame we do not understand is passed over, never an error:
//! the broker adds topics without asking.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::contracts::SecType;
use crate::failure::clean;
use crate::id::{AccountId, Conid, OrderId};
use crate::lenient;
use crate::money::{Price, Quantity};
use crate::orders::{OrderRow, OrderType, Side, Stage, Tif, Word, stage};
use crate::snapshot::Row;
use crate::trades::Execution;

/// One thing that the broker told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    /// Changes of orders.
    Orders(Vec<OrderDelta>),
    /// Executions, also ones that were told before.
    Executions(Vec<Execution>),
    /// Values of a contract; what is missing is as before.
    Quotes(Row),
    /// The session changed. When it is not authenticated any more, all subscriptions are gone.
    Status {
        /// The brokerage login is accepted. `None`: as before.
        authenticated: Option<bool>,
        /// Another platform holds the brokerage session. `None`: as before.
        competing: Option<bool>,
    },
    /// A sign of life, with the server's milliseconds of the epoch.
    Heartbeat(u64),
    /// A message for people: untrusted text, cleaned.
    Notice(String),
    /// A subscription was refused: untrusted text, cleaned.
    Error(String),
    /// The socket's own business: a greeting, or the answer to a `tic`.
    System,
    /// A topic that is not read; empty where there is none.
    Other(String),
}

/// What was told of one order. Everything that is missing is as before.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OrderDelta {
    /// The broker's id.
    #[serde(rename = "orderId")]
    pub order_id: OrderId,
    /// Whose.
    #[serde(rename = "acct", default, deserialize_with = "lenient::opt")]
    pub account: Option<AccountId>,
    /// The contract.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub conid: Option<Conid>,
    /// `265598@NYSE`, or a combo.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub conidex: Option<String>,
    /// The symbol.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub ticker: Option<String>,
    /// `STK`, `OPT`, …
    #[serde(rename = "secType", default, deserialize_with = "lenient::opt")]
    pub sec_type: Option<SecType>,
    /// `BUY` or `SELL`.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub side: Option<Word<Side>>,
    /// In capitals: `LIMIT`, `STOP`, …
    #[serde(rename = "origOrderType", default, deserialize_with = "lenient::opt")]
    pub order_type: Option<Word<OrderType>>,
    /// What was asked for.
    #[serde(rename = "totalSize", default, deserialize_with = "lenient::opt")]
    pub quantity: Option<Quantity>,
    /// What has been filled.
    #[serde(rename = "filledQuantity", default, deserialize_with = "lenient::opt")]
    pub filled: Option<Quantity>,
    /// What has not been filled yet.
    #[serde(rename = "remainingQuantity", default, deserialize_with = "lenient::opt")]
    pub remaining: Option<Quantity>,
    /// `0/10`, or `5` once all is filled.
    #[serde(rename = "sizeAndFills", default, deserialize_with = "lenient::opt")]
    pub size_and_fills: Option<String>,
    /// The limit price; for a stop order its stop price, where the broker puts it here.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub price: Option<Price>,
    /// The stop price.
    #[serde(rename = "auxPrice", default, deserialize_with = "lenient::opt")]
    pub stop_price: Option<Price>,
    /// Average price of the fills.
    #[serde(rename = "avgPrice", default, deserialize_with = "lenient::opt")]
    pub average_price: Option<Price>,
    /// `Submitted`, `Filled`, …
    #[serde(default, deserialize_with = "stage::opt")]
    pub status: Option<Stage>,
    /// What the trading system says.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub order_ccp_status: Option<String>,
    /// `CLOSE` means `DAY`.
    #[serde(rename = "timeInForce", default, deserialize_with = "lenient::opt")]
    pub tif: Option<Word<Tif>>,
    /// The client order id it was sent with.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub order_ref: Option<String>,
    /// The client order id or the order id of the parent, on the child of a bracket.
    #[serde(rename = "parentId", default, deserialize_with = "lenient::opt")]
    pub parent_id: Option<String>,
    /// Why it was cancelled by the broker: untrusted text.
    #[serde(
        rename = "order_cancellation_by_system_reason",
        default,
        deserialize_with = "lenient::opt"
    )]
    pub cancel_reason: Option<String>,
    /// When it was last filled or changed.
    #[serde(rename = "lastExecutionTime_r", default, deserialize_with = "lenient::millis")]
    pub last_execution: Option<Timestamp>,
    /// IBKR's one line about it.
    #[serde(rename = "orderDesc", default, deserialize_with = "lenient::opt")]
    pub description: Option<String>,
}

impl From<OrderDelta> for OrderRow {
    /// As a row: what it does not say is not known.
    fn from(delta: OrderDelta) -> Self {
        Self {
            order_id: delta.order_id,
            account: delta.account,
            conid: delta.conid,
            ticker: delta.ticker,
            sec_type: delta.sec_type,
            contract: None,
            exchange: None,
            side: delta.side,
            conidex: delta.conidex,
            order_type: delta.order_type,
            quantity: delta.quantity,
            filled: delta.filled,
            remaining: delta.remaining,
            size_and_fills: delta.size_and_fills,
            price: delta.price,
            stop_price: delta.stop_price,
            average_price: delta.average_price,
            status: delta.status,
            order_ccp_status: delta.order_ccp_status,
            tif: delta.tif,
            currency: None,
            order_ref: delta.order_ref,
            parent_id: delta.parent_id,
            oca_group: None,
            cancel_reason: delta.cancel_reason,
            outside_rth: None,
            last_execution: delta.last_execution,
            description: delta.description,
        }
    }
}

#[derive(Deserialize)]
struct Frame {
    #[serde(default)]
    topic: Option<String>,
    #[serde(default)]
    args: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "lenient::opt")]
    hb: Option<u64>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default, deserialize_with = "lenient::opt")]
    authenticated: Option<bool>,
    #[serde(default, deserialize_with = "lenient::opt")]
    competing: Option<bool>,
}

/// How the gateway writes the topic of quotes. Within a value its quotation marks would not stand alone.
const QUOTES: &str = r#""topic":"smd+"#;

/// Reads one frame.
pub(super) fn read(text: &str) -> Update {
    // Nearly all that comes are quotes: they are read in one go.
    if text.contains(QUOTES)
        && let Ok(row) = serde_json::from_str(text)
    {
        return Update::Quotes(row);
    }
    let Ok(frame) = serde_json::from_str::<Frame>(text) else {
        return Update::Other(String::new());
    };
    let topic = frame.topic.unwrap_or_default();
    // `sor+{}` would be an order frame too.
    let name = topic.split('+').next().unwrap_or_default();
    match (name, frame.args) {
        ("system", _) => frame.hb.map_or(Update::System, Update::Heartbeat),
        ("tic", _) => Update::System,
        ("error", _) => Update::Error(words(frame.error.as_ref())),
        ("sor", Some(args)) => Update::Orders(rows(&args)),
        ("str", Some(args)) => Update::Executions(rows(&args)),
        // Its values stand beside the topic.
        ("smd", _) => match serde_json::from_str(text) {
            Ok(row) => Update::Quotes(row),
            Err(_) => Update::Other(topic),
        },
        ("ntf" | "blt", Some(args)) => Update::Notice(notice(&args)),
        // A part of a status sometimes comes without its topic.
        ("sts" | "", Some(args)) => match serde_json::from_str(args.get()) {
            Ok(Status { authenticated: None, competing: None }) | Err(_) => Update::Other(topic),
            Ok(Status { authenticated, competing }) => Update::Status { authenticated, competing },
        },
        _ => Update::Other(topic),
    }
}

/// The rows that can be read. One that cannot is left to the next look at the list, which does not
/// pass over it silently.
fn rows<T: DeserializeOwned>(args: &RawValue) -> Vec<T> {
    let list = serde_json::from_str::<Vec<Box<RawValue>>>(args.get());
    let rows = list.unwrap_or_else(|_| vec![args.to_owned()]);
    rows.iter()
        .filter_map(|row| {
            let read = serde_json::from_str(row.get());
            read.inspect_err(|error| tracing::debug!(%error, "a row of the stream")).ok()
        })
        .collect()
}

fn notice(args: &RawValue) -> String {
    let Ok(args) = serde_json::from_str::<Value>(args.get()) else { return String::new() };
    let parts = ["title", "text", "message"].iter().filter_map(|key| args.get(key)?.as_str());
    clean(&parts.collect::<Vec<_>>().join(": "))
}

fn words(error: Option<&Value>) -> String {
    match error {
        Some(Value::String(text)) => clean(text),
        Some(other) => clean(&other.to_string()),
        None => String::new(),
    }
}
