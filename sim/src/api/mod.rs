//! The Client Portal API: who may ask what in which state, and one file per family of endpoints.

mod accounts;
mod alerts;
mod analyst;
mod chains;
mod change;
pub(crate) mod chart;
mod contracts;
mod fx;
mod gateway;
mod groups;
mod history;
pub(crate) mod ladder;
mod login;
pub(crate) mod money;
mod order_row;
mod orders;
mod pages;
mod partitions;
mod place;
mod portfolio;
mod positions;
mod rules;
mod scanner;
mod schedule;
mod search;
mod secdef;
mod session;
mod snapshot;
pub(crate) mod socket;
mod summary;
mod trades;
mod watchlists;
mod whatif;

use crate::advisor::Listed;
use crate::calendar::Closed;
use crate::flex;
use crate::http::{Call, Reply};
use crate::oauth;
use crate::pacing::is_history;
use crate::session::Brokerage;
use crate::state::World;

/// Serves one family: `None` if the path is not one of its own.
type Family = fn(&mut World, &Call, &[&str]) -> Option<Reply>;

/// Asked in this order; the paths of two families never overlap.
const FAMILIES: [Family; 18] = [
    session::route,
    groups::route,
    accounts::route,
    alerts::route,
    portfolio::route,
    positions::route,
    analyst::route,
    search::route,
    chains::route,
    contracts::route,
    schedule::route,
    snapshot::route,
    history::route,
    orders::route,
    place::route,
    change::route,
    scanner::route,
    watchlists::route,
];

/// Answers any request, whatever its path.
pub(crate) fn answer(world: &mut World, call: &Call) -> Reply {
    world.catch_up();
    // Another service: it knows no login, and its clients keep none alive.
    if let Some(reply) = flex::answer(world, call) {
        return reply;
    }
    let (real, now) = (world.clock.real_ms(), world.now());
    world.session.expire(&world.rules, real, now);
    let Some(path) = call.api_path() else { return pages::answer(world, call) };
    if let Some(reply) = oauth::answer(world, call) {
        return reply;
    }
    count(world, &path);
    // The gateway's own calls are not the client's doing and cost it nothing.
    if !call.is_gateways_own() && !world.pacing.admit(&path, now, &world.rules) {
        return Reply::refusal(429, "Too Many Requests");
    }
    let reply = refuse(world, call, &path).unwrap_or_else(|| dispatch(world, call, &path));
    reply.delayed(world.rules.latency_millis)
}

/// True for requests that must hold a history slot while they are answered.
pub(crate) fn holds_history_slot(call: &Call, reply: &Reply) -> bool {
    reply.status != 429 && call.api_path().is_some_and(|path| is_history(&path))
}

/// Counts what tells how a client looks after its session.
fn count(world: &mut World, path: &[&str]) {
    let (ledger, out) = (&mut world.logins.ledger, !world.session.sso);
    match path {
        ["tickle"] => {
            ledger.tickles += 1;
            ledger.tickles_logged_out += u32::from(out);
        }
        ["logout"] => ledger.logouts += 1,
        _ => {}
    }
}

fn dispatch(world: &mut World, call: &Call, path: &[&str]) -> Reply {
    if let Some(reply) = gateway::answer(world, call, path) {
        return reply;
    }
    FAMILIES.iter().find_map(|family| family(world, call, path)).unwrap_or_else(Reply::not_found)
}

/// The reasons to refuse that have nothing to do with the endpoint itself.
fn refuse(world: &World, call: &Call, path: &[&str]) -> Option<Reply> {
    if path.first() == Some(&"iserver") && world.closed() == Some(Closed::Weekend) {
        return Some(unavailable());
    }
    if !world.session.sso {
        return Some(Reply::empty(401));
    }
    if path.first() == Some(&"iserver") {
        let is_night = world.closed() == Some(Closed::Night) && path.get(1) != Some(&"auth");
        if world.session.maintenance || is_night {
            return Some(unavailable());
        }
        if let Some(refusal) = without_brokerage(world, path) {
            return Some(refusal);
        }
    }
    if call.unreadable {
        return Some(Reply::bad_request("Bad Request"));
    }
    unprimed(world, path)
}

fn unavailable() -> Reply {
    Reply::refusal(503, "Service Unavailable")
}

/// Tier 3 is needed for everything under `/iserver` but the session's own calls.
fn without_brokerage(world: &World, path: &[&str]) -> Option<Reply> {
    if matches!(path.get(1), Some(&"auth" | &"reauthenticate"))
        || world.session.is_established(world.now())
    {
        return None;
    }
    Some(match world.session.brokerage {
        Brokerage::Taken => Reply::refusal(401, "not authenticated"),
        _ => Reply::bad_request("no bridge"),
    })
}

/// The calls that only work after the broker was asked for its accounts.
fn unprimed(world: &World, path: &[&str]) -> Option<Reply> {
    let primed = &world.session.primed;
    match path {
        ["iserver", "account", "orders" | "trades" | "pnl", ..]
        | ["iserver", "marketdata", "snapshot"]
            if !primed.accounts =>
        {
            Some(Reply::error(500, "Please query /accounts first"))
        }
        ["iserver", "account", ..] if !primed.accounts => {
            Some(Reply::bad_request("Please query /accounts first"))
        }
        ["portfolio", "accounts" | "subaccounts" | "subaccounts2"] => None,
        ["portfolio" | "portfolio2", ..] if !primed.portfolio => {
            Some(Reply::bad_request("Please query /accounts first"))
        }
        // Of an adviser's clients the list of all accounts must have been asked for.
        ["portfolio" | "portfolio2", id, ..]
            if !primed.subaccounts && is_beyond_accounts(world, id) =>
        {
            Some(Reply::bad_request("Please query /accounts first"))
        }
        _ => None,
    }
}

/// Whether an account is one that `/portfolio/accounts` does not list.
fn is_beyond_accounts(world: &World, id: &str) -> bool {
    let advisor = world.advisor.as_ref();
    advisor.is_some_and(|advisor| advisor.listed == Listed::Master) && world.tradable(id).is_some()
}

/// What the broker says about an account that this user does not have.
fn unknown_account(id: &str) -> Reply {
    Reply::bad_request(&format!("accountId is not valid: {id}"))
}

/// What the broker says about a contract that does not exist: JSON inside a JSON string.
fn details_unavailable() -> Reply {
    let reason = "Details currently unavailable. Please try again later and contact client services if the issue persists.";
    Reply::error(500, &serde_json::json!({ "reason": reason }).to_string())
}
