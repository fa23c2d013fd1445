//! One element and its attributes, lent by the reader.

use std::borrow::Cow;

use super::{Query, Statement, StatementError, error};

/// Where an attribute's name and value are in its tag.
#[derive(Debug, Clone, Copy)]
struct Span {
    name: (u32, u32),
    value: (u32, u32),
}

/// The element read last. Its places are used again for the next.
#[derive(Debug, Default)]
pub(super) struct Tag {
    text: String,
    name: usize,
    spans: Vec<Span>,
    at: u64,
    /// It is a row that the caller has.
    pub(super) is_given_out: bool,
}

impl Tag {
    /// Takes over what is between `<` and `>`.
    pub(super) fn set(&mut self, at: u64, text: &str) -> Result<(), StatementError> {
        self.at = at;
        self.text.clear();
        self.text.push_str(text);
        self.scan().map_err(|(offset, what)| StatementError::Malformed {
            at: at + 1 + offset as u64,
            what: what.to_owned(),
        })
    }

    /// Finds the attributes. Their names are not checked against one another: IBKR writes each once,
    /// and looking costs more than all the rest.
    fn scan(&mut self) -> Result<(), (usize, &'static str)> {
        let bytes = self.text.as_bytes();
        self.spans.clear();
        self.name = bytes.iter().position(|b| b.is_ascii_whitespace()).unwrap_or(bytes.len());
        let mut at = self.name;
        loop {
            at = skip(bytes, at, |b| b.is_ascii_whitespace());
            if at == bytes.len() {
                return Ok(());
            }
            let name = at;
            at = skip(bytes, at, |b| b != b'=' && !b.is_ascii_whitespace());
            let name_end = at;
            at = skip(bytes, at, |b| b.is_ascii_whitespace());
            if name == name_end {
                return Err((at, "an attribute has no name"));
            }
            if bytes.get(at) != Some(&b'=') {
                return Err((name, "an attribute has no value"));
            }
            at = skip(bytes, at + 1, |b| b.is_ascii_whitespace());
            let quote = match bytes.get(at) {
                Some(quote @ (b'"' | b'\'')) => *quote,
                _ => return Err((at, "an attribute's value is not in quotes")),
            };
            let value = at + 1;
            at = skip(bytes, value, |b| b != quote);
            if at == bytes.len() {
                return Err((value, "an attribute's value has no end"));
            }
            self.spans.push(Span { name: span(name, name_end), value: span(value, at) });
            at += 1;
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.text[..self.name]
    }

    pub(super) fn is_bare(&self) -> bool {
        self.spans.is_empty()
    }

    pub(super) fn row<'a>(&'a self, path: &'a str) -> Row<'a> {
        let element = self.name();
        let section = if path.is_empty() { element } else { path };
        Row { section, element, at: self.at, text: &self.text, spans: &self.spans }
    }

    pub(super) fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.row("").get(name)
    }

    fn owned(&self, name: &str) -> String {
        self.get(name).map(|value| error::excerpt(&value)).unwrap_or_default()
    }

    pub(super) fn query(&self) -> Query {
        Query { name: self.owned("queryName"), kind: self.owned("type") }
    }

    pub(super) fn statement(&self) -> Statement {
        Statement {
            account: self.owned("accountId"),
            from: self.owned("fromDate"),
            to: self.owned("toDate"),
            period: self.owned("period"),
            generated: self.owned("whenGenerated"),
        }
    }
}

fn skip(bytes: &[u8], from: usize, while_: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    rest.iter().position(|b| !while_(*b)).map_or(bytes.len(), |more| from + more)
}

/// An element is shorter than `LONGEST_ELEMENT`, twice over.
fn span(from: usize, to: usize) -> (u32, u32) {
    (u32::try_from(from).unwrap_or(u32::MAX), u32::try_from(to).unwrap_or(u32::MAX))
}

/// One element with its attributes, in the order of the file.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Where it is: the names of the elements around it inside the statement, with `/` between; for
    /// instance `Trades`, or `FxPositions/FxLots`. For an element that is in none, its own name.
    pub section: &'a str,
    /// Its name, for instance `Trade`.
    pub element: &'a str,
    /// Where it begins in the file, in bytes.
    pub at: u64,
    text: &'a str,
    spans: &'a [Span],
}

/// One attribute as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Its name, for instance `fifoPnlRealized`.
    pub name: &'a str,
    /// Its value, escaped.
    pub raw: &'a str,
}

impl<'a> Attribute<'a> {
    /// What it says. A reference to an entity that XML does not know stays as it is written.
    pub fn value(&self) -> Cow<'a, str> {
        unescape(self.raw)
    }
}

impl<'a> Row<'a> {
    /// All attributes, also the empty ones.
    pub fn attributes(&self) -> impl ExactSizeIterator<Item = Attribute<'a>> + use<'a> {
        let text = self.text;
        self.spans.iter().map(move |span| attribute(text, span))
    }

    /// What the attribute of that name says; an empty one says nothing.
    pub fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        let found = self.attributes().find(|attribute| attribute.name == name)?;
        Some(found.value()).filter(|value| !value.is_empty())
    }

    /// Whether the attribute is there, be it empty: whether the template has it.
    pub fn has(&self, name: &str) -> bool {
        self.attributes().any(|attribute| attribute.name == name)
    }

    /// The level of detail: what the row says, or what its element's name means. Sums must never
    /// mix levels.
    pub fn level(&self) -> Cow<'a, str> {
        self.get("levelOfDetail").unwrap_or(Cow::Borrowed(level_of(self.element)))
    }
}

fn attribute<'a>(text: &'a str, span: &Span) -> Attribute<'a> {
    let part = |(from, to): (u32, u32)| &text[from as usize..to as usize];
    Attribute { name: part(span.name), raw: part(span.value) }
}

/// What an element of `Trades` and `TradeConfirms` is when its template leaves out the level.
fn level_of(element: &str) -> &'static str {
    match element {
        "Trade" | "TradeConfirm" => "EXECUTION",
        "Order" => "ORDER",
        "Lot" => "CLOSED_LOT",
        "SymbolSummary" => "SYMBOL_SUMMARY",
        "AssetSummary" => "ASSET_SUMMARY",
        "WashSale" => "WASH_SALE",
        _ => "",
    }
}

/// Some columns, found in each row in one pass over its attributes.
#[derive(Debug)]
pub struct Columns {
    names: Vec<Box<str>>,
    /// Length, first and last byte of each name: most attributes differ in that from all.
    keys: Vec<u32>,
    /// For each column the attribute's number, or `ABSENT`.
    found: Vec<usize>,
}

const ABSENT: usize = usize::MAX;

impl Columns {
    /// Columns of these names.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let names: Vec<Box<str>> = names.into_iter().map(Box::from).collect();
        Self {
            keys: names.iter().map(|name| key(name)).collect(),
            found: vec![ABSENT; names.len()],
            names,
        }
    }

    /// Looks for the columns in a row.
    pub fn pick<'a>(&'a mut self, row: &Row<'a>) -> Picked<'a> {
        self.found.fill(ABSENT);
        let mut missing = self.names.len();
        for (number, attribute) in row.attributes().enumerate() {
            let key = key(attribute.name);
            for (column, other) in self.keys.iter().enumerate() {
                let is_it = *other == key && *self.names[column] == *attribute.name;
                if is_it && self.found[column] == ABSENT {
                    self.found[column] = number;
                    missing -= 1;
                }
            }
            if missing == 0 {
                break;
            }
        }
        Picked { row: *row, found: &self.found }
    }
}

fn key(name: &str) -> u32 {
    let bytes = name.as_bytes();
    let byte = |byte: Option<&u8>| u32::from(byte.copied().unwrap_or_default());
    let middle = bytes.get(bytes.len() / 2);
    (bytes.len() as u32) << 24 | byte(bytes.first()) << 16 | byte(middle) << 8 | byte(bytes.last())
}

/// The columns of one row.
#[derive(Debug, Clone, Copy)]
pub struct Picked<'a> {
    row: Row<'a>,
    found: &'a [usize],
}

impl<'a> Picked<'a> {
    /// What the column of that number says; nothing, if it is absent or empty.
    pub fn get(&self, column: usize) -> Option<Cow<'a, str>> {
        Some(self.attribute(column)?.value()).filter(|value| !value.is_empty())
    }

    /// Whether the attribute is there, be it empty.
    pub fn has(&self, column: usize) -> bool {
        self.attribute(column).is_some()
    }

    fn attribute(&self, column: usize) -> Option<Attribute<'a>> {
        let span = self.row.spans.get(*self.found.get(column)?)?;
        Some(attribute(self.row.text, span))
    }
}

/// Resolves the references that XML knows, and makes white space plain, as XML wants it in attributes.
pub(super) fn unescape(raw: &str) -> Cow<'_, str> {
    if raw.bytes().all(|b| b != b'&' && b >= b' ') {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find(|c: char| c == '&' || c < ' ') {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let (meaning, length) = match reference(from) {
            Some(found) => found,
            None if from.starts_with('&') => ('&', 1),
            None => (' ', if from.starts_with("\r\n") { 2 } else { 1 }),
        };
        text.push(meaning);
        rest = &from[length..];
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// The character that a reference at the start of `text` stands for, and the reference's length.
fn reference(text: &str) -> Option<(char, usize)> {
    /// `&#x10FFFF;`, with room for zeros.
    const LONGEST: usize = 16;
    let body = text.strip_prefix('&')?;
    let end = body.bytes().take(LONGEST).position(|b| b == b';')?;
    let name = &body[..end];
    let meaning = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => char::from_u32(code(name.strip_prefix('#')?)?)?,
    };
    Some((meaning, end + 2))
}

fn code(digits: &str) -> Option<u32> {
    match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    }
}
