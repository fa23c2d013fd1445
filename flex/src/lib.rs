//! Flex statements: all about them that needs no network and no actor.
//!
//! - [`statement`] reads one as a stream, in memory that does not grow with it;
//! - [`value`] reads dates, times and numbers in every form a template can have;
//! - [`summary`] and [`section`] say what is in one, in short and row by row;
//! - [`archive`] keeps them on disk and knows which days are covered;
//! - [`question`] and [`answers`] answer short English texts from what is kept;
//! - [`import_legacy`] reads the original's memory of queries.
//!
//! No amount passes through a float, no sum mixes levels of detail or currencies, and what is missing
//! is said and never zero.

pub mod answers;
pub mod archive;
mod cell;
mod exact;
pub mod import_legacy;
pub mod question;
pub mod section;
pub mod statement;
pub mod summary;
pub mod value;

pub use cell::{Cell, cell};
