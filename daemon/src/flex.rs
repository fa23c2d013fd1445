//! Flex: owns the runs of Flex queries, what is remembered of them, and the archive of statements.
//!
//! One run per query at a time; whoever asks meanwhile joins it. What follows from what IBKR said is
//! decided in [`life`]. A reference is kept before anything is done with it, so that a statement that is
//! being made when the daemon dies is fetched by the next one. Calls to IBKR are tasks that the state owns.

pub mod call;
mod daily;
pub mod files;
mod handle;
pub mod life;
mod list;
pub mod memory;
mod pace;
pub mod person;
pub mod schedule;
pub mod words;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ibd_cpapi::faults::scaled;
use ibd_cpapi::flex::{Class, Service, class};
use ibd_flex::archive::{Added, Archive, Entry, Keep, QueryNames, Why, prune};
use ibd_protocol::{ErrorCode, places};
use jiff::{Timestamp, ToSpan};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use ulid::Ulid;

use crate::board::Board;
use crate::refusal::Refusal;
use crate::store::Store;
use call::{FlexCall, Heard};
use files::Imported;
pub use handle::FlexHandle;
use life::{Next, Sign, Step, Tries};
pub use list::{Listed, listed};
use memory::{Going, Mark, Memory, Query, QueryId, Taken};
use pace::Pace;
use schedule::{Daily, Tried};

/// A statement that is younger than this is given again: IBKR makes no newer one.
const FRESH_MINUTES: i64 = 10;
/// There is no statement for the period, as yet.
const NOT_YET: u32 = 1003;
/// How often it is looked whether a query is to be run by itself.
const TICK: Duration = Duration::from_secs(60);

/// What the actor is told.
#[derive(Debug)]
pub enum Msg {
    /// A statement is wanted.
    Run(Ask, RpcReplyPort<Result<watch::Receiver<RunState>, Refusal>>),
    /// What a call of a run came to.
    Heard(QueryId, Box<Heard>),
    /// A call used this token.
    Token(String),
    /// A query is run by itself from now on, or no more.
    Schedule(String, Option<Daily>, RpcReplyPort<Result<Query, Refusal>>),
    /// Time has passed.
    Tick,
    /// Statements that need not be kept are removed, or only named; which.
    Prune(Keep, bool, RpcReplyPort<Result<Vec<Entry>, Refusal>>),
    /// Statements that were being made are gone on with, if there is a token.
    Resume,
    /// A query is forgotten, and its statements if asked; what was done.
    Forget(String, bool, RpcReplyPort<Result<Forgotten, Refusal>>),
    /// A file is taken over: a statement, or what the original remembered.
    Import(Ulid, RpcReplyPort<Result<String, Refusal>>),
    /// A statement was taken over.
    Imported(Box<Imported>, RpcReplyPort<Result<String, Refusal>>),
}

/// Which statement.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// The query's number or name.
    pub query: String,
    /// How it is to be called from now on.
    pub name: Option<String>,
    /// A new one, however young the last is.
    pub refresh: bool,
}

/// How a run is.
#[derive(Debug, Clone)]
pub enum RunState {
    /// Under way; one sentence.
    Going(String),
    /// The statement is here. `true`: it was before.
    Done(Box<Entry>, bool),
    /// There is none.
    Failed(Box<Refusal>),
}

/// What is no more.
#[derive(Debug, Clone)]
pub struct Forgotten {
    /// Its name.
    pub name: String,
    /// Its number, unless its statements were only imported.
    pub id: Option<QueryId>,
    /// How many of its statements were removed.
    pub statements: usize,
}

/// What anybody may see.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// The queries.
    pub queries: Vec<Query>,
    /// The archived statements, oldest first.
    pub entries: Arc<Vec<Entry>>,
    /// Runs under way, and how they are.
    pub going: Vec<(QueryId, String)>,
    /// When the token was first used here.
    pub token_since: Option<Timestamp>,
    /// The archive, if it can be used.
    pub archive: Option<Archive>,
}

/// What the actor is made of.
#[derive(Debug)]
pub struct Arguments {
    /// Where it says what a person should know.
    pub board: Board,
    /// Where it remembers.
    pub store: Store,
    /// The folder of statements.
    pub folder: PathBuf,
    /// Who knows where a token may be.
    pub handle: FlexHandle,
}

/// The actor.
#[derive(Debug)]
pub struct Flex;

/// What the actor keeps.
#[derive(Debug)]
pub struct State {
    board: Board,
    store: Store,
    handle: FlexHandle,
    /// An error: why nothing can be run or kept.
    archive: Result<Archive, String>,
    memory: Memory,
    entries: Arc<Vec<Entry>>,
    runs: HashMap<QueryId, Run>,
    /// When a query was last run by itself.
    scheduled: HashMap<QueryId, Tried>,
    /// Why the daily run of a query failed.
    failed: BTreeMap<QueryId, Refusal>,
    /// What was last said of the token's end.
    expiring: Option<String>,
    pace: Pace,
    /// Ends with this.
    _ticks: JoinHandle<()>,
}

#[derive(Debug)]
struct Run {
    standing: watch::Sender<RunState>,
    step: Step,
    tries: Tries,
    name: Option<String>,
    /// Nobody asked for it; it was its time.
    is_scheduled: bool,
    /// It failed in a way that an hour does not mend.
    in_vain: bool,
    task: JoinHandle<()>,
}

impl Drop for Run {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Actor for Flex {
    type Msg = Msg;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        me: ActorRef<Msg>,
        arguments: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let Arguments { board, store, folder, handle } = arguments;
        let opening = board.clone();
        let opened = tokio::task::spawn_blocking(move || open(&folder, &opening)).await?;
        let (archive, entries) = match opened {
            Ok((archive, entries)) => (Ok(archive), entries),
            Err(error) => {
                (Err(format!("the folder of Flex statements cannot be used: {error}")), vec![])
            }
        };
        let (memory, archive) = match Memory::load(&store) {
            Ok((memory, set_aside)) => {
                if set_aside > 0 {
                    board.note(
                        "flex_memory_damaged",
                        format!("{set_aside} entries about Flex queries could not be read and were set aside."),
                        "Run the queries again by their numbers; the statements are untouched.",
                    );
                }
                (memory, archive)
            }
            Err(why) => (Memory::default(), Err(why)),
        };
        if let Err(why) = &archive {
            board.note(
                "flex_closed",
                format!("Flex queries cannot be run: {why}."),
                "See `ibctl logs`.",
            );
        }
        // What an earlier actor said of these is found out anew.
        board.clear("flex_daily_failed");
        board.clear("flex_token_expires");
        let state = State {
            board,
            store,
            handle,
            archive,
            memory,
            entries: Arc::new(entries),
            runs: HashMap::new(),
            scheduled: HashMap::new(),
            failed: BTreeMap::new(),
            expiring: None,
            _ticks: me.send_interval(scaled(TICK), || Msg::Tick),
            pace: Pace::new(Instant::now()),
        };
        state.publish();
        let _ = me.cast(Msg::Resume);
        Ok(state)
    }

    async fn handle(
        &self,
        me: ActorRef<Msg>,
        msg: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Run(ask, reply) => {
                let _ = reply.send(state.ask(&me, &ask));
            }
            Msg::Heard(query, heard) => state.heard(&me, &query, *heard),
            Msg::Token(mark) => state.token(mark),
            Msg::Schedule(query, daily, reply) => {
                let _ = reply.send(state.schedule(&me, &query, daily));
            }
            Msg::Tick => state.tick(&me),
            Msg::Prune(keep, is_trial, reply) => {
                let _ = reply.send(state.prune(&keep, is_trial));
            }
            Msg::Resume => {
                // Somebody may have brought a token.
                let had_none = |query: &QueryId| {
                    state.failed.get(query).is_some_and(|why| why.error == ErrorCode::FlexNoToken)
                };
                state.scheduled.retain(|query, _| !had_none(query));
                state.resume(&me);
                state.tick(&me);
            }
            Msg::Forget(query, statements, reply) => {
                let _ = reply.send(state.forget(&query, statements));
            }
            Msg::Import(name, reply) => state.import(&me, name, reply),
            Msg::Imported(added, reply) => {
                let _ = reply.send(state.imported(*added));
            }
        }
        state.publish();
        Ok(())
    }
}

/// Opens the archive; what is damaged is set aside and reported.
fn open(folder: &std::path::Path, board: &Board) -> std::io::Result<(Archive, Vec<Entry>)> {
    files::clear(&folder.with_file_name(places::INBOX));
    let archive = Archive::open(folder)?;
    let scan = archive.scan()?;
    for damaged in scan.damaged {
        tracing::error!(%damaged, "a Flex statement is damaged");
        let what = match damaged.why {
            Why::Version(_) => "is left alone",
            _ => match archive.set_aside(&damaged.file) {
                Ok(_) => "was set aside in the folder `damaged`",
                Err(_) => "could not be set aside",
            },
        };
        board.note(
            "flex_statement_damaged",
            format!("A Flex statement cannot be read and {what}: {damaged}."),
            "Run the query again to have the statement again.",
        );
    }
    Ok((archive, scan.entries))
}

impl State {
    fn publish(&self) {
        let mut going: Vec<(QueryId, String)> = self
            .runs
            .iter()
            .filter_map(|(id, run)| match &*run.standing.borrow() {
                RunState::Going(text) => Some((id.clone(), text.clone())),
                _ => None,
            })
            .collect();
        going.sort();
        self.handle.show(View {
            queries: self.memory.queries.clone(),
            entries: self.entries.clone(),
            going,
            token_since: self.memory.token.as_ref().map(|mark| mark.since),
            archive: self.archive.as_ref().ok().cloned(),
        });
    }

    fn ask(&mut self, me: &ActorRef<Msg>, ask: &Ask) -> Result<watch::Receiver<RunState>, Refusal> {
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

    /// A query that is known is called so from now on; one that is not gets its name with its first statement.
    fn rename(&mut self, query: &QueryId, name: &str) -> Result<(), Refusal> {
        match self.memory.rename(query, name) {
            Err(Taken(other)) => return Err(words::name_taken(name, &other)),
            Ok(false) => return Ok(()),
            Ok(true) => {}
        }
        self.memory.save(&self.store).map_err(|error| words::not_stored(&error.to_string()))?;
        self.publish();
        Ok(())
    }

    fn begin(
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

    fn heard(&mut self, me: &ActorRef<Msg>, query: &QueryId, heard: Heard) {
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
                    return self.fail(query, words::not_stored(&error.to_string()), false);
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
            Heard::NoToken => return self.fail(query, words::no_token(), false),
            Heard::NotStored(text) => return self.fail(query, words::not_stored(text), false),
            Heard::NotXml => {
                run.in_vain = true;
                return self.fail(query, words::not_xml(), true);
            }
            Heard::Unusable(text) => {
                run.in_vain = true;
                return self.fail(query, words::broken(text), true);
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
                self.fail(query, refusal.unwrap_or_else(words::left), false);
            }
            Next::GiveUp => {
                // A statement that is not there yet may be there in an hour.
                run.in_vain = matches!(sign, Sign::Code(code)
                    if code != NOT_YET && class(code) == Class::Permanent);
                self.fail(query, failure.unwrap_or_else(words::left), true);
            }
        }
    }

    fn fail(&mut self, query: &QueryId, refusal: Refusal, is_over: bool) {
        if is_over {
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
            run.standing.send_replace(RunState::Failed(Box::new(refusal)));
        }
    }

    fn token(&mut self, mark: String) {
        if self.memory.token.as_ref().is_some_and(|known| known.of == mark) {
            return;
        }
        self.memory.token = Some(Mark { of: mark, since: Timestamp::now() });
        if let Err(error) = self.memory.save(&self.store) {
            tracing::error!(%error, "what is known of Flex queries could not be kept");
        }
    }

    /// Removes what need not be kept, oldest first, or only says what that is.
    fn prune(&mut self, keep: &Keep, is_trial: bool) -> Result<Vec<Entry>, Refusal> {
        let archive = self.archive.as_ref().map_err(|why| words::not_stored(why))?;
        let gone = prune(&self.entries, keep);
        if is_trial {
            return Ok(gone);
        }
        for entry in &gone {
            archive.remove(entry).map_err(|error| words::not_stored(&error.to_string()))?;
            let mut entries = Vec::clone(&self.entries);
            entries.retain(|one| one.file != entry.file);
            self.entries = Arc::new(entries);
        }
        Ok(gone)
    }

    fn drop_reference(&mut self, query: &QueryId) {
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
            run.standing.send_replace(RunState::Done(Box::new(added.entry.clone()), false));
        }
    }

    /// The list of statements as it is now that one came.
    fn enter(&mut self, added: &Added) {
        let mut entries = Vec::clone(&self.entries);
        let is_gone = |entry: &Entry| added.replaced.iter().any(|old| old.file == entry.file);
        entries.retain(|entry| entry.file != added.entry.file && !is_gone(entry));
        // It was the same as one that was removed in this moment.
        let is_there = |archive: &Archive| archive.folder().join(&added.entry.file).is_file();
        if !self.archive.as_ref().is_ok_and(is_there) {
            self.entries = Arc::new(entries);
            return;
        }
        // The same as before, byte for byte, was fetched now all the same.
        entries.push(Entry { added: Timestamp::now(), ..added.entry.clone() });
        self.entries = Arc::new(entries);
    }

    fn resume(&mut self, me: &ActorRef<Msg>) {
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

    fn forget(&mut self, text: &str, statements: bool) -> Result<Forgotten, Refusal> {
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
        self.fail(&id, gone, false);
        let removed = if statements {
            let names = QueryNames::of(&self.entries);
            self.remove(|entry| names.query(entry) == id.as_str())?
        } else {
            0
        };
        Ok(Forgotten { name: query.name, id: Some(id), statements: removed })
    }

    /// A query that is not remembered, and of which there are statements: imported, or run before it was forgotten.
    fn forget_statements(&mut self, text: &str, statements: bool) -> Result<Forgotten, Refusal> {
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
        if !statements {
            return Err(words::only_imported(&name));
        }
        let removed = self.remove(is_meant)?;
        Ok(Forgotten { name, id: None, statements: removed })
    }

    /// Removes statements from disk; how many.
    fn remove(&mut self, is_meant: impl Fn(&Entry) -> bool) -> Result<usize, Refusal> {
        let Ok(archive) = &self.archive else { return Ok(0) };
        let (own, others): (Vec<Entry>, Vec<Entry>) =
            self.entries.iter().cloned().partition(|entry| is_meant(entry));
        for entry in &own {
            archive.remove(entry).map_err(|error| words::not_stored(&error.to_string()))?;
        }
        self.entries = Arc::new(others);
        Ok(own.len())
    }

    fn import(
        &mut self,
        me: &ActorRef<Msg>,
        name: Ulid,
        reply: RpcReplyPort<Result<String, Refusal>>,
    ) {
        let archive = match &self.archive {
            Ok(archive) => archive.clone(),
            Err(why) => {
                let _ = reply.send(Err(words::not_stored(why)));
                return;
            }
        };
        let path = archive.folder().with_file_name(places::INBOX).join(name.to_string());
        let (me, known) = (me.clone(), self.entries.clone());
        tokio::task::spawn_blocking(move || {
            let imported = files::import(&path, &archive, &known);
            let _ = me.cast(Msg::Imported(Box::new(imported), reply));
        });
    }

    fn imported(&mut self, imported: Imported) -> Result<String, Refusal> {
        let bad = |why: String| {
            Refusal::new(
                ErrorCode::FlexImport,
                why,
                "Nothing was changed. Give a statement's XML, or the original's flex-queries.json.",
            )
        };
        match imported {
            Imported::Statements(all) => {
                let mut told = Vec::new();
                for (member, added) in all {
                    match added {
                        Ok(added) => {
                            self.enter(&added);
                            told.push(Ok(words::imported(&added)));
                        }
                        Err(error) => told.push(Err(words::in_member(member.as_deref(), &error))),
                    }
                }
                if told.iter().any(Result::is_ok) {
                    Ok(told
                        .into_iter()
                        .map(|one| one.unwrap_or_else(|bad| bad))
                        .collect::<Vec<_>>()
                        .join(" "))
                } else {
                    let why: Vec<String> = told.into_iter().filter_map(Result::err).collect();
                    Err(bad(why.join(" ")))
                }
            }
            Imported::Queries(text) => {
                let text = text.map_err(|error| bad(error.to_string()))?;
                let new = self
                    .memory
                    .import(&text, Timestamp::now())
                    .ok_or_else(|| bad("This is no flex-queries.json.".to_owned()))?;
                let saved = self.memory.save(&self.store);
                saved.map_err(|error| words::not_stored(&error.to_string()))?;
                Ok(format!("{new} queries were taken over."))
            }
        }
    }
}

/// Whether a statement is of that query.
pub fn is_of(entry: &Entry, query: &QueryId) -> bool {
    entry.query_id.as_deref() == Some(query.as_str())
}

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
