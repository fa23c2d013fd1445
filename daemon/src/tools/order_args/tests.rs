#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::orders::What;
use ibd_protocol::Effect;

fn args(json: &str) -> Result<Args, Refusal> {
    args::read(json, Effect::Trades).map(|read| read.args)
}

fn asked(json: &str) -> Result<Asked, Refusal> {
    args(json)?.asked()
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
        (with(r#""orderType":"TRAIL","trailingAmount":1,"trailingPercent":1"#), "trailingPercent"),
        (with(r#""orderType":"MKT","trailingPercent":1"#), "trailingPercent"),
        (with(r#""orderType":"PEG""#), "orderType"),
        (with(r#""orderType":"MKT","tif":"GTX""#), "tif"),
        (with(r#""orderType":"MKT","expiry":"JAN99""#), "strike"),
        (with(r#""orderType":"MKT","secType":"OPT""#), "expiry"),
        (with(r#""orderType":"MKT","cashQuantity":5"#), "cashQuantity"),
        (with(r#""orderType":"MKT","stopLossLimit":5"#), "stopLossLimit"),
        (with(r#""orderType":"MKT","oca":[{"orderType":"LMT"}]"#), "oca.price"),
        (with(r#""orderType":"MKT","legs":[{"conid":1,"action":"BUY"}]"#), "legs"),
        (with(r#""orderType":"MKT","qty":5"#), "quantity"),
        (with(r#""orderType":"MKT","accountId":"U1\u0007""#), "accountId"),
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

#[test]
fn what_is_said_beside_a_conid_is_kept() {
    let base = r#""action":"BUY","quantity":1,"orderType":"MKT""#;
    let what = |more: &str| asked(&format!("{{{base},{more}}}")).map(|asked| asked.what);
    assert!(matches!(what(r#""conid":265598"#), Ok(What::Conid(_))));
    let Ok(What::Named { given, .. }) = what(
        r#""conid":265598,"symbol":"msft","secType":"opt","exchange":"nyse","currency":"eur",
           "expiry":"jan27","strike":"270.0","right":"put""#,
    ) else {
        panic!("what is said is kept");
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    assert_eq!((text(&given.symbol), text(&given.sec_type)), ("MSFT".into(), "OPT".into()));
    assert_eq!((text(&given.exchange), text(&given.currency)), ("NYSE".into(), "EUR".into()));
    assert_eq!((text(&given.expiry), text(&given.right)), ("JAN27".into(), "P".into()));
    assert_eq!(given.strike.unwrap().normalize().to_string(), "270");
    let option = r#""symbol":"AAPL","expiry":"JAN27","strike":270,"right":"C","currency":"EUR""#;
    assert!(
        matches!(what(option), Ok(What::Option { currency: Some(eur), .. }) if eur == "EUR"),
        "nothing is dropped"
    );
    let legs = r#""legs":[{"conid":1,"action":"BUY"},{"conid":2,"action":"SELL"}]"#;
    for (more, field) in [
        (r#""conid":1,"right":"X""#, "right"),
        (r#""conid":1,"strike":-5"#, "strike"),
        (&format!(r#"{legs},"conid":5"#), "legs"),
        (&format!(r#"{legs},"currency":"EUR""#), "currency"),
        (&format!(r#"{legs},"secType":"STK""#), "secType"),
        (&format!(r#"{legs},"expiry":"JAN27""#), "expiry"),
    ] {
        assert_eq!(what(more).unwrap_err().field.as_deref(), Some(field), "{more}");
    }
    assert!(what(&format!(r#"{legs},"secType":"BAG""#)).is_ok());
}

#[test]
fn a_position_is_closed_without_a_quantity() {
    let wanted = |json: &str| args(json).and_then(|args| args.wanted());
    let close = r#""symbol":"AAPL","orderType":"MKT","closePosition":true"#;
    let Ok(Wanted::Close(closing)) = wanted(&format!("{{{close}}}")) else {
        panic!("neither side nor quantity is needed");
    };
    assert_eq!((closing.side, closing.pricing), (None, Pricing::Market));
    for (more, field) in [
        (r#""quantity":5"#, "quantity"),
        (r#""cashQuantity":5"#, "cashQuantity"),
        (r#""stopLoss":5"#, "stopLoss"),
        (r#""action":"HOLD""#, "action"),
        (r#""price":5"#, "price"),
    ] {
        let refusal = wanted(&format!("{{{close},{more}}}")).unwrap_err();
        assert_eq!(refusal.field.as_deref(), Some(field), "{more}");
    }
    let sell = wanted(&format!(r#"{{{close},"action":"SELL"}}"#)).unwrap();
    assert_ne!(sell.hash(), Wanted::Close(closing).hash());
    let not = wanted(r#"{"symbol":"AAPL","orderType":"MKT","closePosition":false,"quantity":5}"#);
    assert_eq!(not.unwrap_err().field.as_deref(), Some("action"), "an order needs its side");
}
