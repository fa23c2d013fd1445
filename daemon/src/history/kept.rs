//! Bars of finished days on the disk: the same question asked again costs nothing, a longer one its missing part.
//! All of it can be had again, so it may be lost.

use std::sync::PoisonError;
use std::time::Duration;

use ibd_cpapi::Failure;
use ibd_cpapi::history::{GetHistory, History, MAX_BARS};
use ibd_cpapi::id::Conid;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::stretch::{Adjusted, Days, Kept, Stretch, finished, merged, missing};
use super::{Histories, Span, Told};
use crate::session::Lease;
use crate::store::Store;

/// All that is kept takes at most so many bytes.
const MOST: usize = 32 << 20;
/// What nobody asked for in so long is not worth a check.
const MEMORY: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// Corrections and delayed prices come in for some time after the end of a day.
const SETTLED: SignedDuration = SignedDuration::from_hours(6);
/// Where the list of what is kept stands.
const LIST: &str = "bars";

/// Which bars, of whatever days.
#[derive(Debug, Clone)]
pub struct Series {
    /// Of which contract.
    pub conid: Conid,
    /// Of what length; of a day at most, for longer ones begin where the question does.
    pub bar: Span,
    /// Also outside regular trading hours.
    pub outside_rth: bool,
    /// The exchange's.
    pub zone: TimeZone,
}

/// What is kept, the one that was written longest ago first.
#[derive(Debug, Default, Serialize, Deserialize)]
struct List(Vec<(String, usize)>);

impl Histories {
    /// The bars of these days, as far as they are over out of what is kept.
    pub async fn between(
        &self,
        lease: &Lease,
        store: &Store,
        series: &Series,
        days: Days,
        deadline: Instant,
    ) -> Result<Told, Failure> {
        let key = series.key();
        let kept = store.recall::<Stretch>(&key, MEMORY);
        let begun = Timestamp::now();
        let parts = missing(kept.as_ref(), days, begun);
        let mut kept = kept.filter(|_| parts != [days]);
        let mut told = Vec::new();
        for part in parts {
            let (came, history) = series.ask(lease, part, deadline).await?;
            match merged(kept.take(), part, came, begun) {
                Ok(all) => kept = Some(all),
                Err(Adjusted) => {
                    let (came, history) = series.ask(lease, days, deadline).await?;
                    kept = merged(None, days, came, begun).ok();
                    told = vec![history];
                    break;
                }
            }
            told.push(history);
        }
        let is_whole = told
            .iter()
            .all(|history: &History| history.data.is_whole() && history.data.len() < MAX_BARS);
        let Some(all) = kept else {
            return Ok(Told { history: History::default().into(), at: begun });
        };
        if is_whole && !told.is_empty() {
            self.keep(store, &key, finished(&all, series.last_finished(begun)));
        }
        Ok(Told { at: all.checked, history: answer(&all, days, told).into() })
    }

    fn keep(&self, store: &Store, key: &str, stretch: Option<Stretch>) {
        let Some(stretch) = stretch else { return };
        let _alone = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        // What cannot be written is asked for again.
        let Ok(bytes) = store.remember(key, &stretch) else { return };
        let List(mut list) = store.recall(LIST, MEMORY).unwrap_or_default();
        list.retain(|(other, _)| other != key);
        list.push((key.to_owned(), bytes));
        while list.len() > 1 && list.iter().map(|(_, bytes)| bytes).sum::<usize>() > MOST {
            let (oldest, _) = list.remove(0);
            let _ = store.forget(&oldest);
        }
        let _ = store.remember(LIST, &List(list));
    }
}

impl Series {
    fn key(&self) -> String {
        let hours = if self.outside_rth { "all" } else { "rth" };
        format!("{LIST}/{}/{}/{hours}", self.conid, self.bar)
    }

    /// The last day of which no bar changes any more.
    fn last_finished(&self, now: Timestamp) -> Date {
        let settled = now.checked_sub(SETTLED).unwrap_or(now).to_zoned(self.zone.clone()).date();
        settled.checked_sub(1.day()).unwrap_or(settled)
    }

    async fn ask(
        &self,
        lease: &Lease,
        days: Days,
        deadline: Instant,
    ) -> Result<(Vec<Kept>, History), Failure> {
        let now = Timestamp::now();
        let end = end_of(days.last, now);
        let request = GetHistory {
            conid: self.conid,
            period: Span::back_to(days.first, end.unwrap_or(now)).to_string(),
            bar: self.bar.to_string(),
            outside_rth: self.outside_rth,
            end,
        };
        let history = lease.client().ask(&request, deadline).await?.value;
        let day = |time| self.bar.day_of(time, &self.zone);
        let bars = history.data.iter().filter_map(|bar| Kept::of(bar, day)).collect();
        Ok((bars, history))
    }
}

/// The moment at which a question for this last day ends; now where it is not over. A day ends somewhere within half
/// a day around midnight in UTC: what is too much is left out afterwards.
pub fn end_of(day: Date, now: Timestamp) -> Option<Timestamp> {
    let midnight = day.checked_add(1.day()).ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
    midnight.checked_add(12.hours()).ok().filter(|end| *end < now)
}

/// The bars of these days as one reply; what else the newest reply said stands in it.
fn answer(all: &Stretch, days: Days, mut told: Vec<History>) -> History {
    let mut history = told.pop().unwrap_or_default();
    for other in told {
        history.data.extend(other.data);
    }
    let bars = all.bars.iter().filter(|bar| days.contains(bar.day())).map(Kept::bar).collect();
    History { data: history.data.with_rows(|_| bars), ..history }
}
