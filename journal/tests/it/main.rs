//! The journal from outside.
#![allow(clippy::unwrap_used, clippy::panic)]

mod damage;
mod faults;
mod life;
mod model;
mod power;
mod real;
mod tape;
