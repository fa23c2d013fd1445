//! Market data: one subscription upstream however many ask, and answers out of memory that are true.

use ibd_tests::{Sim, World, until};
use serde_json::{Value, json};

const SNAPSHOT: &str = "/iserver/marketdata/snapshot";

fn quote<'q>(quotes: &'q Value, symbol: &str) -> &'q Value {
    let all = quotes["quotes"].as_array().unwrap();
    all.iter().find(|quote| quote["symbol"] == symbol).unwrap_or_else(|| panic!("{quotes}"))
}

/// The second client's quote, and each one after it, costs IBKR nothing.
#[tokio::test]
async fn a_quote_that_is_followed_is_answered_out_of_memory() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let (mut one, mut other) = (world.client().await, world.client().await);
    let both = json!({ "symbols": ["AAPL", "MSFT"] });
    one.call("get_market_data", both.clone()).await.ok();
    until("the stream tells of it", async || {
        let before = sim.count(SNAPSHOT).await;
        other.call("get_market_data", both.clone()).await.ok();
        sim.count(SNAPSHOT).await == before
    })
    .await;
    let before = sim.requests().await["count"].as_u64().unwrap();
    for _ in 0..20 {
        let quotes = one.call("get_market_data", both.clone()).await.ok();
        assert!(quote(&quotes, "AAPL")["bid"].is_number(), "{quotes}");
        other.call("get_market_data", json!({ "symbol": "MSFT" })).await.ok();
    }
    // Keeping the session alive may have cost one meanwhile.
    assert!(sim.requests().await["count"].as_u64().unwrap() - before <= 3);
}

/// What is told out of memory is what the market does.
#[tokio::test]
async fn a_followed_quote_moves_with_the_market() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let apple = json!({ "symbol": "AAPL" });
    client.call("get_market_data", apple.clone()).await.ok();
    sim.tell("/market", json!({ "conid": 265_598, "last": 300.5 })).await;
    until("the new price is told", async || {
        let quotes = client.call("get_market_data", apple.clone()).await.ok();
        quote(&quotes, "AAPL")["last"] == 300.5
    })
    .await;
}
