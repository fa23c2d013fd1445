//! Alerts: owns the alerts that ibd itself watches, and the news of them. Nobody else decides that one fires.
//!
//! What becomes of an alert is decided in [`decide`]; who has heard of it is kept in [`news`]. That one fired is on the
//! disk before anybody is told: a daemon that dies in between tells it when it starts again. Whatever is asked of the
//! broker or told to a person is a task that the state owns.
//!
//! ```text
//!   a tick, an order, time ─▶ decide ─▶ the file ─▶ clients, the desktop, the webhook (tried again)
//!                                                └▶ each client's next answer, once
//! ```

mod alert;
mod blind;
mod decide;
mod desk;
mod ears;
mod handle;
mod kept;
mod look;
mod measure;
mod news;
mod watch;
mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ibd_cpapi::faults::scaled;
use ibd_cpapi::id::{AccountId, OrderId};
use ibd_cpapi::orders::Stage;
use ibd_cpapi::snapshot::Row;
use ibd_protocol::settings::Settings;
use jiff::Timestamp;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub use alert::{AlertId, Draft, Limit, Login, Of, Seen, Side, Watch};
pub use desk::{Listing, Made, Named, Shown, Switch, Switched};
pub use handle::AlertsHandle;
pub use measure::Measure;
pub use news::Way;
pub use words::{length, moment, watch as in_words};

use crate::board::Board;
use crate::market::MarketHandle;
use crate::notify::Ways;
use crate::orders::Feeds;
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::session::{Lease, SessionHandle, each_lease};
use crate::stream::{StreamHandle, Subscription};
use kept::Kept;
use look::{Book, Look};

/// Between two looks at what time has brought.
const TICK: Duration = Duration::from_secs(1);

/// Who asks for news.
#[derive(Debug, Clone)]
pub struct Asking {
    /// The client's own name.
    pub client: String,
    /// Names the call in whose answer they are told.
    pub key: String,
    /// What it may be served with.
    pub policy: Arc<Policy>,
}

/// What the actor is told.
#[derive(Debug)]
pub enum Msg {
    /// Somebody wants an alert, perhaps in the place of another.
    Create(Box<Draft>, Option<AlertId>, RpcReplyPort<Result<Made, Refusal>>),
    /// One is switched on or off.
    Switch(Named, Switch, RpcReplyPort<Result<Switched, Refusal>>),
    /// One is deleted.
    Delete(Named, RpcReplyPort<Result<Shown, Refusal>>),
    /// What there is.
    List(RpcReplyPort<Listing>),
    /// News that a client has not heard.
    News(Box<Asking>, RpcReplyPort<Vec<String>>),
    /// The session became ready, or ceased to be.
    Session(Option<Lease>),
    /// All that is known of a contract, after something was told of it.
    Quote(Box<Row>),
    /// IBKR pushed how orders stand.
    Orders(Vec<(OrderId, Stage)>),
    /// The stream broke: what it would have told is looked for.
    Broke,
    /// A look is over.
    Looked(Box<Look>),
    /// A way to a person was tried with this news.
    Tried(u64, Way, Result<(), String>),
    /// Time has passed.
    Tick,
}

/// What the actor is made of.
#[derive(Debug)]
pub struct Arguments {
    /// Where it says what happens.
    pub board: Board,
    /// Who is told that a session may be gone.
    pub session: SessionHandle,
    /// What the broker tells by itself.
    pub stream: StreamHandle,
    /// The lines of market data.
    pub market: MarketHandle,
    /// Which lists are warm.
    pub feeds: Feeds,
    /// The daemon's own settings.
    pub settings: Settings,
    /// This profile's state folder.
    pub folder: PathBuf,
    /// What it shares with whoever asks.
    pub handle: AlertsHandle,
}

/// The actor.
#[derive(Debug)]
pub struct Alerts;

/// What the actor keeps.
#[derive(Debug)]
pub struct State {
    board: Board,
    session: SessionHandle,
    stream: StreamHandle,
    market: MarketHandle,
    feeds: Feeds,
    ways: Ways,
    handle: AlertsHandle,
    kept: Kept,
    lease: Option<Lease>,
    /// Since when there is no session.
    gone_since: Option<Timestamp>,
    holdings: BTreeMap<AccountId, Book>,
    /// Why a value that is watched was not there when its contract was last heard of.
    missing: BTreeMap<AlertId, &'static str>,
    /// Why the last look showed no quotes.
    unquoted: Option<String>,
    /// What IBKR pushes of orders, while somebody waits for one.
    feed: Option<Subscription>,
    look: Option<JoinHandle<()>>,
    looked_at: Option<Instant>,
    wants_look: bool,
    /// News that is being told, in which way.
    telling: BTreeMap<(u64, Way), JoinHandle<()>>,
    /// When it was last written that this daemon is at work.
    beat_at: Option<Instant>,
    tasks: Vec<JoinHandle<()>>,
}

impl Actor for Alerts {
    type Msg = Msg;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        me: ActorRef<Msg>,
        arguments: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let mut state = State::begin(arguments, &me);
        state.recover(&me);
        Ok(state)
    }

    async fn handle(
        &self,
        me: ActorRef<Msg>,
        msg: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Create(draft, replaced, reply) => {
                let _ = reply.send(state.create(&me, *draft, replaced));
            }
            Msg::Switch(named, switch, reply) => {
                let _ = reply.send(state.switch(&me, &named, switch));
            }
            Msg::Delete(named, reply) => {
                let _ = reply.send(state.delete(&me, &named));
            }
            Msg::List(reply) => {
                let _ = reply.send(state.listing());
            }
            Msg::News(asking, reply) => {
                let _ = reply.send(state.news_for(&asking));
            }
            Msg::Session(lease) => state.session_changed(&me, lease),
            Msg::Quote(row) => state.quote(&me, &row, Timestamp::now()),
            Msg::Orders(orders) => state.orders(&me, orders),
            Msg::Broke => state.want_look(&me),
            Msg::Looked(look) => state.looked(&me, *look),
            Msg::Tried(number, way, came_of_it) => state.tried(number, way, came_of_it),
            Msg::Tick => state.tick(&me),
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Msg>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.beat(Timestamp::now());
        state.feed = None;
        state.tasks.drain(..).for_each(|task| task.abort());
        state.look.take().into_iter().for_each(|task| task.abort());
        // What was not told is told by the next one.
        std::mem::take(&mut state.telling).into_values().for_each(|task| task.abort());
        Ok(())
    }
}

impl State {
    fn begin(arguments: Arguments, me: &ActorRef<Msg>) -> Self {
        let ear = me.clone();
        arguments.market.listen(move |row| {
            let _ = ear.cast(Msg::Quote(Box::new(row)));
        });
        let tasks = vec![
            me.send_interval(scaled(TICK), || Msg::Tick),
            tokio::spawn(each_lease(arguments.board.clone(), {
                let me = me.clone();
                move |lease| me.cast(Msg::Session(lease)).is_ok()
            })),
        ];
        Self {
            ways: Ways::of(&arguments.settings),
            kept: Kept::open(&arguments.folder),
            board: arguments.board,
            session: arguments.session,
            stream: arguments.stream,
            market: arguments.market,
            feeds: arguments.feeds,
            handle: arguments.handle,
            lease: None,
            gone_since: None,
            holdings: BTreeMap::new(),
            missing: BTreeMap::new(),
            unquoted: None,
            feed: None,
            look: None,
            looked_at: None,
            wants_look: false,
            telling: BTreeMap::new(),
            beat_at: None,
            tasks,
        }
    }
}
