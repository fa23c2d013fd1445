//! What a client asks for, as far as words go: nothing that contradicts itself can be spelled here.
//!
//! Which contract is meant, and what it costs, is found out later (`prepare.rs`, `scene.rs`). Pure.

use ibd_cpapi::contracts::{Right, SecType};
use ibd_cpapi::id::{AccountId, Conid};
use ibd_cpapi::money::Price;
pub use ibd_cpapi::orders::{Pricing, Size, Trail};
use ibd_cpapi::orders::{Side, Tif};
use jiff::civil::Date;
use ring::digest;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::contracts::{Contract, Given};
use ibd_cpapi::exact;

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
    /// Several contracts as one, of which some are named by their parts. Apart from [`What::Combo`], whose hashes
    /// stand in journals.
    Spread {
        /// Which, and how.
        legs: Vec<SpreadLeg>,
    },
    /// Several contracts as one.
    Combo {
        /// At least two.
        legs: Vec<Leg>,
    },
}

/// One leg of a combination, as it is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SpreadLeg {
    /// The contract; no combination itself.
    pub what: What,
    /// Contracts in one combination; positive.
    pub ratio: u32,
    /// What buying the combination does with it.
    pub side: Side,
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
    /// What it pays when it ends, of an option.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<OptionTerms>,
    /// The day on which it ends, of what does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<Date>,
}

/// When and from where on an option pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionTerms {
    /// The strike.
    #[serde(with = "exact")]
    pub strike: Decimal,
    /// Call or put.
    pub right: Right,
    /// The day on which it ends.
    pub expiry: Date,
}

impl OptionTerms {
    /// Those of a contract; nothing of one that is no option, or of which they are not all known.
    pub fn of(contract: &Contract) -> Option<Self> {
        Some(Self { strike: contract.strike?, right: contract.right?, expiry: contract.expiry? })
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

impl Leg {
    /// A leg of which nothing more is known yet.
    pub fn new(conid: Conid, ratio: u32, side: Side) -> Self {
        Self {
            conid,
            ratio,
            side,
            symbol: None,
            sec_type: None,
            unit: None,
            negative: false,
            option: None,
            expiry: None,
        }
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
