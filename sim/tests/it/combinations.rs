//! What orders for combinations must conform to.

use serde_json::{Value, json};

use crate::harness::World;
use crate::tickets::ticket;

/// A limit order for combinations at this price.
fn combination(conidex: &str, quantity: f64, price: f64) -> Value {
    ticket(json!({ "conid": null, "conidex": conidex, "quantity": quantity, "price": price }))
}

async fn refused(world: &World, order: &Value, status: u16, text: &str) {
    let answer = world.send(std::slice::from_ref(order)).await;
    assert_eq!(answer.status, status, "{order}: {}", answer.text);
    assert!(answer.text.contains(text), "{order}: {}", answer.text);
}

#[tokio::test]
async fn a_combinations_price_lies_on_the_finest_tick_of_its_legs() {
    let world = World::quick().await;
    let futures = world.json("/trsrv/futures?symbols=ES").await["ES"].clone();
    let calendar = format!("28812380;;;{}/1,{}/-1", futures[0]["conid"], futures[1]["conid"]);
    for (conidex, tick, wrong, right) in [
        ("28812380;;;265598/1,8314/-1", "0.01", -25.005, -25.0),
        // Ticks of 0.02 and of 0.005.
        ("58666491;;;38708318/1,38708427/-1", "0.005", 100.002, 100.005),
        // Yen.
        ("61227069;;;14020991/1,14016545/-1", "1", -1355.5, -1355.0),
        (calendar.as_str(), "0.25", 40.1, -0.25),
    ] {
        let error = format!("does not conform to the minimum price variation of {tick} for");
        refused(&world, &combination(conidex, 1.0, wrong), 500, &error).await;
        world.accepted(&[combination(conidex, 1.0, right)]).await;
    }
}

#[tokio::test]
async fn combinations_are_whole() {
    let world = World::quick().await;
    let pair = "28812380;;;265598/1,8314/-1";
    let text = "The size 1.5 does not conform to the minimum size variation of 1";
    refused(&world, &combination(pair, 1.5, -25.0), 500, text).await;
    refused(&world, &combination(pair, 0.0, -25.0), 500, "Order size 0 is not valid").await;
    let amount = ticket(json!({
        "conid": null, "conidex": pair, "quantity": null, "cashQty": 1000.0, "price": -25.0,
    }));
    refused(&world, &amount, 400, "quantity is required").await;
}

#[tokio::test]
async fn a_change_is_held_against_the_same() {
    let world = World::quick().await;
    let pair = "28812380;;;265598/1,8314/-1";
    let id = world.accepted(&[combination(pair, 2.0, -90.0)]).await;
    world.until(id, "Submitted").await;
    let path = format!("/iserver/account/{}/order/{id}", crate::tickets::ACCOUNT);
    for (quantity, price) in [(2.0, -90.005), (1.5, -90.0)] {
        let answer = world.post(&path, combination(pair, quantity, price)).await;
        assert_eq!(answer.status, 500, "{}", answer.text);
        assert!(answer.text.contains("does not conform to the minimum"), "{}", answer.text);
    }
    let answer = world.post(&path, combination(pair, 2.0, -90.01)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test]
async fn an_index_is_no_leg() {
    let world = World::quick().await;
    let order = combination("28812380;;;265598/1,416904/-1", 1.0, -25.0);
    refused(&world, &order, 200, "Index is not tradable").await;
}
