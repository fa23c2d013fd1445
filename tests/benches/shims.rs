//! A hundred true `ib-mcp` at one daemon, which ask for overlapping parts of a hundred contracts: what IBKR sees of it,
//! and how fast a quote is that is known. `docs/performance.md` says how to read it.
//!
//! `IBD_BENCH_ROUNDS` changes the five rounds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "upstream/flood.rs"]
mod flood;
#[path = "road/floors.rs"]
mod floors;
#[path = "upstream/front.rs"]
mod front;
#[path = "upstream/hundred.rs"]
mod hundred;
#[path = "road/process.rs"]
mod process;
#[path = "shims/report.rs"]
mod report;
#[path = "road/stats.rs"]
mod stats;
#[path = "road/stdio.rs"]
mod stdio;
#[path = "road/symbols.rs"]
mod symbols;
#[path = "road/table.rs"]
mod table;

use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use front::{Front, Source};
use hundred::{HUNDRED, asked, conids, hundred};
use ibd_tests::{PATIENCE, Sim, World};
use report::Times;
use serde_json::{Value, json};
use stdio::{Server, is_good, timed_crowd};
use symbols::SYMBOLS;
use table::Table;
use tokio::runtime::Runtime;

const ROUNDS: usize = 5;
const CLIENTS: usize = 100;
/// Contracts of one client; each contract is asked for by ten clients.
const EACH: usize = 10;
/// At first nothing is known, and ten requests a second are all there are: who was not answered asks again.
const TRIES: usize = 5;
/// The clients of the storm.
const CROWD: usize = 20;
/// Samples of a floor in one round.
const CALLS: usize = 500;
const AGAIN: Duration = Duration::from_millis(500);

/// Dropped in this order: a client that outlived its daemon might start another one.
struct Bench {
    servers: Vec<Server>,
    world: World,
    front: Front,
    sim: Sim,
    runtime: Runtime,
    contracts: Vec<u64>,
    table: Table,
}

fn main() {
    let rounds = std::env::var("IBD_BENCH_ROUNDS").ok().and_then(|text| text.parse().ok());
    let mut bench = Bench::new();
    bench.note_load("load before");
    bench.cold();
    bench.warm();
    let mut times = Times::default();
    for round in 1..=rounds.unwrap_or(ROUNDS) {
        say(&format!("warm quotes, round {round}"));
        bench.round(&mut times);
    }
    bench.report(times);
    bench.note_load("load after");
    bench.table.print();
    bench.servers.drain(..).for_each(Server::close);
}

impl Bench {
    /// A daemon that has not been asked for any quote yet, and the clients.
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        say("a hundred contracts are looked up, at another daemon");
        let contracts = runtime.block_on(scouted());
        let sim = runtime.block_on(Sim::plain());
        let front = Front::start(sim.port(), Source::Simulator);
        let world = front.world();
        let mut first = Server::spawn(shim(&world));
        first.greet();
        first.timed_call("get_session_status", &json!({}));
        let (servers, _) = timed_crowd(CLIENTS, || shim(&world));
        first.close();
        Self { servers, world, front, sim, runtime, contracts, table: Table::default() }
    }

    fn note_load(&mut self, name: &str) {
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        self.table.other(name, load.split_whitespace().take(3).collect::<Vec<_>>().join(" "));
    }

    fn asked(&self) -> usize {
        self.runtime.block_on(asked(&self.sim)).len()
    }

    /// What a client asks for: ten contracts, nine of which its neighbour asks for, too.
    fn part(&self, client: usize) -> Vec<u64> {
        (0..EACH).map(|step| self.contracts[(client + step) % HUNDRED]).collect()
    }

    /// These clients ask for their parts, all before any answer is read; who was not told of each of its contracts.
    fn ask(&mut self, clients: &[usize]) -> Vec<usize> {
        let parts: Vec<Vec<u64>> = clients.iter().map(|client| self.part(*client)).collect();
        for (client, part) in clients.iter().zip(&parts) {
            self.servers[*client].begin_call("get_market_data", &json!({ "conids": part }));
        }
        let mut open = Vec::new();
        for (client, part) in clients.iter().zip(&parts) {
            let answer = self.servers[*client].answer();
            let told = conids(&answer["result"]["structuredContent"]);
            if !is_good(&answer) || !part.iter().all(|conid| told.contains(conid)) {
                open.push(*client);
            }
        }
        open
    }

    /// All ask at once, while nothing is known of any contract.
    fn cold(&mut self) {
        say("everybody asks at once");
        let (before, begun) = (self.asked(), Instant::now());
        let mut open: Vec<usize> = (0..CLIENTS).collect();
        let mut tries = Vec::new();
        while !open.is_empty() && tries.len() < TRIES {
            open = self.ask(&open);
            tries.push((CLIENTS - open.len()).to_string());
        }
        let what = format!(
            "{} after each try, in {}, with {} requests",
            tries.join(", "),
            table::time(begun.elapsed()),
            self.asked() - before
        );
        self.table.other("nothing known: clients of 100 that were answered", what);
    }

    /// Until everybody is answered without a request. The storm's symbols are looked up by their names.
    fn warm(&mut self) {
        say("until all is known");
        let (everybody, begun) = ((0..CLIENTS).collect::<Vec<usize>>(), Instant::now());
        loop {
            let before = self.asked();
            let mut open = self.ask(&everybody).len();
            for symbol in &SYMBOLS[..EACH] {
                self.servers[0].begin_call("get_market_data", &json!({ "symbol": symbol }));
                open += usize::from(!is_good(&self.servers[0].answer()));
            }
            if open == 0 && self.asked() == before {
                return;
            }
            assert!(begun.elapsed() < 2 * PATIENCE, "{open} calls were not answered out of memory");
            sleep(AGAIN);
        }
    }

    fn round(&mut self, times: &mut Times) {
        let mut cat = Server::spawn(Command::new("cat"));
        times.pipe.add(floors::pipe(CALLS, &mut cat));
        cat.close();
        times.socket.add(floors::unix_socket(CALLS));
        let status = |_| self.servers[0].timed_call("get_session_status", &json!({}));
        times.status.add((0..CALLS).map(status).collect());
        let before = self.asked();
        times.one.add(self.one_by_one(each));
        times.ten.add(self.one_by_one(|part| vec![json!({ "conids": part })]));
        // The storm of the whole road: twenty clients, ten calls each, ten symbols in all.
        let named = SYMBOLS[..EACH].iter().map(|symbol| json!({ "symbol": symbol }));
        let storm = vec![named.collect::<Vec<Value>>(); CROWD];
        times.storm.add(vec![self.all_at_once(&storm, &mut times.failed)]);
        let parts = (0..CLIENTS).map(|client| self.part(client));
        let flood: Vec<Vec<Value>> = parts.map(|part| each(&part)).collect();
        times.flood.add(vec![self.all_at_once(&flood, &mut times.failed)]);
        times.quotes += CLIENTS * EACH + CLIENTS * EACH + CROWD * EACH + CLIENTS * EACH;
        let requests = self.runtime.block_on(asked(&self.sim)).split_off(before);
        requests.iter().for_each(|path| say(&format!("ib-sim was asked {path}")));
        times.requests += requests.len();
    }

    /// Each client's calls, one after the other, as long as each takes.
    fn one_by_one(&mut self, calls: impl Fn(&[u64]) -> Vec<Value>) -> Vec<Duration> {
        let mut times = Vec::new();
        for client in 0..CLIENTS {
            for call in calls(&self.part(client)) {
                times.push(self.servers[client].timed_call("get_market_data", &call));
            }
        }
        times
    }

    /// The calls of the first clients, all sent before any answer is read: until all are answered.
    fn all_at_once(&mut self, calls: &[Vec<Value>], failed: &mut usize) -> Duration {
        let begun = Instant::now();
        for (server, calls) in self.servers.iter_mut().zip(calls) {
            calls.iter().for_each(|call| server.begin_call("get_market_data", call));
        }
        for (server, calls) in self.servers.iter_mut().zip(calls) {
            for _ in calls {
                *failed += usize::from(!is_good(&server.answer()));
            }
        }
        begun.elapsed()
    }
}

/// A call for each of these contracts.
fn each(contracts: &[u64]) -> Vec<Value> {
    contracts.iter().map(|conid| json!({ "conid": conid })).collect()
}

/// The contracts, looked up with a simulator and a daemon that are gone afterwards.
async fn scouted() -> Vec<u64> {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let contracts = hundred(&mut client).await;
    client.close().await;
    contracts
}

fn shim(world: &World) -> Command {
    world.command("ib-mcp").into_std()
}

fn say(what: &str) {
    eprintln!("shims: {what}");
}
