//! From an order as understood to exactly what is sent. Pure.

use ibd_cpapi::id::ClientOrderId;
use ibd_cpapi::orders::{Deal, Instrument, Pricing, Side, Size, Ticket};

use super::asked::Attached;
use super::order::Order;

/// The tickets of a new order, the parent first. Orders of a one-cancels-all group have client order ids
/// of their own, which follow from the one of the intent; children of a bracket have none.
pub fn place(order: &Order, id: &ClientOrderId) -> Vec<Ticket> {
    let mut parent = ticket(order, deal(order, order.side, order.size, &order.pricing));
    parent.c_oid = Some(id.clone());
    let mut tickets = vec![parent];
    match &order.attached {
        Attached::Nothing => {}
        Attached::Bracket { take_profit, stop_loss, stop_loss_limit } => {
            let stop = stop_loss.map(|stop| match stop_loss_limit {
                Some(limit) => Pricing::StopLimit { stop, limit: *limit },
                None => Pricing::Stop(stop),
            });
            for pricing in take_profit.map(Pricing::Limit).into_iter().chain(stop) {
                let mut child =
                    ticket(order, deal(order, opposite(order.side), order.size, &pricing));
                child.parent_id = Some(id.clone());
                tickets.push(child);
            }
        }
        Attached::Oca(siblings) => {
            tickets[0].is_single_group = Some(true);
            for (number, one) in siblings.iter().enumerate() {
                let mut sibling = ticket(order, deal(order, one.side, one.size, &one.pricing));
                sibling.is_single_group = Some(true);
                sibling.c_oid = format!("{id}-{}", number + 2).parse().ok();
                tickets.push(sibling);
            }
        }
    }
    tickets
}

/// The ticket of a change: everything that the order shall be. IBKR knows the order by its own id then.
pub fn modify(order: &Order) -> Ticket {
    let mut ticket = ticket(order, deal(order, order.side, order.size, &order.pricing));
    // Left out, it stays as it is: a no is said, and what is not known is not.
    ticket.outside_rth = order.outside_rth;
    ticket
}

/// The other side.
pub fn opposite(side: Side) -> Side {
    match side {
        Side::Buy => Side::Sell,
        Side::Sell => Side::Buy,
    }
}

fn ticket(order: &Order, deal: Deal) -> Ticket {
    let contract = &order.contract;
    let instrument = match (&contract.conidex, contract.conid) {
        (Some(conidex), _) => Instrument::Conidex(conidex.clone()),
        // A combination always has a conidex, and everything else a conid.
        (None, Some(conid)) => Instrument::Conid(conid),
        (None, None) => Instrument::Conidex(String::new()),
    };
    let mut ticket = Ticket::new(order.account.clone(), instrument, deal);
    ticket.ticker = Some(contract.symbol.clone()).filter(|symbol| !symbol.is_empty());
    ticket.outside_rth = order.outside_rth.filter(|outside| *outside);
    if contract.wants_operator() {
        // What an assistant sends is not entered by hand (CME rule 536-B).
        ticket.manual_indicator = Some(false);
        ticket.ext_operator = order.operator.clone();
    }
    ticket
}

fn deal(order: &Order, side: Side, size: Size, pricing: &Pricing) -> Deal {
    Deal { side, size, pricing: *pricing, tif: order.tif }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::orders::asked::Sibling;
    use crate::orders::guardrails::tests::order;
    use ibd_cpapi::money::{Price, Quantity};

    fn price(text: &str) -> Price {
        Price::new(text.parse().unwrap())
    }

    fn sent(order: &Order) -> Vec<serde_json::Value> {
        let id = "ibd01J".parse().unwrap();
        place(order, &id).iter().map(|ticket| serde_json::to_value(ticket).unwrap()).collect()
    }

    #[test]
    fn a_bracket_names_its_parent_and_its_children_have_no_name() {
        let mut order = order(Side::Buy, "10", Pricing::Limit(price("100")));
        order.attached = Attached::Bracket {
            take_profit: Some(price("110")),
            stop_loss: Some(price("95")),
            stop_loss_limit: Some(price("94.5")),
        };
        let tickets = sent(&order);
        assert_eq!(tickets.len(), 3);
        assert_eq!(tickets[0]["cOID"], "ibd01J");
        for child in &tickets[1..] {
            assert_eq!(child["parentId"], "ibd01J");
            assert!(child.get("cOID").is_none());
            assert_eq!(child["side"], "SELL");
        }
        assert_eq!(tickets[2]["orderType"], "STOP_LIMIT");
        assert_eq!(tickets[2]["auxPrice"].to_string(), "95");
        assert_eq!(tickets[2]["price"].to_string(), "94.5");
    }

    #[test]
    fn orders_of_a_group_have_names_that_follow_from_one() {
        let mut order = order(Side::Sell, "10", Pricing::Limit(price("110")));
        order.attached = Attached::Oca(vec![Sibling {
            side: Side::Sell,
            size: Size::Quantity(Quantity::new("10".parse().unwrap())),
            pricing: Pricing::Stop(price("95")),
        }]);
        let tickets = sent(&order);
        assert_eq!(tickets[0]["cOID"], "ibd01J");
        assert_eq!(tickets[1]["cOID"], "ibd01J-2");
        assert!(tickets.iter().all(|ticket| ticket["isSingleGroup"] == true));
        assert_eq!(tickets[1]["price"].to_string(), "95", "IBKR wants a stop's trigger in price");
    }

    #[test]
    fn a_future_says_that_no_hand_entered_it() {
        let mut order = order(Side::Buy, "1", Pricing::Market);
        assert!(sent(&order)[0].get("manualIndicator").is_none());
        order.contract.sec_type = ibd_cpapi::contracts::SecType::Future;
        order.operator = Some("jdoe".into());
        assert_eq!(sent(&order)[0]["manualIndicator"], false);
        assert_eq!(sent(&order)[0]["extOperator"], "jdoe");
    }
}
