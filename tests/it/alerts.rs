//! Alerts: those that IBKR keeps, and those that ibd watches itself and tells, once, whatever happens in between.

use std::sync::{Arc, Mutex};

use ibd_tests::desk::{AAPL, resting};
use ibd_tests::{Desk, Shim, Sim, World, until};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// The original's request, in full.
fn request() -> Value {
    json!({
        "alertName": "AAPL_Price", "alertMessage": "AAPL fell", "alertRepeatable": 0, "outsideRth": 0,
        "iTWSOrdersOnly": 0, "showPopup": 0, "playAudio": "bell", "emailNotification": "a@example.org",
        "sendMessage": 1, "tif": "GTD", "expireTime": "20990101-12:00:00", "logicBind": "n",
        "conditions": [{
            "conidex": "265598@SMART", "type": 1, "operator": "<=", "triggerMethod": "0", "value": "183.34",
            "logicBind": "n",
        }],
    })
}

/// The alerts at the broker, without that of the Mobile Trading Assistant.
async fn at_broker(sim: &Sim) -> Vec<Value> {
    let all = sim.control_get("/alerts").await;
    let all = all["alerts"].as_array().unwrap().clone();
    all.into_iter().filter(|alert| alert["toolId"].is_null()).collect()
}

async fn price(sim: &Sim, last: f64) {
    sim.tell("/market", json!({ "conid": AAPL, "last": last })).await;
}

/// Warnings of an answer that speak of an alert that fired.
fn news(answer: &Value) -> Vec<String> {
    let warnings = answer["warnings"].as_array().cloned().unwrap_or_default();
    let texts = warnings.into_iter().map(|text| text.as_str().unwrap().to_owned());
    texts.filter(|text| text.starts_with("Alert ibd-")).collect()
}

async fn own(client: &mut Shim) -> Value {
    client.call("get_alerts", json!({})).await.ok()["ibd"][0].clone()
}

async fn until_watched(client: &mut Shim) {
    until("it is watched, and a value seen", async || {
        let own = own(client).await;
        own["state"] == "watching" && own["value"].is_string()
    })
    .await;
}

/// Above 280, where Apple stands at 270.
fn above_280() -> Value {
    json!({ "symbol": "AAPL", "above": 280, "at": "ibd", "message": "look" })
}

#[tokio::test]
async fn an_alert_of_our_own_fires_at_the_tick_and_once() {
    let mut desk = Desk::paper().await;
    let made = desk.call("create_alert", above_280()).await;
    assert_eq!((&made["status"], &made["at"]), (&json!("created"), &json!("ibd")), "{made}");
    assert_eq!((&made["alertId"], &made["value"]), (&json!("ibd-1"), &json!("270 USD")), "{made}");
    let again = desk.call("create_alert", above_280()).await;
    assert_eq!((&again["status"], &again["alertId"]), (&json!("existing"), &json!("ibd-1")));
    until_watched(&mut desk.client).await;
    price(&desk.sim, 281.0).await;
    let notice = desk.client.notice("alert_fired").await;
    let text = notice["data"]["text"].as_str().unwrap();
    assert!(text.contains("AAPL price is 281 USD (above 280)") && text.contains("look"), "{text}");
    // The assistant reads it in its next answer, and in no other.
    let told = desk.call("get_positions", json!({})).await;
    assert_eq!(news(&told).len(), 1, "{told}");
    let told = desk.call("get_positions", json!({})).await;
    assert_eq!(news(&told).len(), 0, "{told}");
    for last in [270.0, 285.0] {
        price(&desk.sim, last).await;
        // What a quote says, its alerts have been shown.
        until("the price has come", async || {
            let quotes = desk.call("get_market_data", json!({ "conid": AAPL })).await;
            quotes["quotes"][0]["last"] == last
        })
        .await;
    }
    let refused =
        desk.client.call("delete_alert", json!({ "alertId": "ibd-1", "accountId": "U1" }));
    let refused = refused.await;
    assert_eq!(refused.error(), "contradiction", "{}", refused.json);
    let own = own(&mut desk.client).await;
    assert_eq!((&own["state"], &own["times"]), (&json!("fired"), &json!(1)), "{own}");
    assert_eq!(at_broker(&desk.sim).await.len(), 0, "IBKR knows nothing of it");
}

#[tokio::test]
async fn an_alert_of_our_own_outlives_a_killed_daemon_and_is_told_to_whoever_comes_later() {
    let mut desk = Desk::paper().await;
    desk.call("create_alert", above_280()).await;
    desk.world.kill_daemon().await;
    until_watched(&mut desk.client).await;
    let all = desk.call("get_alerts", json!({})).await;
    assert!(all["notWatched"].to_string().contains("ibd was not at work"), "{all}");
    let Desk { client, world, sim } = desk;
    assert_eq!(client.close().await, 0);
    price(&sim, 281.0).await;
    until("it has fired", async || {
        let output = world.ctl(&["alerts", "--json"]).await;
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        report["alerts"][0]["firedAt"].is_string()
    })
    .await;
    world.kill_daemon().await;
    let mut later = world.client().await;
    let told = later.call("get_positions", json!({})).await.ok();
    assert_eq!(news(&told).len(), 1, "{told}");
    let told = later.call("get_positions", json!({})).await.ok();
    assert_eq!(news(&told).len(), 0, "{told}");
    world.kill_daemon().await;
    let told = later.call("get_positions", json!({})).await.ok();
    assert_eq!(news(&told).len(), 0, "nobody hears it twice: {told}");
    let own = own(&mut later).await;
    assert_eq!((&own["state"], &own["times"]), (&json!("fired"), &json!(1)), "{own}");
    assert!(own["firedAt"].is_string() && own["age"].is_string(), "{own}");
}

/// A webhook that answers 503 once; what it was told.
async fn webhook() -> (String, Arc<Mutex<Vec<Value>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/hook", listener.local_addr().unwrap());
    let heard: Arc<Mutex<Vec<Value>>> = Arc::default();
    let told = heard.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut text = String::new();
            let body = loop {
                let mut piece = [0; 4_096];
                let length = stream.read(&mut piece).await.unwrap_or(0);
                text.push_str(&String::from_utf8_lossy(&piece[..length]));
                let body = text.split_once("\r\n\r\n").map(|(_, body)| body);
                let body = body.and_then(|body| serde_json::from_str::<Value>(body).ok());
                if body.is_some() || length == 0 {
                    break body;
                }
            };
            let Some(body) = body else { continue };
            let is_first = told.lock().unwrap().is_empty();
            told.lock().unwrap().push(body);
            let status = if is_first { "503 Service Unavailable" } else { "204 No Content" };
            let answer =
                format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (address, heard)
}

#[tokio::test]
async fn a_webhook_that_fails_is_tried_again_and_said() {
    let (address, heard) = webhook().await;
    let mut desk = Desk::configured(&format!("webhook = \"{address}\"\n")).await;
    desk.call("create_alert", above_280()).await;
    until_watched(&mut desk.client).await;
    price(&desk.sim, 281.0).await;
    until("it is said", async || {
        let conditions = desk.world.status().await["conditions"].to_string();
        conditions.contains("alert_not_told") && conditions.contains("503")
    })
    .await;
    until("it is tried again", async || heard.lock().unwrap().len() == 2).await;
    until("nothing is said any more", async || {
        !desk.world.status().await["conditions"].to_string().contains("alert_not_told")
    })
    .await;
    let heard = heard.lock().unwrap().clone();
    assert_eq!(heard[0], heard[1], "whoever hears it twice can tell");
    assert_eq!(heard[0]["code"], "alert_fired");
    assert!(heard[0]["id"].as_str().unwrap().starts_with("ibd-1/"), "{heard:?}");
    assert!(!heard[0].to_string().contains("DU1234567"), "{heard:?}");
    let own = own(&mut desk.client).await;
    assert!(own["notTold"].is_null(), "{own}");
}

#[tokio::test]
async fn the_originals_request_is_taken_in_full_and_found_at_the_broker() {
    let mut desk = Desk::paper().await;
    let asked = json!({ "accountId": "DU1234567", "alertRequest": request() });
    let made = desk.call("create_alert", asked.clone()).await;
    assert_eq!((&made["status"], &made["at"]), (&json!("created"), &json!("ibkr")), "{made}");
    let found = at_broker(&desk.sim).await;
    assert_eq!((found.len(), &found[0]["name"]), (1, &json!("AAPL_Price")), "{found:?}");
    let id = made["alertId"].clone();
    let all = desk.call("get_alerts", json!({ "accountId": "DU1234567" })).await;
    let row = &all["ibkr"][0];
    assert_eq!((&row["alertId"], &row["active"]), (&id, &json!(true)), "{all}");
    assert_eq!(row["conditions"], "AAPL price <= 183.34", "{all}");
    // The same again, also as text, is the same.
    for again in [asked, json!({ "alertRequest": request().to_string() })] {
        let again = desk.call("create_alert", again).await;
        assert_eq!((&again["status"], &again["alertId"]), (&json!("existing"), &id), "{again}");
    }
    assert_eq!(at_broker(&desk.sim).await.len(), 1);
    let one = desk.call("get_alerts", json!({ "alertId": id })).await;
    assert_eq!(one["ibkr"][0]["message"], "AAPL fell", "{one}");
    for (active, number) in [(false, json!(0)), (true, Value::Null)] {
        let switch = json!({ "accountId": "DU1234567", "alertId": id, "alertActive": number });
        desk.call("activate_alert", switch).await;
        assert_eq!(at_broker(&desk.sim).await[0]["active"], active);
    }
    let mut other = request();
    other["orderId"] = id.as_str().unwrap().parse::<u64>().unwrap().into();
    other["conditions"][0]["value"] = json!("190");
    let replaced = desk.call("create_alert", json!({ "alertRequest": other })).await;
    assert_eq!((&replaced["status"], &replaced["alertId"]), (&json!("replaced"), &id));
    let one = desk.call("get_alerts", json!({ "alertId": id })).await;
    assert_eq!(one["ibkr"][0]["conditions"], "AAPL price <= 190", "{one}");
    desk.call("delete_alert", json!({ "accountId": "DU1234567", "alertId": id })).await;
    assert_eq!(at_broker(&desk.sim).await.len(), 0);
    let gone = desk.client.call("delete_alert", json!({ "alertId": id })).await;
    assert_eq!((gone.error(), &gone.json["field"]), ("unknown_alert", &json!("alertId")));
    let mobile = desk.call("get_alerts", json!({ "alertId": "mta" })).await;
    assert!(mobile["ibkr"][0]["toolId"].is_u64(), "{mobile}");
}

#[tokio::test]
async fn what_is_wrong_is_answered_with_its_field_and_never_sent() {
    let mut desk = Desk::paper().await;
    let with = |pointer: &str, value: Value| {
        let mut request = request();
        *request.pointer_mut(pointer).unwrap() = value;
        json!({ "alertRequest": request })
    };
    for (arguments, field) in [
        (with("/alertName", Value::Null), "alertRequest.alertName"),
        (with("/tif", json!("DAY")), "alertRequest.tif"),
        (with("/expireTime", json!("20200101-12:00:00")), "alertRequest.expireTime"),
        (with("/conditions/0/operator", json!("=")), "alertRequest.conditions[0].operator"),
        (with("/conditions/0/type", json!("cost")), "alertRequest.conditions[0].type"),
        (with("/conditions/0/value", json!("cheap")), "alertRequest.conditions[0].value"),
        (with("/outsideRth", json!("maybe")), "alertRequest.outsideRth"),
        (json!({ "symbol": "AAPL" }), "above"),
        (json!({ "symbol": "AAPL", "above": 300, "watch": "mood" }), "watch"),
        (json!({ "symbol": "AAPL", "above": -300, "at": "ibd" }), "above"),
        (json!({ "symbol": "NOPE", "above": 300 }), "symbol"),
        (json!({ "symbol": "TSLA", "watch": "pnl", "below": -1, "accountId": "U9" }), "accountId"),
        (json!({ "symbol": "AAPL", "above": 300, "alertRequest": request() }), "symbol"),
    ] {
        let refused = desk.client.call("create_alert", arguments.clone()).await;
        assert!(refused.is_error, "{arguments}: {}", refused.json);
        assert_eq!(refused.json["field"], field, "{arguments}: {}", refused.json);
    }
    for (tool, arguments) in [
        ("activate_alert", json!({})),
        ("delete_alert", json!({ "alertId": 0 })),
        ("get_alerts", json!({ "alertId": "seven" })),
        ("delete_alert", json!({ "alertId": "ibd-9" })),
    ] {
        let refused = desk.client.call(tool, arguments.clone()).await;
        assert_eq!(refused.json["field"], "alertId", "{tool} {arguments}: {}", refused.json);
    }
    // What IBKR itself refuses has its field, too.
    let broker = with("/conditions/0/conidex", json!("1@SMART"));
    let refused = desk.client.call("create_alert", broker).await;
    assert_eq!(refused.error(), "broker_refused", "{}", refused.json);
    assert_eq!(refused.json["field"], "alertRequest.conditions[0]", "{}", refused.json);
    assert_eq!(at_broker(&desk.sim).await.len(), 0);
}

#[tokio::test]
async fn a_lost_answer_is_looked_up_and_a_firewall_is_told_as_one() {
    let mut desk = Desk::paper().await;
    let asked = json!({ "symbol": "AAPL", "above": 300 });
    desk.sim.fault(json!({ "match": "/alert", "method": "POST", "mode": "accept_drop" })).await;
    let made = desk.call("create_alert", asked.clone()).await;
    assert_eq!((&made["status"], &made["at"]), (&json!("created"), &json!("ibkr")), "{made}");
    assert!(made["warnings"][0].as_str().unwrap().contains("was lost"), "{made}");
    let again = desk.call("create_alert", asked).await;
    assert_eq!((&again["status"], &again["alertId"]), (&json!("existing"), &made["alertId"]));
    assert_eq!(at_broker(&desk.sim).await.len(), 1);
    let wall = json!({ "match": "/alert", "method": "POST", "mode": "html", "status": 403, "count": 0,
        "body": "<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD><BODY>Access Denied</BODY></HTML>" });
    desk.sim.fault(wall).await;
    let refused = desk.client.call("create_alert", json!({ "symbol": "AAPL", "below": 200 })).await;
    assert_eq!(refused.error(), "broker_refused", "{}", refused.json);
    let message = refused.json["message"].as_str().unwrap();
    assert!(message.contains("not a matter of permissions"), "{message}");
    assert!(refused.json["next"].as_str().unwrap().contains("at:\"ibd\""), "{}", refused.json);
    assert_eq!(at_broker(&desk.sim).await.len(), 1);
}

#[tokio::test]
async fn ibkrs_alerts_of_every_kind_are_made_from_a_few_words() {
    let mut desk = Desk::paper().await;
    for (asked, conditions) in [
        (json!({ "symbol": "AAPL", "above": 280 }), "AAPL price >= 280"),
        (json!({ "conid": AAPL, "watch": "volume", "above": "1000000" }), "AAPL volume >= 1000000"),
        (json!({ "watch": "margin", "below": 10 }), "margin <= 10"),
        (json!({ "watch": "trade" }), "trade"),
        (
            json!({ "watch": "time", "time": "2099-01-15T14:30:00Z" }),
            "time >= 20990115-14:30:00 GMT",
        ),
    ] {
        let made = desk.call("create_alert", asked.clone()).await;
        assert_eq!((&made["status"], &made["at"]), (&json!("created"), &json!("ibkr")), "{made}");
        let one = desk.call("get_alerts", json!({ "alertId": made["alertId"] })).await;
        assert_eq!(one["ibkr"][0]["conditions"], conditions, "{asked}: {one}");
    }
    price(&desk.sim, 281.0).await;
    until("IBKR's own has fired", async || {
        let all = desk.call("get_alerts", json!({})).await;
        let rows = all["ibkr"].as_array().unwrap().clone();
        rows.iter().any(|row| row["triggered"] == true && row["conditions"] == "AAPL price >= 280")
    })
    .await;
}

#[tokio::test]
async fn moves_positions_and_orders_are_watched_here() {
    let mut desk = Desk::paper().await;
    let positions = desk.call("get_positions", json!({ "symbol": "AAPL" })).await;
    let rows = positions["rows"].as_array().unwrap();
    let shares = rows.iter().find(|row| row[1] == AAPL).unwrap_or_else(|| panic!("{positions}"));
    let pnl = shares[8].as_f64().unwrap_or_else(|| panic!("{shares}"));
    let order = desk.placed(resting(1)).await;
    for (asked, state) in [
        (json!({ "symbol": "AAPL", "watch": "move", "above": 5 }), "ibd-1"),
        (json!({ "symbol": "AAPL", "watch": "pnl", "above": (pnl + 50.0).round() }), "ibd-2"),
        (json!({ "watch": "order", "orderId": order["orderId"] }), "ibd-3"),
        (json!({ "watch": "gap", "above": 10 }), "ibd-4"),
    ] {
        let made = desk.call("create_alert", asked.clone()).await;
        assert_eq!((&made["at"], &made["alertId"]), (&json!("ibd"), &json!(state)), "{made}");
    }
    until_watched(&mut desk.client).await;
    until("the position is read", async || {
        let all = desk.call("get_alerts", json!({})).await;
        all["ibd"][1]["value"].is_string()
    })
    .await;
    price(&desk.sim, 290.0).await;
    let order_id: u64 = order["orderId"].as_str().unwrap().parse().unwrap();
    desk.sim.tell("/fill", json!({ "orderId": order_id })).await;
    for _ in 0..3 {
        desk.client.notice("alert_fired").await;
    }
    let all = desk.call("get_alerts", json!({})).await;
    let states: Vec<&Value> =
        all["ibd"].as_array().unwrap().iter().map(|alert| &alert["state"]).collect();
    assert_eq!(states, ["fired", "fired", "fired", "watching"], "{all}");
    let over = json!({ "watch": "order", "orderId": order["orderId"] });
    let refused = desk.client.call("create_alert", over).await;
    assert_eq!((refused.error(), &refused.json["field"]), ("not_working", &json!("orderId")));
}

#[tokio::test]
async fn what_cannot_be_seen_is_said_and_an_alert_is_switched_and_deleted() {
    let mut desk = Desk::paper().await;
    desk.call("create_alert", above_280()).await;
    until_watched(&mut desk.client).await;
    desk.sim.session("compete").await;
    desk.client.call("get_live_orders", json!({})).await;
    until("it is said", async || {
        let all = desk.call("get_alerts", json!({})).await;
        let own = &all["ibd"][0];
        own["state"] == "not watched" && own["why"].to_string().contains("no session")
    })
    .await;
    let all = desk.call("get_alerts", json!({})).await;
    assert!(all["ibkr"].is_null() && all["warnings"][0].is_string(), "{all}");
    assert_eq!(all["ibd"][0]["value"], "270 USD", "the last that was seen: {all}");
    let off = desk.call("activate_alert", json!({ "alertId": "ibd-1", "alertActive": 0 })).await;
    assert_eq!(off["active"], false, "{off}");
    assert_eq!(own(&mut desk.client).await["state"], "off");
    desk.call("activate_alert", json!({ "alertId": "ibd-1" })).await;
    let text = desk.world.ctl(&["alerts"]).await;
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("ibd-1") && text.contains("AAPL price above 280 USD"), "{text}");
    desk.call("delete_alert", json!({ "alertId": "ibd-1" })).await;
    let all = desk.call("get_alerts", json!({})).await;
    assert_eq!(all["ibd"], json!([]), "{all}");
}

#[tokio::test]
async fn clients_that_only_read_see_alerts_and_make_none() {
    let world = World::simulated().with("IB_READ_ONLY_MODE", "true");
    let mut client = world.client().await;
    let tools = client.tools().await;
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    for writes in ["create_alert", "activate_alert", "delete_alert"] {
        assert!(!names.contains(&writes), "{names:?}");
        let call = json!({ "name": writes, "arguments": above_280() });
        let answer = client.request("tools/call", call).await;
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
    let all = client.call("get_alerts", json!({})).await.ok();
    assert_eq!((&all["ibd"], &all["ibkr"]), (&json!([]), &json!([])), "{all}");
}

/// What is so already fires at once, and what fired may fire a second time: both are said before somebody wonders.
#[tokio::test]
async fn what_is_so_already_and_what_fired_already_is_said() {
    let mut desk = Desk::paper().await;
    price(&desk.sim, 270.0).await;
    let told = |answer: &Value| answer["warnings"].to_string();
    let at_ibkr = desk.call("create_alert", json!({ "symbol": "AAPL", "above": 260 })).await;
    assert!(told(&at_ibkr).contains("so already (AAPL price is 270)"), "{at_ibkr}");
    until("it has fired", async || {
        let all = desk.call("get_alerts", json!({})).await;
        all["ibkr"][0]["triggered"] == true
    })
    .await;
    // What has fired is not the alert that is asked for now.
    let again = desk.call("create_alert", json!({ "symbol": "AAPL", "above": 260 })).await;
    assert_eq!(again["status"], "created", "{again}");
    let on = desk.call("activate_alert", json!({ "alertId": at_ibkr["alertId"] })).await;
    assert!(told(&on).contains("fired already") && told(&on).contains("so already"), "{on}");
    let off = json!({ "alertId": at_ibkr["alertId"], "alertActive": false });
    assert!(desk.call("activate_alert", off).await["warnings"].is_null());
    let own = json!({ "symbol": "AAPL", "above": 260, "at": "ibd" });
    let own = desk.call("create_alert", own).await;
    assert!(told(&own).contains("so already"), "{own}");
    until("ibd's own has fired", async || {
        let all = desk.call("get_alerts", json!({ "alertId": own["alertId"] })).await;
        all["ibd"][0]["state"] == "fired"
    })
    .await;
    let on = desk.call("activate_alert", json!({ "alertId": own["alertId"] })).await;
    assert!(told(&on).contains("fired already") && told(&on).contains("so already"), "{on}");
}

/// One endpoint that fails is no session that is gone, and no reason is put in the place of another.
#[tokio::test]
async fn why_nothing_is_seen_is_the_real_reason() {
    let mut desk = Desk::paper().await;
    let vod = json!({ "symbol": "VOD", "above": 1, "at": "ibd" });
    let made = desk.call("create_alert", vod).await;
    assert!(made["warnings"].to_string().contains("no market data subscription"), "{made}");
    until("its own reason is told", async || {
        let own = own(&mut desk.client).await;
        own["why"].to_string().contains("no market data subscription")
    })
    .await;
    let fault = json!({ "match": "/iserver/watchlists", "method": "GET", "mode": "status", "status": 500,
        "body": { "error": "backend went away" } });
    desk.sim.fault(fault).await;
    desk.client.call("get_watchlists", json!({})).await;
    until("the time is told", async || {
        let all = desk.call("get_alerts", json!({})).await;
        all["notWatched"].to_string().contains("backend went away")
    })
    .await;
}
