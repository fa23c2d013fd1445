//! The alerts that the daemon itself watches, for a person.

use serde::{Deserialize, Serialize};

/// All of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertsReport {
    /// Whether they are known.
    pub ok: bool,
    /// One sentence for a person.
    pub text: String,
    /// What to do; empty when there is nothing to do.
    pub hint: String,
    /// The alerts, the oldest first.
    pub alerts: Vec<AlertReport>,
    /// When none of them was watched, and why; the newest last.
    pub not_watched: Vec<String>,
}

/// One alert.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertReport {
    /// Its name: `ibd-7`.
    pub id: String,
    /// What it waits for.
    pub text: String,
    /// `watching`, `waiting`, `fired`, `off` or `not watched`.
    pub state: String,
    /// Why it stands so, where there is something to say.
    pub reason: Option<String>,
    /// The last value that was seen.
    pub value: Option<String>,
    /// When that was, RFC 3339.
    pub seen_at: Option<String>,
    /// When it was made, RFC 3339.
    pub made_at: String,
    /// When it last fired, RFC 3339.
    pub fired_at: Option<String>,
    /// Which client made it.
    pub client: String,
}
