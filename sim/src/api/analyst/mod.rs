//! Portfolio Analyst: performance of a period, of all periods, and what was dealt in a contract. Needs only
//! the web login. The figures are those of Flex statements, with today as the portfolio has it.

mod curve;
mod performance;
mod transactions;

use jiff::civil::Date;
use serde_json::{Map, Value};

use super::unknown_account;
use crate::http::{Call, Reply};
use crate::state::World;

pub(super) fn route(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    let answer = match (call.method.as_str(), path) {
        ("POST", ["pa", "performance"]) => performance::of_period(world, call),
        ("POST", ["pa", "allperiods"]) => performance::of_all_periods(world, call),
        ("POST", ["pa", "transactions"]) => transactions::answer(world, call),
        _ => return None,
    };
    Some(answer.unwrap_or_else(|refusal| refusal))
}

/// The body, if all its keys are known: the broker ignores others, which here is a mistake.
fn body<'a>(call: &'a Call, known: &[&str]) -> Result<&'a Map<String, Value>, Reply> {
    let Value::Object(body) = &call.body else {
        return Err(Reply::bad_request("acctIds are required"));
    };
    match body.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(Reply::bad_request(&format!("unknown field {key}"))),
        None => Ok(body),
    }
}

/// The accounts that a request is about, each of which exists.
fn accounts(world: &World, body: &Map<String, Value>) -> Result<Vec<String>, Reply> {
    let ids = body.get("acctIds").and_then(Value::as_array).into_iter().flatten();
    let ids: Option<Vec<String>> = ids.map(|id| id.as_str().map(str::to_owned)).collect();
    let ids = ids.unwrap_or_default();
    if ids.is_empty() {
        return Err(Reply::bad_request("acctIds are required"));
    }
    match ids.iter().find(|id| world.account(id).is_none()) {
        Some(unknown) => Err(unknown_account(unknown)),
        None => Ok(ids),
    }
}

/// The currency in which the first of these accounts is kept.
fn base<'a>(world: &'a World, ids: &[String]) -> &'a str {
    let first = ids.first().and_then(|id| world.account(id));
    first.map_or("USD", |account| account.currency.as_str())
}

/// `20261102`.
fn digits(day: Date) -> String {
    day.strftime("%Y%m%d").to_string()
}

/// Days from one to another, both counted.
fn count(from: Date, to: Date) -> i64 {
    from.until(to).map_or(0, |span| i64::from(span.get_days())) + 1
}
