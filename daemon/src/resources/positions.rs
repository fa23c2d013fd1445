//! `ib://positions/{accountId}`: what an account holds.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use ibd_cpapi::faults;
use ibd_cpapi::id::AccountId;
use ibd_cpapi::stream::{Topic, Update};
use ibd_cpapi::trades::Execution;
use ibd_protocol::Variable;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::follow::{LATER, at};
use super::pushes::Pushes;
use super::{Follow, Following, Looked, Looking, Resource};
use crate::orders::{Intent, IntentId};
use crate::portfolio;
use crate::refusal::Refusal;

/// The kind of resources.
pub const RESOURCE: Resource = Resource {
    uri: "ib://positions/{accountId}",
    name: "positions",
    title: "Positions",
    about: "Everything an account holds: symbol, quantity, average price, the portfolio's last mark, value and P&L. \
            Told when an execution of the account comes, and once more some seconds later; not when only prices move: \
            for these follow a quote.",
    variable: Some(Variable::Word),
    tool: "get_positions",
    arguments,
    listed,
    look: Some(look),
    begin,
};

/// Executions that are remembered, so that each is told once. No account makes so many in a day.
const MOST: usize = 10_000;
/// As the orders want it, so that there is one subscription.
const DAYS: u8 = 1;

fn arguments(account: &str) -> Value {
    json!({ "accountId": account })
}

fn listed(accounts: &[AccountId]) -> Vec<String> {
    accounts.iter().map(ToString::to_string).collect()
}

/// Whether it is an account of the login. Without a login that is not known, and is said by whoever reads it.
fn look(looking: Looking) -> Looked {
    Box::pin(async move {
        let account = account(&looking.value)?;
        let Some(lease) = looking.lease() else { return Ok(()) };
        portfolio::pick(Some(&account), None, lease.facts()).map(|_| ())
    })
}

fn account(value: &str) -> Result<AccountId, Refusal> {
    value.parse().map_err(|_| {
        Refusal::argument("accountId", "This is no account.", "Use an account of the login.")
    })
}

fn begin(follow: Follow) -> Result<Following, Refusal> {
    let account = account(&follow.value)?;
    Ok(Box::pin(run(follow, account)))
}

async fn run(follow: Follow, account: AccountId) {
    let mut served = follow.served();
    let mut changes = follow.desks.orders.changes().subscribe();
    let mut filled = fills(&follow, &account).await;
    let told = Mutex::new(Told { account: account.clone(), seen: HashSet::new() });
    let topic = Topic::Executions { days: DAYS };
    let mut pushes = Pushes::of(&follow.desks.stream, topic, move |update| match update {
        Update::Executions(fills) => {
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            // Each is looked at: `any` would stop at the first.
            fills.iter().filter(|fill| told.takes(fill)).count() > 0
        }
        _ => false,
    });
    let mut again: Option<Instant> = None;
    loop {
        let is_served = served.is_served();
        pushes.listen_if(is_served);
        tokio::select! {
            () = served.changed() => {}
            // A look may see what the stream has not told.
            _ = changes.changed(), if is_served => {
                let now = fills(&follow, &account).await;
                if now == filled {
                    continue;
                }
                filled = now;
            }
            () = pushes.came(), if is_served => {
                again = Some(Instant::now() + faults::scaled(LATER));
            }
            () = at(again) => again = None,
        }
        follow.tell().await;
    }
}

/// Executions that were told: IBKR tells each again, to whoever begins to listen, and when it has its commission.
struct Told {
    account: AccountId,
    seen: HashSet<(String, bool)>,
}

impl Told {
    /// Whether an execution is news of the account.
    fn takes(&mut self, fill: &Execution) -> bool {
        if fill.account.as_ref().is_some_and(|own| *own != self.account) {
            return false;
        }
        if self.seen.len() >= MOST {
            self.seen.clear();
        }
        self.seen.insert((fill.execution_id.clone(), fill.commission.is_some()))
    }
}

/// What is known to be filled of each order that was sent from here.
type Fills = Vec<(IntentId, Vec<Option<Decimal>>)>;

async fn fills(follow: &Follow, account: &AccountId) -> Fills {
    let recent = follow.desks.orders.recent().await.unwrap_or_default();
    recent.iter().filter(|intent| intent.account == *account).filter_map(filled).collect()
}

fn filled(intent: &Intent) -> Option<(IntentId, Vec<Option<Decimal>>)> {
    let standing = intent.state.standing()?;
    let parts = standing.others.iter().map(|part| part.filled);
    let all: Vec<Option<Decimal>> = std::iter::once(standing.filled).chain(parts).collect();
    all.iter().flatten().any(|size| !size.is_zero()).then_some((intent.id, all))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_execution_of_the_account_is_news_once_and_once_more_with_its_commission() {
        let account = "DU1".parse().unwrap();
        let mut told = Told { account, seen: HashSet::new() };
        for (row, expected) in [
            (r#"{"execution_id":"1","size":5,"account":"DU1"}"#, true),
            (r#"{"execution_id":"1","size":5,"account":"DU1"}"#, false),
            (r#"{"execution_id":"1","size":5,"account":"DU1","commission":1}"#, true),
            (r#"{"execution_id":"1","size":5,"account":"DU1","commission":1}"#, false),
            (r#"{"execution_id":"2","size":5,"account":"DU2"}"#, false),
            (r#"{"execution_id":"3","size":5}"#, true),
        ] {
            let fill: Execution = serde_json::from_str(row).unwrap();
            assert_eq!(told.takes(&fill), expected, "{row}");
        }
    }
}
