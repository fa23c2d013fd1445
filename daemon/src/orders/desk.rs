//! The desk: what is asked for, and who says yes.

use std::collections::HashMap;
use std::time::Duration;

use ibd_cpapi::faults;
use ibd_protocol::{ErrorCode, ReasonCode, Secret};
use jiff::{SignedDuration, Timestamp};
use ractor::ActorRef;

use super::approval::{Approval, By};
use super::asked::{Attached, Size};
use super::clock::{Boot, Now};
use super::guardrails::{Denial, Scene, Vetted, Worth, vet};
use super::intent::{Intent, IntentId, Seed};
use super::life::{self, Event, Question};
use super::limits::Rules;
use super::order::{Order, Purpose};
use super::pins::Pins;
use super::record::Record;
use super::standing::Standing;
use super::{Msg, State, lane, last_look, scene};
use crate::refusal::Refusal;
use crate::session::Lease;

/// What the names of dialogs about approvals begin with.
pub(super) const TOKEN: &str = "approve-";
/// What a short id is made of: nothing that is taken for something else.
const LETTERS: &[u8] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";

/// What a client wants done.
#[derive(Debug, Clone)]
pub struct Request {
    /// What it is.
    pub seed: Seed,
    /// What was known when it was put together, and through which session.
    pub scene: Option<(Scene, Lease)>,
    /// Whether the allow-list answers the broker's questions.
    pub suppress: bool,
    /// The alike intent that is meant to stand beside this one.
    pub beside: Option<IntentId>,
    /// What whoever asks should hear first.
    pub warnings: Vec<String>,
}

/// Who answers what waits for a yes.
#[derive(Debug, Clone)]
pub enum Answerer {
    /// The client that asked, by its name: by tool.
    Client(String),
    /// A person in the dialog of a client.
    Dialog,
    /// A person through `ibctl`: with the digest of what was shown, and the PIN.
    Ctl(Option<String>, Option<Secret>),
}

/// The PIN that is wanted, if one is set. Looked up before the actor is asked: a keyring may take its time.
#[derive(Debug, Clone, Default)]
pub struct Pin(pub Option<Secret>);

/// Who may say yes, and to what they did.
#[derive(Debug)]
pub(super) struct Approvals {
    /// What was shown to whoever said yes, until it is sent.
    pub(super) shown: HashMap<IntentId, Approval>,
    /// Wrong PINs.
    pins: Pins,
    /// Whether a PIN is wanted of whoever approves.
    pub(super) has_pin: bool,
}

impl Approvals {
    /// With wrong PINs counted here.
    pub(super) fn new(pins: Pins) -> Self {
        Self { shown: HashMap::new(), pins, has_pin: false }
    }

    /// The PIN's holder is a person: a program that runs as the same user could say anything else.
    pub(super) fn check_pin(&mut self, wanted: &Pin, pin: Option<&Secret>) -> Result<(), Refusal> {
        self.pins.check(wanted, pin)
    }
}

impl State {
    /// Takes a request: at most once, whoever asks how often.
    pub(super) async fn ask(
        &mut self,
        me: &ActorRef<Msg>,
        request: Request,
    ) -> Result<IntentId, Refusal> {
        if let Some(known) = self.ledger.book.by_key(&request.seed.origin.key) {
            return if known.origin.hash == request.seed.origin.hash {
                Ok(known.id)
            } else {
                Err(other_request(known))
            };
        }
        let is_order = request.seed.order.is_some();
        if let (Err(why), true) = (&self.ledger.journal, is_order) {
            return Err(closed(why));
        }
        let now = Timestamp::now();
        let id = IntentId::new();
        let intent = match &request.seed.order {
            None => Intent::new(id, request.seed.clone(), life::State::Ready, now),
            Some(order) => self.judge(id, &request, order.clone(), now),
        };
        let Some(intent) = intent else {
            return Err(Refusal::new(
                ErrorCode::Internal,
                "No client order id could be made.",
                "See `ibctl logs`.",
            ));
        };
        self.enter(me, intent, request.scene).await
    }

    /// What a request would come to.
    pub(super) fn would_be(&self, request: Request) -> Option<Intent> {
        let order = request.seed.order.clone()?;
        self.judge(IntentId::new(), &request, order, Timestamp::now())
    }

    /// What a new order becomes by our own rules.
    fn judge(
        &self,
        id: IntentId,
        request: &Request,
        order: Order,
        now: Timestamp,
    ) -> Option<Intent> {
        let begin = |state| Intent::new(id, request.seed.clone(), state, now);
        let mut intent = begin(life::State::Ready)?;
        intent.suppress = request.suppress;
        intent.warnings.clone_from(&request.warnings);
        let rules = self.controls.rules_of(&intent);
        let verdict = self.verdict(&intent, request, order, &rules, now);
        match verdict {
            Err((denial, like)) => {
                intent.state = life::State::Denied(denial);
                intent.beside = like;
            }
            Ok((vetted, like)) => {
                intent.worth = vetted.worth().clone();
                // What waits for its parent to be filled does nothing to what is held now.
                if !self.waits_for_parent(&intent) {
                    intent.warnings.extend_from_slice(vetted.warnings());
                }
                if intent.is_order() {
                    intent.warnings.extend(self.in_doubt_beside(vetted.order()));
                }
                intent.beside = like;
                let order = vetted.order();
                if order.closes {
                    (intent.text, intent.order) = (order.shown(), Some(order.clone()));
                }
                let value = vetted.worth().value.unwrap_or(rust_decimal::Decimal::MAX);
                // On a live account a person looks at what may be the same order once more.
                let is_risky = like.is_some() && !order.paper;
                if is_risky || rules.needs_approval(order.paper, value) {
                    let approval = self.approval(&intent, By::Person, Vec::new(), vetted.worth());
                    intent.state = life::State::Awaiting(Box::new(approval));
                }
            }
        }
        Some(intent)
    }

    /// Whether an intent changes a bracket's child whose parent is not filled yet.
    fn waits_for_parent(&self, intent: &Intent) -> bool {
        let Purpose::Modify { order_id, of: Some(of), .. } = intent.purpose else { return false };
        self.ledger.book.get(of).is_some_and(|first| {
            let is_bracket = |order: &Order| matches!(order.attached, Attached::Bracket { .. });
            let waits = |standing: &Standing| !standing.is_over() && !standing.has_fills();
            // A child for more than its parent does more than close what that opens.
            let size = |order: Option<&Order>| match order?.size {
                Size::Quantity(quantity) => Some(quantity.get()),
                Size::Cash(_) => None,
            };
            let sizes = size(intent.order.as_ref()).zip(size(first.order.as_ref()));
            first.order.as_ref().is_some_and(is_bracket)
                && sizes.is_some_and(|(child, parent)| child <= parent)
                && first.order_id() != Some(order_id)
                && first.state.standing().is_some_and(waits)
        })
    }

    /// What is to be known first of an order that stands beside others of which nobody knows whether they are
    /// there.
    fn in_doubt_beside(&self, order: &Order) -> Option<String> {
        let others = self.ledger.book.in_doubt_beside(order);
        let told = others.iter().map(|one| format!("{} ({})", one.text, one.id));
        let told = told.collect::<Vec<_>>().join("; ");
        let text = || {
            format!(
                "Whether IBKR has this is not known, and it would stand beside this order: {told}. Call \
                 get_order_status until it is settled if this one is meant instead of it."
            )
        };
        (!others.is_empty()).then(text)
    }

    fn verdict(
        &self,
        intent: &Intent,
        request: &Request,
        order: Order,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<(Vetted, Option<IntentId>), (Denial, Option<IntentId>)> {
        if let Some(why) = self.frozen() {
            return Err((lane::frozen(&why), None));
        }
        if let Purpose::Modify { order_id, .. } = intent.purpose
            && let Some(other) = self.ledger.book.open_change(order_id)
            && other.state.is_in_doubt()
        {
            return Err((last_look::change_in_doubt(other), None));
        }
        if let Some(why) = self.controls.claims.problem(&order.account) {
            return Err((super::claim::denial(why), None));
        }
        let like =
            if intent.is_order() { self.alike(&order, rules, request.beside)? } else { None };
        let empty = Scene::default();
        let scene = request.scene.as_ref().map_or(&empty, |(scene, _)| scene);
        let scene = scene::with_own(scene, self.ledger.book.iter(), intent, &self.seen_gone());
        let counts = self.counts(&order.account, &Now::get());
        vet(order, &scene, rules, counts, now)
            .map(|vetted| (vetted, like))
            .map_err(|denial| (denial, None))
    }

    /// Holds what may be the same order once more.
    fn alike(
        &self,
        order: &Order,
        rules: &Rules,
        beside: Option<IntentId>,
    ) -> Result<Option<IntentId>, (Denial, Option<IntentId>)> {
        let window = Duration::from_secs(rules.duplicate_seconds);
        let now = Now::get();
        let elsewhere = self.controls.siblings.alike(order, window, &now);
        if let Some(first) = elsewhere.as_ref().filter(|first| !first.is_meant(beside)) {
            return Err((first.denial(), Some(first.id())));
        }
        let Some((first, in_doubt)) = self.ledger.book.alike(order, window, &now) else {
            return Ok(elsewhere.map(|first| first.id()));
        };
        let state = first.state.in_words();
        if in_doubt {
            let denial = Denial::new(
                ReasonCode::SameOrderInDoubt,
                format!(
                    "An order like this one ({}) is {state}: whether IBKR has it is not known yet.",
                    first.text
                ),
                format!(
                    "Do not send it again. Call get_order_status with intentId {} until it is settled.",
                    first.id
                ),
            );
            return Err((denial, Some(first.id)));
        }
        if beside == Some(first.id) {
            return Ok(Some(first.id));
        }
        let denial = Denial::new(
            ReasonCode::PossibleDuplicate,
            if first.state.is_over() {
                format!(
                    "An order like this one ({}) was asked for less than {} seconds ago; it is {state}.",
                    first.text, rules.duplicate_seconds
                )
            } else {
                format!("An order like this one ({}) is there already; it is {state}.", first.text)
            },
            format!(
                "Look at it with get_order_status. Only if a second one is really wanted, repeat the call \
                 with allowDuplicateOf {}.",
                first.id
            ),
        );
        Err((denial, Some(first.id)))
    }

    /// Enters a new intent. What goes on at once is written together with its next step; everything else
    /// is durable before anybody hears of it.
    async fn enter(
        &mut self,
        me: &ActorRef<Msg>,
        intent: Intent,
        scene: Option<(Scene, Lease)>,
    ) -> Result<IntentId, Refusal> {
        let (id, is_ready) = (intent.id, matches!(intent.state, life::State::Ready));
        let is_order = intent.order.is_some();
        if is_ready {
            self.ledger.enter_unwritten(intent)
        } else {
            let record = Record::Intent(Box::new(intent));
            self.write_all(vec![record]).await.map_err(|why| closed(&why))?;
        }
        if let Some(scene) = scene {
            self.lane.scenes.insert(id, scene);
        }
        match self.ledger.book.get(id).map(|intent| &intent.state) {
            Some(life::State::Ready) => self.enqueue(id),
            Some(life::State::Awaiting(_)) => self.tell_approval(id),
            _ => {}
        }
        if is_order {
            self.look_for_breaker().await;
        }
        self.changed();
        self.next_turn(me);
        Ok(id)
    }

    /// A caller's patience is over. What was not sent is not sent any more, and that is a fact then.
    pub(super) async fn withdraw(&mut self, me: &ActorRef<Msg>, id: IntentId) -> Option<Intent> {
        let is_unsent =
            self.ledger.book.get(id).is_some_and(|i| matches!(i.state, life::State::Ready));
        if is_unsent {
            self.lane.withdraw(id);
            self.step(me, id, Event::Expired, "the daemon").await;
        }
        self.ledger.book.latest(id).cloned()
    }

    /// The one place where something becomes approved. The model cannot: what needs a person is not
    /// decided by a tool.
    pub(super) async fn decide(
        &mut self,
        me: &ActorRef<Msg>,
        name: &str,
        yes: bool,
        who: Answerer,
        pin: &Pin,
    ) -> Result<IntentId, Refusal> {
        let Some(intent) = self.ledger.book.by_approval(name).cloned() else {
            // What the same client answered before, perhaps through an earlier daemon, has its outcome.
            let is_its = |past: &&Intent| {
                matches!(&who, Answerer::Client(client) if *client == past.origin.client)
                    && (past.had_yes || !yes)
            };
            let past = self.ledger.book.by_past_approval(name).filter(is_its);
            return past.map(|past| past.id).ok_or_else(|| unknown_approval(name));
        };
        let life::State::Awaiting(approval) = &intent.state else {
            return Err(unknown_approval(name));
        };
        if approval.is_expired(&Now::get()) {
            self.step(me, intent.id, Event::Expired, "the daemon").await;
            return Err(expired(&approval.id));
        }
        if !yes {
            let by = match &who {
                Answerer::Client(client) => client.clone(),
                Answerer::Dialog => "a person in the client's dialog".to_owned(),
                Answerer::Ctl(..) => "a person".to_owned(),
            };
            self.step(me, intent.id, Event::Declined(by.clone()), &by).await;
            return Ok(intent.id);
        }
        let by = self.may_approve(&intent, approval, &who, pin)?;
        if let Some(why) = self.frozen() {
            let denial = lane::frozen(&why);
            return Err(Refusal::new(ErrorCode::TradingFrozen, denial.message, denial.next));
        }
        if let Err(why) = &self.ledger.journal {
            return Err(closed(why));
        }
        self.approvals.shown.insert(intent.id, (**approval).clone());
        // What was known when it was asked for says nothing about where the market is now.
        self.lane.scenes.remove(&intent.id);
        self.step(me, intent.id, Event::Approved, by).await;
        // A yes that cannot be kept is none.
        let still = self.ledger.book.get(intent.id).map(|intent| &intent.state);
        match (&self.ledger.journal, still) {
            (Err(why), Some(life::State::Awaiting(_))) => Err(closed(why)),
            _ => Ok(intent.id),
        }
    }

    /// Whether this answerer's yes counts, and its name in the journal.
    fn may_approve(
        &mut self,
        intent: &Intent,
        approval: &Approval,
        who: &Answerer,
        wanted: &Pin,
    ) -> Result<&'static str, Refusal> {
        match (approval.by, who) {
            (By::Client, Answerer::Client(client)) if *client == intent.origin.client => {
                Ok("the client")
            }
            (By::Client, Answerer::Client(_)) => Err(Refusal::new(
                ErrorCode::NotYours,
                format!("Only {}, which asked for this order, may say yes.", intent.origin.client),
                "Tell the user; `ibctl approve` does it too.",
            )),
            (By::Person, Answerer::Client(_)) => Err(needs_person(&approval.id)),
            (_, Answerer::Dialog) if self.controls.rules_of(intent).is_ctl_only => {
                Err(needs_person(&approval.id))
            }
            (_, Answerer::Dialog) if wanted.0.is_some() => Err(needs_person(&approval.id)),
            (_, Answerer::Dialog) => Ok("a person in the client's dialog"),
            (_, Answerer::Ctl(digest, pin)) => {
                if digest.as_deref().is_some_and(|shown| shown != intent.digest()) {
                    return Err(Refusal::new(
                        ErrorCode::ApprovalChanged,
                        "What was shown is not what would be sent.",
                        "Look at it again.",
                    ));
                }
                self.approvals.check_pin(wanted, pin.as_ref())?;
                Ok("a person with ibctl")
            }
        }
    }

    /// What must be said yes to.
    pub(super) fn approval(
        &self,
        intent: &Intent,
        by: By,
        questions: Vec<Question>,
        worth: &Worth,
    ) -> Approval {
        let now = Timestamp::now();
        let life =
            faults::scaled(Duration::from_secs(self.controls.rules_of(intent).approval_seconds));
        let life = SignedDuration::try_from(life).unwrap_or(SignedDuration::from_secs(300));
        Approval {
            id: self.short_id(),
            token: format!("{TOKEN}{}{}", ulid::Ulid::new(), ulid::Ulid::new()),
            by,
            digest: intent.digest(),
            questions,
            worth: worth.clone(),
            asked_at: now,
            expires_at: now.saturating_add(life).unwrap_or(now),
            boot: Boot::now(),
        }
    }

    /// Short enough to be typed, and none that waits already.
    fn short_id(&self) -> String {
        loop {
            let mut random = ulid::Ulid::new().random();
            let letters = (0..5).map(|_| {
                let letter = LETTERS[(random % LETTERS.len() as u128) as usize];
                random /= LETTERS.len() as u128;
                char::from(letter)
            });
            let id: String = letters.collect();
            if self.ledger.book.by_approval(&id).is_none()
                && self.ledger.book.by_past_approval(&id).is_none()
            {
                return id;
            }
        }
    }

    /// A question that was declined: a yes to it makes a new intent, with a name of its own.
    pub(super) async fn follow(&mut self, id: IntentId, questions: Vec<Question>) {
        let Some(first) = self.ledger.book.get(id).cloned() else { return };
        let now = Timestamp::now();
        let seed = Seed {
            purpose: first.purpose.clone(),
            account: first.account.clone(),
            order: first.order.clone(),
            text: first.text.clone(),
            origin: first.origin.clone(),
        };
        let Some(mut next) = Intent::new(IntentId::new(), seed, life::State::Ready, now) else {
            return;
        };
        next.follows = Some(first.id);
        next.suppress = first.suppress;
        next.worth = first.worth.clone();
        next.agreed = first.agreed.clone();
        next.agreed.extend(questions.iter().filter_map(|question| question.id.clone()));
        next.agreed_to = first.agreed_to.clone();
        next.agreed_to.extend(questions.iter().cloned());
        next.warnings.clone_from(&first.warnings);
        let rules = self.controls.rules_of(&first);
        let is_paper = first.order.as_ref().is_some_and(|order| order.paper);
        let value = first.worth.value.unwrap_or(rust_decimal::Decimal::MAX);
        // On a live account nobody but a person answers what the allow-list does not.
        let by = if !is_paper || rules.needs_approval(is_paper, value) {
            By::Person
        } else {
            By::Client
        };
        let approval = self.approval(&next, by, questions, &first.worth);
        next.state = life::State::Awaiting(Box::new(approval));
        let (next_id, record) = (next.id, Record::Intent(Box::new(next)));
        match self.write_all(vec![record]).await {
            Ok(()) => self.tell_approval(next_id),
            Err(why) => tracing::error!(why, "a question could not be kept"),
        }
    }
}

/// Why nothing is sent while the journal cannot be written.
pub(super) fn closed(why: &str) -> Refusal {
    Refusal::new(
        ErrorCode::TradingClosed,
        format!("Trading is closed: {why}."),
        "Nothing was sent. Tell the user to look at `ibctl status`; orders can still be cancelled.",
    )
}

fn other_request(known: &Intent) -> Refusal {
    Refusal::new(
        ErrorCode::RequestIdReused,
        format!("This requestId was used for another order: {} in {}.", known.text, known.account),
        "Use a new requestId for a new order. Nothing was done.",
    )
    .at("requestId")
}

fn unknown_approval(name: &str) -> Refusal {
    Refusal::new(
        ErrorCode::UnknownConfirmation,
        format!("Nothing waits for a yes under the name {name}."),
        "It was answered, or it has expired. Call get_live_orders, or get_order_status with the intentId.",
    )
    .at("confirmationId")
}

fn expired(id: &str) -> Refusal {
    Refusal::new(
        ErrorCode::ConfirmationExpired,
        format!("{id} has expired: the market has moved on."),
        "Nothing was sent. Place the order again if it is still wanted.",
    )
    .at("confirmationId")
}

fn needs_person(id: &str) -> Refusal {
    Refusal::new(
        ErrorCode::NeedsPerson,
        format!("Only a person can approve {id}; nothing was changed."),
        format!("Tell the user to run `ibctl approve {id}`, or `ibctl deny {id}`."),
    )
    .at("confirmationId")
}
