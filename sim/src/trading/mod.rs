//! The exchange: tickets become questions, questions become orders, orders meet the market.
//!
//! ```text
//! ticket ─▶ checks ─▶ round (questions, replies) ─▶ accept ─▶ life ─▶ matching ─▶ fill
//!                        └── given up ──▶ gone, or a zombie ──▶ accept
//! ```

mod accept;
mod change;
mod chaos;
mod checks;
mod contract;
mod fields;
mod fill;
mod life;
mod matching;
mod questions;
mod request;
mod round;
mod script;
mod ticket;

pub use chaos::ChaosBody;
pub(crate) use chaos::{Chaos, Strike};
pub(crate) use fill::{Cost, commission};
pub(crate) use questions::{MOST_SUPPRESSED, Question};
pub(crate) use round::{Answer, Rounds};
pub(crate) use script::ScriptBody;
pub(crate) use ticket::Ticket;
