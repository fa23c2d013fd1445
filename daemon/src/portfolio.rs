//! Accounts, values and positions: the recipes over `/portfolio` and the account's P&L.

use ibd_cpapi::accounts::{GetPnl, Pnl, PnlPartitioned};
use ibd_cpapi::faults;
use ibd_cpapi::id::AccountId;
use ibd_cpapi::portfolio::{
    Account, GetAccounts, GetLedger, GetPositions, GetSummary, Ledger, PAGE, Position, Summary,
};
use ibd_cpapi::{Answer, Failure};
use jiff::Timestamp;
use tokio::time::{Duration, Instant};

use crate::refusal::Refusal;
use crate::session::Lease;

/// No account has more positions than this many pages hold; a server that pages for ever is broken.
const MAX_PAGES: usize = 200;

/// The account a call means: the one it names, else the configured one, else the only one.
pub fn pick(
    named: Option<&AccountId>,
    configured: Option<&AccountId>,
    accounts: &[AccountId],
) -> Result<AccountId, Refusal> {
    let list = accounts.iter().map(AccountId::as_str);
    match (named.or(configured), accounts) {
        (Some(account), _) if accounts.contains(account) => Ok(account.clone()),
        (Some(account), _) => Err(Refusal::new(
            "unknown_account",
            format!("The account {account} does not belong to this login."),
            "Use one of the candidates.",
        )
        .at(if named.is_some() { "accountId" } else { "IB_ACCOUNT" })
        .or(list)),
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err(Refusal::new(
            "no_account",
            "The broker lists no account for this login.",
            "Ask the user to look at the login in a browser.",
        )),
        (None, _) => Err(Refusal::new(
            "account_needed",
            "This login has several accounts and the call names none.",
            "Repeat the call with one of the candidates as accountId; ask the user which one is meant.",
        )
        .at("accountId")
        .or(list)),
    }
}

/// Everything about one account.
#[derive(Debug, Clone)]
pub struct Portrait {
    /// Its description.
    pub account: Account,
    /// Its values.
    pub summary: Summary,
    /// Its cash.
    pub ledger: Ledger,
    /// Its P&L, if the broker has it.
    pub pnl: Option<Pnl>,
    /// When the oldest part of this was answered.
    pub at: Timestamp,
}

/// Until the first profit and loss of a session.
const COLD: Duration = Duration::from_secs(8);

/// Everything about some accounts.
pub async fn portraits(
    lease: &Lease,
    wanted: &[AccountId],
    deadline: Instant,
) -> Result<Vec<Portrait>, Failure> {
    let client = lease.client();
    let accounts = client.ask(&GetAccounts, deadline).await?;
    let soon = deadline.min(Instant::now() + COLD);
    let pnl = pnl(lease, soon, deadline).await.ok();
    let mut portraits = Vec::with_capacity(wanted.len());
    for id in wanted {
        let (summary, ledger) =
            (GetSummary { account: id.clone() }, GetLedger { account: id.clone() });
        let (summary, ledger) =
            tokio::try_join!(client.ask(&summary, deadline), client.ask(&ledger, deadline))?;
        let account = accounts.value.iter().find(|account| account.id == *id).cloned();
        portraits.push(Portrait {
            account: account.unwrap_or(Account {
                id: id.clone(),
                title: None,
                currency: None,
                kind: None,
            }),
            pnl: pnl.as_ref().and_then(|pnl| pnl.value.of(id).cloned()),
            at: pnl.as_ref().map_or(summary.at, |pnl| pnl.at).min(summary.at).min(ledger.at),
            summary: summary.value,
            ledger: ledger.value,
        });
    }
    Ok(portraits)
}

/// The P&L of all accounts; the first answer must be there at `soon`.
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

/// All positions of an account, whatever the number of pages.
pub async fn positions(
    lease: &Lease,
    account: &AccountId,
    deadline: Instant,
) -> Result<(Vec<Position>, Timestamp), Failure> {
    let mut all = Vec::new();
    let mut at = Timestamp::now();
    for page in 0..MAX_PAGES {
        let request = GetPositions { account: account.clone(), page };
        let answer = lease.client().ask(&request, deadline).await?;
        let is_last = answer.value.len() < PAGE;
        at = at.min(answer.at);
        all.extend(answer.value);
        if is_last {
            break;
        }
    }
    // Closed positions stay listed with a quantity of zero for the rest of the day.
    all.retain(|position| position.position.is_none_or(|quantity| !quantity.get().is_zero()));
    Ok((all, at))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn id(text: &str) -> AccountId {
        text.parse().unwrap()
    }

    #[test]
    fn an_account_is_never_guessed() {
        let (one, two) = (id("DU1"), id("DU2"));
        let both = [one.clone(), two.clone()];
        assert_eq!(pick(None, None, &both[..1]).unwrap(), one);
        assert_eq!(pick(None, Some(&two), &both).unwrap(), two);
        assert_eq!(pick(Some(&one), Some(&two), &both).unwrap(), one);
        let refusal = pick(None, None, &both).unwrap_err();
        assert_eq!((refusal.error, refusal.candidates.len()), ("account_needed", 2));
        let refusal = pick(Some(&id("U9")), None, &both).unwrap_err();
        assert_eq!(
            (refusal.error, refusal.field.as_deref()),
            ("unknown_account", Some("accountId"))
        );
        assert_eq!(pick(None, None, &[]).unwrap_err().error, "no_account");
    }
}
