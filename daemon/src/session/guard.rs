//! The guard: IBKR locks an account after about ten failed logins in a day, so automatic ones stop long
//! before that. Kept in one file for all profiles, across restarts and clients; counted per username.
//!
//! An attempt is written down *before* anything is sent. One without an outcome, because we were killed
//! meanwhile, counts as failed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

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
    pub fn may(&self, now: Timestamp, asker: Asker, is_forced: bool) -> Result<(), Held> {
        if is_forced && asker == Asker::Person {
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
    pub fn may_factor(&self, now: Timestamp, is_forced: bool) -> Result<(), Held> {
        let today = self.0.iter().filter(|attempt| now.duration_since(attempt.at) < DAY);
        let used: usize = today.map(|attempt| attempt.factors).sum();
        if used >= FACTORS_A_DAY && !is_forced { Err(Held::Factors) } else { Ok(()) }
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
    fn is_news(&self, now: Timestamp) -> bool {
        self.failures_in_a_row(now) > 0 || self.is_locked()
    }

    fn forget_old(&mut self, now: Timestamp) {
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

/// The histories in their file. Clones share them.
#[derive(Debug, Clone)]
pub struct Guard(Arc<Mutex<Kept>>);

#[derive(Debug)]
struct Kept {
    path: PathBuf,
    /// By username in lower case.
    histories: Result<BTreeMap<String, History>, String>,
}

impl Guard {
    /// Reads the file in `folder`. One that cannot be read holds every login until a person insists.
    pub fn open(folder: &Path) -> Self {
        let path = folder.join("logins.json");
        let histories = read(&path);
        Self(Arc::new(Mutex::new(Kept { path, histories })))
    }

    /// Whether a login of this user may be tried.
    pub fn may(&self, user: &str, now: Timestamp, asker: Asker, forced: bool) -> Result<(), Held> {
        match &self.lock().histories {
            Ok(histories) => {
                histories.get(&key(user)).map_or(Ok(()), |history| history.may(now, asker, forced))
            }
            Err(_) if forced && asker == Asker::Person => Ok(()),
            Err(why) => Err(Held::Unreadable(why.clone())),
        }
    }

    /// Checks and writes down, in one step, that an attempt begins.
    pub fn begin(
        &self,
        user: &str,
        now: Timestamp,
        asker: Asker,
        forced: bool,
    ) -> Result<(), Held> {
        self.may(user, now, asker, forced)?;
        if forced {
            self.take_responsibility();
        }
        self.try_change(user, |history| {
            // Another profile's daemon may have tried meanwhile.
            history.may(now, asker, forced)?;
            history.forget_old(now);
            history.begin(now, asker);
            Ok(())
        })
    }

    /// A person goes on although the file cannot be read: it is set aside, and a new one begins.
    fn take_responsibility(&self) {
        let mut kept = self.lock();
        if kept.histories.is_err() {
            let _ = fs::rename(&kept.path, kept.path.with_extension("broken"));
            kept.histories = Ok(BTreeMap::new());
        }
    }

    /// Checks and writes down one code or push.
    pub fn factor(&self, user: &str, now: Timestamp, forced: bool) -> Result<(), Held> {
        if let Ok(histories) = &self.lock().histories
            && let Some(history) = histories.get(&key(user))
        {
            history.may_factor(now, forced)?;
        }
        self.change(user, History::factor)
    }

    /// Writes down how the attempt under way ended.
    pub fn settle(&self, user: &str, outcome: Outcome) {
        if let Err(held) = self.change(user, |history| history.settle(outcome)) {
            // It then counts as failed, which errs on the safe side.
            tracing::error!(%held, "the end of a login was not written down");
        }
    }

    /// Somebody has logged in without us: what failed before no longer counts in a row.
    pub fn logged_in_otherwise(&self, user: &str, now: Timestamp) {
        let is_news = {
            let kept = self.lock();
            let history = kept.histories.as_ref().ok().and_then(|h| h.get(&key(user)));
            history.is_some_and(|history| history.is_news(now))
        };
        if is_news {
            let written = self.change(user, |history| {
                history.begin(now, Asker::Person);
                history.settle(Outcome::LoggedIn);
            });
            if let Err(held) = written {
                tracing::error!(%held, "a login was not written down");
            }
        }
    }

    /// Attempts of the last day, and how many of them failed.
    pub fn counts(&self, user: &str, now: Timestamp) -> (usize, usize) {
        let kept = self.lock();
        let history = kept.histories.as_ref().ok().and_then(|h| h.get(&key(user)).cloned());
        history.unwrap_or_default().counts(now)
    }

    fn change(&self, user: &str, change: impl FnOnce(&mut History)) -> Result<(), Held> {
        self.try_change(user, |history| {
            change(history);
            Ok(())
        })
    }

    /// Changes a history on disk, on top of what the daemons of other profiles have written there.
    fn try_change(
        &self,
        user: &str,
        change: impl FnOnce(&mut History) -> Result<(), Held>,
    ) -> Result<(), Held> {
        let unreadable = |error: io::Error| Held::Unreadable(error.to_string());
        let mut kept = self.lock();
        let lock = fs::File::create(kept.path.with_extension("lock")).map_err(unreadable)?;
        lock.lock().map_err(unreadable)?;
        if kept.histories.is_ok() {
            kept.histories = read(&kept.path);
        }
        let path = kept.path.clone();
        let histories = kept.histories.as_mut().map_err(|why| Held::Unreadable(why.clone()))?;
        change(histories.entry(key(user)).or_default())?;
        write(&path, histories).map_err(unreadable)
        // The lock goes with its file.
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &Path) -> Result<BTreeMap<String, History>, String> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| error.to_string()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error.to_string()),
    }
}

fn key(user: &str) -> String {
    user.to_lowercase()
}

fn write(path: &Path, histories: &BTreeMap<String, History>) -> io::Result<()> {
    ibd_disk::replace(path, &serde_json::to_vec(histories)?)
}

#[cfg(test)]
mod tests;
