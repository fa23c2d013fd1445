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
mod approval;
mod asked;
mod audit;
mod book;
mod breaker;
mod broker;
mod change;
mod claim;
pub mod clock;
mod controls;
mod desk;
mod egress;
mod elsewhere;
mod events;
mod evidence;
mod fits;
pub mod flags;
mod guardrails;
mod handle;
mod head;
mod identify;
mod intent;
mod journal;
mod lane;
mod last_look;
pub mod lateness;
mod ledger;
mod life;
mod limits;
mod list;
#[cfg(feature = "faults")]
pub(crate) mod mutant;
mod order;
pub mod page;
pub mod peeks;
mod person;
mod pins;
pub mod prepare;
mod questions;
mod record;
mod resolve;
mod round;
mod scene;
mod shown;
mod siblings;
mod sightings;
mod standing;
mod tickets;
pub mod told;
mod unlisted;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

use ibd_cpapi::faults;
use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::OrderRow;
use ibd_cpapi::trades::Execution;
use ibd_protocol::settings::Settings;
use ibd_protocol::{OrdersReport, OrdersVerb};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::sync::watch as sync_watch;
use tokio::task::JoinHandle;

// What the rest of the daemon may name.
pub use approval::{Approval, By};
pub use asked::{
    Asked, Attached, Closing, Leg, Pricing, Sibling, Size, SpreadLeg, Trail, Wanted, What, hash_of,
};
pub use change::Change;
pub use guardrails::{Legs, Quote, Scene, Told};
pub use intent::{Intent, IntentId, NAMED, Origin, Seed};
pub use life::{End, NotPlaced, State as IntentState};
pub use order::{Order, Purpose, Role, price_unit};
pub use record::{Record, why};
pub use standing::{Part, Seen, Standing};

use crate::board::Board;
use crate::market::MarketHandle;
use crate::refusal::Refusal;
use crate::session::{Lease, SessionHandle, each_lease};
use crate::stream::StreamHandle;
use broker::Broker;
use controls::Controls;
use desk::Approvals;
pub use desk::{Answerer, Pin, Request};
use evidence::Evidence;
use guardrails::Denial;
pub use handle::{Known, OrdersHandle};
use lane::Lane;
use ledger::Ledger;
use life::Decision;
pub use list::{Feeds, limit_price, short_ref, stop_price};
use page::Page;
use round::{Heard, HeardEnd, Target};
pub use scene::{Needs, RuleBook, gather as gather_scene};
pub use tickets::place as tickets_of;
use watch::Watch;

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
    /// The last change of a broker's order that was taken.
    LastChange(OrderId, RpcReplyPort<Option<Intent>>),
    /// A caller who waits for its turn gives up: what has not been sent is not sent any more.
    Withdraw(IntentId, RpcReplyPort<Option<Intent>>),
    /// Somebody answers what waits for a yes: its name, yes or no, who, and the PIN that is wanted.
    Decide(String, Decision, Answerer, Pin, RpcReplyPort<Result<IntentId, Refusal>>),
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
    /// Whether the actor still does what it is told.
    Alive(RpcReplyPort<()>),
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
    /// What the broker tells by itself.
    pub stream: StreamHandle,
    /// The lines of market data.
    pub market: MarketHandle,
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

/// What the actor keeps, each part in the hands of who changes it.
#[derive(Debug)]
pub struct State {
    board: Board,
    changes: sync_watch::Sender<u64>,
    broker: Broker,
    controls: Controls,
    ledger: Ledger,
    lane: Lane,
    approvals: Approvals,
    watch: Watch,
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
                let _ = reply.send(state.ledger.known(&key, token.as_deref()));
            }
            Msg::Look(id, reply) => {
                let _ = reply.send(state.ledger.book.latest(id).cloned());
            }
            Msg::OfOrder(order_id, reply) => {
                let _ = reply.send(state.ledger.book.by_order(order_id).cloned());
            }
            Msg::LastChange(order_id, reply) => {
                let _ = reply.send(state.ledger.book.last_change(order_id).cloned());
            }
            Msg::Withdraw(id, reply) => {
                let _ = reply.send(state.withdraw(&me, id).await);
            }
            Msg::Decide(name, decision, who, pin, reply) => {
                let _ = reply.send(state.decide(&me, &name, decision, who, &pin).await);
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
            Msg::FeedBroke => state.watch.wants_look |= state.has_open(),
            Msg::Recent(reply) => {
                let _ = reply.send(state.recent());
            }
            Msg::Session(lease) => state.session_changed(&me, lease),
            Msg::Tick => state.tick(&me).await,
            Msg::HasPin(has_pin) => {
                state.approvals.has_pin = has_pin;
                state.publish();
            }
            Msg::Peek => state.peek_now(&me),
            Msg::Alive(reply) => _ = reply.send(()),
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Msg>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        // What is on the wire may arrive all the same; the next daemon finds out what became of it.
        state.watch.stop();
        state.lane.stop();
        state.tasks.drain(..).for_each(|task| task.abort());
        Ok(())
    }
}

impl State {
    fn begin(arguments: Arguments, me: &ActorRef<Msg>) -> Self {
        let (handle, told) = (arguments.handle, me.clone());
        let tasks = vec![
            tokio::spawn(async move {
                let _ = told.cast(Msg::HasPin(handle.has_pin().await));
            }),
            me.send_interval(faults::scaled(TICK), || Msg::Tick),
            tokio::spawn(each_lease(arguments.board.clone(), {
                let me = me.clone();
                move |lease| me.cast(Msg::Session(lease)).is_ok()
            })),
        ];
        let siblings = siblings::Siblings::beside(&arguments.state, arguments.above.clone());
        let mut ledger = Ledger::open(arguments.folder);
        if let Some(why) = arguments.stay_closed {
            ledger.journal = Err(why);
        }
        Self {
            broker: Broker {
                board: arguments.board.clone(),
                session: arguments.session,
                stream: arguments.stream,
                market: arguments.market,
                feeds: arguments.feeds,
                ready: None,
            },
            board: arguments.board,
            changes: arguments.changes,
            controls: Controls::new(arguments.settings, arguments.flags, siblings),
            ledger,
            lane: Lane::default(),
            approvals: Approvals::new(pins::Pins::above(&arguments.above)),
            watch: Watch::default(),
            tasks,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    pub(crate) use super::guardrails::tests::order;
}
