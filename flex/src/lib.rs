//! Flex statements: all about them that needs no network.

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
