//! The service's desk: who may ask, how often, what was asked, and what becomes of it.

use std::collections::{BTreeMap, HashMap, VecDeque};

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::codes::Code;
use super::past::Opening;
use super::spec::{Call, FlexSpec};

/// References kept.
const KEPT: usize = 1000;
/// The first reference code.
const FIRST: u64 = 8_800_000_001;
/// A request a second, with a little grace for the way it travelled (milliseconds).
const SECOND: i64 = 950;
const MINUTE: (i64, usize) = (60_000, 10);

/// The next requests are told this code instead of what would be true.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Next {
    pub(super) code: u16,
    #[serde(default = "one")]
    pub(super) count: u32,
    /// Only this call; 1017 and 1019 mean `get` without it.
    pub(super) at: Option<Call>,
}

fn one() -> u32 {
    1
}

impl Next {
    fn concerns(&self, call: Call) -> bool {
        let only_get = Code::new(self.code).is_ok_and(Code::is_about_a_reference);
        self.at.or(only_get.then_some(Call::Get)).is_none_or(|at| at == call)
    }
}

/// A statement that was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub(super) query: String,
    pub(super) token: String,
    /// The host that alone has it, if only one has.
    pub(super) host: Option<String>,
    /// Epoch milliseconds.
    pub(super) asked_ms: i64,
    pub(super) ready_ms: i64,
    pub(super) polls: u32,
    pub(super) delivered: u32,
    pub(super) range: (Date, Date),
    /// The request named the days itself.
    pub(super) is_own_range: bool,
}

/// How often something was asked.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    sends: u32,
    polls: u32,
    statements: u32,
}

impl Counts {
    fn report(self) -> Value {
        json!({ "sends": self.sends, "polls": self.polls, "statements": self.statements })
    }
}

/// The desk.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(super) spec: FlexSpec,
    pub(super) next: VecDeque<Next>,
    /// What every account had when the simulator started.
    pub(super) openings: Vec<Opening>,
    references: BTreeMap<u64, Reference>,
    issued: u64,
    /// Arrivals by token (simulated milliseconds since the start).
    recent: HashMap<String, VecDeque<i64>>,
    all: Counts,
    queries: BTreeMap<String, Counts>,
    codes: BTreeMap<u16, u32>,
    forbidden: u32,
}

impl Desk {
    pub(crate) fn new(spec: FlexSpec, openings: Vec<Opening>) -> Self {
        Self {
            spec,
            next: VecDeque::new(),
            openings,
            references: BTreeMap::new(),
            issued: 0,
            recent: HashMap::new(),
            all: Counts::default(),
            queries: BTreeMap::new(),
            codes: BTreeMap::new(),
            forbidden: 0,
        }
    }

    /// Old reference codes are never given again, not even after a reset.
    pub(crate) fn succeeds(&mut self, old: &Self) {
        self.issued = old.issued;
    }

    /// Counts an arrival; false is too many. Those that were refused count as well.
    pub(super) fn admits(&mut self, token: &str, now: i64) -> bool {
        let recent = self.recent.entry(token.to_owned()).or_default();
        while recent.front().is_some_and(|at| now - *at >= MINUTE.0) {
            recent.pop_front();
        }
        let is_fast = recent.back().is_some_and(|at| now - *at < SECOND);
        recent.push_back(now);
        !is_fast && recent.len() <= MINUTE.1
    }

    /// The code that a test wants this call to get.
    pub(super) fn ordered(&mut self, call: Call) -> Option<Code> {
        let at = self.next.iter().position(|next| next.concerns(call))?;
        let next = self.next.get_mut(at)?;
        let code = Code::new(next.code).ok();
        next.count = next.count.saturating_sub(1);
        if next.count == 0 {
            self.next.remove(at);
        }
        code
    }

    /// Keeps a reference under a new code.
    pub(super) fn keep(&mut self, reference: Reference) -> u64 {
        let code = FIRST + self.issued;
        self.issued += 1;
        self.references.insert(code, reference);
        if self.references.len() > KEPT {
            self.references.pop_first();
        }
        code
    }

    pub(super) fn reference(&mut self, code: u64) -> Option<&mut Reference> {
        self.references.get_mut(&code)
    }

    pub(super) fn count_call(&mut self, call: Call) {
        match call {
            Call::Send => self.all.sends += 1,
            Call::Get => self.all.polls += 1,
        }
    }

    pub(super) fn count_query(&mut self, id: &str, call: Call) {
        let counts = self.queries.entry(id.to_owned()).or_default();
        match call {
            Call::Send => counts.sends += 1,
            Call::Get => counts.polls += 1,
        }
    }

    pub(super) fn count_statement(&mut self, id: &str) {
        self.all.statements += 1;
        self.queries.entry(id.to_owned()).or_default().statements += 1;
    }

    pub(super) fn count_code(&mut self, code: Code) {
        *self.codes.entry(code.number()).or_default() += 1;
    }

    pub(super) fn count_forbidden(&mut self) {
        self.forbidden += 1;
    }

    /// All that was counted.
    pub(super) fn report(&self, now_ms: i64) -> Value {
        let queries: BTreeMap<&String, Value> =
            self.queries.iter().map(|(id, counts)| (id, counts.report())).collect();
        let references: Vec<Value> =
            self.references.iter().map(|(code, r)| r.report(*code, now_ms)).collect();
        let mut report = self.all.report();
        if let Value::Object(report) = &mut report {
            report.insert("queries".to_owned(), json!(queries));
            report.insert("references".to_owned(), json!(references));
            report.insert("codes".to_owned(), json!(self.codes));
            report.insert("forbidden".to_owned(), json!(self.forbidden));
            report.insert("waiting".to_owned(), json!(self.next.len()));
            report.insert("settings".to_owned(), json!(self.spec));
        }
        report
    }
}

impl Reference {
    fn report(&self, code: u64, now_ms: i64) -> Value {
        let state = match (self.delivered > 0, now_ms >= self.ready_ms) {
            (true, _) => "delivered",
            (_, true) => "ready",
            _ => "generating",
        };
        json!({
            "reference": code.to_string(), "query": self.query, "state": state,
            "polls": self.polls, "delivered": self.delivered, "askedMs": self.asked_ms,
            "from": self.range.0, "to": self.range.1, "host": self.host,
        })
    }
}
