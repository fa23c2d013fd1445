//! Orders beside each other: brackets, groups, and what a person enters at TWS next to what a client wants.

use ibd_tests::desk::{AAPL, Desk, and, resting};
use ibd_tests::until;
use serde_json::{Value, json};

fn number(id: &Value) -> u64 {
    id.as_str().unwrap().parse().unwrap()
}

fn bracket() -> Value {
    and(resting(10), json!({ "takeProfit": 290, "stopLoss": 250, "tif": "GTC" }))
}

const LIVE: &str = "U7654321";
const PAPER: &str = "DU1234567";

/// An account that holds ten shares of Apple, and nothing that works.
async fn holding(id: &str) -> Desk {
    let accounts = json!([{
        "id": id, "currency": "USD", "cash": { "USD": 1_000_000 },
        "positions": [{ "conid": AAPL, "quantity": 10, "avgPrice": 200 }],
    }]);
    Desk::new(json!({ "accounts": accounts, "orders": [] }), "").await
}

/// A bracket that works; its answer with the ids of its children.
async fn placed(desk: &mut Desk) -> (Value, u64, u64) {
    desk.script(json!([{ "questions": [], "then": "rest", "thenOthers": "rest" }])).await;
    let out = desk.placed(bracket()).await;
    let mut ids = (0, 0);
    until("both children are known", async || {
        let now = desk.call("get_order_status", json!({ "intentId": out["intentId"] })).await;
        let others = now["fromHere"]["otherOrders"].as_array().cloned().unwrap_or_default();
        let of = |role: &str| others.iter().find(|one| one["role"] == role).cloned();
        match (of("take_profit"), of("stop_loss")) {
            (Some(profit), Some(stop)) => {
                ids = (number(&profit["orderId"]), number(&stop["orderId"]));
                true
            }
            _ => false,
        }
    })
    .await;
    (out, ids.0, ids.1)
}

fn close(price: u32) -> Value {
    json!({ "symbol": "AAPL", "closePosition": true, "orderType": "LMT", "price": price, "tif": "GTC" })
}

#[tokio::test]
async fn a_position_is_not_closed_beside_an_order_that_was_entered_at_tws_just_now() {
    for account in [PAPER, LIVE] {
        let mut desk = holding(account).await;
        // The list is known, and the broker gives it again for some seconds.
        desk.call("get_live_orders", json!({})).await;
        let sell = json!({ "place": { "conid": AAPL, "side": "SELL", "quantity": 10, "type": "LMT", "price": 280, "tif": "GTC" } });
        if account == LIVE {
            let waits = desk.place(close(275)).await;
            assert_eq!(waits["status"], "needs_confirmation", "{waits}");
            desk.sim.tell("/tws", sell).await;
            let approval = waits["confirmation"]["id"].as_str().unwrap().to_owned();
            desk.ctl(&["approve", &approval, "--yes"]).await;
            let after = desk.settled(&waits).await;
            assert_eq!(after["reason"]["code"], "already_closing", "{after}");
        } else {
            desk.sim.tell("/tws", sell).await;
            let out = desk.place(close(275)).await;
            assert_eq!(out["reason"]["code"], "already_closing", "{out}");
        }
        assert_eq!(desk.posts().await, 0, "nothing was sent");
    }
}

#[tokio::test]
async fn what_was_cancelled_here_does_not_stand_in_the_way_of_a_close() {
    let mut desk = Desk::new(json!({ "accounts": [], "orders": [] }), "").await;
    let (out, profit, stop) = placed(&mut desk).await;
    desk.sim.tell("/fill", json!({ "orderId": number(&out["orderId"]) })).await;
    let wait = json!({ "intentId": out["intentId"], "seconds": 5 });
    until("it is filled", async || {
        desk.call("wait_for_order", wait.clone()).await["standing"]["status"] == "Filled"
    })
    .await;
    desk.call("get_live_orders", json!({})).await;
    let end = json!({ "orderId": stop, "requestId": "end" });
    for _ in 0..2 {
        let ended = desk.call("cancel_order", end.clone()).await;
        let warnings = ended["warnings"].to_string();
        assert_eq!(warnings.matches("stands without it").count(), 1, "{ended}");
        assert_eq!(ended["outcome"], "done", "{ended}");
    }
    desk.call("cancel_order", json!({ "orderId": profit })).await;
    let closed = desk.place(close(280)).await;
    assert_eq!(closed["status"], "placed", "{closed}");
}

#[tokio::test]
async fn who_approves_is_shown_what_the_client_is_told() {
    let mut desk = holding(LIVE).await;
    let stop = json!({ "symbol": "AAPL", "action": "SELL", "orderType": "STP", "quantity": 25, "stopPrice": 250 });
    let out = desk.place(stop).await;
    assert_eq!(out["status"], "needs_confirmation", "{out}");
    let (list, _) = desk.ctl(&["orders"]).await;
    let lines = list["approvals"][0]["lines"].to_string();
    for word in ["short by 15", "ends with today's session"] {
        assert!(out["warnings"].to_string().contains(word), "{out}");
        assert!(lines.contains(word), "{lines}");
    }
}

#[tokio::test]
async fn a_child_that_was_moved_at_tws_is_told_and_the_whole_is_told_as_it_is() {
    let mut desk = Desk::new(json!({ "accounts": [], "orders": [] }), "").await;
    let (out, _, stop) = placed(&mut desk).await;
    desk.sim.tell("/tws", json!({ "orderId": stop, "stopPrice": 240 })).await;
    desk.client.notice("order_changed_elsewhere").await;
    let now = desk.call("get_order_status", json!({ "intentId": out["intentId"] })).await;
    let here = &now["fromHere"];
    assert!(here["order"]["text"].as_str().unwrap().contains("stop loss at 240"), "{now}");
    assert!(here["warnings"].to_string().contains("stopLoss 240 (not 250)"), "{now}");
    let (list, _) = desk.ctl(&["orders"]).await;
    assert!(list["orders"][0]["text"].as_str().unwrap().contains("stop loss at 240"), "{list}");
}

#[tokio::test]
async fn for_how_long_a_stop_protects_is_told_as_it_is_now() {
    let mut desk = Desk::new(json!({ "accounts": [], "orders": [] }), "").await;
    let (out, _, stop) = placed(&mut desk).await;
    let ends = |told: &Value| told.to_string().contains("ends with today's session");
    let look = json!({ "intentId": out["intentId"] });
    let changed = desk.call("modify_order", json!({ "orderId": stop, "tif": "DAY" })).await;
    assert_eq!(changed["outcome"], "done", "{changed}");
    assert!(ends(&changed["warnings"]), "{changed}");
    let now = desk.call("get_order_status", look.clone()).await;
    let warnings = &now["fromHere"]["warnings"];
    assert!(ends(warnings), "{now}");
    assert!(warnings.to_string().contains("stopLoss tif DAY (not GTC)"), "{now}");
    let (list, _) = desk.ctl(&["orders"]).await;
    assert!(list["orders"].to_string().contains("stop loss STP 250 DAY"), "{list}");
    let back = desk.call("modify_order", json!({ "orderId": stop, "tif": "GTC" })).await;
    assert_eq!(back["outcome"], "done", "{back}");
    assert!(!ends(&back["warnings"]), "{back}");
    let now = desk.call("get_order_status", look).await;
    assert!(!ends(&now["fromHere"]["warnings"]), "{now}");
    assert!(!now.to_string().contains("stopLoss tif"), "{now}");
}

#[tokio::test]
async fn a_child_is_not_moved_past_its_parent_nor_that_past_it() {
    let mut desk = Desk::new(json!({ "accounts": [], "orders": [] }), "").await;
    let (out, profit, stop) = placed(&mut desk).await;
    for change in [
        json!({ "orderId": profit, "price": 260 }),
        json!({ "orderId": stop, "stopPrice": 266 }),
        json!({ "orderId": number(&out["orderId"]), "price": 249 }),
    ] {
        let refused = desk.refused("modify_order", change.clone()).await;
        assert_eq!(refused.error(), "invalid_argument", "{change}");
        assert!(
            refused.json["message"].as_str().unwrap().contains("not filled yet"),
            "{refused:?}"
        );
    }
    let moved = desk.call("modify_order", json!({ "orderId": stop, "stopPrice": 251 })).await;
    assert_eq!(moved["outcome"], "done", "{moved}");
    let now = desk.call("get_order_status", json!({ "intentId": out["intentId"] })).await;
    let text = now["fromHere"]["order"]["text"].as_str().unwrap().to_owned();
    assert!(text.contains("stop loss at 251"), "{now}");
    // What is changed of the first order alone is said.
    let smaller = json!({ "orderId": number(&out["orderId"]), "quantity": 8 });
    let smaller = desk.call("modify_order", smaller).await;
    assert!(smaller["warnings"].to_string().contains("sent for 10 each"), "{smaller}");
}

#[tokio::test]
async fn a_change_within_a_group_is_no_second_sale() {
    let mut desk = holding(PAPER).await;
    desk.script(json!([{ "questions": [], "then": "rest", "thenOthers": "rest" }])).await;
    let group = json!({
        "symbol": "AAPL", "action": "SELL", "orderType": "LMT", "quantity": 10, "price": 290, "tif": "GTC",
        "oca": [{ "orderType": "STP", "stopPrice": 250 }],
    });
    let out = desk.placed(group).await;
    let changed = json!({ "orderId": number(&out["orderId"]), "price": 291 });
    let changed = desk.call("modify_order", changed).await;
    assert_eq!(changed["outcome"], "done", "{changed}");
    assert!(!changed["warnings"].to_string().contains("short"), "{changed}");
}

#[tokio::test]
async fn a_request_is_done_where_what_it_was_for_is_seen() {
    let mut desk = Desk::new(json!({ "accounts": [], "orders": [] }), "").await;
    let out = desk.placed(resting(10)).await;
    desk.sim.tell("/next", json!({ "cancel": "ignore" })).await;
    let order = json!({ "orderId": number(&out["orderId"]) });
    let asked = desk.call("cancel_order", and(order.clone(), json!({ "requestId": "end" }))).await;
    assert_eq!(asked["outcome"], "requested", "{asked}");
    let of_request = async |desk: &mut Desk| {
        let (list, _) = desk.ctl(&["orders"]).await;
        let orders = list["orders"].as_array().unwrap().clone();
        let request = orders.iter().find(|one| one["intentId"] == asked["intentId"]).unwrap();
        request["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(of_request(&mut desk).await, "requested");
    let ended = desk.call("cancel_order", order).await;
    assert_eq!(ended["outcome"], "done", "{ended}");
    assert_eq!(of_request(&mut desk).await, "done", "what it was for is so");
    // By every way to ask for it.
    let waited = desk.call("wait_for_order", json!({ "requestId": "end", "seconds": 1 })).await;
    assert_eq!(waited["outcome"], "done", "{waited}");
    let status = desk.call("get_order_status", json!({ "requestId": "end" })).await;
    assert_eq!(status["fromHere"]["outcome"], "done", "{status}");
}

#[tokio::test]
async fn a_person_sees_what_of_a_submission_works() {
    let mut desk = Desk::new(json!({ "accounts": [], "orders": [] }), "").await;
    let (out, _, stop) = placed(&mut desk).await;
    desk.sim.tell("/fill", json!({ "orderId": number(&out["orderId"]) })).await;
    let seen = async |desk: &mut Desk| {
        let (list, _) = desk.ctl(&["orders"]).await;
        list["orders"][0].clone()
    };
    until("it is filled", async || seen(&mut desk).await["state"] == "filled").await;
    // The page is the child's, and what is told from here the first order's: that is said.
    let child = desk.call("get_order_status", json!({ "orderId": stop })).await;
    let told = child["fromHere"]["warnings"].to_string();
    assert!(told.contains("(stop_loss), which was asked for, is"), "{child}");
    assert_eq!(child["fromHere"]["orderId"], out["orderId"], "{child}");
    let order = seen(&mut desk).await;
    assert_eq!(order["open"], true, "{order}");
    assert!(order["others"].to_string().contains("stop loss STP 250"), "{order}");
    desk.sim.tell("/tws", json!({ "orderId": stop, "cancel": true })).await;
    until("the lost stop is said", async || {
        seen(&mut desk).await["warnings"].to_string().contains("stands without it")
    })
    .await;
}
