//! A broker that says one thing and does another: by chance, and as a test wants it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::feeds::{row, row_of_tic, subscribed};
use crate::harness::World;
use crate::tickets::{ACCOUNT, FIRST, QUICK, ticket};

fn path(id: i64) -> String {
    format!("/iserver/account/{ACCOUNT}/order/{id}")
}

/// A parent with a target and a stop.
fn bracket(name: &str) -> Vec<Value> {
    let child = |more: Value| {
        let mut child = ticket(json!({ "parentId": name, "side": "SELL" }));
        child.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        child
    };
    vec![
        ticket(json!({ "cOID": name })),
        child(json!({ "price": 280.0 })),
        child(json!({ "orderType": "STP", "price": 250.0 })),
    ]
}

async fn struck(world: &World, what: &str) -> u64 {
    world.control("/chaos", None).await.json()["struck"][what].as_u64().unwrap()
}

async fn list(world: &World) -> Vec<Value> {
    world.json("/iserver/account/orders").await;
    world.json("/iserver/account/orders").await["orders"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_order_may_be_accepted_and_answered_by_an_error_or_a_row_without_an_id() {
    let world = World::quick().await;
    world.tell("/chaos", json!({ "seed": 3, "errors": 1.0 })).await;
    let mut texts = BTreeSet::new();
    for n in 0..60 {
        let name = format!("e{n}");
        let answer = world.send(&[ticket(json!({ "cOID": name }))]).await;
        assert_eq!(answer.status, 200);
        let body = answer.json();
        match body["error"].as_str() {
            Some(text) => texts.insert(text.replace(&name, "NAME")),
            None => {
                assert_eq!(
                    body,
                    json!([{ "order_status": "PreSubmitted", "encrypt_message": "1" }])
                );
                texts.insert(String::new())
            }
        };
    }
    let registered = "Order couldn't be submitted: LOCAL ORDER ID=NAME IS ALREADY REGISTERED.";
    assert_eq!(texts.len(), 8, "{texts:?}");
    assert!(texts.contains(registered) && texts.contains("Request timeout"));
    assert_eq!(world.placements().await["count"], 60);
    assert_eq!(struck(&world, "errors").await, 60);
}

#[tokio::test]
async fn confirmed_questions_and_changes_may_be_answered_by_an_error_too() {
    let world = World::quick().await;
    world.script(json!([{ "questions": ["o163"] }])).await;
    let id = world.questioned(json!({})).await;
    world.tell("/chaos", json!({ "errors": 1.0 })).await;
    world.reply(&id, true).await;
    assert_eq!(
        (world.placements().await["count"].clone(), struck(&world, "errors").await),
        (json!(1), 1)
    );
    world.post(&path(FIRST), ticket(json!({ "quantity": 9 }))).await;
    assert_eq!(
        (world.order(FIRST).await["quantity"].clone(), struck(&world, "errors").await),
        (json!(9.0), 2)
    );
}

#[tokio::test]
async fn a_refusal_may_have_words_that_nobody_knows() {
    let world = World::quick().await;
    world.tell("/chaos", json!({ "refusals": 1.0 })).await;
    let mut texts = BTreeSet::new();
    for _ in 0..12 {
        let answer = world.send(&[ticket(json!({}))]).await.json();
        texts.insert(answer["error"].as_str().unwrap().to_owned());
    }
    let all = ["Order rejected by the risk desk", "Please contact customer service"];
    assert_eq!(texts.iter().collect::<Vec<_>>(), all);
    assert_eq!(world.placements().await["count"], 0);
    assert_eq!(struck(&world, "refusals").await, 12);
}

#[tokio::test]
async fn rows_come_in_any_order_and_with_any_ids() {
    let world = World::quick().await;
    world.tell("/chaos", json!({ "rowOrder": 1.0, "localIds": 1.0 })).await;
    let rows = world.send(&bracket("a")).await.json();
    let ids: Vec<&str> = (0..3).map(|n| rows[n]["order_id"].as_str().unwrap()).collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    assert_ne!(ids, sorted);
    let parent = rows.as_array().unwrap().iter().find(|row| row["order_id"] == sorted[0]).unwrap();
    assert_eq!((&parent["local_order_id"], parent.get("parent_order_id")), (&json!("a"), None));
    let child = rows.as_array().unwrap().iter().find(|row| row["order_id"] == sorted[2]).unwrap();
    assert_eq!((&child["parent_order_id"], child.get("local_order_id")), (&json!(sorted[0]), None));
    world.tell("/chaos", json!({ "noLocalIds": 1.0 })).await;
    let rows = world.send(&bracket("b")).await.json();
    assert_eq!(rows[1].as_object().unwrap().len(), 3);
    assert_eq!(struck(&world, "noLocalIds").await, 1);
}

#[tokio::test]
async fn a_script_words_the_next_acceptance() {
    let world = World::quick().await;
    let all = json!([{ "rows": "reversed" }, { "rows": "noIds" }, { "error": "Gateway Time-out" }]);
    world.script(all).await;
    let rows = world.send(&bracket("a")).await.json();
    assert_eq!(rows[2]["order_id"], FIRST.to_string());
    assert_eq!(rows[0]["parent_order_id"], FIRST.to_string());
    let rows = world.send(&bracket("b")).await.json();
    assert_eq!(rows.as_array().unwrap().len(), 3);
    assert_eq!((&rows[0]["order_status"], rows[0].get("order_id")), (&json!("PreSubmitted"), None));
    let told = world.send(&[ticket(json!({}))]).await;
    assert_eq!((told.status, told.json()), (200, json!({ "error": "Gateway Time-out" })));
    assert_eq!(world.placements().await["count"], 7);
}

#[tokio::test]
async fn a_declined_question_may_go_live_all_the_same() {
    let world = World::quick().await;
    world.script(json!([{ "questions": ["o163"], "declinedRises": true }])).await;
    let id = world.questioned(json!({ "cOID": "no" })).await;
    assert_eq!(world.reply(&id, false).await.json(), json!({ "error": "Order not confirmed " }));
    assert_eq!(world.placements().await["count"], 0);
    world.advance(1).await;
    let placed = world.placements().await;
    assert_eq!((&placed["placements"][0]["cOID"], &placed["risen"]), (&json!("no"), &json!(1)));
    assert_eq!(placed["placements"][0]["zombie"], true);
    world.tell("/chaos", json!({ "declined": 1.0 })).await;
    world.script(json!([{ "questions": ["o163"] }])).await;
    let id = world.questioned(json!({ "cOID": "never" })).await;
    world.reply(&id, false).await;
    world.advance(1).await;
    assert_eq!(world.placements().await["placements"][1]["cOID"], "never");
    assert_eq!(struck(&world, "declined").await, 1);
}

#[tokio::test]
async fn statuses_may_be_spelled_in_any_letter_case() {
    let world = World::quick().await;
    world.tell("/chaos", json!({ "spelling": 1.0 })).await;
    let mut socket = subscribed(&world, "sor+{}").await;
    row_of_tic(&mut socket).await;
    let odd = |word: &Value, right: &str| {
        let word = word.as_str().unwrap();
        assert!(word != right && word.eq_ignore_ascii_case(right), "{word} for {right}");
    };
    let placed = world.send(&[ticket(json!({}))]).await.json();
    odd(&placed[0]["order_status"], "PreSubmitted");
    odd(&row(&mut socket, "sor").await["status"], "Inactive");
    world.until(FIRST, "Submitted").await;
    let page = world.json(&format!("/iserver/account/order/status/{FIRST}")).await;
    odd(&page["order_status"], "Submitted");
    let shown = list(&world).await;
    odd(&shown.iter().find(|row| row["orderId"] == FIRST).unwrap()["status"], "Submitted");
    assert_eq!(list(&world).await, shown, "whoever looks again sees the same");
    assert!(struck(&world, "spelling").await > 4);
}

#[tokio::test]
async fn a_change_may_be_acknowledged_and_not_carried_out() {
    let world = World::quick().await;
    let id = world.accepted(&[ticket(json!({}))]).await;
    let at = path(id);
    let change = |quantity: i64| world.post(&at, ticket(json!({ "quantity": quantity })));
    world.tell("/next", json!({ "change": "ignore" })).await;
    assert_eq!(change(7).await.json()[0]["order_id"], id.to_string());
    assert_eq!(world.order(id).await["quantity"], 5.0);
    world.tell("/next", json!({ "change": "error:Internal Server Error" })).await;
    assert_eq!(change(8).await.json(), json!({ "error": "Internal Server Error" }));
    assert_eq!(world.order(id).await["quantity"], 8.0);
    change(9).await;
    assert_eq!(world.order(id).await["quantity"], 9.0, "only the next one");
    world.tell("/chaos", json!({ "ignoredChanges": 1.0 })).await;
    assert_eq!(change(10).await.json()[0]["order_id"], id.to_string());
    assert_eq!(world.order(id).await["quantity"], 9.0);
    assert_eq!(struck(&world, "ignoredChanges").await, 1);
    let wrong = world.control("/next", Some(json!({ "change": "perhaps" }))).await;
    assert_eq!(wrong.status, 400);
}

#[tokio::test]
async fn a_cancellation_may_be_pending_for_ever_while_the_order_works_on() {
    let world = World::quick().await;
    let id = world.accepted(&[ticket(json!({}))]).await;
    world.tell("/next", json!({ "cancel": "ignore" })).await;
    assert_eq!(world.delete(&path(id)).await.json()["msg"], "Request was submitted");
    world.advance(60).await;
    let order = world.order(id).await;
    assert_eq!(
        (&order["status"], &order["cancelIgnored"]),
        (&json!("PendingCancel"), &json!(true))
    );
    world.market(264.0).await;
    world.until(id, "Filled").await;
    world.market(271.5).await;
    world.tell("/chaos", json!({ "ignoredCancels": 1.0 })).await;
    let id = world.accepted(&[ticket(json!({}))]).await;
    world.delete(&path(id)).await;
    world.delete(&path(-1)).await;
    assert_eq!(struck(&world, "ignoredCancels").await, 2);
    world.tell("/chaos", json!({})).await;
    assert_eq!(world.order(id).await["status"], "PendingCancel");
    world.delete(&path(id)).await;
    world.until(id, "Cancelled").await;
    let id = world.accepted(&[ticket(json!({}))]).await;
    world.tell("/next", json!({ "cancel": "error:Unknown error" })).await;
    assert_eq!(world.delete(&path(id)).await.json(), json!({ "error": "Unknown error" }));
    world.until(id, "Cancelled").await;
}

#[tokio::test]
async fn a_reset_ends_every_whim() {
    let world = World::quick().await;
    world.tell("/next", json!({ "change": "ignore", "cancel": "ignore" })).await;
    let all = json!({ "errors": 1.0, "refusals": 1.0, "rowOrder": 1.0, "spelling": 1.0, "ignoredChanges": 1.0 });
    world.tell("/chaos", all).await;
    world.tell("/reset", json!({})).await;
    world.prime().await;
    world.market(271.5).await;
    let id = world.accepted(&[ticket(json!({}))]).await;
    world.post(&path(id), ticket(json!({ "quantity": 7 }))).await;
    assert_eq!(world.until(id, "Submitted").await["quantity"], 7.0);
    world.delete(&path(id)).await;
    world.until(id, "Cancelled").await;
}

#[tokio::test]
async fn the_same_seed_makes_the_same_untruths() {
    let world = World::start(QUICK).await;
    let mut runs = Vec::new();
    for _ in 0..2 {
        world.tell("/reset", json!({})).await;
        world.prime().await;
        world.market(271.5).await;
        let rules =
            json!({ "seed": 5, "errors": 0.3, "refusals": 0.2, "rowOrder": 0.5, "spelling": 0.5 });
        world.tell("/chaos", rules).await;
        let mut seen = Vec::new();
        for n in 0..20 {
            seen.push(world.send(&bracket(&format!("r{n}"))).await.text);
        }
        runs.push(seen);
    }
    assert_eq!(runs[0], runs[1]);
}
