//! `cancel_order`: ends one order, or all. Never needs a person's approval.

use std::collections::BTreeSet;
use std::time::Duration;

use ibd_cpapi::faults;
use ibd_cpapi::id::{AccountId, OrderId};
use ibd_cpapi::orders::{Meaning, OrderRow, Stage};
use ibd_protocol::{Effect, ErrorCode, Toolset};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::Instant;

use super::args;
use super::order_flow;
use super::order_out::{self, Out, answer};
use super::{Ctx, Tool};
use crate::orders::page::Page;
use crate::orders::{Answerer, Request};
use crate::orders::{End, Intent, IntentState as State, Purpose, Seed, hash_of};
use crate::refusal::Refusal;

/// How long it is looked for what became of the order.
const SEE: Duration = Duration::from_secs(6);
/// The same of all orders: the list can be asked for once in five seconds.
const ALL: Duration = Duration::from_secs(12);
/// How late the list is, at the least.
const LAG: Duration = Duration::from_millis(1_500);

/// Which order.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// IBKR's id, from get_live_orders.
    #[serde(deserialize_with = "args::order_id")]
    #[schemars(with = "Option<u64>")]
    order_id: Option<OrderId>,
    /// Our id, from the order's result; or the requestId that it was placed with.
    #[serde(deserialize_with = "args::text")]
    intent_id: Option<String>,
    /// true: every open order of the account.
    #[serde(deserialize_with = "args::yes_no")]
    #[schemars(with = "Option<bool>")]
    all: Option<bool>,
    /// The account; needed with all if the login has several.
    #[serde(deserialize_with = "args::account")]
    #[schemars(with = "Option<String>")]
    account_id: Option<AccountId>,
    /// Repeated, it gives the first outcome.
    #[serde(deserialize_with = "args::text")]
    request_id: Option<String>,
}

/// The tool.
#[derive(Debug)]
pub struct CancelOrder;

impl Tool for CancelOrder {
    const NAME: &'static str = "cancel_order";
    const TITLE: &'static str = "Cancel an order";
    const ABOUT: &'static str = "Cancel one order by orderId or intentId, or with all true every open \
        order of an account. Needs nobody's approval. IBKR taking the request is not yet the \
        cancellation: it may be filled before; the result and get_order_status show what became of it.";
    const EFFECT: Effect = Effect::Trades;
    const SET: Toolset = Toolset::Orders;
    const EXAMPLE: &'static str = r#"{"orderId":1234567890}"#;
    const ANSWER: usize = 600;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let target = args.target(&ctx).await?;
        let (account, purpose, text, own) = match target {
            Target::Unsent(intent) => return drop_unsent(&ctx, &intent).await,
            Target::Order { account, order_id, own } => {
                let what = own.as_ref().map(|intent| {
                    if intent.order_id() == Some(order_id) {
                        format!(" ({})", intent.text)
                    } else {
                        format!(" (came with {})", intent.text)
                    }
                });
                let text = format!("cancel order {order_id}{}", what.unwrap_or_default());
                let of = own.as_ref().map(|intent| intent.id);
                (account, Purpose::Cancel { order_id, of }, text, own)
            }
            Target::All(account) => {
                let text = format!("cancel every open order of {account}");
                (account, Purpose::CancelAll, text, None)
            }
        };
        if let Some(given) = args.account_id.as_ref().filter(|given| **given != account) {
            return Err(Refusal::new(
                ErrorCode::Contradiction,
                format!("This order is of {account}, and accountId says {given}."),
                "Leave out accountId, or give the order's own. Nothing was sent.",
            )
            .at("accountId"));
        }
        // A client that may not trade here may not end an order either.
        ctx.lease().await?;
        let hash = hash_of(&(&account, &purpose));
        let origin = order_flow::origin(&ctx, Self::NAME, args.request_id.as_deref(), hash);
        if let Some(out) = order_flow::earlier(&ctx, &origin).await? {
            return Ok(out);
        }
        let seed = Seed { purpose, account, order: None, text, origin };
        let (mut before, mut dropped) = (Vec::new(), Vec::new());
        if matches!(seed.purpose, Purpose::CancelAll) {
            // What waits would be sent by a yes that comes later: whoever ends everything means it, too.
            dropped = drop_waiting(&ctx, &seed.account).await?;
            // A list may be some seconds old, and lack what was placed just now.
            let recent = ctx.desks.orders.recent().await;
            let recent = recent.map_err(|refusal| also_dropped(refusal, &dropped))?;
            before = open_here(&recent, &seed.account);
            before.extend(working(&ctx, &seed.account).await);
        }
        let request =
            Request { seed, scene: None, suppress: true, beside: None, warnings: Vec::new() };
        let asked = ctx.desks.orders.ask(request, order_flow::soon(&ctx)).await;
        let intent = asked.map_err(|refusal| also_dropped(refusal, &dropped))?;
        match intent.purpose {
            Purpose::CancelAll => {
                let seen = all_seen(&ctx, &intent, &before).await;
                seen.map(|out| out.with_dropped(&dropped))
                    .map_err(|refusal| also_dropped(refusal, &dropped))
            }
            _ => seen(&ctx, &intent, own.as_deref()).await,
        }
    }
}

enum Target {
    /// Waits for a yes or for its turn: IBKR has never heard of it.
    Unsent(Box<Intent>),
    Order {
        account: AccountId,
        order_id: OrderId,
        own: Option<Box<Intent>>,
    },
    All(AccountId),
}

impl Args {
    async fn target(&self, ctx: &Ctx) -> Result<Target, Refusal> {
        match (self.order_id, &self.intent_id, self.all.unwrap_or(false)) {
            (None, None, true) => {
                Ok(Target::All(ctx.trading_account(self.account_id.as_ref()).await?))
            }
            (Some(order_id), None, false) => by_order(ctx, order_id).await,
            (None, Some(text), false) => by_intent(ctx, text).await,
            _ => Err(Refusal::argument(
                "orderId",
                "Exactly one of orderId, intentId and all true is needed.",
                "Take orderId from get_live_orders.",
            )),
        }
    }
}

async fn by_order(ctx: &Ctx, order_id: OrderId) -> Result<Target, Refusal> {
    if let Some(intent) = ctx.desks.orders.of_order(order_id).await? {
        let account = intent.account.clone();
        return Ok(Target::Order { account, order_id, own: Some(Box::new(intent)) });
    }
    let (feeds, deadline, began) = (&ctx.desks.feeds, ctx.deadline, Timestamp::now());
    let found = ctx
        .read(|lease| async move { feeds.page_of_any(&lease, order_id, deadline).await })
        .await
        .map_err(Refusal::unsent)?
        .ok_or_else(|| unknown(order_id))?;
    ctx.desks.orders.paged(Page::of(&found.value), began);
    let account = match found.value.account {
        Some(account) => account,
        None => ctx.trading_account(None).await?,
    };
    Ok(Target::Order { account, order_id, own: None })
}

async fn by_intent(ctx: &Ctx, text: &str) -> Result<Target, Refusal> {
    let intent = order_flow::named(ctx, "intentId", text).await?;
    match (&intent.state, intent.order_id()) {
        (State::Awaiting(_) | State::Ready, _) => Ok(Target::Unsent(Box::new(intent))),
        (_, Some(order_id)) => {
            let account = intent.account.clone();
            Ok(Target::Order { account, order_id, own: Some(Box::new(intent)) })
        }
        (state, None) => {
            let next = if state.is_in_doubt() {
                "Whether IBKR has it is not known yet: call get_order_status until it is settled."
            } else {
                "There is nothing to cancel."
            };
            Err(Refusal::new(
                ErrorCode::NothingToCancel,
                format!("{} is {}; IBKR has given it no id.", intent.text, state.in_words()),
                next,
            )
            .at("intentId"))
        }
    }
}

fn unknown(order_id: OrderId) -> Refusal {
    Refusal::new(
        ErrorCode::UnknownOrder,
        format!("IBKR knows no order {order_id} of today in any account of this login."),
        "Look in get_live_orders for the orders of all accounts.",
    )
    .at("orderId")
}

/// What was never sent is only dropped.
async fn drop_unsent(ctx: &Ctx, intent: &Intent) -> Result<Out, Refusal> {
    let orders = &ctx.desks.orders;
    let dropped = match &intent.state {
        State::Awaiting(approval) => {
            let client = Answerer::Client(ctx.who.client.clone());
            let id = orders.decide(&approval.id, false, client).await?;
            orders.settled(id, order_flow::soon(ctx)).await?
        }
        _ => orders.withdraw(intent.id).await?,
    };
    answer(ctx, &dropped).await
}

/// What was dropped is dropped, also where the rest could not be asked for.
fn also_dropped(mut refusal: Refusal, dropped: &[String]) -> Refusal {
    if let Some(said) = order_out::dropped(dropped) {
        refusal.message = format!("{} {said}", refusal.message);
    }
    refusal
}

/// Orders of an account that wait for a yes or for their turn are dropped; what they were.
async fn drop_waiting(ctx: &Ctx, account: &AccountId) -> Result<Vec<String>, Refusal> {
    let mut dropped = Vec::new();
    for intent in ctx.desks.orders.recent().await? {
        let waits = matches!(intent.state, State::Awaiting(_) | State::Ready);
        if waits && intent.account == *account && intent.order.is_some() {
            // Whoever answered it meanwhile was first: then it is among the orders that end.
            let _ = drop_unsent(ctx, &intent).await;
            let now = ctx.desks.orders.look(intent.id).await.ok().flatten();
            if now.is_some_and(|now| matches!(now.state, State::Over(End::NotPlaced(_)))) {
                dropped.push(intent.text);
            }
        }
    }
    Ok(dropped)
}

/// What became of the order, as far as it shows within some seconds.
async fn seen(ctx: &Ctx, intent: &Intent, own: Option<&Intent>) -> Result<Out, Refusal> {
    let is_answered = matches!(intent.state, State::Over(End::Done | End::Rejected(_)));
    let (true, Some(own), Purpose::Cancel { order_id, .. }) = (is_answered, own, &intent.purpose)
    else {
        return answer(ctx, intent).await;
    };
    let order_id = *order_id;
    ctx.tell(3, Some(3), "waiting for IBKR to say what became of it");
    let deadline = order_flow::soon(ctx).min(Instant::now() + SEE);
    let is_over = |target: &Intent| target.has_ended(order_id);
    let target = ctx.desks.orders.follow(own.id, deadline, is_over, |_| ()).await?;
    Ok(Out::of(intent, None).with_standing(&target, order_id))
}

/// The orders of an account that may still be filled, by a list that is asked for now.
async fn working(ctx: &Ctx, account: &AccountId) -> Vec<OrderId> {
    let (feeds, deadline) = (&ctx.desks.feeds, ctx.deadline);
    let list = ctx.read(|lease| async move { feeds.list(&lease, account, deadline).await }).await;
    let rows = list.map(|list| list.value.orders).unwrap_or_default();
    let works = |row: &&OrderRow| {
        let is_own = row.account.as_ref().is_none_or(|own| own == account);
        is_own && row.status.as_ref().and_then(Stage::can_fill) == Some(true)
    };
    rows.iter().filter(works).map(|row| row.order_id).collect()
}

/// What became of everything that was to end: by a list that is younger than the request.
async fn all_seen(ctx: &Ctx, intent: &Intent, before: &[OrderId]) -> Result<Out, Refusal> {
    if !matches!(intent.state, State::Over(End::Done)) {
        return answer(ctx, intent).await;
    }
    ctx.tell(3, Some(3), "waiting for IBKR to say what became of them");
    let (feeds, account) = (&ctx.desks.feeds, &intent.account);
    let deadline = order_flow::soon(ctx).min(Instant::now() + faults::patience(ALL));
    let list = ctx
        .read(|lease| async move {
            tokio::time::sleep(faults::scaled(LAG)).await;
            feeds.list_anew(&lease, account, deadline).await
        })
        .await;
    let Ok(list) = list else { return Ok(Out::of(intent, None)) };
    let recent = ctx.desks.orders.recent().await?;
    let known = before.iter().copied().chain(open_here(&recent, account));
    let (done, open) = ends(known, &list.value.orders, account);
    ctx.desks.orders.listed(list.value.orders.into_rows(), list.at);
    // What IBKR may have, and nobody knows, has not been seen to end.
    let in_doubt = recent
        .iter()
        .filter(|one| one.is_order() && one.account == *account && one.state.is_in_doubt());
    let in_doubt: Vec<String> = in_doubt.map(|one| format!("{} ({})", one.text, one.id)).collect();
    Ok(Out::of(intent, None).with_ends(&done, &open, &in_doubt))
}

/// Orders of an account that were sent from here and of which no end is known.
fn open_here(recent: &[Intent], account: &AccountId) -> Vec<OrderId> {
    let own = recent.iter().filter(|intent| intent.is_order() && intent.account == *account);
    let working = own.filter_map(|intent| match &intent.state {
        State::Working(standing) => Some(standing),
        _ => None,
    });
    working
        .flat_map(|standing| {
            let others = standing.others.iter().filter(|part| !part.is_over());
            let first = (!standing.is_over()).then_some(standing.order_id);
            first.into_iter().chain(others.map(|part| part.order_id))
        })
        .collect()
}

/// Of orders that worked, and of what a list has beside them: what has ended, and what may still be filled. What
/// the list does not have has not been seen to end.
fn ends(
    known: impl Iterator<Item = OrderId>,
    rows: &[OrderRow],
    account: &AccountId,
) -> (Vec<OrderId>, Vec<OrderId>) {
    let works = |row: &OrderRow| row.status.as_ref().and_then(Stage::can_fill);
    let beside = rows.iter().filter(|row| {
        let is_own = row.account.as_ref().is_none_or(|own| own == account);
        is_own && works(row) == Some(true)
    });
    let all: BTreeSet<OrderId> = known.chain(beside.map(|row| row.order_id)).collect();
    // What is inactive does not work, and is there all the same.
    let is_over = |row: &OrderRow| {
        let meaning = row.status.as_ref().map(Stage::meaning);
        matches!(meaning, Some(Meaning::Filled | Meaning::Ended))
    };
    let has_ended = |id: &OrderId| rows.iter().any(|row| row.order_id == *id && is_over(row));
    all.into_iter().partition(has_ended)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_a_list_does_not_have_has_not_been_seen_to_end() {
        let rows: Vec<OrderRow> = serde_json::from_str(
            r#"[{"orderId":1,"account":"DU1234567","status":"Cancelled"},
                {"orderId":2,"account":"DU1234567","status":"Submitted"},
                {"orderId":3,"account":"DU1234567","status":"Moonstruck"},
                {"orderId":5,"account":"DU1234567","status":"PreSubmitted"},
                {"orderId":7,"account":"DU1234567","status":"Inactive"},
                {"orderId":6,"account":"DU7654321","status":"Submitted"}]"#,
        )
        .unwrap();
        let ids = |ids: &[u64]| -> Vec<OrderId> {
            ids.iter().map(|id| id.to_string().parse().unwrap()).collect()
        };
        let account = "DU1234567".parse().unwrap();
        let (done, open) = ends(ids(&[1, 2, 3, 4, 7]).into_iter(), &rows, &account);
        assert_eq!((done, open), (ids(&[1]), ids(&[2, 3, 4, 5, 7])));
    }
}
