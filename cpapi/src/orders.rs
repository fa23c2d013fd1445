//! Orders, read side: `/iserver/account/orders`, `/iserver/account/order/status/{id}`.

use std::time::Duration;

use serde::Deserialize;

use crate::endpoint::{Endpoint, Lane, Path};
use crate::id::{AccountId, Conid, OrderId};
use crate::lenient;
use crate::money::{Price, Quantity};
use crate::pace::Window;

/// Today's orders and open ones; at most once in five seconds.
///
/// The first call of a session starts the feed and often answers nothing; `force` clears the
/// server's memory and itself answers nothing. Never filtered: a filter silences the order stream,
/// and its results are unreliable.
#[derive(Debug, Clone)]
pub struct GetOrders {
    /// Whose; without it a live session may answer falsely that there are none.
    pub account: Option<AccountId>,
    /// Start the feed afresh.
    pub force: bool,
}

/// The reply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Orders {
    /// Rows.
    #[serde(default)]
    pub orders: Vec<OrderRow>,
}

/// One order in the list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OrderRow {
    /// The broker's id.
    #[serde(rename = "orderId")]
    pub order_id: OrderId,
    /// Whose.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub account: Option<AccountId>,
    /// The contract.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub conid: Option<Conid>,
    /// The symbol.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub ticker: Option<String>,
    /// `STK`, `OPT`, …
    #[serde(rename = "secType", default, deserialize_with = "lenient::opt")]
    pub sec_type: Option<String>,
    /// The listing exchange.
    #[serde(rename = "listingExchange", default, deserialize_with = "lenient::opt")]
    pub exchange: Option<String>,
    /// `BUY` or `SELL`.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub side: Option<String>,
    /// In capitals: `LIMIT`, `STOP`, …
    #[serde(rename = "origOrderType", default, deserialize_with = "lenient::opt")]
    pub order_type: Option<String>,
    /// What was asked for.
    #[serde(rename = "totalSize", default, deserialize_with = "lenient::opt")]
    pub quantity: Option<Quantity>,
    /// What has been filled.
    #[serde(rename = "filledQuantity", default, deserialize_with = "lenient::opt")]
    pub filled: Option<Quantity>,
    /// The limit price; for a stop order its stop price, where the broker puts it here.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub price: Option<Price>,
    /// The stop price.
    #[serde(rename = "auxPrice", default, deserialize_with = "lenient::opt")]
    pub stop_price: Option<Price>,
    /// Average price of the fills.
    #[serde(rename = "avgPrice", default, deserialize_with = "lenient::opt")]
    pub average_price: Option<Price>,
    /// `Submitted`, `Filled`, …
    #[serde(default, deserialize_with = "lenient::opt")]
    pub status: Option<String>,
    /// `CLOSE` means `DAY`.
    #[serde(rename = "timeInForce", default, deserialize_with = "lenient::opt")]
    pub tif: Option<String>,
    /// Currency of its prices.
    #[serde(rename = "cashCcy", default, deserialize_with = "lenient::opt")]
    pub currency: Option<String>,
    /// The client order id it was sent with.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub order_ref: Option<String>,
    /// IBKR's one line about it.
    #[serde(rename = "orderDesc", default, deserialize_with = "lenient::opt")]
    pub description: Option<String>,
}

impl Endpoint for GetOrders {
    type Reply = Orders;
    const NAME: &'static str = "iserver/account/orders";
    const WINDOW: Option<Window> = Some(Window::one_in(5));
    const LANE: Lane = Lane::Vital;
    const CACHE: Duration = Duration::from_secs(5);

    fn path(&self) -> Path {
        let mut path = Path::new("/iserver/account/orders");
        if self.force {
            path = path.query("force", true);
        }
        match &self.account {
            Some(account) => path.query("accountId", account),
            None => path,
        }
    }
}

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
    /// The contract.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub conid: Option<Conid>,
    /// The symbol.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub symbol: Option<String>,
    /// `STK`, `OPT`, …
    #[serde(default, deserialize_with = "lenient::opt")]
    pub sec_type: Option<String>,
    /// The listing exchange.
    #[serde(rename = "listing_exchange", default, deserialize_with = "lenient::opt")]
    pub exchange: Option<String>,
    /// `B` or `S`.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub side: Option<String>,
    /// `LIMIT`, `STOP`, …
    #[serde(default, deserialize_with = "lenient::opt")]
    pub order_type: Option<String>,
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
    #[serde(rename = "order_status", default, deserialize_with = "lenient::opt")]
    pub status: Option<String>,
    /// `DAY`, `GTC`, …
    #[serde(default, deserialize_with = "lenient::opt")]
    pub tif: Option<String>,
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
    fn a_working_stop_shows_its_stop_price() {
        let orders: Orders = fixtures::reply("orders");
        let stop = &orders.orders[0];
        assert_eq!(stop.order_type.as_deref(), Some("STOP"));
        assert_eq!(stop.stop_price.unwrap().to_string(), "240");
        assert_eq!(stop.price, None);
        assert_eq!(stop.quantity.unwrap().to_string(), "10");
    }

    #[test]
    fn a_cold_list_is_empty() {
        assert!(fixtures::reply::<Orders>("orders_cold").orders.is_empty());
    }

    #[test]
    fn one_order_is_read() {
        let order: OrderStatus = fixtures::reply("order_status");
        assert_eq!(order.side.as_deref(), Some("B"));
        assert_eq!(order.limit_price.unwrap().to_string(), "450");
        assert_eq!(order.filled.unwrap().to_string(), "0");
    }
}
