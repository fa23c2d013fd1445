//! Requests about orders, checked from one end to the other before a round begins.

use serde_json::Value;

use super::checks::{check_set, duplicate};
use super::round::{Answer, Purpose, Set};
use super::script::Script;
use super::ticket::Ticket;
use crate::book::Order;
use crate::http::Reply;
use crate::state::World;

impl World {
    /// Places a set of tickets, or asks the first question about them.
    pub(crate) fn order(&mut self, account: &str, orders: &[Value]) -> Result<Answer, Reply> {
        self.give_up();
        let tickets = self.read(account, orders)?;
        if let Some(taken) = self.taken(&tickets) {
            return Err(duplicate(taken));
        }
        for ticket in &tickets {
            self.check_limit(ticket)?;
        }
        if let Some(first) = tickets.first() {
            self.check_money(account, first)?;
        }
        if let Some(refusal) = self.refuses() {
            return Err(refusal);
        }
        let script = self.rounds.scripts.pop_front().unwrap_or_default();
        let ids = self.questions(account, &tickets, &script);
        let set = Set { account: account.to_owned(), tickets };
        Ok(self.begin(Purpose::Place(set), ids, script))
    }

    /// Reads a set of tickets.
    pub(crate) fn read(&self, account: &str, orders: &[Value]) -> Result<Vec<Ticket>, Reply> {
        let read = orders.iter().map(|order| Ticket::read(self, account, order));
        let tickets = read.collect::<Result<Vec<_>, _>>()?;
        check_set(&tickets)?;
        self.check_parent(&tickets)?;
        Ok(tickets)
    }

    /// Changes an order into what the ticket says, or asks the first question about that.
    pub(crate) fn modify(
        &mut self,
        account: &str,
        id: i64,
        ticket: &Value,
    ) -> Result<Answer, Reply> {
        self.give_up();
        let ticket = Ticket::read(self, account, ticket)?;
        let Some(order) = self.book.order(id) else {
            return Err(Reply::error(200, &format!("OrderID {id} doesn't exist")));
        };
        check_same(order, &ticket)?;
        if self.units(&ticket) <= order.filled {
            return Err(Reply::error(200, "Order size must be above what is filled already"));
        }
        self.check_limit(&ticket)?;
        let ids = self.questions(account, std::slice::from_ref(&ticket), &Script::default());
        let purpose = Purpose::Modify { order: id, ticket: Box::new(ticket) };
        Ok(self.begin(purpose, ids, Script::default()))
    }

    /// The ids of the questions that will be asked, each once.
    fn questions(&mut self, account: &str, tickets: &[Ticket], script: &Script) -> Vec<String> {
        let mut ids = match &script.questions {
            Some(scripted) => scripted.clone(),
            None if self.rules.questions => {
                let all = tickets.iter().flat_map(|t| self.usual_questions(account, t));
                all.map(str::to_owned).collect()
            }
            None => Vec::new(),
        };
        if ids.is_empty() && script.questions.is_none() {
            ids = self.chaos.rolls_questions();
        }
        let mut asked = Vec::new();
        for id in ids {
            if !asked.contains(&id) && !self.session.primed.suppressed.contains(&id) {
                asked.push(id);
            }
        }
        asked
    }
}

/// A change repeats what cannot be changed.
fn check_same(order: &Order, ticket: &Ticket) -> Result<(), Reply> {
    let is_same = order.conid == ticket.contract.conid && order.is_buy == ticket.is_buy;
    let keeps_name = ticket.client_id.is_none() || ticket.client_id == order.client_id;
    if is_same && keeps_name {
        return Ok(());
    }
    Err(Reply::error(200, "Order cannot be changed into another contract, side or cOID"))
}
