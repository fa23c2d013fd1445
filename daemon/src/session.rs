//! Session: owns the login's life at the broker. Nobody else tickles, opens or ends it.
//!
//! What happens when is decided in [`life`]; here the errands are run and the view is written.

pub mod life;
mod look;
mod view;
mod words;

use std::sync::Arc;
use std::time::Duration;

use ibd_cpapi::Failure;
use ibd_protocol::LogoutReport;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::board::{Board, now_text};
use crate::gateway::{GatewayState, GatewayView};
use life::{Compete, Effect, Event, Life, Phase, Sight};
pub use view::{Facts, Lease, SessionHandle, SessionState, SessionView};
use words::Words;

/// Looks for a caller's sake are at least this far apart; a tickle is allowed once a second.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

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
    /// A look is over: what it showed, and who is logged in.
    Looked(u64, Sight, Option<u64>),
    /// Who is logged in, found out later.
    Named(u64, Option<String>),
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
    /// The number of the user of the last look that told.
    user: Option<u64>,
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
            user: None,
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
            Msg::Wanted => state.wanted(&me),
            Msg::Doubted(grant, unprimed) if grant == state.grant && !state.is_looking => {
                state.event(&me, if unprimed { &Event::Unprimed } else { &Event::Doubted });
            }
            Msg::Doubted(..) => {}
            Msg::Done(errand, event) if errand == state.errand => state.event(&me, &event),
            Msg::Looked(errand, sight, user) if errand == state.errand => {
                state.looked(&me, sight, user);
            }
            Msg::Named(epoch, username) if epoch == state.life.epoch => state.named(username),
            Msg::Primed(errand, facts) if errand == state.errand => state.primed(&me, facts),
            Msg::Due(errand) if errand == state.errand => state.event(&me, &Event::Due),
            Msg::Done(..) | Msg::Looked(..) | Msg::Named(..) | Msg::Primed(..) | Msg::Due(_) => {}
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
        if self.life.phase == Phase::LoggingOut {
            // The logout has a gateway of its own; what comes of it is the next event.
            return;
        }
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

    /// Another user at the gateway is another session, however ready it looks.
    fn looked(&mut self, me: &ActorRef<Msg>, sight: Sight, user: Option<u64>) {
        self.is_looking = false;
        self.last_look = Some(Instant::now());
        let is_other = user.is_some() && self.user.is_some() && user != self.user;
        self.user = user.or(self.user);
        if is_other && self.life.phase == Phase::Ready {
            tracing::warn!("somebody else is logged in at the gateway");
            return self.event(me, &Event::Unprimed);
        }
        self.event(me, &Event::Looked(sight));
        self.ask_for_name(me);
    }

    fn ask_for_name(&mut self, me: &ActorRef<Msg>) {
        let is_wanted = self.life.phase == Phase::Ready && self.facts.username.is_none();
        let Some(client) = self.gateway.client.clone().filter(|_| is_wanted) else { return };
        let (me, epoch) = (me.clone(), self.life.epoch);
        self.naming = Some(tokio::spawn(async move {
            let _ = me.cast(Msg::Named(epoch, look::username(&client).await));
        }));
    }

    fn named(&mut self, username: Option<String>) {
        self.facts.username = username.or(self.facts.username.take());
        self.publish();
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
                _ => {
                    let (sight, user) = look::look(&client).await;
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
        // Read where it is written: the news of a gateway just chosen may still be on its way to us.
        let gateway = self.board.gateway().borrow().clone();
        let Some(client) = gateway.client else {
            let text =
                "No gateway is in use here, so nothing was logged out and nothing is verified. If \
                        you run one yourself, set IB_GATEWAY_PORT and try again."
                    .to_owned();
            let _ = reply.send(LogoutReport { logged_out: false, text });
            return;
        };
        self.stop_errands();
        self.event(me, &Event::LoggingOut);
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
            Err(Failure::Unreachable(why)) if why.contains("refused") => {
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
        // What is known of a login counts for as long as that login does.
        let is_known = matches!(self.life.phase, Phase::Ready | Phase::Doubtful);
        let facts = if is_known { self.facts.clone() } else { Facts::default() };
        self.board.session().send_modify(|view| {
            *view = SessionView {
                state: words.state,
                refusal: Some(words.refusal(&self.life.phase)),
                text: words.text,
                hint: words.hint,
                since: self.since.clone(),
                facts,
                is_passing: self.life.phase.is_passing() || words.state == SessionState::Starting,
                opened: self.opened.filter(|_| is_ready),
                lease,
                seen: view.seen + 1,
                generation: self.gateway.generation,
            };
        });
    }
}
