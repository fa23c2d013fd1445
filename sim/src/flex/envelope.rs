//! The two envelopes: a reference to a statement, or why there is none.

use super::codes::Code;
use super::days::NewYork;
use super::xml::escape;

/// `SendRequest` was taken.
pub(super) fn success(now_ms: i64, reference: u64, url: &str) -> String {
    let url = escape(url);
    envelope(
        now_ms,
        &format!(
            "<Status>Success</Status>\n<ReferenceCode>{reference}</ReferenceCode>\n<Url>{url}</Url>"
        ),
    )
}

/// There is no statement, or none yet.
pub(super) fn failure(now_ms: i64, code: Code) -> String {
    let (status, number, text) = (code.status(), code.number(), escape(code.text()));
    envelope(
        now_ms,
        &format!(
            "<Status>{status}</Status>\n<ErrorCode>{number}</ErrorCode>\n<ErrorMessage>{text}</ErrorMessage>"
        ),
    )
}

fn envelope(now_ms: i64, inner: &str) -> String {
    let at = NewYork::default().format(now_ms, "%d %B, %Y %I:%M %p %Z");
    format!("<FlexStatementResponse timestamp='{at}'>\n{inner}\n</FlexStatementResponse>\n")
}
