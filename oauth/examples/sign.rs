//! Signs what it is told on standard input, as JSON, and prints what came out, so that another program's OAuth can be
//! held against it:
//!
//! ```json
//! {
//!   "consumer_key": "…", "access_token": "…", "access_token_secret": "…",
//!   "signature_key": "PEM", "encryption_key": "PEM", "dh_prime": "PEM or hex",
//!   "lst": { "url": "…", "nonce": "…", "timestamp": 1790000000, "dh_random": "64 hex digits" },
//!   "answer": { "diffie_hellman_response": "…", "live_session_token_signature": "…",
//!               "live_session_token_expiration": 1790086400000 },
//!   "request": { "method": "GET", "url": "…", "params": { "name": "value" }, "nonce": "…", "timestamp": 1790000000,
//!                "query": "left_out, merged or in_address" }
//! }
//! ```
//!
//! Without `answer` it stops after the request for a session; without `request` after the session. With `answer` but
//! without its signature the token cannot be proven, which is an error as it is for the daemon.

#![allow(clippy::print_stdout, missing_docs)]

use std::error::Error;
use std::io::Read;

use ibd_oauth::{
    AccessToken, Answer, Asking, Authorization, ConsumerKey, Credentials, DhParameters,
    EncryptionKey, Exchange, Nonce, Opening, Query, Randomness, Session, SigningKey, Stamp, Target,
    TokenSecret,
};
use jiff::Timestamp;
use serde_json::{Value, json};

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> Fallible<()> {
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input)?;
    let asked: Value = serde_json::from_str(&input)?;
    // Only hides how long the private keys take; nothing that is printed depends on it.
    let mut randomness = Randomness::from_seed(&[0; 32]);
    let credentials = credentials(&asked)?;
    let prepend = credentials.encryption.decrypt(&credentials.secret, &mut randomness)?;
    let asking = ask(&credentials, &asked["lst"], &mut randomness)?;
    let mut said = json!({ "prepend": prepend.expose().as_str(), "lst": lst(&asking) });
    if !asked["answer"].is_null() {
        let session = asking.answer(&answer(&asked["answer"])?)?;
        said["live_session_token"] = json!(session.expose().as_str());
        said["expires"] = json!(session.expires().as_millisecond());
        if !asked["request"].is_null() {
            said["request"] = request(&session, &asked["request"])?;
        }
    }
    println!("{}", serde_json::to_string_pretty(&said)?);
    Ok(())
}

fn text<'a>(value: &'a Value, key: &str) -> Fallible<&'a str> {
    value[key].as_str().ok_or_else(|| format!("{key} is missing, or no text").into())
}

fn credentials(asked: &Value) -> Fallible<Credentials> {
    Ok(Credentials {
        consumer: ConsumerKey::parse(text(asked, "consumer_key")?)?,
        token: AccessToken::parse(text(asked, "access_token")?)?,
        secret: TokenSecret::parse(text(asked, "access_token_secret")?)?,
        signing: SigningKey::from_pem(text(asked, "signature_key")?)?,
        encryption: EncryptionKey::from_pem(text(asked, "encryption_key")?)?,
        parameters: DhParameters::read(text(asked, "dh_prime")?)?,
    })
}

fn stamp(value: &Value) -> Fallible<Stamp> {
    let nonce = Nonce::given(text(value, "nonce")?).ok_or("nonce is not letters and digits")?;
    let seconds = value["timestamp"].as_i64().ok_or("timestamp is missing, or no whole number")?;
    Ok(Stamp::new(nonce, Timestamp::from_second(seconds)?))
}

fn ask(credentials: &Credentials, lst: &Value, randomness: &mut Randomness) -> Fallible<Asking> {
    let secret = secret(text(lst, "dh_random")?)?;
    let exchange = Exchange::begin(&credentials.parameters, &secret);
    let opening = Opening { address: text(lst, "url")?, stamp: stamp(lst)?, exchange };
    Ok(credentials.ask(opening, randomness)?)
}

/// 32 bytes; Python leaves leading zeros out.
fn secret(hex: &str) -> Fallible<[u8; 32]> {
    let padded = format!("{hex:0>64}");
    let mut bytes = [0; 32];
    if padded.len() != 64 || !padded.is_ascii() {
        return Err("dh_random is more than 64 hex digits".into());
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&padded[2 * at..2 * at + 2], 16)?;
    }
    Ok(bytes)
}

fn lst(asking: &Asking) -> Value {
    json!({
        "base_string": asking.expose_base(),
        "signature": signature(asking.authorization()),
        "authorization": asking.authorization().expose(),
    })
}

fn answer(value: &Value) -> Fallible<Answer> {
    let expires = value["live_session_token_expiration"].as_i64();
    let expires = expires.ok_or("live_session_token_expiration is missing, or no whole number")?;
    Ok(Answer {
        response: text(value, "diffie_hellman_response")?.to_owned(),
        signature: text(value, "live_session_token_signature")?.to_owned(),
        expires: Timestamp::from_millisecond(expires)?,
    })
}

fn request(session: &Session, value: &Value) -> Fallible<Value> {
    let query = match value["query"].as_str() {
        None | Some("left_out") => Query::LeftOut,
        Some("merged") => Query::Merged,
        Some("in_address") => Query::InAddress,
        Some(other) => return Err(format!("query {other} is none of the three").into()),
    };
    let (method, target) = (text(value, "method")?, Target::new(&address(value)?, query));
    let authorization = session.sign(method, &target, stamp(value)?);
    Ok(json!({
        "base_string": session.base(method, &target, stamp(value)?),
        "signature": signature(&authorization),
        "authorization": authorization.expose(),
    }))
}

/// The address with `params` as its query.
fn address(value: &Value) -> Fallible<String> {
    let url = text(value, "url")?;
    let Some(params) = value["params"].as_object().filter(|params| !params.is_empty()) else {
        return Ok(url.to_owned());
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in params {
        query.append_pair(name, value.as_str().ok_or("params are texts")?);
    }
    Ok(format!("{url}?{}", query.finish()))
}

/// The signature as it stands in a header, encoded.
fn signature(authorization: &Authorization) -> &str {
    let rest = authorization.expose().split("oauth_signature=\"").nth(1).unwrap_or_default();
    rest.split('"').next().unwrap_or_default()
}
