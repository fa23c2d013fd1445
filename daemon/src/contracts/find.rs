//! Finds the one contract that is meant, or says what may be meant. Never takes the first hit.

use ibd_cpapi::Failure;
use ibd_cpapi::contracts::SecType;
use ibd_cpapi::id::Conid;
use ibd_protocol::ErrorCode;
use tokio::time::Instant;

use super::candidate::candidates;
use super::expiry::Expiry;
use super::{Choice, Contract, Given, Listed, Underlyings, Wish, by_symbol, choose, looked_up};
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
        let found = looked_up(self.lease, self.store, &[conid], self.deadline).await?;
        match found.contracts.into_iter().next() {
            Some(contract) => {
                given.agrees(&contract, &format!("conid {conid}"))?;
                Ok(contract)
            }
            None => Err(unless_unread(unknown_conid(conid), found.unread).into()),
        }
    }

    /// The contract of a symbol.
    pub async fn by_symbol(self, wish: &Wish) -> Found {
        let listed = by_symbol(self.lease, self.store, wish, self.deadline).await?;
        let Listed { contracts: mut found, unread } = listed;
        if found.is_empty() && wish.sec_type == Some(SecType::Future) {
            return Err(unless_unread(no_future(wish), unread).into());
        }
        if let Some(text) = &wish.expiry {
            let expiry = Expiry::read_alive(text, super::today())?;
            let (those, others): (Vec<_>, Vec<_>) =
                found.into_iter().partition(|contract| expiry.is_of(contract));
            if those.is_empty() && !others.is_empty() {
                let none = no_such_expiry(wish, text, &others);
                return Err(unless_unread(none, unread).into());
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
            Choice::None(others) => Err(unless_unread(unknown(wish, &others), unread).into()),
        }
    }

    /// The underlying of an option, searched for by its symbol: without that there are no strikes.
    pub async fn underlying(self, wish: &Wish) -> Found {
        let found = by_symbol(self.lease, self.store, wish, self.deadline).await?;
        let underlying = match choose(wish, found.contracts) {
            Choice::One(contract) => *contract,
            Choice::Several(several) => return Err(ambiguous(wish, &several).into()),
            Choice::None(others) => {
                return Err(unless_unread(unknown(wish, &others), found.unread).into());
            }
        };
        self.underlyings.prepare(self.lease, [wish.symbol.clone()], self.deadline).await?;
        Ok(underlying)
    }
}

/// That a contract is not there, unless something could not be read that may be it: then nobody knows.
pub fn unless_unread(none: Refusal, unread: Option<Failure>) -> Refusal {
    match unread {
        Some(unread) if none.error == ErrorCode::UnknownSymbol => {
            Refusal { field: none.field, candidates: none.candidates, ..not_known(&unread) }
        }
        _ => none,
    }
}

/// Whether there is a contract is not known, because something could not be read.
pub fn not_known(unread: &Failure) -> Refusal {
    Refusal::new(
        ErrorCode::GatewayGarbled,
        format!(
            "Whether there is such a contract is not known, because IBKR's answer could not be read in full: {unread}."
        ),
        "Try again; if it stays, name the contract by its conid, or take one of the candidates if it is meant.",
    )
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_could_not_be_read_is_not_said_to_be_unknown() {
        let wish =
            Wish { symbol: "KO".to_owned(), currency: Some("EUR".into()), ..Wish::default() };
        let other = Contract::bare("7".parse().unwrap());
        let odd = || {
            Some(Failure::Garbled { endpoint: "trsrv/stocks", what: "a row (conid x)".to_owned() })
        };
        for (none, unread, code, field, count) in [
            (unknown(&wish, &[]), None, ErrorCode::UnknownSymbol, "symbol", 0),
            (unknown(&wish, &[]), odd(), ErrorCode::GatewayGarbled, "symbol", 0),
            (unknown(&wish, &[other]), odd(), ErrorCode::GatewayGarbled, "currency", 1),
            (unknown_conid("7".parse().unwrap()), odd(), ErrorCode::GatewayGarbled, "conid", 0),
            (no_future(&wish), odd(), ErrorCode::GatewayGarbled, "symbol", 0),
            // What was read says that several may be meant, whatever else there is.
            (ambiguous(&wish, &[]), odd(), ErrorCode::AmbiguousSymbol, "symbol", 0),
        ] {
            let told = unless_unread(none, unread);
            assert_eq!((told.error, told.candidates.len()), (code, count), "{told:?}");
            assert_eq!(told.field.as_deref(), Some(field), "{told:?}");
            let is_odd = code == ErrorCode::GatewayGarbled;
            assert_eq!(told.message.contains("a row (conid x)"), is_odd, "{told:?}");
            assert_eq!(told.message.contains("IBKR knows no"), code == ErrorCode::UnknownSymbol);
        }
    }
}
