//! One of ibd's own alerts as it is told.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use crate::alerts::{Shown, length};
use crate::tools::cell::Time;

/// An alert that ibd watches.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Own {
    /// For activate_alert and delete_alert.
    alert_id: String,
    /// What it waits for.
    alert: String,
    /// watching; waiting (it fired, and may again); fired; off; not watched.
    state: &'static str,
    /// Why it stands so, where there is something to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// What it says besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// The last value that was seen, with its unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    /// When that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_at: Option<Time>,
    /// When it last fired.
    #[serde(skip_serializing_if = "Option::is_none")]
    fired_at: Option<Time>,
    /// How often it fired.
    times: u64,
    /// The pause after which it may fire again; absent: it fires once.
    #[serde(skip_serializing_if = "Option::is_none")]
    repeat: Option<String>,
    /// How old it is.
    age: String,
    /// Which client made it.
    client: String,
    /// Who could not be told that it fired, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_told: Option<String>,
}

impl Own {
    /// As it is now.
    pub(super) fn new(shown: &Shown) -> Self {
        let pause = |seconds: u64| {
            length(SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX)))
        };
        Self {
            alert_id: shown.id.to_string(),
            alert: shown.text.clone(),
            state: shown.state,
            why: shown.why.clone(),
            message: shown.message.clone(),
            account: shown.account.as_ref().map(ToString::to_string),
            value: shown.value.clone(),
            seen_at: shown.seen_at.map(Time),
            fired_at: shown.fired_at.map(Time),
            times: shown.times,
            repeat: shown.pause.map(pause),
            age: length(Timestamp::now().duration_since(shown.made_at)),
            client: shown.client.clone(),
            not_told: shown.trouble.clone(),
        }
    }
}
