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
