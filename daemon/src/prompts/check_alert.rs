//! `check_alert`: what an alert watches, and whether it fired.

use super::{ACCOUNT, Argument, HONEST, Line, Needed, OF_ACCOUNT, Prompt, SESSION};
use Line::{Say, Unless};
use ibd_protocol::Completable;

/// The prompt.
pub const PROMPT: Prompt = Prompt {
    name: "check_alert",
    title: "Check an alert",
    about: "What an alert watches, how far it is from firing, whether it fired, and who was told.",
    needs: &["get_alerts"],
    arguments: &[
        Argument {
            name: "alert",
            about: "Its name or id.",
            is: Needed::Always,
            values: Some(Completable::Alert),
        },
        ACCOUNT,
    ],
    lines: &[
        Unless("account", "Check my alert {alert} at Interactive Brokers."),
        Say("Check my alert {alert} at Interactive Brokers, account {account}."),
        SESSION,
        OF_ACCOUNT,
        Say(
            "1. Call `get_alerts` and find the one with this name or id. If there is none, say which there are and stop.",
        ),
        Say("1. Call `get_alerts` with its `alertId`: the whole of it."),
        Say(
            "1. Call `get_market_data` with the `conid` or `symbol` that it watches: how far it is from firing.",
        ),
        Say(
            "Then sum up: who watches it (IBKR, or ibd while it runs), its condition in words, the value now, whether it \
             fired and when, and since when nothing was watched, if it says so. Create, switch and delete nothing.",
        ),
        HONEST,
    ],
};
