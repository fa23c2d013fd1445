//! What may not be sent is not sent, and the answer names the setting that says so.

use ibd_tests::desk::{AAPL, Desk, and, limit, resting};
use ibd_tests::{World, until};
use serde_json::{Value, json};

/// A client of its own, bound further by one variable.
async fn bound(desk: &Desk, name: &str, value: &str) -> ibd_tests::Shim {
    let mut command = desk.world.command("ib-mcp");
    command.env(name, value);
    let mut shim = ibd_tests::Shim::spawn(command);
    shim.initialize().await;
    shim
}

#[tokio::test]
async fn every_limit_that_a_client_brings_binds_it_and_is_named() {
    let mut desk = Desk::paper().await;
    desk.call("get_session_status", json!({})).await;
    let market = json!({ "symbol": "AAPL", "action": "BUY", "orderType": "MKT", "quantity": 4 });
    for (name, value, order, code) in [
        ("IB_MAX_ORDER_VALUE", "1000", resting(4), "over_max_value"),
        // A market order is valued beyond the quote: 4 at 270.01 are 1080, and 5 % more.
        ("IB_MAX_ORDER_VALUE", "1100", market, "over_max_value"),
        ("IB_MAX_ORDER_PERCENT", "1", resting(4), "over_max_percent"),
        ("IB_MAX_ORDER_QUANTITY", "3", resting(4), "over_max_quantity"),
        ("IB_PRICE_COLLAR_PERCENT", "1", resting(4), "price_off_market"),
        (
            "IB_MAX_ORDERS_PER_MINUTE",
            "2",
            and(resting(4), json!({ "stopLoss": 250, "takeProfit": 280 })),
            "too_many_orders",
        ),
        (
            "IB_MAX_ORDERS_PER_DAY",
            "2",
            and(
                resting(4),
                json!({ "oca": [
            { "orderType": "LMT", "price": 264 }, { "orderType": "LMT", "price": 263 },
        ] }),
            ),
            "too_many_orders",
        ),
        ("IB_ALLOWED_ACCOUNTS", "U7654321 DU7654321", resting(4), "not_allowed"),
        ("IB_ALLOWED_SYMBOLS", "MSFT IBM", resting(4), "not_allowed"),
        ("IB_DENIED_SYMBOLS", "MSFT aapl", resting(4), "not_allowed"),
        ("IB_ALLOWED_SEC_TYPES", "OPT FUT", resting(4), "not_allowed"),
        ("IB_DENIED_SEC_TYPES", "STK", resting(4), "not_allowed"),
        ("IB_ALLOWED_ORDER_TYPES", "MKT STP", resting(4), "not_allowed"),
    ] {
        let mut client = bound(&desk, name, value).await;
        let out = client.call("place_order", order.clone()).await.ok();
        let found = (&out["status"], &out["reason"]["code"]);
        assert_eq!(found, (&json!("not_placed"), &json!(code)), "{name}: {out}");
        let setting = out["reason"]["setting"].as_str().unwrap_or_default().to_uppercase();
        assert_eq!(setting, format!("{name}={value}").to_uppercase(), "{out}");
        assert!(!out["next"].as_str().unwrap().is_empty());
    }
    assert_eq!(desk.posts().await, 0);
    // Who brings none is bound by none of them.
    desk.placed(resting(4)).await;
}

#[tokio::test]
async fn every_limit_of_the_configuration_binds_everybody() {
    let config = "denied_symbols = \"IBM\"\nmax_order_quantity = 50\nmax_order_value = 10000\n\
                  price_collar_percent = 2\ndenied_sec_types = \"OPT\"\nallowed_order_types = \"LMT MKT\"\n\
                  max_orders_per_day = 3\n";
    let mut desk = Desk::configured(config).await;
    let positions = desk.call("get_positions", json!({ "symbol": "AAPL" })).await;
    let rows = positions["rows"].as_array().unwrap();
    let option = rows.iter().find(|row| row[2] == "OPT").unwrap()[1].clone();
    let stop = json!({ "symbol": "AAPL", "action": "SELL", "orderType": "STP", "quantity": 1, "stopPrice": 260 });
    for (order, setting) in [
        (and(limit(1, 297.0), json!({ "symbol": "IBM" })), "IB_DENIED_SYMBOLS=IBM"),
        (resting(51), "IB_MAX_ORDER_QUANTITY=50"),
        (resting(40), "IB_MAX_ORDER_VALUE=10000"),
        (limit(1, 260.0), "IB_PRICE_COLLAR_PERCENT=2"),
        (limit(1, 280.0), "IB_PRICE_COLLAR_PERCENT=2"),
        (
            json!({ "conid": option, "action": "SELL", "orderType": "LMT", "quantity": 1, "price": 9 }),
            "IB_DENIED_SEC_TYPES=OPT",
        ),
        (stop, "IB_ALLOWED_ORDER_TYPES=LMT MKT"),
    ] {
        let preview = desk.client.call("preview_order", order.clone()).await;
        if !preview.is_error {
            assert!(
                preview.json["refusal"].as_str().unwrap().contains(setting),
                "{}",
                preview.json
            );
        }
        let reason = desk.held(order).await;
        assert_eq!(reason["setting"], setting, "{reason}");
    }
    // The day's count is the journal's: it outlives a daemon.
    desk.placed(resting(1)).await;
    desk.placed(resting(2)).await;
    desk.world.kill_daemon().await;
    desk.placed(resting(3)).await;
    let reason = desk.held(resting(4)).await;
    assert_eq!(reason["setting"], "IB_MAX_ORDERS_PER_DAY=3", "{reason}");
    // What was refused is in the audit trail, with its rule.
    let (audit, _) = desk.ctl(&["audit", "-n", "500"]).await;
    assert!(audit.to_string().contains("[IB_MAX_ORDER_VALUE=10000]"), "{audit}");
}

#[tokio::test]
async fn live_has_limits_of_its_own_without_any_configuration() {
    let mut desk = Desk::live("").await;
    for (order, setting) in [
        (resting(400), "IB_MAX_ORDER_PERCENT=10"),
        (limit(10, 250.0), "IB_PRICE_COLLAR_PERCENT=5"),
        (limit(10, 290.0), "IB_PRICE_COLLAR_PERCENT=5"),
    ] {
        let reason = desk.held(order).await;
        assert_eq!(reason["setting"], setting, "{reason}");
    }
    // A named request keeps its outcome; another try is told to take another name.
    let named = and(limit(10, 250.0), json!({ "requestId": "mine" }));
    for _ in 0..2 {
        let out = desk.place(named.clone()).await;
        assert!(out["next"].as_str().unwrap().ends_with("needs a new requestId."), "{out}");
    }
    // A stop becomes a limit order where it triggers; how far its limit is from there counts.
    let stop = |limit: f64| {
        json!({ "symbol": "AAPL", "action": "SELL", "orderType": "STOP_LIMIT", "quantity": 1,
            "stopPrice": 260, "price": limit })
    };
    let reason = desk.held(stop(240.0)).await;
    assert_eq!(reason["setting"], "IB_PRICE_COLLAR_PERCENT=5", "{reason}");
    let out = desk.place(stop(258.0)).await;
    assert_eq!(out["status"], "needs_confirmation", "{out}");
    // Without a live quote there is nothing to compare a price with (SAP is delayed, VOD has none).
    let blind = json!({ "conid": 38_708_201, "action": "BUY", "orderType": "LMT", "quantity": 10, "price": 70 });
    let reason = desk.held(blind).await;
    assert!(
        ["no_fresh_quote", "value_unknown"].contains(&reason["code"].as_str().unwrap()),
        "{reason}"
    );
}

#[tokio::test]
async fn a_day_that_went_badly_ends_new_orders() {
    let account = json!({
        "id": "DU1234567", "cash": { "USD": 100_000 },
        "positions": [{ "symbol": "AAPL", "quantity": 50, "avgPrice": 270 }],
    });
    let mut desk = Desk::new(json!({ "accounts": [account] }), "max_daily_loss = 1000\n").await;
    desk.placed(resting(1)).await;
    desk.sim.tell("/market", json!({ "conid": AAPL, "last": 200.0 })).await;
    until("the loss is known", async || {
        let info = desk.call("get_account_info", json!({})).await;
        info["accounts"][0]["dailyPnl"].as_f64().is_some_and(|pnl| pnl < -2000.0)
    })
    .await;
    let reason = desk.held(limit(1, 199.0)).await;
    assert_eq!(reason["code"], "daily_loss", "{reason}");
    assert_eq!(reason["setting"], "IB_MAX_DAILY_LOSS=1000", "{reason}");
    // The way out stays open.
    desk.call("cancel_order", json!({ "orderId": 1_234_567_890 })).await;
}

#[tokio::test]
async fn a_stop_on_the_wrong_side_and_an_order_without_a_value_are_refused() {
    let mut desk = Desk::paper().await;
    for (action, stop) in [("SELL", 280), ("BUY", 260)] {
        let order = json!({ "symbol": "AAPL", "action": action, "orderType": "STP", "quantity": 1, "stopPrice": stop });
        assert_eq!(desk.held(order).await["code"], "stop_on_wrong_side");
    }
    let blind = json!({ "conid": 38_708_201, "action": "BUY", "orderType": "MKT", "quantity": 10 });
    assert_eq!(desk.held(blind).await["code"], "value_unknown");
}

#[tokio::test]
async fn an_alike_order_is_held_and_another_one_is_not() {
    let mut desk = Desk::paper().await;
    let first = desk.placed(limit(10, 265.0)).await;
    let held = desk.place(limit(10, 263.0)).await;
    assert_eq!(held["reason"]["code"], "possible_duplicate", "0.8 % away: {held}");
    assert_eq!(held["first"]["intentId"], first["intentId"]);
    desk.placed(limit(10, 262.0)).await;
    desk.placed(limit(11, 265.0)).await;
    let sell = json!({ "symbol": "AAPL", "action": "SELL", "orderType": "LMT", "quantity": 10, "price": 275 });
    desk.placed(sell.clone()).await;
    let wrong = and(sell, json!({ "allowDuplicateOf": first["intentId"] }));
    let held = desk.place(wrong).await;
    assert_eq!(
        held["status"], "not_placed",
        "another one was named than the one that it repeats: {held}"
    );
    assert_eq!(desk.placements().await.len(), 4);
}

#[tokio::test]
async fn a_read_only_client_neither_sees_nor_calls_what_trades() {
    let desk = Desk::paper().await;
    let mut client = bound(&desk, "IB_READ_ONLY_MODE", "true").await;
    let tools = client.tools().await;
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    for trades in ["place_order", "confirm_order", "modify_order", "cancel_order"] {
        assert!(!names.contains(&trades), "{names:?}");
        let answer =
            client.request("tools/call", json!({ "name": trades, "arguments": resting(1) })).await;
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
    for reads in ["preview_order", "get_live_orders", "get_trades", "wait_for_order"] {
        assert!(names.contains(&reads), "{names:?}");
    }
    let preview = client.call("preview_order", resting(1)).await.ok();
    assert_eq!(preview["account"], "DU1234567");
    assert_eq!(desk.posts().await, 0);
}

#[tokio::test]
async fn a_paper_only_client_is_refused_on_live_each_time() {
    let desk = Desk::live("confirm_orders = \"never\"\n").await;
    let mut client = bound(&desk, "IB_PAPER_TRADING", "true").await;
    for tool in ["place_order", "preview_order"] {
        let refused = client.call(tool, resting(1)).await;
        let found = (refused.error(), &refused.json["field"]);
        assert_eq!(found, ("live_session", &json!("IB_PAPER_TRADING")), "{}", refused.json);
    }
    assert_eq!(desk.posts().await, 0);
    // Another client's live order is not its to end either, nor to change.
    let mut other = desk.world.client().await;
    let placed = other.call("place_order", resting(1)).await.ok();
    assert_eq!(placed["status"], "placed", "{placed}");
    let order = json!({ "orderId": placed["orderId"] });
    for (tool, arguments) in [
        ("cancel_order", order.clone()),
        ("modify_order", and(order, json!({ "price": 264 }))),
        ("cancel_order", json!({ "all": true })),
    ] {
        let refused = client.call(tool, arguments).await;
        assert_eq!(refused.error(), "live_session", "{tool}: {}", refused.json);
    }
    let stands = desk.at_broker(&placed["orderId"]).await["status"].clone();
    // The exchange may not have taken it yet.
    assert!(["PreSubmitted", "Submitted"].contains(&stands.as_str().unwrap()), "{stands}");
}

/// Ends the daemon that the client has started.
async fn stopped(desk: &mut Desk) {
    desk.call("get_session_status", json!({})).await;
    assert!(desk.world.ctl(&["stop"]).await.status.success());
}

// Freezing.

#[tokio::test]
async fn rejects_in_a_row_freeze_trading_until_a_person_looks() {
    let mut desk = Desk::configured("breaker_rejects = 3\n").await;
    let reject = json!({ "reject": "Margin is not enough." });
    desk.script(json!([reject, { "questions": [], "then": "rest" }, reject, reject, reject])).await;
    assert_eq!(desk.place(resting(1)).await["status"], "not_placed");
    // One that is taken in between begins the row anew.
    let works = desk.placed(resting(2)).await;
    for quantity in 3..6 {
        let out = desk.place(resting(quantity)).await;
        assert_eq!(out["reason"]["code"], "broker_refused", "{out}");
    }
    let held = desk.held(resting(6)).await;
    assert_eq!(held["code"], "trading_frozen", "{held}");
    assert!(held["message"].as_str().unwrap().contains("IB_BREAKER_REJECTS=3"), "{held}");
    let status = desk.world.status().await;
    assert_eq!(status["trading"]["state"], "frozen", "{status}");
    desk.client.notice("trading_frozen").await;
    // It is not forgotten with the daemon, and the model cannot undo it.
    desk.world.kill_daemon().await;
    assert_eq!(desk.held(resting(6)).await["code"], "trading_frozen");
    let cancelled = desk.call("cancel_order", json!({ "orderId": works["orderId"] })).await;
    assert_eq!(cancelled["standing"]["status"], "Cancelled", "{cancelled}");
    let (report, code) = desk.ctl(&["unfreeze"]).await;
    assert_eq!((code, &report["trading"]), (0, &json!("open")), "{report}");
    desk.placed(resting(6)).await;
}

#[tokio::test]
async fn a_person_freezes_trading_and_cancels_everything() {
    let mut desk = Desk::paper().await;
    let works = desk.placed(resting(1)).await;
    let other = desk.placed(resting(2)).await;
    let (report, code) = desk.ctl(&["freeze"]).await;
    assert_eq!(
        (code, &report["frozen"], &report["daemon"]),
        (0, &json!(true), &json!("told")),
        "{report}"
    );
    assert_eq!(desk.held(resting(3)).await["code"], "trading_frozen");
    let change =
        desk.call("modify_order", json!({ "orderId": works["orderId"], "quantity": 5 })).await;
    assert_eq!(
        (&change["status"], &change["reason"]["code"]),
        (&json!("not_placed"), &json!("trading_frozen")),
        "{change}"
    );
    assert_eq!(desk.world.ctl(&["status"]).await.status.code(), Some(4));
    // Looking and ending go on.
    desk.call("get_live_orders", json!({})).await;
    let cancelled = desk.call("cancel_order", json!({ "orderId": works["orderId"] })).await;
    assert_eq!(cancelled["standing"]["status"], "Cancelled", "{cancelled}");
    let (report, code) = desk.ctl(&["freeze", "--cancel-all"]).await;
    assert_eq!(code, 0, "{report}");
    until("everything is cancelled, also what was not sent from here", async || {
        let orders = desk.sim.control_get("/orders").await;
        let mut orders = orders["orders"].as_array().unwrap().iter();
        !orders.any(|o| {
            ["Submitted", "PreSubmitted", "PendingCancel"].contains(&o["status"].as_str().unwrap())
        })
    })
    .await;
    let waited = desk.call("wait_for_order", json!({ "intentId": other["intentId"] })).await;
    assert_eq!(waited["standing"]["status"], "Cancelled", "{waited}");
    let (report, code) = desk.ctl(&["unfreeze"]).await;
    assert_eq!((code, &report["trading"]), (0, &json!("open")), "{report}");
    assert!(!desk.world.state().join("FROZEN").exists());
    desk.placed(resting(3)).await;
}

#[tokio::test]
async fn the_file_alone_freezes_with_or_without_a_daemon() {
    let mut desk = Desk::paper().await;
    // Nobody runs: it is frozen all the same.
    stopped(&mut desk).await;
    let (report, code) = desk.ctl(&["freeze"]).await;
    assert_eq!((code, &report["daemon"]), (0, &json!("absent")), "{report}");
    assert!(desk.world.state().join("FROZEN").exists());
    assert_eq!(desk.held(resting(1)).await["code"], "trading_frozen");
    assert_eq!(desk.ctl(&["unfreeze"]).await.1, 0);
    desk.placed(resting(1)).await;
    // A file, made by whatever means, in front of a daemon that runs.
    std::fs::write(desk.world.state().join("FROZEN"), "").unwrap();
    assert_eq!(desk.held(resting(2)).await["code"], "trading_frozen");
    desk.world.kill_daemon().await;
    assert_eq!(desk.held(resting(2)).await["code"], "trading_frozen");
    assert_eq!(desk.world.status().await["trading"]["state"], "frozen");
}

#[tokio::test]
async fn what_waits_for_a_yes_is_not_sent_while_trading_is_frozen() {
    let mut desk = Desk::live("").await;
    let out = desk.place(resting(10)).await;
    let id = out["confirmation"]["id"].as_str().unwrap();
    desk.ctl(&["freeze"]).await;
    let (report, code) = desk.ctl(&["approve", id, "--yes"]).await;
    assert_eq!(code, 1, "{report}");
    assert_eq!(desk.posts().await, 0);
    desk.ctl(&["unfreeze"]).await;
    let (report, code) = desk.ctl(&["approve", id, "--yes"]).await;
    assert_eq!(code, 0, "it still waited: {report}");
    let placed = desk.settled(&out).await;
    assert_eq!(placed["status"], "placed", "{placed}");
}

// The journal.

/// Changes a byte of a record in the middle of the journal.
fn damage(world: &World) {
    let folder = world.state().join("journal");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().flatten().map(|file| file.path()).collect();
    files.sort();
    let mut bytes = std::fs::read(&files[0]).unwrap();
    let first = bytes.windows(8).position(|window| window == b"\"started").unwrap();
    bytes[first + 2] ^= 1;
    std::fs::write(&files[0], bytes).unwrap();
}

/// Reads and ends go on while nothing new is sent.
async fn is_closed(desk: &mut Desk, works: Option<&Value>) {
    let refused = desk.refused("place_order", resting(3)).await;
    assert_eq!(refused.error(), "trading_closed", "{}", refused.json);
    assert!(refused.json["next"].as_str().unwrap().contains("ibctl status"), "{}", refused.json);
    let status = desk.world.status().await;
    assert_eq!(status["trading"]["state"], "closed", "{status}");
    assert!(status["trading"]["text"].as_str().unwrap().contains("journal"), "{status}");
    desk.call("get_positions", json!({})).await;
    desk.call("get_live_orders", json!({})).await;
    let order_id = works.map_or(json!("1234567890"), |order| order["orderId"].clone());
    let out = desk.call("cancel_order", json!({ "orderId": order_id })).await;
    assert_eq!((&out["request"], &out["status"]), (&json!("cancel"), &json!("placed")), "{out}");
    until("an end passes", async || desk.at_broker(&order_id).await["status"] == "Cancelled").await;
}

#[tokio::test]
async fn a_damaged_journal_closes_trading_and_says_so() {
    let mut desk = Desk::paper().await;
    let works = desk.placed(resting(1)).await;
    desk.placed(resting(2)).await;
    desk.world.ctl(&["stop"]).await;
    damage(&desk.world);
    is_closed(&mut desk, Some(&works)).await;
    let (verified, code) = desk.ctl(&["audit", "verify"]).await;
    assert_eq!(code, 1, "{verified}");
    assert_eq!(desk.placements().await.len(), 2);
}

#[tokio::test]
async fn a_journal_that_cannot_be_opened_closes_trading() {
    let mut desk = Desk::paper().await;
    stopped(&mut desk).await;
    std::fs::remove_dir_all(desk.world.state().join("journal")).unwrap();
    // Not by its mode: who runs these stories may be root.
    std::fs::write(desk.world.state().join("journal"), "in the way").unwrap();
    is_closed(&mut desk, None).await;
    assert_eq!(desk.placements().await.len(), 0);
}

/// The collar of paper accounts is wide: what a live one would refuse is said.
#[tokio::test]
async fn on_paper_a_limit_far_beyond_the_market_is_a_warning() {
    let mut desk = Desk::paper().await;
    let order = limit(1, 400.0);
    for tool in ["preview_order", "place_order"] {
        let out = desk.call(tool, order.clone()).await;
        let said = out["warnings"].to_string();
        assert!(
            said.contains("The limit 400 is 48") && said.contains("above the ask"),
            "{tool}: {out}"
        );
    }
    let waits = desk.call("preview_order", resting(1)).await;
    assert!(!waits["warnings"].to_string().contains("above the ask"), "{waits}");
}
