//! The handle to ask the session with: a lease, a look, a login, a logout.

use std::sync::{Arc, Mutex, PoisonError};

use ibd_cpapi::Failure;
use ibd_protocol::{ErrorCode, GatewayMode, LoginReport, LogoutReport, Report, Secret, Wishes};
use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::login::{Ask, Failure as LoginFailure, Page, Stage, Wish};
use super::{Begun, Doubt, Lease, Msg, OpenPage, SessionState, SessionView};
use crate::board::Board;
use crate::post::Post;
use crate::refusal::Refusal;

/// Tells whenever a session becomes ready, or ceases to be, until `tell` says that nobody listens.
pub async fn each_lease(board: Board, tell: impl Fn(Option<Lease>) -> bool + Send) {
    let mut views = board.session().subscribe();
    views.mark_changed();
    let mut last: Option<u64> = None;
    while views.changed().await.is_ok() {
        let lease = views.borrow_and_update().lease.clone();
        let epoch = lease.as_ref().map(Lease::epoch);
        if epoch == last && last.is_some() {
            continue;
        }
        last = epoch;
        if !tell(lease) {
            return;
        }
    }
}

/// A handle; survives restarts of the actor.
#[derive(Debug, Clone)]
pub struct SessionHandle {
    board: Board,
    post: Post<Msg>,
    /// Outlives the actor: clients say it once.
    wish: Arc<Mutex<Wish>>,
}

impl SessionHandle {
    /// Reaches the actor through `post` and reads its view from `board`; `wish` is what the daemon's own
    /// configuration says about logins.
    pub fn new(board: Board, post: Post<Msg>, wish: Wish) -> Self {
        Self { board, post, wish: Arc::new(Mutex::new(wish)) }
    }

    /// What is known about how to log in.
    pub fn wish(&self) -> Wish {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A lease, waiting for one where that is likely to help.
    pub async fn lease(&self, deadline: Instant) -> Result<Lease, Refusal> {
        self.lease_after(Msg::Wanted, deadline).await
    }

    /// The same for somebody who only wants to know: no login is begun for that.
    pub async fn look(&self, deadline: Instant) -> Result<Lease, Refusal> {
        self.lease_after(Msg::LookAgain, deadline).await
    }

    async fn lease_after(&self, wish: Msg, deadline: Instant) -> Result<Lease, Refusal> {
        let mut wish = Some(wish);
        let mut views = self.board.session().subscribe();
        let mut asked_at = None;
        loop {
            let view = views.borrow_and_update().clone();
            if let Some(lease) = view.lease {
                return Ok(lease);
            }
            let refusal = view.refusal.clone().unwrap_or_else(unknown_yet);
            match asked_at {
                Some(asked) if view.seen > asked && self.is_settled(&view) => {
                    return Err(refusal);
                }
                Some(_) => {}
                None => {
                    asked_at = Some(view.seen);
                    if let Some(wish) = wish.take() {
                        self.post.send(wish);
                    }
                }
            }
            if timeout_at(deadline, views.changed()).await.is_err() {
                return Err(refusal);
            }
        }
    }

    /// Whether waiting is not likely to help: the state is none that passes, and it is that of the
    /// gateway as it is now.
    fn is_settled(&self, view: &SessionView) -> bool {
        let gateway = self.board.gateway().borrow().generation;
        view.generation == gateway && !view.is_passing
    }

    /// A call under `lease` failed in a way that casts doubt on the session. Returns when the lease
    /// is no longer what others would get.
    pub async fn doubt(&self, lease: &Lease, failure: &Failure, deadline: Instant) {
        let mut views = self.board.session().subscribe();
        self.post.send(Msg::Doubted(lease.grant, Doubt::of(failure)));
        let is_other =
            |view: &SessionView| view.lease.as_ref().is_none_or(|l| l.grant != lease.grant);
        let _ = timeout_at(deadline, views.wait_for(is_other)).await;
    }

    /// A call under `lease` was not answered: look, but nobody waits for it.
    pub fn suspect(&self, lease: &Lease) {
        self.post.send(Msg::Doubted(lease.grant, Doubt::Session));
    }

    /// The view now.
    pub fn view(&self) -> SessionView {
        self.board.session().borrow().clone()
    }

    /// Ends the login at the broker, and verifies it.
    pub async fn logout(&self) -> LogoutReport {
        let (reply, answer) = oneshot::channel();
        self.post.send(Msg::Logout(reply.into()));
        answer
            .await
            .unwrap_or_else(|_| LogoutReport { logged_out: false, text: RESTARTING.to_owned() })
    }

    /// What a client says about logins.
    pub fn wishes(&self, wishes: &Wishes) {
        self.change_wish(|wish| wish.add(wishes));
    }

    /// The same of what a person's own shell says, brought along by `ibctl`.
    pub fn wishes_of_person(&self, wishes: &Wishes) {
        self.change_wish(|wish| wish.add_of_person(wishes));
    }

    fn change_wish(&self, add: impl FnOnce(&mut Wish)) {
        let wish = {
            let mut wish = self.wish.lock().unwrap_or_else(PoisonError::into_inner);
            add(&mut wish);
            wish.clone()
        };
        self.post.send(Msg::Wish(Box::new(wish)));
    }

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
        views: &mut tokio::sync::watch::Receiver<SessionView>,
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
        views: &mut tokio::sync::watch::Receiver<SessionView>,
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

/// Asks until one is answered otherwise than by "wait".
const ASKS: u32 = 5;
/// A login is known to be needed, or not, within this time.
const SETTLE: std::time::Duration = std::time::Duration::from_secs(8);
/// A client says within this time whether it could open the page.
const SHOW: std::time::Duration = std::time::Duration::from_secs(2);

const RESTARTING: &str = "The session is being restarted; try again in a moment.";

fn live_came() -> LoginFailure {
    LoginFailure::new(
        ErrorCode::LiveSession,
        "A live session is logged in, and paper was asked for.",
        "Run `ibctl logout` first, or use another IB_PROFILE for the paper account.",
    )
}

fn restarting() -> LoginFailure {
    LoginFailure::new(ErrorCode::SessionOpening, RESTARTING, "Try again in a few seconds.")
}

/// How far a login was followed.
#[derive(Debug, Clone)]
pub struct Followed {
    /// How everything stands now.
    pub view: SessionView,
    /// The login page.
    pub address: Option<String>,
    /// Whose gateway it is.
    pub gateway: GatewayMode,
    /// The caller's time was up.
    pub is_pending: bool,
    /// It is over without a login.
    pub failed: Option<LoginFailure>,
}

impl Followed {
    fn of(view: &SessionView, board: &Board) -> Self {
        let gateway = board.gateway().borrow();
        let address = gateway.address.as_ref().map(|address| format!("{address}/"));
        let gateway = gateway.mode();
        Self { view: view.clone(), address, gateway, is_pending: false, failed: None }
    }

    /// The name and the words of the question that a person must answer.
    pub fn question(&self) -> Option<(&str, &str)> {
        match &self.view.login.as_ref()?.stage {
            Stage::Code(what, token) => Some((token, what)),
            _ => None,
        }
    }

    /// For a person.
    pub fn report(&self) -> LoginReport {
        let view = &self.view;
        let login = view.login.as_deref();
        // A page or a phone helps only where the state says so too: the gateway may be gone meanwhile.
        let waiting_for = login.filter(|_| self.failed.is_none()).and_then(|login| {
            match (&login.stage, view.state) {
                (Stage::Approval(_), SessionState::Wait2fa) => Some("approval"),
                (Stage::Code(..), SessionState::Wait2fa) => Some("code"),
                (Stage::Person, SessionState::NeedLogin) => Some("login"),
                _ => None,
            }
        });
        let (text, next) = match &self.failed {
            Some(failure) => (failure.text.clone(), failure.next.clone()),
            None => (view.text_at(Timestamp::now()), view.hint.clone()),
        };
        LoginReport {
            state: view.state.into(),
            ready: view.lease.is_some() && self.failed.is_none(),
            text,
            next,
            mode: login.map(|login| login.way.as_str().to_owned()).unwrap_or_default(),
            auth_url: self.address.clone().filter(|_| waiting_for == Some("login")),
            browser_opened: login.is_some_and(|login| login.page == Page::Open),
            waiting_for: waiting_for.map(str::to_owned),
            failed: self.failed.as_ref().map(|failure| failure.code.as_str().to_owned()),
        }
    }
}

fn unknown_yet() -> Refusal {
    Refusal::new(
        ErrorCode::SessionOpening,
        "The session has not been looked at yet.",
        "Try again in a few seconds.",
    )
}
