//! The control API: what tests and demos do to the simulated world from behind its back.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::http::Reply;
use crate::state::World;

/// Everything that can be asked, for the error about what cannot.
const ALLOWED: &str = "GET /requests, GET /orders, GET /faults, POST /fault, POST /session, POST /clock, \
POST /penalty, POST /reset";

/// Body of `POST /session`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionBody {
    action: Action,
}

/// What happens to the session.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    /// A person logs in.
    Login,
    /// A person logs out.
    Logout,
    /// The login runs out.
    Expire,
    /// The brokerage session breaks off.
    Drop,
    /// The user logs in elsewhere.
    Compete,
    /// The user logs out elsewhere.
    Uncompete,
    /// The broker closes for maintenance.
    Maintenance,
    /// The broker is back.
    Up,
}

/// Body of `POST /clock`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClockBody {
    advance_seconds: u32,
}

/// Body of `POST /penalty`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PenaltyBody {
    seconds: u32,
}

/// Answers one control request.
pub(crate) fn answer(world: &mut World, method: &str, path: &str, body: &[u8]) -> Reply {
    match (method, path) {
        ("GET", "/requests") => requests(world),
        ("GET", "/orders") => orders(world),
        ("GET", "/faults") => Reply::json(&json!({ "faults": world.faults.waiting() })),
        ("POST", "/fault") => with_body(body, |fault: Fault| {
            world.faults.add(fault);
            json!({ "ok": true, "waiting": world.faults.waiting().len() })
        }),
        ("POST", "/session") => with_body(body, |body: SessionBody| session(world, body.action)),
        ("POST", "/clock") => with_body(body, |body: ClockBody| {
            world.clock.advance(body.advance_seconds);
            json!({ "ok": true, "nowMs": world.clock.now_ms() })
        }),
        ("POST", "/penalty") => with_body(body, |body: PenaltyBody| {
            let now = world.now();
            world.pacing.punish(now, body.seconds);
            json!({ "ok": true, "seconds": body.seconds })
        }),
        ("POST", "/reset") => {
            world.reset();
            Reply::json(&json!({ "ok": true }))
        }
        _ => Reply::error(404, &format!("unknown; allowed: {ALLOWED}")),
    }
}

/// Reads the body as `T`, or says what was wrong with it; serde's message lists what is allowed.
fn with_body<T: DeserializeOwned>(body: &[u8], act: impl FnOnce(T) -> Value) -> Reply {
    match serde_json::from_slice(body) {
        Ok(body) => Reply::json(&act(body)),
        Err(error) => Reply::error(400, &error.to_string()),
    }
}

fn session(world: &mut World, action: Action) -> Value {
    let now = world.now();
    let session = &mut world.session;
    match action {
        Action::Login => session.login(now),
        Action::Logout | Action::Expire => session.logout(),
        Action::Drop => session.lose(),
        Action::Compete => session.take_over(),
        Action::Uncompete => session.give_back(),
        Action::Maintenance => session.maintenance = true,
        Action::Up => session.maintenance = false,
    }
    json!({
        "ok": true,
        "sso": session.sso,
        "authenticated": session.is_authenticated(),
        "established": session.is_established(now),
        "competing": session.competing,
        "maintenance": session.maintenance,
    })
}

fn requests(world: &World) -> Reply {
    let entries = world.record.entries();
    Reply::json(&json!({
        "count": entries.len(),
        "peakInFlight": world.record.peak(),
        "status429": entries.iter().filter(|e| e.status == Some(429)).count(),
        "penaltyMs": (world.pacing.boxed_until() - world.now()).max(0),
        "requests": entries,
    }))
}

fn orders(world: &World) -> Reply {
    let row = |order: &crate::book::Order| {
        json!({
            "orderId": order.id,
            "cOID": order.client_id,
            "account": order.account,
            "conid": order.conid,
            "side": if order.is_buy { "BUY" } else { "SELL" },
            "quantity": order.quantity,
            "status": order.status,
        })
    };
    let rows: Vec<Value> = world.book.orders.iter().map(row).collect();
    Reply::json(&json!({ "count": rows.len(), "orders": rows }))
}
