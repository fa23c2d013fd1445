//! Accounts, values and positions: the recipes over `/portfolio` and the account's P&L.

mod pick;
mod valued;

use std::collections::BTreeSet;

use ibd_cpapi::accounts::{GetPnl, Pnl, PnlPartitioned};
use ibd_cpapi::faults;
use ibd_cpapi::id::{AccountId, Conid};
use ibd_cpapi::portfolio::{
    Account, GetAccounts, GetLedger, GetPositions, GetSummary, Ledger, Position, Summary,
};
use ibd_cpapi::rows::{Rows, Unread};
use ibd_cpapi::{Answer, Failure};
use jiff::Timestamp;
use rust_decimal::Decimal;
use tokio::time::{Duration, Instant};

use crate::session::Lease;
pub use pick::{pick, pick_to_trade};
pub use valued::{Base, Sums, Valued};

/// Pages of positions have at least so many rows, but for the last.
const SMALLEST_PAGE: usize = 30;
/// No account has more positions than this many pages hold; a server that pages for ever is broken.
const MAX_PAGES: usize = 200;

/// Everything about one account.
#[derive(Debug, Clone)]
pub struct Portrait {
    /// Its description.
    pub account: Account,
    /// Its values.
    pub summary: Summary,
    /// Its cash.
    pub ledger: Ledger,
    /// What could not be read of it, a sentence each.
    pub not_read: Vec<String>,
    /// Its P&L, if the broker has it.
    pub pnl: Option<Pnl>,
    /// When the oldest part of this was answered.
    pub at: Timestamp,
}

/// Until the first profit and loss of a session.
const COLD: Duration = Duration::from_secs(8);

/// What becomes of the whole where a part fails in a way that casts doubt on the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubtful {
    /// It fails with it: the session is looked at first. During IBKR's maintenance most of an account can be read, and
    /// what cannot is what shows it.
    Fails,
    /// The session was looked at: it is the part's own trouble, and is said beside the rest.
    IsSaid,
}

/// Everything about some accounts, part by part: what cannot be read is said beside the rest. It fails where no figure
/// at all could be read, and as [`Doubtful`] says.
pub async fn portraits(
    lease: &Lease,
    (wanted, doubtful): (&[AccountId], Doubtful),
    deadline: Instant,
) -> Result<Vec<Portrait>, Failure> {
    let client = lease.client();
    let mut parts = Parts::default();
    let known = client.ask(&GetAccounts, deadline).await;
    let known = parts.read("The account's description", known);
    // Whose an account is, which may be remembered, is no figure.
    parts.at = None;
    let soon = deadline.min(Instant::now() + COLD);
    let pnl = parts.read("Today's P&L", pnl(lease, soon, deadline).await);
    let (shared, mut portraits) = (std::mem::take(&mut parts.not_read), Vec::new());
    for id in wanted {
        let (summary, ledger) =
            (GetSummary { account: id.clone() }, GetLedger { account: id.clone() });
        let (summary, ledger) =
            tokio::join!(client.ask(&summary, deadline), client.ask(&ledger, deadline));
        let summary = parts.read("The account's values", summary).unwrap_or_default();
        let ledger = parts.read("Its cash by currency", ledger).unwrap_or_default();
        if pnl.as_ref().is_some_and(|pnl| pnl.of(id).is_none()) {
            parts.not_read.push("Today's P&L: IBKR gave none of this account.".to_owned());
        }
        parts.tell(summary.unread());
        parts.tell(ledger.unread());
        let listed = known.iter().flatten().find(|account| account.id == *id);
        // An adviser's clients are listed elsewhere, when a session begins.
        let description = listed.or_else(|| lease.facts().described(id)).cloned();
        portraits.push(Portrait {
            account: description.unwrap_or(Account {
                id: id.clone(),
                title: None,
                currency: None,
                kind: None,
            }),
            pnl: pnl.as_ref().and_then(|pnl| pnl.of(id)),
            at: parts.at.unwrap_or_else(Timestamp::now),
            summary,
            ledger,
            not_read: shared.iter().cloned().chain(parts.not_read.drain(..)).collect(),
        });
    }
    let is_doubtful = |failure: &Failure| doubtful == Doubtful::Fails && failure.casts_doubt();
    match parts.failed.filter(|failure| parts.at.is_none() || is_doubtful(failure)) {
        Some(failure) => Err(failure),
        None => Ok(portraits),
    }
}

/// What was read of several replies, and what was not.
#[derive(Debug, Default)]
struct Parts {
    /// When the oldest that could be read was given.
    at: Option<Timestamp>,
    not_read: Vec<String>,
    failed: Option<Failure>,
}

impl Parts {
    fn read<T>(&mut self, what: &str, answer: Result<Answer<T>, Failure>) -> Option<T> {
        match answer {
            Ok(answer) => {
                self.at = Some(self.at.map_or(answer.at, |at| at.min(answer.at)));
                Some(answer.value)
            }
            Err(failure) => {
                self.not_read.push(format!("{what} could not be read: {failure}."));
                // One that casts doubt says more than those that came after it.
                if !self.failed.as_ref().is_some_and(Failure::casts_doubt) {
                    self.failed = Some(failure);
                }
                None
            }
        }
    }

    fn tell(&mut self, unread: &[Unread]) {
        self.not_read.extend(unread.iter().map(Unread::to_string));
    }
}

/// The P&L of the selected account; the first answer must be there at `soon`.
pub async fn pnl(
    lease: &Lease,
    soon: Instant,
    deadline: Instant,
) -> Result<Answer<PnlPartitioned>, Failure> {
    let first = lease.client().ask(&GetPnl, soon).await?;
    if !first.value.upnl.is_empty() {
        return Ok(first);
    }
    // The first call of a session only starts it; its own limit allows another in five seconds.
    tokio::time::sleep(faults::scaled(Duration::from_millis(5_050))).await;
    lease.client().ask(&GetPnl, deadline).await
}

/// An account's ledger, and when it was given.
#[derive(Debug, Clone)]
pub struct LedgerOf {
    /// The ledger.
    pub ledger: Ledger,
    /// The account's base currency, if IBKR says it: without it this is the same ledger.
    pub base: Option<String>,
    /// When it was given.
    pub at: Timestamp,
}

/// An account's cash by currency, with its base currency.
pub async fn ledger(
    lease: &Lease,
    account: &AccountId,
    deadline: Instant,
) -> Result<LedgerOf, Failure> {
    let request = GetLedger { account: account.clone() };
    let (ledger, base) = tokio::join!(
        lease.client().ask(&request, deadline),
        base_currency(lease, account, deadline),
    );
    let ledger = ledger?;
    Ok(LedgerOf { ledger: ledger.value, base, at: ledger.at })
}

/// The base currency of an account, if IBKR says it.
pub async fn base_currency(
    lease: &Lease,
    account: &AccountId,
    deadline: Instant,
) -> Option<String> {
    let known = || lease.facts().described(account)?.currency.clone();
    let Ok(listed) = lease.client().ask(&GetAccounts, deadline).await else { return known() };
    let own = listed.value.into_iter().find(|one| one.id == *account);
    own.and_then(|own| own.currency).or_else(known)
}

/// All positions of an account, whatever the number of pages.
pub async fn positions(
    lease: &Lease,
    account: &AccountId,
    deadline: Instant,
) -> Result<(Rows<Position>, Timestamp), Failure> {
    let (mut all, mut at, mut first) = (Rows::<Position>::default(), Timestamp::now(), None);
    for page in 0..MAX_PAGES {
        let request = GetPositions { account: account.clone(), page };
        let answer = lease.client().ask(&request, deadline).await?;
        at = at.min(answer.at);
        let count = answer.value.len() + answer.value.unread().len();
        let full = *first.get_or_insert(count);
        let known: BTreeSet<Conid> = all.iter().map(|position| position.conid).collect();
        let mut new = answer.value;
        new.retain(|position| !known.contains(&position.conid));
        let is_last = is_last(count, full, !new.is_empty());
        all.extend(new);
        if is_last {
            break;
        }
    }
    // Closed positions stay listed with a quantity of zero for the rest of the day.
    all.retain(|position| position.position.is_none_or(|quantity| !quantity.get().is_zero()));
    Ok((all, at))
}

/// What an account has left over its maintenance margin, in percent of its net liquidation value; nothing where IBKR
/// does not say.
pub async fn cushion(
    lease: &Lease,
    account: &AccountId,
    deadline: Instant,
) -> Result<Option<Decimal>, Failure> {
    let request = GetSummary { account: account.clone() };
    Ok(cushion_in(&lease.client().ask(&request, deadline).await?.value))
}

/// IBKR gives a share of one. What is more than that is no share, and its unit is not known.
fn cushion_in(summary: &Summary) -> Option<Decimal> {
    let share = summary.get("cushion")?.present()?.get();
    Some(share).filter(|share| share.abs() <= Decimal::ONE)?.checked_mul(Decimal::ONE_HUNDRED)
}

/// Whether nothing comes after a page of so many rows, where the first had `full`. Pages have a hundred rows, or
/// thirty; some servers give the last one again and again.
fn is_last(count: usize, full: usize, has_new: bool) -> bool {
    count < SMALLEST_PAGE || count < full || !has_new
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_cushion_is_a_share_and_told_in_percent() {
        for (row, percent) in [
            (r#"{"amount":0.64,"isNull":false}"#, Some("64")),
            (r#"{"amount":1.0}"#, Some("100")),
            (r#"{"amount":-0.05}"#, Some("-5")),
            (r#"{"amount":64.0}"#, None),
            (r#"{"amount":0.0,"isNull":true}"#, None),
            (r#"{"amount":"odd"}"#, None),
        ] {
            let summary: Summary =
                serde_json::from_str(&format!(r#"{{"cushion":{row}}}"#)).unwrap();
            let told = cushion_in(&summary).map(|percent| percent.normalize().to_string());
            assert_eq!(told.as_deref(), percent, "{row}");
        }
        assert_eq!(cushion_in(&Summary::default()), None);
    }

    #[test]
    fn positions_are_read_to_the_last_page_however_long_pages_are() {
        for (count, full, has_new, last) in [
            (100, 100, true, false),
            (30, 30, true, false),
            (12, 100, true, true),
            (12, 12, true, true),
            (29, 30, true, true),
            // A last page of 40 of pages of 100, or the first of pages of 40: the next one tells.
            (40, 40, true, false),
            (0, 40, false, true),
            (30, 30, false, true),
        ] {
            assert_eq!(is_last(count, full, has_new), last, "{count} of {full}, new: {has_new}");
        }
    }
}
