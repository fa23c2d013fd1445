//! Contracts that may have been meant, as an error shows them.

use ibd_cpapi::contracts::OptionInfo;
use ibd_cpapi::failure::clean;
use ibd_cpapi::id::Conid;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Contract, expiry};

/// More are not shown.
pub const CANDIDATES: usize = 10;

/// A contract that may have been meant: enough to tell it from the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// IBKR's number.
    #[schemars(with = "u32")]
    conid: Conid,
    /// The symbol.
    #[serde(skip_serializing_if = "Option::is_none")]
    symbol: Option<String>,
    /// Company or product.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The listing exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange: Option<String>,
    /// The currency it trades in.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// YYYYMMDD, of what expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<String>,
}

impl From<&Contract> for Candidate {
    fn from(contract: &Contract) -> Self {
        Self {
            conid: contract.conid,
            symbol: contract.symbol.clone(),
            name: contract.name.as_deref().map(clean),
            exchange: contract.exchange.clone(),
            currency: contract.currency.clone(),
            expiry: contract.expiry.map(expiry::plain),
        }
    }
}

impl From<&OptionInfo> for Candidate {
    fn from(option: &OptionInfo) -> Self {
        Self {
            conid: option.conid,
            symbol: option.trading_class.clone(),
            name: option.description.as_deref().map(clean),
            exchange: option.exchange.clone(),
            currency: option.currency.clone(),
            expiry: option.maturity_date.clone(),
        }
    }
}

/// The first of some, as many as are shown.
pub fn candidates<'c, T: 'c>(all: impl IntoIterator<Item = &'c T>) -> Vec<Candidate>
where
    Candidate: From<&'c T>,
{
    all.into_iter().take(CANDIDATES).map(Candidate::from).collect()
}
