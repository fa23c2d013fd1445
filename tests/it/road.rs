//! The main road: a client, the shim, the daemon, the gateway, and back.

use ibd_tests::{Reply, Sim, World, until};
use serde_json::{Value, json};

/// An order far below the market.
fn order(price: u32) -> Value {
    json!({ "symbol": "AAPL", "action": "BUY", "orderType": "LMT", "quantity": 1, "price": price })
}

/// Good arguments for a tool: its own example, or what an account that lives needs. `works` is an order that works,
/// `waits` the name of a question that waits.
fn arguments(tool: &Value, works: &Value, waits: &Value) -> Value {
    match tool["name"].as_str().unwrap() {
        "get_flex_query" | "forget_flex_query" => json!({ "queryId": "1001" }),
        "preview_order" => order(210),
        "place_order" => order(220),
        "modify_order" => json!({ "intentId": works, "price": 201 }),
        "wait_for_order" => json!({ "intentId": works, "seconds": 1 }),
        "confirm_order" => json!({ "confirmationId": waits, "accept": false }),
        "cancel_order" => json!({ "orderId": 1_234_567_891 }),
        "create_alert" => json!({ "symbol": "AAPL", "above": 300, "at": "ibd" }),
        "activate_alert" => json!({ "alertId": "ibd-1", "alertActive": 0 }),
        "delete_alert" => json!({ "alertId": "ibd-1" }),
        _ => example(tool),
    }
}

/// The arguments that a tool's description shows; a tool without an example takes none.
fn example(tool: &Value) -> Value {
    let about = tool["description"].as_str().unwrap();
    about.split_once(" Example: ").map_or_else(
        || json!({}),
        |(_, example)| serde_json::from_str(example).unwrap_or_else(|e| panic!("{tool}: {e}")),
    )
}

/// Holds an answer against the tool's own schema.
fn check(tool: &Value, reply: Reply) {
    let name = tool["name"].as_str().unwrap();
    let structured = reply.structured.clone().unwrap_or_else(|| panic!("{name}: {:?}", reply.json));
    assert_eq!(structured, reply.json, "{name}: the text is the same JSON");
    if let Err(error) = jsonschema::validate(&tool["outputSchema"], &structured) {
        panic!("{name}: {error} in {structured}");
    }
    reply.ok();
}

#[tokio::test]
async fn every_tool_answers_by_its_own_schema() {
    let sim = Sim::scenario(json!({ "flex": { "generateMillis": 50, "polls": 1 } })).await;
    let flex = format!("https://127.0.0.1:{}/AccountManagement/FlexWebService", sim.port());
    let world =
        World::attached(&sim).with("IB_FLEX_TOKEN", "sim-flex-token").with("IB_FLEX_URL", &flex);
    let mut client = world.client().await;
    let tools = client.tools().await;
    // There are no answers without a statement.
    until("a statement is there", async || {
        let arguments = json!({ "queryId": "1001" });
        client.call("get_flex_query", arguments).await.ok()["status"] == "ready"
    })
    .await;
    assert_eq!(tools.len(), ibd_tests::tools());
    let works = client.call("place_order", order(200)).await.ok()["intentId"].clone();
    let mut asked = order(230);
    asked["suppressConfirmations"] = json!(false);
    let waits = client.call("place_order", asked).await.ok()["confirmation"]["id"].clone();
    let trades = [
        "place_order",
        "confirm_order",
        "modify_order",
        "cancel_order",
        "forget_flex_query",
        "edit_watchlist",
        "create_alert",
        "activate_alert",
        "delete_alert",
    ];
    for tool in &tools {
        let name = tool["name"].as_str().unwrap();
        let is_destructive = trades.contains(&name);
        let reads = !is_destructive && !["authenticate", "get_flex_query"].contains(&name);
        let hints = &tool["annotations"];
        assert!(
            tool["title"].is_string()
                && hints["readOnlyHint"] == reads
                && hints["destructiveHint"] == is_destructive,
            "{tool}"
        );
        let reply = client.call(name, arguments(tool, &works, &waits)).await;
        check(tool, reply);
    }
    assert_eq!(client.close().await, 0);
}

#[tokio::test]
async fn the_account_is_read_right() {
    let world = World::simulated();
    let mut client = world.client().await;

    let status = client.call("get_session_status", json!({})).await.ok();
    assert_eq!((&status["state"], &status["paper"]), (&json!("ready"), &json!(true)));
    assert_eq!(status["accounts"], json!(["DU1234567"]));

    let info = client.call("get_account_info", json!({})).await.ok();
    let account = &info["accounts"][0];
    assert_eq!(account["account"], "DU1234567");
    assert!(account["netLiquidation"].as_f64().unwrap() > 10_000.0, "{account}");
    assert!(account["dailyPnl"].is_number(), "{account}");
    let currencies: Vec<&str> = account["cash"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["currency"].as_str().unwrap())
        .collect();
    assert!(currencies.contains(&"JPY") && currencies.contains(&"EUR"), "{currencies:?}");

    let positions = client.call("get_positions", json!({})).await.ok();
    let apple = row(&positions, "AAPL");
    assert_eq!(apple["position"], 10);
    assert_eq!(apple["currency"], "USD");
    // The simulator's float carries noise behind the cents; ours does not.
    let price = apple["price"].to_string();
    assert!(price.split('.').nth(1).is_none_or(|cents| cents.len() <= 2), "{price}");
}

/// One row of a table, by its first column, as an object.
fn row(table: &Value, symbol: &str) -> Value {
    let rows = table["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row[0] == symbol).unwrap_or_else(|| panic!("{table}"));
    let cols = table["cols"].as_array().unwrap();
    cols.iter()
        .zip(row.as_array().unwrap())
        .map(|(c, v)| (c.as_str().unwrap().to_owned(), v.clone()))
        .collect()
}

#[tokio::test]
async fn cash_is_told_by_currency_with_its_sum() {
    let world = World::simulated();
    let mut client = world.client().await;
    let ledger = client.call("get_ledger", json!({})).await.ok();
    assert_eq!(ledger["base"], "USD", "{ledger}");
    let euros = row(&ledger, "EUR");
    assert_eq!(euros["cash"], 8000.5);
    // What the currencies are worth at their rates is the sum, to the cent of each rate.
    let number = |value: &Value| value.as_f64().unwrap();
    let rows = ledger["rows"].as_array().unwrap();
    let sum: f64 = rows.iter().map(|row| number(&row[1]) * number(&row[8])).sum();
    assert!((sum - number(&ledger["total"][1])).abs() < 1.0, "{sum} {ledger}");
    assert_eq!(ledger["total"][0], "USD");
}

#[tokio::test]
async fn all_pages_of_positions_are_read() {
    let sim = Sim::scenario(json!({ "extraPositions": 250 })).await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let first = client.call("get_positions", json!({ "limit": 200 })).await.ok();
    let total = first["total"].as_u64().unwrap();
    assert!(total > 250, "{total}");
    let cursor = first["cursor"].clone();
    let rest = client.call("get_positions", json!({ "limit": 200, "cursor": cursor })).await.ok();
    let rows = first["rows"].as_array().unwrap().len() + rest["rows"].as_array().unwrap().len();
    assert_eq!(rows as u64, total);
    assert!(rest.get("cursor").is_none());
}

#[tokio::test]
async fn a_working_stop_is_seen() {
    let world = World::simulated();
    let mut client = world.client().await;
    let orders = client.call("get_live_orders", json!({})).await.ok();
    let orders = orders["orders"].as_array().unwrap();
    let stop = orders.iter().find(|order| order["orderType"] == "STP").unwrap();
    assert_eq!(stop["symbol"], "AAPL");
    assert_eq!((&stop["stopPrice"], &stop["working"]), (&json!(240), &json!(true)));
    let one = client.call("get_order_status", json!({ "orderId": stop["orderId"] })).await.ok();
    assert_eq!((&one["stopPrice"], &one["working"]), (&json!(240), &json!(true)));
}

/// A company is found by its name, and what is not found was looked for.
#[tokio::test]
async fn a_holding_is_found_by_the_company_s_name() {
    let world = World::simulated();
    let mut client = world.client().await;
    let apple = client.call("get_positions", json!({ "symbol": "apple" })).await.ok();
    let rows = apple["rows"].as_array().unwrap();
    assert!(rows.iter().any(|row| row[0] == "AAPL"), "{apple}");
    assert_eq!(apple["total"], rows.len());
    let none = client.call("get_positions", json!({ "symbol": "zzyzx" })).await.ok();
    assert_eq!(none["total"], 0);
    let warning = none["warnings"][0].as_str().unwrap();
    assert!(
        warning.contains("company's name") && warning.contains("search_contracts"),
        "{warning}"
    );
}

/// The feed of a session starts cold and says nothing at first; that is never passed on as the truth.
#[tokio::test]
async fn an_empty_orders_list_is_believed_only_the_second_time() {
    let sim = Sim::scenario(json!({ "ordersWarmMillis": 6000 })).await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let orders = client.call("get_live_orders", json!({})).await.ok();
    assert_eq!(orders["working"], 3, "{orders}");
    let none = Sim::scenario(json!({ "orders": [] })).await;
    let world = World::attached(&none);
    let mut client = world.client().await;
    let orders = client.call("get_live_orders", json!({})).await.ok();
    assert_eq!(orders["orders"], json!([]));
    assert!(none.count("/iserver/account/orders").await >= 3, "force, then two lists");
}

#[tokio::test]
async fn quotes_are_warm_decoded_and_say_what_they_are() {
    let world = World::simulated();
    let mut client = world.client().await;
    let arguments = json!({ "symbols": ["AAPL", "7203", "SMCI", "SAP", "VOD"] });
    let quotes = client.call("get_market_data", arguments).await.ok();
    let quote = |symbol: &str| {
        let all = quotes["quotes"].as_array().unwrap();
        all.iter().find(|q| q["symbol"] == symbol).unwrap_or_else(|| panic!("{quotes}")).clone()
    };
    let apple = quote("AAPL");
    // The daemon knows the hours of its exchange: at night and on a Sunday no price is of now.
    let data = if apple["market"] == "closed" { "frozen" } else { "live" };
    assert!(apple["bid"].is_number() && apple["data"] == data, "{apple}");
    let closed = quote("7203");
    assert_eq!(
        (&closed["lastIs"], &closed["data"]),
        (&json!("priorClose"), &json!("frozen")),
        "{closed}"
    );
    assert_eq!(closed["last"], closed["priorClose"]);
    assert_eq!(quote("SMCI")["lastIs"], "halted");
    assert_eq!(quote("SAP")["data"], "delayed");
    let vod = quote("VOD");
    assert_eq!(vod["data"], "none");
    assert!(
        vod.get("last").is_none()
            && vod["missing"]["last"].as_str().unwrap().contains("subscription")
    );
    // Warm now: the next answer takes one request to the gateway.
}

#[tokio::test]
async fn an_options_greeks_are_waited_for() {
    let world = World::simulated();
    let mut client = world.client().await;
    let positions = client.call("get_positions", json!({ "symbol": "AAPL" })).await.ok();
    let option = positions["rows"].as_array().unwrap().iter().find(|row| row[2] == "OPT").unwrap();
    let quotes = client.call("get_market_data", json!({ "conid": option[1] })).await.ok();
    let quote = &quotes["quotes"][0];
    assert!(quote["delta"].is_number() && quote["iv"].is_number(), "{quote}");
}

#[tokio::test]
async fn a_quote_says_where_its_prices_are_parts_of_the_currency() {
    const SAP: u32 = 14_204;
    let sim = Sim::start().await;
    sim.tell("/secdef", json!({ "conid": SAP, "set": { "currency": "GBP" } })).await;
    sim.tell("/rules", json!({ "conid": SAP, "set": { "priceMagnifier": 100 } })).await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let asked = json!({ "conids": [SAP, 265_598] });
    let quotes = client.call("get_market_data", asked).await.ok();
    assert_eq!(quotes["quotes"][0]["currency"], "GBP", "{quotes}");
    assert_eq!(quotes["quotes"][0]["priceUnit"], "1/100 GBP (pence)", "{quotes}");
    assert_eq!(quotes["quotes"][1]["priceUnit"], Value::Null, "{quotes}");
}

#[tokio::test]
async fn with_several_accounts_none_is_guessed() {
    let sim = Sim::scenario(json!({ "accounts": [
        { "id": "DU1111111", "title": "one", "currency": "USD" },
        { "id": "DU2222222", "title": "two", "currency": "USD" },
    ] }))
    .await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let refused = client.call("get_positions", json!({})).await;
    assert_eq!(refused.error(), "account_needed");
    assert_eq!(refused.json["candidates"], json!(["DU1111111", "DU2222222"]));
    let info = client.call("get_account_info", json!({})).await.ok();
    assert_eq!(info["accounts"].as_array().unwrap().len(), 2, "this one shows all");
    let world = world.with("IB_ACCOUNT", "DU2222222");
    let positions = world.client().await.call("get_positions", json!({})).await.ok();
    assert_eq!(positions["account"], "DU2222222");
}

#[tokio::test]
async fn progress_is_told_and_only_grows() {
    let world = World::simulated();
    let mut client = world.client().await;
    let params = json!({
        "name": "get_market_data",
        "arguments": { "symbols": ["AAPL", "MSFT", "IBM"] },
        "_meta": { "progressToken": "p" },
    });
    client.request("tools/call", params).await;
    let steps: Vec<f64> = client
        .notifications
        .iter()
        .filter(|n| n["method"] == "notifications/progress" && n["params"]["progressToken"] == "p")
        .map(|n| n["params"]["progress"].as_f64().unwrap())
        .collect();
    assert!(!steps.is_empty());
    assert!(steps.windows(2).all(|pair| pair[0] < pair[1]), "{steps:?}");
}
