//! How a request can fail: *the broker said no*, *the wire broke* and *we do not know* have
//! different next steps and are never mixed.

use std::time::Duration;

use jiff::{Timestamp, Unit};
use serde::Deserialize;

use crate::direct::Denial;
use crate::unreachable::Unreachable;

/// Longest piece of the broker's text that is passed on, in characters.
const MAX_TEXT: usize = 300;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing was sent: nobody listens, or TLS failed.
    #[error("the gateway cannot be reached: {0}")]
    Unreachable(Unreachable),
    /// Nothing was sent: it shows another certificate than before.
    #[error("the gateway shows another certificate than the one this daemon has pinned")]
    OtherCertificate,
    /// Sent, and no answer in time.
    #[error("the gateway did not answer within {} s", .0.as_secs())]
    Silent(Duration),
    /// Sent, and the connection broke before the answer was complete.
    #[error("the connection to the gateway broke in the middle of a request")]
    Broke,
    /// Not sent: the caller's time ran out while it waited for its turn.
    #[error("too many requests were waiting for their turn")]
    Queued,
    /// Not sent, or refused: IBKR's rate limit.
    #[error("IBKR's rate limit is reached until {}", to_second(.0))]
    RateLimited(Timestamp),
    /// 401, or a 200 that says so.
    #[error("nobody is logged in at the gateway")]
    NotLoggedIn,
    /// IBKR gives no session to whoever signs with these keys.
    #[error("IBKR gives no session: {0}")]
    Denied(Denial),
    /// Logged in, but the brokerage session is not open.
    #[error("the brokerage session is not open: {0}")]
    NoBrokerage(String),
    /// The accounts must be asked for first in this session.
    #[error("the accounts must be queried first")]
    NotPrimed,
    /// The broker answered with a refusal.
    #[error("IBKR refused ({status}): {text}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// IBKR's words: untrusted text, cut and cleaned.
        text: String,
    },
    /// 500, 503 without a reason of their own: maintenance, or a slow backend.
    #[error("IBKR's server has a problem ({status}): {text}")]
    Trouble {
        /// HTTP status.
        status: u16,
        /// IBKR's words: untrusted text, cut and cleaned.
        text: String,
    },
    /// An answer that is no answer: HTML, cut off, or of another shape.
    #[error("the gateway answered {endpoint} with something unreadable: {what}")]
    Garbled {
        /// The endpoint.
        endpoint: &'static str,
        /// What it was.
        what: String,
    },
}

/// As anybody reads a time.
fn to_second(at: &Timestamp) -> Timestamp {
    at.round(Unit::Second).unwrap_or(*at)
}

impl Failure {
    /// Whether it may mean that the session is not what it was.
    pub fn casts_doubt(&self) -> bool {
        matches!(
            self,
            Self::NotLoggedIn
                | Self::Denied(_)
                | Self::NoBrokerage(_)
                | Self::NotPrimed
                | Self::Unreachable(_)
                | Self::OtherCertificate
                | Self::Broke
                | Self::Trouble { .. }
        )
    }
}

/// What a reply means, if it means no. `None`: it is for the endpoint to read.
pub fn classify(status: u16, body: &str) -> Option<Failure> {
    let text = reason(body);
    match status {
        401 => Some(match &text {
            Some(text) if is_no_brokerage(text) => Failure::NoBrokerage(clean(text)),
            _ => Failure::NotLoggedIn,
        }),
        200..=299 => text.as_deref().and_then(classify_200),
        _ => Some(classify_no(status, text.unwrap_or_else(|| clean(body)))),
    }
}

/// A 200 whose body is only an error.
fn classify_200(text: &str) -> Option<Failure> {
    match text {
        "no session" | "not logged in" => Some(Failure::NotLoggedIn),
        _ if is_no_brokerage(text) => Some(Failure::NoBrokerage(clean(text))),
        _ => Some(Failure::Refused { status: 200, text: clean(text) }),
    }
}

fn classify_no(status: u16, text: String) -> Failure {
    if text.contains("query /accounts first") {
        return Failure::NotPrimed;
    }
    if is_no_brokerage(&text) {
        return Failure::NoBrokerage(clean(&text));
    }
    let text = clean(&text);
    match status {
        500..=599 => Failure::Trouble { status, text },
        _ => Failure::Refused { status, text },
    }
}

fn is_no_brokerage(text: &str) -> bool {
    text.contains("no bridge") || text.contains("not authenticated")
}

/// The text of a body that is an object with `error` and nothing that an answer would have: some
/// answers have an `error` that is null, or one beside their data. IBKR sometimes puts a second JSON
/// object with a `reason` into that text.
fn reason(body: &str) -> Option<String> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(body).ok()?;
    if object.keys().any(|key| !matches!(key.as_str(), "error" | "statusCode")) {
        return None;
    }
    match object.get("error")? {
        serde_json::Value::String(text) => Some(inner_reason(text).unwrap_or_else(|| text.clone())),
        serde_json::Value::Null => None,
        other => Some(other.to_string()),
    }
}

fn inner_reason(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Inner {
        reason: String,
    }
    serde_json::from_str::<Inner>(text).ok().map(|inner| inner.reason)
}

/// Text that others wrote, made harmless: one line, nothing invisible, no markup, not long.
pub fn clean(text: &str) -> String {
    clean_to(text, MAX_TEXT)
}

/// The same, with room for `max` characters.
pub fn clean_to(text: &str, max: usize) -> String {
    ibd_text::clean(text, max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn the_brokers_ways_of_saying_no_are_told_apart() {
        let no = |name: &str| {
            let (status, body) = fixtures::error(name);
            classify(status, &body)
        };
        assert!(matches!(no("no_bridge"), Some(Failure::NoBrokerage(_))));
        assert!(matches!(no("not_authenticated"), Some(Failure::NoBrokerage(_))));
        assert_eq!(no("not_primed"), Some(Failure::NotPrimed));
        assert!(matches!(no("account_invalid"), Some(Failure::Refused { status: 400, .. })));
        assert!(matches!(no("order_not_found"), Some(Failure::Trouble { status: 503, .. })));
        assert!(matches!(no("details_unavailable"), Some(Failure::Trouble { .. })));
    }

    #[test]
    fn a_time_is_told_to_the_second() {
        let until = "2026-11-23T15:00:00.123456789Z".parse().unwrap_or_default();
        let said = Failure::RateLimited(until).to_string();
        assert_eq!(said, "IBKR's rate limit is reached until 2026-11-23T15:00:00Z");
    }

    #[test]
    fn a_200_can_be_a_no() {
        assert_eq!(classify(200, r#"{"error":"no session"}"#), Some(Failure::NotLoggedIn));
        let refused = classify(200, r#"{"error":"Order couldn't be submitted"}"#);
        assert!(matches!(refused, Some(Failure::Refused { status: 200, .. })));
        assert_eq!(classify(200, r#"{"orders":[]}"#), None);
        assert_eq!(classify(200, r#"{"amount":1,"error":null}"#), None);
        assert_eq!(classify(200, r#"{"amount":1,"error":"a warning beside data"}"#), None);
        assert_eq!(classify(200, r#"[{"id":"DU1"}]"#), None, "a list is no error object");
    }

    #[test]
    fn a_reason_inside_the_text_is_found() {
        let body = r#"{"error":"{\"reason\":\"Details currently unavailable.\"}"}"#;
        let found = classify(500, body);
        let expected =
            Failure::Trouble { status: 500, text: "Details currently unavailable.".into() };
        assert_eq!(found, Some(expected));
    }

    #[test]
    fn an_empty_401_means_nobody_is_logged_in() {
        assert_eq!(classify(401, ""), Some(Failure::NotLoggedIn));
        assert_eq!(classify(401, "Access Denied"), Some(Failure::NotLoggedIn));
    }
}
