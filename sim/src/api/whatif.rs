//! The preview of an order: what it would cost, and what would be left.

use serde_json::{Value, json};

use super::summary::grouped;
use super::unknown_account;
use crate::http::{Call, Reply};
use crate::instruments::Instrument;
use crate::state::World;
use crate::trading::{Cost, Ticket, commission};
use crate::value::{INITIAL, MAINTENANCE};

/// Said when nobody asked for quotes of the contract in this session.
const BLIND: &str = "21/You are trying to submit an order without having market data for this instrument. IB strongly recommends against this kind of blind trading which may result in erroneous or unexpected trades.";

/// `POST /iserver/account/{account}/orders/whatif`, with the body of a placement.
pub(super) fn answer(world: &World, call: &Call, account: &str) -> Reply {
    let Some(orders) = call.body.get("orders").and_then(Value::as_array) else {
        return Reply::bad_request("orders are required");
    };
    if world.tradable(account).is_none() {
        return unknown_account(account);
    }
    let reply = match world.read(account, orders) {
        Ok(tickets) => tickets.first().and_then(|ticket| preview(world, account, ticket)),
        Err(refusal) => return refusal,
    };
    let reply = reply.unwrap_or_else(|| Reply::error(500, "Details currently unavailable"));
    reply.delayed(world.rules.whatif_millis)
}

fn preview(world: &World, account: &str, ticket: &Ticket) -> Option<Reply> {
    let contract = &ticket.contract;
    let of = world.universe.contract(contract.conid, &contract.legs)?;
    let touch = world.touch(contract.conid, &contract.legs)?;
    let cost = world.cost(account, ticket)?;
    let price = ticket.prices.limit.or(ticket.prices.stop).unwrap_or(touch.last);
    let is_blind = !world.session.primed.streams.contains_key(&contract.conid);
    let warn = is_blind.then_some(BLIND);
    if cost.is_beyond() {
        return Some(Reply::json(&blocked(&of, (world.units(ticket), price), &cost, warn)));
    }
    Some(Reply::json(&allowed(&of, (world.units(ticket), price), &cost, warn)))
}

/// `2,715.50`
fn money(amount: f64) -> String {
    let cents = (amount * 100.0).round() / 100.0;
    let text = format!("{:.2}", cents.fract().abs());
    let whole = grouped(cents.trunc());
    format!("{whole}.{}", text.split_once('.').map_or("00", |(_, part)| part))
}

/// `2,715.50 USD (10 Shares)`
fn amount(of: &Instrument, units: f64, price: f64) -> String {
    let what = if of.is("STK") { "Shares" } else { "Contracts" };
    format!("{} {} ({units} {what})", money(units * price * of.size()), of.currency)
}

fn allowed(of: &Instrument, (units, price): (f64, f64), cost: &Cost, warn: Option<&str>) -> Value {
    let fee = commission(of, units, price);
    let total = units * price * of.size() + fee;
    let growth = cost.initial_after - cost.initial_before;
    let maintenance = cost.initial_before * MAINTENANCE / INITIAL;
    let more = growth * MAINTENANCE / INITIAL;
    let moved = |now: f64, change: f64| {
        json!({
            "current": grouped(now), "change": grouped(change), "after": grouped(now + change),
        })
    };
    json!({
        "amount": {
            "amount": amount(of, units, price),
            "commission": format!("{fee} {}", of.currency),
            "total": format!("{} {}", money(total), of.currency),
        },
        "equity": moved(cost.equity, -fee),
        "initial": moved(cost.initial_before, growth),
        "maintenance": moved(maintenance, more),
        "position": {
            "current": cost.held.to_string(),
            "change": (cost.held_after - cost.held).to_string(),
            "after": cost.held_after.to_string(),
        },
        "warn": warn,
        "error": null,
    })
}

fn blocked(of: &Instrument, (units, price): (f64, f64), cost: &Cost, warn: Option<&str>) -> Value {
    let currency = &cost.currency;
    let error = format!(
        "Available converted to base: {:.2} {currency} Cash needed for this order and other pending orders: {:.2} {currency}",
        cost.available, cost.cash
    );
    json!({
        "amount": { "amount": amount(of, units, price), "commission": "NA", "total": "NA" },
        "equity": null,
        "initial": null,
        "maintenance": null,
        "position": null,
        "warn": warn,
        "error": error,
    })
}
