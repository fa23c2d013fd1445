//! Profit and loss of an account in parts: one for each model that it is in, and one for all else.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::accounts::Account;
use crate::market::round_to;
use crate::state::World;
use crate::value::Worth;

/// What a part has, in the account's currency.
#[derive(Debug, Default, Clone, Copy)]
struct Part {
    daily: f64,
    unrealized: f64,
    net: f64,
    excess: f64,
    owned: f64,
}

/// The rows, each with its key; they add up to the account.
pub(super) fn partitions(world: &World, account: &Account) -> Vec<(String, Value)> {
    let models = models(world, account);
    let worth = world.worth(account);
    let core = models.values().fold(Part::whole(&worth), |rest, model| rest.without(model));
    let row = |(name, part): (&str, &Part)| (format!("{}.{name}", account.id), part.show());
    let own = models.iter().map(|(name, part)| (name.as_str(), part));
    std::iter::once(("Core", &core)).chain(own).map(row).collect()
}

/// Models have no cash here.
fn models(world: &World, account: &Account) -> BTreeMap<String, Part> {
    let mut models: BTreeMap<String, Part> = BTreeMap::new();
    for held in world.holdings(account) {
        let Some(model) = account.models.get(&held.instrument.conid) else { continue };
        let rate = world.rate(&held.instrument.currency, &account.currency).unwrap_or(1.0);
        let is_future = held.instrument.is("FUT");
        let owned = if is_future { 0.0 } else { held.market_value * rate };
        let unrealized = held.unrealized * rate;
        let part = models.entry(model.clone()).or_default();
        part.daily += held.daily * rate;
        part.unrealized += unrealized;
        part.net += if is_future { unrealized } else { owned };
        part.excess += if is_future { unrealized } else { owned };
        part.owned += owned;
    }
    models
}

impl Part {
    fn whole(worth: &Worth) -> Self {
        Self {
            daily: worth.base.daily,
            unrealized: worth.base.unrealized,
            net: worth.base.net(),
            excess: worth.excess(),
            owned: worth.base.owned(),
        }
    }

    fn without(self, other: &Self) -> Self {
        Self {
            daily: self.daily - other.daily,
            unrealized: self.unrealized - other.unrealized,
            net: self.net - other.net,
            excess: self.excess - other.excess,
            owned: self.owned - other.owned,
        }
    }

    fn show(&self) -> Value {
        json!({
            "rowType": 1,
            "dpl": round_to(self.daily, 2),
            "nl": round_to(self.net, 2),
            "upl": round_to(self.unrealized, 2),
            "el": round_to(self.excess, 2),
            "mv": round_to(self.owned, 2),
        })
    }
}
