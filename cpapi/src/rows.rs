//! Lists of rows and tables of entries, read one by one: what cannot be read is counted and named, and never costs
//! the rest. Only what is concluded from an *absence* needs a list that was read whole.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::Failure;
use crate::failure::clean_to;

/// Of a row that cannot be read, so much is told.
const NAMED: usize = 80;
/// What tells a row from others, as far as one can see: ids and names of orders, contracts and accounts.
const NAMES: [&str; 12] = [
    "orderId",
    "order_id",
    "order_ref",
    "execution_id",
    "conid",
    "ticker",
    "symbol",
    "contractDesc",
    "name",
    "id",
    "account",
    "acctId",
];

/// A list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows<T> {
    rows: Vec<T>,
    unread: Vec<Unread>,
}

/// A table by name, for instance of a ledger's currencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entries<T> {
    entries: BTreeMap<String, T>,
    without: Vec<String>,
    unread: Vec<Unread>,
}

/// A row that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// What it is of, as far as it says: untrusted text, cleaned.
    pub of: String,
    /// Why.
    pub why: String,
}

impl<T> Rows<T> {
    /// Whether nothing of it could not be read.
    pub fn is_whole(&self) -> bool {
        self.unread.is_empty()
    }

    /// What could not be read.
    pub fn unread(&self) -> &[Unread] {
        &self.unread
    }

    /// The rows that become something else; what could not be read stays so.
    pub fn filter_map<U>(self, turn: impl FnMut(T) -> Option<U>) -> Rows<U> {
        Rows { rows: self.rows.into_iter().filter_map(turn).collect(), unread: self.unread }
    }

    /// Another part of the same list.
    pub fn extend(&mut self, more: Self) {
        self.rows.extend(more.rows);
        self.unread.extend(more.unread);
    }

    /// Leaves out rows that are not of it.
    pub fn retain(&mut self, is_of_it: impl FnMut(&T) -> bool) {
        self.rows.retain(is_of_it);
    }

    /// Other rows in place of these; what could not be read stays so.
    pub fn with_rows(self, turn: impl FnOnce(Vec<T>) -> Vec<T>) -> Self {
        Self { rows: turn(self.rows), unread: self.unread }
    }

    /// What could.
    pub fn into_rows(self) -> Vec<T> {
        self.rows
    }

    /// Both.
    pub fn into_parts(self) -> (Vec<T>, Vec<Unread>) {
        (self.rows, self.unread)
    }
}

impl<T> Entries<T> {
    /// Whether nothing of it could not be read.
    pub fn is_whole(&self) -> bool {
        self.unread.is_empty()
    }

    /// What could not be read.
    pub fn unread(&self) -> &[Unread] {
        &self.unread
    }

    /// Names that stand there without a value.
    pub fn without(&self) -> &[String] {
        &self.without
    }
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), unread: Vec::new() }
    }
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), without: Vec::new(), unread: Vec::new() }
    }
}

impl<T> From<Vec<T>> for Rows<T> {
    fn from(rows: Vec<T>) -> Self {
        Self { rows, unread: Vec::new() }
    }
}

impl<T> Deref for Rows<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.rows
    }
}

impl<T> Deref for Entries<T> {
    type Target = BTreeMap<String, T>;

    fn deref(&self) -> &BTreeMap<String, T> {
        &self.entries
    }
}

impl<T> IntoIterator for Rows<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.into_iter()
    }
}

impl<'r, T> IntoIterator for &'r Rows<T> {
    type Item = &'r T;
    type IntoIter = std::slice::Iter<'r, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.iter()
    }
}

impl<T> IntoIterator for Entries<T> {
    type Item = (String, T);
    type IntoIter = std::collections::btree_map::IntoIter<String, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

/// For `#[serde(default, deserialize_with = "rows::field")]`: a list or table within a reply. Where something else
/// stands in its place, nothing of it is known; the rest of the reply is.
pub fn field<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Unknown,
{
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).unwrap_or_else(|error| T::unknown(&error.to_string())))
}

/// What nothing is known of.
pub trait Unknown {
    /// Why.
    fn unknown(why: &str) -> Self;
}

impl<T> Unknown for Rows<T> {
    fn unknown(why: &str) -> Self {
        Self { rows: Vec::new(), unread: vec![missing("the list", why)] }
    }
}

impl<T> Unknown for Entries<T> {
    fn unknown(why: &str) -> Self {
        Self { unread: vec![missing("the table", why)], ..Self::default() }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Rows<T> {
    /// A list, or `null`, of which no more is known than that there is none.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Some(raw) = Option::<Vec<Box<RawValue>>>::deserialize(deserializer)? else {
            return Ok(Self::unknown("there is none"));
        };
        let mut read = Self::default();
        for raw in raw {
            match serde_json::from_str(raw.get()) {
                Ok(row) => read.rows.push(row),
                Err(error) => read.unread.push(Unread::new(name_in(&raw), &error)),
            }
        }
        Ok(read)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Entries<T> {
    /// A table; an entry that is `null` is none.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Some(raw) = Option::<BTreeMap<String, Box<RawValue>>>::deserialize(deserializer)?
        else {
            return Ok(Self::unknown("there is none"));
        };
        let mut read = Self::default();
        for (name, raw) in raw {
            if raw.get() == "null" {
                read.without.push(name);
                continue;
            }
            match serde_json::from_str(raw.get()) {
                Ok(entry) => {
                    read.entries.insert(name, entry);
                }
                Err(error) => read.unread.push(Unread::new(name, &error)),
            }
        }
        Ok(read)
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "A row of IBKR's ({}) could not be read: {}.", self.of, self.why)
    }
}

impl Unread {
    /// As a failure, where nothing can be said without it.
    pub fn in_reply_of(self, endpoint: &'static str) -> Failure {
        Failure::Garbled {
            endpoint,
            what: format!("a row ({}) cannot be read: {}", self.of, self.why),
        }
    }

    fn new(of: String, error: &serde_json::Error) -> Self {
        Self { of: clean_to(&of, NAMED), why: clean_to(&error.to_string(), NAMED) }
    }
}

fn missing(of: &str, why: &str) -> Unread {
    Unread { of: of.to_owned(), why: clean_to(why, NAMED) }
}

/// What a row that cannot be read says of itself.
fn name_in(raw: &RawValue) -> String {
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(raw.get()) else {
        return raw.get().to_owned();
    };
    let named = NAMES.iter().filter_map(|name| match fields.get(*name)? {
        Value::String(text) if !text.is_empty() => Some(format!("{name} {text}")),
        Value::Number(number) => Some(format!("{name} {number}")),
        _ => None,
    });
    let named: Vec<String> = named.take(3).collect();
    if named.is_empty() { raw.get().to_owned() } else { named.join(", ") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::id::Conid;
    use crate::lenient;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Row {
        conid: Conid,
        #[serde(default, deserialize_with = "lenient::opt")]
        side: Option<String>,
    }

    #[test]
    fn a_row_that_cannot_be_read_is_named_and_costs_no_other() {
        let json = r#"[{"conid":7},{"conid":"x","ticker":"KO"},null,"odd\u001b[1m",{"conid":8,"side":{}}]"#;
        let rows: Rows<Row> = serde_json::from_str(json).unwrap();
        assert_eq!(rows.iter().map(|row| row.conid.get()).collect::<Vec<_>>(), [7, 8]);
        let unread: Vec<&str> = rows.unread().iter().map(|one| one.of.as_str()).collect();
        assert_eq!(unread.len(), 3);
        assert_eq!(unread[0], "conid x, ticker KO");
        assert!(!unread[2].contains('\u{1b}'), "{unread:?}");
        assert!(!rows.is_whole());
    }

    #[test]
    fn no_list_is_not_an_empty_one() {
        let none: Rows<Row> = serde_json::from_str("null").unwrap();
        assert!(none.is_empty() && !none.is_whole());
        let empty: Rows<Row> = serde_json::from_str("[]").unwrap();
        assert!(empty.is_empty() && empty.is_whole());
    }

    #[test]
    fn an_entry_that_is_null_is_none_and_one_that_is_odd_is_named() {
        let json = r#"{"USD":{"conid":1},"EUR":null,"GBP":{"conid":0}}"#;
        let table: Entries<Row> = serde_json::from_str(json).unwrap();
        assert_eq!(table.keys().collect::<Vec<_>>(), ["USD"]);
        assert_eq!(table.without(), ["EUR"]);
        assert_eq!(table.unread()[0].of, "GBP");
    }
}
