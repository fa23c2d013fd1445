//! What happened: an invented history that leads to what the account had when the simulator started, and
//! after that what it really traded.

mod balance;
mod bulk;
mod contract;
mod dice;
mod event;
mod holdings;
mod opening;
mod payments;
mod plan;
mod rare;
mod real;
mod trips;

pub(super) use bulk::Bulk;
pub(super) use contract::Identity;
pub(super) use event::{Action, Dividend, Event, Fill, Movement, MovementKind, Order, Transfer};
pub(crate) use opening::Opening;
pub(super) use plan::Plan;
pub(super) use real::Real;
