//! What the websocket says: the same facts as the REST replies.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{accounts, order_row, session, snapshot, trades};
use crate::book::{News, Order, Status, Trade};
use crate::clock::utc;
use crate::state::World;
use crate::trading::Place;

/// The first messages, in the broker's order.
pub(crate) fn greeting(world: &World) -> Vec<Value> {
    let welcome = json!({
        "topic": "system", "success": world.user(), "isFT": false, "isPaper": world.is_paper(),
    });
    if !world.session.is_established(world.now()) {
        return vec![welcome, status(world)];
    }
    let accounts = json!({ "topic": "act", "args": accounts::facts(world) });
    vec![welcome, accounts, status(world)]
}

/// The session as it stands.
pub(crate) fn status(world: &World) -> Value {
    json!({
        "topic": "sts",
        "args": {
            "connected": true,
            "authenticated": world.session.is_authenticated(),
            "established": world.session.is_established(world.now()),
            "competing": world.session.competing,
            "message": "",
            "fail": "",
            "serverName": "JifX10001",
            "serverVersion": session::SERVER_VERSION,
            "username": world.user(),
        },
    })
}

/// The sign of life.
pub(crate) fn heartbeat(world: &World) -> Value {
    json!({ "topic": "system", "hb": world.clock.now_ms() })
}

/// The answer to `tic`.
pub(crate) fn tic(world: &World) -> Value {
    json!({
        "topic": "tic", "alive": true, "id": world.session_id(), "lastAccessed": world.clock.now_ms(),
    })
}

/// What is said about a subscription that cannot be read.
pub(crate) fn bad_subscription(topic: &str) -> Value {
    json!({ "topic": "error", "error": format!("{topic}: the arguments are not valid") })
}

/// A change of an order: the whole row, or only what changed.
pub(crate) fn order(world: &World, news: &News) -> Option<Value> {
    let row = match news {
        News::Row(order) => order_row::full(world, order, Place::Push)?,
        News::Mark(order) => mark(order),
        News::Status(order) => status_of(world, order),
        News::Fill(order) => fill_of(world, order)?,
        News::Quiet(_) | News::Trade(_) => return None,
    };
    Some(json!({ "topic": "sor", "args": [row] }))
}

/// An execution.
pub(crate) fn trade(world: &World, trade: &Trade) -> Option<Value> {
    Some(json!({ "topic": "str", "args": [trades::frame_row(world, trade)?] }))
}

/// A quote with these fields.
pub(crate) fn quote(
    world: &World,
    (key, conid): (&str, i64),
    fields: &BTreeSet<String>,
) -> Map<String, Value> {
    let mut fields: Vec<String> = fields.iter().cloned().collect();
    fields.push("_updated".to_owned());
    let mut frame = Map::new();
    frame.insert("topic".to_owned(), json!(format!("smd+{key}")));
    if let Value::Object(row) = snapshot::row(world, conid, key, &fields) {
        frame.extend(row);
    }
    frame
}

/// Only the ids.
fn mark(order: &Order) -> Value {
    json!({
        "orderId": order.id, "conid": order.conid, "conidex": order.conidex, "isEventTrading": "0",
    })
}

fn status_of(world: &World, order: &Order) -> Value {
    let shown = world.show(order, Place::Push);
    let order = shown.order.as_ref();
    let (bg, fg) = order.status.colours();
    let mut row = json!({
        "acct": order.account,
        "orderId": order.id,
        "status": shown.word,
        "bgColor": bg,
        "fgColor": fg,
    });
    if matches!(order.status, Status::Submitted | Status::Cancelled) {
        row["order_ccp_status"] = json!(order_row::ccp_word(&shown));
    }
    if let Some(reason) = order.reason.as_ref().filter(|_| order.status == Status::Cancelled) {
        row["order_cancellation_by_system_reason"] = json!(reason);
    }
    row
}

fn fill_of(world: &World, order: &Order) -> Option<Value> {
    let of = world.universe.of(order)?;
    let shown = world.show(order, Place::Push);
    let order = shown.order.as_ref();
    let mut row = json!({
        "acct": order.account,
        "orderId": order.id,
        "filledQuantity": order.filled,
        "remainingQuantity": order.left(),
        "sizeAndFills": order.size_and_fills(),
        "avgPrice": of.show(order.avg_price),
        "lastExecutionTime": utc(order.changed_ms, "%y%m%d%H%M%S"),
        "lastExecutionTime_r": order.changed_ms,
    });
    if order.status == Status::Filled || shown.is_masked() {
        let (bg, fg) = order.status.colours();
        row["status"] = json!(shown.word);
        row["order_ccp_status"] = json!(order_row::ccp_word(&shown));
        (row["bgColor"], row["fgColor"]) = (json!(bg), json!(fg));
    }
    Some(row)
}
