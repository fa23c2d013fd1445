//! From what people say to the one contract they mean, or the list of what they may mean.

mod agree;
mod candidate;
pub mod chain;
pub mod expiry;
pub mod find;
pub mod hours;
mod listed;
pub mod option;
pub mod remembered;
mod resolve;
pub mod spelling;
mod underlyings;

use std::time::Duration;

use ibd_cpapi::contracts::{
    GetCurrencyPairs, GetFutures, GetSecdefs, GetStocks, Hits, MAX_SECDEFS, Right, Search, SecType,
    Secdef,
};
use ibd_cpapi::id::Conid;
use ibd_cpapi::rows::Rows;
use ibd_cpapi::{Endpoint, Failure};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::session::Lease;
use crate::store::Store;
use ibd_cpapi::exact;

pub use agree::{Given, is_exchange, is_same_symbol};
pub use candidate::{Candidate, candidates};
pub use find::Finder;
pub use listed::Listed;
pub use resolve::{Choice, Wish, choose};
pub use underlyings::Underlyings;

/// What a contract is changes rarely; symbols move at most over night.
const MEMORY: Duration = Duration::from_secs(24 * 60 * 60);

/// A contract, as much as is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// IBKR's number.
    pub conid: Conid,
    /// The symbol.
    pub symbol: Option<String>,
    /// Company or product: untrusted text.
    pub name: Option<String>,
    /// The listing exchange.
    pub exchange: Option<String>,
    /// The currency it trades in.
    pub currency: Option<String>,
    /// What kind of contract it is.
    pub sec_type: Option<SecType>,
    /// Expiry, strike and right in words, of what has them.
    pub description: Option<String>,
    /// The day on which it ends.
    pub expiry: Option<Date>,
    /// Whether it is listed in the United States.
    pub is_us: Option<bool>,
    /// Months with options, where the search told.
    pub option_months: Vec<String>,
    /// Units of the underlying in one contract.
    #[serde(default, with = "exact::opt")]
    pub multiplier: Option<Decimal>,
    /// The strike, of what has one.
    #[serde(default, with = "exact::opt")]
    pub strike: Option<Decimal>,
    /// Call or put, of what has a right.
    #[serde(default)]
    pub right: Option<Right>,
    /// What kind of stock it is: `COMMON`, `ETF`, `ADR`, …
    #[serde(default)]
    pub class: Option<String>,
}

impl Contract {
    fn bare(conid: Conid) -> Self {
        Self {
            conid,
            symbol: None,
            name: None,
            exchange: None,
            currency: None,
            sec_type: None,
            description: None,
            expiry: None,
            is_us: None,
            option_months: Vec::new(),
            multiplier: None,
            strike: None,
            right: None,
            class: None,
        }
    }

    /// Adds what the broker's definition knows.
    fn defined(mut self, secdef: &Secdef) -> Self {
        self.symbol = self.symbol.or_else(|| secdef.ticker.clone());
        self.name = self.name.or_else(|| secdef.name.clone());
        self.exchange = self.exchange.or_else(|| secdef.exchange.clone());
        self.currency = secdef.currency.clone().or(self.currency);
        self.sec_type = secdef.asset_class.clone().or(self.sec_type);
        let expires = || secdef.expiry.as_deref().and_then(expiry::day);
        self.expiry = self.expiry.or_else(expires);
        self.is_us = self.is_us.or(secdef.is_us);
        // Zero stands for "has none".
        let real = |number: &Decimal| !number.is_zero();
        self.multiplier = self.multiplier.or(secdef.multiplier.map(|m| m.get()).filter(real));
        self.strike = self.strike.or(secdef.strike.map(|strike| strike.get()).filter(real));
        self.right = self.right.or(secdef.right);
        self.class = self.class.or_else(|| secdef.class.clone());
        let full = secdef.full_name.clone().filter(|full| secdef.ticker.as_ref() != Some(full));
        self.description = self.description.or(full);
        self
    }

    /// Adds what was remembered. What this listing was found by stays: which company, which country.
    fn completed(self, known: Self) -> Self {
        Self {
            symbol: self.symbol.or(known.symbol),
            name: self.name.or(known.name),
            exchange: self.exchange.or(known.exchange),
            expiry: self.expiry.or(known.expiry),
            is_us: self.is_us.or(known.is_us),
            option_months: self.option_months,
            ..known
        }
    }

    /// Whether it is a fund that trades like a stock.
    pub fn is_etf(&self) -> bool {
        self.class.as_ref().is_some_and(|class| class.eq_ignore_ascii_case("ETF"))
    }

    /// Whether the company or product has these words in its name.
    pub fn is_named(&self, words: &str) -> bool {
        self.name.as_ref().is_some_and(|name| has_words(name, words))
    }

    /// Whether it was remembered before strike and right were: it is asked for again then.
    fn is_incomplete(&self) -> bool {
        let has_strike = self.sec_type.as_ref().is_some_and(SecType::has_strike);
        has_strike && (self.strike.is_none() || self.right.is_none())
    }
}

/// Whether a name has these words in it, however it is written.
pub fn has_words(name: &str, words: &str) -> bool {
    plain(name).contains(&plain(words))
}

/// Without what names are written with in several ways: Coca-Cola, coca cola.
fn plain(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Today at the exchanges of the United States.
pub fn today() -> Date {
    day_of(Timestamp::now())
}

/// The day in New York, on which IBKR's accounts are kept.
pub fn day_of(at: Timestamp) -> Date {
    let zone = TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).date()
}

/// Everything the broker knows under a symbol.
pub async fn by_symbol(
    lease: &Lease,
    store: &Store,
    wish: &Wish,
    deadline: Instant,
) -> Result<Listed, Failure> {
    let kind = wish.sec_type.as_ref().map_or("-", SecType::as_str);
    let key = symbol_key(&lease.source(), kind, &wish.symbol);
    if let Some(found) = store.recall::<Vec<Contract>>(&key, MEMORY) {
        return Ok(found.into());
    }
    let found = match (&wish.sec_type, wish.currency_pair()) {
        (Some(SecType::Cash) | None, Some(pair)) => pairs(lease, &pair, deadline).await?,
        (Some(SecType::Future), _) => futures(lease, &wish.symbol, deadline).await?,
        (Some(SecType::Stock), _) => stocks(lease, &wish.symbol, deadline).await?,
        (None, _) => match stocks(lease, &wish.symbol, deadline).await? {
            found if found.contracts.is_empty() => {
                found.or(search(lease, &wish.symbol, false, deadline).await?)
            }
            found => found,
        },
        (Some(_), _) => search(lease, &wish.symbol, false, deadline).await?,
    };
    // IBKR writes classes of shares with a blank: BRK B.
    let found = match class_of_shares(&wish.symbol) {
        Some(symbol) if found.contracts.is_empty() => {
            found.or(stocks(lease, &symbol, deadline).await?)
        }
        _ => found,
    };
    let found = define(lease, store, found, deadline).await?;
    // What could not be read now may be read the next time.
    if !found.contracts.is_empty() && found.unread.is_none() {
        let _ = store.remember(&key, &found.contracts);
    }
    Ok(found)
}

/// Under what contracts of a symbol are remembered; `-`: of whatever kind.
fn symbol_key(source: &str, kind: &str, symbol: &str) -> String {
    format!("contracts/{source}/symbol/{kind}/{symbol}")
}

/// `BRK.B`, `BRK/B` and `BRK-B` as IBKR writes them.
fn class_of_shares(symbol: &str) -> Option<String> {
    let (root, class) = symbol.split_once(['.', '/', '-'])?;
    let is_class = (1..=2).contains(&class.len()) && class.bytes().all(|b| b.is_ascii_alphabetic());
    (is_class && !root.is_empty()).then(|| format!("{root} {class}"))
}

/// Companies whose name has these words.
pub async fn by_name(
    lease: &Lease,
    store: &Store,
    words: &str,
    deadline: Instant,
) -> Result<Listed, Failure> {
    let found = search(lease, words, true, deadline).await?;
    define(lease, store, found, deadline).await
}

/// What some contracts are; those that the broker does not know are missing.
pub async fn by_conids(
    lease: &Lease,
    store: &Store,
    conids: &[Conid],
    deadline: Instant,
) -> Result<Vec<Contract>, Failure> {
    Ok(looked_up(lease, store, conids, deadline).await?.contracts)
}

/// The same, with what could not be read: of one that is missing it may be the definition.
pub async fn looked_up(
    lease: &Lease,
    store: &Store,
    conids: &[Conid],
    deadline: Instant,
) -> Result<Listed, Failure> {
    let bare: Vec<Contract> = conids.iter().map(|conid| Contract::bare(*conid)).collect();
    let mut defined = define(lease, store, bare.into(), deadline).await?;
    defined.contracts.retain(|contract| contract.sec_type.is_some());
    Ok(defined)
}

/// Whether the broker says that there is no such contract. What it says of one and cannot be read is no such word.
pub async fn is_unknown(
    lease: &Lease,
    store: &Store,
    conid: Conid,
    deadline: Instant,
) -> Result<bool, Failure> {
    if store.recall::<Contract>(&key(lease, conid), MEMORY).is_some() {
        return Ok(false);
    }
    let told = read_secdefs(lease, &[conid], deadline).await?;
    Ok(told.is_whole() && told.iter().all(|secdef| secdef.conid != conid))
}

async fn read_secdefs(
    lease: &Lease,
    conids: &[Conid],
    deadline: Instant,
) -> Result<Rows<Secdef>, Failure> {
    let request = GetSecdefs { conids: conids.to_vec() };
    match lease.client().ask(&request, deadline).await {
        Ok(answer) => Ok(answer.value.secdef),
        // 204 without a body: none of them is known.
        Err(Failure::Garbled { what, .. }) if what == "an empty body" => Ok(Rows::default()),
        Err(failure) => Err(failure),
    }
}

/// Where a definition is kept.
fn key(lease: &Lease, conid: Conid) -> String {
    format!("contracts/{}/conid/{conid}", lease.source())
}

/// Completes contracts from memory, then from the broker.
async fn define(
    lease: &Lease,
    store: &Store,
    listed: Listed,
    deadline: Instant,
) -> Result<Listed, Failure> {
    let Listed { contracts, unread } = listed;
    let recalled = |c: &Contract| {
        let known = store.recall::<Contract>(&key(lease, c.conid), MEMORY);
        known.filter(|known| !known.is_incomplete())
    };
    let known: Vec<Option<Contract>> = contracts.iter().map(recalled).collect();
    let missing: Vec<Conid> = contracts
        .iter()
        .zip(&known)
        .filter_map(|(contract, known)| known.is_none().then_some(contract.conid))
        .collect();
    let mut secdefs = Rows::<Secdef>::default();
    for conids in missing.chunks(MAX_SECDEFS) {
        secdefs.extend(read_secdefs(lease, conids, deadline).await?);
    }
    let is_there = |conid: &Conid| secdefs.iter().any(|secdef| secdef.conid == *conid);
    let odd = secdefs.unread().first().filter(|_| !missing.iter().all(is_there));
    let unread = unread.or_else(|| Some(odd?.clone().in_reply_of(GetSecdefs::NAME)));
    let complete = contracts.into_iter().zip(known).map(|(contract, known)| {
        if let Some(known) = known {
            return contract.completed(known);
        }
        match secdefs.iter().find(|secdef| secdef.conid == contract.conid) {
            Some(secdef) => {
                let contract = contract.defined(secdef);
                let _ = store.remember(&key(lease, contract.conid), &contract);
                contract
            }
            None => contract,
        }
    });
    Ok(Listed { contracts: complete.collect(), unread })
}

async fn stocks(lease: &Lease, symbol: &str, deadline: Instant) -> Result<Listed, Failure> {
    let request = GetStocks { symbols: vec![symbol.to_owned()] };
    Ok(Listed::of_stocks(&lease.client().ask(&request, deadline).await?.value, symbol))
}

async fn futures(lease: &Lease, symbol: &str, deadline: Instant) -> Result<Listed, Failure> {
    let request = GetFutures { symbols: vec![symbol.to_owned()] };
    Ok(Listed::of_futures(&lease.client().ask(&request, deadline).await?.value, symbol))
}

async fn pairs(
    lease: &Lease,
    pair: &(String, String),
    deadline: Instant,
) -> Result<Listed, Failure> {
    let request = GetCurrencyPairs { currency: pair.1.clone() };
    Ok(Listed::of_pairs(lease.client().ask(&request, deadline).await?.value, pair))
}

async fn search(
    lease: &Lease,
    text: &str,
    by_name: bool,
    deadline: Instant,
) -> Result<Listed, Failure> {
    let request = Search { text: text.to_owned(), by_name };
    match lease.client().ask(&request, deadline).await {
        Ok(answer) => {
            let Hits(hits) = answer.value;
            Ok(Listed::of_hits(hits))
        }
        // Some builds answer an unknown symbol with an error of their own.
        Err(Failure::Refused { text, .. }) if text.to_ascii_lowercase().contains("no symbol") => {
            Ok(Listed::default())
        }
        Err(failure) => Err(failure),
    }
}
