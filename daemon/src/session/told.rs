//! What is told of the session: its view with the lease, and what somebody should hear of.

use std::sync::Arc;

use jiff::Timestamp;

use super::guard::Held;
use super::life::Phase;
use super::login::{self, LoginView};
use super::words::{self, Situation, Words};
use super::{Facts, Lease, SessionState, SessionView, State, calendar};
use crate::board::now_text;

/// What was told, so that it is told once.
#[derive(Debug)]
pub(super) struct Told {
    /// Since when the session stands where it stands.
    since: String,
    /// Grows whenever the session becomes ready, so that each lease can be told from the next.
    grant: u64,
    /// The last event: its code and its text.
    said: Option<(String, String)>,
    /// Of which login it was said that it ends soon.
    said_ahead: Option<Timestamp>,
}

impl Told {
    pub(super) fn new() -> Self {
        Self { since: now_text(), grant: 0, said: None, said_ahead: None }
    }

    /// The session has come to stand somewhere else.
    pub(super) fn turned(&mut self, phase: &Phase) {
        self.since = now_text();
        self.grant += u64::from(*phase == Phase::Ready);
    }

    /// Whether that is the grant of the lease that counts.
    pub(super) fn is_current(&self, grant: u64) -> bool {
        grant == self.grant
    }
}

impl State {
    fn scene<'a>(
        &'a self,
        login: Option<&'a LoginView>,
        held: Option<&'a Held>,
        now: Timestamp,
    ) -> Situation<'a> {
        Situation {
            phase: &self.life.phase,
            gateway: &self.gateway,
            facts: &self.known.facts,
            login,
            held,
            taken: self.logins.memory.get().taken,
            compete: self.logins.compete,
            window: calendar::window(self.logins.region(), now),
        }
    }

    /// How it stands, whatever login was tried.
    pub(super) fn words_now(&self) -> Words {
        words::words(&self.scene(None, None, Timestamp::now()))
    }

    pub(super) fn publish(&mut self) {
        let now = Timestamp::now();
        let login = self.logins.view().cloned();
        let held = self.logins.held(&self.life.phase, now);
        let words = words::words(&self.scene(login.as_ref(), held.as_ref(), now));
        let is_ready = matches!(self.life.phase, Phase::Ready);
        let lease = self.gateway.client.clone().filter(|_| is_ready).map(|client| Lease {
            client,
            facts: Arc::new(self.known.facts.clone()),
            epoch: self.life.epoch,
            grant: self.told.grant,
        });
        // What is known of a login counts for as long as that login does.
        let is_known = matches!(self.life.phase, Phase::Ready | Phase::Doubtful);
        let facts = if is_known { self.known.facts.clone() } else { Facts::default() };
        let is_busy = login.as_ref().is_some_and(|l| l.is_running() && !l.needs_person());
        // While a look is under way, what it will show is worth waiting for.
        let is_passing = self.life.phase.is_passing()
            || words.state == SessionState::Starting
            || is_busy
            || self.errands.is_looking();
        let before = self.board.session().borrow().clone();
        let view = SessionView {
            state: words.state,
            refusal: Some(words.refusal(&self.life.phase, login.as_ref())),
            until: words.until,
            text: words.text,
            hint: words.hint,
            since: self.told.since.clone(),
            facts,
            login: login.map(Box::new),
            is_passing,
            opened: self.known.opened.filter(|_| is_ready),
            lease,
            seen: before.seen + 1,
            generation: self.gateway.generation,
        };
        let news = words::news(&before, &view);
        self.board.session().send_replace(view);
        for event in news {
            // The same again, with nothing better in between, is no news.
            let saying = Some((event.code.clone(), event.text.clone()));
            if self.told.said != saying {
                self.told.said = saying;
                self.board.say(event);
            }
        }
        self.say_ahead(now);
    }

    /// An hour before a login ends it is said, once.
    fn say_ahead(&mut self, now: Timestamp) {
        let login_at = self.known.facts.login_at.filter(|_| self.life.phase == Phase::Ready);
        let is_due = login::is_due_soon(login_at, now);
        if is_due && self.told.said_ahead != login_at {
            self.told.said_ahead = login_at;
            let ends = login_at.map(calendar::login_ends).map(login::clock).unwrap_or_default();
            self.board.note("login_due", words::due(&ends).0, words::due(&ends).1);
            self.board.say(words::due_event(&ends));
        } else if !is_due {
            self.board.clear("login_due");
        }
    }
}
