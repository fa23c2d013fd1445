//! The market: owns the lines of market data, one upstream subscription per contract, however many ask.
//!
//! A contract that somebody asks for is subscribed to on the stream and asked for once by snapshot, which is the cold
//! start and the fallback. What the stream tells is kept, so that whoever asks again is answered out of memory, until
//! nobody has asked for some minutes, the stream breaks, or it has been silent about the contract for too long.

mod lines;
mod quote;
mod snapshot;

use std::collections::BTreeMap;
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
use tokio::time::{Duration, Instant};

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
        let since = Instant::now().into_std();
        let mut open = self.begin(lease, wanted, freshness);
        // What was told to this call is told by it, also where another one took the line meanwhile.
        let mut asked: BTreeMap<Conid, Row> = BTreeMap::new();
        let (mut looks, mut heard) = (0, self.shared.heard.subscribe());
        while !open.is_empty() {
            looks += 1;
            for some in open.chunks(MAX_CONIDS) {
                let conids = some.iter().map(|wanted| wanted.conid).collect();
                let rows = snapshot::ask(lease, conids, QUOTED, deadline).await?;
                for row in &rows {
                    match asked.get_mut(&row.conid) {
                        Some(known) => known.merge(row.clone()),
                        None => _ = asked.insert(row.conid, row.clone()),
                    }
                }
                self.shared.hear(rows, Source::Snapshot);
            }
            let next = Instant::now() + faults::scaled(BETWEEN_LOOKS);
            loop {
                match freshness {
                    Freshness::Streamed => self.retain_unsettled(&mut open, looks, since),
                    // What was known before proves nothing here.
                    Freshness::Asked => {
                        open.retain(|one| !is_settled(one, asked.get(&one.conid), looks));
                    }
                }
                let is_over = open.is_empty() || next > patience;
                let look = tokio::time::timeout_at(next, heard.changed());
                if is_over || look.await.is_err() {
                    break;
                }
            }
            if next > patience {
                break;
            }
        }
        let (lines, now) = (self.shared.lines(), Instant::now().into_std());
        let rows = wanted.iter().filter_map(|one| match freshness {
            Freshness::Streamed => lines.row(one.conid).or(asked.get(&one.conid)),
            Freshness::Asked => asked.get(&one.conid),
        });
        let oldest = wanted.iter().filter_map(|one| lines.heard_at(one.conid)).min();
        let age = oldest.and_then(|at| SignedDuration::try_from(now.duration_since(at)).ok());
        let as_of = age.and_then(|age| Timestamp::now().checked_sub(age).ok());
        Ok(Rows { rows: rows.map(|row| (row.conid, row.clone())).collect(), as_of })
    }

    /// What is known of companies and contracts beside their prices ([`PORTRAIT`]): by snapshot, twice where the first
    /// look is too early.
    pub async fn portraits(
        &self,
        lease: &Lease,
        conids: &[Conid],
        deadline: Instant,
    ) -> Result<BTreeMap<Conid, Row>, Failure> {
        let mut rows: BTreeMap<Conid, Row> = BTreeMap::new();
        for look in 0..if conids.is_empty() { 0 } else { 2 } {
            if look > 0 {
                tokio::time::sleep(faults::scaled(BETWEEN_LOOKS)).await;
            }
            for some in conids.chunks(MAX_CONIDS) {
                for row in snapshot::ask(lease, some.to_vec(), PORTRAIT, deadline).await? {
                    match rows.get_mut(&row.conid) {
                        Some(known) => known.merge(row),
                        None => _ = rows.insert(row.conid, row),
                    }
                }
            }
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

    /// Keeps what has not been told since a call began, or not in full.
    fn retain_unsettled(&self, open: &mut Vec<Wanted>, looks: u32, since: std::time::Instant) {
        let lines = self.shared.lines();
        open.retain(|wanted| {
            let is_told = lines.heard_at(wanted.conid).is_some_and(|at| at >= since);
            !is_told || !is_settled(wanted, lines.row(wanted.conid), looks)
        });
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
