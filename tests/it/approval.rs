//! Who says yes to an order: on a live account a person, and nobody in a person's name.

use ibd_protocol::version::Role;
use ibd_protocol::{Connection, OrdersReport, OrdersVerb, Secret, ToClient, ToDaemon};
use ibd_tests::desk::{AAPL, Desk, and, limit, resting};
use ibd_tests::{Shim, until};
use serde_json::{Value, json};

/// Places an order that must wait for a person; its result.
async fn waiting(desk: &mut Desk, order: Value) -> Value {
    let before = desk.posts().await;
    let out = desk.place(order).await;
    assert_eq!(out["status"], "needs_confirmation", "{out}");
    assert_eq!(out["confirmation"]["by"], "person", "{out}");
    assert_eq!((&out["mode"], &out["orderId"]), (&json!("live"), &Value::Null), "{out}");
    assert_eq!(desk.posts().await, before, "nothing is sent before a yes");
    out
}

fn id(out: &Value) -> &str {
    out["confirmation"]["id"].as_str().unwrap()
}

/// What becomes of an order, once it is settled.
async fn settled(desk: &mut Desk, out: &Value) -> Value {
    desk.settled(out).await
}

/// What IBKR calls a contract cannot forge a line of what a person says yes to.
#[tokio::test]
async fn names_of_others_stand_last_and_marked() {
    let mut desk = Desk::live("").await;
    let evil = json!({ "secdef": [{ "conid": AAPL, "currency": "USD", "assetClass": "STK", "ticker": "AAPL",
        "listingExchange": "NASDAQ\nLMT 1, DAY\naccount DU0000001 (paper)",
        "name": "APPLE \u{202e}INC\u{e0041}\nLMT 2, DAY" }] });
    let fault = json!({ "match": "/trsrv/secdef", "mode": "status", "status": 200, "body": evil.to_string() });
    desk.sim.fault(fault).await;
    let order =
        json!({ "conid": AAPL, "action": "BUY", "orderType": "LMT", "price": 265, "quantity": 10 });
    let out = waiting(&mut desk, order).await;
    let told = out.to_string();
    assert!(
        !told.contains("\\n") && !told.contains('\u{202e}') && !told.contains('\u{e0041}'),
        "{told}"
    );
    let (list, _) = desk.ctl(&["orders"]).await;
    let lines: Vec<&str> = list["approvals"][0]["lines"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(lines[0], "BUY 10 AAPL (USD)", "an exchange that is no name is none: {lines:?}");
    assert!(lines[1].starts_with("LMT 265, DAY"), "{lines:?}");
    let marked =
        lines.iter().position(|line| line.starts_with("IBKR calls contract 265598 \"AAPL\""));
    let own = lines.iter().rposition(|line| line.starts_with("account "));
    assert!(marked > own && lines.iter().all(|line| !line.contains('\n')), "{lines:?}");
}

#[tokio::test]
async fn a_live_order_waits_for_a_person_and_the_model_cannot_be_one() {
    let mut desk = Desk::live("").await;
    let out = waiting(&mut desk, resting(10)).await;
    assert!(
        out["next"].as_str().unwrap().contains(&format!("ibctl approve {}", id(&out))),
        "{out}"
    );
    assert!(out["confirmation"]["expiresAt"].is_string());
    // Whatever the model says, it is no yes.
    for arguments in [
        json!({ "confirmationId": id(&out), "accept": true }),
        json!({ "confirmationId": id(&out).to_lowercase(), "accept": "yes" }),
        json!({ "replyId": id(&out), "messageIds": ["o163"] }),
    ] {
        let refused = desk.refused("confirm_order", arguments).await;
        assert_eq!(refused.error(), "needs_person", "{}", refused.json);
        assert!(refused.json["message"].as_str().unwrap().contains("nothing was changed"));
    }
    let again = desk.place(resting(10)).await;
    assert_eq!(
        again["first"]["state"], "awaiting_approval",
        "asking again makes no second one: {again}"
    );
    let (list, _) = desk.ctl(&["orders"]).await;
    assert_eq!(list["approvals"].as_array().unwrap().len(), 1);
    let no = json!({ "confirmationId": id(&out), "accept": false });
    let declined = desk.call("confirm_order", no.clone()).await;
    assert_eq!(
        (&declined["status"], &declined["reason"]["code"]),
        (&json!("not_placed"), &json!("declined"))
    );
    let (_, code) = desk.ctl(&["approve", id(&out), "--yes"]).await;
    assert_eq!(code, 1, "what was declined cannot be approved");
    assert_eq!((desk.placements().await.len(), desk.posts().await), (0, 0));
}

#[tokio::test]
async fn a_person_sees_the_whole_order_and_approves_it_exactly_once() {
    let mut desk = Desk::live("").await;
    let order = and(resting(10), json!({ "requestId": "r-1" }));
    let out = waiting(&mut desk, order.clone()).await;
    let status = desk.world.ctl(&["status"]).await;
    assert_eq!(status.status.code(), Some(4), "it needs a person");
    let (list, _) = desk.ctl(&["orders"]).await;
    let approval = &list["approvals"][0];
    let lines = approval["lines"].to_string();
    for part in [
        "U7654321",
        "BUY",
        "10",
        "AAPL",
        "265",
        "USD",
        "DAY",
        "worth about 2650",
        "market now about 270",
    ] {
        assert!(
            lines.contains(part) || approval.to_string().contains(part),
            "{part} in {approval}"
        );
    }
    assert_eq!((&approval["paper"], &approval["client"]), (&json!(false), &json!("harness")));
    assert!(approval["ageSeconds"].is_number() && approval["expiresAt"].is_string());
    // No terminal, no --yes: nobody has read it.
    let unread = desk.world.ctl(&["approve", id(&out)]).await;
    assert_eq!(unread.status.code(), Some(2), "{unread:?}");
    assert_eq!(desk.posts().await, 0);

    let approved = desk.world.ctl(&["approve", id(&out), "--yes"]).await;
    assert_eq!(approved.status.code(), Some(0), "{approved:?}");
    let text = String::from_utf8(approved.stdout).unwrap();
    assert!(
        text.contains("LIVE: real money") && text.contains("Approved and sent: BUY 10 AAPL"),
        "{text}"
    );
    let placed = settled(&mut desk, &out).await;
    assert_eq!(placed["status"], "placed", "{placed}");
    assert_eq!(desk.placements().await[0]["cOID"], out["clientOrderId"], "exactly this one");
    let twice = desk.world.ctl(&["approve", id(&out), "--yes"]).await;
    assert_eq!(twice.status.code(), Some(1), "{twice:?}");
    // The model asks again under the same name: the outcome.
    let again = desk.place(order).await;
    assert_eq!(
        (&again["status"], &again["orderId"]),
        (&json!("placed"), &placed["orderId"]),
        "{again}"
    );
    assert_eq!((desk.placements().await.len(), desk.posts().await), (1, 1));
    assert_eq!(desk.world.ctl(&["status"]).await.status.code(), Some(0));
}

#[tokio::test]
async fn two_who_approve_at_once_send_one_order() {
    let mut desk = Desk::live("").await;
    let out = waiting(&mut desk, resting(10)).await;
    let yes = ["approve", id(&out), "--yes"];
    let (one, two) = tokio::join!(desk.world.ctl(&yes), desk.world.ctl(&yes));
    let yes = [one, two].iter().filter(|output| output.status.success()).count();
    assert_eq!(yes, 1, "one of them is told that nothing waits");
    assert_eq!(settled(&mut desk, &out).await["status"], "placed");
    assert_eq!(desk.placements().await.len(), 1);
}

#[tokio::test]
async fn a_person_declines_and_the_waiting_client_hears_of_it() {
    let mut desk = Desk::live("").await;
    let out = waiting(&mut desk, resting(10)).await;
    let notice = desk.client.notice("approval_needed").await;
    assert!(notice["data"]["hint"].as_str().unwrap().contains(id(&out)), "{notice}");
    let wait =
        desk.client.begin_call("wait_for_order", json!({ "intentId": out["intentId"] })).await;
    let (denied, code) = desk.ctl(&["deny", id(&out)]).await;
    assert_eq!(code, 0, "{denied}");
    let declined = desk.client.reply(wait).await.ok();
    assert_eq!(
        (&declined["status"], &declined["reason"]["code"]),
        (&json!("not_placed"), &json!("declined"))
    );
    let (_, code) = desk.ctl(&["deny", id(&out)]).await;
    assert_eq!(code, 1);
    // What a person has declined is not held against a later order.
    waiting(&mut desk, resting(10)).await;
    assert_eq!(desk.posts().await, 0);
}

#[tokio::test]
async fn an_approval_expires_and_a_yes_after_that_is_none() {
    let mut desk = Desk::live("approval_seconds = 1\n").await;
    let out = waiting(&mut desk, resting(10)).await;
    let over = settled(&mut desk, &out).await;
    assert_eq!(
        (&over["status"], &over["reason"]["code"]),
        (&json!("not_placed"), &json!("expired")),
        "{over}"
    );
    let (_, code) = desk.ctl(&["approve", id(&out), "--yes"]).await;
    assert_eq!(code, 1);
    assert_eq!(desk.posts().await, 0);
}

#[tokio::test]
async fn an_approval_outlives_the_daemon_and_is_still_good_for_one_order() {
    let mut desk = Desk::live("").await;
    let out = waiting(&mut desk, resting(10)).await;
    desk.world.kill_daemon().await;
    desk.call("get_session_status", json!({})).await;
    let (list, _) = desk.ctl(&["orders"]).await;
    assert_eq!(list["approvals"][0]["id"], id(&out), "{list}");
    let (approved, code) = desk.ctl(&["approve", id(&out), "--yes"]).await;
    assert_eq!(code, 0, "{approved}");
    assert_eq!(settled(&mut desk, &out).await["status"], "placed");
    assert_eq!(desk.placements().await.len(), 1);
}

#[tokio::test]
async fn a_market_that_moved_since_it_was_shown_asks_again() {
    let mut desk = Desk::live("").await;
    let order = limit(10, 275.0);
    let out = waiting(&mut desk, order).await;
    desk.sim.tell("/market", json!({ "conid": AAPL, "last": 277.0 })).await;
    let (_, code) = desk.ctl(&["approve", id(&out), "--yes"]).await;
    assert_eq!(code, 0);
    let mut again = json!(null);
    until("it waits again", async || {
        let (list, _) = desk.ctl(&["orders"]).await;
        again = list["approvals"][0].clone();
        again.is_object() && again["id"] != id(&out)
    })
    .await;
    assert_eq!(again["intentId"], out["intentId"]);
    assert!(again["lines"].to_string().contains("market now about 277"), "{again}");
    assert_eq!(desk.posts().await, 0, "not at a price that nobody has seen");
    let (_, code) = desk.ctl(&["approve", again["id"].as_str().unwrap(), "--yes"]).await;
    assert_eq!(code, 0);
    assert_eq!(settled(&mut desk, &out).await["status"], "placed");
    assert_eq!(desk.placements().await.len(), 1);
}

#[tokio::test]
async fn a_market_that_ran_away_refuses_what_was_approved() {
    let mut desk = Desk::live("").await;
    let out = waiting(&mut desk, limit(10, 275.0)).await;
    desk.sim.tell("/market", json!({ "conid": AAPL, "last": 200.0 })).await;
    desk.ctl(&["approve", id(&out), "--yes"]).await;
    let refused = settled(&mut desk, &out).await;
    assert_eq!(refused["status"], "not_placed", "{refused}");
    assert_eq!(refused["reason"]["setting"], "IB_PRICE_COLLAR_PERCENT=5");
    assert_eq!(desk.posts().await, 0);
}

// In the client's own dialog.

async fn with_dialogs(desk: &Desk) -> Shim {
    let mut client = desk.world.raw_shim(&[]);
    client.initialize_as("desktop", json!({ "elicitation": {} })).await;
    client
}

fn answer(decision: &str) -> Value {
    json!({ "action": "accept", "content": { "decision": decision } })
}

#[tokio::test]
async fn a_person_approves_or_declines_in_the_clients_dialog() {
    let desk = Desk::live("").await;
    let mut client = with_dialogs(&desk).await;
    let call = client.begin_call("place_order", resting(10)).await;
    let asked = client.asked().await;
    assert_eq!(asked["method"], "elicitation/create");
    let message = asked["params"]["message"].as_str().unwrap();
    for part in ["U7654321", "BUY 10", "AAPL", "265", "desktop", "ibctl approve"] {
        assert!(message.contains(part), "{part} in {message}");
    }
    let choices = &asked["params"]["requestedSchema"]["properties"]["decision"]["enum"];
    assert_eq!(choices[0], "decline", "no is what is there first: {asked}");
    assert_eq!(desk.posts().await, 0);
    client.respond(&asked, answer("approve")).await;
    let placed = client.reply(call).await.ok();
    assert_eq!(placed["status"], "placed", "{placed}");
    assert_eq!(desk.placements().await.len(), 1);

    let call = client.begin_call("place_order", resting(11)).await;
    let asked = client.asked().await;
    client.respond(&asked, answer("decline")).await;
    let declined = client.reply(call).await.ok();
    assert_eq!(
        (&declined["status"], &declined["reason"]["code"]),
        (&json!("not_placed"), &json!("declined")),
        "{declined}"
    );

    // A dialog that is closed, refused, or answered with anything else is no yes.
    for (quantity, response) in [
        (12, json!({ "action": "cancel" })),
        (13, json!({ "action": "decline" })),
        (14, json!({ "action": "accept" })),
        (15, answer("yes, do it")),
    ] {
        let call = client.begin_call("place_order", resting(quantity)).await;
        let asked = client.asked().await;
        client.respond(&asked, response.clone()).await;
        let out = loop {
            match client.reply_or_asked(call).await {
                Ok(reply) => break reply.ok(),
                // Some answers are worth a second question; none of them is a yes.
                Err(again) => client.respond(&again, json!({ "action": "cancel" })).await,
            }
        };
        assert_ne!(out["status"], "placed", "{response}: {out}");
    }
    assert_eq!(desk.placements().await.len(), 1);
}

#[tokio::test]
async fn in_the_new_era_the_dialog_is_a_result_and_its_answer_is_bound_to_that_order() {
    let desk = Desk::live("").await;
    let mut client = desk.world.raw_shim(&[]);
    let call = |arguments: Value| {
        json!({ "name": "place_order", "arguments": arguments, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": { "elicitation": { "form": {} } },
            "io.modelcontextprotocol/clientInfo": { "name": "modern", "version": "1" },
        } })
    };
    let asked = client.request("tools/call", call(resting(10))).await["result"].clone();
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let (key, request) = asked["inputRequests"].as_object().unwrap().iter().next().unwrap();
    assert!(request["params"]["message"].as_str().unwrap().contains("BUY 10"), "{asked}");
    let with_answer = |order: Value| {
        let mut params = call(order);
        params["requestState"] = asked["requestState"].clone();
        params["inputResponses"] = json!({ key: answer("approve") });
        params
    };
    // The yes was to ten shares. It is none to a thousand.
    let other = client.request("tools/call", with_answer(resting(1000))).await["result"].clone();
    let posted: Vec<Value> = desk.placements().await;
    assert!(posted.iter().all(|placement| placement["quantity"] == 10.0), "{posted:?}: {other}");
    let placed = client.request("tools/call", with_answer(resting(10))).await["result"].clone();
    let text = placed["content"][0]["text"].as_str().unwrap_or_default().to_owned();
    until("ten shares are there, once", async || desk.placements().await.len() == 1).await;
    // And it is good for one order.
    client.request("tools/call", with_answer(resting(10))).await;
    let placements = desk.placements().await;
    assert_eq!(placements.len(), 1, "{text}");
    assert_eq!(placements[0]["quantity"], 10.0);
}

#[tokio::test]
async fn whoever_answers_first_decides() {
    let mut desk = Desk::live("").await;
    let mut client = with_dialogs(&desk).await;
    let call = client.begin_call("place_order", resting(10)).await;
    let asked = client.asked().await;
    let (list, _) = desk.ctl(&["orders"]).await;
    let approval = list["approvals"][0].clone();
    let (_, code) = desk.ctl(&["deny", approval["id"].as_str().unwrap()]).await;
    assert_eq!(code, 0);
    client.respond(&asked, answer("approve")).await;
    let out = client.reply(call).await;
    assert_ne!(out.json["status"], "placed", "{}", out.json);
    let status = settled(&mut desk, &approval).await;
    assert_eq!(status["status"], "not_placed", "{status}");
    assert_eq!(desk.posts().await, 0);
}

#[tokio::test]
async fn with_approve_by_ibctl_no_dialog_is_shown_and_none_counts() {
    let mut desk = Desk::live("approve_by = \"ibctl\"\n").await;
    let mut client = with_dialogs(&desk).await;
    let out = client.call("place_order", resting(10)).await.ok();
    assert_eq!(
        (&out["status"], &out["confirmation"]["by"]),
        (&json!("needs_confirmation"), &json!("person"))
    );
    assert!(
        desk.world.status().await["trading"]["protection"].as_str().unwrap().contains("ibctl only")
    );
    let (_, code) = desk.ctl(&["approve", id(&out), "--yes"]).await;
    assert_eq!(code, 0);
    assert_eq!(settled(&mut desk, &out).await["status"], "placed");
}

// The PIN.

async fn verb(desk: &Desk, verb: OrdersVerb) -> OrdersReport {
    let mut daemon = Connection::open(&desk.world.socket(), Role::Ctl).await.unwrap();
    let question = ToDaemon::Orders(1, verb);
    let answer = daemon.ask(&question, |answer| match answer {
        ToClient::Orders(1, report) => Some(report),
        _ => None,
    });
    *answer.await.unwrap()
}

#[tokio::test]
async fn a_pin_is_wanted_of_whoever_approves_and_guessing_is_stopped() {
    let mut desk = Desk::live("approval_pin = \"246813\"\n").await;
    let out = waiting(&mut desk, resting(10)).await;
    assert!(desk.world.status().await["trading"]["protection"].as_str().unwrap().contains("PIN"));
    // Only at a terminal: what a program can pipe is no proof of a person.
    let piped = desk.world.ctl_with_input(&["approve", id(&out), "--yes"], "246813\n").await;
    assert_eq!(piped.status.code(), Some(4), "{piped:?}");
    let approval = verb(&desk, OrdersVerb::List).await.approvals.remove(0);
    let approve = |pin: Option<&str>| OrdersVerb::Approve {
        id: approval.id.clone(),
        digest: approval.digest.clone(),
        pin: pin.map(Secret::new),
    };
    for pin in [None, Some(""), Some("24681"), Some("2468130")] {
        let report = verb(&desk, approve(pin)).await;
        assert!(!report.ok && report.text.contains("PIN"), "{report:?}");
    }
    // Something else than was shown is not approved, PIN or not.
    let mut other = approve(Some("246813"));
    if let OrdersVerb::Approve { digest, .. } = &mut other {
        *digest = "0".repeat(64);
    }
    assert!(!verb(&desk, other).await.ok);
    assert_eq!(desk.posts().await, 0);
    let report = verb(&desk, approve(Some("246813"))).await;
    assert!(report.ok, "{report:?}");
    assert_eq!(settled(&mut desk, &out).await["status"], "placed");

    // A fifth wrong one within a quarter of an hour, and none is looked at any more; no is still possible.
    let out = waiting(&mut desk, resting(20)).await;
    let approval = verb(&desk, OrdersVerb::List).await.approvals.remove(0);
    let approve = |pin: &str| OrdersVerb::Approve {
        id: approval.id.clone(),
        digest: approval.digest.clone(),
        pin: Some(Secret::new(pin)),
    };
    verb(&desk, approve("000000")).await;
    let locked = verb(&desk, approve("246813")).await;
    assert!(!locked.ok && locked.text.contains("Too many"), "{locked:?}");
    let (_, code) = desk.ctl(&["deny", id(&out)]).await;
    assert_eq!(code, 0);
    assert_eq!(desk.placements().await.len(), 1);
}

#[tokio::test]
async fn with_a_pin_a_dialog_is_not_enough_and_is_not_shown() {
    let desk = Desk::live("approval_pin = \"246813\"\n").await;
    let mut client = with_dialogs(&desk).await;
    let call = client.begin_call("place_order", resting(10)).await;
    let out = match client.reply_or_asked(call).await {
        Ok(reply) => reply.ok(),
        Err(asked) => panic!("a dialog has no PIN, so its yes would not count: {asked}"),
    };
    assert_eq!(out["status"], "needs_confirmation", "{out}");
    let (list, _) = desk.ctl(&["orders"]).await;
    assert_eq!(list["needsPin"], true, "{list}");
    assert_eq!(desk.posts().await, 0);
}

// The policy.

#[tokio::test]
async fn the_policy_says_which_orders_wait() {
    let mut never = Desk::live("confirm_orders = \"never\"\n").await;
    never.placed(resting(10)).await;
    assert!(
        never.world.status().await["trading"]["protection"]
            .as_str()
            .unwrap()
            .contains("nobody approves")
    );
    // What may be the same order once more is shown to a person all the same.
    let first = never.place(resting(10)).await["first"]["intentId"].clone();
    let out = never.place(and(resting(10), json!({ "allowDuplicateOf": first }))).await;
    assert_eq!(
        (&out["status"], &out["confirmation"]["by"]),
        (&json!("needs_confirmation"), &json!("person")),
        "{out}"
    );
    assert_eq!(never.placements().await.len(), 1);

    let mut always = Desk::configured("confirm_orders = \"always\"\n").await;
    let out = always.place(resting(1)).await;
    assert_eq!(
        (&out["mode"], &out["confirmation"]["by"]),
        (&json!("paper"), &json!("person")),
        "{out}"
    );

    let mut above = Desk::live("confirm_orders = \"above:1000\"\n").await;
    above.placed(resting(3)).await;
    let out = above.place(resting(4)).await;
    assert_eq!(out["status"], "needs_confirmation", "1060 is above 1000: {out}");
    // A market order is valued with a band, so 3.6 shares' worth may be above, too.
    let market = json!({ "symbol": "AAPL", "action": "BUY", "orderType": "MKT", "quantity": 3 });
    above.placed(market).await;
    assert_eq!(above.placements().await.len(), 2);
}

#[tokio::test]
async fn a_client_can_bind_itself_further_and_nobody_less() {
    let mut desk = Desk::live("").await;
    let world = std::mem::replace(&mut desk.world, ibd_tests::World::empty());
    desk.world = world.with("IB_CONFIRM_ORDERS", "never").with("IB_MAX_ORDER_PERCENT", "100");
    desk.client = desk.world.client().await;
    waiting(&mut desk, resting(10)).await;
    // The same where that client's wishes are the first that the daemon hears.
    assert!(desk.world.ctl(&["stop"]).await.status.success());
    waiting(&mut desk, resting(11)).await;
    let refused = desk.held(resting(500)).await;
    assert_eq!(refused["setting"], "IB_MAX_ORDER_PERCENT=10", "{refused}");

    let mut paper = Desk::paper().await;
    let world = std::mem::replace(&mut paper.world, ibd_tests::World::empty());
    let world = world.with("IB_CONFIRM_ORDERS", "always").with("IB_MAX_ORDER_VALUE", "3000");
    let mut bound = world.client().await;
    paper.world = world;
    let out = bound.call("place_order", resting(10)).await.ok();
    assert_eq!(out["status"], "needs_confirmation", "{out}");
    let out = bound.call("place_order", resting(20)).await.ok();
    assert_eq!(out["reason"]["setting"], "IB_MAX_ORDER_VALUE=3000", "{out}");
    // The other client is not bound by it.
    paper.placed(resting(20)).await;
    assert_eq!(paper.placements().await.len(), 1);
}

#[tokio::test]
async fn what_ibkr_asks_about_an_approved_order_goes_to_the_person_too() {
    let mut desk = Desk::live("").await;
    desk.script(
        json!([{ "questions": ["o163", "o999"] }, { "questions": ["o999"], "then": "rest" }]),
    )
    .await;
    let out = waiting(&mut desk, resting(10)).await;
    desk.ctl(&["approve", id(&out), "--yes"]).await;
    let mut approval = json!(null);
    until("the question waits", async || {
        let (list, _) = desk.ctl(&["orders"]).await;
        approval = list["approvals"][0].clone();
        approval.is_object() && approval["id"] != id(&out)
    })
    .await;
    assert!(approval["questions"][0].as_str().unwrap().starts_with("o999"), "{approval}");
    assert_ne!(approval["intentId"], out["intentId"], "a yes makes a new order");
    assert_eq!(desk.placements().await.len(), 0);
    let refused = desk
        .refused("confirm_order", json!({ "confirmationId": approval["id"], "accept": true }))
        .await;
    assert_eq!(refused.error(), "needs_person");
    let (_, code) = desk.ctl(&["approve", approval["id"].as_str().unwrap(), "--yes"]).await;
    assert_eq!(code, 0);
    // Whoever waits for the first one is told what became of it.
    let placed = settled(&mut desk, &out).await;
    assert_eq!(placed["status"], "placed", "{placed}");
    assert_eq!(desk.placements().await.len(), 1);
}

#[tokio::test]
async fn a_change_is_approved_like_an_order_and_an_end_needs_nobody() {
    let mut desk = Desk::live("").await;
    let out = waiting(&mut desk, resting(10)).await;
    desk.ctl(&["approve", id(&out), "--yes"]).await;
    let placed = settled(&mut desk, &out).await;
    let change =
        desk.call("modify_order", json!({ "intentId": out["intentId"], "quantity": 20 })).await;
    assert_eq!(
        (&change["status"], &change["request"]),
        (&json!("needs_confirmation"), &json!("modify")),
        "{change}"
    );
    assert_eq!(desk.at_broker(&placed["orderId"]).await["quantity"], 10.0);
    let (list, _) = desk.ctl(&["orders"]).await;
    let first = list["approvals"][0]["lines"][0].as_str().unwrap();
    assert!(first.starts_with("change order") && first.contains("20 (not 10)"), "{list}");
    desk.ctl(&["approve", id(&change), "--yes"]).await;
    let changed = settled(&mut desk, &change).await;
    assert_eq!(changed["status"], "placed", "{changed}");
    assert_eq!(desk.at_broker(&placed["orderId"]).await["quantity"], 20.0);
    // An order that waits is dropped, and one that works is cancelled, at once.
    let other = waiting(&mut desk, resting(30)).await;
    let dropped = desk.call("cancel_order", json!({ "intentId": other["intentId"] })).await;
    assert_eq!(dropped["status"], "not_placed", "{dropped}");
    let cancelled = desk.call("cancel_order", json!({ "orderId": placed["orderId"] })).await;
    assert_eq!(cancelled["standing"]["status"], "Cancelled", "{cancelled}");
    assert_eq!(desk.placements().await.len(), 1);
}
