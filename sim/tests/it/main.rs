//! The simulator through its own front door: real sockets, real HTTP, one process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod accounts;
mod alerts;
mod bars;
mod calendar;
mod chains;
mod chaos;
mod faults;
mod feeds;
mod fills;
mod flex;
mod gateway;
mod harness;
mod hours;
mod login;
mod masks;
mod order_shapes;
mod orders;
mod pacing;
mod page;
mod place;
mod program;
mod questions;
mod session;
mod shape;
mod shapes;
mod snapshot;
mod socket;
mod streams;
mod tickets;
mod tls;
mod tws;
mod untruths;
mod watchlists;
