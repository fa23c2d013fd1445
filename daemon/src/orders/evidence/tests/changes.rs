//! Whether a change or a cancellation is seen to be done.

use super::*;

#[test]
fn a_change_is_done_when_the_order_is_what_was_wanted() {
    let change = intent(modify(Change::default()), unknown());
    let row = |price: &str, tif: &str| {
        format!(
            r#"[{{"orderId":7,"status":"Submitted","side":"BUY","totalSize":10.0,"price":"{price}","origOrderType":"LIMIT"{tif}}}]"#
        )
    };
    let day = r#","timeInForce":"CLOSE""#;
    assert_eq!(evidence(&row("100.00", day), "[]").about(&change), Some(Event::Applied));
    assert_eq!(evidence(&row("101.00", day), "[]").about(&change), None, "not seen is not refused");
    let gtc = r#","timeInForce":"GTC""#;
    assert_eq!(evidence(&row("100.00", gtc), "[]").about(&change), None, "it dies tonight, or not");
    assert_eq!(
        evidence(&row("100.00", ""), "[]").about(&change),
        None,
        "what is not said is not so"
    );
}

#[test]
fn a_cancellation_is_done_when_nothing_works_and_may_be_asked_again_otherwise() {
    let cancel = intent(Purpose::Cancel { order_id: "7".parse().unwrap(), of: None }, unknown());
    let row = |status: &str| format!(r#"[{{"orderId":7,"status":"{status}"}}]"#);
    for (status, expected) in [
        ("Cancelled", Some(Event::Applied)),
        ("Filled", Some(Event::Applied)),
        ("PendingCancel", Some(Event::Applied)),
        ("Submitted", Some(Event::StillThere)),
    ] {
        assert_eq!(evidence(&row(status), "[]").about(&cancel), expected, "{status}");
    }
    let mut glance = evidence(&row("Submitted"), "[]");
    glance.is_complete = false;
    assert_eq!(glance.about(&cancel), None, "one stale list proves nothing");
}

#[test]
fn what_a_change_named_must_be_shown_and_the_rest_may_be_anybodys() {
    let named = |change| intent(modify(change), unknown());
    let row = |extra: &str| {
        format!(
            r#"[{{"orderId":7,"status":"Submitted","side":"BUY","totalSize":3.0,"price":"100.00","origOrderType":"LIMIT","timeInForce":"CLOSE"{extra}}}]"#
        )
    };
    let price = Change { price: Some("100".parse().unwrap()), ..Change::default() };
    let applied = |intent: &Intent, rows: &str| evidence(rows, "[]").about(intent);
    assert_eq!(
        applied(&named(price), &row("")),
        Some(Event::Applied),
        "quantity was changed in TWS"
    );
    let quantity = Change { quantity: Some("10".parse().unwrap()), ..Change::default() };
    assert_eq!(applied(&named(quantity), &row("")), None);
    let hours = Change { outside_rth: Some(true), ..Change::default() };
    assert_eq!(applied(&named(hours.clone()), &row("")), None, "not said");
    let shown = r#","outsideRTH":true"#;
    assert_eq!(applied(&named(hours), &row(shown)), Some(Event::Applied));
}
