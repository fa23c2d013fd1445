//! Reading orders: the list with its cold feed, and one order's status.

use serde_json::{Map, Value, json};

use super::{trades, unknown_account};
use crate::book::Order;
use crate::clock::utc;
use crate::http::{Call, Reply};
use crate::instruments::Instrument;
use crate::state::World;

/// The filters that the broker knows; anything else is a 500 without a body.
const FILTERS: [&str; 10] = [
    "inactive",
    "pending_submit",
    "pre_submitted",
    "submitted",
    "filled",
    "pending_cancel",
    "pre_cancelled",
    "cancelled",
    "warn_state",
    "sort_by_time",
];

pub(super) fn route(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    Some(match (call.method.as_str(), path) {
        ("GET", ["iserver", "account", "orders"]) => list(world, call),
        ("GET", ["iserver", "account", "order", "status", id]) => status(world, id),
        ("GET", ["iserver", "account", "trades"]) => trades::list(world, call),
        _ => return None,
    })
}

/// The first call of a session and every `force=true` start the feed and see nothing of it.
fn list(world: &mut World, call: &Call) -> Reply {
    let filters = call.list("filters");
    if filters.iter().any(|f| !FILTERS.contains(f)) {
        return Reply::empty(500);
    }
    let account = call.param("accountId");
    if let Some(id) = account.filter(|id| world.account(id).is_none()) {
        return unknown_account(id);
    }
    let now = world.now();
    let since = world.session.primed.orders_since.filter(|_| !call.flag("force"));
    let warm = since.is_some_and(|at| now - at >= world.rules.orders_warm_millis);
    if since.is_none() {
        world.session.primed.orders_since = Some(now);
    }
    let Some(account) =
        account.or_else(|| world.selected().map(|a| a.id.as_str())).filter(|_| warm)
    else {
        return Reply::json(&json!({ "orders": [], "snapshot": false }));
    };
    let shown = world.book.orders.iter().filter(|o| o.account == account && passes(o, &filters));
    let rows: Vec<Value> =
        shown.filter_map(|o| Some(row(o, world.universe.get(o.conid)?))).collect();
    Reply::json(&json!({ "orders": rows, "snapshot": true }))
}

fn passes(order: &Order, filters: &[&str]) -> bool {
    let mut wanted = filters.iter().filter(|f| **f != "sort_by_time").peekable();
    wanted.peek().is_none()
        || wanted.any(|f| f.replace('_', "").eq_ignore_ascii_case(&order.status))
}

impl Order {
    /// `Limit`, `Stop`, …: the display word.
    fn kind_word(&self) -> &'static str {
        match self.kind.as_str() {
            "LMT" => "Limit",
            "MKT" => "Market",
            "STP" => "Stop",
            _ => "Stop Limit",
        }
    }

    /// `STOP_LIMIT`, `LIMIT`, …
    fn kind_code(&self) -> String {
        self.kind_word().to_uppercase().replace(' ', "_")
    }

    fn left(&self) -> f64 {
        self.quantity - self.filled
    }

    /// `0/10` while it works, `10` when it is filled.
    fn fills(&self) -> String {
        if self.left() > 0.0 {
            format!("{}/{}", self.filled, self.quantity)
        } else {
            self.quantity.to_string()
        }
    }

    /// `Buy 5 MSFT Limit 430.00, GTC`; without the symbol if `symbol` is empty.
    fn describe(&self, of: &Instrument, symbol: &str) -> String {
        let verb = match (self.is_buy, self.status == "Filled") {
            (true, false) => "Buy",
            (false, false) => "Sell",
            (true, true) => "Bought",
            (false, true) => "Sold",
        };
        let symbol = if symbol.is_empty() { String::new() } else { format!(" {symbol}") };
        let price = match (self.stop, self.limit) {
            (Some(stop), Some(limit)) => format!(" {} Limit {}", of.show(stop), of.show(limit)),
            (Some(price), None) | (None, Some(price)) => format!(" {}", of.show(price)),
            (None, None) => String::new(),
        };
        let tif = if self.tif == "DAY" { "Day" } else { &self.tif };
        format!("{verb} {}{symbol} {}{price}, {tif}", self.quantity, self.kind_word())
    }

    /// Background and foreground that the broker's own pages use for the status.
    fn colours(&self) -> (&'static str, &'static str) {
        match self.status.as_str() {
            "Submitted" => ("#000000", "#00F000"),
            "PreSubmitted" => ("#FFFFFF", "#997EE5"),
            "Filled" => ("#FFFFFF", "#0000CC"),
            "Cancelled" => ("#FFFFFF", "#AA0000"),
            "PendingCancel" => ("#000000", "#FF64FF"),
            "PendingSubmit" => ("#FFFFFF", "#3399CC"),
            _ => ("#FFFFFF", "#AFAFAF"),
        }
    }
}

fn row(order: &Order, of: &Instrument) -> Value {
    let (bg, fg) = order.colours();
    let mut row = json!({
        "acct": order.account,
        "account": order.account,
        "conidex": order.conid.to_string(),
        "conid": order.conid,
        "orderId": order.id,
        "cashCcy": of.currency,
        "sizeAndFills": order.fills(),
        "orderDesc": order.describe(of, &of.symbol),
        "description1": of.symbol,
        "ticker": of.symbol,
        "secType": of.sec_type,
        "listingExchange": of.order_exchange(),
        "remainingQuantity": order.left(),
        "filledQuantity": order.filled,
        "totalSize": order.quantity,
        "companyName": of.name,
        "status": order.status,
        "order_ccp_status": if order.status == "PreSubmitted" { "Submitted" } else { order.status.as_str() },
        "outsideRTH": false,
        "origOrderType": order.kind_code(),
        "supportsTaxOpt": "1",
        "lastExecutionTime": utc(order.changed_ms, "%y%m%d%H%M%S"),
        "orderType": order.kind_word(),
        "bgColor": bg,
        "fgColor": fg,
        "isEventTrading": "0",
        "price": order.limit.map(|p| of.show(p)).unwrap_or_default(),
        "timeInForce": if order.tif == "DAY" { "CLOSE" } else { order.tif.as_str() },
        "lastExecutionTime_r": order.changed_ms,
        "side": if order.is_buy { "BUY" } else { "SELL" },
    });
    if let Value::Object(row) = &mut row {
        extend(row, order, of);
    }
    row
}

/// Keys that only some rows have.
fn extend(row: &mut Map<String, Value>, order: &Order, of: &Instrument) {
    if let Some(id) = &order.client_id {
        row.insert("order_ref".to_owned(), json!(id));
    }
    if let Some(stop) = order.stop {
        row.insert("auxPrice".to_owned(), json!(of.show(stop)));
        row.insert("stop_price".to_owned(), json!(of.show(stop)));
    }
    if order.filled > 0.0 {
        row.insert("avgPrice".to_owned(), json!(of.show(order.avg_price)));
        row.insert("exchange".to_owned(), json!("SMART"));
    }
}

/// Only orders of the selected account are found; for anything else the broker takes its time to say no.
fn status(world: &World, id: &str) -> Reply {
    let selected = world.selected().map(|a| a.id.as_str());
    let found = id
        .parse()
        .ok()
        .and_then(|id| world.book.order(id))
        .filter(|o| Some(o.account.as_str()) == selected);
    let both = found.and_then(|order| Some((order, world.universe.get(order.conid)?)));
    match both {
        Some((order, instrument)) => Reply::json(&details(world, order, instrument)),
        None => Reply::refusal(503, &format!("Order {id} is not found"))
            .delayed(world.rules.order_status_miss_millis),
    }
}

fn details(world: &World, order: &Order, of: &Instrument) -> Value {
    let (bg, fg) = order.colours();
    let number = |value: f64| format!("{value:.1}");
    let ended = matches!(order.status.as_str(), "Filled" | "Cancelled");
    json!({
        "sub_type": null,
        "request_id": world.next_number().to_string(),
        "server_id": "0",
        "order_id": order.id,
        "conidex": order.conid.to_string(),
        "conid": order.conid,
        "symbol": of.symbol,
        "side": if order.is_buy { "B" } else { "S" },
        "contract_description_1": of.symbol,
        "listing_exchange": of.order_exchange(),
        "option_acct": "c",
        "company_name": of.name,
        "size": number(order.left()),
        "total_size": number(order.quantity),
        "currency": of.currency,
        "account": order.account,
        "order_type": order.kind_code(),
        "limit_price": order.limit.map(|p| of.show(p)),
        "stop_price": order.stop.map(|p| of.show(p)),
        "cum_fill": number(order.filled),
        "order_status": order.status,
        "order_ccp_status": if order.status == "Filled" { "2" } else { "0" },
        "order_status_description": format!("Order {}", order.status),
        "tif": order.tif,
        "fg_color": fg,
        "bg_color": bg,
        "order_not_editable": ended,
        "editable_fields": if ended { "" } else { "\u{1e}default\u{1e}price\u{1e}quantity" },
        "cannot_cancel_order": ended,
        "deactivate_order": false,
        "sec_type": of.sec_type,
        "available_chart_periods": "#R|1",
        "order_description": order.describe(of, ""),
        "order_description_with_contract": order.describe(of, &of.symbol),
        "alert_active": 1,
        "child_order_type": "0",
        "order_clearing_account": order.account,
        "size_and_fills": order.fills(),
        "average_price": number(order.avg_price),
        "allowed_duplicate_opposite": true,
        "order_time": utc(order.changed_ms, "%y%m%d%H%M%S"),
    })
}
