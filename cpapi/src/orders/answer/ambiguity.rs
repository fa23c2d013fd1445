//! Why nobody knows what became of an order.

use crate::failure::Failure;

/// Why nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ambiguity {
    /// It was on the wire, and no answer came.
    #[error("{0}")]
    Wire(Failure),
    /// An order with this client order id was registered before; whether it lives is not said.
    #[error("the broker already knows this client order id")]
    AlreadyRegistered,
    /// The question that was answered is not there any more.
    #[error("the broker lost the question that was answered")]
    ChainLost,
    /// 401, or a 200 that says so. Whether it came before or after the work is not known.
    #[error("the answer was that nobody is logged in")]
    NotLoggedIn,
    /// The brokerage session was gone.
    #[error("the answer was that the brokerage session is not open")]
    NoBrokerage,
    /// 429.
    #[error("the answer was that the rate limit is reached")]
    RateLimited,
    /// 500 to 599.
    #[error("IBKR's server had a problem ({status}): {text}")]
    Trouble {
        /// HTTP status.
        status: u16,
        /// Its words: untrusted text, cleaned.
        text: String,
    },
    /// No body, or an empty list.
    #[error("the answer was empty")]
    Empty,
    /// A web page.
    #[error("the answer was a web page")]
    Html,
    /// No JSON, or cut off.
    #[error("the answer could not be read: {0}")]
    NotJson(String),
    /// JSON of a shape that is not known, or that says two things at once.
    #[error("the answer has an unknown shape: {0}")]
    UnknownShape(String),
    /// A status that no order system gives.
    #[error("the answer had status {status}: {text}")]
    UnexpectedStatus {
        /// HTTP status.
        status: u16,
        /// Its words: untrusted text, cleaned.
        text: String,
    },
}

impl Ambiguity {
    /// A stable word for journals and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Wire(_) => "wire",
            Self::AlreadyRegistered => "already_registered",
            Self::ChainLost => "chain_lost",
            Self::NotLoggedIn => "not_logged_in",
            Self::NoBrokerage => "no_brokerage",
            Self::RateLimited => "rate_limited",
            Self::Trouble { .. } => "trouble",
            Self::Empty => "empty",
            Self::Html => "html",
            Self::NotJson(_) => "not_json",
            Self::UnknownShape(_) => "unknown_shape",
            Self::UnexpectedStatus { .. } => "unexpected_status",
        }
    }
}
