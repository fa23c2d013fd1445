//! Ipc: owns the socket. Greets whoever connects and gives each connection an actor of its own.

mod peer;
mod person;
pub mod room;
mod roster;

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ibd_cpapi::door::Door;
use ibd_protocol::socket::{Listener, Stream};
use ibd_protocol::version::{Greeting, HELLO_LEN, Hello, PROTOCOL, Role, build, is_newer};
use ibd_protocol::{Budgets, DrainReason, Status};
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::timeout;

use crate::config::Config;
use crate::desks::Desks;
use peer::Peer;
use room::{Activity, Room};
pub use roster::Roster;

/// Whoever connects says hello within this time.
const HELLO: Duration = Duration::from_secs(2);
/// Connections that may be greeted at one time. Whoever means it says hello at once, so of more than these the one
/// that has been silent for longest goes: nobody can keep others out by saying nothing.
const GREETING: usize = 64;
/// Cleaners of temporary folders remove sockets; that is looked for this often.
const LOOK_AT_SOCKET: Duration = Duration::from_secs(30);

/// What every connection shares.
#[derive(Debug, Clone)]
pub struct Shared {
    /// What the daemon was told.
    pub config: Arc<Config>,
    /// What tools may ask.
    pub desks: Desks,
    /// The pacing budget.
    pub door: Arc<Door>,
    /// Who is connected.
    pub roster: Roster,
    /// Connections that there may be at one time.
    pub most_connections: usize,
    /// Set once: the daemon is going, and why.
    pub ending: Arc<watch::Sender<Option<DrainReason>>>,
}

impl Shared {
    /// Everything, as `ibctl status` shows it.
    pub fn status(&self) -> Status {
        let load = self.door.load();
        let budgets = Budgets {
            per_second: self.door.limits().per_second as u32,
            in_flight: load.in_flight as u32,
            queued: load.queued as u32,
            penalty_until: load.penalty_until.map(|until| until.to_string()),
        };
        self.desks.board.status(budgets, self.roster.clients())
    }

    /// Asks the root to end the daemon. The first reason stays.
    pub fn end(&self, reason: DrainReason) {
        self.ending.send_if_modified(|ending| {
            let is_first = ending.is_none();
            ending.get_or_insert(reason);
            is_first
        });
    }
}

/// What the actor is told.
#[derive(Debug)]
pub enum Msg {
    /// Somebody said hello in our protocol.
    Greeted(Box<Stream>, Role),
    /// No more clients: whoever comes now shall start the next daemon.
    Close,
    /// Time to see whether the socket is still where clients look for it.
    LookAtSocket,
}

/// What the actor is made of.
#[derive(Debug)]
pub struct Arguments {
    /// The published socket.
    pub listener: Listener,
    /// Its path.
    pub path: PathBuf,
    /// What every connection shares.
    pub shared: Shared,
}

/// The actor.
#[derive(Debug)]
pub struct Ipc;

/// What the actor keeps.
#[derive(Debug)]
pub struct State {
    listener: Arc<Listener>,
    path: PathBuf,
    shared: Shared,
    connected: Vec<(ActorRef<peer::Msg>, Activity)>,
    accepting: JoinHandle<()>,
    looking: JoinHandle<()>,
}

impl Actor for Ipc {
    type Msg = Msg;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        me: ActorRef<Msg>,
        arguments: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let Arguments { listener, path, shared } = arguments;
        let listener = Arc::new(listener);
        let accepting = tokio::spawn(accept(listener.clone(), shared.clone(), me.clone()));
        let looking = me.send_interval(LOOK_AT_SOCKET, || Msg::LookAtSocket);
        Ok(State { listener, path, shared, connected: Vec::new(), accepting, looking })
    }

    async fn handle(
        &self,
        me: ActorRef<Msg>,
        msg: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Greeted(stream, role) => state.greeted(&me, *stream, role).await,
            Msg::Close => state.close(),
            Msg::LookAtSocket => state.look_at_socket(&me),
        }
        Ok(())
    }

    /// A connection's end, and even its failure, is nobody else's business.
    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Msg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorFailed(gone, _)
        | SupervisionEvent::ActorTerminated(gone, ..) = &event
        {
            state.connected.retain(|(peer, _)| peer.get_id() != gone.get_id());
        }
        if let SupervisionEvent::ActorFailed(_, error) = event {
            tracing::error!(%error, "a connection failed");
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Msg>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.accepting.abort();
        state.looking.abort();
        state.listener.unpublish();
        Ok(())
    }
}

impl State {
    async fn greeted(&mut self, me: &ActorRef<Msg>, stream: Stream, role: Role) {
        match room::room(
            self.connected.iter().map(|(_, activity)| activity),
            self.shared.most_connections,
        ) {
            Room::Free => {}
            Room::InPlaceOf(at) => {
                tracing::warn!(
                    most = self.shared.most_connections,
                    "a connection that was idle makes room"
                );
                let (idle, _) = self.connected.swap_remove(at);
                idle.stop(None);
            }
            Room::Full => {
                return tracing::warn!(
                    most = self.shared.most_connections,
                    "no room for one more connection"
                );
            }
        }
        let activity = Activity::default();
        let shared = self.shared.clone();
        let arguments = peer::Arguments { stream, role, shared, activity: activity.clone() };
        match Peer::spawn_linked(None, Peer, arguments, me.get_cell()).await {
            Ok((peer, _)) => self.connected.push((peer, activity)),
            Err(error) => tracing::error!(%error, "a connection could not be served"),
        }
    }

    fn close(&mut self) {
        self.accepting.abort();
        self.listener.unpublish();
    }

    fn look_at_socket(&mut self, me: &ActorRef<Msg>) {
        let is_ending = self.shared.ending.borrow().is_some();
        if is_ending || self.listener.is_published() {
            return;
        }
        if !self.shared.config.places.state.exists() {
            // Nobody can find it any more, and nothing that it keeps is kept.
            tracing::error!("the state folder is gone; ending");
            return self.shared.end(DrainReason::Idle);
        }
        match Listener::publish(&self.path) {
            Ok(listener) => {
                tracing::warn!("the socket had vanished and was published again");
                self.listener = Arc::new(listener);
                self.accepting.abort();
                let (listener, shared) = (self.listener.clone(), self.shared.clone());
                self.accepting = tokio::spawn(accept(listener, shared, me.clone()));
            }
            Err(error) => {
                tracing::error!(%error, "the socket has vanished and cannot be published")
            }
        }
    }
}

async fn accept(listener: Arc<Listener>, shared: Shared, me: ActorRef<Msg>) {
    let mut greeted: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        match listener.accept().await {
            Ok(stream) => {
                greeted.retain(|one| !one.is_finished());
                if greeted.len() >= GREETING
                    && let Some(longest) = greeted.pop_front()
                {
                    longest.abort();
                }
                let (me, shared) = (me.clone(), shared.clone());
                // Ends by itself within HELLO.
                let one = tokio::spawn(async move {
                    match timeout(HELLO, greet(stream)).await {
                        Ok(Ok(Greeted::Stays(stream, role))) => {
                            let _ = me.cast(Msg::Greeted(stream, role));
                        }
                        Ok(Ok(Greeted::TakesOver)) => shared.end(DrainReason::Upgrade),
                        _ => {}
                    }
                });
                greeted.push_back(one.abort_handle());
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// What a hello came to.
enum Greeted {
    /// A client of ours.
    Stays(Box<Stream>, Role),
    /// A newer build that wants to run in our place.
    TakesOver,
}

/// Reads a hello and answers it. Garbage is answered with nothing.
async fn greet(stream: Stream) -> io::Result<Greeted> {
    let mut bytes = [0; HELLO_LEN];
    (&stream).read_exact(&mut bytes).await?;
    let hello = Hello::from_bytes(&bytes)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    let build = build().to_owned();
    let is_successor = hello.role == Role::Successor;
    let reason = match () {
        () if is_successor && !is_newer(&hello.build, &build) => Some(no_newer(&hello)),
        () if !is_successor && hello.protocol != PROTOCOL => Some(other_protocol(&hello)),
        () => None,
    };
    if let Some(reason) = reason {
        let refused = Greeting::Refused { protocol: PROTOCOL, build, reason };
        (&stream).write_all(&refused.to_bytes()).await?;
        return Err(io::ErrorKind::Unsupported.into());
    }
    let welcome = Greeting::Welcome { protocol: PROTOCOL, build, pid: std::process::id() };
    (&stream).write_all(&welcome.to_bytes()).await?;
    Ok(if is_successor { Greeted::TakesOver } else { Greeted::Stays(Box::new(stream), hello.role) })
}

fn no_newer(hello: &Hello) -> String {
    format!(
        "build {} is not newer than this daemon, which is build {}: `ibctl restart` changes to it all the same",
        hello.build,
        build()
    )
}

fn other_protocol(hello: &Hello) -> String {
    let (old, fix) = if hello.protocol < PROTOCOL {
        (
            "the client",
            "restart the client, whose ib-mcp runs since before an upgrade, or update its ib-mcp or ibctl",
        )
    } else {
        ("the daemon", "update ibd, then `ibctl restart`")
    };
    format!(
        "the client is build {} with protocol {}, this daemon is build {} with protocol {PROTOCOL}; \
         {old} is older: {fix}",
        hello.build,
        hello.protocol,
        build()
    )
}
