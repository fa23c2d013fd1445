//! Faults by chance: seeded, so that the same seed makes the same trouble for the same requests.

use serde::{Deserialize, Serialize};

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
}

impl Chaos {
    /// Chance by these rules, from their seed on.
    pub(crate) fn new(rules: ChaosBody) -> Self {
        let dice = Dice(rules.seed);
        Self { rules, dice, tally: Tally::default() }
    }

    /// The rules, and how often it struck.
    pub(crate) fn report(&self) -> serde_json::Value {
        serde_json::json!({ "rules": self.rules, "struck": self.tally })
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
