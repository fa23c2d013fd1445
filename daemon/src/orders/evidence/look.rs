//! One look at the broker: how thorough it is, and what it reads.

use ibd_cpapi::id::{AccountId, OrderId};
use ibd_cpapi::{Failure, faults};
use tokio::time::Instant;

use super::Evidence;
use crate::orders::intent::Through;
use crate::orders::lateness;
use crate::orders::list::Feeds;
use crate::orders::page::Page;
use crate::session::Lease;

/// Single orders of one look.
const ASKED: usize = 3;
/// Trades of so many days.
const DAYS: u8 = 7;

/// How thoroughly to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// One list: news of what is known to be there.
    Glance,
    /// Twice everything: only then does an absence mean something.
    Thorough,
}

/// What to look at.
#[derive(Debug, Clone)]
pub struct Look {
    /// Whose orders.
    pub accounts: Vec<AccountId>,
    /// How thoroughly.
    pub care: Care,
    /// Orders that the lists have not had for long: asked for one by one, by a thorough look.
    pub missing: Vec<(AccountId, OrderId)>,
    /// Through which gateway and login.
    pub through: Option<Through>,
}

/// Looks.
pub async fn gather(
    lease: &Lease,
    feeds: &Feeds,
    look: &Look,
    deadline: Instant,
) -> Result<Evidence, Failure> {
    let mut evidence = Evidence::begin(lease.epoch(), look.through.clone());
    let is_thorough = look.care == Care::Thorough;
    let rounds = if is_thorough { 2 } else { 1 };
    for round in 0..rounds {
        if round > 0 {
            tokio::time::sleep(faults::scaled(lateness::LIST)).await;
        }
        // Later rows replace earlier ones.
        (evidence.listed_at, evidence.is_whole) = (None, true);
        for account in &look.accounts {
            let list = if is_thorough {
                feeds.list_anew(lease, account, deadline).await?
            } else {
                feeds.list(lease, account, deadline).await?
            };
            evidence.listed_at = Some(evidence.listed_at.map_or(list.at, |at| at.min(list.at)));
            evidence.is_whole &= list.value.orders.is_whole();
            evidence.add_rows(list.value.orders.into_rows());
            if is_thorough {
                let fills = feeds.trades_anew(lease, account, DAYS, deadline).await?.value;
                evidence.is_whole &= fills.is_whole();
                evidence.add_fills(fills.into_rows());
            }
        }
    }
    for (account, order_id) in look.missing.iter().take(ASKED).filter(|_| is_thorough) {
        let patience = deadline.min(Instant::now() + faults::patience(lateness::PAGE_ANSWER));
        match feeds.page(lease, account, *order_id, patience).await {
            Ok(Some(answer)) => evidence.pages.push(Page::of(&answer.value)),
            Ok(None) => evidence.absent.push(*order_id),
            // What the lists said counts all the same; this one is asked for by the next look.
            Err(failure) => tracing::info!(%failure, %order_id, "an order could not be asked for"),
        }
    }
    evidence.accounts = look.accounts.clone();
    evidence.is_complete = is_thorough && evidence.is_whole;
    Ok(evidence)
}
