//! Quotes: warm-up, traps, limits; and histories.

use serde_json::{Value, json};

use crate::harness::World;

async fn snapshot(world: &World, query: &str) -> Vec<Value> {
    world.json(&format!("/iserver/marketdata/snapshot?{query}")).await.as_array().unwrap().clone()
}

#[tokio::test]
async fn a_cold_contract_is_a_stub_then_has_prices_then_has_slow_fields() {
    let world =
        World::start(r#"{"pacing":false,"snapshotWarmMillis":20000,"snapshotSlowMillis":60000}"#)
            .await;
    world.prime().await;
    let ask = "conids=265598&fields=31,84,86,7289";
    assert_eq!(snapshot(&world, ask).await, [json!({ "conid": 265598, "conidEx": "265598" })]);
    world.advance(21).await;
    let warm = snapshot(&world, ask).await.remove(0);
    assert!(warm["31"].is_string() && warm["84"].is_string() && warm["7289"].is_null(), "{warm}");
    world.advance(40).await;
    assert!(snapshot(&world, ask).await[0]["7289"].is_string());
    assert!(snapshot(&world, "conids=265598").await[0]["86"].is_string(), "fields are remembered");
}

#[tokio::test]
async fn a_new_field_needs_its_own_warm_up() {
    let world = World::primed().await;
    snapshot(&world, "conids=265598&fields=31").await;
    world.advance(1).await;
    let row = snapshot(&world, "conids=265598&fields=31,84").await.remove(0);
    assert!(row["31"].is_string() && row["84"].is_null());
}

#[tokio::test]
async fn quotes_come_with_the_brokers_oddities() {
    let world = World::primed().await;
    let ask = "conids=14020991,38709473,14204,38708201,1,265598@NYSE&fields=31,55";
    snapshot(&world, ask).await;
    world.advance(1).await;
    let rows = snapshot(&world, ask).await;
    assert!(rows[0]["31"].as_str().unwrap().starts_with('C'));
    assert!(rows[1]["31"].as_str().unwrap().starts_with('H'));
    assert_eq!(rows[2]["6509"], "DPB");
    assert_eq!((&rows[3]["6509"], &rows[3]["31"]), (&json!("N"), &Value::Null));
    assert_eq!((&rows[4]["55"], &rows[4]["31"]), (&json!("-"), &json!("N/A")));
    assert_eq!(rows[5]["conidEx"], "265598@NYSE");
}

#[tokio::test]
async fn a_derivative_stays_a_stub_until_its_underlying_was_searched() {
    let world = World::primed().await;
    let future = world.json("/trsrv/futures?symbols=ES").await["ES"][3]["conid"].as_i64().unwrap();
    let ask = format!("conids={future}&fields=31");
    snapshot(&world, &ask).await;
    world.advance(5).await;
    assert!(snapshot(&world, &ask).await[0]["31"].is_null());
    world.json("/iserver/secdef/search?symbol=ES").await;
    snapshot(&world, &ask).await;
    world.advance(5).await;
    assert!(snapshot(&world, &ask).await[0]["31"].is_string());
}

#[tokio::test]
async fn strikes_are_empty_until_the_underlying_was_searched() {
    let world = World::primed().await;
    let search = world.json("/iserver/secdef/search?symbol=MSFT").await;
    let months = search[0]["sections"][1]["months"].as_str().unwrap();
    let month = months.split(';').next().unwrap();
    let of =
        |conid: i64| format!("/iserver/secdef/strikes?conid={conid}&sectype=OPT&month={month}");
    assert_eq!(world.json(&of(272_093)).await["call"].as_array().unwrap().len(), 11);
    assert_eq!(world.json(&of(265_598)).await, json!({ "call": [], "put": [] }));
    let misspelled = format!("/iserver/secdef/strikes?conid=272093&secType=OPT&month={month}");
    assert_eq!(world.get(&misspelled).await.status, 400);
}

#[tokio::test]
async fn too_much_and_too_little_are_refused() {
    let world = World::primed().await;
    let path = "/iserver/marketdata/snapshot";
    assert_eq!(world.get(path).await.status, 400);
    let many: Vec<String> = (1..=101).map(|n| n.to_string()).collect();
    assert_eq!(world.get(&format!("{path}?conids={}", many.join(","))).await.status, 400);
    assert_eq!(
        world.get(&format!("{path}?conids=1&fields={}", many[..51].join(","))).await.status,
        400
    );
    let unknown = world.post("/iserver/marketdata/unsubscribe", json!({ "conid": 265598 })).await;
    assert_eq!((unknown.status, unknown.json()), (500, json!({ "error": "unknown" })));
}

#[tokio::test]
async fn bars_are_in_order_and_hold_together() {
    let world = World::primed().await;
    let path = "/iserver/marketdata/history?conid=265598";
    for (period, bar, least) in
        [("1d", "1min", 380), ("1w", "1h", 30), ("1y", "1d", 240), ("5y", "1w", 250)]
    {
        let history = world.json(&format!("{path}&period={period}&bar={bar}")).await;
        let bars = history["data"].as_array().unwrap();
        assert!(bars.len() >= least && bars.len() <= 1000, "{period} {bar}: {}", bars.len());
        assert_eq!(history["points"], bars.len() - 1);
        let of = |bar: &Value, key: &str| bar[key].as_f64().unwrap();
        assert!(bars.windows(2).all(|pair| of(&pair[0], "t") < of(&pair[1], "t")));
        assert!(
            bars.iter()
                .all(|b| of(b, "l") <= of(b, "o").min(of(b, "c")) && of(b, "h") >= of(b, "o"))
        );
    }
    assert_eq!(world.get(&format!("{path}&period=1y&bar=1min")).await.status, 500);
    assert_eq!(world.get(&format!("{path}&period=1x&bar=1d")).await.status, 400);
    assert_eq!(world.get("/iserver/marketdata/history?conid=1&period=1d&bar=1h").await.status, 500);
}
