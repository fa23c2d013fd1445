//! An order ticket: exactly what is sent in `POST /iserver/account/{account}/orders`.

mod wire;

use serde::Serialize;

use self::wire::Wire;
use super::words::{OrderType, Side, Tif, TrailingType};
use crate::id::{AccountId, ClientOrderId, Conid};
use crate::money::{Amount, Price, Quantity, Ratio};

/// One ticket. Serialised it is what goes to the broker, on one line, with nothing that is not set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "Wire")]
pub struct Ticket {
    /// Whose.
    pub acct_id: AccountId,
    /// The contract, routed SMART. Beside it the broker ignores `conidex`.
    pub conid: Option<Conid>,
    /// `265598@NYSE` for a direct route, or a combo.
    pub conidex: Option<String>,
    /// `265598:STK`.
    pub sec_type: Option<String>,
    /// Our name for it. Never on the child of a bracket.
    pub c_oid: Option<ClientOrderId>,
    /// The name of the parent, on the child of a bracket.
    pub parent_id: Option<ClientOrderId>,
    /// Primary exchange.
    pub listing_exchange: Option<String>,
    /// One fill cancels the others; set on every ticket of the set.
    pub is_single_group: Option<bool>,
    /// Also outside regular hours.
    pub outside_rth: Option<bool>,
    /// Kind of order and its prices, each where the broker wants it.
    pub terms: Terms,
    /// Which way.
    pub side: Side,
    /// The symbol; only informative.
    pub ticker: Option<String>,
    /// How long.
    pub tif: Tif,
    /// How many; for a modification the new total.
    pub quantity: Option<Quantity>,
    /// Instead of a quantity, an amount of money.
    pub cash_qty: Option<Amount>,
    /// Futures: whether a person enters it.
    pub manual_indicator: Option<bool>,
    /// Futures: who enters it.
    pub ext_operator: Option<String>,
}

/// What is traded, and by which way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instrument {
    /// By SMART routing.
    Conid(Conid),
    /// A direct route or a combo, in the broker's spelling.
    Conidex(String),
}

/// What every order has beside its account and contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deal {
    /// Which way.
    pub side: Side,
    /// How much.
    pub size: Size,
    /// Kind of order and prices.
    pub terms: Terms,
    /// How long.
    pub tif: Tif,
}

/// How much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Shares, contracts or units.
    Units(Quantity),
    /// Money.
    Cash(Amount),
}

/// A kind of order with the prices it needs, and no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terms {
    /// At any price.
    Market,
    /// At this price or a better one.
    Limit {
        /// The limit.
        limit: Price,
    },
    /// A market order once `stop` is reached.
    Stop {
        /// The stop price.
        stop: Price,
    },
    /// A limit order once `stop` is reached.
    StopLimit {
        /// The stop price.
        stop: Price,
        /// The limit.
        limit: Price,
    },
    /// A stop that follows the market.
    Trail {
        /// Where it starts; without it the broker starts at the market.
        stop: Option<Price>,
        /// How far behind it stays.
        by: Trailing,
    },
    /// A stop-limit that follows the market.
    TrailLimit {
        /// Where it starts.
        stop: Price,
        /// The limit.
        limit: Price,
        /// How far behind it stays.
        by: Trailing,
    },
    /// Between bid and ask.
    MidPrice {
        /// Never worse than this.
        cap: Option<Price>,
    },
}

/// A trailing distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trailing {
    /// How far.
    pub distance: Ratio,
    /// Counted in what.
    pub unit: TrailingType,
}

impl Terms {
    /// The broker's word for this kind.
    pub fn order_type(&self) -> OrderType {
        match self {
            Self::Market => OrderType::Mkt,
            Self::Limit { .. } => OrderType::Lmt,
            Self::Stop { .. } => OrderType::Stp,
            Self::StopLimit { .. } => OrderType::StopLimit,
            Self::Trail { .. } => OrderType::Trail,
            Self::TrailLimit { .. } => OrderType::TrailLmt,
            Self::MidPrice { .. } => OrderType::MidPrice,
        }
    }

    /// The price it does not trade beyond; the cap of a MIDPRICE.
    pub fn limit_price(&self) -> Option<Price> {
        match *self {
            Self::Limit { limit } | Self::StopLimit { limit, .. } => Some(limit),
            Self::TrailLimit { limit, .. } => Some(limit),
            Self::MidPrice { cap } => cap,
            Self::Market | Self::Stop { .. } | Self::Trail { .. } => None,
        }
    }

    /// The price at which it wakes up.
    pub fn stop_price(&self) -> Option<Price> {
        match *self {
            Self::Stop { stop } | Self::StopLimit { stop, .. } => Some(stop),
            Self::TrailLimit { stop, .. } => Some(stop),
            Self::Trail { stop, .. } => stop,
            Self::Market | Self::Limit { .. } | Self::MidPrice { .. } => None,
        }
    }

    /// How far it stays behind the market.
    pub fn trailing(&self) -> Option<Trailing> {
        match *self {
            Self::Trail { by, .. } | Self::TrailLimit { by, .. } => Some(by),
            _ => None,
        }
    }

    /// What is sent as `price`: the limit; for STP and TRAIL, which have none, the stop price.
    pub fn price(&self) -> Option<Price> {
        self.limit_price().or(match self {
            Self::Stop { .. } | Self::Trail { .. } => self.stop_price(),
            _ => None,
        })
    }

    /// What is sent as `auxPrice`: the stop price where `price` is a limit.
    pub fn aux_price(&self) -> Option<Price> {
        self.limit_price().and(self.stop_price())
    }
}

impl Ticket {
    /// A plain ticket; everything else is not set.
    pub fn new(acct_id: AccountId, instrument: Instrument, deal: Deal) -> Self {
        let (conid, conidex) = match instrument {
            Instrument::Conid(conid) => (Some(conid), None),
            Instrument::Conidex(conidex) => (None, Some(conidex)),
        };
        let (quantity, cash_qty) = match deal.size {
            Size::Units(quantity) => (Some(quantity), None),
            Size::Cash(amount) => (None, Some(amount)),
        };
        Self {
            acct_id,
            conid,
            conidex,
            sec_type: None,
            c_oid: None,
            parent_id: None,
            listing_exchange: None,
            is_single_group: None,
            outside_rth: None,
            terms: deal.terms,
            side: deal.side,
            ticker: None,
            tif: deal.tif,
            quantity,
            cash_qty,
            manual_indicator: None,
            ext_operator: None,
        }
    }

    /// The broker's word for its kind.
    pub fn order_type(&self) -> OrderType {
        self.terms.order_type()
    }

    /// The price it does not trade beyond.
    pub fn limit_price(&self) -> Option<Price> {
        self.terms.limit_price()
    }

    /// The price at which it wakes up.
    pub fn stop_price(&self) -> Option<Price> {
        self.terms.stop_price()
    }
}
