//! OAuth 1.0a as IBKR wants it of a "first party": a person's own keys, their own consumer key, no browser.
//!
//! Pure: no network, no clock, no files. Whoever calls brings the time, the randomness and the texts of the keys,
//! and sends what comes out. What is decided here is only what is signed and how.
//!
//! ```text
//!  Credentials ─ ask(Opening) ─▶ Asking ── its header ──▶ POST /oauth/live_session_token
//!                                  │                                    │
//!                                  └──── answer(Answer) ◀───────────────┘
//!                                           │ proves that IBKR knows the same secret
//!                                           ▼
//!                                        Session ─ sign(method, Target, Stamp) ─▶ the header of any request
//! ```
//!
//! Two kinds of secrets never leave as they are: the private keys, and the live session token, which signs every
//! request for about a day. Neither can be printed, and both are wiped when they are dropped, as far as the libraries
//! wipe: intermediate results of a modular exponentiation are not.
//!
//! # RUSTSEC-2023-0071 ("Marvin")
//!
//! Older versions of `rsa` told by their time whether a decrypted block was well formed; who can have many blocks
//! decrypted over a network and measure each finds the plaintext out. 0.10 rejects implicitly and blinds. Here it
//! would not have mattered much: the one thing that is ever decrypted is the access-token secret, which the key's
//! owner pasted in, and it happens on their own machine before anything is sent. Nobody else chooses the block or
//! sees the time. That is also why `token.rs` may say plainly that a block was made for another key: to a person
//! that is the answer they need, and there is no stranger to whom it would be an oracle.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod authorization;
mod base;
mod credentials;
mod dh;
mod encode;
mod key;
mod names;
mod nonce;
mod opening;
mod pem;
mod session;
mod skew;
mod target;
mod token;

pub use authorization::Authorization;
pub use base::base_string;
pub use credentials::Credentials;
pub use dh::{DhError, DhParameters, Exchange};
pub use key::{EncryptionKey, KeyError, MODULUS_BITS, SigningKey};
pub use names::{AccessToken, ConsumerKey, NameError};
pub use nonce::{Nonce, Randomness, Stamp};
pub use opening::{Answer, Asking, OpenError, Opening};
pub use session::{Session, SessionError};
pub use skew::Skew;
pub use target::{Query, Target};
pub use token::{Prepend, TokenError, TokenSecret};
