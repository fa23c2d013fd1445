//! Who is logged in, as far as is known: the login that looks have seen, and what the broker said about it.

use jiff::Timestamp;
use tokio::time::Instant;

use super::Facts;
use super::memory::{self, Kept};

/// Tells one login at the broker from the next; nothing can be read off it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Of the web session; a new login has another one, and perhaps a new brokerage session too.
    pub(super) session: u64,
    /// The user's number.
    pub(super) user: Option<u64>,
}

/// What is known of whoever is logged in.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) facts: Facts,
    /// Which login the last look that told has seen.
    pub(super) identity: Option<Identity>,
    /// When the brokerage session was opened.
    pub(super) opened: Option<Instant>,
}

/// Which login a look has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// The one that is known, or the look did not tell.
    Same,
    /// The first one that is seen.
    New,
    /// Another one than before.
    Other,
}

impl Known {
    /// A look has seen this login.
    pub(super) fn see(&mut self, identity: Option<Identity>) -> Seen {
        let seen = match (identity, self.identity) {
            (Some(new), Some(known)) if new != known => Seen::Other,
            (Some(_), None) => Seen::New,
            _ => Seen::Same,
        };
        self.identity = identity.or(self.identity);
        seen
    }

    /// Whether nothing need be asked for any more.
    pub(super) fn is_complete(&self) -> bool {
        self.facts.username.is_some() && self.facts.login_at.is_some()
    }

    /// IBKR has told who it is.
    pub(super) fn named(&mut self, who: Option<(Option<String>, Option<Timestamp>)>) {
        let (username, login_at) = who.unwrap_or_default();
        self.facts.username = username.or(self.facts.username.take());
        self.facts.login_at = login_at.or(self.facts.login_at);
    }

    /// IBKR tells who is logged in once a minute. Of a login that was seen before, perhaps by the daemon
    /// before us, it is known.
    pub(super) fn remember(&mut self, memory: &mut Kept) {
        let Some(identity) = self.identity else { return };
        let paper = self.facts.paper;
        let who = memory.get().who.clone();
        let known = who.filter(|who| who.is_same(identity.session, identity.user, paper));
        if let (Some(who), None) = (known, &self.facts.username) {
            let is_same_login = who.session == identity.session;
            self.facts.username = Some(who.username);
            self.facts.login_at = self.facts.login_at.or(who.login_at.filter(|_| is_same_login));
        }
        if let Some(username) = self.facts.username.clone() {
            let login_at = self.facts.login_at;
            let (session, user) = (identity.session, identity.user);
            let who = Some(memory::Who { session, user, paper, username, login_at });
            memory.change(|memory| memory.who = who);
        }
    }
}
