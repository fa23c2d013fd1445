//! What the lists no longer have, and what carries our name and is in no journal.

use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::Tif;
use jiff::civil::Weekday;
use jiff::{SignedDuration, Timestamp, ToSpan};
use ractor::ActorRef;
use tokio::time::Instant;

use crate::orders::book::day;
use crate::orders::evidence::Evidence;
use crate::orders::intent::{Intent, IntentId};
use crate::orders::life::{self, Event, Term};
use crate::orders::peeks::Until;
use crate::orders::{Msg, State};

impl State {
    /// What the broker was known to have and its lists no longer show.
    pub(super) async fn look_for_missing(&mut self, me: &ActorRef<Msg>, evidence: &Evidence) {
        let now = Instant::now();
        let known: Vec<(IntentId, OrderId)> = self
            .ledger
            .book
            .iter()
            .filter(|intent| evidence.accounts.contains(&intent.account))
            .filter(|intent| evidence.is_from_where(intent))
            .flat_map(|intent| open_orders(intent).map(|order| (intent.id, order)))
            .collect();
        for (id, order) in known {
            if evidence.lists(order) {
                self.watch.unlisted.is_listed(order);
            } else if !evidence.is_whole {
                // It may be the row that could not be read.
            } else if self.watch.unlisted.is_missing(order, now) {
                self.expect(me, order, Until::Asked);
            } else if evidence.absent.contains(&order) {
                self.watch.unlisted.is_listed(order);
                let today = Timestamp::now();
                let ended = self.ledger.book.get(id).is_some_and(|intent| has_ended(intent, today));
                let term = if ended { Term::Over } else { Term::Open };
                self.step(me, id, Event::Unlisted(order, term), "a look at IBKR").await;
            }
        }
    }

    /// What carries our name and should not be there, or is in no journal.
    pub(super) async fn look_for_strays(&mut self, me: &ActorRef<Msg>, evidence: &Evidence) {
        for (id, order) in evidence.ours() {
            let Some(intent) = self.ledger.book.get(id) else {
                self.stray(id, order);
                continue;
            };
            let is_looked_at = evidence.accounts.contains(&intent.account);
            if intent.state.is_over() && is_looked_at {
                self.look_for_alarms(id, evidence).await;
                self.hold_against(me, id, evidence).await;
                self.ask_what_differs(me, id, evidence);
            }
        }
    }

    fn stray(&self, id: IntentId, order: OrderId) {
        self.board.note(
            "unknown_order",
            format!(
                "IBKR has order {order} with our name {id}, and this journal does not know it."
            ),
            "Another machine or profile may have sent it. Look at it in TWS or Client Portal.",
        );
    }
}

/// Whether an order has ended by itself: it is none that is good till cancelled, and its day is over. What is
/// sent after the evening's end in New York is of the next trading day.
fn has_ended(intent: &Intent, now: Timestamp) -> bool {
    let Some(order) = &intent.order else { return false };
    let Some(sent) = intent.sent_at.filter(|_| order.tif != Tif::Gtc) else { return false };
    // Elsewhere the day is another one; after a day and a night it is over everywhere.
    let is_over_everywhere = now.duration_since(sent) >= SignedDuration::from_hours(36);
    let is_us = order.contract.currency == "USD";
    trading_day(sent) < day(now) && (is_us || is_over_everywhere)
}

/// The trading day in New York that an order of this moment is of: after 20:00 the next one, and none is at a
/// weekend. Holidays are not known; on them it is taken for over a day late.
fn trading_day(at: Timestamp) -> jiff::civil::Date {
    let local = crate::orders::book::local(at);
    let mut date = local.date();
    if local.hour() >= 20 {
        date = date.saturating_add(1.day());
    }
    while matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) {
        date = date.saturating_add(1.day());
    }
    date
}

/// Orders of an intent that the broker has and that may still become something.
fn open_orders(intent: &Intent) -> impl Iterator<Item = OrderId> {
    let main = match &intent.state {
        life::State::Working(standing) if intent.is_order() => Some(standing.order_id),
        _ => None,
    };
    let others = intent.state.standing().into_iter().flat_map(|standing| &standing.others);
    main.into_iter().chain(others.filter(|part| !part.is_over()).map(|part| part.order_id))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_order_of_the_evening_is_of_the_next_trading_day() {
        for (sent, trading) in [
            // New York is five hours behind.
            ("2026-11-23T15:00:00Z", "2026-11-23"),
            ("2026-11-24T00:59:00Z", "2026-11-23"),
            ("2026-11-24T01:00:00Z", "2026-11-24"),
            ("2026-11-24T04:59:00Z", "2026-11-24"),
            ("2026-11-28T02:00:00Z", "2026-11-30"),
            ("2026-11-28T15:00:00Z", "2026-11-30"),
        ] {
            assert_eq!(trading_day(sent.parse().unwrap()).to_string(), trading, "{sent}");
        }
    }
}
