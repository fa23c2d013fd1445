//! Session endpoints: tickle, status, init, validate, logout.

use serde_json::{Value, json};

use crate::http::{Call, Reply};
use crate::session::{Brokerage, Opened};
use crate::state::World;

/// Build named in every status.
pub(super) const SERVER_VERSION: &str = "Build 10.45.1a, Apr 22, 2026 1:39:05 PM";
pub(super) const MAC: &str = "AA:BB:CC:00:11:22";
/// The broker's words for an init that must not compete but would have to.
const FORCE: &str = "Force compete capability must be used together with compete flag";
/// The saw-tooth of `ssoExpires`, milliseconds.
const SSO_PERIOD_MS: i64 = 600_000;

pub(super) fn route(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    Some(match (call.method.as_str(), path) {
        ("GET" | "POST", ["tickle"]) => tickle(world),
        ("GET" | "POST", ["iserver", "auth", "status"]) => Reply::json(&auth_status(world)),
        ("POST", ["iserver", "auth", "ssodh", "init"]) => init(world, call),
        ("POST", ["iserver", "reauthenticate"]) => reauthenticate(world),
        ("GET", ["sso", "validate"]) => Reply::json(&validate(world)),
        ("GET", ["one", "user"]) => Reply::json(&user(world)),
        ("GET", ["fyi", "unreadnumber"]) => Reply::json(&json!({ "BN": 0 })),
        ("GET" | "POST", ["logout"]) => logout(world),
        _ => return None,
    })
}

/// Server name and build.
pub(super) fn server_info() -> Value {
    json!({ "serverName": "JifX10001", "serverVersion": SERVER_VERSION })
}

/// The status object without `fail`, as tickle and init carry it.
fn status(world: &World) -> Value {
    json!({
        "authenticated": world.session.is_authenticated(),
        "established": world.session.is_established(world.now()),
        "competing": world.session.competing,
        "connected": true,
        "message": "",
        "MAC": MAC,
        "serverInfo": server_info(),
        "hardware_info": format!("1a2b3c4d|{MAC}"),
    })
}

/// Full while there is, or was, a brokerage session; the short form before the first one.
fn auth_status(world: &World) -> Value {
    if world.session.brokerage == Brokerage::Closed {
        return json!({
            "authenticated": false, "established": false, "competing": world.session.competing,
            "connected": true, "MAC": null,
        });
    }
    with(status(world), "fail", json!(""))
}

fn with(mut object: Value, key: &str, value: Value) -> Value {
    object[key] = value;
    object
}

fn tickle(world: &World) -> Reply {
    let age = world.now() - world.session.login_at;
    Reply::json(&json!({
        "session": world.session_id(),
        "ssoExpires": SSO_PERIOD_MS - age.rem_euclid(SSO_PERIOD_MS),
        "collission": false,
        "userId": world.user_id(),
        "hmds": { "error": "no bridge" },
        "iserver": { "authStatus": status(world) },
    }))
}

/// Opens the brokerage session. Without a body nothing happens, which is what a client sees whose
/// body got lost because it came chunked.
fn init(world: &mut World, call: &Call) -> Reply {
    if call.body.is_null() {
        return Reply::json(&status(world));
    }
    if says(call, "publish", false) {
        return Reply::error(500, "publish is required");
    }
    match open(world, call) {
        Opened::Yes => Reply::json(&status(world)),
        Opened::Refused => {
            Reply::json(&with(with(status(world), "passed", json!(false)), "fail", json!(FORCE)))
        }
    }
}

/// Opens the brokerage session as the body wants it, and counts that.
pub(super) fn open(world: &mut World, call: &Call) -> Opened {
    let compete = says(call, "compete", true);
    world.logins.ledger.inits += 1;
    world.logins.ledger.inits_compete += u32::from(compete);
    reopen(world, compete)
}

/// Opens the brokerage session; at night nothing comes of it.
fn reopen(world: &mut World, compete: bool) -> Opened {
    if world.closed().is_some() {
        return Opened::Yes;
    }
    let (now, takes) = (world.now(), world.rules.init_millis);
    world.session.open(compete, now, takes)
}

/// The body has this word, as JSON or as text.
fn says(call: &Call, key: &str, word: bool) -> bool {
    match call.body.get(key) {
        Some(Value::Bool(value)) => *value == word,
        Some(Value::String(text)) => text == if word { "true" } else { "false" },
        _ => false,
    }
}

fn reauthenticate(world: &mut World) -> Reply {
    reopen(world, false);
    Reply::json(&json!({ "message": "triggered" }))
}

fn validate(world: &World) -> Value {
    let user = world.user();
    let login_ms = world.clock.now_ms() - (world.now() - world.session.login_at);
    json!({
        "USER_ID": world.user_id(),
        "USER_NAME": user,
        "RESULT": true,
        "AUTH_TIME": login_ms,
        "SF_ENABLED": false,
        "IS_FREE_TRIAL": false,
        "CREDENTIAL": user,
        "IP": "203.0.113.9",
        "EXPIRES": 401_000,
        "QUALIFIED_FOR_MOBILE_AUTH": null,
        "LANDING_APP": "UNIVERSAL",
        "IS_MASTER": false,
        "lastAccessed": world.clock.now_ms(),
        "LOGIN_TYPE": if world.is_paper() { 2 } else { 1 },
        "PAPER_USER_NAME": "simpaper",
        "features": { "env": "PROD", "wlms": true, "realtime": true, "bond": true, "optionChains": true },
        "region": "NJ",
    })
}

fn user(world: &World) -> Value {
    let accounts: serde_json::Map<String, Value> = world
        .accounts
        .iter()
        .map(|a| (a.id.clone(), json!({ "clearingStatus": "O", "isFAClient": false })))
        .collect();
    json!({
        "username": world.user(),
        "ispaper": world.is_paper(),
        "has2fa": !world.is_paper(),
        "features": { "env": "PROD", "realtime": true },
        "props": { "isIBAMClient": false },
        "accts": accounts,
    })
}

fn logout(world: &mut World) -> Reply {
    world.session.logout();
    Reply::json(&json!({ "status": true }))
}
