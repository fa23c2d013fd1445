//! The harness: the true binaries in a world of their own.
//!
//! A [`World`] is a scratch home; a [`Shim`] is an `ib-mcp` with a client's end of its pipes; a
//! [`Sim`] is an `ib-sim` whose control API can be asked and told. Nothing outside the scratch home is
//! touched, and everything that was started is gone when the world is dropped.
// Signals and modes: the stories are told on Unix.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

pub mod desk;
pub mod http;
pub mod months;
pub mod shim;
pub mod sim;
pub mod world;

pub use desk::Desk;
pub use http::Http;
pub use shim::{Reply, Shim};
pub use sim::Sim;
pub use world::World;

use std::time::Duration;

/// Longer than anything here takes on a slow machine, in words of the caller.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How many tools a client sees.
pub fn tools() -> usize {
    ibd_protocol::catalogue::golden().len()
}

/// Waits until `is_so` says yes; says `what` was awaited in vain.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(tokio::time::Instant::now() < deadline, "awaited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
