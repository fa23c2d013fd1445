//! Alerts: what is refused, when they fire, and what is shown of them.

use serde_json::{Value, json};

use crate::harness::{Answer, World};
use crate::hours::frozen;
use crate::shape::{assert_shape, fixture};
use crate::tickets::{ACCOUNT, APPLE, ticket};

const TOOL: i64 = 55_834_574_848;

fn path(rest: &str) -> String {
    format!("/iserver/account/{ACCOUNT}/alert{rest}")
}

/// Changes some keys of an object; null takes one away.
fn changed(mut object: Value, changes: &Value) -> Value {
    let fields = object.as_object_mut().unwrap();
    for (key, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(fields.remove(key)),
            value => drop(fields.insert(key.clone(), value.clone())),
        }
    }
    object
}

/// Apple at 265 or less, with these keys instead.
fn condition(changes: Value) -> Value {
    let usual = json!({
        "type": 1, "conidex": "265598@SMART", "operator": "<=", "triggerMethod": "0", "value": "265",
        "logicBind": "n",
    });
    changed(usual, &changes)
}

fn alert(changes: Value) -> Value {
    let usual = json!({
        "alertName": "AAPL_Price", "alertMessage": "AAPL fell", "alertRepeatable": 0, "outsideRth": 0,
        "tif": "GTC", "conditions": [condition(json!({}))],
    });
    changed(usual, &changes)
}

impl World {
    /// Enters an alert that must be taken; the answer is its id.
    async fn alerted(&self, changes: Value) -> i64 {
        let answer = self.post(&path(""), alert(changes)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["order_id"].as_i64().unwrap()
    }

    async fn alert_page(&self, id: i64) -> Value {
        self.json(&format!("/iserver/account/alert/{id}?type=Q")).await
    }

    /// How often an alert fired.
    async fn fires(&self, id: i64) -> i64 {
        let all = self.control("/alerts", None).await.json();
        let rows = all["alerts"].as_array().unwrap();
        let row = rows.iter().find(|row| row["alertId"] == id).unwrap();
        row["fires"].as_i64().unwrap()
    }
}

fn assert_refusal(name: &str, live: &Answer) {
    let wanted = fixture(name);
    assert_eq!(
        (json!(live.status), live.json()),
        (wanted["status"].clone(), wanted["body"].clone())
    );
}

#[tokio::test]
async fn alerts_have_the_shapes_of_their_fixtures() {
    let world = World::quick().await;
    assert_eq!(world.json(&path("s")).await, json!([]));
    assert_shape("alert_mta", &world.json("/iserver/account/mta").await, &[]);
    let more = json!({
        "tif": "GTD", "expireTime": "20990101-12:00:00", "sendMessage": 1, "email": "a@example.org",
        "iTWSOrdersOnly": 0, "showPopup": 0,
    });
    let entered = world.post(&path(""), alert(more)).await.json();
    assert_shape("alert_entered", &entered, &[]);
    let id = entered["order_id"].as_i64().unwrap();
    assert_shape("alerts", &world.json(&path("s")).await, &[]);
    assert_shape("alert", &world.alert_page(id).await, &[]);
    let off = json!({ "alertId": id, "alertActive": 0 });
    let switched = world.post(&path("/activate"), off).await.json();
    assert_shape("alert_submitted", &switched, &[]);
    let deleted = world.delete(&path(&format!("/{id}"))).await.json();
    assert_shape("alert_submitted", &deleted, &[]);
    assert_eq!(world.alert_page(1).await, fixture("alert_absent"));
    assert_eq!(world.alert_page(0).await, json!({ "error": "MTA alert tool ID is wrong =0" }));
}

#[tokio::test]
async fn what_is_refused_is_refused_in_the_brokers_words() {
    let world = World::quick().await;
    let id = world.alerted(json!({})).await;
    let send = |body: Value| world.post("/iserver/account/DU1234567/alert", body);
    assert_refusal("error_alert_empty", &send(json!({})).await);
    let operator = json!({ "conditions": [condition(json!({ "operator": "abc" }))] });
    assert_refusal("error_alert_operator", &send(alert(operator)).await);
    let renamed = json!({ "orderId": id, "alertName": "another" });
    assert_refusal("error_alert_name", &send(alert(renamed)).await);
    let typeless = world.get(&format!("/iserver/account/alert/{id}")).await;
    assert_refusal("error_alert_type", &typeless);
    let nobody = json!({ "alertId": 1, "alertActive": 1 });
    assert_refusal("error_alert_switch", &world.post(&path("/activate"), nobody).await);
    // What another client of the broker sends, without the switch itself.
    let half = world.post(&path("/activate"), json!({ "alertId": id })).await;
    assert_refusal("error_alert_switch", &half);
    assert_refusal("error_alert_delete", &world.delete(&path("/83396732")).await);
    let elsewhere = world.post("/iserver/account/U9/alert", alert(json!({}))).await;
    assert_eq!((elsewhere.status, elsewhere.text.contains("accountId is not valid")), (400, true));
}

#[tokio::test]
async fn an_alert_must_be_whole_and_of_the_right_types() {
    let world = World::quick().await;
    let only = |changes: Value| json!({ "conditions": [condition(changes)] });
    let two = |first: &str, last: &str| {
        json!({ "conditions": [
            condition(json!({ "logicBind": first })), condition(json!({ "logicBind": last })),
        ] })
    };
    for (changes, status, text) in [
        (json!({ "alertName": null }), 500, "alertName is required"),
        (json!({ "alertMessage": null }), 500, "alertMessage is required"),
        (json!({ "alertRepeatable": null }), 500, "alertRepeatable is required"),
        (json!({ "alertRepeatable": true }), 500, "alertRepeatable is not 0 or 1"),
        (json!({ "outsideRth": 2 }), 500, "outsideRth is not 0 or 1"),
        (json!({ "tif": "DAY" }), 500, "tif is GTC or GTD"),
        (json!({ "tif": "GTD" }), 500, "expireTime is required"),
        (json!({ "tif": "GTD", "expireTime": "2099-01-01" }), 500, "expireTime is not valid"),
        (json!({ "tif": "GTD", "expireTime": "20200101-12:00:00" }), 500, "expireTime is over"),
        (json!({ "sendMessage": 1 }), 500, "email is required"),
        (json!({ "conditions": [] }), 500, "conditions is required"),
        (json!({ "name": "x" }), 400, "unknown field name"),
        (json!({ "orderId": 5 }), 500, "failed to modify alert: Alert 5 doesn't exist"),
        (only(json!({ "type": "price" })), 500, "Condition #1:type is not a whole number"),
        (only(json!({ "type": 2 })), 500, "Condition #1:there is no type [2]"),
        (only(json!({ "operator": ">" })), 500, "Condition #1:can't recognize fix [>]"),
        (only(json!({ "triggerMethod": "last" })), 500, "triggerMethod is not valid"),
        (only(json!({ "value": 265 })), 500, "Condition #1:value is not text"),
        (only(json!({ "value": "cheap" })), 500, "Condition #1:value [cheap] is not valid"),
        (only(json!({ "conidex": "1@SMART" })), 500, "contract [1@SMART] is not found"),
        (only(json!({ "conidex": "265598@MARS" })), 500, "contract [265598@MARS] is not found"),
        (only(json!({ "logicBind": null })), 500, "Condition #1:logicBind is required"),
        (only(json!({ "type": 9, "timeZone": "US/Eastern" })), 500, "it is for MTA alerts only"),
        (two("n", "n"), 500, "Condition #1:logicBind is n at the end"),
        (two("a", "o"), 500, "Condition #2:logicBind is n at the end"),
    ] {
        let answer = world.post(&path(""), alert(changes)).await;
        assert_eq!(answer.status, status, "{text}: {}", answer.text);
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(text), "{text}: {error}");
    }
    assert_eq!(world.json(&path("s")).await, json!([]), "none of them was taken");
}

#[tokio::test]
async fn an_alert_fires_once_and_is_off_then() {
    let world = World::quick().await;
    let id = world.alerted(json!({})).await;
    let shown = world.alert_page(id).await;
    assert_eq!(
        (&shown["order_status"], &shown["alert_active"], &shown["alert_triggered"]),
        (&json!("Submitted"), &json!(1), &json!(false))
    );
    world.market(265.01).await;
    assert_eq!(world.fires(id).await, 0);
    world.market(265.0).await;
    let shown = world.alert_page(id).await;
    assert_eq!(
        (&shown["order_status"], &shown["alert_active"], &shown["alert_triggered"]),
        (&json!("Inactive"), &json!(0), &json!(true))
    );
    let row = world.json(&path("s")).await[0].clone();
    assert_eq!((&row["alert_active"], &row["alert_triggered"]), (&json!(0), &json!(true)));
    world.market(270.0).await;
    world.market(260.0).await;
    assert_eq!(world.fires(id).await, 1);
    let on = json!({ "alertId": id, "alertActive": 1 });
    assert_eq!(world.post(&path("/activate"), on).await.json()["success"], true);
    world.json("/iserver/accounts").await;
    assert_eq!(world.fires(id).await, 2, "it is below already, and watched for again");
}

#[tokio::test]
async fn a_repeatable_alert_fires_whenever_its_conditions_begin_to_hold() {
    let world = World::quick().await;
    let id = world.alerted(json!({ "alertRepeatable": 1 })).await;
    for price in [264.0, 263.0, 270.0, 264.0] {
        world.market(price).await;
    }
    assert_eq!(world.fires(id).await, 2);
    let shown = world.alert_page(id).await;
    assert_eq!(
        (&shown["order_status"], &shown["alert_active"], &shown["alert_triggered"]),
        (&json!("Submitted"), &json!(1), &json!(true))
    );
    let off = json!({ "alertId": id, "alertActive": 0 });
    world.post(&path("/activate"), off).await;
    world.market(270.0).await;
    world.market(264.0).await;
    assert_eq!(world.fires(id).await, 2, "it is switched off");
}

#[tokio::test]
async fn conditions_are_bound_by_and_before_or() {
    let world = World::quick().await;
    let at = |operator: &str, value: &str, bind: &str| {
        condition(json!({ "operator": operator, "value": value, "logicBind": bind }))
    };
    let either = [at("<=", "265", "a"), at("<=", "260", "o"), at(">=", "280", "n")];
    let id = world.alerted(json!({ "alertRepeatable": 1, "conditions": either })).await;
    world.market(262.0).await;
    assert_eq!(world.fires(id).await, 0, "only the first of two");
    world.market(259.0).await;
    assert_eq!(world.fires(id).await, 1);
    world.market(270.0).await;
    world.market(281.0).await;
    assert_eq!(world.fires(id).await, 2, "the third alone will do");
}

#[tokio::test]
async fn executions_margin_volume_and_time_are_watched_too() {
    let world = World::quick().await;
    let one = |changes: Value| json!({ "alertRepeatable": 1, "conditions": [condition(changes)] });
    let trade = json!({ "type": 5, "conidex": "*@*", "operator": null, "value": "*" });
    let trade = world.alerted(one(trade)).await;
    let other = json!({ "type": 5, "conidex": "8314", "operator": null, "value": "*" });
    let other = world.alerted(one(other)).await;
    let cushion = json!({ "type": 4, "conidex": null, "operator": "<=", "value": "100" });
    let cushion = world.alerted(one(cushion)).await;
    let never = json!({ "type": 4, "conidex": null, "operator": "<=", "value": "-500" });
    let never = world.alerted(one(never)).await;
    let volume = world.alerted(one(json!({ "type": 6, "operator": ">=", "value": "0" }))).await;
    let now = world.tell("/clock", json!({ "advanceSeconds": 0 })).await["nowMs"].as_i64().unwrap();
    let at = jiff::Timestamp::from_millisecond(now + 60_000).unwrap();
    let new_york = at.in_tz("US/Eastern").unwrap().strftime("%Y%m%d-%H:%M:%S").to_string();
    let time = json!({
        "type": 3, "conidex": null, "operator": ">=", "value": new_york, "timeZone": "US/Eastern",
    });
    let time = world.alerted(one(time)).await;
    for (id, fires) in [(trade, 0), (cushion, 1), (never, 0), (volume, 1), (time, 0)] {
        assert_eq!(world.fires(id).await, fires, "{id}");
    }
    world.advance(61).await;
    assert_eq!(world.fires(time).await, 1);
    for count in [1, 2] {
        let buy = json!({ "orderType": "MKT", "price": null });
        let order = world.accepted(&[ticket(buy)]).await;
        world.until(order, "Filled").await;
        assert_eq!((world.fires(trade).await, world.fires(other).await), (count, 0));
    }
}

#[tokio::test]
async fn a_change_keeps_the_id_and_watches_anew() {
    let world = World::quick().await;
    let id = world.alerted(json!({})).await;
    world.market(264.0).await;
    let lower = json!({ "orderId": id, "conditions": [condition(json!({ "value": "250.00" }))] });
    assert_eq!(world.alerted(lower).await, id);
    let shown = world.alert_page(id).await;
    assert_eq!(
        (&shown["alert_triggered"], &shown["conditions"][0]["condition_value"]),
        (&json!(false), &json!("250.00"))
    );
    assert_eq!(world.json(&path("s")).await.as_array().unwrap().len(), 1);
    world.alerted(json!({ "orderId": 0, "alertName": "second" })).await;
    assert_eq!(world.json(&path("s")).await.as_array().unwrap().len(), 2, "0 is a new one");
    assert_eq!(world.delete(&path("/0")).await.json()["order_id"], 0);
    assert_eq!(world.json(&path("s")).await, json!([]), "0 is all of them");
}

#[tokio::test]
async fn the_mobile_assistants_alert_cannot_be_made_or_lost_and_changes_its_id() {
    let world = World::quick().await;
    let mta = world.json("/iserver/account/mta").await;
    assert_eq!(mta["tool_id"], TOOL);
    let daily = json!([condition(json!({
        "type": 9, "conidex": null, "operator": "<=", "value": "-1500", "timeZone": "US/Eastern",
    }))]);
    let body = json!({ "toolId": TOOL, "alertRepeatable": 1, "conditions": daily });
    let id = world.post(&path(""), body.clone()).await.json()["order_id"].as_i64().unwrap();
    assert_ne!(mta["order_id"], id);
    let shown = world.json("/iserver/account/mta").await;
    assert_eq!((&shown["order_id"], &shown["condition_size"]), (&json!(id), &json!(1)));
    assert_eq!(world.alert_page(id).await, shown);
    assert_eq!(world.json(&path("s")).await, json!([]), "it is not in the list");
    let wrong = changed(body.clone(), &json!({ "toolId": 5 }));
    let wrong = world.post(&path(""), wrong).await;
    assert_eq!(wrong.json(), json!({ "error": "MTA alert tool ID is wrong =5" }));
    let once = changed(body, &json!({ "alertRepeatable": 0 }));
    assert_eq!(world.post(&path(""), once).await.status, 500);
    assert_eq!(world.delete(&path(&format!("/{id}"))).await.status, 200);
    assert_eq!(world.json("/iserver/account/mta").await["condition_size"], 0, "it begins anew");
}

#[tokio::test]
async fn an_alert_ends_with_its_time_and_sleeps_while_its_exchange_does() {
    // Eleven in the morning of a Sunday in New York.
    let world = frozen("2026-11-22T16:00:00Z", "real").await;
    let id = world.alerted(json!({})).await;
    let short = json!({ "tif": "GTD", "expireTime": "20261122-17:00:00" });
    let short = world.alerted(short).await;
    world.tell("/market", json!({ "conid": APPLE, "last": 260.0 })).await;
    assert_eq!(world.fires(id).await, 0, "the exchange is closed");
    world.advance(3601).await;
    let shown = world.alert_page(short).await;
    assert_eq!((&shown["alert_active"], &shown["alert_triggered"]), (&json!(0), &json!(false)));
    // Eight in the morning of Monday is not yet in regular hours.
    world.advance(20 * 3600).await;
    let early = world.alerted(json!({ "outsideRth": 1, "alertName": "early" })).await;
    world.json("/iserver/accounts").await;
    assert_eq!((world.fires(id).await, world.fires(early).await), (0, 1));
    world.advance(2 * 3600).await;
    assert_eq!(world.fires(id).await, 1);
}
