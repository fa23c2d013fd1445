//! The simulator through its own front door: real sockets, real HTTP, one process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod accounts;
mod calendar;
mod faults;
mod gateway;
mod harness;
mod login;
mod orders;
mod pacing;
mod page;
mod program;
mod session;
mod shape;
mod shapes;
mod snapshot;
mod socket;
mod tls;
