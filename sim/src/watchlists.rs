//! Watchlists: the user's own lists of contracts.

use std::collections::BTreeMap;

use crate::instruments::Universe;

/// What is there from the start: number, name, symbols of stocks. No symbol is an empty row.
const USUAL: [(&str, &str, &[&str]); 2] = [
    ("101", "Favorites", &["AAPL", "MSFT", "NVDA", "", "SPY", "TLT"]),
    ("102", "Europe", &["SAP", "ASML", "NESN", "SIE"]),
];

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Row {
    /// A contract, which need not exist.
    Contract(i64),
    /// A line between others, perhaps with a title.
    Header(String),
}

/// One list.
#[derive(Debug, Clone)]
pub(crate) struct Watchlist {
    pub(crate) name: String,
    /// Epoch milliseconds.
    pub(crate) modified_ms: i64,
    pub(crate) rows: Vec<Row>,
}

/// All lists, by number.
#[derive(Debug)]
pub(crate) struct Watchlists(BTreeMap<String, Watchlist>);

impl Watchlists {
    /// The lists that are there from the start.
    pub(crate) fn usual(universe: &Universe, now_ms: i64) -> Self {
        let row = |symbol: &&str| match *symbol {
            "" => Some(Row::Header(String::new())),
            symbol => universe.named(symbol, "STK").map(|of| Row::Contract(of.conid)),
        };
        let list = |(id, name, symbols): &(&str, &str, &[&str])| {
            let rows = symbols.iter().filter_map(row).collect();
            ((*id).to_owned(), Watchlist { name: (*name).to_owned(), modified_ms: now_ms, rows })
        };
        Self(USUAL.iter().map(list).collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Watchlist)> {
        self.0.iter()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Watchlist> {
        self.0.get(id)
    }

    /// Puts a list in the place of whatever had its number.
    pub(crate) fn put(&mut self, id: &str, list: Watchlist) {
        self.0.insert(id.to_owned(), list);
    }

    /// Whether there was one.
    pub(crate) fn remove(&mut self, id: &str) -> bool {
        self.0.remove(id).is_some()
    }
}
