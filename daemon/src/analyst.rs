//! Portfolio Analyst: what IBKR tells once in fifteen minutes, kept on the disk, so that whoever asks meanwhile, of this
//! daemon or the next, is told the same and when IBKR gave it.

mod dealt;

use std::sync::Arc;
use std::time::Duration;

use ibd_cpapi::Failure;
use ibd_cpapi::analyst::{GetAllPeriods, GetPerformance, GetTransactions, Period, Track};
use ibd_cpapi::id::{AccountId, Conid};
use ibd_protocol::ErrorCode;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout_at};

use crate::contracts;
use crate::refusal::{Refusal, Unserved};
use crate::session::Lease;
use crate::store::Store;
pub use dealt::{Deal, Dealt, Gain, Sum};

/// For so long IBKR gives nothing newer.
const CURRENT: SignedDuration = SignedDuration::from_mins(15);
/// What is older is not told, also where nothing newer can be had.
const MEMORY: Duration = Duration::from_secs(24 * 60 * 60);
/// So many days of transactions are asked for at least: who asks for more a moment later cannot ask IBKR again.
const DAYS: u32 = 366;

/// What IBKR told, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told<T> {
    /// When it gave this.
    pub at: Timestamp,
    /// What it told.
    pub value: T,
    /// Why nothing newer could be had, where this is no longer current.
    #[serde(skip)]
    pub stale: Option<String>,
}

impl<T> Told<T> {
    /// What was told just then.
    pub fn new(at: Timestamp, value: T) -> Self {
        Self { at, value, stale: None }
    }

    /// Whether IBKR would give nothing newer now.
    fn is_current(&self, now: Timestamp) -> bool {
        let age = now.duration_since(self.at);
        age < CURRENT && age >= SignedDuration::ZERO
    }

    /// How old it is, in seconds.
    pub fn age(&self, now: Timestamp) -> u64 {
        u64::try_from(now.duration_since(self.at).as_secs()).unwrap_or(0)
    }
}

/// Whom a question is about, and how it can be asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The session.
    pub lease: &'a Lease,
    /// Where answers are kept.
    pub store: &'a Store,
    /// Whose.
    pub account: &'a AccountId,
    /// When the caller stops waiting.
    pub deadline: Instant,
}

/// Which transactions.
#[derive(Debug, Clone)]
pub struct Dealing {
    /// In which contract.
    pub conid: Conid,
    /// How far back, in days.
    pub days: u32,
    /// The last day that is asked about.
    pub to: Date,
    /// The account's base currency, if it is known.
    pub base: Option<String>,
}

/// One question at a time: who comes second is told what the first one was. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Analyst {
    turn: Arc<Mutex<()>>,
}

impl Analyst {
    /// How an account did over a period. IBKR is asked for that period alone; for another one meanwhile, for all of
    /// them, which is another endpoint with a limit of its own.
    pub async fn performance(
        &self,
        question: Question<'_>,
        period: Period,
    ) -> Result<Told<Track>, Unserved> {
        let _alone = self.turn(question.deadline).await?;
        let key = question.period_key(question.account, period);
        let kept: Option<Told<Track>> = question.recall(&key);
        if let Some(told) = kept.as_ref().filter(|told| told.is_current(Timestamp::now())) {
            return Ok(told.clone());
        }
        let client = question.lease.client();
        let mut why = Why::Busy;
        if client.opens::<GetPerformance>().is_none() {
            match question.one_period(period).await {
                Ok(Some(track)) => return Ok(question.remember(&key, track)),
                Ok(None) => why = Why::Nothing,
                Err(failure) => why = Why::Failed(its_own(failure)?),
            }
        }
        // A second refusal for the rate would close everything.
        if !why.is_of_rate() && client.opens::<GetAllPeriods>().is_none() {
            match question.all_periods(period).await {
                Ok(Some(track)) => return Ok(track),
                Ok(None) => why = Why::Nothing,
                Err(failure) => why = Why::Failed(its_own(failure)?),
            }
        }
        let opens = client.opens::<GetPerformance>().min(client.opens::<GetAllPeriods>());
        why.instead(kept, opens, "performance of this account and period")
    }

    /// What was dealt in a contract.
    pub async fn transactions(
        &self,
        question: Question<'_>,
        dealing: &Dealing,
    ) -> Result<Told<Dealt>, Unserved> {
        let _alone = self.turn(question.deadline).await?;
        let key = question.key(&format!("transactions/{}", dealing.conid), question.account);
        let kept: Option<Told<Dealt>> = question.recall(&key);
        let is_enough = |told: &&Told<Dealt>| {
            told.is_current(Timestamp::now()) && told.value.days >= dealing.days
        };
        if let Some(told) = kept.as_ref().filter(is_enough) {
            return Ok(told.clone());
        }
        let client = question.lease.client();
        let mut why = Why::Busy;
        if client.opens::<GetTransactions>().is_none() {
            match question.dealt(dealing).await {
                Ok(told) => return Ok(question.remember(&key, told)),
                Err(failure) => why = Why::Failed(its_own(failure)?),
            }
        }
        let opens = client.opens::<GetTransactions>();
        // What ends before it begins says nothing of these days.
        let kept = kept.filter(|told| told.value.first(contracts::day_of(told.at)) <= dealing.to);
        why.instead(kept, opens, "transactions of these days in this contract")
    }

    async fn turn(&self, deadline: Instant) -> Result<MutexGuard<'_, ()>, Failure> {
        timeout_at(deadline, self.turn.lock()).await.map_err(|_| Failure::Queued)
    }
}

impl Question<'_> {
    async fn one_period(self, period: Period) -> Result<Option<Told<Track>>, Failure> {
        let request = GetPerformance { account: self.account.clone(), period };
        let answer = self.lease.client().ask(&request, self.deadline).await?;
        let track = answer.value.track(self.account);
        Ok(track.map(|value| Told::new(answer.at, value)))
    }

    /// All periods of all accounts are kept, and the one that is meant is told.
    async fn all_periods(self, period: Period) -> Result<Option<Told<Track>>, Failure> {
        let request = GetAllPeriods { accounts: self.lease.facts().accounts.clone() };
        let answer = self.lease.client().ask(&request, self.deadline).await?;
        let mut meant = None;
        for account in &request.accounts {
            for (each, value) in answer.value.tracks(account) {
                let key = self.period_key(account, each);
                let told = self.remember(&key, Told::new(answer.at, value));
                if account == self.account && each == period {
                    meant = Some(told);
                }
            }
        }
        Ok(meant)
    }

    async fn dealt(self, dealing: &Dealing) -> Result<Told<Dealt>, Failure> {
        let request = GetTransactions {
            account: self.account.clone(),
            conid: dealing.conid,
            currency: dealing.base.clone(),
            days: dealing.days.max(DAYS),
        };
        let answer = self.lease.client().ask(&request, self.deadline).await?;
        let value = Dealt::of(answer.value, self.account, request.days);
        Ok(Told::new(answer.at, value))
    }

    fn period_key(self, account: &AccountId, period: Period) -> String {
        self.key(&format!("performance/{}", period.as_str()), account)
    }

    /// An account is the same for whoever may see it, and another one at another server.
    fn key(self, what: &str, account: &AccountId) -> String {
        format!("analyst/{}{account}/{what}", self.lease.client().url())
    }

    fn recall<T: DeserializeOwned>(self, key: &str) -> Option<Told<T>> {
        self.store.recall(key, MEMORY)
    }

    /// What cannot be written is asked for again.
    fn remember<T: Serialize>(self, key: &str, told: Told<T>) -> Told<T> {
        if let Err(error) = self.store.remember(key, &told) {
            tracing::warn!(%error, "what IBKR's Portfolio Analyst told could not be kept");
        }
        told
    }
}

/// A failure of this one endpoint, after which another one may help; any other ends the call.
fn its_own(failure: Failure) -> Result<Failure, Failure> {
    match failure {
        Failure::Refused { .. }
        | Failure::Trouble { .. }
        | Failure::Garbled { .. }
        | Failure::RateLimited(_) => Ok(failure),
        other => Err(other),
    }
}

/// Why nothing is known.
#[derive(Debug)]
enum Why {
    /// IBKR was asked something else lately.
    Busy,
    /// It answered, and said nothing of it.
    Nothing,
    /// It did not answer.
    Failed(Failure),
}

impl Why {
    fn is_of_rate(&self) -> bool {
        matches!(self, Self::Failed(Failure::RateLimited(_)))
    }

    /// What was told before, saying why it is not newer; an error where nothing was.
    fn instead<T>(
        self,
        kept: Option<Told<T>>,
        opens: Option<Timestamp>,
        what: &str,
    ) -> Result<Told<T>, Unserved> {
        let Some(kept) = kept else { return Err(self.told(opens, what)) };
        let stale = match self {
            Self::Busy => {
                "IBKR answers once in fifteen minutes and was asked another question".into()
            }
            Self::Nothing => format!("IBKR gives no {what} now"),
            Self::Failed(failure) => failure.to_string(),
        };
        Ok(Told { stale: Some(stale), ..kept })
    }

    /// The same to whoever asked; `opens`: from when on IBKR may be asked.
    fn told(self, opens: Option<Timestamp>, what: &str) -> Unserved {
        let refusal = match self {
            Self::Failed(failure) => Refusal::from(failure),
            Self::Nothing => Refusal::new(
                ErrorCode::NoData,
                format!("IBKR gave no {what}."),
                "Ask the user whether the account is new; ask_flex knows more of the past.",
            ),
            Self::Busy => Refusal::new(
                ErrorCode::RateLimited,
                format!(
                    "IBKR answers this once in fifteen minutes and was asked another question: its {what} is not known."
                ),
                "Ask again at retryAt; until then answer from what is known.",
            ),
        };
        match (opens, refusal.retry_at) {
            (Some(opens), None) => refusal.until(opens).into(),
            _ => refusal.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn what_ibkr_told_is_current_for_fifteen_minutes() {
        let now: Timestamp = "2026-11-02T15:30:00Z".parse().unwrap();
        for (at, is_current) in [
            ("2026-11-02T15:30:00Z", true),
            ("2026-11-02T15:15:01Z", true),
            ("2026-11-02T15:15:00Z", false),
            // A clock that was set back says nothing.
            ("2026-11-02T15:31:00Z", false),
        ] {
            let told = Told::new(at.parse().unwrap(), ());
            assert_eq!(told.is_current(now), is_current, "{at}");
        }
    }

    #[test]
    fn what_was_told_before_says_why_it_is_not_newer() {
        let at: Timestamp = "2026-11-02T15:00:00Z".parse().unwrap();
        let trouble = || Why::Failed(Failure::Trouble { status: 503, text: "odd".into() });
        for (why, said) in
            [(Why::Busy, "fifteen minutes"), (Why::Nothing, "gives no it"), (trouble(), "503")]
        {
            let Ok(told) = why.instead(Some(Told::new(at, 7)), None, "it") else {
                panic!("it is known")
            };
            assert_eq!((told.at, told.value), (at, 7));
            assert!(told.stale.as_ref().unwrap().contains(said), "{:?}", told.stale);
        }
    }

    #[test]
    fn who_cannot_be_answered_is_told_why_and_from_when_on() {
        let opens: Timestamp = "2026-11-02T15:45:00Z".parse().unwrap();
        let trouble = || Why::Failed(Failure::Trouble { status: 503, text: "odd".into() });
        for (why, opens, error) in [
            (Why::Busy, Some(opens), ErrorCode::RateLimited),
            (Why::Nothing, Some(opens), ErrorCode::NoData),
            (trouble(), Some(opens), ErrorCode::BrokerTrouble),
            (trouble(), None, ErrorCode::BrokerTrouble),
        ] {
            let Unserved::Refused(refusal) = why.told(opens, "it") else { panic!("{error}") };
            assert_eq!((refusal.error, refusal.retry_at), (error, opens));
        }
    }
}
