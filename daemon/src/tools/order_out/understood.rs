//! The order as it was understood, in one line and in parts.

use ibd_cpapi::orders::TrailingType;
use schemars::JsonSchema;
use serde::Serialize;

use crate::orders::{Order, Pricing, Size};
use crate::tools::cell::Num;

/// The order as it was understood: check symbol, listing and currency. Of an order that is only looked at, the
/// line and the contract.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Understood {
    /// The whole in one line.
    pub(super) text: String,
    /// IBKR's number of the contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) conid: Option<u32>,
    /// In parts.
    #[serde(flatten)]
    #[schemars(with = "Option<Parts>")]
    pub(super) parts: Option<Parts>,
}

/// An order in parts.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Parts {
    /// The symbol.
    symbol: String,
    /// Company, product, or what a derivative is.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The listing exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange: Option<String>,
    /// The currency of its prices.
    currency: String,
    /// The unit of its prices, where it is not the currency itself: pence, cents.
    #[serde(skip_serializing_if = "Option::is_none")]
    price_unit: Option<String>,
    /// STK, OPT, FUT, …
    sec_type: String,
    /// BUY or SELL.
    action: &'static str,
    /// LMT, MKT, …
    order_type: &'static str,
    /// Shares or contracts.
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<Num>,
    /// The amount of money it buys for.
    #[serde(skip_serializing_if = "Option::is_none")]
    cash_quantity: Option<Num>,
    /// Limit price.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Num>,
    /// Trigger price.
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_price: Option<Num>,
    /// How far a trailing stop follows, in money.
    #[serde(skip_serializing_if = "Option::is_none")]
    trailing_amount: Option<Num>,
    /// The same in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    trailing_percent: Option<Num>,
    /// DAY, GTC, …
    tif: &'static str,
}

impl Understood {
    /// An order as it was understood.
    pub fn of(order: &Order) -> Self {
        Self { parts: Some(Parts::of(order)), ..Self::brief(order) }
    }

    pub(super) fn brief(order: &Order) -> Self {
        let conid = order.contract.conid.map(ibd_cpapi::id::Conid::get);
        Self { text: order.shown(), conid, parts: None }
    }
}

impl Parts {
    pub(super) fn of(order: &Order) -> Self {
        let (quantity, cash_quantity) = match order.size {
            Size::Quantity(quantity) => (Some(Num(quantity.get())), None),
            Size::Cash(amount) => (None, Some(Num(amount.get()))),
        };
        let contract = &order.contract;
        let (trailing_amount, trailing_percent) = match order.pricing {
            Pricing::Trail { trail, .. } | Pricing::TrailLimit { trail, .. } => match trail.of {
                TrailingType::Amount => (Some(Num(trail.by)), None),
                TrailingType::Percent => (None, Some(Num(trail.by))),
            },
            _ => (None, None),
        };
        Self {
            trailing_amount,
            trailing_percent,
            symbol: contract.symbol.clone(),
            // Of a combination what the line says, too: whoever sells it sells what it buys.
            name: order.legs_shown().or_else(|| contract.name.clone()),
            exchange: contract.exchange.clone(),
            currency: contract.currency.clone(),
            price_unit: contract.price_unit(),
            sec_type: contract.sec_type.to_string(),
            action: order.side.as_str(),
            order_type: order.pricing.order_type().as_str(),
            quantity,
            cash_quantity,
            price: order.pricing.limit().map(|price| Num(price.get())),
            stop_price: order.pricing.stop().map(|price| Num(price.get())),
            tif: order.tif.as_str(),
        }
    }
}
