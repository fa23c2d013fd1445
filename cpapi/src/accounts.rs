//! The brokerage side of accounts: `/iserver/accounts`, `/iserver/account/pnl/partitioned`.

use std::time::Duration;

use serde::Deserialize;

use crate::endpoint::{Endpoint, Lane, Method, Path};
use crate::id::AccountId;
use crate::lenient;
use crate::money::Amount;
use crate::pace::Window;
use crate::rows::{self, Entries};

/// Must be the first `/iserver` call of every brokerage session.
#[derive(Debug, Clone, Copy)]
pub struct GetBrokerageAccounts;

/// The accounts that this login may trade.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct BrokerageAccounts {
    /// Account ids; logins of advisers also list the pseudo-account `All`.
    #[serde(default, deserialize_with = "lenient::list")]
    pub accounts: Vec<AccountId>,
    /// Whether this is a paper login.
    #[serde(rename = "isPaper", default, deserialize_with = "lenient::opt")]
    pub is_paper: Option<bool>,
    /// What each account can do.
    #[serde(rename = "acctProps", default, deserialize_with = "rows::field")]
    pub props: Entries<AccountProps>,
    /// The account that calls mean which name none.
    #[serde(rename = "selectedAccount", default, deserialize_with = "lenient::opt")]
    pub selected: Option<AccountId>,
}

/// What an account can do. `None`: the server does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct AccountProps {
    /// Parts of a share.
    #[serde(rename = "supportsFractions", default, deserialize_with = "lenient::opt")]
    pub supports_fractions: Option<bool>,
    /// Orders for an amount of money.
    #[serde(rename = "supportsCashQty", default, deserialize_with = "lenient::opt")]
    pub supports_cash_qty: Option<bool>,
}

impl BrokerageAccounts {
    /// What this account can do.
    pub fn props(&self, account: &AccountId) -> AccountProps {
        self.props.get(account.as_str()).copied().unwrap_or_default()
    }
}

impl Endpoint for GetBrokerageAccounts {
    type Reply = BrokerageAccounts;
    const NAME: &'static str = "iserver/accounts";
    const LANE: Lane = Lane::Vital;

    fn path(&self) -> Path {
        Path::new("/iserver/accounts")
    }
}

/// Chooses the account that calls mean which name none: an order's status, trades, profit and loss.
/// `POST /iserver/account`
#[derive(Debug, Clone)]
pub struct SelectAccount {
    /// Which.
    pub account: AccountId,
}

/// The reply: either key says that it is so now.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Selected {
    /// It was another one before.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub set: Option<bool>,
    /// `Account already set`.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub success: Option<String>,
}

impl Endpoint for SelectAccount {
    type Reply = Selected;
    const NAME: &'static str = "iserver/account";
    const METHOD: Method = Method::Post;
    const LANE: Lane = Lane::Vital;

    fn path(&self) -> Path {
        Path::new("/iserver/account")
    }

    fn body(&self) -> Option<String> {
        Some(serde_json::json!({ "acctId": self.account.as_str() }).to_string())
    }
}

/// Profit and loss of all accounts; at most once in five seconds.
#[derive(Debug, Clone, Copy)]
pub struct GetPnl;

/// Rows by `<account>.<segment>`; empty when first asked in a session.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PnlPartitioned {
    /// The rows.
    #[serde(default, deserialize_with = "rows::field")]
    pub upnl: Entries<Pnl>,
}

/// One row, in the account's base currency.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Pnl {
    /// Daily P&L.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub dpl: Option<Amount>,
    /// Unrealised P&L.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub upl: Option<Amount>,
}

impl PnlPartitioned {
    /// The row of an account's core segment.
    pub fn of(&self, account: &AccountId) -> Option<&Pnl> {
        self.upnl.get(&format!("{account}.Core"))
    }
}

impl Endpoint for GetPnl {
    type Reply = PnlPartitioned;
    const NAME: &'static str = "iserver/account/pnl/partitioned";
    const WINDOW: Option<Window> = Some(Window::one_in(5));
    const CACHE: Duration = Duration::from_secs(5);

    fn path(&self) -> Path {
        Path::new("/iserver/account/pnl/partitioned")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fixtures;

    #[test]
    fn the_accounts_and_their_mode_are_read() {
        let reply: BrokerageAccounts = fixtures::reply("iserver_accounts");
        assert_eq!(reply.accounts[0].as_str(), "DU1234567");
        assert_eq!(reply.is_paper, Some(true));
        assert_eq!(reply.selected.as_ref(), Some(&reply.accounts[0]));
        let props = reply.props(&reply.accounts[0]);
        assert_eq!((props.supports_fractions, props.supports_cash_qty), (Some(true), Some(true)));
        assert_eq!(reply.props(&"DU7654321".parse().unwrap()), AccountProps::default());
    }

    #[test]
    fn the_daily_pnl_is_read_exactly() {
        let reply: PnlPartitioned = fixtures::reply("pnl_partitioned");
        let row = reply.of(&"DU1234567".parse().unwrap()).unwrap();
        assert_eq!(row.dpl.unwrap().to_string(), "15.7");
        assert!(reply.of(&"DU7654321".parse().unwrap()).is_none());
    }
}
