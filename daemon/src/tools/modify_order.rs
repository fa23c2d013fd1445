//! `modify_order`: changes an order that works. What is not named stays as it is.

use ibd_cpapi::id::OrderId;
use ibd_cpapi::money::{Price, Quantity};
use ibd_cpapi::orders::{OrderStatus, OrderType, Side};
use ibd_protocol::Effect;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Deserialize;

use super::args;
use super::cell::Num;
use super::order_out::Out;
use super::order_road::{self, Manner};
use super::{Ctx, Tool};
use crate::orders::asked::{Asked, Attached, Pricing, Size, What, hash_of};
use crate::orders::intent::Intent;
use crate::orders::life::State;
use crate::orders::order::{Order, Purpose};
use crate::orders::standing::MISSING;
use crate::orders::{self, prepare};
use crate::refusal::Refusal;

/// Which order, and what about it changes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// IBKR's id, from get_live_orders.
    #[serde(deserialize_with = "args::order_id")]
    #[schemars(with = "Option<u64>")]
    order_id: Option<OrderId>,
    /// Our id, from the order's result.
    #[serde(deserialize_with = "args::text")]
    intent_id: Option<String>,
    /// The new total quantity, filled ones included.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    quantity: Option<Decimal>,
    /// The new limit price.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    price: Option<Decimal>,
    /// The new trigger price.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    stop_price: Option<Decimal>,
    /// DAY, GTC, IOC or OPG.
    #[serde(deserialize_with = "args::text")]
    tif: Option<String>,
    /// Whether also outside regular trading hours.
    #[serde(rename = "outsideRTH", alias = "outsideRth", deserialize_with = "args::yes_no")]
    #[schemars(with = "Option<bool>")]
    outside_rth: Option<bool>,
    /// false: every question that IBKR asks is shown to you or the user.
    #[serde(deserialize_with = "args::yes_no")]
    #[schemars(with = "Option<bool>")]
    suppress_confirmations: Option<bool>,
    /// Your own name for this request: repeated, it gives the first one's outcome.
    #[serde(deserialize_with = "args::text")]
    request_id: Option<String>,
}

/// The tool.
#[derive(Debug)]
pub struct ModifyOrder;

impl Tool for ModifyOrder {
    const NAME: &'static str = "modify_order";
    const TITLE: &'static str = "Change an order";
    const ABOUT: &'static str = "Change quantity (the new total), limit price, stop price or time in force of a \
        working Interactive Brokers order, by orderId or intentId. What is not named stays. The same guardrails \
        and approval as for place_order. Side and contract cannot be changed: cancel_order, then place_order.";
    const EFFECT: Effect = Effect::Trades;
    const EXAMPLE: &'static str = r#"{"orderId":1234567890,"price":189.5}"#;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let changes = args.changes()?;
        let (order_id, own) = args.which(&ctx).await?;
        let origin = order_road::origin(
            &ctx,
            Self::NAME,
            args.request_id.as_deref(),
            hash_of(&(order_id.to_string(), format!("{changes:?}"))),
        );
        if let Some(out) = order_road::earlier(&ctx, &origin).await? {
            return Ok(out);
        }
        // Only now: a request that was made before has its outcome, whatever became of the order since.
        let is_there = |state: &State| matches!(state, State::Working(s) if s.status != MISSING);
        if let Some(over) = own.as_ref().filter(|intent| !is_there(&intent.state)) {
            return Err(args.not_working(over));
        }
        // Of a group of which IBKR refused a part, which order has which terms only IBKR knows.
        let is_first = |intent: &Intent| {
            intent.state.standing().is_none_or(|standing| standing.refused.is_none())
        };
        let order = match own.filter(is_first).and_then(|intent| intent.order) {
            Some(order) => order,
            None => foreign(&ctx, order_id).await?,
        };
        let order = changes.apply(order)?;
        let deadline = order_road::soon(&ctx);
        let (ctx_, order) = (&ctx, &order);
        let ready = ctx
            .read(|lease| async move {
                if let Err(refusal) =
                    prepare::check(&lease, &ctx_.desks.rules, order, deadline).await?
                {
                    return Ok(Err(refusal));
                }
                order_road::look(ctx_, lease, order.clone(), deadline).await.map(Ok)
            })
            .await??;
        let manner = Manner {
            origin,
            purpose: Purpose::Modify { order_id },
            suppress: args.suppress_confirmations.unwrap_or(true),
            beside: None,
        };
        order_road::send(&ctx, order_road::request(ready, manner)).await
    }
}

/// What changes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Changes {
    quantity: Option<Decimal>,
    price: Option<Decimal>,
    stop: Option<Decimal>,
    tif: Option<ibd_cpapi::orders::Tif>,
    outside_rth: Option<bool>,
}

impl Args {
    fn changes(&self) -> Result<Changes, Refusal> {
        for (field, value) in [("quantity", self.quantity), ("stopPrice", self.stop_price)] {
            if value.is_some_and(|value| value <= Decimal::ZERO) {
                let next = "Correct it. To end the order use cancel_order.";
                return Err(Refusal::argument(
                    field,
                    format!("{field} must be more than zero."),
                    next,
                ));
            }
        }
        let tif = self.tif.as_deref().map(|text| {
            text.parse().map_err(|_| {
                let message = format!("{text:?} is no time in force.");
                Refusal::argument("tif", message, "Use DAY, GTC, IOC or OPG.")
            })
        });
        let changes = Changes {
            quantity: self.quantity.map(|q| q.normalize()),
            price: self.price.map(|p| p.normalize()),
            stop: self.stop_price.map(|p| p.normalize()),
            tif: tif.transpose()?,
            outside_rth: self.outside_rth,
        };
        let is_nothing = changes
            == Changes { quantity: None, price: None, stop: None, tif: None, outside_rth: None };
        match is_nothing {
            true => Err(Refusal::argument(
                "price",
                "Nothing is to be changed.",
                "Give quantity, price, stopPrice, tif or outsideRTH.",
            )),
            false => Ok(changes),
        }
    }

    fn not_working(&self, intent: &Intent) -> Refusal {
        Refusal::new(
            "not_working",
            format!("{} is {}.", intent.text, intent.state.name()),
            "Only a working order can be changed.",
        )
        .at(if self.intent_id.is_some() { "intentId" } else { "orderId" })
    }

    async fn which(&self, ctx: &Ctx) -> Result<(OrderId, Option<Intent>), Refusal> {
        let orders = &ctx.desks.orders;
        match (self.order_id, &self.intent_id) {
            (Some(order_id), None) => {
                // A change of one order of a group is none of the first one.
                let own = orders.of_order(order_id).await?;
                Ok((order_id, own.filter(|intent| intent.order_id() == Some(order_id))))
            }
            (None, Some(text)) => {
                let id = order_road::intent_id("intentId", text)?;
                let intent = orders.look(id).await?.ok_or_else(|| {
                    Refusal::new(
                        "unknown_order",
                        format!("There is no intent {id}."),
                        "Take it from an order's result, or use orderId.",
                    )
                    .at("intentId")
                })?;
                match intent.order_id() {
                    Some(order_id) => Ok((order_id, Some(intent))),
                    None => Err(self.not_working(&intent)),
                }
            }
            _ => Err(Refusal::argument(
                "orderId",
                "Exactly one of orderId and intentId is needed.",
                "Take orderId from get_live_orders.",
            )),
        }
    }
}

/// An order that was not sent from here, as IBKR describes it.
async fn foreign(ctx: &Ctx, order_id: OrderId) -> Result<Order, Refusal> {
    let deadline = ctx.deadline;
    let found =
        ctx.read(|lease| async move { orders::status(&lease, order_id, deadline).await }).await?;
    let Some(found) = found else {
        return Err(Refusal::new(
            "unknown_order",
            format!("IBKR knows no order {order_id} of today in this session."),
            "Look in get_live_orders for the orders of all accounts.",
        )
        .at("orderId"));
    };
    let asked = described(&found.value).ok_or_else(|| {
        Refusal::new(
            "cannot_modify",
            format!("IBKR does not say enough about order {order_id} to repeat it with a change."),
            "Change it in TWS, or cancel it and place a new one.",
        )
        .at("orderId")
    })?;
    let order = order_road::ready(ctx, &asked).await?.order;
    // Whether it works outside regular hours the status does not say; a child does as its parent.
    let family = ctx.desks.orders.of_order(order_id).await?.and_then(|intent| intent.order);
    Ok(Order { outside_rth: family.and_then(|parent| parent.outside_rth), ..order })
}

/// The order that a status describes. Trailing stops are not described in full.
fn described(status: &OrderStatus) -> Option<Asked> {
    if status.status.as_deref().and_then(orders::is_working) != Some(true) {
        return None;
    }
    let kind: OrderType = status.order_type.as_deref()?.parse().ok()?;
    let pricing = match kind {
        OrderType::Mkt => Pricing::Market,
        OrderType::Lmt => Pricing::Limit(status.limit_price?),
        OrderType::Stp => Pricing::Stop(status.stop_price?),
        OrderType::StopLimit => {
            Pricing::StopLimit { stop: status.stop_price?, limit: status.limit_price? }
        }
        _ => return None,
    };
    Some(Asked {
        account: status.account.clone(),
        what: What::Conid(status.conid?),
        side: status.side.as_deref()?.parse::<Side>().ok()?,
        size: Size::Quantity(status.quantity?),
        pricing,
        tif: orders::tif(status.tif.as_deref()?).parse().ok()?,
        outside_rth: false,
        attached: Attached::Nothing,
    })
}

impl Changes {
    /// The whole order as it shall be.
    fn apply(&self, order: Order) -> Result<Order, Refusal> {
        let size = match (self.quantity, order.size) {
            (Some(quantity), _) => Size::Quantity(Quantity::new(quantity)),
            (None, size) => size,
        };
        Ok(Order {
            size,
            pricing: self.pricing(order.pricing)?,
            tif: self.tif.unwrap_or(order.tif),
            outside_rth: self.outside_rth.or(order.outside_rth),
            // The others of its group stay as they are.
            attached: Attached::Nothing,
            ..order
        })
    }

    fn pricing(&self, pricing: Pricing) -> Result<Pricing, Refusal> {
        let (price, stop) = (self.price.map(Price::new), self.stop.map(Price::new));
        let kind = pricing.order_type();
        let has_no = |field: &str| {
            Refusal::argument(
                field,
                format!("A {} order has no {field}.", kind.as_str()),
                "Leave it out, or cancel the order and place another kind.",
            )
        };
        Ok(match (pricing, price, stop) {
            (pricing, None, None) => pricing,
            (Pricing::Limit(_), Some(limit), None) => Pricing::Limit(limit),
            (Pricing::MidPrice(_), Some(cap), None) => Pricing::MidPrice(Some(cap)),
            (Pricing::Stop(_), None, Some(stop)) => Pricing::Stop(stop),
            (Pricing::StopLimit { stop: old, limit }, price, stop) => {
                Pricing::StopLimit { stop: stop.unwrap_or(old), limit: price.unwrap_or(limit) }
            }
            (Pricing::Trail { trail, .. }, None, Some(stop)) => {
                Pricing::Trail { trail, stop: Some(stop) }
            }
            (Pricing::TrailLimit { trail, stop: old, limit }, price, stop) => {
                Pricing::TrailLimit { trail, stop: stop.or(old), limit: price.unwrap_or(limit) }
            }
            (Pricing::Market | Pricing::Stop(_) | Pricing::Trail { .. }, Some(_), _) => {
                return Err(has_no("price"));
            }
            (_, _, Some(_)) => return Err(has_no("stopPrice")),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn changes(json: &str) -> Result<Changes, Refusal> {
        args::read::<Args>(json)?.changes()
    }

    #[test]
    fn what_is_not_named_stays_and_what_does_not_fit_is_refused() {
        let price = |text: &str| Price::new(text.parse().unwrap());
        let new = changes(r#"{"orderId":1,"price":"189.50"}"#).unwrap();
        assert_eq!(
            new.pricing(Pricing::Limit(price("190"))).unwrap(),
            Pricing::Limit(price("189.5"))
        );
        let both = Pricing::StopLimit { stop: price("180"), limit: price("179") };
        assert_eq!(
            new.pricing(both).unwrap(),
            Pricing::StopLimit { stop: price("180"), limit: price("189.5") }
        );
        assert_eq!(
            new.pricing(Pricing::Stop(price("180"))).unwrap_err().field.as_deref(),
            Some("price")
        );
        let stop = changes(r#"{"orderId":1,"stopPrice":5}"#).unwrap();
        let refused = stop.pricing(Pricing::Limit(price("190"))).unwrap_err();
        assert_eq!(refused.field.as_deref(), Some("stopPrice"));
    }

    #[test]
    fn a_change_changes_something() {
        for (json, field) in [
            (r#"{"orderId":1}"#, "price"),
            (r#"{"orderId":1,"quantity":0}"#, "quantity"),
            (r#"{"orderId":1,"tif":"X"}"#, "tif"),
            (r#"{"orderId":1,"qty":5}"#, "qty"),
        ] {
            assert_eq!(changes(json).unwrap_err().field.as_deref(), Some(field), "{json}");
        }
    }
}
