//! Orders are changed and cancelled.

use serde_json::json;

use super::{place, unknown_account};
use crate::book::{Order, Status};
use crate::http::{Call, Reply};
use crate::state::World;

pub(super) fn route(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    let ["iserver", "account", account, "order", id] = path else { return None };
    Some(match call.method.as_str() {
        "POST" => modify(world, call, (account, id)),
        "DELETE" => cancel(world, call, (account, id)),
        _ => return None,
    })
}

/// `POST /iserver/account/{account}/order/{id}` with a single ticket, all of it.
fn modify(world: &mut World, call: &Call, (account, id): (&str, &str)) -> Reply {
    if !world.takes_orders(account) {
        return unknown_account(account);
    }
    let order = match find(world, account, id) {
        Ok(order) => order.id,
        Err(refusal) => return refusal,
    };
    match world.modify(account, order, &call.body) {
        Ok(answer) => place::show(world, answer),
        Err(refusal) => refusal,
    }
}

/// `DELETE /iserver/account/{account}/order/{id}`; `-1` is every open order of the account.
fn cancel(world: &mut World, call: &Call, (account, id): (&str, &str)) -> Reply {
    if !world.takes_orders(account) {
        return unknown_account(account);
    }
    if id == "-1" {
        world.give_up();
        let all = world.cancellable(account);
        return world.cancel_all(&all).unwrap_or_else(|| Reply::json(&submitted(-1, None)));
    }
    let order = match find(world, account, id) {
        Ok(order) => order.clone(),
        Err(refusal) => return refusal,
    };
    let is_future = world.universe.of(&order).is_some_and(|of| of.is("FUT") || of.is("FOP"));
    if is_future && call.param("manualIndicator").is_none() {
        return Reply::bad_request("manualIndicator is required");
    }
    world.give_up();
    let one = [order.id];
    let orders = if order.can_be_cancelled() { &one[..] } else { &[] };
    let told = world.cancel_all(orders);
    told.unwrap_or_else(|| Reply::json(&submitted(order.id, Some(&order))))
}

/// An acknowledgement, not a cancellation.
fn submitted(id: i64, order: Option<&Order>) -> serde_json::Value {
    json!({
        "msg": "Request was submitted",
        "order_id": id,
        "conid": order.map_or(-1, |order| order.conid),
        "account": order.map(|order| order.account.as_str()),
    })
}

/// An open order of this account. What is over is 400, what never was is 200.
fn find<'a>(world: &'a World, account: &str, id: &str) -> Result<&'a Order, Reply> {
    let unknown = |status: u16| Reply::error(status, &format!("OrderID {id} doesn't exist"));
    let order = id.parse().ok().and_then(|id| world.book.order(id));
    let order = order.filter(|order| order.account == account).ok_or_else(|| unknown(200))?;
    match order.status {
        Status::Inactive if !world.book.open.contains(&order.id) => {
            Err(Reply::error(400, "Order is inactive"))
        }
        status if status.is_final() => Err(unknown(400)),
        _ => Ok(order),
    }
}
