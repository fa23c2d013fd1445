//! An adviser's login: accounts in tiers, groups, and orders that are split over them.

use serde_json::{Value, json};

use crate::harness::{Answer, World, request};
use crate::tickets::{APPLE, ticket};

const SCENARIO: &str = include_str!("../../scenarios/advisor.json");
const MASTER: &str = "DF1000001";
const ADA: &str = "DU1000002";
const BEN: &str = "DU1000003";
const CLEO: &str = "DU1000004";

/// The scenario with these keys too; nothing is paced and nothing waits.
async fn world(more: Value) -> World {
    let mut scenario: Value = serde_json::from_str(SCENARIO).unwrap();
    let quick = json!({ "pacing": false, "submitMillis": 0, "ordersWarmMillis": 0, "ordersStaleMillis": 0,
        "commissionMillis": 0, "pnlWarmMillis": 0 });
    for (key, value) in quick.as_object().unwrap().iter().chain(more.as_object().unwrap()) {
        scenario[key] = value.clone();
    }
    let world = World::start(&scenario.to_string()).await;
    world.market(271.5).await;
    world
}

async fn put(world: &World, path: &str, body: Value) -> Answer {
    world.raw(&request("PUT", &format!("/v1/api{path}"), Some(&body))).await.unwrap()
}

fn ids(list: &Value) -> Vec<String> {
    let rows = list.as_array().unwrap();
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// Places an order, says yes to everything, and tells what was asked and what became of it.
async fn placed(world: &World, name: &str, changes: Value) -> (Vec<String>, Value) {
    let path = format!("/iserver/account/{name}/orders");
    let mut answer = world.post(&path, json!({ "orders": [ticket(changes)] })).await.json();
    let mut asked = Vec::new();
    while let Some(id) = answer[0]["id"].as_str() {
        asked.push(answer[0]["messageIds"][0].as_str().unwrap().to_owned());
        answer = world.reply(id, true).await.json();
    }
    (asked, answer)
}

#[tokio::test]
async fn the_brokerage_lists_all_clients_and_groups_and_not_the_adviser() {
    let world = world(json!({})).await;
    let all = world.json("/iserver/accounts").await;
    assert_eq!(all["accounts"], json!(["All", ADA, BEN, CLEO, "Growth", "Income"]));
    assert_eq!((&all["groups"], &all["profiles"]), (&json!(["All"]), &json!(["Growth", "Income"])));
    assert_eq!((&all["selectedAccount"], &all["isPaper"]), (&json!(ADA), &json!(true)));
    assert_eq!(all["allowFeatures"]["allowFA"], true);
    assert_eq!((&all["aliases"][ADA], &all["aliases"]["All"]), (&json!("ada"), &json!("All")));
    let few =
        json!({ "hasChildAccounts": false, "supportsCashQty": false, "supportsFractions": false });
    assert_eq!((&all["acctProps"]["All"], &all["acctProps"]["Growth"]), (&few, &few));
    assert_eq!(all["acctProps"][BEN]["supportsFractions"], true);
    let search = world.get("/iserver/account/search/DU1").await;
    assert_eq!(search.status, 503, "{}", search.text);
}

#[tokio::test]
async fn the_portfolio_has_clients_once_all_were_listed() {
    let world = world(json!({})).await;
    assert_eq!(ids(&world.json("/portfolio/accounts").await), [MASTER]);
    let own = world.json(&format!("/portfolio/{MASTER}/ledger")).await;
    assert_eq!(own["USD"]["cashbalance"], 392.5);
    let early = world.get(&format!("/portfolio/{ADA}/summary")).await;
    assert_eq!(early.json()["error"], "Bad Request: Please query /accounts first");
    let all = world.json("/portfolio/subaccounts").await;
    assert_eq!(ids(&all), [MASTER, ADA, BEN, CLEO]);
    assert_eq!((&all[0]["businessType"], &all[0]["faclient"]), (&json!("FA"), &json!(false)));
    assert_eq!((&all[1]["businessType"], &all[1]["faclient"]), (&json!("FA_CLIENT"), &json!(true)));
    let page = world.json("/portfolio/subaccounts2?page=0").await;
    assert_eq!(
        (&page["metadata"]["total"], page["subaccounts"].as_array().unwrap().len()),
        (&json!(4), 4)
    );
    let held = world.json(&format!("/portfolio/{ADA}/positions/0")).await;
    let models: Vec<&str> =
        held.as_array().unwrap().iter().map(|row| row["model"].as_str().unwrap()).collect();
    assert_eq!(models, ["", "Growth"]);
    let one = world.json(&format!("/portfolio/{ADA}/positions/0?model=Growth")).await;
    assert_eq!((one.as_array().unwrap().len(), &one[0]["contractDesc"]), (1, &json!("MSFT")));
}

#[tokio::test]
async fn a_scenario_may_list_all_accounts_at_once() {
    let advisor = json!({ "master": MASTER, "portfolio": "all" });
    let world = world(json!({ "advisor": advisor })).await;
    assert_eq!(ids(&world.json("/portfolio/accounts").await), [MASTER, ADA, BEN, CLEO]);
    assert_eq!(world.get(&format!("/portfolio/{BEN}/summary")).await.status, 200);
}

#[tokio::test]
async fn what_is_not_to_be_traded_is_no_account_of_the_brokerage() {
    let world = world(json!({})).await;
    world.prime().await;
    for path in [
        format!("/iserver/account/{MASTER}/summary"),
        format!("/iserver/account/{MASTER}/alerts"),
        format!("/iserver/account/orders?accountId={MASTER}"),
    ] {
        assert_eq!(world.get(&path).await.status, 400, "{path}");
    }
    let set = world.post("/iserver/account", json!({ "acctId": MASTER })).await;
    assert_eq!((set.status, set.json()), (500, json!({ "error": "Invalid account ID" })));
    let (_, refused) = placed(&world, MASTER, json!({})).await;
    assert!(refused["error"].as_str().unwrap().contains("accountId is not valid"), "{refused}");
}

#[tokio::test]
async fn lists_follow_an_account_or_a_group() {
    let world = world(json!({})).await;
    world.prime().await;
    world.json("/iserver/account/orders").await;
    for (name, refs) in [
        (ADA, &["sim-fa-1"][..]),
        (BEN, &["sim-fa-2"]),
        (CLEO, &[]),
        ("Growth", &["sim-fa-1"]),
        ("All", &["sim-fa-1", "sim-fa-2"]),
    ] {
        world.post("/iserver/account", json!({ "acctId": name })).await;
        let again = world.post("/iserver/account", json!({ "acctId": name })).await.json();
        assert_eq!(again, json!({ "success": "Account already set" }), "{name}");
        let listed = world.json("/iserver/account/orders").await;
        let rows = listed["orders"].as_array().unwrap();
        let found: Vec<&str> = rows.iter().map(|row| row["order_ref"].as_str().unwrap()).collect();
        assert_eq!(found, refs, "{name}");
    }
    // Profit and loss of a group is that of each account, and of an account's models apart.
    world.json("/iserver/account/pnl/partitioned").await;
    world.advance(1).await;
    let pnl = world.json("/iserver/account/pnl/partitioned").await["upnl"].clone();
    let keys: Vec<&String> = pnl.as_object().unwrap().keys().collect();
    let core = |id: &str| format!("{id}.Core");
    let mut wanted = [core(ADA), format!("{ADA}.Growth"), core(BEN), core(CLEO)];
    wanted.sort();
    assert_eq!(keys, wanted.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn groups_are_entered_changed_and_deleted() {
    let world = world(json!({})).await;
    world.prime().await;
    let group = "/iserver/account/allocation/group";
    let list = world.json(group).await;
    assert_eq!(list["data"][1], json!({ "allocation_method": "P", "size": 2, "name": "Income" }));
    let accounts = world.json("/iserver/account/allocation/accounts").await;
    assert_eq!(accounts["accounts"][2]["name"], CLEO);
    assert_eq!(
        accounts["accounts"][2]["data"][0],
        json!({ "value": "30000", "key": "NetLiquidation" })
    );
    let single = |name: &str| {
        world.post("/iserver/account/allocation/group/single", json!({ "name": name }))
    };
    let income = single("Income").await.json();
    assert_eq!(income["accounts"][0], json!({ "amount": 60.0, "name": ADA }));
    assert_eq!(income["default_method"], "P");
    let ratios = json!({ "name": "New", "default_method": "R",
        "accounts": [{ "name": ADA, "amount": 1 }, { "name": BEN, "amount": 5 }] });
    assert_eq!(world.post(group, ratios.clone()).await.json(), json!({ "success": true }));
    assert_eq!(world.post(group, ratios).await.status, 500, "the name is taken");
    let renamed = json!({ "name": "Newer", "prev_name": "New", "default_method": "E", "accounts": [{ "name": CLEO }] });
    assert_eq!(put(&world, group, renamed).await.json(), json!({ "success": true }));
    let names = world.json("/iserver/accounts").await["profiles"].clone();
    assert_eq!(names, json!(["Growth", "Income", "Newer"]));
    let gone =
        world.post("/iserver/account/allocation/group/delete", json!({ "name": "Newer" })).await;
    assert_eq!(gone.json(), json!({ "success": true }));
    assert_eq!(single("Newer").await.status, 500);
    for (body, status) in [
        (json!({ "name": "X", "accounts": [] }), 400),
        (json!({ "name": "X", "accounts": [{ "name": MASTER }] }), 400),
        (json!({ "name": "X", "default_method": "Q", "accounts": [{ "name": ADA }] }), 400),
        (json!({ "name": "X", "default_method": "S", "accounts": [{ "name": ADA }] }), 400),
        (
            json!({ "name": "X", "default_method": "P", "accounts": [{ "name": ADA, "amount": 60 }] }),
            400,
        ),
        (
            json!({ "name": "X", "default_method": "E", "accounts": [{ "name": ADA, "amount": "6" }] }),
            500,
        ),
        (json!({ "name": "X", "accounts": [{ "name": ADA }], "size": 1 }), 400),
        (json!({ "name": "All", "accounts": [{ "name": ADA }] }), 500),
    ] {
        assert_eq!(world.post(group, body.clone()).await.status, status, "{body}");
    }
    let presets = "/iserver/account/allocation/presets";
    assert_eq!(world.json(presets).await["default_method_for_all"], "N");
    let set = json!({ "default_method_for_all": "E", "group_auto_close_positions": true,
        "profiles_auto_close_positions": true, "strict_credit_check": false, "group_proportional_allocation": false });
    assert_eq!(world.post(presets, set.clone()).await.json(), json!({ "success": true }));
    assert_eq!(world.json(presets).await, set);
}

#[tokio::test]
async fn an_order_for_a_group_is_split_over_its_accounts() {
    let world = world(json!({})).await;
    world.prime().await;
    world.json("/portfolio/subaccounts").await;
    let buy = |quantity: f64| json!({ "orderType": "MKT", "price": null, "quantity": quantity, "acctId": "Growth" });
    let (asked, answer) = placed(&world, "Growth", buy(5.0)).await;
    assert_eq!(asked, ["o10151", "p6"]);
    let id: i64 = answer[0]["order_id"].as_str().unwrap().parse().unwrap();
    let order = world.until(id, "Filled").await;
    assert_eq!((&order["account"], &order["filled"]), (&json!("Growth"), &json!(5.0)));
    for (account, held) in [(ADA, 43.0), (CLEO, 2.0)] {
        let rows = world.json(&format!("/portfolio2/{account}/positions")).await;
        let rows = rows.as_array().unwrap().clone();
        let apple = rows
            .iter()
            .find(|row| row["conid"].as_str() == Some(APPLE.to_string().as_str()))
            .unwrap();
        assert_eq!(apple["position"], held, "{account}");
    }
    world.post("/iserver/account", json!({ "acctId": CLEO })).await;
    let trades = world.trades().await;
    let own: Vec<&Value> = trades.iter().filter(|trade| trade["order_id"] == id).collect();
    assert_eq!((own.len(), &own[0]["size"], &own[0]["account"]), (1, &json!(2.0), &json!(CLEO)));
    assert_eq!(own[0]["account_allocation_name"], "Growth");
    // Its page is seen where a group is followed that it is of.
    let page = format!("/iserver/account/order/status/{id}");
    assert_eq!(world.get(&page).await.status, 503);
    world.post("/iserver/account", json!({ "acctId": "All" })).await;
    assert_eq!(world.json(&page).await["account"], "Growth");
}

#[tokio::test]
async fn a_group_takes_whole_quantities_and_has_no_preview() {
    let world = world(json!({})).await;
    world.prime().await;
    for odd in [json!({ "quantity": 0.5 }), json!({ "quantity": null, "cashQty": 500.0 })] {
        let (_, refused) = placed(&world, "All", odd).await;
        assert!(refused["error"].as_str().unwrap().contains("whole quantities"), "{refused}");
    }
    let preview = world
        .post("/iserver/account/Growth/orders/whatif", json!({ "orders": [ticket(json!({}))] }))
        .await;
    assert_eq!(preview.status, 400, "{}", preview.text);
    // Another account than the path's is none of this order.
    let (_, refused) = placed(&world, "Growth", json!({ "acctId": ADA })).await;
    assert!(refused["error"].as_str().unwrap().contains("accountId is not valid"), "{refused}");
}

#[tokio::test]
async fn accounts_can_be_searched_for_where_there_are_very_many() {
    let world = world(json!({ "dynamicAccounts": true })).await;
    let all = world.json("/iserver/accounts").await;
    assert_eq!(all["allowFeatures"]["allowDynAccount"], true);
    let found = world.json("/iserver/account/search/AD").await;
    assert_eq!(
        (&found["matchedAccounts"][0]["accountId"], &found["pattern"]),
        (&json!(ADA), &json!("AD"))
    );
    let chosen = world.post("/iserver/dynaccount", json!({ "acctId": BEN })).await.json();
    assert_eq!(chosen, json!({ "set": true, "acctId": BEN }));
    assert_eq!(world.json("/iserver/accounts").await["selectedAccount"], BEN);
}

#[tokio::test]
async fn other_logins_have_no_groups() {
    let world = World::primed().await;
    let all = world.json("/iserver/accounts").await;
    assert_eq!((&all["accounts"], &all["groups"]), (&json!(["DU1234567"]), &json!([])));
    assert_eq!(world.get("/iserver/account/allocation/group").await.status, 503);
    let set = world.post("/iserver/account", json!({ "acctId": "All" })).await;
    assert_eq!(set.status, 500);
}

#[tokio::test]
async fn performance_is_told_of_each_account_and_of_several_together() {
    let world = world(json!({})).await;
    let both = json!({ "acctIds": [ADA, BEN] });
    let all = world.post("/pa/allperiods", both).await.json();
    assert_eq!(
        (&all[ADA]["baseCurrency"], &all[BEN]["baseCurrency"]),
        (&json!("USD"), &json!("EUR"))
    );
    let one = world
        .post("/pa/performance", json!({ "acctIds": [ADA, BEN], "period": "1M" }))
        .await
        .json();
    assert_eq!(one["nav"]["data"][0]["idType"], "consolidated");
    let group =
        world.post("/pa/performance", json!({ "acctIds": ["Growth"], "period": "1M" })).await;
    assert_eq!(group.status, 400, "{}", group.text);
}
