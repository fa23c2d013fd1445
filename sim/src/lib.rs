//! `ib-sim`: a strict, seeded, scripted stand-in for the broker's servers.
//!
//! A request travels `server` → `exchange` → (`fault`) → `api` → one family of endpoints, which
//! reads and changes the one [`state::World`](state). Orders go on to `trading`, the exchange, and are kept
//! in the `book`, whose changes the websockets' `feeds` tell. `alerts` watch the same market. `control` changes
//! the same world from behind.
//! Nothing here is shared with the programs that it tests: a shared mistake would be invisible.

mod accounts;
mod advisor;
mod alerts;
mod api;
mod bars;
mod book;
mod broker;
mod calendar;
mod classes;
mod clock;
mod control;
mod derivatives;
mod exchange;
mod fault;
mod feeds;
mod flex;
mod flow;
mod hours;
mod http;
mod instruments;
mod life;
mod login;
mod market;
mod masks;
mod oauth;
mod pacing;
mod pricing;
mod record;
mod scenario;
mod server;
mod session;
mod socket;
mod state;
mod tls;
mod trading;
mod universe;
mod value;
mod volume;
mod watchlists;

use std::net::SocketAddr;
use std::sync::Arc;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use advisor::{AdvisorSpec, GroupSpec, Listed, MemberSpec, Method};
pub use broker::Broker;
pub use flex::{FlexCall, FlexSpec, QuerySpec, QueryType};
pub use scenario::{AccountSpec, MarketHours, OrderSpec, PositionSpec, Region, Scenario, Start};
use state::{Shared, World};
pub use trading::ChaosBody;

/// How to start a simulator.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the simulated broker listens; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Where the control API listens.
    pub control: SocketAddr,
    /// Plain HTTP instead of TLS on the broker's port.
    pub http: bool,
    /// Decides all prices.
    pub seed: u64,
    /// Start logged out.
    pub require_login: bool,
    /// The world before anything happens.
    pub scenario: Scenario,
}

impl Default for Options {
    fn default() -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            listen: any,
            control: any,
            http: false,
            seed: 1,
            require_login: false,
            scenario: Scenario::default(),
        }
    }
}

/// Why a simulator did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// A port could not be opened.
    #[error("cannot listen on {0}: {1}")]
    Bind(SocketAddr, std::io::Error),
    /// No certificate could be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(String),
    /// The scenario contradicts itself.
    #[error("{0}")]
    Scenario(String),
}

/// A running simulator; it stops when dropped.
#[derive(Debug)]
pub struct Sim {
    gateway: String,
    control: String,
    tasks: Vec<JoinHandle<()>>,
}

impl Sim {
    /// Opens both ports and starts to serve.
    ///
    /// # Errors
    /// If a port cannot be opened or the scenario makes no sense.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let tls = if options.http { None } else { Some(tls::acceptor()?) };
        let mut world = World::new(options.scenario, options.seed, options.require_login)
            .map_err(StartError::Scenario)?;
        world.is_plain = options.http;
        let (broker, at) = bind(options.listen).await?;
        let (control, control_at) = bind(options.control).await?;
        let scheme = if options.http { "http" } else { "https" };
        world.origin = format!("{scheme}://{at}");
        let shared = Arc::new(Shared::new(world));
        let tasks = vec![
            tokio::spawn(server::broker(broker, tls, Arc::clone(&shared))),
            tokio::spawn(server::control(control, shared)),
        ];
        Ok(Self {
            gateway: format!("{scheme}://{at}"),
            control: format!("http://{control_at}"),
            tasks,
        })
    }

    /// Address of the simulated broker, e.g. `https://127.0.0.1:40123`.
    pub fn gateway(&self) -> &str {
        &self.gateway
    }

    /// Address of the control API.
    pub fn control(&self) -> &str {
        &self.control
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn bind(at: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let listener = TcpListener::bind(at).await.map_err(|e| StartError::Bind(at, e))?;
    let actual = listener.local_addr().map_err(|e| StartError::Bind(at, e))?;
    Ok((listener, actual))
}
