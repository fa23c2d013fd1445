//! Holds what was really sent against the limits that were set: what goes without a person, what an order may be
//! worth, and that what closes a position never goes through zero. Pure.

use std::collections::BTreeMap;

use ibd::orders::{IntentId, IntentState as State, Size};
use ibd_protocol::ReasonCode;
use serde_json::Value;

use crate::check::{Findings, Remains, Told, id_of};
use crate::plan::{HELD, Kind, Plan, Wish};
use crate::truth::rows;

/// Milliseconds from the last look to the acceptance, at most.
const LATELY: f64 = 100.0;

/// All of them.
pub fn hold(
    plan: &Plan,
    told: &BTreeMap<IntentId, Told>,
    remains: &Remains,
    findings: &mut Findings,
) {
    nobody_is_passed_over(plan, told, remains, findings);
    values_are_kept(plan, told, remains, findings);
    closes_end_at_zero(plan, told, remains, findings);
}

/// What is worth more than an order may be was not sent, and nothing else was refused for it.
fn values_are_kept(
    plan: &Plan,
    told: &BTreeMap<IntentId, Told>,
    remains: &Remains,
    findings: &mut Findings,
) {
    let Some(limit) = plan.max_value.map(|limit| limit as f64) else { return };
    let value = |quantity: f64, price: f64| quantity * price / plan.magnifier.unwrap_or(1) as f64;
    let number = |row: &Value, name: &str| row[name].as_f64().unwrap_or_default();
    for row in rows(&remains.orders, "orders").iter().filter(|row| is_of(row, told)) {
        let worth = value(number(row, "quantity"), number(row, "price"));
        if worth > limit {
            findings.wrong.push(format!("B5: worth {worth}, the limit is {limit}: {row}"));
        }
    }
    for one in told.values() {
        let State::Denied(denial) = one.last() else { continue };
        let wish = plan.wishes.iter().find(|wish| is_for(one, wish));
        let worth = wish.map(|wish| value(wish.quantity as f64, wish.price.parse().unwrap()));
        if denial.code.is(ReasonCode::OverMaxValue) && worth.is_none_or(|worth| worth <= limit) {
            let id = one.intent.id;
            findings.wrong.push(format!("B5: {id}, worth {worth:?}: {}", denial.message));
        }
    }
}

/// Whether an order is of this run: behind a gateway the simulator has those of others, too.
fn is_of(row: &Value, told: &BTreeMap<IntentId, Told>) -> bool {
    id_of(row).is_some_and(|id| told.contains_key(&id))
}

/// Whether an intent is for what somebody wished; quantities of one run are all different.
fn is_for(one: &Told, wish: &Wish) -> bool {
    let size = one.intent.order.as_ref().map(|order| &order.size);
    matches!(size, Some(Size::Quantity(quantity)) if quantity.get() == wish.quantity.into())
}

/// What closes a position is for what is held when it is sent, whatever a person sold before.
fn closes_end_at_zero(
    plan: &Plan,
    told: &BTreeMap<IntentId, Told>,
    remains: &Remains,
    findings: &mut Findings,
) {
    // Behind a gateway earlier runs have bought and sold.
    if remains.is_outside || !plan.wishes.iter().any(|wish| wish.kind == Kind::Close) {
        return;
    }
    /// Milliseconds from a look at the positions to the acceptance, at most.
    const AT_MOST: f64 = 300.0;
    let all = rows(&remains.orders, "orders");
    let number = |row: &Value, name: &str| row[name].as_f64().unwrap_or_default();
    let is_over = |row: &Value| {
        ["Cancelled", "Inactive", "Filled"].iter().any(|status| row["status"] == *status)
    };
    let is_close = |row: &&Value| is_of(row, told) && row["side"] == "SELL";
    for row in all.iter().filter(is_close) {
        let sent_at = number(row, "acceptedMs");
        let is_before = |other: &&Value| {
            other["orderId"] != row["orderId"] && number(other, "acceptedMs") + AT_MOST < sent_at
        };
        let own = all.iter().filter(is_close).filter(is_before).map(|row| number(row, "filled"));
        let sold = remains.deeds.iter().filter(|done| done.what == "sold");
        let sold = sold.filter(|done| done.at_ms as f64 + AT_MOST < sent_at);
        let gone: f64 = own.chain(sold.map(|done| number(&done.row, "quantity"))).sum();
        let held = HELD as f64 - gone;
        let most = if is_over(row) { number(row, "filled") } else { number(row, "quantity") };
        if most > held {
            findings.wrong.push(format!("B4: {held} were held when this was sent: {row}"));
        }
    }
}

/// What is worth more than goes without a person was not sent without one. The value is that of the fill, where the
/// market had moved long before the order went.
fn nobody_is_passed_over(
    plan: &Plan,
    told: &BTreeMap<IntentId, Told>,
    remains: &Remains,
    findings: &mut Findings,
) {
    /// By so many the clock goes back when the market jumps.
    const BACK: i64 = 30_000;
    let Some(above) = plan.above else { return };
    let Some(moved) = remains.deeds.iter().find(|done| done.what == "market jumped") else {
        return;
    };
    for row in rows(&remains.orders, "orders") {
        let Some(one) = id_of(row).and_then(|id| told.get(&id)) else { continue };
        let number = |name: &str| row[name].as_f64().unwrap_or_default();
        let value = number("filled") * number("avgPrice");
        let is_late = number("acceptedMs") > moved.at_ms as f64 + LATELY;
        let was_asked = one.steps.iter().any(|(.., state)| matches!(state, State::Awaiting(_)));
        // What was asked for after the clock had gone back may rest on a look from just before.
        let was_waiting = one.intent.created_at.as_millisecond() > moved.at_ms - BACK / 2;
        if is_late && was_waiting && value > above as f64 && !was_asked {
            findings.wrong.push(format!(
                "B1: {} was sent, worth {value}, and nobody was asked: {row}",
                one.intent.id
            ));
        }
    }
}
