//! What every endpoint says about itself.

use std::fmt::Write as _;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;

pub use crate::pace::Lane;
use crate::pace::Window;

/// What stays as it is in a path or query; everything else is percent-encoded, so that no id can
/// leave its place.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b',');

/// GET reads; POST may change something; DELETE cancels or removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Changes, or needs a body.
    Post,
    /// Cancels an order, or removes what is kept at IBKR.
    Delete,
}

impl Method {
    /// As HTTP writes it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// One request and how to read its reply.
pub trait Endpoint: Sync + 'static {
    /// The typed reply.
    type Reply: DeserializeOwned + Send;
    /// For logs: the path without ids.
    const NAME: &'static str;
    /// GET unless the endpoint says otherwise.
    const METHOD: Method = Method::Get;
    /// The endpoint's own limit beside the global one.
    const WINDOW: Option<Window> = None;
    /// Whose turn it takes.
    const LANE: Lane = Lane::Data;
    /// How long an answer may be given again. Only where IBKR's own limit demands it.
    const CACHE: Duration = Duration::ZERO;

    /// Path and query below `/v1/api`.
    fn path(&self) -> Path;

    /// A JSON body, on one line.
    fn body(&self) -> Option<String> {
        None
    }
}

/// One request that changes an order. It is not an [`Endpoint`], because what may be done with a
/// question must not be done with an order: it is never shared, never remembered, never sent again,
/// and its answer can be "we do not know" ([`crate::Sent`]). Its lane is always [`Lane::Vital`].
pub trait Write: Sync + 'static {
    /// For logs and the pacing budget: the path without ids.
    const NAME: &'static str;
    /// POST or DELETE.
    const METHOD: Method;

    /// Path and query below `/v1/api`.
    fn path(&self) -> Path;

    /// A JSON body, on one line. A DELETE has none.
    fn body(&self) -> Option<String>;
}

/// A path whose parts cannot run into each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    text: String,
    has_query: bool,
}

impl Path {
    /// Begins with literal text, such as `/portfolio`.
    pub fn new(literal: &'static str) -> Self {
        Self { text: literal.to_owned(), has_query: false }
    }

    /// Appends one segment, encoded.
    pub fn segment(mut self, value: impl std::fmt::Display) -> Self {
        let value = value.to_string();
        // A lone `.` or `..` would be a step and not a name.
        let value = if value.chars().all(|c| c == '.') {
            "%2E".repeat(value.len())
        } else {
            encode(&value)
        };
        let _ = write!(self.text, "/{value}");
        self
    }

    /// Appends literal text, such as `/positions`.
    pub fn then(mut self, literal: &'static str) -> Self {
        self.text.push_str(literal);
        self
    }

    /// Appends one query parameter, encoded.
    pub fn query(mut self, key: &'static str, value: impl std::fmt::Display) -> Self {
        let mark = if self.has_query { '&' } else { '?' };
        self.has_query = true;
        let _ = write!(self.text, "{mark}{key}={}", encode(&value.to_string()));
        self
    }

    /// The whole.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn encode(value: &str) -> String {
    utf8_percent_encode(value, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_leave_its_place() {
        let path = Path::new("/iserver/account/order/status").segment("../../../logout");
        assert_eq!(path.as_str(), "/iserver/account/order/status/..%2F..%2F..%2Flogout");
        let path = Path::new("/portfolio").segment("..").then("/summary");
        assert_eq!(path.as_str(), "/portfolio/%2E%2E/summary");
    }

    #[test]
    fn a_query_value_cannot_add_a_parameter() {
        let path = Path::new("/x").query("symbol", "A&name=true").query("n", 1);
        assert_eq!(path.as_str(), "/x?symbol=A%26name%3Dtrue&n=1");
    }
}
