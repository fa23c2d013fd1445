//! When a contract's market is open, by the broker's schedule of some days around today.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use ibd_cpapi::Failure;
use ibd_cpapi::contracts::{GetSchedule, Hours as Span, Schedule, SecType};
use ibd_cpapi::id::Conid;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Contract, by_conids};
use crate::session::Lease;
use crate::store::Store;

/// A schedule tells some days ahead; a holiday that is announced late is learnt so soon.
const MEMORY: Duration = Duration::from_secs(6 * 60 * 60);
/// So long an order waits for them.
const HASTE: Duration = Duration::from_millis(1_500);
/// So long a quote waits for the hours of its market, which are no part of its price.
const PATIENCE: Duration = Duration::from_secs(3);

/// The trading hours of some days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// The exchange's time zone, as IBKR names it.
    pub zone: Option<String>,
    /// Regular hours, in the order of their beginnings.
    regular: Vec<(Timestamp, Timestamp)>,
    /// All hours.
    extended: Vec<(Timestamp, Timestamp)>,
}

/// Whether a market is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Market {
    /// In regular hours, until then.
    Open(Timestamp),
    /// Before or after them.
    Extended,
    /// Not at all.
    Closed,
}

impl Market {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open(_) => "open",
            Self::Extended => "extended",
            Self::Closed => "closed",
        }
    }
}

impl Hours {
    fn of(schedule: &Schedule) -> Self {
        let days = schedule.schedules.iter().flat_map(|days| days.values());
        let spans = |spans: &[Span]| -> Vec<(Timestamp, Timestamp)> {
            let both = |span: &Span| Some((span.from()?, span.to()?));
            spans.iter().filter_map(both).filter(|(from, to)| from < to).collect()
        };
        let mut hours = Self { zone: schedule.zone.clone(), ..Self::default() };
        for day in days {
            hours.regular.extend(spans(&day.regular));
            hours.extended.extend(spans(&day.extended));
        }
        hours.regular.sort_unstable();
        hours.extended.sort_unstable();
        hours
    }

    /// Whether the market is open at a moment. `None`: nothing is known of that day.
    pub fn at(&self, now: Timestamp) -> Option<Market> {
        let is_in = |(from, to): &&(Timestamp, Timestamp)| *from <= now && now < *to;
        if let Some((_, to)) = self.regular.iter().find(is_in) {
            return Some(Market::Open(*to));
        }
        if self.extended.iter().any(|span| is_in(&span)) {
            return Some(Market::Extended);
        }
        // After the last day that is told nothing is known.
        let last = self.regular.iter().chain(&self.extended).map(|(_, to)| *to).max()?;
        (now < last).then_some(Market::Closed)
    }

    /// When regular hours begin next.
    pub fn opens(&self, now: Timestamp) -> Option<Timestamp> {
        self.regular.iter().map(|(from, _)| *from).find(|from| *from > now)
    }

    /// Regular hours that are not over, the next ones first.
    pub fn next(&self, now: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> + '_ {
        self.regular.iter().copied().filter(move |(_, to)| *to > now)
    }
}

/// Which contracts have one market: stocks of one exchange, and all derivatives of a kind on one symbol.
pub fn market_of(contract: &Contract) -> String {
    let exchange = contract.exchange.as_deref().unwrap_or("-");
    match (&contract.sec_type, &contract.symbol) {
        (Some(SecType::Stock), _) if contract.exchange.is_some() => format!("STK/{exchange}"),
        (Some(kind), Some(symbol)) if kind.is_derivative() => format!("{kind}/{exchange}/{symbol}"),
        _ => format!("conid/{}", contract.conid),
    }
}

/// The hours of a contract's market ([`market_of`]), asked for a few times a day.
pub async fn hours(
    lease: &Lease,
    store: &Store,
    contract: &Contract,
    deadline: Instant,
) -> Result<Hours, Failure> {
    let key = format!("hours/{}/{}", lease.source(), market_of(contract));
    if let Some(known) = store.recall::<Hours>(&key, MEMORY)
        && known.at(Timestamp::now()).is_some()
    {
        return Ok(known);
    }
    let request = GetSchedule { conid: contract.conid };
    let schedule = lease.client().ask(&request, deadline).await?.value;
    let hours = Hours::of(&schedule);
    let _ = store.remember(&key, &hours);
    Ok(hours)
}

/// When the markets of some contracts are open; of one whose hours cannot be read that is not known.
pub async fn of_each(
    lease: &Lease,
    store: &Store,
    contracts: &[Contract],
    deadline: Instant,
) -> Vec<Option<Hours>> {
    let soon = deadline.min(Instant::now() + PATIENCE);
    let mut known: BTreeMap<String, Option<Hours>> = BTreeMap::new();
    // One after the other, and each market once, whether it answers or not.
    for contract in contracts {
        if let Entry::Vacant(free) = known.entry(market_of(contract)) {
            free.insert(hours(lease, store, contract, soon).await.ok());
        }
    }
    contracts.iter().map(|one| known.get(&market_of(one)).cloned().flatten()).collect()
}

/// Whether the markets of some contracts are open now, as far as that is known.
pub async fn open_now(
    lease: &Lease,
    store: &Store,
    contracts: &[Contract],
    deadline: Instant,
) -> BTreeMap<Conid, Market> {
    let hours = of_each(lease, store, contracts, deadline).await;
    let now = Timestamp::now();
    let known = contracts.iter().zip(hours);
    known.filter_map(|(contract, hours)| Some((contract.conid, hours?.at(now)?))).collect()
}

/// The same of contracts of which only the numbers are known.
pub async fn open_now_of(
    lease: &Lease,
    store: &Store,
    conids: &[Conid],
    deadline: Instant,
) -> BTreeMap<Conid, Market> {
    let soon = deadline.min(Instant::now() + PATIENCE);
    let contracts = by_conids(lease, store, conids, soon).await.unwrap_or_default();
    open_now(lease, store, &contracts, soon).await
}

/// The hours that an order goes by: of several contracts those of a market that is closed, else of the first. `None`:
/// they are not known soon enough.
pub async fn of_order(
    lease: &Lease,
    store: &Store,
    conids: &[Conid],
    deadline: Instant,
) -> Option<Hours> {
    let soon = deadline.min(Instant::now() + HASTE);
    let contracts = by_conids(lease, store, conids, soon).await.ok()?;
    let known = of_each(lease, store, &contracts, soon).await;
    let now = Timestamp::now();
    let is_closed = |hours: &&Hours| hours.at(now) == Some(Market::Closed);
    let mut all = known.iter().flatten();
    all.clone().find(is_closed).or_else(|| all.next()).cloned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_market_is_open_by_its_schedule() {
        let schedule: Schedule = serde_json::from_str(
            r#"{"exchange_time_zone":"US/Eastern","schedules":{
                "20261125":{"liquid_hours":[{"opening":1795617000,"closing":1795640400}],
                            "extended_hours":[{"opening":1795597200,"closing":1795654800}]},
                "20261127":{"liquid_hours":[{"opening":1795789800,"closing":1795802400}],"extended_hours":[]}}}"#,
        )
        .unwrap();
        let hours = Hours::of(&schedule);
        let at = |text: &str| hours.at(text.parse().unwrap()).map(Market::as_str);
        for (now, market) in [
            ("2026-11-25T15:00:00Z", Some("open")),
            ("2026-11-25T10:00:00Z", Some("extended")),
            ("2026-11-25T22:00:00Z", Some("extended")),
            // A holiday is not told, and lies between days that are.
            ("2026-11-26T15:00:00Z", Some("closed")),
            ("2026-11-27T15:00:00Z", Some("open")),
            ("2026-11-28T15:00:00Z", None),
        ] {
            assert_eq!(at(now), market, "{now}");
        }
        let opens = hours.opens("2026-11-26T15:00:00Z".parse().unwrap()).unwrap();
        assert_eq!(opens.to_string(), "2026-11-27T14:30:00Z");
    }
}
