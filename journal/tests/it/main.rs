//! The journal from outside.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod damage;
mod faults;
mod head;
#[cfg(feature = "faults")]
mod injected;
mod life;
mod model;
mod power;
mod real;
mod tape;
