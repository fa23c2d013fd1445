//! What IBKR asks and answers.

use ibd_tests::desk::{Desk, and, limit, resting};
use ibd_tests::until;
use serde_json::json;

#[tokio::test]
async fn a_chain_of_listed_questions_is_answered_and_an_unlisted_one_is_declined() {
    let mut desk = Desk::paper().await;
    desk.script(json!([{ "questions": ["o163", "o354", "o383"], "then": "rest" }, { "questions": ["o163", "o999"] }])).await;
    let out = desk.placed(resting(1)).await;
    assert_eq!(desk.sim.count("/iserver/reply/").await, 3, "{out}");

    let asked = desk.place(resting(2)).await;
    assert_eq!(asked["status"], "needs_confirmation", "{asked}");
    assert_eq!(asked["confirmation"]["by"], "client");
    let questions = asked["confirmation"]["questions"].as_array().unwrap();
    assert_eq!(questions.len(), 1);
    assert_eq!(questions[0]["id"], "o999");
    assert!(questions[0]["text"].as_str().unwrap().contains("o999"), "{asked}");
    assert_eq!(desk.placements().await.len(), 1, "nothing is held open at IBKR meanwhile");
    let listed = desk.call("get_live_orders", json!({})).await;
    let waits: Vec<&str> = listed["fromHere"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["state"].as_str())
        .collect();
    assert_eq!(waits, ["awaiting_approval"], "one question is told once: {listed}");

    // A yes makes a new order with a name of its own, and answers exactly that question.
    desk.script(json!([{ "questions": ["o163", "o999"], "then": "rest" }])).await;
    let yes = json!({ "confirmationId": asked["confirmation"]["id"], "accept": true });
    let out = desk.call("confirm_order", yes.clone()).await;
    assert_eq!(out["status"], "placed", "{out}");
    assert_eq!(desk.placements().await.len(), 2);
    // Said again, also to the next daemon, it is the same yes and has the same outcome.
    for _ in 0..2 {
        let again = desk.call("confirm_order", yes.clone()).await;
        assert_eq!((&again["status"], &again["orderId"]), (&json!("placed"), &out["orderId"]));
        desk.world.kill_daemon().await;
    }
    assert_eq!(desk.placements().await.len(), 2);
}

#[tokio::test]
async fn without_suppression_the_client_is_asked_what_ibkr_asks() {
    let mut desk = Desk::paper().await;
    let order = and(limit(10, 250.0), json!({ "suppressConfirmations": false }));
    let asked = desk.place(order.clone()).await;
    assert_eq!(asked["status"], "needs_confirmation", "{asked}");
    let text = asked["confirmation"]["questions"][0]["text"].as_str().unwrap();
    assert!(text.contains("Percentage constraint of 3%"), "{text}");
    assert!(asked["next"].as_str().unwrap().contains("confirm_order"), "{asked}");
    let no = json!({ "confirmationId": asked["confirmation"]["id"], "accept": false });
    let declined = desk.call("confirm_order", no).await;
    assert_eq!(
        (&declined["status"], &declined["reason"]["code"]),
        (&json!("not_placed"), &json!("declined"))
    );
    assert_eq!(desk.placements().await.len(), 0);

    let asked = desk.place(order).await;
    // The original's way of saying yes.
    let yes = json!({ "replyId": asked["confirmation"]["id"], "messageIds": ["o163"] });
    let out = desk.call("confirm_order", yes).await;
    assert_eq!(out["status"], "placed", "{out}");
    assert_eq!(desk.placements().await.len(), 1);
    let nothing =
        desk.refused("confirm_order", json!({ "confirmationId": "ZZZZZ", "accept": true })).await;
    assert_eq!(
        (nothing.error(), &nothing.json["field"]),
        ("unknown_confirmation", &json!("confirmationId"))
    );
    let half = desk.refused("confirm_order", json!({ "confirmationId": "ZZZZZ" })).await;
    assert_eq!(half.json["field"], "accept");
}

#[tokio::test]
async fn a_question_whose_answer_is_lost_leaves_it_unknown_until_it_is_seen() {
    let mut desk = Desk::paper().await;
    desk.script(json!([{ "questions": ["o163"], "then": "rest" }])).await;
    desk.sim.fault(json!({ "match": "/iserver/reply/", "method": "POST", "mode": "accept_status", "status": 503 })).await;
    let out = desk.place(resting(1)).await;
    assert_eq!(out["status"], "unknown", "{out}");
    let found = desk.call("wait_for_order", json!({ "intentId": out["intentId"] })).await;
    assert_eq!(found["status"], "placed", "{found}");
    assert_eq!(desk.placements().await.len(), 1);
    assert_eq!(desk.posts().await, 1);
}

/// "Zombies": a question that was given up may become an order all the same.
#[tokio::test]
async fn a_question_that_was_given_up_and_goes_live_is_found() {
    let mut desk = Desk::new(json!({ "zombieMillis": 2000 }), "").await;
    desk.script(json!([{ "questions": ["o163"], "zombie": true, "then": "rest" }])).await;
    desk.sim.fault(json!({ "match": "/iserver/reply/", "method": "POST", "mode": "status", "status": 503 })).await;
    let out = desk.place(resting(1)).await;
    assert_eq!(out["status"], "unknown", "{out}");
    // Another order gives the question up; its zombie rises.
    desk.placed(limit(2, 264.0)).await;
    let found = desk.call("wait_for_order", json!({ "intentId": out["intentId"] })).await;
    assert_eq!(found["status"], "placed", "{found}");
    assert_eq!(desk.placements().await.len(), 2);
}

#[tokio::test]
async fn what_was_called_not_placed_and_fills_all_the_same_is_told() {
    let mut desk = Desk::new(json!({ "zombieMillis": 500 }), "").await;
    desk.script(json!([{ "questions": ["o163"], "zombie": true, "then": "fill" }])).await;
    desk.sim.fault(json!({ "match": "/iserver/reply/", "method": "POST", "mode": "status", "status": 503 })).await;
    let out = desk.place(resting(1)).await;
    assert_eq!(out["status"], "unknown", "{out}");
    let intent = out["intentId"].as_str().unwrap();
    let resolved = desk.world.ctl(&["orders", "resolve", intent, "--not-placed", "--yes"]).await;
    assert!(resolved.status.success(), "{resolved:?}");
    // Another order gives the question up; the order rises, and is filled at once.
    desk.placed(limit(2, 264.0)).await;
    let notice = desk.client.notice("order_came_alive").await;
    assert!(notice["data"]["text"].as_str().unwrap().contains("not placed"), "{notice}");
    let status = desk.world.status().await;
    assert!(status["conditions"].to_string().contains("order_came_alive"), "{status}");
}

#[tokio::test]
async fn what_ibkr_refuses_is_not_placed_with_ibkrs_words() {
    let mut desk = Desk::paper().await;
    desk.script(json!([
        { "reject": "We cannot accept an order at the limit price you selected." },
        { "rowStatus": "Failed", "reject": "No trading permission." },
        { "rowStatus": "Inactive", "reject": "Held by the exchange." },
        { "advancedReject": { "error": "Order exceeds your limit.", "orderId": 0 } },
    ]))
    .await;
    for (quantity, words) in [
        (1, "We cannot accept"),
        (2, "No trading permission"),
        (3, "Held by the exchange"),
        (4, "exceeds your limit"),
    ] {
        let out = desk.place(resting(quantity)).await;
        assert_eq!(out["status"], "not_placed", "{out}");
        assert_eq!(out["reason"]["code"], "broker_refused");
        assert!(out["reason"]["message"].as_str().unwrap().contains(words), "{out}");
    }
    assert_eq!(desk.placements().await.len(), 0);
    // What was refused may be placed again at once.
    desk.placed(resting(1)).await;
}

#[tokio::test]
async fn an_empty_answer_is_no_answer() {
    let mut desk = Desk::paper().await;
    desk.script(json!([{ "empty": true }])).await;
    let out = desk.place(resting(1)).await;
    assert_eq!(out["status"], "unknown", "{out}");
    let held = desk.held(resting(1)).await;
    assert_eq!(held["code"], "same_order_in_doubt");
    // Other orders are not held up by it.
    desk.placed(limit(2, 264.0)).await;
}

#[tokio::test]
async fn a_late_reject_reaches_the_client_and_stands_in_the_lists() {
    let mut desk = Desk::paper().await;
    desk.script(json!([{ "then": "late_reject", "reason": "Not enough shares to borrow." }])).await;
    let out = desk.placed(resting(1)).await;
    let waited = desk.call("wait_for_order", json!({ "intentId": out["intentId"] })).await;
    assert_eq!(waited["standing"]["status"], "Cancelled", "{waited}");
    let notice = desk.client.notice("order_cancelled").await;
    assert!(notice["data"]["text"].as_str().unwrap().contains("AAPL"), "{notice}");
    let status = desk.call("get_order_status", json!({ "orderId": out["orderId"] })).await;
    assert_eq!(status["status"], "Cancelled", "{status}");
    let by_intent = desk.call("get_order_status", json!({ "intentId": out["intentId"] })).await;
    assert_eq!(by_intent["status"], "Cancelled", "{by_intent}");
    until("the list says why", async || {
        let list = desk.call("get_live_orders", json!({})).await;
        let rows = list["orders"].as_array().unwrap();
        let row = rows.iter().find(|row| row["orderId"] == out["orderId"]);
        row.is_some_and(|row| {
            row["status"] == "Cancelled"
                && row["reason"] == "Not enough shares to borrow."
                && row["intentId"] == out["intentId"]
        })
    })
    .await;
}
