//! How much and at what price: the one form in which an order's terms are asked for, kept and sent. Pure.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{OrderType, TrailingType};
use crate::exact;
use crate::money::{Amount, Price, Quantity};

/// How much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Size {
    /// Shares or contracts.
    Quantity(#[serde(with = "exact")] Quantity),
    /// Money of the contract's currency.
    Cash(#[serde(with = "exact")] Amount),
}

/// How far a trailing stop follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    /// By so much.
    #[serde(with = "exact")]
    pub by: Decimal,
    /// Of what.
    pub of: TrailingType,
}

impl Trail {
    /// For a person.
    pub fn shown(&self) -> String {
        match self.of {
            TrailingType::Amount => self.by.normalize().to_string(),
            TrailingType::Percent => format!("{} %", self.by.normalize()),
        }
    }
}

/// At what price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pricing {
    /// At the market.
    Market,
    /// At this price or better.
    Limit(#[serde(with = "exact")] Price),
    /// At the market once this price is reached.
    Stop(#[serde(with = "exact")] Price),
    /// At a limit once a price is reached.
    StopLimit {
        /// What must be reached.
        #[serde(with = "exact")]
        stop: Price,
        /// The limit then.
        #[serde(with = "exact")]
        limit: Price,
    },
    /// A stop that follows the market.
    Trail {
        /// How.
        trail: Trail,
        /// Where it stands first; from the quote if left out.
        #[serde(with = "exact::opt")]
        stop: Option<Price>,
    },
    /// The same, at a limit.
    TrailLimit {
        /// How.
        trail: Trail,
        /// Where it stands first; from the quote if left out.
        #[serde(with = "exact::opt")]
        stop: Option<Price>,
        /// The limit that goes with it.
        #[serde(with = "exact")]
        limit: Price,
    },
    /// Between bid and ask, at most or at least this price.
    MidPrice(#[serde(with = "exact::opt")] Option<Price>),
}

impl Pricing {
    /// The broker's name for it.
    pub fn order_type(&self) -> OrderType {
        match self {
            Self::Market => OrderType::Mkt,
            Self::Limit(_) => OrderType::Lmt,
            Self::Stop(_) => OrderType::Stp,
            Self::StopLimit { .. } => OrderType::StopLimit,
            Self::Trail { .. } => OrderType::Trail,
            Self::TrailLimit { .. } => OrderType::TrailLmt,
            Self::MidPrice(_) => OrderType::MidPrice,
        }
    }

    /// The worst price that it allows, where it says one.
    pub fn limit(&self) -> Option<Price> {
        match self {
            Self::Limit(limit)
            | Self::StopLimit { limit, .. }
            | Self::TrailLimit { limit, .. }
            | Self::MidPrice(Some(limit)) => Some(*limit),
            _ => None,
        }
    }

    /// The price that triggers it, where there is one.
    pub fn stop(&self) -> Option<Price> {
        match self {
            Self::Stop(stop) | Self::StopLimit { stop, .. } => Some(*stop),
            Self::Trail { stop, .. } | Self::TrailLimit { stop, .. } => *stop,
            _ => None,
        }
    }

    /// How far it stays behind the market.
    pub fn trail(&self) -> Option<Trail> {
        match self {
            Self::Trail { trail, .. } | Self::TrailLimit { trail, .. } => Some(*trail),
            _ => None,
        }
    }

    /// What is sent as `price`: the limit; for STP and TRAIL, which have none, the stop price.
    pub fn price(&self) -> Option<Price> {
        self.limit().or(match self {
            Self::Stop(_) | Self::Trail { .. } => self.stop(),
            _ => None,
        })
    }

    /// What is sent as `auxPrice`: the stop price where `price` is a limit.
    pub fn aux_price(&self) -> Option<Price> {
        self.limit().and(self.stop())
    }
}
