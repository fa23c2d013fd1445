//! An order's arguments, as `place_order`, `preview_order` and `modify_order` share them: from what models
//! send to an [`Asked`], in which nothing contradicts itself.

mod attached;
mod contract;
mod prices;

use ibd_cpapi::id::{AccountId, Conid};
use ibd_cpapi::money::{Amount, Quantity};
use ibd_cpapi::orders::{Side, Tif};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Deserialize;

use super::args;
use super::cell::Num;
use crate::orders::{Asked, Closing, Pricing, Size, Wanted};
use crate::refusal::Refusal;
use attached::OcaArgs;
use prices::{Prices, kind, pricing};

/// What an order can be.
const ORDER_TYPES: [&str; 7] = ["MKT", "LMT", "STP", "STOP_LIMIT", "TRAIL", "TRAILLMT", "MIDPRICE"];
/// How long it can work.
const TIFS: [&str; 4] = ["DAY", "GTC", "IOC", "OPG"];

/// An order. Give conid, or symbol, or for an option symbol with expiry, strike and right, or legs.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
#[schemars(extend("required" = ["orderType"]))]
pub struct Args {
    /// For instance U1234567. Needed if the login has several.
    #[serde(deserialize_with = "args::account")]
    #[schemars(with = "Option<String>")]
    pub account_id: Option<AccountId>,
    /// From search_contracts: the sure way.
    #[serde(deserialize_with = "args::conid")]
    #[schemars(with = "Option<u32>")]
    pub conid: Option<Conid>,
    /// A symbol, for instance AAPL; of an option the underlying's.
    #[serde(deserialize_with = "args::text")]
    pub symbol: Option<String>,
    /// STK, OPT, FUT, CASH; found if left out.
    #[serde(deserialize_with = "args::text")]
    pub sec_type: Option<String>,
    /// Expiry of an option or future: 2027-01-15, or the month JAN27.
    #[serde(deserialize_with = "args::text")]
    pub expiry: Option<String>,
    /// An option's strike.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    pub strike: Option<Decimal>,
    /// C or P.
    #[serde(deserialize_with = "args::text")]
    #[schemars(extend("enum" = ["C", "P"]))]
    pub right: Option<String>,
    /// The listing exchange, for instance IBIS.
    #[serde(deserialize_with = "args::text")]
    pub exchange: Option<String>,
    /// Of its prices.
    #[serde(deserialize_with = "args::text")]
    pub currency: Option<String>,
    /// With closePosition it can be left out.
    #[serde(deserialize_with = "args::text")]
    #[schemars(extend("enum" = ["BUY", "SELL"]))]
    pub action: Option<String>,
    /// What the order is.
    #[serde(deserialize_with = "args::text")]
    #[schemars(extend("enum" = ORDER_TYPES))]
    pub order_type: Option<String>,
    /// true: sell all that is held, or buy back all that is short, and never more. Without quantity.
    #[serde(deserialize_with = "args::yes_no")]
    #[schemars(with = "Option<bool>")]
    pub close_position: Option<bool>,
    /// Shares or contracts. One of this, cashQuantity and closePosition.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    pub quantity: Option<Decimal>,
    /// Buy for this amount of money instead.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    pub cash_quantity: Option<Decimal>,
    /// Limit; the cap of MIDPRICE.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    pub price: Option<Decimal>,
    /// Trigger; where TRAIL and TRAILLMT start.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    pub stop_price: Option<Decimal>,
    /// How far a TRAIL or TRAILLMT follows, in money.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    pub trailing_amount: Option<Decimal>,
    /// The same in percent.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    pub trailing_percent: Option<Decimal>,
    /// DAY if left out.
    #[serde(deserialize_with = "args::text")]
    #[schemars(extend("enum" = TIFS))]
    pub tif: Option<String>,
    /// true: also outside regular trading hours.
    #[serde(rename = "outsideRTH", alias = "outsideRth", deserialize_with = "args::yes_no")]
    #[schemars(with = "Option<bool>")]
    pub outside_rth: Option<bool>,
    /// Bracket: a limit order at this price closes the position.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    pub take_profit: Option<Decimal>,
    /// Bracket: a stop order at this price closes the position.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    pub stop_loss: Option<Decimal>,
    /// Makes the bracket's stop a stop-limit with this limit.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    pub stop_loss_limit: Option<Decimal>,
    /// One-cancels-all: more orders of the same contract.
    #[serde(deserialize_with = "args::rows")]
    pub oca: Option<Vec<OcaArgs>>,
    /// A combination: at least two legs.
    #[serde(deserialize_with = "args::rows")]
    pub legs: Option<Vec<LegArgs>>,
    /// false: IBKR's questions are shown; else the allow-list answers.
    #[serde(deserialize_with = "args::yes_no")]
    #[schemars(with = "Option<bool>")]
    pub suppress_confirmations: Option<bool>,
    /// Your own name for it: repeated, it gives the first outcome and no second order.
    #[serde(deserialize_with = "args::text")]
    pub request_id: Option<String>,
    /// The intentId of an alike order, if a second one is really meant.
    #[serde(deserialize_with = "args::text")]
    pub allow_duplicate_of: Option<String>,
}

/// One leg of a combination.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct LegArgs {
    /// IBKR's number of the leg's contract; or its symbol, of an option or future with what follows.
    #[serde(deserialize_with = "args::conid")]
    #[schemars(with = "Option<u32>")]
    conid: Option<Conid>,
    #[serde(deserialize_with = "args::text")]
    symbol: Option<String>,
    #[serde(deserialize_with = "args::text")]
    expiry: Option<String>,
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    strike: Option<Decimal>,
    #[serde(deserialize_with = "args::text")]
    right: Option<String>,
    /// 1 if left out.
    #[serde(deserialize_with = "args::count")]
    ratio: Option<usize>,
    /// What buying the combination does with this leg.
    #[schemars(extend("enum" = ["BUY", "SELL"]))]
    #[serde(deserialize_with = "args::text")]
    action: Option<String>,
}

impl Args {
    /// What is wanted, if the arguments make something.
    pub fn wanted(&self) -> Result<Wanted, Refusal> {
        match self.close_position {
            Some(true) => self.closing().map(Wanted::Close),
            Some(false) | None => self.asked().map(Wanted::Order),
        }
    }

    /// The end of a position: one order, with the size of what is held.
    fn closing(&self) -> Result<Closing, Refusal> {
        let given = [
            ("quantity", self.quantity.is_some()),
            ("cashQuantity", self.cash_quantity.is_some()),
            ("legs", self.legs.is_some()),
            ("oca", self.oca.is_some()),
            ("takeProfit", self.take_profit.is_some()),
            ("stopLoss", self.stop_loss.is_some()),
            ("stopLossLimit", self.stop_loss_limit.is_some()),
        ];
        if let Some((field, _)) = given.iter().find(|(_, is_given)| *is_given) {
            return Err(wrong(
                field,
                format!("closePosition has no {field}: it is one order for all that is held."),
                format!("Leave out {field}, or closePosition."),
            ));
        }
        let side = self.action.as_deref().map(|text| side(Some(text))).transpose()?;
        Ok(Closing {
            account: self.account_id.clone(),
            what: self.what()?,
            side,
            pricing: self.pricing()?,
            tif: tif(self.tif.as_deref())?,
            outside_rth: self.outside_rth.unwrap_or(false),
        })
    }

    fn pricing(&self) -> Result<Pricing, Refusal> {
        let kind = kind(self.order_type.as_deref())?;
        let prices = Prices {
            price: self.price,
            stop: self.stop_price,
            amount: self.trailing_amount,
            percent: self.trailing_percent,
        };
        pricing(kind, prices, self.legs.is_some())
    }

    /// The order, if the arguments make one; else all that keeps them from it.
    fn asked(&self) -> Result<Asked, Refusal> {
        let mut wrong = Vec::new();
        let side = kept(&mut wrong, side(self.action.as_deref()));
        let what = kept(&mut wrong, self.what());
        let pricing = kept(&mut wrong, self.pricing());
        // Only what can be bought for an amount depends on the side.
        let size = kept(&mut wrong, self.size(side.unwrap_or(Side::Buy)));
        let tif = kept(&mut wrong, tif(self.tif.as_deref()));
        let nothing = Size::Quantity(Quantity::new(Decimal::ONE));
        let attached = self.attached(side.unwrap_or(Side::Buy), size.unwrap_or(nothing));
        let attached = kept(&mut wrong, attached);
        match (side, what, pricing, size, tif, attached) {
            (Some(side), Some(what), Some(pricing), Some(size), Some(tif), Some(attached)) => {
                Ok(Asked {
                    account: self.account_id.clone(),
                    what,
                    side,
                    size,
                    pricing,
                    tif,
                    outside_rth: self.outside_rth.unwrap_or(false),
                    attached,
                })
            }
            _ => Err(Refusal::all(wrong)),
        }
    }

    fn size(&self, side: Side) -> Result<Size, Refusal> {
        match (self.quantity, self.cash_quantity) {
            (Some(quantity), None) => {
                more_than_nothing("quantity", quantity)?;
                Ok(Size::Quantity(Quantity::new(quantity)))
            }
            (None, Some(cash)) if side == Side::Sell => {
                let _ = cash;
                Err(wrong(
                    "cashQuantity",
                    "An amount of money can only be bought for.",
                    "Give quantity.",
                ))
            }
            (None, Some(cash)) => {
                more_than_nothing("cashQuantity", cash)?;
                Ok(Size::Cash(Amount::new(cash)))
            }
            (Some(_), Some(_)) => Err(wrong(
                "cashQuantity",
                "Both quantity and cashQuantity are given.",
                "Give one of them.",
            )),
            (None, None) => {
                Err(wrong("quantity", "quantity is missing.", "Say how many shares or contracts."))
            }
        }
    }
}

/// What is right; what is wrong goes to the others.
fn kept<T>(wrong: &mut Vec<Refusal>, result: Result<T, Refusal>) -> Option<T> {
    result.map_err(|refusal| wrong.push(refusal)).ok()
}

fn wrong(field: &str, what: impl Into<String>, next: impl Into<String>) -> Refusal {
    Refusal::argument(field, what, next)
}

fn more_than_nothing(field: &str, number: Decimal) -> Result<(), Refusal> {
    if number > Decimal::ZERO {
        Ok(())
    } else {
        Err(wrong(
            field,
            format!("{field} is {}; it must be more than zero.", number.normalize()),
            "Correct it and call again. Selling is action SELL, not a negative number.",
        ))
    }
}

/// BUY or SELL.
pub fn side(text: Option<&str>) -> Result<Side, Refusal> {
    let text = text.ok_or_else(|| wrong("action", "action is missing.", "Give BUY or SELL."))?;
    match text.to_uppercase().as_str() {
        "BUY" => Ok(Side::Buy),
        "SELL" => Ok(Side::Sell),
        _ => {
            Err(wrong("action", format!("{text:?} is neither BUY nor SELL."), "Give BUY or SELL."))
        }
    }
}

fn tif(text: Option<&str>) -> Result<Tif, Refusal> {
    let Some(text) = text else { return Ok(Tif::Day) };
    text.parse().map_err(|_| {
        wrong("tif", format!("{text:?} is no time in force."), "Use DAY, GTC, IOC or OPG.")
    })
}

#[cfg(test)]
#[path = "order_args/tests.rs"]
mod tests;
