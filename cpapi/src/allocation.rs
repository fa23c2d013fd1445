//! What an account is invested in: `/portfolio/{account}/allocation`.

use serde::Deserialize;

use crate::endpoint::{Endpoint, Path};
use crate::id::AccountId;
use crate::lenient;
use crate::money::Amount;
use crate::rows::{self, Entries};

/// An account's value by kinds of things, in its base currency.
#[derive(Debug, Clone)]
pub struct GetAllocation {
    /// Whose.
    pub account: AccountId,
}

/// The reply. A division that is missing is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Allocation {
    /// By `STK`, `OPT`, `CASH`, …
    #[serde(rename = "assetClass", default, deserialize_with = "lenient::part")]
    pub asset_class: Option<Sides>,
    /// By `Technology`, `Financial`, …; what has no sector is `Others`.
    #[serde(default, deserialize_with = "lenient::part")]
    pub sector: Option<Sides>,
    /// By `Computers`, `Banks`, …
    #[serde(default, deserialize_with = "lenient::part")]
    pub group: Option<Sides>,
}

/// What is held long, and what is held short.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Sides {
    /// Above zero.
    #[serde(default, deserialize_with = "rows::field")]
    pub long: Entries<Amount>,
    /// Below zero.
    #[serde(default, deserialize_with = "rows::field")]
    pub short: Entries<Amount>,
}

impl Endpoint for GetAllocation {
    type Reply = Allocation;
    const NAME: &'static str = "portfolio/allocation";

    fn path(&self) -> Path {
        Path::new("/portfolio").segment(&self.account).then("/allocation")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fixtures;

    #[test]
    fn an_allocation_is_read_on_both_sides() {
        let allocation: Allocation = fixtures::reply("portfolio_allocation");
        let classes = allocation.asset_class.unwrap();
        assert_eq!(classes.long["STK"].to_string(), "40210.5");
        assert_eq!(classes.short["OPT"].to_string(), "-812.5");
        assert_eq!(allocation.group.unwrap().long["Banks"].to_string(), "20000");
    }

    #[test]
    fn what_is_odd_costs_no_other() {
        let allocation: Allocation = serde_json::from_str(
            r#"{"assetClass":{"long":{"STK":1.5,"OPT":"odd"},"short":[]},"sector":7}"#,
        )
        .unwrap();
        let classes = allocation.asset_class.unwrap();
        assert_eq!(classes.long["STK"].to_string(), "1.5");
        assert_eq!(classes.long.unread()[0].of, "OPT");
        assert!(!classes.short.is_whole() && allocation.sector.is_none());
    }
}
