//! OAuth 1.0a, as `api.ibkr.com` wants it of consumers who registered keys of their own.
//!
//! A request's `header` is taken apart; the `registrar` knows the consumers, their `keys` and what was issued to them;
//! `base` lists the texts that may have been signed; `check` holds a request against all of that; `lst` issues the
//! session token, by arithmetic of its own (`num-bigint`, and `ring` for what is no arithmetic). `control` is what a
//! test does to all this from behind.
//!
//! It shares nothing with the code that it tests, neither text nor library: RSA and Diffie-Hellman are done twice by
//! different people's code, and what both agree on is not one's mistake.

mod base;
mod check;
mod control;
mod header;
mod keys;
mod lst;
mod registrar;

pub(crate) use check::{answer, may_open_socket};
pub(crate) use control::control;
pub(crate) use registrar::Registrar;
