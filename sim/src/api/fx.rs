//! Currencies: pairs and rates.

use serde_json::{Value, json};

use crate::http::{Call, Reply};
use crate::instruments::Instrument;
use crate::market::round_to;
use crate::state::World;

/// `GET /iserver/currency/pairs?currency=USD`.
pub(super) fn pairs(world: &World, call: &Call) -> Reply {
    let Some(currency) = call.param("currency") else {
        return Reply::bad_request("currency is required");
    };
    let trades = |i: &&Instrument| i.is("CASH") && (i.symbol == currency || i.currency == currency);
    let row = |i: &Instrument| {
        let other = if i.symbol == currency { &i.currency } else { &i.symbol };
        json!({ "symbol": i.name, "conid": i.conid, "ccyPair": other })
    };
    let rows: Vec<Value> = world.universe.iter().filter(trades).map(row).collect();
    Reply::json(&json!({ currency: rows }))
}

/// `GET /iserver/exchangerate?source=USD&target=EUR`.
pub(super) fn rate(world: &World, call: &Call) -> Reply {
    let (Some(source), Some(target)) = (call.param("source"), call.param("target")) else {
        return Reply::bad_request("source and target are required");
    };
    match world.rate(source, target) {
        Some(rate) => Reply::json(&json!({ "rate": round_to(rate, 8) })),
        None => Reply::error(500, "No exchange rate"),
    }
}
