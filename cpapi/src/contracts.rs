//! Finding contracts: `/trsrv/*`, `/iserver/secdef/*`, `/iserver/currency/pairs`, and what may be done
//! with them: `/iserver/contract/*`.

mod derivatives;
mod rules;
mod schedule;
mod search;
mod sec_type;

use serde::Deserialize;

use crate::endpoint::{Endpoint, Path};
use crate::id::Conid;
use crate::lenient;
use crate::money::{Quantity, Ratio};
use crate::rows::{self, Entries, Rows};

pub use derivatives::{GetOptionInfo, GetStrikes, OptionInfo, Right, Strikes};
pub use rules::{ContractInfo, GetContractInfo, GetRules, Increment, Rules, TifRule};
pub use schedule::{Day, GetSchedule, Hours, Schedule};
pub use search::{Hit, Hits, Search};
pub use sec_type::SecType;

/// Conids that `/trsrv/secdef` takes at once.
pub const MAX_SECDEFS: usize = 200;

/// Every listing of some stock symbols: the best way from symbol to conid.
#[derive(Debug, Clone)]
pub struct GetStocks {
    /// Symbols in capitals.
    pub symbols: Vec<String>,
}

/// Companies by symbol; an unknown symbol is missing or empty.
pub type Stocks = Entries<Rows<Company>>;

/// One company with a symbol.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Company {
    /// Its name: untrusted text.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub name: Option<String>,
    /// Its listings.
    #[serde(default, deserialize_with = "rows::field")]
    pub contracts: Rows<Listing>,
}

/// One listing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Listing {
    /// The contract.
    pub conid: Conid,
    /// The primary exchange.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub exchange: Option<String>,
    /// Whether it is listed in the United States.
    #[serde(rename = "isUS", default, deserialize_with = "lenient::opt")]
    pub is_us: Option<bool>,
}

impl Endpoint for GetStocks {
    type Reply = Stocks;
    const NAME: &'static str = "trsrv/stocks";

    fn path(&self) -> Path {
        Path::new("/trsrv/stocks").query("symbols", self.symbols.join(","))
    }
}

/// The months and conids of some futures.
#[derive(Debug, Clone)]
pub struct GetFutures {
    /// Symbols in capitals.
    pub symbols: Vec<String>,
}

/// Futures by symbol, in no order.
pub type Futures = Entries<Rows<Future>>;

/// One future.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Future {
    /// The contract.
    pub conid: Conid,
    /// `YYYYMMDD`.
    #[serde(rename = "expirationDate", default, deserialize_with = "lenient::opt")]
    pub expiration: Option<String>,
}

impl Endpoint for GetFutures {
    type Reply = Futures;
    const NAME: &'static str = "trsrv/futures";

    fn path(&self) -> Path {
        Path::new("/trsrv/futures").query("symbols", self.symbols.join(","))
    }
}

/// What some contracts are, at most [`MAX_SECDEFS`] at once.
#[derive(Debug, Clone)]
pub struct GetSecdefs {
    /// The contracts.
    pub conids: Vec<Conid>,
}

/// The reply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Secdefs {
    /// One for each contract that is known.
    #[serde(default, deserialize_with = "rows::field")]
    pub secdef: Rows<Secdef>,
}

/// What a contract is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Secdef {
    /// The contract.
    pub conid: Conid,
    /// The symbol.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub ticker: Option<String>,
    /// With expiry, strike and right where it has them.
    #[serde(rename = "fullName", default, deserialize_with = "lenient::opt")]
    pub full_name: Option<String>,
    /// The company or product: untrusted text.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub name: Option<String>,
    /// The currency it trades in.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub currency: Option<String>,
    /// `STK`, `OPT`, `FUT`, …
    #[serde(rename = "assetClass", default, deserialize_with = "lenient::opt")]
    pub asset_class: Option<SecType>,
    /// The listing exchange.
    #[serde(rename = "listingExchange", default, deserialize_with = "lenient::opt")]
    pub exchange: Option<String>,
    /// `YYYYMMDD`.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub expiry: Option<String>,
    /// `C` or `P`.
    #[serde(rename = "putOrCall", default, deserialize_with = "lenient::opt")]
    pub right: Option<Right>,
    /// The strike; `0` for what has none.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub strike: Option<Ratio>,
    /// Units of the underlying in one contract; 0 for what has none.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub multiplier: Option<Quantity>,
    /// The underlying.
    #[serde(rename = "undConid", default, deserialize_with = "lenient::opt")]
    pub underlying: Option<Conid>,
    /// What kind of stock it is: `COMMON`, `ETF`, `ADR`, …
    #[serde(rename = "type", default, deserialize_with = "lenient::opt")]
    pub class: Option<String>,
    /// Whether options on it exist.
    #[serde(rename = "hasOptions", default, deserialize_with = "lenient::opt")]
    pub has_options: Option<bool>,
    /// Whether it is listed in the United States.
    #[serde(rename = "isUS", default, deserialize_with = "lenient::opt")]
    pub is_us: Option<bool>,
}

impl Endpoint for GetSecdefs {
    type Reply = Secdefs;
    const NAME: &'static str = "trsrv/secdef";

    fn path(&self) -> Path {
        let conids: Vec<String> = self.conids.iter().map(Conid::to_string).collect();
        Path::new("/trsrv/secdef").query("conids", conids.join(","))
    }
}

/// The currency pairs with some currency.
#[derive(Debug, Clone)]
pub struct GetCurrencyPairs {
    /// For instance `USD`.
    pub currency: String,
}

/// Pairs by the currency that was asked for.
pub type CurrencyPairs = Entries<Rows<CurrencyPair>>;

/// One pair.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CurrencyPair {
    /// For instance `EUR.USD`.
    #[serde(deserialize_with = "lenient::req")]
    pub symbol: String,
    /// The contract.
    pub conid: Conid,
}

impl Endpoint for GetCurrencyPairs {
    type Reply = CurrencyPairs;
    const NAME: &'static str = "iserver/currency/pairs";

    fn path(&self) -> Path {
        Path::new("/iserver/currency/pairs").query("currency", &self.currency)
    }
}

/// What one unit of a currency is worth in another.
#[derive(Debug, Clone)]
pub struct GetExchangeRate {
    /// For instance `USD`.
    pub source: String,
    /// For instance `EUR`.
    pub target: String,
}

/// The reply.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ExchangeRate {
    /// Units of `target` for one of `source`.
    #[serde(default, deserialize_with = "lenient::positive")]
    pub rate: Option<Ratio>,
}

impl Endpoint for GetExchangeRate {
    type Reply = ExchangeRate;
    const NAME: &'static str = "iserver/exchangerate";

    fn path(&self) -> Path {
        Path::new("/iserver/exchangerate")
            .query("source", &self.source)
            .query("target", &self.target)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fixtures;

    #[test]
    fn listings_of_a_symbol_are_read() {
        let stocks: Stocks = fixtures::reply("trsrv_stocks");
        let apple = &stocks["AAPL"][0].contracts;
        assert_eq!(apple[0].is_us, Some(true));
        assert_eq!(stocks["SAN"].len(), 2, "two companies share the symbol");
        assert!(stocks["NOSUCH"].is_empty());
    }

    #[test]
    fn what_a_contract_is_is_read() {
        let Secdefs { secdef } = fixtures::reply("trsrv_secdef");
        assert_eq!(secdef[0].currency.as_deref(), Some("USD"));
        assert_eq!(secdef[1].right, Some(Right::Call));
        let futures: Futures = fixtures::reply("trsrv_futures");
        assert_eq!(futures["ES"].len(), 2);
        let pairs: CurrencyPairs = fixtures::reply("currency_pairs");
        assert_eq!(pairs["USD"][0].symbol, "EUR.USD");
        let rate: ExchangeRate = fixtures::reply("exchangerate");
        assert_eq!(rate.rate.unwrap().to_string(), "0.8665");
    }
}
