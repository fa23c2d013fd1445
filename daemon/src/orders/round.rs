//! One round at the broker: what is looked at before something is sent, the sending, and what is looked at
//! before an answer is believed. Tasks that the lane runs; they decide nothing.

use ibd_protocol::ReasonCode;
use std::time::Duration;

use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::{
    AcceptedRow, CancelAnswer, CancelOrder, CancelTarget, GetOrders, ModifyOrder, OrderAnswer,
    OrderRow, PlaceOrders, ReplyId, SendReply, read_answer, read_cancel,
};
use ibd_cpapi::{Client, Endpoint, Failure, faults};
use jiff::Timestamp;
use tokio::time::Instant;

use super::evidence::{Evidence, is_carried_out};
use super::guardrails::{Denial, Vetted};
use super::intent::{Intent, Through};
use super::lateness;
use super::list::Feeds;
use super::order::{Order, Purpose};
use super::page::Page;
use super::scene::{self, Needs};
use super::{Msg, Proof, tickets};
use crate::market::MarketHandle;
use crate::session::{Lease, SessionHandle};

/// What one request of a round may take.
const ANSWER: Duration = Duration::from_secs(30);
/// What a last look before sending may take.
const PROOF: Duration = Duration::from_secs(15);
/// How long before a request a list is read for it, at most.
const JUST: Duration = Duration::from_secs(2);
/// Between looks at a page that is to show a change.
const PAGES: [Duration; 3] =
    [Duration::ZERO, Duration::from_millis(400), Duration::from_millis(1_500)];
/// What looking at the order that is to end may take: its end does not wait for longer.
const TARGET: Duration = Duration::from_secs(7);

/// What a round needs beside the intent.
#[derive(Debug, Clone)]
pub(super) struct Round {
    pub session: SessionHandle,
    pub market: MarketHandle,
    pub feeds: Feeds,
    pub through: Option<Through>,
    pub needs: Needs,
    /// The first try whose question this intent is the yes to, and when it was given up.
    pub first: Option<(Intent, Timestamp)>,
}

/// An order that is to be changed or ended, as the broker shows it just before.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// Its own page; nothing if the broker does not know it.
    pub page: Option<Page>,
    /// When that was asked for.
    pub began: Option<Timestamp>,
    /// Its row in the list.
    pub row: Option<OrderRow>,
    /// The page could not be read: why.
    pub failed: Option<String>,
}

impl Target {
    /// Its page, and when that was asked for.
    pub fn seen(&self) -> Option<(Page, Timestamp)> {
        Some((self.page.clone()?, self.began?))
    }
}

/// What the broker answered, and what was seen there before that is believed.
#[derive(Debug)]
pub struct Heard {
    /// The answer.
    pub answer: OrderAnswer,
    /// Where the answer alone does not do: what a look showed, or why there was none.
    pub seen: Option<Result<Evidence, Failure>>,
}

/// The same of a cancellation.
#[derive(Debug)]
pub struct HeardEnd {
    /// The answer.
    pub answer: CancelAnswer,
    /// The order's page, where the broker refused to end it.
    pub page: Option<Page>,
}

impl From<OrderAnswer> for Heard {
    fn from(answer: OrderAnswer) -> Self {
        Self { answer, seen: None }
    }
}

/// The last look before an order or a change goes.
pub(super) async fn prove_order(
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
pub(super) async fn prove_account(round: &Round, intent: &Intent) -> Result<Proof, Denial> {
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

/// The list as it is from now on, in which an order is looked for. That it is not there can only be said of a list
/// that was read whole.
async fn by_name(round: &Round, lease: &Lease, wanted: &Intent) -> Result<Evidence, Failure> {
    let deadline = Instant::now() + faults::patience(ANSWER);
    let list = round.feeds.list_anew(lease, &wanted.account, deadline).await?;
    let mut evidence = Evidence::begin(lease.epoch(), round.through.clone());
    evidence.is_whole = list.value.orders.is_whole();
    let unread = list.value.orders.unread().first().cloned();
    evidence.add_rows(list.value.orders.into_rows());
    match unread.filter(|_| evidence.about(wanted).is_none()) {
        Some(unread) => Err(unread.in_reply_of(GetOrders::NAME)),
        None => Ok(evidence),
    }
}

/// What is sent: an order or a change that was vetted for this, or the end of one.
#[derive(Debug)]
pub(super) enum Load {
    /// A new order.
    Place(Vetted),
    /// What an order shall be from now on.
    Modify(OrderId, Vetted),
    /// The end of one.
    Cancel(OrderId),
    /// The end of all.
    CancelAll,
}

impl Load {
    /// What an intent is for. Nothing, where it is an order and nobody has vetted it.
    pub(super) fn of(intent: &Intent, vetted: Option<Vetted>) -> Option<Self> {
        match (&intent.purpose, vetted) {
            (Purpose::Place, vetted) => vetted.map(Self::Place),
            (Purpose::Modify { order_id, .. }, vetted) => {
                vetted.map(|vetted| Self::Modify(*order_id, vetted))
            }
            (Purpose::Cancel { order_id, .. }, _) => Some(Self::Cancel(*order_id)),
            (Purpose::CancelAll, _) => Some(Self::CancelAll),
        }
    }
}

/// Sends it, and looks where the answer alone does not do.
pub(super) async fn deliver(round: &Round, lease: &Lease, intent: &Intent, load: Load) -> Msg {
    let deadline = Instant::now() + faults::patience(ANSWER);
    let (client, account) = (lease.client(), intent.account.clone());
    faults::point("send.before");
    match load {
        Load::Place(vetted) => {
            let tickets = tickets::place(vetted.order(), &intent.client_order_id);
            let answer =
                read_answer(client.send(&PlaceOrders { account, tickets }, deadline).await);
            #[cfg(feature = "faults")]
            let answer = super::mutant::retried(client, vetted.order(), deadline, answer).await;
            faults::point("send.after");
            Msg::Answered(intent.id, Box::new(heard(round, lease, intent, answer).await))
        }
        Load::Modify(order_id, vetted) => {
            let ticket = tickets::modify(vetted.order());
            let write = ModifyOrder { account, order_id, ticket };
            let answer = read_answer(client.send(&write, deadline).await);
            faults::point("send.after");
            Msg::Answered(intent.id, Box::new(heard(round, lease, intent, answer).await))
        }
        Load::Cancel(order_id) => {
            let answer = cancel(client, intent, CancelTarget::Order(order_id), deadline).await;
            faults::point("send.after");
            let page = match &answer {
                CancelAnswer::Refused(_) => page(round, lease, intent, order_id).await,
                _ => None,
            };
            Msg::Cancelled(intent.id, Box::new(HeardEnd { answer, page }))
        }
        Load::CancelAll => {
            let answer = cancel(client, intent, CancelTarget::All, deadline).await;
            faults::point("send.after");
            Msg::Cancelled(intent.id, Box::new(HeardEnd { answer, page: None }))
        }
    }
}

/// Answers the broker's question, and looks where its answer alone does not do.
pub(super) async fn answer(
    round: &Round,
    lease: &Lease,
    intent: &Intent,
    (reply_id, confirmed): (ReplyId, bool),
) -> Msg {
    let deadline = Instant::now() + faults::patience(ANSWER);
    let write = SendReply { reply_id, confirmed };
    faults::point("reply.before");
    let answer = read_answer(lease.client().send(&write, deadline).await);
    faults::point("reply.after");
    Msg::Answered(intent.id, Box::new(heard(round, lease, intent, answer).await))
}

/// What is seen at the broker before an answer is believed.
async fn heard(round: &Round, lease: &Lease, intent: &Intent, answer: OrderAnswer) -> Heard {
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
    if super::mutant::is("believes-refusals") {
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
    if super::identify::by_themselves(rows, intent).is_some() {
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

async fn page(round: &Round, lease: &Lease, intent: &Intent, order_id: OrderId) -> Option<Page> {
    let deadline = Instant::now() + faults::patience(TARGET);
    let found = round.feeds.page(lease, &intent.account, order_id, deadline).await;
    match found {
        Ok(found) => found.map(|page| Page::of(&page.value)),
        Err(failure) => {
            tracing::info!(%failure, %order_id, "an order's page could not be read");
            None
        }
    }
}

async fn cancel(
    client: &Client,
    intent: &Intent,
    target: CancelTarget,
    deadline: Instant,
) -> CancelAnswer {
    let write = CancelOrder {
        account: intent.account.clone(),
        target,
        manual_indicator: None,
        ext_operator: None,
    };
    read_cancel(client.send(&write, deadline).await)
}
