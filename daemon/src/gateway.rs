//! Gateway: owns the way to IBKR. Nobody else spawns or signals a process, or makes a client.
//!
//! ```text
//!                ┌────────────── attach: nothing of ours to start ───────────────┐
//!   Unset ──choose──▶ Down ──▶ Starting ──ready line──▶ Up ──exit──▶ Cooling ──▶ Starting
//!                └── managed: NotInstalled
//! ```

mod process;

use std::sync::Arc;
use std::time::Duration;

use ibd_cpapi::client::Address;
use ibd_cpapi::door::Door;
use ibd_cpapi::pin::Pin;
use ibd_cpapi::{Client, Failure};
use ibd_protocol::GatewayMode;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::task::JoinHandle;

use crate::board::Board;
use crate::config::GatewayChoice;
use process::Simulator;

/// First pause before a process that ended is started again; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A process that lived this long had nothing to do with the one before it.
const HEALTHY: Duration = Duration::from_secs(300);

/// What others may know about the gateway.
#[derive(Debug, Clone, Default)]
pub struct GatewayView {
    /// Which one, once somebody has said.
    pub choice: Option<GatewayChoice>,
    /// How it is.
    pub state: GatewayState,
    /// Its process, if it is ours.
    pub pid: Option<u32>,
    /// Where it answers.
    pub address: Option<String>,
    /// The door to it, while it is up.
    pub client: Option<Client>,
    /// Grows whenever another gateway, or another life of it, takes over.
    pub generation: u64,
}

/// How the gateway is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum GatewayState {
    /// Nobody has said which one, or a managed one that is not there.
    #[default]
    NotInstalled,
    /// Its process is coming up.
    Starting,
    /// It can be asked.
    Up,
    /// It is not there, and why.
    Down(String),
}

impl GatewayState {
    /// In snake_case.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NotInstalled => "not_installed",
            Self::Starting => "starting",
            Self::Up => "up",
            Self::Down(_) => "down",
        }
    }
}

impl GatewayView {
    /// Which arrangement; managed unless somebody chose another.
    pub fn mode(&self) -> GatewayMode {
        self.choice.as_ref().map_or(GatewayMode::Managed, GatewayChoice::mode)
    }
}

/// What the actor is told.
#[derive(Debug)]
pub enum Msg {
    /// Use this gateway, unless one was chosen before; answered when that is done.
    Choose(GatewayChoice, RpcReplyPort<()>),
    /// The process is ready, or could not be started.
    Started(u64, Result<Box<Simulator>, String>),
    /// The process ended: after how long, and why.
    Ended(u64, Duration, String),
    /// The pause after an end is over.
    Cooled(u64),
}

/// What the actor is made of.
#[derive(Debug)]
pub struct Arguments {
    /// Where it writes its view.
    pub board: Board,
    /// The budget that every client it makes shares.
    pub door: Arc<Door>,
    /// The choice of an earlier life or of the configuration.
    pub choice: Option<GatewayChoice>,
}

/// The actor.
#[derive(Debug)]
pub struct Gateway;

/// What the actor keeps.
#[derive(Debug)]
pub struct State {
    board: Board,
    door: Arc<Door>,
    choice: Option<GatewayChoice>,
    generation: u64,
    pause: Duration,
    task: Option<JoinHandle<()>>,
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
        let Arguments { board, door, choice } = arguments;
        let generation = board.gateway().borrow().generation;
        let mut state =
            State { board, door, choice: None, generation, pause: FIRST_PAUSE, task: None };
        if let Some(choice) = choice {
            state.choose(&me, choice);
        }
        Ok(state)
    }

    async fn handle(
        &self,
        me: ActorRef<Msg>,
        msg: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Choose(choice, reply) => {
                state.choose(&me, choice);
                let _ = reply.send(());
            }
            Msg::Started(generation, outcome) if generation == state.generation => {
                state.started(&me, outcome);
            }
            Msg::Ended(generation, lived, why) if generation == state.generation => {
                state.ended(&me, lived, why);
            }
            Msg::Cooled(generation) if generation == state.generation => state.start(&me),
            Msg::Started(..) | Msg::Ended(..) | Msg::Cooled(_) => {}
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Msg>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        // Dropping the task drops the process, which ends when its stdin closes.
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
        self.choice = Some(choice);
        self.start(me);
    }

    fn start(&mut self, me: &ActorRef<Msg>) {
        self.generation += 1;
        match self.choice.clone() {
            Some(GatewayChoice::Attach { host, port }) => {
                self.up(Address { host, port, pin: Pin::default() }, None);
            }
            Some(GatewayChoice::Simulator) => self.start_simulator(me),
            Some(GatewayChoice::Managed) | None => self.publish(GatewayState::NotInstalled),
        }
    }

    fn start_simulator(&mut self, me: &ActorRef<Msg>) {
        self.publish(GatewayState::Starting);
        let (me, generation) = (me.clone(), self.generation);
        self.task = Some(tokio::spawn(async move {
            let outcome = process::start_simulator().await.map(Box::new);
            let _ = me.cast(Msg::Started(generation, outcome));
        }));
    }

    fn started(&mut self, me: &ActorRef<Msg>, outcome: Result<Box<Simulator>, String>) {
        let simulator = match outcome {
            Ok(simulator) => simulator,
            Err(why) => return self.ended(me, Duration::ZERO, why),
        };
        let address =
            Address { host: simulator.host.clone(), port: simulator.port, pin: Pin::default() };
        self.up(address, simulator.pid);
        let (me, generation) = (me.clone(), self.generation);
        self.task = Some(tokio::spawn(async move {
            let lived = tokio::time::Instant::now();
            let why = simulator.ended().await;
            let _ = me.cast(Msg::Ended(generation, lived.elapsed(), why));
        }));
    }

    fn ended(&mut self, me: &ActorRef<Msg>, lived: Duration, why: String) {
        tracing::warn!(why, ?lived, "the gateway's process ended");
        self.publish(GatewayState::Down(why));
        let pause = if lived >= HEALTHY { FIRST_PAUSE } else { self.pause };
        self.pause = (pause * 2).min(LONGEST_PAUSE);
        let (me, generation) = (me.clone(), self.generation);
        self.task = Some(tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            let _ = me.cast(Msg::Cooled(generation));
        }));
    }

    fn up(&mut self, address: Address, pid: Option<u32>) {
        match Client::new(&address, self.door.clone()) {
            Ok(client) => {
                let view = self.view(GatewayState::Up);
                let view =
                    GatewayView { pid, address: Some(address.url()), client: Some(client), ..view };
                self.board.gateway().send_replace(view);
            }
            Err(Failure::Unreachable(why)) => self.publish(GatewayState::Down(why)),
            Err(other) => self.publish(GatewayState::Down(other.to_string())),
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
            ..GatewayView::default()
        }
    }
}
