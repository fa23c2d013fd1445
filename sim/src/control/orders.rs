//! The control API's part about orders: what is there, and what shall become of it.

use serde::Deserialize;
use serde_json::{Value, json};

use super::with_body;
use crate::book::{Order, Origin, Placement, Trail};
use crate::http::Reply;
use crate::state::World;
use crate::trading::{Chaos, ChaosBody, ScriptBody, Telling};

/// Body of `POST /market`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MarketBody {
    conid: i64,
    last: f64,
}

/// Body of `POST /fill`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FillBody {
    order_id: Option<i64>,
    #[serde(rename = "cOID")]
    client_id: Option<String>,
    /// Everything that is left if missing.
    quantity: Option<f64>,
    /// The order's own price, or the market's, if missing.
    price: Option<f64>,
    /// The websocket does not tell of it.
    #[serde(default)]
    silent: bool,
}

/// Body of `POST /hide`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HideBody {
    order_id: i64,
    hidden: bool,
}

/// Answers requests about orders; `None` for any other.
pub(super) fn answer(world: &mut World, method: &str, path: &str, body: &[u8]) -> Option<Reply> {
    Some(match (method, path) {
        ("GET", "/orders") => list(world),
        ("GET", "/placements") => placements(world),
        ("GET", "/chaos") => Reply::json(&world.chaos.report()),
        ("POST", "/chaos") => with_body(body, |rules: ChaosBody| {
            world.chaos = Chaos::new(rules);
            json!({ "ok": true })
        }),
        ("POST", "/script") => with_body(body, |mut script: ScriptBody| {
            world.rounds.scripts.append(&mut script.orders);
            json!({ "ok": true, "waiting": world.rounds.scripts.len() })
        }),
        ("POST", "/market") => market(world, body),
        ("POST", "/fill") => fill(world, body),
        ("POST", "/hide") => with_body(body, |body: HideBody| {
            world.book.hide(body.order_id, body.hidden);
            json!({ "ok": true })
        }),
        ("POST", "/night") => {
            world.end_the_day(i64::MAX);
            Reply::json(&json!({ "ok": true }))
        }
        _ => return None,
    })
}

fn list(world: &World) -> Reply {
    let rows: Vec<Value> = world.book.orders.values().map(row).collect();
    Reply::json(&json!({ "count": rows.len(), "orders": rows }))
}

/// Whether the websocket tells of what a test does.
pub(super) fn telling(is_silent: bool) -> Telling {
    if is_silent { Telling::Silent } else { Telling::Pushed }
}

/// An order as it truly is, or the error that there is none.
pub(super) fn truth(world: &World, id: i64) -> Reply {
    world.book.order(id).map_or_else(
        || Reply::error(400, "there is no such order"),
        |order| Reply::json(&row(order)),
    )
}

fn row(order: &Order) -> Value {
    let trail = order.trail.map(|trail| match trail {
        Trail::Amount(amount) => json!({ "amount": amount, "unit": "amt" }),
        Trail::Percent(percent) => json!({ "amount": percent, "unit": "%" }),
    });
    json!({
        "orderId": order.id,
        "cOID": order.client_id,
        "account": order.account,
        "conid": order.conid,
        "side": if order.is_buy { "BUY" } else { "SELL" },
        "quantity": order.quantity,
        "status": order.status.word(),
        "filled": order.filled,
        "avgPrice": order.avg_price,
        "parentId": order.parent,
        "acceptedMs": order.entered_ms,
        "type": order.kind.ticket_word(),
        "price": order.limit,
        "stopPrice": order.stop,
        "trail": trail,
        "tif": order.tif,
        "outsideRTH": order.outside_rth,
        "group": order.group,
        "cancelIgnored": order.is_stuck,
    })
}

fn placements(world: &World) -> Reply {
    let row = |placement: &Placement| {
        let order = world.book.order(placement.order)?;
        Some(json!({
            "orderId": order.id,
            "cOID": order.client_id,
            "account": order.account,
            "conid": order.conid,
            "side": if order.is_buy { "BUY" } else { "SELL" },
            "quantity": order.quantity,
            "acceptedMs": placement.at_ms,
            "zombie": placement.origin == Origin::Zombie,
            "by": if placement.origin == Origin::Tws { "tws" } else { "api" },
        }))
    };
    let rows: Vec<Value> = world.book.placements.iter().filter_map(row).collect();
    Reply::json(&json!({ "count": rows.len(), "placements": rows, "risen": world.rounds.risen }))
}

fn market(world: &mut World, body: &[u8]) -> Reply {
    let body: MarketBody = match serde_json::from_slice(body) {
        Ok(body) => body,
        Err(error) => return Reply::error(400, &error.to_string()),
    };
    let may_be = body.last > 0.0 || world.masks.may_be_negative(body.conid);
    if world.universe.get(body.conid).is_none() || !may_be {
        return Reply::error(400, "there is no such contract, or the price is not above zero");
    }
    let now = world.clock.now_ms();
    world.market.pin(body.conid, now, body.last);
    world.trade();
    Reply::json(&json!({ "ok": true, "conid": body.conid, "last": body.last }))
}

fn fill(world: &mut World, body: &[u8]) -> Reply {
    let body: FillBody = match serde_json::from_slice(body) {
        Ok(body) => body,
        Err(error) => return Reply::error(400, &error.to_string()),
    };
    let by_name = || world.find(body.client_id.as_deref()?);
    // A cancelled one may fill late.
    let has_more = |id: &i64| world.book.order(*id).is_some_and(|order| order.left() > 0.0);
    let Some(id) = body.order_id.or_else(by_name).filter(has_more) else {
        return Reply::error(400, "there is no such order, or nothing left of it");
    };
    let price = body.price.unwrap_or_else(|| world.own_price(id));
    let size = body.quantity.unwrap_or(f64::INFINITY);
    world.fill_and(id, (size, price), telling(body.silent));
    truth(world, id)
}
