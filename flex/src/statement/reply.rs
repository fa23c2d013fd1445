//! The Flex service's own answers: not a statement, but where one is, or why there is none.

use std::fmt;
use std::io::BufRead;

use quick_xml::Reader as Xml;
use quick_xml::events::Event;

use super::limited::Limited;
use super::row::unescape;
use super::{Reader, StatementError, error};

/// A `FlexStatementResponse`. Which codes are worth another try, the caller knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// `Success`, `Warn` or `Fail`.
    pub status: String,
    /// For instance 1019: the statement is being made.
    pub code: Option<u32>,
    /// IBKR's words.
    pub message: Option<String>,
    /// What to ask for the statement with.
    pub reference: Option<String>,
    /// Where to ask.
    pub url: Option<String>,
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.message.as_deref().unwrap_or("no reason given");
        match (self.code, &self.reference) {
            (Some(code), _) => write!(f, "{message:?} (code {code})"),
            (None, Some(reference)) => write!(f, "it is being made under reference {reference}"),
            (None, None) => write!(f, "{message:?} (status {:?})", self.status),
        }
    }
}

/// Longer texts are cut.
const LONGEST_TEXT: usize = 4 << 10;

/// The answer to a request. A statement, a web page and anything else is the error that says so; a
/// statement is `Ok(None)`, with nothing but its root read.
pub fn read_reply(source: impl BufRead) -> Result<Option<Reply>, StatementError> {
    match Reader::new(source).next() {
        Ok(_) => Ok(None),
        Err(StatementError::Reply(reply)) => Ok(Some(*reply)),
        Err(error) => Err(error),
    }
}

/// Reads on after the root's opening tag. What comes is an error in any case: it is no statement.
pub(super) fn read_rest<R: BufRead>(xml: &mut Xml<Limited<R>>, empty: bool) -> StatementError {
    let mut reply = Reply::default();
    if empty {
        return StatementError::Reply(Box::new(reply));
    }
    match fill(xml, &mut reply) {
        Ok(()) => StatementError::Reply(Box::new(reply)),
        Err(error) => error,
    }
}

fn fill<R: BufRead>(xml: &mut Xml<Limited<R>>, reply: &mut Reply) -> Result<(), StatementError> {
    let (mut buffer, mut text) = (Vec::new(), String::new());
    loop {
        buffer.clear();
        xml.get_mut().begin();
        let event = match xml.read_event_into(&mut buffer) {
            Ok(event) => event,
            Err(error) => return Err(error::from_xml(xml, error)),
        };
        match event {
            Event::Start(_) => text.clear(),
            Event::Text(part) => push(&mut text, &unescape(&part)),
            Event::CData(part) => push(&mut text, &part),
            Event::GeneralRef(name) => {
                push(&mut text, &unescape(&format!("&{};", &*name)));
            }
            Event::End(end) if end.name().as_ref() == "FlexStatementResponse" => return Ok(()),
            Event::End(end) => reply.set(end.name().as_ref(), text.trim()),
            Event::Eof => return Err(StatementError::Truncated { at: xml.buffer_position() }),
            _ => {}
        }
    }
}

impl Reply {
    fn set(&mut self, name: &str, text: &str) {
        let given = (!text.is_empty()).then(|| text.to_owned());
        match name {
            "Status" => self.status = text.to_owned(),
            "ErrorCode" | "code" => self.code = text.parse().ok(),
            "ErrorMessage" => self.message = given,
            "ReferenceCode" => self.reference = given,
            "Url" => self.url = given,
            _ => {}
        }
    }
}

fn push(text: &mut String, more: &str) {
    if text.len() + more.len() <= LONGEST_TEXT {
        text.push_str(more);
    }
}

pub(super) fn is_html(doctype: &str) -> bool {
    doctype.trim_start().get(..4).is_some_and(|name| name.eq_ignore_ascii_case("html"))
}
