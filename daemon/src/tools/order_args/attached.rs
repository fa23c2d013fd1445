//! What comes with an order: the prices of a bracket, the others of a one-cancels-all group.

use ibd_cpapi::money::{Price, Quantity};
use ibd_cpapi::orders::Side;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Deserialize;

use super::prices::{Prices, kind, pricing};
use super::{Args, more_than_nothing, wrong};
use crate::orders::{Attached, Sibling, Size};
use crate::refusal::Refusal;
use crate::tools::args;
use crate::tools::cell::Num;

/// Orders beside the first one in a one-cancels-all group.
const MAX_SIBLINGS: usize = 5;

/// One more order of a one-cancels-all group.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct OcaArgs {
    /// As the first order if left out.
    #[schemars(extend("enum" = ["BUY", "SELL"]))]
    #[serde(deserialize_with = "args::text")]
    action: Option<String>,
    /// What it is.
    #[schemars(extend("enum" = ["MKT", "LMT", "STP", "STOP_LIMIT", "MIDPRICE"]))]
    #[serde(deserialize_with = "args::text")]
    order_type: Option<String>,
    /// As the first order if left out.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    quantity: Option<Decimal>,
    /// Limit price.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    price: Option<Decimal>,
    /// Trigger price.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    stop_price: Option<Decimal>,
}

impl Args {
    pub(super) fn attached(&self, side: Side, size: Size) -> Result<Attached, Refusal> {
        let is_bracket = self.take_profit.is_some() || self.stop_loss.is_some();
        if self.stop_loss_limit.is_some() && self.stop_loss.is_none() {
            return Err(wrong("stopLossLimit", "stopLossLimit needs stopLoss.", "Give stopLoss."));
        }
        let price = |field, value: Option<Decimal>| match value {
            Some(value) => more_than_nothing(field, value).map(|()| Some(Price::new(value))),
            None => Ok(None),
        };
        match &self.oca {
            None if is_bracket => Ok(Attached::Bracket {
                take_profit: price("takeProfit", self.take_profit)?,
                stop_loss: price("stopLoss", self.stop_loss)?,
                stop_loss_limit: price("stopLossLimit", self.stop_loss_limit)?,
            }),
            None => Ok(Attached::Nothing),
            Some(_) if is_bracket => Err(wrong(
                "oca",
                "A bracket cannot be part of an OCA group here.",
                "Give one of them.",
            )),
            Some(siblings) if siblings.is_empty() || siblings.len() > MAX_SIBLINGS => Err(wrong(
                "oca",
                format!("{} orders are in oca.", siblings.len()),
                format!(
                    "Give 1 to {MAX_SIBLINGS}; the first order of the group is the call's own."
                ),
            )),
            Some(siblings) => siblings
                .iter()
                .map(|one| sibling(one, side, size))
                .collect::<Result<_, _>>()
                .map(Attached::Oca),
        }
    }
}

fn sibling(one: &OcaArgs, side: Side, size: Size) -> Result<Sibling, Refusal> {
    let side = match &one.action {
        Some(action) => super::side(Some(action)).map_err(|refusal| refusal.at("oca.action"))?,
        None => side,
    };
    let kind = kind(one.order_type.as_deref()).map_err(|refusal| refusal.at("oca.orderType"))?;
    let prices = Prices { price: one.price, stop: one.stop_price, ..Prices::default() };
    let pricing = pricing(kind, prices, false).map_err(|refusal| {
        let field = format!("oca.{}", refusal.field.clone().unwrap_or_default());
        refusal.at(&field)
    })?;
    let size = match one.quantity {
        Some(quantity) => {
            more_than_nothing("oca.quantity", quantity)?;
            Size::Quantity(Quantity::new(quantity))
        }
        None => size,
    };
    Ok(Sibling { side, size, pricing })
}
