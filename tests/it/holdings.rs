//! What is held is reduced whatever the limits say, closed with what is there, and never beyond; and whatever
//! names a contract twice must agree.

use ibd_tests::desk::{AAPL, Desk, and};
use ibd_tests::months::option_month;
use ibd_tests::until;
use serde_json::{Value, json};

fn close() -> Value {
    json!({ "symbol": "AAPL", "orderType": "MKT", "closePosition": true })
}

fn account() -> Value {
    json!([{
        "id": "DU1234567", "currency": "USD", "cash": { "USD": 100_000 },
        "positions": [{ "symbol": "AAPL", "quantity": 10, "avgPrice": 250 }],
    }])
}

/// Nobody says how many an order by its amount of money is; once it is filled, nothing of it is open.
#[tokio::test]
async fn what_an_amount_of_money_bought_is_closed_with_the_rest() {
    let mut desk = Desk::new(json!({ "accounts": account(), "orders": [] }), "").await;
    let cash =
        json!({ "symbol": "AAPL", "action": "BUY", "orderType": "MKT", "cashQuantity": 1000 });
    let cash = desk.placed(cash).await;
    let wait = json!({ "intentId": cash["intentId"], "seconds": 10 });
    until("it is filled", async || {
        desk.call("wait_for_order", wait.clone()).await["standing"]["status"] == "Filled"
    })
    .await;
    let mut out = json!(null);
    until("what it bought is closed with the rest", async || {
        out = desk.call("place_order", close()).await;
        out["status"] == "placed"
    })
    .await;
    assert_eq!((&out["order"]["action"], &out["order"]["quantity"]), (&json!("SELL"), &json!(13)));
}

#[tokio::test]
async fn a_position_is_closed_with_what_is_held_and_never_beyond() {
    let stop = json!({ "conid": AAPL, "side": "SELL", "quantity": 10, "type": "STP", "stopPrice": 240,
        "tif": "GTC" });
    let scenario = json!({ "accounts": account(), "orders": [stop] });
    let config = "max_order_value = 100\nmax_order_quantity = 1\n";
    let mut desk = Desk::new(scenario, config).await;
    // A stop that works could close it, too.
    let preview = desk.call("preview_order", close()).await;
    assert_eq!(preview["verdict"], "refuse", "{preview}");
    assert_eq!(preview["order"]["quantity"], 10, "{preview}");
    let reason = desk.held(close()).await;
    assert_eq!(reason["code"], "already_closing", "{reason}");
    let orders = desk.sim.control_get("/orders").await;
    let order_id = orders["orders"][0]["orderId"].clone();
    assert!(reason["message"].as_str().unwrap().contains(&order_id.to_string()), "{reason}");
    // So more than it leaves is not only a reduction.
    let sell = json!({ "symbol": "AAPL", "action": "SELL", "orderType": "LMT", "quantity": 4, "price": 275 });
    assert_eq!(desk.held(sell.clone()).await["code"], "over_max_quantity");
    desk.call("cancel_order", json!({ "orderId": order_id })).await;
    until("it is cancelled", async || {
        desk.sim.control_get("/orders").await["orders"][0]["status"] == "Cancelled"
    })
    .await;
    let wrong = desk.refused("place_order", and(close(), json!({ "action": "BUY" }))).await;
    assert_eq!(wrong.json["field"], "action", "{}", wrong.json);
    // What only reduces is under no limit on its size, and is known at once, also before the list has it.
    let mut placed = json!(null);
    until("the list, which may be late, has its end", async || {
        placed = desk.call("place_order", sell.clone()).await;
        placed["status"] == "placed"
    })
    .await;
    let reason = desk.held(close()).await;
    assert_eq!(reason["code"], "already_closing", "{reason}");
    desk.sim
        .tell(
            "/fill",
            json!({ "orderId": placed["orderId"].as_str().unwrap().parse::<u64>().unwrap() }),
        )
        .await;
    let wait = json!({ "intentId": placed["intentId"], "seconds": 10 });
    until("it is filled", async || {
        desk.call("wait_for_order", wait.clone()).await["standing"]["status"] == "Filled"
    })
    .await;
    let mut out = json!(null);
    until("the list has the fill", async || {
        out = desk.call("place_order", close()).await;
        out["status"] == "placed"
    })
    .await;
    assert_eq!((&out["order"]["action"], &out["order"]["quantity"]), (&json!("SELL"), &json!(6)));
    let wait = json!({ "intentId": out["intentId"], "seconds": 10 });
    until("it is closed", async || {
        desk.call("wait_for_order", wait.clone()).await["standing"]["status"] == "Filled"
    })
    .await;
    let nothing = desk.refused("place_order", close()).await;
    assert_eq!(nothing.json["error"], "nothing_to_close", "{}", nothing.json);
}

#[tokio::test]
async fn what_became_another_quantity_before_its_turn_is_sent_as_what_is_held() {
    let scenario = json!({ "accounts": account(), "orders": [] });
    let mut desk = Desk::new(scenario, "confirm_orders = \"always\"\n").await;
    let out = desk.place(close()).await;
    assert_eq!(out["status"], "needs_confirmation", "{out}");
    assert_eq!(out["order"]["quantity"], 10, "{out}");
    // Somebody sells four of them elsewhere.
    let other = json!({ "symbol": "AAPL", "action": "SELL", "orderType": "MKT", "quantity": 4 });
    let sold = desk.place(other).await;
    let approve = |out: &Value| out["confirmation"]["id"].as_str().unwrap().to_owned();
    desk.ctl(&["approve", &approve(&sold), "--yes"]).await;
    let wait = json!({ "intentId": sold["intentId"], "seconds": 10 });
    until("it is filled", async || {
        desk.call("wait_for_order", wait.clone()).await["standing"]["status"] == "Filled"
    })
    .await;
    // A yes to ten is none to six: it is asked again, and shown as it would be sent.
    desk.ctl(&["approve", &approve(&out), "--yes"]).await;
    let look = json!({ "intentId": out["intentId"] });
    let mut again = Value::Null;
    until("it is asked again", async || {
        again = desk.call("get_order_status", look.clone()).await;
        again.to_string().contains("needs_confirmation") && again.to_string().contains("SELL 6 ")
    })
    .await;
    let (orders, _) = desk.ctl(&["orders"]).await;
    let approvals = orders["approvals"].as_array().unwrap();
    assert_eq!(approvals.len(), 1, "{orders}");
    desk.ctl(&["approve", approvals[0]["id"].as_str().unwrap(), "--yes"]).await;
    until("what is held is sent", async || {
        desk.placements().await.iter().any(|sent| sent["quantity"].as_f64() == Some(6.0))
    })
    .await;
    assert!(desk.placements().await.iter().all(|sent| sent["quantity"].as_f64() != Some(10.0)));
}

#[tokio::test]
async fn whatever_names_a_contract_twice_must_agree() {
    let mut desk = Desk::paper().await;
    let order =
        json!({ "conid": AAPL, "action": "BUY", "orderType": "LMT", "quantity": 1, "price": 265 });
    for (more, field) in [
        (json!({ "symbol": "MSFT" }), "symbol"),
        (json!({ "currency": "EUR" }), "currency"),
        (json!({ "exchange": "NYSE" }), "exchange"),
        (json!({ "secType": "OPT" }), "secType"),
        (json!({ "right": "P", "strike": 270, "expiry": option_month(1).code() }), "expiry"),
        (json!({ "right": "P" }), "right"),
    ] {
        for tool in ["place_order", "preview_order"] {
            let refused = desk.refused(tool, and(order.clone(), more.clone())).await;
            assert_eq!(refused.json["error"], "contradiction", "{more}: {}", refused.json);
            assert_eq!(refused.json["field"], field, "{}", refused.json);
        }
    }
    let quote = json!({ "conid": AAPL, "exchange": "NYSE" });
    let refused = desk.refused("get_market_data", quote).await;
    assert_eq!(refused.json["error"], "contradiction", "{}", refused.json);
    let cash = json!({ "symbol": "AAPL", "secType": "CASH", "action": "BUY", "orderType": "LMT",
        "quantity": 1, "price": 265 });
    desk.refused("place_order", cash).await;
    let agreed =
        json!({ "symbol": "aapl", "exchange": "NASDAQ.NMS", "currency": "usd", "secType": "ETF" });
    desk.placed(and(order, agreed)).await;
}
