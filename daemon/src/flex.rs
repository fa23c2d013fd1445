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
mod queries;
mod runs;
pub mod schedule;
mod statements;
pub mod words;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ibd_cpapi::faults::scaled;
use ibd_flex::archive::{Archive, Entry, Keep};
use ibd_protocol::ErrorCode;
use jiff::Timestamp;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use ulid::Ulid;

use crate::board::Board;
use crate::refusal::Refusal;
use crate::store::Store;
use call::Heard;
use files::Imported;
pub use handle::FlexHandle;
pub use list::{Listed, listed};
use memory::{Memory, Query, QueryId};
use pace::Pace;
pub use queries::find;
use runs::Run;
use schedule::{Daily, Tried};
pub use statements::is_of;

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
    Prune(Keep, Pruning, RpcReplyPort<Result<Vec<Entry>, Refusal>>),
    /// Statements that were being made are gone on with, if there is a token.
    Resume,
    /// A query is forgotten, and its statements if asked; what was done.
    Forget(String, Statements, RpcReplyPort<Result<Forgotten, Refusal>>),
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

/// Whether statements that need not be kept go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pruning {
    /// They are only named.
    Trial,
    /// They are removed.
    Real,
}

/// What becomes of the statements of a query that is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statements {
    /// They stay.
    Kept,
    /// They are removed from disk too.
    Removed,
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
        let opened =
            tokio::task::spawn_blocking(move || statements::open(&folder, &opening)).await?;
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
                let said = state.ask(&me, &ask);
                state.answer(reply, said);
            }
            Msg::Heard(query, heard) => state.heard(&me, &query, *heard),
            Msg::Token(mark) => state.token(mark),
            Msg::Schedule(query, daily, reply) => {
                let said = state.schedule(&me, &query, daily);
                state.answer(reply, said);
            }
            Msg::Tick => state.tick(&me),
            Msg::Prune(keep, how, reply) => {
                let said = state.prune(&keep, how);
                state.answer(reply, said);
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
                let said = state.forget(&query, statements);
                state.answer(reply, said);
            }
            Msg::Import(name, reply) => state.import(&me, name, reply),
            Msg::Imported(added, reply) => {
                let said = state.imported(*added);
                state.answer(reply, said);
            }
        }
        state.publish();
        Ok(())
    }
}

impl State {
    /// Whoever hears that something was done sees it done.
    fn answer<T>(&self, reply: RpcReplyPort<T>, said: T) {
        self.publish();
        let _ = reply.send(said);
    }

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
}
