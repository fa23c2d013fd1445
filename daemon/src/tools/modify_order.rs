//! `modify_order`: changes an order that works. What is not named stays as it is.

mod target;

use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::TrailingType;
use ibd_protocol::{Effect, ErrorCode, Toolset};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Deserialize;

use super::cell::Num;
use super::order_flow::{self, Delivery};
use super::order_out::Out;
use super::{Ctx, Tool, args};
use crate::orders::{
    Change, End, Intent, IntentState as State, Order, Purpose, Seen, Trail, hash_of,
};
use crate::orders::{page, prepare, told};
use crate::refusal::Refusal;
use target::Target;

/// Which order, and what about it changes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// IBKR's id, from get_live_orders.
    #[serde(deserialize_with = "args::order_id")]
    #[schemars(with = "Option<u64>")]
    order_id: Option<OrderId>,
    /// Our id, from the order's result; or the requestId that it was placed with.
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
    /// Of a trailing stop, in money; each change of one needs this or trailingPercent.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    trailing_amount: Option<Decimal>,
    /// The same in percent.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    trailing_percent: Option<Decimal>,
    /// DAY, GTC, IOC or OPG.
    #[serde(deserialize_with = "args::text")]
    tif: Option<String>,
    /// Whether also outside regular trading hours.
    #[serde(rename = "outsideRTH", alias = "outsideRth", deserialize_with = "args::yes_no")]
    #[schemars(with = "Option<bool>")]
    outside_rth: Option<bool>,
    /// false: IBKR's questions are shown.
    #[serde(deserialize_with = "args::yes_no")]
    #[schemars(with = "Option<bool>")]
    suppress_confirmations: Option<bool>,
    /// Repeated, it gives the first outcome.
    #[serde(deserialize_with = "args::text")]
    request_id: Option<String>,
}

/// The tool.
#[derive(Debug)]
pub struct ModifyOrder;

impl Tool for ModifyOrder {
    const NAME: &'static str = "modify_order";
    const TITLE: &'static str = "Change an order";
    const ABOUT: &'static str = "Change quantity (the new total), limit price, stop price, trail or time in force \
        of a working Interactive Brokers order, by orderId or intentId. What is not named stays as IBKR has it. \
        The same guardrails and approval as for place_order. Side and contract cannot be changed: cancel_order, \
        then place_order.";
    const EFFECT: Effect = Effect::Trades;
    const SET: Toolset = Toolset::Orders;
    const EXAMPLE: &'static str = r#"{"orderId":1234567890,"price":189.5}"#;
    const ANSWER: usize = 800;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let changes = args.changes()?;
        let (order_id, mut own) = args.which(&ctx).await?;
        let origin = order_flow::origin(
            &ctx,
            Self::NAME,
            args.request_id.as_deref(),
            hash_of(&(order_id.to_string(), format!("{changes:?}"))),
        );
        if let Some(out) = order_flow::earlier(&ctx, &origin).await? {
            return Ok(out);
        }
        // Only now: a request that was made before has its outcome, whatever became of the order since.
        let is_there =
            |state: &State| matches!(state, State::Working(s) if s.status != Seen::Missing);
        if let Some(over) = own.take_if(|intent| !is_there(&intent.state)) {
            let now = order_flow::seen_again(&ctx, over).await?.0;
            if !is_there(&now.state) {
                return Err(args.not_working(&now));
            }
            own = Some(now);
        }
        let target = Target::of(&ctx, order_id, own.as_ref()).await.map_err(Refusal::unsent)?;
        let now = target.order(&ctx, own.as_ref()).await.map_err(Refusal::unsent)?;
        target.check_filled(changes.quantity)?;
        let before = now.clone();
        let order = changes.apply(now)?;
        let family = ctx.desks.orders.of_order(order_id).await?;
        fits_family(order_id, &order, family.as_ref())?;
        let of = family.as_ref().map(|intent| intent.id);
        let last = ctx.desks.orders.last_change(order_id).await?;
        let differs = differs(order_id, &before, last.as_ref(), family.as_ref());
        let mut warnings: Vec<String> = differs.into_iter().collect();
        warnings.extend(target.ending());
        warnings.extend(told::ends_with_day(&order));
        if let Some(first) = own.as_ref().and_then(|own| own.order.as_ref()) {
            warnings.extend(told::of_new_size(first, changes.quantity));
        }
        let deadline = order_flow::soon(&ctx);
        let (ctx_, order) = (&ctx, &order);
        let ready = ctx
            .serve(|lease| async move {
                prepare::check(&lease, &ctx_.desks.rules, order, deadline).await?;
                Ok(order_flow::look(ctx_, lease, order.clone(), deadline).await?)
            })
            .await
            .map_err(Refusal::unsent)?;
        let delivery = Delivery {
            origin,
            purpose: Purpose::Modify { order_id, of, change: changes },
            suppress: args.suppress_confirmations.unwrap_or(true),
            beside: None,
            warnings,
            changed: page::differences(&before, order),
        };
        order_flow::send(&ctx, order_flow::request(ready, delivery)).await
    }
}

/// What differs at the broker from what was last sent from here: by the last change, else as it was placed. What ibd has
/// seen there meanwhile is known to it, and not to whoever asks.
fn differs(
    order_id: OrderId,
    now: &Order,
    last: Option<&Intent>,
    family: Option<&Intent>,
) -> Option<String> {
    let sent = match last {
        Some(change) => change.order.clone(),
        None => family.and_then(|family| page::as_placed(family, order_id)),
    };
    let is_first = family.is_some_and(|family| family.order_id() == Some(order_id));
    let parent = family.and_then(|family| family.order.as_ref());
    let parent = parent.filter(|_| !is_first && last.is_none());
    let differences = page::differs_from_sent(&sent?, now, parent);
    let was_seen = last.is_none_or(|change| change.state != State::Over(End::Requested));
    let why = if was_seen {
        "It was changed elsewhere"
    } else {
        "It was changed elsewhere, or the last change from here was not carried out"
    };
    (!differences.is_empty()).then(|| {
        format!(
            "IBKR shows order {order_id} otherwise than it was sent from here: {}. {why}; this change starts from \
             what IBKR shows.",
            differences.join(", ")
        )
    })
}

/// A child of a bracket is not moved past the price at which its parent waits to be filled, nor that past it.
fn fits_family(order_id: OrderId, wanted: &Order, family: Option<&Intent>) -> Result<(), Refusal> {
    let Some((intent, first)) = family.and_then(|own| Some((own, own.order.as_ref()?))) else {
        return Ok(());
    };
    let standing = intent.state.standing();
    let waits = standing.is_some_and(|standing| !standing.is_over() && !standing.has_fills());
    let whole = match intent.order_id() == Some(order_id) {
        _ if !waits => None,
        true => Some(Order { attached: first.attached.clone(), ..wanted.clone() }),
        false => first
            .attached
            .with_child(wanted.pricing)
            .map(|attached| Order { attached, ..first.clone() }),
    };
    let checked = whole.map_or(Ok(()), |whole| prepare::sides(&whole));
    checked.map_err(|refusal| {
        let at = if wanted.pricing.limit().is_some() { "price" } else { "stopPrice" };
        let message = format!(
            "{} It comes with {}, which is not filled yet. Nothing was sent.",
            refusal.message, intent.text
        );
        Refusal { message, ..refusal }.at(at)
    })
}

impl Args {
    /// What is to change, or all that is wrong with it.
    fn changes(&self) -> Result<Change, Refusal> {
        let mut wrong: Vec<Refusal> = [
            ("quantity", self.quantity),
            ("stopPrice", self.stop_price),
            ("trailingAmount", self.trailing_amount),
            ("trailingPercent", self.trailing_percent),
        ]
        .into_iter()
        .filter(|(_, value)| value.is_some_and(|value| value <= Decimal::ZERO))
        .map(|(field, _)| {
            let message = format!("{field} must be more than zero.");
            Refusal::argument(field, message, "Correct it. To end the order use cancel_order.")
        })
        .collect();
        let tif = self.tif.as_deref().map(|text| {
            text.parse().map_err(|_| {
                let message = format!("{text:?} is no time in force.");
                Refusal::argument("tif", message, "Use DAY, GTC, IOC or OPG.")
            })
        });
        let mut wrong_too = |refusal| wrong.push(refusal);
        let tif = tif.transpose().map_err(&mut wrong_too).ok().flatten();
        let trail = self.trail().map_err(&mut wrong_too).ok().flatten();
        let change = Change {
            quantity: self.quantity.map(|q| q.normalize()),
            price: self.price.map(|p| p.normalize()),
            stop: self.stop_price.map(|p| p.normalize()),
            trail,
            tif,
            outside_rth: self.outside_rth,
        };
        if wrong.is_empty() && change.is_nothing() {
            wrong.push(Refusal::argument(
                "price",
                "Nothing is to be changed.",
                "Give quantity, price, stopPrice, trailingAmount or trailingPercent, tif or outsideRTH.",
            ));
        }
        if wrong.is_empty() { Ok(change) } else { Err(Refusal::all(wrong)) }
    }

    fn trail(&self) -> Result<Option<Trail>, Refusal> {
        match (self.trailing_amount, self.trailing_percent) {
            (Some(by), None) => Ok(Some(Trail { by: by.normalize(), of: TrailingType::Amount })),
            (None, Some(by)) => Ok(Some(Trail { by: by.normalize(), of: TrailingType::Percent })),
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(Refusal::argument(
                "trailingPercent",
                "Both trailingAmount and trailingPercent are given.",
                "Give one of them.",
            )),
        }
    }

    fn not_working(&self, intent: &Intent) -> Refusal {
        Refusal::new(
            ErrorCode::NotWorking,
            format!("{} is {}.", intent.text, intent.state.in_words()),
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
                let intent = order_flow::named(ctx, "intentId", text).await?;
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn changes(json: &str) -> Result<Change, Refusal> {
        args::read::<Args>(json, Effect::Trades)?.args.changes()
    }

    #[test]
    fn a_change_changes_something() {
        for (json, field) in [
            (r#"{"orderId":1}"#, "price"),
            (r#"{"orderId":1,"quantity":0}"#, "quantity"),
            (r#"{"orderId":1,"tif":"X"}"#, "tif"),
            (r#"{"orderId":1,"transmit":true}"#, "transmit"),
            (r#"{"orderId":1,"trailingPercent":0}"#, "trailingPercent"),
            (r#"{"orderId":1,"trailingPercent":5,"trailingAmount":1}"#, "trailingPercent"),
        ] {
            assert_eq!(changes(json).unwrap_err().field.as_deref(), Some(field), "{json}");
        }
        let all = changes(r#"{"orderId":1,"quantity":-1,"stopPrice":0,"tif":"X"}"#).unwrap_err();
        for said in ["quantity", "stopPrice", "time in force"] {
            assert!(all.message.contains(said), "{}", all.message);
        }
    }
}
