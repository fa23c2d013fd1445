//! Price histories: the recipe over `/iserver/marketdata/history`, with a short memory.

mod kept;
mod span;
mod stretch;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ibd_cpapi::Failure;
use ibd_cpapi::history::{Bar, GetHistory, History};
use ibd_cpapi::id::Conid;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use tokio::time::Instant;

use crate::session::Lease;
pub use kept::{Series, end_of};
pub use span::Span;
pub use stretch::Days;

/// Histories that are remembered at most.
const REMEMBERED: usize = 100;
/// A history that reaches until now changes with every trade.
const OPEN: Duration = Duration::from_secs(15);
/// One that ended long ago does not change, but for a split.
const ENDED: Duration = Duration::from_secs(60 * 60);
/// Delayed prices come in for some time after the end.
const SETTLED: SignedDuration = SignedDuration::from_hours(6);

/// Which bars.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Asked {
    /// Of which contract.
    pub conid: Conid,
    /// Over how long, as IBKR writes it.
    pub period: String,
    /// Of what length, as IBKR writes it.
    pub bar: String,
    /// Also outside regular trading hours.
    pub outside_rth: bool,
    /// When the period ends; now if left out.
    pub end: Option<Timestamp>,
}

/// What came, and when.
#[derive(Debug, Clone)]
pub struct Told {
    /// The reply.
    pub history: Arc<History>,
    /// When the gateway gave it.
    pub at: Timestamp,
}

/// Histories that were asked for lately, by session. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Histories {
    lately: Arc<Mutex<Memory>>,
    /// Held while the list of what is on the disk is read and written back.
    listing: Arc<Mutex<()>>,
}

type Memory = HashMap<(u64, Asked), (Instant, Told)>;

impl Histories {
    /// The bars of a contract, out of memory where they cannot have changed much.
    pub async fn of(
        &self,
        lease: &Lease,
        asked: Asked,
        deadline: Instant,
    ) -> Result<Told, Failure> {
        let key = (lease.epoch(), asked);
        let settled = Timestamp::now().checked_sub(SETTLED).unwrap_or(Timestamp::MIN);
        let lasts = if key.1.end.is_some_and(|end| end < settled) { ENDED } else { OPEN };
        if let Some((since, told)) = self.lock().get(&key)
            && since.elapsed() < lasts
        {
            return Ok(told.clone());
        }
        let Asked { conid, period, bar, outside_rth, end } = key.1.clone();
        let request = GetHistory { conid, period, bar, outside_rth, end };
        let answer = lease.client().ask(&request, deadline).await?;
        let told = Told { history: Arc::new(answer.value), at: answer.at };
        let mut memory = self.lock();
        memory.retain(|(epoch, _), (since, _)| *epoch == key.0 && since.elapsed() < ENDED);
        if memory.len() >= REMEMBERED {
            let oldest = memory.iter().min_by_key(|(_, (since, _))| *since);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                memory.remove(&oldest);
            }
        }
        memory.insert(key, (Instant::now(), told.clone()));
        Ok(told)
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.lately.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bars put together, so that there are at most so many: how many make one, and these.
pub fn resampled(bars: &[Bar], most: usize) -> (usize, Vec<Bar>) {
    let each = bars.len().div_ceil(most.max(1)).max(1);
    (each, bars.chunks(each).map(together).collect())
}

/// Bars of days as bars of the weeks or months that they are in; what is asked for may begin or end within one.
pub fn by_calendar(bars: &[Bar], length: Span, zone: &TimeZone) -> Vec<Bar> {
    let begin = |bar: &Bar| bar.time.map(|time| length.begin_of(Span::days(1).day_of(time, zone)));
    bars.chunk_by(|one, next| begin(one) == begin(next)).map(together).collect()
}

/// A sum; nothing where there is nothing, or where it is too large to be one.
fn added(mut numbers: impl Iterator<Item = Decimal>) -> Option<Decimal> {
    let first = numbers.next()?;
    numbers.try_fold(first, |sum, one| sum.checked_add(one))
}

/// Several bars as one. What is not known of one is left out of account.
fn together(bars: &[Bar]) -> Bar {
    let volumes = bars.iter().filter_map(|bar| bar.volume.map(|volume| volume.get()));
    Bar {
        time: bars.first().and_then(|bar| bar.time),
        open: bars.iter().find_map(|bar| bar.open),
        high: bars.iter().filter_map(|bar| bar.high).max(),
        low: bars.iter().filter_map(|bar| bar.low).min(),
        close: bars.iter().rev().find_map(|bar| bar.close),
        volume: added(volumes).map(ibd_cpapi::money::Quantity::new),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bars_are_put_together_as_what_they_are() {
        let bars: Vec<Bar> = [(1, "10", "12", "9", "11", "5"), (2, "11", "15", "11", "14", "7")]
            .iter()
            .map(|(t, o, h, l, c, v)| {
                serde_json::from_str(&format!(
                    r#"{{"t":{t},"o":{o},"h":{h},"l":{l},"c":{c},"v":{v}}}"#
                ))
                .unwrap()
            })
            .collect();
        let (each, one) = resampled(&bars, 1);
        let shown = |price: Option<ibd_cpapi::money::Price>| price.unwrap().to_string();
        assert_eq!((each, one.len()), (2, 1));
        assert_eq!(
            [one[0].open, one[0].high, one[0].low, one[0].close].map(shown),
            ["10", "15", "9", "14"]
        );
        assert_eq!(one[0].volume.unwrap().to_string(), "12");
        assert_eq!(resampled(&bars, 2), (1, bars.clone()));
        assert_eq!(resampled(&[], 5), (1, vec![]));
    }

    #[test]
    fn days_are_put_together_by_the_calendar() {
        // From a Thursday on, over a weekend and the end of a month, without a Wednesday.
        let bars: Vec<Bar> = ["10-29", "10-30", "11-02", "11-03", "11-05", "11-09"]
            .iter()
            .map(|day| {
                let at: Timestamp = format!("2026-{day}T14:30:00Z").parse().unwrap();
                let t = at.as_millisecond();
                serde_json::from_str(&format!(r#"{{"t":{t},"o":1,"h":2,"l":1,"c":2,"v":10}}"#))
                    .unwrap()
            })
            .collect();
        let told = |length: &str| {
            let length = Span::period("5y").unwrap().bar(length).unwrap();
            let bars = by_calendar(&bars, length, &TimeZone::UTC);
            let day = |bar: &Bar| bar.time.unwrap().to_zoned(TimeZone::UTC).date().to_string();
            let volume = |bar: &Bar| bar.volume.unwrap().to_string();
            bars.iter().map(|bar| format!("{} {}", day(bar), volume(bar))).collect::<Vec<_>>()
        };
        assert_eq!(told("1w"), ["2026-10-29 20", "2026-11-02 30", "2026-11-09 10"]);
        assert_eq!(told("1m"), ["2026-10-29 20", "2026-11-02 40"]);
    }
}
