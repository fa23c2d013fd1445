//! The portfolio: positions in base currency, allocation, and what Portfolio Analyst tells once in fifteen minutes.

use ibd_tests::{Shim, Sim, World};
use serde_json::{Value, json};

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

/// The rows of a table, each as an object.
pub fn rows(table: &Value) -> Vec<Value> {
    let cols: Vec<&str> =
        table["cols"].as_array().unwrap().iter().map(|col| col.as_str().unwrap()).collect();
    let row = |row: &Value| -> Value {
        let cells = row.as_array().unwrap().iter();
        cols.iter().zip(cells).map(|(col, cell)| ((*col).to_owned(), cell.clone())).collect()
    };
    table["rows"].as_array().unwrap().iter().map(row).collect()
}

/// Whether two amounts are one but for what the market did between two answers.
fn about(one: f64, other: f64, of: f64) -> bool {
    (one - other).abs() <= of.abs() * 0.005
}

#[tokio::test]
async fn positions_in_base_currency_agree_with_the_ledger_and_the_whole() {
    let world = World::simulated();
    let mut client = world.client().await;
    let asked = json!({ "fields": ["rate", "exchange", "pnlPct"] });
    let positions = client.call("get_positions", asked).await.ok();
    let ledger = client.call("get_ledger", json!({})).await.ok();
    let info = client.call("get_account_info", json!({})).await.ok();
    let net = number(&positions["totals"]["netLiquidation"]);
    assert!(about(net, number(&info["accounts"][0]["netLiquidation"]), net), "{positions} {info}");
    assert_eq!(positions["base"], "USD");
    let rates = rows(&ledger);
    let (mut sum, mut gained) = (0.0, 0.0);
    for row in rows(&positions) {
        let rate = number(&row["rate"]);
        let own = rates.iter().find(|one| one["currency"] == row["currency"]).unwrap();
        assert!(about(rate, number(&own["rate"]), rate), "{row} {own}");
        let value = number(&row["baseValue"]);
        assert!(about(value, number(&row["value"]) * rate, value), "{row}");
        assert!((number(&row["weightPct"]) - value / net * 100.0).abs() < 0.01, "{row}");
        assert!(row["name"].is_string(), "{row}");
        // Of Vodafone there is no market data here: what it did today nobody knows.
        assert_eq!(row["dayPnl"].is_null(), row["symbol"] == "VOD", "{row}");
        sum += value;
        gained += row["dayPnl"].as_f64().unwrap_or_default();
    }
    let totals = &positions["totals"];
    assert!((sum - number(&totals["value"])).abs() < 0.2, "{positions}");
    assert!(totals["dayPnl"].is_null(), "a sum without one of them is none: {positions}");
    assert!(about(gained, number(&info["accounts"][0]["dailyPnl"]), net), "{positions} {info}");
    // A future is worth what it has gained, and nothing else of what is held is.
    let worth = rows(&positions).iter().fold(0.0, |sum, row| {
        sum + number(if row["secType"] == "FUT" { &row["basePnl"] } else { &row["baseValue"] })
    });
    let cash = number(&ledger["total"][1]);
    assert!(about(worth + cash, net, net), "{worth} {cash} {net}");
    let said = positions["dayPnlIs"].as_str().unwrap();
    assert!(said.contains("prior close") && totals["leftOut"].is_null(), "{positions}");
}

#[tokio::test]
async fn positions_come_in_the_order_that_is_asked_for() {
    let world = World::simulated();
    let mut client = world.client().await;
    for (sort, column) in [("value", "baseValue"), ("pnl", "basePnl"), ("dayPnl", "dayPnl")] {
        let sorted = client.call("get_positions", json!({ "sort": sort })).await.ok();
        // What is not known comes last.
        let numbers: Vec<f64> = rows(&sorted)
            .iter()
            .map(|row| row[column].as_f64().unwrap_or(f64::NEG_INFINITY))
            .collect();
        assert!(numbers.is_sorted_by(|one, other| one >= other), "{sort}: {numbers:?}");
    }
    let sorted = client.call("get_positions", json!({ "sort": "weight", "limit": 2 })).await.ok();
    let weights: Vec<f64> =
        rows(&sorted).iter().map(|row| number(&row["weightPct"]).abs()).collect();
    assert!(weights[0] >= weights[1] && sorted["cursor"] == 2, "{sorted}");
    for (arguments, field) in
        [(json!({ "sort": "colour" }), "sort"), (json!({ "fields": ["colour"] }), "fields")]
    {
        let refused = client.call("get_positions", arguments).await;
        assert_eq!((refused.error(), &refused.json["field"]), ("invalid_argument", &json!(field)));
        assert!(!refused.json["candidates"].as_array().unwrap().is_empty(), "{}", refused.json);
    }
    let tencent = client.call("get_positions", json!({ "symbol": "tencent" })).await.ok();
    assert!(rows(&tencent).iter().all(|row| row["symbol"] == "700"), "{tencent}");
}

#[tokio::test]
async fn what_cannot_be_read_of_a_portfolio_hides_nothing_else() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let odd = json!([
        { "conid": 265_598, "contractDesc": "AAPL", "ticker": "AAPL", "assetClass": "STK", "position": 10,
          "mktPrice": 271.5, "mktValue": 2715.0, "currency": "USD", "unrealizedPnl": "odd", "name": "APPLE INC" },
        { "conid": 8894, "ticker": "KO", "assetClass": "STK", "position": 5, "mktPrice": 60, "mktValue": 300,
          "currency": "USD", "unrealizedPnl": 20, "name": "COCA-COLA" },
        { "conid": "odd", "ticker": "PEP" },
    ]);
    let fault = json!({ "match": "/positions/0", "mode": "status", "status": 200, "body": odd });
    sim.fault(fault).await;
    let positions = client.call("get_positions", json!({})).await.ok();
    let read = rows(&positions);
    assert_eq!(read.len(), 2, "{positions}");
    assert!(read[0]["basePnl"].is_null() && read[0]["baseValue"] == 2715, "{positions}");
    assert_eq!(positions["totals"]["leftOut"], 1, "{positions}");
    assert_eq!(positions["totals"]["value"], 300, "{positions}");
    assert!(positions["notRead"][0].as_str().unwrap().contains("PEP"), "{positions}");
    // Without rates there are positions all the same.
    sim.fault(json!({ "match": "/ledger", "mode": "status", "status": 500, "count": 0 })).await;
    let positions = client.call("get_positions", json!({ "symbol": "AAPL" })).await.ok();
    let read = rows(&positions);
    assert!(read[0]["value"].is_number() && read[0]["baseValue"].is_null(), "{positions}");
    assert!(positions["totals"].is_null(), "{positions}");
    assert!(positions["warnings"][0].as_str().unwrap().contains("base currency"), "{positions}");
    let allocation = client.call("get_allocation", json!({})).await.ok();
    assert!(rows(&allocation).iter().all(|row| row["by"] != "currency"), "{allocation}");
    assert!(allocation["notRead"][0].as_str().unwrap().starts_with("Currencies"), "{allocation}");
}

#[tokio::test]
async fn an_account_is_allocated_in_full() {
    let world = World::simulated();
    let mut client = world.client().await;
    let allocation = client.call("get_allocation", json!({})).await.ok();
    let net = number(&allocation["netLiquidation"]);
    let parts = rows(&allocation);
    for by in ["assetClass", "currency"] {
        let own = parts.iter().filter(|row| row["by"] == by);
        let (sum, percent) = own.fold((0.0, 0.0), |(sum, percent), row| {
            (sum + number(&row["net"]), percent + number(&row["pct"]))
        });
        assert!(about(sum, net, net) && about(percent, 100.0, 100.0), "{by} {sum}: {allocation}");
    }
    assert!(parts.iter().any(|row| row["by"] == "sector" && row["name"] == "Technology"));
    assert!(parts.iter().all(|row| row["by"] != "group"), "{allocation}");
    assert!(parts.iter().any(|row| row["short"].is_number()), "{allocation}");
    let group = client.call("get_allocation", json!({ "by": "group" })).await.ok();
    assert!(rows(&group).iter().all(|row| row["by"] == "group"), "{group}");
    let wrong = client.call("get_allocation", json!({ "by": ["country"] })).await;
    assert_eq!(wrong.json["field"], "by", "{}", wrong.json);
}

/// IBKR gives it once in fifteen minutes; who asks again is told the same, also by another daemon.
#[tokio::test]
async fn performance_is_asked_for_once_in_fifteen_minutes() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let (mut one, mut other) = (world.client().await, world.client().await);
    let month = json!({ "period": "1 month" });
    let ids = (
        one.begin_call("get_performance", month.clone()).await,
        other.begin_call("get_performance", month.clone()).await,
    );
    let first = one.reply(ids.0).await.ok();
    let same = other.reply(ids.1).await.ok();
    assert_eq!((&first["rows"], &first["asOf"]), (&same["rows"], &same["asOf"]));
    assert_eq!((sim.count("/pa/").await, sim.count("/pa/performance").await), (1, 1));
    assert_eq!((&first["account"], &first["period"]), (&json!("DU1234567"), &json!("1M")));
    let change = number(&first["navEnd"]) - number(&first["navBegin"]);
    assert!((change - number(&first["navChange"])).abs() < 0.02, "{first}");
    let days = rows(&first);
    assert_eq!(days.last().unwrap()["returnPct"], first["returnPct"], "{first}");
    assert!(days.len() > 10 && days.len() <= 30, "{first}");
    // Another period: all of them at once, and then nothing any more.
    let year = drawn(&mut one, json!({ "period": "1Y", "limit": 12, "chart": true })).await;
    assert!(rows(&year).len() <= 12 && year["daysInRow"].is_u64(), "{year}");
    let mut last = json!(null);
    for period in ["1D", "7D", "MTD", "YTD", "1M"] {
        last = one.call("get_performance", json!({ "period": period })).await.ok();
    }
    assert_eq!((sim.count("/pa/").await, sim.count("/pa/allperiods").await), (2, 1));
    drop((one, other));
    assert!(world.ctl(&["restart"]).await.status.success());
    let mut client = world.client().await;
    let kept = client.call("get_performance", month).await.ok();
    assert_eq!((&kept["rows"], &kept["asOf"]), (&last["rows"], &last["asOf"]), "{kept}");
    assert_eq!(sim.count("/pa/").await, 2);
    let wrong = client.call("get_performance", json!({ "period": "last decade" })).await;
    assert_eq!((wrong.error(), &wrong.json["field"]), ("invalid_argument", &json!("period")));
    assert_eq!(sim.requests().await["status429"], 0);
}

/// What is answered beside a picture.
async fn drawn(client: &mut Shim, arguments: Value) -> Value {
    let call = json!({ "name": "get_performance", "arguments": arguments });
    let drawn = client.request("tools/call", call).await["result"].take();
    let content = drawn["content"].as_array().unwrap();
    assert_eq!((content.len(), &content[1]["mimeType"]), (2, &json!("image/png")), "{drawn}");
    assert!(content[1]["data"].as_str().unwrap().starts_with("iVBORw0KGgo"), "a PNG");
    drawn["structuredContent"].clone()
}

/// Where the one endpoint has trouble, the other one knows it, too.
#[tokio::test]
async fn performance_comes_from_the_other_endpoint_where_one_has_trouble() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_session_status", json!({})).await.ok();
    sim.fault(json!({ "match": "/pa/performance", "mode": "status", "status": 500, "count": 0 }))
        .await;
    let year = client.call("get_performance", json!({ "period": "1Y" })).await.ok();
    assert!(year["returnPct"].is_number(), "{year}");
}

/// Where nothing is known it is said why, and from when on IBKR may be asked again.
#[tokio::test]
async fn performance_that_nobody_knows_is_said_to_be_so() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_session_status", json!({})).await.ok();
    sim.fault(json!({ "match": "/pa/", "mode": "status", "status": 500, "count": 0 })).await;
    for error in ["broker_trouble", "rate_limited"] {
        let refused = client.call("get_performance", json!({ "period": "1Y" })).await;
        assert_eq!(refused.error(), error, "{}", refused.json);
        assert!(refused.json["retryAt"].is_string(), "{}", refused.json);
    }
    assert_eq!(sim.count("/pa/").await, 2, "each endpoint once");
}

#[tokio::test]
async fn transactions_are_of_one_contract_and_out_of_memory() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let year = json!({ "symbol": "AAPL", "days": 365 });
    let dealt = client.call("get_transactions", year).await.ok();
    assert_eq!((&dealt["account"], &dealt["conid"]), (&json!("DU1234567"), &json!(265_598)));
    let deals = rows(&dealt);
    assert_eq!(dealt["total"], deals.len(), "{dealt}");
    assert!(deals.is_sorted_by(|one, other| {
        one["date"].as_str().unwrap() >= other["date"].as_str().unwrap()
    }));
    for sum in dealt["sums"].as_array().unwrap() {
        let own = deals.iter().filter(|deal| deal["type"] == sum["type"]);
        let amount = own.map(|deal| number(&deal["amount"])).sum::<f64>();
        assert!((amount - number(&sum["amount"])).abs() < 0.1, "{sum}: {dealt}");
    }
    assert!(dealt["realizedPnl"].is_number() && dealt["base"] == "USD", "{dealt}");
    assert!(dealt["notShown"].as_str().unwrap().contains("Commissions"), "{dealt}");
    // Fewer days, and days of their own: the same answer of IBKR's.
    let month = client.call("get_transactions", json!({ "conid": 265_598, "days": 30 })).await.ok();
    assert!(rows(&month).iter().all(|deal| deals.contains(deal)), "{month}");
    let (from, to) = (dealt["from"].clone(), dealt["to"].clone());
    let all = json!({ "symbol": "AAPL", "from": from, "to": to });
    let all = client.call("get_transactions", all).await.ok();
    assert_eq!((&all["rows"], &all["asOf"]), (&dealt["rows"], &dealt["asOf"]));
    assert_eq!(sim.count("/pa/transactions").await, 1);
    // Another contract has to wait, and says how long.
    let other = client.call("get_transactions", json!({ "symbol": "MSFT" })).await;
    assert_eq!(other.error(), "rate_limited", "{}", other.json);
    assert!(other.json["retryAt"].is_string(), "{}", other.json);
    // Days before those that IBKR was asked for are not days without transactions.
    let long_ago = json!({ "symbol": "AAPL", "from": "2019-01-01", "to": "2019-03-01" });
    let long_ago = client.call("get_transactions", long_ago).await;
    assert_eq!(long_ago.error(), "rate_limited", "{}", long_ago.json);
    for (arguments, field) in [
        (json!({}), "symbol"),
        (json!({ "symbol": "AAPL", "days": 5, "from": "2026-01-01" }), "days"),
        (json!({ "symbol": "AAPL", "from": "spring" }), "from"),
    ] {
        let refused = client.call("get_transactions", arguments.clone()).await;
        assert_eq!(refused.json["field"], field, "{arguments}: {}", refused.json);
    }
    assert_eq!(sim.requests().await["status429"], 0);
}

#[tokio::test]
async fn each_account_is_told_by_itself() {
    let sim = Sim::scenario(json!({ "accounts": [
        { "id": "DU1111111", "title": "one", "currency": "USD" },
        { "id": "DU2222222", "title": "two", "currency": "EUR" },
    ] }))
    .await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    for tool in ["get_performance", "get_allocation"] {
        let refused = client.call(tool, json!({})).await;
        assert_eq!(refused.error(), "account_needed", "{tool}: {}", refused.json);
    }
    for (account, base) in [("DU2222222", "EUR"), ("DU1111111", "USD")] {
        for tool in ["get_performance", "get_allocation", "get_positions"] {
            let told = client.call(tool, json!({ "accountId": account })).await.ok();
            assert_eq!(
                (&told["account"], &told["base"]),
                (&json!(account), &json!(base)),
                "{told}"
            );
        }
    }
    assert_eq!(sim.count("/pa/").await, 2, "the second one's came with all of them");
}
