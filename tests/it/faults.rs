//! A gateway that misbehaves: every answer says what is wrong, and the next good one is right.

use ibd_tests::{Sim, World};
use serde_json::{Value, json};

#[tokio::test]
async fn a_gateway_that_is_down_is_named_and_its_return_is_noticed() {
    let sim = Sim::start().await;
    let port = sim.port();
    let world = World::attached(&sim);
    sim.kill().await;
    let mut client = world.client().await;
    let reply = client.call("get_positions", json!({})).await;
    assert_eq!(reply.error(), "gateway_down");
    assert!(reply.json["message"].as_str().unwrap().contains(&port.to_string()), "{}", reply.json);
    let _sim = Sim::start_at(port).await;
    // A caller's wish looks at most every two seconds; a call waits for the look.
    ibd_tests::until("the gateway is noticed", async || {
        !client.call("get_positions", json!({})).await.is_error
    })
    .await;
}

#[tokio::test]
async fn html_truncated_and_malformed_answers_are_errors_and_not_data() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    for (mode, word) in [
        ("html", "HTML"),
        ("truncate", "cut off"),
        ("malformed", "another shape"),
        ("empty", "empty"),
    ] {
        sim.fault(json!({ "match": "/positions/", "mode": mode, "count": 1 })).await;
        let reply = client.call("get_positions", json!({})).await;
        assert_eq!(reply.error(), "gateway_garbled", "{mode}: {}", reply.json);
        let message = reply.json["message"].as_str().unwrap();
        assert!(message.contains(word) || mode == "malformed", "{mode}: {message}");
        client.call("get_positions", json!({})).await.ok();
    }
}

#[tokio::test]
async fn a_dropped_connection_is_asked_again_because_a_read_is_safe() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    sim.fault(json!({ "match": "/positions/", "mode": "drop", "count": 1 })).await;
    client.call("get_positions", json!({})).await.ok();
}

#[tokio::test]
async fn a_gateway_that_hangs_is_answered_within_the_deadline() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    sim.fault(json!({ "match": "/positions/", "mode": "hang", "count": 1 })).await;
    let reply = client.call("get_positions", json!({})).await;
    assert_eq!(reply.error(), "gateway_silent");
    client.call("get_positions", json!({})).await.ok();
}

#[tokio::test]
async fn the_brokers_reason_is_passed_on() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    let body = json!({ "error": "Session is misconfigured", "statusCode": 400 }).to_string();
    sim.fault(json!({ "match": "/positions/", "mode": "status", "status": 400, "body": body }))
        .await;
    let reply = client.call("get_positions", json!({})).await;
    assert_eq!(reply.error(), "broker_refused");
    assert!(reply.json["message"].as_str().unwrap().contains("Session is misconfigured"));
}

/// A certificate that changes in the middle is somebody else until a person says otherwise.
#[tokio::test]
async fn another_certificate_is_not_trusted() {
    let sim = Sim::start().await;
    let port = sim.port();
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    sim.kill().await;
    // A simulator makes a certificate of its own at each start.
    let _other = Sim::start_at(port).await;
    let reply = client.call("get_positions", json!({})).await;
    assert_eq!(reply.error(), "gateway_certificate_changed", "{}", reply.json);
    let restarted = world.ctl(&["restart"]).await;
    assert!(restarted.status.success(), "{restarted:?}");
    client.call("get_positions", json!({})).await.ok();
}

/// Whatever one row or one field is, the others are told as they are, and what could not be read is named.
#[tokio::test]
async fn one_odd_row_or_number_costs_no_answer() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    let show = async |path: &str, body: Value| {
        let body = body.to_string();
        sim.fault(
            json!({ "match": path, "mode": "status", "status": 200, "body": body, "count": 1 }),
        )
        .await;
    };
    let orders = json!({ "orders": [
        { "orderId": 7, "account": "DU1234567", "ticker": "KO", "status": "Submitted", "side": "BUY",
          "totalSize": 5, "filledQuantity": 1.3877787807814457e-17, "price": "1.7976931348623157E308",
          "auxPrice": "5%", "conid": 8894 },
        { "orderId": "none", "ticker": "IBM" },
    ]});
    // An orders list is read twice where it may be cold.
    show("/account/orders", orders.clone()).await;
    let live = client.call("get_live_orders", json!({})).await.ok();
    let row = &live["orders"][0];
    assert_eq!((&row["orderId"], &row["filled"]), (&json!("7"), &json!(0)), "{live}");
    assert!(row["price"].is_null() && row["stopPrice"].is_null(), "{live}");
    assert!(live["notRead"][0].as_str().unwrap().contains("ticker IBM"), "{live}");

    let positions = json!([
        { "conid": 8894, "ticker": "KO", "assetClass": "STK", "position": 3, "currency": "USD",
          "unrealizedPnl": -1.4210854715202004e-14, "displayRule": { "displayRuleStep": null } },
        null,
    ]);
    show("/positions/", positions).await;
    let held = client.call("get_positions", json!({})).await.ok();
    assert_eq!((&held["rows"][0][0], &held["rows"][0][8]), (&json!("KO"), &json!(0)), "{held}");
    assert_eq!(
        (held["total"].as_u64(), held["notRead"].as_array().unwrap().len()),
        (Some(1), 1),
        "{held}"
    );

    show("/summary", json!({ "netliquidation": null, "buyingpower": { "amount": "NaN" }, "totalcashvalue": { "amount": 12.5 } }))
        .await;
    let info = client.call("get_account_info", json!({})).await.ok();
    let account = &info["accounts"][0];
    assert_eq!(account["totalCash"], 12.5, "{info}");
    assert!(account["buyingPower"].is_null() && account["netLiquidation"].is_null(), "{info}");
}
