//! The live session token, and the two endpoints by which third parties come to a token.

use num_bigint::{BigInt, BigUint};
use ring::hmac;
use serde_json::json;

use super::check::{LIFE_MS, consumer, verify};
use super::header::Header;
use super::keys::hex;
use super::registrar::{Consumer, Issued, Trouble};
use crate::clock;
use crate::http::{Call, Reply};
use crate::login;
use crate::state::World;

/// Answers everything below `/oauth`.
pub(super) fn answer(world: &mut World, call: &Call, leg: &str) -> Reply {
    if call.method != "POST" {
        return Reply::not_found();
    }
    let answered = match leg {
        "live_session_token" => live_session_token(world, call),
        "request_token" => request_token(world, call),
        "access_token" => access_token(world, call),
        _ => return Reply::not_found(),
    };
    answered.unwrap_or_else(|reason| {
        world.oauth.note_refusal(&reason);
        if reason == BLOCKED { Reply::empty(403) } else { Reply::refusal(401, &reason) }
    })
}

/// Stands for an address that is not let in; it is not said.
const BLOCKED: &str = "blocked address";

fn live_session_token(world: &mut World, call: &Call) -> Result<Reply, String> {
    let header = Header::parse(&call.authorization)?;
    header.check("RSA-SHA256", &["oauth_token", "diffie_hellman_challenge"])?;
    let (prime, prepend) = {
        let consumer = known(world, &header)?;
        (consumer.prime.clone(), hex(&consumer.secret))
    };
    let key = verify(world, (call, &header), |consumer, text, signature| {
        consumer.signing.verifies(&format!("{prepend}{text}"), signature)
    })?;
    let challenge = number(header.get("diffie_hellman_challenge")?, &prime)?;
    let seed = world.seed();
    let ours = BigUint::from_bytes_be(&world.oauth.draw(seed));
    let response = BigUint::from(2_u8).modpow(&ours, &prime);
    let shared = challenge.modpow(&ours, &prime);
    log_in(world, &key)?;
    let now = world.now();
    let consumer = world.oauth.consumers.get_mut(&key).ok_or("the consumer is gone")?;
    // The number's bytes with a sign, as Java has them.
    let token = sha1(&BigInt::from(shared).to_signed_bytes_be(), &consumer.secret);
    let proof = sha1(&token, key.as_bytes());
    consumer.session = Some(Issued { token, at: now });
    world.oauth.count_issued();
    Ok(Reply::json(&json!({
        "diffie_hellman_response": response.to_str_radix(16),
        "live_session_token_signature": hex(&proof),
        "live_session_token_expiration": expiration(world),
    })))
}

/// The consumer, its token and its secret, or the broker's words for what is missing.
fn known<'a>(world: &'a World, header: &Header) -> Result<&'a Consumer, String> {
    let consumer = consumer(world, header)?;
    match consumer.trouble {
        Some(Trouble::Blocked) => return Err(BLOCKED.to_owned()),
        Some(Trouble::NoSecret) => {
            let key = header.get("oauth_consumer_key")?;
            return Err(format!("LST failed, error: No access secret key found for {key}"));
        }
        _ => {}
    }
    if consumer.token != header.get("oauth_token")? {
        return Err("id: 39688, error: invalid token".to_owned());
    }
    Ok(consumer)
}

/// A number as clients write it: small letters, no zeros in front, and none that would make the shared number known.
fn number(text: &str, prime: &BigUint) -> Result<BigUint, String> {
    let wrong = || "diffie_hellman_challenge is not valid".to_owned();
    let number = BigUint::parse_bytes(text.as_bytes(), 16).ok_or_else(wrong)?;
    let is_inside = number > BigUint::from(1_u8) && &number + 1_u8 < *prime;
    if number.to_str_radix(16) == text && is_inside { Ok(number) } else { Err(wrong()) }
}

/// A new token is a new login; the brokerage session has to be opened again.
fn log_in(world: &mut World, key: &str) -> Result<(), String> {
    let name = world.oauth.consumers.get(key).map(|consumer| consumer.user.clone());
    let user = name.as_deref().and_then(login::find).ok_or("the user is gone")?;
    let is_renewal = world.session.sso && world.user() == user.name;
    world.oauth.end_sessions();
    if !(is_renewal && world.oauth.renewal_keeps) {
        world.welcome(user);
    }
    Ok(())
}

/// By the clock that clients have, as early as the simulated one will come to it.
fn expiration(world: &World) -> i64 {
    let left = LIFE_MS as f64 / world.clock.rate();
    (clock::system_s() + world.oauth.ahead_s) * 1000 + left as i64
}

fn sha1(key: &[u8], message: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    hmac::sign(&key, message).as_ref().to_vec()
}

fn request_token(world: &mut World, call: &Call) -> Result<Reply, String> {
    let header = Header::parse(&call.authorization)?;
    header.check("RSA-SHA256", &["oauth_callback"])?;
    let key = verify(world, (call, &header), |consumer, text, signature| {
        consumer.signing.verifies(text, signature)
    })?;
    let seed = world.seed();
    let token = hex(&world.oauth.draw(seed)).split_off(44);
    world.oauth.requested.insert(token.clone(), key);
    Ok(Reply::json(&json!({ "request_token": token })))
}

/// The verifier is the request token backwards; at the broker a person would copy it from a page.
fn access_token(world: &mut World, call: &Call) -> Result<Reply, String> {
    let header = Header::parse(&call.authorization)?;
    header.check("RSA-SHA256", &["oauth_token", "oauth_verifier"])?;
    let key = verify(world, (call, &header), |consumer, text, signature| {
        consumer.signing.verifies(text, signature)
    })?;
    let token = header.get("oauth_token")?;
    let verifier: String = token.chars().rev().collect();
    let is_right = header.get("oauth_verifier")? == verifier;
    if !is_right || world.oauth.requested.remove(token) != Some(key.clone()) {
        return Err("id: 39688, error: invalid token".to_owned());
    }
    let seed = world.seed();
    let made = world.oauth.make_token(seed, &key).ok_or("the consumer is gone")?;
    Ok(Reply::json(&json!({
        "is_paper": world.is_paper(),
        "oauth_token": made["accessToken"],
        "oauth_token_secret": made["accessTokenSecret"],
    })))
}
