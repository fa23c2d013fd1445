//! Which underlyings were searched for in a brokerage session: without that IBKR gives no strikes for them, and no
//! quotes of what is written on them.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ibd_cpapi::Failure;
use ibd_cpapi::contracts::Search;
use tokio::time::Instant;

use crate::session::Lease;

/// Underlyings by session and symbol. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Underlyings(Arc<Mutex<HashSet<(u64, String)>>>);

impl Underlyings {
    /// Searches for those that were not yet.
    pub async fn prepare(
        &self,
        lease: &Lease,
        symbols: impl IntoIterator<Item = String>,
        deadline: Instant,
    ) -> Result<(), Failure> {
        for symbol in symbols {
            let key = (lease.epoch(), symbol);
            if self.lock().contains(&key) {
                continue;
            }
            let search = Search { text: key.1.clone(), by_name: false };
            match lease.client().ask(&search, deadline).await {
                // What it does not find has no derivatives.
                Ok(_) | Err(Failure::Refused { .. }) => {}
                Err(failure) => return Err(failure),
            }
            let mut known = self.lock();
            known.retain(|(epoch, _)| *epoch == key.0);
            known.insert(key);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<(u64, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
