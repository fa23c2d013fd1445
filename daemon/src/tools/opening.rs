//! Whether the markets of contracts are open, and what that makes of their quotes: the same in every answer.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use tokio::time::{Duration, Instant};

use crate::contracts::Contract;
use crate::contracts::hours::{Hours, Market, hours, market_of};
use crate::market::Data;
use crate::session::Lease;
use crate::store::Store;

/// So long a quote waits for the hours of its market, which are no part of its price.
const HOURS: Duration = Duration::from_secs(3);

/// When the markets of some contracts are open; of one whose hours cannot be read that is not known.
pub async fn opening(
    lease: &Lease,
    store: &Store,
    contracts: &[Contract],
    deadline: Instant,
) -> Vec<Option<Hours>> {
    let soon = deadline.min(Instant::now() + HOURS);
    let mut known: BTreeMap<String, Option<Hours>> = BTreeMap::new();
    // One after the other, and each market once, whether it answers or not.
    for contract in contracts {
        if let Entry::Vacant(free) = known.entry(market_of(contract)) {
            free.insert(hours(lease, store, contract, soon).await.ok());
        }
    }
    contracts.iter().map(|one| known.get(&market_of(one)).cloned().flatten()).collect()
}

/// What kind of prices these are. Nothing moves in a market that is closed, whatever IBKR calls it.
pub fn data(quoted: Data, market: Option<Market>) -> Data {
    match (quoted, market) {
        (Data::Live, Some(Market::Closed)) => Data::Frozen,
        (quoted, _) => quoted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_called_live_while_its_market_is_closed_is_frozen() {
        for (quoted, market, told) in [
            (Data::Live, Some(Market::Closed), Data::Frozen),
            (Data::Live, Some(Market::Extended), Data::Live),
            (Data::Live, None, Data::Live),
            (Data::Delayed, Some(Market::Closed), Data::Delayed),
            (Data::None, Some(Market::Closed), Data::None),
        ] {
            assert_eq!(data(quoted, market), told, "{quoted:?} {market:?}");
        }
    }
}
