//! Why something is no statement, or not a whole one.

use std::io::{self, BufRead};

use quick_xml::Reader as Xml;

use super::limited::Limited;
use super::{DEEPEST, LONGEST_ELEMENT, Reply};

/// Why a statement could not be read. Positions are bytes from the start.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// Nothing but white space.
    #[error("there is nothing in it")]
    Empty,
    /// The end is missing.
    #[error("the statement ends in the middle, at byte {at}; fetch it again")]
    Truncated {
        /// Bytes that are there.
        at: u64,
    },
    /// Something that no XML has.
    #[error("the statement is broken at byte {at}: {what}")]
    Malformed {
        /// Where.
        at: u64,
        /// What is wrong.
        what: String,
    },
    /// Bytes that are no UTF-8, which IBKR's statements are in.
    #[error("the statement is not in UTF-8 (in the element from byte {at})")]
    NotUtf8 {
        /// Where the element begins.
        at: u64,
    },
    /// IBKR's web site answered, which it does during maintenance.
    #[error(
        "this is a web page and no statement (byte {at}): IBKR is probably down for maintenance; try again later"
    )]
    Html {
        /// Where that showed.
        at: u64,
    },
    /// Text that is no XML.
    #[error("this is no XML (byte {at}); it begins with {start:?}")]
    NotXml {
        /// Where that showed.
        at: u64,
        /// How the text begins.
        start: String,
    },
    /// XML, of something else.
    #[error("this is no Flex statement: its root (byte {at}) is <{root}>, not <FlexQueryResponse>")]
    NotFlex {
        /// Where the root is.
        at: u64,
        /// Its name.
        root: String,
    },
    /// The Flex service's answer to a request, where its statement should be.
    #[error("the Flex service answered instead of a statement: {0}")]
    Reply(Box<Reply>),
    /// An element beyond all bounds.
    #[error(
        "one element has more than {LONGEST_ELEMENT} bytes (from byte {at}): this is no statement of IBKR's"
    )]
    TooLong {
        /// Where it begins.
        at: u64,
    },
    /// Elements in elements beyond all bounds.
    #[error(
        "more than {DEEPEST} elements are inside one another (byte {at}): this is no statement of IBKR's"
    )]
    TooDeep {
        /// Where.
        at: u64,
    },
    /// The source could not be read.
    #[error("the statement cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// What quick-xml's error means here.
pub(super) fn from_xml<R: BufRead>(
    xml: &mut Xml<Limited<R>>,
    error: quick_xml::Error,
) -> StatementError {
    use quick_xml::Error;
    let (at, end) = (xml.error_position(), xml.buffer_position());
    let source = xml.get_mut();
    match error {
        Error::Io(_) if source.is_exceeded() => StatementError::TooLong { at },
        Error::Io(error) => StatementError::Io(io::Error::new(error.kind(), error.to_string())),
        // Whatever is unclosed at the end of the file would have been closed after it.
        Error::Syntax(_) | Error::Encoding(_) if source.is_at_end() => {
            StatementError::Truncated { at: end }
        }
        Error::Encoding(_) => StatementError::NotUtf8 { at },
        other => StatementError::Malformed { at, what: other.to_string() },
    }
}

/// The first words of what was found, fit for a message.
pub(super) fn excerpt(text: &str) -> String {
    const MOST: usize = 60;
    ibd_text::plain(text.trim()).chars().take(MOST).collect()
}

pub(super) fn excerpt_bytes(bytes: &[u8]) -> String {
    excerpt(&String::from_utf8_lossy(&bytes[..bytes.len().min(400)]))
}
