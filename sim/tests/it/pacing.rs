//! Limits and the penalty box.

use serde_json::json;

use crate::harness::World;

#[tokio::test]
async fn the_eleventh_request_in_a_second_is_refused() {
    let world = World::start("{}").await;
    let mut statuses = Vec::new();
    for _ in 0..11 {
        statuses.push(world.get("/trsrv/stocks?symbols=AAPL").await.status);
    }
    assert!(statuses[..10].iter().all(|s| *s == 200), "{statuses:?}");
    assert_eq!(statuses[10], 429);
    let record = world.control("/requests", None).await.json();
    assert_eq!((&record["count"], &record["status429"]), (&json!(11), &json!(1)));
}

#[tokio::test]
async fn endpoints_have_windows_of_their_own() {
    let world = World::start(r#"{"penaltyAfter":1000}"#).await;
    world.prime().await;
    let windows = [
        ("/iserver/account/orders", 5),
        ("/iserver/account/trades/", 5),
        ("/iserver/account/pnl/partitioned", 5),
        ("/portfolio/subaccounts", 5),
        ("/sso/validate", 60),
        ("/fyi/unreadnumber", 1),
        ("/tickle", 1),
    ];
    for (path, seconds) in windows {
        world.advance(2).await;
        assert_eq!(world.get(path).await.status, 200, "{path}");
        assert_eq!(world.get(path).await.status, 429, "{path}");
        world.advance(seconds + 1).await;
        assert_eq!(world.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn portfolio_analyst_answers_each_question_once_in_fifteen_minutes() {
    let world = World::start(r#"{"penaltyAfter":1000}"#).await;
    let account = json!(["DU1234567"]);
    let questions = [
        ("/pa/performance", json!({ "acctIds": account, "period": "1D" })),
        ("/pa/allperiods", json!({ "acctIds": account })),
        ("/pa/transactions", json!({ "acctIds": account, "conids": [265598] })),
    ];
    for (path, body) in &questions {
        assert_eq!(world.post(path, body.clone()).await.status, 200, "{path}");
        assert_eq!(world.post(path, body.clone()).await.status, 429, "{path}");
    }
    world.advance(890).await;
    for (path, body) in &questions {
        assert_eq!(world.post(path, body.clone()).await.status, 429, "{path}");
    }
    world.advance(20).await;
    for (path, body) in &questions {
        assert_eq!(world.post(path, body.clone()).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn the_third_violation_leads_into_the_penalty_box_for_ten_minutes() {
    let world = World::start("{}").await;
    world.get("/portfolio/accounts").await;
    for _ in 0..3 {
        assert_eq!(world.get("/portfolio/accounts").await.status, 429);
    }
    world.advance(10).await;
    assert_eq!(world.get("/trsrv/stocks?symbols=AAPL").await.status, 429);
    assert_eq!(world.get("/tickle").await.status, 200, "the box has a window for tickle");
    world.advance(600).await;
    assert_eq!(world.get("/trsrv/stocks?symbols=AAPL").await.status, 200);
    world.tell("/penalty", json!({ "seconds": 30 })).await;
    assert_eq!(world.get("/trsrv/stocks?symbols=AAPL").await.status, 429);
}

#[tokio::test]
async fn a_sixth_history_at_the_same_time_is_refused() {
    let world = World::start(r#"{"historyMillis":400}"#).await;
    let ask = || world.get("/iserver/marketdata/history?conid=265598&period=1d&bar=1h");
    let (a, b, c, d, e, f) = tokio::join!(ask(), ask(), ask(), ask(), ask(), ask());
    let refused = [a, b, c, d, e, f].iter().filter(|answer| answer.status == 429).count();
    assert_eq!(refused, 1);
    assert_eq!(ask().await.status, 200, "the slots are free again");
    assert!(world.control("/requests", None).await.json()["peakInFlight"].as_u64() >= Some(5));
}
