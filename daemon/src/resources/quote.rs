//! `ib://quote/{conid}`: what a contract is worth now.

use ibd_cpapi::id::Conid;
use ibd_protocol::{ErrorCode, Variable};
use serde_json::{Value, json};

use super::{Follow, Following, Resource, none};
use crate::market::{Followed, MOST_FOLLOWED};
use crate::refusal::Refusal;

/// The kind of resources.
pub const RESOURCE: Resource = Resource {
    uri: "ib://quote/{conid}",
    name: "quote",
    title: "Quote",
    about: "A contract's quote, by IBKR's number: last, bid, ask, change, volume, greeks of an option; whether it is \
            live or delayed, and why a value is missing. Told when any value of it changes, four times a second at \
            most.",
    variable: Some(Variable::Number),
    tool: "get_market_data",
    arguments,
    listed: none,
    begin,
};

fn arguments(conid: &str) -> Value {
    // The reader of arguments takes a number in a text.
    json!({ "conid": conid })
}

fn begin(follow: Follow) -> Result<Following, Refusal> {
    let conid: Conid = follow.value.parse().map_err(|_| {
        let message = format!("{} is no number of a contract.", follow.value);
        Refusal::new(ErrorCode::UnknownSymbol, message, "Use a conid that a search gave.")
    })?;
    let line = follow.desks.market.follow(conid).ok_or_else(no_line)?;
    Ok(Box::pin(run(follow, line)))
}

async fn run(follow: Follow, mut line: Followed) {
    let mut served = follow.served();
    loop {
        // Nobody takes a line of a login that does not serve it.
        line.set_live(served.is_served());
        tokio::select! {
            () = served.changed() => {}
            () = line.moved() => {}
        }
        follow.tell().await;
    }
}

fn no_line() -> Refusal {
    Refusal::new(
        ErrorCode::TooBusy,
        format!(
            "{MOST_FOLLOWED} contracts are followed already: IBKR gives a login 100 lines of market data, and some \
             are kept for whoever asks."
        ),
        "Give up a quote that is followed, or ask for the quote when it is needed.",
    )
}
