//! A hundred thousand updates a second over the one websocket, and a hundred readers: the true daemon, requests
//! answered by `ib-sim`, the websocket by this benchmark. `docs/performance.md` says how to read it.
//!
//! `IBD_BENCH_ROUNDS` changes the five rounds, `IBD_BENCH_SECONDS` the five seconds of each phase.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "upstream/flood.rs"]
mod flood;
#[path = "upstream/front.rs"]
mod front;
#[path = "upstream/hundred.rs"]
mod hundred;
#[path = "feed/phase.rs"]
mod phase;
#[path = "road/process.rs"]
mod process;
#[path = "feed/readers.rs"]
mod readers;
#[path = "road/stats.rs"]
mod stats;
#[path = "road/symbols.rs"]
mod symbols;
#[path = "road/table.rs"]
mod table;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flood::{Flood, hundredths};
use front::{Front, Source};
use hundred::{asked, column, conids, hundred, warm};
use ibd_cpapi::snapshot::Row;
use ibd_tests::{Shim, Sim, World, until};
use phase::{Measured, PHASES};
use process::{peak, rss};
use serde_json::json;
use serde_json::value::RawValue;
use stats::rank;
use table::{Table, mib, time};

const ROUNDS: usize = 5;
const SECONDS: u64 = 5;
/// While lines are opened: each contract is told of ten times a second.
const CALM: u64 = 1_000;
/// Messages for which a floor is taken.
const MESSAGES: u32 = 100_000;
/// The goals, at a hundred thousand a second with a hundred readers.
const SHARE: f64 = 15.0;
const OLDEST: Duration = Duration::from_millis(250);
/// What memory may gain from the first round to the last one, in KiB.
const FLAT: u64 = 4 << 10;

/// Dropped in this order: a client that outlived its daemon might start another one.
struct Bench {
    client: Shim,
    world: World,
    flood: Arc<Flood>,
    contracts: Vec<u64>,
    daemon: u32,
    length: Duration,
    _front: Front,
    sim: Sim,
}

fn main() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let rounds = number("IBD_BENCH_ROUNDS").map_or(ROUNDS, |rounds| rounds as usize);
    let length = Duration::from_secs(number("IBD_BENCH_SECONDS").unwrap_or(SECONDS));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut table = Table::default();
    note_load(&mut table, "load before");
    runtime.block_on(async {
        let mut bench = Bench::new(length).await;
        bench.run(rounds, &mut table).await;
    });
    note_load(&mut table, "load after");
    table.print();
}

impl Bench {
    /// A daemon that follows a hundred contracts.
    async fn new(length: Duration) -> Self {
        let sim = Sim::plain().await;
        let flood = Arc::new(Flood::at(CALM));
        let front = Front::start(sim.port(), Source::Flood(flood.clone()));
        let world = front.world();
        let mut client = world.client().await;
        eprintln!("feed: a hundred contracts are looked up");
        let contracts = hundred(&mut client).await;
        warm(&mut client, &contracts, &sim).await;
        let daemon = world.daemon_pid().await.expect("a daemon runs");
        Self { client, world, flood, contracts, daemon, length, _front: front, sim }
    }

    async fn run(&mut self, rounds: usize, table: &mut Table) {
        let mut all: Vec<Measured> = PHASES.iter().map(|_| Measured::default()).collect();
        let (mut scans, mut reads) = (Vec::new(), Vec::new());
        let mut memory = vec![rss(self.daemon)];
        let before = asked(&self.sim).await.len();
        for round in 1..=rounds {
            scans.push(floor(|text| {
                black_box(serde_json::from_str::<&RawValue>(text).unwrap());
            }));
            reads.push(floor(|text| {
                black_box(serde_json::from_str::<Row>(text).unwrap());
            }));
            for (phase, measured) in PHASES.iter().zip(&mut all) {
                eprintln!("feed: {}, round {round}", phase.name);
                self.measure(phase, measured).await;
            }
            memory.push(rss(self.daemon));
        }
        let requests = asked(&self.sim).await.split_off(before);
        let drained = self.drain().await;
        for (phase, measured) in PHASES.iter().zip(&all) {
            measured.print(phase, table);
        }
        let (scan, read) = (rank(scans, 50), rank(reads, 50));
        table.other("floor: a message scanned as JSON, once", at_full_rate(scan));
        table.other(
            "floor: a message read as a row, once, by the daemon's own parser",
            at_full_rate(read),
        );
        requests.iter().for_each(|path| eprintln!("feed: ib-sim was asked {path}"));
        table.other("upstream requests for quotes meanwhile", requests.len().to_string());
        table.other(
            "all 100 contracts show what was told last",
            format!("{} after the last message", time(drained)),
        );
        let first = memory.get(1).copied().unwrap_or_default();
        let last = memory.last().copied().unwrap_or_default();
        let steps: Vec<String> = memory.iter().map(|kib| mib(*kib)).collect();
        table.other("daemon's RSS before, and after each round", steps.join(", "));
        table.other("daemon's RSS at its peak", mib(peak(self.daemon)));
        let goal = phase::goal(&all);
        let share = 100.0 * goal.share().as_secs_f64();
        let oldest = goal.ages.max();
        let cut = phase::cut_off_alone(&all);
        let gained = last.saturating_sub(first);
        for (name, value, is_met) in [
            ("goal: at most 15 % of a core", format!("{share:.1} %"), share <= SHARE),
            ("goal: no value older than 250 ms", time(oldest), oldest <= OLDEST),
            (
                "goal: memory is flat after the first round",
                format!("+{}", mib(gained)),
                gained <= FLAT,
            ),
            ("goal: who does not read is cut off alone", cut.0, cut.1),
        ] {
            table.other(name, format!("{value}: {}", if is_met { "met" } else { "MISSED" }));
        }
    }

    /// How long after the last message each contract shows what was told last: until then messages wait somewhere.
    async fn drain(&mut self) -> Duration {
        self.flood.set_rate(0);
        let begun = Instant::now();
        let all = json!({ "conids": self.contracts });
        until("all is told", async || {
            let reply = self.client.call("get_market_data", all.clone()).await;
            let lasts = column(&reply.json, "last").into_iter().map(|last| last.as_f64());
            let lasts = lasts.map(|last| last.map_or(0, hundredths));
            let shown: BTreeMap<u64, u64> = conids(&reply.json).into_iter().zip(lasts).collect();
            shown == self.flood.lasts()
        })
        .await;
        begun.elapsed()
    }
}

fn note_load(table: &mut Table, name: &str) {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    table.other(name, load.split_whitespace().take(3).collect::<Vec<_>>().join(" "));
}

/// What it costs to do this with one message, here.
fn floor(read: impl Fn(&str)) -> Duration {
    let text = flood::sample();
    let begun = Instant::now();
    for _ in 0..MESSAGES {
        read(black_box(text.as_str()));
    }
    begun.elapsed() / MESSAGES
}

fn at_full_rate(one: Duration) -> String {
    let share = 100.0 * one.as_secs_f64() * phase::FULL as f64;
    format!("{}; {share:.1} % of a core at 100,000 a second", time(one))
}
