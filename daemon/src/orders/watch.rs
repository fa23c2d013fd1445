//! What happens without being asked for: a daemon that starts, a session that comes and goes, looks at the
//! broker, and the passing of time.

use std::time::Duration;

use ibd_cpapi::faults;
use ibd_cpapi::id::{AccountId, OrderId};
use ibd_cpapi::orders::{OrderRow, Tif};
use ibd_cpapi::trades::Execution;
use ibd_protocol::Level;
use jiff::{SignedDuration, Timestamp};
use ractor::ActorRef;
use tokio::time::Instant;

use super::book::day;
use super::evidence::{self, Care, Evidence, Look};
use super::feed;
use super::intent::{Intent, IntentId};
use super::lane::is_new;
use super::life::{self, Event};
use super::order::Purpose;
use super::peeks::Until;
use super::record::Record;
use super::standing::Standing;
use super::{Msg, State};
use crate::board::Board;
use crate::session::Lease;

/// What could not be found for so long is given to a person.
const PARK: Duration = Duration::from_secs(10 * 60);
/// Complete looks before that, at least.
const LOOKS: u32 = 2;
/// Between looks while something is in doubt.
const IN_DOUBT: Duration = Duration::from_secs(6);
/// Between looks while something is parked.
const PARKED: Duration = Duration::from_secs(60);
/// Between looks while something works.
const WORKING: Duration = Duration::from_secs(15);
/// What one look may take.
const LOOK: Duration = Duration::from_secs(60);
/// What waited so long for its turn is not sent any more: prices have moved.
const STALE: Duration = Duration::from_secs(60);

/// Tells the actor when there is a session, and when there is none.
pub(super) async fn session(board: Board, me: ActorRef<Msg>) {
    let mut views = board.session().subscribe();
    views.mark_changed();
    let mut last: Option<u64> = None;
    while views.changed().await.is_ok() {
        let lease = views.borrow_and_update().lease.clone();
        let epoch = lease.as_ref().map(Lease::epoch);
        if epoch == last && last.is_some() {
            continue;
        }
        last = epoch;
        if me.cast(Msg::Session(lease)).is_err() {
            return;
        }
    }
}

impl State {
    /// What was under way when the last daemon ended may be at the broker; what was not sent is not sent
    /// any more.
    pub(super) async fn recover(&mut self) {
        let open: Vec<(IntentId, life::State)> = self
            .book
            .iter()
            .filter(|intent| !intent.state.is_over())
            .map(|intent| (intent.id, intent.state.clone()))
            .collect();
        let now = Timestamp::now();
        let mut records = vec![Record::Started { build: ibd_protocol::BUILD.to_owned() }];
        for (id, state) in open {
            if let Some((state, _)) = life::step(&state, Event::Restarted, now) {
                let by = "the daemon's start".to_owned();
                records.push(Record::Became { id, state, sent_at: None, by });
            }
        }
        if self.flags.is_own_up() && self.book.frozen().is_none() {
            let _ = self.flags.raise();
            records.push(Record::Frozen { by: "a person".to_owned() });
        }
        if self.trail.is_ok()
            && let Err(why) = self.write_all(records).await
        {
            tracing::error!(why, "the journal cannot be written");
        }
        self.wants_look = self.has_open();
        self.changed();
    }

    /// Whether something in doubt has not been looked for in this session: new orders wait for that.
    pub(super) fn is_recovering(&self) -> bool {
        let epoch = self.ready.as_ref().map(Lease::epoch);
        let is_examined = epoch.is_some() && epoch == self.examined;
        // What another login's accounts have cannot be found out through this one.
        let has = |account: &AccountId| {
            self.ready.as_ref().is_none_or(|lease| lease.facts().accounts.contains(account))
        };
        let is_doubt = |intent: &Intent| matches!(intent.state, life::State::Unknown(_));
        let has_doubts = self.book.iter().any(|intent| is_doubt(intent) && has(&intent.account));
        has_doubts && !is_examined
    }

    pub(super) fn session_changed(&mut self, me: &ActorRef<Msg>, lease: Option<Lease>) {
        if let Some(lease) = &lease {
            self.egress.begin(lease.client().orders_left());
        }
        self.ready = lease;
        self.claim();
        self.unlisted.clear();
        // Subscriptions end with the brokerage session.
        if let Some(feed) = self.feed.take() {
            feed.abort();
        }
        if self.ready.is_some() {
            self.wants_look |= self.has_open();
            self.listen(me);
            self.look(me);
            self.next_turn(me);
        }
        self.publish();
    }

    pub(super) async fn tick(&mut self, me: &ActorRef<Msg>) {
        let now = Timestamp::now();
        let stale = SignedDuration::try_from(faults::scaled(STALE)).unwrap_or_default();
        let due: Vec<IntentId> = self
            .book
            .iter()
            .filter(|intent| match &intent.state {
                life::State::Awaiting(approval) => approval.is_expired(now),
                life::State::Ready => {
                    self.lane != Some(intent.id) && now.duration_since(intent.since) > stale
                }
                _ => false,
            })
            .map(|intent| intent.id)
            .collect();
        for id in due {
            self.queue.retain(|one| *one != id);
            self.step(me, id, Event::Expired, "the daemon").await;
        }
        self.watch_flag().await;
        self.claim();
        // A journal that vanished is known before the next order is asked for.
        let _ = self.write_all(Vec::new()).await;
        if let Some(lease) = self.ready.clone() {
            self.check_egress(&lease).await;
        }
        if self.is_look_due() {
            self.wants_look = true;
        }
        self.look(me);
    }

    /// The file freezes trading even if nobody could tell us.
    async fn watch_flag(&mut self) {
        if self.book.frozen().is_none() && self.flags.is_own_up() {
            // Who raised it by hand may know of one profile only.
            let _ = self.flags.raise();
            let _ = self.write_all(vec![Record::Frozen { by: "a person".to_owned() }]).await;
            self.changed();
        }
    }

    fn is_look_due(&self) -> bool {
        let Some(pause) = self.pause() else { return false };
        self.looked_at.is_none_or(|at| at.elapsed() >= faults::scaled(pause))
    }

    /// How long until the next look; nothing if there is nothing to look for.
    fn pause(&self) -> Option<Duration> {
        let mut pause = None;
        for intent in self.book.iter() {
            let own = match &intent.state {
                life::State::Unknown(_) => IN_DOUBT,
                life::State::Parked(_) => PARKED,
                // The first try may come alive while its question waits for a yes.
                life::State::Awaiting(_) if intent.follows.is_some() => WORKING,
                state => match state.standing().filter(|_| state.is_open()) {
                    Some(standing) if standing.is_only_missing() => PARKED,
                    Some(_) => WORKING,
                    None => continue,
                },
            };
            pause = Some(pause.map_or(own, |other: Duration| other.min(own)));
        }
        pause
    }

    /// Begins a look, if one is wanted and possible. Not in the middle of a round: nothing else goes to the
    /// order endpoints then.
    pub(super) fn look(&mut self, me: &ActorRef<Msg>) {
        if self.lane.is_some() {
            return;
        }
        let Some(lease) = self.ready.clone() else { return };
        // Single orders have an endpoint of their own: they need not wait for the list.
        self.peek(me, lease.clone());
        let is_running = self.look.as_ref().is_some_and(|task| !task.is_finished());
        if is_running || !self.wants_look {
            return;
        }
        self.wants_look = false;
        self.looked_at = Some(Instant::now());
        let is_in_doubt =
            |state: &life::State| matches!(state, life::State::Unknown(_) | life::State::Parked(_));
        // Those of another login's accounts cannot be found out through this one.
        let accounts = &lease.facts().accounts;
        let has_doubts = self
            .book
            .iter()
            .any(|intent| is_in_doubt(&intent.state) && accounts.contains(&intent.account));
        let missing = self.unlisted.long_missing(Instant::now());
        let care = match has_doubts || !missing.is_empty() {
            true => Care::Thorough,
            false => Care::Glance,
        };
        let look = Look { accounts: self.accounts_of_interest(&lease), care, missing };
        let (feeds, me) = (self.feeds.clone(), me.clone());
        self.look = Some(tokio::spawn(async move {
            let deadline = Instant::now() + faults::scaled(LOOK);
            let seen = evidence::gather(&lease, &feeds, &look, deadline).await;
            let seen = match seen {
                Ok(evidence) => Some(Box::new(evidence)),
                Err(failure) => {
                    tracing::info!(%failure, "a look at the orders failed");
                    None
                }
            };
            let _ = me.cast(Msg::Seen(seen));
        }));
    }

    /// Asks for single orders: an endpoint that is never stale and has no window of its own.
    fn peek(&mut self, me: &ActorRef<Msg>, lease: Lease) {
        if self.peeking.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        let book = &self.book;
        self.peeks
            .forget(|order, until| book.by_order(order).is_none_or(|i| is_told(i, order, until)));
        let orders = self.peeks.take_due(Instant::now());
        self.call_again(me);
        if orders.is_empty() {
            return;
        }
        let me = me.clone();
        self.peeking = Some(tokio::spawn(async move {
            let deadline = Instant::now() + faults::scaled(LOOK);
            let mut evidence = Evidence::begin(lease.epoch());
            for order_id in orders {
                if let Ok(Some(answer)) = super::list::status(&lease, order_id, deadline).await {
                    evidence.standings.push(evidence::of_status(&answer.value));
                }
            }
            let _ = me.cast(Msg::Seen(Some(Box::new(evidence))));
        }));
    }

    /// News of this order is expected at any moment.
    pub(super) fn expect(&mut self, me: &ActorRef<Msg>, order_id: OrderId, until: Until) {
        self.peeks.expect(order_id, until, Instant::now());
        self.listen(me);
        self.call_again(me);
    }

    /// Wakes the actor when the next single order is to be asked for.
    fn call_again(&mut self, me: &ActorRef<Msg>) {
        let Some(due) = self.peeks.next() else { return };
        if self.called_at.is_some_and(|called| called <= due) {
            return;
        }
        self.called_at = Some(due);
        me.send_after(due.saturating_duration_since(Instant::now()), || Msg::Peek);
    }

    /// Whether anything may still become something.
    pub(super) fn has_open(&self) -> bool {
        self.book.iter().any(|intent| intent.state.is_open())
    }

    /// Begins to listen to what IBKR pushes, once there is something to hear of.
    pub(super) fn listen(&mut self, me: &ActorRef<Msg>) {
        let is_running = self.feed.as_ref().is_some_and(|task| !task.is_finished());
        if let Some(lease) = self.ready.clone().filter(|_| !is_running && self.has_open()) {
            self.feed = Some(tokio::spawn(feed::run(lease, self.session.clone(), me.clone())));
        }
    }

    /// What IBKR pushed is as good as what a look shows; what it leaves out means nothing.
    pub(super) async fn pushed(
        &mut self,
        me: &ActorRef<Msg>,
        rows: Vec<OrderRow>,
        fills: Vec<Execution>,
    ) {
        let mut evidence = Evidence::begin(0);
        let named = rows.iter().filter_map(|row| self.of_row(row));
        let mut ids: Vec<IntentId> = named.collect();
        ids.sort_unstable();
        ids.dedup();
        // One execution does not say how much of its order is filled: that is asked.
        for fill in &fills {
            let ours = fill.order_ref.as_deref().and_then(IntentId::of_client_order_id);
            let known = fill.order_id.filter(|order| self.book.by_order(*order).is_some());
            match (known, ours.and_then(|id| self.book.get(id))) {
                (Some(order), _) => self.expect(me, order, Until::Asked),
                (None, Some(_)) => self.wants_look = true,
                (None, None) => {}
            }
        }
        // Every order begins as Inactive, and a dead one is so too: which it is, is asked.
        for row in rows.iter().filter(|row| row.status.as_deref() == Some("Inactive")) {
            if self.book.by_order(row.order_id).is_some() {
                self.expect(me, row.order_id, Until::Asked);
            }
        }
        // A mark that says nothing but that there is an order is no news of how it stands.
        let is_news = |row: &OrderRow| {
            let is_inactive = row.status.as_deref() == Some("Inactive");
            !is_inactive && (row.status.is_some() || row.filled.is_some())
        };
        evidence.rows = rows.into_iter().filter(is_news).collect();
        for id in ids {
            // Also what is over may be filled late or come back, and what was never placed may be there.
            if self.book.get(id).is_some_and(|intent| !intent.state.is_in_round()) {
                self.hold_against(me, id, &evidence).await;
            }
        }
    }

    /// Whose a pushed row is.
    fn of_row(&self, row: &OrderRow) -> Option<IntentId> {
        let named = row.order_ref.as_deref().and_then(IntentId::of_client_order_id);
        named.or_else(|| self.book.by_order(row.order_id).map(|intent| intent.id))
    }

    /// What is open, or ended within a day.
    pub(super) fn recent(&self) -> Vec<Intent> {
        let now = Timestamp::now();
        let day = SignedDuration::from_hours(24);
        let is_recent =
            |intent: &&Intent| intent.state.is_open() || now.duration_since(intent.since) < day;
        self.book.iter().filter(is_recent).cloned().collect()
    }

    /// Accounts with something open; only those that this login has.
    fn accounts_of_interest(&self, lease: &Lease) -> Vec<AccountId> {
        let mut accounts: Vec<AccountId> = self
            .book
            .iter()
            .filter(|intent| intent.state.is_open())
            .map(|intent| intent.account.clone())
            .filter(|account| lease.facts().accounts.contains(account))
            .collect();
        accounts.sort();
        accounts.dedup();
        accounts
    }

    /// What a look means for each intent.
    pub(super) async fn seen(&mut self, me: &ActorRef<Msg>, evidence: Option<Box<Evidence>>) {
        let Some(evidence) = evidence else {
            // Tried again when it is due; a session that is gone is found out by its owner.
            return;
        };
        faults::point("look.seen");
        // What was asked for by its id may be over: part of it may have been filled before that.
        let asked: Vec<IntentId> = evidence
            .standings
            .iter()
            .filter_map(|asked| Some(self.book.by_order(asked.order_id)?.id))
            .collect();
        let open: Vec<IntentId> = self
            .book
            .iter()
            .filter(|intent| intent.state.is_open() || asked.contains(&intent.id))
            .filter(|intent| !intent.state.is_in_round())
            .map(|intent| intent.id)
            .collect();
        for id in open {
            self.hold_against(me, id, &evidence).await;
        }
        self.look_for_missing(me, &evidence).await;
        self.look_for_strays(me, &evidence).await;
        for asked in &evidence.standings {
            self.unlisted.is_listed(asked.order_id);
        }
        let is_whole = !self.book.iter().any(|intent| match &intent.state {
            life::State::Unknown(doubt) if evidence.accounts.contains(&intent.account) => {
                doubt.since >= evidence.began
            }
            _ => false,
        });
        if evidence.is_complete && is_whole {
            self.examined = Some(evidence.epoch);
        }
        self.publish();
        self.next_turn(me);
    }

    async fn hold_against(&mut self, me: &ActorRef<Msg>, id: IntentId, evidence: &Evidence) {
        let Some(intent) = self.book.get(id) else { return };
        // A look through another login has not seen this one's account.
        if evidence.is_complete && !evidence.accounts.contains(&intent.account) {
            return;
        }
        let event = match (evidence.about(intent), &intent.state) {
            (Some(event), _) => event,
            // What it was to end is over, by this or by itself.
            (None, state) if state.is_in_doubt() && self.is_target_over(intent) => Event::Applied,
            // What was sent after the look had begun could not be seen by it.
            (None, life::State::Unknown(doubt))
                if evidence.is_complete && doubt.since < evidence.began =>
            {
                let park = SignedDuration::try_from(faults::scaled(PARK)).unwrap_or_default();
                let is_long = Timestamp::now().duration_since(doubt.since) >= park;
                let looks = self.absences.entry(id).or_default();
                *looks += 1;
                match (*looks, is_long) {
                    (looks, true) if looks >= LOOKS => Event::Absent(looks),
                    _ => return,
                }
            }
            _ => return,
        };
        self.step(me, id, event, "a look at IBKR").await;
    }

    /// Whether the order that a cancellation is about is known to be over.
    fn is_target_over(&self, intent: &Intent) -> bool {
        let Purpose::Cancel { order_id } = intent.purpose else { return false };
        self.book.by_order(order_id).is_some_and(|target| {
            let standing = target.state.standing();
            match standing.and_then(|standing| standing.part(order_id)) {
                Some(part) => part.is_over(),
                None => target.state.is_over(),
            }
        })
    }

    /// What the broker was known to have and its lists no longer show.
    async fn look_for_missing(&mut self, me: &ActorRef<Msg>, evidence: &Evidence) {
        let now = Instant::now();
        let known: Vec<(IntentId, OrderId)> = self
            .book
            .iter()
            .filter(|intent| evidence.accounts.contains(&intent.account))
            .flat_map(|intent| open_orders(intent).map(|order| (intent.id, order)))
            .collect();
        for (id, order) in known {
            if evidence.lists(order) {
                self.unlisted.is_listed(order);
            } else if self.unlisted.is_missing(order, now) {
                self.expect(me, order, Until::Asked);
            } else if evidence.absent.contains(&order) {
                self.unlisted.is_listed(order);
                let today = Timestamp::now();
                let ends = self.book.get(id).is_some_and(|intent| has_ended(intent, today));
                self.step(me, id, Event::Unlisted(order, ends), "a look at IBKR").await;
            }
        }
    }

    /// What carries our name and should not be there, or is in no journal.
    async fn look_for_strays(&mut self, me: &ActorRef<Msg>, evidence: &Evidence) {
        for (id, order) in evidence.ours() {
            let Some(intent) = self.book.get(id) else {
                self.stray(id, order);
                continue;
            };
            let is_looked_at = evidence.accounts.contains(&intent.account);
            if intent.state.is_over()
                && is_looked_at
                && let Some(event) = evidence.about(intent)
            {
                self.step(me, id, event, "a look at IBKR").await;
            }
        }
    }

    fn stray(&self, id: IntentId, order: OrderId) {
        self.board.note(
            "unknown_order",
            format!(
                "IBKR has order {order} with our name {id}, and this journal does not know it."
            ),
            "Another machine or profile may have sent it. Look at it in TWS or Client Portal.",
        );
    }

    /// The broker has an order that was not to be placed.
    pub(super) async fn alarm(&mut self, me: &ActorRef<Msg>, id: IntentId, standing: &Standing) {
        let works = !list_is_over(standing) || standing.has_open_part();
        if !works && !standing.has_any_fill() {
            return self.book.ended(id);
        }
        if !self.book.came_alive(id, works) {
            return;
        }
        let text =
            format!("IBKR has order {} although it was taken for not placed.", standing.order_id);
        let hint = "Look at it now; cancel it if it is not wanted.";
        self.board.note("order_came_alive", text.clone(), hint);
        self.say(Level::Warning, "order_came_alive", text.clone(), hint);
        let _ = self.write_all(vec![Record::Note { id: Some(id), text }]).await;
        // A yes to its question would make a second one.
        if let Some(follower) = self.book.follower(id) {
            let by = "the daemon, because the first try is at IBKR after all".to_owned();
            Box::pin(self.step(me, follower, Event::Declined(by.clone()), &by)).await;
        }
    }
}

/// Whether an order has ended by itself: it is none that is good till cancelled, and its day is over.
fn has_ended(intent: &Intent, now: Timestamp) -> bool {
    let is_of_a_day = intent.order.as_ref().is_some_and(|order| order.tif != Tif::Gtc);
    is_of_a_day && intent.sent_at.is_some_and(|sent| day(sent) < day(now))
}

/// Orders of an intent that the broker has and that may still become something.
fn open_orders(intent: &Intent) -> impl Iterator<Item = OrderId> {
    let main = match &intent.state {
        life::State::Working(standing) if intent.is_order() => Some(standing.order_id),
        _ => None,
    };
    let others = intent.state.standing().into_iter().flat_map(|standing| &standing.others);
    main.into_iter().chain(others.filter(|part| !part.is_over()).map(|part| part.order_id))
}

/// Whether there was the news of an order that was waited for.
fn is_told(intent: &Intent, order: OrderId, until: Until) -> bool {
    let part = intent.state.standing().and_then(|standing| standing.part(order));
    match (until, part) {
        (Until::Asked, _) => false,
        (Until::Settled, None) => !is_new(&intent.state),
        (Until::Settled, Some(part)) => part.status.is_some(),
        (Until::Over, None) => intent.state.is_over(),
        (Until::Over, Some(part)) => part.is_over(),
    }
}

fn list_is_over(standing: &Standing) -> bool {
    super::list::is_working(&standing.status) == Some(false)
}
