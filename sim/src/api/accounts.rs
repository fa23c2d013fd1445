//! Accounts of the brokerage session: list, switch, profit and loss, summary.

use serde_json::{Map, Value, json};

use super::partitions::partitions;
use super::session::server_info;
use super::summary;
use crate::advisor::ALL;
use crate::http::{Call, Reply};
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
    let names = names(world);
    let props = |name: &String| {
        let is_group = world.group(name).is_some();
        (name.clone(), if is_group { group_properties() } else { properties() })
    };
    let alias = |name: &String| {
        let alias = world.account(name).and_then(|account| account.alias.clone());
        (name.clone(), json!(alias.unwrap_or_else(|| name.clone())))
    };
    let props: Map<String, Value> = names.iter().map(props).collect();
    let aliases: Map<String, Value> = names.iter().map(alias).collect();
    let all: &[&str] = if world.advisor.is_some() { &[ALL] } else { &[] };
    json!({
        "accounts": names,
        "acctProps": props,
        "aliases": aliases,
        "allowFeatures": features(world),
        "chartPeriods": {
            "STK": ["*"], "OPT": ["2h", "1d", "2d", "1w", "1m"], "FUT": ["*"], "CASH": ["*"], "IND": ["*"],
        },
        "groups": all,
        "profiles": world.group_names(),
        "selectedAccount": world.followed(),
        "serverInfo": server_info(),
        "sessionId": format!("6a1b2c3d.{:08x}", world.session.generation),
        "isFT": false,
        "isPaper": world.is_paper(),
    })
}

/// An adviser's login names `All` first, then the clients' accounts, then the groups; not the adviser's own account.
fn names(world: &World) -> Vec<String> {
    let all = world.advisor.iter().map(|_| ALL.to_owned());
    let clients = world.clients().map(|account| account.id.clone());
    all.chain(clients).chain(world.group_names()).collect()
}

/// Of groups less is said.
fn group_properties() -> Value {
    json!({ "hasChildAccounts": false, "supportsCashQty": false, "supportsFractions": false })
}

fn properties() -> Value {
    json!({
        "hasChildAccounts": false, "supportsCashQty": true, "liteUnderPro": false, "noFXConv": false,
        "isProp": false, "supportsFractions": true, "allowCustomerTime": false, "autoFx": false,
    })
}

fn features(world: &World) -> Value {
    json!({
        "showGFIS": true, "allowEventContract": true, "allowFXConv": true, "allowMTA": true,
        "snapshotRefreshTimeout": 30, "liteUser": false, "research": true, "debugPnl": true,
        "allowDynAccount": world.rules.dynamic_accounts, "allowCrypto": false,
        "allowFA": world.advisor.is_some(), "allowedAssetTypes": ASSET_TYPES,
    })
}

/// Lists may follow a group, too.
fn switch(world: &mut World, call: &Call) -> Reply {
    let wanted = call.body.get("acctId").and_then(Value::as_str).unwrap_or_default();
    if !world.takes_orders(wanted) {
        return Reply::error(500, "Invalid account ID");
    }
    if world.followed() == wanted {
        return Reply::json(&json!({ "success": "Account already set" }));
    }
    match world.accounts.iter().position(|account| account.id == wanted) {
        Some(at) => (world.session.selected, world.session.group) = (at, None),
        None => world.session.group = Some(wanted.to_owned()),
    }
    Reply::json(&json!({ "set": true, "acctId": wanted }))
}

/// Of the selected account, or of each one of a group. Empty at first: the broker only starts to compute when asked.
fn pnl(world: &mut World) -> Reply {
    let now = world.now();
    let since = *world.session.primed.pnl_since.get_or_insert(now);
    if since >= now || now - since < world.rules.pnl_warm_millis {
        return Reply::json(&json!({ "upnl": {} }));
    }
    let names = world.covered(&world.followed());
    let own = world.accounts.iter().filter(|account| names.contains(&account.id));
    let rows: Map<String, Value> = own.flat_map(|account| partitions(world, account)).collect();
    Reply::json(&json!({ "upnl": rows }))
}
