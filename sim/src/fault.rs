//! Faults that a test asks for: the next matching requests go wrong in a chosen way.

use serde::{Deserialize, Serialize};

use crate::http::Reply;

/// How a request goes wrong. The first group never reaches the simulated broker; the second is
/// carried out first and spoiled afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// Answer `status` with `body`.
    Status,
    /// Never answer.
    Hang,
    /// Close the connection without an answer.
    Drop,
    /// Close the connection at once, and carry it out `delayMs` later, when nobody expects it any more.
    Late,
    /// 200 with JSON that does not parse.
    Malformed,
    /// 200 with nothing.
    Empty,
    /// 200 with a web page instead of JSON.
    Html,
    /// Carry it out, then close the connection without an answer.
    AcceptDrop,
    /// Carry it out, then never answer.
    AcceptHang,
    /// Carry it out, then answer `status` with `body`.
    AcceptStatus,
    /// Carry it out and answer `delayMs` later.
    Delay,
    /// Carry it out and send half of the answer as if it were the whole.
    Truncate,
}

/// One order for trouble, as `POST /fault` takes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Fault {
    /// Substring of the path; empty matches everything.
    #[serde(default, rename = "match")]
    pub(crate) matching: String,
    /// Only this method, if given.
    pub(crate) method: Option<String>,
    pub(crate) mode: Mode,
    pub(crate) status: Option<u16>,
    pub(crate) body: Option<serde_json::Value>,
    /// Milliseconds before anything happens.
    #[serde(default)]
    pub(crate) delay_ms: u64,
    /// How many matching requests come through before.
    #[serde(default)]
    pub(crate) skip: u32,
    /// How many requests; 0 until the reset.
    #[serde(default = "one")]
    pub(crate) count: u32,
}

fn one() -> u32 {
    1
}

/// What becomes of an exchange.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Answer.
    Reply(Reply),
    /// Never answer; wait until the client goes, or close after waiting this many milliseconds.
    Hang,
    /// Close the connection after this many milliseconds.
    Drop(u64),
}

impl Fault {
    fn matches(&self, method: &str, path: &str) -> bool {
        path.contains(&self.matching)
            && self.method.as_deref().is_none_or(|m| m.eq_ignore_ascii_case(method))
    }

    /// It concerns this request, and it is its turn.
    fn strikes(&mut self, method: &str, path: &str) -> bool {
        let concerns = self.matches(method, path);
        let is_its_turn = self.skip == 0;
        self.skip = self.skip.saturating_sub(u32::from(concerns));
        concerns && is_its_turn
    }

    /// True when the broker carries the request out before it goes wrong.
    pub(crate) fn is_carried_out(&self) -> bool {
        use Mode::{AcceptDrop, AcceptHang, AcceptStatus, Delay, Truncate};
        matches!(self.mode, AcceptDrop | AcceptHang | AcceptStatus | Delay | Truncate)
    }

    /// What the client gets when the broker never saw the request.
    pub(crate) fn instead(&self) -> Outcome {
        let reply = match self.mode {
            Mode::Hang => return Outcome::Hang,
            Mode::Drop => return Outcome::Drop(self.delay_ms),
            Mode::Late => return Outcome::Drop(0),
            Mode::Empty => Reply::empty(self.status.unwrap_or(200)),
            Mode::Html => Reply::html(
                self.status.unwrap_or(200),
                &self.text_or("<html><body>Please wait</body></html>"),
            ),
            Mode::Malformed => self.as_json(200, "{\"orders\":[{\"acct\":"),
            _ => self.unavailable(),
        };
        Outcome::Reply(reply.delayed(self.delay_ms))
    }

    /// What the client gets of `reply`, which the broker did give.
    pub(crate) fn spoil(&self, mut reply: Reply) -> Outcome {
        match self.mode {
            Mode::AcceptDrop => return Outcome::Drop(self.delay_ms),
            Mode::AcceptHang => return Outcome::Hang,
            Mode::AcceptStatus => reply = self.unavailable(),
            Mode::Truncate => reply = reply.cut(0.5),
            _ => {}
        }
        Outcome::Reply(reply.delayed(self.delay_ms))
    }

    fn unavailable(&self) -> Reply {
        self.as_json(503, "{\"error\":\"Service Unavailable\",\"statusCode\":503}")
    }

    fn text_or(&self, usual: &str) -> String {
        match &self.body {
            None => usual.to_owned(),
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }

    fn as_json(&self, status: u16, usual: &str) -> Reply {
        let mut reply = Reply::empty(self.status.unwrap_or(status));
        reply.body = self.text_or(usual).into_bytes();
        reply.content_type = Some("application/json; charset=utf-8");
        reply
    }
}

/// The faults still to come, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    waiting: Vec<Fault>,
}

impl Faults {
    /// Adds one behind the others.
    pub(crate) fn add(&mut self, fault: Fault) {
        self.waiting.push(fault);
    }

    /// Those of a match come no more.
    pub(crate) fn end(&mut self, matching: &str) {
        self.waiting.retain(|fault| fault.matching != matching);
    }

    /// Those still to come.
    pub(crate) fn waiting(&self) -> &[Fault] {
        &self.waiting
    }

    /// The first that matches and does not let this one through, counted down and removed when used up.
    pub(crate) fn take(&mut self, method: &str, path: &str) -> Option<Fault> {
        let at = self.waiting.iter_mut().position(|fault| fault.strikes(method, path))?;
        let fault = self.waiting.get_mut(at)?;
        let taken = fault.clone();
        match fault.count {
            0 => {}
            1 => drop(self.waiting.remove(at)),
            _ => fault.count -= 1,
        }
        Some(taken)
    }
}
