//! Reading orders: the list with its cold feed, and one order's status.

use serde_json::{Value, json};

use super::{order_row, trades, unknown_account};
use crate::book::Order;
use crate::http::{Call, Reply};
use crate::state::World;
use crate::trading::Place;

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

/// The first call of a session and every `force=true` start the feed and see nothing of it. Filters
/// silence the websocket's feed until the next `force=true`.
fn list(world: &mut World, call: &Call) -> Reply {
    let filters = call.list("filters");
    if filters.iter().any(|f| !FILTERS.contains(f)) {
        return Reply::empty(500);
    }
    let account = call.param("accountId");
    if let Some(id) = account.filter(|id| !world.takes_orders(id)) {
        return unknown_account(id);
    }
    let (now, is_forced) = (world.now(), call.flag("force"));
    let primed = &mut world.session.primed;
    primed.is_silenced = (primed.is_silenced || !filters.is_empty()) && !is_forced;
    let since = primed.orders_since.filter(|_| !is_forced);
    let warm = since.is_some_and(|at| now - at >= world.rules.orders_warm_millis);
    if since.is_none() {
        primed.orders_since = Some(now);
    }
    let name = account.map_or_else(|| world.followed(), str::to_owned);
    if !warm {
        return Reply::json(&json!({ "orders": [], "snapshot": false }));
    }
    let names = world.covered(&name);
    let seen_ms = world.clock.now_ms() - world.rules.orders_stale_millis;
    let shown = world.book.list(seen_ms).values();
    let shown = shown.filter(|o| names.contains(&o.account) && passes(o, &filters)).cloned();
    let shown: Vec<Order> = shown.collect();
    let shown = shown.iter().filter(|o| !world.book.is_past(o.id));
    let rows: Vec<Value> = shown.filter_map(|o| order_row::full(world, o, Place::List)).collect();
    Reply::json(&json!({ "orders": rows, "snapshot": true }))
}

fn passes(order: &Order, filters: &[&str]) -> bool {
    let mut wanted = filters.iter().filter(|f| **f != "sort_by_time").peekable();
    wanted.peek().is_none()
        || wanted.any(|f| f.replace('_', "").eq_ignore_ascii_case(order.status.word()))
}

/// Only orders of the account or group that is selected are found; for anything else the broker takes its time to say no.
fn status(world: &World, id: &str) -> Reply {
    let names = world.covered(&world.followed());
    let found = id.parse().ok().and_then(|id| world.book.shown(id));
    let found = found.filter(|o| names.contains(&o.account));
    match found.and_then(|order| order_row::details(world, order)) {
        Some(details) => Reply::json(&details),
        None => Reply::refusal(503, &format!("Order {id} is not found"))
            .delayed(world.rules.order_status_miss_millis),
    }
}
