//! Questions about orders, and what becomes of those that are not answered.

use serde_json::{Value, json};

use crate::harness::World;
use crate::tickets::{APPLE, ticket};

async fn world(more: &str) -> World {
    let scenario = format!(r#"{{"pacing":false,"submitMillis":0,"ordersStaleMillis":0{more}}}"#);
    let world = World::start(&scenario).await;
    world.prime().await;
    world.market(271.5).await;
    world
}

/// The ids of all questions about a ticket, each confirmed, until the order is accepted.
async fn asked(world: &World, changes: Value) -> Vec<String> {
    let mut answer = world.send(&[ticket(changes)]).await.json();
    let mut ids = Vec::new();
    while let Some(id) = answer[0]["id"].as_str() {
        ids.push(answer[0]["messageIds"][0].as_str().unwrap().to_owned());
        answer = world.reply(id, true).await.json();
    }
    assert!(answer[0]["order_id"].is_string(), "{answer}");
    ids
}

#[tokio::test]
async fn the_usual_things_are_asked_one_by_one() {
    let world = world("").await;
    assert_eq!(asked(&world, json!({})).await, Vec::<String>::new());
    assert_eq!(asked(&world, json!({ "price": 150.0 })).await, ["o163"]);
    let market = json!({ "orderType": "MKT", "price": null });
    assert_eq!(asked(&world, market).await, ["o10151"]);
    assert_eq!(asked(&world, json!({ "quantity": 390 })).await, ["o451"]);
    let stop = json!({ "orderType": "STP", "side": "SELL", "price": 260.0 });
    assert_eq!(asked(&world, stop).await, ["o10152"]);
    let blind = json!({ "conid": 38708201, "price": 0.5, "quantity": 1500 });
    assert_eq!(asked(&world, blind).await, ["o163", "o354", "o383", "o10153"]);
}

#[tokio::test]
async fn what_is_suppressed_is_not_asked_in_this_session() {
    let world = world("").await;
    let suppress =
        |ids: Value| world.post("/iserver/questions/suppress", json!({ "messageIds": ids }));
    assert_eq!(suppress(json!(["o163"])).await.json(), json!({ "status": "submitted" }));
    assert!(asked(&world, json!({ "price": 150.0 })).await.is_empty());
    world.post("/iserver/questions/suppress/reset", json!({})).await;
    assert_eq!(asked(&world, json!({ "price": 150.0 })).await, ["o163"]);
    suppress(json!(["o163"])).await;
    world.post("/iserver/auth/ssodh/init", json!({ "publish": true, "compete": true })).await;
    world.advance(1).await;
    world.prime().await;
    assert_eq!(asked(&world, json!({ "price": 150.0 })).await, ["o163"], "another session");
    let many: Vec<String> = (0..52).map(|n| format!("o{n}")).collect();
    assert_eq!(suppress(json!(many)).await.status, 500);
}

#[tokio::test]
async fn a_question_wants_a_bool_and_no_ends_it() {
    let world = world("").await;
    let id = world.questioned(json!({ "price": 150.0, "cOID": "far" })).await;
    let text = world.post(&format!("/iserver/reply/{id}"), json!({ "confirmed": "true" })).await;
    assert_eq!(text.status, 500);
    let no = world.reply(&id, false).await;
    assert_eq!((no.status, no.json()), (200, json!({ "error": "Order not confirmed " })));
    let gone = world.reply(&id, true).await;
    assert_eq!(gone.status, 400);
    assert_eq!(gone.json()["error"], format!("reply id not found: '{id}'"));
    assert_eq!(asked(&world, json!({ "price": 150.0, "cOID": "far" })).await, ["o163"]);
}

#[tokio::test]
async fn another_order_time_or_another_session_gives_a_question_up() {
    let world = world("").await;
    let far = || json!({ "price": 150.0 });
    let first = world.questioned(far()).await;
    world.accepted(&[ticket(json!({}))]).await;
    assert_eq!(world.reply(&first, true).await.status, 400, "another order came in between");
    let second = world.questioned(far()).await;
    world.delete("/iserver/account/DU1234567/order/1234567891").await;
    assert_eq!(world.reply(&second, true).await.status, 400, "so did a cancellation");
    let third = world.questioned(far()).await;
    world.advance(31).await;
    assert_eq!(world.reply(&third, true).await.status, 400, "too late");
    let fourth = world.questioned(far()).await;
    world.post("/iserver/auth/ssodh/init", json!({ "publish": true, "compete": true })).await;
    world.advance(1).await;
    world.prime().await;
    assert_eq!(world.reply(&fourth, true).await.status, 400, "another session");
    assert_eq!(world.placements().await["count"], 1);
}

#[tokio::test]
async fn a_zombie_goes_live_after_its_question_was_given_up() {
    let world = world(r#","zombieMillis":200"#).await;
    world.script(json!([{ "questions": ["o163"], "zombie": true }])).await;
    let id = world.questioned(json!({ "cOID": "undead" })).await;
    world.accepted(&[ticket(json!({}))]).await;
    assert_eq!(world.reply(&id, true).await.status, 503, "which says nothing");
    world.advance(1).await;
    let placements = world.placements().await;
    assert_eq!((&placements["count"], &placements["risen"]), (&json!(2), &json!(1)));
    assert_eq!(placements["placements"][1]["cOID"], "undead");
    assert_eq!(placements["placements"][1]["zombie"], true);
}

#[tokio::test]
async fn confirming_another_question_of_its_kind_wakes_a_zombie() {
    let world = world(r#","zombieMillis":3600000"#).await;
    world.script(json!([{ "questions": ["o163"], "zombie": true }])).await;
    world.questioned(json!({ "cOID": "undead" })).await;
    assert_eq!(asked(&world, json!({ "price": 150.0, "cOID": "other" })).await, ["o163"]);
    assert_eq!(world.placements().await["risen"], 1);
}

#[tokio::test]
async fn a_zombie_whose_client_id_was_taken_stays_dead() {
    let world = world(r#","zombieMillis":200"#).await;
    world.script(json!([{ "questions": ["o163"], "zombie": true }])).await;
    world.questioned(json!({ "cOID": "undead" })).await;
    world.accepted(&[ticket(json!({ "cOID": "undead" }))]).await;
    world.advance(1).await;
    assert_eq!(world.placements().await["count"], 1);
}

#[tokio::test]
async fn a_client_id_is_free_until_the_acceptance_unless_the_scenario_says_otherwise() {
    let free = world("").await;
    free.questioned(json!({ "price": 150.0, "cOID": "mine" })).await;
    free.questioned(json!({ "price": 150.0, "cOID": "mine" })).await;
    let taken = world(r#","registerPending":true"#).await;
    let id = taken.questioned(json!({ "price": 150.0, "cOID": "mine" })).await;
    let again = taken.send(&[ticket(json!({ "cOID": "mine" }))]).await;
    assert!(again.json()["error"].as_str().unwrap().contains("Local order ID=mine"));
    assert_eq!(taken.reply(&id, true).await.status, 400, "and the question is given up");
}

#[tokio::test]
async fn refusals_come_in_every_shape_that_a_script_wants() {
    let world = world("").await;
    let advanced = json!({ "advancedOrderReject": { "code": "IBDBUYTX" } });
    world
        .script(json!([
            { "reject": "No trading permissions" },
            { "rowStatus": "Failed", "reject": "Invalid price" },
            { "advancedReject": advanced },
            { "empty": true },
            { "questions": ["o163", "o354"], "reject": "Still not" },
        ]))
        .await;
    let next = || async { world.send(&[ticket(json!({}))]).await };
    assert_eq!(next().await.json(), json!({ "error": "No trading permissions" }));
    let failed = next().await.json();
    assert_eq!(
        (&failed[0]["order_id"], &failed[0]["order_status"], &failed[0]["text"]),
        (&json!("-1"), &json!("Failed"), &json!("Invalid price"))
    );
    assert_eq!(next().await.json(), advanced);
    let empty = next().await;
    assert_eq!((empty.status, empty.text.as_str()), (200, ""));
    let mut answer = next().await.json();
    for id in ["o163", "o354"] {
        assert_eq!(answer[0]["messageIds"], json!([id]));
        answer = world.reply(answer[0]["id"].as_str().unwrap(), true).await.json();
    }
    assert_eq!(answer, json!({ "error": "Still not" }));
    assert_eq!(world.placements().await["count"], 0);
    world.script(json!([{ "rowStatus": "Failed" }])).await;
    let parent = ticket(json!({ "cOID": "parent" }));
    let child = ticket(json!({ "parentId": "parent", "side": "SELL", "price": 278.0 }));
    let half = world.send(&[parent, child]).await.json();
    assert_eq!(half[1]["order_id"], "-1", "of a bracket only the child fails");
    assert_eq!(world.placements().await["count"], 1);
}

#[tokio::test]
async fn a_prompt_holds_its_order_until_it_is_answered() {
    let world = world("").await;
    world.script(json!([{ "prompt": true, "then": "fill" }])).await;
    let prompt = world.send(&[ticket(json!({}))]).await.json();
    assert_eq!((&prompt["prompt"], &prompt["messageId"]), (&json!(true), &json!("p12")));
    let order = prompt["orderId"].as_i64().unwrap();
    assert_eq!(world.order(order).await["status"], "PreSubmitted");
    let body = json!({ "orderId": order, "reqId": prompt["reqId"], "text": "Yes" });
    let answer = world.post("/iserver/notification", body).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "Success"));
    assert_eq!(world.until(order, "Filled").await["conid"], APPLE);
}
