//! `morning_brief`: how an account stands before the day begins.

use super::{ACCOUNT, HONEST, Line, OF_ACCOUNT, Prompt, SESSION, WHICH};
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
        OF_ACCOUNT,
        Say("1. Call `get_account_info`: net liquidation value, today's P&L, cash, margin."),
        Say(
            "1. Call `get_positions` with `sort` dayPnl: what gained most today stands first, what lost most last; of each \
             also its weight and unrealised P&L.",
        ),
        Say(
            "1. Call `get_market_data` once, with the `conids` of the five first and the five last together: the price now, \
             `data`, and whether its `market` is open.",
        ),
        Say(
            "1. Call `get_live_orders`: what works, what waits for me, what is in doubt. Of what is in doubt say that it \
             must not be sent again.",
        ),
        Say("1. Call `get_trades` with `days` 2: what was filled since yesterday."),
        Say("1. Call `get_alerts`: which of them fired."),
        Say(
            "Answer in at most fifteen lines: first what wants my attention, then value and P&L, then movers, then orders. \
             Look only: place, change and cancel nothing.",
        ),
        HONEST,
    ],
};
