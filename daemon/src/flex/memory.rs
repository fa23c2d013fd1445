//! What is remembered of Flex queries: which there are, and which statements are being made.
//!
//! Kept in the store, under one key, with a version. An entry that cannot be read is moved to `aside`
//! and reported, and the others stay.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::schedule::Daily;
use crate::store::{Store, StoreError};

const KEY: &str = "flex/memory";
const VERSION: u32 = 1;

/// IBKR's number of a query.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct QueryId(String);

impl QueryId {
    /// From its digits; anything else is none.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_number = (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| Self(text.to_owned()))
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for QueryId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A query that was run, or imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Query {
    /// Its number.
    pub id: QueryId,
    /// As whoever asked first named it, else as IBKR does.
    pub name: String,
    /// When it was first run.
    pub created: Timestamp,
    /// When it last gave a statement.
    pub last_used: Option<Timestamp>,
    /// When it is run by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily: Option<Daily>,
}

/// The token that was used last. IBKR does not say how long it is good for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The same for the same token; it cannot be told from this.
    pub of: String,
    /// When it was first used here.
    pub since: Timestamp,
}

/// A statement that is being made at IBKR.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Going {
    /// Of which query.
    pub query: QueryId,
    /// What it is fetched with.
    pub reference: String,
    /// Where it is fetched, as IBKR said.
    pub url: Option<String>,
    /// When it was asked for.
    pub begun: Timestamp,
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Memory {
    /// The queries.
    pub queries: Vec<Query>,
    /// The statements that are being made.
    pub going: Vec<Going>,
    /// The token that was used last.
    pub token: Option<Mark>,
    /// What could not be read.
    pub aside: Vec<Value>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    #[serde(default)]
    queries: Vec<Value>,
    #[serde(default)]
    going: Vec<Value>,
    #[serde(default)]
    token: Option<Value>,
    #[serde(default)]
    aside: Vec<Value>,
}

/// A name that belongs to the query of that number.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken(pub QueryId);

impl Memory {
    /// Reads it. Besides, how many entries were set aside now, for a person to be told.
    pub fn load(store: &Store) -> Result<(Self, usize), String> {
        let Some(value) = store.kept::<Value>(KEY) else { return Ok((Self::default(), 0)) };
        let stored = match serde_json::from_value::<Stored>(value.clone()) {
            Ok(stored) => stored,
            Err(_) => return Ok((Self { aside: vec![value], ..Self::default() }, 1)),
        };
        if stored.version > VERSION {
            return Err(format!(
                "the Flex queries were kept by a newer ibd (version {} of the format)",
                stored.version
            ));
        }
        let mut memory = Self { aside: stored.aside, ..Self::default() };
        let before = memory.aside.len();
        for value in stored.queries {
            match serde_json::from_value(value.clone()) {
                Ok(query) => memory.queries.push(query),
                Err(_) => memory.aside.push(value),
            }
        }
        for value in stored.going {
            match serde_json::from_value(value.clone()) {
                Ok(going) => memory.going.push(going),
                Err(_) => memory.aside.push(value),
            }
        }
        if let Some(value) = stored.token {
            match serde_json::from_value(value.clone()) {
                Ok(mark) => memory.token = Some(mark),
                Err(_) => memory.aside.push(value),
            }
        }
        let set_aside = memory.aside.len() - before;
        Ok((memory, set_aside))
    }

    /// Keeps it for good.
    pub fn save(&self, store: &Store) -> Result<(), StoreError> {
        let values = |all: Vec<serde_json::Result<Value>>| all.into_iter().collect();
        let queries: serde_json::Result<Vec<Value>> =
            values(self.queries.iter().map(serde_json::to_value).collect());
        let going: serde_json::Result<Vec<Value>> =
            values(self.going.iter().map(serde_json::to_value).collect());
        let stored = Stored {
            version: VERSION,
            queries: queries?,
            going: going?,
            token: self.token.as_ref().map(serde_json::to_value).transpose()?,
            aside: self.aside.clone(),
        };
        store.keep(KEY, &stored)
    }

    /// The statement of a query that is being made.
    pub fn going(&self, query: &QueryId) -> Option<&Going> {
        self.going.iter().find(|going| going.query == *query)
    }

    /// Notes that a query gave a statement.
    pub fn used(&mut self, id: &QueryId, name: &str, now: Timestamp) {
        self.going.retain(|going| going.query != *id);
        match self.queries.iter_mut().find(|query| query.id == *id) {
            Some(query) => query.last_used = Some(now),
            None => self.queries.push(Query {
                id: id.clone(),
                name: name.to_owned(),
                created: now,
                last_used: Some(now),
                daily: None,
            }),
        }
    }

    /// Gives a query that is known another name, unless another one is called so. Whether its name is a new one.
    pub fn rename(&mut self, id: &QueryId, name: &str) -> Result<bool, Taken> {
        let is_called = |query: &Query| {
            query.name.eq_ignore_ascii_case(name) || query.id.as_str().eq_ignore_ascii_case(name)
        };
        if let Some(other) = self.queries.iter().find(|query| query.id != *id && is_called(query)) {
            return Err(Taken(other.id.clone()));
        }
        let known = self.queries.iter_mut().find(|query| query.id == *id && query.name != name);
        let Some(query) = known else { return Ok(false) };
        name.clone_into(&mut query.name);
        Ok(true)
    }

    /// Takes over what the original remembered (`flex-queries.json`); how many were new. `None`: this is
    /// no such file.
    pub fn import(&mut self, text: &str, now: Timestamp) -> Option<usize> {
        let legacy = ibd_flex::import_legacy::read(text).ok()?;
        let mut new = 0;
        for query in legacy.queries {
            let Some(id) = QueryId::parse(&query.query_id) else { continue };
            if self.queries.iter().any(|known| known.id == id) {
                continue;
            }
            self.queries.push(Query {
                id,
                name: query.name,
                created: query.created.unwrap_or(now),
                last_used: query.last_used,
                daily: None,
            });
            new += 1;
        }
        Some(new)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn a_bad_entry_is_set_aside_and_the_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path()).unwrap();
        let mut memory = Memory::default();
        memory.used(&QueryId::parse("1001").unwrap(), "Activity", Timestamp::UNIX_EPOCH);
        memory.save(&store).unwrap();
        assert_eq!(Memory::load(&store).unwrap(), (memory.clone(), 0));
        let mut value: Value = store.kept(KEY).unwrap();
        value["queries"].as_array_mut().unwrap().push(json!({ "id": 7 }));
        store.keep(KEY, &value).unwrap();
        let (read, set_aside) = Memory::load(&store).unwrap();
        assert_eq!((read.queries, set_aside), (memory.queries, 1));
        assert_eq!(read.aside, [json!({ "id": 7 })]);
        value["version"] = json!(2);
        store.keep(KEY, &value).unwrap();
        assert!(Memory::load(&store).is_err(), "a newer one's is not touched");
    }

    #[test]
    fn a_known_query_gets_another_name_that_is_free() {
        let id = |text: &str| QueryId::parse(text).unwrap();
        let mut memory = Memory::default();
        memory.used(&id("1001"), "Activity", Timestamp::UNIX_EPOCH);
        memory.used(&id("1002"), "Trades", Timestamp::UNIX_EPOCH);
        assert_eq!(memory.rename(&id("1001"), "Mine"), Ok(true));
        assert_eq!(memory.rename(&id("1001"), "Mine"), Ok(false));
        assert_eq!(memory.rename(&id("1001"), "trades"), Err(Taken(id("1002"))));
        assert_eq!(memory.rename(&id("1001"), "1002"), Err(Taken(id("1002"))));
        assert_eq!(memory.rename(&id("1003"), "New"), Ok(false), "it has no name yet");
        let names: Vec<&str> = memory.queries.iter().map(|query| query.name.as_str()).collect();
        assert_eq!(names, ["Mine", "Trades"]);
    }

    #[test]
    fn the_original_s_file_is_taken_over() {
        let text = r#"{"queries":[{"id":"query_1_a","name":"Daily","queryId":"1001",
            "description":"Auto-saved","createdAt":"2026-01-02T03:04:05.000Z"},{"queryId":"x"}]}"#;
        let mut memory = Memory::default();
        assert_eq!(memory.import(text, Timestamp::UNIX_EPOCH), Some(1));
        assert_eq!(memory.import(text, Timestamp::UNIX_EPOCH), Some(0));
        assert_eq!(memory.queries[0].name, "Daily");
        assert_eq!(memory.import("[]", Timestamp::UNIX_EPOCH), None);
    }
}
