//! The desks: what a tool may ask, as handles. No actor's mailbox is visible from here.

use std::sync::{Arc, Mutex, PoisonError};

use ibd_cpapi::Failure;
use ractor::{ActorRef, Message};
use tokio::time::Instant;

use crate::board::Board;
use crate::market::Underlyings;
use crate::orders::Feeds;
use crate::refusal::Refusal;
use crate::session::{Lease, SessionHandle};
use crate::store::Store;

/// The address of an actor that survives the actor's restarts. Mail to nobody is lost, as it would
/// be to an actor that is being restarted.
#[derive(Debug)]
pub struct Post<M>(Arc<Mutex<Option<ActorRef<M>>>>);

impl<M> Clone for Post<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M> Default for Post<M> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<M: Message> Post<M> {
    /// From now on mail goes to `actor`.
    pub fn install(&self, actor: ActorRef<M>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(actor);
    }

    /// Sends, without waiting.
    pub fn send(&self, message: M) {
        let to = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(actor) = to {
            let _ = actor.cast(message);
        }
    }
}

/// Everything a tool may ask.
#[derive(Debug, Clone)]
pub struct Desks {
    /// The login.
    pub session: SessionHandle,
    /// What is remembered.
    pub store: Store,
    /// Which orders feeds are warm.
    pub feeds: Feeds,
    /// Which underlyings were searched for.
    pub underlyings: Underlyings,
    /// How everything is.
    pub board: Board,
}

impl Desks {
    /// Does a read under a lease. If it fails in a way that casts doubt on the session, the session
    /// is looked at, and the read is done once more under the next lease.
    pub async fn read<T, F, R>(&self, deadline: Instant, read: F) -> Result<T, Refusal>
    where
        F: Fn(Lease) -> R,
        R: Future<Output = Result<T, Failure>>,
    {
        let lease = self.session.lease(deadline).await?;
        match read(lease.clone()).await {
            Ok(value) => Ok(value),
            Err(failure) if casts_doubt(&failure) => {
                self.session.doubt(&lease, &failure, deadline).await;
                let lease = self.session.lease(deadline).await?;
                Ok(read(lease).await?)
            }
            Err(failure) => Err(failure.into()),
        }
    }
}

/// Whether a failure may mean that the session is not what it was.
fn casts_doubt(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::NotLoggedIn
            | Failure::NoBrokerage(_)
            | Failure::NotPrimed
            | Failure::Unreachable(_)
            | Failure::Broke
            | Failure::Trouble { .. }
    )
}
