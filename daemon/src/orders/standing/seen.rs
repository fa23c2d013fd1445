//! How an order was last seen: the broker's word, or ours for what its lists no longer have. Pure.

use ibd_cpapi::orders::{Meaning, Stage};
use ibd_protocol::states;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How an order was last seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The broker lists it, and says this of it.
    Listed(Stage),
    /// Its lists no longer have it, and it has ended by itself by now.
    Unlisted,
    /// The same of one that does not end by itself: it is looked for on.
    Missing,
}

pub(super) const UNLISTED: &str = "Unlisted";
pub(super) const MISSING: &str = "Missing";

impl Seen {
    /// As the journal has it, and as it is shown: the broker's word, or ours for what its lists no longer have.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Listed(stage) => stage.as_str(),
            Self::Unlisted => UNLISTED,
            Self::Missing => MISSING,
        }
    }

    /// As the journal has it.
    fn of(word: &str) -> Self {
        match word {
            UNLISTED => Self::Unlisted,
            MISSING => Self::Missing,
            word => Self::Listed(Stage::of(word)),
        }
    }

    /// What the broker says, where it says something.
    pub fn stage(&self) -> Option<&Stage> {
        match self {
            Self::Listed(stage) => Some(stage),
            Self::Unlisted | Self::Missing => None,
        }
    }

    /// What the broker's word means; that its lists no longer have it is no word of the broker's.
    pub fn meaning(&self) -> Meaning {
        self.stage().map_or(Meaning::Unknown, Stage::meaning)
    }

    /// Whether nothing more comes of it.
    pub fn is_over(&self) -> bool {
        *self == Self::Unlisted || self.stage().is_some_and(Stage::is_over)
    }

    /// Whether it can still be filled. `None`: nobody knows.
    pub fn can_fill(&self) -> Option<bool> {
        self.stage().and_then(Stage::can_fill)
    }

    /// How something ended that was not filled.
    pub fn ended(&self) -> states::Order {
        match self.stage() {
            Some(Stage::Rejected) => states::Order::Rejected,
            Some(Stage::Expired) => states::Order::Expired,
            _ => states::Order::Cancelled,
        }
    }

    pub(super) fn is_filled(&self) -> bool {
        self.meaning() == Meaning::Filled
    }

    pub(super) fn has_ended(&self) -> bool {
        self.meaning() == Meaning::Ended
    }
}

impl From<Stage> for Seen {
    fn from(stage: Stage) -> Self {
        Self::Listed(stage)
    }
}

/// As tests write it.
#[cfg(test)]
impl From<&str> for Seen {
    fn from(word: &str) -> Self {
        Self::of(word)
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Seen {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Seen {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|word| Self::of(&word))
    }
}
