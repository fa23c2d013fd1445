//! Session: owns the login's life at the broker. Nobody else tickles, opens or ends it.
//!
//! What happens when is decided in [`life`]; here the errands are run and the view is written.

pub mod life;
mod look;
mod words;

use std::sync::Arc;
use std::time::Duration;

use ibd_cpapi::id::AccountId;
use ibd_cpapi::{Client, Failure};
use ibd_protocol::{Condition, LogoutReport};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::board::{Board, now_text};
use crate::gateway::{GatewayState, GatewayView};
use crate::refusal::Refusal;
use life::{Compete, Effect, Event, Life, Phase, Sight};
use words::Words;

/// Looks for a caller's sake are at least this far apart; a tickle is allowed once a second.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// In snake_case, as `ibctl status` and `get_session_status` name it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SessionState {
    /// No gateway.
    #[default]
    Stopped,
    /// Not known yet.
    Starting,
    /// Somebody must log in.
    NeedLogin,
    /// The trading session is being opened.
    Init,
    /// Everything works.
    Ready,
    /// It worked a moment ago.
    Degraded,
    /// Another platform holds it.
    Competing,
    /// IBKR is under maintenance.
    Maint,
    /// No way to IBKR.
    Network,
    /// The gateway hangs.
    Hung,
    /// IBKR's rate limit.
    Penalty,
}

impl SessionState {
    /// In snake_case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Starting => "starting",
            Self::NeedLogin => "need_login",
            Self::Init => "init",
            Self::Ready => "ready",
            Self::Degraded => "degraded",
            Self::Competing => "competing",
            Self::Maint => "maint",
            Self::Network => "network",
            Self::Hung => "hung",
            Self::Penalty => "penalty",
        }
    }

    /// Whether waiting a little is likely to help.
    fn is_passing(self) -> bool {
        matches!(self, Self::Starting | Self::Init | Self::Degraded)
    }
}

/// What the broker said about the login.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Paper or live; `None`: the broker's facts contradict each other, or are not known.
    pub paper: Option<bool>,
    /// Its accounts.
    pub accounts: Vec<AccountId>,
    /// Its username.
    pub username: Option<String>,
}

/// What others may know about the session.
#[derive(Debug, Clone, Default)]
pub struct SessionView {
    /// Where it stands.
    pub state: SessionState,
    /// In one sentence.
    pub text: String,
    /// What to do.
    pub hint: String,
    /// When it came to stand there.
    pub since: String,
    /// What the broker said.
    pub facts: Facts,
    /// When the brokerage session was opened.
    pub opened: Option<Instant>,
    /// What a caller is told who cannot be served.
    pub refusal: Option<Refusal>,
    /// The proof of a live session.
    pub lease: Option<Lease>,
    /// Counts what was seen, so that a caller can wait for the next thing seen.
    pub seen: u64,
    /// Which life of the gateway this speaks of.
    pub generation: u64,
}

impl SessionView {
    /// The view as something a person should know, if it is not as it should be.
    pub fn condition(&self) -> Option<Condition> {
        let is_fine =
            matches!(self.state, SessionState::Ready | SessionState::Starting | SessionState::Init);
        (!is_fine || !self.hint.is_empty()).then(|| Condition {
            code: self.refusal.as_ref().map_or("session", |refusal| refusal.error).to_owned(),
            text: self.text.clone(),
            hint: self.hint.clone(),
            since: self.since.clone(),
        })
    }
}

/// Proof of a live session: only a session that is ready gives it out, and every request to the
/// broker on a caller's behalf needs one.
#[derive(Debug, Clone)]
pub struct Lease {
    client: Client,
    facts: Arc<Facts>,
    epoch: u64,
    grant: u64,
}

impl Lease {
    /// The way to the broker.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What the broker said about the login.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// A lease that nobody gave out.
    #[cfg(test)]
    pub(crate) fn for_tests(client: Client, facts: Facts) -> Self {
        Self { client, facts: Arc::new(facts), epoch: 0, grant: 0 }
    }

    /// Which brokerage session it proves.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }
}

/// A handle; survives restarts of the actor.
#[derive(Debug, Clone)]
pub struct SessionHandle {
    board: Board,
    post: crate::desks::Post<Msg>,
}

impl SessionHandle {
    /// Reaches the actor through `post` and reads its view from `board`.
    pub fn new(board: Board, post: crate::desks::Post<Msg>) -> Self {
        Self { board, post }
    }

    /// A lease, waiting for one where that is likely to help.
    pub async fn lease(&self, deadline: Instant) -> Result<Lease, Refusal> {
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
                    self.post.send(Msg::Wanted);
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
        view.generation == gateway && !view.state.is_passing()
    }

    /// A call under `lease` failed in a way that casts doubt on the session. Returns when the lease
    /// is no longer what others would get.
    pub async fn doubt(&self, lease: &Lease, failure: &Failure, deadline: Instant) {
        let mut views = self.board.session().subscribe();
        self.post.send(Msg::Doubted(lease.grant, *failure == Failure::NotPrimed));
        let is_other =
            |view: &SessionView| view.lease.as_ref().is_none_or(|l| l.grant != lease.grant);
        let _ = timeout_at(deadline, views.wait_for(is_other)).await;
    }

    /// The view now.
    pub fn view(&self) -> SessionView {
        self.board.session().borrow().clone()
    }

    /// Ends the login at the broker, and verifies it.
    pub async fn logout(&self) -> LogoutReport {
        let (reply, answer) = tokio::sync::oneshot::channel();
        self.post.send(Msg::Logout(reply.into()));
        answer.await.unwrap_or_else(|_| LogoutReport {
            logged_out: false,
            text: "The session is being restarted; try again in a moment.".to_owned(),
        })
    }
}

fn unknown_yet() -> Refusal {
    Refusal::new(
        "session_opening",
        "The session has not been looked at yet.",
        "Try again in a few seconds.",
    )
}

/// What the actor is told.
#[derive(Debug)]
pub enum Msg {
    /// The gateway's view changed.
    Gateway(Box<GatewayView>),
    /// A caller waits for a lease.
    Wanted,
    /// A call under this grant failed; whether for want of the session's first calls.
    Doubted(u64, bool),
    /// An errand is over; which one it was is told by its number.
    Done(u64, Event),
    /// The first calls are over.
    Primed(u64, Result<Facts, Failure>),
    /// A pause is over.
    Due(u64),
    /// End the login.
    Logout(RpcReplyPort<LogoutReport>),
    /// The logout errand is over.
    LoggedOut(Result<bool, Failure>, RpcReplyPort<LogoutReport>),
}

/// What the actor is made of.
#[derive(Debug)]
pub struct Arguments {
    /// Where it writes its view and reads the gateway's.
    pub board: Board,
    /// What to do about others who hold the session.
    pub compete: Compete,
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
    facts: Facts,
    opened: Option<Instant>,
    /// Grows whenever the session becomes ready, so that each lease can be told from the next.
    grant: u64,
    /// The number of the one errand whose outcome still counts.
    errand: u64,
    is_looking: bool,
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
        let Arguments { board, compete } = arguments;
        let watch = tokio::spawn(watch_gateway(board.clone(), me));
        // A restarted actor begins a new epoch: what the last one knew is not taken over.
        let epoch = board.session().borrow().lease.as_ref().map_or(0, Lease::epoch);
        let state = State {
            life: Life::new(compete, epoch),
            gateway: GatewayView::default(),
            facts: Facts::default(),
            opened: None,
            grant: 0,
            errand: 0,
            is_looking: false,
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
            Msg::Wanted => state.wanted(&me),
            Msg::Doubted(grant, unprimed) if grant == state.grant => {
                state.event(&me, if unprimed { &Event::Unprimed } else { &Event::Doubted });
            }
            Msg::Doubted(..) => {}
            Msg::Done(errand, event) if errand == state.errand => state.done(&me, &event),
            Msg::Primed(errand, facts) if errand == state.errand => state.primed(&me, facts),
            Msg::Due(errand) if errand == state.errand => state.event(&me, &Event::Due),
            Msg::Done(..) | Msg::Primed(..) | Msg::Due(_) => {}
            Msg::Logout(reply) => state.logout(&me, reply),
            Msg::LoggedOut(outcome, reply) => state.logged_out(&me, outcome, reply),
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
    fn gateway_changed(&mut self, me: &ActorRef<Msg>, view: GatewayView) {
        let is_up = view.state == GatewayState::Up;
        self.gateway = view;
        self.stop_errands();
        self.event(me, if is_up { &Event::GatewayUp } else { &Event::GatewayDown });
    }

    /// A look that is under way, or only just over, is look enough.
    fn wanted(&mut self, me: &ActorRef<Msg>) {
        let is_recent = self.last_look.is_some_and(|at| at.elapsed() < BETWEEN_LOOKS);
        match self.is_looking {
            true => {}
            false if is_recent => self.publish(),
            false => self.event(me, &Event::Wanted),
        }
    }

    fn done(&mut self, me: &ActorRef<Msg>, event: &Event) {
        if matches!(event, Event::Looked(_)) {
            self.is_looking = false;
            self.last_look = Some(Instant::now());
        }
        self.event(me, event);
    }

    fn primed(&mut self, me: &ActorRef<Msg>, facts: Result<Facts, Failure>) {
        match facts {
            Ok(facts) => {
                self.facts = facts;
                self.opened = Some(Instant::now());
                self.event(me, &Event::Primed(true));
            }
            Err(failure) => {
                tracing::warn!(%failure, "the session's first calls failed");
                let event = match failure {
                    Failure::RateLimited(until) => Event::Looked(Sight::Limited(until)),
                    _ => Event::Primed(false),
                };
                self.event(me, &event);
            }
        }
    }

    fn event(&mut self, me: &ActorRef<Msg>, event: &Event) {
        let before = self.life.phase.clone();
        let effects = self.life.step(event);
        if before != self.life.phase {
            tracing::info!(?before, after = ?self.life.phase, ?event, "session");
            self.since = now_text();
            self.grant += u64::from(self.life.phase == Phase::Ready);
        }
        for effect in effects {
            self.perform(me, effect);
        }
        self.publish();
    }

    fn perform(&mut self, me: &ActorRef<Msg>, effect: Effect) {
        self.stop_errands();
        let errand = self.errand;
        let me = me.clone();
        if let Effect::Wait(pause) = effect {
            self.timer = Some(tokio::spawn(async move {
                tokio::time::sleep(pause).await;
                let _ = me.cast(Msg::Due(errand));
            }));
            return;
        }
        let Some(client) = self.gateway.client.clone() else { return };
        self.is_looking = effect == Effect::Look;
        self.task = Some(tokio::spawn(async move {
            let done = match effect {
                Effect::Open { compete } => {
                    Msg::Done(errand, Event::Opened(look::open(&client, compete).await))
                }
                Effect::Prime => Msg::Primed(errand, look::prime(&client).await),
                _ => Msg::Done(errand, Event::Looked(look::look(&client).await)),
            };
            let _ = me.cast(done);
        }));
    }

    /// From now on nothing that is still under way counts.
    fn stop_errands(&mut self) {
        self.errand += 1;
        self.is_looking = false;
        for task in [self.timer.take(), self.task.take()].into_iter().flatten() {
            task.abort();
        }
    }

    fn logout(&mut self, me: &ActorRef<Msg>, reply: RpcReplyPort<LogoutReport>) {
        let Some(client) = self.gateway.client.clone() else {
            let text = "There is no gateway, so nobody is logged in through it.".to_owned();
            let _ = reply.send(LogoutReport { logged_out: true, text });
            return;
        };
        self.stop_errands();
        let me = me.clone();
        self.task = Some(tokio::spawn(async move {
            let outcome = look::logout(&client).await;
            let _ = me.cast(Msg::LoggedOut(outcome, reply));
        }));
    }

    fn logged_out(
        &mut self,
        me: &ActorRef<Msg>,
        outcome: Result<bool, Failure>,
        reply: RpcReplyPort<LogoutReport>,
    ) {
        let (logged_out, text) = match &outcome {
            Ok(true) => (true, "Logged out; IBKR confirms that no session is left.".to_owned()),
            Ok(false) => {
                (false, "IBKR still shows a session after the logout. Try again.".to_owned())
            }
            Err(Failure::Unreachable(_)) => {
                (true, "The gateway does not run, so no session is left in it.".to_owned())
            }
            Err(failure) => (false, format!("The logout could not be verified: {failure}.")),
        };
        if logged_out {
            self.facts = Facts::default();
        }
        let event = if logged_out { Event::LoggedOut } else { Event::GatewayUp };
        self.event(me, &event);
        let _ = reply.send(LogoutReport { logged_out, text });
    }

    fn publish(&self) {
        let Words { state, text, hint } =
            words::words(&self.life.phase, &self.gateway, &self.facts);
        let is_ready = matches!(self.life.phase, Phase::Ready);
        let lease = self.gateway.client.clone().filter(|_| is_ready).map(|client| Lease {
            client,
            facts: Arc::new(self.facts.clone()),
            epoch: self.life.epoch,
            grant: self.grant,
        });
        let words = Words { state, text, hint };
        self.board.session().send_modify(|view| {
            *view = SessionView {
                state: words.state,
                refusal: Some(words.refusal(&self.life.phase)),
                text: words.text,
                hint: words.hint,
                since: self.since.clone(),
                facts: self.facts.clone(),
                opened: self.opened.filter(|_| is_ready),
                lease,
                seen: view.seen + 1,
                generation: self.gateway.generation,
            };
        });
    }
}
