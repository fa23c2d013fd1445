//! The accounts of a login: what each of the two sides of IBKR lists, put together. An adviser's login lists groups
//! among the accounts that can be traded, and its clients' portfolios only to who asks for them.

use ibd_cpapi::accounts::BrokerageAccounts;
use ibd_cpapi::id::AccountId;
use ibd_cpapi::portfolio::{Account, GetAccounts};
use ibd_cpapi::subaccounts::{GetSubaccountPage, GetSubaccounts, MOST_SUBACCOUNTS};
use ibd_cpapi::{Client, Failure};
use tokio::time::Instant;

use super::Facts;

/// No adviser has more clients than this many pages hold; a server that pages for ever is broken.
const MAX_PAGES: usize = 200;

/// What a login lists. Asking for it is what opens the portfolios at IBKR.
pub(super) async fn listed(
    client: &Client,
    brokerage: &BrokerageAccounts,
    deadline: Instant,
) -> Result<Facts, Failure> {
    let mut portfolio = client.ask(&GetAccounts, deadline).await?.value.into_rows();
    if is_in_tiers(&portfolio, brokerage) {
        match clients(client, deadline).await {
            Ok(more) => portfolio.extend(more),
            // What is listed otherwise works without.
            Err(failure) => tracing::warn!(%failure, "the clients' portfolios could not be listed"),
        }
    }
    Ok(put_together(portfolio, brokerage))
}

/// Whether there is more to list than one call has.
fn is_in_tiers(portfolio: &[Account], brokerage: &BrokerageAccounts) -> bool {
    let is_known = |id: &AccountId| portfolio.iter().any(|account| account.id == *id);
    let names = || brokerage.accounts.iter();
    names().any(|name| brokerage.is_group(name) || !is_known(name))
}

/// All of them, in pages where there are too many for one list.
async fn clients(client: &Client, deadline: Instant) -> Result<Vec<Account>, Failure> {
    let all = client.ask(&GetSubaccounts, deadline).await?.value.into_rows();
    if all.len() < MOST_SUBACCOUNTS {
        return Ok(all);
    }
    let mut all: Vec<Account> = Vec::new();
    for page in 0..MAX_PAGES {
        let rows = client.ask(&GetSubaccountPage { page }, deadline).await?.value.subaccounts;
        let rows = rows.into_rows();
        if rows.iter().all(|row| all.iter().any(|known| known.id == row.id)) {
            break;
        }
        all.extend(rows);
    }
    Ok(all)
}

/// An account is what either side lists and no group is called. What the brokerage does not list is not for trading,
/// unless it lists nothing at all.
fn put_together(portfolio: Vec<Account>, brokerage: &BrokerageAccounts) -> Facts {
    let sorted = |mut ids: Vec<AccountId>| {
        ids.sort();
        ids.dedup();
        ids
    };
    let (groups, traded): (Vec<AccountId>, Vec<AccountId>) =
        brokerage.accounts.iter().cloned().partition(|name| brokerage.is_group(name));
    let seen = || portfolio.iter().map(|account| account.id.clone());
    let accounts = sorted(seen().chain(traded.iter().cloned()).collect());
    let tradable = if traded.is_empty() { accounts.clone() } else { sorted(traded) };
    Facts { accounts, tradable, groups, described: portfolio, ..Facts::default() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn portfolio(ids: &[&str]) -> Vec<Account> {
        let account = |id: &&str| {
            serde_json::from_value(serde_json::json!({ "id": id, "currency": "USD" })).unwrap()
        };
        ids.iter().map(account).collect()
    }

    fn brokerage(accounts: &[&str], profiles: &[&str]) -> BrokerageAccounts {
        let reply = serde_json::json!({ "accounts": accounts, "groups": [], "profiles": profiles });
        serde_json::from_value(reply).unwrap()
    }

    fn texts(ids: &[AccountId]) -> Vec<&str> {
        ids.iter().map(AccountId::as_str).collect()
    }

    #[test]
    fn an_account_is_what_is_listed_and_is_no_group() {
        let table: [[&[&str]; 6]; 6] = [
            [&["U1"], &["U1"], &[], &["U1"], &["U1"], &[]],
            [&["U2", "U1"], &["U1", "U2"], &[], &["U1", "U2"], &["U1", "U2"], &[]],
            // An adviser's own account is seen and not traded.
            [
                &["F1", "U1", "U2"],
                &["All", "U1", "U2", "Growth"],
                &["Growth"],
                &["F1", "U1", "U2"],
                &["U1", "U2"],
                &["All", "Growth"],
            ],
            // Clients whose portfolios could not be listed are accounts all the same.
            [&["F1"], &["All", "U1"], &[], &["F1", "U1"], &["U1"], &["All"]],
            // A brokerage that lists nothing says nothing.
            [&["U1"], &[], &[], &["U1"], &["U1"], &[]],
            [&["U1"], &["All"], &[], &["U1"], &["U1"], &["All"]],
        ];
        for [seen, traded, profiles, accounts, tradable, groups] in table {
            let facts = put_together(portfolio(seen), &brokerage(traded, profiles));
            assert_eq!(texts(&facts.accounts), accounts, "{seen:?} {traded:?}");
            assert_eq!(texts(&facts.tradable), tradable, "{seen:?} {traded:?}");
            assert_eq!(texts(&facts.groups), groups, "{seen:?} {traded:?}");
        }
    }

    #[test]
    fn more_is_asked_for_where_one_list_cannot_have_all() {
        let table: [(&[&str], &[&str], bool); 5] = [
            (&["U1"], &["U1"], false),
            (&["U1", "U2"], &["U1"], false),
            (&["F1"], &["U1"], true),
            (&["F1", "U1"], &["All", "U1"], true),
            (&["U1"], &[], false),
        ];
        for (seen, traded, is_asked) in table {
            let brokerage = brokerage(traded, &[]);
            assert_eq!(is_in_tiers(&portfolio(seen), &brokerage), is_asked, "{seen:?} {traded:?}");
        }
    }
}
