//! How others reach the market: quotes out of memory where the stream keeps it true, else asked for until they are warm.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use ibd_cpapi::id::Conid;
use ibd_cpapi::snapshot::{Field, MAX_CONIDS, Row};
use ibd_cpapi::stream::QUOTED;
use ibd_cpapi::{Failure, faults};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::{Duration, Instant, timeout_at};

use super::lines::Source;
use super::snapshot::{self, is_settled};
use super::{Ear, Freshness, PORTRAIT, Rows, Shared, Wanted};
use crate::contracts::Underlyings;
use crate::session::Lease;

/// The first request of a session for a contract only opens its stream.
const BETWEEN_LOOKS: Duration = Duration::from_millis(450);
/// What has not come by then is reported as missing.
const PATIENCE: Duration = Duration::from_millis(3_500);

/// How others reach the market.
#[derive(Debug, Clone, Default)]
pub struct MarketHandle {
    pub(super) shared: Arc<Shared>,
    underlyings: Underlyings,
}

impl MarketHandle {
    /// Which underlyings were searched for.
    pub fn underlyings(&self) -> &Underlyings {
        &self.underlyings
    }

    /// From now on these contracts are followed until others are named, whether anybody asks for them or not.
    pub fn hold(&self, conids: BTreeSet<Conid>) {
        self.shared.lines().hold(conids, Instant::now().into_std());
        self.shared.follow();
    }

    /// Who hears all that is known of a contract that is held, whenever something is told of it. Nothing may be
    /// waited for there; the next one to listen takes its place.
    pub fn listen(&self, ear: impl Fn(Row) + Send + Sync + 'static) {
        let mut place = self.shared.ear.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(Ear(Arc::new(ear)));
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
            self.shared.hear(&rows, Source::Snapshot);
            rows.into_iter().for_each(|row| add(&mut call.asked, row));
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
        let rows = rows.map(|row| (row.conid, row.clone())).collect();
        // One look that fails ends the call: whoever comes here was answered to each of them.
        Rows { rows, as_of, was_asked: call.looks > 0 }
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
        lines.begin(lease.epoch(), now);
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
        Entry::Occupied(mut known) => known.get_mut().merge(&row),
        Entry::Vacant(free) => _ = free.insert(row),
    }
}
