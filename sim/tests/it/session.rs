//! Login, brokerage session, takeover, logout.

use serde_json::{Value, json};

use crate::harness::{World, request};

async fn status(world: &World) -> Value {
    world.json("/iserver/auth/status").await
}

#[tokio::test]
async fn without_a_login_everything_is_401_with_an_empty_body() {
    let world = World::logged_out(r#"{"pacing":false}"#).await;
    for path in ["/tickle", "/iserver/auth/status", "/portfolio/accounts", "/no/such/path"] {
        let answer = world.get(path).await;
        assert_eq!((answer.status, answer.text.as_str()), (401, ""), "{path}");
    }
}

#[tokio::test]
async fn a_login_opens_the_web_session_and_init_the_brokerage_session() {
    let world =
        World::logged_out(r#"{"pacing":false,"initMillis":20000,"dispatcherLogsIn":true}"#).await;
    let page = world.raw(&request("GET", "/sso/Dispatcher", None)).await.unwrap();
    assert_eq!(page.text, "Client login succeeds");
    let before = status(&world).await;
    assert_eq!((&before["authenticated"], &before["connected"]), (&json!(false), &json!(true)));
    assert_eq!(world.get("/iserver/accounts").await.json()["error"], "Bad Request: no bridge");
    assert_eq!(world.get("/portfolio/accounts").await.status, 200);

    let init = world
        .post("/iserver/auth/ssodh/init", json!({ "publish": true, "compete": false }))
        .await
        .json();
    assert_eq!((&init["authenticated"], &init["established"]), (&json!(true), &json!(false)));
    assert_eq!(world.get("/iserver/accounts").await.status, 400, "it is still opening");
    world.advance(21).await;
    assert_eq!(status(&world).await["established"], true);
    assert_eq!(world.get("/iserver/accounts").await.status, 200);
}

#[tokio::test]
async fn opening_anew_forgets_what_was_primed() {
    let world = World::start(r#"{"pacing":false,"initMillis":0}"#).await;
    world.prime().await;
    assert_eq!(world.get("/iserver/account/DU1234567/summary").await.status, 200);
    world.post("/iserver/auth/ssodh/init", json!({ "publish": true, "compete": true })).await;
    let refused = world.get("/iserver/account/DU1234567/summary").await;
    assert_eq!(refused.json()["error"], "Bad Request: Please query /accounts first");
    assert_eq!(world.get("/portfolio/DU1234567/ledger").await.status, 400);
}

#[tokio::test]
async fn a_chunked_body_is_lost_and_changes_nothing() {
    let world = World::start(r#"{"pacing":false,"session":"ssoOnly"}"#).await;
    let body = r#"{"publish":true,"compete":true}"#;
    let chunked = format!(
        "POST /v1/api/iserver/auth/ssodh/init HTTP/1.1\r\nHost: sim\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    let answer = world.raw(&chunked).await.unwrap();
    assert_eq!((answer.status, &answer.json()["authenticated"]), (200, &json!(false)));
    assert_eq!(status(&world).await["authenticated"], false);
    let silent =
        world.post("/iserver/auth/ssodh/init", json!({ "publish": false, "compete": true })).await;
    assert_eq!(silent.status, 500);
}

#[tokio::test]
async fn a_session_taken_elsewhere_comes_back_only_by_force() {
    let world = World::start(r#"{"pacing":false,"initMillis":0}"#).await;
    world.session("compete").await;
    let taken = status(&world).await;
    assert_eq!((&taken["authenticated"], &taken["competing"]), (&json!(false), &json!(true)));
    assert_eq!(world.get("/iserver/accounts").await.status, 401);
    let polite = world
        .post("/iserver/auth/ssodh/init", json!({ "publish": true, "compete": false }))
        .await
        .json();
    assert_eq!((&polite["authenticated"], &polite["passed"]), (&json!(false), &json!(false)));
    assert!(polite["fail"].as_str().unwrap().contains("Force compete"));
    world.post("/iserver/auth/ssodh/init", json!({ "publish": true, "compete": true })).await;
    let ours = status(&world).await;
    assert_eq!((&ours["authenticated"], &ours["competing"]), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn logout_maintenance_and_age_do_what_they_say() {
    let world = World::start(r#"{"pacing":false}"#).await;
    world.session("maintenance").await;
    assert_eq!(world.get("/iserver/accounts").await.status, 503);
    assert_eq!(world.get("/tickle").await.status, 200);
    world.session("up").await;
    assert_eq!(world.get("/iserver/accounts").await.status, 200);
    world.advance(86_500).await;
    assert_eq!(world.get("/tickle").await.status, 401, "a login lasts a day");
    world.session("login").await;
    assert_eq!(world.get("/tickle").await.status, 200);
    assert_eq!(world.post("/logout", json!({})).await.text, r#"{"status":true}"#);
    assert_eq!(world.get("/tickle").await.status, 401);
}

#[tokio::test]
async fn the_root_leads_to_the_login_and_unknown_paths_nowhere() {
    let world = World::primed().await;
    let root = world.raw(&request("GET", "/", None)).await.unwrap();
    assert_eq!(root.status, 302);
    assert!(
        root.head.contains("location: /sso/Login?forwardTo=22&RL=1&ip2loc=US"),
        "{}",
        root.head
    );
    let page = world.raw(&request("GET", "/sso/Login?forwardTo=22", None)).await.unwrap();
    assert!(page.text.contains("ib-sim"));
    for path in ["/no/such/thing", "/iserver/account/DU1234567/orders", "/hmds/history"] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, 404);
        assert_eq!(answer.text, "<html><body><h1>Resource not found</h1></body></html>");
    }
    let portal = world.raw(&request("GET", "/v1/portal/tickle", None)).await.unwrap();
    assert_eq!(portal.status, 200);
    let long = format!("/iserver/marketdata/snapshot?conids={}", "1,".repeat(2100));
    assert_eq!(world.get(&long).await.status, 414);
}
