//! Asking for a session: the one request that the private keys sign.

use base64ct::{Base64, Encoding};
use jiff::Timestamp;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::authorization::{Authorization, Identity};
use crate::base::base_string;
use crate::credentials::Credentials;
use crate::dh::Exchange;
use crate::nonce::{Randomness, Stamp};
use crate::session::{Session, SessionError, live_session_token};
use crate::token::{Prepend, TokenError};

/// How a session is asked for.
#[derive(Debug)]
pub struct Opening<'a> {
    /// `…/oauth/live_session_token`, as it is called.
    pub address: &'a str,
    /// Nonce and time.
    pub stamp: Stamp,
    /// Our side of the key exchange.
    pub exchange: Exchange,
}

/// Why no session can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenError {
    /// The access-token secret does not go with the encryption key.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The signing key refuses.
    #[error("the signing key cannot sign: its numbers contradict each other")]
    Signing,
}

/// A session that was asked for and not answered yet.
pub struct Asking {
    authorization: Authorization,
    base: Zeroizing<String>,
    identity: Identity,
    exchange: Exchange,
    prepend: Prepend,
}

/// What IBKR answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// `diffie_hellman_response`: its side of the exchange, in hexadecimal.
    pub response: String,
    /// `live_session_token_signature`: its proof that it has the same token, in hexadecimal.
    pub signature: String,
    /// `live_session_token_expiration`, which is in milliseconds.
    pub expires: Timestamp,
}

impl Credentials {
    /// Signs the request for a session. It is a POST without a body.
    ///
    /// # Errors
    /// If the secret was made for another key, before anything is sent.
    pub fn ask(
        &self,
        opening: Opening<'_>,
        randomness: &mut Randomness,
    ) -> Result<Asking, OpenError> {
        let Opening { address, stamp, exchange } = opening;
        let prepend = self.encryption.decrypt(&self.secret, randomness)?;
        let identity = self.identity();
        let mut parameters = identity.parameters("RSA-SHA256", stamp);
        parameters.push(("diffie_hellman_challenge".to_owned(), exchange.challenge().to_owned()));
        // The secret is glued to the front, not among the parameters, and not encoded: only who has it can sign.
        let plain = base_string("POST", address, &parameters);
        let base = Zeroizing::new([prepend.hex().as_str(), &plain].concat());
        let signature = self.signing.sign(&base, randomness).ok_or(OpenError::Signing)?;
        parameters.push(("oauth_signature".to_owned(), Base64::encode_string(&signature)));
        let authorization = Authorization::new(self.consumer.realm(), &parameters);
        Ok(Asking { authorization, base, identity, exchange, prepend })
    }
}

impl Asking {
    /// The header to send.
    pub fn authorization(&self) -> &Authorization {
        &self.authorization
    }

    /// What was signed, for comparison with another program. It begins with the secret.
    pub fn expose_base(&self) -> &str {
        &self.base
    }

    /// The session that an answer begins.
    ///
    /// # Errors
    /// If the answer is no number of this exchange, or if IBKR does not have the same token as we.
    pub fn answer(self, answer: &Answer) -> Result<Session, SessionError> {
        let shared = self.exchange.shared(&answer.response)?;
        let token =
            live_session_token(&shared, self.prepend.bytes()).ok_or(SessionError::Signature)?;
        Session::begin(self.identity, token, answer)
    }
}

impl std::fmt::Debug for Asking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asking(…)")
    }
}
