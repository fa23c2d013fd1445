//! Watchlists: `/iserver/watchlists` and `/iserver/watchlist`. Writing one changes no order, so it is an endpoint like
//! others; a list is put as a whole, so that doing it twice does it once.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::contracts::SecType;
use crate::endpoint::{Endpoint, Method, Path};
use crate::id::Conid;
use crate::lenient;
use crate::rows::{self, Rows};

/// The user's lists.
#[derive(Debug, Clone, Copy)]
pub struct GetWatchlists;

/// The reply.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Watchlists {
    /// What it is about.
    pub data: Lists,
}

/// The lists.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Lists {
    /// Those that the user made.
    #[serde(rename = "user_lists", deserialize_with = "rows::field")]
    pub lists: Rows<Heading>,
}

/// One list, without its rows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Heading {
    /// Its number, which is text.
    #[serde(deserialize_with = "lenient::req")]
    pub id: String,
    /// Its name: untrusted text.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub name: Option<String>,
    /// When it was last changed.
    #[serde(default, deserialize_with = "lenient::millis")]
    pub modified: Option<Timestamp>,
    /// Whether it cannot be changed.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub read_only: Option<bool>,
}

impl Endpoint for GetWatchlists {
    type Reply = Watchlists;
    const NAME: &'static str = "iserver/watchlists";

    fn path(&self) -> Path {
        Path::new("/iserver/watchlists").query("SC", "USER_WATCHLIST")
    }
}

/// One list with its rows. The first reply of a session may have no more of them than conid and name.
#[derive(Debug, Clone)]
pub struct GetWatchlist {
    /// Its number.
    pub id: String,
}

/// The reply.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Watchlist {
    /// Its name: untrusted text.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub name: Option<String>,
    /// Whether it cannot be changed.
    #[serde(rename = "readOnly", default, deserialize_with = "lenient::opt")]
    pub read_only: Option<bool>,
    /// Contracts, and lines between them.
    #[serde(deserialize_with = "rows::field")]
    pub instruments: Rows<Entry>,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Raw")]
pub enum Entry {
    /// A contract.
    Contract(Watched),
    /// A line with a title, or an empty one.
    Line(String),
}

/// A contract of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The contract.
    pub conid: Conid,
    /// Its symbol.
    pub symbol: Option<String>,
    /// Company or product: untrusted text.
    pub name: Option<String>,
    /// What kind of contract it is.
    pub sec_type: Option<SecType>,
}

/// Both kinds of row, as they come: the conid is text in one place and a number in another.
#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "C", default, deserialize_with = "lenient::opt")]
    short: Option<Conid>,
    #[serde(default, deserialize_with = "lenient::opt")]
    conid: Option<Conid>,
    #[serde(rename = "H", default)]
    line: Option<String>,
    #[serde(default, deserialize_with = "lenient::opt")]
    ticker: Option<String>,
    #[serde(default, deserialize_with = "lenient::opt")]
    name: Option<String>,
    #[serde(rename = "assetClass", default, deserialize_with = "lenient::opt")]
    sec_type: Option<SecType>,
}

impl TryFrom<Raw> for Entry {
    type Error = &'static str;

    fn try_from(raw: Raw) -> Result<Self, Self::Error> {
        match (raw.conid.or(raw.short), raw.line) {
            (Some(conid), _) => Ok(Self::Contract(Watched {
                conid,
                symbol: raw.ticker,
                name: raw.name,
                sec_type: raw.sec_type,
            })),
            (None, Some(line)) => Ok(Self::Line(line)),
            (None, None) => Err("neither a contract nor a line"),
        }
    }
}

impl Endpoint for GetWatchlist {
    type Reply = Watchlist;
    const NAME: &'static str = "iserver/watchlist";

    fn path(&self) -> Path {
        Path::new("/iserver/watchlist").query("id", &self.id)
    }
}

/// Puts a list in the place of whatever has its number.
#[derive(Debug, Clone)]
pub struct PutWatchlist {
    /// Its number: digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// All of its rows.
    pub rows: Vec<Line>,
}

/// A row as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A contract.
    Contract(Conid),
    /// A line with a title, or an empty one.
    Title(String),
}

impl From<&Entry> for Line {
    fn from(entry: &Entry) -> Self {
        match entry {
            Entry::Contract(watched) => Self::Contract(watched.conid),
            Entry::Line(title) => Self::Title(title.clone()),
        }
    }
}

/// What was written or deleted, as far as IBKR says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Written {
    /// The number of the list that was put.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub id: Option<String>,
    /// Of a list that was deleted.
    #[serde(default, deserialize_with = "lenient::part")]
    pub data: Option<Deleted>,
}

/// Which list was deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Deleted {
    /// Its number. IBKR says it of lists that never were, too.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub deleted: Option<String>,
}

impl Endpoint for PutWatchlist {
    type Reply = Written;
    const NAME: &'static str = "iserver/watchlist";
    const METHOD: Method = Method::Post;

    fn path(&self) -> Path {
        Path::new("/iserver/watchlist")
    }

    fn body(&self) -> Option<String> {
        let row = |line: &Line| -> Value {
            match line {
                Line::Contract(conid) => json!({ "C": conid.get() }),
                Line::Title(title) => json!({ "H": title }),
            }
        };
        let rows: Vec<Value> = self.rows.iter().map(row).collect();
        Some(json!({ "id": self.id, "name": self.name, "rows": rows }).to_string())
    }
}

/// Deletes a list.
#[derive(Debug, Clone)]
pub struct DeleteWatchlist {
    /// Its number.
    pub id: String,
}

impl Endpoint for DeleteWatchlist {
    type Reply = Written;
    const NAME: &'static str = "iserver/watchlist";
    const METHOD: Method = Method::Delete;

    fn path(&self) -> Path {
        Path::new("/iserver/watchlist").query("id", &self.id)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::fixtures;

    #[test]
    fn lists_and_their_rows_are_read() {
        let lists: Watchlists = fixtures::reply("watchlists");
        let first = &lists.data.lists[0];
        assert_eq!((first.id.as_str(), first.name.as_deref()), ("101", Some("Favorites")));
        for (name, symbol) in [("watchlist", Some("AAPL")), ("watchlist_bare", None)] {
            let list: Watchlist = fixtures::reply(name);
            assert!(list.instruments.is_whole(), "{name}");
            let Entry::Contract(apple) = &list.instruments[0] else { panic!("{name}") };
            assert_eq!((apple.conid.get(), apple.symbol.as_deref()), (265_598, symbol), "{name}");
            assert_eq!(list.instruments[1], Entry::Line(String::new()), "{name}");
        }
    }

    #[test]
    fn a_row_that_is_neither_costs_no_other() {
        let list: Watchlist = serde_json::from_str(
            r#"{"name":"W","instruments":[{"C":"8314"},{"X":1},{"H":"US"},{"conid":"odd"}]}"#,
        )
        .unwrap();
        assert_eq!((list.instruments.len(), list.instruments.unread().len()), (2, 2));
        assert_eq!(Line::from(&list.instruments[1]), Line::Title("US".to_owned()));
    }

    #[test]
    fn a_list_is_put_as_a_whole() {
        let put = PutWatchlist {
            id: "1234".into(),
            name: "W \"x\"".into(),
            rows: vec![Line::Contract("8314".parse().unwrap()), Line::Title(String::new())],
        };
        let body = r#"{"id":"1234","name":"W \"x\"","rows":[{"C":8314},{"H":""}]}"#;
        assert_eq!(put.body().as_deref(), Some(body));
        let written: Written = fixtures::reply("watchlist_put");
        assert_eq!(written.id.as_deref(), Some("1234"));
        let deleted: Written = fixtures::reply("watchlist_deleted");
        assert_eq!(deleted.data.unwrap().deleted.as_deref(), Some("1234"));
        let delete = DeleteWatchlist { id: "1&x=2".into() };
        assert_eq!(delete.path().as_str(), "/iserver/watchlist?id=1%26x%3D2");
    }
}
