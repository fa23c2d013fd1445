//! Faults by chance: seeded, so that the same seed makes the same trouble for the same requests.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::whims::LocalIds;
use crate::fault::Outcome;
use crate::http::Reply;

/// Body of `POST /chaos`, and what a scenario may say. All probabilities are zero unless given.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ChaosBody {
    /// Decides everything.
    pub seed: u64,
    /// How probably a request goes wrong before the broker carries it out.
    pub before: f64,
    /// How probably it goes wrong afterwards.
    pub after: f64,
    /// How probably it is carried out late, after its connection was closed, and how much (simulated
    /// milliseconds).
    pub late: f64,
    /// See `late`.
    pub late_ms: u64,
    /// How probably an order is questioned, by one to three questions, where it would not have been.
    pub questions: f64,
    /// How probably a question that was given up goes live all the same.
    pub zombie: f64,
    /// How probably a request to place, reply or change is carried out and answered by an error, or by a
    /// row without an id.
    pub errors: f64,
    /// How probably a request to place is not carried out, and refused in words that nobody has on a list.
    pub refusals: f64,
    /// How probably the rows of a set come in another order.
    pub row_order: f64,
    /// How probably rows say the client's own id, as older builds do.
    pub local_ids: f64,
    /// How probably rows say nothing of the client's own id and of the parent.
    pub no_local_ids: f64,
    /// How probably an order goes live some time after its question was answered by no.
    pub declined: f64,
    /// How probably a status is spelled in another letter case.
    pub spelling: f64,
    /// How probably a change is acknowledged and not carried out.
    pub ignored_changes: f64,
    /// How probably a cancellation is acknowledged, and shown as pending for ever.
    pub ignored_cancels: f64,
    /// How long a stall lasts (real milliseconds).
    pub stall_ms: u64,
    /// Which requests: `orders`, `reply`, `modify`, `cancel`, `list`, `status`, `trades`; the first two
    /// if left out.
    pub paths: Option<Vec<String>>,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strike {
    /// The connection closes.
    Drop,
    /// 503.
    Unavailable,
    /// The connection closes, and the broker carries the request out this much later (milliseconds).
    Late(u64),
    /// The answer comes this much later (milliseconds); before the broker saw it, the connection closes then.
    Stall(u64),
}

impl Strike {
    /// What the client gets when the broker never saw the request.
    pub(crate) fn instead(self) -> Outcome {
        match self {
            Self::Drop | Self::Late(_) => Outcome::Drop(0),
            Self::Unavailable => Outcome::Reply(Reply::refusal(503, "Service Unavailable")),
            Self::Stall(millis) => Outcome::Drop(millis),
        }
    }

    /// What the client gets of `reply`, which the broker did give.
    pub(crate) fn spoil(self, reply: Reply) -> Outcome {
        match self {
            Self::Stall(millis) => Outcome::Reply(reply.delayed(millis)),
            other => other.instead(),
        }
    }
}

/// How often chance struck.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tally {
    before: u64,
    after: u64,
    late: u64,
    drops: u64,
    unavailable: u64,
    stalls: u64,
    questioned: u64,
    zombies: u64,
    errors: u64,
    refusals: u64,
    row_order: u64,
    local_ids: u64,
    no_local_ids: u64,
    declined: u64,
    spelling: u64,
    ignored_changes: u64,
    ignored_cancels: u64,
}

/// A small generator of numbers (splitmix64): the same seed, the same numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// True as probably as this; a sure or impossible thing takes no number.
    fn is(&mut self, probability: f64) -> bool {
        probability > 0.0 && (self.next() >> 11) as f64 / ((1u64 << 53) as f64) < probability
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// Chance at work.
#[derive(Debug, Default)]
pub(crate) struct Chaos {
    rules: ChaosBody,
    dice: Dice,
    tally: Tally,
    /// How many statuses were spelled otherwise: counted where the world is only looked at.
    spelled: AtomicU64,
}

impl Chaos {
    /// Chance by these rules, from their seed on.
    pub(crate) fn new(rules: ChaosBody) -> Self {
        let dice = Dice(rules.seed);
        Self { rules, dice, tally: Tally::default(), spelled: AtomicU64::new(0) }
    }

    /// The rules, and how often it struck.
    pub(crate) fn report(&self) -> serde_json::Value {
        let tally = Tally { spelling: self.spelled.load(Ordering::Relaxed), ..self.tally };
        serde_json::json!({ "rules": self.rules, "struck": tally })
    }

    /// What goes wrong with a request before the broker sees it.
    pub(crate) fn before(&mut self, method: &str, path: &str) -> Option<Strike> {
        if !self.concerns(method, path) {
            return None;
        }
        if self.dice.is(self.rules.late) {
            self.tally.late += 1;
            return Some(Strike::Late(self.rules.late_ms));
        }
        self.dice.is(self.rules.before).then(|| {
            self.tally.before += 1;
            self.strike()
        })
    }

    /// What goes wrong with it after the broker carried it out.
    pub(crate) fn after(&mut self, method: &str, path: &str) -> Option<Strike> {
        let struck = self.concerns(method, path) && self.dice.is(self.rules.after);
        struck.then(|| {
            self.tally.after += 1;
            self.strike()
        })
    }

    fn strike(&mut self) -> Strike {
        match self.dice.below(3) {
            0 => {
                self.tally.drops += 1;
                Strike::Drop
            }
            1 => {
                self.tally.unavailable += 1;
                Strike::Unavailable
            }
            _ => {
                self.tally.stalls += 1;
                Strike::Stall(self.rules.stall_ms)
            }
        }
    }

    fn concerns(&self, method: &str, path: &str) -> bool {
        let Some(name) = name(method, path) else { return false };
        match &self.rules.paths {
            Some(paths) => paths.iter().any(|wanted| wanted == name),
            None => matches!(name, "orders" | "reply"),
        }
    }

    /// Questions by chance for an order that would have none.
    pub(super) fn rolls_questions(&mut self) -> Vec<String> {
        const POOL: [&str; 5] = ["o163", "o354", "o451", "o383", "o10153"];
        if !self.dice.is(self.rules.questions) {
            return Vec::new();
        }
        self.tally.questioned += 1;
        let (count, from) = (1 + self.dice.below(3), self.dice.below(5));
        let pick = |n: u64| POOL.get(((from + n) % 5) as usize).copied();
        (0..count).filter_map(pick).map(str::to_owned).collect()
    }

    /// Whether a question that was given up goes live all the same.
    pub(super) fn rolls_zombie(&mut self) -> bool {
        let is_one = self.dice.is(self.rules.zombie);
        self.tally.zombies += u64::from(is_one);
        is_one
    }

    /// Whether an order whose question was answered by no goes live all the same.
    pub(super) fn rolls_declined(&mut self) -> bool {
        let rises = self.dice.is(self.rules.declined);
        self.tally.declined += u64::from(rises);
        rises
    }

    /// A number below `choices` that picks an untrue answer, if there is to be one.
    pub(super) fn rolls_error(&mut self, choices: u64) -> Option<u64> {
        let errs = self.dice.is(self.rules.errors);
        self.tally.errors += u64::from(errs);
        errs.then(|| self.dice.below(choices))
    }

    /// The same for a refusal that is true.
    pub(super) fn rolls_refusal(&mut self, choices: u64) -> Option<u64> {
        let refuses = self.dice.is(self.rules.refusals);
        self.tally.refusals += u64::from(refuses);
        refuses.then(|| self.dice.below(choices))
    }

    /// Whether a change is not carried out.
    pub(super) fn rolls_ignored_change(&mut self) -> bool {
        let ignores = self.dice.is(self.rules.ignored_changes);
        self.tally.ignored_changes += u64::from(ignores);
        ignores
    }

    /// Whether a cancellation is not carried out.
    pub(super) fn rolls_ignored_cancel(&mut self) -> bool {
        let ignores = self.dice.is(self.rules.ignored_cancels);
        self.tally.ignored_cancels += u64::from(ignores);
        ignores
    }

    /// Puts the rows of a set into another order than the tickets', perhaps.
    pub(super) fn shuffles(&mut self, rows: &mut [i64]) {
        if rows.len() < 2 || !self.dice.is(self.rules.row_order) {
            return;
        }
        self.tally.row_order += 1;
        let before = rows.to_vec();
        for last in (1..rows.len()).rev() {
            let other = self.dice.below(last as u64 + 1) as usize;
            rows.swap(last, other);
        }
        if rows == before.as_slice() {
            rows.reverse();
        }
    }

    /// What the rows of an acceptance say of the client's own ids.
    pub(super) fn rolls_local_ids(&mut self) -> LocalIds {
        if self.dice.is(self.rules.no_local_ids) {
            self.tally.no_local_ids += 1;
            return LocalIds::None;
        }
        if self.dice.is(self.rules.local_ids) {
            self.tally.local_ids += 1;
            return LocalIds::All;
        }
        LocalIds::Usual
    }

    /// A status as this place spells it; the same one of the same order always in the same way, however
    /// often somebody looks.
    pub(crate) fn spell(&self, word: &str, order: i64, place: Place) -> String {
        let salt = word
            .bytes()
            .fold(place as u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let mut dice = Dice(self.rules.seed ^ order.unsigned_abs().rotate_left(20) ^ salt);
        if !dice.is(self.rules.spelling) {
            return word.to_owned();
        }
        self.spelled.fetch_add(1, Ordering::Relaxed);
        match dice.below(2) {
            0 => word.to_lowercase(),
            _ => word.to_uppercase(),
        }
    }
}

/// Where a status is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// The answer to a request to place or change.
    Answer = 1,
    /// The orders list.
    List,
    /// The status page.
    Page,
    /// The websocket.
    Push,
}

/// What kind of request about orders this is.
fn name(method: &str, path: &str) -> Option<&'static str> {
    let path = path.split_once("/iserver/")?.1.trim_end_matches('/');
    let parts: Vec<&str> = path.split('/').collect();
    Some(match (method, parts.as_slice()) {
        ("POST", ["account", _, "orders"]) => "orders",
        ("POST", ["reply", _]) => "reply",
        ("POST", ["account", _, "order", _]) => "modify",
        ("DELETE", ["account", _, "order", _]) => "cancel",
        ("GET", ["account", "orders"]) => "list",
        ("GET", ["account", "order", "status", _]) => "status",
        ("GET", ["account", "trades"]) => "trades",
        _ => return None,
    })
}
