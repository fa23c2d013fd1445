//! Orders are changed and cancelled.

use super::ticket::Ticket;
use crate::book::{News, Status, Step};
use crate::state::World;

impl World {
    /// An open order becomes what the ticket says.
    pub(super) fn change(&mut self, id: i64, ticket: &Ticket) {
        let now = self.clock.now_ms();
        let quantity = self.units(ticket);
        let at = now + self.rules.submit_millis;
        let Some(order) = self.book.orders.get_mut(&id) else { return };
        if order.status.is_final() {
            return;
        }
        (order.kind, order.quantity, order.tif) = (ticket.kind, quantity, ticket.tif.clone());
        (order.limit, order.stop) = (ticket.prices.limit, ticket.prices.stop);
        (order.trail, order.outside_rth) = (ticket.prices.trail, ticket.outside_rth);
        (order.triggered, order.rested, order.changed_ms) = (false, false, now);
        if order.status == Status::Inactive && !ticket.is_deactivated {
            order.status = Status::PreSubmitted;
        }
        if order.status.is_working() {
            order.due = Some((at, Step::Submit));
        }
        let news = News::Row(Box::new(order.clone()));
        self.book.note(now, news);
    }

    /// Cancellation is asked for; the exchange confirms it some time later.
    pub(crate) fn cancel(&mut self, id: i64) {
        let now = self.clock.now_ms();
        let at = now + self.rules.cancel_millis;
        let Some(order) = self.book.orders.get_mut(&id) else { return };
        (order.status, order.is_stuck) = (Status::PendingCancel, false);
        order.changed_ms = now;
        order.due = Some((at, Step::Cancel));
        let news = News::Row(Box::new(order.clone()));
        self.book.note(now, news);
    }

    /// It looks as if a cancellation had been asked for, and the order works on.
    pub(super) fn seem_to_cancel(&mut self, id: i64) {
        let now = self.clock.now_ms();
        let Some(order) = self.book.orders.get_mut(&id) else { return };
        (order.status, order.is_stuck) = (Status::PendingCancel, true);
        (order.changed_ms, order.due, order.seen) = (now, None, i64::MIN);
        let news = News::Row(Box::new(order.clone()));
        self.book.note(now, news);
    }

    /// The open orders of an account that can be cancelled.
    pub(crate) fn cancellable(&self, account: &str) -> Vec<i64> {
        self.related(|order| order.account == account && order.can_be_cancelled())
    }
}
