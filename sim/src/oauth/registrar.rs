//! Who registered what, what was issued to them, and what they said already.

use std::collections::{BTreeSet, HashMap};

use num_bigint::BigUint;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::keys::{PublicKey, hex, to_base64};

/// Bytes of an access-token secret.
const SECRET_BYTES: usize = 20;
/// Seconds by which a request's time may be off.
pub(super) const TOLERANCE_S: i64 = 300;

/// One consumer.
#[derive(Debug)]
pub(super) struct Consumer {
    pub(super) signing: PublicKey,
    pub(super) encryption: PublicKey,
    pub(super) prime: BigUint,
    /// Who is logged in through it.
    pub(super) user: String,
    /// Not before the night after the registration, or later.
    pub(super) is_active: bool,
    pub(super) token: String,
    pub(super) secret: Vec<u8>,
    /// What can be wrong with it that no key repairs.
    pub(super) trouble: Option<Trouble>,
    pub(super) session: Option<Issued>,
}

/// What can be wrong with a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Trouble {
    /// The broker lost the access-token secret.
    NoSecret,
    /// The user may not trade through this way.
    NotEntitled,
    /// The session lives at another of the broker's hosts.
    Gone,
    /// The client's address is not let in.
    Blocked,
}

/// A live session token.
#[derive(Debug)]
pub(super) struct Issued {
    pub(super) token: Vec<u8>,
    /// Simulated milliseconds since the start.
    pub(super) at: i64,
}

/// Everything that is known of consumers.
#[derive(Debug, Default)]
pub(crate) struct Registrar {
    pub(super) consumers: HashMap<String, Consumer>,
    /// Seconds by which the broker's clock is ahead of the system's.
    pub(super) ahead_s: i64,
    /// Times and nonces of the requests that were let through.
    said: BTreeSet<(i64, String)>,
    /// Request tokens that wait for their verifier, and whose they are.
    pub(super) requested: HashMap<String, String>,
    /// A new session token does not end the brokerage session.
    pub(super) renewal_keeps: bool,
    drawn: u64,
    signed: u64,
    issued: u64,
    /// Why requests were refused, latest last.
    refused: Vec<String>,
}

impl Registrar {
    /// Bytes that follow from the seed and nothing else, never the same twice.
    pub(super) fn draw(&mut self, seed: u64) -> [u8; 32] {
        self.drawn += 1;
        let text = format!("ib-sim oauth {seed} {}", self.drawn);
        let mut bytes = [0; 32];
        let hash = digest(&SHA256, text.as_bytes());
        bytes.iter_mut().zip(hash.as_ref()).for_each(|(byte, drawn)| *byte = *drawn);
        bytes
    }

    /// A new access token and its secret. The answer has them as the broker's page shows them: the secret encrypted.
    pub(super) fn make_token(&mut self, seed: u64, key: &str) -> Option<Value> {
        let (token, secret) = (self.draw(seed), self.draw(seed));
        let mut padding = (0..8).flat_map(|_| self.draw(seed)).collect::<Vec<u8>>().into_iter();
        let consumer = self.consumers.get_mut(key)?;
        consumer.token = hex(token.get(..10)?);
        consumer.secret = secret.get(..SECRET_BYTES)?.to_vec();
        consumer.session = None;
        let encrypted =
            consumer.encryption.encrypt(&consumer.secret, &mut || padding.next().unwrap_or(1));
        Some(json!({ "accessToken": consumer.token, "accessTokenSecret": to_base64(&encrypted) }))
    }

    /// Notes a nonce, unless it was said before or its time is too far from `now` (epoch seconds).
    pub(super) fn admit(&mut self, nonce: &str, seconds: i64, now: i64) -> Result<(), String> {
        if (seconds - now).abs() > TOLERANCE_S {
            return Err(format!("timestamp refused: it is {} s off", seconds - now));
        }
        // What is older would be refused for its age.
        self.said.retain(|(at, _)| *at >= now - 2 * TOLERANCE_S);
        if self.said.iter().any(|(_, known)| known == nonce) {
            return Err("nonce used".to_owned());
        }
        self.said.insert((seconds, nonce.to_owned()));
        Ok(())
    }

    /// Whoever logs out ends the session of everybody who is that user.
    pub(super) fn end_sessions(&mut self) {
        self.consumers.values_mut().for_each(|consumer| consumer.session = None);
    }

    pub(super) fn count_signed(&mut self) {
        self.signed += 1;
    }

    pub(super) fn count_issued(&mut self) {
        self.issued += 1;
    }

    pub(super) fn note_refusal(&mut self, reason: &str) {
        self.refused.push(reason.to_owned());
    }

    /// What tests look at.
    pub(super) fn report(&self) -> Value {
        let consumers = self.consumers.iter().map(|(key, consumer)| {
            let said = json!({
                "user": consumer.user,
                "active": consumer.is_active,
                "accessToken": consumer.token,
                "session": consumer.session.is_some(),
            });
            (key.clone(), said)
        });
        json!({
            "consumers": consumers.collect::<serde_json::Map<String, Value>>(),
            "signed": self.signed,
            "issued": self.issued,
            "refused": self.refused,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_nonce_counts_once_and_a_time_within_five_minutes() {
        let mut registrar = Registrar::default();
        assert_eq!(registrar.admit("a", 1000, 1000), Ok(()));
        assert_eq!(registrar.admit("a", 1001, 1001), Err("nonce used".to_owned()));
        for (seconds, is_fine) in [(699, false), (700, true), (1300, true), (1301, false)] {
            assert_eq!(registrar.admit(&seconds.to_string(), seconds, 1000).is_ok(), is_fine);
        }
    }

    #[test]
    fn what_is_drawn_follows_from_the_seed_and_differs_each_time() {
        let (mut one, mut other) = (Registrar::default(), Registrar::default());
        assert_eq!(one.draw(1), other.draw(1));
        assert_ne!(one.draw(1), other.draw(2));
        assert_ne!(one.draw(1), one.draw(1));
    }
}
