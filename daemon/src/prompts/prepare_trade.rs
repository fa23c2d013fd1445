//! `prepare_trade`: from a wish to an order that a person has seen in full.

use super::{ACCOUNT, Argument, HONEST, Line, Needed, OF_ACCOUNT, Prompt, SESSION, WHICH};
use Line::Say;
use ibd_protocol::Completable;

/// The prompt.
pub const PROMPT: Prompt = Prompt {
    name: "prepare_trade",
    title: "Prepare a trade safely",
    about: "Finds the contract, looks at the market and at what I hold, previews the order, and sends it only on my yes.",
    needs: &["preview_order", "place_order"],
    arguments: &[
        Argument {
            name: "symbol",
            about: "What is to be traded, for instance AAPL; of an option or future the underlying's symbol.",
            is: Needed::Always,
            values: Some(Completable::Symbol),
        },
        Argument {
            name: "expiry",
            about: "Of an option or future: 2027-01-15 or JAN27.",
            is: Needed::Perhaps,
            values: Some(Completable::Expiry),
        },
        ACCOUNT,
    ],
    lines: &[
        Say(
            "Prepare a trade in {symbol} at Interactive Brokers with me. Nothing is sent before my yes.",
        ),
        Say("I mean an option or future that expires {expiry}."),
        Say("It is for the account {account}."),
        SESSION,
        WHICH,
        OF_ACCOUNT,
        Say(
            "1. Ask me for what I have not said: buy or sell, how many, limit or market price, how long it is good, and of an \
             option strike and right. Choose none of it for me.",
        ),
        Say(
            "1. Call `get_contract_details` with `symbol` {symbol} and what I said of it (`expiry`, `strike`, `right`, `exchange`): which contract it is, its price steps, and \
             whether its market is open. If several may be meant, show the candidates and ask me.",
        ),
        Say(
            "1. Call `get_option_chain` with `symbol` {symbol} and `expiry` {expiry} if it is an option: the prices around my \
             strike, and their conids.",
        ),
        Say(
            "1. Call `get_market_data` with its `conid`: bid, ask and whether they are live (`data`). With a wide spread or no \
             bid, say so.",
        ),
        Say("1. Call `get_positions` with `symbol` {symbol}: what I hold of it."),
        Say("1. Call `get_live_orders`: what already works on it."),
        Say(
            "1. Call `preview_order` with the whole order. Tell me the order as it was understood, cost, commission, margin, \
             the position after it, all `warnings`, and what stands before it. If it would be refused, say which setting \
             refuses it and stop; change nothing to get round it.",
        ),
        Say(
            "1. Show me the order in one line (account, side, quantity, contract, type, price, good till) and wait for my yes \
             to exactly that. If anything changes, preview it again and ask again.",
        ),
        Say(
            "1. Only after my yes call `place_order`, once, with what was previewed. If its `status` is needs_confirmation, tell me \
             the questions before `confirm_order`; where a person approves, tell me how.",
        ),
        Say(
            "1. Tell me what became of it: `wait_for_order` follows it. After status unknown, or an answer that was lost, \
             never send it again: ask `get_order_status` with its `intentId`.",
        ),
        HONEST,
    ],
};
