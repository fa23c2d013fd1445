//! One order, whatever happens.

use futures_util::future::join_all;
use ibd_tests::desk::{Desk, and, resting};
use ibd_tests::until;
use serde_json::{Value, json};

#[tokio::test]
async fn two_clients_placing_the_same_order_in_the_same_second_make_one_order() {
    let mut desk = Desk::paper().await;
    let mut other = desk.world.client().await;
    let ids = tokio::join!(
        desk.client.begin_call("place_order", resting(10)),
        other.begin_call("place_order", resting(10)),
    );
    let (one, two) = tokio::join!(desk.client.reply(ids.0), other.reply(ids.1));
    let (mut placed, mut held): (Vec<Value>, Vec<Value>) =
        [one.ok(), two.ok()].into_iter().partition(|out| out["status"] == "placed");
    let (placed, held) = (placed.pop().unwrap(), held.pop().unwrap());
    assert_eq!(held["status"], "not_placed", "{held}");
    let code = held["reason"]["code"].as_str().unwrap();
    assert!(["possible_duplicate", "same_order_in_doubt"].contains(&code), "{held}");
    assert_eq!(held["first"]["intentId"], placed["intentId"]);
    assert!(held["first"]["state"].is_string(), "{held}");
    assert_eq!(desk.placements().await.len(), 1);

    // Afterwards the held one learns the first one's id at IBKR too; and two are two if they are meant.
    let again = desk.place(resting(10)).await;
    assert_eq!(again["first"]["orderId"], placed["orderId"], "{again}");
    assert_eq!(again["first"]["state"], "working", "{again}");
    let meant = and(resting(10), json!({ "allowDuplicateOf": placed["intentId"] }));
    desk.placed(meant).await;
    assert_eq!(desk.placements().await.len(), 2);
}

#[tokio::test]
async fn the_same_request_gives_the_first_outcome_whoever_asks_again_and_through_which_daemon() {
    let mut desk = Desk::paper().await;
    let request = and(resting(10), json!({ "requestId": "monday-1" }));
    let first = desk.placed(request.clone()).await;
    let same = |out: &Value| {
        for key in ["status", "intentId", "clientOrderId", "orderId"] {
            assert_eq!(out[key], first[key], "{out}");
        }
    };
    same(&desk.place(request.clone()).await);
    // Another way of writing the same numbers is no other order.
    let rewritten =
        and(request.clone(), json!({ "quantity": "10.0", "price": "265.00", "tif": "DAY" }));
    same(&desk.place(rewritten).await);
    desk.world.kill_daemon().await;
    same(&desk.place(request.clone()).await);
    // The client's ib-mcp dies, too, and a new one repeats the request.
    desk.client.child.kill().await.unwrap();
    desk.client = desk.world.client().await;
    same(&desk.place(request.clone()).await);
    // Another order under the same name is a mistake.
    let other = and(request, json!({ "quantity": 11 }));
    let refused = desk.refused("place_order", other).await;
    assert_eq!(
        (refused.error(), &refused.json["field"]),
        ("request_id_reused", &json!("requestId"))
    );
    assert_eq!(desk.placements().await.len(), 1);
}

#[tokio::test]
async fn a_daemon_killed_while_ibkr_takes_an_order_makes_no_second_one() {
    let mut desk = Desk::paper().await;
    desk.call("get_session_status", json!({})).await;
    // IBKR has it, and its answer is still on the way when the daemon dies.
    desk.sim
        .fault(json!({ "match": "/orders", "method": "POST", "mode": "delay", "delayMs": 20_000 }))
        .await;
    let id = desk.client.begin_call("place_order", resting(10)).await;
    until("IBKR has it", async || desk.placements().await.len() == 1).await;
    desk.world.kill_daemon().await;
    // The ib-mcp finds the next daemon and repeats the call under its key.
    let out = desk.client.reply(id).await.ok();
    assert!(["unknown", "placed"].contains(&out["status"].as_str().unwrap()), "{out}");
    let settled = desk.call("wait_for_order", json!({ "intentId": out["intentId"] })).await;
    assert_eq!(settled["status"], "placed", "{settled}");
    let placements = desk.placements().await;
    assert_eq!(placements.len(), 1);
    assert_eq!(placements[0]["cOID"], settled["clientOrderId"]);
    assert_eq!(desk.posts().await, 1);
}

#[tokio::test]
async fn a_model_that_places_again_because_the_answer_was_lost_makes_no_second_order() {
    let lost = |fault: Value| async move {
        let mut desk = Desk::paper().await;
        desk.call("get_session_status", json!({})).await;
        desk.sim.fault(and(json!({ "match": "/orders", "method": "POST" }), fault.clone())).await;
        let id = desk.client.begin_call("place_order", resting(10)).await;
        until("IBKR has it", async || desk.placements().await.len() == 1).await;
        // The model has waited long enough and calls again: a new call, with a new key.
        let mut again = desk.world.client().await;
        let held = again.call("place_order", resting(10)).await.ok();
        assert_eq!(held["status"], "not_placed", "{fault}: {held}");
        assert_eq!(held["reason"]["code"], "same_order_in_doubt", "{fault}: {held}");
        assert!(held["next"].as_str().unwrap().contains("get_order_status"), "{held}");
        let meant = and(resting(10), json!({ "allowDuplicateOf": held["first"]["intentId"] }));
        let meant = again.call("place_order", meant).await.ok();
        assert_eq!(meant["status"], "not_placed", "in doubt, not even if meant: {meant}");

        let first = desk.client.reply(id).await.ok();
        assert_eq!(first["status"], "unknown", "{fault}: {first}");
        assert_eq!((&first["doNotRetry"], &first["orderId"]), (&json!(true), &Value::Null));
        assert_eq!(held["first"]["intentId"], first["intentId"]);
        let found = desk.call("wait_for_order", json!({ "intentId": first["intentId"] })).await;
        assert_eq!(found["status"], "placed", "{fault}: {found}");
        let placements = desk.placements().await;
        assert_eq!(placements.len(), 1, "{fault}");
        assert_eq!(found["orderId"], placements[0]["orderId"].to_string());
        // Found, it is a possible duplicate like any other.
        let held = again.call("place_order", resting(10)).await.ok();
        assert_eq!(held["reason"]["code"], "possible_duplicate", "{held}");
        assert_eq!(held["first"]["orderId"], found["orderId"]);
        assert_eq!(desk.posts().await, 1, "{fault}");
    };
    join_all([
        lost(json!({ "mode": "accept_drop" })),
        lost(json!({ "mode": "accept_status", "status": 503 })),
        lost(json!({ "mode": "accept_hang" })),
        lost(json!({ "mode": "late", "delayMs": 3000 })),
    ])
    .await;
}

#[tokio::test]
async fn without_a_gateway_nothing_is_placed_and_that_is_certain() {
    let mut desk = Desk::paper().await;
    desk.call("get_positions", json!({})).await;
    let old = std::mem::replace(&mut desk.sim, ibd_tests::Sim::start().await);
    old.kill().await;
    let reply = desk.client.call("place_order", resting(10)).await;
    assert!(reply.is_error, "{}", reply.json);
    assert_eq!(reply.error(), "gateway_down", "{}", reply.json);
}
