//! Gateway: owns the way to IBKR: through a gateway, or none. Nobody else spawns or signals a process, or makes a client.
//!
//! ```text
//!                ┌────────────── attach: nothing of ours to start ───────────────┐
//!   Unset ──choose──▶ Starting ──answers──▶ Up ──exit──▶ Down, a pause ──▶ Starting
//!                        │  ▲               │
//!          nothing there │  │ installed     │ a person: stop, logout
//!                        ▼  │               ▼
//!     NotInstalled ──a login──▶ Installing  Stopped ──a login, start──▶ Starting
//! ```
//!
//! What is about Java is in `java.rs`, `conf.rs`, `key.rs`, `record.rs` and `install.rs`; what is about signed requests,
//! where there is no gateway at all, in `direct.rs`.

mod conf;
mod direct;
mod handle;
mod install;
mod java;
mod key;
mod lives;
mod process;
mod record;
mod simulator;
pub mod state;
mod told;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ibd_cpapi::door::Door;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::board::Board;
use crate::config::{GatewayChoice, Sources};
use direct::Direct;
pub use direct::{Brought, Registered};
pub use handle::{GatewayHandle, words};
use java::{Java, NoStart};
use lives::FIRST_PAUSE;
pub(crate) use process::{go_on_as, version_of};
use record::Record;
use simulator::Simulator;
pub use state::{GatewayState, GatewayView};

/// A gateway that hangs is started anew at most this often: each time costs the login.
const BETWEEN_HANGS: Duration = Duration::from_secs(600);

/// What the actor is told.
#[derive(Debug)]
pub enum Msg {
    /// Use this gateway, unless one was chosen before; answered when that is done.
    Choose(GatewayChoice, RpcReplyPort<()>),
    /// Somebody wants to log in, or says start: install and start what is missing.
    Wanted,
    /// A person wants the managed gateway ended; answered with its process, if there was one.
    Stop(RpcReplyPort<Result<Option<u32>, String>>),
    /// What requests are signed with has changed: it is read again. Answered when that has begun.
    Reread(RpcReplyPort<()>),
    /// What requests are signed with was read, or why it cannot be used.
    Reached(u64, Result<Box<Direct>, String>),
    /// It accepts connections and does not answer.
    Hangs(u64),
    /// The process is ready, or could not be started.
    Started(u64, Result<Running, NoProcess>),
    /// How far an installation is.
    Installing(u64, String),
    /// An installation is over.
    Installed(u64, Result<(), String>),
    /// The process ended: after how long, and why.
    Ended(u64, Duration, String),
    /// The pause after an end is over.
    Cooled(u64),
}

/// A process that answers.
#[derive(Debug)]
pub struct Running(Kind);

#[derive(Debug)]
enum Kind {
    Simulator(Box<Simulator>),
    Java(Box<Java>),
}

/// Why there is none.
#[derive(Debug)]
pub struct NoProcess(NoStart);

/// What the actor is made of.
#[derive(Debug)]
pub struct Arguments {
    /// Where it writes its view.
    pub board: Board,
    /// The budget that every client it makes shares.
    pub door: Arc<Door>,
    /// The choice of an earlier life or of the configuration.
    pub choice: Option<GatewayChoice>,
    /// The managed gateway's own folder.
    pub home: PathBuf,
    /// Where things are installed.
    pub data: PathBuf,
    /// Where they come from.
    pub sources: Sources,
    /// What requests are signed with where there is no gateway.
    pub registered: Registered,
}

/// The actor.
#[derive(Debug)]
pub struct Gateway;

/// What the actor keeps.
#[derive(Debug)]
pub struct State {
    board: Board,
    door: Arc<Door>,
    home: PathBuf,
    data: PathBuf,
    sources: Sources,
    registered: Registered,
    choice: Option<GatewayChoice>,
    /// The choice is our own configuration's, and not a client's.
    is_own_choice: bool,
    /// The Java process that was started or taken over last.
    last: Option<Record>,
    one_at_a_time: Arc<Mutex<()>>,
    generation: u64,
    pause: Duration,
    /// Somebody wants a login: what is missing is installed.
    is_wanted: bool,
    last_hang: Option<Instant>,
    task: Option<JoinHandle<()>>,
}

/// However this actor ends: what it began must not go on beside what the next one begins. A Java gateway
/// is not ended by this, and is taken over.
impl Drop for State {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

impl Actor for Gateway {
    type Msg = Msg;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        me: ActorRef<Msg>,
        arguments: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let Arguments { board, door, choice, home, data, sources, registered } = arguments;
        let generation = board.gateway().borrow().generation;
        let mut state = State {
            board,
            door,
            home,
            data,
            sources,
            registered,
            choice: None,
            is_own_choice: choice.is_some(),
            last: None,
            one_at_a_time: Arc::default(),
            generation,
            pause: FIRST_PAUSE,
            is_wanted: false,
            last_hang: None,
            task: None,
        };
        match choice {
            Some(choice) => state.choose(&me, choice),
            // Nobody has said which: the one that holds a login goes on being used.
            None if java::running(&state.home).is_some() => state.start(&me),
            None => {}
        }
        Ok(state)
    }

    async fn handle(
        &self,
        me: ActorRef<Msg>,
        msg: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let now = state.generation;
        match msg {
            Msg::Choose(choice, reply) => {
                state.choose(&me, choice);
                let _ = reply.send(());
            }
            Msg::Wanted => state.wanted(&me),
            Msg::Stop(reply) => state.stop(reply),
            Msg::Reread(reply) => {
                state.reread(&me);
                let _ = reply.send(());
            }
            Msg::Reached(generation, outcome) if generation == now => state.reached(outcome),
            Msg::Hangs(generation) if generation == now => state.hangs(),
            Msg::Started(generation, outcome) if generation == now => state.started(&me, outcome),
            Msg::Installing(generation, how_far) if generation == now => {
                state.publish(GatewayState::Installing(how_far));
            }
            Msg::Installed(generation, outcome) if generation == now => {
                state.installed(&me, outcome);
            }
            Msg::Ended(generation, lived, why) if generation == now => state.ended(&me, lived, why),
            Msg::Cooled(generation) if generation == now => state.start(&me),
            // Of an earlier life.
            _ => {}
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Msg>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        // A simulator ends with the task that holds it. A Java gateway does not: it holds the login.
        if let Some(task) = state.task.take() {
            task.abort();
        }
        Ok(())
    }
}

impl State {
    fn choose(&mut self, me: &ActorRef<Msg>, choice: GatewayChoice) {
        if self.choice.is_some() {
            return;
        }
        tracing::info!(%choice, "gateway chosen");
        if !matches!(choice, GatewayChoice::Managed { .. })
            && let Some(left) = java::running(&self.home)
        {
            self.board.note(
                "gateway_left",
                format!(
                    "A managed gateway of an earlier configuration still runs (pid {}).",
                    left.pid
                ),
                "`ibctl gateway stop` ends it, and the login that it may hold.",
            );
        }
        self.choice = Some(choice);
        self.start(me);
    }

    /// A login is wanted: what a person stopped, or what is not there yet, comes now.
    fn wanted(&mut self, me: &ActorRef<Msg>) {
        self.is_wanted = true;
        let state = self.board.gateway().borrow().state.clone();
        match state {
            GatewayState::Stopped | GatewayState::NotInstalled(_) => self.start(me),
            GatewayState::Installing(_)
            | GatewayState::Starting
            | GatewayState::Up
            | GatewayState::Down(_) => {}
        }
    }

    /// Ends the Java process, ours or one that an earlier configuration left.
    fn stop(&mut self, reply: RpcReplyPort<Result<Option<u32>, String>>) {
        if matches!(self.choice, Some(GatewayChoice::Managed { .. }) | None) {
            self.next_life();
            self.publish(GatewayState::Stopped);
        }
        self.board.clear("gateway_left");
        let (home, last) = (self.home.clone(), self.last.take());
        let one_at_a_time = self.one_at_a_time.clone();
        // Ends by itself within ten seconds, whatever becomes of this actor.
        tokio::spawn(async move {
            let _alone = one_at_a_time.lock().await;
            let _ = reply.send(java::stop(&home, last).await);
        });
    }

    /// Its end is noticed like any other, and it is started again.
    fn hangs(&mut self) {
        let is_managed = matches!(self.choice, Some(GatewayChoice::Managed { .. }) | None);
        let is_recent = self.last_hang.is_some_and(|at| at.elapsed() < BETWEEN_HANGS);
        if !is_managed || is_recent {
            return;
        }
        tracing::error!("the gateway hangs and is started anew");
        self.last_hang = Some(Instant::now());
        let (home, last) = (self.home.clone(), self.last.clone());
        let one_at_a_time = self.one_at_a_time.clone();
        tokio::spawn(async move {
            let _alone = one_at_a_time.lock().await;
            if let Err(error) = java::stop(&home, last).await {
                tracing::error!(error, "the hanging gateway does not end");
            }
        });
    }
}
