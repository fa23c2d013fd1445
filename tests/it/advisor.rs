//! An adviser's login: an account that is to be looked at only, clients' accounts, and groups that are none.

use ibd_tests::desk::{Desk, and, resting};
use ibd_tests::{Shim, Sim, World};
use serde_json::{Value, json};

use crate::portfolio::rows;

const MASTER: &str = "DF1000001";
const ADA: &str = "DU1000002";
const BEN: &str = "DU1000003";
const CLEO: &str = "DU1000004";

fn scenario() -> Value {
    serde_json::from_str(include_str!("../../sim/scenarios/advisor.json")).unwrap()
}

/// Refused without a word to IBKR about it: the account is at fault, and this is said.
async fn refused(client: &mut Shim, tool: &str, arguments: Value, says: &str) {
    let reply = client.call(tool, arguments.clone()).await;
    assert_eq!(reply.error(), "unknown_account", "{tool} {arguments}: {}", reply.json);
    assert_eq!(reply.json["field"], "accountId", "{tool} {arguments}: {}", reply.json);
    let message = reply.json["message"].as_str().unwrap();
    assert!(message.contains(says), "{tool} {arguments}: {}", reply.json);
    let all = reply.json["candidates"].as_array().unwrap();
    assert!(all.contains(&json!(ADA)) && !all.contains(&json!("All")), "{}", reply.json);
}

#[tokio::test]
async fn groups_are_no_accounts_and_leave_no_doubt_about_paper() {
    let sim = Sim::scenario(scenario()).await;
    let world = World::attached(&sim).with("IB_PAPER_TRADING", "true");
    let mut client = world.client().await;
    let status = client.call("get_session_status", json!({})).await.ok();
    assert_eq!(status["accounts"], json!([MASTER, ADA, BEN, CLEO]), "{status}");
    assert_eq!(status["paper"], true, "{status}");
    for name in ["All", "all", "Growth"] {
        for tool in ["get_positions", "get_account_info", "get_performance", "get_allocation"] {
            refused(&mut client, tool, json!({ "accountId": name }), "several accounts").await;
        }
    }
    assert_eq!(sim.count("/All").await + sim.count("/Growth").await, 0);
}

#[tokio::test]
async fn each_account_is_told_by_its_name() {
    let sim = Sim::scenario(scenario()).await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let info = client.call("get_account_info", json!({})).await.ok();
    let accounts = info["accounts"].as_array().unwrap();
    let told: Vec<(&str, &str)> = accounts
        .iter()
        .map(|one| (one["account"].as_str().unwrap(), one["currency"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [(MASTER, "USD"), (ADA, "USD"), (BEN, "EUR"), (CLEO, "USD")], "{info}");
    assert_eq!(accounts[0]["netLiquidation"], 392.5, "{info}");
    assert!(accounts.iter().all(|one| one["title"].is_string()), "{info}");
    // IBKR tells the day's gain of one account at a time: of the others it is said to be unknown.
    for one in accounts.iter().filter(|one| one["dailyPnl"].is_null()) {
        assert!(one["notRead"][0].as_str().unwrap().contains("P&L"), "{info}");
    }
    for (account, base, symbols) in
        [(ADA, "USD", &["AAPL", "MSFT"][..]), (BEN, "EUR", &["SAP"]), (MASTER, "USD", &[])]
    {
        let held = client.call("get_positions", json!({ "accountId": account })).await.ok();
        assert_eq!((&held["account"], &held["base"]), (&json!(account), &json!(base)), "{held}");
        let mut found: Vec<String> =
            rows(&held).iter().map(|row| row["symbol"].as_str().unwrap().to_owned()).collect();
        found.sort();
        assert_eq!(found, symbols, "{held}");
    }
    for tool in ["get_performance", "get_allocation"] {
        let told = client.call(tool, json!({ "accountId": BEN })).await.ok();
        assert_eq!((&told["account"], &told["base"]), (&json!(BEN), &json!("EUR")), "{told}");
    }
    let unnamed = client.call("get_positions", json!({})).await;
    assert_eq!(unnamed.error(), "account_needed", "{}", unnamed.json);
    assert_eq!(unnamed.json["candidates"], json!([MASTER, ADA, BEN, CLEO]));
    assert_eq!(sim.requests().await["status429"], 0);
}

#[tokio::test]
async fn an_advisers_login_works_whatever_the_first_list_has() {
    let mut scenario = scenario();
    scenario["advisor"]["portfolio"] = json!("all");
    let sim = Sim::scenario(scenario).await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let held = client.call("get_positions", json!({ "accountId": BEN })).await.ok();
    assert_eq!((&held["account"], &held["total"]), (&json!(BEN), &json!(1)), "{held}");
}

#[tokio::test]
async fn orders_are_for_one_account_that_may_be_traded() {
    let mut desk = Desk::new(scenario(), "").await;
    for tool in ["place_order", "preview_order"] {
        for (name, says) in [
            ("All", "several accounts"),
            ("Income", "several accounts"),
            (MASTER, "not to be traded"),
            ("DU9999999", "does not belong"),
        ] {
            let order = and(resting(1), json!({ "accountId": name }));
            refused(&mut desk.client, tool, order, says).await;
        }
    }
    // The adviser's own account is no candidate where it cannot be meant.
    let unnamed = desk.refused("place_order", resting(1)).await;
    assert_eq!(unnamed.error(), "account_needed", "{}", unnamed.json);
    assert_eq!(unnamed.json["candidates"], json!([ADA, BEN, CLEO]));
    assert!(desk.placements().await.is_empty() && desk.posts().await == 0);
    let placed = desk.placed(and(resting(1), json!({ "accountId": CLEO }))).await;
    assert_eq!(desk.at_broker(&placed["orderId"]).await["account"], CLEO);
    let arguments = json!({ "all": true, "accountId": "All" });
    refused(&mut desk.client, "cancel_order", arguments, "several accounts").await;
}

#[tokio::test]
async fn a_client_bound_to_a_group_is_told_which_setting_is_wrong() {
    let sim = Sim::scenario(scenario()).await;
    let world = World::attached(&sim).with("IB_ACCOUNT", "Growth");
    let mut client = world.client().await;
    let refused = client.call("get_positions", json!({})).await;
    assert_eq!(
        (refused.error(), &refused.json["field"]),
        ("unknown_account", &json!("IB_ACCOUNT"))
    );
    let named = client.call("get_positions", json!({ "accountId": ADA })).await.ok();
    assert_eq!(named["account"], ADA);
}

#[tokio::test]
async fn orders_are_listed_by_account_and_what_groups_may_have_is_said() {
    let sim = Sim::scenario(scenario()).await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let own = client.call("get_live_orders", json!({ "accountId": BEN })).await.ok();
    assert_eq!((&own["accounts"], &own["total"]), (&json!([BEN]), &json!(1)), "{own}");
    assert!(own["notRead"][0].as_str().unwrap().contains("(All, Growth, Income)"), "{own}");
    let all = client.call("get_live_orders", json!({})).await.ok();
    assert_eq!((&all["accounts"], &all["total"]), (&json!([ADA, BEN, CLEO]), &json!(2)), "{all}");
    let of: Vec<&str> = all["orders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["account"].as_str().unwrap())
        .collect();
    assert!(of.contains(&ADA) && of.contains(&BEN), "{all}");
    assert_eq!(all["notRead"].as_array().unwrap().len(), 1, "nothing else is missing: {all}");
    refused(&mut client, "get_live_orders", json!({ "accountId": MASTER }), "not to be traded")
        .await;
    let trades = client.call("get_trades", json!({})).await.ok();
    assert_eq!(trades["accounts"], json!([ADA, BEN, CLEO]), "{trades}");
    assert_eq!(sim.requests().await["status429"], 0);
}

/// What the brokerage lists is known where the portfolio's second list cannot be had.
#[tokio::test]
async fn clients_are_known_though_their_portfolios_cannot_be_listed() {
    let sim = Sim::scenario(scenario()).await;
    sim.fault(json!({ "match": "/portfolio/subaccounts", "mode": "status", "status": 500 })).await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let own = client.call("get_ledger", json!({ "accountId": MASTER })).await.ok();
    assert_eq!((&own["account"], &own["base"]), (&json!(MASTER), &json!("USD")), "{own}");
    let status = client.call("get_session_status", json!({})).await.ok();
    assert_eq!(status["accounts"], json!([MASTER, ADA, BEN, CLEO]), "{status}");
}
