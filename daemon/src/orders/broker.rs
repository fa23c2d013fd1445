//! The broker as the order desk sees it: the session that is there now, and what is shared by all who read orders.

use ibd_cpapi::orders::{Ambiguity, OrderAnswer};

use super::intent::{Intent, Through};
use super::list::Feeds;
use crate::board::Board;
use crate::config::GatewayChoice;
use crate::market::MarketHandle;
use crate::session::{Lease, SessionHandle};
use crate::stream::StreamHandle;

/// Through what orders go.
#[derive(Debug)]
pub(super) struct Broker {
    /// Where it says which gateway it is.
    pub(super) board: Board,
    /// Who gives leases.
    pub(super) session: SessionHandle,
    /// What the broker tells by itself.
    pub(super) stream: StreamHandle,
    /// The lines of market data.
    pub(super) market: MarketHandle,
    /// Which lists are warm.
    pub(super) feeds: Feeds,
    /// The lease as last seen.
    pub(super) ready: Option<Lease>,
}

impl Broker {
    /// Through which gateway and login this daemon works now.
    pub(super) fn through(&self) -> Option<Through> {
        let lease = self.ready.as_ref()?;
        let gateway = self.board.gateway().borrow().choice.clone()?;
        let gateway = match gateway {
            // Another start, or another address, is another world.
            GatewayChoice::Simulator | GatewayChoice::Direct => {
                format!("{gateway} at {}", lease.client().url())
            }
            _ => gateway.to_string(),
        };
        Some(Through { gateway, login: lease.facts().username.clone() })
    }

    /// Whether what became of an intent can be found out through the login that is there now. Without one it
    /// may be.
    pub(super) fn is_here(&self, intent: &Intent) -> bool {
        let Some(lease) = &self.ready else { return true };
        let is_account = lease.facts().accounts.contains(&intent.account);
        let is_way = match (self.through(), &intent.through) {
            (Some(now), Some(sent)) => now.may_be(sent),
            _ => true,
        };
        is_account && is_way
    }

    /// An answer that says that the session is gone is news for whoever owns it.
    pub(super) fn doubt(&self, lease: &Lease, answer: &OrderAnswer) {
        let is_doubtful = matches!(
            answer,
            OrderAnswer::Ambiguous(
                Ambiguity::NotLoggedIn
                    | Ambiguity::NoBrokerage
                    | Ambiguity::Wire(_)
                    | Ambiguity::Trouble { .. }
            ) | OrderAnswer::NotSent(_)
        );
        if is_doubtful {
            self.session.suspect(lease);
        }
    }
}
