//! What becomes of an order after it was placed.

use ibd_tests::desk::{Desk, PRICE, and, resting};
use ibd_tests::months::quarter;
use ibd_tests::until;
use serde_json::json;

#[tokio::test]
async fn a_fill_ends_a_wait_at_once_and_is_a_trade() {
    let mut desk = Desk::new(json!({ "commissionMillis": 0 }), "").await;
    let out = desk.placed(resting(10)).await;
    let wait = json!({ "intentId": out["intentId"], "seconds": 40 });
    let id = desk.client.begin_call("wait_for_order", wait).await;
    let order_id = out["orderId"].as_str().unwrap().parse::<u64>().unwrap();
    desk.sim.tell("/fill", json!({ "orderId": order_id, "quantity": 4 })).await;
    desk.sim.tell("/fill", json!({ "orderId": order_id, "price": 264.5 })).await;
    let filled = desk.client.reply(id).await.ok();
    assert_eq!(filled["standing"]["status"], "Filled", "{filled}");
    assert_eq!(filled["standing"]["filled"], 10);
    assert_eq!(filled["standing"]["avgPrice"], 264.7, "{filled}");
    desk.client.notice("order_filled").await;
    let mut trades = json!(null);
    until("the trades have their commissions", async || {
        trades = desk.call("get_trades", json!({ "symbol": "aapl" })).await;
        let rows = trades["rows"].as_array().unwrap();
        rows.len() == 2 && rows.iter().all(|row| row[7].is_number())
    })
    .await;
    assert_eq!((&trades["cols"][3], &trades["cols"][5]), (&json!("conid"), &json!("quantity")));
    for row in trades["rows"].as_array().unwrap() {
        assert_eq!(
            (&row[1], &row[4], &row[10]),
            (&json!("AAPL"), &json!("BUY"), &out["orderId"]),
            "{row}"
        );
    }
    let positions = desk.call("get_positions", json!({ "symbol": "AAPL" })).await;
    assert_eq!(positions["rows"][0][3], 20, "{positions}");
    // By the company's name too; and nothing found is said to be that.
    let named = desk.call("get_trades", json!({ "symbol": "apple" })).await;
    assert_eq!((&named["total"], &named["rows"][0][12]), (&json!(2), &json!("USD")), "{named}");
    let none = desk.call("get_trades", json!({ "symbol": "zzyzx" })).await;
    assert!(none["warnings"][0].as_str().unwrap().contains("search_contracts"), "{none}");
    let wrong = desk.refused("get_trades", json!({ "days": 8 })).await;
    assert_eq!(wrong.json["field"], "days");
}

#[tokio::test]
async fn a_wait_ends_in_time_and_says_how_it_stands() {
    let mut desk = Desk::paper().await;
    let out = desk.placed(resting(10)).await;
    let started = std::time::Instant::now();
    let waited =
        desk.call("wait_for_order", json!({ "orderId": out["orderId"], "seconds": 2 })).await;
    assert!(started.elapsed().as_secs() >= 2, "{:?}", started.elapsed());
    assert_eq!(
        (&waited["status"], &waited["standing"]["status"]),
        (&json!("placed"), &json!("Submitted"))
    );
    for (arguments, field) in [
        (json!({}), "intentId"),
        (json!({ "intentId": "01KB3N7Q2Z5W8X4Y6V9T0S1R2P" }), "intentId"),
        (json!({ "intentId": "nonsense" }), "intentId"),
        (json!({ "orderId": "1234567890" }), "orderId"),
    ] {
        let refused = desk.refused("wait_for_order", arguments).await;
        assert_eq!(refused.json["field"], field, "{}", refused.json);
    }
}

#[tokio::test]
async fn a_working_order_is_changed_and_stays_the_same_order() {
    let mut desk = Desk::paper().await;
    let out = desk.placed(resting(10)).await;
    let order_id = out["orderId"].clone();
    let changed = desk
        .call("modify_order", json!({ "orderId": order_id, "price": 264.25, "quantity": 12 }))
        .await;
    assert_eq!(
        (&changed["status"], &changed["request"]),
        (&json!("placed"), &json!("modify")),
        "{changed}"
    );
    let seen = desk.call("get_order_status", json!({ "orderId": order_id })).await;
    assert_eq!((&seen["price"], &seen["quantity"]), (&json!(264.25), &json!(12)), "{seen}");
    // What was not named stayed; and the next change starts from what the order is now.
    let changed =
        desk.call("modify_order", json!({ "intentId": out["intentId"], "tif": "GTC" })).await;
    assert_eq!(changed["status"], "placed", "{changed}");
    let seen = desk.call("get_order_status", json!({ "orderId": order_id })).await;
    assert_eq!(
        (&seen["price"], &seen["quantity"], &seen["tif"]),
        (&json!(264.25), &json!(12), &json!("GTC")),
        "{seen}"
    );
    assert_eq!(desk.placements().await.len(), 1);
    // What does not fit is refused, with the field.
    for (arguments, field) in [
        (json!({ "orderId": order_id, "stopPrice": 260 }), "stopPrice"),
        (json!({ "orderId": order_id, "price": 264.001 }), "price"),
        (json!({ "orderId": order_id, "quantity": 0 }), "quantity"),
        (json!({ "orderId": order_id }), "price"),
        (json!({ "price": 260 }), "orderId"),
        (json!({ "orderId": "999", "price": 260 }), "orderId"),
        (json!({ "orderId": order_id, "symbol": "MSFT" }), "symbol"),
    ] {
        let refused = desk.refused("modify_order", arguments.clone()).await;
        assert_eq!(refused.json["field"], field, "{arguments}: {}", refused.json);
    }
    desk.sim
        .tell("/fill", json!({ "orderId": order_id.as_str().unwrap().parse::<u64>().unwrap() }))
        .await;
    desk.call("wait_for_order", json!({ "orderId": order_id })).await;
    for key in ["orderId", "intentId"] {
        let over = desk.refused("modify_order", json!({ key: out[key], "price": 260 })).await;
        assert_eq!(
            (over.error(), &over.json["field"]),
            ("not_working", &json!(key)),
            "{}",
            over.json
        );
    }
}

#[tokio::test]
async fn a_change_that_was_asked_for_before_has_its_outcome_and_a_refused_one_leaves_the_order() {
    let mut desk = Desk::paper().await;
    let out = desk.placed(resting(10)).await;
    let change = json!({ "intentId": out["intentId"], "quantity": 11, "requestId": "change-1" });
    let first = desk.call("modify_order", change.clone()).await;
    assert_eq!(first["status"], "placed", "{first}");
    desk.sim.fault(json!({
        "match": "/order/", "method": "POST", "mode": "status", "status": 400,
        "body": json!({ "error": "Cannot modify a working order now", "statusCode": 400 }).to_string(),
    }))
    .await;
    let refused =
        desk.call("modify_order", json!({ "intentId": out["intentId"], "quantity": 5 })).await;
    assert_eq!(refused["status"], "not_placed", "{refused}");
    assert!(refused["reason"]["message"].as_str().unwrap().contains("Cannot modify"), "{refused}");
    let next = refused["next"].as_str().unwrap();
    assert!(next.contains("as it was") && !next.contains("Nothing is at IBKR"), "{next}");
    let order_id: u64 = out["orderId"].as_str().unwrap().parse().unwrap();
    assert_eq!(desk.at_broker(&out["orderId"]).await["quantity"], 11.0);
    desk.sim.tell("/fill", json!({ "orderId": order_id })).await;
    desk.call("wait_for_order", json!({ "intentId": out["intentId"] })).await;
    let again = desk.call("modify_order", change).await;
    assert_eq!(
        (&again["intentId"], &again["status"]),
        (&first["intentId"], &json!("placed")),
        "{again}"
    );
    assert_eq!(desk.sim.count(&format!("/order/{order_id}")).await, 2, "and was not sent again");
}

/// A change whose answer is lost is looked for like an order; the same change is not sent twice.
#[tokio::test]
async fn a_change_and_a_cancellation_whose_answers_are_lost_are_found_out() {
    let mut desk = Desk::paper().await;
    let out = desk.placed(resting(10)).await;
    desk.sim.fault(json!({ "match": "/order/", "method": "POST", "mode": "accept_drop" })).await;
    let change = json!({ "orderId": out["orderId"], "price": 264 });
    let changed = desk.call("modify_order", change).await;
    assert_eq!(changed["status"], "unknown", "{changed}");
    let found = desk.call("wait_for_order", json!({ "intentId": changed["intentId"] })).await;
    assert_eq!(found["status"], "placed", "{found}");
    desk.sim.fault(json!({ "match": "/order/", "method": "DELETE", "mode": "accept_status", "status": 503 })).await;
    let cancel = desk.call("cancel_order", json!({ "orderId": out["orderId"] })).await;
    let waited = desk.call("wait_for_order", json!({ "intentId": cancel["intentId"] })).await;
    assert_eq!(waited["status"], "placed", "{waited}");
    let over = desk.call("wait_for_order", json!({ "intentId": out["intentId"] })).await;
    assert_eq!(over["standing"]["status"], "Cancelled", "{over}");
    assert_eq!(desk.placements().await.len(), 1);
}

/// The simulator's own stop on Apple: nobody here sent it.
#[tokio::test]
async fn an_order_from_elsewhere_can_be_changed_and_cancelled() {
    let mut desk = Desk::paper().await;
    let changed =
        desk.call("modify_order", json!({ "orderId": 1_234_567_890, "stopPrice": 241.5 })).await;
    assert_eq!(changed["status"], "placed", "{changed}");
    let seen = desk.call("get_order_status", json!({ "orderId": 1_234_567_890 })).await;
    assert_eq!(
        (&seen["stopPrice"], &seen["quantity"], &seen["tif"]),
        (&json!(241.5), &json!(10), &json!("GTC")),
        "{seen}"
    );
    let cancelled = desk.call("cancel_order", json!({ "orderId": "1234567890" })).await;
    assert_eq!(
        (&cancelled["status"], &cancelled["request"]),
        (&json!("placed"), &json!("cancel")),
        "{cancelled}"
    );
    until("it is cancelled", async || {
        desk.at_broker(&json!("1234567890")).await["status"] == "Cancelled"
    })
    .await;
    assert_eq!(desk.placements().await.len(), 0);
}

#[tokio::test]
async fn orders_are_cancelled_by_either_id_or_all_at_once() {
    let mut desk = Desk::paper().await;
    let one = desk.placed(resting(1)).await;
    let two = desk.placed(resting(2)).await;
    let three = desk.placed(resting(3)).await;
    let out = desk.call("cancel_order", json!({ "orderId": one["orderId"] })).await;
    assert_eq!(
        (&out["status"], &out["standing"]["status"]),
        (&json!("placed"), &json!("Cancelled")),
        "{out}"
    );
    let out = desk.call("cancel_order", json!({ "intentId": two["intentId"] })).await;
    assert_eq!(out["standing"]["status"], "Cancelled", "{out}");
    // Once more does no harm and is told apart.
    let again = desk.client.call("cancel_order", json!({ "intentId": two["intentId"] })).await;
    let text = again.json.to_string();
    assert!(
        again.is_error || again.json["status"] != "placed" || text.contains("ancelled"),
        "{text}"
    );
    for (arguments, field) in [
        (json!({}), "orderId"),
        (json!({ "orderId": 1, "all": true }), "orderId"),
        (json!({ "orderId": "999" }), "orderId"),
        (json!({ "intentId": "01KB3N7Q2Z5W8X4Y6V9T0S1R2P" }), "intentId"),
        (json!({ "all": "perhaps" }), "all"),
    ] {
        let refused = desk.refused("cancel_order", arguments.clone()).await;
        assert_eq!(refused.json["field"], field, "{arguments}: {}", refused.json);
    }
    let all = desk.call("cancel_order", json!({ "all": true })).await;
    assert_eq!(all["status"], "placed", "{all}");
    until("nothing works any more", async || {
        let orders = desk.sim.control_get("/orders").await;
        let orders = orders["orders"].as_array().unwrap();
        !orders.iter().any(|o| {
            ["Submitted", "PreSubmitted", "PendingCancel"].contains(&o["status"].as_str().unwrap())
        })
    })
    .await;
    let waited = desk.call("wait_for_order", json!({ "intentId": three["intentId"] })).await;
    assert_eq!(waited["standing"]["status"], "Cancelled", "{waited}");
}

#[tokio::test]
async fn a_preview_costs_nothing_and_says_what_place_order_would_do() {
    let mut desk = Desk::configured("max_order_value = 5000\n").await;
    let preview = desk.call("preview_order", resting(10)).await;
    assert_eq!(
        (&preview["verdict"], &preview["mode"]),
        (&json!("send"), &json!("paper")),
        "{preview}"
    );
    assert_eq!(preview["judgedValue"]["amount"], 2650);
    assert_eq!(preview["cost"]["amount"], 2650);
    assert_eq!(preview["commission"]["amount"], 1);
    assert_eq!(
        (&preview["position"]["now"], &preview["position"]["after"]),
        (&json!(10), &json!(20))
    );
    assert!(preview["initialMargin"]["after"].as_f64() > preview["initialMargin"]["now"].as_f64());
    assert!(preview["availableAfter"].is_number());
    assert_eq!(preview["market"]["last"], PRICE);
    let preview = desk.call("preview_order", resting(100)).await;
    assert_eq!(preview["verdict"], "refuse", "{preview}");
    assert!(preview["refusal"].as_str().unwrap().contains("IB_MAX_ORDER_VALUE=5000"), "{preview}");
    assert_eq!(desk.posts().await, 0);
    assert_eq!(desk.placements().await.len(), 0);
    let (audit, _) = desk.ctl(&["audit"]).await;
    assert!(!audit.to_string().contains("BUY"), "what was only looked at is in no journal");
}

/// IBKR's what-if says nothing of a contract that is halted; everything else is told.
#[tokio::test]
async fn an_order_into_a_halt_says_so_before_it_is_sent() {
    let mut desk = Desk::paper().await;
    let buy = json!({ "symbol": "SMCI", "action": "BUY", "orderType": "MKT", "quantity": 1 });
    let preview = desk.call("preview_order", buy.clone()).await;
    let why = preview["notRead"].as_str().unwrap_or_else(|| panic!("{preview}"));
    assert!(why.contains("what-if answered 500: Details currently unavailable"), "{why}");
    assert_eq!(preview["market"]["lastIs"], "halted", "{preview}");
    assert_eq!(preview["verdict"], "send", "{preview}");
    let out = desk.place(buy).await;
    for told in [preview, out] {
        assert!(told["warnings"].to_string().contains("Trading in SMCI is halted"), "{told}");
    }
}

/// What was placed a moment ago is in no list yet, and ends with everything else.
#[tokio::test]
async fn cancelling_everything_names_also_what_was_placed_just_now() {
    let mut desk = Desk::new(json!({ "orders": [], "ordersStaleMillis": 5000 }), "").await;
    desk.call("get_live_orders", json!({})).await;
    let bracket = and(resting(10), json!({ "takeProfit": 300, "stopLoss": 250 }));
    let out = desk.placed(bracket).await;
    let all = desk.call("cancel_order", json!({ "all": true })).await;
    let next = all["next"].as_str().unwrap();
    assert!(next.contains(out["orderId"].as_str().unwrap()), "{all}");
    for other in out["otherOrders"].as_array().unwrap() {
        assert!(next.contains(other["orderId"].as_str().unwrap()), "{all} {out}");
    }
}

/// An order that waits for a yes would be sent by one that comes later: whoever ends everything means it, too.
#[tokio::test]
async fn cancelling_everything_drops_what_waits() {
    let mut desk = Desk::configured("confirm_orders = \"always\"\n").await;
    let held = desk.place(resting(10)).await;
    let all = desk.call("cancel_order", json!({ "all": true })).await;
    assert!(
        all["next"].as_str().unwrap().contains("Dropped before it was sent: BUY 10 AAPL"),
        "{all}"
    );
    let (approved, _) = desk.ctl(&["approve", held["confirmation"]["id"].as_str().unwrap()]).await;
    assert!(approved["error"].is_string(), "{approved}");
    assert!(desk.placements().await.is_empty());
}

/// An expiry alone may be an option's whose strike was forgotten: no order for the future comes of it.
#[tokio::test]
async fn an_expiry_alone_is_asked_about() {
    let mut desk = Desk::paper().await;
    let future = json!({
        "symbol": "ES", "expiry": quarter().code(), "action": "BUY", "orderType": "LMT", "quantity": 1, "price": 6500,
    });
    let refused = desk.refused("preview_order", future.clone()).await;
    assert_eq!(refused.json["field"], "strike", "{}", refused.json);
    assert!(refused.json["next"].as_str().unwrap().contains("secType FUT"), "{}", refused.json);
    let preview = desk.call("preview_order", and(future, json!({ "secType": "FUT" }))).await;
    assert_eq!(preview["order"]["secType"], "FUT", "{preview}");
}

/// A bracket's stop does nothing before its parent is filled: moved, it leaves nobody short.
#[tokio::test]
async fn a_child_that_waits_for_its_parent_leaves_nobody_short() {
    let mut desk = Desk::paper().await;
    let tesla = json!({
        "symbol": "TSLA", "action": "BUY", "orderType": "LMT", "quantity": 4, "price": 380,
        "stopLoss": 360,
    });
    let out = desk.placed(tesla).await;
    let stop = &out["otherOrders"][0]["orderId"];
    let changed = desk.call("modify_order", json!({ "orderId": stop, "stopPrice": 365 })).await;
    assert!(!changed.to_string().contains("short by"), "{changed}");
}
