//! Security definitions as `/trsrv/secdef` and the positions show them.

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use crate::http::{Call, Reply};
use crate::instruments::Instrument;
use crate::state::World;

/// The most conids one request may name.
const MOST: usize = 200;

/// `GET /trsrv/secdef?conids=` and `POST /trsrv/secdef {"conids":[…]}`.
pub(super) fn answer(world: &World, call: &Call) -> Reply {
    let conids = wanted(call);
    if conids.is_empty() {
        return missing();
    }
    if conids.len() > MOST {
        return Reply::bad_request("too many conids");
    }
    let found: Vec<Value> = conids
        .iter()
        .filter_map(|c| world.universe.get(*c))
        .map(|i| {
            let mut row = contract(i);
            world.masks.definition(i.conid, &mut row);
            Value::Object(row)
        })
        .collect();
    if found.is_empty() {
        return Reply::empty(204);
    }
    Reply::json(&json!({ "secdef": found }))
}

fn wanted(call: &Call) -> Vec<i64> {
    let from_body = call.body.get("conids").and_then(Value::as_array).into_iter().flatten();
    let numbers = from_body.filter_map(|v| v.as_i64().or_else(|| v.as_str()?.parse().ok()));
    numbers.chain(call.list("conids").into_iter().filter_map(|text| text.parse().ok())).collect()
}

/// This endpoint alone complains in the problem+json form.
fn missing() -> Reply {
    let invalid = json!([{ "field": "conids", "description": "required" }]);
    Reply::status_json(
        400,
        &json!({
            "type": "/invalid-argument", "title": "Bad Request", "status": 400,
            "detail": "Input validation failed", "invalidArguments": invalid,
        }),
    )
}

/// `20270115`, or null.
pub(super) fn expiry(of: &Instrument) -> Value {
    json!(of.derivative.as_ref().map(|d| day(d.expiry)))
}

fn day(of: Date) -> String {
    of.strftime("%Y%m%d").to_string()
}

/// The strike as text; `"0"` for what has none.
pub(super) fn strike_text(of: &Instrument) -> Value {
    let strike = of.derivative.as_ref().and_then(|d| d.option).map_or(0.0, |(_, strike)| strike);
    json!(strike.to_string())
}

/// The contract half.
pub(super) fn contract(of: &Instrument) -> Map<String, Value> {
    let derived = of.derivative.is_some();
    let option = of.derivative.as_ref().and_then(|d| d.option);
    let row = json!({
        "conid": of.conid,
        "currency": of.currency,
        "time": 43,
        "chineseName": of.chinese,
        "allExchanges": of.valid_exchanges().replace("SMART,", ""),
        "listingExchange": if of.is("OPT") { Value::Null } else { json!(of.exchange) },
        "countryCode": if of.country.is_empty() { Value::Null } else { json!(of.country) },
        "name": of.name,
        "assetClass": of.sec_type,
        "expiry": expiry(of),
        "lastTradingDay": of.derivative.as_ref().map(|d| day(d.last_day())),
        "group": of.group,
        "putOrCall": option.map(|(right, _)| right.letter()),
        "sector": of.sector,
        "sectorGroup": of.group,
        "strike": strike_text(of),
        "ticker": of.symbol,
        "undConid": of.underlying(),
        "multiplier": of.multiplier,
        "type": of.class,
        "hasOptions": of.options,
        "fullName": if derived { full_name(of) } else { of.symbol.clone() },
        "isUS": of.is_us(),
        "incrementRules": [{ "lowerEdge": 0.0, "increment": of.tick }],
        "displayRule": {
            "magnification": 0,
            "displayRuleStep": [{ "decimalDigits": of.decimals(), "lowerEdge": 0.0, "wholeDigits": 4 }],
        },
        "isEventContract": false,
        "pageSize": 100,
    });
    match row {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// The description without what stands in brackets, and with single spaces.
fn full_name(of: &Instrument) -> String {
    let description = of.description();
    let head = description.split('[').next().unwrap_or_default();
    head.split_whitespace().collect::<Vec<_>>().join(" ")
}
