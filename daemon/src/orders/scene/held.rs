//! What is held of a contract, and what works for it: by the broker's lists, and by our own journal.

use ibd_cpapi::Failure;
use ibd_cpapi::contracts::SecType;
use ibd_cpapi::id::{AccountId, Conid, OrderId};
use ibd_cpapi::orders::{Meaning, OrderRow, Side, Stage};
use ibd_cpapi::portfolio::GetHoldings;
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use tokio::time::Instant;

use super::Needs;
use crate::orders::asked::{Attached, Size};
use crate::orders::guardrails::{Resting, Scene};
use crate::orders::intent::Intent;
use crate::orders::life::{End, State};
use crate::orders::order::{Order, Purpose, Traded};
use crate::orders::standing::Seen;
use crate::orders::tickets::opposite;
use crate::session::Lease;

/// What is held of a contract, and what works for it.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) position: Option<Decimal>,
    pub(super) working: Option<Vec<Resting>>,
}

/// What works is asked for only where the order closes something: the list may be asked for once in five
/// seconds.
pub(super) async fn gather(
    lease: &Lease,
    needs: &Needs,
    order: &Order,
    deadline: Instant,
) -> Result<Held, Failure> {
    let Some(conid) = order.contract.conid else { return Ok(Held::default()) };
    let position = position(lease, &order.account, &order.contract, deadline).await?;
    let closes = position.is_some_and(|held| match order.side {
        Side::Buy => held < Decimal::ZERO,
        Side::Sell => held > Decimal::ZERO,
    });
    if !closes {
        return Ok(Held { position, working: None });
    }
    let list = if needs.fresh_list {
        needs.feeds.list_anew(lease, &order.account, deadline).await?
    } else {
        needs.feeds.list(lease, &order.account, deadline).await?
    };
    let orders = &list.value.orders;
    let working = orders.is_whole().then(|| resting(orders, &order.account, conid)).flatten();
    Ok(Held { position, working })
}

/// How much of a contract an account holds. `None`: it is not known, or it is nothing that is held.
pub async fn position(
    lease: &Lease,
    account: &AccountId,
    contract: &Traded,
    deadline: Instant,
) -> Result<Option<Decimal>, Failure> {
    let Some(conid) = contract.conid.filter(|_| contract.sec_type != SecType::Cash) else {
        return Ok(None);
    };
    let request = GetHoldings { account: account.clone() };
    let holdings = lease.client().ask(&request, deadline).await?.value;
    // The row that cannot be read may be this contract's.
    if !holdings.is_whole() {
        return Ok(None);
    }
    let own = holdings.iter().filter(|holding| holding.conid == conid);
    Ok(own.map(|holding| holding.position.map(|quantity| quantity.get())).sum())
}

/// The orders of a list that work for a contract. `None`: of one of them it is not known what it would do.
fn resting(rows: &[OrderRow], account: &AccountId, conid: Conid) -> Option<Vec<Resting>> {
    let is_ours = |row: &&OrderRow| row.account.as_ref().is_none_or(|owner| owner == account);
    let works = |row: &&OrderRow| row.status.as_ref().and_then(Stage::can_fill) != Some(false);
    let has_leg = |row: &&OrderRow| row.conid.is_none() && names_leg(row.conidex.as_deref(), conid);
    let open = rows.iter().filter(is_ours).filter(works);
    // Of what names no contract at all it is not known what it would do.
    let is_nameless = |row: &OrderRow| row.conid.is_none() && row.conidex.is_none();
    let about = open.filter(|row| row.conid == Some(conid) || has_leg(row) || is_nameless(row));
    about
        .map(|row| {
            let rest = || Some(row.quantity?.get() - row.filled?.get());
            Some(Resting {
                order_id: Some(row.order_id),
                name: row.order_id.to_string(),
                side: row.side.as_ref()?.known().filter(|_| row.conid.is_some())?,
                remaining: row.remaining.map(|quantity| quantity.get()).or_else(rest)?,
                filled: row.filled.map(|quantity| quantity.get()).unwrap_or_default(),
                is_ending: false,
            })
        })
        .collect()
}

/// Whether a combination, written `SPREAD;;;CONID/RATIO,CONID/-RATIO`, has the contract among its legs.
fn names_leg(conidex: Option<&str>, conid: Conid) -> bool {
    let legs = conidex.and_then(|text| text.rsplit(';').next()).unwrap_or_default();
    let number = conid.to_string();
    legs.split(',').any(|leg| leg.split('/').next() == Some(number.as_str()))
}

/// A scene with what our own journal knows besides: orders that the broker's list, which may be some seconds
/// old, does not have yet, what is in doubt, and what of the list is known to be over (`gone`). The order that is
/// judged, and the one that it changes with those that stand and fall with it, are not among what works.
pub fn with_own<'a>(
    scene: &Scene,
    book: impl Iterator<Item = &'a Intent>,
    own: &Intent,
    gone: &BTreeSet<OrderId>,
) -> Scene {
    let mut scene = scene.clone();
    let (Some(mut working), Some(order)) = (scene.working.take(), &own.order) else { return scene };
    let is_same =
        |one: &&Order| one.account == order.account && one.contract.conid == order.contract.conid;
    working.retain(|one| one.order_id.is_none_or(|order| !gone.contains(&order)));
    let (mut family, mut ending) = (Vec::new(), BTreeSet::new());
    for other in book.filter(|other| other.id != own.id) {
        ending.extend(ended_by(other));
        if !other.is_order() {
            continue;
        }
        let Some(first) = other.order.as_ref().filter(is_same) else { continue };
        if own.target() == Some(other.id) {
            let standing = other.state.standing();
            let others = standing.into_iter().flat_map(|standing| &standing.others);
            family.extend(standing.map(|standing| standing.order_id));
            family.extend(others.map(|part| part.order_id));
        }
        let Some(known) = ours(other, first) else { return scene };
        for one in known {
            let is_it = |listed: &&mut Resting| listed.order_id == one.order_id;
            match working.iter_mut().find(is_it).filter(|_| one.order_id.is_some()) {
                // Fills that the list does not have yet; its quantity may have been changed elsewhere.
                Some(listed) => {
                    let newer = (one.filled - listed.filled).max(Decimal::ZERO);
                    listed.remaining = (listed.remaining - newer).max(Decimal::ZERO);
                    listed.filled += newer;
                }
                None => working.push(one),
            }
        }
    }
    for one in &mut working {
        one.is_ending = one.order_id.is_some_and(|order_id| ending.contains(&order_id));
    }
    if let Purpose::Modify { order_id, .. } = own.purpose {
        working.retain(|one| match one.order_id {
            Some(order) => order == order_id || !family.contains(&order),
            None => true,
        });
        let target = working.iter().position(|one| one.order_id == Some(order_id));
        scene.filled = target.map(|at| working.remove(at).filled).unwrap_or_default();
    }
    scene.working = Some(working);
    scene
}

/// The order whose end an intent asked for, where the broker may have heard of that.
fn ended_by(intent: &Intent) -> Option<OrderId> {
    let Purpose::Cancel { order_id, .. } = intent.purpose else { return None };
    let is_asked = intent.state.is_in_doubt()
        || matches!(intent.state, State::Over(End::Done | End::Requested));
    is_asked.then_some(order_id)
}

/// What the journal says of the orders of a submission that may work. `None`: how much that is cannot be told.
fn ours(intent: &Intent, order: &Order) -> Option<Vec<Resting>> {
    let rest: Vec<(Side, Size)> = match &order.attached {
        Attached::Nothing => Vec::new(),
        Attached::Bracket { .. } => vec![(opposite(order.side), order.size); 2],
        Attached::Oca(siblings) => siblings.iter().map(|one| (one.side, one.size)).collect(),
    };
    let one = |order_id: Option<OrderId>, (side, size), filled: Option<Decimal>| {
        let filled = filled.unwrap_or_default();
        // An amount of money buys some of it, and nobody says how much.
        let Size::Quantity(quantity) = size else { return None };
        Some(Resting {
            order_id,
            name: order_id.map_or_else(|| format!("intent {}", intent.id), |id| id.to_string()),
            side,
            remaining: quantity.get().checked_sub(filled)?,
            filled,
            is_ending: false,
        })
    };
    let own = (order.side, order.size);
    // What is filled is filled, whatever a list of some seconds ago says; what is called over otherwise is
    // left to the list.
    let seen = |order_id: OrderId,
                what: (Side, Size),
                status: Option<&Seen>,
                filled: Option<Decimal>| match status {
        Some(status) if status.meaning() == Meaning::Filled => Some(Some(Resting {
            order_id: Some(order_id),
            name: order_id.to_string(),
            side: what.0,
            // Nothing is left of an amount of money either, whatever it bought.
            remaining: Decimal::ZERO,
            filled: match what.1 {
                Size::Quantity(quantity) => quantity.get(),
                Size::Cash(_) => filled.unwrap_or_default(),
            },
            is_ending: false,
        })),
        Some(status) if status.can_fill() == Some(false) => Some(None),
        _ => one(Some(order_id), what, filled).map(Some),
    };
    match &intent.state {
        State::Working(standing) | State::Over(End::Filled(standing)) => {
            let first = seen(standing.order_id, own, Some(&standing.status), standing.filled);
            let others =
                standing.others.iter().zip(rest).map(|(part, what)| {
                    seen(part.order_id, what, part.status.as_ref(), part.filled)
                });
            let all: Option<Vec<_>> = std::iter::once(first).chain(others).collect();
            Some(all?.into_iter().flatten().collect())
        }
        state if state.is_in_doubt() || state.is_in_round() => {
            std::iter::once(own).chain(rest).map(|what| one(None, what, None)).collect()
        }
        _ => Some(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use jiff::Timestamp;

    fn rows(json: &str) -> Vec<OrderRow> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_works_is_counted_and_what_cannot_be_told_is_not_known() {
        let (account, conid) = ("DU1".parse().unwrap(), "265598".parse().unwrap());
        let told = |json: &str| {
            resting(&rows(json), &account, conid).map(|working| {
                let one = |r: &Resting| format!("{} {} {}", r.name, r.side.as_str(), r.remaining);
                working.iter().map(one).collect::<Vec<_>>().join(", ")
            })
        };
        for (list, expected) in [
            ("[]", Some("")),
            (
                r#"[{"orderId":7,"conid":265598,"side":"SELL","remainingQuantity":3,"status":"Submitted"},
                    {"orderId":8,"conid":8314,"side":"SELL","remainingQuantity":3,"status":"Submitted"},
                    {"orderId":9,"conid":265598,"side":"SELL","remainingQuantity":3,"status":"Cancelled"},
                    {"orderId":10,"conid":265598,"side":"BUY","totalSize":5,"filledQuantity":1,"status":"Odd"}]"#,
                Some("7 SELL 3, 10 BUY 4"),
            ),
            (r#"[{"orderId":7,"acct":"DU1","account":"DU2","conid":265598}]"#, Some("")),
            (r#"[{"orderId":7,"conid":265598,"side":"SELL","status":"Submitted"}]"#, None),
            (r#"[{"orderId":7,"conid":265598,"remainingQuantity":3,"status":"Submitted"}]"#, None),
            (
                r#"[{"orderId":7,"conid":-1,"conidex":"28812380;;;265598/1,8314/-1","side":"BUY",
                     "remainingQuantity":1,"status":"Submitted"}]"#,
                None,
            ),
            (
                r#"[{"orderId":7,"conid":-1,"conidex":"28812380;;;8314/-1","side":"BUY",
                     "remainingQuantity":1,"status":"Submitted"}]"#,
                Some(""),
            ),
        ] {
            assert_eq!(told(list).as_deref(), expected, "{list}");
        }
    }

    #[test]
    fn what_the_list_does_not_have_yet_is_known_from_the_journal() {
        use crate::orders::asked::Pricing;
        use crate::orders::guardrails::tests::order;
        use crate::orders::intent::tests::{intent, placed};
        use crate::orders::life::Doubt;
        use crate::orders::standing::Standing;
        let sell = || order(Side::Sell, "10", Pricing::Market);
        let standing = |id: &str, status| Standing::new(id.parse().unwrap(), status);
        let working = |id: &str| State::Working(standing(id, "Submitted"));
        let doubt = Doubt { cause: String::new(), since: Timestamp::now(), looks: 0 };
        let elsewhere = Order { account: "DU9".parse().unwrap(), ..sell() };
        let mut cash = sell();
        cash.size = Size::Cash(ibd_cpapi::money::Amount::new(Decimal::TEN));
        let place = placed;
        let listed = Resting {
            order_id: "7".parse().ok(),
            name: "7".into(),
            side: Side::Sell,
            remaining: Decimal::from(4),
            filled: Decimal::from(6),
            is_ending: false,
        };
        let scene = Scene { working: Some(vec![listed]), ..Scene::default() };
        let cancelled = || place(sell(), State::Over(End::Cancelled(standing("7", "Cancelled"))));
        let own = place(sell(), State::Ready);
        let order_id = "7".parse().unwrap();
        let purpose = Purpose::Modify { order_id, of: None, change: Default::default() };
        let change = intent(purpose, sell(), State::Ready);
        for (other, own, expected) in [
            (place(sell(), working("7")), &own, Some("4")),
            (place(sell(), working("8")), &own, Some("4 10")),
            (place(sell(), State::Sending), &own, Some("4 10")),
            (place(sell(), State::Unknown(doubt.clone())), &own, Some("4 10")),
            (place(sell(), State::Ready), &own, Some("4")),
            (place(sell(), State::Over(End::Filled(standing("8", "Filled")))), &own, Some("4 0")),
            (place(sell(), State::Over(End::Filled(standing("7", "Filled")))), &own, Some("0")),
            // Once that is not known to be new any more, it is the list that counts.
            (cancelled(), &own, Some("4")),
            (place(elsewhere, working("8")), &own, Some("4")),
            (place(cash.clone(), working("8")), &own, None),
            (place(cash, State::Over(End::Filled(standing("8", "Filled")))), &own, Some("4 0")),
            (own.clone(), &own, Some("4")),
            (place(sell(), working("8")), &change, Some("10")),
        ] {
            let seen = with_own(&scene, std::iter::once(&other), own, &BTreeSet::new());
            let rest = seen.working.map(|working| {
                working.iter().map(|one| one.remaining.to_string()).collect::<Vec<_>>().join(" ")
            });
            assert_eq!(rest.as_deref(), expected, "{:?}", other.state);
            let is_change = own.id == change.id;
            // A list goes on showing for some seconds what has ended.
            let gone = BTreeSet::from(["7".parse().unwrap()]);
            let seen_gone = with_own(&scene, std::iter::empty(), own, &gone);
            assert_eq!(seen_gone.working, Some(Vec::new()));
            assert_eq!(seen.filled, if is_change { Decimal::from(6) } else { Decimal::ZERO });
        }
        // What was cancelled from here works until IBKR shows its end, and is known to be ending.
        let cancelling = Purpose::Cancel { order_id, of: None };
        for (state, is_ending) in [
            (State::Over(End::Done), true),
            (State::Unknown(doubt), true),
            (State::Over(End::NotTaken), false),
            (State::Ready, false),
        ] {
            let end = intent(cancelling.clone(), sell(), state);
            let seen = with_own(&scene, std::iter::once(&end), &own, &BTreeSet::new());
            assert_eq!(seen.working.unwrap()[0].is_ending, is_ending, "{:?}", end.state);
        }
    }
}
