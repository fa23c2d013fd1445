//! What is looked at before an answer is believed, where the answer alone does not do.

use std::time::Duration;

use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::{AcceptedRow, OrderAnswer};
use ibd_cpapi::{Failure, faults};

use super::{Heard, Round, by_name, page};
use crate::orders::evidence::{Evidence, is_carried_out};
use crate::orders::intent::Intent;
use crate::orders::lateness;
use crate::orders::order::Purpose;
use crate::session::Lease;

/// Between looks at a page that is to show a change.
const PAGES: [Duration; 3] =
    [Duration::ZERO, Duration::from_millis(400), Duration::from_millis(1_500)];

/// What is seen at the broker before an answer is believed.
pub(super) async fn heard(
    round: &Round,
    lease: &Lease,
    intent: &Intent,
    answer: OrderAnswer,
) -> Heard {
    let seen = match (&answer, &intent.purpose) {
        (OrderAnswer::Accepted(_), Purpose::Modify { order_id, .. }) => {
            Some(Ok(changed(round, lease, intent, *order_id).await))
        }
        (OrderAnswer::Refused(refusal), Purpose::Modify { order_id, .. })
            if !refusal.is_certain() =>
        {
            Some(Ok(changed(round, lease, intent, *order_id).await))
        }
        (OrderAnswer::Refused(refusal), Purpose::Place) if !refusal.is_certain() => {
            Some(refused(round, lease, intent, refusal.order_id).await)
        }
        (OrderAnswer::Accepted(rows), Purpose::Place) if rows.len() > 1 => {
            Some(Ok(rows_seen(round, lease, intent, rows).await))
        }
        (OrderAnswer::PartlyAccepted { accepted, .. }, Purpose::Place) => {
            Some(Ok(rows_seen(round, lease, intent, accepted).await))
        }
        _ => None,
    };
    Heard { answer, seen }
}

/// After a refusal that may be none: the page of the id that it came with, and a list that is young enough.
async fn refused(
    round: &Round,
    lease: &Lease,
    intent: &Intent,
    order_id: Option<OrderId>,
) -> Result<Evidence, Failure> {
    #[cfg(feature = "faults")]
    if crate::orders::mutant::is("believes-refusals") {
        return Ok(Evidence::begin(lease.epoch(), round.through.clone()));
    }
    tokio::time::sleep(faults::scaled(lateness::LIST)).await;
    let mut evidence = by_name(round, lease, intent).await?;
    if let Some(order_id) = order_id {
        evidence.pages.extend(page(round, lease, intent, order_id).await);
    }
    Ok(evidence)
}

/// The pages of orders that came in one submission: which is which, the rows of the answer may not say.
async fn rows_seen(
    round: &Round,
    lease: &Lease,
    intent: &Intent,
    rows: &[AcceptedRow],
) -> Evidence {
    let mut evidence = Evidence::begin(lease.epoch(), round.through.clone());
    if crate::orders::identify::by_themselves(rows, intent).is_some() {
        return evidence;
    }
    for row in rows {
        evidence.pages.extend(page(round, lease, intent, row.order_id).await);
    }
    evidence
}

/// The page of an order that was changed, read until it shows the change, some times at most.
async fn changed(round: &Round, lease: &Lease, intent: &Intent, order_id: OrderId) -> Evidence {
    let mut evidence = Evidence::begin(lease.epoch(), round.through.clone());
    for pause in PAGES {
        tokio::time::sleep(faults::scaled(pause)).await;
        let Some(page) = page(round, lease, intent, order_id).await else { continue };
        let is_there = match (&intent.purpose, &intent.order) {
            (Purpose::Modify { change, .. }, Some(order)) => is_carried_out(&page, order, change),
            _ => true,
        };
        evidence.pages = vec![page];
        if is_there {
            break;
        }
    }
    evidence
}
