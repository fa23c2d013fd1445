//! Positions, in pages of a hundred, and the newer list without pages.

use serde_json::{Map, Value, json};

use super::portfolio::with_account;
use super::{secdef, unknown_account};
use crate::accounts::Account;
use crate::http::{Call, Reply};
use crate::market::round_to;
use crate::state::World;
use crate::value::Valued;

/// The broker's page size.
const PAGE: usize = 100;

pub(super) fn route(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    Some(match (call.method.as_str(), path) {
        ("GET", ["portfolio", id, "positions", page]) => paged(world, call, id, page),
        ("POST", ["portfolio", id, "positions", "invalidate"]) => {
            with_account(world, id, |_, _| json!({ "message": "success" }))
        }
        ("GET", ["portfolio", "positions", conid]) => everywhere(world, conid),
        ("GET", ["portfolio", id, "position", conid]) => single(world, id, conid),
        ("GET", ["portfolio2", id, "positions"]) => with_account(world, id, fresh),
        _ => return None,
    })
}

fn paged(world: &World, call: &Call, id: &str, page: &str) -> Reply {
    let Some(account) = world.account(id) else { return unknown_account(id) };
    let Ok(page) = page.parse::<usize>() else { return Reply::bad_request("pageId is not valid") };
    let mut all = world.holdings(account);
    if let Some(wanted) = call.param("model") {
        all.retain(|held| model(account, held) == wanted);
    }
    if call.param("direction") == Some("d") {
        all.reverse();
    }
    let rows: Vec<Value> =
        all.iter().skip(page.saturating_mul(PAGE)).take(PAGE).map(|v| full(account, v)).collect();
    Reply::json(&json!(rows))
}

/// The model that a position is held for; mostly none.
fn model<'a>(account: &'a Account, held: &Valued<'_>) -> &'a str {
    account.models.get(&held.instrument.conid).map_or("", String::as_str)
}

/// The position half and the contract half together.
fn full(account: &Account, held: &Valued<'_>) -> Value {
    let mut row = secdef::contract(held.instrument);
    row.extend(half(account, held));
    row.insert("multiplier".to_owned(), json!(held.instrument.multiplier));
    row.insert("strike".to_owned(), secdef::strike_text(held.instrument));
    Value::Object(row)
}

/// The position half, with the types that only this variant has.
fn half(account: &Account, held: &Valued<'_>) -> Map<String, Value> {
    let option = held.instrument.derivative.as_ref().and_then(|d| d.option);
    let row = json!({
        "acctId": account.id,
        "conid": held.instrument.conid,
        "contractDesc": held.instrument.description(),
        "position": held.quantity,
        "mktPrice": held.price,
        "mktValue": round_to(held.market_value, 4),
        "currency": held.instrument.currency,
        "avgCost": round_to(held.avg_price * held.instrument.size(), 8),
        "avgPrice": held.avg_price,
        "realizedPnl": 0.0,
        "unrealizedPnl": round_to(held.unrealized, 4),
        "exchs": null,
        "expiry": secdef::expiry(held.instrument),
        "putOrCall": option.map(|(right, _)| right.letter()),
        "multiplier": null,
        "strike": 0.0,
        "exerciseStyle": null,
        "conExchMap": [],
        "assetClass": held.instrument.sec_type,
        "undConid": held.instrument.underlying(),
        "model": model(account, held),
    });
    match row {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// The first time in a session only the position half is there; the contract half loads meanwhile.
fn single(world: &mut World, id: &str, conid: &str) -> Reply {
    let Ok(conid) = conid.parse::<i64>() else { return Reply::bad_request("conid is not valid") };
    let loaded = !world.session.primed.positions.insert((id.to_owned(), conid));
    let Some(account) = world.account(id) else { return unknown_account(id) };
    let held = account.holdings.iter().filter(|h| h.conid == conid).filter_map(|h| world.value(h));
    let row =
        |v: Valued<'_>| if loaded { full(account, &v) } else { Value::Object(half(account, &v)) };
    Reply::json(&json!(held.map(row).collect::<Vec<_>>()))
}

/// One contract across accounts: an object keyed by account.
fn everywhere(world: &World, conid: &str) -> Reply {
    let Ok(conid) = conid.parse::<i64>() else { return Reply::bad_request("conid is not valid") };
    let mut found: Map<String, Value> = Map::new();
    for account in &world.accounts {
        let held =
            account.holdings.iter().filter(|h| h.conid == conid).filter_map(|h| world.value(h));
        let rows: Vec<Value> = held.map(|v| full(account, &v)).collect();
        if !rows.is_empty() {
            found.insert(account.id.clone(), json!(rows));
        }
    }
    Reply::json(&Value::Object(found))
}

/// `/portfolio2`: other names, and conids as strings.
fn fresh(world: &World, account: &Account) -> Value {
    let row = |v: Valued<'_>| {
        json!({
            "position": v.quantity,
            "conid": v.instrument.conid.to_string(),
            "avgCost": round_to(v.avg_price * v.instrument.size(), 8),
            "avgPrice": v.avg_price,
            "currency": v.instrument.currency,
            "description": v.instrument.description(),
            "isLastToLoq": false,
            "marketPrice": v.price,
            "marketValue": round_to(v.market_value, 4),
            "realizedPnl": 0.0,
            "secType": v.instrument.sec_type,
            "timestamp": world.clock.now_ms() / 1000,
            "unrealizedPnl": round_to(v.unrealized, 4),
            "assetClass": v.instrument.sec_type,
            "sector": v.instrument.sector,
            "group": v.instrument.group,
            "model": model(account, &v),
        })
    };
    json!(world.holdings(account).into_iter().map(row).collect::<Vec<_>>())
}
