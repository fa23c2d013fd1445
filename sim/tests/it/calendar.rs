//! Nights, weekends, fast clocks, and sessions that others take for a while.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{World, request};
use crate::page::{Mode, Visitor};

async fn init(world: &World) -> Value {
    let body = json!({ "publish": true, "compete": false });
    world.post("/iserver/auth/ssodh/init", body).await.json()
}

/// At this moment, logged in, with a calendar.
async fn at(now: &str, more: &str) -> World {
    let scenario =
        format!(r#"{{"pacing":false,"initMillis":0,"calendar":true,"now":"{now}"{more}}}"#);
    World::start(&scenario).await
}

#[tokio::test]
async fn at_one_oclock_the_brokerage_session_is_lost_for_ten_minutes() {
    // 00:59 in Zurich, in winter.
    let world = at("2026-01-14T23:59:00Z", r#","region":"eu""#).await;
    assert_eq!(world.get("/iserver/accounts").await.status, 200);
    world.advance(61).await;
    assert_eq!(world.get("/iserver/accounts").await.status, 503);
    assert_eq!(world.get("/tickle").await.status, 200, "the login is still there");
    let status = world.json("/iserver/auth/status").await;
    assert_eq!((&status["authenticated"], &status["connected"]), (&json!(false), &json!(true)));
    assert_eq!(init(&world).await["authenticated"], false, "not yet");
    world.advance(600).await;
    assert_eq!(world.get("/iserver/accounts").await.json()["error"], "Bad Request: no bridge");
    assert_eq!(init(&world).await["authenticated"], true);
    assert_eq!(world.get("/iserver/accounts").await.status, 200);
}

#[tokio::test]
async fn midnight_ends_the_login_unless_the_scenario_says_no() {
    // 23:59 in New York, in summer.
    let world = at("2026-07-15T03:59:00Z", "").await;
    world.advance(61).await;
    assert_eq!(world.get("/tickle").await.status, 401);
    let world = at("2026-07-15T03:59:00Z", r#","midnightReset":false"#).await;
    world.advance(61).await;
    assert_eq!(world.get("/tickle").await.status, 200);
    world.advance(3600).await;
    assert_eq!(world.json("/iserver/auth/status").await["authenticated"], false, "one o'clock");
}

#[tokio::test]
async fn a_login_lasts_a_day_at_most() {
    let world = at("2026-07-14T16:00:00Z", r#","midnightReset":false"#).await;
    world.advance(86_390).await;
    assert_eq!(world.get("/tickle").await.status, 200);
    world.advance(11).await;
    assert_eq!(world.get("/tickle").await.status, 401);
}

#[tokio::test]
async fn on_saturday_evening_nothing_works_and_afterwards_a_login_is_needed() {
    // 17:59 on Saturday in New York, in summer.
    let world = at("2026-07-18T21:59:00Z", r#","session":"ssoOnly""#).await;
    world.advance(61).await;
    assert_eq!(world.get("/iserver/accounts").await.status, 503);
    assert_eq!(world.get("/tickle").await.status, 401);
    for path in ["/sso/Login", "/sso/Dispatcher"] {
        let page = world.raw(&request("GET", path, None)).await.unwrap();
        assert_eq!(page.status, 503);
        assert!(page.text.contains("maintenance") && !page.text.contains("xyz-field"));
    }
    world.advance(4 * 3600).await;
    assert_eq!(world.get("/iserver/accounts").await.status, 401);
    let visitor = Visitor::open(&world, Mode::Paper).await;
    assert_eq!(visitor.user("simpaper").await["state"], "complete");
    assert_eq!(visitor.dispatch().await.status, 200);
    assert_eq!(world.get("/tickle").await.status, 200);
}

#[tokio::test]
async fn without_a_calendar_nights_are_quiet() {
    let world = World::start(r#"{"pacing":false,"now":"2026-07-18T04:30:00Z"}"#).await;
    world.advance(18 * 3600).await;
    assert_eq!(world.get("/iserver/accounts").await.status, 200);
}

#[tokio::test]
async fn nights_and_weekends_come_on_request_too() {
    let world = World::start(r#"{"pacing":false,"initMillis":0,"nightlyMinutes":2}"#).await;
    world.session("nightly").await;
    assert_eq!(world.get("/iserver/accounts").await.status, 503);
    assert_eq!(init(&world).await["authenticated"], false);
    world.advance(121).await;
    assert_eq!(init(&world).await["authenticated"], true);
    world.session("weekend").await;
    world.advance(3600).await;
    assert_eq!(world.get("/iserver/accounts").await.status, 503);
    world.session("up").await;
    assert_eq!(world.get("/iserver/accounts").await.status, 401);
}

#[tokio::test]
async fn another_platform_gives_the_session_back_after_a_while() {
    let world = World::start(r#"{"pacing":false,"initMillis":0,"giveBackSeconds":300}"#).await;
    for (body, seconds) in
        [(json!({ "action": "compete" }), 300), (json!({ "action": "compete", "seconds": 60 }), 60)]
    {
        world.tell("/session", body).await;
        world.advance(seconds - 5).await;
        assert_eq!(world.json("/iserver/auth/status").await["competing"], true);
        assert_eq!(init(&world).await["authenticated"], false);
        world.advance(6).await;
        assert_eq!(world.json("/iserver/auth/status").await["competing"], false);
        assert_eq!(init(&world).await["authenticated"], true);
    }
}

#[tokio::test]
async fn a_fast_clock_lives_a_day_in_a_moment() {
    let world = World::start(r#"{"pacing":false,"clockRate":100000}"#).await;
    tokio::time::sleep(Duration::from_millis(1000)).await;
    assert_eq!(world.get("/tickle").await.status, 401, "more than a day has passed");
    let slow = world.tell("/clock", json!({ "rate": 1 })).await;
    let later = world.tell("/clock", json!({ "advanceSeconds": 0 })).await;
    let passed = later["nowMs"].as_i64().unwrap() - slow["nowMs"].as_i64().unwrap();
    assert!((0..10_000).contains(&passed), "{passed}");
    world.tell("/clock", json!({ "rate": 3600.0 })).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let fast = world.tell("/clock", json!({ "advanceSeconds": 0 })).await;
    assert!(fast["nowMs"].as_i64().unwrap() - later["nowMs"].as_i64().unwrap() >= 360_000);
    for bad in [json!({}), json!({ "rate": 0 }), json!({ "rate": -1 })] {
        assert_eq!(world.control("/clock", Some(bad)).await.status, 400);
    }
}
