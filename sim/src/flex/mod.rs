//! The Flex Web Service, version 3: statements about an account's history.
//!
//! A request meets the `service`, which asks the `desk` (tokens, pace, references, what a test ordered).
//! A `statement` knows what it is about and is written later, piece by piece, without the world's lock:
//! the `past` says what happened, the `ledger` books it day by day and tells what came of it, and the
//! `report` writes one section after the other, each from a run of its own through the same days.
//! So nothing is held that grows with the size of a statement. The `analyst` asks the same ledger for another
//! service.

mod analyst;
mod codes;
mod control;
mod days;
mod dec;
mod defaults;
mod desk;
mod envelope;
mod form;
mod ledger;
mod past;
mod period;
mod prices;
mod report;
mod service;
mod spec;
mod statement;
mod xml;

pub(crate) use analyst::{DayEnd, Deal, Gain, Past};
pub(crate) use control::control;
pub(crate) use desk::Desk;
pub(crate) use past::Opening;
pub(crate) use service::answer;
pub use spec::{Call as FlexCall, FlexSpec, QuerySpec, QueryType};
