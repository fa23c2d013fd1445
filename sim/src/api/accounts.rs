//! Accounts of the brokerage session: list, switch, profit and loss, summary.

use serde_json::{Map, Value, json};

use super::session::server_info;
use super::summary;
use crate::http::{Call, Reply};
use crate::market::round_to;
use crate::state::World;

const ASSET_TYPES: &str = "STK,CFD,OPT,FOP,WAR,FUT,BAG,PDC,CASH,IND,BOND,BILL,FUND,SLB,News,CMDTY,IOPT,ICU,ICS,PHYSS,CRYPTO";

pub(super) fn route(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    Some(match (call.method.as_str(), path) {
        ("GET", ["iserver", "accounts"]) => list(world),
        ("POST", ["iserver", "account"]) => switch(world, call),
        ("GET", ["iserver", "account", "pnl", "partitioned"]) => pnl(world),
        ("GET", ["iserver", "account", id, "summary"]) => summary::brokerage(world, id),
        ("GET", ["iserver", "account", id, "summary", part]) => {
            return summary::part(world, id, part);
        }
        _ => return None,
    })
}

fn list(world: &mut World) -> Reply {
    world.session.primed.accounts = true;
    Reply::json(&facts(world))
}

/// The accounts and what may be done with them.
pub(super) fn facts(world: &World) -> Value {
    let ids: Vec<&str> = world.accounts.iter().map(|a| a.id.as_str()).collect();
    let props: Map<String, Value> = ids.iter().map(|id| ((*id).to_owned(), properties())).collect();
    let alias = |a: &crate::accounts::Account| {
        (a.id.clone(), json!(a.alias.clone().unwrap_or_else(|| a.id.clone())))
    };
    let aliases: Map<String, Value> = world.accounts.iter().map(alias).collect();
    json!({
        "accounts": ids,
        "acctProps": props,
        "aliases": aliases,
        "allowFeatures": features(),
        "chartPeriods": {
            "STK": ["*"], "OPT": ["2h", "1d", "2d", "1w", "1m"], "FUT": ["*"], "CASH": ["*"], "IND": ["*"],
        },
        "groups": [],
        "profiles": [],
        "selectedAccount": world.selected().map(|a| a.id.as_str()),
        "serverInfo": server_info(),
        "sessionId": format!("6a1b2c3d.{:08x}", world.session.generation),
        "isFT": false,
        "isPaper": world.is_paper(),
    })
}

fn properties() -> Value {
    json!({
        "hasChildAccounts": false, "supportsCashQty": true, "liteUnderPro": false, "noFXConv": false,
        "isProp": false, "supportsFractions": true, "allowCustomerTime": false, "autoFx": false,
    })
}

fn features() -> Value {
    json!({
        "showGFIS": true, "allowEventContract": true, "allowFXConv": true, "allowMTA": true,
        "snapshotRefreshTimeout": 30, "liteUser": false, "research": true, "debugPnl": true,
        "allowDynAccount": false, "allowCrypto": false, "allowFA": false, "allowedAssetTypes": ASSET_TYPES,
    })
}

fn switch(world: &mut World, call: &Call) -> Reply {
    let wanted = call.body.get("acctId").and_then(Value::as_str).unwrap_or_default();
    let Some(at) = world.accounts.iter().position(|a| a.id == wanted) else {
        return Reply::error(500, "Invalid account ID");
    };
    if at == world.session.selected {
        return Reply::json(&json!({ "success": "Account already set" }));
    }
    world.session.selected = at;
    Reply::json(&json!({ "set": true, "acctId": wanted }))
}

/// Empty at first: the broker only starts to compute when asked.
fn pnl(world: &mut World) -> Reply {
    let now = world.now();
    let since = *world.session.primed.pnl_since.get_or_insert(now);
    let warm = since < now && now - since >= world.rules.pnl_warm_millis;
    let Some(account) = world.selected().filter(|_| warm) else {
        return Reply::json(&json!({ "upnl": {} }));
    };
    let worth = world.worth(account);
    let row = json!({
        "rowType": 1,
        "dpl": round_to(worth.base.daily, 2),
        "nl": round_to(worth.base.net(), 2),
        "upl": round_to(worth.base.unrealized, 2),
        "el": round_to(worth.excess(), 2),
        "mv": round_to(worth.base.owned(), 2),
    });
    Reply::json(&json!({ "upnl": { format!("{}.Core", account.id): row } }))
}
