//! Everything that a person registered at IBKR.

use crate::authorization::Identity;
use crate::dh::{DhParameters, Exchange};
use crate::key::{EncryptionKey, SigningKey};
use crate::names::{AccessToken, ConsumerKey};
use crate::nonce::Randomness;
use crate::token::TokenSecret;

/// What it takes to begin a session. Nothing of it can be printed but the consumer key.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Chosen when the keys were uploaded.
    pub consumer: ConsumerKey,
    /// Shown by IBKR.
    pub token: AccessToken,
    /// Shown by IBKR together with the token, encrypted.
    pub secret: TokenSecret,
    /// Signs the request for a session.
    pub signing: SigningKey,
    /// Decrypts the secret.
    pub encryption: EncryptionKey,
    /// The prime that was uploaded.
    pub parameters: DhParameters,
}

impl Credentials {
    /// Begins a new exchange with the prime that was uploaded.
    pub fn exchange(&self, randomness: &mut Randomness) -> Exchange {
        let secret = zeroize::Zeroizing::new(randomness.bytes::<32>());
        Exchange::begin(&self.parameters, &secret)
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity { consumer: self.consumer.clone(), token: self.token.clone() }
    }
}
