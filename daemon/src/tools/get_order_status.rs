//! `get_order_status`: one order by the broker's id.

use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::OrderStatus;
use ibd_protocol::Effect;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::args;
use super::cell::{Num, Time};
use super::{Ctx, Tool};
use crate::orders;
use crate::refusal::Refusal;

/// Which order.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Args {
    /// The broker's id, from get_live_orders.
    #[serde(default, deserialize_with = "args::order_id")]
    #[schemars(with = "u64", required)]
    order_id: Option<OrderId>,
}

/// The order.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// The broker's id.
    order_id: u64,
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// The symbol.
    #[serde(skip_serializing_if = "Option::is_none")]
    symbol: Option<String>,
    /// IBKR's number of the contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    conid: Option<u32>,
    /// BUY or SELL.
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<String>,
    /// LIMIT, STOP, MARKET, …
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    order_type: Option<String>,
    /// What was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<Num>,
    /// What has been filled.
    #[serde(skip_serializing_if = "Option::is_none")]
    filled: Option<Num>,
    /// Limit price.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit_price: Option<Num>,
    /// Stop price.
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_price: Option<Num>,
    /// Average price of the fills.
    #[serde(skip_serializing_if = "Option::is_none")]
    avg_price: Option<Num>,
    /// Currency of the prices.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// DAY, GTC, …
    #[serde(skip_serializing_if = "Option::is_none")]
    tif: Option<String>,
    /// IBKR's word: PreSubmitted (a stop waits for its trigger), Submitted, Filled, Cancelled, …
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// Whether it can still be filled; absent for a status that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    working: Option<bool>,
    /// IBKR's one line about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// When this was given.
    as_of: Time,
}

/// The tool.
#[derive(Debug)]
pub struct GetOrderStatus;

impl Tool for GetOrderStatus {
    const NAME: &'static str = "get_order_status";
    const TITLE: &'static str = "Status of one order";
    const ABOUT: &'static str = "How one Interactive Brokers order stands: status, quantity filled, average \
        price, limit and stop price. Needs the order id from get_live_orders. An unknown id is an error; \
        orders older than today are not known here.";
    const EFFECT: Effect = Effect::Reads;
    const EXAMPLE: &'static str = r#"{"orderId":1234567890}"#;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let Some(order_id) = args.order_id else {
            let next = "Take the id from get_live_orders.";
            return Err(Refusal::argument("orderId", "orderId is missing.", next));
        };
        ctx.lease().await?;
        let deadline = ctx.deadline;
        let found = ctx
            .read(|lease| async move { orders::status(&lease, order_id, deadline).await })
            .await?;
        match found {
            Some(answer) => Ok(Out::new(answer.value, Time(answer.at))),
            None => Err(Refusal::new(
                "unknown_order",
                format!("IBKR knows no order {order_id} of today in this session."),
                "Look in get_live_orders for the orders of all accounts.",
            )
            .at("orderId")),
        }
    }
}

impl Out {
    fn new(order: OrderStatus, as_of: Time) -> Self {
        let filled = order.filled.map(|quantity| quantity.get());
        // Before the first fill the broker says an average price of zero.
        let has_fills = filled.is_some_and(|filled| filled > Decimal::ZERO);
        Self {
            order_id: order.order_id.get(),
            account: order.account.as_ref().map(ToString::to_string),
            conid: order.conid.map(ibd_cpapi::id::Conid::get),
            side: order.side.map(|side| side_in_full(&side).to_owned()),
            quantity: order.quantity.map(|quantity| Num(quantity.get())),
            filled: filled.map(Num),
            limit_price: order.limit_price.map(|price| Num(price.get())),
            stop_price: order.stop_price.map(|price| Num(price.get())),
            avg_price: order.average_price.filter(|_| has_fills).map(|price| Num(price.get())),
            tif: order.tif.as_deref().map(|text| orders::tif(text).to_owned()),
            working: order.status.as_deref().and_then(orders::is_working),
            description: order.description.map(|text| ibd_cpapi::failure::clean(&text)),
            symbol: order.symbol,
            order_type: order.order_type,
            currency: order.currency,
            status: order.status,
            as_of,
        }
    }
}

fn side_in_full(side: &str) -> &str {
    match side {
        "B" => "BUY",
        "S" => "SELL",
        other => other,
    }
}
