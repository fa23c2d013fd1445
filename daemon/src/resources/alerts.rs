//! `ib://alerts`: the alerts that IBKR keeps, and those that ibd watches itself.

use ibd_cpapi::faults;
use jiff::Timestamp;
use tokio::time::Instant;

use super::follow::{LOOK, at};
use super::{Follow, Following, Resource, no_arguments, none};
use crate::alerts::Shown;
use crate::refusal::Refusal;

/// The resource.
pub const RESOURCE: Resource = Resource {
    uri: "ib://alerts",
    name: "alerts",
    title: "Alerts",
    about: "The alerts that Interactive Brokers keeps, and those that ibd watches itself, with whether they fired. Told \
            when one of ibd's own changes or fires, and once a minute, because IBKR tells nothing of its own.",
    variable: None,
    tool: "get_alerts",
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
    let mut changes = follow.desks.alerts.changes();
    let mut known = own(&follow).await;
    let mut due = Instant::now() + faults::scaled(LOOK);
    loop {
        tokio::select! {
            () = served.changed() => {}
            _ = changes.changed() => {
                let now = own(&follow).await;
                if now == known {
                    continue;
                }
                known = now;
            }
            () = at(Some(due)) => {
                due = Instant::now() + faults::scaled(LOOK);
                if !served.is_served() {
                    continue;
                }
            }
        }
        follow.tell().await;
    }
}

/// What a client may hear of ibd's own alerts, but for what only time and the market change.
async fn own(follow: &Follow) -> Vec<(String, String, &'static str, Option<Timestamp>)> {
    let listing = follow.desks.alerts.list_for(&follow.policy).await;
    let alerts = listing.map(|listing| listing.alerts).unwrap_or_default();
    let told = |alert: Shown| (alert.id.to_string(), alert.text, alert.state, alert.fired_at);
    alerts.into_iter().map(told).collect()
}
