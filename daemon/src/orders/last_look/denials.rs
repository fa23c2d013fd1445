//! What is said where the last look lets nothing go.

use ibd_protocol::ReasonCode;

use crate::orders::guardrails::Denial;
use crate::orders::intent::Intent;
use crate::orders::round::Target;
use crate::orders::standing::Standing;

pub(super) fn changed_meanwhile() -> Denial {
    Denial::new(
        ReasonCode::PositionUnknown,
        "What is held changed while the order was looked at for the last time.",
        "Nothing was sent. See get_positions, and ask again.",
    )
}

pub(super) fn first_was_there(standing: &Standing) -> Denial {
    Denial::new(
        ReasonCode::FirstTrySeen,
        format!(
            "IBKR has the first try of this order as order {}, {}, although its question was declined.",
            standing.order_id, standing.status
        ),
        "Nothing was sent. Look at it with get_order_status and tell the user; if nothing of it works or is \
         filled, place the order anew.",
    )
}

pub(super) fn first_is_there(first: &Intent) -> Denial {
    let order = first.order_id().map(|id| id.to_string()).unwrap_or_default();
    Denial::new(
        ReasonCode::FirstTryAlive,
        format!(
            "IBKR has the first try of this order after all: order {order}, {}.",
            first.state.in_words()
        ),
        format!("Nothing more was sent. Look at it: get_order_status with intentId {}.", first.id),
    )
}

pub(in crate::orders) fn change_in_doubt(other: &Intent) -> Denial {
    Denial::new(
        ReasonCode::ChangeInDoubt,
        format!("Another change of this order ({}) is {}.", other.text, other.state.in_words()),
        format!(
            "Nothing was sent. Call get_order_status with intentId {} until it is settled.",
            other.id
        ),
    )
}

pub(super) fn no_page(order_id: ibd_cpapi::id::OrderId, target: &Target) -> Denial {
    let why = target.failed.clone().unwrap_or_else(|| "IBKR does not know it".to_owned());
    Denial::new(
        ReasonCode::OrderNotSeen,
        format!(
            "Order {order_id} could not be looked at: {why}. What is not named must stay as it is there."
        ),
        "Nothing was sent. Look at get_live_orders, and try again.",
    )
}

pub(super) fn not_the_one(order_id: ibd_cpapi::id::OrderId, why: &str) -> Denial {
    Denial::new(
        ReasonCode::NotThatOrder,
        format!("Order {order_id} at IBKR is not the one that is meant: {why}."),
        "Nothing was sent. Look at get_live_orders, and use the orderId from there.",
    )
}

pub(super) fn is_over(order_id: ibd_cpapi::id::OrderId, status: &str) -> Denial {
    Denial::new(
        ReasonCode::NotWorking,
        format!("Order {order_id} is {}.", status.to_lowercase()),
        "Nothing was sent: only a working order can be changed.",
    )
}

pub(super) fn no_terms(order_id: ibd_cpapi::id::OrderId) -> Denial {
    Denial::new(
        ReasonCode::CannotModify,
        format!("IBKR does not say enough about order {order_id} to repeat it with a change."),
        "Nothing was sent. Change it in TWS, or cancel it and place a new one.",
    )
}

/// What is said while the journal cannot be written.
pub(super) fn closed(why: &str) -> Denial {
    Denial::new(
        ReasonCode::TradingClosed,
        format!("Trading is closed: {why}. Nothing was sent."),
        "Tell the user; `ibctl status` says more.",
    )
}
