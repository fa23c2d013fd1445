//! Options in several classes: on an index, on a share after a corporate action, on a future.

use serde_json::{Value, json};

use crate::harness::World;
use crate::hours::{frozen, quote};
use crate::shape::assert_shape;
use crate::streams::OPEN;
use crate::tickets::{ACCOUNT, QUICK, ticket};

const SPX: i64 = 416_904;
const ATT: i64 = 37_018_770;
const ES: i64 = 11_004_968;

/// Searches for a symbol, without which nothing else is answered; the answer is the first hit's sections.
async fn searched(world: &World, symbol: &str) -> Value {
    world.json(&format!("/iserver/secdef/search?symbol={symbol}")).await[0]["sections"].clone()
}

async fn strikes(world: &World, of: &str) -> Vec<f64> {
    let strikes = world.json(&format!("/iserver/secdef/strikes?{of}")).await;
    assert_eq!(strikes["call"], strikes["put"]);
    strikes["call"].as_array().unwrap().iter().map(|strike| strike.as_f64().unwrap()).collect()
}

async fn info(world: &World, of: &str) -> Vec<Value> {
    world.json(&format!("/iserver/secdef/info?{of}")).await.as_array().unwrap().clone()
}

/// Class, last day and multiplier of each.
fn names(rows: &[Value]) -> Vec<(&str, &str, &str)> {
    let name = |row| {
        let [class, day, multiplier] =
            ["tradingClass", "maturityDate", "multiplier"].map(|key| text(row, key));
        (class, day, multiplier)
    };
    rows.iter().map(name).collect()
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_else(|| panic!("{key}: {row}"))
}

/// So that no time passes between one price and the next.
async fn pin(world: &World, conid: i64, price: f64) {
    world.tell("/market", json!({ "conid": conid, "last": price })).await;
}

/// A row of `/trsrv/secdef` for each of these.
async fn definitions(world: &World, rows: &[Value]) -> Vec<Value> {
    let conids: Vec<String> = rows.iter().map(|row| row["conid"].to_string()).collect();
    let answer = world.json(&format!("/trsrv/secdef?conids={}", conids.join(","))).await;
    answer["secdef"].as_array().unwrap().clone()
}

async fn last(world: &World, row: &Value) -> f64 {
    let quote = quote(world, row["conid"].as_i64().unwrap()).await;
    text(&quote, "31").parse().unwrap()
}

#[tokio::test]
async fn two_classes_of_an_index_end_on_one_day() {
    let world = frozen(OPEN, "open").await;
    let sections = searched(&world, "SPX").await;
    assert_eq!(
        sections[1],
        json!({ "secType": "OPT", "months": "NOV26;DEC26;JAN27;FEB27;MAR27", "exchange": "SMART;CBOE" })
    );
    let of = format!("conid={SPX}&sectype=OPT&month=DEC26");
    let strikes = strikes(&world, &of).await;
    assert_eq!(strikes.len(), 17, "eleven of each, five of them in both: {strikes:?}");
    assert!(strikes.is_sorted_by(|one, next| one < next), "{strikes:?}");
    let rows = info(&world, &format!("{of}&strike=6600&right=C")).await;
    assert_eq!(
        names(&rows),
        [("SPX", "20261218", "100"), ("SPXW", "20261218", "100"), ("SPXW", "20261231", "100")]
    );
    assert_shape("secdef_info_classes", &json!(rows), &[]);
    let only = info(&world, &format!("{of}&strike=6625&right=P")).await;
    assert_eq!(names(&only)[0].0, "SPXW");
    let found = definitions(&world, &rows[..2]).await;
    assert_eq!(found[0]["fullName"], found[1]["fullName"], "that does not tell them apart");
    for (row, day) in found.iter().zip(["20261217", "20261218"]) {
        assert_eq!((&row["expiry"], &row["lastTradingDay"]), (&json!("20261218"), &json!(day)));
        assert_eq!((&row["undConid"], &row["ticker"]), (&json!(SPX), &json!("SPX")));
    }
    let page = world.json(&format!("/iserver/contract/{}/info", rows[1]["conid"])).await;
    assert_eq!((&page["trading_class"], &page["symbol"]), (&json!("SPXW"), &json!("SPX")));
    pin(&world, SPX, 6603.0).await;
    let prices = [last(&world, &rows[0]).await, last(&world, &rows[1]).await];
    assert!(prices[0] < prices[1], "it lives some hours longer: {prices:?}");
}

#[tokio::test]
async fn after_a_corporate_action_a_class_has_another_multiplier() {
    let world = frozen(OPEN, "open").await;
    searched(&world, "T").await;
    let of = format!("conid={ATT}&sectype=OPT&month=DEC26");
    let strikes = strikes(&world, &of).await;
    assert_eq!(strikes.len(), 19, "eleven of each, three of them in both: {strikes:?}");
    assert!(strikes.contains(&26.67), "{strikes:?}");
    let rows = info(&world, &format!("{of}&strike=26&right=C")).await;
    assert_eq!(names(&rows), [("T", "20261218", "100"), ("T1", "20261218", "150")]);
    let adjusted = info(&world, &format!("{of}&strike=26.67&right=C")).await;
    assert_eq!(names(&adjusted), [("T1", "20261218", "150")]);
    assert_eq!(adjusted[0]["desc2"], "DEC 18 '26 26.67 Call");
    let found = definitions(&world, &rows).await;
    assert_eq!((&found[0]["multiplier"], &found[1]["multiplier"]), (&json!(100.0), &json!(150.0)));
    let stock = world.json(&format!("/trsrv/secdef?conids={ATT}")).await["secdef"][0].clone();
    assert_eq!(stock["hasOptions"], true);
    let buy =
        json!({ "conid": rows[1]["conid"], "quantity": 1, "orderType": "MKT", "price": null });
    let id = world.accepted(&[ticket(buy)]).await;
    let order = world.until(id, "Filled").await;
    let trades = world.trades().await;
    let trade = trades.iter().find(|trade| trade["order_id"] == id).unwrap();
    let paid = order["avgPrice"].as_f64().unwrap() * 150.0;
    assert!((trade["net_amount"].as_f64().unwrap() - paid).abs() < 0.01, "{trade}");
}

#[tokio::test]
async fn options_on_a_future_are_asked_for_at_their_exchange() {
    let world = frozen(OPEN, "open").await;
    let of = format!("conid={ES}&sectype=FOP&month=DEC26");
    let at_home = format!("{of}&exchange=CME");
    assert!(strikes(&world, &at_home).await.is_empty(), "nobody searched for it yet");
    let found = world.json("/iserver/secdef/search?symbol=ES").await;
    assert_shape("secdef_search_future", &found, &[]);
    assert_eq!(found[0]["sections"][2]["months"], "NOV26;DEC26;JAN27;FEB27;MAR27;JUN27;SEP27");
    assert!(strikes(&world, &of).await.is_empty(), "they are not routed by the broker");
    assert_eq!(strikes(&world, &at_home).await.len(), 11);
    assert_eq!(world.get(&format!("/iserver/secdef/info?{of}")).await.status, 500);
    let month = info(&world, &at_home).await;
    assert_eq!(month.len(), 44, "both classes, all strikes, calls and puts");
    let rows = info(&world, &format!("{at_home}&strike=6600&right=P")).await;
    assert_eq!(names(&rows), [("ES", "20261218", "50"), ("EW", "20261231", "50")]);
    assert_eq!(rows[1]["desc2"], "(EW) Dec31'26 6600 Put Fut.Option(50) @CME");
    assert_shape("secdef_info_fop", &json!(rows), &[]);
    let futures = world.json("/trsrv/futures?symbols=ES").await;
    let future = |day: u32| {
        let all = futures["ES"].as_array().unwrap();
        all.iter().find(|row| row["expirationDate"] == day).unwrap()["conid"].clone()
    };
    let found = definitions(&world, &rows).await;
    for (row, day) in found.iter().zip([20_261_218, 20_270_319]) {
        assert_eq!((&row["undConid"], &row["assetClass"]), (&future(day), &json!("FOP")));
        assert_eq!(row["listingExchange"], "CME");
    }
}

#[tokio::test]
async fn an_option_on_a_future_follows_it() {
    let world = frozen(OPEN, "open").await;
    searched(&world, "ES").await;
    let of = format!("conid={ES}&sectype=FOP&month=DEC26&exchange=CME&strike=6600");
    let (calls, puts) = (
        info(&world, &format!("{of}&right=C")).await,
        info(&world, &format!("{of}&right=P")).await,
    );
    pin(&world, ES, 6620.0).await;
    let future = definitions(&world, &calls[..1]).await[0]["undConid"].clone();
    let future = last(&world, &json!({ "conid": future })).await;
    let parity = last(&world, &calls[0]).await - last(&world, &puts[0]).await - (future - 6600.0);
    // Discounted for three weeks, and each price on its tick of a quarter.
    assert!(parity.abs() < 1.5, "{parity}");
    let conid = calls[0]["conid"].as_i64().unwrap();
    let seen = quote(&world, conid).await;
    for field in ["7308", "7309", "7310", "7311", "7633", "7638", "84", "86"] {
        assert!(seen[field].is_string(), "{field}: {seen}");
    }
    let path = format!("/iserver/marketdata/history?conid={conid}&period=1d&bar=5min");
    let history = world.json(&path).await;
    let bars = history["data"].as_array().unwrap();
    assert!(bars.len() > 20, "{}", bars.len());
    let close = bars.last().unwrap()["c"].as_f64().unwrap();
    assert_eq!(format!("{close:.2}"), seen["31"], "the last bar ends at the price");
    let rules = world.post("/iserver/contract/rules", json!({ "conid": conid })).await.json();
    assert_eq!(rules["incrementRules"], json!([{ "lowerEdge": 0.0, "increment": 0.25 }]));
    pin(&world, ES, 6700.0).await;
    assert!(last(&world, &calls[0]).await > close + 30.0, "what its future is on rose");
}

#[tokio::test]
async fn an_option_on_a_future_is_ordered_like_others() {
    let now = QUICK.replace("\"pacing\"", &format!("\"now\":\"{OPEN}\",\"pacing\""));
    let world = World::start(&now).await;
    world.prime().await;
    searched(&world, "ES").await;
    let of = format!("conid={ES}&sectype=FOP&month=DEC26&exchange=CME&strike=6700&right=C");
    let conid = info(&world, &of).await[0]["conid"].clone();
    let buy = |more: Value| {
        let mut buy = json!({ "conid": conid, "quantity": 1, "orderType": "MKT", "price": null });
        buy.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ticket(buy)
    };
    let blind = world.send(&[buy(json!({}))]).await;
    assert_eq!(blind.status, 400, "{}", blind.text);
    let off = json!({ "manualIndicator": false, "orderType": "LMT", "price": 60.1 });
    let off = world.send(&[buy(off)]).await;
    assert!(off.text.contains("minimum price variation of 0.25"), "{}", off.text);
    let before = world.json(&format!("/portfolio/{ACCOUNT}/ledger")).await["USD"].clone();
    let id = world.accepted(&[buy(json!({ "manualIndicator": false }))]).await;
    let order = world.until(id, "Filled").await;
    let after = world.json(&format!("/portfolio/{ACCOUNT}/ledger")).await["USD"].clone();
    let paid = |key: &str| before[key].as_f64().unwrap() - after[key].as_f64().unwrap();
    let price = order["avgPrice"].as_f64().unwrap();
    assert!((paid("cashbalance") - price * 50.0 - 2.25).abs() < 0.01, "{before} {after}");
    assert!(after["futureoptionmarketvalue"].as_f64().unwrap() > 0.0, "{after}");
    let held = world.json(&format!("/portfolio/{ACCOUNT}/positions/0")).await;
    let row = held.as_array().unwrap().iter().find(|row| row["conid"] == conid).unwrap();
    assert_eq!((&row["assetClass"], &row["ticker"]), (&json!("FOP"), &json!("ES")));
    assert_eq!(row["contractDesc"], "ES     DEC2026 6700 C [ESZ6 C6700 50]");
}
