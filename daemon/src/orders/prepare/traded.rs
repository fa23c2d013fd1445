//! What an order needs of a contract that was found, and what cannot be traded.

use ibd_cpapi::contracts::{GetContractInfo, SecType};
use ibd_cpapi::failure::clean;
use ibd_protocol::ErrorCode;
use jiff::civil::Date;
use rust_decimal::Decimal;
use tokio::time::Instant;

use crate::contracts::{self, Contract};
use crate::orders::order::Traded;
use crate::refusal::{Refusal, Unserved};
use crate::session::Lease;

/// Longest name of an exchange or a currency.
const SHORT: usize = 20;

/// Everything that an order needs of a contract.
pub(super) async fn traded(
    lease: &Lease,
    contract: Contract,
    deadline: Instant,
) -> Result<Traded, Unserved> {
    let conid = contract.conid;
    let sec_type = contract.sec_type.clone().unwrap_or_else(|| SecType::of(""));
    let currency = contract.currency.as_deref().and_then(|text| ibd_text::name(text, SHORT));
    let Some(currency) = currency.map(str::to_owned) else {
        let message = format!("IBKR does not say in which currency {conid} trades.");
        return Err(untradable(message, "Find another contract with search_contracts.").into());
    };
    if sec_type == SecType::Index {
        let message = "An index cannot be traded.";
        let next = "Use a future or an ETF on it.";
        return Err(Refusal::argument("symbol", message, next).into());
    }
    alive(contract.expiry, contracts::today())?;
    let multiplier = match multiplier(contract.multiplier, &sec_type) {
        Some(multiplier) => multiplier,
        None => {
            let info = lease.client().ask(&GetContractInfo { conid }, deadline).await?;
            let known = info.value.multiplier.map(|m| m.get()).filter(|m| *m > Decimal::ZERO);
            known.ok_or_else(|| {
                let message = format!("IBKR does not say what one contract of {conid} stands for.");
                untradable(message, "It cannot be traded here; use TWS.")
            })?
        }
    };
    Ok(Traded {
        conid: Some(conid),
        conidex: None,
        symbol: contract.symbol.as_deref().map(clean).unwrap_or_default(),
        name: name(&contract),
        // What is no name of an exchange is none that anybody could check.
        exchange: contract.exchange.filter(|text| ibd_text::name(text, SHORT).is_some()),
        currency,
        sec_type,
        multiplier,
        legs: Vec::new(),
        // What the rules for its orders say comes with them.
        price_magnifier: Decimal::ONE,
        negative: false,
    })
}

fn untradable(message: String, next: &str) -> Refusal {
    Refusal::new(ErrorCode::UnknownSymbol, message, next).at("conid")
}

/// What it is called, with the day on which it ends: months have several.
fn name(contract: &Contract) -> Option<String> {
    let name = contract.description.as_deref().or(contract.name.as_deref()).map(clean);
    match (name, contract.expiry) {
        (name, None) => name,
        (None, Some(day)) => Some(format!("expires {day}")),
        (Some(name), Some(day)) => Some(format!("{name}, expires {day}")),
    }
}

/// Units of the underlying in one contract. `None`: it must have some, and they are not known. One that is
/// not positive is none.
fn multiplier(known: Option<Decimal>, sec_type: &SecType) -> Option<Decimal> {
    match known {
        None if !sec_type.is_derivative() => Some(Decimal::ONE),
        known => known.filter(|multiplier| *multiplier > Decimal::ZERO),
    }
}

/// What has expired is not traded any more.
fn alive(expiry: Option<Date>, today: Date) -> Result<(), Refusal> {
    match expiry.filter(|day| *day < today) {
        Some(day) => Err(Refusal::argument(
            "expiry",
            format!("The contract expired on {day}."),
            "Use one that has not expired.",
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_multiplier_that_is_not_positive_is_not_known() {
        for (known, kind, expected) in [
            (None, SecType::Stock, Some(1)),
            (None, SecType::Option, None),
            (Some(100), SecType::Option, Some(100)),
            (Some(0), SecType::Future, None),
            (Some(-100), SecType::Option, None),
            (Some(-1), SecType::Stock, None),
        ] {
            let found = multiplier(known.map(Decimal::from), &kind);
            assert_eq!(found, expected.map(Decimal::from), "{known:?} {kind}");
        }
    }

    #[test]
    fn a_derivative_is_called_by_the_day_on_which_it_ends() {
        let named = |json: &str| name(&serde_json::from_str(json).unwrap());
        let option =
            r#"{"conid":7,"option_months":[],"description":"AAPL 250 Call","expiry":"2027-01-15"}"#;
        assert_eq!(named(option).as_deref(), Some("AAPL 250 Call, expires 2027-01-15"));
        assert_eq!(
            named(r#"{"conid":7,"option_months":[],"name":"APPLE INC"}"#).as_deref(),
            Some("APPLE INC")
        );
    }

    #[test]
    fn what_expired_is_not_traded() {
        let today = contracts::expiry::day("20261130").unwrap();
        assert!(alive(contracts::expiry::day("20261130"), today).is_ok());
        assert!(alive(None, today).is_ok());
        assert_eq!(
            alive(contracts::expiry::day("20261127"), today).unwrap_err().field.as_deref(),
            Some("expiry")
        );
    }
}
