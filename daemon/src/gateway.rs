//! Gateway: owns the way to IBKR. Nobody else spawns or signals a process, or makes a client.
//!
//! ```text
//!                ┌────────────── attach: nothing of ours to start ───────────────┐
//!   Unset ──choose──▶ Starting ──answers──▶ Up ──exit──▶ Down, a pause ──▶ Starting
//!                        │  ▲               │
//!          nothing there │  │ installed     │ a person: stop, logout
//!                        ▼  │               ▼
//!     NotInstalled ──a login──▶ Installing  Stopped ──a login, start──▶ Starting
//! ```

mod conf;
mod handle;
mod install;
mod java;
mod key;
mod process;
mod record;
mod simulator;
pub mod state;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ibd_cpapi::client::Address;
use ibd_cpapi::door::Door;
use ibd_cpapi::pin::Pin;
use ibd_cpapi::{Client, Failure};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::board::Board;
use crate::config::{GatewayChoice, Sources};
pub use handle::{GatewayHandle, words};
use java::{Java, NoStart};
use record::Record;
use simulator::Simulator;
pub use state::{GatewayState, GatewayView};

/// First pause before a process that ended is started again; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A process that lived this long had nothing to do with the one before it.
const HEALTHY: Duration = Duration::from_secs(300);
/// A gateway that hangs is started anew at most this often: each time costs the login.
const BETWEEN_HANGS: Duration = Duration::from_secs(600);

/// Whether an upstream is this machine: a test's simulator, and nobody else's page.
fn is_here(upstream: &str) -> bool {
    let host = upstream.split_once("://").map_or(upstream, |(_, host)| host);
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "127.0.0.1" | "localhost")
}

/// What the actor is told.
#[derive(Debug)]
pub enum Msg {
    /// Use this gateway, unless one was chosen before; answered when that is done.
    Choose(GatewayChoice, RpcReplyPort<()>),
    /// Somebody wants to log in, or says start: install and start what is missing.
    Wanted,
    /// A person wants the managed gateway ended; answered with its process, if there was one.
    Stop(RpcReplyPort<Result<Option<u32>, String>>),
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
        let Arguments { board, door, choice, home, data, sources } = arguments;
        let generation = board.gateway().borrow().generation;
        let mut state = State {
            board,
            door,
            home,
            data,
            sources,
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

    fn start(&mut self, me: &ActorRef<Msg>) {
        self.next_life();
        match self.choice.clone() {
            Some(GatewayChoice::Attach { host, port, certificate }) => {
                let pin = certificate.as_deref().map(Pin::fingerprint).unwrap_or_default();
                self.up(&Address { host, port, pin }, None);
            }
            Some(GatewayChoice::Simulator) => {
                self.starting(me, async {
                    let outcome = Simulator::start().await;
                    outcome.map(|s| Kind::Simulator(Box::new(s))).map_err(NoStart::Failed)
                });
            }
            Some(GatewayChoice::Managed { .. }) | None => {
                let setup = self.setup();
                self.starting(me, async move {
                    Java::start(&setup).await.map(|java| Kind::Java(Box::new(java)))
                });
            }
        }
    }

    fn setup(&self) -> java::Setup {
        let (home, data) = (self.home.clone(), self.data.clone());
        let upstream = match &self.choice {
            Some(GatewayChoice::Managed { upstream }) => upstream.clone(),
            _ => None,
        };
        java::Setup {
            home,
            data,
            upstream,
            is_any_adopted: !self.is_own_choice,
            one_at_a_time: self.one_at_a_time.clone(),
            door: self.door.clone(),
        }
    }

    fn starting(
        &mut self,
        me: &ActorRef<Msg>,
        start: impl Future<Output = Result<Kind, NoStart>> + Send + 'static,
    ) {
        self.publish(GatewayState::Starting);
        let (me, generation) = (me.clone(), self.generation);
        self.task = Some(tokio::spawn(async move {
            let outcome = start.await.map(Running).map_err(NoProcess);
            let _ = me.cast(Msg::Started(generation, outcome));
        }));
    }

    fn started(&mut self, me: &ActorRef<Msg>, outcome: Result<Running, NoProcess>) {
        let running = match outcome {
            Ok(Running(running)) => running,
            Err(NoProcess(NoStart::Failed(why))) => return self.ended(me, Duration::ZERO, why),
            Err(NoProcess(NoStart::NotInstalled(_))) if self.is_wanted => return self.install(me),
            Err(NoProcess(NoStart::NotInstalled(why))) => {
                return self.publish(GatewayState::NotInstalled(why));
            }
        };
        self.is_wanted = false;
        let (address, pid) = match &running {
            Kind::Simulator(simulator) => {
                let (host, port) = (simulator.host.clone(), simulator.port);
                (Address { host, port, pin: Pin::default() }, simulator.pid)
            }
            Kind::Java(java) => {
                self.last = Some(java.record.clone());
                // What runs is what there is: a client that wished for something else is told so.
                let upstream = java.record.upstream.clone();
                self.choice = self.choice.take().map(|_| GatewayChoice::Managed { upstream });
                (java.address(), Some(java.record.pid))
            }
        };
        if matches!(&running, Kind::Java(java) if !java.is_adopted) {
            tracing::info!(?pid, port = address.port, "the gateway was started");
        }
        self.up(&address, pid);
        let (me, generation) = (me.clone(), self.generation);
        self.task = Some(tokio::spawn(async move {
            let lived = Instant::now();
            let why = match running {
                Kind::Simulator(simulator) => simulator.ended().await,
                Kind::Java(java) => java.ended().await,
            };
            let _ = me.cast(Msg::Ended(generation, lived.elapsed(), why));
        }));
    }

    fn install(&mut self, me: &ActorRef<Msg>) {
        self.next_life();
        self.publish(GatewayState::Installing("Installing IBKR's gateway.".to_owned()));
        let (me, generation) = (me.clone(), self.generation);
        let (data, sources) = (self.data.clone(), self.sources.clone());
        self.task = Some(tokio::spawn(async move {
            let tell = {
                let me = me.clone();
                move |how_far| {
                    let _ = me.cast(Msg::Installing(generation, how_far));
                }
            };
            let outcome = match ibd_protocol::files::why_foreign(&data) {
                Some(why) => Err(format!("{why}; nothing is installed there")),
                None => install::install(&data, &sources, tell).await,
            };
            let _ = me.cast(Msg::Installed(generation, outcome));
        }));
    }

    fn installed(&mut self, me: &ActorRef<Msg>, outcome: Result<(), String>) {
        // Whatever is missing now will not come by installing once more.
        self.is_wanted = false;
        match outcome {
            Ok(()) => self.start(me),
            Err(why) => {
                tracing::warn!(why, "the gateway could not be installed");
                self.publish(GatewayState::NotInstalled(why));
            }
        }
    }

    fn ended(&mut self, me: &ActorRef<Msg>, lived: Duration, why: String) {
        tracing::warn!(why, ?lived, "the gateway's process ended");
        self.publish(GatewayState::Down(why));
        self.pause = if lived >= HEALTHY { FIRST_PAUSE } else { self.pause };
        let pause = self.pause.mul_f64(crate::jitter::quarter());
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        let (me, generation) = (me.clone(), self.generation);
        self.task = Some(tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            let _ = me.cast(Msg::Cooled(generation));
        }));
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

    fn up(&mut self, address: &Address, pid: Option<u32>) {
        match Client::new(address, self.door.clone()) {
            Ok(client) => {
                let view = GatewayView {
                    pid,
                    address: Some(address.url()),
                    pin: address.pin.clone(),
                    client: Some(client),
                    ..self.view(GatewayState::Up)
                };
                self.board.gateway().send_replace(view);
            }
            Err(Failure::Unreachable(why)) => self.publish(GatewayState::Down(why.to_string())),
            Err(other) => self.publish(GatewayState::Down(other.to_string())),
        }
    }

    /// From now on nothing counts that is still under way.
    fn next_life(&mut self) {
        self.generation += 1;
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }

    fn publish(&mut self, state: GatewayState) {
        self.board.gateway().send_replace(self.view(state));
    }

    fn view(&self, state: GatewayState) -> GatewayView {
        GatewayView {
            choice: self.choice.clone(),
            state,
            generation: self.generation,
            is_upstream_of_a_client: !self.is_own_choice
                && matches!(&self.choice, Some(GatewayChoice::Managed { upstream: Some(upstream) })
                    if !is_here(upstream)),
            ..GatewayView::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_here;

    #[test]
    fn only_this_machine_is_here() {
        assert!(is_here("http://127.0.0.1:7001") && is_here("http://localhost:7001"));
        for other in
            ["https://api.ibkr.com", "http://127.0.0.1.example.com:80", "http://10.0.0.1:7001"]
        {
            assert!(!is_here(other), "{other}");
        }
    }
}
