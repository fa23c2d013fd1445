//! The session: web login (SSO), brokerage session, and everything that dies with the latter.
//!
//! ```text
//! Out ──login──▶ In, Closed ──init──▶ Opening ──initMillis──▶ Open
//!                   ▲  ▲                                        │
//!                   │  └────────────── drop ────────────────────┤
//!                   └── init compete:true ── Taken ◀── compete ─┘
//! ```
//! Logout and expiry lead to Out from anywhere.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::scenario::{Scenario, Start};

/// The brokerage session (tier 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Brokerage {
    /// Never opened since the login.
    Closed,
    /// Was open and is gone.
    Lost,
    /// Another platform holds it.
    Taken,
    /// Accepted, and ready from this simulated moment on (milliseconds since the start).
    OpenAt(i64),
}

/// One stream of quotes that snapshots opened.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// When it was opened.
    pub(crate) since: i64,
    /// Fields asked for, and since when.
    pub(crate) fields: BTreeMap<String, i64>,
}

/// What the broker remembers of one brokerage session and forgets with it.
#[derive(Debug, Default)]
pub(crate) struct Primed {
    /// `/iserver/accounts` was asked.
    pub(crate) accounts: bool,
    /// `/portfolio/accounts` or its kin was asked.
    pub(crate) portfolio: bool,
    /// `/portfolio/subaccounts` or its paged kin was asked.
    pub(crate) subaccounts: bool,
    /// Underlyings that were searched for.
    pub(crate) searched: HashSet<i64>,
    /// Open quote streams.
    pub(crate) streams: HashMap<i64, Stream>,
    /// When the orders feed was started.
    pub(crate) orders_since: Option<i64>,
    /// Trades were asked for first then.
    pub(crate) trades_since: Option<i64>,
    /// A filtered list silenced the orders feed of the websockets.
    pub(crate) is_silenced: bool,
    /// Questions that are not asked any more.
    pub(crate) suppressed: HashSet<String>,
    /// When profit and loss was first asked.
    pub(crate) pnl_since: Option<i64>,
    /// Single positions whose contract half is loaded.
    pub(crate) positions: HashSet<(String, i64)>,
    /// Watchlists whose contract half is loaded.
    pub(crate) watchlists: HashSet<String>,
    /// How often lists of watchlists were asked for, or one was deleted.
    pub(crate) watchlist_calls: u32,
}

/// The state of the login.
#[derive(Debug)]
pub(crate) struct Session {
    /// Web login (tier 2).
    pub(crate) sso: bool,
    /// When it began, milliseconds since the start; negative never happens.
    pub(crate) login_at: i64,
    pub(crate) brokerage: Brokerage,
    /// Somebody else wants or has the brokerage session.
    pub(crate) competing: bool,
    /// `/iserver` answers 503.
    pub(crate) maintenance: bool,
    pub(crate) primed: Primed,
    /// Index of the account that lists follow.
    pub(crate) selected: usize,
    /// The group that they follow instead.
    pub(crate) group: Option<String>,
    /// Real milliseconds of the last request.
    pub(crate) heard_at: i64,
    /// Which login this is; makes the session ids differ.
    pub(crate) generation: u64,
}

/// What became of a request to open the brokerage session.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    /// It is opening.
    Yes,
    /// Somebody else has it and `compete` was false.
    Refused,
}

impl Session {
    /// The session as the scenario wants it.
    pub(crate) fn new(rules: &Scenario) -> Self {
        let open = rules.session == Start::LoggedIn && !rules.competing;
        let closed = if rules.competing { Brokerage::Taken } else { Brokerage::Closed };
        Self {
            sso: rules.session != Start::LoggedOut,
            login_at: 0,
            brokerage: if open { Brokerage::OpenAt(0) } else { closed },
            competing: rules.competing,
            maintenance: rules.maintenance,
            primed: Primed::default(),
            selected: 0,
            group: None,
            heard_at: 0,
            generation: 1,
        }
    }

    /// Web login done. The brokerage session is not open yet.
    pub(crate) fn login(&mut self, now: i64) {
        self.sso = true;
        self.login_at = now;
        self.generation += 1;
        self.leave_brokerage(if self.competing { Brokerage::Taken } else { Brokerage::Closed });
    }

    /// Web login over, by logout or by expiry.
    pub(crate) fn logout(&mut self) {
        self.sso = false;
        self.leave_brokerage(Brokerage::Closed);
    }

    /// The brokerage session breaks off; the web login stays.
    pub(crate) fn lose(&mut self) {
        self.leave_brokerage(Brokerage::Lost);
    }

    /// The user logs in on another platform, which takes the brokerage session.
    pub(crate) fn take_over(&mut self) {
        self.competing = true;
        self.leave_brokerage(Brokerage::Taken);
    }

    /// The other platform logs out; the brokerage session is free but not ours.
    pub(crate) fn give_back(&mut self) {
        self.competing = false;
        if self.brokerage == Brokerage::Taken {
            self.brokerage = Brokerage::Lost;
        }
    }

    /// Opens the brokerage session, or opens it anew.
    pub(crate) fn open(&mut self, compete: bool, now: i64, takes: i64) -> Opened {
        if self.competing && !compete {
            return Opened::Refused;
        }
        self.competing = false;
        self.generation += 1;
        self.leave_brokerage(Brokerage::OpenAt(now + takes));
        Opened::Yes
    }

    /// Whatever the next state is, the broker forgets the old session.
    fn leave_brokerage(&mut self, next: Brokerage) {
        self.brokerage = next;
        self.primed = Primed::default();
        (self.selected, self.group) = (0, None);
    }

    /// The brokerage login is accepted.
    pub(crate) fn is_authenticated(&self) -> bool {
        self.sso && matches!(self.brokerage, Brokerage::OpenAt(_))
    }

    /// The brokerage session is ready for use.
    pub(crate) fn is_established(&self, now: i64) -> bool {
        self.sso && matches!(self.brokerage, Brokerage::OpenAt(at) if now >= at)
    }

    /// Ends a login that idled (real milliseconds) or lived (simulated ones) too long.
    pub(crate) fn expire(&mut self, rules: &Scenario, real: i64, now: i64) {
        let idle =
            rules.idle_seconds > 0 && real - self.heard_at > i64::from(rules.idle_seconds) * 1000;
        let old = now - self.login_at > i64::from(rules.login_seconds) * 1000;
        if self.sso && (idle || old) {
            self.logout();
        }
        self.heard_at = real;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn opening_takes_its_time_and_forgets_what_was_primed() {
        let mut session = Session::new(&Scenario::default());
        session.primed.accounts = true;
        assert!(session.is_established(0));
        assert_eq!(session.open(false, 1000, 300), Opened::Yes);
        assert!(
            session.is_authenticated()
                && !session.is_established(1299)
                && session.is_established(1300)
        );
        assert!(!session.primed.accounts);
    }

    #[test]
    fn a_session_taken_elsewhere_comes_back_only_by_competing() {
        let mut session = Session::new(&Scenario::default());
        session.take_over();
        assert!(!session.is_authenticated());
        assert_eq!(session.open(false, 0, 0), Opened::Refused);
        assert_eq!(session.open(true, 0, 0), Opened::Yes);
        assert!(!session.competing && session.is_established(0));
    }

    #[test]
    fn silence_and_age_end_the_login() {
        let rules = Scenario::default();
        let mut idle = Session::new(&rules);
        idle.expire(&rules, 361_000, 361_000);
        assert!(!idle.sso);
        let mut old = Session::new(&rules);
        old.expire(&rules, 1000, 86_401_000);
        assert!(!old.sso);
    }
}
