//! Watchlists: read with quotes, created, changed and deleted, and what was not answered.

use ibd_tests::{Shim, Sim, World};
use serde_json::{Value, json};

use crate::portfolio::rows;

async fn edit(client: &mut Shim, arguments: Value) -> Value {
    client.call("edit_watchlist", arguments).await.ok()
}

fn symbols(list: &Value) -> Vec<Value> {
    rows(list).iter().map(|row| row["symbol"].clone()).collect()
}

#[tokio::test]
async fn a_watchlist_is_created_read_with_quotes_edited_and_deleted() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let lists = client.call("get_watchlists", json!({})).await.ok();
    assert_eq!(lists["lists"][0]["name"], "Favorites", "{lists}");
    let new = json!({ "action": "create", "name": "Mine", "symbols": ["AAPL", "SAP.DE"] });
    let mine = edit(&mut client, new).await;
    assert_eq!(symbols(&mine), ["AAPL", "SAP"], "{mine}");
    let quoted = json!({ "name": "mine", "quotes": true });
    let quoted = client.call("get_watchlists", quoted).await.ok();
    assert_eq!(quoted["list"]["id"], mine["id"], "{quoted}");
    for row in rows(&quoted) {
        assert!(row["last"].is_number() && row["currency"].is_string(), "{row}");
    }
    let add = json!({ "action": "add", "id": mine["id"], "conids": [8894, 265_598] });
    let more = edit(&mut client, add).await;
    assert_eq!(symbols(&more), ["AAPL", "SAP", "KO"], "{more}");
    assert!(more["warnings"][0].as_str().unwrap().contains("already"), "{more}");
    let remove = json!({ "action": "remove", "name": "Mine", "symbols": "aapl" });
    assert_eq!(symbols(&edit(&mut client, remove).await), ["SAP", "KO"]);
    let rename = json!({ "action": "rename", "name": "Mine", "newName": "Ours" });
    let ours = edit(&mut client, rename).await;
    assert_eq!((&ours["name"], &ours["id"]), (&json!("Ours"), &mine["id"]));
    assert_eq!(symbols(&ours), ["SAP", "KO"]);
    // Lines between contracts stay where they are.
    let favorites = json!({ "action": "add", "name": "Favorites", "symbols": ["IBM"] });
    edit(&mut client, favorites).await;
    let delete = json!({ "action": "delete", "name": "Ours" });
    let gone = edit(&mut client, delete.clone()).await;
    assert_eq!((&gone["done"], &gone["cols"]), (&json!("delete"), &Value::Null), "{gone}");
    let lists = client.call("get_watchlists", json!({})).await.ok();
    assert_eq!(lists["lists"].as_array().unwrap().len(), 2, "{lists}");
    for (arguments, field) in [
        (delete, "name"),
        (json!({ "action": "drop", "name": "Favorites" }), "action"),
        (json!({ "action": "add", "name": "Favorites" }), "symbols"),
        (json!({ "action": "add", "name": "Favorites", "symbols": ["NOPE"] }), "symbols"),
        (json!({ "action": "remove", "name": "Favorites", "symbols": ["KO"] }), "symbols"),
        (json!({ "action": "create", "name": "europe" }), "name"),
        (json!({ "action": "rename", "name": "Europe" }), "newName"),
        (json!({ "action": "delete", "name": "Europe", "conids": [1] }), "conids"),
        (json!({ "action": "add", "list": "Europe", "symbols": ["IBM"] }), "list"),
    ] {
        let refused = client.call("edit_watchlist", arguments.clone()).await;
        assert_eq!(refused.json["field"], field, "{arguments}: {}", refused.json);
    }
    // What is asked for and cannot be given is not left out in silence.
    let of_none = client.call("get_watchlists", json!({ "quotes": true })).await;
    assert_eq!(of_none.json["field"], "quotes", "{}", of_none.json);
    assert_eq!(of_none.json["candidates"].as_array().unwrap().len(), 2, "{}", of_none.json);
    let unknown = client.call("get_watchlists", json!({ "name": "Favour" })).await;
    assert_eq!(unknown.json["candidates"].as_array().unwrap().len(), 2, "{}", unknown.json);
}

/// What IBKR did not answer may have been done, and is not done a second time.
#[tokio::test]
async fn a_watchlist_that_was_not_answered_is_in_doubt() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_watchlists", json!({})).await.ok();
    let posts = async || {
        let requests = sim.requests().await["requests"].as_array().unwrap().clone();
        let is_post = |request: &&Value| {
            request["method"] == "POST" && request["path"].as_str().unwrap().contains("/watchlist")
        };
        requests.iter().filter(is_post).count()
    };
    let fault = json!({ "match": "/iserver/watchlist", "method": "POST", "mode": "accept_drop" });
    sim.fault(fault).await;
    let new = json!({ "action": "create", "name": "Mine", "symbols": ["AAPL"] });
    let doubt = client.call("edit_watchlist", new.clone()).await;
    assert_eq!(doubt.error(), "gateway_broke", "{}", doubt.json);
    assert!(doubt.json["next"].as_str().unwrap().contains("get_watchlists"), "{}", doubt.json);
    assert_eq!(posts().await, 1);
    let mine = client.call("get_watchlists", json!({ "name": "Mine" })).await.ok();
    assert_eq!(symbols(&mine), ["AAPL"]);
    let again = client.call("edit_watchlist", new).await;
    assert_eq!((again.json["field"].as_str(), posts().await), (Some("name"), 1), "{}", again.json);
}

/// Whether a list exists that cannot be seen is not known, and a second one of its name is not made.
#[tokio::test]
async fn where_the_lists_cannot_be_read_none_is_created() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let create = json!({ "action": "create", "name": "Favorites", "symbols": ["AAPL"] });
    for odd in [
        json!({ "data": { "user_lists": [{ "id": "102", "name": "Europe" }, { "name": "Favorites" }] } }),
        json!({ "data": { "user_lists": [{ "id": "101" }] } }),
        json!({ "data": { "user_lists": null } }),
        json!({ "data": null }),
    ] {
        // A good answer whose text is another one.
        let fault = json!({ "match": "/iserver/watchlists", "method": "GET", "mode": "status", "status": 200,
            "count": 0, "body": odd });
        sim.fault(fault).await;
        let refused = client.call("edit_watchlist", create.clone()).await;
        assert!(refused.is_error, "{odd}: {}", refused.json);
        let message = refused.json["message"].as_str().unwrap();
        assert!(message.contains("it is not known whether"), "{odd}: {message}");
        sim.tell("/calm", json!({ "match": "/iserver/watchlists" })).await;
    }
    let requests = sim.requests().await["requests"].as_array().unwrap().clone();
    assert!(requests.iter().all(|request| request["method"] != "POST"
        || !request["path"].as_str().unwrap().contains("/watchlist")));
    let lists = client.call("get_watchlists", json!({})).await.ok();
    assert_eq!(lists["lists"].as_array().unwrap().len(), 2, "{lists}");
}

/// Lists are put as a whole: of two calls at once neither writes over what the other did.
#[tokio::test]
async fn of_two_calls_at_once_neither_undoes_the_other() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let mut calls = Vec::new();
    for name in ["One", "Two", "Three"] {
        let new = json!({ "action": "create", "name": name, "symbols": ["AAPL"] });
        calls.push(client.begin_call("edit_watchlist", new).await);
    }
    for conid in [8894, 76_792_991] {
        let add = json!({ "action": "add", "name": "Favorites", "conids": [conid] });
        calls.push(client.begin_call("edit_watchlist", add).await);
    }
    for call in calls {
        client.reply(call).await.ok();
    }
    let lists = client.call("get_watchlists", json!({})).await.ok();
    assert_eq!(lists["lists"].as_array().unwrap().len(), 5, "{lists}");
    let favorites = client.call("get_watchlists", json!({ "name": "Favorites" })).await.ok();
    let conids: Vec<Value> = rows(&favorites).iter().map(|row| row["conid"].clone()).collect();
    for conid in [8894, 76_792_991] {
        assert!(conids.contains(&json!(conid)), "{favorites}");
    }
}

/// One contract, one market, one word for it.
#[tokio::test]
async fn a_list_calls_its_quotes_what_a_quote_is_called() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let list = json!({ "name": "Europe", "quotes": true });
    let list = client.call("get_watchlists", list).await.ok();
    for row in rows(&list) {
        let quote = client.call("get_market_data", json!({ "conid": row["conid"] })).await.ok();
        assert_eq!(row["data"], quote["quotes"][0]["data"], "{row} {quote}");
    }
}

#[tokio::test]
async fn who_may_only_read_sees_watchlists_and_changes_none() {
    let world = World::simulated().with("IB_READ_ONLY_MODE", "true");
    let mut client = world.client().await;
    let tools = client.tools().await;
    let has = |name: &str| tools.iter().any(|tool| tool["name"] == name);
    assert!(has("get_watchlists") && !has("edit_watchlist"));
    let call =
        json!({ "name": "edit_watchlist", "arguments": { "action": "delete", "id": "101" } });
    assert_eq!(client.request("tools/call", call).await["error"]["code"], -32602);
    client.call("get_watchlists", json!({ "name": "Europe", "quotes": true })).await.ok();
}
