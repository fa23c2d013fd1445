//! A hundred contracts that `ib-sim` has, which is as many as IBKR lets a user follow: stocks, and options around the
//! money. And what it costs to ask for them. Each benchmark uses its part.
#![allow(dead_code)]

use ibd_tests::{Shim, Sim, until};
use serde_json::{Value, json};

use crate::symbols::SYMBOLS;

pub(crate) const HUNDRED: usize = 100;
/// Stocks with options.
const OPTIONED: [&str; 3] = ["AAPL", "MSFT", "SPY"];
/// What keeps a session alive, and the websocket: no quotes.
const KEEPING: [&str; 5] = ["/tickle", "/sso/", "/iserver/auth/", "/iserver/accounts", "/api/ws"];

/// Their numbers, which are the same in each simulator of a day. The first forty are stocks.
pub(crate) async fn hundred(client: &mut Shim) -> Vec<u64> {
    let mut found = Vec::new();
    for ten in SYMBOLS.chunks(10) {
        let quotes = client.call("get_market_data", json!({ "symbols": ten })).await.ok();
        found.extend(conids(&quotes));
    }
    for symbol in OPTIONED {
        let days = client.call("get_option_chain", json!({ "symbol": symbol })).await.ok();
        for day in list(&days, "expiries") {
            if found.len() < HUNDRED {
                let day = json!({ "symbol": symbol, "expiry": day["expiry"], "strikes": 40 });
                let chain = client.call("get_option_chain", day).await.ok();
                found.extend(conids(&chain));
            }
        }
    }
    found.truncate(HUNDRED);
    assert_eq!(found.len(), HUNDRED, "ib-sim has too few contracts: {found:?}");
    found
}

/// Waits until each of them is answered out of memory.
pub(crate) async fn warm(client: &mut Shim, contracts: &[u64], sim: &Sim) {
    until("the stream tells of all", async || {
        let before = asked(sim).await.len();
        let reply = client.call("get_market_data", json!({ "conids": contracts })).await;
        !reply.is_error && asked(sim).await.len() == before
    })
    .await;
}

/// The paths of all requests that `ib-sim` has had, but for those that keep a session.
pub(crate) async fn asked(sim: &Sim) -> Vec<String> {
    let requests = sim.requests().await;
    let paths = requests["requests"].as_array().unwrap().iter();
    let paths = paths.map(|request| request["path"].as_str().unwrap());
    let asked = paths.filter(|path| !KEEPING.iter().any(|own| path.contains(own)));
    asked.map(str::to_owned).collect()
}

/// The contracts of a table of ours.
pub(crate) fn conids(table: &Value) -> Vec<u64> {
    column(table, "conid").into_iter().filter_map(Value::as_u64).collect()
}

/// One column of a table of ours; empty where it has none of this name.
pub(crate) fn column<'t>(table: &'t Value, name: &str) -> Vec<&'t Value> {
    let Some(at) = list(table, "cols").iter().position(|col| col == name) else {
        return Vec::new();
    };
    list(table, "rows").iter().map(|row| &row[at]).collect()
}

fn list<'v>(of: &'v Value, key: &str) -> &'v [Value] {
    of[key].as_array().map(Vec::as_slice).unwrap_or_default()
}
