//! The login page on the wire: the page, the posts of its script, and the dispatcher at the end.

use serde_json::json;

use super::pages::LOGIN;
use crate::calendar::Closed;
use crate::http::{Call, Reply};
use crate::login::{Answer, Credentials, closed_page, login_page};
use crate::state::World;

/// Tells one visit to the page from another.
const VISIT: &str = "JSESSIONID";
/// The text that every client of the gateway looks for.
const SUCCESS: &str = "Client login succeeds";
/// `LOGIN_TYPE` of a paper login.
const PAPER: &str = "2";

/// `GET /sso/Login`.
pub(super) fn page(world: &World, call: &Call) -> Reply {
    if is_closed(world) {
        return Reply::html(503, closed_page());
    }
    let page = Reply::html(200, login_page());
    match call.cookie(VISIT) {
        Some(_) => page,
        None => page.with_cookie(VISIT, &format!("{:08X}.sim", world.next_number()), "/sso"),
    }
}

/// `POST /sso/Authenticator`: the page's script, or the gateway publishing its token.
pub(super) fn authenticator(world: &mut World, call: &Call) -> Reply {
    if is_closed(world) {
        return Reply::html(503, closed_page());
    }
    let (id, at) = (visit(call).to_owned(), world.moment());
    let text = |name: &str| call.either(name).unwrap_or_default();
    let answer = match text("ACTION").as_str() {
        // Nothing is checked yet, so nothing is told about who exists.
        "INIT" => return Reply::json(&json!({ "state": "init" })),
        "PUBLISH_TST" => return Reply::json(&json!({ "result": true })),
        "COMPLETEAUTH" => {
            let paper = text("LOGIN_TYPE") == PAPER;
            let typed = Credentials { user: text("USER"), password: text("PASSWORD"), paper };
            world.logins.password(&id, &typed, at)
        }
        "CHOOSE" => world.logins.choose(&id, &text("METHOD"), at),
        "COMPLETETWOFACT" => world.logins.code(&id, &text("RESPONSE"), at),
        "RESENDNOTIFICATION" => world.logins.resend(&id, at),
        "PUSHSTATUS" => world.logins.look(&id, at),
        _ => Answer::Failed("failed"),
    };
    Reply::json(&answer.json())
}

/// `/sso/Dispatcher`: the end of a visit, or the way past the page if the scenario leaves it open.
pub(super) fn dispatcher(world: &mut World, call: &Call) -> Reply {
    if is_closed(world) {
        return Reply::html(503, closed_page());
    }
    match world.logins.take_done(visit(call)) {
        Some(user) => world.welcome(user),
        None if world.rules.is_dispatcher_open() => world.log_in(),
        None => return back_to_the_page(world),
    }
    success(world)
}

/// The real gateway takes any redirect for a success, so behind it there must be none.
fn back_to_the_page(world: &World) -> Reply {
    if world.rules.behind_gateway {
        return Reply::html(200, login_page());
    }
    Reply::redirect(LOGIN)
}

/// The gateway wants a redirect and makes the text itself.
fn success(world: &World) -> Reply {
    let reply =
        if world.rules.behind_gateway { Reply::redirect("/") } else { Reply::text(200, SUCCESS) };
    let token = world.session_id();
    reply.with_cookie("XYZAB_AM.LOGIN", &token, "/").with_cookie("XYZAB", &token, "/").with_cookie(
        "USERID",
        "123456789",
        "/",
    )
}

fn is_closed(world: &World) -> bool {
    world.closed() == Some(Closed::Weekend)
}

/// Clients that keep no cookies share one visit.
fn visit(call: &Call) -> &str {
    call.cookie(VISIT).unwrap_or_default()
}
