//! The calls that the real gateway makes for itself, as `ClientPortalGW/1`.
//!
//! Over plain HTTP it takes each piece that it reads off the socket for a whole reply, so these
//! replies stay below 450 bytes, head included. Its clients never see them.

use serde_json::{Value, json};

use super::session::{self, MAC};
use crate::http::{Call, Reply};
use crate::state::World;

/// As many account ids as fit into a small reply.
const ACCOUNTS: usize = 10;

/// Answers the gateway itself; `None` if a client asks, or for a path with no short form.
pub(super) fn answer(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    if !call.is_gateways_own() {
        return None;
    }
    let answer = match path {
        ["sso", "validate"] => validate(world),
        ["one", "user"] => json!({ "username": world.user(), "ispaper": world.is_paper() }),
        ["ssodh", "init"] => json!({ "success": true }),
        ["ssodh", "st"] => json!({ "st": world.session_id() }),
        ["iserver", "auth", "status"] => status(world),
        ["iserver", "auth", "ssodh", "init"] => return Some(init(world, call)),
        ["iserver", "auth", "ssodh", "response"] => status(world),
        ["iserver", "accounts"] => accounts(world),
        ["tickle"] => tickle(world),
        _ => return None,
    };
    Some(Reply::json(&answer))
}

/// The gateway asks for the accounts right after this, so it is told when the session is ready.
fn init(world: &mut World, call: &Call) -> Reply {
    session::open(world, call);
    let takes = u64::try_from(world.rules.init_millis).unwrap_or_default();
    Reply::json(&status(world)).delayed(takes)
}

fn validate(world: &World) -> Value {
    json!({
        "USER_ID": world.user_id(),
        "USER_NAME": world.user(),
        "RESULT": true,
        "LOGIN_TYPE": if world.is_paper() { 2 } else { 1 },
        "IP": "127.0.0.1",
        "EXPIRES": 400_000,
    })
}

fn status(world: &World) -> Value {
    json!({
        "authenticated": world.session.is_authenticated(),
        "established": world.session.is_established(world.now()),
        "competing": world.session.competing,
        "connected": true,
        "message": "",
        "MAC": MAC,
    })
}

fn accounts(world: &mut World) -> Value {
    world.session.primed.accounts = true;
    let ids = || world.clients().map(|account| account.id.as_str());
    json!({
        "accounts": ids().take(ACCOUNTS).collect::<Vec<_>>(),
        "selectedAccount": world.followed(),
    })
}

fn tickle(world: &World) -> Value {
    json!({ "session": world.session_id(), "iserver": { "authStatus": status(world) } })
}
