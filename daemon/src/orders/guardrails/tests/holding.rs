//! What reduces, what closes, and what is left behind.

use super::*;
use crate::orders::order;
use ibd_protocol::ReasonCode;

fn resting(order_id: &str, side: Side, remaining: &str) -> Resting {
    Resting {
        order_id: order_id.parse().ok(),
        name: order_id.to_owned(),
        side,
        remaining: decimal(remaining),
        filled: Decimal::ZERO,
        is_ending: false,
    }
}

/// An account that holds so much, and what works for it.
fn holding(position: &str, working: Vec<Resting>) -> Scene {
    Scene { position: Some(decimal(position)), working: Some(working), ..scene() }
}

#[test]
fn limits_never_stop_the_reduction_of_risk() {
    let strict =
        rules(&[("max_order_value", "1"), ("max_order_quantity", "1"), ("max_daily_loss", "1")]);
    let sell = |quantity: &str| order(Side::Sell, quantity, Pricing::Limit(price("100")));
    let limit = |side, quantity: &str, at: &str| order(side, quantity, Pricing::Limit(price(at)));
    let stop = order(Side::Sell, "500", Pricing::Stop(price("95")));
    let oca = |side| Order {
        attached: Attached::Oca(vec![Sibling {
            side,
            size: Size::Quantity(Quantity::new(decimal("500"))),
            pricing: Pricing::Stop(price(if side == Side::Sell { "95" } else { "105" })),
        }]),
        ..sell("500")
    };
    let bracket = Order {
        attached: Attached::Bracket {
            take_profit: Some(price("90")),
            stop_loss: None,
            stop_loss_limit: None,
        },
        ..sell("500")
    };
    let other = || vec![resting("7", Side::Sell, "100")];
    for (order, scene, code) in [
        (sell("500"), holding("500", vec![]), "vetted"),
        (stop.clone(), holding("500", vec![]), "vetted"),
        (limit(Side::Buy, "500", "100"), holding("-500", vec![]), "vetted"),
        (oca(Side::Sell), holding("500", vec![]), "vetted"),
        (oca(Side::Buy), holding("500", vec![]), "over_max_quantity"),
        (bracket, holding("500", vec![]), "over_max_quantity"),
        (sell("501"), holding("500", vec![]), "over_max_quantity"),
        (sell("500"), holding("500", other()), "over_max_quantity"),
        (sell("400"), holding("500", other()), "vetted"),
        (sell("500"), holding("500", vec![resting("7", Side::Buy, "100")]), "vetted"),
        (sell("500"), holding("-500", vec![]), "over_max_quantity"),
        (sell("500"), Scene { position: None, ..holding("500", vec![]) }, "over_max_quantity"),
        (sell("500"), Scene { working: None, ..holding("500", vec![]) }, "over_max_quantity"),
        // A change counts what is left of the order, and not what is filled already.
        (sell("600"), Scene { filled: decimal("100"), ..holding("500", vec![]) }, "vetted"),
        (sell("500"), Scene { rate: None, nlv: None, ..holding("500", vec![]) }, "vetted"),
        // What no limit on its size stops, these still do.
        (limit(Side::Sell, "500", "80"), holding("500", vec![]), "price_off_market"),
        (stop, Scene { quote: Quote::default(), ..holding("500", vec![]) }, "no_fresh_quote"),
    ] {
        let shown = format!("{} {:?} {:?}", order.shown(), scene.position, scene.working);
        assert_eq!(denied(order, &scene, &strict).0, code, "{shown}");
    }
    let listed = rules(&[("denied_symbols", "AAPL")]);
    assert_eq!(denied(sell("500"), &holding("500", vec![]), &listed).0, "not_allowed");
    let many = Counts { minute: 10, day: 10 };
    let verdict = vet(sell("500"), &holding("500", vec![]), &strict, many, now());
    assert_eq!(verdict.unwrap_err().code, ReasonCode::TooManyOrders.into());
}

#[test]
fn what_an_order_leaves_behind_is_said() {
    let warned = |side, quantity: &str, scene: &Scene| {
        let order = order(side, quantity, Pricing::Limit(price("100")));
        let vetted = vet(order, scene, &rules(&[]), Counts::default(), now()).unwrap();
        vetted.warnings().join(" ")
    };
    for (side, quantity, scene, words) in [
        (Side::Sell, "15", holding("10", vec![]), &["short by 5"][..]),
        (Side::Sell, "5", holding("0", vec![]), &["short by 5"][..]),
        (Side::Sell, "5", holding("-2", vec![]), &["short by 7"][..]),
        // A stop beside the order that it is to protect.
        (
            Side::Sell,
            "5",
            holding("0", vec![resting("8", Side::Buy, "5")]),
            &["short by 5, unless", "(8) is filled before"][..],
        ),
        (
            Side::Sell,
            "5",
            holding("10", vec![resting("7", Side::Sell, "8")]),
            &["short by 3", "7"][..],
        ),
        (Side::Buy, "15", holding("-10", vec![]), &["long by 5"][..]),
        (Side::Buy, "15", holding("10", vec![]), &[][..]),
        (Side::Sell, "10", holding("10", vec![]), &[][..]),
        (
            Side::Sell,
            "10",
            holding("10", vec![resting("8", Side::Buy, "4"), resting("9", Side::Buy, "0")]),
            &["work on: 8."][..],
        ),
        (Side::Sell, "9", holding("10", vec![resting("8", Side::Buy, "4")]), &[][..]),
        (
            Side::Sell,
            "20",
            holding("10", vec![resting("8", Side::Sell, "10")]),
            &["short by 20", "turned into one of -10", "work on: 8."][..],
        ),
        (
            Side::Buy,
            "15",
            holding("-10", vec![resting("8", Side::Buy, "1")]),
            &["long by 6", "turned into one of 5"][..],
        ),
        (Side::Sell, "5", Scene { position: None, ..scene() }, &[][..]),
    ] {
        let said = warned(side, quantity, &scene);
        assert_eq!(said.is_empty(), words.is_empty(), "{side:?} {quantity} {scene:?}: {said}");
        assert!(words.iter().all(|word| said.contains(word)), "{side:?} {quantity}: {said}");
    }
}

#[test]
fn a_bracket_that_closes_a_position_would_open_it_again() {
    let attached = Attached::Bracket {
        take_profit: Some(price("90")),
        stop_loss: None,
        stop_loss_limit: None,
    };
    let warned = |quantity: &str, held: &str| {
        let order = order(Side::Sell, quantity, Pricing::Limit(price("100")));
        let order = Order { attached: attached.clone(), ..order };
        let vetted =
            vet(order, &holding(held, vec![]), &rules(&[]), Counts::default(), now()).unwrap();
        vetted.warnings().join(" ").contains("open it again")
    };
    assert!(warned("10", "10"));
    assert!(!warned("10", "0"), "it opens a short position, which its children close");
}

/// A limit that would not count, if others did not reduce the position already, says who they are.
#[test]
fn what_takes_an_exemption_away_is_named() {
    let strict = rules(&[("max_order_value", "1")]);
    let next = |quantity: &str, working: Vec<Resting>| {
        let sell = order(Side::Sell, quantity, Pricing::Market);
        let scene = holding("40", working);
        vet(sell, &scene, &strict, Counts::default(), now()).unwrap_err().next
    };
    let of = |quantity: &str| vec![resting("7", Side::Sell, quantity)];
    let some = next("40", of("10"));
    assert!(some.contains("cancel 7, or order at most 30."), "{some}");
    let none = next("40", of("40"));
    assert!(none.contains("cancel 7.") && !none.contains("at most 0"), "{none}");
    // More than is held would not be free of it either way.
    assert!(!next("41", of("10")).contains("cancel"));
}

#[test]
fn a_position_is_closed_with_what_is_held_now_and_never_beyond() {
    let close = |side| Order { closes: true, ..order(side, "10", Pricing::Market) };
    let vetted = |side, scene: &Scene| match vet(
        close(side),
        scene,
        &rules(&[("max_order_value", "1")]),
        Counts::default(),
        now(),
    ) {
        Ok(vetted) => order::size(vetted.order().size),
        Err(denial) => denial.code.to_string(),
    };
    for (side, scene, expected) in [
        (Side::Sell, holding("10", vec![]), "10"),
        (Side::Sell, holding("7", vec![]), "7"),
        (Side::Buy, holding("-12", vec![]), "12"),
        (Side::Sell, holding("10", vec![resting("7", Side::Buy, "5")]), "10"),
        (Side::Sell, holding("10", vec![resting("7", Side::Sell, "1")]), "already_closing"),
        (Side::Sell, holding("0", vec![]), "nothing_to_close"),
        (Side::Sell, holding("-3", vec![]), "nothing_to_close"),
        (Side::Sell, Scene { position: None, ..holding("10", vec![]) }, "position_unknown"),
        (Side::Sell, Scene { working: None, ..holding("10", vec![]) }, "position_unknown"),
    ] {
        assert_eq!(vetted(side, &scene), expected, "{side:?} {scene:?}");
    }
    let busy = holding("10", vec![resting("7", Side::Sell, "1"), resting("8", Side::Sell, "2")]);
    let denial = vet(close(Side::Sell), &busy, &rules(&[]), Counts::default(), now()).unwrap_err();
    assert!(denial.message.contains("7, 8"), "{}", denial.message);
    assert!(denial.next.contains("leave it to them"), "{}", denial.next);
    // One that was cancelled from here still counts until IBKR shows its end; and that is what is said.
    let ending = |order_id, remaining| Resting {
        is_ending: true,
        ..resting(order_id, Side::Sell, remaining)
    };
    for (working, words, others) in [
        (vec![ending("7", "10")], "7 was cancelled from here", None),
        (vec![ending("7", "5"), ending("8", "5")], "7, 8 were cancelled from here", None),
        (
            vec![ending("7", "5"), resting("9", Side::Sell, "5")],
            "7 was cancelled from here",
            Some("Cancel 9 with cancel_order"),
        ),
        (
            vec![ending("7", "9"), resting("9", Side::Sell, "5")],
            "7 was cancelled from here",
            Some("Cancel 9 with cancel_order"),
        ),
    ] {
        let scene = holding("10", working);
        let denial =
            vet(close(Side::Sell), &scene, &rules(&[]), Counts::default(), now()).unwrap_err();
        assert_eq!(denial.code, ReasonCode::AlreadyClosing.into());
        assert!(denial.next.contains(words), "{}", denial.next);
        assert!(denial.next.contains("get_order_status"), "{}", denial.next);
        assert!(denial.next.contains("cancel it again"), "{}", denial.next);
        let is_told = denial.next.contains(others.unwrap_or("cancel_order"));
        assert_eq!(is_told, others.is_some(), "{}", denial.next);
        for wrong in ["leave it to them", "more than is held"] {
            assert!(!denial.next.contains(wrong), "what ends is not counted: {}", denial.next);
        }
    }
    let over = holding("10", vec![resting("7", Side::Sell, "11")]);
    let denial = vet(close(Side::Sell), &over, &rules(&[]), Counts::default(), now()).unwrap_err();
    assert!(denial.next.contains("more than is held"), "{}", denial.next);
    for (held, works, named) in [
        ("0", Side::Sell, true),
        ("0", Side::Buy, true),
        ("-3", Side::Sell, true),
        ("-3", Side::Buy, false),
    ] {
        let scene = holding(held, vec![resting("7", works, "5")]);
        let denial =
            vet(close(Side::Sell), &scene, &rules(&[]), Counts::default(), now()).unwrap_err();
        assert_eq!(denial.next.contains("(7)"), named, "{held} {works:?}: {}", denial.next);
    }
    assert!(resized(&close(Side::Sell), &holding("10", vec![])).is_none());
    assert!(resized(&close(Side::Sell), &holding("9", vec![])).is_some());
    assert!(resized(&order(Side::Sell, "10", Pricing::Market), &holding("9", vec![])).is_none());
}
