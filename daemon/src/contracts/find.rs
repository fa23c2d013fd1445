//! Finds the one contract that is meant, or says what may be meant. Never takes the first hit.

use ibd_cpapi::Failure;
use ibd_cpapi::contracts::{GetOptionInfo, GetStrikes, OptionInfo, Right, SecType};
use ibd_cpapi::id::Conid;
use ibd_cpapi::money::Price;
use ibd_cpapi::rows::Rows;
use ibd_protocol::ErrorCode;
use rust_decimal::Decimal;
use tokio::time::Instant;

use super::candidate::{CANDIDATES, candidates};
use super::expiry::{self, Expiry};
use super::{Choice, Contract, Given, Underlyings, Wish, by_conids, by_symbol, choose};
use crate::refusal::{Refusal, Unserved};
use crate::session::Lease;
use crate::store::Store;

/// The contract, or why there is none: the broker could not be asked, or the arguments are wrong.
pub type Found = Result<Contract, Unserved>;

/// What finding a contract needs.
#[derive(Debug, Clone, Copy)]
pub struct Finder<'a> {
    /// The session.
    pub lease: &'a Lease,
    /// What is remembered of contracts.
    pub store: &'a Store,
    /// What underlyings were searched for.
    pub underlyings: &'a Underlyings,
    /// When the caller stops waiting.
    pub deadline: Instant,
}

/// An option as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedOption {
    /// The underlying's symbol, in capitals.
    pub symbol: String,
    /// A day or a month that is not over.
    pub expiry: Expiry,
    /// The strike.
    pub strike: Decimal,
    /// Call or put.
    pub right: Right,
    /// Where it is routed.
    pub exchange: Option<String>,
    /// The currency, where one is named.
    pub currency: Option<String>,
    /// What kind of contract it is called.
    pub sec_type: Option<String>,
}

impl WantedOption {
    /// What the option that is found must be.
    fn given(&self) -> Given {
        Given {
            symbol: Some(self.symbol.clone()),
            sec_type: self.sec_type.clone(),
            currency: self.currency.clone(),
            strike: Some(self.strike),
            right: Some(self.right.as_str().to_owned()),
            ..Given::default()
        }
    }
}

impl Finder<'_> {
    /// The contract of a conid, of which this was said besides.
    pub async fn by_conid(self, conid: Conid, given: &Given) -> Found {
        let found = by_conids(self.lease, self.store, &[conid], self.deadline).await?;
        match found.into_iter().next() {
            Some(contract) => {
                given.agrees(&contract, &format!("conid {conid}"))?;
                Ok(contract)
            }
            None => Err(unknown_conid(conid).into()),
        }
    }

    /// The contract of a symbol.
    pub async fn by_symbol(self, wish: &Wish) -> Found {
        let mut found = by_symbol(self.lease, self.store, wish, self.deadline).await?;
        if found.is_empty() && wish.sec_type == Some(SecType::Future) {
            return Err(no_future(wish).into());
        }
        if let Some(text) = &wish.expiry {
            let expiry = Expiry::read_alive(text, super::today())?;
            let (those, others): (Vec<_>, Vec<_>) =
                found.into_iter().partition(|contract| expiry.is_of(contract));
            if those.is_empty() && !others.is_empty() {
                return Err(no_such_expiry(wish, text, &others).into());
            }
            found = those;
        }
        // Months of one future are different contracts: none of them is the obvious one.
        if wish.sec_type == Some(SecType::Future) && found.len() > 1 {
            return Err(ambiguous(wish, &found).into());
        }
        match choose(wish, found) {
            Choice::One(contract) => {
                wish.given().agrees(&contract, &wish.symbol)?;
                Ok(*contract)
            }
            Choice::Several(several) => Err(ambiguous(wish, &several).into()),
            Choice::None(others) => Err(unknown(wish, &others).into()),
        }
    }

    /// The underlying of an option, searched for by its symbol: without that there are no strikes.
    pub async fn underlying(self, wish: &Wish) -> Found {
        let found = by_symbol(self.lease, self.store, wish, self.deadline).await?;
        let underlying = match choose(wish, found) {
            Choice::One(contract) => *contract,
            Choice::Several(several) => return Err(ambiguous(wish, &several).into()),
            Choice::None(others) => return Err(unknown(wish, &others).into()),
        };
        self.underlyings.prepare(self.lease, [wish.symbol.clone()], self.deadline).await?;
        Ok(underlying)
    }

    /// The contract of an option.
    pub async fn option(self, wanted: &WantedOption) -> Found {
        let wish = Wish {
            symbol: wanted.symbol.clone(),
            currency: wanted.currency.clone(),
            ..Wish::default()
        };
        let underlying = self.underlying(&wish).await?.conid;
        let request = GetOptionInfo {
            underlying,
            sec_type: SecType::Option,
            month: wanted.expiry.month(),
            strike: Some(Price::new(wanted.strike)),
            right: Some(wanted.right),
            exchange: wanted.exchange.clone(),
        };
        let (options, failed) = match self.lease.client().ask(&request, self.deadline).await {
            Ok(answer) => (answer.value, None),
            // Its way of saying that there is no such month or strike; or it has trouble.
            Err(
                failure @ (Failure::Trouble { .. }
                | Failure::Refused { .. }
                | Failure::Garbled { .. }),
            ) => (Rows::default(), Some(failure)),
            Err(failure) => return Err(failure.into()),
        };
        let fits = |option: &&OptionInfo| {
            let day = wanted.expiry.day();
            day.is_none_or(|day| option.maturity_date.as_deref().and_then(expiry::day) == Some(day))
        };
        let fitting: Vec<&OptionInfo> = options.iter().filter(fits).collect();
        match fitting.as_slice() {
            [only] => self.by_conid(only.conid, &wanted.given()).await,
            [] if options.is_empty() => Err(self.no_option(wanted, underlying, failed).await),
            [] => Err(no_option_that_day(wanted, &options).into()),
            several => Err(several_options(wanted, several).into()),
        }
    }

    /// Why there is no such option: no month, or no strike, with those next to it.
    async fn no_option(
        self,
        wanted: &WantedOption,
        underlying: Conid,
        failed: Option<Failure>,
    ) -> Unserved {
        let request = GetStrikes {
            underlying,
            sec_type: SecType::Option,
            month: wanted.expiry.month(),
            exchange: wanted.exchange.clone(),
        };
        let strikes = self.lease.client().ask(&request, self.deadline).await;
        let strikes = strikes.map(|answer| answer.value).unwrap_or_default();
        let mut strikes: Vec<Decimal> = match wanted.right {
            Right::Call => strikes.call,
            Right::Put => strikes.put,
        }
        .into_iter()
        .map(Price::get)
        .collect();
        // What is on the list is there: then it was trouble.
        if let Some(failure) = failed.filter(|_| strikes.contains(&wanted.strike)) {
            return failure.into();
        }
        let away =
            |strike: &Decimal| strike.checked_sub(wanted.strike).map_or(Decimal::MAX, |d| d.abs());
        strikes.sort_by_key(away);
        let (symbol, month) = (&wanted.symbol, wanted.expiry.month());
        let (field, message) = if strikes.is_empty() {
            ("expiry", format!("{symbol} has no options in {month}."))
        } else {
            ("strike", format!("{symbol} {month} has no strike {}.", wanted.strike.normalize()))
        };
        let next = if strikes.is_empty() {
            "get_option_chain without expiry lists the days on which options end."
        } else {
            "Use one of the candidates as strike."
        };
        Refusal::new(ErrorCode::UnknownSymbol, message, next)
            .at(field)
            .or(strikes.iter().take(CANDIDATES).map(|strike| strike.normalize().to_string()))
            .into()
    }
}

/// IBKR knows no such number.
pub fn unknown_conid(conid: Conid) -> Refusal {
    Refusal::new(
        ErrorCode::UnknownSymbol,
        format!("IBKR knows no contract with the conid {conid}."),
        "Find the right one with search_contracts.",
    )
    .at("conid")
}

/// Several contracts may be meant.
pub fn ambiguous(wish: &Wish, several: &[Contract]) -> Refusal {
    Refusal::new(
        ErrorCode::AmbiguousSymbol,
        format!("{} may mean {} contracts.", wish.symbol, several.len()),
        "Repeat the call with the conid of the one that is meant; ask the user if unsure.",
    )
    .at("symbol")
    .or(candidates(several))
}

/// No contract is meant; these have the symbol and are listed elsewhere.
pub fn unknown(wish: &Wish, others: &[Contract]) -> Refusal {
    let wanted: Vec<&str> =
        wish.exchange.as_deref().into_iter().chain(wish.currency.as_deref()).collect();
    let (field, message, next) = if others.is_empty() {
        (
            "symbol",
            format!("IBKR knows no contract with the symbol {}.", wish.symbol),
            "Look for it with search_contracts, by query if only the name is known.",
        )
    } else {
        let field = if wish.exchange.is_some() { "exchange" } else { "currency" };
        (
            field,
            format!("{} is not listed as {}.", wish.symbol, wanted.join(" ")),
            "Repeat the call with one of the candidates.",
        )
    };
    Refusal::new(ErrorCode::UnknownSymbol, message, next).at(field).or(candidates(others))
}

fn no_future(wish: &Wish) -> Refusal {
    Refusal::new(
        ErrorCode::UnknownSymbol,
        format!("IBKR knows no future with the symbol {}.", wish.symbol),
        "Of an option give strike and right beside its expiry; of anything else leave out expiry and secType.",
    )
    .at(if wish.expiry.is_some() { "expiry" } else { "symbol" })
}

fn no_such_expiry(wish: &Wish, expiry: &str, others: &[Contract]) -> Refusal {
    let message = format!("{} has no future that expires {expiry}.", wish.symbol);
    Refusal::new(ErrorCode::UnknownSymbol, message, "Use the conid of a candidate.")
        .at("expiry")
        .or(candidates(others))
}

fn several_options(wanted: &WantedOption, several: &[&OptionInfo]) -> Refusal {
    Refusal::new(
        ErrorCode::AmbiguousSymbol,
        format!("{} {} has several expiries.", wanted.symbol, wanted.expiry.month()),
        "Repeat the call with the day as expiry, or with the conid.",
    )
    .at("expiry")
    .or(candidates(several.iter().copied()))
}

fn no_option_that_day(wanted: &WantedOption, of_month: &[OptionInfo]) -> Refusal {
    let days = of_month.iter().filter_map(|option| option.maturity_date.clone());
    Refusal::new(
        ErrorCode::UnknownSymbol,
        format!("{} has no such option on that day.", wanted.symbol),
        "Use one of the candidates as expiry.",
    )
    .at("expiry")
    .or(days.take(CANDIDATES))
}
