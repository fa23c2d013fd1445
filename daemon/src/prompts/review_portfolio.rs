//! `review_portfolio`: how an account did, and what it is invested in.

use super::{ACCOUNT, HONEST, Line, OF_ACCOUNT, Prompt, SESSION, WHICH};
use Line::{Say, Unless};

/// The prompt.
pub const PROMPT: Prompt = Prompt {
    name: "review_portfolio",
    title: "Review my portfolio",
    about: "How my account did this year, what it is invested in, and where much hangs on one thing.",
    needs: &["get_performance", "get_allocation"],
    arguments: &[ACCOUNT],
    lines: &[
        Unless("account", "Review my portfolio at Interactive Brokers."),
        Say("Review my portfolio at Interactive Brokers, account {account}."),
        SESSION,
        WHICH,
        OF_ACCOUNT,
        Say("1. Call `get_account_info`: net liquidation value, cash, margin in use."),
        Say(
            "1. Call `get_performance` with `period` YTD: the time-weighted `returnPct`, which deposits and withdrawals do not \
             change, beside `navChange`, which they do.",
        ),
        Say("1. Call `get_allocation`: by kind of asset, sector and currency."),
        Say(
            "1. Call `get_positions` with `sort` weight and `limit` 20: the largest holdings, their weight and P&L.",
        ),
        Say(
            "1. Call `get_watchlists`: which lists I keep; ask me whether I want one of them beside it.",
        ),
        Say(
            "Then sum up: how it did and since when, the largest positions and how much of the whole hangs on one of them, \
             sectors and currencies, what is borrowed. Give no advice that I did not ask for; place, change and cancel \
             nothing.",
        ),
        HONEST,
    ],
};
