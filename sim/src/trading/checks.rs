//! What is wrong with tickets that are fine by themselves: sets that are none, ids that are taken,
//! money that is not there.

use super::ticket::Ticket;
use crate::book::Kind;
use crate::http::Reply;
use crate::state::World;

/// A limit that is worse than the market by more than this part is not accepted at all.
const WORST_LIMIT: f64 = 0.5;

/// Several tickets must be one bracket or one group.
pub(super) fn check_set(tickets: &[Ticket]) -> Result<(), Reply> {
    if tickets.iter().any(|t| t.parent.is_some() && t.client_id.is_some()) {
        return Err(Reply::bad_request("cOID is not allowed on a bracket's child"));
    }
    let Some((first, others)) = tickets.split_first() else {
        return Err(Reply::bad_request("orders are required"));
    };
    let is_child = |t: &Ticket| t.parent.is_some() && t.parent == first.client_id;
    let is_bracket = first.parent.is_none() && others.iter().all(is_child);
    let is_siblings = first.parent.is_some() && others.iter().all(|t| t.parent == first.parent);
    let is_group = tickets.iter().all(|t| t.is_grouped);
    if others.is_empty() || is_bracket || is_siblings || is_group {
        return Ok(());
    }
    Err(Reply::bad_request("unrelated orders cannot be submitted together"))
}

/// What the broker says about a client id that is taken.
pub(super) fn duplicate(client_id: &str) -> Reply {
    Reply::error(
        200,
        &format!("Order couldn't be submitted: Local order ID={client_id} is already registered."),
    )
}

impl World {
    /// The client id of the first ticket that cannot have it.
    pub(super) fn taken<'a>(&self, tickets: &'a [Ticket]) -> Option<&'a str> {
        let now = self.clock.now_ms();
        let ids = tickets.iter().filter_map(|t| t.client_id.as_deref());
        ids.into_iter().find(|id| self.rules.dedupe && self.book.is_registered(id, now))
    }

    /// A child needs its parent: in the same set, or in the book.
    pub(super) fn check_parent(&self, tickets: &[Ticket]) -> Result<(), Reply> {
        let known = |parent: &str| {
            tickets.iter().any(|t| t.client_id.as_deref() == Some(parent))
                || self.find(parent).is_some()
        };
        match tickets.iter().filter_map(|t| t.parent.as_deref()).find(|parent| !known(parent)) {
            Some(parent) => Err(Reply::bad_request(&format!("parentId is not valid: {parent}"))),
            None => Ok(()),
        }
    }

    /// The newest order with this id, or this client id.
    pub(crate) fn find(&self, id: &str) -> Option<i64> {
        let by_number = id.parse().ok().filter(|id| self.book.order(*id).is_some());
        let named = || {
            let mut orders = self.book.orders.values().rev();
            orders.find(|o| o.client_id.as_deref() == Some(id)).map(|o| o.id)
        };
        by_number.or_else(named)
    }

    /// A limit so bad that the broker protects the client from it.
    pub(super) fn check_limit(&self, ticket: &Ticket) -> Result<(), Reply> {
        let contract = &ticket.contract;
        let touch = self.touch(contract.conid, &contract.legs);
        let (Some(limit), Some(touch)) = (ticket.prices.limit, touch) else { return Ok(()) };
        if ticket.kind != Kind::Limit || !contract.legs.is_empty() {
            return Ok(());
        }
        let worst = touch.last.abs() * WORST_LIMIT;
        let too_high = ticket.is_buy && limit > touch.last + worst;
        let too_low = !ticket.is_buy && limit < touch.last - worst;
        if !too_high && !too_low {
            return Ok(());
        }
        Err(Reply::error(
            200,
            &format!(
                "We cannot accept an order at the limit price you selected. Please submit your order using a limit price that is closer to the current market price of {}.",
                touch.last
            ),
        ))
    }

    /// More than the account can carry.
    pub(super) fn check_money(&self, account: &str, ticket: &Ticket) -> Result<(), Reply> {
        let Some(cost) = self.cost(account, ticket) else { return Ok(()) };
        if !cost.is_beyond() {
            return Ok(());
        }
        let currency = &cost.currency;
        Err(Reply::error(
            200,
            &format!(
                "YOUR ORDER IS NOT ACCEPTED. IN ORDER TO OBTAIN THE DESIRED POSITION YOUR EQUITY WITH LOAN VALUE [{:.2} {currency}] MUST EXCEED THE INITIAL MARGIN [{:.2} {currency}]",
                cost.equity, cost.initial_after
            ),
        ))
    }
}
