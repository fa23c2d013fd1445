//! Order desks that are wrong on purpose, so that the fault campaign can prove that it would see them
//! (docs/faults.md). `IBD_MUTANT` names one; only with the feature `faults`. Most are a hook in the decision that
//! they spoil.

mod names;

use std::sync::OnceLock;

use ibd_cpapi::Client;
use ibd_cpapi::orders::{OrderAnswer, PlaceOrders, read_answer};
use tokio::time::Instant;

use super::intent::IntentId;
use super::order::Order;
use super::tickets;

/// `new-id`: whatever was not answered clearly is sent again, under another name.
pub async fn retried(
    client: &Client,
    order: &Order,
    deadline: Instant,
    answer: OrderAnswer,
) -> OrderAnswer {
    let is_unclear = matches!(answer, OrderAnswer::Ambiguous(_) | OrderAnswer::NotSent(_));
    let name = IntentId::new().client_order_id();
    let (true, Some(name)) = (is("new-id") && is_unclear, name) else { return answer };
    let tickets = tickets::place(order, &name);
    let write = PlaceOrders { account: order.account.clone(), tickets };
    read_answer(client.send(&write, deadline).await)
}

/// `late-journal`: that something is being sent is written only together with what came of it. `None`: not
/// now.
pub fn held_back(held: &mut Vec<Vec<u8>>, records: Vec<Vec<u8>>) -> Option<Vec<Vec<u8>>> {
    const SENDING: &[u8] = br#""state":"Sending""#;
    let is_sending =
        |record: &Vec<u8>| record.windows(SENDING.len()).any(|window| window == SENDING);
    let is_held = is("late-journal") && records.iter().any(is_sending);
    held.extend(records);
    (!is_held).then(|| std::mem::take(held))
}

/// Whether this daemon is the mutant of that name.
pub fn is(name: &str) -> bool {
    debug_assert!(names::NAMES.contains(&name), "the campaign does not know {name}");
    static MUTANT: OnceLock<Option<String>> = OnceLock::new();
    MUTANT.get_or_init(|| std::env::var("IBD_MUTANT").ok()).as_deref() == Some(name)
}
