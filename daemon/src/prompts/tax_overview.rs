//! `tax_overview`: what a year came to, from Flex statements.

use super::{Argument, HONEST, Line, Needed, Prompt};
use Line::{Say, Unless};
use ibd_protocol::Completable;

/// The prompt.
pub const PROMPT: Prompt = Prompt {
    name: "tax_overview",
    title: "Tax overview of a year",
    about: "Realised gains and losses, dividends and tax withheld by country, interest and fees of a year, and which days are \
            covered.",
    needs: &["ask_flex"],
    arguments: &[
        Argument {
            name: "year",
            about: "A calendar year, for instance 2026.",
            is: Needed::Always,
            values: Some(Completable::Year),
        },
        Argument {
            name: "query",
            about: "Only from this Flex query, by name or number.",
            is: Needed::Perhaps,
            values: Some(Completable::FlexQuery),
        },
        Argument {
            name: "account",
            about: "Only this account, for instance U1234567; all if left out.",
            is: Needed::Perhaps,
            values: Some(Completable::Account),
        },
    ],
    lines: &[
        Say(
            "Give me an overview of {year} for my tax return, from my Interactive Brokers Flex statements.",
        ),
        Say("Use only the Flex query {query}: give `ask_flex` the `query` {query} in every call."),
        Say(
            "Of the account {account} only: give `ask_flex` the `account` {account} in every call.",
        ),
        Say(
            "1. Call `list_flex_queries`: which days of {year} the statements cover, and which are missing.",
        ),
        Say(
            "1. If days of {year} are missing, tell me which, and ask whether to run a query with `get_flex_query` first. \
             Without statements stop here: there is nothing to sum up.",
        ),
        Say("1. Call `ask_flex` with `topic` realized and `year` {year}: gains and losses."),
        Say(
            "1. Call `ask_flex` with `topic` dividends, `year` {year} and `by` country: dividends, what was withheld of them, \
             and what is left (net); then `topic` withholding the same way.",
        ),
        Say(
            "1. Call `ask_flex` with `topic` interest, then with `topic` fees, each with `year` {year}.",
        ),
        Say(
            "Then one table: topic, amount per currency, amount in base currency, rows it is from. Below it: the days that are \
             not covered, and whatever the answers say was not counted. Add nothing up across currencies yourself, and do not \
             add what the answers have not: a sum that is not there is not known.",
        ),
        Unless(
            "query",
            "If statements of several queries overlap, say which query each figure is from.",
        ),
        Say("This is an overview of what IBKR reports and no tax advice; say so."),
        HONEST,
    ],
};
