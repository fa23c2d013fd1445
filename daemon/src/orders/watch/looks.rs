//! When something is looked at, and the looks themselves: the lists of the accounts, and single orders.

use std::time::Duration;

use ibd_cpapi::faults;
use ibd_cpapi::id::{AccountId, OrderId};
use ractor::ActorRef;
use tokio::time::Instant;

use super::may_rise;
use crate::orders::evidence::{self, Care, Evidence, Look};
use crate::orders::intent::Intent;
use crate::orders::lane::is_new;
use crate::orders::page::Page;
use crate::orders::peeks::Until;
use crate::orders::{Msg, State, lateness, life};
use crate::session::Lease;

/// Between looks while something is in doubt.
const IN_DOUBT: Duration = Duration::from_secs(6);
/// Between looks while something is parked.
const PARKED: Duration = Duration::from_secs(60);
/// Between looks while something works.
const WORKING: Duration = Duration::from_secs(15);
/// What one look may take.
const LOOK: Duration = Duration::from_secs(60);

impl State {
    pub(super) fn is_look_due(&self) -> bool {
        let Some(pause) = self.pause() else { return false };
        self.watch.has_passed(pause)
    }

    /// How long until the next look; nothing if there is nothing to look for.
    fn pause(&self) -> Option<Duration> {
        let mut pause = Some(WORKING).filter(|_| !self.watch.unread.is_empty());
        for intent in self.ledger.book.iter() {
            let own = match &intent.state {
                life::State::Unknown(_) => IN_DOUBT,
                life::State::Parked(_) => PARKED,
                // The first try may come alive while its question waits for a yes.
                life::State::Awaiting(_) if intent.follows.is_some() => WORKING,
                state => match state.standing().filter(|_| state.is_open()) {
                    Some(standing) if standing.is_only_missing() => PARKED,
                    Some(_) => WORKING,
                    None if may_rise(intent) => WORKING,
                    None => continue,
                },
            };
            pause = Some(pause.map_or(own, |other: Duration| other.min(own)));
        }
        pause
    }

    /// It is time to ask for single orders.
    pub(in crate::orders) fn peek_now(&mut self, me: &ActorRef<Msg>) {
        self.watch.called_at = None;
        self.look(me);
    }

    /// Begins a look, if one is wanted and possible. Not in the middle of a round: nothing else goes to the
    /// order endpoints then.
    pub(in crate::orders) fn look(&mut self, me: &ActorRef<Msg>) {
        if self.lane.is_taken() {
            return;
        }
        let Some(lease) = self.broker.ready.clone() else { return };
        // Single orders have an endpoint of their own: they need not wait for the list.
        self.peek(me, lease.clone());
        let is_running = self.watch.look.as_ref().is_some_and(|task| !task.is_finished());
        if is_running || !self.watch.wants_look {
            return;
        }
        self.watch.wants_look = false;
        self.watch.looked_at = Some(Instant::now());
        let is_in_doubt =
            |state: &life::State| matches!(state, life::State::Unknown(_) | life::State::Parked(_));
        let has_doubts = self
            .ledger
            .book
            .iter()
            .any(|intent| is_in_doubt(&intent.state) && self.broker.is_here(intent));
        let missing = self.with_accounts(self.watch.unlisted.long_missing(Instant::now()));
        let care = if has_doubts || !missing.is_empty() { Care::Thorough } else { Care::Glance };
        let accounts = self.accounts_of_interest(&lease);
        let look = Look { accounts, care, missing, through: self.broker.through() };
        let (feeds, me) = (self.broker.feeds.clone(), me.clone());
        self.watch.look = Some(tokio::spawn(async move {
            let deadline = Instant::now() + faults::patience(LOOK);
            let seen = evidence::gather(&lease, &feeds, &look, deadline).await;
            let seen = match seen {
                Ok(evidence) => Some(Box::new(evidence)),
                Err(failure) => {
                    tracing::info!(%failure, "a look at the orders failed");
                    None
                }
            };
            let _ = me.cast(Msg::Seen(seen));
        }));
    }

    /// Asks for single orders: an endpoint that is never stale and has no window of its own.
    fn peek(&mut self, me: &ActorRef<Msg>, lease: Lease) {
        if self.watch.peeking.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        let book = &self.ledger.book;
        self.watch
            .peeks
            .forget(|order, until| book.by_order(order).is_none_or(|i| is_told(i, order, until)));
        let orders = self.watch.peeks.take_due(Instant::now());
        let orders = self.with_accounts(orders);
        self.call_again(me);
        if orders.is_empty() {
            return;
        }
        let (me, feeds, through) = (me.clone(), self.broker.feeds.clone(), self.broker.through());
        self.watch.peeking = Some(tokio::spawn(async move {
            let mut evidence = Evidence::begin(lease.epoch(), through);
            for (account, order_id) in orders {
                let deadline = Instant::now() + faults::patience(lateness::PAGE_ANSWER);
                match feeds.page(&lease, &account, order_id, deadline).await {
                    Ok(Some(answer)) => evidence.pages.push(Page::of(&answer.value)),
                    Ok(None) | Err(_) => evidence.unread.push(order_id),
                }
            }
            let _ = me.cast(Msg::Seen(Some(Box::new(evidence))));
        }));
    }

    /// Orders with the accounts that they are of.
    fn with_accounts(&self, orders: Vec<OrderId>) -> Vec<(AccountId, OrderId)> {
        let with = |order| Some((self.ledger.book.by_order(order)?.account.clone(), order));
        orders.into_iter().filter_map(with).collect()
    }

    /// An order is to be asked for at once: something was said of it that is not believed as it is.
    pub(in crate::orders) fn expect_now(&mut self, me: &ActorRef<Msg>, order_id: OrderId) {
        self.watch.peeks.expect_now(order_id, Instant::now());
        self.listen(me);
        self.call_again(me);
    }

    /// News of this order is expected at any moment.
    pub(in crate::orders) fn expect(
        &mut self,
        me: &ActorRef<Msg>,
        order_id: OrderId,
        until: Until,
    ) {
        self.watch.peeks.expect(order_id, until, Instant::now());
        self.listen(me);
        self.call_again(me);
    }

    /// Wakes the actor when the next single order is to be asked for.
    fn call_again(&mut self, me: &ActorRef<Msg>) {
        let Some(due) = self.watch.peeks.next() else { return };
        if self.watch.called_at.is_some_and(|called| called <= due) {
            return;
        }
        self.watch.called_at = Some(due);
        me.send_after(due.saturating_duration_since(Instant::now()), || Msg::Peek);
    }

    /// Whether a list may still have news of it.
    fn is_looked_for(&self, intent: &Intent) -> bool {
        let is_unread = intent.order_id().is_some_and(|order| self.watch.unread.contains(&order));
        intent.state.is_open() || is_unread || may_rise(intent)
    }

    /// Accounts with something open; only those that this login has.
    fn accounts_of_interest(&self, lease: &Lease) -> Vec<AccountId> {
        let mut accounts: Vec<AccountId> = self
            .ledger
            .book
            .iter()
            .filter(|intent| self.is_looked_for(intent) && self.broker.is_here(intent))
            .map(|intent| intent.account.clone())
            .filter(|account| lease.facts().accounts.contains(account))
            .collect();
        accounts.sort();
        accounts.dedup();
        accounts
    }
}

/// Whether there was the news of an order that was waited for.
fn is_told(intent: &Intent, order: OrderId, until: Until) -> bool {
    let part = intent.state.standing().and_then(|standing| standing.part(order));
    match (until, part) {
        (Until::Asked, _) => false,
        (Until::Settled, None) => !is_new(&intent.state),
        (Until::Settled, Some(part)) => part.status.is_some(),
        (Until::Over, None) => intent.state.is_over(),
        (Until::Over, Some(part)) => part.is_over(),
    }
}
