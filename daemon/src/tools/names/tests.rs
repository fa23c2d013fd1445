#![allow(clippy::unwrap_used)]

use super::*;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
#[allow(dead_code)]
struct Args {
    account_id: Option<String>,
    action: Option<String>,
    order_type: Option<String>,
    sec_type: Option<String>,
    quantity: Option<String>,
    price: Option<String>,
    trailing_amount: Option<String>,
    #[serde(alias = "outsideRth")]
    outside_hours: Option<String>,
    legs: Option<Value>,
    confirm: Option<Value>,
}

fn known() -> Known {
    let schema = serde_json::json!({ "properties": { "legs": { "items": { "properties": {
        "conid": {}, "action": {}, "ratio": {} } } } } });
    Known::of::<Args>(&schema)
}

fn settled(json: &str, effect: Effect) -> Settled {
    settle(Fields::read(json).unwrap(), &known(), effect)
}

#[test]
fn what_means_one_thing_is_taken_and_said() {
    for (given, own, warning) in [
        (r#"{"side":"BUY"}"#, r#"{"action":"BUY"}"#, "`side` was taken as `action`."),
        (r#"{"type":"LMT"}"#, r#"{"orderType":"LMT"}"#, "`type` was taken as `orderType`."),
        (r#"{"type":"stk"}"#, r#"{"secType":"stk"}"#, "`type` was taken as `secType`."),
        (r#"{"limitPrice":1.50}"#, r#"{"price":1.50}"#, "`limitPrice` was taken as `price`."),
        (r#"{"QTY":7}"#, r#"{"quantity":7}"#, "`QTY` was taken as `quantity`."),
        (
            r#"{"account_id":"U1"}"#,
            r#"{"accountId":"U1"}"#,
            "`account_id` was taken as `accountId`.",
        ),
        (r#"{"account":"U1"}"#, r#"{"accountId":"U1"}"#, "`account` was taken as `accountId`."),
        (
            r#"{"legs":[{"side":"BUY","con_id":1}]}"#,
            r#"{"legs":[{"action":"BUY","conid":1}]}"#,
            "`legs.side` was taken as `legs.action`.",
        ),
        (
            r#"{"legs":"[{\"side\":\"BUY\"}]"}"#,
            r#"{"legs":[{"action":"BUY"}]}"#,
            "`legs.side` was taken as `legs.action`.",
        ),
    ] {
        let settled = settled(given, Effect::Trades);
        assert_eq!(settled.fields.text(), own, "{given}");
        assert_eq!(settled.warnings.first().map(String::as_str), Some(warning), "{given}");
        assert!(settled.wrong.is_empty(), "{given}: {:?}", settled.wrong);
    }
    for own in [r#"{"outsideRth":"1","confirm":true,"action":"BUY"}"#, "{}"] {
        let settled = settled(own, Effect::Trades);
        assert!(settled.warnings.is_empty() && settled.wrong.is_empty(), "{own}");
        assert_eq!(settled.fields.text(), own);
    }
}

#[test]
fn what_is_said_twice_agrees_or_is_refused() {
    for (given, is_fine) in [
        (r#"{"action":"BUY","side":"buy"}"#, true),
        (r#"{"quantity":10,"qty":"10.0"}"#, true),
        (r#"{"action":"BUY","side":"SELL"}"#, false),
        (r#"{"quantity":10,"qty":100}"#, false),
        (r#"{"qty":10,"shares":100}"#, false),
    ] {
        let settled = settled(given, Effect::Trades);
        assert_eq!(settled.wrong.is_empty(), is_fine, "{given}: {:?}", settled.wrong);
    }
}

#[test]
fn what_is_not_known_is_refused_by_what_writes_and_named_by_what_reads() {
    for (name, expected) in [
        ("transmit", "Fields: accountId"),
        ("pricee", "did you mean `price`?"),
        ("acountId", "did you mean `accountId`?"),
        ("task_progress", "Fields: "),
    ] {
        let given = format!(r#"{{"action":"BUY","{name}":1}}"#);
        let writes = settled(&given, Effect::Trades);
        let refusal = writes.wrong.first().unwrap();
        assert_eq!(refusal.field.as_deref(), Some(name));
        assert!(refusal.message.contains(expected), "{}", refusal.message);
        let reads = settled(&given, Effect::Reads);
        assert!(reads.wrong.is_empty());
        assert_eq!(reads.fields.text(), r#"{"action":"BUY"}"#);
        assert!(reads.warnings[0].contains(name) && reads.warnings[0].contains(expected));
    }
}

#[test]
fn texts_are_added_to_a_list_that_is_there_or_new() {
    let mut fields = Fields::read(r#"{"a":1.50,"warnings":["x"]}"#).unwrap();
    fields.append("warnings", &["y".to_owned()]);
    assert_eq!(fields.text(), r#"{"a":1.50,"warnings":["x","y"]}"#);
    let mut fields = Fields::read(r#"{"a":1}"#).unwrap();
    fields.append("warnings", &["y".to_owned()]);
    assert_eq!(fields.text(), r#"{"warnings":["y"],"a":1}"#);
}
