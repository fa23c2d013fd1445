//! What a person does about orders: looks, settles what nobody knows, and reads the trail.

use ibd_tests::desk::{AAPL, Desk, limit, resting};
use serde_json::{Value, json};

/// An order of which IBKR never heard, and nobody knows that.
async fn unknown(desk: &mut Desk, order: Value) -> Value {
    desk.sim
        .fault(json!({ "match": "/orders", "method": "POST", "mode": "status", "status": 503 }))
        .await;
    let out = desk.place(order).await;
    assert_eq!((&out["status"], &out["doNotRetry"]), (&json!("unknown"), &json!(true)), "{out}");
    out
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn an_order_in_doubt_that_a_person_did_not_find_is_not_placed() {
    let mut desk = Desk::paper().await;
    let out = unknown(&mut desk, resting(1)).await;
    let intent = out["intentId"].as_str().unwrap();
    assert_eq!(desk.held(resting(1)).await["code"], "same_order_in_doubt");
    let status = desk.world.ctl(&["status"]).await;
    assert_eq!(status.status.code(), Some(4), "{status:?}");
    assert!(text(&status.stdout).contains("in doubt"), "{status:?}");
    let (list, _) = desk.ctl(&["orders"]).await;
    let order = &list["orders"][0];
    assert_eq!(
        (&order["state"], &order["intentId"]),
        (&json!("unknown"), &out["intentId"]),
        "{list}"
    );
    assert!(order["hint"].as_str().unwrap().contains("ibctl orders resolve"), "{order}");
    // The model sees it too, and what not to do.
    let live = desk.call("get_live_orders", json!({})).await;
    let here = live["fromHere"].as_array().unwrap_or_else(|| panic!("{live}"));
    assert!(
        here.iter().any(|one| one["intentId"] == out["intentId"] && one["state"] == "unknown"),
        "{live}"
    );

    // Nobody who reads it, no answer.
    let unread = desk.world.ctl(&["orders", "resolve", intent, "--not-placed"]).await;
    assert_eq!(unread.status.code(), Some(2), "{unread:?}");
    let neither = desk.world.ctl(&["orders", "resolve", intent, "--yes"]).await;
    assert_eq!(neither.status.code(), Some(2), "{neither:?}");
    let resolved = desk.world.ctl(&["orders", "resolve", intent, "--not-placed", "--yes"]).await;
    assert_eq!(resolved.status.code(), Some(0), "{resolved:?}");
    let now = desk.call("get_order_status", json!({ "intentId": intent })).await;
    assert_eq!(now["fromHere"]["status"], "not_placed", "{now}");
    assert_eq!(now["fromHere"]["reason"]["code"], "resolved_by_person");
    let again = desk.world.ctl(&["orders", "resolve", intent, "--not-placed", "--yes"]).await;
    assert_eq!(again.status.code(), Some(1), "settled is settled: {again:?}");
    // Now it may be placed, once.
    desk.placed(resting(1)).await;
    assert_eq!(desk.placements().await.len(), 1);
    assert_eq!(desk.world.ctl(&["status"]).await.status.code(), Some(0));
}

#[tokio::test]
async fn an_order_in_doubt_that_a_person_found_is_followed_under_its_id() {
    let mut desk = Desk::paper().await;
    let elsewhere = desk.placed(limit(7, 264.0)).await;
    let out = unknown(&mut desk, resting(1)).await;
    let intent = out["intentId"].as_str().unwrap();
    let nonsense = desk.world.ctl(&["orders", "resolve", intent, "--placed", "x y", "--yes"]).await;
    assert_ne!(nonsense.status.code(), Some(0), "{nonsense:?}");
    let nobody = ["orders", "resolve", "01KB3N7Q2Z5W8X4Y6V9T0S1R2P", "--not-placed", "--yes"];
    assert_eq!(desk.world.ctl(&nobody).await.status.code(), Some(1));
    // What is named is looked at: the simulator's stop on Apple sells, and there is no order 7.
    for (other, word) in [("1234567890", "SELL"), ("7", "knows no order 7")] {
        let misfit = ["orders", "resolve", intent, "--placed", other, "--yes"];
        let refused = desk.world.ctl(&misfit).await;
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        assert!(text(&refused.stderr).contains(word), "{refused:?}");
    }
    // What the person saw in TWS.
    let seen = json!({ "place": { "account": "DU1234567", "conid": AAPL, "side": "BUY", "quantity": 1, "type": "LMT", "price": 265 } });
    let seen = desk.sim.tell("/tws", seen).await["orderId"].to_string();
    let placed = ["orders", "resolve", intent, "--placed", &seen, "--yes"];
    let resolved = desk.world.ctl(&placed).await;
    assert_eq!(resolved.status.code(), Some(0), "{resolved:?}");
    let now = desk.call("get_order_status", json!({ "intentId": intent })).await;
    assert_eq!(now["fromHere"]["status"], "placed", "{now}");
    assert_eq!(now["orderId"], seen.as_str());
    let wrong =
        ["orders", "resolve", elsewhere["intentId"].as_str().unwrap(), "--not-placed", "--yes"];
    assert_eq!(
        desk.world.ctl(&wrong).await.status.code(),
        Some(1),
        "a working order is in no doubt"
    );
    let fill = json!({ "orderId": seen.parse::<u64>().unwrap(), "price": 265 });
    desk.sim.tell("/fill", fill).await;
    let filled = desk.call("wait_for_order", json!({ "intentId": intent })).await;
    assert_eq!(filled["standing"]["status"], "Filled", "{filled}");
}

/// What is in doubt holds up nothing but its like.
#[tokio::test]
async fn other_orders_go_on_while_one_is_in_doubt_also_after_a_restart() {
    let mut desk = Desk::paper().await;
    let out = unknown(&mut desk, resting(1)).await;
    desk.placed(limit(2, 264.0)).await;
    desk.world.kill_daemon().await;
    // Now it is looked for first.
    desk.placed(limit(3, 264.0)).await;
    let still = desk.call("get_order_status", json!({ "intentId": out["intentId"] })).await;
    assert_eq!(still["fromHere"]["status"], "unknown", "not found is not \"not placed\": {still}");
    assert_eq!(desk.held(resting(1)).await["code"], "same_order_in_doubt");
    assert_eq!(desk.placements().await.len(), 2);
}

#[tokio::test]
async fn the_trail_says_who_asked_by_which_rule_and_what_ibkr_said() {
    let mut desk = Desk::configured("max_order_quantity = 100\n").await;
    desk.script(json!([
        { "questions": ["o163"], "then": "rest" },
        { "reject": "No trading permission." },
        { "questions": ["o999"] },
    ]))
    .await;
    let placed = desk.placed(resting(1)).await;
    desk.place(resting(2)).await;
    let asked = desk.place(resting(3)).await;
    let no = json!({ "confirmationId": asked["confirmation"]["id"], "accept": false });
    desk.call("confirm_order", no).await;
    desk.held(resting(101)).await;
    desk.call("cancel_order", json!({ "orderId": placed["orderId"] })).await;
    desk.ctl(&["freeze"]).await;
    desk.ctl(&["unfreeze"]).await;

    let (audit, code) = desk.ctl(&["audit", "-n", "1000"]).await;
    assert_eq!(code, 0);
    let lines = audit["audit"].as_array().unwrap();
    let seqs: Vec<u64> = lines.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert!(seqs.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{seqs:?}");
    let has = |what: &str, words: &str| {
        let found = lines
            .iter()
            .any(|line| line["what"] == what && line["text"].as_str().unwrap().contains(words));
        assert!(found, "{what} {words:?} in {audit:#}");
    };
    has("started", "ibd");
    has("asked", "BUY 1 AAPL (NASDAQ, USD) LMT 265 DAY by place_order");
    has("replying", "yes to o163");
    has("rejected", "IBKR: No trading permission.");
    has("declining", "no to o999");
    has("awaiting_approval", "waits for client");
    has("not_placed", "declined by harness");
    has("denied", "[IB_MAX_ORDER_QUANTITY=100]");
    has("asked", "by cancel_order");
    has("frozen", "a person");
    has("unfrozen", "a person");
    let asked = lines.iter().find(|line| line["what"] == "asked").unwrap();
    assert_eq!((&asked["client"], &asked["intentId"]), (&json!("harness"), &placed["intentId"]));
    assert!(
        lines
            .iter()
            .all(|line| line["hash"].as_str().unwrap().len() == 64 && line["at"].is_string())
    );
    // The journal speaks before the broker hears: sending comes before working.
    let at = |what: &str| {
        lines.iter().position(|l| l["what"] == what && l["intentId"] == placed["intentId"])
    };
    assert!(at("sending") < at("working"), "{audit:#}");

    let table = text(&desk.world.ctl(&["audit", "-n", "3"]).await.stdout);
    assert_eq!(table.lines().count(), 4, "a head and three lines: {table}");
}

#[tokio::test]
async fn a_trail_that_was_touched_is_not_whole() {
    let mut desk = Desk::paper().await;
    desk.placed(resting(1)).await;
    desk.placed(resting(2)).await;
    let (whole, code) = desk.ctl(&["audit", "verify"]).await;
    assert_eq!((code, &whole["ok"]), (0, &json!(true)), "{whole}");
    assert!(whole["text"].as_str().unwrap().contains("is whole"), "{whole}");
    // Somebody makes the first order another one, under the daemon's hands.
    let folder = desk.world.state().join("journal");
    let file = std::fs::read_dir(folder).unwrap().flatten().map(|f| f.path()).min().unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    let at = bytes.windows(10).position(|window| window == b"BUY 1 AAPL").unwrap();
    bytes[at + 4] = b'9';
    std::fs::write(&file, bytes).unwrap();
    let output = desk.world.ctl(&["audit", "verify"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = text(&output.stderr) + &text(&output.stdout);
    assert!(said.contains("broken") && said.contains("record"), "{said}");
    assert_eq!(
        desk.world.ctl(&["audit"]).await.status.code(),
        Some(1),
        "nothing of it is shown as true"
    );
}

#[tokio::test]
async fn a_person_sees_what_needs_one_first() {
    let mut desk = Desk::live("").await;
    let nothing = text(&desk.world.ctl(&["orders"]).await.stdout);
    assert!(!nothing.contains("BUY"), "{nothing}");
    let one = desk.place(resting(1)).await;
    let two = desk.place(resting(2)).await;
    let both = desk.world.ctl(&["approve", "--yes"]).await;
    assert_eq!(both.status.code(), Some(2), "which of two is not guessed: {both:?}");
    let id = one["confirmation"]["id"].as_str().unwrap();
    assert_eq!(desk.world.ctl(&["approve", id, "--yes"]).await.status.code(), Some(0));
    let works = desk.settled(&one).await;
    let list = text(&desk.world.ctl(&["orders"]).await.stdout);
    let at = |what: &str| list.find(what).unwrap_or_else(|| panic!("{what} in {list}"));
    assert!(at("Waiting for your approval") < at("Working"), "{list}");
    assert!(
        at(two["confirmation"]["id"].as_str().unwrap()) < at(works["orderId"].as_str().unwrap()),
        "{list}"
    );
    // The only one that waits need not be named.
    assert_eq!(desk.world.ctl(&["approve", "--yes"]).await.status.code(), Some(0));
    let placed = desk.settled(&two).await;
    assert_eq!(placed["status"], "placed", "{placed}");
    assert_eq!(desk.placements().await.len(), 2);
}
