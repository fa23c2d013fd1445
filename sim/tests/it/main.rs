//! The simulator through its own front door: real sockets, real HTTP, one process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod accounts;
mod faults;
mod harness;
mod orders;
mod pacing;
mod program;
mod session;
mod shape;
mod shapes;
mod snapshot;
mod tls;
