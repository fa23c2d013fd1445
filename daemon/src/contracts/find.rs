//! Finds the one contract that is meant, or says what may be meant. Never takes the first hit.

use ibd_cpapi::contracts::SecType;
use ibd_cpapi::id::Conid;
use ibd_protocol::ErrorCode;
use tokio::time::Instant;

use super::candidate::candidates;
use super::expiry::Expiry;
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
