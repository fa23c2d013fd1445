#![allow(clippy::unwrap_used)]
use super::*;
use crate::orders::asked::Trail;
use crate::orders::guardrails::tests::order;
use ibd_cpapi::orders::TrailingType;

fn price(text: &str) -> Price {
    Price::new(text.parse().unwrap())
}

fn page(json: &str) -> Page {
    Page::of(&serde_json::from_str::<OrderStatus>(json).unwrap())
}

fn row(json: &str) -> OrderRow {
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_change_starts_from_what_the_broker_shows_and_says_what_differs() {
    let sent = order(Side::Buy, "500", Pricing::Limit(price("149")));
    let shown = page(
        r#"{"order_id":7,"side":"B","order_type":"LIMIT","total_size":"10","limit_price":"141.00","tif":"DAY"}"#,
    );
    let (now, differences) = as_it_is(&sent, &shown, None).unwrap();
    assert_eq!(now.size, Size::Quantity(Quantity::new("10".parse().unwrap())));
    assert_eq!(now.pricing, Pricing::Limit(price("141")));
    assert_eq!(differences, ["quantity 10 (not 500)", "price 141 (not 149)"]);
    let same = page(
        r#"{"order_id":7,"order_type":"LIMIT","total_size":"500.0","limit_price":"149.00","tif":"DAY"}"#,
    );
    assert!(as_it_is(&sent, &same, None).unwrap().1.is_empty());
    // A page that says less leaves what was sent.
    let (now, differences) = as_it_is(&sent, &page(r#"{"order_id":7}"#), None).unwrap();
    assert_eq!((now.pricing, differences.len()), (sent.pricing, 0));
}

#[test]
fn the_hours_come_from_the_list_and_a_trail_from_what_was_sent() {
    let mut sent = order(Side::Sell, "10", Pricing::Stop(price("95")));
    let shown = page(r#"{"order_id":7,"order_type":"STOP","stop_price":"95.00"}"#);
    let listed = row(r#"{"orderId":7,"outsideRTH":true}"#);
    let (now, differences) = as_it_is(&sent, &shown, Some(&listed)).unwrap();
    assert_eq!(
        (now.outside_rth, differences),
        (Some(true), vec!["outsideRTH true (not false)".into()])
    );
    let trail = Trail { by: "5".parse().unwrap(), of: TrailingType::Percent };
    sent.pricing = Pricing::Trail { trail, stop: Some(price("95")) };
    let shown = page(r#"{"order_id":7,"order_type":"TRAIL","stop_price":"97.50"}"#);
    let (now, differences) = as_it_is(&sent, &shown, None).unwrap();
    assert_eq!(now.pricing, Pricing::Trail { trail, stop: Some(price("97.5")) });
    assert!(differences.is_empty(), "it follows the market: {differences:?}");
    let other = order(Side::Sell, "10", Pricing::Limit(price("95")));
    assert!(as_it_is(&other, &shown, None).is_none(), "how far it follows nobody knows");
}

#[test]
fn a_page_of_another_account_contract_or_side_is_another_order() {
    let sent = order(Side::Buy, "10", Pricing::Limit(price("100")));
    let account = sent.account.clone();
    let conid = sent.contract.conid.unwrap();
    let fits = |json: &str| page(json).is_other(&account, &sent, &[Side::Buy]);
    assert_eq!(
        fits(&format!(r#"{{"order_id":7,"conid":{conid},"side":"B","account":"{account}"}}"#)),
        None
    );
    assert_eq!(fits(r#"{"order_id":7}"#), None, "what it does not say is not another one's");
    for (json, word) in [
        (r#"{"order_id":7,"account":"DU9"}"#, "account DU9"),
        (r#"{"order_id":7,"conid":4}"#, "contract 4"),
        (r#"{"order_id":7,"side":"S"}"#, "SELL"),
    ] {
        assert!(fits(json).unwrap().contains(word), "{json}");
    }
}

#[test]
fn what_is_called_working_has_something_left() {
    assert!(page(r#"{"order_id":7,"total_size":"10","cum_fill":"4"}"#).is_plain());
    assert!(!page(r#"{"order_id":7,"total_size":"10","cum_fill":"10"}"#).is_plain());
    let filled = r#"{"order_id":7,"order_status":"Filled","total_size":"10","cum_fill":"10"}"#;
    assert!(page(filled).is_plain());
    assert!(page(r#"{"order_id":7}"#).is_plain(), "not known");
}

#[test]
fn what_was_sent_is_held_against_what_is_shown_whatever_was_noticed_meanwhile() {
    use crate::orders::intent::tests::placed;
    use crate::orders::life::State;

    let attached = Attached::Bracket {
        take_profit: Some(price("110")),
        stop_loss: Some(price("95")),
        stop_loss_limit: None,
    };
    let sent = Order { attached, ..order(Side::Buy, "10", Pricing::Limit(price("100"))) };
    let part = |id: &str, terms: &str| Part {
        terms: Some(terms.to_owned()),
        ..Part::new(id.parse().unwrap())
    };
    let standing = Standing {
        others: vec![part("8", "LMT 112"), part("9", "STP 94")],
        ..Standing::new("7".parse().unwrap(), "Submitted")
    };
    // It was changed elsewhere, and that was noticed.
    let size = Size::Quantity(Quantity::new("300".parse().unwrap()));
    let known = Order { size, pricing: Pricing::Limit(price("101")), ..sent.clone() };
    let mut intent = placed(known.clone(), State::at_broker(standing));
    intent.as_asked = Some(Box::new(sent.clone()));
    let differs = |order_id: &str, now: &Order, family: Option<&Order>| {
        let placed = as_placed(&intent, order_id.parse().unwrap()).unwrap();
        differs_from_sent(&placed, now, family).join(", ")
    };
    let plain = Order { attached: Attached::Nothing, ..known.clone() };
    assert_eq!(differs("7", &plain, None), "quantity 300 (not 10), price 101 (not 100)");
    assert_eq!(differs("7", &Order { attached: Attached::Nothing, ..sent }, None), "");
    let child = |quantity: &str, pricing| order(Side::Sell, quantity, pricing);
    let (profit, stop) = (|at| Pricing::Limit(price(at)), |at| Pricing::Stop(price(at)));
    for (order_id, now, expected) in [
        ("8", child("10", profit("112")), "price 112 (not 110)"),
        ("9", child("10", stop("95")), ""),
        ("9", child("4", stop("94")), "quantity 4 (not 10), stopPrice 94 (not 95)"),
        // The broker gave it the quantity of the first one.
        ("9", child("300", stop("95")), ""),
    ] {
        assert_eq!(differs(order_id, &now, Some(&known)), expected, "{order_id}");
    }
    assert!(as_placed(&intent, "10".parse().unwrap()).is_none(), "none of it");
}

#[test]
fn a_child_of_which_a_list_says_another_time_is_looked_at() {
    use crate::orders::intent::tests::placed;
    use crate::orders::life::State;

    let attached = Attached::Bracket {
        take_profit: Some(price("110")),
        stop_loss: Some(price("95")),
        stop_loss_limit: None,
    };
    let sent = Order { attached, ..order(Side::Buy, "10", Pricing::Limit(price("100"))) };
    let standing = Standing::new("7".parse().unwrap(), "Submitted");
    let mut intent = placed(sent.clone(), State::at_broker(standing));
    let now = Order { tif: Tif::Gtc, ..sent.clone() };
    intent.as_asked = Some(Box::new(sent));
    for (known, json, differs) in [
        (None, r#"{"orderId":9,"orderType":"Stop","timeInForce":"DAY"}"#, false),
        (None, r#"{"orderId":9,"orderType":"Stop","timeInForce":"GTC"}"#, true),
        (Some(Tif::Gtc), r#"{"orderId":9,"orderType":"Stop","timeInForce":"GTC"}"#, false),
        (Some(Tif::Gtc), r#"{"orderId":9,"orderType":"Stop","timeInForce":"DAY"}"#, true),
        (Some(Tif::Gtc), r#"{"orderId":9}"#, false),
    ] {
        let part = Part { tif: known, ..Part::new("9".parse().unwrap()) };
        assert_eq!(differs_as_part(&row(json), &part, &intent, &now), differs, "{known:?} {json}");
    }
}

#[test]
fn a_child_that_was_changed_elsewhere_is_told_with_the_whole() {
    use crate::orders::intent::tests::placed;
    use crate::orders::life::State;
    use crate::orders::standing::Part;

    let bracket = |profit: &str, stop: &str| Attached::Bracket {
        take_profit: Some(price(profit)),
        stop_loss: Some(price(stop)),
        stop_loss_limit: None,
    };
    let sent = Order {
        attached: bracket("110", "95"),
        ..order(Side::Buy, "10", Pricing::Limit(price("100")))
    };
    let part = |id: &str, status: &str| Part {
        status: Some(status.into()),
        ..Part::new(id.parse().unwrap())
    };
    let standing = Standing {
        others: vec![part("8", "Submitted"), part("9", "PreSubmitted"), part("10", "Cancelled")],
        ..Standing::new("7".parse().unwrap(), "Filled")
    };
    let intent = placed(sent.clone(), State::at_broker(standing));
    let seen = |json: &str| {
        shown(&intent, &sent, &page(json)).map(|(now, words)| (now.attached, words.join(", ")))
    };
    for (json, expected) in [
        (r#"{"order_id":8,"order_type":"LIMIT","limit_price":"110.00"}"#, None),
        (
            r#"{"order_id":8,"order_type":"LIMIT","limit_price":"112.00"}"#,
            Some((bracket("112", "95"), "takeProfit 112 (not 110)")),
        ),
        (
            r#"{"order_id":9,"order_type":"STOP","stop_price":"97"}"#,
            Some((bracket("110", "97"), "stopLoss 97 (not 95)")),
        ),
        // One that is over is what it was, and so is one of which too little is said.
        (r#"{"order_id":9,"order_type":"STOP","stop_price":"97","order_status":"Filled"}"#, None),
        (r#"{"order_id":10,"order_type":"LIMIT","limit_price":"112.00"}"#, None),
        (r#"{"order_id":8,"order_type":"LIMIT"}"#, None),
        (r#"{"order_id":8,"limit_price":"112.00"}"#, None),
        (r#"{"order_id":7,"order_type":"LIMIT","limit_price":"90"}"#, None),
    ] {
        let expected = expected.map(|(attached, words)| (attached, words.to_owned()));
        assert_eq!(seen(json), expected, "{json}");
    }
}
