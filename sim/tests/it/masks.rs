//! What is shown in place of the truth: statuses, quotes, rules, definitions, ledgers.

use serde_json::{Value, json};

use crate::feeds::{row, row_of_tic, subscribed};
use crate::harness::World;
use crate::socket::next;
use crate::tickets::{ACCOUNT, APPLE, QUICK, ticket};

async fn listed(world: &World, id: i64) -> Value {
    world.json("/iserver/account/orders").await;
    let list = world.json("/iserver/account/orders").await;
    list["orders"].as_array().unwrap().iter().find(|row| row["orderId"] == id).unwrap().clone()
}

async fn page(world: &World, id: i64) -> Value {
    world.json(&format!("/iserver/account/order/status/{id}")).await
}

#[tokio::test]
async fn a_status_may_be_any_text_until_that_ends() {
    let world = World::quick().await;
    let id = world.accepted(&[ticket(json!({}))]).await;
    world.until(id, "Submitted").await;
    let mut socket = subscribed(&world, "sor+{}").await;
    row_of_tic(&mut socket).await;
    let truth = world.tell("/status", json!({ "orderId": id, "status": "ApiCancelled" })).await;
    assert_eq!(truth["status"], "Submitted");
    assert_eq!(row(&mut socket, "sor").await["status"], "ApiCancelled");
    assert_eq!(listed(&world, id).await["status"], "ApiCancelled");
    let shown = page(&world, id).await;
    assert_eq!(
        (&shown["order_status"], &shown["order_status_description"]),
        (&json!("ApiCancelled"), &json!("Order ApiCancelled"))
    );
    world.tell("/status", json!({ "orderId": id, "status": "Filled", "filled": 5 })).await;
    let filled = listed(&world, id).await;
    assert_eq!((&filled["status"], &filled["filledQuantity"]), (&json!("Filled"), &json!(5.0)));
    assert_eq!((&filled["sizeAndFills"], &filled["avgPrice"]), (&json!("5"), &json!("265.00")));
    assert_eq!(page(&world, id).await["cum_fill"], "5.0");
    assert_eq!(world.order(id).await["filled"], 0.0);
    world.tell("/status", json!({ "orderId": id, "status": null, "silent": true })).await;
    assert_eq!(listed(&world, id).await["status"], "Submitted");
    let nobody = world.control("/status", Some(json!({ "orderId": 1, "status": "Filled" }))).await;
    assert_eq!(nobody.status, 400);
    let half = world.control("/status", Some(json!({ "orderId": id, "filled": 2 }))).await;
    assert_eq!(half.status, 400);
}

#[tokio::test]
async fn a_status_may_go_back_to_what_it_was() {
    let world = World::quick().await;
    let id = world.accepted(&[ticket(json!({ "price": 272.0 }))]).await;
    world.until(id, "Filled").await;
    world.tell("/status", json!({ "orderId": id, "status": "Submitted", "filled": 0 })).await;
    let shown = listed(&world, id).await;
    assert_eq!((&shown["status"], &shown["sizeAndFills"]), (&json!("Submitted"), &json!("0/5")));
    world.tell("/reset", json!({})).await;
    world.prime().await;
    world.market(271.5).await;
    let again = world.accepted(&[ticket(json!({ "price": 272.0 }))]).await;
    assert_eq!(again, id);
    world.until(again, "Filled").await;
    assert_eq!(page(&world, again).await["order_status"], "Filled", "a reset ends it");
}

#[tokio::test]
async fn quotes_may_be_nonsense() {
    let world = World::primed().await;
    let ask = "/iserver/marketdata/snapshot?conids=265598&fields=31,84,86,88";
    world.json(ask).await;
    world.advance(1).await;
    let mut socket = subscribed(&world, r#"smd+265598+{"fields":["84","86"]}"#).await;
    row_of_tic(&mut socket).await;
    let fields =
        json!({ "31": "C268.00", "84": "-1", "86": null, "88": "0", "6509": "DPB", "7295": "1" });
    world.tell("/quote", json!({ "conid": APPLE, "fields": fields })).await;
    let quote = world.json(ask).await[0].clone();
    assert_eq!(
        (&quote["31"], &quote["84"], quote.get("86")),
        (&json!("C268.00"), &json!("-1"), None)
    );
    assert_eq!((&quote["88"], &quote["6509"]), (&json!("0"), &json!("DPB")));
    assert_eq!(quote.get("7295"), None, "nobody asked for it");
    let mut frame = next(&mut socket).await.unwrap();
    while frame["84"] != "-1" {
        frame = next(&mut socket).await.unwrap();
    }
    let nothing = world.control("/quote", Some(json!({ "conid": 1, "fields": {} }))).await;
    assert_eq!(nothing.status, 400);
    world.tell("/quote", json!({ "conid": APPLE, "fields": null })).await;
    assert!(world.json(ask).await[0]["86"].is_string());
}

#[tokio::test]
async fn rules_and_definitions_may_say_something_else() {
    let world = World::quick().await;
    let rules = || async {
        world.post("/iserver/contract/rules", json!({ "conid": APPLE, "isBuy": true })).await.json()
    };
    let set = json!({ "priceMagnifier": 100, "negativeCapable": true });
    world.tell("/rules", json!({ "conid": APPLE, "set": set })).await;
    assert_eq!(rules().await["priceMagnifier"], 100);
    let both = world.json("/iserver/contract/265598/info-and-rules").await;
    assert_eq!(both["rules"]["negativeCapable"], true);
    world.tell("/market", json!({ "conid": APPLE, "last": -2.5 })).await;
    let id = world.accepted(&[ticket(json!({ "price": -2.4 }))]).await;
    assert_eq!(world.until(id, "Filled").await["avgPrice"], -2.49);
    world.tell("/rules", json!({ "conid": APPLE, "set": null })).await;
    assert_eq!(rules().await["priceMagnifier"], Value::Null);
    world.tell("/secdef", json!({ "conid": APPLE, "set": { "multiplier": "-1", "odd": 1 } })).await;
    let row = world.json("/trsrv/secdef?conids=265598").await["secdef"][0].clone();
    assert_eq!((&row["multiplier"], &row["odd"]), (&json!("-1"), &json!(1)));
    let info = world.json("/iserver/contract/265598/info").await;
    assert_eq!((&info["multiplier"], info.get("odd")), (&json!("-1"), None));
    world.tell("/secdef", json!({ "conid": APPLE, "set": null })).await;
    assert_eq!(world.json("/trsrv/secdef?conids=265598").await["secdef"][0]["multiplier"], 0.0);
}

#[tokio::test]
async fn a_ledger_may_lack_its_rates() {
    let world = World::primed().await;
    let at = format!("/portfolio/{ACCOUNT}/ledger");
    let ledger = || world.json(&at);
    world.tell("/ledger", json!({ "without": ["exchangerate"] })).await;
    let cut = ledger().await;
    assert!(cut["EUR"].get("exchangerate").is_none() && cut["BASE"].get("exchangerate").is_none());
    assert!(cut["EUR"]["cashbalance"].is_f64());
    world.tell("/ledger", json!({ "without": [] })).await;
    assert!(ledger().await["EUR"]["exchangerate"].is_f64());
    world.tell("/ledger", json!({ "without": ["exchangerate"] })).await;
    world.tell("/secdef", json!({ "conid": APPLE, "set": { "multiplier": "-1" } })).await;
    world.tell("/reset", json!({})).await;
    world.prime().await;
    assert!(ledger().await["EUR"]["exchangerate"].is_f64(), "a reset ends it");
    assert_eq!(world.json("/trsrv/secdef?conids=265598").await["secdef"][0]["multiplier"], 0.0);
}

#[tokio::test]
async fn the_status_page_says_the_clients_id_only_in_a_scenario() {
    let world = World::quick().await;
    let id = world.accepted(&[ticket(json!({ "cOID": "mine" }))]).await;
    assert_eq!(page(&world, id).await.get("order_ref"), None);
    let world = World::start(&QUICK.replace("\"pacing\"", "\"statusRef\":true,\"pacing\"")).await;
    world.prime().await;
    let id = world.accepted(&[ticket(json!({ "cOID": "mine" }))]).await;
    assert_eq!(page(&world, id).await["order_ref"], "mine");
}

#[tokio::test]
async fn the_truth_has_all_terms_of_an_order() {
    let world = World::quick().await;
    let terms = json!({
        "side": "SELL", "orderType": "TRAILLMT", "price": 259.0, "auxPrice": 260.0, "trailingAmt": 2.0,
        "trailingType": "amt", "tif": "GTC", "outsideRTH": true, "isSingleGroup": true,
    });
    let id = world.accepted(&[ticket(terms), ticket(json!({ "isSingleGroup": true }))]).await;
    let order = world.order(id).await;
    assert_eq!(
        (&order["type"], &order["tif"], &order["outsideRTH"]),
        (&json!("TRAILLMT"), &json!("GTC"), &json!(true))
    );
    assert_eq!(order["trail"], json!({ "amount": 2.0, "unit": "amt" }));
    assert_eq!(order["group"], format!("oca-{id}"));
    let other = world.order(id + 1).await;
    assert_eq!(
        (&other["type"], &other["price"], &other["stopPrice"]),
        (&json!("LMT"), &json!(265.0), &Value::Null)
    );
    assert_eq!((&other["trail"], &other["filled"]), (&Value::Null, &json!(0.0)));
}
