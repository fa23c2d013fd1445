//! Daily runs: which are due, how they begin, and what a person hears of those that failed.

use jiff::Timestamp;
use ractor::ActorRef;
use tokio::sync::watch;

use super::memory::{Query, QueryId};
use super::schedule::{self, Daily, Tried};
use super::{Msg, RunState, State, find, words};
use crate::refusal::Refusal;

impl State {
    pub(super) fn tell_failed(&self) {
        let Some(last) = self.failed.values().next_back() else {
            return self.board.clear("flex_daily_failed");
        };
        let texts: Vec<String> = self
            .failed
            .iter()
            .map(|(query, refusal)| {
                format!("The daily run of Flex query {query} failed: {}", refusal.message)
            })
            .collect();
        self.board.note("flex_daily_failed", texts.join(" "), last.next.clone());
    }

    /// A query is run by itself from now on, or no more. The first run is now, if today's time is over.
    pub(super) fn schedule(
        &mut self,
        me: &ActorRef<Msg>,
        text: &str,
        daily: Option<Daily>,
    ) -> Result<Query, Refusal> {
        let id = find(text, &self.memory.queries)?;
        let known = self.memory.queries.iter_mut().find(|query| query.id == id);
        let query = known.ok_or_else(|| words::never_ran(text))?;
        query.daily = daily;
        let query = query.clone();
        self.memory.save(&self.store).map_err(|error| words::not_stored(&error.to_string()))?;
        self.failed.remove(&id);
        self.tell_failed();
        self.scheduled.remove(&id);
        if let (None, Some(run)) = (daily, self.runs.get_mut(&id)) {
            run.is_scheduled = false;
        }
        self.tick(me);
        Ok(query)
    }

    pub(super) fn tick(&mut self, me: &ActorRef<Msg>) {
        let now = Timestamp::now();
        let expiring = self.handle.expiring(now);
        if expiring != self.expiring {
            match &expiring {
                Some(text) => self.board.note("flex_token_expires", text, words::GET_A_TOKEN),
                None => self.board.clear("flex_token_expires"),
            }
            self.expiring = expiring;
        }
        let is_due = |query: &&Query| {
            let tried = self.scheduled.get(&query.id).copied();
            query.daily.is_some_and(|daily| schedule::is_due(daily, query.last_used, tried, now))
        };
        let due: Vec<QueryId> =
            self.memory.queries.iter().filter(is_due).map(|query| query.id.clone()).collect();
        if self.archive.is_err() {
            return;
        }
        for query in due {
            self.scheduled.insert(query.clone(), Tried { at: now, in_vain: false });
            self.drop_older_reference(&query, now);
            if !self.runs.contains_key(&query) {
                let text = "The daily statement is asked for.".to_owned();
                self.begin(me, query.clone(), watch::Sender::new(RunState::Going(text)), None);
            }
            if let Some(run) = self.runs.get_mut(&query) {
                run.is_scheduled = true;
            }
        }
    }

    /// A statement that was asked for before today's time is yesterday's.
    fn drop_older_reference(&mut self, query: &QueryId, now: Timestamp) {
        let daily =
            self.memory.queries.iter().find(|one| one.id == *query).and_then(|one| one.daily);
        let due = daily.and_then(|daily| daily.last(now));
        let is_older = |due| self.memory.going(query).is_some_and(|going| going.begun < due);
        if due.is_some_and(is_older) && !self.runs.contains_key(query) {
            self.drop_reference(query);
        }
    }
}
