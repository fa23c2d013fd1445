//! Some minutes of normal clients beside peers that never read, never end a line and never let go of a connection:
//! `cargo run -p ibd-tests --bin soak -- [SECONDS]`, after `cargo build --workspace --bins`.
//!
//! It fails if a normal call was not answered or refused, or if the daemon's memory or descriptors went on growing.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::process::{ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ibd_tests::World;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::time::{sleep, timeout};

const CLIENTS: usize = 20;
const CONNECTIONS: usize = 1_000;
/// Shims of which nobody reads the answers, and as many whose line never ends.
const DEAF: usize = 5;
/// A call that takes longer was not answered.
const ANSWER: Duration = Duration::from_secs(60);
/// What a daemon may gain after its first minute, and what it may hold more of.
const GROWTH_KB: u64 = 30_000;
const GROWTH_FILES: u64 = 64;

#[derive(Default)]
struct Counts {
    answered: AtomicU64,
    /// Answers that are a no: which, and how many.
    refused: Mutex<BTreeMap<String, u64>>,
    unanswered: AtomicU64,
    slowest_ms: AtomicU64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(600);
    let world = Arc::new(World::simulated());
    world.client().await.call("get_positions", json!({})).await.ok();
    let pid = world.daemon_pid().await.unwrap();
    let (over, counts) = (Arc::new(AtomicBool::new(false)), Arc::new(Counts::default()));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| tokio::spawn(normal(world.clone(), number, over.clone(), counts.clone())))
        .collect();
    let peers: Vec<_> = (0..CONNECTIONS)
        .map(|number| tokio::spawn(connection(world.socket(), number)))
        .chain((0..DEAF).map(|_| tokio::spawn(deaf(world.clone()))))
        .chain((0..DEAF).map(|_| tokio::spawn(endless(world.clone()))))
        .collect();
    let mut samples = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(seconds) {
        sleep(Duration::from_secs(10)).await;
        samples.push(sample(pid));
        let (kb, files) = samples.last().copied().unwrap_or_default();
        println!("{:>4} s  {kb} kB, {files} descriptors", begun.elapsed().as_secs());
    }
    over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    peers.iter().for_each(tokio::task::JoinHandle::abort);
    told(&counts, &samples)
}

fn told(counts: &Counts, samples: &[(u64, u64)]) -> ExitCode {
    let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let refused = counts.refused.lock().unwrap().clone();
    println!(
        "normal calls: {} answered (of them refused: {refused:?}), {} not answered; slowest {} ms",
        of(&counts.answered),
        of(&counts.unanswered),
        of(&counts.slowest_ms)
    );
    // The first minute is for what is only allocated once.
    let settled = samples.get(6).or(samples.first()).copied().unwrap_or_default();
    let most = |pick: fn(&(u64, u64)) -> u64| samples.iter().skip(6).map(pick).max().unwrap_or(0);
    let (kb, files) = (most(|sample| sample.0), most(|sample| sample.1));
    println!(
        "daemon: {} kB after a minute, {kb} at most; {} descriptors, {files} at most",
        settled.0, settled.1
    );
    let is_flat = kb <= settled.0 + GROWTH_KB && files <= settled.1 + GROWTH_FILES;
    if of(&counts.unanswered) == 0 && refused.is_empty() && is_flat {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn normal(world: Arc<World>, number: usize, over: Arc<AtomicBool>, counts: Arc<Counts>) {
    let mut client = world.client().await;
    let calls = [
        ("get_session_status", json!({})),
        ("get_market_data", json!({ "symbol": "AAPL" })),
        ("get_positions", json!({})),
        ("get_account_info", json!({})),
        ("search_contracts", json!({ "symbol": "SAN" })),
    ];
    for (tool, arguments) in calls.iter().cycle().skip(number) {
        if over.load(Ordering::Relaxed) {
            return;
        }
        let begun = Instant::now();
        match timeout(ANSWER, client.call(tool, arguments.clone())).await {
            Ok(reply) => {
                counts.answered.fetch_add(1, Ordering::Relaxed);
                if reply.is_error {
                    let why = format!("{tool}: {}", reply.error());
                    *counts.refused.lock().unwrap().entry(why).or_default() += 1;
                }
            }
            Err(_) => {
                counts.unanswered.fetch_add(1, Ordering::Relaxed);
            }
        }
        counts.slowest_ms.fetch_max(begun.elapsed().as_millis() as u64, Ordering::Relaxed);
        sleep(Duration::from_millis(1_500)).await;
    }
}

/// Idle for ever, talking nonsense, or promising more than anybody sends; and there again once it is put out.
async fn connection(socket: std::path::PathBuf, number: usize) {
    loop {
        if let Ok(mut stream) = UnixStream::connect(&socket).await {
            let said = match number % 4 {
                0 => stream.write_all(&u32::MAX.to_le_bytes()).await,
                1 => stream.write_all(&[b'x'; 4_096]).await,
                _ => Ok(()),
            };
            let mut end = [0];
            let _ = said;
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut end).await;
        }
        sleep(Duration::from_secs(2)).await;
    }
}

/// Calls on and on, and reads nothing.
async fn deaf(world: Arc<World>) {
    let mut command = world.command("ib-mcp");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let hello = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "deaf", "version": "1" } } });
    let _ = stdin.write_all(format!("{hello}\n").as_bytes()).await;
    for id in 1_u64.. {
        let call = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/list" });
        if stdin.write_all(format!("{call}\n").as_bytes()).await.is_err() {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// A line without an end.
async fn endless(world: Arc<World>) {
    let mut command = world.command("ib-mcp");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    while stdin.write_all(&[b' '; 64 << 10]).await.is_ok() {
        sleep(Duration::from_millis(100)).await;
    }
}

/// Kilobytes that are resident, and open descriptors.
fn sample(pid: u32) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kb = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default();
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, |all| all.count() as u64);
    (kb, files)
}
