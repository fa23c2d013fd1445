//! The market scanner: its catalogue, and scans over the stocks that there are.

use serde_json::{Value, json};

use crate::http::{Call, Reply};
use crate::instruments::{Instrument, Quality};
use crate::market::round_to;
use crate::state::World;

/// Rows of one scan.
const MOST: usize = 50;

/// Code, name, and the column that it fills.
const SCANS: [(&str, &str, &str); 5] = [
    ("TOP_PERC_GAIN", "Top % Gainers", "Chg%"),
    ("TOP_PERC_LOSE", "Top % Losers", "Chg%"),
    ("MOST_ACTIVE", "Most Active", "Volume"),
    ("HIGH_VS_52W_HL", "52-Week Range Top %", "Range%"),
    ("HIGH_DIVIDEND_YIELD_IB", "High Dividend Yield IB", "Yield"),
];

pub(super) fn route(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    Some(match (call.method.as_str(), path) {
        ("GET", ["iserver", "scanner", "params"]) => params(),
        ("POST", ["iserver", "scanner", "run"]) => run(world, call),
        _ => return None,
    })
}

fn params() -> Reply {
    let scan = |(code, name, _): &(&str, &str, &str)| json!({ "display_name": name, "code": code, "instruments": ["STK", "STOCK.EU"] });
    let place = |name: &str, code: &str, kind: &str| json!({ "display_name": name, "type": code, "locations": [], "instrument": kind });
    Reply::json(&json!({
        "scan_type_list": SCANS.iter().map(scan).collect::<Vec<_>>(),
        "instrument_list": [
            { "display_name": "US Stocks", "type": "STK", "filters": ["priceAbove", "priceBelow", "volumeAbove"] },
            { "display_name": "European Stocks", "type": "STOCK.EU", "filters": ["priceAbove", "priceBelow"] },
        ],
        "filter_list": [
            { "group": "price", "display_name": "Price Above", "code": "priceAbove", "type": "value" },
            { "group": "price", "display_name": "Price Below", "code": "priceBelow", "type": "value" },
            { "group": "volume", "display_name": "Volume Above", "code": "volumeAbove", "type": "value" },
        ],
        "location_tree": [
            { "display_name": "US Stocks", "type": "STK", "locations": [
                place("Listed/NASDAQ", "STK.US.MAJOR", "STK"), place("NASDAQ", "STK.NASDAQ", "STK"),
                place("NYSE", "STK.NYSE", "STK"),
            ] },
            { "display_name": "European Stocks", "type": "STOCK.EU", "locations": [
                place("Germany", "STK.EU.IBIS", "STOCK.EU"), place("France", "STK.EU.SBF", "STOCK.EU"),
            ] },
        ],
    }))
}

fn run(world: &World, call: &Call) -> Reply {
    let text = |key: &str| call.body.get(key).and_then(Value::as_str).unwrap_or_default();
    let Some((code, _, column)) = SCANS.iter().find(|(code, ..)| *code == text("type")) else {
        return Reply::error(500, "scanner type is not valid");
    };
    let place = text("location");
    let is_there = |of: &Instrument| match place {
        "STK.US.MAJOR" => of.is_us(),
        "STK.NASDAQ" => of.exchange == "NASDAQ",
        "STK.NYSE" => of.exchange == "NYSE",
        "STK.EU.IBIS" => of.exchange == "IBIS",
        "STK.EU.SBF" => of.exchange == "SBF",
        _ => false,
    };
    if !["STK.US.MAJOR", "STK.NASDAQ", "STK.NYSE", "STK.EU.IBIS", "STK.EU.SBF"].contains(&place) {
        return Reply::error(500, "location is not valid");
    }
    let filters = call.body.get("filter").and_then(Value::as_array).cloned().unwrap_or_default();
    let now = world.clock.now_ms();
    let mut found: Vec<(f64, &Instrument)> = Vec::new();
    for of in world.universe.iter().filter(|of| of.is("STK") && is_there(of)) {
        if matches!(of.quote, Quality::Unknown | Quality::None) {
            continue;
        }
        let quote = world.market.quote(&world.universe, of, now);
        let passes = |filter: &Value| {
            let least = filter["value"].as_f64().unwrap_or_default();
            match filter["code"].as_str().unwrap_or_default() {
                "priceAbove" => quote.last > least,
                "priceBelow" => quote.last < least,
                "volumeAbove" => quote.volume as f64 > least,
                _ => false,
            }
        };
        if filters.iter().all(passes) {
            let change = (quote.last / quote.prior_close - 1.0) * 100.0;
            let score = match *code {
                "TOP_PERC_GAIN" => change,
                "TOP_PERC_LOSE" => -change,
                "MOST_ACTIVE" => quote.volume as f64,
                "HIGH_DIVIDEND_YIELD_IB" => 104.0 / quote.last,
                _ => quote.last / (of.base * 1.2),
            };
            found.push((score, of));
        }
    }
    found.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let row = |(at, (score, of)): (usize, &(f64, &Instrument))| {
        let shown = if *code == "TOP_PERC_LOSE" { -score } else { *score };
        json!({
            "server_id": at.to_string(), "column_name": column, "symbol": of.symbol,
            "conidex": of.conid.to_string(), "con_id": of.conid, "available_chart_periods": "#R|1",
            "company_name": of.name, "scan_data": round_to(shown, 2).to_string(),
            "contract_description_1": of.symbol, "listing_exchange": of.exchange, "sec_type": "STK",
        })
    };
    let rows: Vec<Value> = found.iter().take(MOST).enumerate().map(row).collect();
    Reply::json(&json!({ "contracts": rows, "scan_data_column_name": column }))
}
