#![allow(clippy::unwrap_used)]

use super::*;

fn ledger(json: &str) -> Ledger {
    serde_json::from_str(json).unwrap()
}

#[test]
fn rates_and_base_currency_are_read_and_never_guessed() {
    let two = ledger(
        r#"{"USD":{"exchangerate":1},"EUR":{"exchangerate":1.08},"BASE":{"exchangerate":1,"netliquidationvalue":1000}}"#,
    );
    assert_eq!(base_currency(&two).as_deref(), Some("USD"));
    assert_eq!(rate(&two, "EUR", Some("USD")).unwrap().to_string(), "1.08");
    assert_eq!(rate(&two, "USD", Some("USD")), Some(Decimal::ONE));
    assert_eq!(rate(&two, "JPY", Some("USD")), None);
    let bare = ledger(r#"{"USD":{},"BASE":{"netliquidationvalue":1000}}"#);
    assert_eq!(rate(&bare, "USD", Some("USD")), Some(Decimal::ONE), "it needs no rate");
    assert_eq!(rate(&bare, "USD", None), None);
    let unclear = ledger(r#"{"USD":{"exchangerate":1},"USDT":{"exchangerate":1}}"#);
    assert_eq!(base_currency(&unclear), None);
    let broken = ledger(r#"{"EUR":{"exchangerate":0}}"#);
    assert_eq!(rate(&broken, "EUR", Some("USD")), None);
}

#[test]
fn yesterdays_close_and_minus_one_are_no_market() {
    let now = Timestamp::now();
    let read = |values: &str| {
        let json = format!(r#"{{"conid":1,"_updated":1790000000123,"6509":"RpB",{values}}}"#);
        quote(&serde_json::from_str(&json).unwrap(), Signs::Positive, now)
    };
    let quiet = read(r#""84":"9.9","86":"10.1","7741":"9""#);
    assert_eq!(quiet.middle().unwrap().to_string(), "10.0");
    assert_eq!(quiet.last, None);
    assert!(quiet.is_live && quiet.at == Some(now));
    assert_eq!(read(r#""84":"-1","85":"0","86":"-1","31":"C9","7741":"9""#).middle(), None);
}

#[test]
fn the_legs_of_a_combination_are_added_up_each_in_its_unit() {
    use crate::orders::asked::{Leg, Pricing};
    let mut contract =
        crate::orders::guardrails::tests::order(Side::Buy, "1", Pricing::Market).contract;
    contract.multiplier = Decimal::ONE_HUNDRED;
    let leg = |conid: &str, side, ratio, unit: u32| Leg {
        unit: Some(Decimal::from(unit)),
        ..Leg::new(conid.parse().unwrap(), ratio, side)
    };
    contract.legs = vec![leg("1", Side::Buy, 100, 1), leg("2", Side::Sell, 1, 100)];
    let mut rows = BTreeMap::new();
    for (conid, price) in [("1", "50"), ("2", "3")] {
        let json = format!(
            r#"{{"conid":{conid},"_updated":1,"6509":"RpB","31":"{price}","84":"{price}","86":"{price}.5"}}"#
        );
        rows.insert(conid.parse().unwrap(), serde_json::from_str(&json).unwrap());
    }
    let now = Timestamp::now();
    let both = legs(&contract, &rows, now).unwrap();
    // Middles of 50.25 and 3.25; bought at 50.5 less 3, sold at 50 less 3.5.
    assert_eq!((both.gross, both.net), (Decimal::from(5350), Decimal::from(4700)));
    let net = |text: &str| Some(text.parse().unwrap());
    assert_eq!((both.bid, both.ask), (net("46.5"), net("47.5")));
    assert!(both.is_live && both.is_traded);
    let closed = r#"{"conid":2,"_updated":1,"6509":"RpB","31":"C3","84":"3","86":"3.5"}"#;
    rows.insert("2".parse().unwrap(), serde_json::from_str(closed).unwrap());
    assert!(!legs(&contract, &rows, now).unwrap().is_traded, "a close of before");
    rows.remove(&"2".parse::<Conid>().unwrap());
    assert_eq!(legs(&contract, &rows, now), None);
}
