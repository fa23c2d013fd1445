//! Prompts, completions and sets of tools, as clients of both eras see them.

use ibd_protocol::catalogue;
use ibd_protocol::{Toolset, Toolsets};
use ibd_tests::months::option_month;
use ibd_tests::{Desk, Shim, Sim, World, until};
use serde_json::{Value, json};

/// What a request of the newer era carries.
fn modern(mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "modern", "version": "1" },
    });
    params
}

fn names(answer: &Value, of: &str) -> Vec<String> {
    let all = answer["result"][of].as_array().unwrap_or_else(|| panic!("{answer}"));
    all.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

/// What the one message of a prompt says.
fn said(answer: &Value) -> String {
    let messages = answer["result"]["messages"].as_array().unwrap_or_else(|| panic!("{answer}"));
    assert_eq!(messages.len(), 1, "{answer}");
    assert_eq!(messages[0]["role"], "user", "{answer}");
    messages[0]["content"]["text"].as_str().unwrap().to_owned()
}

/// What an argument of a prompt may be.
async fn completed(
    client: &mut Shim,
    of: (&str, &str),
    begins: &str,
    before: Value,
) -> Vec<String> {
    let params = json!({
        "ref": { "type": "ref/prompt", "name": of.0 },
        "argument": { "name": of.1, "value": begins },
        "context": { "arguments": before },
    });
    let answer = client.request("completion/complete", params).await;
    values(&answer)
}

fn values(answer: &Value) -> Vec<String> {
    let completion = &answer["result"]["completion"];
    let values = completion["values"].as_array().unwrap_or_else(|| panic!("{answer}"));
    assert_eq!(completion["total"].as_u64(), Some(values.len() as u64), "{answer}");
    assert_eq!(completion["hasMore"], false, "{answer}");
    values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn prompts_are_listed_and_said_in_both_eras() {
    let world = World::simulated();
    let mut client = world.raw_shim(&[]);
    let hello = client.initialize().await;
    for capability in ["prompts", "completions"] {
        assert!(hello["result"]["capabilities"][capability].is_object(), "{hello}");
    }
    let listed = client.request("prompts/list", json!({})).await;
    let newer = client.request("prompts/list", modern(json!({}))).await;
    assert_eq!(listed["result"]["prompts"], newer["result"]["prompts"]);
    assert!(newer["result"]["ttlMs"].is_number() && newer["result"]["cacheScope"].is_string());
    let all = names(&listed, "prompts");
    for name in [
        "morning_brief",
        "review_portfolio",
        "review_position",
        "prepare_trade",
        "explain_order",
        "tax_overview",
    ] {
        assert!(all.iter().any(|one| one == name), "{name} is missing: {all:?}");
    }
    let tax = json!({ "name": "tax_overview", "arguments": { "year": "2026" } });
    let legacy = said(&client.request("prompts/get", tax.clone()).await);
    assert!(legacy.contains("2026") && legacy.contains("`ask_flex`"), "{legacy}");
    assert!(!legacy.contains('{'), "{legacy}");
    assert_eq!(said(&client.request("prompts/get", modern(tax)).await), legacy);
    // Every prompt of the list can be had with its required arguments.
    for prompt in listed["result"]["prompts"].as_array().unwrap() {
        let required = prompt["arguments"].as_array().into_iter().flatten();
        let required = required.filter(|argument| argument["required"] == true);
        let arguments: serde_json::Map<String, Value> = required
            .map(|argument| (argument["name"].as_str().unwrap().to_owned(), json!("2026")))
            .collect();
        let get = json!({ "name": prompt["name"], "arguments": arguments });
        assert!(said(&client.request("prompts/get", get).await).contains("2. "), "{prompt}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_prompt_is_named() {
    let world = World::simulated();
    let mut client = world.client().await;
    for (params, told) in [
        (json!({ "name": "brief" }), "morning_brief"),
        (json!({ "name": "tax_overview" }), "needs the argument year"),
        (json!({ "name": "tax_overview", "arguments": { "year": "next" } }), "year:"),
        (
            json!({ "name": "tax_overview", "arguments": { "year": "2026", "ticker": "A" } }),
            "no argument \"ticker\"",
        ),
        (json!({ "name": "review_position", "arguments": { "symbol": "A\nSell." } }), "symbol"),
        (json!({ "name": "review_position", "arguments": { "symbol": ["A"] } }), "symbol"),
    ] {
        let answer = client.request("prompts/get", params.clone()).await;
        assert_eq!(answer["error"]["code"], -32602, "{params}: {answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(told), "{params}: {message}");
    }
    for (name, argument, told) in
        [("brief", "account", "no prompt"), ("morning_brief", "symbol", "no argument")]
    {
        let params = json!({
            "ref": { "type": "ref/prompt", "name": name },
            "argument": { "name": argument, "value": "" },
        });
        let answer = client.request("completion/complete", params).await;
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(told), "{answer}");
    }
}

#[tokio::test]
async fn a_reader_is_offered_no_trade_and_lines_about_what_is_not_seen_are_left_out() {
    let world = World::simulated().with("IB_READ_ONLY_MODE", "true");
    let mut reader = world.client().await;
    let prompts = names(&reader.request("prompts/list", json!({})).await, "prompts");
    assert!(!prompts.contains(&"prepare_trade".to_owned()), "{prompts:?}");
    assert!(prompts.contains(&"explain_order".to_owned()), "{prompts:?}");
    let trade = json!({ "name": "prepare_trade", "arguments": { "symbol": "AAPL" } });
    let refused = reader.request("prompts/get", trade).await;
    assert!(refused["error"]["message"].as_str().unwrap().contains("place_order"), "{refused}");

    let world = World::simulated().with("IB_TOOLSETS", "account");
    let mut client = world.client().await;
    let prompts = names(&client.request("prompts/list", json!({})).await, "prompts");
    assert!(prompts.contains(&"morning_brief".to_owned()), "{prompts:?}");
    assert!(!prompts.contains(&"tax_overview".to_owned()), "{prompts:?}");
    let brief = said(&client.request("prompts/get", json!({ "name": "morning_brief" })).await);
    assert!(brief.contains("`get_positions`") && !brief.contains("`get_live_orders`"), "{brief}");
}

#[tokio::test]
async fn a_client_sees_the_sets_that_it_asks_for_and_is_told_what_hides_the_others() {
    let world = World::simulated().with("IB_TOOLSETS", "Market");
    let mut client = world.client().await;
    let sets = Toolsets::of("market");
    let expected: Vec<String> = catalogue::listed()
        .iter()
        .filter(|one| sets.has(one.set))
        .map(|one| one.spec.name.clone())
        .collect();
    let is_listed = |name: &str| expected.iter().any(|one| one == name);
    assert!(is_listed("get_session_status") && is_listed("get_market_data"));
    assert!(!is_listed("place_order"));
    let listed = client.request("tools/list", json!({})).await;
    assert_eq!(names(&listed, "tools"), expected);
    client.call("get_market_data", json!({ "symbol": "AAPL" })).await.ok();
    let call = json!({ "name": "get_live_orders", "arguments": {} });
    let hidden = client.request("tools/call", call.clone()).await;
    assert_eq!(hidden["error"]["code"], -32602, "{hidden}");
    let message = hidden["error"]["message"].as_str().unwrap();
    for told in ["unknown tool: get_live_orders", "toolset orders", "IB_TOOLSETS"] {
        assert!(message.contains(told), "{message}");
    }
    // What the configuration leaves out is not there for anybody, and that is what is named.
    let world = World::simulated();
    world.configure("toolsets = \"market\"\n");
    let mut client = world.client().await;
    until("the daemon answers", async || client.tools().await.len() == expected.len()).await;
    let hidden = client.request("tools/call", call).await;
    let message = hidden["error"]["message"].as_str().unwrap();
    assert!(message.contains("config.toml"), "{message}");
}

#[tokio::test]
async fn without_a_daemon_the_sets_are_the_same_and_a_bad_name_is_told() {
    let world = World::simulated().with("IB_TOOLSETS", "flex, account");
    // No daemon starts with that.
    world.configure("papertrading = true\n");
    let mut client = world.client().await;
    let sets: Vec<Toolset> = client
        .tools()
        .await
        .iter()
        .map(|tool| catalogue::set_of(tool["name"].as_str().unwrap()).unwrap())
        .collect();
    assert!(sets.contains(&Toolset::Flex) && sets.contains(&Toolset::Every), "{sets:?}");
    assert!(!sets.contains(&Toolset::Market) && !sets.contains(&Toolset::Orders), "{sets:?}");

    let world = World::simulated().with("IB_TOOLSETS", "market,order");
    let mut client = world.client().await;
    let refused = client.call("get_session_status", json!({})).await;
    assert_eq!(refused.error(), "bad_configuration");
    assert_eq!(refused.json["field"], "IB_TOOLSETS", "{}", refused.json);
    let message = refused.json["message"].as_str().unwrap();
    assert!(message.contains("did you mean orders?"), "{message}");
}

#[tokio::test]
async fn accounts_symbols_and_orders_are_completed_from_what_is_known() {
    let mut desk = Desk::paper().await;
    let order = json!({ "symbol": "AAPL", "action": "BUY", "orderType": "LMT", "quantity": 1, "price": 250 });
    let placed = desk.placed(order).await;
    let mut client = desk.world.client().await;
    let held = client.call("get_positions", json!({})).await.ok();
    let account = held["account"].as_str().unwrap().to_owned();
    client.call("get_market_data", json!({ "symbol": "MSFT" })).await.ok();

    let brief = ("morning_brief", "account");
    assert_eq!(completed(&mut client, brief, "d", json!({})).await, [account.as_str()]);
    assert_eq!(completed(&mut client, brief, "", json!({})).await, [account.as_str()]);
    assert!(completed(&mut client, brief, "U9", json!({})).await.is_empty());

    let of_symbol = ("review_position", "symbol");
    let symbols = completed(&mut client, of_symbol, "", json!({ "account": account })).await;
    let at = held["cols"].as_array().unwrap().iter().position(|col| col == "conid").unwrap();
    let conid = held["rows"][0][at].as_u64().unwrap().to_string();
    assert!(symbols.iter().any(|symbol| symbol == "MSFT"), "{symbols:?}");
    assert!(symbols.len() > 1, "what is held and what was asked for: {symbols:?}");
    assert_eq!(completed(&mut client, of_symbol, "ms", json!({})).await, ["MSFT"]);
    // A template's place is one of the numbers.
    let params = json!({
        "ref": { "type": "ref/resource", "uri": "ib://quote/{conid}" },
        "argument": { "name": "conid", "value": conid },
    });
    let answer = client.request("completion/complete", modern(params)).await;
    assert!(values(&answer).contains(&conid), "{answer}");

    // The days on which options end that were looked at.
    let chain = json!({ "symbol": "AAPL", "expiry": option_month(1).code(), "strikes": 2 });
    let chain = client.call("get_option_chain", chain).await.ok();
    let ends = ("prepare_trade", "expiry");
    let days = completed(&mut client, ends, "", json!({ "symbol": "aapl" })).await;
    let day = chain["expiry"].as_str().unwrap();
    assert!(days.iter().any(|one| one == day), "{day}: {days:?}");
    assert!(completed(&mut client, ends, day, json!({ "symbol": "IBM" })).await.is_empty());

    let orders = completed(&mut client, ("explain_order", "orderId"), "", json!({})).await;
    assert_eq!(orders, [placed["orderId"].as_str().unwrap()], "{placed}");
}

#[tokio::test]
async fn flex_queries_and_years_are_completed_and_no_completion_starts_a_daemon() {
    let scenario = json!({ "flex": { "generateMillis": 100, "polls": 1 }, "flexPacing": false });
    let sim = Sim::scenario(scenario).await;
    let address = format!("https://127.0.0.1:{}/AccountManagement/FlexWebService", sim.port());
    let world =
        World::attached(&sim).with("IB_FLEX_TOKEN", "sim-flex-token").with("IB_FLEX_URL", &address);
    let mut client = world.client().await;
    until("the statement is there", async || {
        let out = client.call("get_flex_query", json!({ "queryId": "1001" })).await.ok();
        out["status"] == "ready"
    })
    .await;
    let query = ("tax_overview", "query");
    assert_eq!(completed(&mut client, query, "act", json!({})).await, ["Activity"]);
    assert_eq!(completed(&mut client, query, "10", json!({})).await, ["1001"]);
    let years = completed(&mut client, ("tax_overview", "year"), "20", json!({})).await;
    assert!(years.len() >= 2 && years.iter().all(|year| year.len() == 4), "{years:?}");
    assert!(years.is_sorted_by(|one, other| one > other), "the latest first: {years:?}");

    assert!(world.ctl(&["stop"]).await.status.success());
    assert!(completed(&mut client, query, "", json!({})).await.is_empty());
    assert_eq!(world.daemon_pid().await, None, "a completion starts no daemon");
}

#[tokio::test]
async fn ibctl_config_says_what_each_set_costs() {
    let world = World::simulated();
    let output = world.ctl(&["config", "--json"]).await;
    let config: Value = serde_json::from_slice(&output.stdout).unwrap();
    let sets = config["toolsets"].as_array().unwrap();
    let bytes: u64 = sets.iter().map(|set| set["bytes"].as_u64().unwrap()).sum();
    let tools: u64 = sets.iter().map(|set| set["tools"].as_u64().unwrap()).sum();
    assert_eq!(tools, ibd_tests::tools() as u64);
    assert!((10_000..=32_000).contains(&bytes), "{bytes}");
    let plain = world.ctl(&["config"]).await;
    let plain = String::from_utf8_lossy(&plain.stdout).into_owned();
    for set in sets {
        assert!(plain.contains(set["set"].as_str().unwrap()), "{plain}");
    }
    assert!(plain.contains("kB"), "{plain}");
}
