//! A person at TWS changes, cancels and places orders beside the client.

use serde_json::{Value, json};

use crate::feeds::{row, row_of_tic, subscribed};
use crate::harness::World;
use crate::tickets::{ACCOUNT, FIRST, ticket};

async fn refused(world: &World, body: Value, text: &str) {
    let answer = world.control("/tws", Some(body)).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert!(answer.text.contains(text), "{}", answer.text);
}

#[tokio::test]
async fn an_order_is_changed_at_once_and_everywhere() {
    let world = World::quick().await;
    let id = world.accepted(&[ticket(json!({ "cOID": "mine", "quantity": 500 }))]).await;
    world.until(id, "Submitted").await;
    let mut socket = subscribed(&world, "sor+{}").await;
    row_of_tic(&mut socket).await;
    let body =
        json!({ "cOID": "mine", "quantity": 10, "price": 141.0, "tif": "GTC", "outsideRTH": true });
    let order = world.tell("/tws", body).await;
    assert_eq!(
        (&order["orderId"], &order["quantity"], &order["price"], &order["status"]),
        (&json!(id), &json!(10.0), &json!(141.0), &json!("Submitted"))
    );
    assert_eq!((&order["tif"], &order["outsideRTH"]), (&json!("GTC"), &json!(true)));
    let pushed = row(&mut socket, "sor").await;
    assert_eq!((&pushed["totalSize"], &pushed["price"]), (&json!(10.0), &json!("141.00")));
    let page = world.json(&format!("/iserver/account/order/status/{id}")).await;
    assert_eq!((&page["total_size"], &page["tif"]), (&json!("10.0"), &json!("GTC")));
    world.market(140.0).await;
    world.until(id, "Filled").await;
    refused(&world, json!({ "orderId": id, "quantity": 11 }), "no such open order").await;
}

#[tokio::test]
async fn stops_and_trails_are_changed_in_their_own_fields() {
    let world = World::quick().await;
    let stop = ticket(json!({ "side": "SELL", "orderType": "STP", "price": 250.0 }));
    let id = world.accepted(&[stop]).await;
    let order = world.tell("/tws", json!({ "orderId": id, "stopPrice": 255.0 })).await;
    assert_eq!(
        (&order["type"], &order["stopPrice"], &order["price"]),
        (&json!("STP"), &json!(255.0), &Value::Null)
    );
    refused(&world, json!({ "orderId": id, "price": 255.0 }), "has no limit price").await;
    let trail = json!({ "side": "SELL", "orderType": "TRAIL", "price": 250.0, "trailingAmt": 2.0, "trailingType": "%" });
    let id = world.accepted(&[ticket(trail)]).await;
    let order = world.tell("/tws", json!({ "orderId": id, "trailingAmt": 3.0 })).await;
    assert_eq!(order["trail"], json!({ "amount": 3.0, "unit": "%" }));
}

#[tokio::test]
async fn an_order_is_cancelled_at_once() {
    let world = World::quick().await;
    let id = world.accepted(&[ticket(json!({}))]).await;
    let order = world.tell("/tws", json!({ "orderId": id, "cancel": true })).await;
    assert_eq!(order["status"], "Cancelled");
    refused(&world, json!({ "orderId": id, "cancel": true }), "no such open order").await;
    refused(&world, json!({ "orderId": FIRST }), "something to change").await;
}

#[tokio::test]
async fn an_order_may_be_entered_under_a_name_that_the_client_uses() {
    let world = World::quick().await;
    let entry = json!({ "account": ACCOUNT, "symbol": "AAPL", "side": "BUY", "quantity": 2, "type": "LMT", "price": 260.0, "cOID": "mine" });
    let entered = world.tell("/tws", json!({ "place": entry })).await;
    assert_eq!((&entered["cOID"], &entered["tif"]), (&json!("mine"), &json!("DAY")));
    let own = world.accepted(&[ticket(json!({ "cOID": "mine" }))]).await;
    assert_ne!(entered["orderId"], own, "its name takes no client id");
    world.tell("/tws", json!({ "place": entry })).await;
    let placed = world.placements().await;
    let by: Vec<&Value> =
        placed["placements"].as_array().unwrap().iter().map(|row| &row["by"]).collect();
    assert_eq!(by, ["tws", "api", "tws"]);
    world.json("/iserver/account/orders").await;
    let list = world.json("/iserver/account/orders").await;
    let rows = list["orders"].as_array().unwrap();
    assert_eq!(rows.iter().filter(|row| row["order_ref"] == "mine").count(), 3);
    let lacks = json!({ "symbol": "AAPL", "side": "BUY", "quantity": 2, "type": "LMT" });
    refused(&world, json!({ "place": lacks }), "price is missing").await;
    let odd = json!({ "symbol": "AAPL", "side": "buy", "quantity": 2, "type": "MKT" });
    refused(&world, json!({ "place": odd }), "BUY").await;
}

#[tokio::test]
async fn an_order_that_was_over_works_again() {
    let world = World::quick().await;
    let id = world.accepted(&[ticket(json!({}))]).await;
    let early = world.control("/revive", Some(json!({ "orderId": id }))).await;
    assert_eq!(early.status, 400, "it is not over");
    world.delete(&format!("/iserver/account/{ACCOUNT}/order/{id}")).await;
    world.until(id, "Cancelled").await;
    let order = world.tell("/revive", json!({ "orderId": id })).await;
    assert_eq!(order["status"], "Submitted");
    world.market(264.0).await;
    world.until(id, "Filled").await;
    let filled = world.control("/revive", Some(json!({ "orderId": id }))).await;
    assert_eq!(filled.status, 400, "nothing is left of it");
}

#[tokio::test]
async fn a_cancelled_order_may_fill_late_and_in_silence() {
    let world = World::quick().await;
    let id = world.accepted(&[ticket(json!({ "cOID": "late" }))]).await;
    world.tell("/tws", json!({ "orderId": id, "cancel": true })).await;
    let mut socket = subscribed(&world, "sor+{}").await;
    row_of_tic(&mut socket).await;
    let part = world.tell("/fill", json!({ "orderId": id, "quantity": 2, "silent": true })).await;
    assert_eq!((&part["status"], &part["filled"]), (&json!("Cancelled"), &json!(2.0)));
    let page = world.json(&format!("/iserver/account/order/status/{id}")).await;
    assert_eq!(page["cum_fill"], "2.0");
    world.json("/iserver/account/orders").await;
    let list = world.json("/iserver/account/orders").await;
    let listed = list["orders"].as_array().unwrap().iter().find(|row| row["orderId"] == id);
    assert_eq!(listed.unwrap()["filledQuantity"], 2.0);
    assert!(world.trades().await.iter().any(|trade| trade["order_id"] == id));
    world.tell("/fill", json!({ "cOID": "late" })).await;
    let told = row(&mut socket, "sor").await;
    assert_eq!((&told["filledQuantity"], &told["status"]), (&json!(5.0), &json!("Filled")));
    let more = world.control("/fill", Some(json!({ "orderId": id }))).await;
    assert_eq!(more.status, 400);
}
