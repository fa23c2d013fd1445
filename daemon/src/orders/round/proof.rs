//! What is looked at before something is sent: the session, the market, the order that is meant, the first try.

use std::time::Duration;

use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::OrderRow;
use ibd_cpapi::{Failure, faults};
use ibd_protocol::ReasonCode;
use jiff::Timestamp;
use tokio::time::Instant;

use super::{Round, TARGET, Target, by_name};
use crate::orders::evidence::Evidence;
use crate::orders::guardrails::Denial;
use crate::orders::intent::Intent;
use crate::orders::order::{Order, Purpose};
use crate::orders::page::Page;
use crate::orders::{Proof, lateness, scene};
use crate::session::Lease;

/// What a last look before sending may take.
const PROOF: Duration = Duration::from_secs(15);
/// How long before a request a list is read for it, at most.
const JUST: Duration = Duration::from_secs(2);

/// The last look before an order or a change goes.
pub(in crate::orders) async fn prove_order(
    round: &Round,
    intent: &Intent,
    order: &Order,
) -> Result<Proof, Denial> {
    // It may wait for a list: what is known of the market must be newer than that.
    let first = match &round.first {
        Some((first, since)) => Some(Box::new(first_try_seen(round, order, first, *since).await?)),
        None => None,
    };
    let lease = scene::prove(&round.session, &order.account, order.paper).await?;
    let deadline = Instant::now() + faults::patience(PROOF);
    let gathered = scene::gather(&lease, &round.market, order, round.needs.clone(), deadline).await;
    let scene = gathered.map_err(|failure| no_session(&failure))?;
    let mut proof = Proof { lease, scene: Some(scene), target: None, first };
    if let Purpose::Modify { order_id, .. } = intent.purpose {
        proof.target = Some(Box::new(target(round, &proof.lease, intent, order_id).await?));
    }
    Ok(proof)
}

async fn first_try_seen(
    round: &Round,
    order: &Order,
    first: &Intent,
    since: Timestamp,
) -> Result<Evidence, Denial> {
    let lease = scene::prove(&round.session, &order.account, order.paper).await?;
    first_try(round, &lease, first, since).await.map_err(|failure| {
        Denial::new(
            ReasonCode::FirstTryUnknown,
            format!("Whether IBKR has the first try of this order could not be seen: {failure}."),
            "Nothing was sent. Look at get_live_orders; then ask the user whether to try again.",
        )
    })
}

fn no_session(failure: &Failure) -> Denial {
    let next = "Nothing was sent. Call get_session_status; when it is ready, ask again.";
    Denial::new(ReasonCode::NoSession, failure.to_string(), next)
}

/// An end of an order needs a session of its account, and nothing else: the mode does not matter.
pub(in crate::orders) async fn prove_account(
    round: &Round,
    intent: &Intent,
) -> Result<Proof, Denial> {
    let deadline = Instant::now() + faults::patience(PROOF);
    let lease = round
        .session
        .lease(deadline)
        .await
        .map_err(|refusal| Denial::new(ReasonCode::NoSession, refusal.message, refusal.next))?;
    if !lease.facts().accounts.contains(&intent.account) {
        return Err(Denial::new(
            ReasonCode::OtherLogin,
            format!("The login that is there now does not have the account {}.", intent.account),
            "Call get_session_status and ask the user.",
        ));
    }
    let target = match intent.purpose {
        Purpose::Cancel { order_id, .. } => {
            Some(Box::new(target(round, &lease, intent, order_id).await?))
        }
        _ => None,
    };
    Ok(Proof { lease, scene: None, target, first: None })
}

/// The order that is to be changed or ended, as the broker shows it now. Its hours only the list says. An error:
/// the session is not what it was, so nothing goes through it.
async fn target(
    round: &Round,
    lease: &Lease,
    intent: &Intent,
    order_id: OrderId,
) -> Result<Target, Denial> {
    let deadline = Instant::now() + faults::patience(TARGET);
    let began = Some(Timestamp::now());
    let page = round.feeds.page(lease, &intent.account, order_id, deadline).await;
    let is_change = intent.order.is_some();
    let row = if is_change { listed(round, lease, intent, order_id, deadline).await } else { None };
    match page {
        Ok(page) => {
            let page = page.map(|page| Page::of(&page.value));
            Ok(Target { page, began, row, failed: None })
        }
        Err(
            failure @ (Failure::NotLoggedIn
            | Failure::Denied(_)
            | Failure::NoBrokerage(_)
            | Failure::NotPrimed
            | Failure::OtherCertificate),
        ) => {
            round.session.suspect(lease);
            Err(no_session(&failure))
        }
        Err(failure) => Ok(Target { page: None, began, row, failed: Some(failure.to_string()) }),
    }
}

/// Its row, in a list that was read for this request: one from before may not show what a person changed since.
async fn listed(
    round: &Round,
    lease: &Lease,
    intent: &Intent,
    order_id: OrderId,
    deadline: Instant,
) -> Option<OrderRow> {
    let (feeds, account) = (&round.feeds, &intent.account);
    let just = lateness::scaled(JUST);
    let mut list = feeds.list(lease, account, deadline).await.ok()?;
    if intent.created_at.duration_since(list.at) > just {
        list = feeds.list_anew(lease, account, deadline).await.ok()?;
    }
    list.value.orders.into_iter().find(|row| row.order_id == order_id)
}

/// Looks for the first try of an order whose question was declined: declined questions have come alive. The
/// list must show what was there once it could have: one that somebody else read meanwhile is given again.
async fn first_try(
    round: &Round,
    lease: &Lease,
    first: &Intent,
    since: Timestamp,
) -> Result<Evidence, Failure> {
    let age = Duration::try_from(Timestamp::now().duration_since(since)).unwrap_or_default();
    let patience = lateness::RISE + lateness::LIST;
    tokio::time::sleep(faults::scaled(patience).saturating_sub(age)).await;
    by_name(round, lease, first).await
}
