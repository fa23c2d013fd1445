//! Orders: one order whatever happens, every kind of order right at the broker, and bad ones never there.

use futures_util::future::join_all;
use ibd_tests::desk::{AAPL, Desk, PRICE, and, limit, resting};
use ibd_tests::{Reply, until};
use serde_json::{Value, json};

// One order.

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

/// Each waits for looks at IBKR that are seconds apart; so they wait together.
#[tokio::test]
async fn whatever_is_lost_on_the_way_is_found_and_was_sent_once() {
    tokio::join!(
        a_daemon_killed_while_ibkr_takes_an_order_makes_no_second_one(),
        a_model_that_places_again_because_the_answer_was_lost_makes_no_second_order(),
        a_question_whose_answer_is_lost_leaves_it_unknown_until_it_is_seen(),
        a_question_that_was_given_up_and_goes_live_is_found(),
        what_was_called_not_placed_and_fills_all_the_same_is_told(),
        an_empty_answer_is_no_answer(),
        a_change_and_a_cancellation_whose_answers_are_lost_are_found_out(),
    );
}

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

// Bad orders.

/// What is wrong with an order, and which field says so.
fn bad_orders() -> Vec<(Value, &'static str)> {
    let without = |order: Value, field: &str| {
        let mut order = order;
        order.as_object_mut().unwrap().remove(field);
        order
    };
    let market = json!({ "symbol": "AAPL", "action": "BUY", "orderType": "MKT", "quantity": 1 });
    let option = json!({
        "symbol": "AAPL", "expiry": "2020-01-17", "strike": 270, "right": "C", "action": "BUY",
        "orderType": "LMT", "quantity": 1, "price": 5,
    });
    let combo = json!({
        "legs": [{ "conid": AAPL, "action": "BUY" }, { "conid": 8314, "action": "SELL" }],
        "action": "BUY", "orderType": "LMT", "quantity": 1, "price": -27,
    });
    vec![
        (without(limit(1, 265.0), "price"), "price"),
        (
            json!({ "symbol": "AAPL", "action": "SELL", "orderType": "STP", "quantity": 1 }),
            "stopPrice",
        ),
        (
            json!({ "symbol": "AAPL", "action": "SELL", "orderType": "STP", "quantity": 1, "price": 250 }),
            "price",
        ),
        (
            json!({ "symbol": "AAPL", "action": "SELL", "orderType": "STOP_LIMIT", "quantity": 1, "price": 250 }),
            "stopPrice",
        ),
        (
            json!({ "symbol": "AAPL", "action": "SELL", "orderType": "TRAIL", "quantity": 1 }),
            "trailingAmount",
        ),
        (and(market.clone(), json!({ "price": 265 })), "price"),
        (and(limit(1, 265.0), json!({ "stopPrice": 260 })), "stopPrice"),
        (without(limit(1, 265.0), "symbol"), "symbol"),
        (and(limit(1, 265.0), json!({ "symbol": "" })), "symbol"),
        (and(without(limit(1, 265.0), "symbol"), json!({ "conid": 12.5 })), "conid"),
        (and(without(limit(1, 265.0), "symbol"), json!({ "conid": "AAPL" })), "conid"),
        (without(limit(1, 265.0), "quantity"), "quantity"),
        (and(limit(1, 265.0), json!({ "quantity": 0 })), "quantity"),
        (and(limit(1, 265.0), json!({ "quantity": "0" })), "quantity"),
        (and(limit(1, 265.0), json!({ "quantity": -5 })), "quantity"),
        (and(limit(1, 265.0), json!({ "quantity": "1e9" })), "quantity"),
        (and(limit(1, 265.0), json!({ "quantity": 1e30 })), "quantity"),
        (and(limit(1, 265.0), json!({ "quantity": "NaN" })), "quantity"),
        (and(limit(1, 265.0), json!({ "quantity": "Infinity" })), "quantity"),
        (and(limit(1, 265.0), json!({ "quantity": [10] })), "quantity"),
        (and(limit(1, 265.0), json!({ "quantity": true })), "quantity"),
        (and(limit(1, 265.0), json!({ "price": "1e2" })), "price"),
        (and(limit(1, 265.0), json!({ "price": -1 })), "price"),
        (and(limit(1, 265.0), json!({ "price": 0 })), "price"),
        (and(limit(1, 265.0), json!({ "cashQuantity": 500 })), "cashQuantity"),
        (
            json!({ "symbol": "AAPL", "action": "SELL", "orderType": "MKT", "cashQuantity": 500 }),
            "cashQuantity",
        ),
        (without(limit(1, 265.0), "action"), "action"),
        (and(limit(1, 265.0), json!({ "action": "SHORT" })), "action"),
        (without(limit(1, 265.0), "orderType"), "orderType"),
        (and(limit(1, 265.0), json!({ "orderType": "ICEBERG" })), "orderType"),
        (and(limit(1, 265.0), json!({ "tif": "FOREVER" })), "tif"),
        (and(limit(1, 265.0), json!({ "outsideRTH": "maybe" })), "outsideRTH"),
        (and(limit(1, 265.0), json!({ "accountId": "U9999999" })), "accountId"),
        (and(limit(1, 265.0), json!({ "accountId": "../../logout" })), "accountId"),
        (and(limit(1, 265.0), json!({ "stopLossLimit": 240 })), "stopLossLimit"),
        (and(limit(1, 265.0), json!({ "takeProfit": 250 })), "takeProfit"),
        (and(limit(1, 265.0), json!({ "stopLoss": 280 })), "stopLoss"),
        (and(limit(1, 265.0), json!({ "oca": [{ "orderType": "STP" }] })), "oca.stopPrice"),
        (option.clone(), "expiry"),
        (and(option.clone(), json!({ "expiry": "someday" })), "expiry"),
        (without(option.clone(), "expiry"), "expiry"),
        (without(option.clone(), "strike"), "strike"),
        (without(option.clone(), "right"), "right"),
        (and(option, json!({ "right": "X" })), "right"),
        (and(combo.clone(), json!({ "symbol": "AAPL" })), "legs"),
        (and(combo.clone(), json!({ "legs": [{ "conid": AAPL, "action": "BUY" }] })), "legs"),
        (
            and(
                combo,
                json!({ "legs": "[{\"conid\":265598,\"action\":\"BUY\"},{\"conid\":265598,\"action\":\"SELL\"}]" }),
            ),
            "legs",
        ),
        // Unknown fields, with what was meant.
        (and(limit(1, 265.0), json!({ "limitPrise": 265 })), "limitPrise"),
        (and(limit(1, 265.0), json!({ "stopprice": 260 })), "stopPrice"),
        (and(limit(1, 265.0), json!({ "allOrNone": true })), "allOrNone"),
        (and(limit(1, 265.0), json!({ "allowDuplicateOf": "the last one" })), "allowDuplicateOf"),
    ]
}

#[tokio::test]
async fn a_bad_order_is_refused_before_ibkr_with_its_field_named() {
    let mut desk = Desk::paper().await;
    desk.call("get_session_status", json!({})).await;
    let mut wrong = Vec::new();
    for (order, field) in bad_orders() {
        for tool in ["place_order", "preview_order"] {
            // What a tool that reads does not know it names in its warnings.
            let is_of_place = ["allowDuplicateOf", "limitPrise", "allOrNone"].contains(&field);
            if tool == "preview_order" && is_of_place {
                continue;
            }
            let reply: Reply = desk.client.call(tool, order.clone()).await;
            let next = reply.json["next"].as_str().unwrap_or_default();
            if !reply.is_error || reply.json["field"] != field || next.is_empty() {
                wrong.push(format!("{tool} {order} should name {field}: {}", reply.json));
            }
            assert!(reply.structured.is_none() || !reply.is_error, "errors are text only");
        }
    }
    assert_eq!(desk.posts().await, 0, "no order was sent");
    assert_eq!(desk.sim.count("whatif").await, 0, "nor tried");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let odd = and(limit(1, 265.0), json!({ "allOrNone": true }));
    let preview = desk.call("preview_order", odd).await;
    assert!(preview["warnings"][0].as_str().unwrap().contains("`allOrNone`"), "{preview}");
    let reply =
        desk.refused("place_order", and(limit(1, 265.0), json!({ "stopprice": 260 }))).await;
    assert!(reply.json["message"].as_str().unwrap().contains("`stopPrice`"), "{}", reply.json);
}

/// What only IBKR's rules for the contract can tell.
#[tokio::test]
async fn an_order_that_does_not_fit_its_contract_is_refused_with_what_would() {
    let mut desk = Desk::paper().await;
    let off_tick = desk.refused("place_order", limit(1, 265.003)).await;
    assert_eq!(off_tick.json["field"], "price");
    assert_eq!(off_tick.json["candidates"], json!(["265", "265.01"]), "{}", off_tick.json);
    let sap = json!({ "conid": 14204, "action": "BUY", "orderType": "LMT", "quantity": "1.5", "price": 200 });
    assert_eq!(desk.refused("place_order", sap).await.json["field"], "quantity");
    let fraction =
        and(resting(1), json!({ "orderType": "STP", "quantity": 1.5, "stopPrice": 290 }));
    let mut fraction = fraction;
    fraction.as_object_mut().unwrap().remove("price");
    assert_eq!(desk.refused("place_order", fraction).await.json["field"], "quantity");
    let unknown =
        desk.refused("place_order", and(resting(1), json!({ "symbol": "NOSUCHX" }))).await;
    assert_eq!((unknown.error(), &unknown.json["field"]), ("unknown_symbol", &json!("symbol")));
    let several = desk.refused("place_order", and(resting(1), json!({ "symbol": "SAN" }))).await;
    assert_eq!(several.error(), "ambiguous_symbol");
    assert_eq!(several.json["candidates"].as_array().unwrap().len(), 2, "{}", several.json);
    let index = and(resting(1), json!({ "symbol": "SPX", "secType": "IND" }));
    assert_eq!(desk.refused("place_order", index).await.json["field"], "symbol");
    let strike = json!({
        "symbol": "AAPL", "expiry": month_ahead(), "strike": 271.37, "right": "C", "action": "BUY",
        "orderType": "LMT", "quantity": 1, "price": 5,
    });
    let strike = desk.refused("place_order", strike).await;
    assert_eq!(strike.json["field"], "strike", "{}", strike.json);
    assert!(!strike.json["candidates"].as_array().unwrap().is_empty(), "{}", strike.json);
}

#[tokio::test]
async fn with_several_accounts_an_order_never_guesses_whose() {
    let accounts =
        json!([{ "id": "DU1111111" }, { "id": "DU2222222", "cash": { "USD": 100_000 } }]);
    let mut desk = Desk::new(json!({ "accounts": accounts, "orders": [] }), "").await;
    let refused = desk.refused("place_order", resting(1)).await;
    assert_eq!(refused.error(), "account_needed");
    assert_eq!(refused.json["candidates"], json!(["DU1111111", "DU2222222"]));
    let out = desk.placed(and(resting(1), json!({ "accountId": "DU2222222" }))).await;
    assert_eq!(out["account"], "DU2222222");
    assert_eq!(desk.placements().await[0]["account"], "DU2222222");
}

// Every kind of order.

/// A month as options have them, some months ahead: `JAN27`.
fn month_ahead() -> String {
    let today = jiff::Zoned::now().date();
    let ahead = today.saturating_add(jiff::Span::new().months(1));
    ahead.strftime("%b%y").to_string().to_uppercase()
}

/// Many orders, each within the broker's pacing; so they wait together.
#[tokio::test]
async fn every_kind_of_order_reaches_ibkr_as_it_was_meant() {
    tokio::join!(
        every_order_type_reaches_ibkr_as_it_was_meant(),
        time_in_force_hours_fractions_and_amounts_of_money_reach_ibkr(),
        a_bracket_and_a_group_are_one_submission_each(),
        a_brackets_children_are_followed_after_it_is_filled(),
        an_option_and_a_combination_are_found_and_sent_right(),
    );
}

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

async fn an_option_and_a_combination_are_found_and_sent_right() {
    let mut desk = Desk::paper().await;
    let option = json!({
        "symbol": "aapl", "expiry": month_ahead(), "strike": "270", "right": "call", "action": "BUY",
        "orderType": "LMT", "quantity": 2, "price": 5.05,
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
    assert_eq!(desk.at_broker(&out["orderId"]).await["cOID"], out["clientOrderId"]);
    // The same legs as JSON in a string, as some clients send lists.
    let as_text = and(combo, json!({ "legs": legs.to_string(), "quantity": 2 }));
    desk.placed(as_text).await;
    assert_eq!(desk.placements().await.len(), 3);
}

// What IBKR asks and answers.

/// Each has a world of its own; together they take no longer than one.
#[tokio::test]
async fn what_ibkr_asks_and_refuses_is_passed_on() {
    tokio::join!(
        a_chain_of_listed_questions_is_answered_and_an_unlisted_one_is_declined(),
        without_suppression_the_client_is_asked_what_ibkr_asks(),
        what_ibkr_refuses_is_not_placed_with_ibkrs_words(),
    );
}

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

/// Lists and trades may be read once in five seconds; so they wait together.
#[tokio::test]
async fn what_becomes_of_an_order_is_heard_of() {
    tokio::join!(
        a_late_reject_reaches_the_client_and_stands_in_the_lists(),
        a_fill_ends_a_wait_at_once_and_is_a_trade(),
        a_wait_ends_in_time_and_says_how_it_stands(),
    );
}

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

// After it was placed.

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
    let wrong = desk.refused("get_trades", json!({ "days": 8 })).await;
    assert_eq!(wrong.json["field"], "days");
}

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

/// Many requests, each within the broker's pacing; so they wait together.
#[tokio::test]
async fn working_orders_are_changed_and_cancelled() {
    tokio::join!(
        a_working_order_is_changed_and_stays_the_same_order(),
        a_change_that_was_asked_for_before_has_its_outcome_and_a_refused_one_leaves_the_order(),
        an_order_from_elsewhere_can_be_changed_and_cancelled(),
        orders_are_cancelled_by_either_id_or_all_at_once(),
    );
}

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
