//! One budget for all clients.

use ibd_tests::{Sim, World, until};
use serde_json::json;

/// Fifty clients at full speed: never a 429, never more than four at once, everybody answered.
#[tokio::test]
async fn fifty_clients_at_full_speed_never_draw_a_429() {
    let sim = Sim::scenario(json!({ "latencyMillis": 30 })).await;
    let world = World::attached(&sim);
    world.client().await.call("get_session_status", json!({})).await.ok();
    let symbols = ["AAPL", "MSFT", "IBM", "NVDA", "SPY", "QQQ", "AMZN", "META"];
    let mut clients = Vec::new();
    for n in 0..50 {
        let mut client = world.client().await;
        clients.push(tokio::spawn(async move {
            let symbol = symbols[n % symbols.len()];
            let calls = [
                client.begin_call("get_positions", json!({})).await,
                client.begin_call("get_market_data", json!({ "symbol": symbol })).await,
                client.begin_call("get_live_orders", json!({})).await,
            ];
            for id in calls {
                let reply = client.reply(id).await;
                assert!(!reply.is_error, "{}", reply.json);
            }
        }));
    }
    for client in clients {
        client.await.unwrap();
    }
    let requests = sim.requests().await;
    assert_eq!(requests["status429"], 0);
    let peak = requests["peakInFlight"].as_u64().unwrap();
    assert!(peak <= 4, "{peak} at once");
    let count = requests["count"].as_u64().unwrap();
    assert!(count < 150, "150 calls cost {count} requests: identical reads are shared");
}

#[tokio::test]
async fn the_penalty_box_is_respected_shown_and_remembered() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    sim.tell("/penalty", json!({ "seconds": 600 })).await;
    // The first 429 closes one endpoint, the second everything.
    assert_eq!(client.call("get_positions", json!({})).await.error(), "rate_limited");
    let refused = client.call("get_account_info", json!({})).await;
    assert_eq!(refused.error(), "rate_limited");
    let before = sim.requests().await["count"].as_u64().unwrap();
    for _ in 0..10 {
        let reply = client.call("get_market_data", json!({ "symbol": "IBM" })).await;
        assert_eq!(reply.error(), "rate_limited");
        assert!(reply.json["retryAt"].is_string(), "{}", reply.json);
    }
    let spent = sim.requests().await["count"].as_u64().unwrap() - before;
    assert!(spent <= 2, "{spent} requests in the box");
    assert!(world.status().await["budgets"]["penaltyUntil"].is_string());
    // A daemon that is killed does not forget it.
    world.kill_daemon().await;
    assert_eq!(client.call("get_positions", json!({})).await.error(), "rate_limited");
}

/// One client that asks for much does not hold up another one's single question.
#[tokio::test]
async fn clients_take_turns_at_the_budget() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let (mut many, mut one) = (world.client().await, world.client().await);
    many.call("get_contract_details", json!({ "conid": 265_598 })).await.ok();
    one.call("get_contract_details", json!({ "conid": 265_598 })).await.ok();
    let mut calls = Vec::new();
    for days in 1..=50 {
        let history = json!({ "conid": 265_598, "period": format!("{days}d"), "bar": "1d" });
        calls.push(many.begin_call("get_price_history", history).await);
    }
    // Its first ones are under way, and the others wait.
    until("the client that asks for much is being served", async || {
        sim.count("/marketdata/history").await >= 3
    })
    .await;
    one.call("get_exchange_rate", json!({ "from": "EUR", "to": "USD" })).await.ok();
    let after = sim.count("/marketdata/history").await;
    assert!(after < 50, "it waited for all of the other one's: {after}");
    for call in calls {
        many.reply(call).await;
    }
    assert_eq!(sim.requests().await["status429"], 0);
}
