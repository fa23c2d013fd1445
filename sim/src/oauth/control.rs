//! The control API's part about OAuth: the broker's page where keys are uploaded, and what goes wrong behind it.

use serde::Deserialize;
use serde_json::{Value, json};

use super::keys::{PublicKey, prime};
use super::registrar::{Consumer, Trouble};
use crate::http::Reply;
use crate::login;
use crate::state::World;

/// Body of `POST /oauth`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", tag = "action", deny_unknown_fields)]
enum Body {
    /// Keys are uploaded. The consumer is not active yet, unless that is said.
    #[serde(rename_all = "camelCase")]
    Register {
        consumer_key: String,
        signing_key: String,
        encryption_key: String,
        /// A PEM file or the prime in hexadecimal.
        dh_prime: String,
        #[serde(default = "simlive")]
        user: String,
        #[serde(default)]
        active: bool,
    },
    /// The night after has passed.
    #[serde(rename_all = "camelCase")]
    Activate { consumer_key: String },
    /// The consumer is removed.
    #[serde(rename_all = "camelCase")]
    Revoke { consumer_key: String },
    /// A new access token and secret; the old ones are void.
    #[serde(rename_all = "camelCase")]
    Token { consumer_key: String },
    /// What is wrong from now on; null ends it.
    #[serde(rename_all = "camelCase")]
    Trouble { consumer_key: String, trouble: Option<Trouble> },
    /// All session tokens are void.
    Expire,
    /// The broker's clock is this far ahead of the system's.
    Clock { seconds: i64 },
    /// A new session token keeps the brokerage session of the one before.
    Renewal { keeps: bool },
}

fn simlive() -> String {
    "simlive".to_owned()
}

/// Answers `GET /oauth` and `POST /oauth`; `None` for any other request.
pub(crate) fn control(world: &mut World, method: &str, path: &str, body: &[u8]) -> Option<Reply> {
    match (method, path) {
        ("GET", "/oauth") => Some(Reply::json(&world.oauth.report())),
        ("POST", "/oauth") => {
            let done = serde_json::from_slice(body).map_err(|error| error.to_string());
            let done = done.and_then(|body| change(world, body));
            Some(done.map_or_else(|wrong| Reply::error(400, &wrong), |said| Reply::json(&said)))
        }
        _ => None,
    }
}

fn change(world: &mut World, body: Body) -> Result<Value, String> {
    let seed = world.seed();
    let registrar = &mut world.oauth;
    match body {
        Body::Register { .. } => return register(world, body),
        Body::Token { consumer_key } => {
            return registrar.make_token(seed, &consumer_key).ok_or_else(|| unknown(&consumer_key));
        }
        Body::Activate { consumer_key } => known(world, &consumer_key)?.is_active = true,
        Body::Trouble { consumer_key, trouble } => known(world, &consumer_key)?.trouble = trouble,
        Body::Revoke { consumer_key } => {
            registrar.consumers.remove(&consumer_key).ok_or_else(|| unknown(&consumer_key))?;
        }
        Body::Expire => registrar.end_sessions(),
        Body::Clock { seconds } => registrar.ahead_s = seconds,
        Body::Renewal { keeps } => registrar.renewal_keeps = keeps,
    }
    Ok(json!({ "ok": true }))
}

fn known<'a>(world: &'a mut World, key: &str) -> Result<&'a mut Consumer, String> {
    world.oauth.consumers.get_mut(key).ok_or_else(|| unknown(key))
}

fn unknown(key: &str) -> String {
    format!("there is no consumer {key}")
}

fn register(world: &mut World, body: Body) -> Result<Value, String> {
    let Body::Register { consumer_key, signing_key, encryption_key, dh_prime, user, active } = body
    else {
        return Err("no registration".to_owned());
    };
    if login::find(&user).is_none() {
        return Err(format!("there is no user {user}"));
    }
    let consumer = Consumer {
        signing: PublicKey::parse(&signing_key).map_err(|wrong| format!("signingKey: {wrong}"))?,
        encryption: PublicKey::parse(&encryption_key)
            .map_err(|wrong| format!("encryptionKey: {wrong}"))?,
        prime: prime(&dh_prime).map_err(|wrong| format!("dhPrime: {wrong}"))?,
        user,
        is_active: active,
        token: String::new(),
        secret: Vec::new(),
        trouble: None,
        session: None,
    };
    world.oauth.consumers.insert(consumer_key.clone(), consumer);
    let seed = world.seed();
    world.oauth.make_token(seed, &consumer_key).ok_or_else(|| unknown(&consumer_key))
}
