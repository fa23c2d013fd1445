//! In what the prices of a contract are: the currency, or parts of it.

use std::collections::HashMap;

use futures_util::future::join_all;
use ibd_cpapi::contracts::SecType;
use ibd_cpapi::id::Conid;
use tokio::time::Instant;

use crate::contracts::Contract;
use crate::orders::RuleBook;
use crate::orders::price_unit;
use crate::session::Lease;

/// The unit of a contract's prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unit {
    /// The currency's.
    Whole,
    /// A part of it, by its name.
    Part(String),
    /// The contract's rules, which say so, could not be read.
    NotKnown,
}

impl Unit {
    pub(super) fn in_parts(&self) -> Option<String> {
        match self {
            Self::Part(unit) => Some(unit.clone()),
            Self::Whole | Self::NotKnown => None,
        }
    }
}

/// The units of contracts whose prices may be in parts of the currency, by the contract's rules
/// (`/iserver/contract/rules`, `priceMagnifier`); all others are in whole ones.
pub(super) async fn units(
    rules: &RuleBook,
    lease: &Lease,
    contracts: &[Contract],
    deadline: Instant,
) -> HashMap<Conid, Unit> {
    let asked = contracts.iter().filter(|contract| {
        may_be_in_parts(contract.sec_type.as_ref(), contract.currency.as_deref())
    });
    let units = asked.map(|contract| (contract.conid, contract.currency.as_deref()));
    let units = units.map(|(conid, currency)| async move {
        let known = rules.of(lease, conid, true, deadline).await.ok();
        let unit = match known.and_then(|rules| rules.magnifier()) {
            None => Unit::NotKnown,
            Some(magnifier) => match price_unit(currency.unwrap_or("of the currency"), magnifier) {
                Some(unit) => Unit::Part(unit),
                None => Unit::Whole,
            },
        };
        (conid, unit)
    });
    join_all(units).await.into_iter().collect()
}

/// Futures and what is on them, in any currency (grains are in cents); anything in a currency whose exchanges quote
/// in hundredths: London, Tel Aviv, Johannesburg.
fn may_be_in_parts(sec_type: Option<&SecType>, currency: Option<&str>) -> bool {
    match sec_type {
        Some(SecType::Future | SecType::FutureOption) => true,
        Some(SecType::Cash | SecType::Crypto | SecType::Index) => false,
        _ => currency.is_none_or(|currency| matches!(currency, "GBP" | "ILS" | "ZAR")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_asked_for_only_where_prices_may_be_in_parts() {
        for (kind, currency, asks) in [
            ("STK", Some("USD"), false),
            ("STK", Some("GBP"), true),
            ("STK", None, true),
            ("FUT", Some("USD"), true),
            ("OPT", Some("USD"), false),
            ("OPT", Some("ZAR"), true),
            ("CASH", Some("GBP"), false),
        ] {
            assert_eq!(
                may_be_in_parts(Some(&SecType::of(kind)), currency),
                asks,
                "{kind} {currency:?}"
            );
        }
    }
}
