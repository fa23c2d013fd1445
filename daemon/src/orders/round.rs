//! One round at the broker: what is looked at before something is sent, the sending, and what is looked at
//! before an answer is believed. Tasks that the lane runs; they decide nothing.

mod heard;
mod proof;

use std::time::Duration;

use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::{
    CancelAnswer, CancelOrder, CancelTarget, GetOrders, ModifyOrder, OrderAnswer, OrderRow,
    PlaceOrders, SendReply, read_answer, read_cancel,
};
use ibd_cpapi::{Client, Endpoint, Failure, faults};
use jiff::Timestamp;
use tokio::time::Instant;

use super::evidence::Evidence;
use super::guardrails::Vetted;
use super::intent::{Intent, Through};
use super::list::Feeds;
use super::order::Purpose;
use super::page::Page;
use super::scene::Needs;
use super::{Msg, tickets};
use crate::market::MarketHandle;
use crate::session::{Lease, SessionHandle};
use heard::heard;
pub(super) use proof::{prove_account, prove_order};

/// What one request of a round may take.
const ANSWER: Duration = Duration::from_secs(30);
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
    reply: &SendReply,
) -> Msg {
    let deadline = Instant::now() + faults::patience(ANSWER);
    faults::point("reply.before");
    let answer = read_answer(lease.client().send(reply, deadline).await);
    faults::point("reply.after");
    Msg::Answered(intent.id, Box::new(heard(round, lease, intent, answer).await))
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
