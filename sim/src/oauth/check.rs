//! Is this request signed by whom it says, now, and for the first time?

use ring::hmac;
use serde_json::json;

use super::base::{self, Called};
use super::header::Header;
use super::keys::base64;
use super::lst;
use super::registrar::{Consumer, Trouble};
use crate::clock;
use crate::http::{Call, Reply};
use crate::state::World;

/// Milliseconds that a session token lasts, by the simulated clock.
pub(super) const LIFE_MS: i64 = clock::DAY_MS;
/// The broker's words for a session that is over. What else it says of requests that it does not let through is not
/// known; those words are ours.
const EXPIRED: &str = "Access token expired";

/// Answers what belongs to OAuth, and whatever is not signed as it must be; `None` for a request that may go on.
pub(crate) fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    if !world.rules.oauth {
        return None;
    }
    let path = call.api_path()?;
    // The network in front of the broker, which knows no consumers.
    if call.agent.is_empty() {
        return Some(Reply::empty(403));
    }
    let answered = match path.as_slice() {
        ["oauth", leg] => Some(lst::answer(world, call, leg)),
        path => guarded(world, call, path),
    };
    answered.map(|reply| dated(world, reply))
}

/// An ordinary request.
fn guarded(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    let key = match check(world, call) {
        Ok(key) => key,
        Err(reason) => {
            world.oauth.note_refusal(&reason);
            return Some(problem(&reason));
        }
    };
    world.oauth.count_signed();
    let trouble = world.oauth.consumers.get(&key).and_then(|consumer| consumer.trouble);
    match (path, trouble) {
        (_, Some(Trouble::Blocked)) => Some(Reply::empty(403)),
        (["iserver", "auth", "ssodh", "init"], Some(Trouble::NotEntitled)) => {
            Some(Reply::error(500, "failed to generate sso dh token"))
        }
        (["iserver", "auth", "ssodh", "init"], Some(Trouble::Gone)) => {
            Some(Reply::text(410, "Gone"))
        }
        (["sso", "validate"], _) => Some(Reply::not_found()),
        (["logout"], _) => {
            world.oauth.end_sessions();
            None
        }
        _ if !world.session.sso => Some(problem(EXPIRED)),
        _ => None,
    }
}

/// Whose request it is; an error says why it is nobody's.
fn check(world: &mut World, call: &Call) -> Result<String, String> {
    let header = Header::parse(&call.authorization)?;
    header.check("HMAC-SHA256", &["oauth_token"])?;
    let now = world.now();
    let consumer = consumer(world, &header).map_err(str::to_owned)?;
    if consumer.token != header.get("oauth_token")? {
        return Err("Invalid access token".to_owned());
    }
    let session = consumer.session.as_ref().filter(|session| now - session.at < LIFE_MS);
    let token = session.ok_or(EXPIRED)?.token.clone();
    let mac = hmac::Key::new(hmac::HMAC_SHA256, &token);
    verify(world, (call, &header), |_, text, signature| {
        hmac::verify(&mac, text.as_bytes(), signature).is_ok()
    })
}

/// The consumer that a header names, if the broker knows it by now.
pub(super) fn consumer<'a>(
    world: &'a World,
    header: &Header,
) -> Result<&'a Consumer, &'static str> {
    let key = header.get("oauth_consumer_key").unwrap_or_default();
    let found = world.oauth.consumers.get(key).filter(|consumer| consumer.is_active);
    found.ok_or("id: 39687, error: invalid consumer")
}

/// Holds the signature against every text that may have been signed, then time and nonce. Answers with the consumer's
/// key.
pub(super) fn verify(
    world: &mut World,
    (call, header): (&Call, &Header),
    is_signed: impl Fn(&Consumer, &str, &[u8]) -> bool,
) -> Result<String, String> {
    let consumer = consumer(world, header).map_err(str::to_owned)?;
    let signature = base64(&header.signature).ok_or("oauth_signature is not base64")?;
    let origins = origins(world, call);
    let (method, path) = (call.method.as_str(), call.path.as_str());
    let called = Called { method, origins: &origins, path, query: &call.raw_query };
    let texts = base::all(&called, &header.parameters);
    if !texts.iter().any(|text| is_signed(consumer, text, &signature)) {
        return Err("Invalid signature".to_owned());
    }
    let seconds: i64 =
        header.get("oauth_timestamp")?.parse().map_err(|_| "oauth_timestamp is no number")?;
    let now = clock::system_s() + world.oauth.ahead_s;
    world.oauth.admit(header.get("oauth_nonce")?, seconds, now)?;
    Ok(header.get("oauth_consumer_key")?.to_owned())
}

/// Our names. A client may send the name of the true host while it signs the address that it was given.
fn origins(world: &World, call: &Call) -> Vec<String> {
    let scheme = if world.is_plain { "http" } else { "https" };
    let mut origins = vec![format!("{scheme}://{}", call.host)];
    if !world.origin.is_empty() && !origins.contains(&world.origin) {
        origins.push(world.origin.clone());
    }
    origins
}

fn problem(detail: &str) -> Reply {
    let body =
        json!({ "type": "/simple", "title": "Unauthorized", "status": 401, "detail": detail });
    Reply { content_type: Some("application/problem+json"), ..Reply::status_json(401, &body) }
}

/// Times of requests and of expiries are the system's, whatever is simulated: a client has no other clock. Where the
/// broker's is set to be another, its answers say so.
fn dated(world: &World, reply: Reply) -> Reply {
    let ahead = world.oauth.ahead_s;
    let date = clock::utc((clock::system_s() + ahead) * 1000, "%a, %d %b %Y %H:%M:%S GMT");
    Reply { date: Some(date).filter(|_| ahead != 0), ..reply }
}

/// Whether a websocket may be opened: its address has the token, its cookie the session.
pub(crate) fn may_open_socket(world: &World, query: &str, (cookie, agent): (&str, &str)) -> bool {
    if !world.rules.oauth {
        return true;
    }
    let now = world.now();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let token = pairs.find(|(name, _)| name == "oauth_token").map(|(_, value)| value.into_owned());
    let is_known = world.oauth.consumers.values().any(|consumer| {
        let is_alive = consumer.session.as_ref().is_some_and(|session| now - session.at < LIFE_MS);
        is_alive && token.as_ref() == Some(&consumer.token)
    });
    is_known && cookie.contains(&world.session_id()) && !agent.is_empty()
}
