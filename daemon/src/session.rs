//! Session: owns the login's life at the broker. Nobody else tickles, opens or ends it.
//!
//! What happens when is decided in [`life`], and for logins in [`login`]; here the errands are run and
//! the view is written.

pub mod calendar;
pub mod guard;
mod handle;
pub mod life;
pub mod login;
pub mod login_view;
mod logins;
mod look;
mod memory;
pub mod view;
mod words;

use std::sync::Arc;
use std::time::Duration;

use ibd_cpapi::{Failure, faults};
use ibd_protocol::settings::{Key, Settings};
use ibd_protocol::{GatewayMode, LogoutReport, Report, Secret};
use jiff::Timestamp;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::board::{Board, now_text};
use crate::gateway::{GatewayHandle, GatewayState, GatewayView};
use guard::Guard;
pub use handle::{SessionHandle, each_lease};
use life::{Compete, Effect, Event, Life, Phase, Sight, Watch};
use login::{Ask, Stage, Taken, Wish};
pub use logins::{Begun, OpenPage};
use logins::{Identity, Logins};
pub use look::sight;
pub use view::{Facts, Lease, SessionState, SessionView};
use words::Situation;
pub use words::warning;

/// Looks for a caller's sake are at least this far apart; a tickle is allowed once a second.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// What the actor is told.
#[derive(Debug)]
pub enum Msg {
    /// The gateway's view changed.
    Gateway(Box<GatewayView>),
    /// A caller waits for a lease.
    Wanted,
    /// A caller wants to know how things are; that alone begins no login.
    LookAgain,
    /// The same, of somebody who is about to ask for a login.
    LookAhead,
    /// A call under this grant failed, and what that may mean.
    Doubted(u64, Doubt),
    /// An errand is over; which one it was is told by its number.
    Done(u64, Event),
    /// A look is over: what it showed, and who is logged in.
    Looked(u64, Sight, Option<Identity>),
    /// Who is logged in and since when, found out later.
    Named(u64, Option<(Option<String>, Option<Timestamp>)>),
    /// The first calls are over.
    Primed(u64, Result<Facts, Failure>),
    /// A pause is over.
    Due(u64),
    /// End the login.
    Logout(RpcReplyPort<LogoutReport>),
    /// The logout errand is over.
    LoggedOut(LoggedOut, RpcReplyPort<LogoutReport>),
    /// What is known about how to log in, with what a client has said.
    Wish(Box<Wish>),
    /// Somebody was told that this login has failed.
    Told(u64),
    /// Somebody wants a login; who can open a page, and where the answer goes.
    Login(Ask, Option<OpenPage>, RpcReplyPort<Begun>),
    /// How far a login is, by its number.
    Stage(u64, Stage),
    /// Whether the page could be opened.
    PageOpened(bool),
    /// What a person answers to the question of this name, or to whatever is asked.
    Answer(Option<String>, Option<Secret>, RpcReplyPort<bool>),
    /// A person wants another approval on the phone.
    Resend(RpcReplyPort<bool>),
    /// The login under way is called off.
    CancelLogin(RpcReplyPort<bool>),
    /// A person says to go on, whoever has the session.
    Resume(RpcReplyPort<Report>),
}

/// What a call's failure may mean for the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// It may not be what it was.
    Session,
    /// It was opened anew, and its first calls are missing.
    Unprimed,
    /// IBKR's servers answer with errors.
    Trouble,
}

impl Doubt {
    fn of(failure: &Failure) -> Self {
        match failure {
            Failure::NotPrimed => Self::Unprimed,
            Failure::Trouble { .. } => Self::Trouble,
            _ => Self::Session,
        }
    }

    fn event(self) -> Event {
        match self {
            Self::Session => Event::Doubted,
            Self::Unprimed => Event::Unprimed,
            Self::Trouble => Event::Troubled,
        }
    }
}

/// What came of a logout.
#[derive(Debug)]
pub struct LoggedOut {
    /// Whether the broker confirms it; nothing if there was no gateway to ask through.
    at_broker: Option<Result<bool, Failure>>,
    /// Whether our own gateway ended; nothing if it is not ours.
    gateway: Option<Result<Option<u32>, String>>,
}

/// What the actor is made of.
#[derive(Debug)]
pub struct Arguments {
    /// Where it writes its view and reads the gateway's.
    pub board: Board,
    /// The way to IBKR.
    pub gateway: GatewayHandle,
    /// The daemon's own settings.
    pub settings: Settings,
    /// How to log in, as far as the configuration says.
    pub wish: Wish,
    /// What IBKR counts.
    pub guard: Guard,
    /// Whose keyring entries and folders.
    pub places: ibd_protocol::Places,
}

/// The actor.
#[derive(Debug)]
pub struct Session;

/// What the actor keeps.
#[derive(Debug)]
pub struct State {
    board: Board,
    life: Life,
    gateway: GatewayView,
    /// How to reach the gateway's owner.
    handle: GatewayHandle,
    logins: Logins,
    /// Whether the session was ready since the last login.
    was_ready: bool,
    said: Option<(String, String)>,
    begun: Instant,
    facts: Facts,
    opened: Option<Instant>,
    /// Grows whenever the session becomes ready, so that each lease can be told from the next.
    grant: u64,
    /// The number of the one errand whose outcome still counts.
    errand: u64,
    is_looking: bool,
    /// Which login the last look that told has seen.
    identity: Option<Identity>,
    naming: Option<JoinHandle<()>>,
    last_look: Option<Instant>,
    since: String,
    timer: Option<JoinHandle<()>>,
    task: Option<JoinHandle<()>>,
    watch: JoinHandle<()>,
}

impl Actor for Session {
    type Msg = Msg;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        me: ActorRef<Msg>,
        arguments: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let Arguments { board, gateway, settings, wish, guard, places } = arguments;
        let watch = tokio::spawn(watch_gateway(board.clone(), me));
        let compete = match settings.text(Key::Compete) {
            Some("take") => Compete::Take,
            Some("yield") => Compete::Yield,
            _ => Compete::Ask,
        };
        // A restarted actor begins a new epoch: what the last one knew is not taken over.
        let epoch = board.session().borrow().lease.as_ref().map_or(0, Lease::epoch);
        let mut state = State {
            life: Life::new(compete, epoch),
            gateway: GatewayView::default(),
            handle: gateway,
            logins: Logins::new(wish, guard, places, compete),
            was_ready: false,
            said: None,
            begun: Instant::now(),
            facts: Facts::default(),
            opened: None,
            grant: 0,
            errand: 0,
            is_looking: false,
            identity: None,
            naming: None,
            last_look: None,
            since: now_text(),
            timer: None,
            task: None,
            watch,
            board,
        };
        state.publish();
        Ok(state)
    }

    async fn handle(
        &self,
        me: ActorRef<Msg>,
        msg: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Gateway(view) => state.gateway_changed(&me, *view),
            Msg::Wanted => {
                state.logins.somebody_waits();
                state.catch_up(&me);
                state.look_again(&me);
            }
            Msg::LookAgain => {
                state.catch_up(&me);
                state.look_again(&me);
            }
            Msg::LookAhead => {
                state.logins.somebody_comes();
                state.catch_up(&me);
                if !state.is_looking {
                    state.event(&me, &Event::Wanted);
                }
            }
            // What a look under way will show is not known to whoever has a lease: they wait for another one.
            Msg::Doubted(grant, doubt)
                if grant == state.grant
                    && (!state.is_looking || state.life.phase == Phase::Ready) =>
            {
                state.event(&me, &doubt.event());
            }
            Msg::Doubted(..) => {}
            Msg::Done(errand, event) if errand == state.errand => state.event(&me, &event),
            Msg::Looked(errand, sight, user) if errand == state.errand => {
                state.looked(&me, sight, user);
            }
            Msg::Named(epoch, who) if epoch == state.life.epoch => state.named(who),
            Msg::Primed(errand, facts) if errand == state.errand => state.primed(&me, facts),
            Msg::Due(errand) if errand == state.errand => state.event(&me, &Event::Due),
            Msg::Done(..) | Msg::Looked(..) | Msg::Named(..) | Msg::Primed(..) | Msg::Due(_) => {}
            Msg::Logout(reply) => state.logout(&me, reply),
            Msg::LoggedOut(outcome, reply) => state.logged_out(&me, &outcome, reply),
            Msg::Wish(wish) => state.wish(*wish),
            Msg::Told(number) => state.told(number),
            Msg::Login(ask, page, reply) => {
                let _ = reply.send(state.login(&me, ask, page));
            }
            Msg::Stage(number, stage) => state.stage(&me, number, stage),
            Msg::PageOpened(is_open) => state.page_opened(is_open),
            Msg::Answer(token, value, reply) => {
                let _ = reply.send(state.answer(token.as_deref(), value));
            }
            Msg::Resend(reply) => {
                let _ = reply.send(state.resend());
            }
            Msg::CancelLogin(reply) => {
                let _ = reply.send(state.cancel_login(&me));
            }
            Msg::Resume(reply) => state.resume(&me, reply),
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Msg>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.watch.abort();
        state.stop_errands();
        state.logins.end();
        Ok(())
    }
}

async fn watch_gateway(board: Board, me: ActorRef<Msg>) {
    let mut views = board.gateway().subscribe();
    views.mark_changed();
    while views.changed().await.is_ok() {
        let view = Box::new(views.borrow_and_update().clone());
        if me.cast(Msg::Gateway(view)).is_err() {
            return;
        }
    }
}

impl State {
    /// The news of a gateway may still be on its way to us, and what is decided now must not be decided on
    /// what was.
    fn catch_up(&mut self, me: &ActorRef<Msg>) {
        let view = self.board.gateway().borrow().clone();
        if view.generation != self.gateway.generation || view.state != self.gateway.state {
            self.gateway_changed(me, view);
        }
    }

    fn gateway_changed(&mut self, me: &ActorRef<Msg>, view: GatewayView) {
        let is_up = view.state == GatewayState::Up;
        let was_up = self.gateway.state == GatewayState::Up;
        let is_same = self.gateway.generation == view.generation && was_up == is_up;
        self.gateway = view;
        if is_same && self.life.phase != Phase::LoggingOut {
            // Only its own words have changed.
            return self.publish();
        }
        if self.life.phase == Phase::LoggingOut {
            // The logout has a gateway of its own; what comes of it is the next event.
            return;
        }
        self.stop_errands();
        self.event(me, if is_up { &Event::GatewayUp } else { &Event::GatewayDown });
    }

    /// A look that is under way, or only just over, is look enough.
    fn look_again(&mut self, me: &ActorRef<Msg>) {
        let is_recent =
            self.last_look.is_some_and(|at| at.elapsed() < faults::scaled(BETWEEN_LOOKS));
        match self.is_looking {
            true => {}
            false if is_recent => {
                self.consider_login(me);
                self.publish();
            }
            false => self.event(me, &Event::Wanted),
        }
    }

    /// Another login at the gateway is another session, however ready it looks: another user, or the
    /// same one in the other mode.
    fn looked(&mut self, me: &ActorRef<Msg>, sight: Sight, identity: Option<Identity>) {
        self.is_looking = false;
        self.last_look = Some(Instant::now());
        let is_other = identity.is_some() && self.identity.is_some() && identity != self.identity;
        let is_new = identity.is_some() && identity != self.identity;
        self.identity = identity.or(self.identity);
        if is_other && matches!(self.life.phase, Phase::Ready | Phase::Doubtful) {
            tracing::warn!("another login is at the gateway");
            self.facts = Facts::default();
            return self.event(me, &Event::Unprimed);
        }
        // What is known of a login is of the one before, until the first calls of this one are over.
        if is_new && matches!(self.life.phase, Phase::Ready | Phase::Doubtful) {
            self.remember_who();
        }
        self.event(me, &Event::Looked(sight));
        self.ask_for_name(me);
    }

    fn ask_for_name(&mut self, me: &ActorRef<Msg>) {
        let is_known = self.facts.username.is_some() && self.facts.login_at.is_some();
        let is_wanted = self.life.phase == Phase::Ready && !is_known;
        let Some(client) = self.gateway.client.clone().filter(|_| is_wanted) else { return };
        let (me, epoch) = (me.clone(), self.life.epoch);
        self.naming = Some(tokio::spawn(async move {
            let _ = me.cast(Msg::Named(epoch, look::who(&client).await));
        }));
    }

    fn named(&mut self, who: Option<(Option<String>, Option<Timestamp>)>) {
        let (username, login_at) = who.unwrap_or_default();
        self.facts.username = username.or(self.facts.username.take());
        self.facts.login_at = login_at.or(self.facts.login_at);
        self.remember_who();
        self.publish();
    }

    /// IBKR tells who is logged in once a minute. Of a login that was seen before, perhaps by the daemon
    /// before us, it is known.
    fn remember_who(&mut self) {
        let Some(identity) = self.identity else { return };
        let paper = self.facts.paper;
        let who = self.logins.memory.get().who.clone();
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
            self.logins.memory.change(|memory| memory.who = who);
        }
    }

    fn primed(&mut self, me: &ActorRef<Msg>, facts: Result<Facts, Failure>) {
        match facts {
            Ok(facts) => {
                self.facts = facts;
                self.remember_who();
                self.opened = Some(Instant::now());
                self.event(me, &Event::Primed(true));
            }
            Err(failure) => {
                tracing::warn!(%failure, "the session's first calls failed");
                let event = match failure {
                    Failure::RateLimited(until) => Event::Looked(Sight::Limited(until)),
                    Failure::Trouble { .. } => Event::Troubled,
                    _ => Event::Primed(false),
                };
                self.event(me, &event);
            }
        }
    }

    fn event(&mut self, me: &ActorRef<Msg>, event: &Event) {
        let before = self.life.phase.clone();
        self.life.watch = self.how_to_watch();
        self.life.now = faults::hastened(self.begun.elapsed());
        let effects = self.life.step(event);
        if before != self.life.phase {
            tracing::info!(?before, after = ?self.life.phase, ?event, "session");
            self.since = now_text();
            self.grant += u64::from(self.life.phase == Phase::Ready);
            if matches!(self.life.phase, Phase::NeedLogin | Phase::Stopped | Phase::LoggingOut) {
                // Whoever comes next is no other one than this.
                self.identity = None;
            }
            self.remember_taken();
        }
        for effect in effects {
            self.perform(me, effect);
        }
        self.consider_login(me);
        self.publish();
    }

    fn how_to_watch(&self) -> Watch {
        let now = Timestamp::now();
        let is_managed = self.gateway.mode() == GatewayMode::Managed;
        let window = calendar::window(self.logins.region(), now);
        let is_night = matches!(window, Some(calendar::Window::Night(_)));
        let usual = Watch::default();
        Watch {
            ready: calendar::between_looks(self.logins.region(), now, is_managed),
            waiting: self.logins.between_looks().unwrap_or(usual.waiting),
            is_urgent: is_managed && is_night,
            is_maintained: window.is_some(),
        }
    }

    /// That somebody has the session outlives the login: the next one would take it from them.
    fn remember_taken(&mut self) {
        let now = Timestamp::now();
        let is_explained =
            calendar::explains_an_end(self.logins.region(), now, self.facts.login_at);
        let was_ready = self.was_ready;
        match self.life.phase {
            Phase::Competing => {
                let taken = Taken { at: now, is_sure: true };
                self.logins.memory.change(|memory| memory.taken = memory.taken.or(Some(taken)));
            }
            Phase::Ready => {
                self.was_ready = true;
                self.logins.memory.change(|memory| memory.taken = None);
            }
            // The gateway that went took the login with it.
            Phase::Stopped | Phase::LoggingOut => self.was_ready = false,
            Phase::NeedLogin => {
                self.was_ready = false;
                if was_ready && !is_explained {
                    let taken = Taken { at: now, is_sure: false };
                    self.logins.memory.change(|memory| memory.taken = memory.taken.or(Some(taken)));
                }
            }
            _ => {}
        }
    }

    fn perform(&mut self, me: &ActorRef<Msg>, effect: Effect) {
        if effect == Effect::Escalate {
            return self.handle.hangs(self.gateway.generation);
        }
        self.stop_errands();
        let errand = self.errand;
        let me = me.clone();
        if let Effect::Wait(pause) = effect {
            // What matters within seconds is not spread.
            let is_spread = pause >= Duration::from_secs(5);
            let pause = if is_spread { pause.mul_f64(crate::jitter::quarter()) } else { pause };
            self.timer = Some(tokio::spawn(async move {
                tokio::time::sleep(faults::scaled(pause)).await;
                let _ = me.cast(Msg::Due(errand));
            }));
            return;
        }
        let Some(client) = self.gateway.client.clone() else { return };
        self.is_looking = matches!(effect, Effect::Look | Effect::Probe);
        let has_login = self.life.phase.has_login();
        self.task = Some(tokio::spawn(async move {
            let done = match effect {
                Effect::Open(claim) => {
                    Msg::Done(errand, Event::Opened(look::open(&client, claim).await))
                }
                Effect::Prime => Msg::Primed(errand, look::prime(&client).await),
                Effect::Probe => {
                    let (sight, user) = look::probe(&client).await;
                    Msg::Looked(errand, sight, user)
                }
                _ => {
                    let (sight, user) = if has_login {
                        look::tickle(&client).await
                    } else {
                        look::find(&client).await
                    };
                    Msg::Looked(errand, sight, user)
                }
            };
            let _ = me.cast(done);
        }));
    }

    /// From now on nothing that is still under way counts.
    fn stop_errands(&mut self) {
        self.errand += 1;
        self.is_looking = false;
        for task in [self.timer.take(), self.task.take(), self.naming.take()].into_iter().flatten()
        {
            task.abort();
        }
    }

    fn logout(&mut self, me: &ActorRef<Msg>, reply: RpcReplyPort<LogoutReport>) {
        self.logins.end();
        self.logins.memory.change(|memory| {
            memory.logged_out = true;
            memory.taken = None;
        });
        // Read where it is written: the news of a gateway just chosen may still be on its way to us.
        let gateway = self.board.gateway().borrow().clone();
        let is_managed = gateway.mode() == GatewayMode::Managed;
        let is_unknown =
            gateway.choice.is_none() && matches!(gateway.state, GatewayState::NotInstalled(_));
        if gateway.client.is_none() && (!is_managed || is_unknown) {
            let text =
                "No gateway is in use here, so nothing was logged out and nothing is verified. If \
                        you run one yourself, set IB_GATEWAY_PORT and try again."
                    .to_owned();
            let _ = reply.send(LogoutReport { logged_out: false, text });
            return;
        }
        self.stop_errands();
        self.event(me, &Event::LoggingOut);
        let (me, handle) = (me.clone(), self.handle.clone());
        self.task = Some(tokio::spawn(async move {
            let at_broker = match &gateway.client {
                Some(client) => Some(look::logout(client).await),
                None => None,
            };
            // The login lives in its memory, and so do the cookies: whatever IBKR said, they go.
            let gateway = if is_managed { Some(handle.stop().await) } else { None };
            let _ = me.cast(Msg::LoggedOut(LoggedOut { at_broker, gateway }, reply));
        }));
    }

    fn logged_out(
        &mut self,
        me: &ActorRef<Msg>,
        outcome: &LoggedOut,
        reply: RpcReplyPort<LogoutReport>,
    ) {
        let report = words::logged_out(outcome);
        if report.logged_out {
            self.facts = Facts::default();
        }
        let is_up = self.board.gateway().borrow().state == GatewayState::Up;
        let event = match (&outcome.at_broker, is_up) {
            (_, false) => Event::GatewayDown,
            (Some(Ok(true)), true) => Event::LoggedOut,
            // How it stands is not known: it is looked at.
            (_, true) => Event::GatewayUp,
        };
        self.gateway = self.board.gateway().borrow().clone();
        self.event(me, &event);
        let _ = reply.send(report);
    }

    fn scene<'a>(
        &'a self,
        login: Option<&'a login::LoginView>,
        held: Option<&'a guard::Held>,
        now: Timestamp,
    ) -> Situation<'a> {
        Situation {
            phase: &self.life.phase,
            gateway: &self.gateway,
            facts: &self.facts,
            login,
            held,
            taken: self.logins.memory.get().taken,
            compete: self.logins.compete,
            window: calendar::window(self.logins.region(), now),
        }
    }

    /// How it stands, whatever login was tried.
    fn words_now(&self) -> words::Words {
        words::words(&self.scene(None, None, Timestamp::now()))
    }

    fn publish(&mut self) {
        let now = Timestamp::now();
        let login = self.logins.view().cloned();
        let held = self.logins.held(&self.life.phase, now);
        let words = words::words(&self.scene(login.as_ref(), held.as_ref(), now));
        let is_ready = matches!(self.life.phase, Phase::Ready);
        let lease = self.gateway.client.clone().filter(|_| is_ready).map(|client| Lease {
            client,
            facts: Arc::new(self.facts.clone()),
            epoch: self.life.epoch,
            grant: self.grant,
        });
        // What is known of a login counts for as long as that login does.
        let is_known = matches!(self.life.phase, Phase::Ready | Phase::Doubtful);
        let facts = if is_known { self.facts.clone() } else { Facts::default() };
        let is_busy = login.as_ref().is_some_and(|l| l.is_running() && !l.needs_person());
        // While a look is under way, what it will show is worth waiting for.
        let is_passing = self.life.phase.is_passing()
            || words.state == SessionState::Starting
            || is_busy
            || self.is_looking;
        let before = self.board.session().borrow().clone();
        let view = SessionView {
            state: words.state,
            refusal: Some(words.refusal(&self.life.phase, login.as_ref())),
            until: words.until,
            text: words.text,
            hint: words.hint,
            since: self.since.clone(),
            facts,
            login: login.map(Box::new),
            is_passing,
            opened: self.opened.filter(|_| is_ready),
            lease,
            seen: before.seen + 1,
            generation: self.gateway.generation,
        };
        let news = words::news(&before, &view);
        self.board.session().send_replace(view);
        for event in news {
            // The same again, with nothing better in between, is no news.
            let saying = Some((event.code.clone(), event.text.clone()));
            if self.said != saying {
                self.said = saying;
                self.board.say(event);
            }
        }
        self.say_ahead(now);
    }

    /// An hour before a login ends it is said, once.
    fn say_ahead(&mut self, now: Timestamp) {
        let login_at = self.facts.login_at.filter(|_| self.life.phase == Phase::Ready);
        let is_due = login::is_due_soon(login_at, now);
        if is_due && self.logins.said_ahead != login_at {
            self.logins.said_ahead = login_at;
            let ends = login_at.map(calendar::login_ends).map(login::clock).unwrap_or_default();
            self.board.note("login_due", words::due(&ends).0, words::due(&ends).1);
            self.board.say(words::due_event(&ends));
        } else if !is_due {
            self.board.clear("login_due");
        }
    }
}
