//! What wants a login without having asked for one: clients that wait, a session that ended; and when a login is done.

use std::time::Duration;

use ibd_protocol::GatewayMode;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ractor::ActorRef;
use tokio::time::Instant;

use crate::gateway::GatewayState;
use crate::session::guard::Asker;
use crate::session::life::{Compete, Phase};
use crate::session::login::{self, Ask, Stage, Way};
use crate::session::{Msg, State, calendar};

/// No client waits longer for a session.
const PATIENCE: Duration = Duration::from_secs(45);
/// Whoever is about to ask has asked within this time.
const COMING: Duration = Duration::from_secs(10);

/// Who waits for a login, and what became of those that were begun for them.
#[derive(Debug, Default)]
pub(in crate::session) struct Demand {
    /// Until when a client waits for a session.
    wanted: Option<Instant>,
    /// When somebody was last about to ask for one.
    coming: Option<Instant>,
    /// When one was last begun by itself, or failed.
    last: Option<Timestamp>,
    /// How many have failed since the last success.
    failures: u32,
}

impl Demand {
    /// A client waits for a session.
    pub(in crate::session) fn somebody_waits(&mut self) {
        self.wanted = Some(Instant::now() + PATIENCE);
    }

    /// Somebody is about to ask: what they ask for shall be theirs, and not nobody's.
    pub(in crate::session) fn somebody_comes(&mut self) {
        self.coming = Some(Instant::now());
    }

    fn is_wanted(&self) -> bool {
        self.wanted.is_some_and(|until| until > Instant::now())
    }

    /// Whether somebody is about to ask.
    fn is_coming(&self) -> bool {
        self.coming.is_some_and(|at| at.elapsed() < COMING)
    }

    /// One has failed. Whoever had asked for it: what has just failed is not tried again at once by itself.
    pub(super) fn failed(&mut self) {
        self.failures += 1;
        self.last = Some(Timestamp::now());
    }

    /// One was called off. Nor does that begin anew by itself.
    pub(super) fn called_off(&mut self) {
        self.last = Some(Timestamp::now());
    }

    /// One begins by itself.
    fn begins(&mut self, now: Timestamp) {
        self.last = Some(now);
        self.wanted = None;
    }
}

impl State {
    /// After everything that happens: is a login done, or wanted?
    pub(in crate::session) fn consider_login(&mut self, me: &ActorRef<Msg>) {
        let now = Timestamp::now();
        self.login_is_done(me, now);
        // What is being looked at is decided on when it has been seen.
        if self.logins.is_running() || self.errands.is_looking() {
            return;
        }
        if self.life.phase == Phase::Ready {
            self.logins.demand.wanted = None;
        }
        if self.logins.demand.is_coming() {
            return;
        }
        let gateway = self.board.gateway().borrow().state.clone();
        let is_absent = matches!(gateway, GatewayState::NotInstalled(_) | GatewayState::Stopped);
        let memory = self.logins.memory.get().clone();
        let is_taken = memory.taken.is_some() && self.logins.compete != Compete::Take;
        let is_wanted = self.logins.demand.is_wanted();
        // Where requests are signed each look logs in by itself.
        let is_page = self.gateway.mode() != GatewayMode::Direct;
        let unasked = login::unasked(&login::Unasked {
            now,
            zone: TimeZone::system(),
            phase: &self.life.phase,
            headless: is_page && self.logins.wish.headless && self.logins.wish.username.is_some(),
            is_alone: self.logins.wish.is_alone(),
            login_time: self.logins.wish.login_time(),
            login_at: self.known.facts.login_at,
            is_wanted: is_wanted && (self.life.phase != Phase::Stopped || is_absent),
            last: self.logins.demand.last,
            failures: self.logins.demand.failures,
            window: calendar::window(self.logins.region(), now),
            is_unwanted: memory.logged_out || is_taken,
        });
        if let Some(renew) = unasked {
            self.logins.demand.begins(now);
            let ask = Ask {
                asker: if is_wanted { Asker::Client } else { Asker::Nobody },
                forced: false,
                // What comes back by itself comes back as what was asked for last.
                paper: memory.paper,
                headless: true,
                renew,
                join_only: false,
            };
            self.login(me, ask, None);
        }
    }

    /// A login is over when the session is ready, in the mode that was asked for.
    fn login_is_done(&mut self, me: &ActorRef<Msg>, now: Timestamp) {
        if self.life.phase != Phase::Ready {
            return;
        }
        if let Some(username) = self.known.facts.username.clone() {
            let guard = self.logins.guard.clone();
            // Writes only where there is news; the disk is not waited for here.
            tokio::task::spawn_blocking(move || guard.logged_in_otherwise(&username, now));
        }
        let Some(current) = &self.logins.current else { return };
        let is_renewed = current.replaces.is_none_or(|before| self.known.identity != Some(before));
        // A headless login has settled its account with the guard before it is called done.
        let is_settled = current.view.way == Way::Browser
            || matches!(current.view.stage, Stage::Checking | Stage::Failed(_));
        if !is_settled || (!is_renewed && current.view.is_running()) {
            return;
        }
        let is_other_mode = current.paper && self.known.facts.paper == Some(false);
        // IBKR tells who is logged in once a minute; this one was just typed and accepted.
        if current.view.way == Way::Headless && self.known.facts.username.is_none() {
            self.known.facts.username.clone_from(&self.logins.wish.username);
            self.known.remember(&mut self.logins.memory);
        }
        self.logins.end();
        self.logins.demand.failures = 0;
        if is_other_mode {
            self.board.note(
                "live_session",
                "Paper was asked for and a live session came; it was logged out.",
                "Log in with the username of the paper account, or without IB_PAPER_TRADING.",
            );
            let (reply, _) = tokio::sync::oneshot::channel();
            let _ = me.cast(Msg::Logout(reply.into()));
        } else {
            self.board.clear("live_session");
        }
    }
}
