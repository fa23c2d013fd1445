//! The session's part in logins: starts them, one at a time, listens to them, and decides when one is
//! wanted that nobody asked for. The decisions themselves are in [`super::login`].

mod asked;
mod current;
mod demand;
mod denied;

use std::sync::Arc;
use std::time::Duration;

use ibd_headless::Answer;
use ibd_protocol::Places;
use jiff::Timestamp;
use tokio::time::Instant;

use super::calendar::Region;
use super::guard::{Asker, Guard, Held, Will};
use super::life::{Compete, Phase};
use super::login::{LoginView, Stage, Wish};
use super::memory::Kept;
use crate::refusal::Refusal;
use current::Current;
use demand::Demand;

/// A client whose person has just answered asks again within this time; what it asks for is the login
/// that got the answer, and no other.
const ANSWERED: Duration = Duration::from_secs(30);

/// Asks a client to open a page in its person's browser.
#[derive(Clone)]
pub struct OpenPage(pub Arc<dyn Fn(String) + Send + Sync>);

impl std::fmt::Debug for OpenPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OpenPage")
    }
}

/// What became of an ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// There is nothing to do but to wait for the session.
    Wait,
    /// The login with this number is under way; whether this ask began it.
    Run(u64, bool),
    /// None may begin.
    Refused(Refusal),
}

/// What the session knows of logins.
#[derive(Debug)]
pub(super) struct Logins {
    pub(super) wish: Wish,
    guard: Guard,
    places: Places,
    pub(super) compete: Compete,
    pub(super) memory: Kept,
    current: Option<Current>,
    number: u64,
    /// When a person last answered what was asked.
    answered: Option<Instant>,
    pub(super) demand: Demand,
}

impl Logins {
    pub(super) fn new(wish: Wish, guard: Guard, places: Places, compete: Compete) -> Self {
        let memory = Kept::open(&places.state);
        Self {
            wish,
            guard,
            places,
            compete,
            memory,
            current: None,
            number: 0,
            answered: None,
            demand: Demand::default(),
        }
    }

    /// The login under way, or the last one if it failed.
    pub(super) fn view(&self) -> Option<&LoginView> {
        self.current.as_ref().map(|current| &current.view)
    }

    fn is_running(&self) -> bool {
        self.view().is_some_and(LoginView::is_running)
    }

    /// While a login is under way it is looked more often whether it is done.
    pub(super) fn between_looks(&self) -> Option<Duration> {
        self.is_running().then(|| self.wish.between_looks())
    }

    /// Where IBKR keeps the login.
    pub(super) fn region(&self) -> Region {
        self.wish.region()
    }

    fn user(&self) -> &str {
        self.wish.username.as_deref().unwrap_or_default()
    }

    /// Why no headless login may be made, where one would be needed.
    pub(super) fn held(&self, phase: &Phase, now: Timestamp) -> Option<Held> {
        let is_running = self.is_running();
        let is_needed = *phase == Phase::NeedLogin && self.wish.headless && !is_running;
        let held = || self.guard.may(self.user(), now, Asker::Client, Will::Asks).err();
        is_needed.then(held).flatten().filter(Held::needs_person)
    }

    /// Whether a person has just answered: what their client asks for now is the login that got the answer.
    fn has_answered(&self) -> bool {
        self.answered.is_some_and(|at| at.elapsed() < ANSWERED)
    }

    /// Somebody was told that this login has failed.
    pub(super) fn told(&mut self, number: u64) {
        if let Some(current) = self.current.as_mut().filter(|one| one.view.number == number) {
            current.is_told = true;
        }
    }

    /// What a login goes by from now on. What failed with other settings says nothing of these.
    pub(super) fn wish(&mut self, wish: Wish) {
        if let Some(current) = self.current.as_mut().filter(|_| wish != self.wish) {
            current.is_told = true;
        }
        self.wish = wish;
    }

    /// Another approval goes to the phone, if one is awaited and the guard allows it.
    pub(super) fn resend(&self) -> bool {
        let Some(current) = &self.current else { return false };
        let is_awaited = matches!(current.view.stage, Stage::Approval(_));
        is_awaited && current.answers.send(Answer::Resend).is_ok()
    }

    /// Ends a login under way.
    pub(super) fn end(&mut self) {
        // Dropping it ends its browser; what was sent stays written down as failed.
        self.current = None;
    }
}
