//! Root: owns the actors' lives. A daemon begins here: lock, store, socket, and the root actor, which starts the others
//! in order, restarts them by a table, and ends them in order.

mod children;
mod lock;
mod restarts;
mod successor;
mod supervisor;
mod watchdog;

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use ibd_protocol::DrainReason;
use ibd_protocol::socket::{Listener, Passed};
use ibd_protocol::stamp;
use ractor::{Actor, SpawnErr};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::alerts::AlertsHandle;
use crate::analyst::Analyst;
use crate::board::Board;
use crate::budget;
use crate::config::Config;
use crate::desks::Desks;
use crate::flex::FlexHandle;
use crate::gateway::GatewayHandle;
use crate::history::Histories;
use crate::ipc::{Roster, Shared, room};
use crate::market::MarketHandle;
use crate::orders::{Feeds, OrdersHandle, RuleBook};
use crate::post::Post;
use crate::recent::Recent;
use crate::session::SessionHandle;
use crate::session::guard::Guard;
use crate::session::login::Wish;
use crate::store::{Opened, Store, StoreError};
use crate::stream::StreamHandle;
pub use successor::Successor;
use supervisor::{Arguments, Root};

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
    /// A later build wrote what is there.
    #[error(transparent)]
    Newer(#[from] stamp::Newer),
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
    successor: Successor,
    /// Held for life; the kernel gives it back, whatever happens.
    _lock: File,
}

impl Daemon {
    /// Takes the lock, opens the store, publishes the socket or takes over the one that was passed, starts the actors.
    pub async fn begin(config: Config, passed: Option<Passed>) -> Result<Self, BeginError> {
        let most_connections =
            room::descriptors().map(room::most).map_err(BeginError::Descriptors)?;
        config.places.make()?;
        // One that a service manager listens on answers whether or not there is a daemon.
        let socket = config.places.socket();
        let of_daemon = passed.is_none().then_some(socket.as_path());
        let lock = lock::take(&config.places.daemon_lock(), of_daemon).await?;
        stamp::check(&config.places.state)?;
        // It matters to an older build only; a disk that is full has no room for it.
        if let Err(error) = stamp::put(&config.places.state) {
            tracing::warn!(%error, "the state folder could not be stamped");
        }
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
        let (orders, flex, alerts) = (Post::default(), Post::default(), Post::default());
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
                recent: Recent::new(store.clone()),
                store,
                orders: OrdersHandle::new(orders.clone(), changes, &config),
                feeds: Feeds::default(),
                rules: RuleBook::default(),
                market: MarketHandle::default(),
                histories: Histories::default(),
                analyst: Analyst::default(),
                flex: FlexHandle::new(flex.clone(), board.clone(), &config),
                alerts: AlertsHandle::new(alerts.clone()),
                board,
            },
            config: Arc::new(config),
            door,
            roster: Roster::default(),
            ending: Arc::new(watch::Sender::new(None)),
        };
        let listener =
            listen(passed, &socket).await.map_err(|e| BeginError::Io("the socket", e))?;
        let arguments = Arguments {
            listener,
            shared: shared.clone(),
            session,
            gateway,
            stream,
            orders,
            flex,
            alerts,
            sources,
            guard,
        };
        let (_, root) = Root::spawn(None, Root, arguments).await?;
        let lost = lock::lost(shared.config.places.daemon_lock(), lock::file_id(lock.metadata()));
        let ending = shared.clone();
        tokio::spawn(async move {
            lost.await;
            tracing::error!("the state folder was removed or replaced under this daemon: it ends");
            ending.end(DrainReason::Signal);
        });
        let successor = Successor::default();
        if let Ok(program) = std::env::current_exe() {
            // Ends with the runtime: a daemon that ends for another reason has no use for it.
            tokio::spawn(successor::watch(program, shared.clone(), successor.clone()));
        }
        Ok(Self { root, ending: shared.ending.clone(), shared, successor, _lock: lock })
    }

    /// The program that takes this one's place when it has ended, if there is one.
    pub fn successor(&self) -> Successor {
        self.successor.clone()
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

/// The service manager's socket if clients reach that one, else our own.
async fn listen(passed: Option<Passed>, path: &Path) -> io::Result<Listener> {
    if let Some(passed) = passed {
        if let Some(listener) = Listener::take_over(passed, path).await? {
            return Ok(listener);
        }
        tracing::warn!(
            "clients do not reach the socket of the service manager: another one is published"
        );
    }
    Listener::publish(path)
}
