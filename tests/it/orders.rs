//! Orders: one order whatever happens, every kind of order right at the broker, and bad ones never there.

mod after;
mod bad;
mod kinds;
mod once;
mod questions;
