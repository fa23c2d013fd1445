//! The guard: IBKR locks an account after about ten failed logins in a day, so automatic ones stop long
//! before that. Kept in one file for all profiles, across restarts and clients; counted per username.
//!
//! An attempt is written down *before* anything is sent. One without an outcome, because we were killed
//! meanwhile, counts as failed.

mod history;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

pub use history::{Asker, Held, History, Outcome, Will};

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
    pub fn may(&self, user: &str, now: Timestamp, asker: Asker, will: Will) -> Result<(), Held> {
        match &self.lock().histories {
            Ok(histories) => {
                histories.get(&key(user)).map_or(Ok(()), |history| history.may(now, asker, will))
            }
            Err(_) if will == Will::Insists && asker == Asker::Person => Ok(()),
            Err(why) => Err(Held::Unreadable(why.clone())),
        }
    }

    /// Checks and writes down, in one step, that an attempt begins.
    pub fn begin(&self, user: &str, now: Timestamp, asker: Asker, will: Will) -> Result<(), Held> {
        self.may(user, now, asker, will)?;
        if will == Will::Insists {
            self.take_responsibility();
        }
        self.try_change(user, |history| {
            // Another profile's daemon may have tried meanwhile.
            history.may(now, asker, will)?;
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
    pub fn factor(&self, user: &str, now: Timestamp, will: Will) -> Result<(), Held> {
        if let Ok(histories) = &self.lock().histories
            && let Some(history) = histories.get(&key(user))
        {
            history.may_factor(now, will)?;
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
