//! Finding contracts: search, strikes, info, and the lists by symbol.

use serde_json::{Map, Value, json};

use super::details_unavailable;
use crate::http::{Call, Reply};
use crate::instruments::{Instrument, month_code};
use crate::state::World;

pub(super) fn route(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    Some(match (call.method.as_str(), path) {
        ("GET" | "POST", ["iserver", "secdef", "search"]) => search(world, call),
        ("GET", ["iserver", "secdef", "strikes"]) => strikes(world, call),
        ("GET", ["iserver", "secdef", "info"]) => info(world, call),
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
    let (options, futures) =
        (world.universe.months(of.conid, "OPT"), world.universe.months(of.conid, "FUT"));
    if !options.is_empty() {
        all.push(
            json!({ "secType": "OPT", "months": options.join(";"), "exchange": "SMART;AMEX;CBOE" }),
        );
    }
    if !futures.is_empty() {
        all.push(json!({ "secType": "FUT", "months": futures.join(";"), "exchange": format!("{};", of.exchange) }));
    }
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

/// The underlying and month that strikes and info ask for.
struct Chain {
    conid: i64,
    kind: String,
    month: String,
}

/// `sectype` is spelled without a capital here, unlike in the search.
fn chain(call: &Call) -> Result<Chain, Reply> {
    let need = |name: &str| {
        call.param(name).ok_or_else(|| Reply::bad_request(&format!("{name} is required")))
    };
    let (conid, kind, month) = (need("conid")?, need("sectype")?, need("month")?);
    let conid = conid.parse().map_err(|_| details_unavailable())?;
    Ok(Chain { conid, kind: kind.to_owned(), month: month.to_owned() })
}

fn of_month<'a>(world: &'a World, chain: &'a Chain) -> impl Iterator<Item = &'a Instrument> {
    let in_month = |i: &&Instrument| {
        i.derivative.as_ref().is_some_and(|d| month_code(d.expiry) == chain.month)
    };
    world.universe.derivatives(chain.conid, &chain.kind).filter(in_month)
}

/// Empty unless the underlying was searched for in this session.
fn strikes(world: &World, call: &Call) -> Reply {
    let chain = match chain(call) {
        Ok(chain) => chain,
        Err(refusal) => return refusal,
    };
    let known = world.session.primed.searched.contains(&chain.conid);
    let of = |letter: &str| -> Vec<f64> {
        let options = of_month(world, &chain).filter_map(|i| i.derivative.as_ref()?.option);
        options
            .filter(|(right, _)| known && right.letter() == letter)
            .map(|(_, strike)| strike)
            .collect()
    };
    Reply::json(&json!({ "call": of("C"), "put": of("P") }))
}

fn info(world: &World, call: &Call) -> Reply {
    let chain = match chain(call) {
        Ok(chain) => chain,
        Err(refusal) => return refusal,
    };
    let Some(root) = world.universe.get(chain.conid) else { return details_unavailable() };
    let strike = call.param("strike").and_then(|s| s.parse::<f64>().ok()).unwrap_or(0.0);
    if chain.kind == "OPT" && call.param("right").is_none() {
        return Reply::bad_request("right is required");
    }
    let fits = |i: &&Instrument| match i.derivative.as_ref().and_then(|d| d.option) {
        None => true,
        Some((right, at)) => {
            call.param("right") == Some(right.letter())
                && (strike == 0.0 || (at - strike).abs() < 1e-9)
        }
    };
    let shown = |of: &Instrument| {
        let mut row = info_row(root, of);
        world.masks.details(of.conid, &mut row);
        row
    };
    let rows: Vec<Value> = of_month(world, &chain).filter(fits).map(shown).collect();
    if rows.is_empty() || !world.session.primed.searched.contains(&chain.conid) {
        return details_unavailable();
    }
    Reply::json(&json!(rows))
}

/// What tells a derivative from others of its symbol.
pub(super) fn second_description(of: &Instrument) -> String {
    let derivative = of.derivative.as_ref();
    let day = derivative
        .map(|d| d.expiry.strftime("%b %d '%y").to_string().to_uppercase())
        .unwrap_or_default();
    match derivative.and_then(|d| d.option) {
        Some((right, strike)) => {
            format!("{day} {strike} {}", if right.letter() == "C" { "Call" } else { "Put" })
        }
        None => day,
    }
}

fn info_row(root: &Instrument, of: &Instrument) -> Value {
    let option = of.derivative.as_ref().and_then(|d| d.option);
    let desc2 = second_description(of);
    json!({
        "conid": of.conid,
        "symbol": root.symbol,
        "secType": of.sec_type,
        "exchange": if option.is_some() { "SMART" } else { of.exchange.as_str() },
        "listingExchange": null,
        "right": option.map_or("?", |(right, _)| right.letter()),
        "strike": option.map_or(0.0, |(_, strike)| strike),
        "currency": of.currency,
        "cusip": null,
        "coupon": "No Coupon",
        "desc1": root.symbol,
        "desc2": desc2,
        "maturityDate": super::secdef::expiry(of),
        "multiplier": of.multiplier.to_string(),
        "tradingClass": root.symbol,
        "validExchanges": of.valid_exchanges(),
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
