//! The record of what arrived, for tests that ask afterwards.

use std::collections::VecDeque;

use serde::Serialize;

/// One request.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    /// `None` while it waits, and for ever if it was never answered.
    pub(crate) status: Option<u16>,
    /// Real milliseconds since the start at which it arrived.
    pub(crate) ms: i64,
    /// Milliseconds until the answer, or until the client went.
    pub(crate) took_ms: Option<i64>,
}

/// Requests kept; a simulator that serves a whole campaign must not grow.
const KEPT: usize = 50_000;

/// Everything that arrived since the start or the last reset; the oldest are forgotten.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Ticket of the first entry; grows at a reset, so that old tickets find nothing.
    first: usize,
    entries: VecDeque<Entry>,
    /// What was subscribed to and ended on websockets.
    said: VecDeque<String>,
    in_flight: usize,
    peak: usize,
}

impl Record {
    /// An empty record that does not recognise this one's tickets.
    pub(crate) fn successor(&self) -> Self {
        Self { first: self.first + self.entries.len(), ..Self::default() }
    }

    /// Notes an arrival; the number is the ticket for `finish`.
    pub(crate) fn arrive(&mut self, method: &str, path: &str, query: &str, ms: i64) -> usize {
        self.in_flight += 1;
        self.peak = self.peak.max(self.in_flight);
        let (method, path, query) = (method.to_owned(), path.to_owned(), query.to_owned());
        self.entries.push_back(Entry { method, path, query, status: None, ms, took_ms: None });
        if self.entries.len() > KEPT {
            self.entries.pop_front();
            self.first += 1;
        }
        self.first + self.entries.len() - 1
    }

    /// Notes the end of one; a ticket from before a reset is ignored.
    pub(crate) fn finish(&mut self, ticket: usize, status: Option<u16>, ms: i64) {
        let found = ticket.checked_sub(self.first).and_then(|at| self.entries.get_mut(at));
        if let Some(entry) = found {
            self.in_flight = self.in_flight.saturating_sub(1);
            entry.status = status;
            entry.took_ms = Some((ms - entry.ms).max(0));
        }
    }

    /// All of it, oldest first.
    pub(crate) fn entries(&self) -> &VecDeque<Entry> {
        &self.entries
    }

    /// Notes what was said on a websocket.
    pub(crate) fn say(&mut self, text: &str) {
        self.said.push_back(text.to_owned());
        if self.said.len() > KEPT {
            self.said.pop_front();
        }
    }

    /// All that was said there, oldest first.
    pub(crate) fn said(&self) -> &VecDeque<String> {
        &self.said
    }

    /// Most requests at one time.
    pub(crate) fn peak(&self) -> usize {
        self.peak
    }
}
