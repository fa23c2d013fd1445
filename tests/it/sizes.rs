//! What a typical answer of each tool costs its client's context, held to the budget that stands in the tool's file.

use ibd::tools::TOOLS;
use ibd_tests::desk::{AAPL, Desk, PRICE, limit};
use ibd_tests::months::option_month;
use ibd_tests::{Sim, World, until};
use serde_json::{Value, json};

/// The account of the simulator as it is, a resting order, and a statement that came.
async fn world() -> (Desk, Value) {
    let flex = json!({ "flex": { "generateMillis": 300, "polls": 1 }, "flexPacing": false });
    let sim = Sim::scenario(flex).await;
    sim.tell("/market", json!({ "conid": AAPL, "last": PRICE })).await;
    let address = format!("https://127.0.0.1:{}/AccountManagement/FlexWebService", sim.port());
    let world =
        World::attached(&sim).with("IB_FLEX_TOKEN", "sim-flex-token").with("IB_FLEX_URL", &address);
    let client = world.client().await;
    let mut desk = Desk { client, world, sim };
    let placed = desk.placed(limit(1, 265.0)).await;
    until("the statement is there", async || {
        let statement = desk.call("get_flex_query", json!({ "queryId": "1001" })).await;
        statement["status"] == "ready"
    })
    .await;
    (desk, placed)
}

/// Arguments as a person's question makes them; of most tools the example of its file.
fn arguments(tool: &str, example: &str, placed: &Value) -> Value {
    let id = |key: &str| placed[key].clone();
    match tool {
        "get_positions" | "get_alerts" | "get_watchlists" => json!({}),
        "get_option_chain" => {
            json!({ "symbol": "AAPL", "expiry": option_month(1).code(), "strikes": 10 })
        }
        "resolve_option_conid" => json!({
            "symbol": "AAPL", "expiry": option_month(1).code(), "strike": 270, "right": "C",
        }),
        "get_order_status" => json!({ "orderId": id("orderId") }),
        "wait_for_order" => json!({ "intentId": id("intentId"), "seconds": 1 }),
        "modify_order" => json!({ "orderId": id("orderId"), "price": 266 }),
        "preview_order" | "place_order" => json!({
            "conid": AAPL, "action": "BUY", "orderType": "LMT", "quantity": 2, "price": 264,
        }),
        "get_flex_query" => json!({ "queryId": "1001" }),
        "create_alert" => json!({ "symbol": "AAPL", "above": 300, "at": "ibd" }),
        "activate_alert" => json!({ "alertId": "ibd-1", "alertActive": 0 }),
        "delete_alert" => json!({ "alertId": "ibd-1" }),
        _ => serde_json::from_str(example).unwrap(),
    }
}

#[tokio::test]
async fn a_typical_answer_keeps_the_budget_of_its_tool() {
    let (mut desk, placed) = world().await;
    let mut over = Vec::new();
    for tool in TOOLS {
        // Whether anybody is logged in, and what there is to confirm, are questions of their own.
        if ["confirm_order", "forget_flex_query"].contains(&tool.name) {
            continue;
        }
        let arguments = arguments(tool.name, tool.example, &placed);
        let answer = desk.call(tool.name, arguments.clone()).await;
        let size = answer.to_string().len();
        if size > tool.answer {
            over.push(format!("{} {size} of {}: {answer}", tool.name, tool.answer));
        }
    }
    assert!(over.is_empty(), "{}", over.join("\n"));
}
