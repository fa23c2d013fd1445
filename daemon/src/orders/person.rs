//! What a person does about orders, with `ibctl`.

use ibd_protocol::{Level, OrderReport, OrdersReport, OrdersVerb, Secret, states};
use jiff::Timestamp;
use ractor::{ActorRef, RpcReplyPort};

use super::desk::{Answerer, Pin, Request};
use super::egress::Egress;
use super::intent::{Intent, IntentId, Origin, Seed};
use super::life::{self, Decision, End};
use super::order::Purpose;
use super::record::Record;
use super::resolve::Resolved;
use super::shown::{approval, order, urgency};
use super::{Msg, State};
use crate::refusal::{Refusal, for_person};

/// Entries of the journal that are shown at most.
const MOST: u32 = 10_000;
/// What is over is listed for so long.
const LISTED: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

impl State {
    /// What a person does about orders. What an order in doubt is said to be is looked at first, so that the
    /// answer to it comes later.
    pub(super) async fn verb(
        &mut self,
        me: &ActorRef<Msg>,
        verb: OrdersVerb,
        wanted: &Pin,
        reply: RpcReplyPort<OrdersReport>,
    ) {
        let report = match verb {
            OrdersVerb::List => self.list(),
            OrdersVerb::Resolve { id, found, pin } => {
                match self.approvals.check_pin(wanted, pin.as_ref()) {
                    Ok(()) => match self.resolve(me, &id, &found).await {
                        Resolved::Report(report) => *report,
                        Resolved::Look(named) => return self.look_to_resolve(me, named, reply),
                    },
                    Err(refusal) => self.failed(refusal),
                }
            }
            OrdersVerb::Approve { id, digest, pin } => {
                let decided = self
                    .decide(me, &id, Decision::Yes, Answerer::Ctl(Some(digest), pin), wanted)
                    .await;
                self.decided(decided, "Approved")
            }
            OrdersVerb::Deny(id) => {
                let decided =
                    self.decide(me, &id, Decision::No, Answerer::Ctl(None, None), wanted).await;
                self.decided(decided, "Declined")
            }
            OrdersVerb::Freeze { cancel_all } => self.freeze(me, cancel_all).await,
            OrdersVerb::Unfreeze { pin } => self.unfreeze(me, wanted, pin).await,
            OrdersVerb::Audit(count) => self.audit(count.min(MOST)),
            OrdersVerb::AuditVerify => self.verify(),
            OrdersVerb::Elsewhere => self.elsewhere(),
        };
        let _ = reply.send(OrdersReport { needs_pin: wanted.0.is_some(), ..report });
    }

    pub(super) fn report(
        &self,
        ok: bool,
        text: impl Into<String>,
        hint: impl Into<String>,
    ) -> OrdersReport {
        OrdersReport {
            ok,
            text: text.into(),
            hint: hint.into(),
            trading: self.trading().state,
            ..OrdersReport::default()
        }
    }

    fn failed(&self, refusal: Refusal) -> OrdersReport {
        self.report(false, refusal.message, for_person(&refusal.next))
    }

    fn list(&self) -> OrdersReport {
        let now = Timestamp::now();
        let mut report = self.report(true, self.trading().text, "");
        let listed =
            |intent: &&Intent| intent.state.is_open() || now.duration_since(intent.since) < LISTED;
        let mut orders: Vec<&Intent> = self.ledger.book.iter().filter(listed).collect();
        orders.sort_by_key(|intent| (urgency(&intent.state), std::cmp::Reverse(intent.created_at)));
        report.orders = orders.into_iter().map(|intent| self.shown_order(intent)).collect();
        report.approvals = self.ledger.book.iter().filter_map(|i| approval(i, now)).collect();
        report
    }

    fn decided(&self, decided: Result<IntentId, Refusal>, what: &str) -> OrdersReport {
        match decided {
            Err(refusal) => self.failed(refusal),
            Ok(id) => {
                let text =
                    self.ledger.book.get(id).map(|intent| intent.text.clone()).unwrap_or_default();
                let mut report = self.report(true, format!("{what}: {text}."), "");
                report.orders =
                    self.ledger.book.get(id).map(|i| self.shown_order(i)).into_iter().collect();
                report
            }
        }
    }

    /// How an intent stands, for a person.
    pub(super) fn shown_as(&self, id: IntentId, text: String) -> OrdersReport {
        let mut report = self.report(true, text, "");
        report.orders =
            self.ledger.book.latest(id).map(|i| self.shown_order(i)).into_iter().collect();
        report
    }

    /// As a person sees it: what was placed through another gateway or login is said.
    pub(super) fn shown_order(&self, intent: &Intent) -> OrderReport {
        let elsewhere = intent.through.as_ref().filter(|_| !self.broker.is_here(intent));
        let state = self.state_of(intent).into();
        let shown = OrderReport { state, ..order(intent) };
        match elsewhere.filter(|_| intent.state.is_open()) {
            Some(through) => OrderReport {
                hint: format!(
                    "It was placed through {through}; nothing of it is seen here. {}",
                    shown.hint
                ),
                ..shown
            },
            None => shown,
        }
    }

    /// The name of how an intent stands: a request is done only where what it was for is seen.
    fn state_of(&self, intent: &Intent) -> states::Order {
        let is_seen = match (&intent.state, &intent.purpose) {
            (life::State::Over(End::Done), Purpose::Cancel { order_id, of }) => {
                let target = of.and_then(|id| self.ledger.book.get(id));
                target.is_some_and(|target| target.has_ended(*order_id))
            }
            (life::State::Over(End::Done), Purpose::CancelAll) => false,
            (life::State::Over(End::Done), Purpose::Modify { change, .. }) => {
                change.unseen().is_none()
            }
            _ => true,
        };
        if is_seen { intent.state.word() } else { states::Order::Requested }
    }

    async fn freeze(&mut self, me: &ActorRef<Msg>, cancel_all: bool) -> OrdersReport {
        // The files first: they work even if the journal does not.
        let flagged = self.raise_flags();
        let written = match self.ledger.book.frozen() {
            Some(_) => Ok(()),
            None => self.write_all(vec![Record::Frozen { by: "a person".to_owned() }]).await,
        };
        self.changed();
        if let (Some(error), Err(why)) = (&flagged, &written) {
            return self.report(
                false,
                format!("Trading could not be frozen: {error}; {why}."),
                "Stop the daemon: `ibctl stop`.",
            );
        }
        self.say(
            Level::Warning,
            "trading_frozen",
            "Trading is frozen by a person.".to_owned(),
            "`ibctl unfreeze` lets orders through again.",
        );
        if !cancel_all {
            return self.report(true, "Frozen: no new orders. What works at IBKR works on.", "`ibctl freeze --cancel-all` cancels that too; `ibctl unfreeze` lets orders through again.");
        }
        self.cancel_everything(me).await
    }

    async fn cancel_everything(&mut self, me: &ActorRef<Msg>) -> OrdersReport {
        let Some(lease) = self.broker.ready.clone() else {
            return self.report(
                false,
                "Frozen. Nothing was cancelled: there is no session at IBKR.",
                "Cancel in TWS or Client Portal, or log in and repeat it.",
            );
        };
        let mut ids = Vec::new();
        for account in &lease.facts().tradable {
            let key = format!("freeze-{}", ulid::Ulid::new());
            let seed = Seed {
                purpose: Purpose::CancelAll,
                account: account.clone(),
                order: None,
                text: format!("cancel every order of {account}"),
                origin: Origin {
                    client: "ibctl".to_owned(),
                    tool: "freeze".to_owned(),
                    hash: key.clone(),
                    key,
                    bound: Vec::new(),
                },
            };
            let request =
                Request { seed, scene: None, suppress: false, beside: None, warnings: Vec::new() };
            ids.extend(self.ask(me, request).await);
        }
        let mut report = self.report(
            true,
            format!("Frozen. Cancellation of everything was asked for in {} accounts.", ids.len()),
            match lease.facts().groups.is_empty() {
                true => "`ibctl orders` shows what became of it.",
                false => {
                    "`ibctl orders` shows what became of it. What was given for a group of accounts is not among \
                     it: cancel that in TWS."
                }
            },
        );
        report.orders = ids
            .iter()
            .filter_map(|id| self.ledger.book.get(*id))
            .map(|i| self.shown_order(i))
            .collect();
        report
    }

    async fn unfreeze(
        &mut self,
        me: &ActorRef<Msg>,
        wanted: &Pin,
        pin: Option<Secret>,
    ) -> OrdersReport {
        if let Err(refusal) = self.approvals.check_pin(wanted, pin.as_ref()) {
            return self.failed(refusal);
        }
        if let Err(why) = self.controls.flags.lower() {
            return self.report(false, format!("{why}."), "Remove it yourself.");
        }
        self.board.clear("freeze_not_shared");
        // A person has compared what left with what is known.
        self.lane.egress = Egress::default();
        let by = "a person with ibctl".to_owned();
        if let Err(why) = self.write_all(vec![Record::Unfrozen { by }]).await {
            return self.report(false, format!("Trading stays closed: {why}."), "");
        }
        self.changed();
        self.next_turn(me);
        let others = self.controls.flags.others_up();
        let hint = if others.is_empty() {
            String::new()
        } else {
            format!(
                "Frozen of their own, and still so: the profiles {}; `ibctl unfreeze --profile NAME` each.",
                others.join(", ")
            )
        };
        self.report(true, "Orders go through again.", hint)
    }
}
