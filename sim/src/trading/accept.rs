//! Tickets become orders.

use super::round::Set;
use super::script::Script;
use super::ticket::Ticket;
use crate::book::{Course, News, Order, Origin, Placement, Status, Step};
use crate::state::World;

/// What is due for an order that waits for the answer to a prompt: nothing.
const HELD: Option<(i64, Step)> = Some((i64::MAX, Step::Submit));

impl World {
    /// Accepts a set of tickets; the ids are those of the new orders, in the same sequence.
    pub(super) fn accept(&mut self, set: &Set, script: &Script, origin: Origin) -> Vec<i64> {
        let tickets = &set.tickets;
        let is_group = tickets.len() > 1 && tickets.iter().all(|ticket| ticket.is_grouped);
        let mut accepted = Vec::new();
        for (number, ticket) in tickets.iter().enumerate() {
            let mut order = self.order_of(&set.account, ticket, origin);
            order.course = script.course(number);
            if matches!(order.course, Course::LateReject(_)) {
                order.reason.clone_from(&script.reason);
            }
            if is_group {
                let first = accepted.first().copied().unwrap_or(order.id);
                order.group = Some(format!("oca-{first}"));
            }
            accepted.push(order.id);
            let at_ms = order.entered_ms;
            self.book.keep_placement(Placement { order: order.id, at_ms, origin });
            self.walk_in(order, ticket.is_deactivated);
        }
        accepted
    }

    fn order_of(&mut self, account: &str, ticket: &Ticket, origin: Origin) -> Order {
        let now = self.clock.now_ms();
        let parent = ticket.parent.as_deref().and_then(|parent| self.find(parent));
        // A reference that a person gives at TWS takes no client id.
        if let Some(client_id) = ticket.client_id.as_ref().filter(|_| origin != Origin::Tws) {
            self.book.register(client_id, now);
        }
        Order {
            id: self.book.next_id(),
            account: account.to_owned(),
            conid: ticket.contract.conid,
            conidex: ticket.contract.conidex.clone(),
            legs: ticket.contract.legs.clone(),
            is_buy: ticket.is_buy,
            quantity: self.units(ticket),
            filled: 0.0,
            avg_price: 0.0,
            fills: 0,
            kind: ticket.kind,
            limit: ticket.prices.limit,
            stop: ticket.prices.stop,
            trail: ticket.prices.trail,
            tif: ticket.tif.clone(),
            outside_rth: ticket.outside_rth,
            status: Status::Inactive,
            client_id: ticket.client_id.clone(),
            parent,
            group: None,
            reason: None,
            course: Course::Market,
            due: None,
            triggered: false,
            is_stuck: false,
            rested: false,
            seen: i64::MIN,
            entered_ms: now,
            changed_ms: now,
        }
    }

    /// The first steps of every order, in the broker's sequence.
    fn walk_in(&mut self, mut order: Order, is_deactivated: bool) {
        let now = order.entered_ms;
        self.book.note(now, News::Row(Box::new(order.clone())));
        self.book.note(now, News::Mark(Box::new(order.clone())));
        if is_deactivated {
            self.book.enter(order);
            return;
        }
        order.status = Status::PendingSubmit;
        self.book.note(now, News::Status(Box::new(order.clone())));
        if let Course::LateReject(status) = order.course {
            order.due = Some((now + self.rules.late_reject_millis, Step::Reject(status)));
        } else {
            order.status = Status::PreSubmitted;
            self.book.note(now, News::Status(Box::new(order.clone())));
            order.due = Some((now + self.rules.submit_millis, Step::Submit));
        }
        self.book.enter(order);
    }

    /// Holds an order until a prompt is answered; the request id names the prompt.
    pub(crate) fn hold(&mut self, order: i64) -> String {
        let request = (self.next_number() + 22_000).to_string();
        self.rounds.prompts.insert(request.clone(), order);
        if let Some(held) = self.book.orders.get_mut(&order) {
            held.due = HELD;
        }
        request
    }

    /// Somebody answered the prompt, whatever they said.
    pub(crate) fn let_go(&mut self, request: &str) -> bool {
        let Some(order) = self.rounds.prompts.remove(request) else { return false };
        let at = self.clock.now_ms() + self.rules.submit_millis;
        // It may have been cancelled or changed meanwhile.
        if let Some(held) = self.book.orders.get_mut(&order).filter(|held| held.due == HELD) {
            held.due = Some((at, Step::Submit));
        }
        true
    }
}
