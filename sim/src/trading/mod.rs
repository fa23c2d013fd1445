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
mod tws;
mod whims;

pub use chaos::ChaosBody;
pub(crate) use chaos::{Chaos, Place, Strike};
pub(crate) use fill::{Cost, Telling, commission};
pub(crate) use questions::{MOST_SUPPRESSED, Question};
pub(crate) use round::{Answer, Rounds};
pub(crate) use script::ScriptBody;
pub(crate) use ticket::Ticket;
pub(crate) use tws::TwsBody;
pub(crate) use whims::{LocalIds, NextBody};
