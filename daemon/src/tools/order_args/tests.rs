#![allow(clippy::unwrap_used)]

use super::*;

fn asked(json: &str) -> Result<Asked, Refusal> {
    args::read::<Args>(json)?.asked()
}

fn field(json: &str) -> String {
    match asked(json) {
        Ok(asked) => format!("accepted: {asked:?}"),
        Err(refusal) => refusal.field.unwrap_or(refusal.message),
    }
}

fn with(more: &str) -> String {
    format!(r#"{{"symbol":"AAPL","action":"BUY","quantity":10,{more}}}"#)
}

#[test]
fn each_bad_input_names_its_field() {
    for (json, expected) in [
        (with(r#""orderType":"LMT""#), "price"),
        (with(r#""orderType":"STP""#), "stopPrice"),
        (with(r#""orderType":"STOP_LIMIT","stopPrice":9"#), "price"),
        (with(r#""orderType":"MKT","price":190"#), "price"),
        (with(r#""orderType":"LMT","price":190,"stopPrice":1"#), "stopPrice"),
        (with(r#""orderType":"LMT","price":-3"#), "price"),
        (with(r#""orderType":"LMT","price":0"#), "price"),
        (with(r#""orderType":"TRAIL""#), "trailingAmount"),
        (with(r#""orderType":"TRAIL","trailingAmount":1,"trailingPercent":1"#), "trailingAmount"),
        (with(r#""orderType":"MKT","trailingPercent":1"#), "trailingPercent"),
        (with(r#""orderType":"PEG""#), "orderType"),
        (with(r#""orderType":"MKT","tif":"GTX""#), "tif"),
        (with(r#""orderType":"MKT","expiry":"JAN99""#), "strike"),
        (with(r#""orderType":"MKT","secType":"OPT""#), "expiry"),
        (with(r#""orderType":"MKT","cashQuantity":5"#), "cashQuantity"),
        (with(r#""orderType":"MKT","stopLossLimit":5"#), "stopLossLimit"),
        (with(r#""orderType":"MKT","oca":[{"orderType":"LMT"}]"#), "oca.price"),
        (with(r#""orderType":"MKT","oca":[]"#), "oca"),
        (with(r#""orderType":"MKT","legs":[{"conid":1,"action":"BUY"}]"#), "legs"),
        (with(r#""orderType":"MKT","qty":5"#), "qty"),
        (with(r#""orderType":"MKT","accountId":"../x""#), "accountId"),
        (with(r#""orderType":"MKT","conid":265598.7"#), "conid"),
        (r#"{"action":"BUY","quantity":1,"orderType":"MKT"}"#.into(), "symbol"),
        (r#"{"symbol":"A","quantity":1,"orderType":"MKT"}"#.into(), "action"),
        (r#"{"symbol":"A","action":"HOLD","quantity":1,"orderType":"MKT"}"#.into(), "action"),
        (r#"{"symbol":"A","action":"BUY","orderType":"MKT"}"#.into(), "quantity"),
        (
            r#"{"symbol":"A","action":"SELL","cashQuantity":100,"orderType":"MKT"}"#.into(),
            "cashQuantity",
        ),
    ] {
        assert_eq!(field(&json), expected, "{json}");
    }
    for quantity in ["0", "-5", "\"0\"", "\"1e9\"", "\"NaN\"", "\"abc\"", "null", "\"\"", "true"] {
        let json =
            format!(r#"{{"symbol":"A","action":"BUY","quantity":{quantity},"orderType":"MKT"}}"#);
        assert_eq!(field(&json), "quantity", "{json}");
    }
}

#[test]
fn what_models_and_the_original_send_is_understood() {
    let one = asked(&with(r#""orderType":"LMT","price":"190.50","tif":"gtc""#)).unwrap();
    let same = asked(
        r#"{"symbol":"aapl","action":"buy","quantity":"10","orderType":"limit","price":190.5,"tif":"GTC"}"#,
    )
    .unwrap();
    assert_eq!(one, same);
    assert_eq!(one.hash(), same.hash(), "however its numbers were written");
    let other = asked(&with(r#""orderType":"LMT","price":190.51,"tif":"GTC""#)).unwrap();
    assert_ne!(one.hash(), other.hash());
}

#[test]
fn lists_may_come_as_text() {
    let legs = r#""[{\"conid\":1,\"action\":\"BUY\"},{\"conid\":\"2\",\"ratio\":\"2\",\"action\":\"SELL\"}]""#;
    let json =
        format!(r#"{{"action":"BUY","quantity":1,"orderType":"LMT","price":-1.5,"legs":{legs}}}"#);
    let asked = asked(&json).unwrap();
    assert!(matches!(&asked.what, What::Combo { legs } if legs[1].ratio == 2));
    assert_eq!(
        asked.pricing.limit().unwrap().to_string(),
        "-1.5",
        "a combination may cost less than nothing"
    );
}

#[test]
fn more_than_fifteen_digits_only_as_text() {
    let json = with(r#""orderType":"LMT","price":190.1234567890123456"#);
    assert_eq!(field(&json), "price");
    assert!(asked(&with(r#""orderType":"LMT","price":"190.1234567890123456""#)).is_ok());
}
