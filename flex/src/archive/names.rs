//! Which statements are of one query: those that were run have its number, those that were imported only its
//! name.

use std::collections::{BTreeMap, BTreeSet};

use super::Entry;
use crate::question::ALL_QUERIES;

/// The numbers of the queries of each name.
#[derive(Debug, Clone, Default)]
pub struct QueryNames(BTreeMap<String, BTreeSet<String>>);

impl QueryNames {
    /// Of these statements.
    pub fn of(entries: &[Entry]) -> Self {
        let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for entry in entries {
            let Some(id) = &entry.query_id else { continue };
            names.entry(entry.query_name.to_lowercase()).or_default().insert(id.clone());
        }
        Self(names)
    }

    /// What tells a statement's query from others. An imported one belongs to the query of its name, if there is
    /// exactly one.
    pub fn query(&self, entry: &Entry) -> String {
        let name = entry.query_name.to_lowercase();
        let only = self.0.get(&name).filter(|ids| ids.len() == 1).and_then(BTreeSet::first);
        entry.query_id.as_ref().or(only.filter(|_| !name.is_empty())).cloned().unwrap_or(name)
    }

    /// Whether it was imported from a file, under that name, and no query that was run is called so.
    pub fn is_imported_as(&self, entry: &Entry, name: &str) -> bool {
        let name = name.to_lowercase();
        entry.query_id.is_none() && !name.is_empty() && self.query(entry) == name
    }

    /// Whether it is of the query of that number or name; of all, if none is called so.
    pub fn is_of(&self, entry: &Entry, query: &str) -> bool {
        let query = query.trim();
        let is_all = query.eq_ignore_ascii_case(ALL_QUERIES) && !self.0.contains_key(ALL_QUERIES);
        entry.is_of(query) || self.query(entry) == query.to_lowercase() || is_all
    }
}
