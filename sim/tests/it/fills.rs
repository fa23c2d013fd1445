//! What becomes of orders: they meet the market, are changed, cancelled and refused, and leave traces.

use serde_json::{Value, json};

use crate::harness::World;
use crate::tickets::{ACCOUNT, APPLE, FIRST, QUICK, ticket};

fn path(id: i64) -> String {
    format!("/iserver/account/{ACCOUNT}/order/{id}")
}

async fn position(world: &World) -> f64 {
    let held = world.json(&format!("/portfolio2/{ACCOUNT}/positions")).await;
    let rows = held.as_array().unwrap().clone();
    let apple = rows.iter().find(|row| row["conid"] == "265598");
    apple.map_or(0.0, |row| row["position"].as_f64().unwrap())
}

async fn dollars(world: &World) -> f64 {
    let ledger = world.json(&format!("/portfolio/{ACCOUNT}/ledger")).await;
    ledger["USD"]["cashbalance"].as_f64().unwrap()
}

#[tokio::test]
async fn a_market_order_fills_at_once_and_moves_position_and_cash() {
    let world = World::quick().await;
    let (held, cash) = (position(&world).await, dollars(&world).await);
    let buy = json!({ "orderType": "MKT", "price": null, "cOID": "mine" });
    let id = world.accepted(&[ticket(buy)]).await;
    let order = world.until(id, "Filled").await;
    assert_eq!((&order["filled"], &order["avgPrice"]), (&json!(5.0), &json!(271.51)));
    assert_eq!(position(&world).await, held + 5.0);
    assert!((dollars(&world).await - (cash - 5.0 * 271.51 - 1.0)).abs() < 0.001);
    let trades = world.trades().await;
    let trade = trades.iter().find(|t| t["order_id"] == id).unwrap();
    assert_eq!((&trade["order_ref"], &trade["commission"]), (&json!("mine"), &json!("1.0")));
    let sell = json!({ "orderType": "MKT", "price": null, "side": "SELL" });
    let id = world.accepted(&[ticket(sell)]).await;
    assert_eq!(world.until(id, "Filled").await["avgPrice"], 271.49);
    assert_eq!(position(&world).await, held);
}

#[tokio::test]
async fn a_limit_order_rests_until_the_market_crosses_it() {
    let world = World::quick().await;
    let id = world.accepted(&[ticket(json!({ "price": 270.0 }))]).await;
    world.until(id, "Submitted").await;
    world.market(270.5).await;
    assert_eq!(world.order(id).await["status"], "Submitted");
    world.market(269.0).await;
    let order = world.until(id, "Filled").await;
    assert_eq!(order["avgPrice"], 270.0, "at its own price, since it rested");
    let at_once = world.accepted(&[ticket(json!({ "price": 275.0 }))]).await;
    assert_eq!(world.until(at_once, "Filled").await["avgPrice"], 269.01);
}

#[tokio::test]
async fn stops_wait_for_their_trigger_and_trails_follow_the_market() {
    let world = World::quick().await;
    let sell = |more: Value| {
        let mut changes = json!({ "side": "SELL" });
        changes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ticket(changes)
    };
    let stop = world.accepted(&[sell(json!({ "orderType": "STP", "price": 268.0 }))]).await;
    let limit = json!({ "orderType": "STOP_LIMIT", "price": 267.5, "auxPrice": 268.0 });
    let limit = world.accepted(&[sell(limit)]).await;
    let trail =
        json!({ "orderType": "TRAIL", "price": null, "trailingAmt": 2.0, "trailingType": "amt" });
    let trail = world.accepted(&[sell(trail)]).await;
    for id in [stop, limit, trail] {
        assert_eq!(world.order(id).await["status"], "PreSubmitted");
    }
    world.market(275.0).await;
    let seen = world.json(&format!("/iserver/account/order/status/{trail}")).await;
    assert_eq!(seen["stop_price"], "273.00");
    world.market(272.9).await;
    assert_eq!(world.until(trail, "Filled").await["avgPrice"], 272.89);
    world.market(267.0).await;
    assert_eq!(world.until(stop, "Filled").await["avgPrice"], 266.99);
    assert_eq!(world.order(limit).await["status"], "Submitted", "its limit is above the market");
    world.market(268.0).await;
    world.until(limit, "Filled").await;
}

#[tokio::test]
async fn what_must_fill_at_once_is_cancelled_otherwise() {
    let world = World::quick().await;
    let id = world.accepted(&[ticket(json!({ "tif": "IOC" }))]).await;
    assert_eq!(world.until(id, "Cancelled").await["filled"], 0.0);
    let middle = json!({ "orderType": "MIDPRICE", "price": null });
    let id = world.accepted(&[ticket(middle)]).await;
    assert_eq!(world.until(id, "Filled").await["avgPrice"], 271.5);
    let opening = world.accepted(&[ticket(json!({ "tif": "OPG", "price": 272.0 }))]).await;
    assert_eq!(world.order(opening).await["status"], "PreSubmitted");
    world.advance(23 * 3600).await;
    world.advance(2 * 3600).await;
    world.until(opening, "Filled").await;
}

#[tokio::test]
async fn a_brackets_children_wake_with_the_parent_and_end_each_other() {
    let world = World::quick().await;
    let stop = json!({ "parentId": "p", "side": "SELL", "orderType": "STP", "price": 260.0 });
    let gain = json!({ "parentId": "p", "side": "SELL", "price": 276.0 });
    let set = [ticket(json!({ "cOID": "p", "price": 270.0 })), ticket(stop), ticket(gain)];
    let parent = world.accepted(&set).await;
    world.market(277.0).await;
    assert_eq!(world.order(parent + 2).await["status"], "PreSubmitted", "the parent is not filled");
    assert_eq!(world.order(parent + 1).await["parentId"], parent);
    world.market(269.0).await;
    world.until(parent, "Filled").await;
    world.until(parent + 2, "Submitted").await;
    world.market(277.0).await;
    world.until(parent + 2, "Filled").await;
    world.until(parent + 1, "Cancelled").await;
}

#[tokio::test]
async fn a_cancelled_parent_takes_its_children_along_and_a_group_ends_together() {
    let world = World::quick().await;
    let child = ticket(json!({ "parentId": "p", "side": "SELL", "price": 276.0 }));
    let parent = world.accepted(&[ticket(json!({ "cOID": "p" })), child]).await;
    world.delete(&path(parent)).await;
    world.until(parent + 1, "Cancelled").await;
    let one = |price: f64| ticket(json!({ "isSingleGroup": true, "price": price }));
    let first = world.accepted(&[one(266.0), one(267.0)]).await;
    world.market(266.5).await;
    world.until(first + 1, "Filled").await;
    world.until(first, "Cancelled").await;
}

#[tokio::test]
async fn a_change_repeats_the_whole_ticket() {
    let world = World::quick().await;
    let id = world.accepted(&[ticket(json!({ "cOID": "mine" }))]).await;
    let change = |more: Value| world.post_ticket(id, more);
    assert_eq!(change(json!({ "price": null })).await.status, 400);
    let other = change(json!({ "side": "SELL" })).await;
    assert!(other.json()["error"].as_str().unwrap().contains("cannot be changed"));
    let changed = change(json!({ "cOID": "mine", "price": 266.0, "quantity": 7 })).await.json();
    assert_eq!(changed[0]["order_id"], id.to_string());
    let order = world.until(id, "Submitted").await;
    assert_eq!((&order["quantity"], &order["cOID"]), (&json!(7.0), &json!("mine")));
    let unknown = world.post("/iserver/account/DU1234567/order/1", ticket(json!({}))).await;
    assert_eq!(
        (unknown.status, unknown.json()),
        (200, json!({ "error": "OrderID 1 doesn't exist" }))
    );
    assert_eq!(change(json!({ "price": 300.0 })).await.status, 200);
    world.until(id, "Filled").await;
    assert_eq!(change(json!({ "price": 301.0 })).await.status, 400, "it is over");
    assert_eq!(world.placements().await["count"], 1);
}

#[tokio::test]
async fn a_cancellation_is_acknowledged_first_and_confirmed_later() {
    let world = World::start(r#"{"pacing":false,"questions":false,"cancelMillis":5000}"#).await;
    world.prime().await;
    let id = world.accepted(&[ticket(json!({}))]).await;
    let answer = world.delete(&path(id)).await.json();
    assert_eq!((&answer["order_id"], &answer["account"]), (&json!(id), &json!(ACCOUNT)));
    assert_eq!(world.order(id).await["status"], "PendingCancel");
    let late = world.tell("/fill", json!({ "orderId": id, "quantity": 1 })).await;
    assert_eq!((&late["filled"], &late["status"]), (&json!(1.0), &json!("PendingCancel")));
    world.advance(5).await;
    world.until(id, "Cancelled").await;
    assert_eq!(world.delete(&path(id)).await.status, 400);
    let unknown = world.delete(&path(1)).await;
    assert_eq!(
        (unknown.status, unknown.json()),
        (200, json!({ "error": "OrderID 1 doesn't exist" }))
    );
    let all = world.delete(&path(-1)).await.json();
    assert_eq!((&all["order_id"], &all["conid"]), (&json!(-1), &json!(-1)));
    world.advance(5).await;
    world.until(1_234_567_890, "Cancelled").await;
}

#[tokio::test]
async fn scripts_decide_about_fills_and_late_refusals() {
    let world = World::quick().await;
    world
        .script(json!([
            { "then": "fill" },
            { "then": "partial" },
            { "then": "rest" },
            { "then": "late_reject", "reason": "Exchange is closed" },
            { "then": "late_reject", "lateStatus": "Inactive" },
        ]))
        .await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(world.accepted(&[ticket(json!({}))]).await);
    }
    assert_eq!(world.until(ids[0], "Filled").await["avgPrice"], 265.0);
    let partial = world.until(ids[1], "Submitted").await;
    assert_eq!(partial["filled"], 2.0);
    world.market(200.0).await;
    assert_eq!(world.order(ids[2]).await["filled"], 0.0, "the market has no say");
    let filled = world.tell("/fill", json!({ "orderId": ids[2], "price": 264.5 })).await;
    assert_eq!((&filled["status"], &filled["avgPrice"]), (&json!("Filled"), &json!(264.5)));
    world.until(ids[3], "Cancelled").await;
    world.until(ids[4], "Inactive").await;
    let why = world.json(&format!("/iserver/account/order/status/{}", ids[3])).await;
    assert_eq!(why["order_status_description"], "Order Cancelled: Exchange is closed");
    assert_eq!(world.delete(&path(ids[4])).await.json()["error"], "Order is inactive");
}

#[tokio::test]
async fn the_list_stays_behind_the_truth() {
    let world = World::start(
        r#"{"pacing":false,"questions":false,"ordersWarmMillis":0,"ordersStaleMillis":5000}"#,
    )
    .await;
    world.prime().await;
    world.json("/iserver/account/orders").await;
    let id = world.accepted(&[ticket(json!({}))]).await;
    let shown = || async {
        let list = world.json("/iserver/account/orders").await;
        let rows = list["orders"].as_array().unwrap().clone();
        rows.into_iter().find(|row| row["orderId"] == id)
    };
    assert_eq!(shown().await, None);
    assert_eq!(world.json(&format!("/iserver/account/order/status/{id}")).await["order_id"], id);
    world.advance(5).await;
    assert!(shown().await.is_some());
    world.until(id, "Submitted").await;
    world.delete(&path(id)).await;
    world.until(id, "Cancelled").await;
    assert_ne!(shown().await.unwrap()["status"], "Cancelled");
    world.advance(5).await;
    assert_eq!(shown().await.unwrap()["status"], "Cancelled");
}

#[tokio::test]
async fn orders_and_trades_outlive_the_session() {
    let world = World::quick().await;
    let id = world.accepted(&[ticket(json!({ "price": 272.0, "cOID": "mine" }))]).await;
    world.until(id, "Filled").await;
    world.post("/logout", json!({})).await;
    world.session("login").await;
    world.post("/iserver/auth/ssodh/init", json!({ "publish": true, "compete": false })).await;
    world.advance(1).await;
    world.prime().await;
    assert_eq!(world.json("/iserver/account/orders").await["snapshot"], false);
    let list = world.json("/iserver/account/orders").await;
    assert!(list["orders"].as_array().unwrap().iter().any(|row| row["order_ref"] == "mine"));
    assert!(world.trades().await.iter().any(|row| row["order_ref"] == "mine"));
}

#[tokio::test]
async fn a_commission_is_known_only_later() {
    let scenario = QUICK.replace("\"commissionMillis\":0", "\"commissionMillis\":5000");
    let world = World::start(&scenario).await;
    world.prime().await;
    let id = world.accepted(&[ticket(json!({ "orderType": "MKT", "price": null }))]).await;
    assert_eq!(id, FIRST);
    world.until(id, "Filled").await;
    let of = |trades: Vec<Value>| trades.into_iter().find(|t| t["order_id"] == id).unwrap();
    assert_eq!(of(world.trades().await).get("commission"), None);
    world.advance(5).await;
    assert_eq!(of(world.trades().await)["commission"], "1.0");
    let far = world.control("/market", Some(json!({ "conid": APPLE, "last": 0 }))).await;
    assert_eq!(far.status, 400);
}

impl World {
    /// Asks for a change of an order, by a whole ticket.
    async fn post_ticket(&self, id: i64, changes: Value) -> crate::harness::Answer {
        self.post(&path(id), ticket(changes)).await
    }
}
