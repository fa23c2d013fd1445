//! The websocket: greeting, heartbeats, news of the session.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::harness::World;

pub(crate) type Socket = WebSocketStream<TcpStream>;

pub(crate) async fn connect(world: &World) -> Result<Socket, Error> {
    let stream = TcpStream::connect(world.address()).await.unwrap();
    let url = format!("ws://{}/v1/api/ws", world.address());
    Ok(client_async(url, stream).await?.0)
}

/// The next message as JSON; `None` when the socket is closed.
pub(crate) async fn next(socket: &mut Socket) -> Option<Value> {
    let waited = tokio::time::timeout(Duration::from_secs(5), socket.next()).await;
    match waited.expect("a message in time")? {
        Ok(Message::Text(text)) => Some(serde_json::from_str(&text).unwrap()),
        _ => None,
    }
}

#[tokio::test]
async fn it_greets_beats_and_answers() {
    let world = World::start("{}").await;
    let mut socket = connect(&world).await.unwrap();
    let greeting = next(&mut socket).await.unwrap();
    assert_eq!(greeting["success"], "simpaper");
    let accounts = next(&mut socket).await.unwrap();
    assert_eq!(
        (&accounts["topic"], &accounts["args"]["accounts"]),
        (&json!("act"), &json!(["DU1234567"]))
    );
    assert_eq!(next(&mut socket).await.unwrap()["args"]["established"], true);
    world.advance(10).await;
    assert!(next(&mut socket).await.unwrap()["hb"].is_i64());
    socket.send(Message::text("tic")).await.unwrap();
    let session = world.json("/tickle").await["session"].clone();
    for _ in 0..4 {
        assert_eq!(next(&mut socket).await.unwrap()["id"], session);
    }
}

#[tokio::test]
async fn it_tells_of_the_session_and_ends_with_the_login() {
    let world = World::start(r#"{"pacing":false,"initMillis":0}"#).await;
    let mut socket = connect(&world).await.unwrap();
    for _ in 0..3 {
        next(&mut socket).await.unwrap();
    }
    world.session("drop").await;
    let lost = next(&mut socket).await.unwrap();
    assert_eq!(lost, json!({ "topic": "sts", "args": { "authenticated": false } }));
    world.post("/iserver/auth/ssodh/init", json!({ "publish": true, "compete": false })).await;
    assert_eq!(next(&mut socket).await.unwrap()["args"]["authenticated"], true);
    world.session("logout").await;
    assert_eq!(next(&mut socket).await.unwrap(), lost);
    assert_eq!(next(&mut socket).await, None);
}

#[tokio::test]
async fn without_a_login_there_is_none() {
    let world = World::logged_out("{}").await;
    match connect(&world).await {
        Err(Error::Http(answer)) => assert_eq!(answer.status(), 401),
        other => panic!("{other:?}"),
    }
    let record = world.control("/requests", None).await.json();
    assert_eq!(record["requests"][0]["status"], 401);
}
