//! Bad orders: none reaches the broker.

use ibd_tests::Reply;
use ibd_tests::desk::{AAPL, Desk, and, limit, resting};
use serde_json::{Value, json};

use super::kinds::month_ahead;

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
        (and(combo.clone(), json!({ "quantity": null, "cashQuantity": 1000 })), "cashQuantity"),
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
