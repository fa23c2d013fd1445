//! The desks: what a tool may ask, as handles. No actor's mailbox is visible from here.

use ibd_cpapi::Failure;
use tokio::time::Instant;

use crate::board::Board;
use crate::market::Underlyings;
use crate::orders::Feeds;
use crate::refusal::Refusal;
use crate::session::{Lease, SessionHandle};
use crate::store::Store;

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
