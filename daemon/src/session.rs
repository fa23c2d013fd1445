//! Session: owns the login's life at the broker. Nobody else tickles, opens or ends it.
//!
//! What happens when is decided in [`life`], and for logins in [`login`]; what follows is done in
//! `steps.rs`. The state has four rooms: errands under way at the gateway, what is known of whoever is logged in, what
//! was told to others, and logins.

mod accounts;
pub mod calendar;
mod errands;
pub mod guard;
mod handle;
mod known;
pub mod life;
pub mod login;
pub mod login_view;
mod logins;
mod logout;
mod look;
mod memory;
mod steps;
mod told;
pub mod view;
mod words;

use ibd_cpapi::Failure;
use ibd_protocol::settings::{Key, Settings};
use ibd_protocol::{LogoutReport, Report, Secret};
use jiff::Timestamp;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::board::Board;
use crate::gateway::{GatewayHandle, GatewayView};
use errands::Errands;
use guard::Guard;
pub use handle::{SessionHandle, each_lease};
use known::{Identity, Known};
use life::{Compete, Event, Life, Phase, Sight};
use login::{Ask, Stage, Wish};
use logins::Logins;
pub use logins::{Begun, OpenPage};
pub use logout::LoggedOut;
pub use look::sight;
use told::Told;
pub use view::{Facts, Lease, SessionState, SessionView};
pub use words::warning;

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

/// What the actor keeps, each part in the hands of who changes it.
#[derive(Debug)]
pub struct State {
    board: Board,
    gateway: GatewayView,
    /// How to reach the gateway's owner.
    handle: GatewayHandle,
    life: Life,
    /// When this actor began: its life's clock counts from there.
    begun: Instant,
    /// Whether the session was ready since the last login.
    was_ready: bool,
    errands: Errands,
    known: Known,
    told: Told,
    logins: Logins,
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
            board,
            gateway: GatewayView::default(),
            handle: gateway,
            life: Life::new(compete, epoch),
            begun: Instant::now(),
            was_ready: false,
            errands: Errands::default(),
            known: Known::default(),
            told: Told::new(),
            logins: Logins::new(wish, guard, places, compete),
            watch,
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
                state.logins.demand.somebody_waits();
                state.catch_up(&me);
                state.look_again(&me);
            }
            Msg::LookAgain => {
                state.catch_up(&me);
                state.look_again(&me);
            }
            Msg::LookAhead => {
                state.logins.demand.somebody_comes();
                state.catch_up(&me);
                if !state.errands.is_looking() {
                    state.event(&me, &Event::Wanted);
                }
            }
            // What a look under way will show is not known to whoever has a lease: they wait for another one.
            Msg::Doubted(grant, doubt)
                if state.told.is_current(grant)
                    && (!state.errands.is_looking() || state.life.phase == Phase::Ready) =>
            {
                state.event(&me, &doubt.event());
            }
            Msg::Doubted(..) => {}
            Msg::Done(errand, event) if state.errands.is_current(errand) => {
                state.event(&me, &event);
            }
            Msg::Looked(errand, sight, user) if state.errands.is_current(errand) => {
                state.looked(&me, sight, user);
            }
            Msg::Named(epoch, who) if epoch == state.life.epoch => state.named(who),
            Msg::Primed(errand, facts) if state.errands.is_current(errand) => {
                state.primed(&me, facts);
            }
            Msg::Due(errand) if state.errands.is_current(errand) => state.event(&me, &Event::Due),
            Msg::Done(..) | Msg::Looked(..) | Msg::Named(..) | Msg::Primed(..) | Msg::Due(_) => {}
            Msg::Logout(reply) => state.logout(&me, reply),
            Msg::LoggedOut(outcome, reply) => state.logged_out(&me, &outcome, reply),
            Msg::Wish(wish) => state.logins.wish(*wish),
            Msg::Told(number) => state.logins.told(number),
            Msg::Login(ask, page, reply) => {
                let _ = reply.send(state.login(&me, ask, page));
            }
            Msg::Stage(number, stage) => state.stage(&me, number, stage),
            Msg::PageOpened(is_open) => state.page_opened(is_open),
            Msg::Answer(token, value, reply) => {
                let _ = reply.send(state.answer(token.as_deref(), value));
            }
            Msg::Resend(reply) => {
                let _ = reply.send(state.logins.resend());
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
        state.errands.stop();
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
