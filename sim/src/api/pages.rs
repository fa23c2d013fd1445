//! What lies outside the API: the root, the login page, and the end of a login.

use crate::http::{Call, Reply};
use crate::state::World;

const LOGIN: &str = "/sso/Login?forwardTo=22&RL=1&ip2loc=US";

const LOGIN_PAGE: &str = "<!DOCTYPE html><html><head><title>ib-sim login</title></head><body>\
<h1>This is ib-sim</h1><p>A simulator of the broker, not the broker. To log in, POST \
<code>{\"action\":\"login\"}</code> to <code>/session</code> of its control API.</p></body></html>";

/// Answers a path that is not under `/v1`.
pub(super) fn answer(world: &mut World, call: &Call) -> Reply {
    match call.path.as_str() {
        "/" => Reply::redirect(LOGIN),
        "/sso/Login" => Reply::html(200, LOGIN_PAGE),
        "/sso/Dispatcher" => {
            let now = world.now();
            world.session.login(now);
            Reply::text(200, "Client login succeeds")
        }
        _ => Reply::not_found(),
    }
}
