//! A session: the token that signs all other requests, and for how long.

use base64ct::{Base64, Encoding};
use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use sha1::Sha1;
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::authorization::{Authorization, Identity};
use crate::base::base_string;
use crate::nonce::Stamp;
use crate::opening::Answer;
use crate::target::Target;

/// Why an answer begins no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SessionError {
    /// The response is no number, or one that only a broken or hostile server sends.
    #[error(
        "the answer is no number of this exchange; something other than IBKR may have answered"
    )]
    Response,
    /// Both sides have different tokens.
    #[error(
        "IBKR's proof of the session token does not match: the Diffie-Hellman prime here may not be the one that was \
         uploaded, or the access-token secret is not the one that belongs to the token"
    )]
    Signature,
}

/// The token: HMAC-SHA1 of the access-token secret, keyed with the shared number.
pub(crate) fn live_session_token(shared: &[u8], prepend: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mac = Hmac::<Sha1>::new_from_slice(shared).ok()?;
    let token = mac.chain_update(prepend).finalize();
    Some(Zeroizing::new(token.as_bytes().as_slice().to_vec()))
}

/// A session that both sides have proven.
pub struct Session {
    identity: Identity,
    token: Zeroizing<Vec<u8>>,
    /// The token as a key, ready to sign.
    signer: Hmac<Sha256>,
    expires: Timestamp,
}

impl Session {
    /// Begins a session if IBKR proved that it has the same token.
    pub(crate) fn begin(
        identity: Identity,
        token: Zeroizing<Vec<u8>>,
        answer: &Answer,
    ) -> Result<Self, SessionError> {
        let proof = HEXLOWER_PERMISSIVE.decode(answer.signature.trim().as_bytes());
        let proof = proof.map_err(|_| SessionError::Signature)?;
        let mac = Hmac::<Sha1>::new_from_slice(&token).map_err(|_| SessionError::Signature)?;
        // Compares in constant time.
        let verified = mac.chain_update(identity.consumer.as_str()).verify_slice(&proof);
        verified.map_err(|_| SessionError::Signature)?;
        let signer = Hmac::<Sha256>::new_from_slice(&token).map_err(|_| SessionError::Signature)?;
        Ok(Self { identity, token, signer, expires: answer.expires })
    }

    /// Signs one request. Its body is not signed.
    pub fn sign(&self, method: &str, target: &Target, stamp: Stamp) -> Authorization {
        let mut parameters = self.parameters(stamp);
        let base = self.base_of(method, target, &parameters);
        let signature = self.signer.clone().chain_update(base).finalize();
        let signature = Base64::encode_string(signature.as_bytes().as_slice());
        parameters.push(("oauth_signature".to_owned(), signature));
        Authorization::new(self.identity.consumer.realm(), &parameters)
    }

    /// What [`Session::sign`] would sign, for comparison with another program.
    pub fn base(&self, method: &str, target: &Target, stamp: Stamp) -> String {
        self.base_of(method, target, &self.parameters(stamp))
    }

    /// When IBKR forgets the token, by its own clock.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// How long it is good for at this time of IBKR's clock; zero when it is over.
    pub fn remaining(&self, now: Timestamp) -> SignedDuration {
        self.expires.duration_since(now).max(SignedDuration::ZERO)
    }

    /// The token itself, in base64, for comparison with another program's.
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(Base64::encode_string(&self.token))
    }

    fn parameters(&self, stamp: Stamp) -> Vec<(String, String)> {
        self.identity.parameters("HMAC-SHA256", stamp)
    }

    fn base_of(&self, method: &str, target: &Target, ours: &[(String, String)]) -> String {
        base_string(method, target.address(), &[ours, target.parameters()].concat())
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("expires", &self.expires).finish_non_exhaustive()
    }
}
