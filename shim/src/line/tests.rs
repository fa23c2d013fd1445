#![allow(clippy::unwrap_used)]

use super::*;

const HELLO: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",
    "capabilities":{},"clientInfo":{"name":"x","version":"1"}}}"#;

/// A session that has begun.
fn begun() -> Ledger {
    let mut ledger = Ledger::default();
    assert!(matches!(ledger.understand(HELLO.as_bytes()), Understood::Message(_)));
    ledger
}

/// Id, code and words of the answer.
fn answer(line: &[u8]) -> (Value, i64, String) {
    match begun().understand(line) {
        Understood::Answer(answer) => {
            let error = &answer["error"];
            let words = error["message"].as_str().unwrap().to_owned();
            (answer["id"].clone(), error["code"].as_i64().unwrap(), words)
        }
        other => unreachable!("{other:?}"),
    }
}

/// The arguments that a call has once it is understood.
fn arguments(line: &str) -> Value {
    match begun().understand(line.as_bytes()) {
        Understood::Message(message) => match *message {
            JsonRpcMessage::Request(Request {
                request: ClientRequest::CallToolRequest(call),
                ..
            }) => json!(call.params.arguments),
            other => unreachable!("{other:?}"),
        },
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_line() {
    let line = ["\u{feff}", HELLO].concat();
    let understood = Ledger::default().understand(line.as_bytes());
    assert!(matches!(understood, Understood::Message(_)), "{understood:?}");
}

#[test]
fn what_is_no_json_is_answered_under_its_id() {
    let deep = format!(r#"{{"jsonrpc":"2.0","id":5,"params":{}"#, "[".repeat(500));
    for (line, id) in [
        (
            &br#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"x":"\ud83d"}}"#[..],
            json!(7),
        ),
        (b"{\"jsonrpc\":\"2.0\",\"params\":{\"x\":\"\xff\"},\"id\":\"a\"}", json!("a")),
        (br#"{"params":{"x":NaN},"id":8}"#, json!(8)),
        (deep.as_bytes(), json!(5)),
        // Not the request's own.
        (br#"{"params":{"id":1,"x":NaN}}"#, Value::Null),
        (br#"{"x":"\"id\":3","y":NaN,"id":4}"#, json!(4)),
        (br#"{"id":{"a":1},"y":NaN}"#, Value::Null),
        (b"nothing", Value::Null),
    ] {
        let (found, code, _) = answer(line);
        assert_eq!((found, code), (id, -32700), "{}", String::from_utf8_lossy(line));
    }
}

#[test]
fn json_that_is_no_message_is_answered_if_somebody_waits() {
    assert_eq!(answer(br#"{"jsonrpc":"2.0","id":3}"#).0, json!(3));
    assert_eq!(answer(b"[1]").1, -32600);
    let nobody = begun().understand(br#"{"jsonrpc":"2.0","params":1}"#);
    assert!(matches!(nobody, Understood::Nothing));
    assert!(matches!(begun().understand(b"  "), Understood::Nothing));
}

#[test]
fn of_a_line_that_was_cut_only_its_own_id_counts() {
    let id = |head: &str| match too_long(head.as_bytes(), 16 << 20) {
        Understood::Answer(answer) => answer["id"].clone(),
        other => unreachable!("{other:?}"),
    };
    assert_eq!(id(r#"{"jsonrpc":"2.0","id":7,"params":{"x":"aaaa"#), json!(7));
    assert_eq!(id(r#"{"id": "a-1", "params":"#), json!("a-1"));
    assert_eq!(id(r#"{"params":{"arguments":{"id":9,"x":"aaaa"#), Value::Null);
}

#[test]
fn arguments_in_a_text_are_read_and_others_refused_in_words() {
    let call = |arguments: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"t","arguments":{arguments}}}}}"#
        )
    };
    for (given, expected) in [
        (r#"{"a":1}"#, json!({"a": 1})),
        (r#""{\"a\":1}""#, json!({"a": 1})),
        (r#""""#, Value::Null),
        ("null", Value::Null),
    ] {
        assert_eq!(arguments(&call(given)), expected, "{given}");
    }
    for given in ["[]", "7", r#""a=1""#, r#""[1]""#] {
        let (id, code, words) = answer(call(given).as_bytes());
        assert_eq!((id, code), (json!(1), -32602), "{given}");
        assert!(words.contains("params.arguments"), "{words}");
    }
    let (_, code, words) =
        answer(br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":{}}}"#);
    assert!(code == -32602 && words.contains("params.name"), "{words}");
}

#[test]
fn a_name_that_stands_twice_is_refused_wherever_it_stands() {
    let call = |arguments: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"t","arguments":{arguments}}}}}"#
        )
    };
    for given in [
        r#"{"quantity":1,"quantity":100}"#,
        r#"{"legs":[{"conid":1},{"quantity":1,"quan\u0074ity":1}]}"#,
        r#""{\"quantity\":1,\"quantity\":2}""#,
    ] {
        let (id, code, words) = answer(call(given).as_bytes());
        assert_eq!((id, code), (json!(1), -32602), "{given}");
        assert!(words.contains("stands twice"), "{words}");
    }
    let apart = r#"{"a":{"x":1},"b":[{"x":1},{"x":2.5,"y":null,"z":"x"}],"x":true}"#;
    assert_eq!(arguments(&call(apart)), serde_json::from_str::<Value>(apart).unwrap());
}

#[test]
fn an_id_is_free_again_when_its_request_is_answered_or_cancelled() {
    let ping = br#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#;
    let mut ledger = begun();
    assert!(matches!(ledger.understand(ping), Understood::Message(_)));
    assert!(matches!(ledger.understand(ping), Understood::Answer(_)));
    ledger.close(&RequestId::Number(2));
    assert!(matches!(ledger.understand(ping), Understood::Message(_)));
    let cancel =
        br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}"#;
    assert!(matches!(ledger.understand(cancel), Understood::Message(_)));
    ledger.close(&RequestId::Number(0));
    assert!(ledger.is_empty());
}

#[test]
fn what_comes_before_the_session_does_not_end_it() {
    let mut ledger = Ledger::default();
    let stray = br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert!(matches!(ledger.understand(stray), Understood::Nothing));
    let answer = br#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    assert!(matches!(ledger.understand(answer), Understood::Nothing));
    assert!(matches!(ledger.understand(HELLO.as_bytes()), Understood::Message(_)));
    assert!(matches!(ledger.understand(stray), Understood::Message(_)));
}

#[test]
fn too_many_requests_at_once_are_refused_one_by_one() {
    let mut ledger = begun();
    let ping = |id: usize| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
    for id in 1..MOST_OPEN {
        let understood = ledger.understand(ping(id).as_bytes());
        assert!(matches!(understood, Understood::Message(_)), "{id}");
    }
    assert!(matches!(ledger.understand(ping(999).as_bytes()), Understood::Answer(_)));
    ledger.close(&RequestId::Number(7));
    assert!(matches!(ledger.understand(ping(999).as_bytes()), Understood::Message(_)));
}

#[test]
fn whoever_listens_is_under_way_until_it_has_been_told_of_the_end() {
    let mut ledger = begun();
    ledger.close(&RequestId::Number(0));
    let listen =
        r#"{"jsonrpc":"2.0","id":5,"method":"subscriptions/listen","params":{"notifications":{}}}"#;
    assert!(matches!(ledger.understand(listen.as_bytes()), Understood::Message(_)));
    // Its id is taken as long.
    assert!(!ledger.is_empty());
    assert!(matches!(ledger.understand(listen.as_bytes()), Understood::Answer(_)));
    ledger.close(&RequestId::Number(5));
    assert!(ledger.is_empty());
    assert!(matches!(ledger.understand(listen.as_bytes()), Understood::Message(_)));
}

#[test]
fn a_resource_without_an_address_is_told_what_is_missing() {
    let (id, code, words) =
        answer(br#"{"jsonrpc":"2.0","id":6,"method":"resources/read","params":{"url":"x"}}"#);
    assert_eq!((id, code), (json!(6), -32602));
    assert!(words.contains("uri"), "{words}");
}
