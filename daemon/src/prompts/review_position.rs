//! `review_position`: what is held of a symbol, and how it stands.

use super::{ACCOUNT, Argument, HONEST, Line, Needed, OF_ACCOUNT, Prompt, SESSION, WHICH};
use Line::{Say, Unless};
use ibd_protocol::Completable;

/// The prompt.
pub const PROMPT: Prompt = Prompt {
    name: "review_position",
    title: "Review a position",
    about: "What I hold of a symbol, how it stands, what works on it, and what it has earned.",
    needs: &["get_positions"],
    arguments: &[
        Argument {
            name: "symbol",
            about: "What is held, for instance AAPL; of an option or future the underlying's symbol.",
            is: Needed::Always,
            values: Some(Completable::Symbol),
        },
        ACCOUNT,
    ],
    lines: &[
        Unless("account", "Review my position in {symbol} at Interactive Brokers."),
        Say("Review my position in {symbol} at Interactive Brokers, account {account}."),
        SESSION,
        WHICH,
        OF_ACCOUNT,
        Say(
            "1. Call `get_positions` with `symbol` {symbol}. If nothing is found, say so and stop: do not go on with another \
             company. Keep the conids, and the stock apart from its options and futures.",
        ),
        Say(
            "1. Call `get_market_data` once with those `conids`: price, change, and the greeks of options.",
        ),
        Say(
            "1. Call `get_price_history` with the `conid` of the largest and `period` 6m: trend, high and low of the time.",
        ),
        Say(
            "1. Call `get_live_orders`: which orders on {symbol} work, for instance a stop, and how far from the price.",
        ),
        Say(
            "1. Call `get_alerts`: which of them watch it, and at what price. Create, switch and delete none.",
        ),
        Say("1. Call `get_trades` with `symbol` {symbol} and `days` 7: what was done lately."),
        Say(
            "1. Call `get_transactions` with the `conid` of the largest and `days` 365: when and at what prices it was bought \
             and sold.",
        ),
        Unless(
            "account",
            "1. Call `ask_flex` with `topic` realized, then with `topic` dividends, and `symbol` {symbol}: what it has \
             earned. If no statement covers that, say which days are missing.",
        ),
        Say(
            "1. Call `ask_flex` with `topic` realized, then with `topic` dividends, `symbol` {symbol} and `account` {account}: \
             what it has earned. If no statement covers that, say which days are missing.",
        ),
        Say(
            "Then sum up: quantity, average price, value, P&L in its currency, what protects it, and what would change that. \
             Give no advice that I did not ask for; place, change and cancel nothing.",
        ),
        HONEST,
    ],
};
