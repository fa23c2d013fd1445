//! What IBKR pushes of orders, and which of it says enough to be believed.

use ibd_cpapi::orders::{Meaning, OrderRow, Stage};
use ibd_cpapi::trades::Execution;
use ractor::ActorRef;

use crate::orders::asked::Size;
use crate::orders::evidence::Evidence;
use crate::orders::intent::{Intent, IntentId};
use crate::orders::{Msg, State};

impl State {
    /// What IBKR pushed is as good as what a look shows; what it leaves out means nothing.
    pub(in crate::orders) async fn pushed(
        &mut self,
        me: &ActorRef<Msg>,
        rows: Vec<OrderRow>,
        fills: Vec<Execution>,
    ) {
        // One execution does not say how much of its order is filled: that is asked.
        for fill in &fills {
            let ours = fill.order_ref.as_deref().and_then(IntentId::of_client_order_id);
            let known = fill.order_id.filter(|order| self.ledger.book.by_order(*order).is_some());
            match (known, ours.and_then(|id| self.ledger.book.get(id))) {
                (Some(order), _) => self.expect_now(me, order),
                (None, Some(_)) => self.watch.wants_look = true,
                (None, None) => {}
            }
        }
        // An end is final only where the push says enough; every order begins as Inactive, and a dead one is so
        // too. Which it is, its page says.
        let is_asked = |row: &OrderRow| {
            let Some(intent) = self.of_row(row).and_then(|id| self.ledger.book.get(id)) else {
                return false;
            };
            let meaning = row.status.as_ref().map(Stage::meaning);
            match meaning {
                Some(Meaning::Held | Meaning::Unknown) => true,
                Some(Meaning::Filled | Meaning::Ended) => !says_whole(row, intent),
                _ => false,
            }
        };
        let (asked, told): (Vec<OrderRow>, Vec<OrderRow>) = rows.into_iter().partition(is_asked);
        for row in asked {
            if self.ledger.book.by_order(row.order_id).is_some() {
                self.expect_now(me, row.order_id)
            } else {
                self.watch.wants_look = true
            }
        }
        // A mark that says nothing but that there is an order is no news of how it stands.
        let is_news = |row: &OrderRow| row.status.is_some() || row.filled.is_some();
        let rows = told.into_iter().filter(is_news).collect();
        self.sighted(me, Evidence { rows, ..Evidence::begin(0, None) }).await;
    }
}

/// Whether a push about the end of an order says all that makes it believed: of the account and contract, all
/// of it filled, or how much of it was when it ended.
fn says_whole(row: &OrderRow, intent: &Intent) -> bool {
    #[cfg(feature = "faults")]
    if crate::orders::mutant::is("trusts-pushes") {
        return true;
    }
    let Some(order) = &intent.order else { return false };
    let is_account = row.account.as_ref() == Some(&intent.account);
    let is_contract = row.conid.is_some() && row.conid == order.contract.conid;
    let is_filled = row.status.as_ref().map(Stage::meaning) == Some(Meaning::Filled);
    let (all, filled) = (row.quantity.map(|q| q.get()), row.filled.map(|q| q.get()));
    let is_whole = match order.size {
        Size::Quantity(wanted) => all == Some(wanted.get()) && filled == all,
        Size::Cash(_) => all.is_some() && filled == all,
    };
    is_account && is_contract && filled.is_some() && (is_whole || !is_filled)
}
