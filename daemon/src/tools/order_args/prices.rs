//! What an order is and at what price: a type has the prices that it needs, and no others.

use ibd_cpapi::money::Price;
use ibd_cpapi::orders::{OrderType, TrailingType};
use rust_decimal::Decimal;

use super::{more_than_nothing, wrong};
use crate::orders::{Pricing, Trail};
use crate::refusal::Refusal;

/// The parts of an order's price that were given.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Prices {
    pub(super) price: Option<Decimal>,
    pub(super) stop: Option<Decimal>,
    pub(super) amount: Option<Decimal>,
    pub(super) percent: Option<Decimal>,
}

pub(super) fn kind(text: Option<&str>) -> Result<OrderType, Refusal> {
    let next = "Use MKT, LMT, STP, STOP_LIMIT, TRAIL, TRAILLMT or MIDPRICE.";
    let text = text.ok_or_else(|| wrong("orderType", "orderType is missing.", next))?;
    text.parse().map_err(|_| wrong("orderType", format!("{text:?} is no order type."), next))
}

/// A type has the prices that it needs, and no others: a price that would be ignored is a mistake.
pub(super) fn pricing(
    kind: OrderType,
    given: Prices,
    may_be_negative: bool,
) -> Result<Pricing, Refusal> {
    let name = kind.as_str();
    let needed = |field: &str, value: Option<Decimal>| -> Result<Price, Refusal> {
        let value = value.ok_or_else(|| {
            wrong(field, format!("A {name} order needs {field}."), format!("Give {field}."))
        })?;
        if !may_be_negative {
            more_than_nothing(field, value)?;
        }
        Ok(Price::new(value))
    };
    let optional = |field: &str, value: Option<Decimal>| match value {
        Some(_) => needed(field, value).map(Some),
        None => Ok(None),
    };
    let none = |field: &str, value: Option<Decimal>| match value {
        Some(_) if field == "price" && matches!(kind, OrderType::Stp | OrderType::Trail) => {
            Err(wrong(
                field,
                format!("A {name} order has no price: its trigger is stopPrice."),
                "Give the trigger as stopPrice and leave price out, or use STOP_LIMIT with both.",
            ))
        }
        Some(_) => Err(wrong(
            field,
            format!("A {name} order has no {field}."),
            format!("Leave {field} out, or use another orderType."),
        )),
        None => Ok(()),
    };
    let is_trailing = matches!(kind, OrderType::Trail | OrderType::TrailLmt);
    if !is_trailing {
        none("trailingAmount", given.amount)?;
        none("trailingPercent", given.percent)?;
    }
    match kind {
        OrderType::Mkt => {
            none("price", given.price)?;
            none("stopPrice", given.stop)?;
            Ok(Pricing::Market)
        }
        OrderType::Lmt => {
            none("stopPrice", given.stop)?;
            Ok(Pricing::Limit(needed("price", given.price)?))
        }
        OrderType::Stp => {
            none("price", given.price)?;
            Ok(Pricing::Stop(needed("stopPrice", given.stop)?))
        }
        OrderType::StopLimit => Ok(Pricing::StopLimit {
            stop: needed("stopPrice", given.stop)?,
            limit: needed("price", given.price)?,
        }),
        OrderType::Trail => {
            none("price", given.price)?;
            Ok(Pricing::Trail {
                trail: trail(given, name)?,
                stop: optional("stopPrice", given.stop)?,
            })
        }
        OrderType::TrailLmt => Ok(Pricing::TrailLimit {
            trail: trail(given, name)?,
            stop: Some(needed("stopPrice", given.stop)?),
            limit: needed("price", given.price)?,
        }),
        OrderType::MidPrice => {
            none("stopPrice", given.stop)?;
            Ok(Pricing::MidPrice(optional("price", given.price)?))
        }
    }
}

fn trail(given: Prices, name: &str) -> Result<Trail, Refusal> {
    let (field, by, of) = match (given.amount, given.percent) {
        (Some(by), None) => ("trailingAmount", by, TrailingType::Amount),
        (None, Some(by)) => ("trailingPercent", by, TrailingType::Percent),
        (Some(_), Some(_)) => {
            return Err(wrong(
                "trailingPercent",
                "Both trailingAmount and trailingPercent are given.",
                "Give one of them, not both.",
            ));
        }
        (None, None) => {
            return Err(wrong(
                "trailingAmount",
                format!("A {name} order needs trailingAmount or trailingPercent."),
                "Give one of them.",
            ));
        }
    };
    more_than_nothing(field, by)?;
    Ok(Trail { by, of })
}
