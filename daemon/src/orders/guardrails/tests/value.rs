//! What an order is worth, and what is said where that cannot be told.

use super::*;
use crate::orders::asked::Trail;
use ibd_cpapi::orders::TrailingType;
use ibd_protocol::ReasonCode;

#[test]
fn a_multiplier_and_a_foreign_currency_count() {
    let mut option = order(Side::Buy, "2", Pricing::Limit(price("100")));
    option.contract.multiplier = Decimal::ONE_HUNDRED;
    assert_eq!(denied(option, &scene(), &rules(&[])).0, "over_max_percent");
    let scene = Scene { rate: Some(decimal("0.5")), ..scene() };
    let vetted = vet(
        order(Side::Buy, "10", Pricing::Limit(price("100"))),
        &scene,
        &rules(&[]),
        Counts::default(),
        now(),
    );
    assert_eq!(vetted.unwrap().worth().value, Some(decimal("500")));
}

#[test]
fn a_sale_is_worth_what_the_market_pays_whatever_its_limit() {
    let open = rules(&[("price_collar_percent", "100")]);
    let cheap = Pricing::Limit(price("0.01"));
    assert_eq!(denied(order(Side::Sell, "101", cheap), &scene(), &open).0, "over_max_percent");
    let stop = Pricing::StopLimit { stop: price("99"), limit: price("0.01") };
    assert_eq!(denied(order(Side::Sell, "200", stop), &scene(), &open).0, "over_max_percent");
    assert_eq!(denied(order(Side::Sell, "1", stop), &scene(), &rules(&[])).0, "price_off_market");
    let blind = Scene { quote: Quote::default(), ..scene() };
    let limit = Pricing::Limit(price("100"));
    assert_eq!(denied(order(Side::Sell, "1", limit), &blind, &open).0, "value_unknown");
}

/// The market is 100.1 asked and 99.9 bid; a market order is valued five percent beyond.
#[test]
fn a_purchase_that_trails_is_worth_its_first_trigger() {
    let trail = |by: &str, of, stop: Option<&str>| Pricing::Trail {
        trail: Trail { by: decimal(by), of },
        stop: stop.map(price),
    };
    for (side, pricing, worth) in [
        (Side::Buy, Pricing::Stop(price("150")), "157.5"),
        (Side::Buy, trail("49.9", TrailingType::Amount, None), "157.5"),
        (Side::Buy, trail("50", TrailingType::Percent, None), "157.6575"),
        (Side::Buy, trail("5", TrailingType::Amount, Some("150")), "157.5"),
        (Side::Buy, trail("5", TrailingType::Amount, Some("90")), "105.105"),
        (Side::Sell, trail("50", TrailingType::Percent, None), "105"),
    ] {
        let order = order(side, "1", pricing);
        assert_eq!(
            super::super::value::known(&order, &scene()).unwrap(),
            decimal(worth),
            "{pricing:?}"
        );
    }
}

#[test]
fn prices_in_pence_are_not_pounds() {
    let mut london = order(Side::Buy, "100", Pricing::Limit(price("4293")));
    london.contract.currency = "GBP".into();
    london.contract.price_magnifier = Decimal::ONE_HUNDRED;
    let quote = Quote {
        bid: Some(decimal("4292")),
        ask: Some(decimal("4294")),
        last: Some(decimal("4293")),
        ..scene().quote
    };
    let scene = Scene { quote, base: Some("GBP".into()), ..scene() };
    let vetted = vet(london.clone(), &scene, &rules(&[]), Counts::default(), now()).unwrap();
    assert_eq!(vetted.worth().value, Some(decimal("4293")));
    assert_eq!(london.contract.price_unit().as_deref(), Some("1/100 GBP (pence)"));
    assert!(
        london.shown().contains("LMT 4293 (prices in 1/100 GBP (pence))"),
        "{}",
        london.shown()
    );
    assert!(london.lines().iter().any(|line| line == "prices are in 1/100 GBP (pence)"));
    // 1000 pounds buy 23.3 shares, and not 0.23.
    let mut cash = Order { pricing: Pricing::Market, ..london };
    cash.size = Size::Cash(ibd_cpapi::money::Amount::new(decimal("1000")));
    let few = rules(&[("max_order_quantity", "20")]);
    assert_eq!(denied(cash, &scene, &few).0, "over_max_quantity");
}

#[test]
fn which_part_of_a_value_is_missing_is_said() {
    let limit = order(Side::Buy, "1", Pricing::Limit(price("100")));
    let said = |order: &Order, scene: Scene| {
        let open = rules(&[("price_collar_percent", "100")]);
        match vet(order.clone(), &scene, &open, Counts::default(), now()) {
            Ok(_) => panic!("it cannot be valued"),
            Err(denial) => {
                assert_eq!(denial.code, ReasonCode::ValueUnknown.into());
                (denial.message, denial.next)
            }
        }
    };
    let (message, next) = said(&limit, Scene { rate: None, base: Some("EUR".into()), ..scene() });
    assert!(message.contains("no rate from USD to EUR"), "{message}");
    assert!(!next.contains("limit order"), "{next}");
    let (message, _) = said(&limit, Scene { rate: None, base: None, ..scene() });
    assert!(message.contains("base currency"), "{message}");
    let market = order(Side::Buy, "1", Pricing::Market);
    let (message, next) = said(&market, Scene { quote: Quote::default(), ..scene() });
    assert!(message.contains("no price") && next.contains("limit order"), "{message} {next}");
    let (message, _) = said(&limit, Scene { nlv: None, ..scene() });
    assert!(message.contains("net liquidation value"), "{message}");
}

#[test]
fn a_negative_price_is_worth_its_distance_from_nothing() {
    let mut oil = order(Side::Buy, "1", Pricing::Limit(price("-10")));
    oil.contract.multiplier = decimal("1000");
    oil.contract.negative = true;
    let quote = Quote {
        bid: Some(decimal("-10.2")),
        ask: Some(decimal("-10")),
        last: Some(decimal("-10.1")),
        ..scene().quote
    };
    let scene = Scene { quote, ..scene() };
    let all = rules(&[("max_order_percent", "100")]);
    let worth = |order: Order| {
        vet(order, &scene, &all, Counts::default(), now()).unwrap().worth().value.unwrap()
    };
    assert_eq!(worth(oil.clone()), decimal("10100"));
    assert_eq!(worth(Order { pricing: Pricing::Market, ..oil.clone() }), decimal("10605"));
    let stop = Order { side: Side::Sell, pricing: Pricing::Stop(price("-11")), ..oil };
    assert_eq!(worth(stop), decimal("11550"));
}
