//! Subscriptions on the websocket: orders, executions, quotes.

use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::World;
use crate::socket::{Socket, connect, next};
use crate::tickets::{ACCOUNT, APPLE, ticket};

/// A socket after its greeting that subscribed to this.
pub(crate) async fn subscribed(world: &World, topic: &str) -> Socket {
    let mut socket = connect(world).await.unwrap();
    for _ in 0..3 {
        next(&mut socket).await.unwrap();
    }
    socket.send(Message::text(topic.to_owned())).await.unwrap();
    // The answer to this comes after the subscription was read.
    socket.send(Message::text("tic")).await.unwrap();
    socket
}

/// The next row of a topic.
pub(crate) async fn row(socket: &mut Socket, topic: &str) -> Value {
    loop {
        let frame = next(socket).await.unwrap();
        if frame["topic"] == topic && frame["args"] != json!([]) {
            return frame["args"][0].clone();
        }
    }
}

#[tokio::test]
async fn an_order_shows_whole_first_and_then_what_changes() {
    let world = World::quick().await;
    let mut socket = subscribed(&world, "sor+{}").await;
    row_of_tic(&mut socket).await;
    let id = world.accepted(&[ticket(json!({ "cOID": "mine" }))]).await;
    let whole = row(&mut socket, "sor").await;
    assert_eq!((&whole["status"], &whole["order_ref"]), (&json!("Inactive"), &json!("mine")));
    assert_eq!(
        (&whole["order_ccp_status"], &whole["fgColor"]),
        (&json!("Pending Submit"), &json!("#AFAFAF"))
    );
    let mark = row(&mut socket, "sor").await;
    assert_eq!(mark.as_object().unwrap().len(), 4);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let delta = row(&mut socket, "sor").await;
        assert_eq!((&delta["orderId"], delta.get("conid")), (&json!(id), None));
        seen.push(delta["status"].as_str().unwrap().to_owned());
    }
    assert_eq!(seen, ["PendingSubmit", "PreSubmitted", "Submitted"]);
    world.tell("/fill", json!({ "cOID": "mine", "quantity": 2 })).await;
    let fill = row(&mut socket, "sor").await;
    assert_eq!((&fill["sizeAndFills"], &fill["avgPrice"]), (&json!("2/5"), &json!("265.00")));
    world.delete(&format!("/iserver/account/{ACCOUNT}/order/{id}")).await;
    let whole = row(&mut socket, "sor").await;
    assert_eq!((&whole["status"], &whole["conid"]), (&json!("PendingCancel"), &json!(APPLE)));
    assert_eq!(row(&mut socket, "sor").await["order_ccp_status"], "Cancelled");
}

pub(crate) async fn row_of_tic(socket: &mut Socket) {
    while next(socket).await.unwrap()["topic"] != "tic" {}
}

#[tokio::test]
async fn a_filtered_list_silences_the_feed_until_it_is_forced() {
    let world = World::quick().await;
    let mut socket = subscribed(&world, "sor+{}").await;
    row_of_tic(&mut socket).await;
    world.json("/iserver/account/orders?filters=submitted").await;
    let silent = world.accepted(&[ticket(json!({}))]).await;
    world.until(silent, "Submitted").await;
    // The feed is read every 50 ms; three answers to this take longer.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    world.json("/iserver/account/orders?force=true").await;
    let heard = world.accepted(&[ticket(json!({}))]).await;
    assert_eq!(row(&mut socket, "sor").await["orderId"], heard);
}

#[tokio::test]
async fn executions_come_as_history_and_then_live_each_twice() {
    let world = World::quick().await;
    let mut socket = subscribed(&world, r#"str+{"days":1}"#).await;
    assert_eq!(next(&mut socket).await.unwrap(), json!({ "topic": "str", "args": [] }));
    assert_eq!(row(&mut socket, "str").await["symbol"], "IBM");
    let id = world.accepted(&[ticket(json!({ "orderType": "MKT", "price": null }))]).await;
    let first = row(&mut socket, "str").await;
    let again = row(&mut socket, "str").await;
    assert_eq!((&first["order_id"], &first["side"]), (&json!(id), &json!("B")));
    assert_eq!(first["execution_id"], again["execution_id"]);
    assert_eq!(again["commission"], "1.0");
}

#[tokio::test]
async fn quotes_are_whole_first_and_then_what_changed() {
    let world = World::quick().await;
    let mut socket = subscribed(&world, r#"smd+265598+{"fields":["31","55","84"]}"#).await;
    let whole = next(&mut socket).await.unwrap();
    assert_eq!((&whole["topic"], &whole["31"]), (&json!("smd+265598"), &json!("271.50")));
    world.market(272.0).await;
    let mut frame = next(&mut socket).await.unwrap();
    while frame["topic"] != "smd+265598" {
        frame = next(&mut socket).await.unwrap();
    }
    assert_eq!(
        (&frame["31"], &frame["84"], frame.get("55")),
        (&json!("272.00"), &json!("271.99"), None)
    );
}

#[tokio::test]
async fn subscriptions_die_with_the_brokerage_session() {
    let world = World::quick().await;
    let mut socket = subscribed(&world, "sor+{}").await;
    row_of_tic(&mut socket).await;
    world.post("/iserver/auth/ssodh/init", json!({ "publish": true, "compete": true })).await;
    world.advance(1).await;
    world.prime().await;
    let unheard = world.accepted(&[ticket(json!({}))]).await;
    world.until(unheard, "Submitted").await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    socket.send(Message::text("sor+{}")).await.unwrap();
    socket.send(Message::text("tic")).await.unwrap();
    row_of_tic(&mut socket).await;
    let heard = world.accepted(&[ticket(json!({}))]).await;
    assert_eq!(row(&mut socket, "sor").await["orderId"], heard);
}
