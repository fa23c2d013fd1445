//! Every fixture has the shape of a live reply. Another crate parses the same fixtures.

use serde_json::json;

use crate::harness::{Answer, World};
use crate::shape::{assert_shape, fixture};

const ACCOUNT: &str = "DU1234567";

/// A refusal must be the fixture's, status and body; ids in the text may differ.
fn assert_refusal(name: &str, live: &Answer, same_text: bool) {
    let wanted = fixture(name);
    assert_eq!(json!(live.status), wanted["status"], "{name}: {}", live.text);
    if same_text {
        assert_eq!(live.json(), wanted["body"], "{name}");
    }
    assert_shape(name, &json!({ "status": live.status, "body": live.json() }), &[]);
}

#[tokio::test]
async fn session_replies_have_the_shape_of_their_fixtures() {
    let world = World::start(r#"{"pacing":false,"session":"ssoOnly"}"#).await;
    assert_shape("auth_status_logged_out", &world.json("/iserver/auth/status").await, &[]);
    let init =
        world.post("/iserver/auth/ssodh/init", json!({ "publish": true, "compete": false })).await;
    assert_shape("ssodh_init", &init.json(), &[]);
    assert_shape("auth_status", &world.json("/iserver/auth/status").await, &[]);
    assert_shape("tickle", &world.json("/tickle").await, &[]);
    assert_shape("sso_validate", &world.json("/sso/validate").await, &[]);
    assert_shape("one_user", &world.json("/one/user").await, &["accts"]);
    assert_shape("logout", &world.post("/logout", json!({})).await.json(), &[]);
}

#[tokio::test]
async fn account_replies_have_the_shape_of_their_fixtures() {
    let world = World::primed().await;
    let maps = ["", ".acctProps", ".aliases", ".chartPeriods"];
    assert_shape("iserver_accounts", &world.json("/iserver/accounts").await, &maps[1..]);
    assert_shape("portfolio_accounts", &world.json("/portfolio/accounts").await, &[]);
    let of = |part: &str| format!("/portfolio/{ACCOUNT}/{part}");
    assert_shape("portfolio_summary", &world.json(&of("summary")).await, &[]);
    assert_shape("portfolio_ledger", &world.json(&of("ledger")).await, &maps[..1]);
    assert_shape("portfolio_positions", &world.json(&of("positions/0")).await, &[]);
    let sides = [
        ".assetClass.long",
        ".assetClass.short",
        ".sector.long",
        ".sector.short",
        ".group.long",
        ".group.short",
    ];
    assert_shape("portfolio_allocation", &world.json(&of("allocation")).await, &sides);
    assert_shape(
        "portfolio2_positions",
        &world.json(&format!("/portfolio2/{ACCOUNT}/positions")).await,
        &[],
    );
    assert_shape(
        "account_summary",
        &world.json(&format!("/iserver/account/{ACCOUNT}/summary")).await,
        &[],
    );
    assert_eq!(world.json("/iserver/account/pnl/partitioned").await, json!({ "upnl": {} }));
    world.advance(2).await;
    assert_shape(
        "pnl_partitioned",
        &world.json("/iserver/account/pnl/partitioned").await,
        &[".upnl"],
    );
}

#[tokio::test]
async fn contract_replies_have_the_shape_of_their_fixtures() {
    let world = World::primed().await;
    let found = world.json("/iserver/secdef/search?symbol=AAPL").await;
    assert_shape("secdef_search", &found, &[]);
    assert_shape(
        "secdef_search_none",
        &world.json("/iserver/secdef/search?symbol=NOSUCH").await,
        &[],
    );
    let months = found[0]["sections"][1]["months"].as_str().unwrap().to_owned();
    let month = months.split(';').next().unwrap();
    let chain = format!("conid=265598&sectype=OPT&month={month}");
    assert_shape(
        "secdef_strikes",
        &world.json(&format!("/iserver/secdef/strikes?{chain}")).await,
        &[],
    );
    let info = world.json(&format!("/iserver/secdef/info?{chain}&strike=270&right=C")).await;
    assert_shape("secdef_info", &info, &[]);
    assert_shape("trsrv_stocks", &world.json("/trsrv/stocks?symbols=AAPL,SAN,NOSUCH").await, &[""]);
    assert_shape("trsrv_futures", &world.json("/trsrv/futures?symbols=ES,CL").await, &[""]);
    let both = format!("/trsrv/secdef?conids=265598,{}", info[0]["conid"]);
    assert_shape("trsrv_secdef", &world.json(&both).await, &[]);
    assert_shape("contract_info", &world.json("/iserver/contract/265598/info").await, &[]);
    let rules =
        world.post("/iserver/contract/rules", json!({ "conid": 265598, "isBuy": true })).await;
    assert_shape("contract_rules", &rules.json(), &[]);
    assert_shape("currency_pairs", &world.json("/iserver/currency/pairs?currency=USD").await, &[]);
    assert_shape(
        "exchangerate",
        &world.json("/iserver/exchangerate?source=USD&target=EUR").await,
        &[],
    );
}

#[tokio::test]
async fn market_data_replies_have_the_shape_of_their_fixtures() {
    let world = World::primed().await;
    let ask = "/iserver/marketdata/snapshot?conids=265598,14020991,38709473,14204,38708201,104747&fields=31,55,84,86";
    assert_shape("snapshot_stub", &world.json(ask).await, &[]);
    world.advance(1).await;
    assert_shape("snapshot", &world.json(ask).await, &[]);
    let bars = world.json("/iserver/marketdata/history?conid=265598&period=1d&bar=5min").await;
    assert_shape("history", &bars, &[]);
}

#[tokio::test]
async fn order_replies_have_the_shape_of_their_fixtures() {
    let world = World::primed().await;
    assert_shape("orders_cold", &world.json("/iserver/account/orders").await, &[]);
    world.json("/iserver/account/trades").await;
    world.advance(2).await;
    assert_shape("orders", &world.json("/iserver/account/orders").await, &[]);
    assert_shape("trades", &world.json("/iserver/account/trades").await, &[]);
    assert_shape(
        "order_status",
        &world.json("/iserver/account/order/status/1234567891").await,
        &[],
    );
}

#[tokio::test]
async fn refusals_are_those_of_their_fixtures() {
    let world = World::start(r#"{"pacing":false,"orderStatusMissMillis":10}"#).await;
    assert_refusal("error_not_primed", &world.get("/iserver/account/orders").await, true);
    world.prime().await;
    assert_refusal("error_account_invalid", &world.get("/iserver/account/U1/summary").await, true);
    let unknown = world.get("/iserver/account/order/status/999999999999").await;
    assert_refusal("error_order_not_found", &unknown, true);
    assert_refusal("error_details_unavailable", &world.get("/iserver/contract/1/info").await, true);
    world.session("drop").await;
    assert_refusal("error_no_bridge", &world.get("/iserver/accounts").await, true);
    world.session("compete").await;
    assert_refusal("error_not_authenticated", &world.get("/iserver/accounts").await, true);
    let paced = World::start("{}").await;
    paced.get("/tickle").await;
    assert_refusal("error_rate_limited", &paced.get("/tickle").await, true);
}
