//! The desk: what is asked for, and who says yes.

mod verdict;
mod yes;

use std::collections::HashMap;

use ibd_protocol::{ErrorCode, Secret};
use jiff::Timestamp;
use ractor::ActorRef;

use super::approval::{Approval, By};
use super::guardrails::Scene;
use super::intent::{Intent, IntentId, Seed};
use super::life::{self, Event, Question};
use super::pins::Pins;
use super::record::Record;
use super::{Msg, State};
use crate::refusal::Refusal;
use crate::session::Lease;

/// What the names of dialogs about approvals begin with.
pub(super) const TOKEN: &str = "approve-";

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
