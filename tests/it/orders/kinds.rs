//! Every kind of order, right at the broker.

use ibd_tests::desk::{AAPL, Desk, and, limit, resting};
use ibd_tests::months::option_month;
use ibd_tests::until;
use serde_json::{Value, json};

/// A month as options have them, a month ahead: `JAN27`.
pub(super) fn month_ahead() -> String {
    option_month(1).code()
}

#[tokio::test]
async fn every_order_type_reaches_ibkr_as_it_was_meant() {
    let mut desk = Desk::paper().await;
    let sell =
        |order: Value| and(json!({ "symbol": "AAPL", "action": "SELL", "quantity": 3 }), order);
    // (the order, IBKR's type, limit, stop)
    let orders = [
        (resting(2), "LMT", json!(265), Value::Null),
        (
            sell(json!({ "orderType": "STP", "stopPrice": "250.50" })),
            "STP",
            Value::Null,
            json!(250.5),
        ),
        (
            sell(json!({ "orderType": "STOP_LIMIT", "stopPrice": 251, "price": 250.25 })),
            "STOP_LIMIT",
            json!(250.25),
            json!(251),
        ),
        (
            sell(json!({ "orderType": "TRAIL", "trailingAmount": 5 })),
            "TRAIL",
            Value::Null,
            json!(265),
        ),
        (
            sell(json!({ "orderType": "TRAIL", "trailingPercent": 10, "quantity": 4 })),
            "TRAIL",
            Value::Null,
            json!(243),
        ),
        (
            sell(
                json!({ "orderType": "TRAILLMT", "trailingAmount": 5, "stopPrice": 265, "price": "263.5" }),
            ),
            "TRAILLMT",
            json!(263.5),
            json!(265),
        ),
        (
            json!({ "symbol": "AAPL", "action": "BUY", "orderType": "MIDPRICE", "quantity": 1, "price": 266 }),
            "MIDPRICE",
            json!(266),
            Value::Null,
        ),
    ];
    let mut wrong = Vec::new();
    for (order, kind, limit, stop) in orders {
        let reply = desk.client.call("place_order", order.clone()).await;
        if reply.json["status"] != "placed" {
            wrong.push(format!("{order}: {}", reply.json));
            continue;
        }
        let out = reply.ok();
        let broker = desk.at_broker(&out["orderId"]).await;
        assert_eq!(broker["side"], order["action"], "{broker}");
        assert_eq!(broker["quantity"].as_f64(), order["quantity"].as_f64(), "{broker}");
        assert_eq!((&broker["conid"], &broker["cOID"]), (&json!(AAPL), &out["clientOrderId"]));
        let mut seen = json!(null);
        until("IBKR says what it has", async || {
            seen = desk.call("get_order_status", json!({ "orderId": out["orderId"] })).await;
            // Where a trailing stop stands is known after the first look at the market.
            seen["stopPrice"].is_null() == stop.is_null()
        })
        .await;
        let found = (&seen["price"], &seen["stopPrice"]);
        if found != (&limit, &stop) || seen["orderType"] != kind {
            wrong.push(format!("{order} is {} {found:?} at IBKR: {seen}", seen["orderType"]));
        }
        assert_eq!(seen["tif"], "DAY");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A market order is filled at the ask, and its trade is there.
    let market =
        json!({ "conid": AAPL.to_string(), "action": "BUY", "orderType": "MKT", "quantity": "7" });
    let out = desk.placed(market).await;
    let filled = desk.call("wait_for_order", json!({ "orderId": out["orderId"] })).await;
    assert_eq!(filled["standing"]["status"], "Filled", "{filled}");
    assert_eq!(
        (&filled["standing"]["filled"], &filled["standing"]["avgPrice"]),
        (&json!(7), &json!(270.01))
    );
    assert_eq!(desk.at_broker(&out["orderId"]).await["filled"], 7.0);
}

#[tokio::test]
async fn time_in_force_hours_fractions_and_amounts_of_money_reach_ibkr() {
    let mut desk = Desk::paper().await;
    let with = |more: Value| and(resting(1), more);
    for (order, tif) in [
        (with(json!({ "quantity": 1, "tif": "gtc" })), "GTC"),
        (with(json!({ "quantity": 2, "tif": "OPG" })), "OPG"),
        (with(json!({ "quantity": 3, "outsideRTH": true })), "DAY"),
    ] {
        let out = desk.placed(order.clone()).await;
        assert_eq!(out["order"]["tif"], tif);
        let seen = desk.call("get_order_status", json!({ "orderId": out["orderId"] })).await;
        assert_eq!(seen["tif"], tif, "{order}: {seen}");
        if order["outsideRTH"] == true {
            assert!(out["order"]["text"].as_str().unwrap().contains("outside"), "{out}");
        }
    }
    // At once or not at all: the market is above.
    let ioc = desk.placed(with(json!({ "quantity": 4, "tif": "IOC" }))).await;
    let over =
        desk.call("wait_for_order", json!({ "intentId": ioc["intentId"], "seconds": 15 })).await;
    assert_eq!(over["standing"]["status"], "Cancelled", "{over}");
    let fraction = desk.placed(with(json!({ "quantity": 1.5 }))).await;
    assert_eq!(desk.at_broker(&fraction["orderId"]).await["quantity"], 1.5);
    let cash =
        json!({ "symbol": "AAPL", "action": "BUY", "orderType": "MKT", "cashQuantity": 1000 });
    let cash = desk.placed(cash).await;
    assert_eq!(
        (&cash["order"]["cashQuantity"], &cash["order"]["quantity"]),
        (&json!(1000), &Value::Null)
    );
    assert_eq!(desk.at_broker(&cash["orderId"]).await["quantity"], 3.0, "{cash}");
}

#[tokio::test]
async fn a_bracket_and_a_group_are_one_submission_each() {
    let mut desk = Desk::paper().await;
    let bracket =
        and(resting(10), json!({ "takeProfit": 290, "stopLoss": "250", "stopLossLimit": 249 }));
    let out = desk.placed(bracket).await;
    let others = out["otherOrders"].as_array().unwrap();
    assert_eq!(others.len(), 2, "{out}");
    for child in others {
        let child = desk.at_broker(&child["orderId"]).await;
        assert_eq!((&child["side"], &child["quantity"]), (&json!("SELL"), &json!(10.0)));
        assert_eq!(child["parentId"].to_string(), out["orderId"].as_str().unwrap(), "{child}");
    }
    assert_eq!(desk.posts().await, 1);

    let group = and(
        limit(5, 264.0),
        json!({ "tif": "GTC", "oca": [{ "orderType": "STP", "stopPrice": 290 }, { "orderType": "LMT", "price": 263 }] }),
    );
    let out = desk.placed(group).await;
    assert_eq!(out["otherOrders"].as_array().unwrap().len(), 2, "{out}");
    // One is filled: the others go, and each is told apart.
    let (stop, filled) = (&out["otherOrders"][0]["orderId"], &out["otherOrders"][1]["orderId"]);
    desk.sim.tell("/fill", json!({ "orderId": number(filled) })).await;
    let now = desk.call("wait_for_order", json!({ "orderId": filled })).await;
    assert_eq!(now["otherOrders"][1]["status"], "Filled", "{now}");
    assert_eq!(now["otherOrders"][1]["filled"], 5, "{now}");
    let notice = desk.client.notice("order_filled").await;
    let text = notice["data"]["text"].as_str().unwrap();
    assert!(text.contains(filled.as_str().unwrap()), "{notice}");
    let now = desk.call("wait_for_order", json!({ "intentId": out["intentId"] })).await;
    assert_eq!(now["standing"]["status"], "Cancelled", "not this one was filled: {now}");
    let now = desk.call("wait_for_order", json!({ "orderId": stop })).await;
    assert_eq!(now["otherOrders"][0]["status"], "Cancelled", "{now}");
    assert!(now["next"].as_str().unwrap().contains("otherOrders"), "{now}");
    assert_eq!(desk.posts().await, 2);

    // The first one is filled: that the other goes is no news, and needs nobody.
    let group = and(
        limit(7, 261.0),
        json!({ "tif": "GTC", "oca": [{ "orderType": "LMT", "price": 260 }] }),
    );
    let out = desk.placed(group).await;
    desk.sim.tell("/fill", json!({ "orderId": number(&out["orderId"]) })).await;
    let other = &out["otherOrders"][0]["orderId"];
    let now = desk.call("wait_for_order", json!({ "orderId": other })).await;
    assert_eq!(now["standing"]["status"], "Filled", "{now}");
    assert_eq!(now["otherOrders"][0]["status"], "Cancelled", "{now}");
    assert!(now["next"].as_str().unwrap().contains("over"), "{now}");
}

fn number(order_id: &Value) -> u64 {
    order_id.as_str().unwrap().parse().unwrap()
}

/// What protects a position is followed as long as it is there, through restarts too.
#[tokio::test]
async fn a_brackets_children_are_followed_after_it_is_filled() {
    let mut desk = Desk::paper().await;
    let bracket = and(
        resting(10),
        json!({ "orderType": "MKT", "price": null, "takeProfit": 290, "stopLoss": 250 }),
    );
    let out = desk.placed(bracket).await;
    let intent = json!({ "intentId": out["intentId"] });
    let filled = desk.call("wait_for_order", intent.clone()).await;
    assert_eq!(filled["standing"]["status"], "Filled", "{filled}");
    desk.client.notice("order_filled").await;
    let [profit, stop] =
        [0, 1].map(|at| filled["otherOrders"][at]["orderId"].as_str().unwrap().to_owned());
    assert!(filled["next"].as_str().unwrap().contains(&stop), "{filled}");
    desk.world.kill_daemon().await;

    // The profit is given up by hand: the position stands with its stop alone.
    let cancelled = desk.call("cancel_order", json!({ "orderId": profit })).await;
    assert_eq!(cancelled["standing"]["status"], "Cancelled", "{cancelled}");
    desk.client.notice("order_cancelled").await;
    desk.sim.tell("/market", json!({ "conid": AAPL, "last": 249.0 })).await;
    let notice = desk.client.notice("order_filled").await;
    assert!(notice["data"]["text"].as_str().unwrap().contains(&stop), "{notice}");
    let now = desk.call("get_order_status", intent).await;
    assert_eq!(now["status"], "Filled", "the entry is what it was: {now}");
    let now = &now["fromHere"];
    let others: Vec<&Value> =
        now["otherOrders"].as_array().unwrap().iter().map(|other| &other["status"]).collect();
    assert_eq!(others, ["Cancelled", "Filled"], "{now}");
}

#[tokio::test]
async fn an_option_and_a_combination_are_found_and_sent_right() {
    let mut desk = Desk::paper().await;
    let option = json!({
        "symbol": "aapl", "expiry": month_ahead(), "strike": "270", "right": "call", "action": "BUY",
        "orderType": "LMT", "quantity": 2, "price": 8.05,
    });
    let out = desk.placed(option).await;
    assert_eq!(
        (&out["order"]["secType"], &out["order"]["symbol"]),
        (&json!("OPT"), &json!("AAPL")),
        "{out}"
    );
    let name = out["order"]["name"].as_str().unwrap();
    assert!(name.contains("270") && name.contains('C'), "the option is named: {name}");
    assert_eq!(desk.at_broker(&out["orderId"]).await["conid"], out["order"]["conid"]);

    let legs = json!([{ "conid": AAPL, "ratio": 1, "action": "BUY" }, { "conid": 8314, "action": "SELL" }]);
    let combo =
        json!({ "legs": legs, "action": "BUY", "orderType": "LMT", "quantity": 1, "price": -40 });
    let out = desk.placed(combo.clone()).await;
    assert_eq!(out["order"]["secType"], "BAG", "{out}");
    // What it buys and sells is said in words, the same in every place.
    let text = out["order"]["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("BUY 1 combination: buy 1 AAPL, sell 1 IBM ("), "{text}");
    assert!(text.contains(" LMT -40 net credit DAY"), "{text}");
    let live = desk.call("get_live_orders", json!({})).await;
    let id = &out["orderId"];
    let rows = live["orders"].as_array().into_iter().chain(live["fromHere"].as_array()).flatten();
    let told: Vec<&Value> =
        rows.filter(|row| row["orderId"] == *id).map(|row| &row["text"]).collect();
    assert_eq!(told, [&json!(text)], "{live}");
    let now = desk.call("get_order_status", json!({ "orderId": id })).await;
    assert_eq!(now["fromHere"]["order"]["text"], json!(text), "{now}");
    let listed = desk.world.ctl(&["orders", "--json"]).await;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains(&text), "{listed}");
    assert_eq!(desk.at_broker(&out["orderId"]).await["cOID"], out["clientOrderId"]);
    // The market of a spread is that of its legs, which may be named by what they are.
    let leg = |strike: u32, action: &str| json!({ "symbol": "AAPL", "expiry": month_ahead(), "strike": strike, "right": "C", "action": action });
    let spread = json!({
        "legs": [leg(270, "BUY"), leg(280, "SELL")], "action": "BUY", "orderType": "LMT", "quantity": 1, "price": 3,
    });
    let seen = desk.client.call("preview_order", spread.clone()).await.ok();
    let price = |side: &str| seen["market"][side].as_f64().unwrap();
    assert!(0.0 < price("bid") && price("bid") < price("ask") && price("ask") < 10.0, "{seen}");
    let text = seen["order"]["text"].as_str().unwrap();
    let name = seen["order"]["name"].as_str().unwrap();
    assert!(name.contains(" C270, sell 1 AAPL ") && text.contains(name), "{seen}");
    assert!(text.contains(" LMT 3 net debit DAY"), "{text}");
    assert_eq!(seen["direction"], "pays", "{seen}");
    let unit = seen["warnings"].as_array().unwrap().iter().filter_map(serde_json::Value::as_str);
    assert!(unit.clone().any(|said| said.contains("A price of 1 is 100 USD")), "{seen}");
    // What cannot be a price or a quantity of it is told here, and never by the broker.
    for (change, field) in
        [(json!({ "price": 3.005 }), "price"), (json!({ "quantity": 1.5 }), "quantity")]
    {
        for tool in ["preview_order", "place_order"] {
            let refused = desk.client.call(tool, and(spread.clone(), change.clone())).await;
            assert_eq!(refused.json["error"], "invalid_argument", "{}", refused.json);
            assert_eq!(refused.json["field"], field, "{}", refused.json);
        }
    }
    // Ten is all that it can ever be worth, and less than zero is given away.
    for (action, price) in [("BUY", 13.5), ("SELL", -4.0)] {
        let never = and(spread.clone(), json!({ "action": action, "price": price }));
        let seen = desk.client.call("preview_order", never).await.ok();
        assert_eq!(seen["verdict"], "refuse", "{seen}");
        assert_eq!(seen["direction"], "pays", "{seen}");
        assert!(seen["refusal"].as_str().unwrap().contains("never worth"), "{seen}");
    }
    let wrong = json!([leg(270, "BUY"), { "symbol": "AAPL", "expiry": month_ahead(), "strike": 9, "right": "C", "action": "SELL" }]);
    let refused =
        desk.client.call("preview_order", and(spread.clone(), json!({ "legs": wrong }))).await;
    assert_eq!(refused.json["field"], "legs", "{}", refused.json);
    assert!(refused.json["message"].as_str().unwrap().starts_with("Leg 2: "), "{}", refused.json);
    let half = json!([leg(270, "BUY"), { "symbol": "AAPL", "strike": 280, "right": "C", "action": "SELL" }]);
    let refused = desk.client.call("preview_order", and(spread, json!({ "legs": half }))).await;
    assert_eq!(refused.json["field"], "legs.expiry", "{}", refused.json);
    // The same legs as JSON in a string, as some clients send lists.
    let as_text = and(combo, json!({ "legs": legs.to_string(), "quantity": 2 }));
    desk.placed(as_text).await;
    assert_eq!(desk.placements().await.len(), 3);
}
