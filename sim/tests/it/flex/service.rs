//! Requests, tokens, references, codes.

use serde_json::json;

use super::xml::inner;
use super::{AGENT, BASE, Flex, MONDAY, code};

/// Everything that is published.
const CODES: [u16; 20] = [
    1001, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 1015, 1016, 1017,
    1018, 1019, 1020, 1021,
];

/// The same without what differs from time to time.
fn form(text: &str) -> String {
    let (head, rest) = text.split_once('>').unwrap();
    assert!(head.starts_with("<FlexStatementResponse timestamp='02 November, 2026 10:3"), "{head}");
    assert!(head.ends_with(" AM EST'"), "{head}");
    let host = inner(rest, "Url").unwrap_or_default();
    rest.replace(&host, "URL")
}

#[test]
fn envelopes_are_those_of_the_fixtures() {
    let mut flex = Flex::with(&json!({ "now": MONDAY, "flexPacing": false }));
    assert_eq!(form(&flex.send("1001")), form(include_str!("../../../fixtures/flex_success.xml")));
    let waiting = include_str!("../../../fixtures/flex_in_progress.xml");
    assert_eq!(form(&flex.get("8800000001")), form(waiting));
    let expired = flex.ask(&format!("{BASE}/SendRequest?t=old-token&q=1001&v=3"));
    assert_eq!(form(&expired), form(include_str!("../../../fixtures/flex_failure.xml")));
}

#[test]
fn a_statement_is_ready_after_its_time_and_not_before_it_was_asked_for_often_enough() {
    let mut flex = Flex::with(&json!({ "now": MONDAY, "flexPacing": false }));
    let reference = flex.reference("1002");
    assert_eq!(code(&flex.get(&reference)), 1019);
    flex.advance(2);
    assert_eq!(code(&flex.get(&reference)), 1019, "the second poll waits in any case");
    assert!(flex.get(&reference).contains("<FlexQueryResponse "));
    assert!(flex.get(&reference).contains("<FlexQueryResponse "), "it can be had again");
    let report = flex.report();
    assert_eq!(
        (&report["sends"], &report["polls"], &report["statements"]),
        (&json!(1), &json!(4), &json!(2))
    );
    assert_eq!(report["queries"]["1002"], json!({ "sends": 1, "polls": 4, "statements": 2 }));
    assert_eq!(report["references"][0]["state"], "delivered");
    assert_eq!(report["codes"], json!({ "1019": 2 }));
}

#[test]
fn tokens_queries_and_versions_are_told_apart() {
    let mut flex = Flex::quick(json!({}));
    for (path, expected) in [
        ("SendRequest?t=sim-flex-token&q=1001", 1001),
        ("SendRequest?t=sim-flex-token&q=1001&v=2", 1001),
        ("SendRequest?t=sim-flex-token&q=1001&v=4", 1020),
        ("SendRequest?q=1001&v=3", 1020),
        ("SendRequest?t=sim-flex-token&v=3", 1020),
        ("SendRequest?t=sim-flex-token&q=Activity&v=3", 1020),
        ("SendRequest?t=nonsense&q=1001&v=3", 1015),
        ("SendRequest?t=old-token&q=1001&v=3", 1012),
        ("SendRequest?t=elsewhere-token&q=1001&v=3", 1013),
        ("SendRequest?t=sim-flex-token&q=9999&v=3", 1014),
        ("SendRequest?t=sim-flex-token&q=1010&v=3", 1010),
        ("SendRequest?t=sim-flex-token&q=1016&v=3", 1016),
        ("SendRequest?t=sim-flex-token&q=1001&v=3&fd=20250101&td=20260101", 1020),
        ("SendRequest?t=sim-flex-token&q=1001&v=3&fd=20250101", 1020),
        ("SendRequest?t=sim-flex-token&q=1001&v=3&fd=2025-01-01&td=20250102", 1020),
        ("SendRequest?t=sim-flex-token&q=1001&v=3&fd=20250103&td=20250102", 1020),
        ("GetStatement?t=sim-flex-token&q=123&v=3", 1017),
        ("GetStatement?t=sim-flex-token&q=x&v=3", 1017),
    ] {
        assert_eq!(code(&flex.ask(&format!("{BASE}/{path}"))), expected, "{path}");
    }
    let old = "/Universal/servlet/FlexStatementService";
    assert_eq!(code(&flex.ask(&format!("{old}.SendRequest?t=sim-flex-token&q=1001"))), 1001);
    assert_eq!(code(&flex.ask(&format!("{old}.GetStatement?t=sim-flex-token&q=1001"))), 1003);
    let never = flex.reference("1030");
    assert_eq!(code(&flex.get(&never)), 1003);
    let today = flex.reference("1001&fd=20261102&td=20261102");
    assert_eq!(code(&flex.get(&today)), 1003, "activity ends yesterday");
}

#[test]
fn who_does_not_say_what_it_is_is_not_let_in() {
    let mut flex = Flex::quick(json!({}));
    let path = format!("{BASE}/SendRequest?t=sim-flex-token&q=1001&v=3");
    for (agent, status) in [("", 403), ("curl", 403), ("/1", 403), ("Java", 200), ("ibd/0.1", 200)]
    {
        assert_eq!(flex.0.ask(agent, "GET", &path, "").0, status, "{agent:?}");
    }
    assert_eq!(flex.0.ask("", "GET", &path, "").1, "");
    assert_eq!(flex.0.ask(AGENT, "POST", &path, "").0, 405);
    assert_eq!(flex.report()["forbidden"], 4);
}

#[test]
fn a_token_may_ask_once_a_second_and_ten_times_a_minute() {
    let mut flex = Flex::with(&json!({ "now": MONDAY, "pacing": false }));
    flex.reference("1001");
    assert_eq!(code(&flex.send("1001")), 1018);
    flex.advance(1);
    for _ in 0..8 {
        flex.reference("1001");
        flex.advance(2);
    }
    assert_eq!(code(&flex.send("1001")), 1018, "the eleventh, with the one that was refused");
    assert_eq!(code(&flex.ask(&format!("{BASE}/SendRequest?t=old-token&q=1001&v=3"))), 1012);
    flex.advance(60);
    flex.reference("1001");
}

#[test]
fn every_code_can_be_ordered() {
    let mut flex = Flex::quick(json!({}));
    for wanted in CODES {
        flex.tell(json!({ "next": [{ "code": wanted, "count": 2 }] }));
        if wanted != 1017 && wanted != 1019 {
            assert_eq!(code(&flex.send("1001")), wanted);
            assert_eq!(code(&flex.send("1001")), wanted);
        }
        let reference = flex.reference("1003");
        if wanted == 1017 || wanted == 1019 {
            assert_eq!(code(&flex.get(&reference)), wanted);
            assert_eq!(code(&flex.get(&reference)), wanted);
        }
        assert!(flex.get(&reference).contains("<FlexQueryResponse "));
        assert_eq!(flex.report()["codes"][wanted.to_string()], 2);
    }
    flex.tell(json!({ "next": [{ "code": 1021, "at": "get" }], "state": 0 }));
    let reference = flex.reference("1003");
    assert_eq!(code(&flex.get(&reference)), 1021);
    for state in [1004, 1005, 1006, 1007, 1008, 1009, 1011] {
        flex.tell(json!({ "state": state }));
        assert_eq!((code(&flex.send("1001")), code(&flex.get(&reference))), (state, state));
    }
    assert!(flex.tell(json!({ "state": 1002 }))["error"].as_str().unwrap().contains("1002"));
    assert!(flex.tell(json!({ "nonsense": 1 }))["error"].as_str().unwrap().contains("urlSwap"));
}

#[test]
fn a_new_token_ends_the_old_one_and_tokens_expire() {
    let mut flex = Flex::quick(json!({ "flex": { "expires": "2026-11-03" } }));
    flex.reference("1001");
    flex.advance(86_400);
    assert_eq!(code(&flex.send("1001")), 1012);
    let mut flex = Flex::quick(json!({}));
    flex.tell(json!({ "token": "another" }));
    assert_eq!(code(&flex.send("1001")), 1015);
}

#[test]
fn references_are_one_tokens_own_and_never_given_twice() {
    let mut flex = Flex::quick(json!({}));
    let reference = flex.reference("1003");
    flex.tell(json!({ "token": "another" }));
    let stolen = flex.ask(&format!("{BASE}/GetStatement?t=another&v=3&q={reference}"));
    assert_eq!(code(&stolen), 1017);
    flex.0.control("POST", "/reset", "");
    assert_eq!(code(&flex.get(&reference)), 1017);
    assert_ne!(flex.reference("1003"), reference);
}

#[test]
fn it_needs_no_login_and_keeps_none_alive() {
    let mut flex = Flex::quick(json!({ "session": "loggedOut" }));
    assert!(flex.statement("1003").contains("<Trades />"));
}

#[test]
fn scenarios_that_make_no_sense_are_refused() {
    for (flex, word) in [
        (json!({ "queries": [{ "id": "x", "name": "a" }] }), "digits"),
        (json!({ "queries": [{ "id": "1", "name": "a", "sections": ["Nothing"] }] }), "Nothing"),
        (json!({ "queries": [{ "id": "1", "name": "a", "period": "Never" }] }), "Never"),
        (json!({ "queries": [{ "id": "1", "name": "a", "dateFormat": "d" }] }), "yyyyMMdd"),
        (json!({ "queries": [{ "id": "1", "name": "a", "levels": ["ALL"] }] }), "EXECUTION"),
        (json!({ "state": 1002 }), "1002"),
        (json!({ "truncate": 1.0 }), "truncate"),
    ] {
        let scenario = serde_json::from_value(json!({ "flex": flex })).unwrap();
        let options = ib_sim::Options { scenario, ..ib_sim::Options::default() };
        let error = ib_sim::Broker::new(options).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}
