//! The account of all logins: what was tried, by whom, how it ended, and who is locked for it.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;
use serde_json::{Value, json};

use crate::clock::DAY_MS;

/// The step of a login that an attempt was made at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Stage {
    Password,
    Push,
    Totp,
    Challenge,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// Right.
    Ok,
    /// Wrong password, code or response.
    Wrong,
    /// A code that was used before.
    Replayed,
    /// Paper user in live mode, or the other way round.
    WrongMode,
    /// The user is locked; nothing was checked.
    Locked,
    /// The person said no on the phone.
    Denied,
    /// Nobody answered on the phone.
    Expired,
    /// A later push took the place of this one.
    Superseded,
}

impl Verdict {
    /// Counts towards the lock.
    fn is_failure(self) -> bool {
        !matches!(self, Self::Ok | Self::Locked | Self::Superseded)
    }
}

/// One attempt.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Attempt {
    /// Simulated milliseconds since the start.
    at_ms: i64,
    user: String,
    mode: &'static str,
    stage: Stage,
    outcome: Verdict,
}

/// Everything that was counted since the start or the last reset.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    attempts: Vec<Attempt>,
    /// Failures by user, all of them.
    failures: BTreeMap<String, u32>,
    /// When the failures were that still count towards the lock.
    recent: BTreeMap<String, Vec<i64>>,
    locked: HashSet<String>,
    pub(super) pushes: u32,
    pub(super) resends: u32,
    pub(super) codes: u32,
    pub(crate) logins: u32,
    pub(crate) logouts: u32,
    pub(crate) inits: u32,
    pub(crate) inits_compete: u32,
    pub(crate) tickles: u32,
    pub(crate) tickles_logged_out: u32,
}

/// Who tries, in which mode.
#[derive(Debug, Clone)]
pub(super) struct Who {
    pub(super) name: String,
    pub(super) paper: bool,
}

impl Ledger {
    /// Notes an attempt; the `limit`th failure within a day locks the user.
    pub(super) fn note(&mut self, who: &Who, attempt: (Stage, Verdict), moment: (i64, u32)) {
        let ((stage, outcome), (at_ms, limit)) = (attempt, moment);
        let mode = if who.paper { "paper" } else { "live" };
        self.attempts.push(Attempt { at_ms, user: who.name.clone(), mode, stage, outcome });
        if outcome.is_failure() {
            *self.failures.entry(who.name.clone()).or_default() += 1;
            self.count_towards_lock(&who.name, at_ms, limit);
        }
    }

    fn count_towards_lock(&mut self, name: &str, now: i64, limit: u32) {
        let recent = self.recent.entry(name.to_owned()).or_default();
        recent.retain(|at| now - at < DAY_MS);
        recent.push(now);
        if recent.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
            self.locked.insert(name.to_owned());
        }
    }

    /// A complete login: earlier failures are forgiven.
    pub(super) fn forgive(&mut self, name: &str) {
        self.recent.remove(name);
    }

    /// Too many failures; only a reset undoes it.
    pub(super) fn is_locked(&self, name: &str) -> bool {
        self.locked.contains(name)
    }

    /// All of it as the control API shows it.
    pub(super) fn report(&self) -> Value {
        json!({
            "attempts": self.attempts,
            "pushes": self.pushes,
            "resends": self.resends,
            "codes": self.codes,
            "failures": self.failures,
            "locked": self.locked.iter().collect::<std::collections::BTreeSet<_>>(),
            "logins": self.logins,
            "logouts": self.logouts,
            "inits": self.inits,
            "initsCompete": self.inits_compete,
            "tickles": self.tickles,
            "ticklesLoggedOut": self.tickles_logged_out,
        })
    }
}
