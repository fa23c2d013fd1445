//! The session's part in logins: starts them, one at a time, listens to them, and decides when one is
//! wanted that nobody asked for. The decisions themselves are in [`super::login`].

use std::sync::Arc;
use std::time::Duration;

use ibd_headless::Answer;
use ibd_protocol::{ErrorCode, GatewayMode, Places, Report, Secret};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ractor::{ActorRef, RpcReplyPort};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::calendar::Region;
use super::guard::{Asker, Guard, Held, Will};
use super::life::{Compete, Event, Phase};
use super::login::{
    self, Ask, Failure, LoginPage, LoginView, Page, Situation, Stage, Start, Way, Wish,
};
use super::login::{browser, headless};
use super::memory::Kept;
use super::{Msg, State, calendar};
use crate::gateway::GatewayState;
use crate::refusal::for_person;

/// No client waits longer for a session.
const PATIENCE: Duration = Duration::from_secs(45);
/// A client whose person has just answered asks again within this time; what it asks for is the login
/// that got the answer, and no other.
const ANSWERED: Duration = Duration::from_secs(30);
/// For so long a failure of a headless login that nobody has been told of is news to whoever asks then.
const NEWS: Duration = Duration::from_secs(60);
/// Whoever is about to ask has asked within this time.
const COMING: Duration = Duration::from_secs(10);

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
    Refused(Failure),
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
    /// Until when a client waits for a session.
    wanted: Option<Instant>,
    /// When one was last begun by itself, or failed.
    last_unasked: Option<Timestamp>,
    /// How many have failed since the last success.
    failures: u32,
    /// When somebody was last about to ask for one.
    coming: Option<Instant>,
    /// When a person last answered what was asked.
    answered: Option<Instant>,
    /// Of which login it was said that it ends soon.
    pub(super) said_ahead: Option<Timestamp>,
}

#[derive(Debug)]
struct Current {
    view: LoginView,
    paper: bool,
    /// When it failed.
    failed: Option<Instant>,
    /// Whether somebody was told of that.
    is_told: bool,
    /// Who was logged in when it began, if it is to replace that login.
    replaces: Option<Identity>,
    answers: mpsc::UnboundedSender<Answer>,
    opener: Option<OpenPage>,
    task: JoinHandle<()>,
}

/// Tells one login at the broker from the next; nothing can be read off it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Of the web session; a new login has another one, and perhaps a new brokerage session too.
    pub(super) session: u64,
    /// The user's number.
    pub(super) user: Option<u64>,
}

impl Current {
    fn is_news(&self) -> bool {
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
            wanted: None,
            last_unasked: None,
            failures: 0,
            coming: None,
            answered: None,
            said_ahead: None,
        }
    }

    /// A client waits for a session.
    pub(super) fn somebody_waits(&mut self) {
        self.wanted = Some(Instant::now() + PATIENCE);
    }

    fn is_wanted(&self) -> bool {
        self.wanted.is_some_and(|until| until > Instant::now())
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
        let is_needed = *phase == Phase::NeedLogin && self.wish.headless && !self.is_running();
        let held = || self.guard.may(self.user(), now, Asker::Client, Will::Asks).err();
        is_needed.then(held).flatten().filter(Held::needs_person)
    }

    /// Somebody is about to ask: what they ask for shall be theirs, and not nobody's.
    pub(super) fn somebody_comes(&mut self) {
        self.coming = Some(Instant::now());
    }

    /// Ends a login under way.
    pub(super) fn end(&mut self) {
        // Dropping it ends its browser; what was sent stays written down as failed.
        self.current = None;
    }
}

impl State {
    /// Somebody asks for a login.
    pub(super) fn login(&mut self, me: &ActorRef<Msg>, ask: Ask, page: Option<OpenPage>) -> Begun {
        self.catch_up(me);
        let is_unasked = ask.asker == Asker::Nobody;
        let has_answered = self.logins.answered.is_some_and(|at| at.elapsed() < ANSWERED);
        let join_only = ask.join_only || (ask.asker == Asker::Client && has_answered);
        let ask = Ask { join_only, ..ask };
        if !is_unasked && !join_only {
            self.logins.memory.change(|memory| memory.logged_out = false);
        }
        let user = self.logins.user().to_owned();
        let current = self.logins.current.as_ref();
        let situation = Situation {
            phase: &self.life.phase,
            login_page: self.login_page(),
            is_paper: self.facts.paper,
            running: current.filter(|current| current.view.is_running()).map(|c| c.paper),
            last: current.and_then(|current| current.view.failure()),
            is_news: current.is_some_and(Current::is_news),
            headless: self.logins.wish.headless,
            taken: self.logins.memory.get().taken,
            compete: self.logins.compete,
            guard: self.logins.guard.may(&user, Timestamp::now(), ask.asker, Will::of(ask.forced)),
        };
        let start = login::decide(&situation, ask);
        tracing::info!(?ask, ?start, "a login is asked for");
        match start {
            Start::Wait => {
                self.handle.want();
                Begun::Wait
            }
            Start::Refuse(failure) => Begun::Refused(failure),
            Start::Join => {
                self.offer_page(page);
                Begun::Run(self.logins.number, false)
            }
            Start::Begin(way) => {
                self.begin(me, way, ask, page);
                Begun::Run(self.logins.number, true)
            }
        }
    }

    /// Whether there is a page to log in at.
    fn login_page(&self) -> LoginPage {
        match (&self.life.phase, &self.gateway.state) {
            (_, GatewayState::Starting) | (Phase::Stopped, GatewayState::Up) => LoginPage::Unknown,
            (Phase::Gone { .. }, _) if self.gateway.mode() == GatewayMode::Attach => {
                let words = self.words_now();
                LoginPage::Gone(Failure::new(ErrorCode::GatewayDown, words.text, words.hint))
            }
            _ => LoginPage::Open,
        }
    }

    fn begin(&mut self, me: &ActorRef<Msg>, way: Way, ask: Ask, page: Option<OpenPage>) {
        self.logins.end();
        self.logins.number += 1;
        let number = self.logins.number;
        let (answers, from_persons) = mpsc::unbounded_channel();
        let paper = self.logins.wish.paper || ask.paper;
        self.logins.memory.change(|memory| memory.paper = paper);
        let tell: browser::Tell = {
            let me = me.clone();
            Arc::new(move |stage| {
                let _ = me.cast(Msg::Stage(number, stage));
            })
        };
        let task = match way {
            Way::Browser => {
                let limit = self.logins.wish.limit();
                tokio::spawn(browser::run(self.handle.clone(), limit, ask.renew, tell))
            }
            Way::Headless => tokio::spawn(headless::run(headless::Run {
                gateway: self.handle.clone(),
                wish: self.logins.wish.clone(),
                profile: self.logins.places.profile.clone(),
                paper,
                guard: self.logins.guard.clone(),
                asker: ask.asker,
                will: Will::of(ask.forced),
                renews: ask.renew,
                scratch: self.logins.places.state.join("browser"),
                answers: from_persons,
                tell,
            })),
        };
        let stage = Stage::Preparing("Looking for the gateway.".to_owned());
        let view = LoginView { number, way, stage, page: Page::Closed };
        let is_ready = matches!(self.life.phase, Phase::Ready | Phase::Doubtful);
        let replaces = self.identity.filter(|_| ask.renew && is_ready);
        self.logins.current = Some(Current {
            view,
            paper,
            failed: None,
            is_told: false,
            replaces,
            answers,
            opener: page,
            task,
        });
        self.publish();
    }

    /// A run tells how far it is.
    pub(super) fn stage(&mut self, me: &ActorRef<Msg>, number: u64, stage: Stage) {
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
        current.view.stage = stage;
        if is_failed {
            current.failed = Some(Instant::now());
            // Whoever had asked for it: what has just failed is not tried again at once by itself.
            self.logins.failures += 1;
            self.logins.last_unasked = Some(Timestamp::now());
        }
        self.open_page();
        if is_looked_at {
            // Seen at once, and not at the next look.
            self.event(me, &Event::Wanted)
        } else {
            self.publish()
        }
    }

    /// Somebody was told that this login has failed.
    pub(super) fn told(&mut self, number: u64) {
        if let Some(current) = self.logins.current.as_mut().filter(|one| one.view.number == number)
        {
            current.is_told = true;
        }
    }

    /// What a login goes by from now on. What failed with other settings says nothing of these.
    pub(super) fn wish(&mut self, wish: Wish) {
        if let Some(current) = self.logins.current.as_mut().filter(|_| wish != self.logins.wish) {
            current.is_told = true;
        }
        self.logins.wish = wish;
    }

    /// Somebody who can open a page has joined.
    fn offer_page(&mut self, page: Option<OpenPage>) {
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

    pub(super) fn page_opened(&mut self, is_open: bool) {
        if let Some(current) = &mut self.logins.current
            && current.view.page == Page::Asked
        {
            current.view.page = if is_open { Page::Open } else { Page::Failed };
            self.publish();
        }
    }

    /// Hands on what a person says; whether anybody had asked.
    pub(super) fn answer(&mut self, token: Option<&str>, value: Option<Secret>) -> bool {
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

    /// Another approval goes to the phone, if one is awaited and the guard allows it.
    pub(super) fn resend(&mut self) -> bool {
        let Some(current) = &self.logins.current else { return false };
        let is_awaited = matches!(current.view.stage, Stage::Approval(_));
        is_awaited && current.answers.send(Answer::Resend).is_ok()
    }

    pub(super) fn cancel_login(&mut self, me: &ActorRef<Msg>) -> bool {
        let was_running = self.logins.is_running();
        if let Some(current) = &mut self.logins.current {
            current.task.abort();
            let failure = Failure::new(
                ErrorCode::LoginCancelled,
                "The login was called off.",
                "Run `ibctl login`, or call authenticate, to try again.",
            );
            current.view.stage = Stage::Failed(failure);
            // Nor does what a person called off begin anew by itself.
            self.logins.last_unasked = Some(Timestamp::now());
        }
        self.event(me, &Event::Wanted);
        was_running
    }

    /// A person says to go on, whoever has the session.
    pub(super) fn resume(&mut self, me: &ActorRef<Msg>, reply: RpcReplyPort<Report>) {
        self.catch_up(me);
        let report = match self.life.phase {
            Phase::Competing | Phase::Refused => {
                self.event(me, &Event::Resume);
                Report { ok: true, text: "Taking the trading session.".into(), hint: String::new() }
            }
            Phase::Ready => Report {
                ok: true,
                text: "The session is here already.".into(),
                hint: String::new(),
            },
            // A gateway is brought by a login, which somebody asks for.
            _ if matches!(self.board.gateway().borrow().state, GatewayState::NotInstalled(_)) => {
                Report {
                    ok: false,
                    text: "No gateway is installed, so there is no session to take back.".into(),
                    hint: "`ibctl login` installs it and logs in.".into(),
                }
            }
            _ => {
                self.logins.memory.change(|memory| memory.taken = None);
                let ask = Ask {
                    asker: Asker::Person,
                    forced: false,
                    paper: false,
                    headless: false,
                    renew: false,
                    join_only: false,
                };
                match self.login(me, ask, None) {
                    Begun::Refused(failure) => {
                        Report { ok: false, text: failure.text, hint: for_person(&failure.next) }
                    }
                    // Nothing can be done now but to wait; the state says for what.
                    Begun::Wait => Report { ok: true, text: String::new(), hint: String::new() },
                    Begun::Run(..) => Report {
                        ok: true,
                        text: "A new login is needed, and has begun.".into(),
                        hint: "`ibctl login` follows it.".into(),
                    },
                }
            }
        };
        let _ = reply.send(report);
    }

    /// After everything that happens: is a login done, or wanted?
    pub(super) fn consider_login(&mut self, me: &ActorRef<Msg>) {
        let now = Timestamp::now();
        self.login_is_done(me, now);
        // What is being looked at is decided on when it has been seen.
        if self.logins.is_running() || self.is_looking {
            return;
        }
        if self.life.phase == Phase::Ready {
            self.logins.wanted = None;
        }
        if self.logins.coming.is_some_and(|at| at.elapsed() < COMING) {
            return;
        }
        let gateway = self.board.gateway().borrow().state.clone();
        let is_absent = matches!(gateway, GatewayState::NotInstalled(_) | GatewayState::Stopped);
        let memory = self.logins.memory.get().clone();
        let is_taken = memory.taken.is_some() && self.logins.compete != Compete::Take;
        let is_wanted = self.logins.is_wanted();
        let unasked = login::unasked(&login::Unasked {
            now,
            zone: TimeZone::system(),
            phase: &self.life.phase,
            headless: self.logins.wish.headless && self.logins.wish.username.is_some(),
            is_alone: self.logins.wish.is_alone(),
            login_time: self.logins.wish.login_time(),
            login_at: self.facts.login_at,
            is_wanted: is_wanted && (self.life.phase != Phase::Stopped || is_absent),
            last: self.logins.last_unasked,
            failures: self.logins.failures,
            window: calendar::window(self.logins.region(), now),
            is_unwanted: memory.logged_out || is_taken,
        });
        if let Some(renew) = unasked {
            self.logins.last_unasked = Some(now);
            self.logins.wanted = None;
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
        if let Some(username) = self.facts.username.clone() {
            let guard = self.logins.guard.clone();
            // Writes only where there is news; the disk is not waited for here.
            tokio::task::spawn_blocking(move || guard.logged_in_otherwise(&username, now));
        }
        let Some(current) = &self.logins.current else { return };
        let is_renewed = current.replaces.is_none_or(|before| self.identity != Some(before));
        // A headless login has settled its account with the guard before it is called done.
        let is_settled = current.view.way == Way::Browser
            || matches!(current.view.stage, Stage::Checking | Stage::Failed(_));
        if !is_settled || (!is_renewed && current.view.is_running()) {
            return;
        }
        let is_other_mode = current.paper && self.facts.paper == Some(false);
        // IBKR tells who is logged in once a minute; this one was just typed and accepted.
        if current.view.way == Way::Headless && self.facts.username.is_none() {
            self.facts.username.clone_from(&self.logins.wish.username);
            self.remember_who();
        }
        self.logins.end();
        self.logins.failures = 0;
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
