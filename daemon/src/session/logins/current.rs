//! The login in progress: how far it is, its page, and what a person answers.

use std::time::Duration;

use ibd_headless::Answer;
use ibd_protocol::{ErrorCode, Secret};
use ractor::ActorRef;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::OpenPage;
use crate::refusal::Refusal;
use crate::session::known::Identity;
use crate::session::life::Event;
use crate::session::login::{LoginView, Page, Stage, Way};
use crate::session::{Msg, State};

/// For so long a failure of a headless login that nobody has been told of is news to whoever asks then.
const NEWS: Duration = Duration::from_secs(60);

/// The login under way, or the last one if it failed.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) view: LoginView,
    pub(super) paper: bool,
    /// When it failed.
    pub(super) failed: Option<Instant>,
    /// Whether somebody was told of that.
    pub(super) is_told: bool,
    /// Who was logged in when it began, if it is to replace that login.
    pub(super) replaces: Option<Identity>,
    pub(super) answers: mpsc::UnboundedSender<Answer>,
    pub(super) opener: Option<OpenPage>,
    pub(super) task: JoinHandle<()>,
}

impl Current {
    pub(super) fn is_news(&self) -> bool {
        let is_recent = self.failed.is_some_and(|at| at.elapsed() < NEWS);
        self.view.way == Way::Headless && !self.is_told && is_recent
    }
}

/// However this actor ends: a login that nobody follows must not go on beside the next one.
impl Drop for Current {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    /// A run tells how far it is.
    pub(in crate::session) fn stage(&mut self, me: &ActorRef<Msg>, number: u64, stage: Stage) {
        if self.logins.view().is_none_or(|view| view.number != number) {
            return;
        }
        tracing::info!(number, ?stage, "login");
        self.catch_up(me);
        if stage == Stage::Found {
            // Whose it is, and what it is good for, is seen by a look.
            self.logins.end();
            return self.event(me, &Event::Wanted);
        }
        let Some(current) = self.logins.current.as_mut() else { return };
        let is_failed = matches!(stage, Stage::Failed(_));
        // From here on looks tell how it goes on, and they begin at once.
        let is_looked_at = is_failed || matches!(stage, Stage::Checking | Stage::Person);
        // A look that asks for a session token is not begun twice.
        let is_seen = current.view.way == Way::Direct && self.errands.is_looking();
        current.view.stage = stage;
        if is_failed {
            current.failed = Some(Instant::now());
            self.logins.demand.failed();
        }
        self.open_page();
        if is_looked_at && !is_seen {
            // Seen at once, and not at the next look.
            self.event(me, &Event::Wanted)
        } else {
            self.publish()
        }
    }

    /// Somebody who can open a page has joined.
    pub(super) fn offer_page(&mut self, page: Option<OpenPage>) {
        if let Some(current) = &mut self.logins.current
            && current.view.page == Page::Closed
        {
            current.opener = page.or(current.opener.take());
        }
        self.open_page();
    }

    /// One browser, however many ask.
    fn open_page(&mut self) {
        let Some(current) = &mut self.logins.current else { return };
        let address = self.board.gateway().borrow().address.clone();
        if current.view.stage == Stage::Person
            && current.view.page == Page::Closed
            && let Some(opener) = current.opener.take()
            && let Some(address) = address
        {
            current.view.page = Page::Asked;
            (opener.0)(format!("{address}/"));
        }
        self.publish();
    }

    pub(in crate::session) fn page_opened(&mut self, is_open: bool) {
        if let Some(current) = &mut self.logins.current
            && current.view.page == Page::Asked
        {
            current.view.page = if is_open { Page::Open } else { Page::Failed };
            self.publish();
        }
    }

    /// Hands on what a person says; whether anybody had asked.
    pub(in crate::session) fn answer(
        &mut self,
        token: Option<&str>,
        value: Option<Secret>,
    ) -> bool {
        let Some(current) = &mut self.logins.current else { return false };
        let is_asked = match (&current.view.stage, token) {
            (Stage::Code(_, name), Some(token)) => name == token,
            // One given before it is asked for is kept until it is.
            (Stage::Failed(_) | Stage::Person, _) => false,
            (_, None) => true,
            _ => false,
        };
        if let (true, Some(code)) = (is_asked, value) {
            let is_sent = current.answers.send(Answer::Code(code)).is_ok();
            self.logins.answered = Some(Instant::now());
            if matches!(current.view.stage, Stage::Code(..)) {
                // Good for one answer.
                current.view.stage = Stage::Typing("Giving the code.".to_owned());
                self.publish();
            }
            return is_sent;
        }
        is_asked
    }

    pub(in crate::session) fn cancel_login(&mut self, me: &ActorRef<Msg>) -> bool {
        let was_running = self.logins.is_running();
        if let Some(current) = &mut self.logins.current {
            current.task.abort();
            let failure = Refusal::new(
                ErrorCode::LoginCancelled,
                "The login was called off.",
                "Run `ibctl login`, or call authenticate, to try again.",
            );
            current.view.stage = Stage::Failed(failure);
            self.logins.demand.called_off();
        }
        self.event(me, &Event::Wanted);
        was_running
    }
}
