//! A client's end of the pipes, as clients of the wild treat it: odd lines, and streams that nobody reads.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ibd_tests::{PATIENCE, World, until};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout;

#[tokio::test]
async fn a_mark_and_a_stray_notification_before_the_session_do_not_end_it() {
    let world = World::simulated();
    let mut client = world.raw_shim(&[]);
    client.send_bytes(b"\xef\xbb\xbf").await;
    client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
    client.send(&json!({ "jsonrpc": "2.0", "id": 99, "result": {} })).await;
    let hello = client.initialize().await;
    assert_eq!(hello["result"]["serverInfo"]["name"], "ib-mcp", "{hello}");
    client.call("get_session_status", json!({})).await.ok();
}

#[tokio::test]
async fn what_is_asked_oddly_is_answered_as_what_it_is() {
    let world = World::simulated();
    let mut client = world.client().await;
    for (line, id, code) in [
        (r#"{"jsonrpc":"2.0","id":50,"method":"tools/call","params":{"x":"\ud83d"}}"#, 50, -32700),
        (
            r#"{"jsonrpc":"2.0","id":51,"method":"tools/call","params":{"arguments":{}}}"#,
            51,
            -32602,
        ),
        (
            r#"{"jsonrpc":"2.0","id":52,"method":"tools/call","params":{"name":"get_positions","arguments":[]}}"#,
            52,
            -32602,
        ),
    ] {
        client.send_bytes(line.as_bytes()).await;
        client.send_bytes(b"\n").await;
        let answer = client.answer(id).await;
        assert_eq!(answer["error"]["code"], code, "{answer}");
    }
    // A text that holds an object is what some clients send.
    let call = json!({ "name": "get_market_data", "arguments": "{\"symbol\":\"AAPL\"}" });
    let answer = client.request("tools/call", call).await;
    assert_eq!(answer["result"]["isError"], json!(false), "{answer}");
}

#[tokio::test]
async fn a_log_that_nobody_reads_stalls_nothing() {
    let world = World::simulated().with("IB_LOG", "debug");
    let mut command = world.command("ib-mcp");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    // Each line that is no message is a line in the log: more than any pipe holds.
    let lines = tokio::spawn(async move {
        for _ in 0..3_000 {
            stdin.write_all(b"[\"nothing\"]\n").await.unwrap();
        }
        let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
        stdin.write_all(format!("{ping}\n").as_bytes()).await.unwrap();
        stdin
    });
    let mut answers = BufReader::new(stdout).lines();
    let answered = async {
        while let Some(line) = answers.next_line().await.unwrap() {
            let answer: Value = serde_json::from_str(&line).unwrap();
            if answer["id"] == 1 {
                return true;
            }
        }
        false
    };
    assert!(timeout(PATIENCE, answered).await.unwrap(), "the ping is answered");
    drop(lines.await.unwrap());
}

#[tokio::test]
async fn a_client_that_does_not_read_is_not_read_from_and_loses_nothing() {
    const CALLS: usize = 2_000;
    let world = World::simulated();
    let mut command = world.command("ib-mcp");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let params = json!({ "protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": { "name": "deaf", "version": "1" } });
    let hello = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
    let written = Arc::new(AtomicUsize::new(0));
    let count = written.clone();
    let writing = tokio::spawn(async move {
        stdin.write_all(format!("{hello}\n").as_bytes()).await.unwrap();
        // Each is answered with tens of kilobytes.
        for id in 1..=CALLS {
            let list = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/list" });
            stdin.write_all(format!("{list}\n").as_bytes()).await.unwrap();
            count.fetch_add(1, Ordering::Relaxed);
        }
        stdin
    });
    // More than may be under way, and less than a pipe holds: it is written whatever the shim does.
    until("much is written", async || written.load(Ordering::Relaxed) >= 1_000).await;
    let mut answers = BufReader::new(stdout).lines();
    let all = async {
        let mut left = CALLS + 1;
        while left > 0 {
            let line = answers.next_line().await.unwrap().unwrap();
            // Beyond what may be under way at once the answer is that.
            left -= usize::from(line.contains("\"result\"") || line.contains("\"error\""));
        }
    };
    timeout(PATIENCE, all).await.unwrap();
    #[cfg(target_os = "linux")]
    {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", child.id().unwrap())).unwrap();
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let most: usize = most.split_whitespace().next().unwrap().parse().unwrap();
        assert!(most < 120_000, "{most} kB for {CALLS} calls");
    }
    drop(writing.await.unwrap());
}
