//! What others see of orders: the journal's writing, the board, events, and what a person does about them.

use std::time::Duration;

use ibd_cpapi::id::{AccountId, OrderId};
use ibd_cpapi::orders::{Meaning, Stage};
use ibd_protocol::{
    ApprovalReport, AuditLine, Event as News, Level, OrderReport, OrdersReport, OrdersVerb,
    Resolution, Secret, TradingStatus,
};
use jiff::{Timestamp, Unit};
use ractor::{ActorRef, RpcReplyPort};
use tokio::time::Instant;

use super::asked::Attached;
use super::desk::{Answerer, Pin, Request};
use super::egress::Egress;
use super::intent::{Intent, IntentId, Origin, Seed};
use super::life::{self, End, Event};
use super::order::{Order, Purpose, Role};
use super::page::Page;
use super::record::{Record, why};
use super::standing::{self, MISSING, Standing, UNLISTED};
use super::{Msg, State, told};
use crate::refusal::{Refusal, for_person};

/// Entries of the trail that are shown at most.
const MOST: u32 = 10_000;
/// What looking at one order may take.
const PAGE: Duration = Duration::from_secs(12);
/// What is over is listed for so long.
const LISTED: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

impl State {
    /// Writes a step, together with the intent's beginning if that is not written yet.
    pub(super) async fn write(&mut self, id: IntentId, steps: Vec<Record>) -> Result<(), String> {
        let beginning = self
            .unwritten
            .contains(&id)
            .then(|| self.book.get(id))
            .flatten()
            .map(|intent| Record::Intent(Box::new(intent.clone())));
        self.write_all(beginning.into_iter().chain(steps).collect()).await?;
        self.unwritten.retain(|one| *one != id);
        Ok(())
    }

    /// Durable, then known. If it cannot be made durable, trading is closed from then on.
    pub(super) async fn write_all(&mut self, records: Vec<Record>) -> Result<(), String> {
        let trail = self.trail.as_ref().map_err(Clone::clone)?;
        let at = match trail.write(&records).await {
            Ok(at) => at,
            Err(why) => {
                let why = format!("the journal cannot be written ({why})");
                self.trail = Err(why.clone());
                self.publish();
                return Err(why);
            }
        };
        for record in records {
            self.remember_token(&record);
            self.book.apply(record, at);
        }
        Ok(())
    }

    /// Why nothing new is sent, if a person or the breaker has frozen trading. The files count by themselves.
    pub(super) fn frozen(&self) -> Option<String> {
        if let Some(by) = self.book.frozen() {
            return Some(format!("frozen by {by}"));
        }
        if self.flags.is_own_up() {
            return Some("frozen by a person".to_owned());
        }
        let shared = self.flags.shared_up()?;
        Some(format!("frozen for every profile (by {})", shared.display()))
    }

    /// Too many rejects in a row are no accident: a person looks before anything more is sent.
    pub(super) async fn look_for_breaker(&mut self) {
        let rejects = self.book.rejects();
        let limit = self.breaker(rejects);
        if rejects < limit || self.book.frozen().is_some() {
            return;
        }
        let by = format!(
            "the breaker: {rejects} orders in a row were rejected (IB_BREAKER_REJECTS={limit})"
        );
        let _ = self.flags.raise();
        if self.write_all(vec![Record::Frozen { by: by.clone() }]).await.is_ok() {
            self.say(
                Level::Warning,
                "trading_frozen",
                format!("Trading is frozen by {by}."),
                "`ibctl orders` shows why; `ibctl unfreeze` lets orders through again.",
            );
        }
    }

    /// Rejects in a row that are too many for whoever asked for one of these last orders.
    fn breaker(&self, rejects: u64) -> u64 {
        let latest = usize::try_from(rejects).unwrap_or(usize::MAX).saturating_add(1);
        let asked = self.book.iter().rev().filter(|intent| intent.is_order()).take(latest);
        let own = self.limits.strictest_of(&[], false).breaker;
        asked.map(|intent| self.rules_of(intent).breaker).fold(own, u64::min)
    }

    /// Something changed: whoever waits looks again.
    pub(super) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
        self.publish();
    }

    /// How trading is, on the board.
    pub(super) fn publish(&self) {
        self.board.set_trading(self.trading());
    }

    fn trading(&self) -> TradingStatus {
        let waiting = self.count(|state| matches!(state, life::State::Awaiting(_)));
        let in_doubt =
            self.count(|state| matches!(state, life::State::Unknown(_) | life::State::Parked(_)));
        let (state, text) = match (&self.trail, self.frozen()) {
            (Err(why), _) => ("closed", format!("Trading is closed: {why}.")),
            (_, Some(why)) => (
                "frozen",
                format!("Trading is frozen: {why}. `ibctl unfreeze` lets orders through again."),
            ),
            _ if self.settings.flag("IB_READ_ONLY_MODE") == Some(true) => (
                "closed",
                "Trading is closed: this daemon is read-only (IB_READ_ONLY_MODE).".to_owned(),
            ),
            _ if self.ready.is_none() => {
                ("closed", "Trading is closed: there is no session at IBKR.".to_owned())
            }
            _ if self.claims.any_problem().is_some() => (
                "closed",
                format!("Trading is closed: {}.", self.claims.any_problem().unwrap_or_default()),
            ),
            _ if self.is_recovering() => (
                "closed",
                "Trading opens when orders from before were looked for at IBKR.".to_owned(),
            ),
            _ => ("open", "Orders go through the guardrails.".to_owned()),
        };
        TradingStatus {
            state: state.to_owned(),
            protection: self.protection(),
            text,
            waiting,
            in_doubt,
        }
    }

    /// What stands between an assistant and an order, in words.
    fn protection(&self) -> String {
        let by = match (self.has_pin, self.settings.text("IB_APPROVE_BY")) {
            (true, _) => "with ibctl only, with a PIN",
            (false, Some("ibctl")) => "with ibctl only",
            (false, _) => "in the client's dialog or with ibctl",
        };
        format!("guardrails; {} {by}", self.limits.confirm_in_words())
    }

    fn count(&self, wanted: impl Fn(&life::State) -> bool) -> u32 {
        self.book.iter().filter(|intent| wanted(&intent.state)).count() as u32
    }

    pub(super) fn say(&self, level: Level, code: &str, text: String, hint: &str) {
        self.board.say(News { level, code: code.to_owned(), text, hint: hint.to_owned() });
    }

    /// What happened after the call returned is told to every client.
    pub(super) fn tell(&self, id: IntentId) {
        let Some(intent) = self.book.get(id) else { return };
        let reason = why(&intent.state).map(|why| format!(": {why}")).unwrap_or_default();
        let (level, code, hint) = match &intent.state {
            life::State::Unknown(_) => (
                Level::Warning,
                "order_unknown",
                "It is being looked for at IBKR. Do not send it again.",
            ),
            life::State::Parked(_) => (
                Level::Warning,
                "order_parked",
                "Look in TWS or Client Portal, then `ibctl orders resolve`.",
            ),
            life::State::Working(standing) if standing.status == MISSING => (
                Level::Warning,
                "order_unlisted",
                "It does not end by itself: look in TWS, and `ibctl orders resolve` if it is gone.",
            ),
            life::State::Working(standing) if standing.refused.is_some() => (
                Level::Warning,
                "order_partly_refused",
                "Of several orders IBKR refused some: look at what is protected and what is not.",
            ),
            life::State::Working(standing) if standing.meaning() == Meaning::Held => {
                (Level::Warning, "order_inactive", "IBKR holds it and does not work it.")
            }
            life::State::Working(standing)
                if standing.filled.is_some_and(|filled| !filled.is_zero()) =>
            {
                (Level::Info, "order_partly_filled", "")
            }
            life::State::Working(_) => (Level::Info, "order_working", ""),
            life::State::Over(End::Filled(_)) => (Level::Info, "order_filled", ""),
            life::State::Over(End::Cancelled(standing)) => ended(standing.end()),
            life::State::Over(End::Unlisted(_)) => (
                Level::Warning,
                "order_unlisted",
                "IBKR no longer lists it: a DAY order ends with its day. get_trades shows what was filled.",
            ),
            life::State::Over(End::Requested) => (
                Level::Warning,
                "order_request_not_seen",
                "IBKR took the change, and the order's page shows it as before: look at it.",
            ),
            life::State::Over(End::Rejected(_)) => (Level::Warning, "order_rejected", ""),
            life::State::Denied(_) | life::State::Over(End::NotPlaced(_)) => {
                (Level::Info, "order_not_placed", "")
            }
            life::State::Over(End::Done) => (Level::Info, "order_request_taken", ""),
            life::State::Over(End::NotTaken) => (
                Level::Warning,
                "order_request_not_taken",
                "The order works as before; the request may be made again.",
            ),
            _ => return,
        };
        // That an end was asked for is not yet the end.
        let is_asked = matches!(intent.state, life::State::Over(End::Done))
            && !matches!(&intent.purpose, Purpose::Modify { change, .. } if change.unseen().is_none());
        let state = if is_asked { "taken by IBKR".to_owned() } else { intent.state.in_words() };
        let text = format!("{} ({id}) is {state}{reason}.", intent.text);
        self.say(level, code, text, hint);
    }

    /// The same, of a bracket's child or another order of a group.
    pub(super) fn tell_part(&self, id: IntentId, order: OrderId) {
        let Some(intent) = self.book.get(id) else { return };
        let part = intent.state.standing().and_then(|standing| standing.part(order));
        let Some((part, status)) = part.and_then(|part| Some((part, part.status.as_deref()?)))
        else {
            return;
        };
        let is_group =
            intent.order.as_ref().is_some_and(|order| matches!(order.attached, Attached::Oca(_)));
        let (level, code, hint) = match (status, Stage::of(status).meaning()) {
            (UNLISTED, _) => (Level::Warning, "order_unlisted", "IBKR no longer lists it."),
            (MISSING, _) => (
                Level::Warning,
                "order_unlisted",
                "IBKR no longer lists it, and it does not end by itself: look in TWS.",
            ),
            (_, Meaning::Filled) => (Level::Info, "order_filled", ""),
            (_, Meaning::Held) => {
                (Level::Warning, "order_inactive", "IBKR holds it and does not work it.")
            }
            // Those of a group go when one of them is filled.
            (_, Meaning::Ended) if is_group && intent.state.is_over() => return,
            (_, Meaning::Ended) => (
                Level::Warning,
                ended(standing::end(status)).1,
                "The others of the submission stand without it: see get_live_orders.",
            ),
            _ if part.filled.unwrap_or_default().is_zero() => (Level::Info, "order_working", ""),
            _ => (Level::Info, "order_partly_filled", ""),
        };
        let filled = part.filled.filter(|filled| !filled.is_zero());
        let filled = filled.map(|filled| format!(", filled {}", filled.normalize()));
        let what = part.text.as_deref().map(|text| format!(" ({text:?})")).unwrap_or_default();
        let role = intent.order.as_ref().and_then(|order| order.role_of(part));
        let name = match (role, &part.terms) {
            (Some(role @ (Role::TakeProfit | Role::StopLoss)), Some(terms)) => {
                format!("The {} ({terms}), order {order}", role.in_words())
            }
            (_, Some(terms)) => format!("Order {order} ({terms})"),
            (_, None) => format!("Order {order}"),
        };
        let text = format!(
            "{name}{what}, which came with {} ({id}), is {}{}.",
            intent.text,
            status.to_lowercase(),
            filled.unwrap_or_default()
        );
        self.say(level, code, text, hint);
    }

    pub(super) fn tell_approval(&self, id: IntentId) {
        let Some(intent) = self.book.get(id) else { return };
        let life::State::Awaiting(approval) = &intent.state else { return };
        if approval.by == super::approval::By::Client {
            return;
        }
        let text = format!("{} wants: {}.", intent.origin.client, intent.text);
        let hint = format!("`ibctl approve {0}` or `ibctl deny {0}`.", approval.id);
        self.say(Level::Warning, "approval_needed", text, &hint);
    }

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
            OrdersVerb::Resolve { id, found, pin } => match self.check_pin(wanted, pin.as_ref()) {
                Ok(()) => match self.resolve(me, &id, &found).await {
                    Resolved::Report(report) => *report,
                    Resolved::Look(id, account, order) => {
                        return self.look_to_resolve(me, id, (account, order), reply);
                    }
                },
                Err(refusal) => self.failed(refusal),
            },
            OrdersVerb::Approve { id, digest, pin } => {
                let decided =
                    self.decide(me, &id, true, Answerer::Ctl(Some(digest), pin), wanted).await;
                self.decided(decided, "Approved")
            }
            OrdersVerb::Deny(id) => {
                let decided = self.decide(me, &id, false, Answerer::Ctl(None, None), wanted).await;
                self.decided(decided, "Declined")
            }
            OrdersVerb::Freeze { cancel_all } => self.freeze(me, cancel_all).await,
            OrdersVerb::Unfreeze { pin } => self.unfreeze(me, wanted, pin).await,
            OrdersVerb::Audit(count) => self.audit(count.min(MOST)),
            OrdersVerb::AuditVerify => self.verify(),
        };
        let _ = reply.send(OrdersReport { needs_pin: wanted.0.is_some(), ..report });
    }

    /// Reads the page of the order that a person names, and goes on with what it shows.
    fn look_to_resolve(
        &mut self,
        me: &ActorRef<Msg>,
        id: IntentId,
        (account, order): (AccountId, OrderId),
        reply: RpcReplyPort<OrdersReport>,
    ) {
        let (me, feeds, session) = (me.clone(), self.feeds.clone(), self.session.clone());
        tokio::spawn(async move {
            let deadline = Instant::now() + PAGE;
            let lease = match session.look(deadline).await {
                Ok(lease) => lease,
                Err(refusal) => {
                    let why = format!("order {order} cannot be looked at: {}", refusal.message);
                    let _ = me.cast(Msg::Resolve(id, Err(why), reply));
                    return;
                }
            };
            let page = match feeds.page(&lease, &account, order, deadline).await {
                Ok(Some(page)) => Ok(Box::new(Page::of(&page.value))),
                Ok(None) => Err(format!("IBKR knows no order {order} of the account {account}")),
                Err(failure) => Err(format!("order {order} could not be looked at: {failure}")),
            };
            let _ = me.cast(Msg::Resolve(id, page, reply));
        });
    }

    /// An order in doubt is the one whose page was read, if that fits.
    pub(super) async fn resolve_placed(
        &mut self,
        me: &ActorRef<Msg>,
        id: IntentId,
        page: Result<Box<Page>, String>,
    ) -> OrdersReport {
        let Some(intent) = self.book.get(id).cloned() else {
            return self.report(false, format!("There is no order {id}."), "");
        };
        let hint = "Nothing was changed. `ibctl orders` and TWS show what is there.";
        let page = match page {
            Ok(page) => page,
            Err(why) => return self.report(false, format!("{why}."), hint),
        };
        if let Some(why) = intent.order.as_ref().and_then(|order| misfit(&page, &intent, order)) {
            let text = format!("Order {} is not {}: {why}.", page.order_id, intent.text);
            return self.report(false, text, hint);
        }
        let event = match intent.is_order() {
            true => Event::Resolved(Some(page.standing.clone())),
            false => Event::Applied,
        };
        self.settle_by_person(me, &intent, event).await
    }

    fn report(&self, ok: bool, text: impl Into<String>, hint: impl Into<String>) -> OrdersReport {
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
        let mut orders: Vec<&Intent> = self.book.iter().filter(listed).collect();
        orders.sort_by_key(|intent| (urgency(&intent.state), std::cmp::Reverse(intent.created_at)));
        report.orders = orders.into_iter().map(|intent| self.shown_order(intent)).collect();
        report.approvals = self.book.iter().filter_map(|i| approval_shown(i, now)).collect();
        report
    }

    fn decided(&self, decided: Result<IntentId, Refusal>, what: &str) -> OrdersReport {
        match decided {
            Err(refusal) => self.failed(refusal),
            Ok(id) => {
                let text = self.book.get(id).map(|intent| intent.text.clone()).unwrap_or_default();
                let mut report = self.report(true, format!("{what}: {text}."), "");
                report.orders =
                    self.book.get(id).map(|i| self.shown_order(i)).into_iter().collect();
                report
            }
        }
    }

    async fn resolve(&mut self, me: &ActorRef<Msg>, id: &str, resolution: &Resolution) -> Resolved {
        let intent = id.parse::<IntentId>().ok().and_then(|id| self.book.get(id)).cloned();
        let Some(intent) = intent else {
            let text = format!("There is no order {id}.");
            return Resolved::no(self.report(false, text, "`ibctl orders` lists them."));
        };
        let is_in_doubt = match &intent.state {
            life::State::Unknown(_) | life::State::Parked(_) => true,
            state => {
                let is_missing = state.standing().is_some_and(Standing::has_missing);
                is_missing && *resolution == Resolution::NotPlaced
            }
        };
        if !is_in_doubt {
            let text = format!(
                "{} is {}: there is nothing to resolve.",
                intent.text,
                intent.state.in_words()
            );
            return Resolved::no(self.report(false, text, ""));
        }
        match resolution {
            Resolution::NotPlaced => {
                Resolved::no(self.settle_by_person(me, &intent, Event::Resolved(None)).await)
            }
            Resolution::Placed(order_id) => match order_id.parse() {
                Ok(order_id) => Resolved::Look(intent.id, intent.account, order_id),
                Err(error) => Resolved::no(self.report(false, format!("{error}"), "")),
            },
        }
    }

    async fn settle_by_person(
        &mut self,
        me: &ActorRef<Msg>,
        intent: &Intent,
        event: Event,
    ) -> OrdersReport {
        self.step(me, intent.id, event, "a person with ibctl").await;
        self.wants_look = true;
        let mut report = self.report(true, format!("Resolved: {}.", intent.text), "");
        report.orders = self.book.get(intent.id).map(|i| self.shown_order(i)).into_iter().collect();
        report
    }

    /// How an intent stands, for a person.
    pub(super) fn shown_as(&self, id: IntentId, text: String) -> OrdersReport {
        let mut report = self.report(true, text, "");
        report.orders = self.book.latest(id).map(|i| self.shown_order(i)).into_iter().collect();
        report
    }

    /// As a person sees it: what was placed through another gateway or login is said.
    fn shown_order(&self, intent: &Intent) -> OrderReport {
        let elsewhere = intent.through.as_ref().filter(|_| !self.is_here(intent));
        let state = self.state_of(intent).to_owned();
        let shown = OrderReport { state, ..shown(intent) };
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
    fn state_of(&self, intent: &Intent) -> &'static str {
        let is_seen = match (&intent.state, &intent.purpose) {
            (life::State::Over(End::Done), Purpose::Cancel { order_id, of }) => {
                let target = of.and_then(|id| self.book.get(id));
                target.is_some_and(|target| target.has_ended(*order_id))
            }
            (life::State::Over(End::Done), Purpose::CancelAll) => false,
            (life::State::Over(End::Done), Purpose::Modify { change, .. }) => {
                change.unseen().is_none()
            }
            _ => true,
        };
        if is_seen { intent.state.name() } else { "requested" }
    }

    async fn freeze(&mut self, me: &ActorRef<Msg>, cancel_all: bool) -> OrdersReport {
        // The files first: they work even if the journal does not.
        let flagged = self.flags.raise();
        let written = match self.book.frozen() {
            Some(_) => Ok(()),
            None => self.write_all(vec![Record::Frozen { by: "a person".to_owned() }]).await,
        };
        self.changed();
        if let (Err(error), Err(why)) = (&flagged, &written) {
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
        let Some(lease) = self.ready.clone() else {
            return self.report(
                false,
                "Frozen. Nothing was cancelled: there is no session at IBKR.",
                "Cancel in TWS or Client Portal, or log in and repeat it.",
            );
        };
        let mut ids = Vec::new();
        for account in &lease.facts().accounts {
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
            "`ibctl orders` shows what became of it.",
        );
        report.orders =
            ids.iter().filter_map(|id| self.book.get(*id)).map(|i| self.shown_order(i)).collect();
        report
    }

    async fn unfreeze(
        &mut self,
        me: &ActorRef<Msg>,
        wanted: &Pin,
        pin: Option<Secret>,
    ) -> OrdersReport {
        if let Err(refusal) = self.check_pin(wanted, pin.as_ref()) {
            return self.failed(refusal);
        }
        if let Err(why) = self.flags.lower() {
            return self.report(false, format!("{why}."), "Remove it yourself.");
        }
        // A person has compared what left with what is known.
        self.egress = Egress::default();
        let by = "a person with ibctl".to_owned();
        if let Err(why) = self.write_all(vec![Record::Unfrozen { by }]).await {
            return self.report(false, format!("Trading stays closed: {why}."), "");
        }
        self.changed();
        self.next_turn(me);
        let others = self.flags.others_up();
        let hint = match others.is_empty() {
            true => String::new(),
            false => format!(
                "Frozen of their own, and still so: the profiles {}; `ibctl unfreeze --profile NAME` each.",
                others.join(", ")
            ),
        };
        self.report(true, "Orders go through again.", hint)
    }

    fn audit(&self, count: u32) -> OrdersReport {
        match ibd_journal::read(&self.folder, count as usize) {
            Ok(entries) if self.is_cut(count, &entries) => self.report(
                false,
                "The trail ends before what this daemon wrote last: its files were removed, moved or replaced.",
                "`ibctl audit verify` says more.",
            ),
            Ok(entries) => {
                let mut report = self.report(true, "", "");
                report.audit = entries.iter().map(line).collect();
                report
            }
            Err(broken) => self.report(
                false,
                format!("The trail cannot be read: {broken}."),
                "`ibctl audit verify` says where.",
            ),
        }
    }

    /// Whether the newest records are not there.
    fn is_cut(&self, count: u32, newest: &[ibd_journal::Entry]) -> bool {
        let wrote = self.heads.held().map_or(0, |head| head.seq);
        count > 0 && newest.last().map_or(0, |entry| entry.seq) < wrote
    }

    fn verify(&self) -> OrdersReport {
        match ibd_journal::verify_after(&self.folder, &self.heads.all()) {
            Ok(verified) => {
                let text = format!(
                    "The audit trail is whole: {} records; the last hash is {}.",
                    verified.records, verified.head
                );
                self.report(
                    true,
                    text,
                    "Keep that hash elsewhere: it shows later that nothing before it was changed.",
                )
            }
            Err(broken) => self.report(
                false,
                format!("The audit trail is broken: {broken}."),
                "Trading stays closed. Keep the folder as it is and look for a backup.",
            ),
        }
    }
}

/// What comes of a person's word about an order in doubt.
enum Resolved {
    /// That is all.
    Report(Box<OrdersReport>),
    /// The order that is named is to be looked at first.
    Look(IntentId, AccountId, OrderId),
}

impl Resolved {
    fn no(report: OrdersReport) -> Self {
        Self::Report(Box::new(report))
    }
}

/// Why an order at the broker cannot be the one that an intent is in doubt about.
fn misfit(page: &Page, intent: &Intent, order: &Order) -> Option<String> {
    if let Some(why) = page.is_other(&intent.account, order, &[order.side]) {
        return Some(why);
    }
    let wanted = intent.client_order_id.as_str();
    let other = page.order_ref.as_deref().filter(|name| *name != wanted && intent.is_order())?;
    Some(format!("it was sent under the name {other}"))
}

/// How the end of an order is told: by level, code and hint.
fn ended(end: &str) -> (Level, &'static str, &'static str) {
    match end {
        "rejected" => (Level::Warning, "order_rejected", ""),
        "expired" => (Level::Info, "order_expired", ""),
        _ => (Level::Info, "order_cancelled", ""),
    }
}

/// What needs a person comes first, then what works, then what is over.
fn urgency(state: &life::State) -> u8 {
    match state {
        life::State::Parked(_) => 0,
        life::State::Awaiting(_) => 1,
        life::State::Unknown(_) => 2,
        state if state.is_open() => 3,
        _ => 4,
    }
}

fn to_second(at: Timestamp) -> String {
    at.round(Unit::Second).unwrap_or(at).to_string()
}

fn shown(intent: &Intent) -> OrderReport {
    let hint = match &intent.state {
        life::State::Parked(_) | life::State::Unknown(_) => format!(
            "`ibctl orders resolve {0} --not-placed` or `--placed ORDER_ID`, once you have seen it in TWS.",
            intent.id
        ),
        life::State::Awaiting(approval) => format!("`ibctl approve {}`", approval.id),
        state if state.standing().is_some_and(Standing::has_missing) => format!(
            "IBKR's lists no longer have it. `ibctl orders resolve {} --not-placed`, once you have seen in TWS \
             that it is gone.",
            intent.id
        ),
        _ => String::new(),
    };
    OrderReport {
        intent_id: intent.id.to_string(),
        client_order_id: intent.client_order_id.to_string(),
        order_id: intent.order_id().map(|id| id.to_string()),
        account: intent.account.to_string(),
        state: intent.state.name().to_owned(),
        text: intent.text.clone(),
        client: intent.origin.client.clone(),
        since: to_second(intent.since),
        reason: why(&intent.state),
        hint,
        open: intent.state.is_open(),
        others: told::others(intent),
        warnings: told::warnings(intent, Timestamp::now()),
    }
}

fn approval_shown(intent: &Intent, now: Timestamp) -> Option<ApprovalReport> {
    let life::State::Awaiting(approval) = &intent.state else { return None };
    Some(ApprovalReport {
        id: approval.id.clone(),
        intent_id: intent.id.to_string(),
        account: intent.account.to_string(),
        paper: intent.order.as_ref().is_some_and(|order| order.paper),
        lines: approval.lines(intent),
        questions: approval
            .questions
            .iter()
            .map(|q| format!("{}: {}", q.id.as_deref().unwrap_or("question"), q.text))
            .collect(),
        client: intent.origin.client.clone(),
        digest: intent.digest(),
        asked_at: to_second(approval.asked_at),
        expires_at: to_second(approval.expires_at),
        age_seconds: approval.age(now),
    })
}

fn line(entry: &ibd_journal::Entry) -> AuditLine {
    let (what, intent, client, text) = match Record::from_bytes(&entry.payload) {
        Ok(record) => (
            record.what(),
            record.intent().map(|id| id.to_string()),
            record.client().map(str::to_owned),
            record.text(),
        ),
        Err(error) => ("unreadable".to_owned(), None, None, error.to_string()),
    };
    AuditLine {
        seq: entry.seq,
        at: entry.at.to_string(),
        what,
        intent_id: intent,
        client,
        text,
        hash: entry.hash.to_string(),
    }
}
