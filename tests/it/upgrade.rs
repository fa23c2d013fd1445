//! Programs of two versions: a newer one takes an older daemon's place under its clients, and an older one never touches
//! what it might misread.
//!
//! The two are one build whose version was written over in its bytes ([`World::replace`]).

use std::time::Duration;

use ibd_protocol::stamp::{FORMAT, Stamp};
use ibd_protocol::version::{Greeting, Hello, PROTOCOL, REFUSED_LEN, Role};
use ibd_protocol::{BUILD, Places};
use ibd_tests::desk::{AAPL, Desk, PRICE, and, resting};
use ibd_tests::world::is_alive;
use ibd_tests::{Sim, World, until};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

const LATER: &str = "99.0.0";

async fn version(world: &World) -> Value {
    world.status().await["daemon"]["version"].clone()
}

/// Says hello to the daemon in the name of another build; what it answers.
async fn greeted(world: &World, hello: Hello) -> Greeting {
    let mut stream = UnixStream::connect(world.socket()).await.unwrap();
    stream.write_all(&hello.to_bytes()).await.unwrap();
    let mut head = [0; REFUSED_LEN];
    stream.read_exact(&mut head).await.unwrap();
    let mut rest = vec![0; Greeting::rest_len(&head).unwrap()];
    stream.read_exact(&mut rest).await.unwrap();
    Greeting::from_parts(&head, &rest).unwrap()
}

fn successor(build: &str) -> Hello {
    Hello { protocol: PROTOCOL + 1, role: Role::Successor, build: build.to_owned() }
}

/// A package was installed: nobody restarts anything.
#[tokio::test]
async fn a_newer_program_on_the_disk_takes_over_and_no_call_fails() {
    let sim = Sim::scenario(json!({ "latencyMillis": 100 })).await;
    let world = World::attached(&sim).install();
    let mut client = world.client().await;
    let before = client.call("get_positions", json!({})).await.ok();
    let pid = world.daemon_pid().await.unwrap();
    assert_eq!(version(&world).await, BUILD);
    world.replace("ibd", LATER);
    let mut calls = 0;
    until("the newer one runs", async || {
        let after = client.call("get_positions", json!({})).await.ok();
        assert_eq!(after["total"], before["total"]);
        calls += 1;
        version(&world).await == LATER
    })
    .await;
    assert!(calls > 1, "calls were made meanwhile");
    assert_eq!(world.daemon_pid().await, Some(pid), "to a service manager it never ended");
    assert_eq!(client.close().await, 0);
}

/// Who follows something is told that what it says may be another by now.
#[tokio::test]
async fn what_was_followed_is_followed_at_the_newer_one() {
    let world = World::simulated().install();
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    client.subscribe("ib://session").await;
    world.replace("ibd", LATER);
    until("the newer one runs", async || version(&world).await == LATER).await;
    client.updated("ib://session").await;
    until("it is ready again", async || client.read("ib://session").await["state"] == "ready")
        .await;
}

/// The program that takes over has nothing but the disk: an order that works is found again, and sent once.
#[tokio::test]
async fn an_order_that_works_is_known_to_the_newer_one_and_was_sent_once() {
    let sim = Sim::scenario(json!({})).await;
    sim.tell("/market", json!({ "conid": AAPL, "last": PRICE })).await;
    let world = World::attached(&sim).install();
    let client = world.client().await;
    let mut desk = Desk { client, world, sim };
    let order = and(resting(2), json!({ "requestId": "before-the-upgrade" }));
    let placed = desk.placed(order.clone()).await;
    let sent = desk.placements().await.len();
    desk.world.replace("ibd", LATER);
    until("the newer one runs", async || version(&desk.world).await == LATER).await;
    let again = desk.place(order).await;
    assert_eq!(again["intentId"], placed["intentId"], "{again}");
    assert_eq!(desk.placements().await.len(), sent);
}

#[tokio::test]
async fn the_same_version_or_an_older_one_on_the_disk_changes_nothing() {
    let world = World::simulated().install();
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    let started = |status: &Value| status["daemon"]["pid"].clone();
    let before = world.status().await;
    for version in [BUILD, "0.0.1"] {
        world.replace("ibd", version);
        // It looks every five seconds, and once more after three.
        tokio::time::sleep(Duration::from_secs(12)).await;
        let after = world.status().await;
        assert_eq!(started(&after), started(&before));
        assert_eq!(after["daemon"]["version"], BUILD);
        let uptime = |status: &Value| status["daemon"]["uptimeSeconds"].as_u64().unwrap();
        assert!(uptime(&after) >= uptime(&before) + 10, "it was not started anew");
    }
    client.call("get_positions", json!({})).await.ok();
}

#[tokio::test]
async fn a_newer_client_beside_a_newer_program_does_not_wait_for_it_to_be_noticed() {
    let world = World::simulated().install();
    let mut older = world.client().await;
    older.call("get_positions", json!({})).await.ok();
    let pid = world.daemon_pid().await.unwrap();
    world.replace("ibd", LATER);
    world.replace("ib-mcp", LATER);
    let mut newer = world.client().await;
    newer.call("get_positions", json!({})).await.ok();
    assert_eq!(version(&world).await, LATER);
    until("the older one is gone", async || {
        !is_alive(pid) || world.daemon_pid().await == Some(pid)
    })
    .await;
    older.call("get_positions", json!({})).await.ok();
    assert_eq!(version(&world).await, LATER, "an older client never takes it back");
    assert_eq!(newer.close().await, 0);

    // Back, because a person says so, and because what the newer one wrote can be read.
    world.replace("ibd", BUILD);
    let restarted = world.ctl(&["restart"]).await;
    assert_eq!(restarted.status.code(), Some(0), "{restarted:?}");
    older.call("get_positions", json!({})).await.ok();
    assert_eq!(version(&world).await, BUILD);
}

/// It understands no word of the newer one's but the first.
#[tokio::test]
async fn a_daemon_makes_room_for_a_newer_build_of_any_protocol_and_for_no_other() {
    let world = World::simulated();
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    let pid = world.daemon_pid().await.unwrap();
    for build in [BUILD, "0.0.1", "not a version"] {
        let answered = greeted(&world, successor(build)).await;
        let Greeting::Refused { reason, .. } = &answered else { panic!("{build}: {answered:?}") };
        assert!(reason.contains(BUILD) && reason.contains("ibctl restart"), "{reason}");
    }
    assert!(is_alive(pid));
    let answered = greeted(&world, successor(LATER)).await;
    assert!(matches!(answered, Greeting::Welcome { pid: answering, .. } if answering == pid));
    until("it has gone", async || !is_alive(pid)).await;
    // The client did not ask for that, and is served by the next one.
    client.call("get_positions", json!({})).await.ok();
}

fn places(world: &World) -> Places {
    Places {
        profile: "default".into(),
        config: world.path(".config/ibd"),
        state: world.state(),
        runtime: world.path("run/ibd"),
        data: world.path("data/ibd"),
    }
}

fn stamp_of_a_later_format(world: &World) {
    let text = format!("format {}\nbuild {LATER}\n", FORMAT + 1);
    std::fs::write(world.state().join("written-by"), text).unwrap();
}

#[tokio::test]
async fn a_state_of_a_later_format_is_refused_and_left_as_it_is() {
    let world = World::simulated();
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    assert_eq!(Stamp::of(&world.state()), Some(Stamp::ours()));
    let pid = world.daemon_pid().await.unwrap();
    stamp_of_a_later_format(&world);

    // Whoever would end the one that runs looks first.
    let restarted = world.ctl(&["restart"]).await;
    let said = String::from_utf8_lossy(&restarted.stderr).into_owned();
    assert_eq!(restarted.status.code(), Some(1), "{said}");
    assert!(said.contains(LATER) && said.contains("left alone"), "{said}");
    assert_eq!(world.daemon_pid().await, Some(pid));

    world.kill_daemon().await;
    // The client may be trying to start another one, which ends as soon as it has looked.
    until("nobody runs", async || !places(&world).has_daemon()).await;
    let output = world.command("ibd").output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "another start would not mend it: {said}");
    assert!(said.contains(LATER) && said.contains("install ibd"), "{said}");
    let reply = client.call("get_positions", json!({})).await;
    assert_eq!(reply.error(), "daemon_unavailable");
    assert!(reply.json["message"].as_str().unwrap().contains(LATER), "{}", reply.json);
    assert_eq!(Stamp::of(&world.state()).map(|stamp| stamp.format), Some(FORMAT + 1));
}
