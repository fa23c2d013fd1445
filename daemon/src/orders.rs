//! Orders: owns every intent, the journal, and the one lane to the broker. Nobody else sends, changes or
//! cancels an order.
//!
//! What an intent becomes is decided in [`life`]; here steps are journalled, and only then acted on. The
//! handler awaits nothing but the journal's disk: intent must precede act. Everything that talks to the
//! broker is a task that the state owns.
//!
//! ```text
//!   place ─▶ guardrails ─▶ journal ─▶ queue ─▶ the lane: proof ─▶ journal ─▶ send ─▶ answer ─▶ journal
//! ```

mod answers;
pub mod approval;
pub mod asked;
pub mod book;
pub mod change;
mod claim;
pub mod clock;
mod desk;
mod egress;
pub mod evidence;
pub mod exact;
mod feed;
pub mod fits;
pub mod flags;
pub mod guardrails;
mod handle;
mod head;
mod identify;
pub mod intent;
mod lane;
mod last_look;
pub mod lateness;
pub mod life;
pub mod limits;
mod list;
#[cfg(feature = "faults")]
pub(crate) mod mutant;
pub mod order;
pub mod page;
pub mod peeks;
mod pins;
pub mod prepare;
mod questions;
pub mod record;
mod report;
mod round;
mod scene;
mod siblings;
mod sightings;
pub mod standing;
mod tickets;
pub mod told;
mod trail;
mod unlisted;
mod watch;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use ibd_cpapi::faults;
use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::OrderRow;
use ibd_cpapi::trades::Execution;
use ibd_protocol::settings::Settings;
use ibd_protocol::{OrdersReport, OrdersVerb};
use jiff::Timestamp;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::sync::watch as sync_watch;
use tokio::task::JoinHandle;

use crate::board::Board;
use crate::market::Underlyings;
use crate::refusal::Refusal;
use crate::session::{Lease, SessionHandle};
use book::Book;
pub use desk::{Answerer, Pin, Request};
use evidence::Evidence;
use guardrails::{Denial, Scene};
pub use handle::{Known, OrdersHandle};
use intent::{Intent, IntentId};
use limits::Limits;
pub use list::{Feeds, action, is_working, limit_price, order_type, short_ref, stop_price, tif};
use page::Page;
use round::{Heard, HeardEnd, Target};
pub use scene::{Needs, RuleBook, gather as gather_scene};
pub use tickets::place as tickets_of;
use trail::Trail;

/// What a person says in a dialog who approves.
pub const APPROVE: &str = "approve";
/// What a person says in a dialog who does not.
pub const DECLINE: &str = "decline";

/// Whether a dialog's name is that of an approval.
pub fn is_approval(token: &str) -> bool {
    token.starts_with(desk::TOKEN)
}

/// Between two looks at what has become due.
const TICK: Duration = Duration::from_secs(1);

/// What the actor is told.
#[derive(Debug)]
pub enum Msg {
    /// A client wants something done; the id of the intent that it became, or was already.
    Ask(Box<Request>, RpcReplyPort<Result<IntentId, Refusal>>),
    /// What a request would come to; nothing is entered.
    Judge(Box<Request>, RpcReplyPort<Option<Intent>>),
    /// What a request came to that was made before, by its key, or by the question that was answered.
    Known(String, Option<String>, RpcReplyPort<Option<Intent>>),
    /// An intent, or the last of those that follow it.
    Look(IntentId, RpcReplyPort<Option<Intent>>),
    /// The intent that a broker's order belongs to.
    OfOrder(OrderId, RpcReplyPort<Option<Intent>>),
    /// A caller who waits for its turn gives up: what has not been sent is not sent any more.
    Withdraw(IntentId, RpcReplyPort<Option<Intent>>),
    /// Somebody answers what waits for a yes: its name, yes or no, who, and the PIN that is wanted.
    Decide(String, bool, Answerer, Pin, RpcReplyPort<Result<IntentId, Refusal>>),
    /// A person does something about orders; the PIN that is wanted for some of it.
    Verb(OrdersVerb, Pin, RpcReplyPort<OrdersReport>),
    /// What a last look before sending showed.
    Proved(IntentId, Box<Result<Proof, Denial>>),
    /// What the broker answered to what was sent.
    Answered(IntentId, Box<Heard>),
    /// What it answered to a cancellation.
    Cancelled(IntentId, Box<HeardEnd>),
    /// What a look at the broker showed. `None`: it failed.
    Seen(Option<Box<Evidence>>),
    /// What somebody else has read of orders at IBKR: a list, or pages.
    Sighted(Box<Evidence>),
    /// A person says that an order in doubt is this one at IBKR, whose page was read.
    Resolve(IntentId, Result<Box<Page>, String>, RpcReplyPort<OrdersReport>),
    /// How an intent stands, for a person, with the words for it.
    Shown(IntentId, String, RpcReplyPort<OrdersReport>),
    /// What IBKR pushed: orders, and executions.
    Pushed(Vec<OrderRow>, Vec<Execution>),
    /// The feed broke: what it would have told is looked for.
    FeedBroke,
    /// Every intent that is open or ended within a day.
    Recent(RpcReplyPort<Vec<Intent>>),
    /// The session became ready, or ceased to be.
    Session(Option<Lease>),
    /// Time to see what has become due.
    Tick,
    /// A single order is to be asked for.
    Peek,
    /// Whether a PIN is set, by configuration or keyring.
    HasPin(bool),
}

/// The proof that an order may go now.
#[derive(Debug)]
pub struct Proof {
    /// Of a session that was asked just now.
    pub lease: Lease,
    /// The market and the account, just now; nothing for what needs none.
    pub scene: Option<Scene>,
    /// The order that is to be changed or ended.
    pub target: Option<Box<Target>>,
    /// What was seen of the first try, whose question this is the yes to.
    pub first: Option<Box<Evidence>>,
}

/// What the actor is made of.
#[derive(Debug)]
pub struct Arguments {
    /// Where it writes how trading is.
    pub board: Board,
    /// Who gives leases.
    pub session: SessionHandle,
    /// What underlyings were searched for.
    pub underlyings: Underlyings,
    /// Which lists are warm.
    pub feeds: Feeds,
    /// The daemon's own settings.
    pub settings: Settings,
    /// Where the journal is.
    pub folder: PathBuf,
    /// This profile's state folder.
    pub state: PathBuf,
    /// Folders above profiles: this one's, and those of others that may trade in the same account.
    pub above: Vec<PathBuf>,
    /// The files whose being there freezes trading.
    pub flags: flags::Flags,
    /// Told whenever an intent changes.
    pub changes: sync_watch::Sender<u64>,
    /// Who knows where a PIN may be.
    pub handle: OrdersHandle,
    /// Trading stays closed, and why: the actor failed too often.
    pub stay_closed: Option<String>,
}

/// The actor.
#[derive(Debug)]
pub struct Orders;

/// What the actor keeps.
#[derive(Debug)]
pub struct State {
    board: Board,
    session: SessionHandle,
    underlyings: Underlyings,
    feeds: Feeds,
    limits: Limits,
    settings: Settings,
    flags: flags::Flags,
    /// What other profiles sent.
    siblings: siblings::Siblings,
    /// The accounts that no other daemon sends orders for.
    claims: claim::Claims,
    /// Orders, anybody's, whose own page has shown that they are over, and when.
    gone: BTreeMap<OrderId, Timestamp>,
    folder: PathBuf,
    /// What the journal must hold, known besides it.
    heads: head::Heads,
    changes: sync_watch::Sender<u64>,
    book: Book,
    /// Where every step is written before it is acted on. An error: why trading is closed.
    trail: Result<Trail, String>,
    /// Intents whose first state stands in no journal yet, because nothing of it was told to anybody.
    unwritten: Vec<IntentId>,
    /// What waits for the lane, in order.
    queue: VecDeque<IntentId>,
    /// Whose the lane is, from the proof to the end of the round.
    lane: Option<IntentId>,
    /// The lease of the round.
    lease: Option<Lease>,
    /// The lease as last seen, and when the look it may be proven by was.
    ready: Option<Lease>,
    /// The brokerage session in which everything in doubt was looked for.
    examined: Option<u64>,
    /// Scenes that came with requests, until their turn.
    scenes: HashMap<IntentId, (Scene, Lease)>,
    /// The question that was answered, by its secret token.
    tokens: HashMap<String, IntentId>,
    /// What was shown to whoever said yes, until it is sent.
    shown: HashMap<IntentId, approval::Approval>,
    /// Complete looks that have not seen what is in doubt.
    absences: HashMap<IntentId, u32>,
    /// What was said already: alarms, and ends that do not come.
    said: HashSet<String>,
    look: Option<JoinHandle<()>>,
    peeking: Option<JoinHandle<()>>,
    /// What IBKR pushes, while there is a session and something to hear of.
    feed: Option<JoinHandle<()>>,
    /// How many requests with orders may have left.
    egress: egress::Egress,
    /// Orders of which news is expected at any moment.
    peeks: peeks::Peeks,
    /// Orders that the lists no longer show.
    unlisted: unlisted::Unlisted,
    /// Orders that are over here and work in a list, and whose page could not be read.
    unread: BTreeSet<OrderId>,
    /// When the next of them is asked for.
    called_at: Option<tokio::time::Instant>,
    looked_at: Option<tokio::time::Instant>,
    wants_look: bool,
    round: Option<lane::Running>,
    pins: pins::Pins,
    /// Whether a PIN is wanted of whoever approves.
    has_pin: bool,
    tasks: Vec<JoinHandle<()>>,
}

impl Actor for Orders {
    type Msg = Msg;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        me: ActorRef<Msg>,
        arguments: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let mut state = State::begin(arguments, &me);
        state.recover().await;
        Ok(state)
    }

    async fn handle(
        &self,
        me: ActorRef<Msg>,
        msg: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Ask(request, reply) => {
                state.look_beside();
                let _ = reply.send(state.ask(&me, *request).await);
            }
            Msg::Judge(request, reply) => {
                state.look_beside();
                let _ = reply.send(state.would_be(*request));
            }
            Msg::Known(key, token, reply) => {
                let _ = reply.send(state.known(&key, token.as_deref()));
            }
            Msg::Look(id, reply) => {
                let _ = reply.send(state.book.latest(id).cloned());
            }
            Msg::OfOrder(order_id, reply) => {
                let _ = reply.send(state.book.by_order(order_id).cloned());
            }
            Msg::Withdraw(id, reply) => {
                let _ = reply.send(state.withdraw(&me, id).await);
            }
            Msg::Decide(name, yes, who, pin, reply) => {
                let _ = reply.send(state.decide(&me, &name, yes, who, &pin).await);
            }
            Msg::Verb(verb, pin, reply) => state.verb(&me, verb, &pin, reply).await,
            Msg::Resolve(id, page, reply) => {
                let _ = reply.send(state.resolve_placed(&me, id, page).await);
            }
            Msg::Shown(id, text, reply) => {
                let _ = reply.send(state.shown_as(id, text));
            }
            Msg::Sighted(evidence) => state.sighted(&me, *evidence).await,
            Msg::Proved(id, proof) => {
                state.look_beside();
                state.proved(&me, id, *proof).await;
            }
            Msg::Answered(id, answer) => state.answered(&me, id, *answer).await,
            Msg::Cancelled(id, answer) => state.cancel_answered(&me, id, *answer).await,
            Msg::Seen(evidence) => state.seen(&me, evidence).await,
            Msg::Pushed(rows, fills) => state.pushed(&me, rows, fills).await,
            Msg::FeedBroke => state.wants_look |= state.has_open(),
            Msg::Recent(reply) => {
                let _ = reply.send(state.recent());
            }
            Msg::Session(lease) => state.session_changed(&me, lease),
            Msg::Tick => state.tick(&me).await,
            Msg::HasPin(has_pin) => {
                state.has_pin = has_pin;
                state.publish();
            }
            Msg::Peek => {
                state.called_at = None;
                state.look(&me);
            }
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Msg>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        // What is on the wire may arrive all the same; the next daemon finds out what became of it.
        let running =
            state.look.take().into_iter().chain(state.peeking.take()).chain(state.feed.take());
        state.round = None;
        for task in state.tasks.drain(..).chain(running) {
            task.abort();
        }
        Ok(())
    }
}

impl State {
    fn begin(arguments: Arguments, me: &ActorRef<Msg>) -> Self {
        let limits = Limits::of(&arguments.settings);
        let (handle, told) = (arguments.handle, me.clone());
        let tasks = vec![
            tokio::spawn(async move {
                let _ = told.cast(Msg::HasPin(handle.has_pin().await));
            }),
            me.send_interval(faults::scaled(TICK), || Msg::Tick),
            tokio::spawn(watch::session(arguments.board.clone(), me.clone())),
        ];
        let trail = match arguments.stay_closed {
            Some(why) => Err(why),
            None => Ok(()),
        };
        let pins = pins::Pins::above(&arguments.above);
        let mut state = Self {
            board: arguments.board,
            session: arguments.session,
            underlyings: arguments.underlyings,
            feeds: arguments.feeds,
            limits,
            settings: arguments.settings,
            flags: arguments.flags,
            siblings: siblings::Siblings::beside(&arguments.state, arguments.above),
            heads: head::Heads::of(&arguments.folder),
            folder: arguments.folder,
            changes: arguments.changes,
            book: Book::default(),
            trail: Err("the journal is being read".to_owned()),
            unwritten: Vec::new(),
            queue: VecDeque::new(),
            lane: None,
            lease: None,
            ready: None,
            examined: None,
            scenes: HashMap::new(),
            tokens: HashMap::new(),
            shown: HashMap::new(),
            absences: HashMap::new(),
            said: HashSet::new(),
            look: None,
            peeking: None,
            feed: None,
            egress: egress::Egress::default(),
            peeks: peeks::Peeks::default(),
            unlisted: unlisted::Unlisted::default(),
            unread: BTreeSet::new(),
            called_at: None,
            looked_at: None,
            wants_look: false,
            round: None,
            pins,
            claims: claim::Claims::default(),
            gone: BTreeMap::new(),
            has_pin: false,
            tasks,
        };
        state.open_trail();
        if let Err(why) = trail {
            state.trail = Err(why);
        }
        state
    }

    /// Reads the journal. Without it trading is closed; what can be looked at still can.
    fn open_trail(&mut self) {
        self.trail = match Trail::open(&self.folder, &self.heads) {
            Ok((trail, records)) => {
                for (record, at) in records {
                    self.remember_token(&record);
                    self.book.apply(record, at);
                }
                self.book.tidy(Timestamp::now());
                Ok(trail)
            }
            Err(why) => {
                tracing::error!(why, "the journal cannot be used; trading is closed");
                Err(why)
            }
        };
    }
}
