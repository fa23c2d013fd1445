#![allow(clippy::unwrap_used)]
use super::*;
use crate::tools::args;
use crate::tools::create_alert::Args;
use ibd_protocol::Effect;

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn read(request: &str) -> Result<(AlertTicket, Vec<String>), Refusal> {
    let json = format!(r#"{{"alertRequest":{request}}}"#);
    let args = args::read::<Args>(&json, Effect::Writes)?.args;
    args.alert_request.unwrap().ticket(now())
}

fn sent(request: &str) -> String {
    serde_json::to_string(&read(request).unwrap().0).unwrap()
}

const PRICE: &str = r#"{"conidex":"265598@SMART","type":1,"operator":"<=","triggerMethod":"0","value":"183.34","logicBind":"n"}"#;

#[test]
fn the_originals_request_is_sent_as_it_is() {
    let full = format!(
        r#"{{"alertName":"AAPL_Price","conditions":[{PRICE}],"orderId":0,"alertMessage":"drop","alertRepeatable":0,
            "expireTime":"20270101-12:00:00","outsideRth":0,"iTWSOrdersOnly":0,"showPopup":0,"playAudio":"bell",
            "emailNotification":"a@example.org","sendMessage":1,"tif":"GTD","logicBind":"n"}}"#
    );
    let expected = concat!(
        r#"{"alertName":"AAPL_Price","alertMessage":"drop","alertRepeatable":0,"outsideRth":0,"iTWSOrdersOnly":0,"#,
        r#""showPopup":0,"playAudio":"bell","email":"a@example.org","sendMessage":1,"tif":"GTD","#,
        r#""expireTime":"20270101-12:00:00","conditions":[{"type":1,"conidex":"265598@SMART","operator":"<=","#,
        r#""triggerMethod":"0","value":"183.34","logicBind":"n"}]}"#
    );
    assert_eq!(sent(&full), expected);
    // No tool has the number zero either.
    let with_tool = full.replace(r#""orderId":0"#, r#""orderId":"0","toolId":0"#);
    assert_eq!(sent(&with_tool), expected);
    let (replaces, _) = read(&full.replace(r#""orderId":0"#, r#""orderId":1234567895"#)).unwrap();
    assert_eq!(replaces.order_id.map(|id| id.get()), Some(1_234_567_895));
    // A model may send it as text.
    assert_eq!(sent(&serde_json::to_string(&full.replace('\n', "")).unwrap()), expected);
}

#[test]
fn what_ibkr_needs_and_nobody_said_is_completed_and_words_are_taken() {
    let words = r#"{"alertName":"x","conditions":[
        {"conidex":"265598","type":"price","operator":">","triggerMethod":"last","value":300.5},
        {"type":"time","operator":">=","value":"20270101-12:00:00","timeZone":"US/Eastern"}]}"#;
    let (ticket, said) = read(words).unwrap();
    let [price, time] = &ticket.conditions[..] else { unreachable!() };
    assert_eq!((price.kind, price.conidex.as_deref()), (1, Some("265598@SMART")));
    assert_eq!((price.operator.as_deref(), price.trigger_method.as_str()), (Some(">="), "2"));
    assert_eq!((price.value.as_str(), price.logic_bind.as_str()), ("300.5", "a"));
    assert_eq!((time.conidex.as_deref(), time.logic_bind.as_str()), (Some("*@*"), "n"));
    // Of one that is changed it may be another than GTC, which its page says.
    assert_eq!((ticket.tif.as_deref(), ticket.alert_message.as_deref()), (None, Some("x")));
    assert!(said[0].contains(">="), "{said:?}");
    let either = format!(
        r#"{{"alertName":"x","logicBind":"o","conditions":[{0},{0}]}}"#,
        PRICE.replace(r#","logicBind":"n""#, "")
    );
    assert_eq!(read(&either).unwrap().0.conditions[0].logic_bind, "o");
    let trade = r#"{"alertName":"x","conditions":[{"type":5}]}"#;
    let trade = &read(trade).unwrap().0.conditions[0];
    assert_eq!((trade.operator.as_deref(), trade.value.as_str()), (None, "*"));
    let mobile = r#"{"toolId":55834574848,"alertRepeatable":1,"conditions":[
        {"type":9,"operator":"<=","value":"-500","timeZone":"US/Eastern"}]}"#;
    let (mobile, _) = read(mobile).unwrap();
    assert_eq!((mobile.tool_id, mobile.alert_name), (Some(55_834_574_848), None));
}

#[test]
fn what_is_wrong_is_named() {
    let with = |key: &str, value: &str| {
        let mut one: serde_json::Value = serde_json::from_str(PRICE).unwrap();
        one[key] = serde_json::from_str(value).unwrap();
        format!(r#"{{"alertName":"x","conditions":[{one}]}}"#)
    };
    let and = |more: &str| format!(r#"{{"alertName":"x","conditions":[{PRICE}],{more}}}"#);
    for (request, field) in [
        (format!(r#"{{"conditions":[{PRICE}]}}"#), "alertRequest.alertName"),
        (r#"{"alertName":"x"}"#.to_owned(), "alertRequest.conditions"),
        (with("type", "2"), "alertRequest.conditions[0].type"),
        (with("type", "9"), "alertRequest.conditions[0].type"),
        (with("operator", r#""=""#), "alertRequest.conditions[0].operator"),
        (with("value", r#""low""#), "alertRequest.conditions[0].value"),
        (with("value", "null"), "alertRequest.conditions[0].value"),
        (with("conidex", r#""AAPL""#), "alertRequest.conditions[0].conidex"),
        (with("triggerMethod", r#""open""#), "alertRequest.conditions[0].triggerMethod"),
        (with("logicBind", r#""x""#), "alertRequest.conditions[0].logicBind"),
        (and(r#""tif":"DAY""#), "alertRequest.tif"),
        (and(r#""tif":"GTD""#), "alertRequest.expireTime"),
        (and(r#""expireTime":"20200101-12:00:00""#), "alertRequest.expireTime"),
        (and(r#""expireTime":"tomorrow""#), "alertRequest.expireTime"),
        (and(r#""sendMessage":1"#), "alertRequest.emailNotification"),
        (and(r#""outsideRth":"maybe""#), "alertRequest.outsideRth"),
        (and(r#""toolId":7"#), "alertRequest.alertName"),
        (and(r#""orderId":"x""#), "alertRequest.orderId"),
    ] {
        let refusal = read(&request).unwrap_err();
        assert_eq!(refusal.field.as_deref(), Some(field), "{request}: {}", refusal.message);
    }
    let odd = read(&and(r#""color":"red""#)).unwrap_err();
    assert!(odd.field.unwrap().starts_with("alertRequest"), "{}", odd.message);
}
