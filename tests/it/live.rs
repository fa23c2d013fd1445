//! Resources that live: listed, read, followed; told of what changes, over a daemon that dies, and to nobody else's cost.

use std::process::Stdio;
use std::time::Duration;

use ibd_tests::desk::{AAPL, Desk, resting};
use ibd_tests::world::{Signal, is_alive, kill};
use ibd_tests::{PATIENCE, Shim, Sim, World, until};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout;

const QUOTE: &str = "ib://quote/265598";
const ORDERS: &str = "ib://orders";
const POSITIONS: &str = "ib://positions/DU1234567";
const SESSION: &str = "ib://session";
const ALERTS: &str = "ib://alerts";

/// What each request of the newer era carries.
fn modern() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "modern", "version": "1" },
    })
}

fn uris(answer: &Value, list: &str, key: &str) -> Vec<String> {
    let all = answer["result"][list].as_array().unwrap_or_else(|| panic!("{answer}"));
    all.iter().map(|one| one[key].as_str().unwrap().to_owned()).collect()
}

async fn move_to(sim: &Sim, price: f64) {
    sim.tell("/market", json!({ "conid": AAPL, "last": price })).await;
}

/// Reads a quote again at each update, until it has this price.
async fn quoted_at(client: &mut Shim, price: f64) {
    loop {
        client.updated(QUOTE).await;
        if client.read(QUOTE).await["quotes"][0]["last"] == price {
            return;
        }
    }
}

#[tokio::test]
async fn resources_and_their_kinds_are_listed_and_say_what_the_tools_say() {
    let world = World::simulated();
    let mut client = world.client().await;
    client.call("get_session_status", json!({})).await.ok();
    until("the account is known", async || {
        let listed = client.request("resources/list", json!({})).await;
        uris(&listed, "resources", "uri") == [SESSION, ORDERS, POSITIONS, ALERTS]
    })
    .await;
    let kinds = client.request("resources/templates/list", json!({})).await;
    let kinds = uris(&kinds, "resourceTemplates", "uriTemplate");
    assert_eq!(kinds, ["ib://positions/{accountId}", "ib://quote/{conid}"]);
    let read = client.read(QUOTE).await;
    let called = client.call("get_market_data", json!({ "conid": AAPL })).await.ok();
    assert_eq!(read["quotes"][0]["conid"], called["quotes"][0]["conid"], "{read}");
    assert_eq!(client.read(SESSION).await["state"], "ready");
    let positions = client.read(POSITIONS).await;
    let called = client.call("get_positions", json!({})).await.ok();
    assert_eq!(
        (&positions["account"], &positions["total"]),
        (&called["account"], &called["total"])
    );
    assert!(client.read(ORDERS).await["orders"].is_array());
}

#[tokio::test]
async fn what_is_not_there_is_an_error_of_the_clients_era() {
    let world = World::simulated();
    let mut client = world.client().await;
    for uri in ["ib://nothing", "ib://quote/AAPL", "ib://positions/U999", "ib://quote/999999999"] {
        for (meta, code) in [(json!({}), -32002), (modern(), -32602)] {
            let read = json!({ "uri": uri, "_meta": meta });
            let answer = client.request("resources/read", read).await;
            assert_eq!(answer["error"]["code"], code, "{uri}: {answer}");
            assert_eq!(answer["error"]["data"]["uri"], uri, "{answer}");
        }
    }
    // Who followed what is not there would never be told of anything.
    for uri in [
        "ib://nothing",
        "ib://quote/AAPL",
        "ib://quote/1",
        "ib://quote/999999999",
        "ib://positions/U999",
    ] {
        let answer = client.request("resources/subscribe", json!({ "uri": uri })).await;
        assert_eq!(answer["error"]["code"], -32002, "{uri}: {answer}");
        assert_eq!(answer["error"]["data"]["uri"], uri, "{answer}");
    }
    client.subscribe(QUOTE).await;
    let gone = client.request("resources/unsubscribe", json!({ "uri": "ib://nothing" })).await;
    assert!(gone["result"].is_object(), "{gone}");
}

#[tokio::test]
async fn what_cannot_be_read_now_says_why() {
    let sim = Sim::logged_out().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let answer = client.request("resources/read", json!({ "uri": POSITIONS })).await;
    let error = &answer["error"];
    assert_eq!(
        (&error["code"], &error["data"]["error"]),
        (&json!(-32603), &json!("not_logged_in"))
    );
    assert_eq!(client.read(SESSION).await["state"], "need_login");
    // It may be subscribed to all the same, and is told when there is something to read.
    client.subscribe(QUOTE).await;
    client.subscribe(SESSION).await;
    sim.session("login").await;
    client.updated(SESSION).await;
    client.updated(QUOTE).await;
    until("it is read", async || {
        let answer = client.request("resources/read", json!({ "uri": QUOTE })).await;
        answer["result"]["contents"].is_array()
    })
    .await;
}

#[tokio::test]
async fn a_quote_that_is_followed_is_told_when_the_market_moves_and_not_after() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.subscribe(QUOTE).await;
    move_to(&sim, 300.5).await;
    quoted_at(&mut client, 300.5).await;
    // Once it is warm, a read costs IBKR nothing.
    until("it is warm", async || {
        let before = sim.count("/marketdata/snapshot").await;
        client.read(QUOTE).await;
        sim.count("/marketdata/snapshot").await == before
    })
    .await;
    client.request("resources/unsubscribe", json!({ "uri": QUOTE })).await;
    // What was on its way has come by then.
    client.updates_within(QUOTE, Duration::from_millis(500)).await;
    move_to(&sim, 310.5).await;
    assert_eq!(client.updates_within(QUOTE, Duration::from_secs(2)).await, 0);
}

#[tokio::test]
async fn however_many_follow_a_quote_ibkr_is_asked_for_it_once() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut clients = Vec::new();
    for _ in 0..5 {
        let mut client = world.client().await;
        client.subscribe(QUOTE).await;
        clients.push(client);
    }
    move_to(&sim, 305.25).await;
    for client in &mut clients {
        quoted_at(client, 305.25).await;
    }
    // The websocket takes its time; until it is there quotes are asked for.
    until("it is subscribed to", async || sim.said("smd+265598").await == 1).await;
    // One that leaves takes nothing from the others.
    clients.pop();
    move_to(&sim, 306.25).await;
    for client in &mut clients {
        quoted_at(client, 306.25).await;
    }
    assert_eq!((sim.said("smd+265598").await, sim.said("umd+265598").await), (1, 0));
}

/// Each of a hundred follows three quotes of ten and the orders; one of them is stopped in the middle, and takes nothing
/// of what it is told.
#[tokio::test]
async fn a_hundred_clients_of_overlapping_resources_have_one_feed_and_none_holds_up_another() {
    const TEN: [&str; 10] =
        ["AAPL", "MSFT", "NVDA", "AMZN", "GOOGL", "META", "TSLA", "IBM", "SPY", "QQQ"];
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut clients = vec![world.client().await];
    let table = clients[0].call("get_market_data", json!({ "symbols": TEN })).await.ok();
    let at = table["cols"].as_array().unwrap().iter().position(|col| col == "conid").unwrap();
    let rows = table["rows"].as_array().unwrap().iter();
    let contracts: Vec<u64> = rows.map(|row| row[at].as_u64().unwrap()).collect();
    assert_eq!(contracts.len(), TEN.len(), "{table}");
    let quote = |conid: u64| format!("ib://quote/{conid}");
    let part = |client: usize| (0..3).map(move |step| (client + step) % TEN.len());
    while clients.len() < 100 {
        clients.push(world.client().await);
    }
    for (number, client) in clients.iter_mut().enumerate() {
        client.subscribe(ORDERS).await;
        for place in part(number) {
            client.subscribe(&quote(contracts[place])).await;
        }
    }
    for conid in &contracts {
        let begun = format!("smd+{conid}");
        until("each is subscribed to", async || sim.said(&begun).await == 1).await;
    }
    let stopped = clients.pop().unwrap();
    kill(stopped.child.id().unwrap(), Signal::Stop);
    let mut asked = 0;
    for price in [311.25, 312.5] {
        for conid in &contracts {
            sim.tell("/market", json!({ "conid": conid, "last": price })).await;
        }
        for (number, client) in clients.iter_mut().enumerate() {
            for place in part(number) {
                let uri = quote(contracts[place]);
                while client.read(&uri).await["quotes"][0]["last"] != price {
                    client.updated(&uri).await;
                }
            }
        }
        // The first round may still ask for what the feed has not told yet; the second costs nothing.
        let so_far = sim.count("/marketdata/snapshot").await;
        assert!(price < 312.0 || so_far == asked, "{so_far} requests, {asked} before");
        asked = so_far;
    }
    kill(stopped.child.id().unwrap(), Signal::Continue);
    for conid in contracts {
        let said =
            (sim.said(&format!("smd+{conid}")).await, sim.said(&format!("umd+{conid}")).await);
        assert_eq!(said, (1, 0), "{conid}");
    }
}

/// Of a quote that never rests, no more than four words a second reach a client.
#[tokio::test]
async fn a_market_that_never_rests_is_told_in_moderation() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.subscribe(QUOTE).await;
    client.updated(QUOTE).await;
    client.updates_within(QUOTE, Duration::from_millis(500)).await;
    let moving = async {
        for step in 0..60 {
            move_to(&sim, 300.0 + f64::from(step)).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let began = tokio::time::Instant::now();
    let (told, ()) = tokio::join!(client.updates_within(QUOTE, Duration::from_secs(3)), moving);
    let most = began.elapsed().as_millis() as usize / 250 + 2;
    assert!((3..=most).contains(&told), "{told}, at most {most}");
    // And the last price is told in any case.
    move_to(&sim, 400.5).await;
    quoted_at(&mut client, 400.5).await;
}

#[tokio::test]
async fn orders_and_positions_are_told_when_something_becomes_of_an_order() {
    let mut desk = Desk::paper().await;
    let mut other = desk.world.client().await;
    other.subscribe(ORDERS).await;
    other.subscribe(POSITIONS).await;
    let out = desk.placed(resting(10)).await;
    other.updated(ORDERS).await;
    until("the order is listed", async || {
        other.read(ORDERS).await.to_string().contains(out["orderId"].as_str().unwrap())
    })
    .await;
    let held = other.read(POSITIONS).await;
    let id: u64 = out["orderId"].as_str().unwrap().parse().unwrap();
    desk.sim.tell("/fill", json!({ "orderId": id })).await;
    other.updated(POSITIONS).await;
    until("more is held", async || other.read(POSITIONS).await["rows"] != held["rows"]).await;
}

/// Orders that were entered elsewhere, too.
#[tokio::test]
async fn an_order_that_somebody_enters_at_tws_is_told() {
    let desk = Desk::paper().await;
    let mut client = desk.world.client().await;
    client.subscribe(ORDERS).await;
    until("IBKR tells of orders", async || desk.sim.said("sor").await == 1).await;
    client.updates_within(ORDERS, Duration::from_secs(1)).await;
    let order = json!({ "place": { "conid": AAPL, "side": "SELL", "quantity": 1, "type": "LMT", "price": 290 } });
    desk.sim.tell("/tws", order).await;
    client.updated(ORDERS).await;
}

#[tokio::test]
async fn a_daemon_killed_in_the_middle_is_noticed_by_nothing_but_an_update() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.subscribe(QUOTE).await;
    move_to(&sim, 301.5).await;
    quoted_at(&mut client, 301.5).await;
    client.updates_within(QUOTE, Duration::from_millis(500)).await;
    let first = world.daemon_pid().await;
    world.kill_daemon().await;
    // Nobody asks for anything: whoever follows something is somebody who asks.
    until("there is another daemon", async || {
        world.daemon_pid().await.is_some_and(|second| Some(second) != first)
    })
    .await;
    client.updated(QUOTE).await;
    move_to(&sim, 302.5).await;
    quoted_at(&mut client, 302.5).await;
}

#[tokio::test]
async fn a_daemon_that_a_person_stopped_is_not_started_by_whoever_follows_something() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.subscribe(QUOTE).await;
    client.updated(QUOTE).await;
    let pid = world.daemon_pid().await.unwrap();
    assert!(world.ctl(&["stop"]).await.status.success());
    until("it has ended", async || !is_alive(pid)).await;
    client.updates_within(QUOTE, Duration::from_secs(3)).await;
    assert_eq!(world.daemon_pid().await, None, "stop means stop");
    // Somebody else brings it back, and what was followed is followed.
    let mut other = world.client().await;
    other.call("get_session_status", json!({})).await.ok();
    client.updated(QUOTE).await;
    move_to(&sim, 303.5).await;
    quoted_at(&mut client, 303.5).await;
}

#[tokio::test]
async fn in_the_newer_era_one_request_listens_and_its_end_ends_it() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.raw_shim(&[]);
    let wanted = json!({
        "notifications": { "resourceSubscriptions": [QUOTE, "ib://nothing"], "toolsListChanged": true },
        "_meta": modern(),
    });
    let id = client.begin("subscriptions/listen", wanted).await;
    let told = client.notified("notifications/subscriptions/acknowledged", |_| true).await;
    let params = &told["params"];
    assert_eq!(params["notifications"], json!({ "resourceSubscriptions": [QUOTE] }), "{told}");
    assert_eq!(params["_meta"]["io.modelcontextprotocol/subscriptionId"], id, "{told}");
    move_to(&sim, 307.5).await;
    loop {
        let told = client.updated(QUOTE).await;
        assert_eq!(told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], id, "{told}");
        let read = json!({ "uri": QUOTE, "_meta": modern() });
        let answer = client.request("resources/read", read).await;
        assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
        let text = answer["result"]["contents"][0]["text"].as_str().unwrap().to_owned();
        let quotes: Value = serde_json::from_str(&text).unwrap();
        if quotes["quotes"][0]["last"] == 307.5 {
            break;
        }
    }
    // Neither era's words are the other's.
    let old = json!({ "uri": QUOTE, "_meta": modern() });
    let refused = client.request("resources/subscribe", old).await;
    assert_eq!(refused["error"]["code"], -32601, "{refused}");
    let cancelled = json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": id, "_meta": modern() },
    });
    client.send(&cancelled).await;
    client.updates_within(QUOTE, Duration::from_millis(500)).await;
    move_to(&sim, 308.5).await;
    assert_eq!(client.updates_within(QUOTE, Duration::from_secs(2)).await, 0);
    // Whoever leaves while it listens is not held.
    let wanted =
        json!({ "notifications": { "resourceSubscriptions": [SESSION] }, "_meta": modern() });
    client.begin("subscriptions/listen", wanted).await;
    client.notified("notifications/subscriptions/acknowledged", |_| true).await;
    let began = tokio::time::Instant::now();
    assert_eq!(client.close().await, 0);
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[tokio::test]
async fn in_the_newer_era_too_a_daemon_killed_in_the_middle_is_an_update() {
    let world = World::simulated();
    let mut client = world.raw_shim(&[]);
    let wanted =
        json!({ "notifications": { "resourceSubscriptions": [SESSION] }, "_meta": modern() });
    client.begin("subscriptions/listen", wanted).await;
    client.notified("notifications/subscriptions/acknowledged", |_| true).await;
    until("a daemon serves", async || world.daemon_pid().await.is_some()).await;
    client.updates_within(SESSION, Duration::from_secs(2)).await;
    world.kill_daemon().await;
    client.updated(SESSION).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_harms_nobody_and_is_told_when_it_does() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut command = world.command("ib-mcp");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut deaf = command.spawn().unwrap();
    let (mut stdin, stdout) = (deaf.stdin.take().unwrap(), deaf.stdout.take().unwrap());
    let params = json!({ "protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": { "name": "deaf", "version": "1" } });
    let mut lines = vec![
        json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/subscribe", "params": { "uri": QUOTE } }),
    ];
    // More than any pipe holds is said to it before the market moves.
    lines.extend((2..42).map(|id| json!({ "jsonrpc": "2.0", "id": id, "method": "tools/list" })));
    for line in lines {
        stdin.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }
    let mut other = world.client().await;
    other.subscribe(QUOTE).await;
    until("both are followed", async || sim.said("smd+265598").await == 1).await;
    for step in 1..20 {
        let price = 310.0 + f64::from(step);
        move_to(&sim, price).await;
        quoted_at(&mut other, price).await;
    }
    // Now it reads: what was said to it, and after that a word for all that has changed, and not one for each.
    let mut answers = BufReader::new(stdout).lines();
    let (mut left, mut updates) = (42, 0);
    let all = async {
        while left > 0 || updates == 0 {
            let line = answers.next_line().await.unwrap().unwrap();
            let message: Value = serde_json::from_str(&line).unwrap();
            left -= i32::from(message.get("id").is_some());
            updates += i32::from(message["params"]["uri"] == QUOTE);
        }
    };
    timeout(PATIENCE, all).await.unwrap();
    assert!(updates <= 8, "{updates}");
    drop(stdin);
}

#[tokio::test]
async fn a_client_that_is_not_admitted_to_the_login_takes_no_line_of_it() {
    let accounts =
        json!([{ "id": "U7654321", "currency": "USD", "cash": { "USD": 1_000 }, "positions": [] }]);
    let sim = Sim::scenario(json!({ "accounts": accounts, "orders": [] })).await;
    let world = World::attached(&sim).with("IB_PAPER_TRADING", "true");
    let mut client = world.client().await;
    client.subscribe(QUOTE).await;
    until("the live session is seen", async || {
        let answer = client.request("resources/read", json!({ "uri": QUOTE })).await;
        answer["error"]["data"]["error"] == "live_session"
    })
    .await;
    let listed = client.request("resources/list", json!({})).await;
    assert_eq!(uris(&listed, "resources", "uri"), [SESSION, ORDERS, ALERTS], "{listed}");
    move_to(&sim, 311.5).await;
    client.updates_within(QUOTE, Duration::from_secs(2)).await;
    assert_eq!(sim.said("smd+").await, 0);
}

#[tokio::test]
async fn more_than_there_are_lines_for_are_not_followed_and_that_is_said() {
    // While nobody is logged in, IBKR cannot be asked which contracts there are: each may be one.
    let sim = Sim::logged_out().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    for conid in 1..=80 {
        client.subscribe(&format!("ib://quote/{conid}")).await;
    }
    let answer = client.request("resources/subscribe", json!({ "uri": QUOTE })).await;
    assert_eq!(answer["error"]["data"]["error"], "too_busy", "{answer}");
    client.request("resources/unsubscribe", json!({ "uri": "ib://quote/80" })).await;
    until("there is room", async || {
        let answer = client.request("resources/subscribe", json!({ "uri": QUOTE })).await;
        answer["result"].is_object()
    })
    .await;
    sim.session("login").await;
    until("the login is seen, and what is followed can be read", async || {
        let answer = client.request("resources/read", json!({ "uri": QUOTE })).await;
        answer["result"].is_object()
    })
    .await;
    // Of the others it shows now that there are none.
    let answer = client.request("resources/read", json!({ "uri": "ib://quote/7" })).await;
    assert_eq!(answer["error"]["code"], -32002, "{answer}");
    move_to(&sim, 312.5).await;
    quoted_at(&mut client, 312.5).await;
}
