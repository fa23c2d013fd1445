//! The Client Portal Web API over HTTPS: one type per endpoint, one door for every request.
//!
//! Lenient in what it accepts (the broker sends ids as numbers or strings, money as floats with
//! noise, "N/A" for nothing), exact in what it hands on: decimals, newtypes, and a missing value
//! stays missing. No actor and no hidden retry lives here.
//!
//! Source of every shape: IBKR's Client Portal API v1 reference; where practice differs from it, the
//! comment beside the type says so.

pub mod accounts;
pub mod alerts;
pub mod allocation;
pub mod analyst;
pub mod client;
pub mod contracts;
pub mod direct;
pub mod door;
pub mod endpoint;
pub mod exact;
pub mod failure;
pub mod faults;
pub mod flex;
pub mod history;
pub mod id;
pub mod lenient;
pub mod money;
pub mod orders;
pub mod pace;
pub mod pin;
pub mod portfolio;
pub mod rows;
pub mod scanner;
pub mod session;
pub mod snapshot;
pub mod stream;
pub mod subaccounts;
pub mod trades;
pub mod unreachable;
pub mod watchlists;
pub mod whatif;

pub use client::{Answer, Client, Sent};
pub use direct::Denial;
pub use endpoint::{Endpoint, Lane, Path, Write};
pub use failure::Failure;
pub use unreachable::Unreachable;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod odd;
#[cfg(test)]
mod testing;
