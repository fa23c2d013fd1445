//! `explain_order`: what became of an order, by what IBKR and the journal say.

use super::{Argument, HONEST, Line, Needed, Prompt, SESSION};
use Line::{Say, Unless};
use ibd_protocol::Completable;

/// The prompt.
pub const PROMPT: Prompt = Prompt {
    name: "explain_order",
    title: "Explain what became of an order",
    about: "Whether an order is there, filled, refused or in doubt, why, and what can be done about it.",
    needs: &["get_order_status", "get_live_orders"],
    arguments: &[Argument {
        name: "orderId",
        about: "IBKR's number of the order, or the intentId of one that was sent from here. Left out: a list to choose \
                from.",
        is: Needed::Perhaps,
        values: Some(Completable::Order),
    }],
    lines: &[
        Say("Explain what became of my order {orderId} at Interactive Brokers."),
        Unless("orderId", "Explain what became of an order of mine at Interactive Brokers."),
        SESSION,
        Unless(
            "orderId",
            "1. Call `get_live_orders`, show me what there is, and ask me which order I mean.",
        ),
        Say(
            "1. Call `get_order_status` with {orderId}: as `orderId` if it is a number, as `intentId` if it has letters in it. If \
             it is not known, look for it in `get_live_orders` and say that it was not found under that number.",
        ),
        Unless("orderId", "1. Call `get_order_status` with the one that I chose."),
        Say(
            "1. Call `get_trades` with `days` 7 and look for that order id: what was filled, when, at which prices.",
        ),
        Say(
            "1. If it is not filled and works, call `get_market_data` with its `conid` (of a combination: with the `conids` of its \
             legs): how far its price is from the market.",
        ),
        Say(
            "Then say in plain words: what was asked for, what IBKR has of it now, what happened in which order, why it was \
             refused, cancelled or only partly filled if it was, and what I can do. Where the status is unknown or it is in \
             doubt, say so: that is neither yes nor no, and it must not be sent again. What waits for me I approve myself.",
        ),
        Say("Send, change and cancel nothing without my yes to exactly that."),
        HONEST,
    ],
};
