//! What a person does about Flex queries.

use serde::{Deserialize, Serialize};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FlexVerb {
    /// Which queries are remembered.
    List,
    /// Run one, by number or name.
    Run {
        /// Which.
        query: String,
        /// How it is to be remembered.
        name: Option<String>,
        /// A new statement, however young the last is.
        refresh: bool,
    },
    /// Take a file over: a statement, or the original's `flex-queries.json`. The name of a copy of it in the inbox.
    Import(String),
    /// Write the newest statement of a query, or the rows of one section, to a file.
    Export {
        /// Which.
        query: String,
        /// Rows of this section; the whole statement without one.
        section: Option<String>,
        /// `xml`, `csv` or `json`.
        form: String,
    },
    /// Run one by itself once a day.
    Schedule {
        /// Which, by number or name.
        query: String,
        /// New York's time as HH:MM; no more without one.
        daily: Option<String>,
    },
    /// Remove statements that need not be kept. Each rule removes on its own.
    Prune {
        /// Those that a newer edition of the same days makes needless.
        superseded: bool,
        /// Those that came more days ago.
        days: Option<u32>,
        /// The oldest, until the rest takes no more bytes of disk.
        bytes: Option<u64>,
        /// Only say which.
        dry_run: bool,
    },
    /// Forget one, by number or name.
    Forget {
        /// Which.
        query: String,
        /// Its statements too.
        statements: bool,
    },
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlexReport {
    /// Whether what was asked for is so now.
    pub ok: bool,
    /// Asked for, and IBKR is still at it: the same again goes on with it.
    pub pending: bool,
    /// One sentence for a person.
    pub text: String,
    /// What to do; empty when there is nothing to do.
    pub hint: String,
    /// The queries.
    pub queries: Vec<FlexQueryReport>,
    /// The file that was written.
    pub file: Option<String>,
}

/// One query.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlexQueryReport {
    /// Its name.
    pub name: String,
    /// Its number; absent where statements were only imported.
    pub query_id: Option<String>,
    /// When it last gave a statement, RFC 3339.
    pub last_used: Option<String>,
    /// Its archived statements.
    pub statements: u64,
    /// Which days they cover and which are missing.
    pub coverage: String,
    /// When it is run by itself every day, New York's time.
    pub daily: Option<String>,
}
