//! What happens without being asked for: a daemon that starts, a session that comes and goes, looks at the
//! broker, and the passing of time.

mod looks;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use ibd_cpapi::faults;
use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::{Meaning, OrderRow};
use ibd_cpapi::stream::{Topic, Update};
use ibd_protocol::Level;
use jiff::{SignedDuration, Timestamp};
use ractor::ActorRef;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::book::Book;
use super::clock::Now;
use super::elsewhere::Elsewhere;
use super::evidence::Evidence;
use super::intent::{Intent, IntentId};
use super::life::{self, End, Event, NotPlaced};
use super::order::Purpose;
use super::peeks::Peeks;
use super::record::Record;
use super::sightings::can_fill;
use super::unlisted::Unlisted;
use super::{Msg, State, lateness};
use crate::session::Lease;
use crate::stream::{Heard, Subscription};

/// What could not be found for so long is given to a person.
pub(super) const PARK: Duration = Duration::from_secs(10 * 60);
/// Executions are told again for so many days.
const DAYS: u8 = 1;
/// What waited so long for its turn is not sent any more: prices have moved.
const STALE: Duration = Duration::from_secs(60);

/// What is looked at, what was seen, and what is still waited for.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// The look at everything that is under way.
    look: Option<JoinHandle<()>>,
    looked_at: Option<Instant>,
    pub(super) wants_look: bool,
    /// The brokerage session in which everything in doubt was looked for.
    pub(super) examined: Option<u64>,
    /// Complete looks that have not seen what is in doubt.
    pub(super) absences: HashMap<IntentId, u32>,
    /// Orders of which news is expected at any moment.
    pub(super) peeks: Peeks,
    /// The look at single orders that is under way.
    peeking: Option<JoinHandle<()>>,
    /// When the next of them is asked for.
    called_at: Option<Instant>,
    /// What IBKR pushes, while there is a session and something to hear of.
    feed: Option<Subscription>,
    /// Orders that the lists no longer show.
    pub(super) unlisted: Unlisted,
    /// Orders that are over here and work in a list, and whose page could not be read.
    pub(super) unread: BTreeSet<OrderId>,
    /// Orders, anybody's, whose own page has shown that they are over, and when.
    pub(super) gone: BTreeMap<OrderId, Timestamp>,
    /// What was said already: alarms, and ends that do not come.
    pub(super) said: HashSet<String>,
    /// What the lists showed, for a person who looks.
    pub(super) elsewhere: Elsewhere,
}

impl Watch {
    /// Looks that are under way give way: nothing else goes to the order endpoints in the middle of a round.
    pub(super) fn give_way(&mut self) {
        if let Some(peek) = self.peeking.take() {
            peek.abort();
        }
        if let Some(look) = self.look.take() {
            self.wants_look |= !look.is_finished();
            look.abort();
        }
    }

    /// Everything ends.
    pub(super) fn stop(&mut self) {
        self.feed = None;
        let running = [self.look.take(), self.peeking.take()];
        running.into_iter().flatten().for_each(|task| task.abort());
    }

    /// The pause until the next look has passed.
    fn has_passed(&self, pause: Duration) -> bool {
        self.looked_at.is_none_or(|at| at.elapsed() >= faults::scaled(pause))
    }

    /// Keeps which orders are over by their own pages: a list goes on showing them for some seconds.
    pub(super) fn see_gone(&mut self, evidence: &Evidence) {
        let now = Timestamp::now();
        let late = lateness::scaled(lateness::LIST_AT_MOST);
        self.gone.retain(|_, at| now.duration_since(*at).abs() < late);
        for page in &evidence.pages {
            if page.standing.is_over() {
                self.gone.insert(page.order_id, now)
            } else {
                self.gone.remove(&page.order_id)
            };
        }
    }

    /// Of an order that is over here and could not be asked for, the list has the word: until it was asked, or is
    /// not over any more, or the list does not show it as working any more.
    pub(super) fn see_unread(&mut self, book: &Book, evidence: &Evidence) {
        self.unread.extend(evidence.unread.iter().copied());
        self.unread.retain(|order| {
            let Some(intent) = book.by_order(*order).filter(|intent| intent.state.is_over()) else {
                return false;
            };
            let is_read = evidence.pages.iter().any(|page| page.order_id == *order);
            let row = evidence.rows.iter().find(|row| row.order_id == *order);
            let is_list_read = evidence.accounts.contains(&intent.account);
            !is_read && row.map_or(!is_list_read, can_fill)
        });
    }
}

impl State {
    /// What was under way when the last daemon ended may be at the broker; what was not sent is not sent
    /// any more.
    pub(super) async fn recover(&mut self) {
        let open: Vec<(IntentId, life::State)> = self
            .ledger
            .book
            .iter()
            .filter(|intent| !intent.state.is_over())
            .map(|intent| (intent.id, intent.state.clone()))
            .collect();
        let now = Timestamp::now();
        let mut records = vec![Record::Started { build: ibd_protocol::build().to_owned() }];
        for (id, state) in open {
            let had_yes = self.ledger.book.get(id).is_some_and(|intent| intent.had_yes);
            if let Some((state, _)) = life::step(&state, Event::Restarted(had_yes), now) {
                let by = "the daemon's start".to_owned();
                let (sent_at, through, boot) = (None, None, None);
                let state = Box::new(state);
                records.push(Record::Became { id, state, sent_at, through, boot, by });
            }
        }
        if self.controls.flags.is_own_up() && self.ledger.book.frozen().is_none() {
            self.raise_flags();
            records.push(Record::Frozen { by: "a person".to_owned() });
        }
        if self.ledger.journal.is_ok()
            && let Err(why) = self.write_all(records).await
        {
            tracing::error!(why, "the journal cannot be written");
        }
        self.watch.wants_look = self.has_open();
        self.changed();
    }

    /// Whether something in doubt has not been looked for in this session: new orders wait for that.
    pub(super) fn is_recovering(&self) -> bool {
        let epoch = self.broker.ready.as_ref().map(Lease::epoch);
        let is_examined = epoch.is_some() && epoch == self.watch.examined;
        let is_doubt = |intent: &Intent| matches!(intent.state, life::State::Unknown(_));
        let has_doubts =
            self.ledger.book.iter().any(|intent| is_doubt(intent) && self.broker.is_here(intent));
        has_doubts && !is_examined
    }

    pub(super) fn session_changed(&mut self, me: &ActorRef<Msg>, lease: Option<Lease>) {
        if let Some(lease) = &lease {
            self.lane.egress.begin(lease.client().orders_left());
        }
        self.broker.ready = lease;
        self.claim();
        self.watch.unlisted.clear();
        // In a new session somebody listens again only if there is something to hear of.
        self.watch.feed = None;
        if self.broker.ready.is_some() {
            self.watch.wants_look |= self.has_open();
            self.listen(me);
            self.look(me);
            self.next_turn(me);
        }
        self.publish();
    }

    pub(super) async fn tick(&mut self, me: &ActorRef<Msg>) {
        let clocks = Now::get();
        let now = clocks.wall;
        let stale = lateness::scaled(STALE);
        let due: Vec<IntentId> = self
            .ledger
            .book
            .iter()
            .filter(|intent| match &intent.state {
                life::State::Awaiting(approval) => approval.is_expired(&clocks),
                life::State::Ready => {
                    !self.lane.is_of(intent.id) && now.duration_since(intent.since) > stale
                }
                _ => false,
            })
            .map(|intent| intent.id)
            .collect();
        for (id, order) in self.moot_changes() {
            let by = format!("the daemon, because order {order} is over");
            self.step(me, id, Event::Declined(by.clone()), &by).await;
        }
        for id in due {
            self.lane.withdraw(id);
            self.step(me, id, Event::Expired, "the daemon").await;
        }
        self.watch_flag().await;
        self.watch_endings(now);
        self.claim();
        // A journal that vanished is known before the next order is asked for.
        let _ = self.write_all(Vec::new()).await;
        if let Some(lease) = self.broker.ready.clone() {
            self.check_egress(&lease).await;
        }
        if self.is_look_due() {
            self.watch.wants_look = true;
        }
        self.look(me);
    }

    /// Changes that wait for a yes, of orders that are over.
    fn moot_changes(&self) -> Vec<(IntentId, OrderId)> {
        let waiting =
            self.ledger.book.iter().filter(|one| matches!(one.state, life::State::Awaiting(_)));
        let moot = waiting.filter_map(|one| match one.purpose {
            Purpose::Modify { order_id, .. } => Some((one.id, order_id)),
            _ => None,
        });
        moot.filter(|(_, order)| self.ledger.book.is_over(*order)).collect()
    }

    /// The file freezes trading even if nobody could tell us.
    async fn watch_flag(&mut self) {
        if self.ledger.book.frozen().is_none() && self.controls.flags.is_own_up() {
            // Who raised it by hand may know of one profile only.
            self.raise_flags();
            let _ = self.write_all(vec![Record::Frozen { by: "a person".to_owned() }]).await;
            self.changed();
        }
    }

    /// An end that was asked for and does not come is told, once.
    fn watch_endings(&mut self, now: Timestamp) {
        let long = lateness::scaled(PARK);
        let is_stuck = |intent: &&Intent| {
            let standing = intent.state.standing().filter(|_| !intent.state.is_over());
            standing.is_some_and(|standing| standing.meaning() == Meaning::Ending)
                && now.duration_since(intent.since) >= long
        };
        let stuck: Vec<(IntentId, String)> = self
            .ledger
            .book
            .iter()
            .filter(is_stuck)
            .map(|intent| (intent.id, intent.text.clone()))
            .collect();
        for (id, text) in stuck {
            if self.watch.said.insert(format!("ending {id}")) {
                self.say(
                    Level::Warning,
                    "order_end_pending",
                    format!(
                        "{text} ({id}): its cancellation was asked for long ago and has not come."
                    ),
                    "It can still be filled. Ask again with cancel_order, or look in TWS.",
                );
            }
        }
    }

    /// Whether anything may still become something.
    pub(super) fn has_open(&self) -> bool {
        self.ledger.book.iter().any(|intent| intent.state.is_open() || may_rise(intent))
    }

    /// Begins to listen to what IBKR pushes, once there is something to hear of.
    pub(super) fn listen(&mut self, me: &ActorRef<Msg>) {
        if self.watch.feed.is_some() || self.broker.ready.is_none() || !self.has_open() {
            return;
        }
        let (topics, me) = (vec![Topic::Orders, Topic::Executions { days: DAYS }], me.clone());
        self.watch.feed = Some(self.broker.stream.subscribe(topics, move |heard| {
            let told = match heard {
                Heard::Update(Update::Orders(rows)) => {
                    Msg::Pushed(rows.into_iter().map(OrderRow::from).collect(), Vec::new())
                }
                Heard::Update(Update::Executions(fills)) => Msg::Pushed(Vec::new(), fills),
                // What happened meanwhile is seen by a look.
                Heard::Gap => Msg::FeedBroke,
                Heard::Update(_) | Heard::Quotes(_) => return,
            };
            let _ = me.cast(told);
        }));
    }

    /// What is open, or ended within a day.
    pub(super) fn recent(&self) -> Vec<Intent> {
        let now = Timestamp::now();
        let day = SignedDuration::from_hours(24);
        let is_recent =
            |intent: &&Intent| intent.state.is_open() || now.duration_since(intent.since) < day;
        self.ledger.book.iter().filter(is_recent).cloned().collect()
    }
}

/// Whether something was refused, or its question answered with no, so lately that it may come alive at the broker
/// all the same: both was seen.
fn may_rise(intent: &Intent) -> bool {
    let was_told_no = matches!(
        intent.state,
        life::State::Over(End::Rejected(_) | End::NotPlaced(NotPlaced::Asked(_)))
    );
    let age = Timestamp::now().duration_since(intent.since).abs();
    was_told_no && intent.is_order() && age < lateness::scaled(PARK)
}
