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
    /// Take a file over: a statement, or the original's `flex-queries.json`. An absolute path.
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
}
