//! The session's states, as a gateway that one attaches to can show them.

use ibd_tests::{Sim, World, until};
use serde_json::json;

#[tokio::test]
async fn nobody_logged_in_then_somebody_is() {
    let sim = Sim::logged_out().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    assert_eq!(
        client.tools().await.len(),
        ibd_tests::tools(),
        "logged out, the tools are all there"
    );
    let reply = client.call("get_positions", json!({})).await;
    assert_eq!(reply.error(), "not_logged_in");
    assert!(reply.json["next"].as_str().unwrap().contains("browser"), "{}", reply.json);
    let status = world.ctl(&["status"]).await;
    assert_eq!(status.status.code(), Some(4), "it needs a person");
    let text = String::from_utf8(status.stdout).unwrap();
    assert!(text.contains("Waiting for a login at https://127.0.0.1"), "{text}");

    sim.session("login").await;
    until("the login is noticed", async || !client.call("get_positions", json!({})).await.is_error)
        .await;
    assert_eq!(
        sim.count("/iserver/auth/ssodh/init").await,
        1,
        "the brokerage session was opened once"
    );
}

#[tokio::test]
async fn a_brokerage_session_that_drops_is_opened_again_by_the_next_call() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_live_orders", json!({})).await.ok();
    sim.session("drop").await;
    let quotes = client.call("get_market_data", json!({ "symbol": "AAPL" })).await.ok();
    assert!(quotes["quotes"][0]["last"].is_number(), "{quotes}");
    assert_eq!(world.status().await["session"]["state"], "ready");
}

#[tokio::test]
async fn a_login_that_ends_is_said_and_not_retried_in_a_storm() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    sim.session("expire").await;
    let reply = client.call("get_positions", json!({})).await;
    assert_eq!(reply.error(), "not_logged_in");
    let before = sim.requests().await["count"].as_u64().unwrap();
    for _ in 0..20 {
        assert_eq!(client.call("get_positions", json!({})).await.error(), "not_logged_in");
    }
    let after = sim.requests().await["count"].as_u64().unwrap();
    assert!(after - before <= 20, "{} requests for 20 calls", after - before);
}

#[tokio::test]
async fn a_competing_session_is_left_alone() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_market_data", json!({ "symbol": "AAPL" })).await.ok();
    let opened = sim.count("/iserver/auth/ssodh/init").await;
    sim.session("compete").await;
    let reply = client.call("get_market_data", json!({ "symbol": "MSFT" })).await;
    assert_eq!(reply.error(), "competing_session", "{}", reply.json);
    assert_eq!(sim.count("/iserver/auth/ssodh/init").await, opened, "never fought over");
    assert_eq!(world.ctl(&["status"]).await.status.code(), Some(4), "it needs a person");
    let resumed = world.ctl(&["resume"]).await;
    assert_eq!(resumed.status.code(), Some(0), "{resumed:?}");
    client.call("get_market_data", json!({ "symbol": "MSFT" })).await.ok();
    assert_eq!(sim.count("/iserver/auth/ssodh/init").await, opened + 1);
}

#[tokio::test]
async fn with_yield_a_session_is_taken_up_again_when_it_is_free() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    world.configure("compete = \"yield\"\n");
    let mut client = world.client().await;
    client.call("get_market_data", json!({ "symbol": "AAPL" })).await.ok();
    sim.session("compete").await;
    let reply = client.call("get_market_data", json!({ "symbol": "MSFT" })).await;
    assert_eq!(reply.error(), "competing_session", "{}", reply.json);
    sim.session("uncompete").await;
    until("it goes on by itself", async || {
        !client.call("get_market_data", json!({ "symbol": "MSFT" })).await.is_error
    })
    .await;
}

#[tokio::test]
async fn a_client_that_wants_paper_is_not_served_by_a_live_session() {
    let live = json!({ "accounts": [{ "id": "U7654321", "title": "live", "currency": "USD" }] });
    let sim = Sim::scenario(live).await;
    let world = World::attached(&sim);
    world.client().await.call("get_positions", json!({})).await.ok();
    let world = world.with("IB_PAPER_TRADING", "true");
    let mut client = world.client().await;
    assert_eq!(client.tools().await.len(), ibd_tests::tools(), "its list is unchanged");
    let reply = client.call("get_positions", json!({})).await;
    assert_eq!((reply.error(), &reply.json["field"]), ("live_session", &json!("IB_PAPER_TRADING")));
    let status = client.call("get_session_status", json!({})).await.ok();
    assert_eq!((&status["ready"], &status["paper"]), (&json!(false), &json!(false)));
}

#[tokio::test]
async fn a_client_that_wants_another_gateway_is_refused_with_the_way_out() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    world.client().await.call("get_positions", json!({})).await.ok();
    let world = world.with("IB_GATEWAY", "simulator");
    let reply = world.client().await.call("get_positions", json!({})).await;
    assert_eq!(reply.error(), "other_gateway");
    assert!(reply.json["next"].as_str().unwrap().contains("IB_PROFILE"));
    let world = world.with("IB_PROFILE", "second");
    world.client().await.call("get_positions", json!({})).await.ok();
}

#[tokio::test]
async fn without_any_gateway_the_answer_says_how_to_get_one() {
    let world = World::empty();
    let mut client = world.client().await;
    let reply = client.call("get_positions", json!({})).await;
    assert_eq!(reply.error(), "gateway_down");
    assert!(
        reply.json["next"].as_str().unwrap().contains("IB_GATEWAY=simulator"),
        "{}",
        reply.json
    );
    assert_eq!(world.status().await["gateway"]["state"], "not_installed");
}

#[tokio::test]
async fn maintenance_is_recognised() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    // Tickles go on being answered, as at IBKR.
    sim.session("maintenance").await;
    let reply = client.call("get_live_orders", json!({})).await;
    assert_eq!(reply.error(), "broker_maintenance", "{}", reply.json);
    assert_eq!(world.status().await["session"]["state"], "maint");
    let tickles = sim.count("/tickle").await;
    assert_eq!(client.call("get_positions", json!({})).await.error(), "broker_maintenance");
    until("the login is kept alive meanwhile", async || {
        client.call("get_positions", json!({})).await;
        sim.count("/tickle").await > tickles
    })
    .await;
    sim.session("up").await;
    until("the next call ends it", async || {
        !client.call("get_live_orders", json!({})).await.is_error
    })
    .await;
    assert_eq!(world.status().await["session"]["state"], "ready");
}

/// Nearly all of an account can be read then: what cannot is what tells.
#[tokio::test]
async fn the_first_question_about_an_account_says_that_it_is_maintenance() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_account_info", json!({})).await.ok();
    sim.session("maintenance").await;
    until("what was told of today's P&L is too old to be told again", async || {
        let reply = client.call("get_account_info", json!({})).await;
        reply.is_error && reply.error() == "broker_maintenance"
    })
    .await;
    assert_eq!(world.status().await["session"]["state"], "maint");
    // Where only that one endpoint has trouble, the rest is told.
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    let fault = json!({ "match": "/pnl/partitioned", "mode": "status", "status": 503, "count": 0 });
    sim.fault(fault).await;
    let info = client.call("get_account_info", json!({})).await.ok();
    let account = &info["accounts"][0];
    assert!(account["notRead"][0].as_str().unwrap().contains("P&L"), "{info}");
    assert!(account["netLiquidation"].is_number() && account["dailyPnl"].is_null(), "{info}");
    assert_eq!(world.status().await["session"]["state"], "ready");
}

/// Some of IBKR's endpoints answer 500 or 503 for reasons of their own.
#[tokio::test]
async fn one_endpoints_own_trouble_is_no_maintenance() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    let fault =
        json!({ "match": "/iserver/account/orders", "mode": "status", "status": 503, "count": 0 });
    sim.fault(fault).await;
    for _ in 0..3 {
        let reply = client.call("get_live_orders", json!({})).await;
        assert_eq!(reply.error(), "broker_trouble", "{}", reply.json);
    }
    assert_eq!(world.status().await["session"]["state"], "ready");
    client.call("get_positions", json!({})).await.ok();
}
