//! The brokerage side of accounts: `/iserver/accounts`, `/iserver/account/pnl/partitioned`.

use std::time::Duration;

use rust_decimal::Decimal;
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
    /// Account ids; logins of advisers list the names of groups among them, `All` first.
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
    /// Groups of accounts that orders can be split over: of an adviser's login, `All`.
    #[serde(default, deserialize_with = "lenient::list")]
    pub groups: Vec<AccountId>,
    /// Those that the adviser has made.
    #[serde(default, deserialize_with = "lenient::list")]
    pub profiles: Vec<AccountId>,
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

/// The group that an adviser's every client is in.
pub const ALL: &str = "All";

impl BrokerageAccounts {
    /// Whether a name that is listed with the accounts is one of a group of them.
    pub fn is_group(&self, name: &AccountId) -> bool {
        name.as_str() == ALL || self.groups.contains(name) || self.profiles.contains(name)
    }

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

/// Profit and loss of the selected account; at most once in five seconds.
#[derive(Debug, Clone, Copy)]
pub struct GetPnl;

/// Rows by `<account>.<part>`, the parts being `Core` and the models that an account is in; empty when first asked
/// in a session.
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
    /// That of an account: of all its parts together. A sum of which a part is not known is not known.
    pub fn of(&self, account: &AccountId) -> Option<Pnl> {
        let begins = format!("{account}.");
        if self.upnl.unread().iter().any(|unread| unread.of.starts_with(&begins)) {
            return None;
        }
        let own = self.upnl.iter().filter(|(key, _)| key.starts_with(&begins));
        let own: Vec<&Pnl> = own.map(|(_, row)| row).collect();
        if own.is_empty() {
            return None;
        }
        let (dpl, upl) = (own.iter().map(|row| row.dpl), own.iter().map(|row| row.upl));
        Some(Pnl { dpl: sum(dpl), upl: sum(upl) })
    }
}

fn sum(parts: impl Iterator<Item = Option<Amount>>) -> Option<Amount> {
    let mut sum = Decimal::ZERO;
    for part in parts {
        sum = sum.checked_add(part?.get())?;
    }
    Some(Amount::new(sum))
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

    #[test]
    fn the_pnl_of_an_account_is_that_of_all_its_parts() {
        for (rows, daily) in [
            (
                r#"{"DU1.Core":{"dpl":1.5},"DU1.Growth":{"dpl":-0.25},"DU10.Core":{"dpl":9}}"#,
                Some("1.25"),
            ),
            (r#"{"DU1.Growth":{"dpl":2}}"#, Some("2")),
            (r#"{"DU1.Core":{"dpl":1.5},"DU1.Growth":{}}"#, None),
            (r#"{"DU1.Core":{"dpl":1.5},"DU1.Growth":7}"#, None),
            (r#"{"DU10.Core":{"dpl":9}}"#, None),
        ] {
            let reply: PnlPartitioned =
                serde_json::from_str(&format!(r#"{{"upnl":{rows}}}"#)).unwrap();
            let told = reply.of(&"DU1".parse().unwrap()).and_then(|pnl| pnl.dpl);
            assert_eq!(told.map(|amount| amount.to_string()).as_deref(), daily, "{rows}");
        }
    }

    #[test]
    fn groups_are_told_from_accounts() {
        // As recorded of an adviser's login, but for the names.
        let reply: BrokerageAccounts = serde_json::from_str(
            r#"{"accounts":["All","DU1","DU2","GROUP1","D_TEST"],
                "acctProps":{"All":{"hasChildAccounts":false,"supportsCashQty":false,"supportsFractions":false}},
                "groups":["All"],"profiles":["GROUP1","D_TEST"],"selectedAccount":"DU1","isPaper":true}"#,
        )
        .unwrap();
        let groups: Vec<&str> =
            reply.accounts.iter().filter(|id| reply.is_group(id)).map(AccountId::as_str).collect();
        assert_eq!(groups, ["All", "GROUP1", "D_TEST"]);
        let odd: BrokerageAccounts =
            serde_json::from_str(r#"{"accounts":["DU1"],"groups":{"a":1},"profiles":null}"#)
                .unwrap();
        assert!(odd.groups.is_empty() && odd.profiles.is_empty() && odd.accounts.len() == 1);
    }
}
