//! What is asked and done, in its order.

use serde_json::{Value, json};

use super::home::Home;
use super::stage::Stage;
use crate::daemon::Fault;

/// A query that the simulator has: an activity statement of a year.
const QUERY: &str = "1001";

pub(super) async fn play(stage: &mut Stage, home: &Home, is_short: bool) -> Result<(), Fault> {
    look(stage).await?;
    let intent = order(stage, home).await?;
    if !is_short {
        statement(stage).await?;
    }
    survive(stage, home, &intent).await
}

/// The account and the market.
async fn look(stage: &mut Stage) -> Result<(), Fault> {
    stage.ask("Am I connected to my account?", "get_session_status", json!({})).await?;
    let limit = json!({ "limit": 5 });
    stage.ask("What do I hold?", "get_positions", limit).await?;
    let symbols = json!({ "symbols": ["AAPL", "SAP", "EUR.USD"] });
    stage.ask("Where do Apple, SAP and the euro stand?", "get_market_data", symbols).await?;
    let month = json!({ "symbol": "AAPL", "period": "1M", "chart": true });
    stage.ask("How did Apple get there? Draw it.", "get_price_history", month).await?;
    let apple = json!({ "symbol": "AAPL" });
    let chain = stage.ask("Which options are there?", "get_option_chain", apple).await?;
    let expiry = &chain["expiries"][0]["expiry"];
    let money = json!({ "symbol": "AAPL", "expiry": expiry, "strikes": 3 });
    stage.ask("What do those around the money cost?", "get_option_chain", money).await?;
    Ok(())
}

/// An order, from the question to the record; its id.
async fn order(stage: &mut Stage, home: &Home) -> Result<String, Fault> {
    let order = json!({ "symbol": "AAPL", "action": "BUY", "orderType": "MKT", "quantity": 2 });
    stage.ask("What would two shares of Apple cost me?", "preview_order", order.clone()).await?;
    let placed = stage.ask("Buy them.", "place_order", order).await?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (intent, approval) = (text(&placed["intentId"]), text(&placed["confirmation"]["id"]));
    stage.person("You approve it. No tool can.", home, &["approve", &approval, "--yes"]).await?;
    let wait = json!({ "intentId": intent });
    stage.ask("Is it filled?", "wait_for_order", wait).await?;
    stage.person("Who did what, and why?", home, &["audit", "--order", &intent]).await?;
    Ok(intent)
}

/// What a statement of the past says.
async fn statement(stage: &mut Stage) -> Result<(), Fault> {
    let query = json!({ "queryId": QUERY });
    stage.ask("Fetch my statement of the year.", "get_flex_query", query).await?;
    let question = json!({ "question": "dividends by symbol", "limit": 5 });
    stage.ask("Which dividends did I get?", "ask_flex", question).await?;
    Ok(())
}

/// A daemon dies, and nobody is worse off.
async fn survive(stage: &mut Stage, home: &Home, intent: &str) -> Result<(), Fault> {
    if !stage.kill_daemon(home).await {
        return Ok(());
    }
    let intent = json!({ "intentId": intent });
    stage.ask("What became of my order?", "get_order_status", intent).await?;
    stage.person("Is the record of it whole?", home, &["audit", "verify"]).await
}
