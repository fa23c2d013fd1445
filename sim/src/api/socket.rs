//! What the websocket says unasked: the same facts as the REST replies.

use serde_json::{Value, json};

use super::{accounts, session};
use crate::state::World;

/// The first messages, in the broker's order.
pub(crate) fn greeting(world: &World) -> Vec<Value> {
    let welcome = json!({
        "topic": "system", "success": world.user(), "isFT": false, "isPaper": world.is_paper(),
    });
    if !world.session.is_established(world.now()) {
        return vec![welcome, status(world)];
    }
    let accounts = json!({ "topic": "act", "args": accounts::facts(world) });
    vec![welcome, accounts, status(world)]
}

/// The session as it stands.
pub(crate) fn status(world: &World) -> Value {
    json!({
        "topic": "sts",
        "args": {
            "connected": true,
            "authenticated": world.session.is_authenticated(),
            "established": world.session.is_established(world.now()),
            "competing": world.session.competing,
            "message": "",
            "fail": "",
            "serverName": "JifX10001",
            "serverVersion": session::SERVER_VERSION,
            "username": world.user(),
        },
    })
}

/// The sign of life.
pub(crate) fn heartbeat(world: &World) -> Value {
    json!({ "topic": "system", "hb": world.clock.now_ms() })
}

/// The answer to `tic`.
pub(crate) fn tic(world: &World) -> Value {
    json!({
        "topic": "tic", "alive": true, "id": world.session_id(), "lastAccessed": world.clock.now_ms(),
    })
}
