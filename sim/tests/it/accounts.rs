//! Accounts, positions and money.

use serde_json::{Value, json};

use crate::harness::World;

const TWO: &str = r#"{"pacing":false,"accounts":[
    {"id":"U1111111","title":"Main","currency":"EUR","cash":{"EUR":1000,"USD":500},"positions":[{"symbol":"SAP","quantity":10,"avgPrice":200}]},
    {"id":"U2222222"}]}"#;

#[tokio::test]
async fn live_accounts_are_called_live() {
    let world = World::start(TWO).await;
    world.prime().await;
    let accounts = world.json("/iserver/accounts").await;
    assert_eq!(
        (&accounts["isPaper"], &accounts["selectedAccount"]),
        (&json!(false), &json!("U1111111"))
    );
    assert_eq!(world.json("/sso/validate").await["LOGIN_TYPE"], 1);
    let set = world.post("/iserver/account", json!({ "acctId": "U2222222" })).await.json();
    assert_eq!(set, json!({ "set": true, "acctId": "U2222222" }));
    let again = world.post("/iserver/account", json!({ "acctId": "U2222222" })).await.json();
    assert_eq!(again, json!({ "success": "Account already set" }));
    let wrong = world.post("/iserver/account", json!({ "acctId": "U9" })).await;
    assert_eq!((wrong.status, wrong.json()), (500, json!({ "error": "Invalid account ID" })));
}

#[tokio::test]
async fn ledger_and_summary_agree_with_positions_prices_and_rates() {
    let world = World::start(TWO).await;
    world.prime().await;
    // A frozen moment would be better, but prices move slowly: a tenth of a percent is plenty.
    let near = |a: f64, b: f64| (a - b).abs() < b.abs() * 0.001 + 0.02;
    let ledger = world.json("/portfolio/U1111111/ledger").await;
    let rate =
        world.json("/iserver/exchangerate?source=USD&target=EUR").await["rate"].as_f64().unwrap();
    let position = world.json("/portfolio/U1111111/positions/0").await[0].clone();
    let value = position["mktPrice"].as_f64().unwrap() * 10.0;
    assert!(near(position["mktValue"].as_f64().unwrap(), value));
    assert!(near(position["unrealizedPnl"].as_f64().unwrap(), value - 2000.0));
    let net = ledger["BASE"]["netliquidationvalue"].as_f64().unwrap();
    assert!(near(net, 1000.0 + 500.0 * rate + value), "{net}");
    assert!(near(ledger["USD"]["exchangerate"].as_f64().unwrap(), rate));
    let summary = world.json("/portfolio/U1111111/summary").await;
    assert!(near(summary["netliquidation"]["amount"].as_f64().unwrap(), net));
    assert_eq!(summary["netliquidation"]["currency"], "EUR");
}

#[tokio::test]
async fn positions_come_in_pages_of_a_hundred() {
    let world = World::start(r#"{"pacing":false,"extraPositions":250}"#).await;
    world.prime().await;
    let mut conids = Vec::new();
    for (page, rows) in [(0, 100), (1, 100), (2, 65), (3, 0)] {
        let found = world.json(&format!("/portfolio/DU1234567/positions/{page}")).await;
        let found = found.as_array().unwrap();
        assert_eq!(found.len(), rows, "page {page}");
        conids.extend(found.iter().map(|row| row["conid"].as_i64().unwrap()));
    }
    conids.sort_unstable();
    conids.dedup();
    assert_eq!(conids.len(), 265);
    let all = world.json("/portfolio2/DU1234567/positions").await;
    assert_eq!(all.as_array().unwrap().len(), 265);
}

#[tokio::test]
async fn a_single_position_loads_its_contract_half_later() {
    let world = World::primed().await;
    let first = world.json("/portfolio/DU1234567/position/265598").await;
    assert_eq!((&first[0]["name"], &first[0]["strike"]), (&Value::Null, &json!(0.0)));
    let later = world.json("/portfolio/DU1234567/position/265598").await;
    assert_eq!((&later[0]["name"], &later[0]["strike"]), (&json!("APPLE INC"), &json!("0")));
    let everywhere = world.json("/portfolio/positions/265598").await;
    assert_eq!(everywhere["DU1234567"][0]["position"], 10.0);
}

#[tokio::test]
async fn the_default_account_holds_six_currencies_options_and_a_future() {
    let world = World::primed().await;
    let rows = world.json("/portfolio/DU1234567/positions/0").await;
    let all = |key: &str| -> Vec<&str> {
        rows.as_array().unwrap().iter().map(|row| row[key].as_str().unwrap()).collect()
    };
    for currency in ["USD", "EUR", "GBP", "JPY", "CHF", "HKD"] {
        assert!(all("currency").contains(&currency), "{currency}");
    }
    assert_eq!(all("assetClass").iter().filter(|class| **class == "OPT").count(), 2);
    assert_eq!(all("assetClass").iter().filter(|class| **class == "FUT").count(), 1);
}

#[tokio::test]
async fn a_portfolio_must_be_primed() {
    let world = World::start(r#"{"pacing":false}"#).await;
    let refused = world.get("/portfolio/DU1234567/summary").await;
    assert_eq!(refused.json()["error"], "Bad Request: Please query /accounts first");
    world.get("/portfolio/accounts").await;
    assert_eq!(world.get("/portfolio/DU1234567/summary").await.status, 200);
    assert_eq!(world.get("/portfolio/U9/summary").await.status, 400);
}
