//! One order as the broker shows it: in the list, on the websocket, and alone.

use serde_json::{Map, Value, json};

use crate::book::{Order, Status};
use crate::clock::utc;
use crate::instruments::Instrument;
use crate::masks::Shown;
use crate::state::World;
use crate::trading::Place;

/// The row of the list, which the websocket sends too; `None` if there is no such contract.
pub(super) fn full(world: &World, order: &Order, place: Place) -> Option<Value> {
    let of = world.universe.of(order)?;
    let of = of.as_ref();
    let shown = world.show(order, place);
    let order = shown.order.as_ref();
    let (bg, fg) = order.status.colours();
    let mut row = json!({
        "acct": order.account,
        "account": order.account,
        "conidex": order.conidex,
        "conid": order.conid,
        "orderId": order.id,
        "cashCcy": of.currency,
        "sizeAndFills": order.size_and_fills(),
        "orderDesc": order.describe(of, &of.symbol),
        "description1": of.symbol,
        "ticker": of.symbol,
        "secType": of.sec_type,
        "listingExchange": of.order_exchange(),
        "remainingQuantity": order.left(),
        "filledQuantity": order.filled,
        "totalSize": order.quantity,
        "companyName": of.name,
        "status": shown.word,
        "order_ccp_status": ccp_word(&shown),
        "outsideRTH": order.outside_rth,
        "origOrderType": order.kind.code(),
        "supportsTaxOpt": "1",
        "lastExecutionTime": utc(order.changed_ms, "%y%m%d%H%M%S"),
        "orderType": order.kind.word(),
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
    Some(row)
}

/// The status as the broker's back office calls it.
pub(super) fn ccp_word<'a>(shown: &'a Shown<'_>) -> &'a str {
    match shown.order.status {
        _ if shown.is_unknown => &shown.word,
        Status::Inactive | Status::PendingSubmit => "Pending Submit",
        Status::PreSubmitted => "Submitted",
        other => other.word(),
    }
}

/// Keys that only some rows have.
fn extend(row: &mut Map<String, Value>, order: &Order, of: &Instrument) {
    let mut add = |key: &str, value: Value| row.insert(key.to_owned(), value);
    if let Some(id) = &order.client_id {
        add("order_ref", json!(id));
    }
    if of.derivative.is_some() {
        add("description2", json!(super::chains::second_description(of)));
    }
    if let Some(stop) = order.stop {
        add("auxPrice", json!(of.show(stop)));
        add("stop_price", json!(of.show(stop)));
    }
    if order.filled > 0.0 {
        add("avgPrice", json!(of.show(order.avg_price)));
        add("exchange", json!("SMART"));
    }
    if let Some(parent) = order.parent {
        add("parentId", json!(parent));
    }
    if let Some(group) = &order.group {
        add("ocaGroupId", json!(group));
    }
    if let Some(reason) = order.reason.as_ref().filter(|_| order.status == Status::Cancelled) {
        add("order_cancellation_by_system_reason", json!(reason));
    }
}

/// The reply about one order; `None` if there is no such contract.
pub(super) fn details(world: &World, order: &Order) -> Option<Value> {
    let of = world.universe.of(order)?;
    let of = of.as_ref();
    let shown = world.show(order, Place::Page);
    let order = shown.order.as_ref();
    let (bg, fg) = order.status.colours();
    let number = |value: f64| format!("{value:?}");
    let ended = order.status.is_final();
    let child = if order.parent.is_some() { "A" } else { "0" };
    let mut page = json!({
        "sub_type": null,
        "request_id": world.next_number().to_string(),
        "server_id": "0",
        "order_id": order.id,
        "conidex": order.conidex,
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
        "order_type": order.kind.code(),
        "limit_price": order.limit.map(|p| of.show(p)),
        "stop_price": order.stop.map(|p| of.show(p)),
        "cum_fill": number(order.filled),
        "order_status": shown.word,
        "order_ccp_status": if order.status == Status::Filled { "2" } else { "0" },
        "order_status_description": description(order, &shown.word),
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
        "child_order_type": child,
        "order_clearing_account": order.account,
        "size_and_fills": order.size_and_fills(),
        "average_price": if order.filled > 0.0 { of.show(order.avg_price) } else { "0.0".to_owned() },
        "allowed_duplicate_opposite": true,
        "order_time": utc(order.changed_ms, "%y%m%d%H%M%S"),
    });
    if let Some(name) = order.client_id.as_ref().filter(|_| world.rules.status_ref) {
        page["order_ref"] = json!(name);
    }
    Some(page)
}

/// `Order Submitted`, and why it ended if the broker ended it.
fn description(order: &Order, word: &str) -> String {
    match &order.reason {
        Some(reason) => format!("Order {word}: {reason}"),
        None => format!("Order {word}"),
    }
}
