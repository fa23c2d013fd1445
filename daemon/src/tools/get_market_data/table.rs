//! Many quotes as a table: what is the same of all stands once, what nobody has not at all. Pure.

use serde_json::{Map, Value};

/// More quotes than this are told as a table.
pub(super) const MANY: usize = 5;

/// Columns of a table unless others are asked for, where any quote has them.
pub(super) const COLS: &[&str] = &[
    "symbol",
    "conid",
    "currency",
    "priceUnit",
    "data",
    "market",
    "last",
    "lastIs",
    "bid",
    "ask",
    "changePct",
    "volume",
    "iv",
    "delta",
];
/// What is told once where it is the same of all.
const SHARED: &[&str] = &["currency", "data", "market"];

/// A table of quotes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Table {
    pub(super) shared: Map<String, Value>,
    pub(super) cols: Vec<String>,
    pub(super) rows: Vec<Vec<Value>>,
}

impl Table {
    /// Of quotes as they would be told one by one; `more`: columns that are asked for besides.
    pub(super) fn of(quotes: &[Map<String, Value>], more: &[&str]) -> Self {
        let has = |name: &str| quotes.iter().any(|quote| quote.contains_key(name));
        let same = |name: &str| {
            let first = quotes.first()?.get(name)?;
            quotes.iter().all(|quote| quote.get(name) == Some(first)).then(|| first.clone())
        };
        let mut table = Self::default();
        for name in SHARED {
            if let Some(value) = same(name) {
                table.shared.insert((*name).to_owned(), value);
            }
        }
        let symbols = quotes.iter().filter_map(|quote| quote.get("symbol"));
        let mut seen = std::collections::BTreeSet::new();
        let is_twice = symbols.map(Value::to_string).any(|symbol| !seen.insert(symbol));
        // Two of one symbol are told apart by where they are listed.
        let listing: &[&str] = if is_twice { &["exchange"] } else { &[] };
        let more = listing.iter().chain(more).filter(|name| !COLS.contains(name));
        let told = COLS.iter().filter(|name| has(name) && !table.shared.contains_key(**name));
        table.cols = told.map(|name| (*name).to_owned()).collect();
        for name in more {
            if !table.cols.iter().any(|col| col == name) {
                table.cols.push((*name).to_owned());
            }
        }
        let cell = |quote: &Map<String, Value>, name: &String| {
            quote.get(name).cloned().unwrap_or(Value::Null)
        };
        table.rows = quotes
            .iter()
            .map(|quote| table.cols.iter().map(|name| cell(quote, name)).collect())
            .collect();
        table
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_the_same_stands_once_and_what_nobody_has_not_at_all() {
        let quotes: Vec<Map<String, Value>> = serde_json::from_str(
            r#"[{"symbol":"A","conid":1,"currency":"USD","data":"live","last":9.5,"open":9},
                {"symbol":"B","conid":2,"currency":"EUR","data":"live","last":8,"bid":7.9}]"#,
        )
        .unwrap();
        let table = Table::of(&quotes, &["open", "low"]);
        assert_eq!(serde_json::to_string(&table.shared).unwrap(), r#"{"data":"live"}"#);
        // What was asked for has a column, whether anybody has it or not.
        assert_eq!(table.cols, ["symbol", "conid", "currency", "last", "bid", "open", "low"]);
        assert_eq!(
            serde_json::to_string(&table.rows).unwrap(),
            r#"[["A",1,"USD",9.5,null,9,null],["B",2,"EUR",8,7.9,null,null]]"#
        );
        assert_eq!(Table::of(&[], &[]).rows.len(), 0);
    }
}
