//! What a client asks for, as far as words go: nothing that contradicts itself can be spelled here.
//!
//! Which contract is meant, and what it costs, is found out later (`prepare.rs`, `scene.rs`). Pure.

use ibd_cpapi::contracts::{Right, SecType};
use ibd_cpapi::id::{AccountId, Conid};
use ibd_cpapi::money::{Amount, Price, Quantity};
use ibd_cpapi::orders::{OrderType, Side, Tif, TrailingType};
use ring::digest;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::contracts::Given;
use crate::exact;

/// An order as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// The account it names.
    pub account: Option<AccountId>,
    /// What is to be traded.
    pub what: What,
    /// Buy or sell.
    pub side: Side,
    /// How much.
    pub size: Size,
    /// At what price.
    pub pricing: Pricing,
    /// For how long.
    pub tif: Tif,
    /// Also outside regular trading hours.
    pub outside_rth: bool,
    /// What comes with it in the same submission.
    pub attached: Attached,
}

/// A position that is to be closed: side and quantity are the position's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Closing {
    /// The account it names.
    pub account: Option<AccountId>,
    /// What is held.
    pub what: What,
    /// The side, where it is named: it must be the one that closes.
    pub side: Option<Side>,
    /// At what price.
    pub pricing: Pricing,
    /// For how long.
    pub tif: Tif,
    /// Also outside regular trading hours.
    pub outside_rth: bool,
}

/// What a call for an order wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// An order in full.
    Order(Asked),
    /// The end of a position.
    Close(Closing),
}

impl Wanted {
    /// SHA-256 of the whole, in hex.
    pub fn hash(&self) -> String {
        match self {
            Self::Order(asked) => asked.hash(),
            Self::Close(closing) => hash_of(&("close", closing)),
        }
    }
}

/// What is to be traded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum What {
    /// This contract.
    Conid(Conid),
    /// This contract, of which something else is said besides.
    Named {
        /// Which.
        conid: Conid,
        /// What it must agree with.
        given: Box<Given>,
    },
    /// What has this symbol.
    Symbol {
        /// In capitals.
        symbol: String,
        /// `STK`, `FUT`, …
        sec_type: Option<String>,
        /// The listing exchange.
        exchange: Option<String>,
        /// The currency.
        currency: Option<String>,
        /// Of a future: a day or a month.
        #[serde(skip_serializing_if = "Option::is_none")]
        expiry: Option<String>,
    },
    /// An option.
    Option {
        /// The underlying's symbol, in capitals.
        symbol: String,
        /// `JAN27`, `20270115` or `2027-01-15`.
        expiry: String,
        /// The strike.
        #[serde(with = "exact")]
        strike: Decimal,
        /// Call or put.
        right: Right,
        /// Where it is routed; SMART if left out.
        exchange: Option<String>,
        /// The currency, where one is named.
        #[serde(skip_serializing_if = "Option::is_none")]
        currency: Option<String>,
        /// What kind of contract it is called.
        #[serde(skip_serializing_if = "Option::is_none")]
        sec_type: Option<String>,
    },
    /// Several contracts as one.
    Combo {
        /// At least two.
        legs: Vec<Leg>,
    },
}

/// One leg of a combination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// The contract.
    pub conid: Conid,
    /// Contracts in one combination; positive.
    pub ratio: u32,
    /// What buying the combination does with it.
    pub side: Side,
    /// Its symbol. As the rest: known once the contract was found, and not of what was written earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// `STK`, `OPT`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sec_type: Option<SecType>,
    /// What one of it is worth at a price of one, in its currency.
    #[serde(default, with = "exact::opt", skip_serializing_if = "Option::is_none")]
    pub unit: Option<Decimal>,
    /// Whether its price can be negative.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub negative: bool,
}

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

    /// Each price in it with the argument that gave it.
    pub fn prices(&self) -> Vec<(&'static str, Price)> {
        let limit = self.limit().map(|price| ("price", price));
        let stop = self.stop().map(|price| ("stopPrice", price));
        limit.into_iter().chain(stop).collect()
    }
}

/// What comes with an order in the same submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attached {
    /// Nothing.
    Nothing,
    /// Orders that close the position again, once the order is filled; one cancels the other.
    Bracket {
        /// A limit order.
        #[serde(with = "exact::opt")]
        take_profit: Option<Price>,
        /// A stop order.
        #[serde(with = "exact::opt")]
        stop_loss: Option<Price>,
        /// Makes the stop a stop-limit.
        #[serde(with = "exact::opt")]
        stop_loss_limit: Option<Price>,
    },
    /// Other orders for the same contract; whichever is filled cancels the rest.
    Oca(Vec<Sibling>),
}

/// One more order of a one-cancels-all group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sibling {
    /// Buy or sell.
    pub side: Side,
    /// How much.
    pub size: Size,
    /// At what price.
    pub pricing: Pricing,
}

impl Attached {
    /// The same with one of a bracket's children at the price that the broker has it at. `None`: it is no child
    /// of it.
    pub fn with_child(&self, pricing: Pricing) -> Option<Self> {
        let Self::Bracket { take_profit, stop_loss, stop_loss_limit } = *self else { return None };
        let (take_profit, stop_loss, stop_loss_limit) = match pricing {
            Pricing::Limit(limit) => {
                (Some(take_profit.and(Some(limit))?), stop_loss, stop_loss_limit)
            }
            Pricing::Stop(stop) => (take_profit, Some(stop_loss.and(Some(stop))?), None),
            Pricing::StopLimit { stop, limit } => {
                (take_profit, Some(stop_loss.and(Some(stop))?), Some(limit))
            }
            _ => return None,
        };
        Some(Self::Bracket { take_profit, stop_loss, stop_loss_limit })
    }
}

impl Asked {
    /// SHA-256 of the whole, in hex: the same for the same order, whichever way its numbers were written.
    pub fn hash(&self) -> String {
        hash_of(self)
    }
}

/// SHA-256 of a value's one spelling.
pub fn hash_of(value: &impl Serialize) -> String {
    let text = serde_json::to_vec(value).unwrap_or_default();
    hex(digest::digest(&digest::SHA256, &text).as_ref())
}

/// In small letters.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
