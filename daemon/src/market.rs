//! The market: owns the lines of market data, one upstream subscription per contract, however many ask.
//!
//! A contract that somebody asks for is subscribed to on the stream and asked for once by snapshot, which is the cold
//! start and the fallback. What the stream tells is kept, so that whoever asks again is answered out of memory, until
//! nobody has asked for some minutes, the stream breaks, or it has been silent about the contract for too long. What is
//! held (for alerts) is followed whether anybody asks or not, and whoever holds it hears each word of it.

mod followed;
mod followers;
mod handle;
mod lines;
mod quote;
mod snapshot;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ibd_cpapi::contracts::SecType;
use ibd_cpapi::id::Conid;
use ibd_cpapi::snapshot::{Field, Row, Signs};
use ibd_cpapi::stream::{QUOTED, Topic};
use jiff::Timestamp;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant};

use crate::board::Board;
use crate::session::Lease;
use crate::stream::{Heard, StreamHandle, Subscription};
pub use followed::Followed;
pub use followers::MOST_FOLLOWED;
pub use handle::MarketHandle;
use lines::{Lines, Source};
pub use quote::{Data, LastIs, Quote, Why};
pub use snapshot::gives_nothing;

/// How often lines that nobody wants any more are looked for, and what is followed and silent.
const SWEEP: Duration = Duration::from_secs(30);
/// What a look at that may take.
const LOOK: Duration = Duration::from_secs(20);

/// What a snapshot is asked for beside what the stream tells, for whoever wants to know more of a company.
pub const PORTRAIT: &[Field] = &[
    Field::Last,
    Field::YearHigh,
    Field::YearLow,
    Field::AverageVolume,
    Field::MarketCap,
    Field::PriceEarnings,
    Field::EarningsPerShare,
    Field::DividendYield,
    Field::ExDividend,
    Field::UnderlyingVolatility,
    Field::Shortable,
    Field::BorrowFee,
    Field::FutureOpenInterest,
    Field::OpenInterest,
    Field::PriorClose,
];

/// A contract to be quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Which.
    pub conid: Conid,
    /// Whether it has greeks.
    pub is_option: bool,
}

/// Which prices a kind of contract can have: only of futures, combinations and the like also those below zero.
pub fn signs(kind: Option<&SecType>) -> Signs {
    match kind {
        Some(SecType::Future | SecType::Bag | SecType::Commodity | SecType::Index) => Signs::Any,
        Some(SecType::Other(_)) | None => Signs::Any,
        Some(_) => Signs::Positive,
    }
}

/// How new what is known must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// What the stream told last is what IBKR would say.
    Streamed,
    /// It is asked for now, whatever is known: money depends on it.
    Asked,
}

/// What is known of some contracts.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// By contract; one of which nothing came has no row, or one without data.
    pub rows: BTreeMap<Conid, Row>,
    /// When the one that was heard of longest ago was heard of.
    pub as_of: Option<Timestamp>,
    /// Whether IBKR was asked for any of it just now, and answered; what the stream told before is no answer.
    pub was_asked: bool,
}

impl Rows {
    /// The quote of one of them.
    pub fn quote(&self, conid: Conid, signs: Signs) -> Quote {
        Quote::of(self.rows.get(&conid), signs)
    }
}

/// Counts the news of each contract that is followed.
type Moves = BTreeMap<Conid, watch::Sender<u64>>;

/// What handle and actor share.
#[derive(Debug, Default)]
struct Shared {
    lines: Mutex<Lines>,
    /// Counts what was heard, so that who waits can look again.
    heard: watch::Sender<u64>,
    /// The same of each contract that is followed, when it says something new. Locked before the lines.
    moves: Mutex<Moves>,
    feed: Mutex<Option<Subscription>>,
    /// Whoever hears of what is held.
    ear: Mutex<Option<Ear>>,
}

/// Takes all that is known of a contract that is held, whenever something is told of it.
#[derive(Clone)]
struct Ear(Arc<dyn Fn(Row) + Send + Sync>);

impl fmt::Debug for Ear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ear")
    }
}

impl Shared {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moves(&self) -> MutexGuard<'_, Moves> {
        self.moves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// These may say something else than before: whoever follows them is told.
    fn tell(&self, moved: &[Conid]) {
        if moved.is_empty() {
            return;
        }
        let moves = self.moves();
        for teller in moved.iter().filter_map(|conid| moves.get(conid)) {
            teller.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// The stream broke: of what is followed nobody knows what was missed.
    fn gap(&self) {
        let mut lines = self.lines();
        lines.gap();
        let followed = lines.followers.live();
        drop(lines);
        self.tell(&followed);
    }

    fn hear(&self, rows: &[Row], from: Source) {
        let now = Instant::now().into_std();
        let (mut ended, mut moved, mut held) = (Vec::new(), Vec::new(), Vec::new());
        let mut lines = self.lines();
        for row in rows {
            let conid = row.conid;
            if lines.is_news(row) {
                moved.push(conid);
            }
            let is_held = row.has_data() && lines.is_held(conid);
            if lines.heard(row, from, now) {
                ended.push(conid);
            }
            held.extend(lines.row(conid).filter(|_| is_held).cloned());
        }
        drop(lines);
        self.heard.send_modify(|count| *count = count.wrapping_add(1));
        self.tell(&moved);
        self.tell_held(held);
        if ended.is_empty() {
            return;
        }
        if let Some(feed) = &*self.feed.lock().unwrap_or_else(PoisonError::into_inner) {
            ended.into_iter().for_each(|conid| feed.again(Topic::Quotes { conid }));
        }
    }

    /// Whoever holds contracts hears of them.
    fn tell_held(&self, rows: Vec<Row>) {
        if rows.is_empty() {
            return;
        }
        let ear = self.ear.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(Ear(hear)) = ear {
            for row in rows {
                hear(row);
            }
        }
    }

    /// The stream is told what is followed now.
    fn follow(&self) {
        // Held meanwhile, so that of two calls the later one's wishes are said last.
        let feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(feed) = &*feed {
            let conids = self.lines().conids();
            feed.want(conids.into_iter().map(|conid| Topic::Quotes { conid }).collect());
        }
    }
}

/// What the actor is told.
#[derive(Debug)]
pub enum Msg {
    /// A session began or ended.
    Session(Option<Lease>),
    /// It is time to give up what nobody wants.
    Sweep,
}

/// What the actor is made of.
#[derive(Debug)]
pub struct Arguments {
    /// Where it sees which session there is.
    pub board: Board,
    /// What it listens to.
    pub stream: StreamHandle,
    /// What it shares with whoever asks.
    pub handle: MarketHandle,
}

/// The actor.
#[derive(Debug)]
pub struct Market;

/// What the actor keeps.
#[derive(Debug)]
pub struct State {
    shared: Arc<Shared>,
    lease: Option<Lease>,
    leases: JoinHandle<()>,
    /// At what is followed and silent.
    look: Option<JoinHandle<()>>,
}

impl Actor for Market {
    type Msg = Msg;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        me: ActorRef<Msg>,
        arguments: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let shared = arguments.handle.shared;
        let ear = Arc::downgrade(&shared);
        let feed = arguments.stream.subscribe([], move |heard| {
            let Some(shared) = ear.upgrade() else { return };
            match heard {
                Heard::Quotes(rows) => shared.hear(&rows, Source::Stream),
                Heard::Update(_) => {}
                Heard::Gap => shared.gap(),
            }
        });
        *shared.feed.lock().unwrap_or_else(PoisonError::into_inner) = Some(feed);
        shared.follow();
        me.send_interval(SWEEP, || Msg::Sweep);
        let leases = tokio::spawn(crate::session::each_lease(arguments.board, move |lease| {
            me.cast(Msg::Session(lease)).is_ok()
        }));
        Ok(State { shared, lease: None, leases, look: None })
    }

    async fn handle(
        &self,
        _: ActorRef<Msg>,
        msg: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let now = Instant::now().into_std();
        match msg {
            Msg::Session(Some(lease)) => {
                state.shared.lines().begin(lease.epoch(), now);
                state.lease = Some(lease);
            }
            // What a session that ended had told says nothing of now.
            Msg::Session(None) => {
                state.shared.lines().gap();
                state.lease = None;
            }
            Msg::Sweep => {
                state.shared.lines().sweep(now);
                state.look_at_silent(now);
            }
        }
        state.shared.follow();
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Msg>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.leases.abort();
        if let Some(look) = &state.look {
            look.abort();
        }
        // Ends the subscription.
        *state.shared.feed.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }
}

impl State {
    /// Whoever follows a contract does not ask; a subscription that ended in silence shows only when somebody does.
    fn look_at_silent(&mut self, now: std::time::Instant) {
        let silent = self.shared.lines().silent(now);
        let is_looking = self.look.as_ref().is_some_and(|look| !look.is_finished());
        let Some(lease) = self.lease.clone().filter(|_| !silent.is_empty() && !is_looking) else {
            return;
        };
        let shared = self.shared.clone();
        self.look = Some(tokio::spawn(async move {
            match snapshot::ask(&lease, silent, QUOTED, Instant::now() + LOOK).await {
                Ok(rows) => shared.hear(&rows, Source::Snapshot),
                Err(failure) => tracing::info!(%failure, "what is followed could not be looked at"),
            }
        }));
    }
}
