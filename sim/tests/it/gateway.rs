//! What the real gateway needs of its upstream.

use crate::harness::{Answer, World, request};
use crate::page::{Mode, Visitor};

/// A request of the gateway's own.
async fn own(world: &World, method: &str, path: &str, body: &str) -> Answer {
    let text = format!(
        "{method} {path} HTTP/1.1\r\nHost: sim\r\nConnection: close\r\nUser-Agent: ClientPortalGW/1\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    world.raw(&text).await.unwrap()
}

#[tokio::test]
async fn its_login_chain_goes_through_in_small_replies() {
    let world = World::logged_out(r#"{"behindGateway":true,"initMillis":0}"#).await;
    let visitor = Visitor::open(&world, Mode::Live).await;
    assert_eq!(visitor.dispatch().await.status, 200, "a redirect would be taken for a success");
    visitor.user("simlive").await;
    let end = visitor.dispatch().await;
    assert_eq!(end.status, 302);
    assert!(end.head.contains("set-cookie: XYZAB_AM.LOGIN="), "{}", end.head);
    let init = r#"{"username":"simlive","machineId":"1","compete":true}"#;
    for prefix in ["/v1/api", "/v1/portal"] {
        for (method, path, body, key) in [
            ("GET", "/sso/validate?gw=1", "", "USER_NAME"),
            ("GET", "/one/user", "", "username"),
            ("GET", "/ssodh/init", "", "success"),
            ("GET", "/ssodh/st", "", "st"),
            ("GET", "/iserver/auth/status", "", "competing"),
            ("POST", "/iserver/auth/ssodh/init", init, "authenticated"),
            ("POST", "/iserver/auth/ssodh/response", r#"{"response":"00"}"#, "authenticated"),
            ("GET", "/iserver/accounts", "", "accounts"),
            ("GET", "/tickle", "", "session"),
        ] {
            let answer = own(&world, method, &format!("{prefix}{path}"), body).await;
            assert_eq!(answer.status, 200, "{path}");
            assert!(!answer.json()[key].is_null(), "{path}: {}", answer.text);
            let bytes = answer.head.len() + 4 + answer.text.len();
            assert!(bytes <= 450, "{path}: {bytes}");
        }
    }
    let published = "/sso/Authenticator?ACTION=PUBLISH_TST&RESP_TYPE=JSON&DEVICE_ID=1";
    assert_eq!(own(&world, "GET", published, "").await.status, 200);
    assert_eq!(own(&world, "GET", "/sso/ping", "").await.status, 200);
    assert_eq!(own(&world, "GET", "/v1/api/logout", "").await.status, 200);
    assert_eq!(own(&world, "GET", "/v1/api/tickle", "").await.status, 401);
}

#[tokio::test]
async fn its_tickles_cost_the_client_nothing() {
    let world = World::start("{}").await;
    for _ in 0..30 {
        assert_eq!(own(&world, "GET", "/v1/api/tickle", "").await.status, 200);
    }
    assert_eq!(world.get("/tickle").await.status, 200);
    assert_eq!(world.get("/tickle").await.status, 429, "the client's own window counts");
}

#[tokio::test]
async fn a_client_still_gets_the_whole_replies() {
    let world = World::start("{}").await;
    assert!(world.json("/tickle").await["hmds"].is_object());
    let old = world.raw(&request("GET", "/v1/api/ssodh/st", None)).await.unwrap();
    assert_eq!(old.status, 404, "that path is the gateway's own");
}
