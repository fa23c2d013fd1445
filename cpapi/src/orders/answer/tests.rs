//! Every row of the table in docs (orders, "classifying the answer") and every shape that was seen.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use super::*;
use crate::fixtures;

fn answered(status: u16, body: &str) -> OrderAnswer {
    read_answer(Sent::Answered { status, body: body.to_owned() })
}

fn cancelled(status: u16, body: &str) -> CancelAnswer {
    read_cancel(Sent::Answered { status, body: body.to_owned() })
}

fn id(number: u64) -> OrderId {
    number.to_string().parse().unwrap()
}

/// One word for what an answer means.
fn kind(answer: &OrderAnswer) -> String {
    match answer {
        OrderAnswer::NotSent(_) => "not_sent".to_owned(),
        OrderAnswer::Accepted(rows) => format!("accepted {}", rows.len()),
        OrderAnswer::PartlyAccepted { accepted, refused } => {
            format!("partly {}+{}", accepted.len(), refused.len())
        }
        OrderAnswer::Asked(asked) if asked.is_prompt() => "prompt".to_owned(),
        OrderAnswer::Asked(asked) => format!("asked {}", asked.questions.len()),
        OrderAnswer::Refused(_) => "refused".to_owned(),
        OrderAnswer::Ambiguous(ambiguity) => ambiguity.code().to_owned(),
    }
}

const QUESTION: &str = r#"{"id":"07a1-uuid","message":["The following order \"BUY 5 AAPL NASDAQ.NMS @ 150.0\" price exceeds \nthe Percentage constraint of 3%.\nAre you sure you want to submit this order?"],"isSuppressed":false,"messageIds":["o163"],"messageOptions":["Yes","No"]}"#;
const ROW: &str =
    r#"{"order_id":"1234567890","order_status":"PreSubmitted","encrypt_message":"1"}"#;
const FAILED: &str = r#"{"order_id":"-1","order_status":"Failed","text":"No such contract"}"#;
const PROMPT: &str = r#"{"orderId":123456789,"reqId":"22170","dismissable":[],"text":"Use the <b>Price Management Algo</b>?","options":["Yes","No"],"type":"M","messageId":"p12","prompt":true}"#;

#[test]
fn every_answer_has_one_meaning() {
    let table: &[(u16, &str, &str)] = &[
        // Rows.
        (200, &format!("[{ROW}]"), "accepted 1"),
        (200, &format!("[{ROW},{ROW},{ROW}]"), "accepted 3"),
        (200, ROW, "accepted 1"),
        (200, r#"[{"order_id":1234567890}]"#, "accepted 1"),
        (200, r#"[{"order_id":"7","order_status":"Cancelled"}]"#, "accepted 1"),
        (200, r#"[{"order_id":"7","order_status":"Inactive"}]"#, "accepted 1"),
        (
            200,
            r#"[{"order_id":"7","order_status":"Inactive","warning_message":"held"}]"#,
            "accepted 1",
        ),
        (200, r#"[{"order_id":"7","order_status":"Inactive","text":"no funds"}]"#, "refused"),
        (200, &format!("[{FAILED}]"), "refused"),
        (200, &format!("[{FAILED},{FAILED}]"), "refused"),
        (200, r#"[{"order_id":"0","order_status":"Submitted"}]"#, "unknown_shape"),
        (200, r#"[{"order_status":"pre_submitted"}]"#, "unknown_shape"),
        (200, r#"[{"order_id":"0","order_status":"Failed"}]"#, "refused"),
        (200, r#"[{"order_id":"7","order_status":"REJECTED"}]"#, "refused"),
        (200, r#"[{"order_id":"7","order_status":"Failed"}]"#, "refused"),
        (200, r#"[{"order_id":"7","order_status":"Rejected"}]"#, "refused"),
        (200, r#"[{"order_id":"7","error":"no"}]"#, "refused"),
        (200, r#"[{"error":"no"}]"#, "refused"),
        (200, &format!("[{ROW},{FAILED}]"), "partly 1+1"),
        (200, &format!("[{ROW},{QUESTION}]"), "unknown_shape"),
        (200, &format!("[{FAILED},{QUESTION}]"), "unknown_shape"),
        (200, r#"[{"order_id":"abc","order_status":"Submitted"}]"#, "unknown_shape"),
        (200, r#"[{"order_status":"Submitted"}]"#, "unknown_shape"),
        // Questions.
        (200, &format!("[{QUESTION}]"), "asked 1"),
        (200, &format!("[{QUESTION},{QUESTION}]"), "asked 2"),
        (200, QUESTION, "asked 1"),
        (200, r#"[{"id":"a","message":[],"messageIds":[]}]"#, "asked 1"),
        (200, r#"[{"id":"a","message":["x"],"messageIds":["o1","o2"]}]"#, "asked 2"),
        (200, r#"[{"id":"a b","message":["x"]}]"#, "unknown_shape"),
        (200, PROMPT, "prompt"),
        (200, r#"{"orderId":1,"text":"x","prompt":true,"reqId":null}"#, "unknown_shape"),
        // The broker's no.
        (
            200,
            r#"{"error":"We cannot accept an order at the limit price you selected. …"}"#,
            "refused",
        ),
        (200, r#"{"error":"x","action":"order_cannot_be_created","cqe":{}}"#, "refused"),
        (200, r#"{"orderId":123,"reqId":"1","text":"no","options":[],"prompt":false}"#, "refused"),
        (200, r#"{"error":"OrderID 123456 doesn't exist"}"#, "refused"),
        (200, r#"{"error":"Order not confirmed "}"#, "refused"),
        (400, r#"{"error":"Bad Request: accountId is not valid: X","statusCode":400}"#, "refused"),
        (
            400,
            r#"{"error":"Bad Request: Please query /accounts first","statusCode":400}"#,
            "refused",
        ),
        // Errors that are no refusal, in any letter case.
        (200, r#"{"error":"Request timeout"}"#, "trouble"),
        (200, r#"{"error":"Internal Server Error"}"#, "trouble"),
        (200, r#"{"error":"Unknown error, please check order status"}"#, "trouble"),
        (200, r#"{"error":"bad reply id"}"#, "chain_lost"),
        (200, r#"{"error":"LOCAL ORDER ID=my-1 IS ALREADY REGISTERED."}"#, "already_registered"),
        (200, r#"[{"order_id":"-1","error":"Request timeout"}]"#, "trouble"),
        (
            200,
            r#"{"error":"Order couldn't be submitted: Local order ID=my-1 is already registered."}"#,
            "already_registered",
        ),
        (
            400,
            r#"{"error":"Order couldn't be submitted: Local order ID=my-1 is already registered."}"#,
            "already_registered",
        ),
        (200, r#"{"error":"reply id not found: 'x'"}"#, "chain_lost"),
        (400, r#"{"error":"reply id not found: 'x'"}"#, "chain_lost"),
        (400, r#"{"error":"Bad Request: no bridge","statusCode":400}"#, "no_brokerage"),
        (200, r#"{"error":"no bridge"}"#, "no_brokerage"),
        (401, r#"{"error":"not authenticated","statusCode":401}"#, "no_brokerage"),
        (500, r#"{"error":"no bridge"}"#, "no_brokerage"),
        (401, "", "not_logged_in"),
        (401, "Access Denied", "not_logged_in"),
        (200, r#"{"error":"no session"}"#, "not_logged_in"),
        (200, r#"{"error":"not logged in"}"#, "not_logged_in"),
        (429, "Too Many Requests", "rate_limited"),
        (429, r#"{"error":"x"}"#, "rate_limited"),
        (
            500,
            r#"{"error":"The price 1.2345 does not conform to the minimum price variation"}"#,
            "trouble",
        ),
        (502, "<html>", "trouble"),
        (503, r#"{"error":"Order x is not found","statusCode":503}"#, "trouble"),
        (504, "", "trouble"),
        (200, r#"{"error":"x","statusCode":503}"#, "trouble"),
        (200, r#"{"error":"x","statusCode":429}"#, "rate_limited"),
        // No answer of an order system.
        (200, "", "empty"),
        (200, "  \n", "empty"),
        (200, "[]", "empty"),
        (200, "{}", "empty"),
        (200, "null", "empty"),
        (400, "", "empty"),
        (200, "<html><body>maintenance</body></html>", "html"),
        (400, "<html>", "html"),
        (200, "Success", "not_json"),
        (400, "Bad Request", "not_json"),
        (200, r#"[{"order_id":"123"#, "not_json"),
        (200, "1", "unknown_shape"),
        (200, "[1]", "unknown_shape"),
        (200, r#"{"hello":1}"#, "unknown_shape"),
        (200, r#"{"error":null}"#, "unknown_shape"),
        (200, r#"{"msg":"Request was submitted","order_id":1}"#, "unknown_shape"),
        (400, &format!("[{ROW}]"), "unknown_shape"),
        (302, "", "unexpected_status"),
        (403, r#"{"error":"x"}"#, "unexpected_status"),
        (404, "Access Denied", "unexpected_status"),
    ];
    for (status, body, expected) in table {
        assert_eq!(kind(&answered(*status, body)), *expected, "{status} {body}");
    }
}

#[test]
fn the_simulators_answers_mean_what_they_say() {
    for (name, expected) in [
        ("place_accepted", "accepted 1"),
        ("place_bracket", "accepted 3"),
        ("place_question", "asked 1"),
        ("place_question_dialog", "asked 1"),
        ("place_prompt", "prompt"),
        ("place_error", "refused"),
        ("place_failed", "refused"),
        ("place_duplicate", "already_registered"),
        ("reply_not_confirmed", "refused"),
        ("modify", "accepted 1"),
        ("modify_unknown", "refused"),
    ] {
        assert_eq!(kind(&answered(200, &fixtures::text(name))), expected, "{name}");
    }
    for (name, expected) in [
        ("order_field", "refused"),
        ("account_invalid", "refused"),
        ("reply_not_found", "chain_lost"),
        ("no_bridge", "no_brokerage"),
        ("not_authenticated", "no_brokerage"),
        ("rate_limited", "rate_limited"),
        ("order_size", "trouble"),
        ("price_tick", "trouble"),
        ("order_not_found", "trouble"),
    ] {
        let (status, body) = fixtures::error(name);
        assert_eq!(kind(&answered(status, &body)), expected, "{name}");
    }
    let requested = |name| match cancelled(200, &fixtures::text(name)) {
        CancelAnswer::Requested { order_id } => order_id.is_some(),
        other => panic!("{name}: {other:?}"),
    };
    assert!(requested("cancel"));
    assert!(!requested("cancel_all"));
    let unknown = cancelled(200, &fixtures::text("cancel_unknown"));
    assert!(matches!(unknown, CancelAnswer::Refused(_)));
}

#[test]
fn the_wire_is_never_taken_for_the_broker() {
    let broke = read_answer(Sent::Ambiguous(Failure::Silent(Duration::from_secs(15))));
    assert_eq!(kind(&broke), "wire");
    let unsent = read_answer(Sent::NotSent(Failure::Queued));
    assert_eq!(unsent, OrderAnswer::NotSent(Failure::Queued));
    let cancel = read_cancel(Sent::Ambiguous(Failure::Broke));
    assert_eq!(cancel, CancelAnswer::Ambiguous(Ambiguity::Wire(Failure::Broke)));
}

#[test]
fn a_row_tells_all_it_knows() {
    let body = r#"[{"order_id":"12","local_order_id":"ibd1","parent_order_id":"11",
        "order_status":"PreSubmitted","warning_message":"will be <i>held</i>"}]"#;
    let OrderAnswer::Accepted(rows) = answered(200, body) else { panic!("accepted") };
    let expected = AcceptedRow {
        order_id: id(12),
        status: Some(Stage::PreSubmitted),
        local_order_id: Some("ibd1".into()),
        parent_order_id: Some("11".into()),
        warning: Some("will be held".into()),
    };
    assert_eq!(rows, [expected]);
}

#[test]
fn a_question_is_told_in_its_own_words() {
    let OrderAnswer::Asked(asked) = answered(200, &format!("[{QUESTION}]")) else {
        panic!("asked")
    };
    assert_eq!(asked.reply_id.as_str(), "07a1-uuid");
    assert_eq!(asked.questions[0].id.as_deref(), Some("o163"));
    let words = "The following order \"BUY 5 AAPL NASDAQ.NMS @ 150.0\" price exceeds the Percentage \
                 constraint of 3%. Are you sure you want to submit this order?";
    assert_eq!(asked.questions[0].text, words);
}

#[test]
fn questions_about_several_orders_are_all_kept() {
    let body = r#"[{"id":"a","message":["one","two"],"messageIds":["o1"]},
        {"id":"b","message":"three","messageIds":["o3"]},{"id":"a","message":["four"]}]"#;
    let OrderAnswer::Asked(asked) = answered(200, body) else { panic!("asked") };
    assert_eq!((asked.reply_id.as_str(), asked.further.len()), ("a", 1));
    assert_eq!(asked.further[0].as_str(), "b");
    let told: Vec<_> =
        asked.questions.iter().map(|q| (q.id.as_deref().unwrap_or("-"), q.text.as_str())).collect();
    assert_eq!(told, [("o1", "one"), ("-", "two"), ("o3", "three"), ("-", "four")]);
}

#[test]
fn a_prompt_tells_its_choices() {
    let OrderAnswer::Asked(asked) = answered(200, PROMPT) else { panic!("asked") };
    assert_eq!(asked.questions[0].id.as_deref(), Some("p12"));
    assert_eq!(asked.questions[0].text, "Use the Price Management Algo ?");
    let prompt = asked.prompt.unwrap();
    assert_eq!(prompt.order_id, id(123_456_789));
    assert_eq!(prompt.req_id.as_str(), "22170");
    assert_eq!(prompt.options, ["Yes", "No"]);
}

#[test]
fn a_refusal_keeps_its_words_and_the_order_it_is_about() {
    let refused =
        |text: &str, order_id| OrderAnswer::Refused(Refusal { text: text.to_owned(), order_id });
    assert_eq!(answered(200, &format!("[{FAILED}]")), refused("No such contract", None));
    assert_eq!(
        answered(200, r#"[{"order_id":"7","order_status":"Failed"}]"#),
        refused("the broker answered Failed without a reason", Some(id(7)))
    );
    assert_eq!(
        answered(200, r#"{"orderId":123,"reqId":"1","text":"no","prompt":false}"#),
        refused("no", Some(id(123)))
    );
    let nested = r#"{"error":"{\"reason\":\"Margin is too low.\"}"}"#;
    assert_eq!(answered(200, nested), refused("Margin is too low.", None));
}

#[test]
fn only_a_check_before_acceptance_is_a_certain_no() {
    for (body, is_certain) in [
        (r#"{"error":"We cannot accept an order at the limit price you selected."}"#, true),
        (r#"{"error":"Order not confirmed "}"#, true),
        (r#"{"error":"parent accepted, child rejected"}"#, false),
        (r#"{"error":"Order rejected"}"#, false),
        // An order that got an id is looked at, whatever is said of it.
        (r#"[{"order_id":"7","error":"No trading permissions"}]"#, false),
    ] {
        let OrderAnswer::Refused(refusal) = answered(200, body) else { panic!("{body}") };
        assert_eq!(refusal.is_certain(), is_certain, "{body}");
    }
}

#[test]
fn trouble_keeps_its_words() {
    let body = r#"{"error":"Order size 0 is not valid","statusCode":503}"#;
    let expected = Ambiguity::Trouble { status: 503, text: "Order size 0 is not valid".into() };
    assert_eq!(answered(503, body), OrderAnswer::Ambiguous(expected));
}

#[test]
fn a_cancellation_is_taken_refused_or_not_known() {
    let taken = r#"{"msg":"Request was submitted","order_id":123456789,"conid":-1,"account":null}"#;
    assert_eq!(cancelled(200, taken), CancelAnswer::Requested { order_id: Some(id(123_456_789)) });
    let all = r#"{"msg":"Request was submitted","order_id":-1,"conid":-1,"account":null}"#;
    assert_eq!(cancelled(200, all), CancelAnswer::Requested { order_id: None });
    let unknown = r#"{"error":"OrderID 1 doesn't exist"}"#;
    assert_eq!(cancelled(200, unknown), CancelAnswer::Refused("OrderID 1 doesn't exist".into()));
    for (status, body, code) in [
        (200, "", "empty"),
        (401, "", "not_logged_in"),
        (429, "", "rate_limited"),
        (503, "", "trouble"),
        (400, r#"{"error":"no bridge"}"#, "no_brokerage"),
        (200, "<html>", "html"),
        (200, ROW, "unknown_shape"),
        (200, r#"{"msg":"something else"}"#, "unknown_shape"),
    ] {
        match cancelled(status, body) {
            CancelAnswer::Ambiguous(ambiguity) => assert_eq!(ambiguity.code(), code, "{body}"),
            other => panic!("{body}: {other:?}"),
        }
    }
}
