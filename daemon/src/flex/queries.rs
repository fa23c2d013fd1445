//! The queries that are remembered: which one a text means, what it is called, and how it is forgotten.

use std::collections::BTreeSet;

use ibd_flex::archive::{Entry, QueryNames};
use ibd_protocol::ErrorCode;

use super::memory::{Query, QueryId, Taken};
use super::runs::Reference;
use super::{Forgotten, State, Statements, words};
use crate::refusal::Refusal;

/// The number of the query that a text means: its number, or its name in any case.
pub fn find(text: &str, queries: &[Query]) -> Result<QueryId, Refusal> {
    let text = text.trim();
    let exact: Vec<&Query> = queries.iter().filter(|query| query.name == text).collect();
    let any_case =
        || queries.iter().filter(|query| query.name.eq_ignore_ascii_case(text)).collect();
    let named = if exact.len() == 1 { exact } else { any_case() };
    let is_known = |id: &QueryId| queries.iter().any(|query| query.id == *id);
    match (QueryId::parse(text), named.as_slice()) {
        (Some(id), []) => Ok(id),
        (Some(id), _) if is_known(&id) => Ok(id),
        (_, [one]) => Ok(one.id.clone()),
        (_, []) => Err(words::unknown(text, queries)),
        (_, several) => Err(words::several(text, several)),
    }
}

impl State {
    /// A query that is known is called so from now on; one that is not gets its name with its first statement.
    pub(super) fn rename(&mut self, query: &QueryId, name: &str) -> Result<(), Refusal> {
        match self.memory.rename(query, name) {
            Err(Taken(other)) => return Err(words::name_taken(name, &other)),
            Ok(false) => return Ok(()),
            Ok(true) => {}
        }
        self.memory.save(&self.store).map_err(|error| words::not_stored(&error.to_string()))?;
        self.publish();
        Ok(())
    }

    pub(super) fn forget(
        &mut self,
        text: &str,
        statements: Statements,
    ) -> Result<Forgotten, Refusal> {
        // What is removed is named as it is, or in a way that nothing else is called.
        let text = text.trim();
        let queries = self.memory.queries.iter().map(|query| query.name.clone());
        let names: BTreeSet<String> = queries
            .chain(self.entries.iter().map(|entry| entry.query_name.clone()))
            .filter(|name| name.to_lowercase() == text.to_lowercase())
            .collect();
        let text = match names.first() {
            Some(only) if names.len() == 1 => only.as_str(),
            _ => text,
        };
        let is_it = |query: &Query| query.id.as_str() == text || query.name == text;
        let named: Vec<&Query> = self.memory.queries.iter().filter(|query| is_it(query)).collect();
        let id = match named.as_slice() {
            [one] => one.id.clone(),
            [] => return self.forget_statements(text, statements),
            several => return Err(words::several(text, several)),
        };
        let at = self.memory.queries.iter().position(|query| query.id == id);
        let at = at.ok_or_else(|| words::unknown(text, &self.memory.queries))?;
        let query = self.memory.queries.remove(at);
        self.memory.going.retain(|going| going.query != id);
        self.memory.save(&self.store).map_err(|error| words::not_stored(&error.to_string()))?;
        if let Some(run) = self.runs.get_mut(&id) {
            run.is_scheduled = false;
        }
        self.failed.remove(&id);
        self.tell_failed();
        let gone = Refusal::new(
            ErrorCode::FlexForgotten,
            "The query was forgotten meanwhile.",
            "Run it again.",
        );
        self.fail(&id, gone, Reference::Kept);
        let removed = match statements {
            Statements::Kept => 0,
            Statements::Removed => {
                let names = QueryNames::of(&self.entries);
                self.remove(|entry| names.query(entry) == id.as_str())?
            }
        };
        Ok(Forgotten { name: query.name, id: Some(id), statements: removed })
    }

    /// A query that is not remembered, and of which there are statements: imported, or run before it was forgotten.
    fn forget_statements(
        &mut self,
        text: &str,
        statements: Statements,
    ) -> Result<Forgotten, Refusal> {
        let names = QueryNames::of(&self.entries);
        let remembered: Vec<String> =
            self.memory.queries.iter().map(|query| query.id.to_string()).collect();
        let is_meant = |entry: &Entry| {
            let is_named = entry.query_id.as_deref() == Some(text) || entry.query_name == text;
            is_named && !remembered.contains(&names.query(entry))
        };
        let Some(entry) = self.entries.iter().find(|entry| is_meant(entry)) else {
            return Err(match find(text, &self.memory.queries) {
                Err(refusal) if refusal.error != ErrorCode::FlexQueryUnknown => refusal,
                _ => words::unknown(text, &self.memory.queries),
            });
        };
        let name = entry.query_name.clone();
        if statements == Statements::Kept {
            return Err(words::only_imported(&name));
        }
        let removed = self.remove(is_meant)?;
        Ok(Forgotten { name, id: None, statements: removed })
    }
}
