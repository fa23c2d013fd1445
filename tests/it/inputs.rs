//! Wrong inputs, answered well: each names the field and what to do, and none reaches the broker.

use ibd_tests::months::{option_month, quarter};
use ibd_tests::{Sim, World};
use serde_json::{Value, json};

#[tokio::test]
async fn bad_arguments_name_the_field_and_never_reach_the_gateway() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_session_status", json!({})).await.ok();
    let before = sim.requests().await["count"].clone();
    for (tool, arguments, error, field) in [
        ("get_market_data", json!({ "symbl": "AAPL" }), "invalid_argument", "symbol"),
        ("place_order", json!({ "symbl": "AAPL" }), "invalid_argument", "symbl"),
        ("get_market_data", json!({ "symbol": "" }), "invalid_argument", "symbol"),
        ("get_market_data", json!({ "symbol": { "a": 1 } }), "invalid_argument", "symbol"),
        ("get_market_data", json!({}), "invalid_argument", "symbol"),
        ("get_market_data", json!({ "symbol": "A", "conid": 1 }), "invalid_argument", "symbol"),
        ("get_market_data", json!({ "conid": 265_598.7 }), "invalid_argument", "conid"),
        ("get_market_data", json!({ "conids": vec![1; 101] }), "invalid_argument", "conids"),
        ("get_positions", json!({ "accountId": "U1\n2" }), "invalid_argument", "accountId"),
        ("get_positions", json!({ "accountId": "../../logout" }), "unknown_account", "accountId"),
        ("get_positions", json!({ "accountId": "U9999999" }), "unknown_account", "accountId"),
        (
            "get_order_status",
            json!({ "orderId": "../../../logout" }),
            "invalid_argument",
            "orderId",
        ),
        ("get_order_status", json!({}), "invalid_argument", "orderId"),
        (
            "search_contracts",
            json!({ "symbol": "A", "secType": "STOCKS" }),
            "invalid_argument",
            "secType",
        ),
    ] {
        let reply = client.call(tool, arguments.clone()).await;
        assert_eq!(reply.error(), error, "{tool} {arguments}: {}", reply.json);
        assert_eq!(reply.json["field"], field, "{tool} {arguments}: {}", reply.json);
        assert!(!reply.json["next"].as_str().unwrap().is_empty());
        assert!(reply.structured.is_none(), "errors have text only");
    }
    assert_eq!(sim.requests().await["count"], before, "nothing of it was asked");
}

/// What a client adds of its own, and what is mistyped: a tool that reads says that it left it out of account.
#[tokio::test]
async fn a_tool_that_reads_names_what_it_does_not_know() {
    let world = World::simulated();
    let mut client = world.client().await;
    for (tool, arguments, name, hint) in [
        ("get_session_status", json!({ "task_progress": "- [x] look" }), "task_progress", "none"),
        ("get_account_info", json!({ "acountId": "DU1234567" }), "acountId", "`accountId`?"),
        ("get_positions", json!({ "sector": "tech" }), "sector", "Fields: accountId"),
    ] {
        let out = client.call(tool, arguments).await.ok();
        let mut warnings = out["warnings"].as_array().unwrap().iter().filter_map(Value::as_str);
        let warning = warnings.find(|warning| warning.contains(&format!("`{name}`"))).unwrap();
        assert!(warning.contains(hint), "{warning}");
        assert!(warning.contains("left out of account"), "{warning}");
    }
    let refused = client.call("get_market_data", json!({ "symbl": "AAPL" })).await;
    let message = refused.json["message"].as_str().unwrap();
    assert!(message.contains("did you mean `symbol`?"), "{message}");
}

/// Our own results use these names, and so do IBKR's endpoints: they mean one thing.
#[tokio::test]
async fn an_order_under_other_names_is_the_same_order() {
    let world = World::simulated();
    let mut client = world.client().await;
    let other = json!({ "ticker": "AAPL", "side": "BUY", "type": "LMT", "limitPrice": "150", "qty": 3.0,
        "account_id": "DU1234567", "time_in_force": "GTC" });
    let out = client.call("preview_order", other).await.ok();
    let own = json!({ "symbol": "AAPL", "action": "BUY", "orderType": "LMT", "price": 150, "quantity": 3,
        "accountId": "DU1234567", "tif": "GTC" });
    let same = client.call("preview_order", own).await.ok();
    assert_eq!(out["order"], same["order"], "{out}");
    let warnings: Vec<&str> =
        out["warnings"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for (name, own) in [
        ("ticker", "symbol"),
        ("side", "action"),
        ("type", "orderType"),
        ("limitPrice", "price"),
        ("qty", "quantity"),
        ("account_id", "accountId"),
        ("time_in_force", "tif"),
    ] {
        let expected = format!("`{name}` was taken as `{own}`.");
        assert!(warnings.contains(&expected.as_str()), "{expected} in {warnings:?}");
    }
    let clash = json!({ "symbol": "AAPL", "action": "BUY", "side": "SELL", "orderType": "MKT",
        "quantity": "1e9", "transmit": true });
    let refused = client.call("place_order", clash).await;
    let message = refused.json["message"].as_str().unwrap();
    for told in ["`side`", "`transmit`", "quantity", "1e9"] {
        assert!(message.contains(told), "all that is wrong at once: {message}");
    }
    assert!(!message.contains("trailingAmount`?"), "{message}");
}

#[tokio::test]
async fn symbols_that_mean_nothing_or_several_things() {
    let world = World::simulated();
    let mut client = world.client().await;
    let unknown = client.call("get_market_data", json!({ "symbol": "NOSUCHX" })).await;
    assert_eq!(unknown.error(), "unknown_symbol");
    let several = client.call("get_market_data", json!({ "symbol": "SAN" })).await;
    assert_eq!(several.error(), "ambiguous_symbol");
    assert_eq!(several.json["candidates"].as_array().unwrap().len(), 2);
    let elsewhere =
        client.call("get_market_data", json!({ "symbol": "AAPL", "exchange": "LSE" })).await;
    assert_eq!(
        (elsewhere.error(), &elsewhere.json["field"]),
        ("unknown_symbol", &json!("exchange"))
    );
    let named =
        client.call("get_market_data", json!({ "symbol": "SAN", "exchange": "SBF" })).await.ok();
    assert_eq!(named["quotes"][0]["name"], "SANOFI");
    let none = client.call("search_contracts", json!({ "symbol": "NOSUCHX" })).await.ok();
    assert_eq!((&none["contracts"], &none["total"]), (&json!([]), &json!(0)));
}

/// What was learnt of a contract by number or name must not blur which listing a symbol means.
#[tokio::test]
async fn a_symbol_means_the_same_whatever_was_asked_before() {
    let world = World::simulated();
    let mut client = world.client().await;
    client.call("get_market_data", json!({ "conids": [265_598, 38_708_077] })).await.ok();
    client.call("search_contracts", json!({ "query": "apple" })).await.ok();
    let quotes = client.call("get_market_data", json!({ "symbol": "AAPL" })).await.ok();
    assert_eq!(quotes["quotes"][0]["conid"], 265_598, "{quotes}");
}

/// Models send numbers as strings and lists as text; the original's arguments are taken as they are.
#[tokio::test]
async fn what_clients_really_send_is_understood() {
    let world = World::simulated();
    let mut client = world.client().await;
    for (tool, arguments) in [
        ("get_account_info", json!({ "confirm": true })),
        ("get_order_status", json!({ "orderId": "1234567890" })),
        ("get_market_data", json!({ "conid": "265598" })),
        ("get_market_data", json!({ "symbols": "[\"AAPL\",\"MSFT\"]" })),
        ("get_market_data", json!({ "symbols": "AAPL,MSFT" })),
        ("get_market_data", json!({ "symbol": 700, "exchange": "SEHK" })),
        ("get_positions", json!({ "accountId": null, "limit": "5" })),
        ("get_positions", json!({ "accountId": "", "symbol": "", "limit": 7.0 })),
    ] {
        let reply = client.call(tool, arguments.clone()).await;
        assert!(!reply.is_error, "{tool} {arguments}: {}", reply.json);
    }
}

#[tokio::test]
async fn an_unknown_tool_is_a_protocol_error() {
    let world = World::simulated();
    let mut client = world.client().await;
    let answer =
        client.request("tools/call", json!({ "name": "buy_everything", "arguments": {} })).await;
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
}

#[tokio::test]
async fn garbage_on_stdin_is_answered_and_survived() {
    let world = World::simulated();
    let mut client = world.client().await;
    client.send_bytes(b"{\"jsonrpc\":\"2.0\",\"id\":\n").await;
    let answer = client.next_answer().await;
    assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32700), &Value::Null));
    client.send_bytes(b"[1,2,3]\n\n\xff\xfe garbage\n").await;
    assert_eq!(client.next_answer().await["error"]["code"], -32600);
    assert_eq!(client.next_answer().await["error"]["code"], -32700);
    client.call("get_session_status", json!({})).await.ok();
}

#[tokio::test]
async fn what_is_too_long_is_refused_with_its_id() {
    let world = World::simulated();
    let mut client = world.client().await;
    let long = "A".repeat(10 << 20);
    let reply = client.call("get_market_data", json!({ "symbol": long })).await;
    assert_eq!(reply.error(), "invalid_argument");
    assert!(reply.json["message"].as_str().unwrap().contains("bytes"), "{}", reply.json);

    let head = br#"{"jsonrpc":"2.0","id":77,"method":"tools/call","params":{"name":"x","arguments":{"a":""#;
    client.send_bytes(head).await;
    for _ in 0..17 {
        client.send_bytes(&[b'x'; 1 << 20]).await;
    }
    client.send_bytes(b"\"}}}\n").await;
    let answer = client.next_answer().await;
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(77), &json!(-32600)));
    client.call("get_session_status", json!({})).await.ok();
}

#[tokio::test]
async fn a_bad_variable_leaves_the_shim_up_and_every_call_says_so() {
    // One whose name is mistyped would protect nobody.
    for (name, value) in [("IB_PAPER_TRADING", "maybe"), ("IB_READONLY", "true")] {
        let world = World::simulated().with(name, value);
        let mut client = world.client().await;
        assert_eq!(client.tools().await.len(), ibd_tests::tools(), "the golden list");
        for _ in 0..2 {
            let reply = client.call("get_positions", json!({})).await;
            assert_eq!((reply.error(), &reply.json["field"]), ("bad_configuration", &json!(name)));
        }
        assert_eq!(world.daemon_pid().await, None, "no daemon is started for a broken client");
    }
}

#[tokio::test]
async fn a_bad_flag_ends_with_2_and_a_word() {
    let world = World::empty();
    for program in ["ib-mcp", "ibd"] {
        // Without a place to listen a certificate is for nothing.
        let http = if program == "ibd" { "--http" } else { "--cert=x" };
        for flag in ["--ib-paper-tradin", http, "--ib-gateway-port=0"] {
            let output = world.command(program).arg(flag).output().await.unwrap();
            assert_eq!(output.status.code(), Some(2), "{program} {flag}");
            assert!(!output.stderr.is_empty());
            let is_quiet = program == "ibd" || output.stdout.is_empty();
            assert!(is_quiet, "stdout belongs to MCP");
        }
    }
    for program in ["ib-mcp", "ibd", "ibctl", "ib-sim"] {
        for flag in ["--version", "--help"] {
            let output = world.command(program).arg(flag).output().await.unwrap();
            assert_eq!(output.status.code(), Some(0), "{program} {flag}");
            assert!(!output.stdout.is_empty());
        }
    }
}

#[tokio::test]
async fn a_bad_config_file_is_told_to_every_client() {
    let world = World::simulated();
    world.configure("papertrading = true\n");
    let mut client = world.client().await;
    assert_eq!(client.tools().await.len(), ibd_tests::tools());
    let reply = client.call("get_positions", json!({})).await;
    assert_eq!(reply.error(), "daemon_unavailable");
    let message = reply.json["message"].as_str().unwrap();
    assert!(message.contains("papertrading") && message.contains("paper_trading"), "{message}");
    // Corrected, the next call works over the same shim.
    world.configure("paper_trading = true\n");
    client.call("get_positions", json!({})).await.ok();
}

/// Options and futures are quoted by what people call them, and what there is none of is said with what there is.
#[tokio::test]
async fn options_and_futures_are_quoted_by_their_parts() {
    let world = World::simulated();
    let mut client = world.client().await;
    let option = json!({ "symbol": "AAPL", "strike": 270, "right": "call" });
    let month = option_month(1);
    let [plain, dashed] = month.in_digits();
    for expiry in [month.code(), plain, dashed, month.day()] {
        let mut named = option.clone();
        named["expiry"] = json!(expiry);
        let quotes = client.call("get_market_data", named).await.ok();
        let conid = 700_000_108 + 1_000 * month.number();
        assert_eq!(quotes["quotes"][0]["conid"], conid, "{expiry}: {quotes}");
        assert!(quotes["quotes"][0]["delta"].is_number(), "{quotes}");
    }
    let future = json!({ "symbol": "ES", "expiry": quarter().code() });
    let quotes = client.call("get_market_data", future).await.ok();
    assert_eq!(quotes["quotes"][0]["secType"], "FUT", "{quotes}");
    for (wrong, error, field) in [
        (
            json!({ "strike": 271, "right": "C", "expiry": month.code() }),
            "unknown_symbol",
            "strike",
        ),
        (json!({ "strike": 270, "right": "C" }), "invalid_argument", "expiry"),
        (json!({ "expiry": "JAN20", "strike": 270, "right": "C" }), "invalid_argument", "expiry"),
        (json!({ "expiry": "soon", "strike": 270, "right": "C" }), "invalid_argument", "expiry"),
        (
            json!({ "expiry": month.code(), "strike": 270, "right": "X" }),
            "invalid_argument",
            "right",
        ),
    ] {
        let mut named = wrong.clone();
        named["symbol"] = json!("AAPL");
        let refused = client.call("get_market_data", named).await;
        assert_eq!(
            (refused.error(), refused.json["field"].as_str()),
            (error, Some(field)),
            "{wrong}"
        );
    }
    let several = json!({ "symbols": ["AAPL", "MSFT"], "strike": 270 });
    let refused = client.call("get_market_data", several).await;
    assert_eq!(refused.json["field"], "strike", "{}", refused.json);
}
