//! The lane: one order round at a time. Proof, journal, send, answer; questions are answered at once, and
//! nothing else is sent to the order endpoints in between. It never waits for a person.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;

use ibd_cpapi::faults;
use ibd_cpapi::orders::{
    Ambiguity, CancelAnswer, CancelOrder, CancelTarget, ModifyOrder, OrderAnswer, PlaceOrders,
    ReplyId, SendReply, read_answer, read_cancel,
};
use ibd_protocol::Level;
use jiff::{SignedDuration, Timestamp};
use ractor::ActorRef;
use tokio::time::Instant;

use super::book::{Book, Now};
use super::guardrails::{self, Denial, Scene, vet};
use super::intent::{Intent, IntentId};
use super::life::{self, Effect, Event};
use super::order::{Order, Purpose};
use super::peeks::Until;
use super::record::Record;
use super::scene::{self, Needs};
use super::standing::{Part, Standing};
use super::{Msg, Proof, State, questions, tickets};
use crate::session::Lease;

/// A scene that is older than this is gathered anew.
const FRESH: SignedDuration = SignedDuration::from_secs(5);
/// What one request of a round may take.
const ANSWER: Duration = Duration::from_secs(30);
/// What a last look before sending may take.
const PROOF: Duration = Duration::from_secs(15);

impl State {
    /// Puts an intent into the queue. An end of an order does not wait behind new ones.
    pub(super) fn enqueue(&mut self, id: IntentId) {
        let is_cancel = self
            .book
            .get(id)
            .is_some_and(|i| matches!(i.purpose, Purpose::Cancel { .. } | Purpose::CancelAll));
        match is_cancel {
            true => self.queue.push_front(id),
            false => self.queue.push_back(id),
        }
    }

    /// Gives the lane to the next one that may have it.
    pub(super) fn next_turn(&mut self, me: &ActorRef<Msg>) {
        while self.lane.is_none() {
            let Some(at) = self.queue.iter().position(|id| self.may_go(*id)) else { return };
            let Some(id) = self.queue.remove(at) else { return };
            let is_ready = self.book.get(id).is_some_and(|i| matches!(i.state, life::State::Ready));
            if is_ready {
                self.lane = Some(id);
                self.begin_proof(me, id);
            }
        }
    }

    /// New orders wait until everything in doubt was looked for in this session.
    fn may_go(&self, id: IntentId) -> bool {
        let is_order = self.book.get(id).is_some_and(|intent| intent.order.is_some());
        !is_order || !self.is_recovering()
    }

    fn begin_proof(&mut self, me: &ActorRef<Msg>, id: IntentId) {
        let Some(intent) = self.book.get(id) else { return };
        let now = Timestamp::now();
        // What closes a position is held against what is held right now.
        let closes = intent.order.as_ref().is_some_and(|order| order.closes);
        if let Some((scene, lease)) = self.scenes.remove(&id)
            && !closes
            && scene
                .at
                .is_some_and(|at| (SignedDuration::ZERO..FRESH).contains(&now.duration_since(at)))
            && self.ready.as_ref().is_some_and(|ready| ready.epoch() == lease.epoch())
        {
            // Looked at just now, before it was asked for.
            let proof = Box::new(Ok(Proof { lease, scene: Some(scene) }));
            let _ = me.cast(Msg::Proved(id, proof));
            return;
        }
        let (session, underlyings) = (self.session.clone(), self.underlyings.clone());
        let (account, order) = (intent.account.clone(), intent.order.clone());
        let needs =
            Needs { pnl: self.rules_of(intent).max_loss.is_some(), feeds: self.feeds.clone() };
        let lost = Denial::new(
            "internal",
            "The last look before sending broke. Nothing was sent.",
            "Tell the user to see `ibctl logs`; then try again.",
        );
        self.run_round(me, Msg::Proved(id, Box::new(Err(lost))), async move {
            let proof = match order {
                Some(order) => prove_order(&session, &underlyings, &order, needs).await,
                None => prove_account(&session, &account).await,
            };
            Msg::Proved(id, Box::new(proof))
        });
    }

    /// Runs a part of a round. Should it break, `lost` is what came of it: the lane does not stay taken.
    fn run_round(
        &mut self,
        me: &ActorRef<Msg>,
        lost: Msg,
        part: impl Future<Output = Msg> + Send + 'static,
    ) {
        let me = me.clone();
        self.round = Some(Round(tokio::spawn(async move {
            let msg = AssertUnwindSafe(part).catch_unwind().await.unwrap_or(lost);
            let _ = me.cast(msg);
        })));
    }

    /// A last look: then, and only then, it is sent.
    pub(super) async fn proved(
        &mut self,
        me: &ActorRef<Msg>,
        id: IntentId,
        proof: Result<Proof, Denial>,
    ) {
        if self.lane != Some(id) {
            return;
        }
        let Some(intent) = self.book.get(id).cloned() else { return };
        let event = match proof {
            Err(denial) => Event::Refused(denial),
            Ok(Proof { lease, scene }) => {
                self.check_egress(&lease).await;
                self.lease = Some(lease);
                match self.resized(intent, scene.as_ref()).await {
                    Ok(intent) => self.last_look(&intent, scene.as_ref()),
                    Err(denial) => Event::Refused(denial),
                }
            }
        };
        self.step(me, id, event, "the daemon").await;
    }

    /// An intent that closes a position, with what is held now: the journal has it before it is sent.
    async fn resized(&mut self, intent: Intent, scene: Option<&Scene>) -> Result<Intent, Denial> {
        let resized = |order: &Order| guardrails::resized(order, scene?);
        let Some(order) = intent.order.as_ref().and_then(resized) else { return Ok(intent) };
        let (id, text) = (intent.id, order.shown());
        let record = Record::Amended { id, text, order: Box::new(order) };
        match self.write(id, vec![record]).await {
            Ok(()) => Ok(self.book.get(id).cloned().unwrap_or(intent)),
            Err(why) => Err(Denial::new(
                "trading_closed",
                format!("Trading is closed: {why}. Nothing was sent."),
                "Tell the user; `ibctl status` says more.",
            )),
        }
    }

    fn last_look(&self, intent: &Intent, scene: Option<&Scene>) -> Event {
        let Some(order) = &intent.order else { return Event::Turn };
        if let Some(why) = self.frozen() {
            return Event::Refused(frozen(&why));
        }
        let now = Timestamp::now();
        let rules = self.rules_of(intent);
        let empty = Scene::default();
        let scene = scene.unwrap_or(&empty);
        let scene = scene::with_own(scene, self.book.iter(), intent);
        let vetted = match vet(order.clone(), &scene, &rules, self.book.counts(now), now) {
            Ok(vetted) => vetted,
            Err(denial) => return Event::Refused(denial),
        };
        let shown = self.shown.get(&intent.id);
        let is_other = shown.is_some_and(|approval| approval.digest != intent.digest());
        // Only what is held may have become another quantity since. Nothing else changes an intent between its
        // yes and its turn; if something did, the yes was to another.
        if is_other && !order.closes {
            return Event::Refused(Denial::new(
                "approval_changed",
                "What was approved is not what would be sent.",
                "Nothing was sent. Tell the user, and place the order again if it is still wanted.",
            ));
        }
        match shown.filter(|approval| is_other || approval.has_moved(vetted.worth())) {
            Some(approval) => {
                let again =
                    self.approval(intent, approval.by, approval.questions.clone(), vetted.worth());
                Event::Moved(Box::new(again))
            }
            None => Event::Turn,
        }
    }

    /// Sends what an intent is for. Its `Sending` is durable by now. A look that is under way gives way:
    /// nothing else goes to the order endpoints in the middle of a round.
    pub(super) fn send(&mut self, me: &ActorRef<Msg>, id: IntentId) {
        if let Some(peek) = self.peeking.take() {
            peek.abort();
        }
        if let Some(look) = self.look.take() {
            self.wants_look |= !look.is_finished();
            look.abort();
        }
        let (Some(intent), Some(lease)) = (self.book.get(id).cloned(), self.lease.clone()) else {
            // Cannot be: a turn is only given with a proof. The journal says sending, so it is in doubt.
            let _ = me.cast(broke(id, false));
            return;
        };
        let is_end = intent.order.is_none();
        if !is_end {
            self.egress.let_go(lease.client().orders_left());
        }
        self.run_round(me, broke(id, is_end), async move { deliver(&lease, &intent).await });
    }

    pub(super) fn reply(&mut self, me: &ActorRef<Msg>, id: IntentId, reply: ReplyId, yes: bool) {
        let Some(lease) = self.lease.clone() else { return };
        self.egress.let_go(lease.client().orders_left());
        self.run_round(me, broke(id, false), async move {
            let deadline = Instant::now() + faults::scaled(ANSWER);
            let write = SendReply { reply_id: reply, confirmed: yes };
            faults::point("reply.before");
            let answer = read_answer(lease.client().send(&write, deadline).await);
            faults::point("reply.after");
            Msg::Answered(id, Box::new(answer))
        });
    }

    /// More requests with orders left than were let go: whatever sent them, it is stopped.
    pub(super) async fn check_egress(&mut self, lease: &Lease) {
        if self.egress.holds(lease.client().orders_left()) || self.book.frozen().is_some() {
            return;
        }
        let by = "the daemon itself: more requests with orders left it than its journal knows of";
        tracing::error!(by, "trading is frozen");
        let _ = self.write_all(vec![Record::Frozen { by: by.to_owned() }]).await;
        let _ = std::fs::write(&self.flag, "frozen\n");
        self.say(
            Level::Warning,
            "trading_frozen",
            format!("Trading is frozen by {by}."),
            "Compare `ibctl audit` with the orders in TWS before `ibctl unfreeze`.",
        );
        self.changed();
    }

    /// What the broker answered to an order, a change or a reply.
    pub(super) async fn answered(&mut self, me: &ActorRef<Msg>, id: IntentId, answer: OrderAnswer) {
        let Some(intent) = self.book.get(id).cloned() else { return };
        self.doubt_session(&answer);
        if let Some(lease) = self.lease.clone() {
            self.check_egress(&lease).await;
        }
        let event = self.meaning(&intent, answer);
        self.step(me, id, event, "IBKR").await;
    }

    /// An answer that says that the session is gone is news for whoever owns it.
    fn doubt_session(&self, answer: &OrderAnswer) {
        let is_doubtful = matches!(
            answer,
            OrderAnswer::Ambiguous(
                Ambiguity::NotLoggedIn
                    | Ambiguity::NoBrokerage
                    | Ambiguity::Wire(_)
                    | Ambiguity::Trouble { .. }
            ) | OrderAnswer::NotSent(_)
        );
        if let (true, Some(lease)) = (is_doubtful, &self.lease) {
            self.session.suspect(lease);
        }
    }

    fn meaning(&self, intent: &Intent, answer: OrderAnswer) -> Event {
        match answer {
            OrderAnswer::NotSent(failure) => Event::NotSent(failure.to_string()),
            OrderAnswer::Ambiguous(why) => Event::Silence(why.to_string()),
            OrderAnswer::Accepted(_) if !intent.is_order() => Event::Applied,
            OrderAnswer::Accepted(rows) => accepted(&rows, None),
            OrderAnswer::PartlyAccepted { accepted: rows, refused } => {
                let texts: Vec<&str> =
                    refused.iter().map(|refusal| refusal.text.as_str()).collect();
                accepted(&rows, Some(texts.join("; ")))
            }
            // An order that got an id and is refused all the same is looked up before that is believed.
            OrderAnswer::Refused(refusal) if refusal.order_id.is_some() => {
                Event::Silence(format!("IBKR gave it an id and refused it: {}", refusal.text))
            }
            OrderAnswer::Refused(refusal) => Event::Rejected(refusal.text),
            OrderAnswer::Asked(asked) if asked.is_prompt() || !asked.further.is_empty() => {
                let texts: Vec<&str> = asked.questions.iter().map(|q| q.text.as_str()).collect();
                Event::Silence(format!(
                    "IBKR asks what cannot be answered here: {}",
                    texts.join("; ")
                ))
            }
            OrderAnswer::Asked(asked) => {
                let questions = questions::of(&asked);
                let rules = self.rules_of(intent);
                let yes = self.frozen().is_none()
                    && questions::is_yes(&questions, &intent.agreed, intent.suppress, &rules);
                Event::Asked(asked.reply_id, questions, yes)
            }
        }
    }

    pub(super) async fn cancel_answered(
        &mut self,
        me: &ActorRef<Msg>,
        id: IntentId,
        answer: CancelAnswer,
    ) {
        let event = match answer {
            CancelAnswer::NotSent(failure) => Event::NotSent(failure.to_string()),
            CancelAnswer::Requested { .. } => Event::Applied,
            CancelAnswer::Refused(text) => Event::Rejected(text),
            CancelAnswer::Ambiguous(why) => Event::Silence(why.to_string()),
        };
        self.step(me, id, event, "IBKR").await;
        // What becomes of the cancelled order is seen at the broker, not assumed.
        match self.book.get(id).map(|intent| intent.purpose.clone()) {
            Some(Purpose::Cancel { order_id }) => self.expect(me, order_id, Until::Over),
            _ => self.wants_look = true,
        }
    }

    /// One step of one intent: decided, journalled, then acted on.
    pub(super) async fn step(&mut self, me: &ActorRef<Msg>, id: IntentId, event: Event, by: &str) {
        let Some(intent) = self.book.get(id) else { return };
        let is_turn = event == Event::Turn;
        let now = Timestamp::now();
        let Some((state, mut effects)) = life::step(&intent.state, event, now) else { return };
        let changed = state != intent.state;
        if changed {
            let sent_at = is_turn.then_some(now);
            let amended = amended(&self.book, intent, &state);
            let became = Record::Became { id, state, sent_at, by: by.to_owned() };
            let records: Vec<Record> = std::iter::once(became).chain(amended).collect();
            if let Err(why) = self.write(id, records.clone()).await {
                tracing::error!(why, intent = %id, "a step could not be journalled");
                let is_end = self.book.get(id).is_some_and(|intent| intent.order.is_none());
                let records = match unwritten(id, &effects, is_turn, is_end, &why, now) {
                    Some(record) => {
                        effects = vec![Effect::Free, Effect::Tell];
                        vec![record]
                    }
                    None => records,
                };
                for record in records {
                    self.book.apply(record, now);
                }
            }
        }
        for effect in effects {
            self.perform(me, id, effect).await;
        }
        if changed {
            self.changed();
            self.expect_news(me, id);
        }
        self.next_turn(me);
    }

    /// What IBKR has just taken is followed at once, without waiting for the next look.
    fn expect_news(&mut self, me: &ActorRef<Msg>, id: IntentId) {
        let Some(intent) = self.book.get(id) else { return };
        if let (life::State::Working(standing), true) = (&intent.state, is_new(&intent.state)) {
            self.expect(me, standing.order_id, Until::Settled);
        }
    }

    async fn perform(&mut self, me: &ActorRef<Msg>, id: IntentId, effect: Effect) {
        match effect {
            Effect::Queue => self.enqueue(id),
            Effect::Send => self.send(me, id),
            Effect::Reply(reply, yes) => self.reply(me, id, reply, yes),
            Effect::Free if self.lane == Some(id) => self.free(),
            Effect::Free => {}
            Effect::Look => self.wants_look = true,
            Effect::Ask => self.tell_approval(id),
            Effect::Follow(questions) => self.follow(id, questions).await,
            Effect::Tell => self.tell(id),
            Effect::TellPart(order) => self.tell_part(id, order),
            Effect::Alarm(standing) => self.alarm(me, id, &standing).await,
        }
    }

    pub(super) fn free(&mut self) {
        self.lane = None;
        self.lease = None;
    }

    /// The order as others of this kind at this moment are alike: for the journal's `now`.
    pub(super) fn now() -> Now {
        Now::get()
    }
}

/// What an intent becomes, in memory alone, if its step could not be journalled; nothing if it goes on all
/// the same. No order is sent, and no question answered, that a later daemon would not know of. An end of
/// an order is sent, and what the broker says is known.
fn unwritten(
    id: IntentId,
    effects: &[Effect],
    is_turn: bool,
    is_end: bool,
    why: &str,
    now: Timestamp,
) -> Option<Record> {
    let sends = effects.iter().any(|effect| matches!(effect, Effect::Send | Effect::Reply(..)));
    if !sends || is_end {
        return None;
    }
    let state = match is_turn {
        true => life::State::Denied(Denial::new(
            "trading_closed",
            format!("Trading is closed: {why}. Nothing was sent."),
            "Tell the user; `ibctl status` says more.",
        )),
        false => life::State::Unknown(life::Doubt {
            cause: format!("IBKR asked a question, which is left open: {why}"),
            since: now,
            looks: 0,
        }),
    };
    Some(Record::Became { id, state, sent_at: None, by: "the daemon".to_owned() })
}

/// A part of a round. An actor that ends takes what has not left yet with it.
#[derive(Debug)]
pub(super) struct Round(tokio::task::JoinHandle<()>);

impl Drop for Round {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A part of a round that ended without a word. What it sent may have arrived.
fn broke(id: IntentId, is_end: bool) -> Msg {
    let why = Ambiguity::Wire(ibd_cpapi::Failure::Broke);
    match is_end {
        true => Msg::Cancelled(id, Box::new(CancelAnswer::Ambiguous(why))),
        false => Msg::Answered(id, Box::new(OrderAnswer::Ambiguous(why))),
    }
}

/// An order that was only just taken has more to tell within a moment.
pub(super) fn is_new(state: &life::State) -> bool {
    matches!(state, life::State::Working(standing)
        if matches!(standing.status.as_str(), "PendingSubmit" | "PreSubmitted" | "PendingCancel")
            && standing.filled.is_none_or(|filled| filled.is_zero()))
}

/// A change that was taken is what its order is from then on.
fn amended(book: &Book, change: &Intent, state: &life::State) -> Option<Record> {
    let (Purpose::Modify { order_id }, life::State::Over(life::End::Done)) =
        (&change.purpose, state)
    else {
        return None;
    };
    let target = book.by_order(*order_id).filter(|target| target.order_id() == Some(*order_id))?;
    let before = target.order.as_ref()?;
    let order = Order { attached: before.attached.clone(), ..change.order.clone()? };
    Some(Record::Amended { id: target.id, text: order.shown(), order: Box::new(order) })
}

/// What is said while trading is frozen.
pub(super) fn frozen(why: &str) -> Denial {
    Denial::new(
        "trading_frozen",
        format!("Trading is frozen: {why}."),
        "Tell the user; only they can let orders through again (`ibctl unfreeze`).",
    )
}

async fn prove_order(
    session: &crate::session::SessionHandle,
    underlyings: &crate::market::Underlyings,
    order: &Order,
    needs: Needs,
) -> Result<Proof, Denial> {
    let lease = scene::prove(session, &order.account, order.paper).await?;
    let deadline = Instant::now() + faults::scaled(PROOF);
    let scene =
        scene::gather(&lease, underlyings, order, needs, deadline).await.map_err(|failure| {
            let next = "Call get_session_status; when it is ready, place the order again.";
            Denial::new("no_session", failure.to_string(), next)
        })?;
    Ok(Proof { lease, scene: Some(scene) })
}

/// An end of an order needs a session of its account, and nothing else: the mode does not matter.
async fn prove_account(
    session: &crate::session::SessionHandle,
    account: &ibd_cpapi::id::AccountId,
) -> Result<Proof, Denial> {
    let deadline = Instant::now() + faults::scaled(PROOF);
    let lease = session
        .lease(deadline)
        .await
        .map_err(|refusal| Denial::new("no_session", refusal.message, refusal.next))?;
    match lease.facts().accounts.contains(account) {
        true => Ok(Proof { lease, scene: None }),
        false => Err(Denial::new(
            "other_login",
            format!("The login that is there now does not have the account {account}."),
            "Call get_session_status and ask the user.",
        )),
    }
}

async fn deliver(lease: &Lease, intent: &Intent) -> Msg {
    let deadline = Instant::now() + faults::scaled(ANSWER);
    let (client, account) = (lease.client(), intent.account.clone());
    faults::point("send.before");
    let msg = match (&intent.purpose, &intent.order) {
        (Purpose::Place, Some(order)) => {
            let tickets = tickets::place(order, &intent.client_order_id);
            let answer =
                read_answer(client.send(&PlaceOrders { account, tickets }, deadline).await);
            #[cfg(feature = "faults")]
            let answer = super::mutant::retried(client, order, deadline, answer).await;
            Msg::Answered(intent.id, Box::new(answer))
        }
        (Purpose::Modify { order_id }, Some(order)) => {
            let write =
                ModifyOrder { account, order_id: *order_id, ticket: tickets::modify(order) };
            Msg::Answered(intent.id, Box::new(read_answer(client.send(&write, deadline).await)))
        }
        (Purpose::Cancel { order_id }, _) => {
            cancel(client, intent, CancelTarget::Order(*order_id), deadline).await
        }
        _ => cancel(client, intent, CancelTarget::All, deadline).await,
    };
    faults::point("send.after");
    msg
}

async fn cancel(
    client: &ibd_cpapi::Client,
    intent: &Intent,
    target: CancelTarget,
    deadline: Instant,
) -> Msg {
    let write = CancelOrder {
        account: intent.account.clone(),
        target,
        manual_indicator: None,
        ext_operator: None,
    };
    let answer = read_cancel(client.send(&write, deadline).await);
    Msg::Cancelled(intent.id, Box::new(answer))
}

fn accepted(rows: &[ibd_cpapi::orders::AcceptedRow], refused: Option<String>) -> Event {
    let Some(first) = rows.first() else {
        return Event::Silence("the broker took an order and named none".to_owned());
    };
    let warning = rows.iter().find_map(|row| row.warning.clone());
    Event::Accepted(Standing {
        others: rows.iter().skip(1).map(|row| Part::new(row.order_id)).collect(),
        text: warning,
        refused,
        ..Standing::new(first.order_id, first.status.as_deref().unwrap_or("PendingSubmit"))
    })
}
