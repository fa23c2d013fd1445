//! Exchanges that are closed when they are closed, if the scenario wants that.

use serde_json::{Value, json};

use crate::harness::World;
use crate::tickets::{APPLE, ticket};

/// Eleven in the morning of a Sunday in New York, and 23 hours later.
const SUNDAY: &str = "2026-11-22T16:00:00Z";
const UNTIL_MONDAY: u32 = 23 * 3600;
const EURO: i64 = 12_087_792;
/// Everything that stands still.
const STANDING: [&str; 8] = ["31", "84", "86", "85", "88", "70", "71", "7741"];

/// A world whose time passes only when it is told to, so that what is equal is equal exactly.
pub(crate) async fn frozen(now: &str, hours: &str) -> World {
    let scenario = json!({
        "pacing": false, "questions": false, "submitMillis": 0, "cancelMillis": 0, "commissionMillis": 0,
        "now": now, "clockRate": 0.000_001, "loginSeconds": 100_000_000, "marketHours": hours,
    });
    let world = World::start(&scenario.to_string()).await;
    world.prime().await;
    world
}

/// A contract's quote, two simulated seconds later.
pub(crate) async fn quote(world: &World, conid: i64) -> Value {
    let fields = "31,70,71,82,84,85,86,87,88,7295,7308,7309,7310,7311,7633,7638,7741,7762";
    let path = format!("/iserver/marketdata/snapshot?conids={conid}&fields={fields}");
    world.json(&path).await;
    world.advance(2).await;
    world.json(&path).await[0].clone()
}

#[tokio::test]
async fn prices_of_a_closed_exchange_stand_still_until_it_opens() {
    let world = frozen(SUNDAY, "real").await;
    let (sunday, euro) = (quote(&world, APPLE).await, quote(&world, EURO).await);
    let close = sunday["31"].as_str().unwrap().strip_prefix('C').expect("the close");
    world.advance(5 * 3600).await;
    let later = quote(&world, APPLE).await;
    for field in STANDING {
        assert!(sunday[field].is_string(), "{field}: {sunday}");
        assert_eq!(later[field], sunday[field], "{field}");
    }
    assert_ne!(quote(&world, EURO).await["31"], euro["31"], "currencies never close");
    world.advance(UNTIL_MONDAY - 5 * 3600).await;
    let open = quote(&world, APPLE).await;
    assert!(!open["31"].as_str().unwrap().starts_with('C'), "{open}");
    assert_eq!(open["7741"], close, "what stood on Sunday was Friday's close");
    assert_ne!(open["7741"], sunday["7741"], "whose own prior close was Thursday's");
    world.advance(1800).await;
    let moved = quote(&world, APPLE).await;
    assert_eq!(moved["7741"], open["7741"]);
    assert_ne!(moved["31"], open["31"]);
}

#[tokio::test]
async fn by_default_nothing_closes_and_the_prior_close_is_one_for_a_day() {
    let world = frozen(SUNDAY, "open").await;
    let first = quote(&world, APPLE).await;
    assert!(!first["31"].as_str().unwrap().starts_with('C'), "{first}");
    let mut lasts = vec![first["31"].clone()];
    for _ in 0..5 {
        world.advance(3600).await;
        let next = quote(&world, APPLE).await;
        assert_eq!(next["7741"], first["7741"], "the same trading day");
        lasts.push(next["31"].clone());
    }
    lasts.dedup();
    assert!(lasts.len() > 3, "{lasts:?}");
    world.advance(UNTIL_MONDAY - 5 * 3600).await;
    assert_ne!(quote(&world, APPLE).await["7741"], first["7741"], "another day");
}

#[tokio::test]
async fn an_order_waits_for_its_exchange_to_open() {
    let world = frozen(SUNDAY, "real").await;
    let market = json!({ "orderType": "MKT", "price": null, "tif": "GTC" });
    let id = world.accepted(&[ticket(market)]).await;
    world.until(id, "Submitted").await;
    world.advance(3600).await;
    assert_eq!(world.order(id).await["filled"], 0.0);
    world.advance(UNTIL_MONDAY).await;
    world.until(id, "Filled").await;
}

#[tokio::test]
async fn hours_are_those_of_the_schedule() {
    // A minute before the end of what is around regular hours in New York, on a Tuesday.
    let world = frozen("2026-11-25T00:59:00Z", "real").await;
    let schedule = world.json("/contract/trading-schedule?conid=265598").await;
    let day = &schedule["schedules"]["20261124"]["extended_hours"][0];
    assert_eq!(day["closing"], 1_795_568_400, "{schedule}");
    assert!(!quote(&world, APPLE).await["31"].as_str().unwrap().starts_with('C'));
    world.advance(60).await;
    assert!(quote(&world, APPLE).await["31"].as_str().unwrap().starts_with('C'));
}
