//! `ib://quote/{conid}`: what a contract is worth now.

use ibd_cpapi::id::Conid;
use ibd_protocol::{ErrorCode, Variable};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use super::{Follow, Following, Looked, Looking, Resource, none};
use crate::contracts;
use crate::contracts::find::unknown_conid;
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
    look: Some(look),
    begin,
};

/// Whoever subscribes waits no longer to be told that there is no such contract.
const SOON: Duration = Duration::from_secs(5);

fn arguments(conid: &str) -> Value {
    // The reader of arguments takes a number in a text.
    json!({ "conid": conid })
}

/// Whether IBKR knows such a contract. While it cannot be asked that is not known, and is said by whoever reads it.
fn look(looking: Looking) -> Looked {
    Box::pin(async move {
        let conid = conid(&looking.value)?;
        let Some(lease) = looking.lease() else { return Ok(()) };
        let deadline = Instant::now() + SOON;
        match contracts::is_unknown(&lease, &looking.desks.store, conid, deadline).await {
            Ok(true) => Err(unknown_conid(conid)),
            Ok(false) | Err(_) => Ok(()),
        }
    })
}

fn conid(value: &str) -> Result<Conid, Refusal> {
    value.parse().map_err(|_| {
        let message = format!("{value} is no number of a contract.");
        Refusal::new(ErrorCode::UnknownSymbol, message, "Use a conid that a search gave.")
    })
}

fn begin(follow: Follow) -> Result<Following, Refusal> {
    let conid = conid(&follow.value)?;
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
