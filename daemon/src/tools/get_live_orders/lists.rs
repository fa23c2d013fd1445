//! IBKR's lists of some accounts: which are read, how young they must be, and the rows in them.

use std::time::Duration;

use ibd_cpapi::faults;
use ibd_cpapi::id::{AccountId, OrderId};
use ibd_cpapi::orders::{OrderRow, Orders};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::from_here::Listing;
use super::row::Order;
use crate::orders::lateness;
use crate::orders::{Intent, IntentId, Purpose};
use crate::refusal::Refusal;
use crate::tools::Ctx;

/// What is left of a call for its answer, and for a list that takes its time.
const ANSWERED: Duration = Duration::from_secs(5);
/// How late the broker's list is, at the least.
const LAG: SignedDuration = SignedDuration::from_millis(1_500);

/// The broker's lists of some accounts.
#[derive(Debug, Default)]
pub(super) struct Lists {
    pub(super) read: Vec<(AccountId, Timestamp, Vec<OrderRow>)>,
    pub(super) not_read: Vec<String>,
    pub(super) is_cached: bool,
}

impl Lists {
    pub(super) async fn read(ctx: &Ctx, accounts: &[AccountId]) -> Result<Self, Refusal> {
        let mut lists = Self::default();
        let groups = ctx.lease().await?.facts().groups.clone();
        lists.not_read.extend(maybe_missing(&groups));
        // A list that comes unfiltered is one of all accounts: nothing more is asked for then.
        let mut of_all: Option<(Timestamp, Vec<OrderRow>)> = None;
        for (done, account) in accounts.iter().enumerate() {
            if let Some((at, rows)) = &of_all {
                lists.read.push((account.clone(), *at, of(account, &groups, rows)));
                continue;
            }
            if done > 0 && !has_time(ctx) {
                lists.not_read.push(format!(
                    "{account}: IBKR's list can be asked for once in five seconds, and the time was up. Ask again \
                     with accountId {account}."
                ));
                continue;
            }
            ctx.tell(done as u32, Some(accounts.len() as u32), "reading the orders list");
            match list(ctx, account).await {
                Ok(answer) => {
                    let (rows, unread) = answer.value.orders.into_parts();
                    lists.not_read.extend(unread.iter().map(ToString::to_string));
                    ctx.desks.orders.listed(rows.clone(), answer.at);
                    lists.is_cached |= answer.is_cached;
                    lists.read.push((account.clone(), answer.at, of(account, &groups, &rows)));
                    of_all = is_unfiltered(&rows, account, accounts).then_some((answer.at, rows));
                }
                Err(refusal) if accounts.len() == 1 => return Err(refusal),
                Err(refusal) => lists.not_read.push(format!("{account}: {}", refusal.message)),
            }
        }
        Ok(lists)
    }

    /// Whether the list of an account was read.
    pub(super) fn listing(&self, account: &AccountId) -> Listing {
        let is_read = self.read.iter().any(|(read, ..)| read == account);
        if is_read { Listing::Without } else { Listing::NotRead }
    }

    pub(super) fn at(&self) -> Timestamp {
        self.read.iter().map(|(_, at, _)| *at).min().unwrap_or_else(Timestamp::now)
    }

    /// The rows, each order once, with what is known here laid over them; and what is known here and not listed
    /// yet.
    pub(super) fn rows(&self, recent: &[Intent]) -> Vec<Order> {
        let mut rows: Vec<Order> = Vec::new();
        for (account, at, listed) in &self.read {
            let own = |order_id: OrderId| {
                recent.iter().find(|intent| {
                    intent.is_order()
                        && intent.account == *account
                        && intent.state.standing().is_some_and(|standing| {
                            standing.order_id == order_id || standing.part(order_id).is_some()
                        })
                })
            };
            for row in listed {
                if rows.iter().any(|known| known.order_id == row.order_id.to_string()) {
                    continue;
                }
                // An id alone proves nothing: the name, where there is one, must be ours.
                let is_named = |intent: &&Intent| {
                    row.order_ref
                        .as_deref()
                        .is_none_or(|name| IntentId::of_client_order_id(name) == Some(intent.id))
                        && row.conid.is_none_or(|conid| {
                            let has = intent.order.as_ref().and_then(|order| order.contract.conid);
                            has.is_none_or(|has| has == conid)
                        })
                };
                let order = Order::from(row.clone());
                // It was asked for by account, so a row that names none is of that one.
                let asked = || Some(account.to_string());
                let order = Order { account: order.account.clone().or_else(asked), ..order };
                rows.push(match own(row.order_id).filter(is_named) {
                    Some(intent) => order.overlaid(intent, *at),
                    None => order,
                });
            }
            let placed =
                recent.iter().filter(|intent| intent.is_order() && intent.account == *account);
            for intent in placed {
                let Some(standing) = intent.state.standing() else { continue };
                let others = standing.others.iter().map(|part| (part.order_id, part.is_over()));
                let ids = std::iter::once((standing.order_id, standing.is_over())).chain(others);
                let missing = |(id, _): &(OrderId, bool)| {
                    !rows.iter().any(|row| row.order_id == id.to_string())
                };
                let missing: Vec<_> = ids.clone().filter(missing).collect();
                let is_newer = |id: OrderId| {
                    at.duration_since(intent.known_at_of(id)) < lateness::scaled(lateness::LIST)
                };
                // Of a submission that is told in part the rest is told, too; one that is not listed at all
                // stands in fromHere.
                let is_there =
                    missing.len() < ids.count() || missing.iter().any(|(id, _)| is_newer(*id));
                for (id, is_over) in missing {
                    let is_told = is_newer(id) || is_there && !is_over;
                    let known_at = intent.known_at_of(id);
                    rows.extend(is_told.then(|| Order::from_here(intent, id, known_at)).flatten());
                }
            }
        }
        rows
    }
}

/// The list of one account. What was done from here to orders that are not followed here, to all of them or to
/// somebody else's, only a list shows that is younger.
async fn list(ctx: &Ctx, account: &AccountId) -> Result<ibd_cpapi::Answer<Orders>, Refusal> {
    let (feeds, deadline) = (&ctx.desks.feeds, ctx.deadline);
    let answer =
        ctx.read(|lease| async move { feeds.list(&lease, account, deadline).await }).await?;
    let recent = ctx.desks.orders.recent().await.unwrap_or_default();
    let is_blind = |intent: &&Intent| {
        intent.account == *account
            && match intent.purpose {
                Purpose::CancelAll => true,
                Purpose::Cancel { of, .. } | Purpose::Modify { of, .. } => of.is_none(),
                Purpose::Place => false,
            }
    };
    // What a clock that was set back since has written is not waited for.
    let (done, now) = (recent.iter().filter(is_blind).map(|intent| intent.since), Timestamp::now());
    let last = done.filter(|since| *since <= now).max();
    let Some(young) = last.and_then(|last| last.checked_add(LAG).ok()) else { return Ok(answer) };
    if answer.at >= young {
        return Ok(answer);
    }
    let wait = Duration::try_from(young.duration_since(Timestamp::now())).unwrap_or_default();
    tokio::time::sleep(faults::scaled(wait)).await;
    let younger =
        ctx.read(|lease| async move { feeds.list_anew(&lease, account, deadline).await }).await;
    Ok(younger.unwrap_or(answer))
}

/// The rows of one account; what says no account may be of any, and so may what says a group of them.
fn of(account: &AccountId, groups: &[AccountId], rows: &[OrderRow]) -> Vec<OrderRow> {
    let may_be = |named: &AccountId| named == account || groups.contains(named);
    let is_own = |row: &&OrderRow| row.account.as_ref().is_none_or(may_be);
    rows.iter().filter(is_own).cloned().collect()
}

/// Whether IBKR's list of an account has the orders that were given for a group of them is not known.
fn maybe_missing(groups: &[AccountId]) -> Option<String> {
    let names: Vec<&str> = groups.iter().map(AccountId::as_str).collect();
    (!names.is_empty()).then(|| {
        format!(
            "Orders for several accounts together ({}): the lists are read account by account, and IBKR may leave \
             such orders out of them. TWS shows all.",
            names.join(", ")
        )
    })
}

/// Whether the broker gave more than the list of the account that was asked for.
fn is_unfiltered(rows: &[OrderRow], account: &AccountId, accounts: &[AccountId]) -> bool {
    let other = |own: &AccountId| own != account && accounts.contains(own);
    rows.iter().any(|row| row.account.as_ref().is_some_and(other))
}

/// Whether one more list can come before the caller's time is up.
fn has_time(ctx: &Ctx) -> bool {
    let left = ctx.deadline.saturating_duration_since(Instant::now());
    left > faults::scaled(lateness::LIST) + ANSWERED
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::orders::tests::order;
    use crate::orders::{IntentState as State, Origin, Part, Pricing, Seed, Standing};
    use ibd_cpapi::orders::Side;
    use jiff::SignedDuration;

    #[test]
    fn a_list_that_comes_unfiltered_is_one_of_all_accounts() {
        let rows: Vec<OrderRow> = serde_json::from_str(
            r#"[{"orderId":1,"account":"DU1"},{"orderId":2,"account":"DU2"},{"orderId":3},
                {"orderId":4,"account":"DU9"}]"#,
        )
        .unwrap();
        let accounts: Vec<AccountId> = ["DU1", "DU2"].map(|id| id.parse().unwrap()).into();
        let ids = |account: &AccountId| {
            of(account, &[], &rows).iter().map(|row| row.order_id.get()).collect::<Vec<_>>()
        };
        assert_eq!((ids(&accounts[0]), ids(&accounts[1])), (vec![1, 3], vec![2, 3]));
        let groups: Vec<AccountId> = vec!["DU9".parse().unwrap()];
        assert_eq!(of(&accounts[0], &groups, &rows).len(), 3, "an order for a group may be of it");
        assert!(is_unfiltered(&rows, &accounts[0], &accounts));
        assert!(!is_unfiltered(&rows[..1], &accounts[0], &accounts));
        assert!(!is_unfiltered(&rows[2..], &accounts[0], &accounts), "no account of this login");
    }

    #[test]
    fn an_adviser_is_told_that_orders_for_groups_may_be_missing() {
        let groups: Vec<AccountId> = ["All", "Growth"].map(|id| id.parse().unwrap()).into();
        assert!(maybe_missing(&groups).unwrap().contains("(All, Growth)"));
        assert_eq!(maybe_missing(&[]), None);
    }

    fn bracket(known_at: Timestamp) -> Intent {
        let order = order(Side::Buy, "10", Pricing::Market);
        let part = |id: &str| Part {
            status: Some("PreSubmitted".into()),
            ..Part::new(id.parse().unwrap())
        };
        let standing = Standing {
            others: vec![part("8"), part("9")],
            ..Standing::new("7".parse().unwrap(), "Submitted")
        };
        let origin = Origin {
            client: "c".into(),
            tool: "place_order".into(),
            key: "k".into(),
            hash: "h".into(),
            bound: Vec::new(),
        };
        let seed = Seed {
            purpose: Purpose::Place,
            account: order.account.clone(),
            text: order.shown(),
            order: Some(order),
            origin,
        };
        Intent::new(IntentId::new(), seed, State::Working(standing), known_at).unwrap()
    }

    fn told(intent: &Intent, at: Timestamp, listed: &str) -> Vec<u64> {
        let listed = serde_json::from_str(listed).unwrap();
        let read = vec![(intent.account.clone(), at, listed)];
        let lists = Lists { read, ..Lists::default() };
        let rows = lists.rows(std::slice::from_ref(intent));
        rows.iter().map(|row| row.order_id.parse().unwrap()).collect()
    }

    #[test]
    fn what_a_list_is_too_late_for_is_told_and_of_a_submission_the_whole() {
        let now = Timestamp::now() - SignedDuration::from_secs(60);
        let known = |seconds| bracket(now - SignedDuration::from_secs(seconds));
        assert_eq!(told(&known(2), now, "[]"), [7, 8, 9], "a list is five seconds late");
        assert_eq!(told(&known(30), now, "[]"), [0; 0], "it stands in fromHere");
        let stop = r#"[{"orderId":9,"status":"PreSubmitted"}]"#;
        assert_eq!(told(&known(30), now, stop), [9, 7, 8]);
        // Of the children one knows more than of the first, by a page.
        let later = Intent { parts_known_at: Some(now), ..known(30) };
        assert_eq!(told(&later, now, "[]"), [7, 8, 9]);
    }
}
