//! What is asked of the session about logins: one is begun or joined, followed, answered, called off.

use std::time::Duration;

use ibd_protocol::{ErrorCode, Report, Secret};
use jiff::Timestamp;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout_at};

use super::followed::Followed;
use super::{RESTARTING, SessionHandle};
use crate::refusal::Refusal;
use crate::session::login::{Ask, Page, Stage};
use crate::session::{Begun, Msg, OpenPage, SessionState, SessionView};

/// Asks until one is answered otherwise than by "wait".
const ASKS: u32 = 5;
/// A login is known to be needed, or not, within this time.
const SETTLE: Duration = Duration::from_secs(8);
/// A client says within this time whether it could open the page.
const SHOW: Duration = Duration::from_secs(2);

impl SessionHandle {
    /// Starts or joins a login and follows it until it is over, or somebody must do something, or the
    /// caller's time is up. `tell` hears each step.
    pub async fn login(
        &self,
        ask: Ask,
        page: Option<OpenPage>,
        deadline: Instant,
        tell: impl Fn(&str),
    ) -> Followed {
        let followed = self.login_once(ask, page, deadline, tell).await;
        if let (Some(login), Some(failure)) = (followed.view.login.as_deref(), &followed.failed)
            && login.failure() == Some(failure)
        {
            self.post.send(Msg::Told(login.number));
        }
        followed
    }

    async fn login_once(
        &self,
        ask: Ask,
        page: Option<OpenPage>,
        deadline: Instant,
        tell: impl Fn(&str),
    ) -> Followed {
        let mut views = self.board.session().subscribe();
        let before = views.borrow_and_update().clone();
        let running = |view: &SessionView| {
            view.login.as_ref().filter(|login| login.is_running()).map(|login| login.number)
        };
        let was_running = running(&before);
        if before.lease.is_none() {
            // What is known may be old: a login may be there already.
            self.settle(&mut views, before.seen, deadline).await;
        }
        // What was under way and has failed meanwhile is the answer: nobody asked for another one.
        let settled = self.now();
        if let Some(login) = settled.view.login.as_deref()
            && let Some(failure) = login.failure()
            && was_running == Some(login.number)
        {
            return Followed { failed: Some(failure.clone()), ..settled };
        }
        let (mut number, mut is_new) = (None, false);
        for _ in 0..ASKS {
            let (reply, begun) = oneshot::channel();
            self.post.send(Msg::Login(ask, page.clone(), reply.into()));
            match begun.await {
                Err(_) => return Followed { failed: Some(restarting()), ..self.now() },
                Ok(Begun::Refused(failure)) => {
                    return Followed { failed: Some(failure), ..self.now() };
                }
                Ok(Begun::Run(of, is_mine)) => {
                    (number, is_new) = (Some(of), is_mine);
                    break;
                }
                // It was not known yet whether one is needed; when it is, it is asked for again.
                Ok(Begun::Wait) => {
                    let is_known = |view: &SessionView| !view.is_passing || view.lease.is_some();
                    let waited = timeout_at(deadline, views.wait_for(is_known)).await;
                    let may_be_needed = matches!(
                        self.view().state,
                        SessionState::NeedLogin | SessionState::Stopped
                    );
                    if waited.is_err() || !may_be_needed {
                        break;
                    }
                }
            }
        }
        let followed = self.follow(&mut views, number, is_new, deadline, tell).await;
        // What came may be another one's login.
        let is_live = followed.view.facts.paper == Some(false);
        if ask.paper && is_live && followed.failed.is_none() {
            Followed { failed: Some(live_came()), ..followed }
        } else {
            followed
        }
    }

    /// Lets the session look, so that a decision is made on what is, and not on what was.
    async fn settle(
        &self,
        views: &mut watch::Receiver<SessionView>,
        before: u64,
        deadline: Instant,
    ) {
        self.post.send(Msg::LookAhead);
        let soon = deadline.min(Instant::now() + SETTLE);
        // What a session says of an earlier gateway says nothing of this one.
        let is_of_now =
            |view: &SessionView| view.generation == self.board.gateway().borrow().generation;
        // Whatever is under way already is joined at once.
        let is_settled = |view: &SessionView| {
            let is_joined = view.login.as_ref().is_some_and(|login| login.is_running());
            view.seen > before && (!view.is_passing || is_joined) && is_of_now(view)
        };
        let _ = timeout_at(soon, views.wait_for(is_settled)).await;
    }

    async fn follow(
        &self,
        views: &mut watch::Receiver<SessionView>,
        number: Option<u64>,
        is_new: bool,
        deadline: Instant,
        tell: impl Fn(&str),
    ) -> Followed {
        let mut told = String::new();
        let mut shown_at = None;
        loop {
            let view = views.borrow_and_update().clone();
            let text = view.text_at(Timestamp::now());
            // That it is done is the result itself.
            if text != told && view.lease.is_none() {
                tell(&text);
                told = text;
            }
            let now = Followed::of(&view, &self.board);
            let login = view.login.as_deref();
            let is_mine = login.is_some_and(|login| Some(login.number) == number);
            if number.is_some() && !is_mine && view.lease.is_none() && !view.is_passing {
                // It was ended, and nothing took its place.
                return now;
            }
            let is_over = match login.filter(|_| is_mine).map(|login| &login.stage) {
                Some(Stage::Failed(failure)) => {
                    return Followed { failed: Some(failure.clone()), ..now };
                }
                // A model cannot give it; a person is asked by whoever called.
                Some(Stage::Code(..)) => return now,
                // The page is shown at once; called again, the login is waited for.
                Some(Stage::Person) if is_new => {
                    let shown = *shown_at.get_or_insert_with(|| Instant::now() + SHOW);
                    if login.is_some_and(|login| login.page != Page::Asked)
                        || shown <= Instant::now()
                    {
                        return now;
                    }
                    false
                }
                Some(_) => false,
                None => view.lease.is_some() || (number.is_none() && !view.is_passing),
            };
            if is_over {
                return now;
            }
            let until =
                shown_at.filter(|at| *at > Instant::now()).unwrap_or(deadline).min(deadline);
            let is_late = timeout_at(until, views.changed()).await.is_err();
            if is_late && deadline <= Instant::now() {
                return Followed { is_pending: true, ..self.now() };
            }
        }
    }

    /// How a login stands now.
    pub fn now(&self) -> Followed {
        Followed::of(&self.view(), &self.board)
    }

    /// Whether the page could be opened.
    pub fn page_opened(&self, is_open: bool) {
        self.post.send(Msg::PageOpened(is_open));
    }

    /// What a person answers to the question of this name, or to whatever is asked; whether anybody had.
    pub async fn answer(&self, token: Option<String>, value: Option<Secret>) -> bool {
        let (reply, answer) = oneshot::channel();
        self.post.send(Msg::Answer(token, value, reply.into()));
        answer.await.unwrap_or(false)
    }

    /// Another approval goes to the phone; whether one was awaited.
    pub async fn resend(&self) -> bool {
        let (reply, answer) = oneshot::channel();
        self.post.send(Msg::Resend(reply.into()));
        answer.await.unwrap_or(false)
    }

    /// Calls the login off; whether there was one.
    pub async fn cancel_login(&self) -> bool {
        let (reply, answer) = oneshot::channel();
        self.post.send(Msg::CancelLogin(reply.into()));
        answer.await.unwrap_or(false)
    }

    /// A person says to go on, whoever has the session. Waits until that has an outcome.
    pub async fn resume(&self, deadline: Instant) -> Report {
        let mut views = self.board.session().subscribe();
        let before = views.borrow_and_update().clone();
        if before.lease.is_none() {
            self.settle(&mut views, before.seen, deadline).await;
        }
        let (reply, answer) = oneshot::channel();
        self.post.send(Msg::Resume(reply.into()));
        let said = answer.await.unwrap_or_else(|_| Report {
            ok: false,
            text: RESTARTING.to_owned(),
            hint: String::new(),
        });
        if !said.ok || !said.hint.is_empty() {
            return said;
        }
        let is_over = |view: &SessionView| !view.is_passing;
        let _ = timeout_at(deadline, views.wait_for(is_over)).await;
        let view = self.view();
        let ok = view.state == SessionState::Ready;
        Report { ok, text: view.text_at(Timestamp::now()), hint: view.hint }
    }
}

fn live_came() -> Refusal {
    Refusal::new(
        ErrorCode::LiveSession,
        "A live session is logged in, and paper was asked for.",
        "Run `ibctl logout` first, or use another IB_PROFILE for the paper account.",
    )
}

fn restarting() -> Refusal {
    Refusal::new(ErrorCode::SessionOpening, RESTARTING, "Try again in a few seconds.")
}
