//! The crate held against another implementation, and against files that openssl made.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod forms;
mod properties;
mod vectors;

use ibd_oauth::Randomness;

/// Randomness that is the same in each run.
fn randomness(seed: u8) -> Randomness {
    Randomness::from_seed(&[seed; 32])
}
