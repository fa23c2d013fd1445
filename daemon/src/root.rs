//! Root: owns the actors' lives. Starts them in order, restarts them by a table, ends them in order.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ibd_protocol::DrainReason;
use ibd_protocol::socket::Listener;
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::board::Board;
use crate::budget;
use crate::config::{Config, Sources};
use crate::desks::Desks;
use crate::flex::{self, Flex, FlexHandle};
use crate::gateway::{self, Gateway, GatewayHandle, GatewayState};
use crate::history::Histories;
use crate::ipc::{self, Ipc, Roster, Shared, room};
use crate::market::{self, Market, MarketHandle};
use crate::notify;
use crate::orders::{self, Feeds, Orders, OrdersHandle, RuleBook};
use crate::post::Post;
use crate::session::guard::Guard;
use crate::session::login::Wish;
use crate::session::{self, Session, SessionHandle};
use crate::store::{Opened, Store, StoreError};
use crate::stream::{self, Stream, StreamHandle};

/// A daemon that drains is given this long to let go of the lock.
const LOCK: Duration = Duration::from_secs(25);
/// Calls under way are given this long when the daemon ends.
const DRAIN: Duration = Duration::from_secs(20);
/// First pause before a failed actor is started again; doubles with each failure in a row.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// After so long without a failure the count begins anew.
const QUIET: Duration = Duration::from_secs(600);

/// Why the daemon could not begin.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// Its settings cannot be used.
    #[error(transparent)]
    Config(crate::config::ConfigError),
    /// It may not open enough files.
    #[error("{0}")]
    Descriptors(String),
    /// Its folders cannot be used.
    #[error(transparent)]
    Places(#[from] ibd_protocol::places::PlaceError),
    /// Another one is at work.
    #[error("another ibd already runs for this profile (pid {0}); `ibctl status` shows it")]
    AlreadyRuns(String),
    /// Its store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The socket or the lock cannot be used.
    #[error("{0}: {1}")]
    Io(&'static str, std::io::Error),
    /// The actors could not be started.
    #[error("the actors could not be started: {0}")]
    Actors(#[from] SpawnErr),
}

/// A daemon at work.
#[derive(Debug)]
pub struct Daemon {
    root: JoinHandle<()>,
    ending: Arc<watch::Sender<Option<DrainReason>>>,
    shared: Shared,
    /// Held for life; the kernel gives it back, whatever happens.
    _lock: File,
}

impl Daemon {
    /// Takes the lock, opens the store, publishes the socket, starts the actors.
    pub async fn begin(config: Config) -> Result<Self, BeginError> {
        let most_connections =
            room::descriptors().map(room::most).map_err(BeginError::Descriptors)?;
        config.places.make()?;
        let lock = take_lock(&config.places.daemon_lock(), &config.places.socket()).await?;
        let (store, opened) = Store::open(&config.places.store())?;
        let board = Board::default();
        match opened {
            Opened::Sound => {}
            Opened::SetAside(path) => board.note(
                "store_set_aside",
                format!("The store could not be read and was set aside as {}.", path.display()),
                "Nothing that matters is lost; remove the folder when you like.",
            ),
            Opened::InMemory(why) => board.note(
                "store_in_memory",
                format!("The disk has no room for the store ({why}); it is kept in memory."),
                "Make room on the disk, then `ibctl restart`.",
            ),
        }
        let door = budget::door(&config.places.state, &store);
        let (session, gateway) = (Post::default(), Post::default());
        let (orders, flex) = (Post::default(), Post::default());
        let stream = Post::default();
        let changes = watch::Sender::new(0);
        let sources = config.sources().map_err(BeginError::Config)?;
        // One for all profiles: the account is the same.
        let guard = Guard::open(config.places.state.parent().unwrap_or(&config.places.state));
        let shared = Shared {
            most_connections,
            desks: Desks {
                gateway: GatewayHandle::new(
                    board.clone(),
                    gateway.clone(),
                    config.places.gateway(),
                ),
                session: SessionHandle::new(board.clone(), session.clone(), Wish::of(&config)),
                stream: StreamHandle::new(stream.clone()),
                store,
                orders: OrdersHandle::new(orders.clone(), changes, &config),
                feeds: Feeds::default(),
                rules: RuleBook::default(),
                market: MarketHandle::default(),
                histories: Histories::default(),
                flex: FlexHandle::new(flex.clone(), board.clone(), &config),
                board,
            },
            config: Arc::new(config),
            door,
            roster: Roster::default(),
            ending: Arc::new(watch::Sender::new(None)),
        };
        let path = shared.config.places.socket();
        let listener = Listener::publish(&path).map_err(|e| BeginError::Io("the socket", e))?;
        let arguments = Arguments {
            listener,
            shared: shared.clone(),
            session,
            gateway,
            stream,
            orders,
            flex,
            sources,
            guard,
        };
        let (_, root) = Root::spawn(None, Root, arguments).await?;
        let lost = lock_lost(shared.config.places.daemon_lock(), file_id(lock.metadata()));
        let ending = shared.clone();
        tokio::spawn(async move {
            lost.await;
            tracing::error!("the state folder was removed or replaced under this daemon: it ends");
            ending.end(DrainReason::Signal);
        });
        Ok(Self { root, ending: shared.ending.clone(), shared, _lock: lock })
    }

    /// What everybody shares.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Works until it is told to end; why it ended. `None`: it could not go on.
    pub async fn work(self) -> Option<DrainReason> {
        if let Err(error) = self.root.await {
            tracing::error!(%error, "the root failed");
        }
        *self.ending.borrow()
    }
}

/// The real mutual exclusion: survives stale sockets, reused pids and two runtime folders.
async fn take_lock(path: &Path, socket: &Path) -> Result<File, BeginError> {
    let io = |error| BeginError::Io("the daemon's lock", error);
    let file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(io)?;
    let deadline = tokio::time::Instant::now() + LOCK;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(std::fs::TryLockError::Error(error)) => return Err(io(error)),
            Err(std::fs::TryLockError::WouldBlock) => {}
        }
        // One that still answers its socket is at work; one that does not is going.
        let answers = ibd_protocol::socket::connect(socket).await.is_ok();
        if answers || tokio::time::Instant::now() > deadline {
            let pid = std::fs::read_to_string(path).unwrap_or_default();
            return Err(BeginError::AlreadyRuns(pid.trim().to_owned()));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let pid = std::process::id().to_string();
    file.set_len(0).map_err(io)?;
    // The lock is what counts; a disk that is full has no room for whose it is.
    if let Err(error) = std::io::Write::write_all(&mut &file, pid.as_bytes()) {
        tracing::warn!(%error, "the pid could not be written into the daemon's lock");
    }
    Ok(file)
}

/// How often it is looked whether the lock is still the file that is held.
const LOCK_LOOK: Duration = Duration::from_secs(2);

/// Ends when the file at the lock's path is not the one that is held any more: then the state folder was removed or
/// replaced, another daemon could start beside this one, and what this one writes is read by nobody.
async fn lock_lost(path: PathBuf, held: Option<FileId>) {
    let Some(held) = held else { return std::future::pending().await };
    loop {
        tokio::time::sleep(LOCK_LOOK).await;
        if file_id(std::fs::metadata(&path)) != Some(held) {
            return;
        }
    }
}

type FileId = (u64, u64);

#[cfg(unix)]
fn file_id(found: std::io::Result<std::fs::Metadata>) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    found.ok().map(|found| (found.dev(), found.ino()))
}

/// Elsewhere a file that is open cannot be removed.
#[cfg(not(unix))]
fn file_id(_: std::io::Result<std::fs::Metadata>) -> Option<FileId> {
    None
}

/// The actors that the root starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Child {
    Gateway,
    Session,
    Stream,
    Market,
    Orders,
    Flex,
    Ipc,
}

/// What a failure leads to.
#[derive(Debug, PartialEq, Eq)]
enum Reaction {
    RestartAfter(Duration),
    End,
}

/// The restart table. `failures`: in a row, this one included.
fn on_failure(child: Child, failures: u32) -> Reaction {
    match child {
        // A process is disposable.
        Child::Gateway => Reaction::RestartAfter(pause(failures)),
        // The truth is at the broker: a new actor asks for it.
        Child::Session => Reaction::RestartAfter(pause(failures)),
        // Who wants what is known besides it.
        Child::Stream => Reaction::RestartAfter(pause(failures)),
        // What is followed is kept besides it.
        Child::Market => Reaction::RestartAfter(pause(failures)),
        // A new actor reads the journal, asks the broker, and opens trading again; not for long if it goes
        // on failing, because this is money.
        Child::Orders => Reaction::RestartAfter(pause(failures)),
        // What was under way is in the store.
        Child::Flex => Reaction::RestartAfter(pause(failures)),
        // Nothing is left to supervise; the service manager, or the next shim, starts us again.
        Child::Ipc => Reaction::End,
    }
}

/// Twice within [`QUIET`]: trading stays closed until a person restarts the daemon.
fn stays_closed(failed: &[tokio::time::Instant]) -> Option<String> {
    let lately = failed.iter().filter(|at| at.elapsed() < QUIET).count();
    (lately >= 2).then(|| {
        "the part of the daemon that owns orders failed twice in ten minutes; `ibctl restart` opens it again".to_owned()
    })
}

fn pause(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(10);
    (FIRST_PAUSE * 2u32.pow(doublings)).min(LONGEST_PAUSE)
}

/// What the actor is told.
#[derive(Debug)]
enum Msg {
    Restart(Child),
    End(DrainReason),
    Drained,
    LookForUse,
}

/// What the actor is made of.
#[derive(Debug)]
struct Arguments {
    listener: Listener,
    shared: Shared,
    session: Post<session::Msg>,
    gateway: Post<gateway::Msg>,
    stream: Post<stream::Msg>,
    orders: Post<orders::Msg>,
    flex: Post<flex::Msg>,
    sources: Sources,
    guard: Guard,
}

#[derive(Debug)]
struct Root;

#[derive(Debug)]
struct State {
    shared: Shared,
    session: Post<session::Msg>,
    gateway: Post<gateway::Msg>,
    stream: Post<stream::Msg>,
    orders: Post<orders::Msg>,
    flex: Post<flex::Msg>,
    /// When the orders actor failed lately.
    orders_failed: Vec<tokio::time::Instant>,
    sources: Sources,
    guard: Guard,
    ipc: Post<ipc::Msg>,
    children: Vec<(ActorId, Child, ActorCell)>,
    failures: u32,
    last_failure: Option<tokio::time::Instant>,
    is_ending: bool,
    tasks: Vec<JoinHandle<()>>,
}

impl Actor for Root {
    type Msg = Msg;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        me: ActorRef<Msg>,
        arguments: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let Arguments { listener, shared, session, gateway, stream, orders, flex, sources, guard } =
            arguments;
        let mut state = State {
            tasks: vec![
                tokio::spawn(budget::keep_penalties(
                    shared.door.clone(),
                    shared.desks.store.clone(),
                    shared.desks.board.clone(),
                )),
                tokio::spawn(watch_ending(shared.clone(), me.clone())),
                tokio::spawn(notify::run(
                    shared.desks.board.clone(),
                    shared.config.settings.clone(),
                )),
            ],
            shared,
            session,
            gateway,
            stream,
            orders,
            flex,
            orders_failed: Vec::new(),
            sources,
            guard,
            ipc: Post::default(),
            children: Vec::new(),
            failures: 0,
            last_failure: None,
            is_ending: false,
        };
        state.start(&me, Child::Gateway).await?;
        state.start(&me, Child::Session).await?;
        state.start(&me, Child::Stream).await?;
        state.start(&me, Child::Market).await?;
        state.start(&me, Child::Orders).await?;
        state.start(&me, Child::Flex).await?;
        state.start_ipc(&me, listener).await?;
        state.look_for_use(&me);
        Ok(state)
    }

    async fn handle(
        &self,
        me: ActorRef<Msg>,
        msg: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Restart(child) => state.restart(&me, child).await,
            Msg::End(reason) => state.end(&me, reason),
            Msg::Drained => state.drained(&me).await,
            Msg::LookForUse => state.end_if_unused(),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        me: ActorRef<Msg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(cell, error) => {
                state.failed(&me, &cell, &error.to_string())
            }
            SupervisionEvent::ActorTerminated(cell, ..) if !state.is_ending => {
                state.failed(&me, &cell, "it stopped");
            }
            _ => {}
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Msg>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        for task in &state.tasks {
            task.abort();
        }
        Ok(())
    }
}

impl State {
    async fn start(&mut self, me: &ActorRef<Msg>, child: Child) -> Result<(), SpawnErr> {
        let board = self.shared.desks.board.clone();
        let cell = match child {
            Child::Gateway => {
                let earlier = board.gateway().borrow().choice.clone();
                let arguments = gateway::Arguments {
                    choice: earlier.or_else(|| self.shared.config.gateway()),
                    door: self.shared.door.clone(),
                    home: self.shared.config.places.gateway(),
                    data: self.shared.config.places.data.clone(),
                    sources: self.sources.clone(),
                    board,
                };
                let (actor, _) =
                    Gateway::spawn_linked(None, Gateway, arguments, me.get_cell()).await?;
                self.gateway.install(actor.clone());
                actor.get_cell()
            }
            Child::Session => {
                let config = &self.shared.config;
                let arguments = session::Arguments {
                    board,
                    gateway: self.shared.desks.gateway.clone(),
                    settings: config.settings.clone(),
                    wish: self.shared.desks.session.wish(),
                    guard: self.guard.clone(),
                    places: config.places.clone(),
                };
                let (actor, _) =
                    Session::spawn_linked(None, Session, arguments, me.get_cell()).await?;
                self.session.install(actor.clone());
                actor.get_cell()
            }
            Child::Stream => {
                let desks = &self.shared.desks;
                let arguments = stream::Arguments {
                    board,
                    session: desks.session.clone(),
                    handle: desks.stream.clone(),
                };
                let (actor, _) =
                    Stream::spawn_linked(None, Stream, arguments, me.get_cell()).await?;
                self.stream.install(actor.clone());
                actor.get_cell()
            }
            Child::Market => {
                let desks = &self.shared.desks;
                let arguments = market::Arguments {
                    board,
                    stream: desks.stream.clone(),
                    handle: desks.market.clone(),
                };
                let (actor, _) =
                    Market::spawn_linked(None, Market, arguments, me.get_cell()).await?;
                actor.get_cell()
            }
            Child::Orders => {
                let desks = &self.shared.desks;
                let places = &self.shared.config.places;
                let arguments = orders::Arguments {
                    board,
                    session: desks.session.clone(),
                    stream: desks.stream.clone(),
                    market: desks.market.clone(),
                    feeds: desks.feeds.clone(),
                    settings: self.shared.config.settings.clone(),
                    folder: places.state.join("journal"),
                    state: places.state.clone(),
                    above: places.shared(),
                    flags: orders::flags::Flags::of(places),
                    changes: desks.orders.changes(),
                    handle: desks.orders.clone(),
                    stay_closed: stays_closed(&self.orders_failed),
                };
                let (actor, _) =
                    Orders::spawn_linked(None, Orders, arguments, me.get_cell()).await?;
                self.orders.install(actor.clone());
                actor.get_cell()
            }
            Child::Flex => {
                let arguments = flex::Arguments {
                    board,
                    store: self.shared.desks.store.clone(),
                    folder: self.shared.config.places.state.join("flex"),
                    handle: self.shared.desks.flex.clone(),
                };
                let (actor, _) = Flex::spawn_linked(None, Flex, arguments, me.get_cell()).await?;
                self.flex.install(actor.clone());
                actor.get_cell()
            }
            // Started once, with its socket; never again.
            Child::Ipc => return Ok(()),
        };
        self.children.push((cell.get_id(), child, cell));
        Ok(())
    }

    async fn start_ipc(&mut self, me: &ActorRef<Msg>, listener: Listener) -> Result<(), SpawnErr> {
        let path = self.shared.config.places.socket();
        let arguments = ipc::Arguments { listener, path, shared: self.shared.clone() };
        let (actor, _) = Ipc::spawn_linked(None, Ipc, arguments, me.get_cell()).await?;
        self.ipc.install(actor.clone());
        self.children.push((actor.get_id(), Child::Ipc, actor.get_cell()));
        Ok(())
    }

    fn failed(&mut self, me: &ActorRef<Msg>, cell: &ActorCell, why: &str) {
        let Some(at) = self.children.iter().position(|(id, ..)| *id == cell.get_id()) else {
            return;
        };
        let (_, child, _) = self.children.remove(at);
        let is_quiet = self.last_failure.is_none_or(|at| at.elapsed() > QUIET);
        self.failures = if is_quiet { 1 } else { self.failures + 1 };
        self.last_failure = Some(tokio::time::Instant::now());
        tracing::error!(?child, why, failures = self.failures, "an actor failed");
        if child == Child::Orders {
            self.orders_failed.retain(|at| at.elapsed() < QUIET);
            self.orders_failed.push(tokio::time::Instant::now());
        }
        match on_failure(child, self.failures) {
            Reaction::RestartAfter(pause) => {
                self.shared.desks.board.note(
                    "actor_restarted",
                    format!("A part of the daemon ({child:?}) failed and is restarted: {why}."),
                    "If it comes again, look at `ibctl logs`.",
                );
                me.send_after(pause, move || Msg::Restart(child));
            }
            Reaction::End => me.stop(Some("nothing is left to supervise".to_owned())),
        }
    }

    async fn restart(&mut self, me: &ActorRef<Msg>, child: Child) {
        if let Err(error) = self.start(me, child).await {
            tracing::error!(?child, %error, "an actor could not be started again");
            me.stop(Some("an actor could not be started again".to_owned()));
        }
    }

    /// From now on no new calls; those under way are waited for.
    fn end(&mut self, me: &ActorRef<Msg>, reason: DrainReason) {
        if std::mem::replace(&mut self.is_ending, true) {
            return;
        }
        tracing::info!(?reason, "ending; calls under way are finished");
        self.ipc.send(ipc::Msg::Close);
        let (mut calls, me) = (self.shared.roster.calls(), me.clone());
        self.tasks.push(tokio::spawn(async move {
            let _ = tokio::time::timeout(DRAIN, calls.wait_for(|calls| *calls == 0)).await;
            let _ = me.cast(Msg::Drained);
        }));
    }

    /// Clients first, so that nobody asks; then the session, then the process under it. A Java gateway
    /// stays, because it holds the login; the one that was of no use to anybody goes.
    async fn drained(&mut self, me: &ActorRef<Msg>) {
        if *self.shared.ending.borrow() == Some(DrainReason::Idle)
            && let Err(error) = self.shared.desks.gateway.stop().await
        {
            tracing::error!(error, "the gateway does not end");
        }
        let order = [
            Child::Ipc,
            Child::Flex,
            Child::Orders,
            Child::Market,
            Child::Stream,
            Child::Session,
            Child::Gateway,
        ];
        for wanted in order {
            for (_, _, cell) in self.children.iter().filter(|(_, child, _)| *child == wanted) {
                if wanted == Child::Ipc {
                    // Peers write what they still have to say.
                    let _ = cell.stop_children_and_wait(None, Some(Duration::from_secs(2))).await;
                }
                let _ = cell.stop_and_wait(None, Some(Duration::from_secs(2))).await;
            }
        }
        me.stop(None);
    }

    fn look_for_use(&mut self, me: &ActorRef<Msg>) {
        if let Some(idle) = self.shared.config.idle_exit() {
            let often = (idle / 4).clamp(Duration::from_secs(1), Duration::from_secs(30));
            me.send_interval(often, || Msg::LookForUse);
        }
    }

    /// A login at a real gateway is kept alive by our tickles, so it is a use; a simulated one is not.
    fn end_if_unused(&self) {
        let Some(idle) = self.shared.config.idle_exit() else { return };
        let gateway = self.shared.desks.board.gateway().borrow().clone();
        let has_login = self.shared.desks.session.view().may_have_login();
        let is_real = gateway.mode() != ibd_protocol::GatewayMode::Simulator;
        // A statement that is being made is waited for: whoever wanted it comes back.
        let is_running = !self.shared.desks.flex.view().going.is_empty();
        let is_needed = is_running || has_login && is_real && gateway.state == GatewayState::Up;
        if !is_needed && self.shared.roster.empty_for().is_some_and(|empty| empty >= idle) {
            self.shared.end(DrainReason::Idle);
        }
    }
}

async fn watch_ending(shared: Shared, me: ActorRef<Msg>) {
    let mut ending = shared.ending.subscribe();
    let reason = ending.wait_for(Option::is_some).await.ok().and_then(|reason| *reason);
    if let Some(reason) = reason {
        let _ = me.cast(Msg::End(reason));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_restart_table() {
        let restarted = [
            Child::Gateway,
            Child::Session,
            Child::Stream,
            Child::Market,
            Child::Orders,
            Child::Flex,
        ];
        for child in restarted {
            assert_eq!(on_failure(child, 1), Reaction::RestartAfter(FIRST_PAUSE));
            assert_eq!(on_failure(child, 3), Reaction::RestartAfter(FIRST_PAUSE * 4));
            assert_eq!(on_failure(child, 99), Reaction::RestartAfter(LONGEST_PAUSE));
        }
        assert_eq!(on_failure(Child::Ipc, 1), Reaction::End);
    }
}
