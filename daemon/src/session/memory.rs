//! What the next daemon must know of this one's session: that somebody else has it, that a person
//! logged out, in which mode the last login was. Small, and written whole.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::login::Taken;

/// What is remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Memory {
    /// Another platform has the session, as far as is known.
    pub taken: Option<Taken>,
    /// A person logged out: nothing comes back by itself.
    pub logged_out: bool,
    /// The last login that somebody asked for was to be a paper one.
    pub paper: bool,
    /// Who was logged in last: IBKR tells only once a minute.
    pub who: Option<Who>,
}

/// A login that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Who {
    /// Tells it from any other.
    pub session: u64,
    /// The user's number.
    pub user: Option<u64>,
    /// Paper or live.
    pub paper: Option<bool>,
    /// Its username.
    pub username: String,
    /// When it was made.
    pub login_at: Option<Timestamp>,
}

impl Who {
    /// Whether a login is this one, or another one of the same username: a user's number may stand for a
    /// paper and a live username, so the mode must be known and the same.
    pub fn is_same(&self, session: u64, user: Option<u64>, paper: Option<bool>) -> bool {
        let is_same_user = user.is_some() && user == self.user;
        session == self.session || (is_same_user && paper.is_some() && paper == self.paper)
    }
}

/// The memory and its file.
#[derive(Debug)]
pub struct Kept {
    path: PathBuf,
    now: Memory,
}

impl Kept {
    /// Reads the file in `folder`. One that cannot be read counts as "somebody has it": the careful
    /// reading.
    pub fn open(folder: &Path) -> Self {
        let path = folder.join("session.json");
        let now = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::warn!(%error, "the session's memory cannot be read");
                Memory { logged_out: true, ..Memory::default() }
            }),
            Err(_) => Memory::default(),
        };
        Self { path, now }
    }

    /// What is remembered now.
    pub fn get(&self) -> &Memory {
        &self.now
    }

    /// Changes it, and writes it down if that made a difference.
    pub fn change(&mut self, change: impl FnOnce(&mut Memory)) {
        let before = self.now.clone();
        change(&mut self.now);
        if before != self.now {
            let written = serde_json::to_vec(&self.now)
                .map_err(std::io::Error::from)
                .and_then(|bytes| ibd_disk::replace(&self.path, &bytes));
            if let Err(error) = written {
                tracing::error!(%error, "the session's memory was not written");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn it_outlives_the_daemon() {
        let folder = tempfile::tempdir().unwrap();
        let taken = Some(Taken { at: "2026-11-22T14:02:00Z".parse().unwrap(), is_sure: true });
        Kept::open(folder.path()).change(|memory| memory.taken = taken);
        let mut next = Kept::open(folder.path());
        assert_eq!(*next.get(), Memory { taken, ..Memory::default() });
        next.change(|memory| memory.taken = None);
        assert_eq!(*Kept::open(folder.path()).get(), Memory::default());
    }

    #[test]
    fn a_username_is_known_again_only_beyond_doubt() {
        let who = Who {
            session: 1,
            user: Some(7),
            paper: Some(true),
            username: "jdoe".into(),
            login_at: None,
        };
        for (session, user, paper, expected) in [
            (1, None, None, true),
            (2, Some(7), Some(true), true),
            (2, Some(7), Some(false), false),
            (2, Some(7), None, false),
            (2, Some(8), Some(true), false),
            (2, None, Some(true), false),
        ] {
            assert_eq!(who.is_same(session, user, paper), expected, "{session} {user:?} {paper:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_begins_nothing_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("session.json"), "{").unwrap();
        assert!(Kept::open(folder.path()).get().logged_out);
    }
}
