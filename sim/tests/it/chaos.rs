//! Faults around orders: asked for one by one, and by chance.

use serde_json::{Value, json};

use crate::harness::World;
use crate::tickets::{ORDERS, ticket};

async fn try_send(world: &World, client_id: &str) -> Option<crate::harness::Answer> {
    let body = json!({ "orders": [ticket(json!({ "cOID": client_id }))] });
    world.raw(&crate::harness::request("POST", &format!("/v1/api{ORDERS}"), Some(&body))).await
}

#[tokio::test]
async fn an_order_may_be_carried_out_though_the_answer_is_lost() {
    let world = World::quick().await;
    world.tell("/fault", json!({ "match": "/orders", "mode": "accept_drop" })).await;
    assert!(try_send(&world, "dropped").await.is_none());
    world.tell("/fault", json!({ "match": "/orders", "mode": "accept_status" })).await;
    assert_eq!(try_send(&world, "hidden").await.unwrap().status, 503);
    world
        .tell(
            "/fault",
            json!({ "match": "/orders", "mode": "accept_status", "status": 200, "body": "" }),
        )
        .await;
    assert_eq!(try_send(&world, "empty").await.unwrap().text, "");
    assert_eq!(world.placements().await["count"], 3);
    world.tell("/fault", json!({ "match": "/orders", "mode": "drop" })).await;
    assert!(try_send(&world, "never").await.is_none());
    assert_eq!(world.placements().await["count"], 3);
}

#[tokio::test]
async fn replies_changes_and_cancellations_go_wrong_as_asked() {
    let world = World::start(r#"{"pacing":false,"submitMillis":0,"cancelMillis":0}"#).await;
    world.prime().await;
    world.tell("/fault", json!({ "match": "/reply/", "mode": "accept_status" })).await;
    let id = world.questioned(json!({ "price": 150.0 })).await;
    assert_eq!(world.reply(&id, true).await.status, 503);
    assert_eq!(world.placements().await["count"], 1);
    let order = world.placements().await["placements"][0]["orderId"].as_i64().unwrap();
    let fault = json!({ "match": "/order/", "method": "DELETE", "mode": "accept_status" });
    world.tell("/fault", fault).await;
    let path = format!("/iserver/account/DU1234567/order/{order}");
    assert_eq!(world.delete(&path).await.status, 503);
    world.until(order, "Cancelled").await;
}

#[tokio::test]
async fn an_order_may_arrive_when_nobody_expects_it_any_more() {
    let world = World::quick().await;
    let late = json!({ "match": "/orders", "method": "POST", "mode": "late", "delayMs": 5000 });
    world.tell("/fault", late).await;
    assert!(try_send(&world, "late").await.is_none());
    assert_eq!(world.placements().await["count"], 0);
    world.advance(5).await;
    assert_eq!(world.placements().await["placements"][0]["cOID"], "late");
}

#[tokio::test]
async fn a_fault_may_let_some_requests_through_first() {
    let world = World::quick().await;
    world.tell("/fault", json!({ "match": "/orders", "mode": "drop", "skip": 2 })).await;
    for name in ["a", "b"] {
        assert_eq!(try_send(&world, name).await.unwrap().status, 200);
    }
    assert!(try_send(&world, "c").await.is_none());
    assert_eq!(try_send(&world, "d").await.unwrap().status, 200);
}

/// What came of fifty orders, and what the broker has of them.
async fn campaign(world: &World, seed: u64) -> (Vec<Option<u16>>, Value) {
    world.tell("/reset", json!({})).await;
    world.prime().await;
    let rules = json!({ "seed": seed, "before": 0.2, "after": 0.2, "questions": 0.3, "zombie": 0.5, "stallMs": 1 });
    world.tell("/chaos", rules).await;
    let mut seen = Vec::new();
    for n in 0..50 {
        seen.push(try_send(world, &format!("c{n}")).await.map(|answer| answer.status));
    }
    (seen, world.control("/chaos", None).await.json()["struck"].clone())
}

#[tokio::test]
async fn chance_is_the_same_for_the_same_seed() {
    let world = World::quick().await;
    let first = campaign(&world, 7).await;
    let placed = world.placements().await["placements"].clone();
    assert!(first.0.iter().any(Option::is_none) && first.0.contains(&Some(503)));
    assert!(first.1["before"].as_u64() > Some(0) && first.1["after"].as_u64() > Some(0));
    assert!(first.1["questioned"].as_u64() > Some(0));
    assert_eq!(campaign(&world, 7).await, first);
    let ids = |rows: &Value| -> Vec<Value> {
        rows.as_array().unwrap().iter().map(|row| row["cOID"].clone()).collect()
    };
    assert_eq!(ids(&world.placements().await["placements"])[..10], ids(&placed)[..10]);
    assert_ne!(campaign(&world, 8).await.0, first.0);
    let mut unique = ids(&placed);
    unique.dedup();
    assert_eq!(unique.len(), placed.as_array().unwrap().len(), "no client id twice");
}

#[tokio::test]
async fn a_reset_ends_chance_and_forgets_orders() {
    let world = World::quick().await;
    campaign(&world, 7).await;
    world.tell("/reset", json!({})).await;
    world.prime().await;
    assert_eq!(world.control("/orders", None).await.json()["count"], 5);
    assert_eq!(world.placements().await["count"], 0);
    for n in 0..20 {
        assert_eq!(try_send(&world, &format!("c{n}")).await.unwrap().status, 200);
    }
}
