//! Flex statements, measured: the crate alone, the daemon that takes one over and answers from it, and
//! Python's readers on the same file. `docs/performance.md` says how to read it.
//!
//! `IBD_BENCH_FLEX_MB` changes the 500 MB; `IBD_BENCH_PYTHON` names a Python that has `ibflex`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "road/process.rs"]
mod process;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ibd_tests::World;
use ibd_tests::world::binary;
use serde_json::{Value, json};

const MEGABYTES: &str = "500";
/// Of the daemon, before it takes a statement over.
const SETTLE: Duration = Duration::from_secs(2);

fn main() {
    let megabytes = std::env::var("IBD_BENCH_FLEX_MB").unwrap_or_else(|_| MEGABYTES.to_owned());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("statement.xml");
    generate(&file, &megabytes);
    let size = std::fs::metadata(&file).unwrap().len() as f64 / 1e6;
    println!("\n## A statement of {size:.0} MB\n\n### The crate alone\n");
    let rate = Command::new(example("rate")).arg(&file).output().unwrap();
    println!("{}", String::from_utf8_lossy(&rate.stdout));
    println!("### Through the daemon\n\n| | time | MB/s |\n|---|---|---|");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(through_the_daemon(&file, size));
    println!("\n### Python\n\n| | time | MB/s | memory |\n|---|---|---|---|");
    for way in ["iterparse", "ElementTree", "ibflex"] {
        println!("{}", python(&file, size, way));
    }
}

fn generate(file: &Path, megabytes: &str) {
    let to = std::fs::File::create(file).unwrap();
    let done =
        Command::new(example("generate")).args([megabytes, "1"]).stdout(to).status().unwrap();
    assert!(done.success(), "the statement was not written");
}

/// An example of `ibd-flex`, beside our programs.
fn example(name: &str) -> PathBuf {
    let path = binary("ibd").with_file_name("examples").join(name);
    assert!(
        path.is_file(),
        "{} is missing: cargo build --release -p ibd-flex --examples",
        path.display()
    );
    path
}

async fn through_the_daemon(file: &Path, size: f64) {
    let world = World::simulated();
    let mut client = world.client().await;
    client.call("list_flex_queries", json!({})).await.ok();
    let pid = world.daemon_pid().await.expect("a daemon runs");
    tokio::time::sleep(SETTLE).await;
    let before = process::peak(pid);
    let row = |what: &str, took: Duration| {
        println!("| {what} | {:.2} s | {:.0} |", took.as_secs_f64(), size / took.as_secs_f64());
    };
    let began = Instant::now();
    let imported = world.ctl(&["flex", "import", file.to_str().unwrap()]).await;
    assert!(imported.status.success(), "{imported:?}");
    row("`ibctl flex import`", began.elapsed());
    for question in ["realised P&L by symbol", "dividends by country"] {
        let began = Instant::now();
        let out = client.call("ask_flex", json!({ "question": question })).await.ok();
        row(&format!("`ask_flex`: {question} ({} B)", out.to_string().len()), began.elapsed());
    }
    let beyond = process::peak(pid) - before;
    println!("\nPeak memory of `ibd` beyond before: {:.1} MiB.", beyond as f64 / 1024.0);
}

/// One way of Python's, or why there is no figure.
fn python(file: &Path, size: f64, way: &str) -> String {
    let named = std::env::var("IBD_BENCH_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/flex_python.py");
    let done = Command::new(named).arg(script).arg(file).arg(way).stderr(Stdio::piped()).output();
    let said = done.ok().filter(|done| done.status.success());
    let Some(told) = said.and_then(|done| serde_json::from_slice::<Value>(&done.stdout).ok())
    else {
        return format!("| {way} | not measured: no Python that has it (IBD_BENCH_PYTHON) | | |");
    };
    let (seconds, kib) = (told["seconds"].as_f64().unwrap(), told["kib"].as_f64().unwrap());
    format!("| {way} | {seconds:.1} s | {:.0} | {:.0} MiB |", size / seconds, kib / 1024.0)
}
