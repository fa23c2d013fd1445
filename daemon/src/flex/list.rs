//! The queries as a person or a model sees them: each with what of it is archived.

use ibd_flex::archive::{Coverage, Entry, QueryNames, coverage};
use jiff::Timestamp;

use super::View;
use super::memory::QueryId;

/// A query, and what of it is archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its number; missing where statements were only imported from files.
    pub id: Option<String>,
    /// When it was first run.
    pub created: Option<Timestamp>,
    /// When it last gave a statement.
    pub last_used: Option<Timestamp>,
    /// Its archived statements.
    pub statements: usize,
    /// The days that they cover.
    pub coverage: Coverage,
    /// When it is run by itself, in New York.
    pub daily: Option<String>,
    /// What a run under way is doing.
    pub running: Option<String>,
}

/// Those that are remembered, then those of which only statements are there.
pub fn listed(view: &View) -> Vec<Listed> {
    // What was imported belongs to the query of its name.
    let names = QueryNames::of(&view.entries);
    let is_of = |entry: &Entry, id: &QueryId| names.query(entry) == id.as_str();
    let mut all: Vec<Listed> = view
        .queries
        .iter()
        .map(|query| {
            let own: Vec<&Entry> =
                view.entries.iter().filter(|entry| is_of(entry, &query.id)).collect();
            let running = view.going.iter().find(|(id, _)| *id == query.id);
            Listed {
                name: query.name.clone(),
                id: Some(query.id.to_string()),
                created: Some(query.created),
                last_used: query.last_used,
                statements: own.len(),
                coverage: coverage(own, None),
                daily: query.daily.map(|daily| daily.to_string()),
                running: running.map(|(_, text)| text.clone()),
            }
        })
        .collect();
    let is_remembered = |entry: &Entry| view.queries.iter().any(|query| is_of(entry, &query.id));
    let mut others: Vec<String> = view
        .entries
        .iter()
        .filter(|entry| !is_remembered(entry))
        .map(|entry| names.query(entry))
        .collect();
    others.sort_unstable();
    others.dedup();
    for other in others {
        let own: Vec<&Entry> =
            view.entries.iter().filter(|entry| names.query(entry) == other).collect();
        all.push(Listed {
            name: own.last().map(|entry| entry.query_name.clone()).unwrap_or_default(),
            id: own.last().and_then(|entry| entry.query_id.clone()),
            created: None,
            last_used: None,
            statements: own.len(),
            coverage: coverage(own, None),
            daily: None,
            running: None,
        });
    }
    all
}
