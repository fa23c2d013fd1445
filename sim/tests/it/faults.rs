//! Trouble on request, and the control API itself.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::World;

async fn fault(world: &World, mode: &str, more: Value) {
    let mut body = json!({ "match": "tickle", "mode": mode });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.tell("/fault", body).await;
}

#[tokio::test]
async fn replies_go_wrong_as_asked_and_then_right_again() {
    let world = World::start(r#"{"pacing":false}"#).await;
    fault(&world, "status", json!({ "status": 502, "body": "bad gateway" })).await;
    let answer = world.get("/tickle").await;
    assert_eq!((answer.status, answer.text.as_str()), (502, "bad gateway"));
    fault(&world, "empty", json!({})).await;
    assert_eq!(world.get("/tickle").await.text, "");
    fault(&world, "malformed", json!({})).await;
    assert!(serde_json::from_str::<Value>(&world.get("/tickle").await.text).is_err());
    fault(&world, "html", json!({})).await;
    assert!(world.get("/tickle").await.head.contains("text/html"));
    fault(&world, "truncate", json!({})).await;
    let half = world.get("/tickle").await.text;
    assert!(half.starts_with('{') && serde_json::from_str::<Value>(&half).is_err());
    assert_eq!(world.get("/tickle").await.status, 200);
}

#[tokio::test]
async fn a_dropped_request_gets_no_reply_and_did_not_happen() {
    let world = World::start(r#"{"pacing":false}"#).await;
    world.tell("/fault", json!({ "match": "logout", "mode": "drop" })).await;
    assert!(world.try_get("/logout").await.is_none());
    assert_eq!(world.get("/tickle").await.status, 200);
    world.tell("/fault", json!({ "match": "logout", "mode": "accept_drop" })).await;
    assert!(world.try_get("/logout").await.is_none());
    assert_eq!(world.get("/tickle").await.status, 401, "it was carried out");
}

#[tokio::test]
async fn a_hanging_request_hangs_until_the_client_goes() {
    let world = World::start(r#"{"pacing":false}"#).await;
    fault(&world, "hang", json!({})).await;
    let patience = Duration::from_millis(150);
    assert!(tokio::time::timeout(patience, world.try_get("/tickle")).await.is_err());
    fault(&world, "delay", json!({ "delayMs": 120 })).await;
    let before = std::time::Instant::now();
    assert_eq!(world.get("/tickle").await.status, 200);
    assert!(before.elapsed() >= Duration::from_millis(120));
    let record = world.control("/requests", None).await.json();
    assert_eq!(
        (&record["requests"][0]["status"], &record["requests"][1]["status"]),
        (&Value::Null, &json!(200))
    );
    assert!(record["requests"][0]["tookMs"].as_i64() >= Some(100), "the client going ends it");
}

#[tokio::test]
async fn faults_match_by_path_and_method_and_count_down() {
    let world = World::start(r#"{"pacing":false}"#).await;
    world
        .tell(
            "/fault",
            json!({ "match": "tickle", "method": "POST", "mode": "status", "count": 2 }),
        )
        .await;
    assert_eq!(world.get("/tickle").await.status, 200);
    assert_eq!(world.post("/tickle", json!({})).await.status, 503);
    assert_eq!(world.control("/faults", None).await.json()["faults"][0]["count"], 1);
    assert_eq!(world.post("/tickle", json!({})).await.status, 503);
    assert_eq!(world.post("/tickle", json!({})).await.status, 200);
    world.tell("/fault", json!({ "mode": "status", "status": 500, "count": 0 })).await;
    for _ in 0..3 {
        assert_eq!(world.get("/tickle").await.status, 500);
    }
    world.tell("/reset", json!({})).await;
    assert_eq!(world.get("/tickle").await.status, 200);
}

#[tokio::test]
async fn the_control_api_says_what_it_takes() {
    let world = World::start("{}").await;
    let unknown = world.control("/nonsense", None).await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.json()["error"].as_str().unwrap().contains("POST /session"));
    let wrong = world.control("/session", Some(json!({ "action": "dance" }))).await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.json()["error"].as_str().unwrap().contains("uncompete"));
    let extra = world.control("/fault", Some(json!({ "mode": "hang", "colour": 1 }))).await;
    assert!(extra.json()["error"].as_str().unwrap().contains("delayMs"));
    assert_eq!(world.control("/orders", None).await.json()["count"], 5);
}

#[test]
fn a_scenario_with_an_unknown_key_is_refused() {
    let error = serde_json::from_str::<ib_sim::Scenario>(r#"{"acounts":[]}"#).unwrap_err();
    assert!(error.to_string().contains("acounts"));
}
