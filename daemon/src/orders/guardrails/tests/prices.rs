//! Stops, limits and trails beside the market.

use super::*;
use crate::orders::asked::Trail;
use ibd_cpapi::orders::TrailingType;

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
fn a_stop_whose_limit_keeps_it_from_being_filled_is_warned_of() {
    let one = |side, stop: &str, limit: &str| {
        order(side, "1", Pricing::StopLimit { stop: price(stop), limit: price(limit) })
    };
    let child = Order {
        attached: Attached::Bracket {
            take_profit: None,
            stop_loss: Some(price("95")),
            stop_loss_limit: Some(price("96")),
        },
        ..order(Side::Buy, "1", Pricing::Limit(price("100")))
    };
    for (order, is_warned) in [
        (one(Side::Sell, "95", "96"), true),
        (one(Side::Sell, "95", "94.5"), false),
        (one(Side::Sell, "95", "95"), false),
        (one(Side::Buy, "105", "104"), true),
        (one(Side::Buy, "105", "105.5"), false),
        (child, true),
    ] {
        let shown = order.shown();
        let vetted = vet(order, &scene(), &rules(&[]), Counts::default(), now()).unwrap();
        let says = vetted.warnings().iter().any(|text| text.contains("protects nothing"));
        assert_eq!(says, is_warned, "{shown}");
    }
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
fn a_combination_that_ends_between_two_values_is_held_to_those() {
    let combo = |side, limit: &str| {
        let mut combo = order(side, "1", Pricing::Limit(price(limit)));
        combo.contract = payoff::tests::combination(&["+ 1 C 250", "- 1 C 260"]);
        combo
    };
    // Legs at 30 and 25: 5 is paid, 55 moves, and the whole is worth 10 at most.
    let at = |bid, ask, gross, net| {
        let quoted = Legs { bid, ask, ..legs(gross, net) };
        Scene { quote: Quote::default(), legs: Some(quoted), ..scene() }
    };
    let spread = at(None, None, "5500", "500");
    let open = rules(&[("price_collar_percent", "100")]);
    let usual = rules(&[]);
    for (side, limit, rules, code) in [
        (Side::Buy, "5.5", &usual, "vetted"),
        (Side::Buy, "5.6", &usual, "price_off_market"),
        (Side::Sell, "4.5", &usual, "vetted"),
        (Side::Sell, "4.4", &usual, "price_off_market"),
        (Side::Sell, "-4", &usual, "price_off_market"),
        (Side::Buy, "13.5", &usual, "price_off_market"),
        (Side::Buy, "13.5", &open, "vetted"),
    ] {
        assert_eq!(denied(combo(side, limit), &spread, rules).0, code, "{side:?} {limit}");
    }
    // Near its end it is not bought beyond it, and between bid and ask it is never off the market.
    let near = at(None, None, "5500", "990");
    assert_eq!(denied(combo(Side::Buy, "10.01"), &near, &usual).0, "price_off_market");
    assert_eq!(denied(combo(Side::Buy, "10"), &near, &usual).0, "vetted");
    let wide = at(Some(decimal("3")), Some(decimal("7")), "5500", "500");
    for (limit, code) in [("3", "vetted"), ("7", "vetted"), ("7.01", "price_off_market")] {
        assert_eq!(denied(combo(Side::Buy, limit), &wide, &usual).0, code, "{limit}");
    }
}

#[test]
fn a_limit_of_the_wrong_sign_is_refused_however_much_moves() {
    // Two are bought and four sold: 13.5 is received, and there is no end to what it can lose.
    let of = |legs: &[&str], side, limit: &str| {
        let mut combo = order(side, "1", Pricing::Limit(price(limit)));
        combo.contract = payoff::tests::combination(legs);
        combo
    };
    let combo = |side, limit: &str| of(&["+ 2 C 280", "- 4 C 285"], side, limit);
    let at = |bid: &str, ask: &str, net| {
        let quoted = Legs { bid: Some(decimal(bid)), ask: Some(decimal(ask)), ..legs("9000", net) };
        Scene {
            quote: Quote::default(),
            legs: Some(quoted),
            nlv: Some(decimal("1000000")),
            ..scene()
        }
    };
    let wide = rules(&[("price_collar_percent", "50")]);
    let paid = at("-14", "-13.4", "-1370");
    for (side, limit, code) in [
        (Side::Buy, "2", "price_off_market"),
        (Side::Buy, "-13.5", "vetted"),
        (Side::Buy, "0", "vetted"),
        (Side::Sell, "-13.5", "vetted"),
    ] {
        assert_eq!(denied(combo(side, limit), &paid, &wide).0, code, "{side:?} {limit}");
    }
    let (costs, turned) = (at("13.4", "14", "1370"), &["- 2 C 280", "+ 4 C 285"]);
    assert_eq!(denied(of(turned, Side::Sell, "-2"), &costs, &wide).0, "price_off_market");
    assert_eq!(denied(of(turned, Side::Buy, "13.5"), &costs, &wide).0, "vetted");
}

#[test]
fn a_limit_far_beyond_the_market_is_said_however_wide_the_collar_is() {
    // Bid 99.9, ask 100.1.
    let limit = |text: &str| Pricing::Limit(price(text));
    let stop_limit = |stop, limit| Pricing::StopLimit { stop: price(stop), limit: price(limit) };
    let trail = Trail { by: decimal("5"), of: TrailingType::Amount };
    let one_sided = Scene { quote: Quote { ask: None, ..scene().quote }, ..scene() };
    let blind = Scene { quote: Quote::default(), ..scene() };
    let frozen = Scene { quote: Quote { is_live: false, ..scene().quote }, ..scene() };
    let usual = scene();
    for (side, pricing, scene, words) in [
        (Side::Buy, limit("148"), &usual, "The limit 148 is 47.9 % above the ask (100.1)"),
        (Side::Buy, limit("106"), &usual, "5.9 % above the ask (100.1)"),
        (Side::Buy, limit("106"), &frozen, "5.9 % above the last known ask (100.1)"),
        (Side::Buy, limit("105"), &usual, ""),
        // It waits for the market, however far away that is.
        (Side::Buy, limit("60"), &usual, ""),
        (Side::Sell, limit("60"), &usual, "The limit 60 is 39.9 % below the bid (99.9)"),
        (Side::Sell, limit("140"), &usual, ""),
        (Side::Buy, Pricing::MidPrice(Some(price("120"))), &usual, "19.9 % above the ask"),
        (Side::Buy, Pricing::Market, &usual, ""),
        (Side::Buy, stop_limit("110", "120"), &usual, "9.1 % above its stop (110)"),
        (Side::Sell, stop_limit("95", "94"), &usual, ""),
        (
            Side::Sell,
            Pricing::TrailLimit { trail, stop: None, limit: price("80") },
            &usual,
            "19.9 % below the bid",
        ),
        // No ask: by the last price.
        (Side::Buy, limit("120"), &one_sided, "20 % above the market (100)"),
        (Side::Buy, limit("120"), &blind, ""),
    ] {
        let order = Order { paper: true, ..order(side, "1", pricing) };
        let shown = order.shown();
        let open = paper_rules(&[("price_collar_percent", "100")]);
        let vetted = vet(order, scene, &open, Counts::default(), now()).unwrap();
        let said = vetted.warnings().join(" ");
        assert_eq!(said.is_empty(), words.is_empty(), "{shown}: {said}");
        assert!(said.contains(words), "{shown}: {said}");
    }
    // Of a combination by what it can move: one at 10 is bought and one at 8 sold.
    let combo = |side, at: &str| {
        let mut combo = Order { paper: true, ..order(side, "1", limit(at)) };
        combo.contract.sec_type = SecType::Bag;
        combo.contract.multiplier = Decimal::ONE_HUNDRED;
        combo.contract.legs = vec![leg("1", Side::Buy, 1), leg("2", Side::Sell, 1)];
        combo
    };
    let quoted =
        Legs { bid: Some(decimal("1.9")), ask: Some(decimal("2.1")), ..legs("1800", "200") };
    let spread = Scene { quote: Quote::default(), legs: Some(quoted), ..scene() };
    for (side, at, words) in [
        (Side::Buy, "3.9", "10 % of what it can move (18) above the ask (2.1)"),
        (Side::Buy, "3", ""),
        (Side::Sell, "0.5", "7.8 % of what it can move (18) below the bid (1.9)"),
    ] {
        let vetted = vet(combo(side, at), &spread, &paper_rules(&[]), Counts::default(), now());
        let said = vetted.unwrap().warnings().join(" ");
        assert_eq!(said.is_empty(), words.is_empty(), "{side:?} {at}: {said}");
        assert!(said.contains(words), "{side:?} {at}: {said}");
    }
}

#[test]
fn a_few_steps_beyond_a_cheap_contract_are_not_far() {
    let steps = |json: &str| -> Option<Arc<ContractRules>> {
        Some(Arc::new(serde_json::from_str(json).unwrap()))
    };
    let nickels = steps(r#"{"incrementRules":[{"lowerEdge":0.0,"increment":0.05}]}"#);
    let cents = steps(
        r#"{"incrementRules":[{"lowerEdge":0.0,"increment":0.01},{"lowerEdge":3.0,"increment":0.05}]}"#,
    );
    let at = |bid: &str, ask: &str| Quote {
        bid: Some(decimal(bid)),
        ask: Some(decimal(ask)),
        last: Some(decimal(ask)),
        ..scene().quote
    };
    let (cheap, usual) = (at("0.02", "0.05"), at("99.9", "100.1"));
    for (side, limit, quote, steps, is_said) in [
        (Side::Buy, "0.1", &cheap, &nickels, false),
        (Side::Buy, "0.2", &cheap, &nickels, false),
        (Side::Buy, "0.25", &cheap, &nickels, true),
        (Side::Buy, "0.08", &cheap, &cents, false),
        (Side::Buy, "0.09", &cheap, &cents, true),
        (Side::Sell, "0.05", &at("0.2", "0.25"), &nickels, false),
        (Side::Sell, "0.05", &at("0.25", "0.3"), &nickels, true),
        // Which steps it has nobody knows: then by percents alone.
        (Side::Buy, "0.1", &cheap, &None, true),
        // Many steps, and few percent; and many of both.
        (Side::Buy, "105", &usual, &cents, false),
        (Side::Buy, "106", &usual, &cents, true),
    ] {
        let scene = Scene { quote: quote.clone(), steps: steps.clone(), ..scene() };
        let order = Order { paper: true, ..order(side, "1", Pricing::Limit(price(limit))) };
        let shown = order.shown();
        let open = paper_rules(&[("price_collar_percent", "100")]);
        let vetted = vet(order, &scene, &open, Counts::default(), now()).unwrap();
        assert_eq!(!vetted.warnings().is_empty(), is_said, "{shown}: {:?}", vetted.warnings());
    }
}
