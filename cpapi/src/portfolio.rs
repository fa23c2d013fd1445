//! The portfolio side: `/portfolio/*`. Needs a login, not a brokerage session.

use std::time::Duration;

use serde::Deserialize;

use crate::contracts::SecType;
use crate::endpoint::{Endpoint, Path};
use crate::id::{AccountId, Conid};
use crate::lenient;
use crate::money::{Amount, Price, Quantity, Ratio};
use crate::pace::Window;
use crate::rows::{self, Entries, Rows};

/// Positions on one page; a shorter page is the last.
pub const PAGE: usize = 100;

/// Must precede the other `/portfolio` calls of a login; at most once in five seconds.
#[derive(Debug, Clone, Copy)]
pub struct GetAccounts;

/// One account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its holder's or its own name: untrusted text.
    #[serde(rename = "accountTitle", default, deserialize_with = "lenient::opt")]
    pub title: Option<String>,
    /// The base currency.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub currency: Option<String>,
    /// `INDIVIDUAL`, `DEMO` for paper, …
    #[serde(rename = "type", default, deserialize_with = "lenient::opt")]
    pub kind: Option<String>,
}

impl Endpoint for GetAccounts {
    type Reply = Rows<Account>;
    const NAME: &'static str = "portfolio/accounts";
    const WINDOW: Option<Window> = Some(Window::one_in(5));
    const CACHE: Duration = Duration::from_secs(5);

    fn path(&self) -> Path {
        Path::new("/portfolio/accounts")
    }
}

/// An account's values.
#[derive(Debug, Clone)]
pub struct GetSummary {
    /// Whose.
    pub account: AccountId,
}

/// Values by lower-case key, such as `netliquidation`.
pub type Summary = Entries<SummaryItem>;

/// One value.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SummaryItem {
    /// The amount, of numeric keys.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub amount: Option<Amount>,
    /// Its currency.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub currency: Option<String>,
    /// True: there is no value, whatever `amount` says.
    #[serde(rename = "isNull", default, deserialize_with = "lenient::opt")]
    pub is_null: Option<bool>,
}

impl SummaryItem {
    /// The amount, unless the broker says there is none.
    pub fn present(&self) -> Option<Amount> {
        self.amount.filter(|_| self.is_null != Some(true))
    }
}

impl Endpoint for GetSummary {
    type Reply = Summary;
    const NAME: &'static str = "portfolio/summary";

    fn path(&self) -> Path {
        Path::new("/portfolio").segment(&self.account).then("/summary")
    }
}

/// An account's cash by currency.
#[derive(Debug, Clone)]
pub struct GetLedger {
    /// Whose.
    pub account: AccountId,
}

/// Rows by currency; `BASE` sums them up in the base currency.
pub type Ledger = Entries<LedgerRow>;

/// One currency.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LedgerRow {
    /// Cash.
    #[serde(rename = "cashbalance", default, deserialize_with = "lenient::opt")]
    pub cash: Option<Amount>,
    /// Of it, settled.
    #[serde(rename = "settledcash", default, deserialize_with = "lenient::opt")]
    pub settled: Option<Amount>,
    /// Interest that has accrued and is not booked yet.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub interest: Option<Amount>,
    /// Dividends that are due and not paid yet.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub dividends: Option<Amount>,
    /// Net liquidation value of what is held in this currency.
    #[serde(rename = "netliquidationvalue", default, deserialize_with = "lenient::opt")]
    pub net_liquidation: Option<Amount>,
    /// Stocks, those sold short below zero.
    #[serde(rename = "stockmarketvalue", default, deserialize_with = "lenient::opt")]
    pub stocks: Option<Amount>,
    /// Realised P&L of the day.
    #[serde(rename = "realizedpnl", default, deserialize_with = "lenient::opt")]
    pub realized_pnl: Option<Amount>,
    /// Unrealised P&L.
    #[serde(rename = "unrealizedpnl", default, deserialize_with = "lenient::opt")]
    pub unrealized_pnl: Option<Amount>,
    /// Units of base currency for one unit of this one.
    #[serde(rename = "exchangerate", default, deserialize_with = "lenient::positive")]
    pub exchange_rate: Option<Ratio>,
}

impl Endpoint for GetLedger {
    type Reply = Ledger;
    const NAME: &'static str = "portfolio/ledger";

    fn path(&self) -> Path {
        Path::new("/portfolio").segment(&self.account).then("/ledger")
    }
}

/// One page of positions.
#[derive(Debug, Clone)]
pub struct GetPositions {
    /// Whose.
    pub account: AccountId,
    /// From 0.
    pub page: usize,
}

/// One position.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Position {
    /// The contract.
    pub conid: Conid,
    /// For instance `AAPL`, or an option's full description.
    #[serde(rename = "contractDesc", default, deserialize_with = "lenient::opt")]
    pub description: Option<String>,
    /// The symbol; missing until the server has looked the contract up.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub ticker: Option<String>,
    /// The company: untrusted text.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub name: Option<String>,
    /// `STK`, `OPT`, `FUT`, `CASH`, …
    #[serde(rename = "assetClass", default, deserialize_with = "lenient::opt")]
    pub asset_class: Option<SecType>,
    /// Negative when short.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub position: Option<Quantity>,
    /// The last mark of the portfolio.
    #[serde(rename = "mktPrice", default, deserialize_with = "lenient::opt")]
    pub market_price: Option<Price>,
    /// In the contract's currency.
    #[serde(rename = "mktValue", default, deserialize_with = "lenient::opt")]
    pub market_value: Option<Amount>,
    /// The contract's currency.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub currency: Option<String>,
    /// Average price paid, without the multiplier.
    #[serde(rename = "avgPrice", default, deserialize_with = "lenient::opt")]
    pub average_price: Option<Price>,
    /// Realised P&L of the day.
    #[serde(rename = "realizedPnl", default, deserialize_with = "lenient::opt")]
    pub realized_pnl: Option<Amount>,
    /// Unrealised P&L.
    #[serde(rename = "unrealizedPnl", default, deserialize_with = "lenient::opt")]
    pub unrealized_pnl: Option<Amount>,
    /// The listing exchange.
    #[serde(rename = "listingExchange", default, deserialize_with = "lenient::opt")]
    pub exchange: Option<String>,
    /// For instance `Technology`.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub sector: Option<String>,
    /// For instance `Computers`.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub group: Option<String>,
    /// How its prices are shown; missing until the server has looked the contract up.
    #[serde(rename = "displayRule", default, deserialize_with = "lenient::part")]
    pub display: Option<DisplayRule>,
}

/// How prices are shown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DisplayRule {
    /// By price level.
    #[serde(rename = "displayRuleStep", default, deserialize_with = "rows::field")]
    pub steps: Rows<DisplayStep>,
}

/// How prices from some level on are shown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DisplayStep {
    /// Decimal places.
    #[serde(rename = "decimalDigits", default, deserialize_with = "lenient::opt")]
    pub decimals: Option<u32>,
}

impl Position {
    /// Decimal places of its prices, if the server says.
    pub fn decimals(&self) -> Option<u32> {
        self.display.as_ref()?.steps.iter().filter_map(|step| step.decimals).max()
    }
}

impl Endpoint for GetPositions {
    type Reply = Rows<Position>;
    const NAME: &'static str = "portfolio/positions";

    fn path(&self) -> Path {
        Path::new("/portfolio")
            .segment(&self.account)
            .then("/positions")
            .segment(self.page)
            .query("waitForSecDef", true)
    }
}

/// What an account holds now: not remembered by the server, as the pages are, and in one piece.
#[derive(Debug, Clone)]
pub struct GetHoldings {
    /// Whose.
    pub account: AccountId,
}

/// How much of one contract is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Holding {
    /// The contract.
    pub conid: Conid,
    /// Negative when short.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub position: Option<Quantity>,
}

impl Endpoint for GetHoldings {
    type Reply = Rows<Holding>;
    const NAME: &'static str = "portfolio2/positions";

    fn path(&self) -> Path {
        Path::new("/portfolio2").segment(&self.account).then("/positions")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fixtures;

    #[test]
    fn positions_keep_their_exact_numbers() {
        let positions: Rows<Position> = fixtures::reply("portfolio_positions");
        let apple = &positions[0];
        assert_eq!(apple.conid.get(), 265_598);
        assert_eq!(apple.market_price.unwrap().to_string(), "271.55000305");
        assert_eq!(apple.position.unwrap().to_string(), "10");
        assert_eq!(apple.decimals(), Some(2));
        assert_eq!(
            (apple.name.as_deref(), apple.sector.as_deref()),
            (Some("APPLE INC"), Some("Technology"))
        );
    }

    #[test]
    fn holdings_are_read_from_the_fresh_list() {
        let holdings: Rows<Holding> = fixtures::reply("portfolio2_positions");
        assert_eq!(holdings[0].conid.get(), 265_598);
        assert_eq!(holdings[1].position.unwrap().to_string(), "2");
        let list = GetHoldings { account: "DU1234567".parse().unwrap() };
        assert_eq!(list.path().as_str(), "/portfolio2/DU1234567/positions");
    }

    #[test]
    fn an_accounts_values_are_read() {
        let summary: Summary = fixtures::reply("portfolio_summary");
        assert!(summary["netliquidation"].present().is_some());
        let ledger: Ledger = fixtures::reply("portfolio_ledger");
        assert!(ledger.contains_key("BASE"));
        assert!(ledger["USD"].cash.is_some());
        let accounts: Rows<Account> = fixtures::reply("portfolio_accounts");
        assert_eq!(accounts[0].currency.as_deref(), Some("USD"));
    }

    #[test]
    fn a_value_that_is_null_is_missing_and_not_zero() {
        let item: SummaryItem = serde_json::from_str(r#"{"amount":0.0,"isNull":true}"#).unwrap();
        assert_eq!(item.present(), None);
    }

    #[test]
    fn a_page_has_its_place_in_the_path() {
        let page = GetPositions { account: "DU1234567".parse().unwrap(), page: 2 };
        assert_eq!(page.path().as_str(), "/portfolio/DU1234567/positions/2?waitForSecDef=true");
    }
}
