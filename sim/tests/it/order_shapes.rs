//! The fixtures about orders have the shapes of live replies. Another crate parses the same fixtures.

use serde_json::{Value, json};

use crate::feeds::{row_of_tic, subscribed};
use crate::harness::{Answer, World};
use crate::shape::{assert_shape, fixture};
use crate::socket::{Socket, next};
use crate::tickets::{ACCOUNT, ORDERS, QUICK, ticket};

fn assert_refusal(name: &str, live: &Answer) {
    assert_eq!(json!(live.status), fixture(name)["status"], "{name}: {}", live.text);
    assert_shape(name, &json!({ "status": live.status, "body": live.json() }), &[]);
}

/// A world that asks its questions but does not let anybody wait.
async fn asking() -> World {
    let world = World::start(&QUICK.replace("\"questions\":false", "\"whatifMillis\":0")).await;
    world.prime().await;
    world.market(271.5).await;
    world
}

#[tokio::test]
async fn placements_have_the_shapes_of_their_fixtures() {
    let world = asking().await;
    let mine = || ticket(json!({ "cOID": "my-1" }));
    assert_shape("place_accepted", &world.send(&[mine()]).await.json(), &[]);
    let duplicate = world.send(&[mine()]).await.json();
    assert_eq!(duplicate, fixture("place_duplicate"));
    let question = world.send(&[ticket(json!({ "price": 150.0 }))]).await.json();
    assert_shape("place_question", &question, &[]);
    let id = question[0]["id"].as_str().unwrap();
    assert_eq!(world.reply(id, false).await.json(), fixture("reply_not_confirmed"));
    assert_refusal("error_reply_not_found", &world.reply(id, true).await);
    let market = ticket(json!({ "orderType": "MKT", "price": null }));
    assert_shape("place_question_dialog", &world.send(&[market]).await.json(), &[]);
    assert_shape(
        "place_error",
        &world.send(&[ticket(json!({ "quantity": 99_999 }))]).await.json(),
        &[],
    );
    world.script(json!([{ "rowStatus": "Failed" }, { "prompt": true }])).await;
    assert_shape("place_failed", &world.send(&[ticket(json!({}))]).await.json(), &[]);
    assert_shape("place_prompt", &world.send(&[ticket(json!({}))]).await.json(), &[]);
    let child = ticket(json!({ "parentId": "p", "side": "SELL", "price": 276.0 }));
    let bracket = world.send(&[ticket(json!({ "cOID": "p" })), child]).await;
    assert_shape("place_bracket", &bracket.json(), &[]);
    let suppressed =
        world.post("/iserver/questions/suppress", json!({ "messageIds": ["o163"] })).await;
    assert_eq!(suppressed.json(), fixture("suppress"));
}

#[tokio::test]
async fn refused_tickets_are_answered_like_their_fixtures() {
    let world = asking().await;
    for (name, changes) in [
        ("error_price_tick", json!({ "price": 270.123 })),
        ("error_order_size", json!({ "quantity": 0 })),
        ("error_order_field", json!({ "tif": null })),
    ] {
        assert_refusal(name, &world.send(&[ticket(changes)]).await);
    }
}

#[tokio::test]
async fn previews_have_the_shapes_of_their_fixtures() {
    let world = asking().await;
    let path = format!("{ORDERS}/whatif");
    let ask = |quantity: u32| json!({ "orders": [ticket(json!({ "quantity": quantity }))] });
    assert_shape("whatif_blind", &world.post(&path, ask(5)).await.json(), &[]);
    world.json("/iserver/marketdata/snapshot?conids=265598&fields=31").await;
    assert_shape("whatif", &world.post(&path, ask(10)).await.json(), &[]);
    assert_shape("whatif_blocked", &world.post(&path, ask(99_999)).await.json(), &[]);
}

#[tokio::test]
async fn changes_and_cancellations_have_the_shapes_of_their_fixtures() {
    let world = asking().await;
    let id = world.accepted(&[ticket(json!({}))]).await;
    let path = format!("/iserver/account/{ACCOUNT}/order/{id}");
    assert_shape("modify", &world.post(&path, ticket(json!({ "price": 266.0 }))).await.json(), &[]);
    assert_shape("cancel", &world.delete(&path).await.json(), &[]);
    let nowhere = format!("/iserver/account/{ACCOUNT}/order/1");
    assert_eq!(world.post(&nowhere, ticket(json!({}))).await.json(), fixture("modify_unknown"));
    assert_eq!(world.delete(&nowhere).await.json(), fixture("cancel_unknown"));
    let all = world.delete(&format!("/iserver/account/{ACCOUNT}/order/-1")).await;
    assert_eq!(all.json(), fixture("cancel_all"));
}

#[tokio::test]
async fn what_orders_leave_behind_has_the_shapes_of_its_fixtures() {
    let world =
        World::start(&QUICK.replace("\"commissionMillis\":0", "\"commissionMillis\":9000")).await;
    world.prime().await;
    let filled = world.accepted(&[ticket(json!({ "orderType": "MKT", "price": null }))]).await;
    world.until(filled, "Filled").await;
    let status = world.json(&format!("/iserver/account/order/status/{filled}")).await;
    assert_shape("order_status_filled", &status, &[]);
    let fresh: Vec<Value> =
        world.trades().await.into_iter().filter(|t| t["order_id"] == filled).collect();
    assert_shape("trades_uncharged", &json!(fresh), &[]);
    let child =
        ticket(json!({ "parentId": "p", "side": "SELL", "orderType": "STP", "price": 260.0 }));
    world.accepted(&[ticket(json!({ "cOID": "p" })), child]).await;
    let one = || ticket(json!({ "isSingleGroup": true }));
    world.accepted(&[one(), one()]).await;
    world.script(json!([{ "then": "late_reject" }])).await;
    world.accepted(&[ticket(json!({}))]).await;
    world.json("/iserver/account/orders").await;
    let mut linked = world.json("/iserver/account/orders").await;
    let rows = linked["orders"].as_array_mut().unwrap();
    rows.retain(|row| row["orderId"].as_i64() > Some(filled));
    assert_shape("orders_linked", &linked, &[]);
}

/// The next frame of a topic.
async fn frame(socket: &mut Socket, topic: &str) -> Value {
    loop {
        let frame = next(socket).await.unwrap();
        if frame["topic"] == topic {
            return frame;
        }
    }
}

#[tokio::test]
async fn frames_about_orders_have_the_shapes_of_their_fixtures() {
    let world = World::quick().await;
    let mut socket = subscribed(&world, "sor+{}").await;
    row_of_tic(&mut socket).await;
    let id = world.accepted(&[ticket(json!({ "cOID": "my-1" }))]).await;
    for name in ["ws_sor_full", "ws_sor_mark", "ws_sor_delta", "ws_sor_delta", "ws_sor_submitted"] {
        assert_shape(name, &frame(&mut socket, "sor").await, &[]);
    }
    world.tell("/fill", json!({ "orderId": id, "quantity": 2 })).await;
    assert_shape("ws_sor_fill", &frame(&mut socket, "sor").await, &[]);
    world.tell("/fill", json!({ "orderId": id })).await;
    assert_shape("ws_sor_filled", &frame(&mut socket, "sor").await, &[]);
    world.script(json!([{ "then": "late_reject" }])).await;
    world.accepted(&[ticket(json!({}))]).await;
    for name in ["ws_sor_mark", "ws_sor_delta", "ws_sor_rejected"] {
        let wanted = fixture(name)["args"][0].as_object().unwrap().len();
        let mut live = frame(&mut socket, "sor").await;
        while live["args"][0].as_object().unwrap().len() != wanted {
            live = frame(&mut socket, "sor").await;
        }
        assert_shape(name, &live, &[]);
    }
}

#[tokio::test]
async fn frames_about_executions_and_quotes_have_the_shapes_of_their_fixtures() {
    let world =
        World::start(&QUICK.replace("\"commissionMillis\":0", "\"commissionMillis\":900")).await;
    world.prime().await;
    world.market(271.5).await;
    let mut socket = subscribed(&world, r#"str+{"realtimeUpdatesOnly":true,"days":1}"#).await;
    assert_eq!(frame(&mut socket, "str").await, fixture("ws_str_begin"));
    world.accepted(&[ticket(json!({ "orderType": "MKT", "price": null }))]).await;
    assert_shape("ws_str_uncharged", &frame(&mut socket, "str").await, &[]);
    world.advance(1).await;
    assert_shape("ws_str", &frame(&mut socket, "str").await, &[]);
    let mut quotes = subscribed(&world, r#"smd+265598+{"fields":["31","84","86"]}"#).await;
    assert_shape("ws_smd", &frame(&mut quotes, "smd+265598").await, &[]);
    world.market(271.6).await;
    let delta = frame(&mut quotes, "smd+265598").await;
    assert!(delta.get("6509").is_none() && fixture("ws_smd_delta").get("31").is_some());
}
