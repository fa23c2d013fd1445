//! A broker that says one thing and does another, and a person at TWS: what stands at IBKR is what IBKR shows.

use ibd_tests::desk::{AAPL, Desk, and, limit, resting};
use ibd_tests::until;
use serde_json::{Value, json};

/// Coca-Cola.
const KO: u64 = 8_894;

fn number(id: &Value) -> u64 {
    id.as_str().unwrap().parse().unwrap()
}

fn bracket() -> Value {
    and(resting(10), json!({ "takeProfit": 290, "stopLoss": 250, "tif": "GTC" }))
}

/// The stop of a bracket, as soon as it is seen like that.
async fn stop_of(desk: &mut Desk, out: &Value, is_so: impl Fn(&Value) -> bool) -> Value {
    let mut stop = Value::Null;
    until("the stop is seen like that", async || {
        let now = desk.call("get_order_status", json!({ "intentId": out["intentId"] })).await;
        let others = now["fromHere"]["otherOrders"].as_array().cloned().unwrap_or_default();
        stop = others.iter().find(|one| one["role"] == "stop_loss").cloned().unwrap_or_default();
        !stop.is_null() && is_so(&stop)
    })
    .await;
    stop
}

// A person at TWS.

#[tokio::test]
async fn a_change_keeps_what_a_person_changed_at_tws_and_says_so_first() {
    let mut desk = Desk::paper().await;
    let out = desk.placed(resting(50)).await;
    let id = number(&out["orderId"]);
    desk.sim.tell("/tws", json!({ "orderId": id, "quantity": 10, "price": 261 })).await;
    let changed = json!({ "intentId": out["intentId"], "tif": "GTC" });
    let changed = desk.call("modify_order", changed).await;
    assert_eq!(
        (&changed["status"], &changed["outcome"]),
        (&json!("placed"), &json!("done")),
        "{changed}"
    );
    let warning = changed["warnings"][0].as_str().unwrap_or_else(|| panic!("{changed}"));
    assert!(warning.contains("quantity 10 (not 50)") && warning.contains("price 261"), "{warning}");
    let truth = desk.at_broker(&out["orderId"]).await;
    assert_eq!(
        (&truth["quantity"], &truth["price"], &truth["tif"]),
        (&json!(10.0), &json!(261.0), &json!("GTC")),
        "{truth}"
    );
    // What is said of it from now on is what it is.
    let now = desk.call("get_order_status", json!({ "intentId": out["intentId"] })).await;
    assert_eq!(now["quantity"], 10, "{now}");
    // What is filled is part of the total.
    desk.sim.tell("/fill", json!({ "orderId": id, "quantity": 4 })).await;
    let less = json!({ "intentId": out["intentId"], "quantity": 4 });
    let refused = desk.refused("modify_order", less).await;
    assert_eq!(refused.json["field"], "quantity", "{}", refused.json);
}

#[tokio::test]
async fn what_a_person_changed_at_tws_is_said_also_once_it_was_noticed() {
    let mut desk = Desk::paper().await;
    let out = desk.placed(resting(4)).await;
    let id = number(&out["orderId"]);
    desk.sim.tell("/tws", json!({ "orderId": id, "quantity": 30, "price": 266 })).await;
    desk.client.notice("order_changed_elsewhere").await;
    let changed = desk.call("modify_order", json!({ "orderId": id, "tif": "GTC" })).await;
    let warning = changed["warnings"][0].as_str().unwrap_or_else(|| panic!("{changed}"));
    let differs = "quantity 30 (not 4), price 266 (not 265)";
    assert!(warning.contains(differs), "{warning}");
    // It went out like this from here: now it is what was sent.
    let again = desk.call("modify_order", json!({ "orderId": id, "price": 264 })).await;
    assert!(!again["warnings"].to_string().contains("changed elsewhere"), "{again}");
}

#[tokio::test]
async fn what_ibkr_does_not_know_now_is_not_told_as_what_it_has() {
    let mut desk = Desk::paper().await;
    let out = desk.placed(resting(10)).await;
    let id = number(&out["orderId"]);
    desk.sim.tell("/hide", json!({ "orderId": id, "hidden": true })).await;
    let is_unknown = |next: &Value| {
        let next = next.as_str().unwrap_or_default();
        next.contains("it now: it may have ended elsewhere") && !next.contains("IBKR has it")
    };
    let now = desk.call("get_order_status", json!({ "orderId": id })).await;
    assert!(now["notSeen"].is_string() && is_unknown(&now["fromHere"]["next"]), "{now}");
    let look = json!({ "intentId": out["intentId"], "seconds": 1 });
    let waited = desk.call("wait_for_order", look).await;
    assert!(is_unknown(&waited["next"]), "{waited}");
    assert!(waited["warnings"].to_string().contains("does not know the order now"), "{waited}");
    let mut list = Value::Null;
    until("the list does not have it", async || {
        list = desk.call("get_live_orders", json!({})).await;
        list["fromHere"][0]["state"] == "not_listed"
    })
    .await;
    assert!(is_unknown(&list["fromHere"][0]["next"]), "{list}");
}

#[tokio::test]
async fn a_change_that_is_taken_and_not_carried_out_is_not_called_done() {
    let mut desk = Desk::paper().await;
    let out = desk.placed(resting(10)).await;
    desk.sim.tell("/next", json!({ "change": "ignore" })).await;
    let change = json!({ "orderId": number(&out["orderId"]), "price": 260 });
    let changed = desk.call("modify_order", change).await;
    assert_eq!(changed["outcome"], "requested", "{changed}");
    let now = desk.call("get_order_status", json!({ "intentId": out["intentId"] })).await;
    assert_eq!(now["price"], 265, "the old terms stay: {now}");
}

#[tokio::test]
async fn an_order_changed_or_ended_at_tws_is_told_as_what_it_is() {
    let mut desk = Desk::paper().await;
    let out = desk.placed(resting(10)).await;
    let id = number(&out["orderId"]);
    desk.sim.tell("/tws", json!({ "orderId": id, "price": 262 })).await;
    let look = json!({ "intentId": out["intentId"] });
    until("it is known", async || {
        desk.call("get_order_status", look.clone()).await["price"] == 262
    })
    .await;
    desk.sim.tell("/tws", json!({ "orderId": id, "cancel": true })).await;
    until("it is over", async || {
        desk.call("get_order_status", look.clone()).await["status"] == "Cancelled"
    })
    .await;
    // An end that was there before is no failure, and nothing to place anew.
    let cancelled = desk.call("cancel_order", look).await;
    assert_eq!(cancelled["reason"]["code"], "already_over", "{cancelled}");
    assert!(!cancelled["next"].as_str().unwrap().contains("lace it again"), "{cancelled}");
}

// Refusals.

/// Each waits for lists that are seconds apart; so they wait together.
#[tokio::test]
async fn a_refusal_is_believed_only_where_the_order_is_not_there() {
    tokio::join!(
        an_error_after_acceptance_makes_no_second_order("Request timeout", "unknown"),
        an_error_after_acceptance_makes_no_second_order(
            "Unknown error, please check order status",
            "unknown"
        ),
        an_error_after_acceptance_makes_no_second_order(
            "Order rejected by the risk desk",
            "placed"
        ),
        an_error_after_acceptance_makes_no_second_order(
            "parent accepted, child rejected",
            "placed"
        ),
        a_row_that_is_alive_and_has_no_id_is_looked_for(),
        a_refusal_that_nobody_knows_is_believed_after_a_look(),
    );
}

async fn an_error_after_acceptance_makes_no_second_order(text: &str, told: &str) {
    let mut desk = Desk::paper().await;
    desk.script(json!([{ "questions": [], "error": text, "then": "rest" }])).await;
    let out = desk.place(resting(10)).await;
    assert_eq!(out["status"], told, "{text}: {out}");
    let held = desk.held(resting(10)).await;
    let code = held["code"].as_str().unwrap();
    assert!(["possible_duplicate", "same_order_in_doubt"].contains(&code), "{text}: {held}");
    let settled = desk.settled(&out).await;
    assert_eq!(settled["status"], "placed", "{text}: {settled}");
    assert_eq!(desk.placements().await.len(), 1, "{text}");
}

async fn a_row_that_is_alive_and_has_no_id_is_looked_for() {
    let mut desk = Desk::paper().await;
    desk.script(json!([{ "questions": [], "rows": "noIds", "then": "rest" }])).await;
    let out = desk.place(resting(10)).await;
    assert_eq!(out["status"], "unknown", "{out}");
    assert_eq!(desk.settled(&out).await["status"], "placed");
}

async fn a_refusal_that_nobody_knows_is_believed_after_a_look() {
    let mut desk = Desk::paper().await;
    desk.script(json!([{ "questions": [], "reject": "The moon is in the wrong house" }])).await;
    let out = desk.place(resting(10)).await;
    assert_eq!(
        (&out["status"], &out["reason"]["code"]),
        (&json!("not_placed"), &json!("broker_refused")),
        "{out}"
    );
}

#[tokio::test]
async fn what_was_told_as_not_placed_and_is_there_is_an_order_of_ours_for_good() {
    let mut desk = Desk::paper().await;
    desk.script(json!([{ "questions": [], "reject": "YOUR ORDER IS NOT ACCEPTED. …" }])).await;
    let out = desk.place(resting(10)).await;
    assert_eq!(out["status"], "not_placed", "{out}");
    // It works all the same: here a person stands for the broker's second thoughts.
    let risen = json!({ "place": {
        "account": "DU1234567", "conid": AAPL, "side": "BUY", "quantity": 10, "type": "LMT", "price": 265,
        "cOID": out["clientOrderId"],
    } });
    let risen = desk.sim.tell("/tws", risen).await;
    let look = json!({ "intentId": out["intentId"] });
    until("it is seen by whoever looks", async || {
        desk.call("get_live_orders", json!({})).await;
        let now = desk.call("get_order_status", look.clone()).await;
        now["fromHere"]["reason"]["code"] == "came_alive"
    })
    .await;
    let (list, _) = desk.ctl(&["orders"]).await;
    let order = &list["orders"][0];
    assert_eq!(order["state"], "came_alive", "{list}");
    assert_eq!(order["orderId"], risen["orderId"].to_string());
    // Also for the next daemon: the same order is held, and it can be ended by its intent id.
    desk.world.kill_daemon().await;
    assert_eq!(desk.held(resting(10)).await["code"], "possible_duplicate");
    let cancelled = desk.call("cancel_order", look).await;
    assert_eq!(cancelled["outcome"], "done", "{cancelled}");
}

#[tokio::test]
async fn a_yes_makes_no_second_order_of_a_declined_question_that_came_alive() {
    let mut desk = Desk::paper().await;
    desk.script(json!([{ "questions": ["o999"], "declinedRises": true, "then": "rest" }])).await;
    let asked = desk.place(resting(10)).await;
    assert_eq!(asked["status"], "needs_confirmation", "{asked}");
    let yes = json!({ "confirmationId": asked["confirmation"]["id"], "accept": true });
    let out = desk.client.call("confirm_order", yes).await;
    assert_eq!(desk.placements().await.len(), 1, "{}", out.json);
    let placements = desk.placements().await;
    let first = asked["confirmation"]["id"].as_str().unwrap();
    assert!(placements[0]["zombie"] == true, "{first}: {placements:?}");
}

// Which order is which.

#[tokio::test]
async fn rows_in_another_sequence_do_not_make_the_stop_the_order() {
    let mut desk = Desk::paper().await;
    desk.script(
        json!([{ "questions": [], "rows": "reversed", "then": "rest", "thenOthers": "rest" }]),
    )
    .await;
    let out = desk.placed(bracket()).await;
    let main = desk.at_broker(&out["orderId"]).await;
    assert_eq!((&main["side"], &main["type"]), (&json!("BUY"), &json!("LMT")), "{main}");
    let change = json!({ "intentId": out["intentId"], "price": 264 });
    let changed = desk.call("modify_order", change).await;
    assert_eq!(changed["status"], "placed", "{changed}");
    assert_eq!(desk.at_broker(&out["orderId"]).await["price"], 264.0);
    // Which child is the stop is said, and it is still there.
    let stop = stop_of(&mut desk, &out, |_| true).await;
    let truth = desk.at_broker(&stop["orderId"]).await;
    assert_eq!((&truth["side"], &truth["stopPrice"]), (&json!("SELL"), &json!(250.0)), "{truth}");
    let live = desk.call("get_live_orders", json!({})).await;
    let rows = live["orders"].as_array().unwrap();
    let listed =
        rows.iter().find(|row| Some(number(&row["orderId"])) == Some(number(&stop["orderId"])));
    assert_eq!(listed.unwrap()["role"], "stop_loss", "{live}");
}

#[tokio::test]
async fn an_id_that_is_another_orders_now_ends_nothing() {
    let mut desk = Desk::paper().await;
    let out = desk.placed(resting(10)).await;
    // The broker begins anew, and gives the same id to somebody's order in another contract.
    desk.sim.tell("/reset", json!({})).await;
    let other = json!({ "place": { "account": "DU1234567", "conid": KO, "side": "BUY", "quantity": 3, "type": "LMT", "price": 50, "tif": "GTC" } });
    let other = desk.sim.tell("/tws", other).await;
    assert_eq!(other["orderId"].to_string(), out["orderId"].as_str().unwrap(), "the same id");
    until("it is refused for what it is", async || {
        let cancel = json!({ "intentId": out["intentId"] });
        let cancelled = desk.client.call("cancel_order", cancel).await.json;
        assert_ne!(cancelled["outcome"], "done", "{cancelled}");
        cancelled["reason"]["code"] == "not_that_order"
    })
    .await;
    let truth = desk.at_broker(&out["orderId"]).await;
    assert_ne!(truth["status"], "Cancelled", "{truth}");
    let now = desk.call("get_order_status", json!({ "intentId": out["intentId"] })).await;
    assert!(now["notThis"].as_str().is_some_and(|why| why.contains("contract")), "{now}");
}

#[tokio::test]
async fn orders_of_an_account_that_is_not_selected_are_read_changed_and_ended() {
    let accounts = json!([{ "id": "DU1111111" }, { "id": "DU2222222", "positions": [] }]);
    let mut desk = Desk::new(json!({ "accounts": accounts, "orders": [] }), "").await;
    let second = |order: Value| and(order, json!({ "accountId": "DU2222222" }));
    let out = desk.placed(second(resting(10))).await;
    desk.placed(and(limit(3, 264.0), json!({ "accountId": "DU1111111" }))).await;
    let id = number(&out["orderId"]);
    let now = desk.call("get_order_status", json!({ "orderId": id })).await;
    assert_eq!((&now["account"], &now["working"]), (&json!("DU2222222"), &json!(true)), "{now}");
    let changed = desk.call("modify_order", json!({ "orderId": id, "price": 263 })).await;
    assert_eq!(changed["status"], "placed", "{changed}");
    desk.sim.tell("/fill", json!({ "orderId": id, "quantity": 4 })).await;
    let trades = desk.call("get_trades", json!({})).await;
    assert_eq!(trades["total"], 1, "{trades}");
    let cancelled = desk.call("cancel_order", json!({ "orderId": id })).await;
    assert_eq!(cancelled["outcome"], "done", "{cancelled}");
    assert_eq!(desk.at_broker(&out["orderId"]).await["status"], "Cancelled");
}

// Words.

#[tokio::test]
async fn a_status_that_nobody_knows_is_shown_and_never_called_working() {
    let mut desk = Desk::paper().await;
    let out = desk.placed(resting(10)).await;
    let id = number(&out["orderId"]);
    desk.sim.tell("/status", json!({ "orderId": id, "status": "Sleeping" })).await;
    let now = desk.call("get_order_status", json!({ "orderId": id })).await;
    assert_eq!((&now["status"], &now["working"]), (&json!("Sleeping"), &Value::Null), "{now}");
    assert_eq!(now["status"], "Sleeping", "{now}");
    let (list, _) = desk.ctl(&["orders"]).await;
    assert_eq!(list["orders"][0]["state"], "at_broker", "{list}");
    desk.sim.tell("/status", json!({ "orderId": id, "status": "FILLED", "filled": 10 })).await;
    let now = desk.call("get_order_status", json!({ "orderId": id })).await;
    assert_eq!(now["status"], "Filled", "in any letter case: {now}");
}

#[tokio::test]
async fn what_fills_silently_after_its_end_is_told_by_whatever_sees_it() {
    let mut desk = Desk::paper().await;
    let out = desk.placed(resting(10)).await;
    let cancelled = desk.call("cancel_order", json!({ "intentId": out["intentId"] })).await;
    assert_eq!(cancelled["outcome"], "done", "{cancelled}");
    let id = number(&out["orderId"]);
    desk.sim.tell("/fill", json!({ "orderId": id, "silent": true })).await;
    let now = desk.call("get_order_status", json!({ "intentId": out["intentId"] })).await;
    assert_eq!(now["status"], "Filled", "{now}");
    desk.client.notice("order_filled").await;
}

#[tokio::test]
async fn what_works_again_and_whose_page_cannot_be_read_is_believed_of_the_list() {
    let mut desk = Desk::paper().await;
    let out = desk.placed(resting(10)).await;
    let cancelled = desk.call("cancel_order", json!({ "intentId": out["intentId"] })).await;
    assert_eq!(cancelled["outcome"], "done", "{cancelled}");
    let closed = json!({
        "match": "/order/status", "method": "GET", "mode": "status", "status": 503, "count": 100_000,
    });
    desk.sim.tell("/fault", closed).await;
    let unseen = desk.call("get_order_status", json!({ "intentId": out["intentId"] })).await;
    assert!(unseen["notSeen"].is_string(), "what is known is of before: {unseen}");
    let id = number(&out["orderId"]);
    let revived = json!({ "orderId": id, "silent": true });
    desk.sim.tell("/revive", revived).await;
    // Once seen in a list by whomever, it is looked for until it is known.
    until("a list shows it", async || {
        let live = desk.call("get_live_orders", json!({})).await;
        let rows = live["orders"].as_array().unwrap();
        rows.iter().any(|row| number(&row["orderId"]) == id && row["working"] == true)
    })
    .await;
    until("it is at IBKR again", async || {
        desk.ctl(&["orders"]).await.0["orders"][0]["state"] == "working"
    })
    .await;
    desk.held(resting(10)).await;
}

#[tokio::test]
async fn a_fill_that_is_shown_and_is_none_is_taken_back_and_holds_its_like() {
    let mut desk = Desk::paper().await;
    let out = desk.placed(resting(10)).await;
    let (id, look) = (number(&out["orderId"]), json!({ "intentId": out["intentId"] }));
    let shown = json!({ "orderId": id, "status": "Filled", "filled": 10 });
    desk.sim.tell("/status", shown).await;
    until("it is told as filled", async || {
        let now = desk.call("get_order_status", look.clone()).await;
        now["status"] == "Filled"
    })
    .await;
    desk.sim.tell("/status", json!({ "orderId": id, "status": null })).await;
    until("the fill is taken back", async || {
        let now = desk.call("get_order_status", look.clone()).await;
        now["status"] == "Submitted" && now["filled"] == 0 && now["fromHere"]["standing"].is_null()
    })
    .await;
    desk.client.notice("order_came_alive").await;
    desk.held(resting(10)).await;
    assert_eq!(desk.placements().await.len(), 1);
}

#[tokio::test]
async fn what_came_alive_is_not_called_cancelled_by_a_list_of_before() {
    let mut desk = Desk::paper().await;
    let out = desk.placed(resting(10)).await;
    let id = number(&out["orderId"]);
    let look = json!({ "intentId": out["intentId"] });
    desk.call("cancel_order", look.clone()).await;
    let row = |live: &Value| {
        let rows = live["orders"].as_array().unwrap();
        rows.iter().find(|row| number(&row["orderId"]) == id).cloned().unwrap_or_default()
    };
    until("the list has the end", async || {
        let row = row(&desk.call("get_live_orders", json!({})).await);
        row["working"] == false && row["source"].is_null()
    })
    .await;
    desk.sim.tell("/revive", json!({ "orderId": id })).await;
    desk.client.notice("order_came_alive").await;
    // For as long as lists are late, and a little more, each answer says that it works.
    for _ in 0..12 {
        let live = desk.call("get_live_orders", json!({})).await;
        let now = desk.call("get_order_status", look.clone()).await;
        assert_eq!(now["status"], "Submitted", "{now}");
        assert_eq!(row(&live)["working"], true, "{live}");
        tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    }
}

#[tokio::test]
async fn the_end_of_a_stop_that_is_shown_and_is_none_is_taken_back() {
    let mut desk = Desk::paper().await;
    desk.script(json!([{ "questions": [], "then": "rest", "thenOthers": "rest" }])).await;
    let out = desk.placed(bracket()).await;
    let stop = stop_of(&mut desk, &out, |stop| stop["status"] == "PreSubmitted").await;
    let id = number(&stop["orderId"]);
    for (status, filled) in [("Filled", 10), ("Cancelled", 0)] {
        let shown = json!({ "orderId": id, "status": status, "filled": filled });
        desk.sim.tell("/status", shown).await;
        stop_of(&mut desk, &out, |stop| stop["status"] == status).await;
        desk.sim.tell("/status", json!({ "orderId": id, "status": null })).await;
        let works = |stop: &Value| {
            stop["status"] == "PreSubmitted" && stop["filled"].as_f64().unwrap_or_default() == 0.0
        };
        stop_of(&mut desk, &out, works).await;
        desk.client.notice("order_came_alive").await;
    }
}

#[tokio::test]
async fn what_works_again_is_cancelled_changed_and_waited_for_as_what_it_is() {
    let mut desk = Desk::paper().await;
    let named = and(resting(10), json!({ "requestId": "once" }));
    let out = desk.placed(named.clone()).await;
    let (id, by) = (number(&out["orderId"]), json!({ "intentId": out["intentId"] }));
    let revived = json!({ "orderId": id, "silent": true });
    let cancelled = desk.call("cancel_order", by.clone()).await;
    assert_eq!(cancelled["standing"]["status"], "Cancelled", "{cancelled}");
    desk.sim.tell("/revive", revived.clone()).await;
    // Nobody has seen it yet: each of these looks by itself.
    let again = desk.place(named).await;
    assert_eq!(
        (&again["intentId"], &again["standing"]["status"]),
        (&out["intentId"], &json!("Submitted")),
        "{again}"
    );
    desk.call("cancel_order", by.clone()).await;
    desk.sim.tell("/revive", revived.clone()).await;
    let wait = json!({ "intentId": out["intentId"], "seconds": 1 });
    let waited = desk.call("wait_for_order", wait).await;
    assert_eq!(waited["standing"]["status"], "Submitted", "{waited}");
    desk.call("cancel_order", by.clone()).await;
    desk.sim.tell("/revive", revived.clone()).await;
    let change = json!({ "intentId": out["intentId"], "price": 264 });
    let changed = desk.call("modify_order", change).await;
    assert_eq!(changed["outcome"], "done", "{changed}");
    desk.call("cancel_order", by.clone()).await;
    desk.sim.tell("/revive", revived).await;
    desk.sim.tell("/next", json!({ "cancel": "ignore" })).await;
    let asked = desk.call("cancel_order", by).await;
    assert_eq!(asked["outcome"], "requested", "{asked}");
    assert_ne!(asked["standing"]["status"], "Cancelled", "{asked}");
}

#[tokio::test]
async fn every_name_of_a_declined_question_that_came_alive_leads_to_its_order() {
    let mut desk = Desk::paper().await;
    desk.script(json!([{ "questions": ["o999"], "declinedRises": true, "then": "rest" }])).await;
    let mut order = resting(10);
    order["requestId"] = json!("mine");
    let asked = desk.place(order).await;
    let no = json!({ "confirmationId": asked["confirmation"]["id"], "accept": false });
    desk.client.call("confirm_order", no).await;
    let look = json!({ "requestId": "mine" });
    until("it is found", async || {
        desk.call("get_live_orders", json!({})).await;
        desk.call("get_order_status", look.clone()).await["fromHere"]["status"] == "placed"
    })
    .await;
    let second = json!({ "intentId": asked["intentId"] });
    let now = desk.call("get_order_status", second).await;
    assert_eq!(now["fromHere"]["status"], "placed", "by the intent of the question, too: {now}");
    let cancelled = desk.call("cancel_order", json!({ "intentId": "mine" })).await;
    assert_eq!(cancelled["standing"]["status"], "Cancelled", "{cancelled}");
}

#[tokio::test]
async fn hours_that_a_person_changed_stay_however_lately_a_list_was_read() {
    let mut desk = Desk::paper().await;
    let mut order = resting(10);
    order["outsideRTH"] = json!(true);
    let out = desk.placed(order).await;
    let id = number(&out["orderId"]);
    desk.call("get_live_orders", json!({})).await;
    desk.sim.tell("/tws", json!({ "orderId": id, "outsideRTH": false })).await;
    let changed = desk.call("modify_order", json!({ "orderId": id, "quantity": 11 })).await;
    assert_eq!(changed["status"], "placed", "{changed}");
    assert_eq!(desk.at_broker(&out["orderId"]).await["outsideRTH"], false, "{changed}");
    assert!(changed["warnings"].to_string().contains("outside"), "{changed}");
}

#[tokio::test]
async fn a_trailing_stop_is_changed_only_with_the_trail_that_it_shall_have() {
    let mut desk = Desk::paper().await;
    let stop = json!({ "symbol": "AAPL", "action": "SELL", "orderType": "TRAIL", "quantity": 5, "trailingAmount": 4, "tif": "GTC" });
    let out = desk.placed(stop).await;
    let id = number(&out["orderId"]);
    desk.sim.tell("/tws", json!({ "orderId": id, "trailingAmt": 3 })).await;
    let fewer = json!({ "orderId": out["orderId"], "quantity": 4 });
    let refused = desk.refused("modify_order", fewer.clone()).await;
    assert_eq!(
        (refused.error(), &refused.json["field"]),
        ("trail_not_shown", &json!("trailingAmount")),
        "{}",
        refused.json
    );
    let changed = desk.call("modify_order", and(fewer, json!({ "trailingAmount": 3 }))).await;
    assert_eq!(changed["outcome"], "requested", "nobody shows a trail: {changed}");
    let truth = desk.at_broker(&out["orderId"]).await;
    assert_eq!(
        (&truth["trail"]["amount"], &truth["quantity"]),
        (&json!(3.0), &json!(4.0)),
        "{truth}"
    );
}

// A bracket.

#[tokio::test]
async fn what_a_cancelled_bracket_leaves_and_a_stop_that_is_gone_are_said() {
    let mut desk = Desk::new(json!({ "accounts": [], "orders": [] }), "").await;
    desk.script(json!([{ "questions": [], "then": "rest", "thenOthers": "rest" }])).await;
    let out = desk.placed(and(bracket(), json!({ "tif": "DAY" }))).await;
    assert!(out["warnings"].to_string().contains("ends with today's session"), "{out}");
    let stop = stop_of(&mut desk, &out, |stop| stop["status"] == "PreSubmitted").await;
    desk.sim.tell("/fill", json!({ "orderId": number(&out["orderId"]) })).await;
    let wait = json!({ "intentId": out["intentId"], "seconds": 5 });
    until("it is filled", async || {
        desk.call("wait_for_order", wait.clone()).await["standing"]["status"] == "Filled"
    })
    .await;
    let cancelled = desk.call("cancel_order", json!({ "intentId": out["intentId"] })).await;
    let next = cancelled["next"].as_str().unwrap_or_default();
    assert!(next.contains("may still be filled") && !next.contains("nothing more"), "{cancelled}");
    desk.sim.tell("/tws", json!({ "orderId": number(&stop["orderId"]), "cancel": true })).await;
    stop_of(&mut desk, &out, |stop| stop["status"] == "Cancelled").await;
    let now = desk.call("wait_for_order", and(wait, json!({ "seconds": 1 }))).await;
    let warnings = now["warnings"].to_string();
    assert!(warnings.contains("stands without it"), "{now}");
    assert!(!warnings.contains("ends with today's session"), "{now}");
    let of_stop = json!({ "orderId": stop["orderId"], "seconds": 1 });
    let of_stop = desk.call("wait_for_order", of_stop).await;
    let first = of_stop["warnings"][0].as_str().unwrap_or_default();
    assert!(first.contains("(stop_loss)") && first.contains("is Cancelled"), "{of_stop}");
}

// The list.

#[tokio::test]
async fn right_after_a_write_the_list_is_never_older_than_what_was_done() {
    let mut desk = Desk::new(json!({ "orders": [] }), "").await;
    desk.call("get_live_orders", json!({})).await;
    let out = desk.placed(bracket()).await;
    let live = desk.call("get_live_orders", json!({})).await;
    assert_eq!(live["working"], 3, "{live}");
    desk.call("cancel_order", json!({ "intentId": out["intentId"] })).await;
    let live = desk.call("get_live_orders", json!({})).await;
    let own = |live: &Value| {
        let rows = live["orders"].as_array().unwrap();
        rows.iter()
            .find(|row| Some(number(&row["orderId"])) == Some(number(&out["orderId"])))
            .cloned()
    };
    assert_eq!(own(&live).unwrap()["working"], false, "{live}");
    for number in 1..=3 {
        desk.placed(limit(20 + number, 264.0)).await;
    }
    let all = desk.call("cancel_order", json!({ "all": true })).await;
    assert_eq!(all["outcome"], "done", "{all}");
    let live = desk.call("get_live_orders", json!({})).await;
    assert_eq!(live["working"], 0, "{live}");
}

// Protection.

#[tokio::test]
async fn a_stop_that_ends_tonight_is_a_warning_and_a_trail_can_be_changed() {
    let mut desk = Desk::paper().await;
    let stop = json!({ "symbol": "AAPL", "action": "SELL", "orderType": "TRAIL", "quantity": 5, "trailingPercent": 5, "requestId": "guard" });
    let out = desk.placed(stop).await;
    let warning = out["warnings"][0].as_str().unwrap_or_else(|| panic!("{out}"));
    assert!(warning.contains("DAY"), "{warning}");
    assert_eq!(out["order"]["trailingPercent"], 5, "{out}");
    // The request's own name is a name of the order.
    let changed = json!({ "intentId": "guard", "trailingPercent": 3, "tif": "GTC" });
    let changed = desk.call("modify_order", changed).await;
    assert_eq!(changed["status"], "placed", "{changed}");
    let truth = desk.at_broker(&out["orderId"]).await;
    assert_eq!((&truth["trail"]["amount"], &truth["tif"]), (&json!(3.0), &json!("GTC")), "{truth}");
    let now = desk.call("get_order_status", json!({ "requestId": "guard" })).await;
    assert_eq!(now["orderId"], out["orderId"], "{now}");
}

#[tokio::test]
async fn an_approval_says_that_it_was_sent_and_one_that_was_not_says_so() {
    let mut desk = Desk::live("").await;
    let out = desk.place(resting(10)).await;
    let id = out["confirmation"]["id"].as_str().unwrap();
    let approved = desk.world.ctl(&["approve", id, "--yes"]).await;
    let said = String::from_utf8_lossy(&approved.stdout).into_owned();
    let placed = &desk.placements().await[0];
    assert!(said.contains("sent") && said.contains(&placed["orderId"].to_string()), "{said}");
}
