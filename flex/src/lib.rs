//! Flex statements: all about them that needs no network.

mod exact;
pub mod statement;
pub mod summary;
pub mod value;
