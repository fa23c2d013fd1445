//! An order ticket: exactly what is sent in `POST /iserver/account/{account}/orders`.

mod wire;

use serde::Serialize;

use self::wire::Wire;
use super::pricing::{Pricing, Size};
use super::words::{OrderType, Side, Tif};
use crate::id::{AccountId, ClientOrderId, Conid};
use crate::money::{Amount, Price, Quantity};

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
    pub pricing: Pricing,
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
    pub pricing: Pricing,
    /// How long.
    pub tif: Tif,
}

impl Ticket {
    /// A plain ticket; everything else is not set.
    pub fn new(acct_id: AccountId, instrument: Instrument, deal: Deal) -> Self {
        let (conid, conidex) = match instrument {
            Instrument::Conid(conid) => (Some(conid), None),
            Instrument::Conidex(conidex) => (None, Some(conidex)),
        };
        let (quantity, cash_qty) = match deal.size {
            Size::Quantity(quantity) => (Some(quantity), None),
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
            pricing: deal.pricing,
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
        self.pricing.order_type()
    }

    /// The price it does not trade beyond.
    pub fn limit_price(&self) -> Option<Price> {
        self.pricing.limit()
    }

    /// The price at which it wakes up.
    pub fn stop_price(&self) -> Option<Price> {
        self.pricing.stop()
    }
}
