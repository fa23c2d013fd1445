//! Following a resource: a task of the client's connection, which tells whenever it may say something else.
//!
//! What is followed is seen through channels that hold the last state only, and is looked at again when the client
//! has taken what it was told before: however much happens, nothing gathers.

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{Duration, Instant};

use crate::desks::Desks;
use crate::gateway::GatewayView;
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::session::{Lease, SessionView};

/// After what was pushed, lists that are read at once may be from before: it is told once more so much later.
pub(super) const LATER: Duration = Duration::from_secs(6);

/// What tells nothing by itself may be looked at again so often.
pub(super) const LOOK: Duration = Duration::from_secs(60);

/// A task that follows, until it is dropped.
pub type Following = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tells the client that it may say something else than before. What it gives is ready when that may be told again.
pub type Tell = Arc<dyn Fn() -> Following + Send + Sync>;

/// What came of looking whether there is what an address names. `Err`: there is not.
pub type Looked = Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>>;

/// What looking whether there is a resource needs.
pub struct Looking {
    /// What it may ask.
    pub desks: Desks,
    /// What its client may do.
    pub policy: Arc<Policy>,
    /// What stands for the address's variable.
    pub value: String,
}

impl Looking {
    /// The session, if one serves this client.
    pub(super) fn lease(&self) -> Option<Lease> {
        let gateway = self.desks.board.gateway().borrow().clone();
        served_by(&self.desks.session.view(), &gateway, &self.policy)
    }
}

/// What following a resource needs.
pub struct Follow {
    /// What it may ask.
    pub desks: Desks,
    /// What its client may do.
    pub policy: Arc<Policy>,
    /// What stands for the address's variable.
    pub value: String,
    /// Tells the client.
    pub tell: Tell,
}

impl Follow {
    /// Tells the client; returns when it may be told again.
    pub(super) async fn tell(&self) {
        (self.tell)().await;
    }

    /// The session, as far as it serves this client.
    pub(super) fn served(&self) -> Served {
        let mut served = Served {
            views: self.desks.board.session().subscribe(),
            gateways: self.desks.board.gateway().subscribe(),
            policy: self.policy.clone(),
            epoch: None,
        };
        served.epoch = served.now();
        served
    }
}

/// Which session serves a client. A client that it does not serve is told of nothing but that.
#[derive(Debug)]
pub(super) struct Served {
    views: watch::Receiver<SessionView>,
    gateways: watch::Receiver<GatewayView>,
    policy: Arc<Policy>,
    epoch: Option<u64>,
}

impl Served {
    /// Whether one does.
    pub(super) fn is_served(&self) -> bool {
        self.epoch.is_some()
    }

    /// Until another one does, or none any more.
    pub(super) async fn changed(&mut self) {
        loop {
            if self.views.changed().await.is_err() {
                // The daemon is going.
                std::future::pending::<()>().await;
            }
            let now = self.now();
            if now != self.epoch {
                self.epoch = now;
                return;
            }
        }
    }

    fn now(&self) -> Option<u64> {
        let lease = served_by(&self.views.borrow(), &self.gateways.borrow(), &self.policy)?;
        Some(lease.epoch())
    }
}

/// The session that serves a client, if it does.
fn served_by(view: &SessionView, gateway: &GatewayView, policy: &Policy) -> Option<Lease> {
    let lease = view.lease.clone()?;
    let is_admitted =
        policy.admits_gateway(gateway).is_ok() && policy.admits_login(lease.facts()).is_ok();
    is_admitted.then_some(lease)
}

/// Until then; for ever if there is no such time.
pub(super) async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}
