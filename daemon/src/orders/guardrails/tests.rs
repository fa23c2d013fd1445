#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "tests/closed.rs"]
mod closed;
#[path = "tests/holding.rs"]
mod holding;
#[path = "tests/lists.rs"]
mod lists;
#[path = "tests/prices.rs"]
mod prices;
#[path = "tests/value.rs"]
mod value;

use super::*;
use crate::orders::asked::{Leg, Sibling, Size};
use crate::orders::limits::Limits;
use crate::orders::order::Traded;
use ibd_cpapi::contracts::SecType;
use ibd_cpapi::money::{Price, Quantity};
use ibd_cpapi::orders::Tif;
use ibd_protocol::settings::from_toml_pairs;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn price(text: &str) -> Price {
    Price::new(decimal(text))
}

fn now() -> Timestamp {
    "2026-11-23T15:00:00Z".parse().unwrap()
}

pub(crate) fn order(side: Side, quantity: &str, pricing: Pricing) -> Order {
    Order {
        account: "DU1234567".parse().unwrap(),
        paper: false,
        contract: Traded {
            conid: Some("265598".parse().unwrap()),
            conidex: None,
            symbol: "AAPL".into(),
            name: Some("APPLE INC".into()),
            exchange: Some("NASDAQ".into()),
            currency: "USD".into(),
            sec_type: SecType::Stock,
            multiplier: Decimal::ONE,
            legs: Vec::new(),
            price_magnifier: Decimal::ONE,
            negative: false,
        },
        side,
        size: Size::Quantity(Quantity::new(decimal(quantity))),
        pricing,
        tif: Tif::Day,
        outside_rth: Some(false),
        attached: Attached::Nothing,
        operator: None,
        closes: false,
    }
}

fn scene() -> Scene {
    Scene {
        at: Some(now()),
        quote: Quote {
            bid: Some(decimal("99.9")),
            ask: Some(decimal("100.1")),
            last: Some(decimal("100")),
            at: Some(now()),
            is_live: true,
            told: Told::default(),
        },
        legs: None,
        rate: Some(Decimal::ONE),
        base: Some("USD".into()),
        nlv: Some(Decimal::from(100_000)),
        day_pnl: None,
        position: None,
        working: None,
        filled: Decimal::ZERO,
        steps: None,
        hours: None,
    }
}

fn rules(pairs: &[(&str, &str)]) -> Rules {
    let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    Limits::of(&from_toml_pairs(pairs)).strictest(&[Limits::default()], false)
}

fn denied(order: Order, scene: &Scene, rules: &Rules) -> (String, String) {
    match vet(order, scene, rules, Counts::default(), now()) {
        Ok(_) => ("vetted".into(), String::new()),
        Err(denial) => (denial.code.to_string(), denial.setting.unwrap_or_default()),
    }
}

#[test]
fn an_ordinary_order_passes_and_is_valued() {
    let vetted = vet(
        order(Side::Buy, "10", Pricing::Limit(price("100"))),
        &scene(),
        &rules(&[]),
        Counts::default(),
        now(),
    )
    .unwrap();
    assert_eq!(vetted.worth().value, Some(decimal("1000")));
    assert_eq!(vetted.worth().percent, Some(decimal("1")));
    let market = vet(
        order(Side::Buy, "10", Pricing::Market),
        &scene(),
        &rules(&[]),
        Counts::default(),
        now(),
    );
    assert_eq!(market.unwrap().worth().value, Some(decimal("1051.05")), "by the ask with a band");
}

#[test]
fn each_limit_refuses_and_names_its_setting() {
    let limit = |text: &str| Pricing::Limit(price(text));
    for (order, pairs, code, setting) in [
        (
            order(Side::Buy, "101", limit("100")),
            &[][..],
            "over_max_percent",
            "IB_MAX_ORDER_PERCENT=10",
        ),
        (
            order(Side::Buy, "96", Pricing::Market),
            &[][..],
            "over_max_percent",
            "IB_MAX_ORDER_PERCENT=10",
        ),
        (
            order(Side::Buy, "10", limit("100")),
            &[("max_order_value", "999")][..],
            "over_max_value",
            "IB_MAX_ORDER_VALUE=999",
        ),
        (
            order(Side::Sell, "10", limit("100")),
            &[("max_order_quantity", "9")][..],
            "over_max_quantity",
            "IB_MAX_ORDER_QUANTITY=9",
        ),
        (
            order(Side::Buy, "1", limit("105.01")),
            &[][..],
            "price_off_market",
            "IB_PRICE_COLLAR_PERCENT=5",
        ),
        (
            order(Side::Buy, "1", limit("94.9")),
            &[][..],
            "price_off_market",
            "IB_PRICE_COLLAR_PERCENT=5",
        ),
        (
            order(Side::Buy, "1", limit("100")),
            &[("denied_symbols", "aapl")][..],
            "not_allowed",
            "IB_DENIED_SYMBOLS=AAPL",
        ),
        (
            order(Side::Buy, "1", limit("100")),
            &[("allowed_accounts", "DU9")][..],
            "not_allowed",
            "IB_ALLOWED_ACCOUNTS=DU9",
        ),
        (
            order(Side::Buy, "1", Pricing::Market),
            &[("allowed_order_types", "LMT")][..],
            "not_allowed",
            "IB_ALLOWED_ORDER_TYPES=LMT",
        ),
        (
            order(Side::Buy, "1", limit("100")),
            &[("max_daily_loss", "500")][..],
            "daily_loss",
            "IB_MAX_DAILY_LOSS=500",
        ),
    ] {
        assert_eq!(
            denied(order, &scene(), &rules(pairs)),
            (code.to_owned(), setting.to_owned()),
            "{pairs:?}"
        );
    }
}

#[test]
fn what_is_not_known_is_not_guessed() {
    let blind = Scene { quote: Quote::default(), ..scene() };
    let (market, limit) = (Pricing::Market, Pricing::Limit(price("100")));
    assert_eq!(denied(order(Side::Buy, "1", market), &blind, &rules(&[])).0, "value_unknown");
    assert_eq!(denied(order(Side::Buy, "1", limit), &blind, &rules(&[])).0, "no_fresh_quote");
    let stale = Scene {
        quote: Quote { at: Some("2026-11-23T14:59:00Z".parse().unwrap()), ..scene().quote },
        ..scene()
    };
    assert_eq!(denied(order(Side::Buy, "1", limit), &stale, &rules(&[])).0, "no_fresh_quote");
    let open = rules(&[("price_collar_percent", "100")]);
    assert_eq!(denied(order(Side::Buy, "1", limit), &blind, &open).0, "vetted");
    let poor = Scene { nlv: None, ..scene() };
    assert_eq!(denied(order(Side::Buy, "1", limit), &poor, &rules(&[])).0, "value_unknown");
    let foreign = Scene { rate: None, ..scene() };
    assert_eq!(denied(order(Side::Buy, "1", limit), &foreign, &rules(&[])).0, "value_unknown");
}

#[test]
fn orders_are_counted() {
    let order = order(Side::Buy, "1", Pricing::Limit(price("100")));
    let refused = |counts| {
        vet(order.clone(), &scene(), &rules(&[]), counts, now())
            .map_or_else(|d| d.setting, |_| None)
    };
    assert_eq!(refused(Counts { minute: 9, day: 9 }), None);
    assert_eq!(
        refused(Counts { minute: 10, day: 10 }).as_deref(),
        Some("IB_MAX_ORDERS_PER_MINUTE=10")
    );
    assert_eq!(refused(Counts { minute: 0, day: 50 }).as_deref(), Some("IB_MAX_ORDERS_PER_DAY=50"));
}

#[test]
fn every_order_of_a_submission_is_looked_at() {
    let sibling = |side, pricing| Sibling {
        side,
        size: Size::Quantity(Quantity::new(decimal("1"))),
        pricing,
    };
    let with = |attached| Order { attached, ..order(Side::Buy, "1", Pricing::Limit(price("100"))) };
    let only_limits = rules(&[("allowed_order_types", "LMT")]);
    let market = with(Attached::Oca(vec![sibling(Side::Buy, Pricing::Market)]));
    assert_eq!(denied(market, &scene(), &only_limits).0, "not_allowed");
    let far = with(Attached::Oca(vec![sibling(Side::Buy, Pricing::Limit(price("200")))]));
    assert_eq!(denied(far, &scene(), &rules(&[])).0, "price_off_market");
    let wrong = with(Attached::Oca(vec![sibling(Side::Sell, Pricing::Stop(price("120")))]));
    assert_eq!(denied(wrong, &scene(), &rules(&[])).0, "stop_on_wrong_side");
    let bracket = |profit: Option<&str>, stop: &str| Attached::Bracket {
        take_profit: profit.map(price),
        stop_loss: Some(price(stop)),
        stop_loss_limit: None,
    };
    assert_eq!(denied(with(bracket(Some("150"), "95")), &scene(), &rules(&[])).0, "vetted");
    assert_eq!(denied(with(bracket(None, "95")), &scene(), &only_limits).0, "not_allowed");
    let at_market = Order { pricing: Pricing::Market, ..with(bracket(None, "120")) };
    assert_eq!(denied(at_market, &scene(), &rules(&[])).0, "stop_on_wrong_side");
}

#[test]
fn an_amount_of_money_is_held_against_the_quantity_and_a_combination_against_no_list() {
    let few = rules(&[("max_order_quantity", "20"), ("max_order_percent", "100")]);
    let mut cash = order(Side::Buy, "1", Pricing::Market);
    cash.size = Size::Cash(ibd_cpapi::money::Amount::new(decimal("2100")));
    assert_eq!(denied(cash.clone(), &scene(), &few).0, "over_max_quantity");
    let blind = Scene { quote: Quote::default(), ..scene() };
    assert_eq!(denied(cash, &blind, &few).0, "value_unknown");
    let mut combo = order(Side::Buy, "2", Pricing::Limit(price("1")));
    combo.contract.sec_type = SecType::Bag;
    combo.contract.legs = vec![leg("8314", Side::Buy, 100)];
    let known = Scene { legs: Some(legs("1", "1")), ..scene() };
    assert_eq!(denied(combo.clone(), &known, &few).0, "over_max_quantity");
    let listed = rules(&[("denied_symbols", "IBM")]);
    assert_eq!(denied(combo, &known, &listed).0, "not_allowed");
}

fn leg(conid: &str, side: Side, ratio: u32) -> Leg {
    Leg::new(conid.parse().unwrap(), ratio, side)
}

fn legs(gross: &str, net: &str) -> Legs {
    let (gross, net) = (decimal(gross), decimal(net));
    Legs { gross, net, bid: None, ask: None, at: now(), is_live: true, is_traded: true }
}

fn paper_rules(pairs: &[(&str, &str)]) -> Rules {
    let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    Limits::of(&from_toml_pairs(pairs)).strictest(&[Limits::default()], true)
}

#[test]
fn what_is_not_known_is_refused_on_paper_too() {
    let blind = Scene { quote: Quote::default(), ..scene() };
    let late = Scene { quote: Quote { is_live: false, ..scene().quote }, ..scene() };
    let paper = |side, pricing| Order { paper: true, ..order(side, "1", pricing) };
    let (limit, stop) = (Pricing::Limit(price("100")), Pricing::Stop(price("110")));
    let open = paper_rules(&[("price_collar_percent", "100")]);
    let usual = paper_rules(&[]);
    for (order, scene, rules, code) in [
        (paper(Side::Buy, limit), &blind, &usual, "no_fresh_quote"),
        (paper(Side::Buy, stop), &blind, &usual, "no_fresh_quote"),
        (paper(Side::Buy, limit), &late, &usual, "vetted"),
        (paper(Side::Buy, limit), &blind, &open, "vetted"),
        (paper(Side::Buy, stop), &blind, &open, "vetted"),
        (paper(Side::Sell, limit), &blind, &open, "value_unknown"),
        (paper(Side::Buy, Pricing::Market), &blind, &usual, "value_unknown"),
    ] {
        let shown = order.shown();
        assert_eq!(denied(order, scene, rules).0, code, "{shown}");
    }
}
