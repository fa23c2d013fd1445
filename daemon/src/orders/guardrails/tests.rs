#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "tests/holding.rs"]
mod holding;

use super::*;
use crate::orders::asked::{Leg, Sibling, Size, Trail};
use crate::orders::limits::Limits;
use crate::orders::order::Traded;
use ibd_cpapi::contracts::SecType;
use ibd_cpapi::money::{Price, Quantity};
use ibd_cpapi::orders::{Tif, TrailingType};
use ibd_protocol::ReasonCode;
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
        },
        legs: None,
        rate: Some(Decimal::ONE),
        base: Some("USD".into()),
        nlv: Some(Decimal::from(100_000)),
        day_pnl: None,
        position: None,
        working: None,
        filled: Decimal::ZERO,
    }
}

fn rules(pairs: &[(&str, &str)]) -> Rules {
    let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    Limits::of(&from_toml_pairs(pairs)).strictest(&Limits::default(), false)
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
fn a_stop_on_the_wrong_side_is_refused() {
    for (side, stop, code) in [
        (Side::Sell, "95", "vetted"),
        (Side::Sell, "101", "stop_on_wrong_side"),
        (Side::Buy, "105", "vetted"),
        (Side::Buy, "99", "stop_on_wrong_side"),
    ] {
        let order = order(side, "1", Pricing::Stop(price(stop)));
        assert_eq!(denied(order, &scene(), &rules(&[])).0, code, "{side:?} {stop}");
    }
}

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
    Leg {
        conid: conid.parse().unwrap(),
        ratio,
        side,
        symbol: None,
        sec_type: None,
        unit: None,
        negative: false,
    }
}

fn legs(gross: &str, net: &str) -> Legs {
    Legs { gross: decimal(gross), net: decimal(net), at: now(), is_live: true }
}

fn paper_rules(pairs: &[(&str, &str)]) -> Rules {
    let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    Limits::of(&from_toml_pairs(pairs)).strictest(&Limits::default(), true)
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

#[test]
fn children_stand_on_the_right_side_of_the_market_that_their_parent_goes_in_at() {
    let trail = |stop: Option<&str>| Pricing::Trail {
        trail: Trail { by: decimal("5"), of: TrailingType::Amount },
        stop: stop.map(price),
    };
    let bracket =
        |profit: Option<&str>, stop: Option<&str>, limit: Option<&str>| Attached::Bracket {
            take_profit: profit.map(price),
            stop_loss: stop.map(price),
            stop_loss_limit: limit.map(price),
        };
    for parent in [Pricing::Market, Pricing::MidPrice(None), trail(None), trail(Some("110"))] {
        for (attached, code) in [
            (bracket(Some("120"), Some("95"), None), "vetted"),
            (bracket(None, Some("105"), None), "stop_on_wrong_side"),
            (bracket(Some("99"), None, None), "profit_on_wrong_side"),
            (bracket(None, Some("95"), Some("94")), "vetted"),
            (bracket(None, Some("95"), Some("80")), "price_off_market"),
        ] {
            let order = Order { attached, ..order(Side::Buy, "1", parent) };
            let shown = order.shown();
            assert_eq!(denied(order, &scene(), &rules(&[])).0, code, "{shown}");
        }
    }
}

#[test]
fn a_trail_by_as_much_as_the_price_is_refused() {
    let trailing = |by: &str, of| Trail { by: decimal(by), of };
    for (trail, code) in [
        (trailing("20", TrailingType::Amount), "vetted"),
        (trailing("100", TrailingType::Amount), "trail_too_far"),
        (trailing("250", TrailingType::Amount), "trail_too_far"),
        (trailing("15", TrailingType::Percent), "vetted"),
        (trailing("100", TrailingType::Percent), "trail_too_far"),
    ] {
        let one = |pricing| order(Side::Sell, "1", pricing);
        let plain = one(Pricing::Trail { trail, stop: None });
        assert_eq!(denied(plain, &scene(), &rules(&[])).0, code, "{trail:?}");
        let limited =
            one(Pricing::TrailLimit { trail, stop: Some(price("95")), limit: price("94") });
        assert_eq!(denied(limited, &scene(), &rules(&[])).0, code, "{trail:?} with a limit");
    }
    let blind = Scene { quote: Quote::default(), ..scene() };
    let trail = trailing("5", TrailingType::Amount);
    let unknown = order(Side::Sell, "1", Pricing::Trail { trail, stop: None });
    assert_eq!(denied(unknown, &blind, &rules(&[])).0, "no_fresh_quote");
}

#[test]
fn a_combination_is_held_to_the_net_price_of_its_legs() {
    let combo = |pricing| {
        let mut combo = order(Side::Buy, "1", pricing);
        combo.contract.sec_type = SecType::Bag;
        combo.contract.multiplier = Decimal::ONE_HUNDRED;
        combo.contract.legs = vec![leg("1", Side::Buy, 1), leg("2", Side::Sell, 1)];
        combo
    };
    // One at 10 is bought and one at 8 sold: 2 is paid, and 18 moves, of which 5 % are 0.9.
    let spread = Scene { quote: Quote::default(), legs: Some(legs("1800", "200")), ..scene() };
    let limit = |text: &str| Pricing::Limit(price(text));
    for (pricing, code) in [
        (limit("2"), "vetted"),
        (limit("2.9"), "vetted"),
        (limit("2.91"), "price_off_market"),
        (limit("1.1"), "vetted"),
        (limit("-2"), "price_off_market"),
        (Pricing::Market, "vetted"),
        (Pricing::Stop(price("3")), "vetted"),
        (Pricing::Stop(price("1")), "stop_on_wrong_side"),
    ] {
        assert_eq!(denied(combo(pricing), &spread, &rules(&[])).0, code, "{pricing:?}");
    }
    let blind = Scene { legs: None, ..spread.clone() };
    assert_eq!(denied(combo(limit("2")), &blind, &rules(&[])).0, "no_fresh_quote");
    let late = Scene { legs: Some(Legs { is_live: false, ..legs("1800", "200") }), ..spread };
    assert_eq!(denied(combo(limit("2")), &late, &rules(&[])).0, "no_fresh_quote");
    let paper = Order { paper: true, ..combo(limit("2")) };
    assert_eq!(denied(paper, &late, &paper_rules(&[])).0, "vetted");
}

#[test]
fn a_combination_is_held_to_what_its_legs_are() {
    let combo = |kinds: [Option<&str>; 2], symbols: [Option<&str>; 2]| {
        let mut combo = order(Side::Buy, "1", Pricing::Limit(price("2")));
        combo.contract.sec_type = SecType::Bag;
        combo.contract.legs = [("1", 0), ("2", 1)]
            .map(|(conid, at): (&str, usize)| Leg {
                sec_type: kinds[at].map(SecType::of),
                symbol: symbols[at].map(Into::into),
                ..leg(conid, Side::Buy, 1)
            })
            .into();
        combo
    };
    let known = Scene { legs: Some(legs("20", "2")), ..scene() };
    let options = [Some("OPT"), Some("OPT")];
    let covered = [Some("STK"), Some("OPT")];
    let same = [Some("AAPL"), Some("AAPL")];
    let pair = [Some("AAPL"), Some("BRK B")];
    for (kinds, symbols, list, code) in [
        (options, same, ("allowed_sec_types", "OPT"), "vetted"),
        (covered, same, ("allowed_sec_types", "OPT"), "not_allowed"),
        (covered, same, ("allowed_sec_types", "OPT STK"), "vetted"),
        (covered, same, ("allowed_sec_types", "BAG"), "not_allowed"),
        (covered, same, ("denied_sec_types", "OPT"), "not_allowed"),
        (covered, same, ("denied_sec_types", "BAG"), "not_allowed"),
        (covered, same, ("denied_sec_types", "FUT"), "vetted"),
        (options, pair, ("allowed_symbols", "AAPL"), "not_allowed"),
        (options, pair, ("allowed_symbols", "BRK B, AAPL"), "vetted"),
        (options, pair, ("denied_symbols", "brk.b"), "not_allowed"),
        (options, [Some("AAPL"), None], ("denied_symbols", "IBM"), "not_allowed"),
        ([None, Some("OPT")], same, ("allowed_sec_types", "OPT"), "not_allowed"),
    ] {
        let verdict = denied(combo(kinds, symbols), &known, &rules(&[list]));
        assert_eq!(verdict.0, code, "{kinds:?} {symbols:?} {list:?}");
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
