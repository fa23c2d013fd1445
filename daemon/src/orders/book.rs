//! The book: every intent, as the journal tells it. Whatever it says can be told again from the journal. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::Meaning;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::clock::Now;
use super::guardrails::Counts;
use super::intent::{Intent, IntentId, NAMED};
use super::life::{End, NotPlaced, State};
use super::order::{Order, Purpose};
use super::record::Record;

/// What is over is remembered for so long; a retry after that is a new request.
const MEMORY: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Every intent.
#[derive(Debug, Default)]
pub struct Book {
    intents: BTreeMap<IntentId, Intent>,
    keys: HashMap<String, IntentId>,
    by_order: HashMap<OrderId, IntentId>,
    /// Approvals that there ever were, by their short names.
    approvals: HashMap<String, IntentId>,
    frozen: Option<String>,
    /// When trading was last let through by a person.
    unfrozen_at: Option<Timestamp>,
}

impl Book {
    /// Takes one entry of the journal. `at`: when it was written.
    pub fn apply(&mut self, record: Record, at: Timestamp) {
        match record {
            Record::Intent(intent) => self.enter(*intent),
            Record::Became { id, state, sent_at, through, boot, .. } => {
                if let Some(intent) = self.intents.get_mut(&id) {
                    let was_asked = matches!(intent.state, State::Awaiting(_));
                    intent.had_yes |= was_asked && *state == State::Ready;
                    // What is learned of the others says nothing new of the first one.
                    let word = |state: &State| {
                        state.standing().map(|s| (s.order_id, s.status.clone(), s.filled))
                    };
                    let is_of_others = word(&intent.state).is_some_and(|before| {
                        word(&state) == Some(before) && intent.state.name() == state.name()
                    });
                    intent.state = *state;
                    intent.parts_known_at = Some(at);
                    if !is_of_others {
                        (intent.since, intent.known_at) = (at, Some(at));
                    }
                    intent.through = through.or(intent.through.take());
                    if sent_at.is_some() {
                        intent.sent_at = sent_at;
                        intent.born = intent.born.map(|_| Instant::now());
                        intent.boot = boot;
                    }
                    let intent = intent.clone();
                    self.index(&intent);
                }
            }
            Record::Frozen { by } => self.frozen = Some(by),
            Record::Unfrozen { .. } => {
                self.frozen = None;
                self.unfrozen_at = Some(at);
            }
            Record::Amended { id, text, order } => {
                if let Some(intent) = self.intents.get_mut(&id) {
                    intent.text = text;
                    intent.known_at = Some(at);
                    let before = intent.order.replace(*order);
                    intent.as_asked = intent.as_asked.take().or(before.map(Box::new));
                }
            }
            Record::Started { .. } | Record::Note { .. } => {}
        }
    }

    fn enter(&mut self, mut intent: Intent) {
        intent.known_at.get_or_insert(intent.since);
        // The first one to come under a key is the one that a retry means; a yes to its questions
        // is found through it.
        self.keys.entry(intent.origin.key.clone()).or_insert(intent.id);
        self.index(&intent);
        self.intents.insert(intent.id, intent);
    }

    fn index(&mut self, intent: &Intent) {
        if let State::Awaiting(approval) = &intent.state {
            self.approvals.insert(approval.id.to_uppercase(), intent.id);
        }
        if let (Purpose::Place, Some(standing)) = (&intent.purpose, intent.state.standing()) {
            self.by_order.insert(standing.order_id, intent.id);
            for other in &standing.others {
                self.by_order.entry(other.order_id).or_insert(intent.id);
            }
        }
    }

    /// Forgets what is long over.
    pub fn tidy(&mut self, now: Timestamp) {
        // A name that a caller gave a request means that request for ever.
        let is_named = |intent: &Intent| intent.origin.key.starts_with(NAMED);
        // How an order that still works was last sent, its last change tells.
        let open: BTreeSet<IntentId> =
            self.intents.values().filter(|one| one.state.is_open()).map(|one| one.id).collect();
        let is_of_open = |intent: &Intent| intent.target().is_some_and(|of| open.contains(&of));
        let is_old = |intent: &Intent| {
            !intent.state.is_open()
                && !is_named(intent)
                && !is_of_open(intent)
                && now.duration_since(intent.since) > MEMORY
        };
        self.intents.retain(|_, intent| !is_old(intent));
        let intents = &self.intents;
        self.keys.retain(|_, id| intents.contains_key(id));
        self.by_order.retain(|_, id| intents.contains_key(id));
        self.approvals.retain(|_, id| intents.contains_key(id));
    }

    /// One of them.
    pub fn get(&self, id: IntentId) -> Option<&Intent> {
        self.intents.get(&id)
    }

    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Intent> {
        self.intents.values()
    }

    /// What a request was answered with, if it was made before.
    pub fn by_key(&self, key: &str) -> Option<&Intent> {
        self.keys.get(key).and_then(|id| self.get(*id))
    }

    /// The intent that a broker's order belongs to.
    pub fn by_order(&self, order_id: OrderId) -> Option<&Intent> {
        self.by_order.get(&order_id).and_then(|id| self.get(*id))
    }

    /// Whether an order that was sent from here is known to be over.
    pub fn is_over(&self, order_id: OrderId) -> bool {
        self.by_order(order_id).is_some_and(|intent| intent.has_ended(order_id))
    }

    /// Of an intent and those that follow it, each the yes to the question of the one before, the one that says how
    /// it stands: the last, unless the broker has an earlier one after all and the last came to nothing or was not sent.
    pub fn latest(&self, id: IntentId) -> Option<&Intent> {
        let next = |intent: &&Intent| {
            let id = intent.id;
            self.intents.values().find(|next| next.follows == Some(id))
        };
        let before = |intent: &&Intent| intent.follows.and_then(|id| self.get(id));
        let last = std::iter::successors(self.get(id), next).last()?;
        let is_nothing =
            last.state.standing().is_none() && (last.state.is_over() || last.sent_at.is_none());
        let mut tries = std::iter::successors(Some(last), before);
        let is_there = |one: &&Intent| one.state.standing().is_some();
        Some(tries.find(is_there).filter(|_| is_nothing).unwrap_or(last))
    }

    /// The intent that an approval belongs to, by its short id or its secret token.
    pub fn by_approval(&self, name: &str) -> Option<&Intent> {
        self.intents.values().find(|intent| match &intent.state {
            State::Awaiting(approval) => {
                approval.id.eq_ignore_ascii_case(name) || approval.token == name
            }
            _ => false,
        })
    }

    /// Who froze trading, if it is frozen.
    pub fn frozen(&self) -> Option<&str> {
        self.frozen.as_deref()
    }

    /// The intent that was approved, or declined, under this short name at any time.
    pub fn by_past_approval(&self, name: &str) -> Option<&Intent> {
        self.approvals.get(&name.trim().to_uppercase()).and_then(|id| self.get(*id))
    }

    /// What waits for a yes because the first try ended with a question.
    pub fn follower(&self, id: IntentId) -> Option<IntentId> {
        let follows = |intent: &&Intent| {
            intent.follows == Some(id) && matches!(intent.state, State::Awaiting(_) | State::Ready)
        };
        self.intents.values().find(follows).map(|intent| intent.id)
    }

    /// An intent so alike that the order may be the same once more: any that is in doubt, waits, or may still
    /// be filled, and any that was placed within `window`. Which one, and whether it is in doubt.
    pub fn alike(&self, order: &Order, window: Duration, now: &Now) -> Option<(&Intent, bool)> {
        let candidates = self.intents.values().rev().filter(|intent| {
            // What a person changed at TWS meanwhile was asked for as it was before.
            let terms = [intent.order.as_ref(), intent.as_asked.as_deref()];
            intent.is_order() && terms.into_iter().flatten().any(|other| other.is_like(order))
        });
        let mut held = None;
        for intent in candidates {
            if intent.state.is_in_doubt() {
                return Some((intent, true));
            }
            let lasts = match &intent.state {
                State::Awaiting(_) | State::Ready => true,
                // As long as it may be filled; also one that the lists have lost.
                State::Working(standing) => standing.meaning() != Meaning::Held,
                _ => false,
            };
            if held.is_none() && is_placed(intent) && (lasts || age(intent, now) < window) {
                held = Some(intent);
            }
        }
        held.map(|intent| (intent, false))
    }

    /// What may be at the broker for the same contract, side and account, in other terms: nobody knows.
    pub fn in_doubt_beside(&self, order: &Order) -> Vec<&Intent> {
        let is_beside = |intent: &&Intent| {
            let is_other = intent.order.as_ref().is_some_and(|other| order.is_beside(other));
            intent.is_order() && intent.state.is_in_doubt() && is_other
        };
        self.intents.values().filter(is_beside).collect()
    }

    /// Intents so alike that were given up lately at a question of the broker's.
    pub fn declined_like(&self, order: &Order, window: Duration, now: &Now) -> Vec<IntentId> {
        let was_declined = |intent: &&Intent| {
            matches!(intent.state, State::Over(End::NotPlaced(NotPlaced::Asked(_))))
                && intent.is_order()
                && intent.order.as_ref().is_some_and(|other| other.is_like(order))
                && age(intent, now) < window
        };
        self.intents.values().filter(was_declined).map(|intent| intent.id).collect()
    }

    /// A change of this order that is not settled: in doubt, or on its way.
    pub fn open_change(&self, order_id: OrderId) -> Option<&Intent> {
        let is_of = |intent: &&Intent| matches!(intent.purpose, Purpose::Modify { order_id: one, .. } if one == order_id);
        self.intents.values().filter(is_of).find(|intent| !intent.state.is_over())
    }

    /// The last change of this order that the broker took, seen there or not.
    pub fn last_change(&self, order_id: OrderId) -> Option<&Intent> {
        let family = self.by_order(order_id)?.id;
        let is_of = |intent: &&Intent| {
            // Ids begin anew elsewhere: it is a change of this family's order, or none.
            matches!(intent.purpose, Purpose::Modify { order_id: one, of: Some(of), .. } if one == order_id && of == family)
                && matches!(intent.state, State::Over(End::Done | End::Requested))
        };
        self.intents.values().filter(is_of).max_by_key(|intent| intent.sent_at)
    }

    /// Whether a change of this order was taken by the broker, and not seen there.
    pub fn has_unseen_change(&self, order_id: OrderId) -> bool {
        self.intents.values().any(|intent| {
            matches!(intent.purpose, Purpose::Modify { order_id: one, .. } if one == order_id)
                && intent.state == State::Over(End::Requested)
        })
    }

    /// Orders sent lately.
    pub fn counts(&self, now: &Now) -> Counts {
        counts_of(self.intents.values(), now)
    }

    /// Orders that the broker rejected in a row, up to the last one.
    pub fn rejects(&self) -> u64 {
        let mut ended: Vec<&Intent> = self
            .intents
            .values()
            .filter(|intent| intent.is_order() && intent.sent_at.is_some())
            .filter(|intent| self.unfrozen_at.is_none_or(|at| intent.since > at))
            .filter(|intent| !intent.state.is_in_round())
            .collect();
        ended.sort_by_key(|intent| intent.sent_at);
        // Refused late, it stays in the broker's lists as inactive.
        let is_reject = |intent: &&&Intent| match &intent.state {
            State::Over(End::Rejected(_)) => true,
            State::Working(standing) => standing.is_inactive(),
            _ => false,
        };
        ended.iter().rev().take_while(is_reject).count() as u64
    }
}

fn is_placed(intent: &Intent) -> bool {
    !matches!(intent.state, State::Denied(_) | State::Over(End::Rejected(_) | End::NotPlaced(_)))
}

/// How many of these were sent lately.
pub fn counts_of<'a>(intents: impl Iterator<Item = &'a Intent>, now: &Now) -> Counts {
    let mut counts = Counts::default();
    for intent in intents {
        let (Some(sent), Some(order)) = (intent.sent_at, &intent.order) else { continue };
        // A clock that was set, back or ahead, must not let more through.
        if age(intent, now) < Duration::from_secs(60) {
            counts.minute += order.count();
        }
        if day(sent) >= day(now.wall) || age(intent, now) < since_midnight(now.wall) {
            counts.day += order.count();
        }
    }
    counts
}

/// The smallest of what the clocks say: one that jumps ahead makes nothing older.
fn age(intent: &Intent, now: &Now) -> Duration {
    // It may have waited long for a yes: what counts is when it was sent.
    let begin = intent.sent_at.unwrap_or(intent.created_at);
    let wall = Duration::try_from(now.wall.duration_since(begin)).unwrap_or_default();
    let steady = intent.born.map(|born| now.steady.saturating_duration_since(born));
    let boot = intent.boot.as_ref().zip(now.boot.as_ref()).and_then(|(begin, now)| begin.age(now));
    [steady, boot].into_iter().flatten().fold(wall, Duration::min)
}

/// How long the day in New York has lasted.
fn since_midnight(at: Timestamp) -> Duration {
    let start = local(at).start_of_day().map(|start| start.timestamp()).unwrap_or(at);
    Duration::try_from(at.duration_since(start)).unwrap_or_default()
}

/// The day in New York.
pub(super) fn day(at: Timestamp) -> jiff::civil::Date {
    local(at).date()
}

/// The hour in New York.
pub(super) fn local(at: Timestamp) -> jiff::Zoned {
    let zone = TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC);
    at.to_zoned(zone)
}

#[cfg(test)]
#[path = "book/tests.rs"]
mod tests;
