//! Reading orders and trades.

use serde_json::{Value, json};

use crate::harness::World;

const SCENARIO: &str = r#"{"pacing":false,"orderStatusMissMillis":10,
    "accounts":[{"id":"DU1"},{"id":"DU2"}],
    "orders":[
        {"symbol":"AAPL","side":"BUY","quantity":1,"type":"LMT","price":100,"cOID":"mine"},
        {"account":"DU2","symbol":"SAP","side":"SELL","quantity":2,"type":"STP","stopPrice":190.5,"tif":"GTC"},
        {"account":"DU2","symbol":"IBM","side":"SELL","quantity":3,"type":"MKT","filled":3,"price":300,"status":"Filled"}]}"#;

async fn symbols(world: &World, query: &str) -> Vec<Value> {
    let list = world.json(&format!("/iserver/account/orders{query}")).await;
    list["orders"].as_array().unwrap().iter().map(|row| row["ticker"].clone()).collect()
}

#[tokio::test]
async fn the_feed_is_cold_at_first_and_after_force() {
    let world = World::start(SCENARIO).await;
    world.prime().await;
    assert!(symbols(&world, "").await.is_empty());
    world.advance(2).await;
    assert_eq!(symbols(&world, "").await, ["AAPL"]);
    assert!(symbols(&world, "?force=true").await.is_empty(), "force itself shows nothing");
    assert!(symbols(&world, "").await.is_empty(), "and cools the feed");
    world.advance(2).await;
    assert_eq!(symbols(&world, "").await, ["AAPL"]);
}

#[tokio::test]
async fn the_list_follows_the_selected_account_unless_told_otherwise() {
    let world = World::start(SCENARIO).await;
    world.prime().await;
    symbols(&world, "").await;
    world.advance(2).await;
    assert_eq!(symbols(&world, "?accountId=DU2").await, ["SAP", "IBM"]);
    assert_eq!(world.get("/iserver/account/orders?accountId=DU9").await.status, 400);
    world.post("/iserver/account", json!({ "acctId": "DU2" })).await;
    assert_eq!(symbols(&world, "").await, ["SAP", "IBM"]);
}

#[tokio::test]
async fn filters_are_in_snake_case_or_a_500_without_a_body() {
    let world = World::start(SCENARIO).await;
    world.prime().await;
    symbols(&world, "").await;
    world.advance(2).await;
    assert_eq!(symbols(&world, "?accountId=DU2&filters=filled").await, ["IBM"]);
    let camel = world.get("/iserver/account/orders?filters=PreSubmitted").await;
    assert_eq!((camel.status, camel.text.as_str()), (500, ""));
}

#[tokio::test]
async fn a_status_is_only_found_in_the_selected_account() {
    let world = World::start(SCENARIO).await;
    world.prime().await;
    let found = world.json("/iserver/account/order/status/1234567890").await;
    assert_eq!(
        (&found["side"], &found["order_description"]),
        (&json!("B"), &json!("Buy 1 Limit 100.00, Day"))
    );
    let other = world.get("/iserver/account/order/status/1234567891").await;
    assert_eq!(other.json()["error"], "Order 1234567891 is not found");
}

#[tokio::test]
async fn trades_are_empty_once_and_then_of_the_selected_account() {
    let world = World::start(SCENARIO).await;
    world.prime().await;
    world.post("/iserver/account", json!({ "acctId": "DU2" })).await;
    assert_eq!(world.json("/iserver/account/trades").await, json!([]));
    let trades = world.json("/iserver/account/trades?days=7").await;
    assert_eq!((&trades[0]["symbol"], &trades[0]["side"]), (&json!("IBM"), &json!("S")));
    assert_eq!(world.get("/iserver/account/trades?days=8").await.status, 400);
}
