//! The price ladder on the websocket.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::feeds::subscribed;
use crate::harness::World;
use crate::hours::{frozen, quote};
use crate::shape::assert_shape;
use crate::socket::Socket;
use crate::streams::{OPEN, heard, of_topic, say, tics};
use crate::tickets::{ACCOUNT, APPLE};

const IBM: i64 = 8314;

fn topic(conid: i64) -> String {
    format!("sbd+{ACCOUNT}+{conid}")
}

/// The ladder by its prices: size bid, size asked.
fn sides(rows: &[Value]) -> BTreeMap<String, (String, String)> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    rows.iter().map(|row| (text(row, "price"), (text(row, "bid"), text(row, "ask")))).collect()
}

async fn rows(socket: &mut Socket, conid: i64) -> Vec<Value> {
    of_topic(socket, &topic(conid)).await["data"].as_array().unwrap().clone()
}

async fn refused(socket: &mut Socket, text: &str, error: &str) {
    say(socket, text).await;
    let told = of_topic(socket, "error").await["error"].as_str().unwrap().to_owned();
    assert!(told.contains(error), "{text}: {told}");
}

#[tokio::test]
async fn a_ladder_has_the_quote_and_what_is_behind_it() {
    let world = frozen(OPEN, "open").await;
    world.market(271.5).await;
    let seen = quote(&world, APPLE).await;
    let mut socket = subscribed(&world, &format!("{}+SMART", topic(APPLE))).await;
    let frame = of_topic(&mut socket, &topic(APPLE)).await;
    assert_shape("ws_sbd", &frame, &[]);
    let all = frame["data"].as_array().unwrap();
    assert!(all.iter().enumerate().all(|(at, row)| row["row"] == at), "{frame}");
    let focus: Vec<&Value> = all.iter().filter(|row| row["focus"] == 1).collect();
    assert_eq!((focus.len(), &focus[0]["price"]), (1, &json!("1 @ 271.50")));
    let sides = sides(all);
    let size = |field: &str| seen[field].as_str().unwrap().to_owned();
    assert_eq!(sides["271.49"], (size("88"), String::new()), "{seen}");
    assert_eq!(sides["271.51"], (String::new(), size("85")), "{seen}");
    for (price, (bid, ask)) in &sides {
        let Ok(price) = price.parse::<f64>() else { continue };
        assert!(bid.is_empty() || price < 271.495, "{price}: {bid}");
        assert!(ask.is_empty() || price > 271.505, "{price}: {ask}");
    }
    assert_eq!(sides.values().filter(|(bid, _)| !bid.is_empty()).count(), 10);
    assert_eq!(sides.values().filter(|(_, ask)| !ask.is_empty()).count(), 10);
}

#[tokio::test]
async fn a_ladder_stays_until_the_market_leaves_it() {
    let world = frozen(OPEN, "open").await;
    world.market(271.5).await;
    let mut socket = subscribed(&world, &topic(APPLE)).await;
    let mut all = rows(&mut socket, APPLE).await;
    tics(&mut socket).await;
    world.market(271.51).await;
    let changed = rows(&mut socket, APPLE).await;
    assert!(changed.len() < all.len(), "{changed:?}");
    for row in changed {
        let at = usize::try_from(row["row"].as_u64().unwrap()).unwrap();
        all[at] = row;
    }
    let moved = sides(&all);
    assert!(moved.contains_key("1 @ 271.51"), "{moved:?}");
    let (bid, ask) = (&moved["271.50"], &moved["271.52"]);
    assert!(!bid.0.is_empty() && bid.1.is_empty(), "{moved:?}");
    assert!(!ask.1.is_empty() && ask.0.is_empty(), "{moved:?}");
    world.market(300.0).await;
    let elsewhere = rows(&mut socket, APPLE).await;
    assert_eq!(elsewhere.len(), all.len(), "every row has another price");
    assert!(sides(&elsewhere).contains_key("1 @ 300.00"), "{elsewhere:?}");
}

#[tokio::test]
async fn an_account_has_one_ladder_until_it_ends() {
    let world = frozen(OPEN, "open").await;
    let mut socket = subscribed(&world, &topic(APPLE)).await;
    rows(&mut socket, APPLE).await;
    tics(&mut socket).await;
    assert!(heard(&world, &mut socket, &topic(APPLE)).await > 0);
    say(&mut socket, &topic(IBM)).await;
    rows(&mut socket, IBM).await;
    assert_eq!(heard(&world, &mut socket, &topic(APPLE)).await, 0, "IBM's took its place");
    assert!(heard(&world, &mut socket, &topic(IBM)).await > 0);
    say(&mut socket, &format!("ubd+{ACCOUNT}")).await;
    assert_eq!(heard(&world, &mut socket, &topic(IBM)).await, 0);
}

#[tokio::test]
async fn there_is_no_ladder_where_there_is_no_book() {
    let world = World::quick().await;
    let mut socket = subscribed(&world, "sbd+U7654321+265598").await;
    assert!(of_topic(&mut socket, "error").await["error"].as_str().unwrap().contains("sbd"));
    refused(&mut socket, &topic(1), "the arguments are not valid").await;
    refused(&mut socket, &format!("{}+MOON", topic(APPLE)), "the arguments are not valid").await;
    // Not subscribed, and an index.
    for conid in [38_708_201, 416_904] {
        refused(&mut socket, &topic(conid), "no market depth").await;
    }
    let halted = 38_709_473;
    say(&mut socket, &topic(halted)).await;
    let rows = rows(&mut socket, halted).await;
    assert!(rows.iter().all(|row| row["bid"] == "" && row["ask"] == ""), "{rows:?}");
}
