//! Finding contracts: the search, and the lists by symbol.

use serde_json::{Map, Value, json};

use crate::http::{Call, Reply};
use crate::instruments::Instrument;
use crate::state::World;

pub(super) fn route(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    Some(match (call.method.as_str(), path) {
        ("GET" | "POST", ["iserver", "secdef", "search"]) => search(world, call),
        ("GET", ["trsrv", "stocks"]) => stocks(world, call),
        ("GET", ["trsrv", "futures"]) => futures(world, call),
        ("GET", ["trsrv", "all-conids"]) => all_conids(world, call),
        _ => return None,
    })
}

/// Finds by symbol, or by a part of the name; finding by symbol primes strikes and derivatives' quotes.
fn search(world: &mut World, call: &Call) -> Reply {
    let Some(symbol) = call.either("symbol") else {
        return Reply::bad_request("symbol is required");
    };
    let kind = call.either("secType").unwrap_or_else(|| "STK".to_owned());
    let by_name = call.either("name").is_some_and(|v| v == "true");
    let wanted = |i: &&Instrument| {
        let kinds: &[&str] = if kind == "STK" { &["STK", "IND"] } else { &["IND"] };
        let named = i.name.to_uppercase().contains(&symbol.to_uppercase());
        kinds.contains(&i.sec_type.as_str())
            && if by_name { named } else { i.symbol.eq_ignore_ascii_case(&symbol) }
    };
    let searchable = ["STK", "IND"].contains(&kind.as_str());
    let found: Vec<&Instrument> =
        world.universe.iter().filter(|i| searchable && wanted(i)).collect();
    if found.is_empty() {
        return Reply::json(&json!({ "error": "No symbol found" }));
    }
    let mut rows: Vec<Value> =
        found.iter().map(|i| if by_name { name_row(i) } else { row(world, i) }).collect();
    let conids: Vec<i64> = found.iter().map(|i| i.conid).collect();
    if !by_name && found.iter().any(|i| i.is("STK") && i.is_us()) {
        rows.push(bonds(&found));
    }
    remember(world, &conids, by_name);
    Reply::json(&json!(rows))
}

/// Any search by name makes strikes come back empty afterwards, so it forgets instead.
fn remember(world: &mut World, conids: &[i64], by_name: bool) {
    let searched = &mut world.session.primed.searched;
    for conid in conids {
        if by_name {
            searched.remove(conid);
        } else {
            searched.insert(*conid);
        }
    }
}

fn name_row(of: &Instrument) -> Value {
    json!({
        "conid": of.conid.to_string(), "companyHeader": format!("{} - {}", of.name, of.exchange),
        "companyName": of.name, "symbol": of.symbol,
    })
}

fn row(world: &World, of: &Instrument) -> Value {
    json!({
        "conid": of.conid.to_string(),
        "companyHeader": format!("{} - {}", of.name, of.exchange),
        "companyName": of.name,
        "symbol": of.symbol,
        "description": of.exchange,
        "restricted": if of.is_us() || !of.is("STK") { Value::Null } else { json!("STK") },
        "sections": sections(world, of),
    })
}

fn sections(world: &World, of: &Instrument) -> Vec<Value> {
    let mut all = vec![json!({ "secType": of.sec_type })];
    let mut add = |kind: &str, exchange: String| {
        let months = world.universe.months(of.conid, kind);
        if !months.is_empty() {
            let months = months.join(";");
            all.push(json!({ "secType": kind, "months": months, "exchange": exchange }));
        }
    };
    add("OPT", of.option_exchanges().replace(',', ";"));
    add("FUT", format!("{};", of.exchange));
    add("FOP", of.exchange.clone());
    if of.is("STK") && of.is_us() {
        all.push(json!({ "secType": "CFD", "exchange": "SMART", "conid": (of.conid + 120_000_000).to_string() }));
        all.push(json!({ "secType": "BAG" }));
    }
    all
}

/// The stub behind US companies, with the conid that is no conid.
fn bonds(found: &[&Instrument]) -> Value {
    let name = found.first().map_or("", |i| i.name.as_str());
    json!({
        "issuers": [{ "id": "e1400001", "name": name }], "bondid": 4, "conid": "2147483647",
        "companyHeader": "Corporate Fixed Income", "companyName": null, "symbol": null, "description": null,
        "restricted": null, "sections": [{ "secType": "BOND" }],
    })
}

/// By company, then by listing. Small letters find nothing.
fn stocks(world: &World, call: &Call) -> Reply {
    let mut map = Map::new();
    for symbol in call.list("symbols") {
        map.insert(symbol.to_owned(), json!(companies(world, symbol)));
    }
    if map.is_empty() {
        return Reply::bad_request("symbols are required");
    }
    Reply::json(&Value::Object(map))
}

fn companies(world: &World, symbol: &str) -> Vec<Value> {
    let mut companies: Vec<(&Instrument, Vec<Value>)> = Vec::new();
    for listing in world.universe.iter().filter(|i| i.is("STK") && i.symbol == symbol) {
        let contract = json!({ "conid": listing.conid, "exchange": listing.exchange, "isUS": listing.is_us() });
        match companies.iter_mut().find(|(first, _)| first.name == listing.name) {
            Some((_, contracts)) => contracts.push(contract),
            None => companies.push((listing, vec![contract])),
        }
    }
    let show = |(first, contracts): (&Instrument, Vec<Value>)| {
        json!({
            "name": first.name, "chineseName": first.chinese, "assetClass": "STK", "contracts": contracts,
        })
    };
    companies.into_iter().map(show).collect()
}

/// Dates as integers, and not in order.
fn futures(world: &World, call: &Call) -> Reply {
    let mut map = Map::new();
    for symbol in call.list("symbols") {
        let root = world.universe.iter().find(|i| i.symbol == symbol && !i.futures.is_empty());
        let contracts =
            root.into_iter().flat_map(|root| world.universe.derivatives(root.conid, "FUT"));
        let mut rows: Vec<Value> = contracts.filter_map(future_row).collect();
        rows.reverse();
        map.insert(symbol.to_owned(), json!(rows));
    }
    if map.is_empty() {
        return Reply::bad_request("symbols are required");
    }
    Reply::json(&Value::Object(map))
}

fn future_row(of: &Instrument) -> Option<Value> {
    let expiry = of.derivative.as_ref()?.expiry;
    let number = |day: jiff::civil::Date| {
        i64::from(day.year()) * 10_000 + i64::from(day.month()) * 100 + i64::from(day.day())
    };
    let (last, eve) = (number(expiry), number(expiry.yesterday().unwrap_or(expiry)));
    Some(json!({
        "symbol": of.symbol, "conid": of.conid, "underlyingConid": of.underlying(), "expirationDate": last,
        "ltd": eve, "shortFuturesCutOff": eve, "longFuturesCutOff": eve,
    }))
}

fn all_conids(world: &World, call: &Call) -> Reply {
    let Some(exchange) = call.param("exchange") else {
        return Reply::bad_request("exchange is required");
    };
    let listed = world.universe.iter().filter(|i| i.is("STK") && i.exchange == exchange);
    let rows: Vec<Value> = listed
        .map(|i| json!({ "ticker": i.symbol, "conid": i.conid, "exchange": i.exchange }))
        .collect();
    Reply::json(&json!(rows))
}
