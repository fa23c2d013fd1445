//! The market: owns the lines of market data, one upstream subscription per contract, however many ask.
//!
//! A contract that somebody asks for is subscribed to on the stream and asked for once by snapshot, which is the cold
//! start and the fallback. What the stream tells is kept, so that whoever asks again is answered out of memory, until
//! nobody has asked for some minutes, the stream breaks, or it has been silent about the contract for too long.

mod lines;
mod quote;
mod snapshot;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ibd_cpapi::contracts::SecType;
use ibd_cpapi::id::Conid;
use ibd_cpapi::snapshot::{Field, MAX_CONIDS, Row, Signs};
use ibd_cpapi::stream::{QUOTED, Topic, Update};
use ibd_cpapi::{Failure, faults};
use jiff::{SignedDuration, Timestamp};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant, timeout_at};

use crate::board::Board;
use crate::contracts::Underlyings;
use crate::session::Lease;
use crate::stream::{Heard, StreamHandle, Subscription};
use lines::{Lines, Source};
pub use quote::{Data, LastIs, Quote, Why};
pub use snapshot::gives_nothing;
use snapshot::is_settled;

/// The first request of a session for a contract only opens its stream.
const BETWEEN_LOOKS: Duration = Duration::from_millis(450);
/// What has not come by then is reported as missing.
const PATIENCE: Duration = Duration::from_millis(3_500);
/// How often lines that nobody wants any more are looked for.
const SWEEP: Duration = Duration::from_secs(30);

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
}

impl Rows {
    /// The quote of one of them.
    pub fn quote(&self, conid: Conid, signs: Signs) -> Quote {
        Quote::of(self.rows.get(&conid), signs)
    }
}

/// What handle and actor share.
#[derive(Debug, Default)]
struct Shared {
    lines: Mutex<Lines>,
    /// Counts what was heard, so that who waits can look again.
    heard: watch::Sender<u64>,
    feed: Mutex<Option<Subscription>>,
}

impl Shared {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, rows: impl IntoIterator<Item = Row>, from: Source) {
        let now = Instant::now().into_std();
        let mut lines = self.lines();
        for row in rows {
            lines.heard(row, from, now);
        }
        drop(lines);
        self.heard.send_modify(|count| *count = count.wrapping_add(1));
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

/// How others reach the market.
#[derive(Debug, Clone, Default)]
pub struct MarketHandle {
    shared: Arc<Shared>,
    underlyings: Underlyings,
}

impl MarketHandle {
    /// Which underlyings were searched for.
    pub fn underlyings(&self) -> &Underlyings {
        &self.underlyings
    }

    /// The quotes of some contracts, out of memory where the stream keeps it true, else as warm as they get within a
    /// few seconds.
    pub async fn quotes(
        &self,
        lease: &Lease,
        wanted: &[Wanted],
        freshness: Freshness,
        deadline: Instant,
    ) -> Result<Rows, Failure> {
        let patience = deadline.min(Instant::now() + PATIENCE);
        let mut call = Call {
            freshness,
            since: Instant::now().into_std(),
            open: self.begin(lease, wanted, freshness),
            asked: BTreeMap::new(),
            looks: 0,
        };
        let mut heard = self.shared.heard.subscribe();
        while !call.open.is_empty() && Instant::now() < patience {
            self.look(lease, &mut call, deadline).await?;
            let next = patience.min(Instant::now() + faults::scaled(BETWEEN_LOOKS));
            self.wait(&mut call, &mut heard, next).await;
        }
        Ok(self.told(wanted, &call))
    }

    /// Asks for what is open.
    async fn look(&self, lease: &Lease, call: &mut Call, deadline: Instant) -> Result<(), Failure> {
        call.looks += 1;
        for some in call.open.chunks(MAX_CONIDS) {
            let conids = some.iter().map(|wanted| wanted.conid).collect();
            let rows = snapshot::ask(lease, conids, QUOTED, deadline).await?;
            rows.iter().for_each(|row| add(&mut call.asked, row.clone()));
            self.shared.hear(rows, Source::Snapshot);
        }
        Ok(())
    }

    /// Until nothing is open any more, or it is time for another look.
    async fn wait(&self, call: &mut Call, heard: &mut watch::Receiver<u64>, next: Instant) {
        loop {
            self.settle(call);
            let is_over = call.open.is_empty();
            if is_over || timeout_at(next, heard.changed()).await.is_err() {
                return;
            }
        }
    }

    /// What was told in full since the call began is not open any more.
    fn settle(&self, call: &mut Call) {
        let (looks, since) = (call.looks, call.since);
        match call.freshness {
            Freshness::Streamed => {
                let lines = self.shared.lines();
                call.open.retain(|one| {
                    let is_told = lines.heard_at(one.conid).is_some_and(|at| at >= since);
                    !is_told || !is_settled(one, lines.row(one.conid), looks)
                });
            }
            // What was known before proves nothing here.
            Freshness::Asked => {
                let asked = &call.asked;
                call.open.retain(|one| !is_settled(one, asked.get(&one.conid), looks));
            }
        }
    }

    /// What a call is told. What was answered to it is told by it, also where another one took the line meanwhile.
    fn told(&self, wanted: &[Wanted], call: &Call) -> Rows {
        let (lines, now) = (self.shared.lines(), Instant::now().into_std());
        let rows = wanted.iter().filter_map(|one| match call.freshness {
            Freshness::Streamed => lines.row(one.conid).or(call.asked.get(&one.conid)),
            Freshness::Asked => call.asked.get(&one.conid),
        });
        let oldest = wanted.iter().filter_map(|one| lines.heard_at(one.conid)).min();
        let age = oldest.and_then(|at| SignedDuration::try_from(now.duration_since(at)).ok());
        let as_of = age.and_then(|age| Timestamp::now().checked_sub(age).ok());
        Rows { rows: rows.map(|row| (row.conid, row.clone())).collect(), as_of }
    }

    /// What is known of contracts beside their prices ([`PORTRAIT`]), by snapshot: once more where one of these fields
    /// did not come at once.
    pub async fn portraits(
        &self,
        lease: &Lease,
        conids: &[Conid],
        fields: &[Field],
        deadline: Instant,
    ) -> Result<BTreeMap<Conid, Row>, Failure> {
        let mut rows = BTreeMap::new();
        for some in conids.chunks(MAX_CONIDS) {
            let found = snapshot::ask(lease, some.to_vec(), PORTRAIT, deadline).await?;
            found.into_iter().for_each(|row| add(&mut rows, row));
        }
        let lacks = |row: Option<&Row>| {
            row.is_none_or(|row| fields.iter().any(|field| row.text(*field).is_none()))
        };
        let late: Vec<Conid> =
            conids.iter().copied().filter(|conid| lacks(rows.get(conid))).collect();
        if !late.is_empty() {
            tokio::time::sleep(faults::scaled(BETWEEN_LOOKS)).await;
        }
        for some in late.chunks(MAX_CONIDS) {
            let found = snapshot::ask(lease, some.to_vec(), PORTRAIT, deadline).await?;
            found.into_iter().for_each(|row| add(&mut rows, row));
        }
        Ok(rows)
    }

    /// Takes lines for what is wanted; what must be waited for.
    fn begin(&self, lease: &Lease, wanted: &[Wanted], freshness: Freshness) -> Vec<Wanted> {
        let now = Instant::now().into_std();
        let conids: Vec<Conid> = wanted.iter().map(|one| one.conid).collect();
        let mut lines = self.shared.lines();
        lines.begin(lease.epoch());
        let is_more = lines.want(&conids, now);
        let is_warm = |one: &&Wanted| {
            freshness == Freshness::Streamed
                && lines.is_warm(one.conid, now, |row| is_settled(one, Some(row), snapshot::LOOKS))
        };
        let open = wanted.iter().filter(|one| !is_warm(one)).cloned().collect();
        drop(lines);
        if is_more {
            self.shared.follow();
        }
        open
    }
}

/// A call that waits for quotes.
struct Call {
    freshness: Freshness,
    since: std::time::Instant,
    /// What it waits for.
    open: Vec<Wanted>,
    /// What was answered to it.
    asked: BTreeMap<Conid, Row>,
    looks: u32,
}

/// Adds a row to what was told of its contract before.
fn add(rows: &mut BTreeMap<Conid, Row>, row: Row) {
    match rows.entry(row.conid) {
        Entry::Occupied(mut known) => known.get_mut().merge(row),
        Entry::Vacant(free) => _ = free.insert(row),
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
    leases: JoinHandle<()>,
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
                Heard::Update(Update::Quotes(row)) => shared.hear([row], Source::Stream),
                Heard::Update(_) => {}
                Heard::Gap => shared.lines().gap(),
            }
        });
        *shared.feed.lock().unwrap_or_else(PoisonError::into_inner) = Some(feed);
        shared.follow();
        me.send_interval(SWEEP, || Msg::Sweep);
        let leases = tokio::spawn(crate::session::each_lease(arguments.board, move |lease| {
            me.cast(Msg::Session(lease)).is_ok()
        }));
        Ok(State { shared, leases })
    }

    async fn handle(
        &self,
        _: ActorRef<Msg>,
        msg: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Session(Some(lease)) => state.shared.lines().begin(lease.epoch()),
            // What a session that ended had told says nothing of now.
            Msg::Session(None) => state.shared.lines().gap(),
            Msg::Sweep => state.shared.lines().sweep(Instant::now().into_std()),
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
        // Ends the subscription.
        *state.shared.feed.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }
}
