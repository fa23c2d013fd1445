//! What a change names, and what becomes of an order by it. Pure: what is not named stays as it is at the
//! broker, so the order that this is applied to is the one that the broker shows.

use ibd_cpapi::money::{Price, Quantity};
use ibd_cpapi::orders::Tif;
use ibd_protocol::ErrorCode;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::asked::{Attached, Pricing, Size, Trail};
use super::order::Order;
use crate::refusal::Refusal;
use ibd_cpapi::exact;

/// What is to be changed; everything else stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Change {
    /// The new total quantity, filled ones included.
    #[serde(with = "exact::opt", skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Decimal>,
    /// The new limit.
    #[serde(with = "exact::opt", skip_serializing_if = "Option::is_none")]
    pub price: Option<Decimal>,
    /// The new trigger.
    #[serde(with = "exact::opt", skip_serializing_if = "Option::is_none")]
    pub stop: Option<Decimal>,
    /// How a trailing stop follows from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trail: Option<Trail>,
    /// For how long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tif: Option<Tif>,
    /// Also outside regular trading hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside_rth: Option<bool>,
}

impl Change {
    /// Whether nothing is named.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Of what it names, what no page of an order shows.
    pub fn unseen(&self) -> Option<&'static str> {
        match (self.trail, self.outside_rth) {
            (Some(_), _) => Some("how far it trails"),
            (None, Some(_)) => Some("whether it works outside regular hours"),
            (None, None) => None,
        }
    }

    /// The whole order as it shall be. How far a trailing stop follows IBKR does not show, so that is named in each
    /// change of one.
    pub fn apply(&self, order: Order) -> Result<Order, Refusal> {
        let size = match (self.quantity, order.size) {
            (Some(quantity), _) => Size::Quantity(Quantity::new(quantity)),
            (None, size) => size,
        };
        let trails = matches!(order.pricing, Pricing::Trail { .. } | Pricing::TrailLimit { .. });
        if trails && self.trail.is_none() {
            return Err(Refusal::new(
                ErrorCode::TrailNotShown,
                "How far this order trails now IBKR does not show, and a change sends it anew.",
                "Say it as well: trailingAmount or trailingPercent, as it shall be from now on; if somebody may have \
                 changed it in TWS, ask the user how it stands there.",
            )
            .at("trailingAmount"));
        }
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

    /// The price as it shall be.
    pub fn pricing(&self, pricing: Pricing) -> Result<Pricing, Refusal> {
        let (price, stop) = (self.price.map(Price::new), self.stop.map(Price::new));
        let kind = pricing.order_type();
        let has_no = |field: &str| {
            Refusal::argument(
                field,
                format!("A {} order has no {field}.", kind.as_str()),
                "Leave it out, or cancel the order and place another kind.",
            )
        };
        let is_trailing = matches!(pricing, Pricing::Trail { .. } | Pricing::TrailLimit { .. });
        if self.trail.is_some() && !is_trailing {
            return Err(has_no("trailingAmount"));
        }
        Ok(match (pricing, price, stop) {
            (Pricing::Trail { .. }, Some(_), _) => return Err(has_no("price")),
            (Pricing::Trail { trail, stop: old }, None, stop) => {
                Pricing::Trail { trail: self.trail.unwrap_or(trail), stop: stop.or(old) }
            }
            (Pricing::TrailLimit { trail, stop: old, limit }, price, stop) => Pricing::TrailLimit {
                trail: self.trail.unwrap_or(trail),
                stop: stop.or(old),
                limit: price.unwrap_or(limit),
            },
            (pricing, None, None) => pricing,
            (Pricing::Limit(_), Some(limit), None) => Pricing::Limit(limit),
            (Pricing::MidPrice(_), Some(cap), None) => Pricing::MidPrice(Some(cap)),
            (Pricing::Stop(_), None, Some(stop)) => Pricing::Stop(stop),
            (Pricing::StopLimit { stop: old, limit }, price, stop) => {
                Pricing::StopLimit { stop: stop.unwrap_or(old), limit: price.unwrap_or(limit) }
            }
            (Pricing::Market | Pricing::Stop(_), Some(_), _) => return Err(has_no("price")),
            (_, _, Some(_)) => return Err(has_no("stopPrice")),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ibd_cpapi::orders::TrailingType;

    fn price(text: &str) -> Price {
        Price::new(text.parse().unwrap())
    }

    fn number(text: &str) -> Option<Decimal> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn what_is_not_named_stays_and_what_does_not_fit_is_refused() {
        let new = Change { price: number("189.5"), ..Change::default() };
        let limit = new.pricing(Pricing::Limit(price("190"))).unwrap();
        assert_eq!(limit, Pricing::Limit(price("189.5")));
        let both = Pricing::StopLimit { stop: price("180"), limit: price("179") };
        assert_eq!(
            new.pricing(both).unwrap(),
            Pricing::StopLimit { stop: price("180"), limit: price("189.5") }
        );
        let refused = |change: &Change, pricing| change.pricing(pricing).unwrap_err().field;
        assert_eq!(refused(&new, Pricing::Stop(price("180"))).as_deref(), Some("price"));
        let stop = Change { stop: number("5"), ..Change::default() };
        assert_eq!(refused(&stop, Pricing::Limit(price("190"))).as_deref(), Some("stopPrice"));
    }

    #[test]
    fn a_trail_can_be_changed_where_there_is_one() {
        let by = |by: &str| Trail { by: by.parse().unwrap(), of: TrailingType::Percent };
        let change = Change { trail: Some(by("3")), ..Change::default() };
        let old = Pricing::Trail { trail: by("5"), stop: Some(price("95")) };
        assert_eq!(
            change.pricing(old).unwrap(),
            Pricing::Trail { trail: by("3"), stop: Some(price("95")) }
        );
        let refused = change.pricing(Pricing::Market).unwrap_err();
        assert_eq!(refused.field.as_deref(), Some("trailingAmount"));
    }

    #[test]
    fn it_is_written_as_what_it_names_and_read_back() {
        let change = Change { quantity: number("10.0"), tif: Some(Tif::Gtc), ..Change::default() };
        let text = serde_json::to_string(&change).unwrap();
        assert_eq!(text, r#"{"quantity":"10","tif":"GTC"}"#);
        assert_eq!(serde_json::from_str::<Change>(&text).unwrap().tif, Some(Tif::Gtc));
        assert!(serde_json::from_str::<Change>("{}").unwrap().is_nothing());
    }
}
