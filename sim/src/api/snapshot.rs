//! Snapshots: stubs first, data later, slow fields later still.

use serde_json::{Map, Value, json};

use super::summary::grouped;
use crate::http::{Call, Reply};
use crate::instruments::{Instrument, Quality};
use crate::market::Quote;
use crate::session::Stream;
use crate::state::World;

const MOST_CONIDS: usize = 100;
const MOST_FIELDS: usize = 50;

pub(super) fn route(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    Some(match (call.method.as_str(), path) {
        ("GET", ["iserver", "marketdata", "snapshot"]) => snapshot(world, call),
        ("POST", ["iserver", "marketdata", "unsubscribe"]) => unsubscribe(world, call),
        ("GET", ["iserver", "marketdata", "unsubscribeall"]) => {
            world.session.primed.streams.clear();
            Reply::json(&json!({ "unsubscribed": true }))
        }
        _ => return None,
    })
}

fn snapshot(world: &mut World, call: &Call) -> Reply {
    let (asked, fields) = (call.list("conids"), call.list("fields"));
    if asked.is_empty() {
        return Reply::bad_request("conids are required");
    }
    if asked.len() > MOST_CONIDS || fields.len() > MOST_FIELDS {
        return Reply::bad_request("too many conids or fields");
    }
    let mut rows = Vec::new();
    for text in asked {
        let Ok(conid) = text.split('@').next().unwrap_or_default().parse::<i64>() else {
            return Reply::bad_request("conids are not valid");
        };
        let ready = subscribe(world, conid, &fields);
        rows.push(row(world, conid, text, &ready));
    }
    Reply::json(&json!(rows))
}

/// Opens or widens the stream; returns the fields that were asked for and have data by now.
fn subscribe(world: &mut World, conid: i64, fields: &[&str]) -> Vec<String> {
    let now = world.now();
    let root = world.universe.get(conid).map_or(0, Instrument::root);
    let primed = &mut world.session.primed;
    if root != 0 && !primed.searched.contains(&root) {
        return Vec::new();
    }
    let stream =
        primed.streams.entry(conid).or_insert_with(|| Stream { since: now, ..Stream::default() });
    for field in fields {
        stream.fields.entry((*field).to_owned()).or_insert(now);
    }
    let (warm, slow) = (world.rules.snapshot_warm_millis, world.rules.snapshot_slow_millis);
    let is_ready =
        |field: &String, since: i64| now - since >= if is_slow(field) { slow } else { warm };
    let wanted = |field: &String| fields.is_empty() || fields.contains(&field.as_str());
    if now - stream.since < warm || now == stream.since {
        return Vec::new();
    }
    let mut ready: Vec<String> = stream
        .fields
        .iter()
        .filter(|(f, since)| wanted(f) && is_ready(f, **since))
        .map(|(f, _)| f.clone())
        .collect();
    // Not a field: marks a stream that has data, even if none of the asked fields has.
    ready.push("_updated".to_owned());
    ready
}

/// Fundamentals, volatilities and greeks take the broker longer.
fn is_slow(field: &str) -> bool {
    field
        .parse::<u32>()
        .is_ok_and(|n| (7283..=7291).contains(&n) || (7308..=7311).contains(&n) || n == 7633)
}

/// One contract with those of its fields that have data.
pub(super) fn row(world: &World, conid: i64, asked: &str, ready: &[String]) -> Value {
    let mut row = Map::new();
    row.insert("conid".to_owned(), json!(conid));
    row.insert("conidEx".to_owned(), json!(asked));
    if ready.is_empty() {
        return Value::Object(row);
    }
    let server = format!("q{}", conid % 10);
    row.insert("_updated".to_owned(), json!(world.clock.now_ms()));
    row.insert("server_id".to_owned(), json!(server));
    row.insert("6119".to_owned(), json!(server));
    match world.universe.get(conid).filter(|i| i.quote != Quality::Unknown) {
        None => {
            row.insert("55".to_owned(), json!("-"));
            row.insert("31".to_owned(), json!("N/A"));
        }
        Some(instrument) => fill(world, instrument, ready, &mut row),
    }
    world.masks.quote(conid, ready, &mut row);
    Value::Object(row)
}

fn fill(world: &World, of: &Instrument, ready: &[String], row: &mut Map<String, Value>) {
    row.insert("6508".to_owned(), json!("&serviceID1=122&serviceID2=123"));
    let availability = match of.quote {
        Quality::Delayed => "DPB",
        Quality::None => "N",
        _ => "RpB",
    };
    row.insert("6509".to_owned(), json!(availability));
    let quote = shown(world, of);
    for field in ready {
        let known = of.quote != Quality::None || !is_price(field);
        if let Some(value) = value(world, of, &quote, field).filter(|_| known) {
            row.insert(field.clone(), value);
        }
    }
}

/// The quote as clients see it.
pub(super) fn shown(world: &World, of: &Instrument) -> Quote {
    let mut quote = world.market.quote(&world.universe, of, world.clock.now_ms());
    // Where the market is closed nothing has been traded since: the last price is the close of the day before.
    if of.quote == Quality::Closed {
        quote.last = quote.prior_close;
    }
    quote
}

/// Fields that need a market data subscription.
fn is_price(field: &str) -> bool {
    !matches!(field, "55" | "6004" | "6008" | "6070" | "6457" | "7051" | "7221" | "7184" | "7768")
}

/// One field as the broker writes it; `None` if this contract has no such field.
fn value(world: &World, of: &Instrument, quote: &Quote, field: &str) -> Option<Value> {
    let price = |value: f64| Some(json!(of.show(value)));
    let change = quote.last - quote.prior_close;
    match field {
        "31" => Some(json!(last(of, quote))),
        "55" => Some(json!(of.symbol)),
        "70" => price(quote.high),
        "71" => price(quote.low),
        "82" => price(change),
        "83" => Some(json!(format!("{:.2}", change / quote.prior_close * 100.0))),
        "84" if of.quote != Quality::Halted => price(quote.bid),
        "86" if of.quote != Quality::Halted => price(quote.ask),
        "85" if of.quote != Quality::Halted => Some(json!(grouped(quote.ask_size as f64))),
        "88" if of.quote != Quality::Halted => Some(json!(grouped(quote.bid_size as f64))),
        "87" => Some(json!(short(quote.volume))),
        "7059" => Some(json!(of.lot.to_string())),
        "7282" => Some(json!(short(quote.volume * 2))),
        "7295" => price(quote.open),
        "7296" | "7741" => price(quote.prior_close),
        "7635" => price(quote.last),
        "7762" => Some(json!(quote.volume.to_string())),
        _ => describing(of, field)
            .or_else(|| fundamental(of, quote, field))
            .or_else(|| greek(world, of, field)),
    }
}

fn last(of: &Instrument, quote: &Quote) -> String {
    // Whoever sees live prices sees the close while the exchange is closed.
    let prefix = match of.quote {
        Quality::Halted => "H",
        Quality::Closed => "C",
        _ if !quote.is_open => "C",
        _ => "",
    };
    format!("{prefix}{}", of.show(quote.last))
}

/// What the contract is, rather than what it costs. The two conids are numbers, unlike all else.
fn describing(of: &Instrument, field: &str) -> Option<Value> {
    match field {
        "6004" => {
            Some(json!(if of.is("STK") || of.is("OPT") { "SMART" } else { of.exchange.as_str() }))
        }
        "6008" => Some(json!(of.conid)),
        "6070" => Some(json!(of.sec_type)),
        "6457" => Some(of.underlying()).filter(|conid| *conid != 0).map(|conid| json!(conid)),
        "7051" => Some(json!(of.name)),
        "7184" | "7768" => Some(json!(if of.is("IND") { "0" } else { "1" })),
        "7221" => Some(json!(of.exchange)),
        "7280" => of.group.as_ref().map(|group| json!(group)),
        "7281" => of.sector.as_ref().map(|sector| json!(sector)),
        _ => None,
    }
}

fn fundamental(of: &Instrument, quote: &Quote, field: &str) -> Option<Value> {
    let is_stock = of.is("STK");
    match field {
        "7293" => Some(json!(of.show(of.base * 1.2))),
        "7294" => Some(json!(of.show(of.base * 0.7))),
        "7283" if of.options => Some(json!(percent(of.smile.level))),
        "7284" | "7087" if is_stock => Some(json!("22.4%")),
        "7286" if is_stock => Some(json!(format!("{:.2}", dividend(of)))),
        "7287" if is_stock => Some(json!(format!("{:.2}%", dividend(of) * 100.0 / quote.last))),
        "7289" if is_stock => Some(json!(short((quote.last * 1e9) as u64))),
        "7290" if is_stock => Some(json!("28.31")),
        "7291" if is_stock => Some(json!(format!("{:.2}", quote.last / 28.31))),
        _ => None,
    }
}

/// Dividends of a year for one share: where options are priced by them, and elsewhere the same for all.
fn dividend(of: &Instrument) -> f64 {
    if of.dividend_yield > 0.0 { of.base * of.dividend_yield } else { 1.04 }
}

/// `27.1%`.
fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

fn greek(world: &World, of: &Instrument, field: &str) -> Option<Value> {
    if world.rules.withhold_greeks && field != "7638" {
        return None;
    }
    let greeks = world.market.greeks(&world.universe, of, world.clock.now_ms())?;
    let text = |value: f64| Some(json!(format!("{value:.3}")));
    match field {
        "7308" => text(greeks.delta),
        "7309" => text(greeks.gamma),
        "7310" => text(greeks.theta),
        "7311" => text(greeks.vega),
        "7633" => Some(json!(percent(greeks.volatility))),
        "7638" => Some(json!(short(world.market.open_interest(of)))),
        _ => None,
    }
}

/// `950`, `12.3K`, `24.1M`, `1.2B`.
fn short(count: u64) -> String {
    let scaled = |unit: f64, letter: &str| format!("{:.1}{letter}", count as f64 / unit);
    match count {
        0..1000 => count.to_string(),
        1000..1_000_000 => scaled(1e3, "K"),
        1_000_000..1_000_000_000 => scaled(1e6, "M"),
        _ => scaled(1e9, "B"),
    }
}

fn unsubscribe(world: &mut World, call: &Call) -> Reply {
    let conid =
        call.body.get("conid").and_then(|v| v.as_i64().or_else(|| v.as_str()?.parse().ok()));
    match conid.and_then(|conid| world.session.primed.streams.remove(&conid)) {
        Some(_) => Reply::json(&json!({ "success": true })),
        None => Reply::error(500, "unknown"),
    }
}
