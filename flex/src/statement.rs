//! Reads a Flex statement as a stream: one event after the other, in bounded memory.
//!
//! IBKR keeps all data in attributes, adds sections and attributes without notice, and lets a
//! template's author choose which there are. So nothing is known by name here but the frame
//! (`FlexQueryResponse`, `FlexStatements`, `FlexStatement`): every other element with attributes is a
//! row, and every one without is a section that rows may be in.

mod error;
mod limited;
mod reply;
mod row;

use std::io::{BufRead, BufReader, Read};

use quick_xml::Reader as Xml;
use quick_xml::events::Event as XmlEvent;

pub use error::StatementError;
use limited::Limited;
pub use reply::{Reply, read_reply};
pub use row::{Attribute, Columns, Picked, Row};

/// Bytes of one element with all its attributes. IBKR's longest have some 20 kB.
pub const LONGEST_ELEMENT: u64 = 1 << 20;

/// Elements within elements. IBKR's statements have six.
pub const DEEPEST: usize = 64;

const BUFFER: usize = 64 << 10;

/// What the reader found.
#[derive(Debug)]
pub enum Event<'a> {
    /// The root element; once, and first.
    Query(&'a Query),
    /// The statement of one account begins; with "breakout by day", of one account and day.
    Statement(&'a Statement),
    /// A section begins; it may hold nothing. Its path, as in [`Row::section`].
    Section(&'a str),
    /// One element with attributes.
    Row(Row<'a>),
    /// The statement that began last ends.
    StatementEnd,
    /// All was read, and it was whole.
    End,
}

/// What the root element says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// `queryName`, as IBKR gave it.
    pub name: String,
    /// `AF` (activity) or `TCF` (trade confirmations).
    pub kind: String,
}

/// What a `FlexStatement` says of itself, as it is written. Dates are read by [`crate::value`], once
/// the order of day and month is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statement {
    /// `accountId`.
    pub account: String,
    /// `fromDate`.
    pub from: String,
    /// `toDate`.
    pub to: String,
    /// `period`: for instance `Last30CalendarDays`, or empty.
    pub period: String,
    /// `whenGenerated`.
    pub generated: String,
}

/// A statement being read. Memory is bounded by [`LONGEST_ELEMENT`], whatever is read.
#[derive(Debug)]
pub struct Reader<R> {
    xml: Xml<Limited<R>>,
    buffer: Vec<u8>,
    /// The element that was opened last, from its name on.
    tag: row::Tag,
    open: Vec<Open>,
    /// The names of the open elements inside a statement, with `/` between.
    path: String,
    query: Query,
    statement: Statement,
    /// `FlexStatements count`.
    promised: Option<u64>,
    statements: u64,
    /// The element opened last was `<Like this="…"/>`: it is closed before anything else is read.
    close_next: bool,
    seen: Seen,
}

/// How much of the frame was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Nothing,
    Something,
    Root,
    RootEnd,
    End,
}

/// An element that is not closed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Root,
    Statements,
    Statement,
    /// With the length of `path` before it.
    Other(usize),
}

/// An [`Event`] whose content is still in the reader.
enum Step {
    Skip,
    Query,
    Statement,
    Section,
    Row,
    StatementEnd,
    End,
}

/// A markup event, without what it borrows.
enum Markup {
    Open,
    OpenAndClose,
    Close,
    Text,
    Html,
    Eof,
    Other,
}

impl<R: Read> Reader<BufReader<R>> {
    /// For a source without a buffer of its own.
    pub fn buffered(source: R) -> Self {
        Self::new(BufReader::with_capacity(BUFFER, source))
    }
}

impl<R: BufRead> Reader<R> {
    /// Nothing is read yet.
    pub fn new(source: R) -> Self {
        let mut xml = Xml::from_reader(Limited::new(source));
        xml.config_mut().allow_dangling_amp = true;
        Self {
            xml,
            buffer: Vec::new(),
            tag: row::Tag::default(),
            open: Vec::new(),
            path: String::new(),
            query: Query::default(),
            statement: Statement::default(),
            promised: None,
            statements: 0,
            close_next: false,
            seen: Seen::Nothing,
        }
    }

    /// The next event. After [`Event::End`] it is `End` for ever; after an error, nothing more can
    /// be had from this reader.
    #[expect(clippy::should_implement_trait, reason = "an event borrows the reader")]
    pub fn next(&mut self) -> Result<Event<'_>, StatementError> {
        loop {
            return Ok(match self.step()? {
                Step::Skip => continue,
                Step::Query => Event::Query(&self.query),
                Step::Statement => Event::Statement(&self.statement),
                Step::Section => Event::Section(&self.path),
                Step::Row => Event::Row(self.tag.row(&self.path)),
                Step::StatementEnd => Event::StatementEnd,
                Step::End => Event::End,
            });
        }
    }

    /// The statement that rows belong to now.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// How many statements the file says it has, and how many were read so far.
    pub fn counted(&self) -> (Option<u64>, u64) {
        (self.promised, self.statements)
    }

    /// Bytes read so far.
    pub fn position(&self) -> u64 {
        self.xml.buffer_position()
    }

    fn step(&mut self) -> Result<Step, StatementError> {
        if self.seen == Seen::End {
            return Ok(Step::End);
        }
        self.leave_row();
        if std::mem::take(&mut self.close_next) {
            return Ok(self.close());
        }
        let at = self.xml.buffer_position();
        match self.markup(at)? {
            Markup::Open => self.opened(at),
            Markup::OpenAndClose => {
                self.close_next = true;
                self.opened(at)
            }
            Markup::Close => Ok(self.close()),
            Markup::Text => self.text(at),
            Markup::Html => Err(StatementError::Html { at }),
            Markup::Eof => self.end(at),
            Markup::Other => {
                self.seen = self.seen.max_something();
                Ok(Step::Skip)
            }
        }
    }

    /// Reads one event and keeps what matters of it in `tag`.
    fn markup(&mut self, at: u64) -> Result<Markup, StatementError> {
        self.buffer.clear();
        self.xml.get_mut().begin();
        let event = match self.xml.read_event_into(&mut self.buffer) {
            Ok(event) => event,
            Err(error) => return Err(error::from_xml(&mut self.xml, error)),
        };
        Ok(match event {
            XmlEvent::Start(start) => {
                self.tag.set(at, &start)?;
                Markup::Open
            }
            XmlEvent::Empty(start) => {
                self.tag.set(at, &start)?;
                Markup::OpenAndClose
            }
            XmlEvent::End(_) => Markup::Close,
            XmlEvent::Text(text) if text.bytes().all(|b| b.is_ascii_whitespace()) => Markup::Other,
            XmlEvent::Text(_) | XmlEvent::CData(_) | XmlEvent::GeneralRef(_) => Markup::Text,
            XmlEvent::DocType(kind) if reply::is_html(&kind) => Markup::Html,
            XmlEvent::Eof => Markup::Eof,
            _ => Markup::Other,
        })
    }

    fn opened(&mut self, at: u64) -> Result<Step, StatementError> {
        if self.open.len() >= DEEPEST {
            return Err(StatementError::TooDeep { at });
        }
        match (self.open.last(), self.tag.name()) {
            (None, _) => self.root(at),
            (Some(Open::Root), "FlexStatements") => {
                self.promised = self.tag.get("count").and_then(|count| count.trim().parse().ok());
                self.open.push(Open::Statements);
                Ok(Step::Skip)
            }
            (Some(Open::Root | Open::Statements), "FlexStatement") => {
                self.statement = self.tag.statement();
                self.statements += 1;
                self.open.push(Open::Statement);
                Ok(Step::Statement)
            }
            _ => Ok(self.element()),
        }
    }

    fn root(&mut self, at: u64) -> Result<Step, StatementError> {
        if self.seen == Seen::RootEnd {
            return Err(StatementError::Malformed {
                at,
                what: "a second document follows the first".to_owned(),
            });
        }
        match self.tag.name() {
            "FlexQueryResponse" => {
                self.query = self.tag.query();
                self.open.push(Open::Root);
                self.seen = Seen::Root;
                Ok(Step::Query)
            }
            "FlexStatementResponse" => {
                let empty = self.close_next;
                Err(reply::read_rest(&mut self.xml, empty))
            }
            name if name.eq_ignore_ascii_case("html") => Err(StatementError::Html { at }),
            name => Err(StatementError::NotFlex { at, root: error::excerpt(name) }),
        }
    }

    /// A row, or a section that rows are in. The row's own name joins the path only after it was
    /// given out.
    fn element(&mut self) -> Step {
        let is_row = !self.tag.is_bare();
        self.tag.is_given_out = is_row;
        self.open.push(Open::Other(self.path.len()));
        if is_row {
            return Step::Row;
        }
        self.descend();
        Step::Section
    }

    fn leave_row(&mut self) {
        if std::mem::take(&mut self.tag.is_given_out) {
            self.descend();
        }
    }

    fn descend(&mut self) {
        if !self.path.is_empty() {
            self.path.push('/');
        }
        self.path.push_str(self.tag.name());
    }

    fn close(&mut self) -> Step {
        match self.open.pop() {
            Some(Open::Other(length)) => {
                self.path.truncate(length);
                Step::Skip
            }
            Some(Open::Statement) => Step::StatementEnd,
            Some(Open::Root) => {
                self.seen = Seen::RootEnd;
                Step::Skip
            }
            Some(Open::Statements) | None => Step::Skip,
        }
    }

    /// Text between elements means nothing in a statement, and that it is none before the root.
    fn text(&mut self, at: u64) -> Result<Step, StatementError> {
        match self.seen {
            Seen::Nothing | Seen::Something => {
                Err(StatementError::NotXml { at, start: error::excerpt_bytes(&self.buffer) })
            }
            _ => Ok(Step::Skip),
        }
    }

    fn end(&mut self, at: u64) -> Result<Step, StatementError> {
        match self.seen {
            Seen::Nothing => Err(StatementError::Empty),
            Seen::Something | Seen::Root => Err(StatementError::Truncated { at }),
            Seen::RootEnd | Seen::End => {
                self.seen = Seen::End;
                Ok(Step::End)
            }
        }
    }
}

impl Seen {
    fn max_something(self) -> Self {
        if self == Self::Nothing { Self::Something } else { self }
    }
}

#[cfg(test)]
mod tests;
