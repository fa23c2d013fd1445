//! What lies outside the API: the root, and everything under `/sso`.

use super::login;
use crate::http::{Call, Reply};
use crate::state::World;

/// Where the gateway sends a browser.
pub(super) const LOGIN: &str = "/sso/Login?forwardTo=22&RL=1&ip2loc=US";

/// Answers a path that is not under `/v1`.
pub(super) fn answer(world: &mut World, call: &Call) -> Reply {
    match call.path.as_str() {
        "/" => Reply::redirect(LOGIN),
        "/sso/Login" => login::page(world, call),
        "/sso/Authenticator" => login::authenticator(world, call),
        "/sso/Dispatcher" => login::dispatcher(world, call),
        "/sso/ping" => Reply::text(200, "pong"),
        _ => Reply::not_found(),
    }
}
