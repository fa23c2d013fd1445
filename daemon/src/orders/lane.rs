//! The lane: one order round at a time. Proof, journal, send, answer; questions are answered at once, and
//! nothing else is sent to the order endpoints in between. It never waits for a person.

mod step;

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use ibd_cpapi::orders::{Ambiguity, CancelAnswer, OrderAnswer, ReplyId, SendReply};
use ibd_protocol::{Level, ReasonCode};
use jiff::{SignedDuration, Timestamp};
use ractor::ActorRef;

use super::clock::Now;
use super::egress::Egress;
use super::guardrails::{Denial, Scene, Vetted};
use super::intent::{Intent, IntentId};
use super::life::{self, Decision};
use super::order::Purpose;
use super::record::Record;
use super::round::{self, HeardEnd, Load, Round};
use super::scene::Needs;
use super::{Msg, Proof, State};
use crate::session::Lease;
pub(super) use step::is_new;

/// A scene that is older than this is gathered anew.
const FRESH: SignedDuration = SignedDuration::from_secs(5);

/// The lane, and what waits for it.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// What waits, in order.
    queue: VecDeque<IntentId>,
    /// Whose it is, from the proof to the end of the round.
    holder: Option<IntentId>,
    /// The lease of the round.
    pub(super) lease: Option<Lease>,
    /// Scenes that came with requests, until their turn.
    pub(super) scenes: HashMap<IntentId, (Scene, Lease)>,
    /// What the last look let through, until it is sent.
    pub(super) vetted: Option<Vetted>,
    /// The part of the round that is under way.
    round: Option<Running>,
    /// How many requests with orders may have left.
    pub(super) egress: Egress,
}

impl Lane {
    /// Whether it is this intent's turn.
    pub(super) fn is_of(&self, id: IntentId) -> bool {
        self.holder == Some(id)
    }

    /// Whether it is anybody's turn.
    pub(super) fn is_taken(&self) -> bool {
        self.holder.is_some()
    }

    /// What waits does not get its turn any more; what is looked at for the last time comes too late.
    pub(super) fn withdraw(&mut self, id: IntentId) {
        self.queue.retain(|one| *one != id);
        if self.is_of(id) {
            self.free();
        }
    }

    /// The round is over.
    pub(super) fn free(&mut self) {
        self.holder = None;
        self.lease = None;
        self.vetted = None;
    }

    /// Ends what has not left yet.
    pub(super) fn stop(&mut self) {
        self.round = None;
    }
}

impl State {
    /// Puts an intent into the queue. An end of an order does not wait behind new ones.
    pub(super) fn enqueue(&mut self, id: IntentId) {
        let is_cancel = self
            .ledger
            .book
            .get(id)
            .is_some_and(|i| matches!(i.purpose, Purpose::Cancel { .. } | Purpose::CancelAll));
        if is_cancel { self.lane.queue.push_front(id) } else { self.lane.queue.push_back(id) }
    }

    /// Gives the lane to the next one that may have it.
    pub(super) fn next_turn(&mut self, me: &ActorRef<Msg>) {
        while !self.lane.is_taken() {
            let Some(at) = self.lane.queue.iter().position(|id| self.may_go(*id)) else { return };
            let Some(id) = self.lane.queue.remove(at) else { return };
            let is_ready =
                self.ledger.book.get(id).is_some_and(|i| matches!(i.state, life::State::Ready));
            if is_ready {
                self.lane.holder = Some(id);
                self.begin_proof(me, id);
            }
        }
    }

    /// New orders wait until everything in doubt was looked for in this session.
    fn may_go(&self, id: IntentId) -> bool {
        let is_order = self.ledger.book.get(id).is_some_and(|intent| intent.order.is_some());
        !is_order || !self.is_recovering()
    }

    fn begin_proof(&mut self, me: &ActorRef<Msg>, id: IntentId) {
        let Some(intent) = self.ledger.book.get(id).cloned() else { return };
        let now = Timestamp::now();
        // What closes a position is held against what is held right now.
        let closes = intent.order.as_ref().is_some_and(|order| order.closes);
        let asked = self.lane.scenes.remove(&id);
        // Of all that was looked at then, when the market is open stays so.
        let hours = asked.as_ref().and_then(|(scene, _)| scene.hours.clone());
        if let Some((scene, lease)) = asked
            && intent.is_order()
            && self.first_tries(&intent).is_empty()
            && !closes
            && scene
                .at
                .is_some_and(|at| (SignedDuration::ZERO..FRESH).contains(&now.duration_since(at)))
            && self.broker.ready.as_ref().is_some_and(|ready| ready.epoch() == lease.epoch())
        {
            // Looked at just now, before it was asked for.
            let proof =
                Box::new(Ok(Proof { lease, scene: Some(scene), target: None, first: None }));
            let _ = me.cast(Msg::Proved(id, proof));
            return;
        }
        let mut round = self.round_of(&intent);
        round.needs.hours = hours;
        let lost = Denial::new(
            ReasonCode::Internal,
            "The last look before sending broke. Nothing was sent.",
            "Tell the user to see `ibctl logs`; then try again.",
        );
        self.run_round(me, Msg::Proved(id, Box::new(Err(lost))), async move {
            let proof = match &intent.order {
                Some(order) => round::prove_order(&round, &intent, order).await,
                None => round::prove_account(&round, &intent).await,
            };
            Msg::Proved(id, Box::new(proof))
        });
    }

    /// Earlier tries of an order whose questions were declined, which may come alive: the one that it follows,
    /// and those that it is like.
    pub(super) fn first_tries(&self, intent: &Intent) -> Vec<IntentId> {
        let Some(order) = intent.order.as_ref().filter(|_| intent.is_order()) else {
            return Vec::new();
        };
        let window = Duration::from_secs(self.controls.rules_of(intent).duplicate_seconds);
        let mut firsts = self.ledger.book.declined_like(order, window, &Now::get());
        firsts.extend(intent.follows);
        firsts.sort_unstable();
        firsts.dedup();
        firsts
    }

    /// What the parts of an intent's round need.
    fn round_of(&self, intent: &Intent) -> Round {
        let first = self.first_tries(intent).into_iter().filter_map(|id| self.ledger.book.get(id));
        let first = first.max_by_key(|first| first.since);
        Round {
            session: self.broker.session.clone(),
            market: self.broker.market.clone(),
            feeds: self.broker.feeds.clone(),
            through: self.broker.through(),
            needs: Needs {
                pnl: self.controls.rules_of(intent).max_loss.is_some(),
                fresh_list: intent.order.as_ref().is_some_and(|order| order.closes),
                feeds: self.broker.feeds.clone(),
                hours: None,
            },
            first: first.map(|first| (first.clone(), first.since)),
        }
    }

    /// Runs a part of a round. Should it break, `lost` is what came of it: the lane does not stay taken.
    fn run_round(
        &mut self,
        me: &ActorRef<Msg>,
        lost: Msg,
        part: impl Future<Output = Msg> + Send + 'static,
    ) {
        let me = me.clone();
        self.lane.round = Some(Running(tokio::spawn(async move {
            let msg = AssertUnwindSafe(part).catch_unwind().await.unwrap_or(lost);
            let _ = me.cast(msg);
        })));
    }

    /// Sends what an intent is for. Its `Sending` is durable by now. A look that is under way gives way:
    /// nothing else goes to the order endpoints in the middle of a round.
    pub(super) fn send(&mut self, me: &ActorRef<Msg>, id: IntentId) {
        self.watch.give_way();
        let (Some(intent), Some(lease)) =
            (self.ledger.book.get(id).cloned(), self.lane.lease.clone())
        else {
            // Cannot be: a turn is only given with a proof. The journal says sending, so it is in doubt.
            let _ = me.cast(broke(id, false));
            return;
        };
        let is_end = intent.order.is_none();
        let Some(load) = Load::of(&intent, self.lane.vetted.take()) else {
            // Cannot be either: a turn is only given with what was vetted for it.
            let _ = me.cast(broke(id, is_end));
            return;
        };
        if !is_end {
            self.lane.egress.let_go(lease.client().orders_left());
        }
        let round = self.round_of(&intent);
        self.run_round(me, broke(id, is_end), async move {
            round::deliver(&round, &lease, &intent, load).await
        });
    }

    pub(super) fn reply(
        &mut self,
        me: &ActorRef<Msg>,
        id: IntentId,
        reply_id: ReplyId,
        decision: Decision,
    ) {
        let (Some(intent), Some(lease)) =
            (self.ledger.book.get(id).cloned(), self.lane.lease.clone())
        else {
            return;
        };
        self.lane.egress.let_go(lease.client().orders_left());
        let round = self.round_of(&intent);
        let reply = SendReply { reply_id, confirmed: decision == Decision::Yes };
        self.run_round(me, broke(id, false), async move {
            round::answer(&round, &lease, &intent, &reply).await
        });
    }

    /// More requests with orders left than were let go: whatever sent them, it is stopped.
    pub(super) async fn check_egress(&mut self, lease: &Lease) {
        if self.lane.egress.holds(lease.client().orders_left())
            || self.ledger.book.frozen().is_some()
        {
            return;
        }
        let by = "the daemon itself: more requests with orders left it than its journal knows of";
        tracing::error!(by, "trading is frozen");
        let _ = self.write_all(vec![Record::Frozen { by: by.to_owned() }]).await;
        self.raise_flags();
        self.say(
            Level::Warning,
            "trading_frozen",
            format!("Trading is frozen by {by}."),
            "Compare `ibctl audit` with the orders in TWS before `ibctl unfreeze`.",
        );
        self.changed();
    }
}

/// A part of a round. An actor that ends takes what has not left yet with it.
#[derive(Debug)]
pub(super) struct Running(tokio::task::JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A part of a round that ended without a word. What it sent may have arrived.
fn broke(id: IntentId, is_end: bool) -> Msg {
    let why = Ambiguity::Wire(ibd_cpapi::Failure::Broke);
    if is_end {
        let answer = CancelAnswer::Ambiguous(why);
        Msg::Cancelled(id, Box::new(HeardEnd { answer, page: None }))
    } else {
        Msg::Answered(id, Box::new(OrderAnswer::Ambiguous(why).into()))
    }
}

/// What is said while trading is frozen.
pub(super) fn frozen(why: &str) -> Denial {
    Denial::new(
        ReasonCode::TradingFrozen,
        format!("Trading is frozen: {why}."),
        "Tell the user; only they can let orders through again (`ibctl unfreeze`).",
    )
}
