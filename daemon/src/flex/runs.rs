//! Runs of Flex queries: how one begins or is joined, what follows from what IBKR said, and how it ends.

use std::time::Duration;

use ibd_cpapi::faults::scaled;
use ibd_cpapi::flex::{Class, Service, class};
use ibd_flex::archive::Added;
use jiff::{Timestamp, ToSpan};
use ractor::ActorRef;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::call::{self, FlexCall, Heard};
use super::life::{self, Next, Sign, Step, Tries};
use super::memory::{Going, Mark, QueryId};
use super::{Ask, Msg, RunState, State, find, is_of, words};
use crate::refusal::Refusal;

/// A statement that is younger than this is given again: IBKR makes no newer one.
const FRESH_MINUTES: i64 = 10;
/// There is no statement for the period, as yet.
const NOT_YET: u32 = 1003;

#[derive(Debug)]
pub(super) struct Run {
    pub(super) standing: watch::Sender<RunState>,
    step: Step,
    tries: Tries,
    name: Option<String>,
    /// Nobody asked for it; it was its time.
    pub(super) is_scheduled: bool,
    /// It failed in a way that an hour does not mend.
    in_vain: bool,
    task: JoinHandle<()>,
}

impl Drop for Run {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What becomes of the reference of a run that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reference {
    /// The statement may still come of it.
    Kept,
    /// Nothing comes of it any more.
    Dropped,
}

impl State {
    pub(super) fn ask(
        &mut self,
        me: &ActorRef<Msg>,
        ask: &Ask,
    ) -> Result<watch::Receiver<RunState>, Refusal> {
        if let Err(why) = &self.archive {
            return Err(words::not_stored(why));
        }
        let query = find(&ask.query, &self.memory.queries)?;
        if let Some(name) = &ask.name {
            self.rename(&query, name)?;
        }
        if let Some(run) = self.runs.get(&query) {
            return Ok(run.standing.subscribe());
        }
        let since = Timestamp::now().checked_sub(FRESH_MINUTES.minutes()).unwrap_or(Timestamp::MIN);
        let last = self.entries.iter().rev().find(|entry| is_of(entry, &query));
        if let Some(entry) = last.filter(|entry| entry.added >= since && !ask.refresh) {
            let done = RunState::Done(Box::new(entry.clone()), true);
            return Ok(watch::Sender::new(done).subscribe());
        }
        let standing =
            watch::Sender::new(RunState::Going("The statement is asked for.".to_owned()));
        let seen = standing.subscribe();
        self.begin(me, query, standing, ask.name.clone());
        Ok(seen)
    }

    pub(super) fn begin(
        &mut self,
        me: &ActorRef<Msg>,
        query: QueryId,
        standing: watch::Sender<RunState>,
        name: Option<String>,
    ) {
        let step = if self.memory.going(&query).is_some() { Step::Get } else { Step::Send };
        let run = Run {
            standing,
            step,
            tries: Tries::default(),
            name,
            is_scheduled: false,
            in_vain: false,
            task: tokio::spawn(async {}),
        };
        self.runs.insert(query.clone(), run);
        self.go(me, &query, Duration::ZERO);
    }

    /// The next call of a run, after a pause and in its turn.
    fn go(&mut self, me: &ActorRef<Msg>, query: &QueryId, pause: Duration) {
        let Ok(archive) = self.archive.clone() else { return };
        let Some(run) = self.runs.get_mut(query) else { return };
        let going = self.memory.going(query);
        let call = FlexCall {
            query: query.clone(),
            name: run.name.clone(),
            step: run.step,
            reference: going.map(|going| (going.reference.clone(), going.url.clone())),
            archive,
            known: self.entries.clone(),
        };
        let turn = self.pace.turn(Instant::now() + scaled(pause));
        let (me, handle) = (me.clone(), self.handle.clone());
        run.task = tokio::spawn(async move {
            let query = call.query.clone();
            // Looked for before the turn comes: who has no token need not wait to hear it.
            let heard = match handle.access().await {
                None => Heard::NoToken,
                Some(access) => match Service::new(&access.address, access.token) {
                    Err(failure) => Heard::Unusable(failure.to_string()),
                    Ok(service) => {
                        let _ = me.cast(Msg::Token(access.mark));
                        tokio::time::sleep_until(turn).await;
                        call::run(&service, call).await
                    }
                },
            };
            let _ = me.cast(Msg::Heard(query, Box::new(heard)));
        });
    }

    pub(super) fn heard(&mut self, me: &ActorRef<Msg>, query: &QueryId, heard: Heard) {
        let Some(run) = self.runs.get_mut(query) else { return };
        let (sign, failure) = match &heard {
            Heard::Reference(reference, url) => {
                self.memory.going.retain(|going| going.query != *query);
                self.memory.going.push(Going {
                    query: query.clone(),
                    reference: reference.clone(),
                    url: url.clone(),
                    begun: Timestamp::now(),
                });
                if let Err(error) = self.memory.save(&self.store) {
                    return self.fail(
                        query,
                        words::not_stored(&error.to_string()),
                        Reference::Kept,
                    );
                }
                (Sign::Reference, None)
            }
            Heard::Code(code, text) => (Sign::Code(*code), Some(words::code(*code, text))),
            Heard::Broken(text) => (Sign::Broken, Some(words::broken(text))),
            Heard::Stored(added) => return self.stored(query, added),
            // Brought along while it was looked for.
            Heard::NoToken if self.handle.has_brought() => {
                return self.go(me, query, Duration::ZERO);
            }
            Heard::NoToken => return self.fail(query, words::no_token(), Reference::Kept),
            Heard::NotStored(text) => {
                return self.fail(query, words::not_stored(text), Reference::Kept);
            }
            Heard::NotXml => {
                run.in_vain = true;
                return self.fail(query, words::not_xml(), Reference::Dropped);
            }
            Heard::Unusable(text) => {
                run.in_vain = true;
                return self.fail(query, words::broken(text), Reference::Dropped);
            }
        };
        let (next, tries) = life::next(run.step, sign, run.tries);
        tracing::info!(%query, step = ?run.step, ?sign, ?next, "flex");
        run.tries = tries;
        match next {
            Next::After(step, pause) => {
                let is_lost = run.step == Step::Get && step == Step::Send;
                run.step = step;
                let text = match &heard {
                    Heard::Code(code, _) => words::waiting(*code, pause.as_secs()),
                    Heard::Broken(text) => {
                        format!(
                            "No statement came ({text}); trying again in {} s.",
                            pause.as_secs()
                        )
                    }
                    _ => "IBKR is making the statement.".to_owned(),
                };
                run.standing.send_replace(RunState::Going(text));
                if is_lost {
                    self.drop_reference(query);
                }
                self.go(me, query, pause);
            }
            Next::Leave => {
                let refusal = failure.filter(|_| !matches!(sign, Sign::Code(1019)));
                self.fail(query, refusal.unwrap_or_else(words::left), Reference::Kept);
            }
            Next::GiveUp => {
                // A statement that is not there yet may be there in an hour.
                run.in_vain = matches!(sign, Sign::Code(code)
                    if code != NOT_YET && class(code) == Class::Permanent);
                self.fail(query, failure.unwrap_or_else(words::left), Reference::Dropped);
            }
        }
    }

    pub(super) fn fail(&mut self, query: &QueryId, refusal: Refusal, reference: Reference) {
        if reference == Reference::Dropped {
            self.drop_reference(query);
        }
        if let Some(run) = self.runs.remove(query) {
            if run.is_scheduled {
                if let Some(tried) = self.scheduled.get_mut(query) {
                    tried.in_vain = run.in_vain;
                }
                self.failed.insert(query.clone(), refusal.clone());
                self.tell_failed();
            }
            self.publish();
            run.standing.send_replace(RunState::Failed(Box::new(refusal)));
        }
    }

    pub(super) fn drop_reference(&mut self, query: &QueryId) {
        self.memory.going.retain(|going| going.query != *query);
        if let Err(error) = self.memory.save(&self.store) {
            tracing::error!(%error, "what is known of Flex queries could not be kept");
        }
    }

    fn stored(&mut self, query: &QueryId, added: &Added) {
        self.enter(added);
        let name = self.runs.get(query).and_then(|run| run.name.clone());
        let own = Some(added.entry.query_name.clone()).filter(|name| !name.is_empty());
        let name = name.or(own).unwrap_or_else(|| query.to_string());
        self.memory.used(query, &name, Timestamp::now());
        if let Err(error) = self.memory.save(&self.store) {
            tracing::error!(%error, "what is known of Flex queries could not be kept");
        }
        self.board.clear("flex_closed");
        if self.failed.remove(query).is_some() {
            self.tell_failed();
        }
        if let Some(run) = self.runs.remove(query) {
            self.publish();
            run.standing.send_replace(RunState::Done(Box::new(added.entry.clone()), false));
        }
    }

    pub(super) fn token(&mut self, mark: String) {
        if self.memory.token.as_ref().is_some_and(|known| known.of == mark) {
            return;
        }
        self.memory.token = Some(Mark { of: mark, since: Timestamp::now() });
        if let Err(error) = self.memory.save(&self.store) {
            tracing::error!(%error, "what is known of Flex queries could not be kept");
        }
    }

    pub(super) fn resume(&mut self, me: &ActorRef<Msg>) {
        if self.archive.is_err() {
            return;
        }
        let waiting: Vec<QueryId> =
            self.memory.going.iter().map(|going| going.query.clone()).collect();
        for query in waiting {
            if !self.runs.contains_key(&query) {
                let text = "A statement that was being made is fetched.".to_owned();
                self.begin(me, query, watch::Sender::new(RunState::Going(text)), None);
            }
        }
    }
}
