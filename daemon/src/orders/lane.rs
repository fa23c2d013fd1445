//! The lane: one order round at a time. Proof, journal, send, answer; questions are answered at once, and
//! nothing else is sent to the order endpoints in between. It never waits for a person.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;

use ibd_cpapi::orders::{Ambiguity, CancelAnswer, OrderAnswer, ReplyId, Stage};
use ibd_protocol::Level;
use jiff::{SignedDuration, Timestamp};
use ractor::ActorRef;

use super::approval::By;
use super::book::Book;
use super::clock::{Boot, Now};
use super::evidence::{Evidence, is_carried_out};
use super::guardrails::{self, Denial, Scene, vet};
use super::intent::{Intent, IntentId};
use super::life::{self, Effect, Event};
use super::order::{Order, Purpose};
use super::page;
use super::peeks::Until;
use super::record::Record;
use super::round::{self, Heard, HeardEnd, Round, Target};
use super::scene;
use super::scene::Needs;
use super::standing::{Part, Standing};
use super::{Msg, Proof, State, identify, questions};
use crate::session::Lease;

/// A scene that is older than this is gathered anew.
const FRESH: SignedDuration = SignedDuration::from_secs(5);

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
        let Some(intent) = self.book.get(id).cloned() else { return };
        let now = Timestamp::now();
        // What closes a position is held against what is held right now.
        let closes = intent.order.as_ref().is_some_and(|order| order.closes);
        if let Some((scene, lease)) = self.scenes.remove(&id)
            && intent.is_order()
            && self.first_tries(&intent).is_empty()
            && !closes
            && scene
                .at
                .is_some_and(|at| (SignedDuration::ZERO..FRESH).contains(&now.duration_since(at)))
            && self.ready.as_ref().is_some_and(|ready| ready.epoch() == lease.epoch())
        {
            // Looked at just now, before it was asked for.
            let proof =
                Box::new(Ok(Proof { lease, scene: Some(scene), target: None, first: None }));
            let _ = me.cast(Msg::Proved(id, proof));
            return;
        }
        let round = self.round_of(&intent);
        let lost = Denial::new(
            "internal",
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
    fn first_tries(&self, intent: &Intent) -> Vec<IntentId> {
        let Some(order) = intent.order.as_ref().filter(|_| intent.is_order()) else {
            return Vec::new();
        };
        let window = Duration::from_secs(self.rules_of(intent).duplicate_seconds);
        let mut firsts = self.book.declined_like(order, window, &Now::get());
        firsts.extend(intent.follows);
        firsts.sort_unstable();
        firsts.dedup();
        firsts
    }

    /// What the parts of an intent's round need.
    fn round_of(&self, intent: &Intent) -> Round {
        let first = self.first_tries(intent).into_iter().filter_map(|id| self.book.get(id));
        let first = first.max_by_key(|first| first.since);
        Round {
            session: self.session.clone(),
            underlyings: self.underlyings.clone(),
            feeds: self.feeds.clone(),
            through: self.through(),
            needs: Needs {
                pnl: self.rules_of(intent).max_loss.is_some(),
                feeds: self.feeds.clone(),
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
        self.round = Some(Running(tokio::spawn(async move {
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
        let event = match proof {
            Err(denial) => Event::Refused(denial),
            Ok(proof) => match self.prepare_to_send(me, id, &proof).await {
                Err(denial) => Event::Refused(denial),
                Ok(()) => {
                    let Some(intent) = self.book.get(id) else { return };
                    self.last_look(intent, proof.scene.as_ref())
                }
            },
        };
        self.step(me, id, event, "the daemon").await;
    }

    /// What a last look showed of other orders, before it is decided about this one.
    async fn prepare_to_send(
        &mut self,
        me: &ActorRef<Msg>,
        id: IntentId,
        proof: &Proof,
    ) -> Result<(), Denial> {
        self.check_egress(&proof.lease).await;
        self.lease = Some(proof.lease.clone());
        let Some(intent) = self.book.get(id).cloned() else { return Ok(()) };
        let looked_for = proof.first.as_ref();
        #[cfg(feature = "faults")]
        let looked_for = looked_for.filter(|_| !super::mutant::is("blind-follower"));
        if let Some(seen) = looked_for {
            self.hold_against_first_tries(me, &intent, seen).await?;
        }
        match (&intent.purpose, &proof.target) {
            (Purpose::Modify { .. }, Some(target)) => self.rebase(&intent, target).await,
            (Purpose::Cancel { .. }, Some(target)) => self.is_the_one(&intent, target),
            _ => self.resize(&intent, proof.scene.as_ref()).await,
        }
    }

    /// None of an order's first tries may be at the broker in any state, or there would be two.
    async fn hold_against_first_tries(
        &mut self,
        me: &ActorRef<Msg>,
        intent: &Intent,
        seen: &Evidence,
    ) -> Result<(), Denial> {
        for first in self.first_tries(intent) {
            self.hold_against(me, first, seen).await;
            let Some(first) = self.book.get(first) else { continue };
            if first.state.standing().is_some() {
                return Err(first_is_there(first));
            }
            // One that is called cancelled may be filled yet.
            if let Some(Event::Found(standing) | Event::Shown(standing)) = seen.about(first) {
                return Err(first_was_there(&standing));
            }
        }
        Ok(())
    }

    /// What closes a position is for what is held now: the journal has it before it is sent.
    async fn resize(&mut self, intent: &Intent, scene: Option<&Scene>) -> Result<(), Denial> {
        let resized = |order: &Order| guardrails::resized(order, scene?);
        let Some(order) = intent.order.as_ref().and_then(resized) else { return Ok(()) };
        let (id, text) = (intent.id, order.shown());
        let amended = Record::Amended { id, text, order: Box::new(order) };
        self.write(id, vec![amended]).await.map_err(|why| closed(&why))
    }

    /// What is not named in a change stays as it is at the broker: the change is put together anew from the
    /// order's own page, whatever it was put together from before.
    async fn rebase(&mut self, intent: &Intent, target: &Target) -> Result<(), Denial> {
        let (Purpose::Modify { order_id, change, .. }, Some(order)) =
            (&intent.purpose, &intent.order)
        else {
            return Ok(());
        };
        let other = self
            .book
            .open_change(*order_id)
            .filter(|other| other.id != intent.id && other.state.is_in_doubt());
        if let Some(other) = other {
            return Err(change_in_doubt(other));
        }
        let Some(page) = &target.page else { return Err(no_page(*order_id, target)) };
        if let Some(why) = page.is_other(&intent.account, order, &[order.side]) {
            return Err(not_the_one(*order_id, &why));
        }
        if page.standing.is_over() {
            return Err(is_over(*order_id, &page.standing.status));
        }
        // Earlier journals say only what the whole should be.
        if change.is_nothing() {
            return Ok(());
        }
        #[cfg(feature = "faults")]
        if super::mutant::is("writes-back") {
            return Ok(());
        }
        let as_sent = self.as_sent(intent, order);
        let Some((now, _)) = page::as_it_is(&as_sent, page, target.row.as_ref()) else {
            return Err(no_terms(*order_id));
        };
        let wanted = change
            .apply(now)
            .map_err(|refusal| Denial::new("cannot_modify", refusal.message, refusal.next))?;
        check_filled(page, &wanted)?;
        if wanted == *order {
            return Ok(());
        }
        let text = format!("change order {order_id} to {}", wanted.shown());
        let amended = Record::Amended { id: intent.id, text, order: Box::new(wanted) };
        self.write(intent.id, vec![amended]).await.map_err(|why| closed(&why))
    }

    /// The order that a change is about as it was sent from here, so far as one knows; else the change itself.
    fn as_sent(&self, intent: &Intent, order: &Order) -> Order {
        let target = intent.target().and_then(|id| self.book.get(id));
        let own = target.filter(|target| target.order_id() == intent.order_id());
        own.and_then(|own| own.order.clone()).unwrap_or_else(|| order.clone())
    }

    /// An end is asked for of exactly the order that was meant. What cannot be looked at is ended all the same,
    /// unless its id is all that is known of it.
    fn is_the_one(&self, intent: &Intent, target: &Target) -> Result<(), Denial> {
        let Purpose::Cancel { order_id, of } = intent.purpose else { return Ok(()) };
        let Some(own) = of.and_then(|id| self.book.get(id)) else { return Ok(()) };
        let Some(order) = &own.order else { return Ok(()) };
        match &target.page {
            Some(page) => match page.is_not(own, order) {
                Some(why) => Err(not_the_one(order_id, &why)),
                None => Ok(()),
            },
            None => match (self.through(), &own.through) {
                (Some(now), Some(sent)) if !now.may_be(sent) => {
                    Err(not_the_one(order_id, &format!("it was placed through {sent}")))
                }
                _ => Ok(()),
            },
        }
    }

    fn last_look(&self, intent: &Intent, scene: Option<&Scene>) -> Event {
        let Some(order) = &intent.order else { return Event::Turn };
        if let Some(why) = self.frozen() {
            return Event::Refused(frozen(&why));
        }
        if let Some(why) = self.claims.problem(&order.account) {
            return Event::Refused(super::claim::denial(why));
        }
        let now = Now::get();
        let rules = self.rules_of(intent);
        let empty = Scene::default();
        let scene = scene.unwrap_or(&empty);
        let window = Duration::from_secs(rules.duplicate_seconds);
        if let Some(first) = self.siblings.was_sent(intent, window, &now) {
            return Event::Refused(first.denial());
        }
        let scene = scene::with_own(scene, self.book.iter(), intent);
        let counts = self.counts(&order.account, &now);
        let vetted = match vet(order.clone(), &scene, &rules, counts, now.wall) {
            Ok(vetted) => vetted,
            Err(denial) => return Event::Refused(denial),
        };
        let value = vetted.worth().value.unwrap_or(rust_decimal::Decimal::MAX);
        let needs_person = rules.needs_approval(order.paper, value);
        let shown = self.shown.get(&intent.id);
        // What is sent is what was shown, to the letter; a market or an order that moved is shown again. Only what
        // is held may have become another quantity since.
        let holds = |shown: &super::approval::Approval| {
            shown.digest == intent.digest()
                && !shown.has_moved(vetted.worth())
                && (shown.by == By::Person || !needs_person)
        };
        let is_meant = match shown {
            Some(shown) => holds(shown),
            None => !needs_person,
        };
        #[cfg(feature = "faults")]
        let is_meant = is_meant || super::mutant::is("judges-once");
        if is_meant {
            return Event::Turn;
        }
        let by = match shown {
            Some(shown) if !needs_person => shown.by,
            _ => By::Person,
        };
        let asked = shown.map(|shown| shown.questions.clone()).unwrap_or_default();
        Event::Moved(Box::new(self.approval(intent, by, asked, vetted.worth())))
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
        let round = self.round_of(&intent);
        self.run_round(me, broke(id, is_end), async move {
            round::deliver(&round, &lease, &intent).await
        });
    }

    pub(super) fn reply(&mut self, me: &ActorRef<Msg>, id: IntentId, reply: ReplyId, yes: bool) {
        let (Some(intent), Some(lease)) = (self.book.get(id).cloned(), self.lease.clone()) else {
            return;
        };
        self.egress.let_go(lease.client().orders_left());
        let round = self.round_of(&intent);
        self.run_round(me, broke(id, false), async move {
            round::answer(&round, &lease, &intent, (reply, yes)).await
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
        let _ = self.flags.raise();
        self.say(
            Level::Warning,
            "trading_frozen",
            format!("Trading is frozen by {by}."),
            "Compare `ibctl audit` with the orders in TWS before `ibctl unfreeze`.",
        );
        self.changed();
    }

    /// What the broker answered to an order, a change or a reply.
    pub(super) async fn answered(&mut self, me: &ActorRef<Msg>, id: IntentId, heard: Heard) {
        let Some(intent) = self.book.get(id).cloned() else { return };
        self.doubt_session(&heard.answer);
        if let Some(lease) = self.lease.clone() {
            self.check_egress(&lease).await;
        }
        let event = self.meaning(&intent, heard);
        self.step(me, id, event, "IBKR").await;
        // What an order is after a change, and after one that was refused, its page says.
        if let Purpose::Modify { order_id, .. } = intent.purpose {
            self.expect_now(me, order_id);
        }
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

    fn meaning(&self, intent: &Intent, heard: Heard) -> Event {
        let seen = heard.seen.as_ref().and_then(|seen| seen.as_ref().ok());
        match heard.answer {
            OrderAnswer::NotSent(failure) => Event::NotSent(failure.to_string()),
            OrderAnswer::Ambiguous(why) => Event::Silence(why.to_string()),
            #[cfg(feature = "faults")]
            OrderAnswer::Accepted(_)
                if !intent.is_order() && super::mutant::is("believes-changes") =>
            {
                Event::Applied
            }
            OrderAnswer::Accepted(_) if !intent.is_order() => match shows_change(intent, seen) {
                Some(false) => Event::Taken,
                _ => Event::Applied,
            },
            OrderAnswer::Accepted(rows) => accepted(&rows, None, intent, seen),
            OrderAnswer::PartlyAccepted { accepted: rows, refused } => {
                let texts: Vec<&str> =
                    refused.iter().map(|refusal| refusal.text.as_str()).collect();
                accepted(&rows, Some(texts.join("; ")), intent, seen)
            }
            OrderAnswer::Refused(refusal) if refusal.is_certain() => Event::Rejected(refusal.text),
            OrderAnswer::Refused(refusal) => match &heard.seen {
                Some(Ok(seen)) => claimed(intent, &refusal, seen),
                Some(Err(failure)) => Event::Silence(format!(
                    "IBKR answered {:?}, and whether it has the order could not be seen: {failure}",
                    refusal.text
                )),
                None => Event::Silence(format!("IBKR answered {:?}", refusal.text)),
            },
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
                    && questions::is_yes(&questions, &intent.agreed_to, intent.suppress, &rules);
                Event::Asked(asked.reply_id, questions, yes)
            }
        }
    }

    pub(super) async fn cancel_answered(
        &mut self,
        me: &ActorRef<Msg>,
        id: IntentId,
        heard: HeardEnd,
    ) {
        let event = match heard.answer {
            CancelAnswer::NotSent(failure) => Event::NotSent(failure.to_string()),
            CancelAnswer::Requested { .. } => Event::Applied,
            CancelAnswer::Refused(text) => Event::Rejected(match &heard.page {
                Some(page) if page.standing.is_over() => ended_before(page),
                _ => text,
            }),
            CancelAnswer::Ambiguous(why) => Event::Silence(why.to_string()),
        };
        self.step(me, id, event, "IBKR").await;
        // What becomes of the cancelled order is seen at the broker, not assumed.
        match self.book.get(id).map(|intent| intent.purpose.clone()) {
            Some(Purpose::Cancel { order_id, .. }) => self.expect(me, order_id, Until::Over),
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
            let through = is_turn.then(|| self.through()).flatten();
            let boot = is_turn.then(Boot::now).flatten();
            let amended = amended(&self.book, intent, &state);
            let state = Box::new(state);
            let became = Record::Became { id, state, sent_at, through, boot, by: by.to_owned() };
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
            // While anything may become something, somebody listens.
            self.listen(me);
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
            Effect::Alarm => self.alarm(me, id).await,
        }
    }

    pub(super) fn free(&mut self) {
        self.lane = None;
        self.lease = None;
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
    let by = "the daemon".to_owned();
    let state = Box::new(state);
    Some(Record::Became { id, state, sent_at: None, through: None, boot: None, by })
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
    match is_end {
        true => {
            let answer = CancelAnswer::Ambiguous(why);
            Msg::Cancelled(id, Box::new(HeardEnd { answer, page: None }))
        }
        false => Msg::Answered(id, Box::new(OrderAnswer::Ambiguous(why).into())),
    }
}

/// An order that was only just taken has more to tell within a moment.
pub(super) fn is_new(state: &life::State) -> bool {
    matches!(state, life::State::Working(standing)
        if matches!(
            Stage::of(&standing.status),
            Stage::PendingSubmit | Stage::PreSubmitted | Stage::PendingCancel
        ) && !standing.has_fills())
}

/// A change that was taken is what its order is from then on.
fn amended(book: &Book, change: &Intent, state: &life::State) -> Option<Record> {
    let (Purpose::Modify { order_id, .. }, life::State::Over(life::End::Done)) =
        (&change.purpose, state)
    else {
        return None;
    };
    let target = match change.target() {
        Some(id) => book.get(id),
        None => book.by_order(*order_id),
    };
    let target = target.filter(|target| target.order_id() == Some(*order_id))?;
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

/// Whether an order's page shows what a change wanted; nothing if it was not seen.
fn shows_change(intent: &Intent, seen: Option<&Evidence>) -> Option<bool> {
    let (Purpose::Modify { order_id, change, .. }, Some(order)) = (&intent.purpose, &intent.order)
    else {
        return None;
    };
    let page = seen?.pages.iter().find(|page| page.order_id == *order_id)?;
    Some(is_carried_out(page, order, change))
}

/// A refusal that nobody has on a list, after a look: it is believed only where the order is not there.
fn claimed(intent: &Intent, refusal: &ibd_cpapi::orders::Refusal, seen: &Evidence) -> Event {
    let text = refusal.text.clone();
    let Some(order) = intent.order.as_ref().filter(|_| intent.is_order()) else {
        return match shows_change(intent, Some(seen)) {
            Some(true) => Event::Applied,
            _ => Event::Rejected(text),
        };
    };
    let page = seen.pages.iter().find(|page| Some(page.order_id) == refusal.order_id);
    let page = page.filter(|page| page.is_other(&intent.account, order, &[order.side]).is_none());
    let standing = match (page, seen.about(intent)) {
        (Some(page), _) => page.standing.clone(),
        (None, Some(Event::Found(standing) | Event::Shown(standing))) => standing,
        _ => return Event::Rejected(text),
    };
    // One that it calls rejected is refused, as it said. One that is cancelled was there, and may be filled yet.
    let is_rejected = Stage::of(&standing.status) == Stage::Rejected;
    match is_rejected && !standing.has_any_fill() && !standing.has_open_part() {
        true => Event::Rejected(text),
        false => Event::Accepted(Standing { text: Some(text), ..standing }),
    }
}

/// How an order ended, for whoever wanted to end it.
fn ended_before(page: &page::Page) -> String {
    let filled = page.filled.filter(|filled| !filled.is_zero());
    let filled = filled.map(|filled| format!(", {} filled", filled.normalize()));
    format!("it was {} before{}", page.standing.status.to_lowercase(), filled.unwrap_or_default())
}

fn first_was_there(standing: &Standing) -> Denial {
    Denial::new(
        "first_try_seen",
        format!(
            "IBKR has the first try of this order as order {}, {}, although its question was declined.",
            standing.order_id, standing.status
        ),
        "Nothing was sent. Look at it with get_order_status and tell the user; if nothing of it works or is \
         filled, place the order anew.",
    )
}

fn first_is_there(first: &Intent) -> Denial {
    let order = first.order_id().map(|id| id.to_string()).unwrap_or_default();
    Denial::new(
        "first_try_alive",
        format!(
            "IBKR has the first try of this order after all: order {order}, {}.",
            first.state.name()
        ),
        format!("Nothing more was sent. Look at it: get_order_status with intentId {}.", first.id),
    )
}

pub(super) fn change_in_doubt(other: &Intent) -> Denial {
    Denial::new(
        "change_in_doubt",
        format!("Another change of this order ({}) is {}.", other.text, other.state.name()),
        format!(
            "Nothing was sent. Call get_order_status with intentId {} until it is settled.",
            other.id
        ),
    )
}

fn no_page(order_id: ibd_cpapi::id::OrderId, target: &Target) -> Denial {
    let why = target.failed.clone().unwrap_or_else(|| "IBKR does not know it".to_owned());
    Denial::new(
        "order_not_seen",
        format!(
            "Order {order_id} could not be looked at: {why}. What is not named must stay as it is there."
        ),
        "Nothing was sent. Look at get_live_orders, and try again.",
    )
}

fn not_the_one(order_id: ibd_cpapi::id::OrderId, why: &str) -> Denial {
    Denial::new(
        "not_that_order",
        format!("Order {order_id} at IBKR is not the one that is meant: {why}."),
        "Nothing was sent. Look at get_live_orders, and use the orderId from there.",
    )
}

fn is_over(order_id: ibd_cpapi::id::OrderId, status: &str) -> Denial {
    Denial::new(
        "not_working",
        format!("Order {order_id} is {}.", status.to_lowercase()),
        "Nothing was sent: only a working order can be changed.",
    )
}

fn no_terms(order_id: ibd_cpapi::id::OrderId) -> Denial {
    Denial::new(
        "cannot_modify",
        format!("IBKR does not say enough about order {order_id} to repeat it with a change."),
        "Nothing was sent. Change it in TWS, or cancel it and place a new one.",
    )
}

/// A total that is filled already is none.
fn check_filled(page: &page::Page, wanted: &Order) -> Result<(), Denial> {
    let super::asked::Size::Quantity(quantity) = wanted.size else { return Ok(()) };
    match page.filled.filter(|filled| quantity.get() <= *filled && !filled.is_zero()) {
        Some(filled) => Err(Denial::new(
            "already_filled",
            format!("{} of it are filled: the new total must be more.", filled.normalize()),
            "Nothing was sent. quantity is the whole with what is filled; to end the rest use cancel_order.",
        )),
        None => Ok(()),
    }
}

/// What is said while the journal cannot be written.
fn closed(why: &str) -> Denial {
    Denial::new(
        "trading_closed",
        format!("Trading is closed: {why}. Nothing was sent."),
        "Tell the user; `ibctl status` says more.",
    )
}

fn accepted(
    rows: &[ibd_cpapi::orders::AcceptedRow],
    refused: Option<String>,
    intent: &Intent,
    seen: Option<&Evidence>,
) -> Event {
    let Some(order) = &intent.order else {
        return Event::Silence("the broker took an order where none was sent".to_owned());
    };
    #[cfg(feature = "faults")]
    let first_counts = super::mutant::is("first-row");
    #[cfg(not(feature = "faults"))]
    let first_counts = false;
    let main = match first_counts {
        true => Some(0),
        false => identify::main_row(rows, seen, intent, order),
    };
    let Some(first) = main.and_then(|at| rows.get(at)) else {
        let words = refused.map(|text| format!(", and refused others: {text}"));
        return Event::Silence(format!(
            "IBKR took {} orders and does not say which is which{}",
            rows.len(),
            words.unwrap_or_default()
        ));
    };
    let warning = rows.iter().find_map(|row| row.warning.clone());
    let others = rows.iter().filter(|row| row.order_id != first.order_id);
    Event::Accepted(Standing {
        others: others.map(|row| Part::new(row.order_id)).collect(),
        text: warning,
        refused,
        ..Standing::new(first.order_id, first.status.as_deref().unwrap_or("PendingSubmit"))
    })
}
