//! What a caller is told when something was not done: what happened, why, and what to do next.

use ibd_cpapi::Failure;
use ibd_protocol::{ErrorCode, Question};
use jiff::{Timestamp, Unit};
use serde::Serialize;

/// An answer that is a no. Becomes an MCP error *result* whose text is this as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// Why, in a word.
    pub error: ErrorCode,
    /// What happened and why.
    pub message: String,
    /// What to do.
    pub next: String,
    /// The argument or setting at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// When it may work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
    /// What may have been meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<serde_json::Value>,
    /// A person is to be asked, and the call made again.
    #[serde(skip)]
    pub question: Option<Box<Question>>,
}

impl Refusal {
    /// A refusal with the three things that each one has.
    pub fn new(error: ErrorCode, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            error,
            message: message.into(),
            next: next.into(),
            field: None,
            retry_at: None,
            candidates: Vec::new(),
            question: None,
        }
    }

    /// An argument that is not what it should be.
    pub fn argument(field: &str, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidArgument, message, next).at(field)
    }

    /// Several at once: the first one's, with what the others say.
    pub fn all(refusals: Vec<Self>) -> Self {
        let mut rest = refusals.into_iter();
        let Some(mut all) = rest.next() else {
            return Self::new(
                ErrorCode::InvalidArgument,
                "The arguments cannot be read.",
                "Correct them.",
            );
        };
        for one in rest {
            all.message = format!("{}; {}", all.message.trim_end_matches('.'), one.message);
            if !all.next.contains(&one.next) {
                all.next = format!("{} {}", all.next, one.next);
            }
            all.candidates.extend(one.candidates);
        }
        all
    }

    /// The same, said of a request that would have sent something.
    pub fn unsent(mut self) -> Self {
        if !self.message.contains("Nothing was") && !self.next.contains("Nothing was") {
            self.message = format!("{}. Nothing was sent.", self.message.trim_end_matches('.'));
        }
        self
    }

    /// The same of a call that had failed before there was no session: an error of IBKR's is told as well, since what
    /// is said of the session alone would hide it.
    pub fn after(mut self, failure: &Failure) -> Self {
        if matches!(failure, Failure::Trouble { .. }) {
            self.message = format!("{} Before that: {failure}.", self.message);
        }
        self
    }

    /// Names the argument or setting.
    pub fn at(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }

    /// Says when to try again.
    pub fn until(mut self, at: Timestamp) -> Self {
        self.retry_at = Some(at.round(Unit::Second).unwrap_or(at));
        self
    }

    /// Lists what may have been meant.
    pub fn or<T: Serialize>(mut self, candidates: impl IntoIterator<Item = T>) -> Self {
        self.candidates =
            candidates.into_iter().filter_map(|c| serde_json::to_value(c).ok()).collect();
        self
    }

    /// As the caller gets it.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| {
            r#"{"error":"internal","message":"a refusal could not be written","next":"See `ibctl logs`."}"#
                .to_owned()
        })
    }
}

/// What a tool's caller is told to do, said to the person who sits at the terminal.
pub fn for_person(next: &str) -> String {
    // Of an assistant's tools those that have a verb.
    const VERBS: &[(&str, &str)] = &[
        ("Call get_flex_query again", "Run it again"),
        ("call get_flex_query with refresh:true", "run `ibctl flex run` with --refresh"),
        ("Call get_flex_query with refresh:true", "Run `ibctl flex run` with --refresh"),
        ("Run it once with get_flex_query", "Run it once with `ibctl flex run`"),
        ("get_flex_query", "`ibctl flex run`"),
        ("list_flex_queries", "`ibctl flex list`"),
        ("get_live_orders", "`ibctl orders`"),
        ("get_session_status", "`ibctl status`"),
        ("Call authenticate, or ask the user to run `ibctl login`", "Run `ibctl login`"),
        ("Call authenticate", "Run `ibctl login`"),
    ];
    let mut said =
        VERBS.iter().fold(next.to_owned(), |said, (tool, verb)| said.replace(tool, verb));
    for start in ["Ask the user to ", "Tell the user to ", "ask the user to ", "tell the user to "]
    {
        while let Some(at) = said.find(start) {
            let rest = &said[at + start.len()..];
            let is_sentence = start.starts_with(char::is_uppercase);
            let first = rest
                .chars()
                .next()
                .map(|c| if is_sentence { c.to_uppercase().to_string() } else { c.to_string() });
            let length = rest.chars().next().map_or(0, char::len_utf8);
            said = format!("{}{}{}", &said[..at], first.unwrap_or_default(), &rest[length..]);
        }
    }
    said
}

/// Why there is no answer: the broker could not be asked, or what was asked for cannot be had.
#[derive(Debug)]
pub enum Unserved {
    /// The broker could not be asked; through another session perhaps it can.
    Failed(Failure),
    /// Asking again does not help.
    Refused(Refusal),
}

impl From<Failure> for Unserved {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Refusal> for Unserved {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Unserved> for Refusal {
    fn from(unserved: Unserved) -> Self {
        match unserved {
            Unserved::Failed(failure) => failure.into(),
            Unserved::Refused(refusal) => refusal,
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let what = failure.to_string();
        match failure {
            Failure::Unreachable(_) => Self::new(
                ErrorCode::GatewayUnreachable,
                what,
                "Ask the user whether the gateway is running (`ibctl status` tells), then try again.",
            ),
            Failure::OtherCertificate => Self::new(
                ErrorCode::GatewayCertificateChanged,
                what,
                "Ask the user: if they replaced the gateway themselves, `ibctl restart` trusts the new one.",
            ),
            Failure::Silent(_) => Self::new(
                ErrorCode::GatewaySilent,
                what,
                "IBKR or the gateway is slow or hangs. Call get_session_status, and try again in a minute.",
            ),
            Failure::Broke => {
                Self::new(ErrorCode::GatewayBroke, what, "Nothing was changed. Try again.")
            }
            Failure::Queued => Self::new(
                ErrorCode::TooBusy,
                "Too many requests were waiting for their turn under IBKR's limit of 10 a second.",
                "Ask for less at once, for instance several symbols in one call, and try again.",
            ),
            Failure::RateLimited(until) => Self::new(
                ErrorCode::RateLimited,
                what,
                "Do not retry before retryAt: further requests make the penalty longer.",
            )
            .until(until),
            Failure::NotLoggedIn => Self::new(
                ErrorCode::NotLoggedIn,
                what,
                "Call authenticate, or ask the user to run `ibctl login`; then try again.",
            ),
            Failure::Denied(_) => Self::new(
                ErrorCode::NotLoggedIn,
                what,
                "Call get_session_status, which says what is in the way, and tell the user.",
            ),
            Failure::NoBrokerage(_) | Failure::NotPrimed => Self::new(
                ErrorCode::NoBrokerageSession,
                what,
                "The daemon is reopening the session. Try again in a few seconds.",
            ),
            Failure::Refused { .. } => Self::new(
                ErrorCode::BrokerRefused,
                what,
                "Read IBKR's reason in the message; change the request accordingly.",
            ),
            Failure::Trouble { .. } => Self::new(
                ErrorCode::BrokerTrouble,
                what,
                "IBKR may be under maintenance. Try again in a minute.",
            ),
            Failure::Garbled { .. } => Self::new(
                ErrorCode::GatewayGarbled,
                what,
                "Nothing was changed. Try again; if it stays, ask the user to look at the gateway.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_in_the_terminal_speaks_to_the_person() {
        for (next, told) in [
            (
                "Ask the user to log in to IBKR, and then try again.",
                "Log in to IBKR, and then try again.",
            ),
            ("Wait; ask the user to look at the disk.", "Wait; look at the disk."),
            ("Call get_flex_query again later.", "Run it again later."),
            ("See `ibctl logs`.", "See `ibctl logs`."),
        ] {
            assert_eq!(for_person(next), told);
        }
    }

    #[test]
    fn what_failed_before_the_session_was_gone_is_told_as_well() {
        let gone =
            || Refusal::new(ErrorCode::BrokerMaintenance, "IBKR answers with errors.", "Wait.");
        let trouble = Failure::Trouble { status: 500, text: "no data farm".into() };
        let told = gone().after(&trouble).message;
        let expected = "IBKR answers with errors. Before that: IBKR's server has a problem (500): no data farm.";
        assert_eq!(told, expected);
        assert_eq!(gone().after(&Failure::NotLoggedIn), gone());
    }

    #[test]
    fn a_refusal_shows_only_what_it_has() {
        let shown = Refusal::argument("symbol", "symbol is empty", "Give a symbol.").to_json();
        assert_eq!(
            shown,
            r#"{"error":"invalid_argument","message":"symbol is empty","next":"Give a symbol.","field":"symbol"}"#
        );
    }
}
