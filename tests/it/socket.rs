//! The local socket: whom it lets in, and what it does with garbage.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use ibd_protocol::version::{Greeting, HELLO_LEN, Hello, REFUSED_LEN, Role};
use ibd_tests::{World, until};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

async fn running() -> World {
    let world = World::simulated();
    world.client().await.call("get_session_status", json!({})).await.ok();
    world
}

#[tokio::test]
async fn only_the_user_can_reach_it() {
    let world = running().await;
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&world.socket()), 0o600);
    assert_eq!(mode(world.socket().parent().unwrap()), 0o700);
    assert_eq!(mode(&world.state()), 0o700);
    let log = world.state().join("logs/ibd.log");
    assert_eq!(mode(&log), 0o600);
}

/// As another user, where this test may become one.
#[tokio::test]
async fn another_user_is_turned_away_even_where_the_folder_lets_them_in() {
    let world = running().await;
    for path in [world.path(""), world.path("run"), world.path("run/ibd")] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    std::fs::set_permissions(world.socket(), std::fs::Permissions::from_mode(0o666)).unwrap();
    if !rustix::process::geteuid().is_root() {
        // Without root there is no other user here: the mode bits above are what can be looked at.
        return;
    }
    // Where the other user can execute it.
    let knock = world.path("knock");
    std::fs::copy(ibd_tests::world::binary("knock"), &knock).unwrap();
    std::fs::set_permissions(&knock, std::fs::Permissions::from_mode(0o755)).unwrap();
    let output = tokio::process::Command::new("setpriv")
        .args(["--reuid=65534", "--clear-groups"])
        .args([knock.as_os_str(), world.socket().as_os_str()])
        .output()
        .await
        .expect("setpriv, of util-linux");
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test]
async fn garbage_and_silence_are_dropped_and_nobody_else_notices() {
    let world = running().await;
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n                  "[..], &[0xff; 4096], b"IBD1"] {
        let mut stream = UnixStream::connect(world.socket()).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        let mut answer = Vec::new();
        let read =
            tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
        assert!(matches!(read, Ok(Ok(0) | Err(_))), "{answer:?}");
    }
    // After a right greeting, garbage frames.
    for garbage in [&[0xff, 0xff, 0xff, 0xff, 0][..], &[4, 0, 0, 0, 250, 250, 250, 250]] {
        let mut stream = UnixStream::connect(world.socket()).await.unwrap();
        stream.write_all(&Hello::ours(Role::Shim).to_bytes()).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        let mut answer = Vec::new();
        let read =
            tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "the connection is closed");
    }
    world.client().await.call("get_positions", json!({})).await.ok();
}

/// Who says nothing keeps nobody out, however many they are and however often they come back.
#[tokio::test]
async fn a_crowd_that_says_nothing_keeps_nobody_out() {
    let world = running().await;
    let crowd: Vec<_> = (0..400)
        .map(|_| {
            let socket = world.socket();
            tokio::spawn(async move {
                loop {
                    if let Ok(mut stream) = UnixStream::connect(&socket).await {
                        let _ = stream.read(&mut [0]).await;
                    }
                    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
                }
            })
        })
        .collect();
    let mut client = world.client().await;
    for _ in 0..3 {
        let reply = client.call("get_session_status", json!({})).await;
        assert!(!reply.is_error, "{}", reply.json);
        let output = world.ctl(&["status"]).await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
    crowd.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn another_protocol_is_refused_in_words_that_name_both() {
    let world = running().await;
    let mut stream = UnixStream::connect(world.socket()).await.unwrap();
    let hello = Hello { protocol: 999, role: Role::Shim, build: "9.9.9".into() };
    stream.write_all(&hello.to_bytes()).await.unwrap();
    let mut head = [0; REFUSED_LEN];
    stream.read_exact(&mut head).await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    let Greeting::Refused { reason, .. } = Greeting::from_parts(&head, &rest).unwrap() else {
        panic!("it was welcomed")
    };
    assert!(
        reason.contains("9.9.9") && reason.contains("999") && reason.contains("ibctl restart"),
        "{reason}"
    );
}

/// A daemon of another protocol: the tools are still listed, and every call names both versions.
#[tokio::test]
async fn a_shim_before_a_daemon_of_another_protocol_says_what_to_do() {
    let world = World::simulated();
    std::fs::create_dir(world.path("run/ibd")).unwrap();
    std::fs::set_permissions(world.path("run/ibd"), std::fs::Permissions::from_mode(0o700))
        .unwrap();
    let listener = tokio::net::UnixListener::bind(world.socket()).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut hello = [0; HELLO_LEN];
            let _ = stream.read_exact(&mut hello).await;
            let refused = Greeting::Refused {
                protocol: 42,
                build: "4.2.0".into(),
                reason: "the client is older: update it".into(),
            };
            let _ = stream.write_all(&refused.to_bytes()).await;
        }
    });
    let mut client = world.client().await;
    assert_eq!(client.tools().await.len(), ibd_tests::tools());
    let reply = client.call("get_positions", json!({})).await;
    assert_eq!(reply.error(), "version_mismatch");
    let message = reply.json["message"].as_str().unwrap();
    assert!(message.contains("4.2.0") && message.contains(ibd_protocol::BUILD), "{message}");
}

#[tokio::test]
async fn a_client_that_sends_many_calls_at_once_is_bounded() {
    let world = running().await;
    let mut client = world.client().await;
    let mut ids = Vec::new();
    for _ in 0..100 {
        ids.push(client.begin_call("get_live_orders", json!({})).await);
    }
    let mut busy = 0;
    for id in ids {
        let reply = client.reply(id).await;
        busy += usize::from(reply.is_error && reply.error() == "too_busy");
    }
    assert!(busy > 0 && busy <= 36, "{busy} were refused, the others answered");
}

#[tokio::test]
async fn a_call_that_is_cancelled_is_not_answered_and_frees_its_place() {
    let world = running().await;
    let mut client = world.client().await;
    let id = client.begin_call("get_account_info", json!({})).await;
    let cancel = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": id } });
    client.send(&cancel).await;
    client.call("get_session_status", json!({})).await.ok();
    until("no call is under way", async || world.status().await["budgets"]["inFlight"] == 0).await;
}
