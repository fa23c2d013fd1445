//! The list of orders: `/iserver/account/orders`.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use crate::contracts::SecType;
use crate::endpoint::{Endpoint, Lane, Path};
use crate::id::{AccountId, Conid, OrderId};
use crate::lenient;
use crate::money::{Price, Quantity};
use crate::orders::{OrderType, Side, Stage, Tif, Word, stage};
use crate::pace::Window;
use crate::rows::{self, Rows};

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
    #[serde(default, deserialize_with = "rows::field")]
    pub orders: Rows<OrderRow>,
    /// Whether the server calls this complete; it has been seen false beside a complete list.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub snapshot: Option<bool>,
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
    /// The contract; a combo has none of its own.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub conid: Option<Conid>,
    /// The symbol.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub ticker: Option<String>,
    /// `STK`, `OPT`, …
    #[serde(rename = "secType", default, deserialize_with = "lenient::opt")]
    pub sec_type: Option<SecType>,
    /// What tells a derivative from others of its symbol: `JAN 15 '27 250 Call`.
    #[serde(rename = "description2", default, deserialize_with = "lenient::opt")]
    pub contract: Option<String>,
    /// The listing exchange.
    #[serde(rename = "listingExchange", default, deserialize_with = "lenient::opt")]
    pub exchange: Option<String>,
    /// `BUY` or `SELL`.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub side: Option<Word<Side>>,
    /// `265598@NYSE`, or a combo.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub conidex: Option<String>,
    /// In capitals: `LIMIT`, `STOP`, …
    #[serde(rename = "origOrderType", default, deserialize_with = "lenient::opt")]
    pub order_type: Option<Word<OrderType>>,
    /// What was asked for.
    #[serde(rename = "totalSize", default, deserialize_with = "lenient::opt")]
    pub quantity: Option<Quantity>,
    /// What has been filled.
    #[serde(rename = "filledQuantity", default, deserialize_with = "lenient::opt")]
    pub filled: Option<Quantity>,
    /// What has not been filled yet.
    #[serde(rename = "remainingQuantity", default, deserialize_with = "lenient::opt")]
    pub remaining: Option<Quantity>,
    /// `0/10`, or `5` once all is filled.
    #[serde(rename = "sizeAndFills", default, deserialize_with = "lenient::opt")]
    pub size_and_fills: Option<String>,
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
    #[serde(default, deserialize_with = "stage::opt")]
    pub status: Option<Stage>,
    /// What the trading system says, where `status` is what its screens say: `Pending Submit`,
    /// `Submitted`, `Filled`, `Cancelled`, …
    #[serde(default, deserialize_with = "lenient::opt")]
    pub order_ccp_status: Option<String>,
    /// `CLOSE` means `DAY`.
    #[serde(rename = "timeInForce", default, deserialize_with = "lenient::opt")]
    pub tif: Option<Word<Tif>>,
    /// Currency of its prices.
    #[serde(rename = "cashCcy", default, deserialize_with = "lenient::opt")]
    pub currency: Option<String>,
    /// The client order id it was sent with.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub order_ref: Option<String>,
    /// The client order id or the order id of the parent, on the child of a bracket. Not documented,
    /// but seen.
    #[serde(rename = "parentId", default, deserialize_with = "lenient::opt")]
    pub parent_id: Option<String>,
    /// The one-cancels-all set it belongs to.
    #[serde(rename = "ocaGroupId", default, deserialize_with = "lenient::opt")]
    pub oca_group: Option<String>,
    /// Why it was cancelled by the broker: untrusted text.
    #[serde(
        rename = "order_cancellation_by_system_reason",
        default,
        deserialize_with = "lenient::opt"
    )]
    pub cancel_reason: Option<String>,
    /// Also outside regular hours.
    #[serde(rename = "outsideRTH", default, deserialize_with = "lenient::opt")]
    pub outside_rth: Option<bool>,
    /// When it was last filled or changed.
    #[serde(rename = "lastExecutionTime_r", default, deserialize_with = "lenient::millis")]
    pub last_execution: Option<Timestamp>,
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fixtures;

    #[test]
    fn a_working_stop_shows_its_stop_price() {
        let orders: Orders = fixtures::reply("orders");
        let stop = &orders.orders[0];
        assert_eq!(stop.order_type, Some(Word::Known(OrderType::Stp)));
        assert_eq!(stop.stop_price.unwrap().to_string(), "240");
        assert_eq!(stop.price, None);
        assert_eq!(stop.quantity.unwrap().to_string(), "10");
        assert_eq!(stop.remaining.unwrap().to_string(), "10");
        assert_eq!(stop.order_ccp_status.as_deref(), Some("Submitted"));
        assert_eq!(stop.last_execution.unwrap().to_string(), "2026-11-02T14:30:03Z");
    }

    #[test]
    fn a_row_about_a_combo_does_not_cost_the_list() {
        let json = r#"{"orders":[{"orderId":7,"conid":-1,"conidex":"28812380;;;1/1,2/-1",
            "parentId":"ibd1","lastExecutionTime_r":0}]}"#;
        let orders: Orders = serde_json::from_str(json).unwrap();
        let row = &orders.orders[0];
        assert_eq!((row.conid, row.last_execution), (None, None));
        assert_eq!(row.parent_id.as_deref(), Some("ibd1"));
    }

    #[test]
    fn the_orders_of_a_set_name_each_other() {
        let Orders { orders, .. } = fixtures::reply("orders_linked");
        let parent = orders[0].order_id.to_string();
        let children = orders.iter().filter(|row| row.parent_id.as_ref() == Some(&parent));
        assert_eq!(children.count(), 2);
        assert!(orders.iter().any(|row| row.oca_group.is_some()));
    }

    #[test]
    fn a_cold_list_is_empty() {
        assert!(fixtures::reply::<Orders>("orders_cold").orders.is_empty());
    }
}
