//! One order: `/iserver/account/order/status/{id}`.

use jiff::Timestamp;
use serde::Deserialize;

use crate::contracts::SecType;
use crate::endpoint::{Endpoint, Lane, Path};
use crate::id::{AccountId, Conid, OrderId};
use crate::lenient;
use crate::money::{Price, Quantity};
use crate::orders::{OrderType, Side, Stage, Tif, Word, stage};

/// One order. An unknown one is refused with 503 after about five seconds.
#[derive(Debug, Clone, Copy)]
pub struct GetOrderStatus {
    /// Which.
    pub order_id: OrderId,
}

/// How an order stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OrderStatus {
    /// The broker's id.
    pub order_id: OrderId,
    /// Whose.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub account: Option<AccountId>,
    /// The contract; a combo has none of its own.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub conid: Option<Conid>,
    /// The symbol.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub symbol: Option<String>,
    /// `STK`, `OPT`, …
    #[serde(default, deserialize_with = "lenient::opt")]
    pub sec_type: Option<SecType>,
    /// The listing exchange.
    #[serde(rename = "listing_exchange", default, deserialize_with = "lenient::opt")]
    pub exchange: Option<String>,
    /// `B` or `S`.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub side: Option<Word<Side>>,
    /// `LIMIT`, `STOP`, …
    #[serde(default, deserialize_with = "lenient::opt")]
    pub order_type: Option<Word<OrderType>>,
    /// What was asked for.
    #[serde(rename = "total_size", default, deserialize_with = "lenient::opt")]
    pub quantity: Option<Quantity>,
    /// What has been filled.
    #[serde(rename = "cum_fill", default, deserialize_with = "lenient::opt")]
    pub filled: Option<Quantity>,
    /// The limit price.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub limit_price: Option<Price>,
    /// The stop price.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub stop_price: Option<Price>,
    /// Average price of the fills; zero before the first.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub average_price: Option<Price>,
    /// `Submitted`, `Filled`, …
    #[serde(rename = "order_status", default, deserialize_with = "stage::opt")]
    pub status: Option<Stage>,
    /// Its meaning in words: untrusted text.
    #[serde(rename = "order_status_description", default, deserialize_with = "lenient::opt")]
    pub status_description: Option<String>,
    /// A number: `2` is filled, the others are not known.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub order_ccp_status: Option<String>,
    /// `265598@NYSE`, or a combo.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub conidex: Option<String>,
    /// `0/5`, or `5` once all is filled.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub size_and_fills: Option<String>,
    /// It can no longer be cancelled.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub cannot_cancel_order: Option<bool>,
    /// It can no longer be changed.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub order_not_editable: Option<bool>,
    /// The client order id it was sent with, where this build of the server says it.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub order_ref: Option<String>,
    /// `A`: it came with another order; `0`: it did not.
    #[serde(rename = "child_order_type", default, deserialize_with = "lenient::opt")]
    pub child_type: Option<String>,
    /// When it was last filled or changed.
    #[serde(rename = "order_time", default, deserialize_with = "lenient::compact_time")]
    pub last_execution: Option<Timestamp>,
    /// `DAY`, `GTC`, …
    #[serde(default, deserialize_with = "lenient::opt")]
    pub tif: Option<Word<Tif>>,
    /// Currency of its prices.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub currency: Option<String>,
    /// IBKR's one line about it.
    #[serde(
        rename = "order_description_with_contract",
        default,
        deserialize_with = "lenient::opt"
    )]
    pub description: Option<String>,
    /// The same without the contract.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub order_description: Option<String>,
}

impl OrderStatus {
    /// What has not been filled yet.
    pub fn remaining(&self) -> Option<Quantity> {
        Some(Quantity::new(self.quantity?.get().checked_sub(self.filled?.get())?))
    }
}

impl Endpoint for GetOrderStatus {
    type Reply = OrderStatus;
    const NAME: &'static str = "iserver/account/order/status";
    const LANE: Lane = Lane::Vital;

    fn path(&self) -> Path {
        Path::new("/iserver/account/order/status").segment(self.order_id)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fixtures;

    #[test]
    fn a_filled_order_has_nothing_left() {
        let order: OrderStatus = fixtures::reply("order_status_filled");
        assert_eq!(order.remaining().unwrap().to_string(), "0");
        assert_eq!(
            (order.cannot_cancel_order, order.size_and_fills.as_deref()),
            (Some(true), Some("5"))
        );
    }

    #[test]
    fn one_order_is_read() {
        let order: OrderStatus = fixtures::reply("order_status");
        assert_eq!(order.side, Some(Word::Known(Side::Buy)));
        assert_eq!(order.limit_price.unwrap().to_string(), "450");
        assert_eq!(order.filled.unwrap().to_string(), "0");
        assert_eq!(order.remaining().unwrap().to_string(), "5");
        assert_eq!(order.cannot_cancel_order, Some(false));
        assert_eq!(order.last_execution.unwrap().to_string(), "2026-11-02T14:30:03Z");
    }
}
