//! `morning_brief`: how an account stands before the day begins.

use super::{ACCOUNT, HONEST, Line, Prompt, SESSION, WHICH};
use Line::{Say, Unless};

/// The prompt.
pub const PROMPT: Prompt = Prompt {
    name: "morning_brief",
    title: "Morning brief",
    about: "How my account stands: value and P&L, what moved, what still works, what wants my attention.",
    needs: &["get_account_info"],
    arguments: &[ACCOUNT],
    lines: &[
        Unless("account", "Give me a short morning brief of my Interactive Brokers account."),
        Say("Give me a short morning brief of my Interactive Brokers account {account}."),
        SESSION,
        WHICH,
        Unless(
            "account",
            "1. Call `get_account_info`: net liquidation value, today's P&L, cash, margin.",
        ),
        Say(
            "1. Call `get_account_info` with accountId {account}: net liquidation value, today's P&L, cash, margin.",
        ),
        Say(
            "1. Call `get_positions` of that account: the largest holdings and their unrealised P&L.",
        ),
        Say(
            "1. Call `get_market_data` once, for the ten largest holdings by their conids together: what moved most, and \
             whether its market is open.",
        ),
        Say(
            "1. Call `get_live_orders`: what works, what waits for me, what is in doubt. Of what is in doubt say that it \
             must not be sent again.",
        ),
        Say("1. Call `get_trades` with days 2: what was filled since yesterday."),
        Say(
            "Answer in at most fifteen lines: first what wants my attention, then value and P&L, then movers, then orders. \
             Look only: place, change and cancel nothing.",
        ),
        HONEST,
    ],
};
