//! What a value may be completed to.

use serde::{Deserialize, Serialize};

/// A kind of value that a person types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Completable {
    /// An account of the login.
    Account,
    /// A symbol that is held or was asked for lately.
    Symbol,
    /// The number of such a contract.
    Conid,
    /// A day or month on which something of a symbol expires.
    Expiry,
    /// A Flex query that is remembered.
    FlexQuery,
    /// An alert.
    Alert,
    /// An order that works, waits or is in doubt.
    Order,
    /// A year of which there are statements.
    Year,
}

/// What is typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completing {
    /// What is meant.
    pub what: Completable,
    /// What is typed of it.
    pub begins: String,
    /// The symbol that was given before, of which an expiry is.
    pub symbol: Option<String>,
    /// The account that was given before.
    pub account: Option<String>,
}

/// What it may be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completed {
    /// At most [`Completed::MOST`].
    pub values: Vec<String>,
    /// How many there are in all.
    pub total: u32,
}

impl Completed {
    /// No answer has more values.
    pub const MOST: usize = 100;
}
