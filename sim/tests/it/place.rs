//! What the broker takes, and what it does not.

use serde_json::{Value, json};

use crate::harness::World;
use crate::tickets::{ORDERS, ticket};

async fn refused(world: &World, changes: Value, status: u16, text: &str) {
    let answer = world.send(&[ticket(changes.clone())]).await;
    assert_eq!(answer.status, status, "{changes}: {}", answer.text);
    let error = answer.json()["error"].as_str().unwrap_or_default().to_owned();
    assert!(error.contains(text), "{changes}: {error}");
}

#[tokio::test]
async fn nothing_is_taken_before_the_accounts_were_asked_for() {
    let world = World::start(r#"{"pacing":false}"#).await;
    let answer = world.send(&[ticket(json!({}))]).await;
    assert_eq!(
        (answer.status, &answer.json()["error"]),
        (400, &json!("Bad Request: Please query /accounts first"))
    );
    assert_eq!(world.placements().await["count"], 0);
}

#[tokio::test]
async fn every_ticket_needs_its_fields_and_nothing_in_a_wrong_type() {
    let world = World::quick().await;
    for field in ["conid", "orderType", "side", "tif", "quantity", "price"] {
        refused(&world, json!({ field: null }), 400, &format!("{field} is required")).await;
    }
    for (field, value) in
        [("price", json!("265")), ("quantity", json!("5")), ("outsideRTH", json!("true"))]
    {
        refused(&world, json!({ field: value }), 500, field).await;
    }
    let mut with_null = ticket(json!({}));
    with_null["cOID"] = Value::Null;
    assert_eq!(world.send(&[with_null]).await.status, 400);
    refused(&world, json!({ "outsideRth": true }), 400, "unknown field outsideRth").await;
    refused(&world, json!({ "acctId": "U7654321" }), 400, "accountId is not valid: U7654321").await;
    refused(&world, json!({ "conid": 1 }), 500, "not found").await;
    refused(&world, json!({ "conid": 416904 }), 200, "not tradable").await;
    let elsewhere = world.post("/iserver/account/U7654321/orders", json!({ "orders": [] })).await;
    assert_eq!(elsewhere.status, 400);
    assert_eq!(world.post(ORDERS, json!({})).await.status, 400);
    assert_eq!(world.placements().await["count"], 0);
}

#[tokio::test]
async fn each_type_has_its_prices_in_their_own_fields() {
    let world = World::quick().await;
    let sell = |more: Value| {
        let mut changes = json!({ "side": "SELL", "price": null });
        changes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        changes
    };
    let wrong = [
        (sell(json!({ "orderType": "STP", "auxPrice": 260.0 })), "price is required"),
        (sell(json!({ "orderType": "STOP_LIMIT", "price": 259.0 })), "auxPrice is required"),
        (sell(json!({ "orderType": "TRAIL", "trailingType": "amt" })), "trailingAmt is required"),
        (sell(json!({ "orderType": "TRAIL", "trailingAmt": 2.0 })), "trailingType is required"),
        (sell(json!({ "orderType": "LOC" })), "orderType is not valid"),
    ];
    for (changes, text) in wrong {
        refused(&world, changes, 400, text).await;
    }
    let right = [
        json!({ "orderType": "STP", "price": 260.0 }),
        json!({ "orderType": "STOP_LIMIT", "price": 259.0, "auxPrice": 260.0 }),
        json!({ "orderType": "TRAIL", "trailingAmt": 2.0, "trailingType": "%" }),
        json!({ "orderType": "TRAILLMT", "price": 259.0, "auxPrice": 260.0, "trailingAmt": 2.0, "trailingType": "amt" }),
        json!({ "orderType": "MIDPRICE" }),
        json!({ "orderType": "MKT" }),
    ];
    for more in right {
        world.accepted(&[ticket(sell(more))]).await;
    }
}

#[tokio::test]
async fn prices_lie_on_ticks_and_sizes_above_zero() {
    let world = World::quick().await;
    let tick = "The price 123.4567 does not conform to the minimum price variation of 0.01 for this instrument.";
    refused(&world, json!({ "price": 123.4567 }), 500, tick).await;
    let size = "Order size 0 is not valid. Please enter size greater than 0.";
    refused(&world, json!({ "quantity": 0 }), 500, size).await;
    refused(&world, json!({ "price": 500.0 }), 200, "We cannot accept an order at the limit price")
        .await;
    refused(&world, json!({ "quantity": 100_000 }), 200, "MUST EXCEED THE INITIAL MARGIN").await;
}

#[tokio::test]
async fn futures_need_to_know_whether_a_person_decided() {
    let world = World::quick().await;
    let futures = world.json("/trsrv/futures?symbols=ES").await;
    let conid = futures["ES"][0]["conid"].clone();
    let future = |more: Value| {
        let mut changes =
            json!({ "conid": conid, "quantity": 1, "orderType": "MKT", "price": null });
        changes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        changes
    };
    refused(&world, future(json!({})), 400, "manualIndicator is required").await;
    let id = world.accepted(&[ticket(future(json!({ "manualIndicator": false })))]).await;
    world.until(id, "Filled").await;
}

#[tokio::test]
async fn a_client_id_is_taken_once_in_a_day_unless_dedupe_is_off() {
    let world = World::quick().await;
    let mine = || [ticket(json!({ "cOID": "mine" }))];
    world.accepted(&mine()).await;
    let again = world.send(&mine()).await;
    let text = "Order couldn't be submitted: Local order ID=mine is already registered.";
    assert_eq!((again.status, &again.json()), (200, &json!({ "error": text })));
    world.tell("/clock", json!({ "advanceSeconds": 3 * 3600 })).await;
    world.session("login").await;
    assert_eq!(world.placements().await["count"], 1);
    let careless = World::start(r#"{"pacing":false,"questions":false,"dedupe":false}"#).await;
    careless.prime().await;
    careless.accepted(&mine()).await;
    careless.accepted(&mine()).await;
    assert_eq!(careless.placements().await["count"], 2);
}

#[tokio::test]
async fn contracts_may_be_routed_or_combined() {
    let world = World::quick().await;
    let routed = |conidex: &str| json!({ "conid": null, "conidex": conidex });
    let id = world.accepted(&[ticket(routed("265598@NYSE"))]).await;
    let status = world.json(&format!("/iserver/account/order/status/{id}")).await;
    assert_eq!(status["conidex"], "265598@NYSE");
    refused(&world, routed("265598@MOON"), 200, "Invalid destination exchange").await;
    let mut pair = routed("28812380;;;265598/1,8314/-1");
    pair["orderType"] = json!("MKT");
    pair["price"] = Value::Null;
    let id = world.accepted(&[ticket(pair)]).await;
    world.until(id, "Filled").await;
    let trades = world.trades().await;
    let legs: Vec<&Value> =
        trades.iter().filter(|t| t["order_id"] == id).map(|t| &t["side"]).collect();
    assert_eq!(legs, ["B", "S"]);
    refused(&world, routed("61227087;;;265598/1,8314/-1"), 400, "conidex is not valid").await;
    refused(&world, routed("28812380;;;265598/1"), 400, "conidex is not valid").await;
}

#[tokio::test]
async fn only_brackets_and_groups_go_together() {
    let world = World::quick().await;
    let parent = ticket(json!({ "cOID": "parent" }));
    let child = ticket(json!({ "parentId": "parent", "side": "SELL", "price": 280.0 }));
    let unrelated = world.send(&[parent.clone(), ticket(json!({}))]).await;
    assert_eq!(unrelated.status, 400);
    let mut named = child.clone();
    named["cOID"] = json!("child");
    assert_eq!(world.send(&[parent.clone(), named]).await.status, 400);
    assert_eq!(world.send(&[ticket(json!({ "parentId": "nobody" }))]).await.status, 400);
    assert_eq!(world.send(&[parent, child.clone()]).await.json().as_array().unwrap().len(), 2);
    let later = world.accepted(&[child]).await;
    assert!(world.order(later).await["parentId"].is_i64(), "a child may come later");
}

#[tokio::test]
async fn money_buys_whole_shares() {
    let world = World::quick().await;
    let cash = json!({ "quantity": null, "cashQty": 1000.0, "orderType": "MKT", "price": null });
    let id = world.accepted(&[ticket(cash)]).await;
    assert_eq!(world.order(id).await["quantity"], 3.0);
}

#[tokio::test]
async fn a_preview_changes_nothing_and_says_what_is_missing() {
    let world = World::start(r#"{"pacing":false,"whatifMillis":0}"#).await;
    world.prime().await;
    let ask =
        |quantity: u32| json!({ "orders": [ticket(json!({ "quantity": quantity, "cOID": "p" }))] });
    let path = format!("{ORDERS}/whatif");
    let blind = world.post(&path, ask(10)).await.json();
    assert!(blind["warn"].as_str().unwrap().starts_with("21/"), "nobody asked for quotes");
    world.json("/iserver/marketdata/snapshot?conids=265598&fields=31").await;
    let seen = world.post(&path, ask(10)).await.json();
    assert_eq!(seen["amount"]["amount"], "2,650.00 USD (10 Shares)");
    assert_eq!((&seen["warn"], &seen["position"]["after"]), (&Value::Null, &json!("20")));
    let blocked = world.post(&path, ask(100_000)).await.json();
    assert!(blocked["error"].as_str().unwrap().contains("Cash needed for this order"));
    assert_eq!(blocked["equity"], Value::Null);
    assert_eq!(world.post(&path, ask(0)).await.status, 500);
    assert_eq!(world.placements().await["count"], 0);
    let id = world.send(&[ticket(json!({ "cOID": "p" }))]).await;
    assert!(id.json()[0]["order_id"].is_string(), "the client id is still free");
}
