//! The logins of one username in the last day, and whether one more may be tried. Pure.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Failures count for so long.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Failures in a row after which only a person goes on.
const IN_A_ROW: usize = 2;
/// Failures in a day after which only a person goes on; IBKR's limit is ten.
const A_DAY: usize = 4;
/// Second factors (codes, pushes) in a day.
const FACTORS_A_DAY: usize = 6;
/// Attempts that are kept of one user.
const MOST: usize = 100;
/// Between logins that nobody asked for, and after any that failed.
const BETWEEN: SignedDuration = SignedDuration::from_mins(30);
/// Logins that nobody asked for, in a day; failed ones of others count too.
const UNASKED_A_DAY: usize = 3;

/// Who wants a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asker {
    /// A person, at a terminal.
    Person,
    /// An assistant.
    Client,
    /// Nobody: the session ended and it is configured to come back.
    Nobody,
}

/// How a login is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Will {
    /// If nothing speaks against it.
    Asks,
    /// Whatever speaks against it; only a person's word counts so.
    Insists,
}

impl Will {
    /// What a person's `--force` says.
    pub fn of(is_forced: bool) -> Self {
        if is_forced { Self::Insists } else { Self::Asks }
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Under way, or cut off by our own end.
    Open,
    /// Logged in.
    LoggedIn,
    /// IBKR refused it, or nobody approved it.
    Failed,
    /// IBKR says that the account is locked.
    Locked,
}

/// One attempt to log in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attempt {
    at: Timestamp,
    asker: Asker,
    outcome: Outcome,
    /// Codes and pushes of this attempt.
    factors: usize,
}

/// What is known of one username.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History(Vec<Attempt>);

/// Why no attempt may be made now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// Too many failures: a person must decide.
    Failures(usize),
    /// IBKR says that it is locked: a person must unlock it there.
    Locked,
    /// Too many codes or pushes.
    Factors,
    /// Not so soon again.
    Soon(Timestamp),
    /// The file cannot be read or written, so nothing is known.
    Unreadable(String),
}

impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failures(n) => write!(
                f,
                "{n} logins failed. Stopped so that IBKR does not lock you (its limit is about 10 a day)"
            ),
            Self::Locked => f.write_str("IBKR says that this login is locked"),
            Self::Factors => f.write_str(
                "Too many codes and phone approvals were used in a day. Stopped so that IBKR does not lock you",
            ),
            Self::Soon(at) => write!(f, "The last login was tried only a while ago; next at {at}"),
            Self::Unreadable(why) => {
                write!(f, "The record of earlier logins cannot be used ({why}), so nothing is tried")
            }
        }
    }
}

impl Held {
    /// Whether only a person ends it.
    pub fn needs_person(&self) -> bool {
        !matches!(self, Self::Soon(_))
    }
}

impl History {
    /// Whether a login may be tried. A person who insists may always.
    pub fn may(&self, now: Timestamp, asker: Asker, will: Will) -> Result<(), Held> {
        if will == Will::Insists && asker == Asker::Person {
            return Ok(());
        }
        let today = || self.0.iter().filter(|attempt| now.duration_since(attempt.at) < DAY);
        if self.is_locked() {
            return Err(Held::Locked);
        }
        let in_a_row = self.failures_in_a_row(now);
        let a_day = today().filter(|attempt| attempt.is_failure()).count();
        if in_a_row >= IN_A_ROW || a_day >= A_DAY {
            return Err(Held::Failures(in_a_row.max(a_day)));
        }
        if today().map(|attempt| attempt.factors).sum::<usize>() >= FACTORS_A_DAY {
            return Err(Held::Factors);
        }
        match asker {
            Asker::Nobody => self.may_unasked(now),
            Asker::Client | Asker::Person => Ok(()),
        }
    }

    /// Whether one more code or push may be used in the attempt under way.
    pub fn may_factor(&self, now: Timestamp, will: Will) -> Result<(), Held> {
        let today = self.0.iter().filter(|attempt| now.duration_since(attempt.at) < DAY);
        let used: usize = today.map(|attempt| attempt.factors).sum();
        if used >= FACTORS_A_DAY && will == Will::Asks { Err(Held::Factors) } else { Ok(()) }
    }

    fn may_unasked(&self, now: Timestamp) -> Result<(), Held> {
        let unasked: Vec<_> = self
            .0
            .iter()
            .filter(|attempt| attempt.asker == Asker::Nobody || attempt.is_failure())
            .map(|attempt| attempt.at)
            .filter(|at| now.duration_since(*at) < DAY)
            .collect();
        let soon = unasked.last().map(|last| *last + BETWEEN).filter(|next| *next > now);
        let full = (unasked.len() >= UNASKED_A_DAY).then(|| unasked.first().map(|at| *at + DAY));
        match full.flatten().or(soon) {
            Some(next) => Err(Held::Soon(next)),
            None => Ok(()),
        }
    }

    /// IBKR has said so since the last login.
    fn is_locked(&self) -> bool {
        let since = self.0.iter().rev().take_while(|a| a.outcome != Outcome::LoggedIn);
        since.into_iter().any(|attempt| attempt.outcome == Outcome::Locked)
    }

    /// Failures since the last login, of the last day.
    fn failures_in_a_row(&self, now: Timestamp) -> usize {
        let since = self.0.iter().rev().take_while(|a| a.outcome != Outcome::LoggedIn);
        since.filter(|a| a.is_failure() && now.duration_since(a.at) < DAY).count()
    }

    /// Writes down that an attempt begins.
    pub fn begin(&mut self, now: Timestamp, asker: Asker) {
        self.0.push(Attempt { at: now, asker, outcome: Outcome::Open, factors: 0 });
    }

    /// Writes down one code or push of the attempt under way.
    pub fn factor(&mut self) {
        if let Some(last) = self.0.last_mut() {
            last.factors += 1;
        }
    }

    /// Writes down how the attempt under way ended.
    pub fn settle(&mut self, outcome: Outcome) {
        if let Some(last) = self.0.last_mut().filter(|last| last.outcome == Outcome::Open) {
            last.outcome = outcome;
        }
    }

    /// A login that came about without us: what failed before no longer counts in a row.
    pub(super) fn is_news(&self, now: Timestamp) -> bool {
        self.failures_in_a_row(now) > 0 || self.is_locked()
    }

    pub(super) fn forget_old(&mut self, now: Timestamp) {
        // That an account is locked does not end with the day.
        self.0.retain(|attempt| {
            attempt.outcome == Outcome::Locked || now.duration_since(attempt.at) < DAY
        });
        self.0.drain(..self.0.len().saturating_sub(MOST));
    }

    /// Attempts of the last day, and how many of them failed.
    pub fn counts(&self, now: Timestamp) -> (usize, usize) {
        let today = self.0.iter().filter(|attempt| now.duration_since(attempt.at) < DAY);
        let today: Vec<_> = today.collect();
        (today.len(), today.iter().filter(|attempt| attempt.is_failure()).count())
    }
}

impl Attempt {
    fn is_failure(&self) -> bool {
        matches!(self.outcome, Outcome::Open | Outcome::Failed | Outcome::Locked)
    }
}

#[cfg(test)]
mod tests;
