//! Sets of tools: a client with a small context sees some of them only.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The set that a tool is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Toolset {
    /// Every set: what a client needs whatever else it sees.
    Every,
    /// Balances, positions and what became of them.
    Account,
    /// Contracts, quotes and histories.
    Market,
    /// Orders and executions.
    Orders,
    /// Flex statements.
    Flex,
    /// Alerts.
    Alerts,
    /// Watchlists.
    Watchlists,
}

impl Toolset {
    /// The sets that can be asked for.
    pub const NAMED: &'static [Self] =
        &[Self::Account, Self::Market, Self::Orders, Self::Flex, Self::Alerts, Self::Watchlists];

    /// Their names, in the same order.
    pub const NAMES: &'static [&'static str] =
        &["account", "market", "orders", "flex", "alerts", "watchlists"];

    /// As in settings and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Every => "every",
            Self::Account => "account",
            Self::Market => "market",
            Self::Orders => "orders",
            Self::Flex => "flex",
            Self::Alerts => "alerts",
            Self::Watchlists => "watchlists",
        }
    }
}

impl fmt::Display for Toolset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The sets that a client sees. All, unless somebody asks for fewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Toolsets(BTreeSet<Toolset>);

impl Default for Toolsets {
    fn default() -> Self {
        Self(Toolset::NAMED.iter().copied().collect())
    }
}

impl Toolsets {
    /// Those that a checked value of `IB_TOOLSETS` names.
    pub fn of(names: &str) -> Self {
        let is_named = |set: &Toolset| names.split_whitespace().any(|name| name == set.as_str());
        Self(Toolset::NAMED.iter().copied().filter(is_named).collect())
    }

    /// Whether the tools of a set are among them.
    pub fn has(&self, set: Toolset) -> bool {
        set == Toolset::Every || self.0.contains(&set)
    }

    /// The sets that both have.
    pub fn both(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).copied().collect())
    }

    /// Whether the other one has all of them.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }
}

impl fmt::Display for Toolsets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|set| set.as_str()).collect();
        f.write_str(&names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_sets_are_one_list() {
        let names: Vec<&str> = Toolset::NAMED.iter().map(|set| set.as_str()).collect();
        assert_eq!(names, Toolset::NAMES);
    }

    #[test]
    fn the_stricter_side_wins_and_every_set_has_what_a_client_always_needs() {
        let (two, one) = (Toolsets::of("market orders"), Toolsets::of("orders flex"));
        let both = two.both(&one);
        assert_eq!(both.to_string(), "orders");
        assert!(both.is_within(&two) && !two.is_within(&both));
        assert!(both.has(Toolset::Orders) && both.has(Toolset::Every));
        assert!(!both.has(Toolset::Market));
        assert!(Toolset::NAMED.iter().all(|set| Toolsets::default().has(*set)));
        assert!(Toolsets::of("").has(Toolset::Every));
    }
}
