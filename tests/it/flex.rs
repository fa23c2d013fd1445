//! Flex statements: run, joined, resumed, kept, asked.

use ibd_tests::{Shim, Sim, World, until};
use serde_json::{Value, json};

const TOKEN: &str = "sim-flex-token";

fn world(sim: &Sim, token: &str) -> World {
    let address = format!("https://127.0.0.1:{}/AccountManagement/FlexWebService", sim.port());
    World::attached(sim).with("IB_FLEX_TOKEN", token).with("IB_FLEX_URL", &address)
}

async fn sim() -> Sim {
    Sim::scenario(json!({ "flex": { "generateMillis": 300, "polls": 1 }, "flexPacing": false }))
        .await
}

async fn ready(client: &mut Shim, arguments: Value) -> Value {
    let mut out = Value::Null;
    until("the statement is ready", async || {
        out = client.call("get_flex_query", arguments.clone()).await.ok();
        out["status"] == "ready"
    })
    .await;
    out
}

async fn sends(sim: &Sim) -> u64 {
    sim.control_get("/flex").await["sends"].as_u64().unwrap()
}

#[tokio::test]
async fn a_statement_is_summed_up_paged_exported_asked_and_forgotten() {
    let sim = sim().await;
    let world = world(&sim, TOKEN);
    let mut client = world.client().await;
    let first = ready(&mut client, json!({ "queryId": "1001" })).await;
    assert_eq!(first["queryName"], "Activity", "{first}");
    assert_eq!(first["fromArchive"], false, "{first}");
    let sections = first["summary"]["sections"].as_array().unwrap();
    assert!(sections.iter().any(|section| section["name"] == "Trades"), "{first}");
    assert!(first.to_string().len() < 40_000, "{} bytes", first.to_string().len());

    // Within ten minutes it is given again, by name in any case too.
    let again = ready(&mut client, json!({ "queryId": "aCTIVITY" })).await;
    assert_eq!(again["fromArchive"], true, "{again}");
    assert_eq!(sends(&sim).await, 1);

    let page = json!({
        "queryId": "1001", "section": "trades", "level": "EXECUTION",
        "columns": ["symbol", "quantity"], "limit": 2,
    });
    let page = ready(&mut client, page).await;
    assert_eq!(page["rows"]["cols"], json!(["symbol", "quantity"]), "{page}");
    assert_eq!(page["rows"]["rows"].as_array().unwrap().len(), 2);
    assert_eq!(page["cursor"], 2, "{page}");
    let wrong =
        client.call("get_flex_query", json!({ "queryId": "1001", "section": "Nope" })).await;
    assert_eq!(wrong.error(), "invalid_argument");
    // What says which rows means nothing without a section, and is not dropped.
    for word in
        [json!({ "symbol": "AAPL" }), json!({ "from": "2026-01-01" }), json!({ "limit": 5 })]
    {
        let mut wish = json!({ "queryId": "1001" });
        let named = word.as_object().unwrap().clone();
        wish.as_object_mut().unwrap().extend(named.clone());
        let refused = client.call("get_flex_query", wish).await;
        assert_eq!(refused.error(), "invalid_argument");
        assert_eq!(refused.json["field"].as_str(), named.keys().next().map(String::as_str));
    }
    // A known query gets the name that is given.
    ready(&mut client, json!({ "queryId": "1001", "queryName": "Year" })).await;
    assert_eq!(ready(&mut client, json!({ "queryId": "year" })).await["queryId"], "1001");
    ready(&mut client, json!({ "queryId": "1001", "queryName": "Activity" })).await;

    for (form, start) in [("xml", "<"), ("csv", "accountId"), ("json", "{")] {
        let wish = json!({ "queryId": "1001", "section": "CashTransactions", "export": form });
        let out = ready(&mut client, wish).await;
        let text = std::fs::read_to_string(out["file"].as_str().unwrap()).unwrap();
        assert!(text.starts_with(start) && text.len() as u64 == out["fileBytes"], "{form}: {out}");
    }

    let asked = client.call("ask_flex", json!({ "question": "dividends by country" })).await.ok();
    assert_eq!(asked["answer"]["query"]["name"], "Activity", "{asked}");
    assert!(!asked["answer"]["table"]["rows"].as_array().unwrap().is_empty(), "{asked}");
    let by_topic =
        json!({ "topic": "dividends", "by": ["country"], "sort": "largest", "limit": 1 });
    let by_topic = client.call("ask_flex", by_topic).await.ok();
    assert_eq!(
        (
            &by_topic["answer"]["totals"],
            by_topic["answer"]["table"]["rows"].as_array().unwrap().len()
        ),
        (&asked["answer"]["totals"], 1),
        "the same, and only the first row: {by_topic}"
    );
    // Gross, tax and what is left, however it is asked.
    let asked_totals = asked["answer"]["totals"].clone();
    assert!(asked_totals["cols"].as_array().unwrap().contains(&json!("net")), "{asked}");
    for asked in [
        json!({ "question": "dividends after withholding tax" }),
        json!({ "question": "net dividends by country" }),
        json!({ "topic": "net_dividends" }),
    ] {
        let net = client.call("ask_flex", asked.clone()).await.ok();
        assert_eq!(net["answer"]["totals"], asked_totals, "{asked}: {net}");
    }
    let tax = client.call("ask_flex", json!({ "topic": "withholding_tax" })).await.ok();
    assert!(tax["answer"]["question"].as_str().unwrap().starts_with("withholding tax"), "{tax}");
    // What is not understood would make it another question.
    for (arguments, field, word) in [
        (json!({ "question": "top dividends from Exxon" }), "question", "Exxon"),
        (json!({ "topic": "weather" }), "topic", "weather"),
        (json!({ "topic": "dividends", "by": "colour" }), "by", "colour"),
        (json!({ "topic": "dividends", "side": "BUY" }), "topic", "purchases"),
        (json!({ "topic": "dividends", "country": "Switzerland" }), "country", "Switzerland"),
    ] {
        let refused = client.call("ask_flex", arguments).await;
        assert_eq!((refused.error(), &refused.json["field"]), ("invalid_argument", &json!(field)));
        assert!(refused.json["message"].as_str().unwrap().contains(word), "{}", refused.json);
    }
    let unknown = json!({ "topic": "dividends", "symbol": "NOSUCHTHING" });
    let unknown = client.call("ask_flex", unknown).await;
    assert_eq!(unknown.error(), "flex_no_symbol", "{}", unknown.json);
    let odd = client.call("ask_flex", json!({ "question": "what is the weather" })).await;
    assert_eq!(odd.error(), "invalid_argument");

    let list = client.call("list_flex_queries", json!({ "confirm": true })).await.ok();
    assert_eq!((&list["count"], &list["statements"]), (&json!(1), &json!(1)), "{list}");
    assert!(list["queries"][0]["coverage"].as_str().unwrap().starts_with("have 20"), "{list}");
    let gone = json!({ "queryId": "activity", "statements": true });
    let gone = client.call("forget_flex_query", gone).await.ok();
    assert_eq!(gone["statementsRemoved"], 1, "{gone}");
    let again = client.call("forget_flex_query", json!({ "queryId": "activity" })).await;
    assert_eq!(again.error(), "flex_query_unknown");
}

#[tokio::test]
async fn two_clients_share_one_run_and_a_kill_does_not_ask_twice() {
    let sim = sim().await;
    sim.tell("/flex", json!({ "generateMillis": 6000, "polls": 3 })).await;
    let world = world(&sim, TOKEN);
    let (mut one, mut other) = (world.client().await, world.client().await);
    let wish = json!({ "queryId": "1004", "queryName": "Mine" });
    let (first, second) = tokio::join!(ready(&mut one, wish.clone()), ready(&mut other, wish));
    assert_eq!((&first["status"], &second["status"]), (&json!("ready"), &json!("ready")));
    assert_eq!(sends(&sim).await, 1);

    // The reference is kept, whatever becomes of the daemon.
    sim.tell("/flex", json!({ "generateMillis": 8000, "polls": 3 })).await;
    let asked = tokio::spawn(async move {
        one.call("get_flex_query", json!({ "queryId": "1007" })).await;
    });
    until("the statement is being made", async || {
        let told = sim.control_get("/flex").await;
        told["queries"]["1007"]["polls"].as_u64() > Some(0)
    })
    .await;
    asked.abort();
    world.kill_daemon().await;
    let out = ready(&mut world.client().await, json!({ "queryId": "1007" })).await;
    assert_eq!(out["queryName"], "Trades only", "{out}");
    let told = sim.control_get("/flex").await;
    assert_eq!(told["queries"]["1007"]["sends"], 1, "{told}");
    // What was remembered before is still so, by the name that was given.
    let mine = ready(&mut world.client().await, json!({ "queryId": "MINE" })).await;
    assert_eq!(mine["queryId"], "1004", "{mine}");
}

#[tokio::test]
async fn every_code_that_ends_a_run_says_what_to_do() {
    let sim = sim().await;
    let world = world(&sim, TOKEN);
    let mut client = world.client().await;
    for (code, error) in [
        (1003, "flex_not_available"),
        (1010, "flex_legacy_query"),
        (1011, "flex_service_inactive"),
        (1012, "flex_token_expired"),
        (1013, "flex_ip_restricted"),
        (1014, "flex_query_invalid"),
        (1015, "flex_token_invalid"),
        (1016, "flex_account_invalid"),
        (1020, "flex_request_invalid"),
    ] {
        sim.tell("/flex", json!({ "next": [{ "code": code }] })).await;
        let reply = client.call("get_flex_query", json!({ "queryId": "1001" })).await;
        assert_eq!(reply.error(), error, "{}", reply.json);
        assert!(!reply.json.to_string().contains(TOKEN));
        assert!(reply.json["next"].as_str().unwrap().len() > 20);
    }
    let never = client.call("get_flex_query", json!({ "queryId": "no such name" })).await;
    assert_eq!(never.error(), "flex_query_unknown");
    let list = client.call("list_flex_queries", json!({})).await.ok();
    assert_eq!(list["count"], 0, "what never gave a statement is not remembered: {list}");
}

#[tokio::test]
async fn a_code_that_passes_is_waited_out() {
    let sim = sim().await;
    let world = world(&sim, TOKEN);
    let mut client = world.client().await;
    let unknown = client.call("get_flex_query", json!({ "queryId": "4711" })).await;
    assert_eq!(unknown.error(), "flex_query_invalid");
    // Heavy load at the first call; at the second the reference is lost, once.
    let next = json!([{ "code": 1009, "at": "send" }, { "code": 1017, "at": "get" }]);
    sim.tell("/flex", json!({ "next": next })).await;
    let out = ready(&mut client, json!({ "queryId": "1003" })).await;
    assert!(out["summary"]["notes"].is_array() || out["summary"]["sections"].is_array(), "{out}");
    let told = sim.control_get("/flex").await;
    assert_eq!(told["codes"]["1017"], 1, "{told}");
}

#[tokio::test]
async fn half_a_statement_leaves_the_one_before() {
    let sim = sim().await;
    let world = world(&sim, TOKEN);
    let mut client = world.client().await;
    ready(&mut client, json!({ "queryId": "1004" })).await;
    sim.tell("/flex", json!({ "html": true })).await;
    let wish = json!({ "queryId": "1004", "refresh": true });
    let asked = tokio::spawn(async move {
        client.call("get_flex_query", wish).await;
    });
    until("it was told a web page", async || sim.count("SendRequest").await >= 2).await;
    let mut other = world.client().await;
    let list = other.call("list_flex_queries", json!({})).await.ok();
    assert_eq!(list["statements"], 1, "{list}");
    sim.tell("/flex", json!({ "html": false })).await;
    let out = ready(&mut other, json!({ "queryId": "1004" })).await;
    assert_eq!(out["queryId"], "1004");
    asked.abort();
}

#[tokio::test]
async fn a_statement_that_broke_off_leaves_the_one_before() {
    let sim = sim().await;
    let world = world(&sim, TOKEN);
    let mut client = world.client().await;
    let first = ready(&mut client, json!({ "queryId": "1004" })).await;
    sim.tell("/flex", json!({ "truncate": 0.5 })).await;
    let before = sim.count("GetStatement").await;
    let wish = json!({ "queryId": "1004", "refresh": true });
    let id = client.begin_call("get_flex_query", wish).await;
    let mut other = world.client().await;
    // It is fetched again once its half was read.
    until("half of it came, twice", async || sim.count("GetStatement").await >= before + 3).await;
    let asked = json!({ "question": "trades", "query": "1004" });
    other.call("ask_flex", asked).await.ok();
    let list = other.call("list_flex_queries", json!({})).await.ok();
    assert_eq!(list["statements"], 1, "{list}");
    sim.tell("/flex", json!({ "truncate": 0.0 })).await;
    let whole = client.reply(id).await.ok();
    let whole = if whole["status"] == "ready" {
        whole
    } else {
        ready(&mut client, json!({ "queryId": "1004" })).await
    };
    assert_eq!(whole["queryName"], first["queryName"], "{whole}");
}

#[tokio::test]
async fn names_that_differ_in_case_alone_are_not_guessed() {
    let sim = sim().await;
    let world = world(&sim, TOKEN);
    let mut client = world.client().await;
    ready(&mut client, json!({ "queryId": "1001" })).await;
    ready(&mut client, json!({ "queryId": "1004" })).await;
    let clash = client.call("get_flex_query", json!({ "queryId": "ACTIVITY" })).await;
    assert_eq!(clash.error(), "flex_query_ambiguous");
    let candidates = clash.json["candidates"].as_array().unwrap();
    let ids: Vec<&str> = candidates.iter().map(|one| one["queryId"].as_str().unwrap()).collect();
    assert_eq!(ids, ["1001", "1004"], "{}", clash.json);
    let exact = ready(&mut client, json!({ "queryId": "activity" })).await;
    assert_eq!(exact["queryId"], "1004", "{exact}");
    let kept = json!({ "queryId": "ACTIVITY", "statements": true });
    assert_eq!(client.call("forget_flex_query", kept).await.error(), "flex_query_ambiguous");
}

#[tokio::test]
async fn too_many_requests_are_waited_out_and_said() {
    let sim = sim().await;
    let world = world(&sim, TOKEN);
    let mut client = world.client().await;
    sim.tell("/flex", json!({ "next": [{ "code": 1018, "at": "send" }] })).await;
    let call = json!({
        "name": "get_flex_query", "arguments": { "queryId": "1001" }, "_meta": { "progressToken": 1 },
    });
    client.begin("tools/call", call).await;
    let mut said = String::new();
    until("it is said that IBKR wants fewer requests", async || {
        let line = client.line().await.unwrap();
        said = line["params"]["message"].as_str().unwrap_or_default().to_owned();
        said.contains("fewer requests")
    })
    .await;
    assert!(said.contains("60 s"), "{said}");
    assert_eq!(sends(&sim).await, 1, "IBKR is left alone for a minute");
}

#[tokio::test]
async fn the_own_simulator_has_the_service_too() {
    let world = World::simulated().with("IB_FLEX_TOKEN", TOKEN);
    let mut client = world.client().await;
    client.call("get_session_status", json!({})).await.ok();
    let empty = ready(&mut client, json!({ "queryId": "1003" })).await;
    assert_eq!(empty["queryName"], "Nothing in it", "{empty}");
    let asked = client.call("ask_flex", json!({ "question": "dividends" })).await;
    assert_eq!(asked.ok()["answer"]["rowsInAll"], 0, "it says so, and nothing else");
}

#[tokio::test]
async fn a_query_runs_by_itself_and_old_statements_go() {
    let sim = sim().await;
    let world = world(&sim, TOKEN);
    let mut client = world.client().await;
    // What the original remembered is taken over; it has given no statement here, so it is due.
    let file = world.path("flex-queries.json");
    std::fs::write(&file, r#"{"queries":[{"id":"a","name":"Taxes","queryId":"1004"}]}"#).unwrap();
    assert!(world.ctl(&["flex", "import", file.to_str().unwrap()]).await.status.success());
    let never = world.ctl(&["flex", "schedule", "Dividends"]).await;
    assert_eq!(never.status.code(), Some(1), "{never:?}");
    let wrong = world.ctl(&["flex", "schedule", "taxes", "--at", "25:00"]).await;
    assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");

    sim.tell("/flex", json!({ "next": [{ "code": 1012, "at": "send" }] })).await;
    let set = world.ctl(&["flex", "schedule", "taxes", "--at", "06:30"]).await;
    assert!(String::from_utf8_lossy(&set.stdout).contains("06:30"), "{set:?}");
    until("a person is told that it failed", async || {
        let status = world.status().await;
        status["conditions"].to_string().contains("flex_daily_failed")
    })
    .await;
    world.ctl(&["flex", "schedule", "taxes", "--off"]).await;
    let status = world.status().await;
    assert!(!status["conditions"].to_string().contains("flex_daily_failed"), "{status}");
    world.ctl(&["flex", "schedule", "taxes"]).await;
    until("the statement is there", async || {
        let list = client.call("list_flex_queries", json!({})).await.ok();
        list["statements"] == 1 && list["queries"][0]["daily"] == "06:15"
    })
    .await;
    world.kill_daemon().await;
    let now = ready(&mut client, json!({ "queryId": "Taxes", "daily": "07:00" })).await;
    assert_eq!(now["daily"], "07:00", "{now}");
    let off = ready(&mut client, json!({ "queryId": "Taxes", "daily": "off" })).await;
    assert!(off["daily"].is_null(), "{off}");
    let odd = client.call("get_flex_query", json!({ "queryId": "Taxes", "daily": "noon" })).await;
    assert_eq!((odd.error(), &odd.json["field"]), ("invalid_argument", &json!("daily")));

    let prune = async |arguments: &[&str]| {
        let output = world.ctl(&[&["flex", "prune"], arguments].concat()).await;
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(prune(&[]).await.0, 2, "nothing goes without a rule");
    let (code, text) = prune(&["--superseded", "--keep-mb", "100"]).await;
    assert!(code == 0 && text.starts_with("0 statements"), "{text}");
    let (code, text) = prune(&["--older-than", "0", "--dry-run"]).await;
    assert!(code == 0 && text.contains("would be removed") && text.contains(".xml.gz"), "{text}");
    let listed = String::from_utf8(world.ctl(&["flex", "list"]).await.stdout).unwrap();
    assert!(listed.starts_with("1 statements, "), "{listed}");
    let (code, text) = prune(&["--older-than", "0"]).await;
    assert!(code == 0 && text.starts_with("1 statements"), "{text}");
    let list = client.call("list_flex_queries", json!({})).await.ok();
    assert_eq!((&list["statements"], &list["count"]), (&json!(0), &json!(1)), "{list}");
}

#[tokio::test]
async fn the_end_of_a_token_is_said_ahead() {
    let sim = sim().await;
    let soon = jiff::Zoned::now().date().checked_add(jiff::ToSpan::days(3)).unwrap().to_string();
    let world = world(&sim, TOKEN).with("IB_FLEX_TOKEN_EXPIRES", &soon);
    let mut client = world.client().await;
    let list = client.call("list_flex_queries", json!({})).await.ok();
    assert!(list["next"].as_str().unwrap().contains(&soon), "{list}");
    let out = ready(&mut client, json!({ "queryId": "1003" })).await;
    assert!(out["next"].as_str().unwrap().contains("generate a token"), "{out}");
    let status = world.status().await;
    assert!(status["conditions"].to_string().contains("flex_token_expires"), "{status}");
}

#[tokio::test]
async fn without_a_token_the_tools_say_how_to_get_one() {
    let sim = sim().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let reply = client.call("get_flex_query", json!({ "queryId": "1001" })).await;
    assert_eq!(reply.error(), "flex_no_token");
    assert!(reply.json["next"].as_str().unwrap().contains("ibctl secrets set IB_FLEX_TOKEN"));
    let list = client.call("list_flex_queries", json!({})).await.ok();
    assert!(list["next"].as_str().unwrap().contains("Client Portal"), "{list}");
    let asked = client.call("ask_flex", json!({ "question": "dividends" })).await;
    assert_eq!(asked.error(), "flex_no_statement");
}

#[tokio::test]
async fn a_person_runs_exports_imports_and_forgets() {
    let sim = sim().await;
    let world = world(&sim, TOKEN);
    let _client = world.client().await;
    let ctl = async |arguments: &[&str]| {
        let output = world.ctl(arguments).await;
        let text = String::from_utf8(output.stdout.clone()).unwrap();
        (output.status.code().unwrap(), text, String::from_utf8(output.stderr).unwrap())
    };
    let (code, text, why) = ctl(&["flex", "run", "1004", "--name", "Taxes"]).await;
    assert!(code == 0 && text.contains("sections"), "{text} {why}");
    let (code, text, _) = ctl(&["flex", "list"]).await;
    assert!(code == 0 && text.contains("Taxes") && text.contains("have 20"), "{text}");
    let (csv, xml) = (world.path("trades.csv"), world.path("all.xml"));
    let (csv, xml) = (csv.to_str().unwrap(), xml.to_str().unwrap());
    let (code, text, why) = ctl(&["flex", "export", "taxes", csv, "--section", "Trades"]).await;
    assert!(code == 0 && text.contains("trades.csv"), "{text} {why}");
    assert!(std::fs::read_to_string(csv).unwrap().starts_with("accountId"));
    let (code, ..) = ctl(&["flex", "export", "taxes", csv, "--section", "Trades"]).await;
    assert_eq!(code, 1, "what is there is left alone");
    let (code, ..) = ctl(&["flex", "export", "taxes", xml]).await;
    assert_eq!(code, 0);
    let (code, text, _) = ctl(&["flex", "forget", "TAXES", "--statements"]).await;
    assert!(code == 0 && text.contains("removed: 1"), "{text}");
    let (code, text, why) = ctl(&["flex", "import", xml]).await;
    assert!(code == 0 && text.contains("in the archive"), "{text} {why}");
    let (code, _, why) = ctl(&["flex", "import", csv]).await;
    assert!(code == 1 && why.contains("no XML"), "{why}");
    // As the archive keeps it: packed, and there already.
    let kept = std::fs::read_dir(world.state().join("flex")).unwrap().flatten();
    let kept =
        kept.map(|file| file.path()).find(|path| path.extension().is_some_and(|e| e == "gz"));
    let (code, text, why) = ctl(&["flex", "import", kept.unwrap().to_str().unwrap()]).await;
    assert!(code == 0 && text.contains("in the archive before"), "{text}{why}");
    // Nobody waits for what is no file, and nothing of what was handed over stays.
    for odd in ["/dev/zero", world.path("").to_str().unwrap()] {
        let (code, _, why) = ctl(&["flex", "import", odd]).await;
        assert!(code == 1 && why.contains("no regular file"), "{odd}: {why}");
    }
    assert_eq!(std::fs::read_dir(world.state().join("flex-inbox")).unwrap().count(), 0);
    let (code, text, _) = ctl(&["flex", "list", "--json"]).await;
    let list: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &list["queries"][0]["statements"]), (0, &json!(1)), "{list}");
    let (code, _, why) = ctl(&["flex", "run", "nothing"]).await;
    assert!(code == 1 && why.contains("No query"), "{why}");
}
