//! The control API: what tests and demos do to the simulated world from behind its back.

mod alerts;
mod moves;
mod orders;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::clock::is_rate;
use crate::fault::Fault;
use crate::flex;
use crate::http::Reply;
use crate::login;
use crate::oauth;
use crate::state::World;

/// Everything that can be asked, for the error about what cannot.
const ALLOWED: &str = "GET /requests, GET /orders, GET /placements, GET /alerts, GET /faults, GET /chaos, GET /logins, \
POST /fault, POST /calm, POST /chaos, POST /script, POST /fill, POST /night, POST /hide, POST /market, POST /next, \
POST /tws, POST /status, POST /revive, POST /quote, POST /rules, POST /secdef, POST /ledger, POST /session, POST /clock, \
POST /penalty, POST /approve, POST /deny, GET /flex, POST /flex, GET /oauth, POST /oauth, POST /reset";

/// Body of `POST /session`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionBody {
    action: Action,
    /// How long another platform keeps the session; only for `compete`.
    seconds: Option<u32>,
    /// Who logs in, as one of the page's users, and with the brokerage session open at once, as after the
    /// gateway's own chain; only for `login`.
    user: Option<String>,
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
    /// The nightly drop, now.
    Nightly,
    /// The weekend, now, until `up`.
    Weekend,
}

/// Body of `POST /clock`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClockBody {
    advance_seconds: Option<u32>,
    /// Simulated seconds per real second from now on.
    rate: Option<f64>,
}

/// Body of `POST /calm`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CalmBody {
    #[serde(rename = "match")]
    matching: String,
}

/// Body of `POST /penalty`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PenaltyBody {
    seconds: u32,
}

/// Body of `POST /approve` and `POST /deny`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PhoneBody {
    #[serde(default = "push_user")]
    user: String,
}

fn push_user() -> String {
    "simpush".to_owned()
}

/// Answers one control request.
pub(crate) fn answer(world: &mut World, method: &str, path: &str, body: &[u8]) -> Reply {
    world.catch_up();
    match (method, path) {
        ("GET", "/logins") => logins(world),
        ("POST", "/approve") => with_body(or_empty(body), |body| phone(world, &body, true)),
        ("POST", "/deny") => with_body(or_empty(body), |body| phone(world, &body, false)),
        ("GET", "/requests") => requests(world),
        ("GET", "/faults") => Reply::json(&json!({ "faults": world.faults.waiting() })),
        ("POST", "/fault") => with_body(body, |fault: Fault| {
            world.faults.add(fault);
            json!({ "ok": true, "waiting": world.faults.waiting().len() })
        }),
        ("POST", "/calm") => with_body(body, |body: CalmBody| {
            world.faults.end(&body.matching);
            json!({ "ok": true, "waiting": world.faults.waiting().len() })
        }),
        ("POST", "/session") => with_body(body, |body: SessionBody| session(world, &body)),
        ("POST", "/clock") => clock(world, body),
        ("POST", "/penalty") => with_body(body, |body: PenaltyBody| {
            let now = world.now();
            world.pacing.punish(now, body.seconds);
            json!({ "ok": true, "seconds": body.seconds })
        }),
        ("POST", "/reset") => {
            world.reset();
            Reply::json(&json!({ "ok": true }))
        }
        _ => orders::answer(world, method, path, body)
            .or_else(|| moves::answer(world, method, path, body))
            .or_else(|| alerts::answer(world, method, path))
            .or_else(|| flex::control(world, method, path, body))
            .or_else(|| oauth::control(world, method, path, body))
            .unwrap_or_else(|| Reply::error(404, &format!("unknown; allowed: {ALLOWED}"))),
    }
}

/// Reads the body as `T`, or says what was wrong with it; serde's message lists what is allowed.
fn with_body<T: DeserializeOwned>(body: &[u8], act: impl FnOnce(T) -> Value) -> Reply {
    with_reply(body, |body| Reply::json(&act(body)))
}

/// The same, and the answer need not be a success.
fn with_reply<T: DeserializeOwned>(body: &[u8], act: impl FnOnce(T) -> Reply) -> Reply {
    match serde_json::from_slice(body) {
        Ok(body) => act(body),
        Err(error) => Reply::error(400, &error.to_string()),
    }
}

/// An empty body is as good as an empty object.
fn or_empty(body: &[u8]) -> &[u8] {
    if body.is_empty() { b"{}" } else { body }
}

/// The person with the phone answers.
fn phone(world: &mut World, body: &PhoneBody, yes: bool) -> Value {
    let at = world.moment();
    let ended = world.logins.decide(&body.user, yes, at);
    json!({ "ok": ended > 0, "user": body.user, "answered": ended })
}

fn logins(world: &mut World) -> Reply {
    let at = world.moment();
    world.logins.settle(at);
    Reply::json(&world.logins.report())
}

fn clock(world: &mut World, body: &[u8]) -> Reply {
    let body: ClockBody = match serde_json::from_slice(body) {
        Ok(body) => body,
        Err(error) => return Reply::error(400, &error.to_string()),
    };
    if body.advance_seconds.is_none() && body.rate.is_none() {
        return Reply::error(400, "give advanceSeconds, rate or both");
    }
    if body.rate.is_some_and(|rate| !is_rate(rate)) {
        return Reply::error(400, "rate is not between 0 and 1000000");
    }
    world.clock.advance(body.advance_seconds.unwrap_or_default());
    if let Some(rate) = body.rate {
        world.clock.pace(rate);
    }
    world.catch_up();
    Reply::json(&json!({ "ok": true, "nowMs": world.clock.now_ms(), "rate": world.clock.rate() }))
}

fn session(world: &mut World, body: &SessionBody) -> Value {
    let now = world.now();
    match body.action {
        Action::Login => match body.user.as_deref().and_then(login::find) {
            Some(user) => {
                world.welcome(user);
                world.session.open(true, now, 0);
            }
            None => world.session.login(now),
        },
        Action::Logout | Action::Expire => world.session.logout(),
        Action::Drop => world.session.lose(),
        Action::Compete => world.take_over(body.seconds.unwrap_or(world.rules.give_back_seconds)),
        Action::Uncompete => world.give_back(),
        Action::Maintenance => world.session.maintenance = true,
        Action::Up => world.come_up(),
        Action::Nightly => world.begin_night(),
        Action::Weekend => world.begin_weekend(),
    }
    let session = &world.session;
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
        "said": world.record.said(),
    }))
}
