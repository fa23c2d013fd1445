//! Whether an order fits its contract: tick, size, order type. What does not is a mistake in the arguments
//! and never reaches the broker. Pure.

use std::sync::Arc;

use ibd_cpapi::contracts::Rules;
use ibd_cpapi::money::Price;
use ibd_cpapi::orders::OrderType;
use ibd_protocol::ErrorCode;
use rust_decimal::Decimal;

use super::asked::{Attached, Pricing, Size};
use super::order::{Order, Traded};
use crate::refusal::Refusal;

/// Holds an order against what the broker says about its contract.
pub fn check(order: &Order, rules: &Rules) -> Result<(), Refusal> {
    kind(order, rules)?;
    check_size(order.size, order.pricing.order_type(), rules)?;
    prices(&order.pricing, rules, order)?;
    match &order.attached {
        Attached::Nothing => Ok(()),
        Attached::Bracket { take_profit, stop_loss, stop_loss_limit } => {
            for (field, price) in [
                ("takeProfit", take_profit),
                ("stopLoss", stop_loss),
                ("stopLossLimit", stop_loss_limit),
            ] {
                if let Some(price) = price {
                    on_tick(field, *price, rules)?;
                }
            }
            Ok(())
        }
        Attached::Oca(siblings) => {
            for one in siblings {
                check_size(one.size, one.pricing.order_type(), rules)?;
                for (_, price) in given(&one.pricing) {
                    on_tick("oca", price, rules)?;
                }
            }
            Ok(())
        }
    }
}

/// A contract with what the rules say of its prices. In what unit they are must be known: everything that
/// is worked out of a price depends on it.
pub fn ruled(contract: Traded, rules: &Rules) -> Result<Traded, Refusal> {
    match rules.magnifier() {
        Some(price_magnifier) => Ok(Traded {
            price_magnifier,
            negative: rules.negative_capable == Some(true),
            ..contract
        }),
        None => Err(Refusal::new(
            ErrorCode::UnknownSymbol,
            format!("IBKR does not say in what unit the prices of {} are.", contract.shown()),
            "It cannot be traded here; use TWS.",
        )
        .at("conid")),
    }
}

/// What is certain of a combination by the rules of its legs: a price that is on no leg's finest step is none, and there
/// are no parts of it. Which kinds of order it takes IBKR says nowhere.
pub fn of_combination(legs: &[Arc<Rules>]) -> Rules {
    let steps = legs.iter().flat_map(|rules| {
        rules.increments.iter().map(|rule| rule.increment).chain(rules.increment)
    });
    let increment = steps.filter(|step| step.get() > Decimal::ZERO).min();
    Rules { increment, ..Rules::default() }
}

/// The broker's words for kinds of order in its rules.
fn words(kind: OrderType) -> &'static [&'static str] {
    match kind {
        OrderType::Lmt => &["limit"],
        OrderType::Mkt => &["market"],
        OrderType::Stp => &["stop"],
        OrderType::StopLimit => &["stop_limit"],
        OrderType::Trail => &["trailing_stop"],
        OrderType::TrailLmt => &["trailing_stop_limit"],
        OrderType::MidPrice => &["midprice"],
    }
}

fn is_among(list: &[String], kind: OrderType) -> bool {
    words(kind).iter().any(|word| list.iter().any(|one| one.eq_ignore_ascii_case(word)))
}

fn kind(order: &Order, rules: &Rules) -> Result<(), Refusal> {
    let kind = order.pricing.order_type();
    if rules.order_types.is_empty() || is_among(&rules.order_types, kind) {
        return Ok(());
    }
    Err(Refusal::argument(
        "orderType",
        format!("{} orders are not taken for {}.", kind.as_str(), order.contract.shown()),
        format!("IBKR takes: {}.", rules.order_types.join(", ")),
    ))
}

fn check_size(size: Size, kind: OrderType, rules: &Rules) -> Result<(), Refusal> {
    match size {
        Size::Quantity(quantity) => whole(quantity.get(), kind, rules),
        Size::Cash(_) => {
            if is_among(&rules.cash_types, kind) {
                Ok(())
            } else {
                Err(Refusal::argument(
                    "cashQuantity",
                    format!(
                        "This contract takes no {} order for an amount of money.",
                        kind.as_str()
                    ),
                    "Give quantity instead.",
                ))
            }
        }
    }
}

fn whole(quantity: Decimal, kind: OrderType, rules: &Rules) -> Result<(), Refusal> {
    if quantity.is_integer() {
        return Ok(());
    }
    let digits = rules.fraction_digits.unwrap_or(0);
    let allowed = is_among(&rules.fraction_types, kind) && quantity.normalize().scale() <= digits;
    if allowed {
        Ok(())
    } else {
        Err(Refusal::argument(
            "quantity",
            format!(
                "{} is a fraction, and this contract takes whole numbers for {} orders.",
                quantity.normalize(),
                kind.as_str()
            ),
            "Give a whole number.",
        ))
    }
}

fn prices(pricing: &Pricing, rules: &Rules, order: &Order) -> Result<(), Refusal> {
    for (field, price) in given(pricing) {
        if price.get() <= Decimal::ZERO
            && order.contract.legs.is_empty()
            && rules.negative_capable != Some(true)
        {
            return Err(Refusal::argument(
                field,
                format!("{field} must be more than zero."),
                "Give a price in the contract's currency.",
            ));
        }
        on_tick(field, price, rules)?;
    }
    Ok(())
}

/// Never rounded in silence: the price is the caller's.
fn on_tick(field: &str, price: Price, rules: &Rules) -> Result<(), Refusal> {
    let Some(tick) = rules.tick_at(price).map(Price::get).filter(|tick| *tick > Decimal::ZERO)
    else {
        return Ok(());
    };
    let over = price.get() % tick;
    if over.is_zero() {
        return Ok(());
    }
    // The rest of a negative price is negative.
    let below = price.get() - over - if over < Decimal::ZERO { tick } else { Decimal::ZERO };
    let (below, above) = ((below).normalize(), (below + tick).normalize());
    Err(Refusal::argument(
        field,
        format!("{price} is not a price of this contract: the tick is {}.", tick.normalize()),
        "Use one of the candidates.",
    )
    .or([below.to_string(), above.to_string()]))
}

/// Each price of an order with the argument that gave it.
fn given(pricing: &Pricing) -> impl Iterator<Item = (&'static str, Price)> {
    let limit = pricing.limit().map(|price| ("price", price));
    let stop = pricing.stop().map(|price| ("stopPrice", price));
    limit.into_iter().chain(stop)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::orders::guardrails::tests::order;
    use ibd_cpapi::orders::Side;

    fn rules() -> Rules {
        serde_json::from_str(
            r#"{"orderTypes":["limit","market","stop"],"incrementRules":[{"lowerEdge":0.0,"increment":0.01}],
                "fraqTypes":["market"],"fraqInt":4,"cqtTypes":["market"]}"#,
        )
        .unwrap()
    }

    fn price(text: &str) -> Price {
        Price::new(text.parse().unwrap())
    }

    fn field(order: &Order) -> Option<String> {
        check(order, &rules()).err().and_then(|refusal| refusal.field)
    }

    #[test]
    fn what_does_not_fit_names_its_field() {
        let buy = |quantity: &str, pricing| order(Side::Buy, quantity, pricing);
        assert_eq!(field(&buy("10", Pricing::Limit(price("190.05")))), None);
        assert_eq!(field(&buy("10", Pricing::Limit(price("190.055")))).as_deref(), Some("price"));
        assert_eq!(
            field(&buy("10", Pricing::Stop(price("190.055")))).as_deref(),
            Some("stopPrice")
        );
        assert_eq!(field(&buy("10", Pricing::Limit(price("-1")))).as_deref(), Some("price"));
        assert_eq!(field(&buy("10", Pricing::MidPrice(None))).as_deref(), Some("orderType"));
        assert_eq!(field(&buy("1.5", Pricing::Market)), None);
        assert_eq!(field(&buy("1.5", Pricing::Limit(price("1")))).as_deref(), Some("quantity"));
        assert_eq!(field(&buy("1.00001", Pricing::Market)).as_deref(), Some("quantity"));
    }

    #[test]
    fn the_unit_of_prices_comes_from_the_rules_or_the_contract_is_not_traded() {
        let contract = order(Side::Buy, "1", Pricing::Market).contract;
        let ruled = |json: &str| {
            let rules: Rules = serde_json::from_str(json).unwrap();
            super::ruled(contract.clone(), &rules)
        };
        let pence = ruled(r#"{"priceMagnifier":100,"negativeCapable":true}"#).unwrap();
        assert_eq!((pence.price_magnifier, pence.negative), (Decimal::ONE_HUNDRED, true));
        assert_eq!(ruled("{}").unwrap().price_magnifier, Decimal::ONE);
        assert_eq!(ruled(r#"{"priceMagnifier":0}"#).unwrap_err().error, ErrorCode::UnknownSymbol);
    }

    #[test]
    fn a_combination_has_the_finest_step_of_its_legs_and_no_parts() {
        let legs = [
            r#"{"incrementRules":[{"lowerEdge":0.0,"increment":0.01},{"lowerEdge":3.0,"increment":0.05}]}"#,
            r#"{"orderTypes":["limit"],"fraqTypes":["limit"],"fraqInt":2,"increment":0.1}"#,
        ];
        let legs = legs.map(|json| Arc::new(serde_json::from_str(json).unwrap()));
        let rules = of_combination(&legs);
        let mut combo = order(Side::Buy, "1", Pricing::Limit(price("-3.52")));
        combo.contract.legs =
            vec![crate::orders::asked::Leg::new("8314".parse().unwrap(), 1, Side::Buy)];
        assert!(check(&combo, &rules).is_ok());
        let refused = |quantity: &str, limit: &str| {
            let size = order(Side::Buy, quantity, Pricing::Market).size;
            let pricing = Pricing::Limit(price(limit));
            let refusal = check(&Order { size, pricing, ..combo.clone() }, &rules).unwrap_err();
            (refusal.field.unwrap(), refusal.candidates)
        };
        let beside = ["-3.53", "-3.52"].map(serde_json::Value::from).to_vec();
        assert_eq!(refused("1", "-3.525"), ("price".to_owned(), beside));
        assert_eq!(refused("1.5", "1").0, "quantity");
        assert!(
            check(&combo, &of_combination(&[])).is_ok(),
            "what is not known is not held against it"
        );
    }

    #[test]
    fn the_prices_beside_are_named() {
        let refusal =
            check(&order(Side::Buy, "1", Pricing::Limit(price("190.055"))), &rules()).unwrap_err();
        assert_eq!(refusal.candidates, ["190.05", "190.06"]);
    }
}
