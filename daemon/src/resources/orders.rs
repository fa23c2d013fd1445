//! `ib://orders`: the orders that the broker lists, and what was sent from here.

use ibd_cpapi::faults;
use ibd_cpapi::stream::{Topic, Update};
use tokio::time::Instant;

use super::follow::{LATER, at};
use super::pushes::Pushes;
use super::{Follow, Following, Resource, no_arguments, none};
use crate::refusal::Refusal;

/// The resource.
pub const RESOURCE: Resource = Resource {
    uri: "ib://orders",
    name: "orders",
    title: "Live orders",
    about: "The orders of all accounts that Interactive Brokers lists, those still working first, and what was sent \
            from here and waits or is in doubt. Told when IBKR tells of an order, wherever it was entered, when what \
            is known here of one changes, and once more six seconds later, because IBKR's list is five seconds late.",
    variable: None,
    tool: "get_live_orders",
    arguments: no_arguments,
    listed: none,
    look: None,
    begin,
};

fn begin(follow: Follow) -> Result<Following, Refusal> {
    Ok(Box::pin(run(follow)))
}

async fn run(follow: Follow) {
    let mut served = follow.served();
    let mut changes = follow.desks.orders.changes().subscribe();
    let is_of_orders = |update: &Update| matches!(update, Update::Orders(_));
    let mut pushes = Pushes::of(&follow.desks.stream, Topic::Orders, is_of_orders);
    let mut again: Option<Instant> = None;
    loop {
        let is_served = served.is_served();
        pushes.listen_if(is_served);
        tokio::select! {
            () = served.changed() => {}
            _ = changes.changed(), if is_served => {}
            () = pushes.came(), if is_served => {
                again = Some(Instant::now() + faults::scaled(LATER));
            }
            () = at(again) => again = None,
        }
        follow.tell().await;
    }
}
