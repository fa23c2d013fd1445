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
use crate::session::SessionView;

/// After what was pushed, lists that are read at once may be from before: it is told once more so much later.
pub(super) const LATER: Duration = Duration::from_secs(6);

/// What tells nothing by itself may be looked at again so often.
pub(super) const LOOK: Duration = Duration::from_secs(60);

/// A task that follows, until it is dropped.
pub type Following = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tells the client that it may say something else than before. What it gives is ready when that may be told again.
pub type Tell = Arc<dyn Fn() -> Following + Send + Sync>;

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
        let lease = self.views.borrow().lease.clone()?;
        let is_admitted = self.policy.admits_gateway(&self.gateways.borrow()).is_ok()
            && self.policy.admits_login(lease.facts()).is_ok();
        is_admitted.then(|| lease.epoch())
    }
}

/// Until then; for ever if there is no such time.
pub(super) async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}
