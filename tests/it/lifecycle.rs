//! Daemons come and go; clients notice nothing but a delay.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use ibd_protocol::version::{Greeting, HELLO_LEN, PROTOCOL};
use ibd_protocol::wire::{FrameReader, MAX_TO_DAEMON};
use ibd_protocol::{DrainReason, ToDaemon};
use ibd_tests::world::{Signal, daemons_of, is_alive, kill};
use ibd_tests::{Sim, World, until};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn a_daemon_killed_between_calls_costs_a_delay() {
    let world = World::simulated();
    let mut client = world.client().await;
    let before = client.call("get_positions", json!({})).await.ok();
    for _ in 0..3 {
        world.kill_daemon().await;
        let after = client.call("get_positions", json!({})).await.ok();
        assert_eq!(after["total"], before["total"]);
    }
    assert_eq!(client.close().await, 0);
}

#[tokio::test]
async fn a_daemon_killed_during_a_call_costs_a_delay() {
    let sim = Sim::scenario(json!({ "latencyMillis": 200 })).await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_session_status", json!({})).await.ok();
    let ids = [
        client.begin_call("get_positions", json!({})).await,
        client.begin_call("get_market_data", json!({ "symbol": "AAPL" })).await,
    ];
    until("the call is at the gateway", async || sim.count("/positions/").await > 0).await;
    world.kill_daemon().await;
    for id in ids {
        let reply = client.reply(id).await;
        assert!(!reply.is_error, "{}", reply.json);
    }
}

#[tokio::test]
async fn thirty_shims_at_once_start_one_daemon() {
    let profile = format!("race-{}", std::process::id());
    let world = World::simulated().with("IB_PROFILE", &profile);
    let mut shims: Vec<_> = (0..30).map(|_| world.raw_shim(&[])).collect();
    let asked = shims.iter_mut().map(|shim| async {
        shim.initialize().await;
        shim.call("get_positions", json!({})).await.ok()
    });
    let answers = futures_util::future::join_all(asked).await;
    assert!(answers.iter().all(|answer| answer["account"] == "DU1234567"));
    assert_eq!(daemons_of(&profile).len(), 1);
    world.ctl(&["stop", "--profile", &profile]).await;
}

#[tokio::test]
async fn sigterm_lets_calls_under_way_finish() {
    let sim = Sim::scenario(json!({ "latencyMillis": 300 })).await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_session_status", json!({})).await.ok();
    let id = client.begin_call("get_positions", json!({})).await;
    until("the call is at the gateway", async || sim.count("/positions/").await > 0).await;
    let pid = world.daemon_pid().await.unwrap();
    kill(pid, Signal::Terminate);
    let reply = client.reply(id).await;
    assert!(!reply.is_error, "{}", reply.json);
    until("the daemon has ended", || async { !is_alive(pid) }).await;
    assert!(!world.socket().exists(), "it takes its socket along");
    // The next call starts the next daemon.
    client.call("get_positions", json!({})).await.ok();
    assert_ne!(world.daemon_pid().await, Some(pid));
}

#[tokio::test]
async fn the_simulator_never_outlives_its_daemon() {
    let world = World::simulated();
    world.client().await.call("get_session_status", json!({})).await.ok();
    let sim = u32::try_from(world.status().await["gateway"]["pid"].as_u64().unwrap()).unwrap();
    assert!(is_alive(sim));
    world.kill_daemon().await;
    until("the simulator has ended", || async { !is_alive(sim) }).await;
}

#[tokio::test]
async fn a_simulator_that_dies_is_started_again() {
    let world = World::simulated();
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    let sim = u32::try_from(world.status().await["gateway"]["pid"].as_u64().unwrap()).unwrap();
    kill(sim, Signal::Kill);
    until("it is started again", async || !client.call("get_positions", json!({})).await.is_error)
        .await;
}

#[tokio::test]
async fn a_shim_ends_when_its_stdin_closes() {
    let world = World::simulated();
    let mut client = world.client().await;
    client.call("get_session_status", json!({})).await.ok();
    assert_eq!(client.close().await, 0);
}

/// What was asked before the end of input is still answered.
#[tokio::test]
async fn a_piped_conversation_is_answered_to_its_end() {
    let world = World::simulated();
    let mut shim = world.raw_shim(&[]);
    shim.initialize().await;
    let id = shim.begin_call("get_positions", json!({})).await;
    shim.close_stdin();
    let reply = shim.reply(id).await;
    assert!(!reply.is_error, "{}", reply.json);
    assert_eq!(shim.close().await, 0);
}

#[tokio::test]
async fn a_daemon_that_nobody_uses_ends() {
    let world = World::simulated();
    world.configure("idle_exit = 2\n");
    let client = world.client().await;
    until("a daemon runs", async || world.daemon_pid().await.is_some()).await;
    let pid = world.daemon_pid().await.unwrap();
    // As long as a client is there, it stays.
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(is_alive(pid));
    client.close().await;
    until("it has ended by itself", || async { !is_alive(pid) }).await;
}

#[tokio::test]
async fn a_stale_socket_and_a_stale_lock_are_no_obstacle() {
    let world = World::simulated();
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    world.kill_daemon().await;
    assert!(world.socket().exists() && world.state().join("ibd.lock").exists());
    client.call("get_positions", json!({})).await.ok();
}

#[tokio::test]
async fn a_second_daemon_of_a_profile_is_refused() {
    let world = World::simulated();
    world.client().await.call("get_session_status", json!({})).await.ok();
    let output = world.command("ibd").output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("already runs"), "{said}");
}

#[tokio::test]
async fn a_runtime_folder_that_others_can_enter_is_refused() {
    let world = World::simulated();
    std::fs::create_dir(world.path("run/ibd")).unwrap();
    std::fs::set_permissions(world.path("run/ibd"), std::fs::Permissions::from_mode(0o777))
        .unwrap();
    let mut client = world.client().await;
    let reply = client.call("get_positions", json!({})).await;
    assert_eq!(reply.error(), "daemon_unavailable");
    assert!(reply.json["message"].as_str().unwrap().contains("0777"), "{}", reply.json);
}

/// A daemon of an earlier release is asked to make room; the client notices only a delay.
#[tokio::test]
async fn a_newer_shim_replaces_an_older_daemon() {
    let world = World::simulated();
    std::fs::create_dir(world.path("run/ibd")).unwrap();
    std::fs::set_permissions(world.path("run/ibd"), std::fs::Permissions::from_mode(0o700))
        .unwrap();
    let listener = tokio::net::UnixListener::bind(world.socket()).unwrap();
    let older = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = [0; HELLO_LEN];
        stream.read_exact(&mut hello).await.unwrap();
        let welcome = Greeting::Welcome { protocol: PROTOCOL, build: "0.0.1".into(), pid: 1 };
        stream.write_all(&welcome.to_bytes()).await.unwrap();
        let mut frames = FrameReader::new(stream, MAX_TO_DAEMON);
        loop {
            if let ToDaemon::Drain(_, reason) = frames.next().await.unwrap() {
                return reason;
            }
        }
    });
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    assert_eq!(older.await.unwrap(), DrainReason::Upgrade);
    assert_eq!(world.status().await["daemon"]["version"], ibd_protocol::BUILD);
}

/// A daemon that speaks another protocol is greeted, and does not understand a word: a listener that says so
/// in its place, to the two commands of a story, and then takes its socket along.
async fn of_another_protocol(world: &World) -> tokio::task::JoinHandle<()> {
    std::fs::remove_file(world.socket()).unwrap();
    let listener = tokio::net::UnixListener::bind(world.socket()).unwrap();
    let socket = world.socket();
    tokio::spawn(async move {
        for count in 1..=2 {
            let (mut stream, _) = listener.accept().await.unwrap();
            if count == 2 {
                std::fs::remove_file(&socket).unwrap();
            }
            let mut hello = [0; HELLO_LEN];
            let _ = stream.read_exact(&mut hello).await;
            let refused = Greeting::Refused {
                protocol: PROTOCOL + 1,
                build: "0.0.1".into(),
                reason: "this ibd is of another release".into(),
            };
            let _ = stream.write_all(&refused.to_bytes()).await;
        }
    })
}

#[tokio::test]
async fn a_daemon_of_another_protocol_is_ended_by_stop_and_restart() {
    let world = World::simulated();
    for verb in ["stop", "restart"] {
        world.client().await.call("get_session_status", json!({})).await.ok();
        let pid = world.daemon_pid().await.unwrap();
        let other = of_another_protocol(&world).await;
        let refused = world.ctl(&["logout"]).await;
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains("ibctl restart") && said.contains(&format!("pid {pid}")), "{said}");
        let ended = world.ctl(&[verb]).await;
        assert_eq!(ended.status.code(), Some(0), "{verb}: {ended:?}");
        // It has let go of everything; the last step is the system's.
        until("it is gone", async || !is_alive(pid)).await;
        other.await.unwrap();
        if verb == "stop" {
            let said = String::from_utf8_lossy(&ended.stdout).into_owned();
            assert!(said.contains(&format!("pid {pid}")), "{said}");
        }
    }
}

/// A number in a lock that nobody holds may be anybody's.
#[tokio::test]
async fn nobody_is_ended_for_a_number_in_a_free_lock() {
    let world = World::simulated();
    world.client().await.call("get_session_status", json!({})).await.ok();
    let mut bystander = tokio::process::Command::new("sleep").arg("60").spawn().unwrap();
    world.kill_daemon().await;
    let lock = world.state().join("ibd.lock");
    std::fs::write(&lock, bystander.id().unwrap().to_string()).unwrap();
    let other = of_another_protocol(&world).await;
    let stopped = world.ctl(&["stop"]).await;
    assert_eq!(stopped.status.code(), Some(1), "{stopped:?}");
    assert!(bystander.try_wait().unwrap().is_none(), "it lives");
    // Held, but by somebody else than the number says.
    let held = std::fs::File::open(&lock).unwrap();
    held.lock().unwrap();
    assert_eq!(world.ctl(&["stop"]).await.status.code(), Some(1));
    assert!(bystander.try_wait().unwrap().is_none(), "it lives");
    bystander.kill().await.unwrap();
    other.await.unwrap();
}

/// Never the reverse.
#[tokio::test]
async fn an_older_shim_works_with_a_newer_daemon() {
    let world = World::simulated();
    std::fs::create_dir(world.path("run/ibd")).unwrap();
    std::fs::set_permissions(world.path("run/ibd"), std::fs::Permissions::from_mode(0o700))
        .unwrap();
    let listener = tokio::net::UnixListener::bind(world.socket()).unwrap();
    let newer = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = [0; HELLO_LEN];
        stream.read_exact(&mut hello).await.unwrap();
        let welcome = Greeting::Welcome { protocol: PROTOCOL, build: "99.0.0".into(), pid: 1 };
        stream.write_all(&welcome.to_bytes()).await.unwrap();
        let mut frames = FrameReader::new(stream, MAX_TO_DAEMON);
        let first: ToDaemon = frames.next().await.unwrap();
        first
    });
    let _client = world.client().await;
    let first = newer.await.unwrap();
    assert!(matches!(first, ToDaemon::Wishes(_)), "{first:?}");
}
