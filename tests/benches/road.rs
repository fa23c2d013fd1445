//! The whole road, measured: the true programs, the simulator in the place of the gateway, and the
//! floors of this machine in the same run. `docs/performance.md` says how to read it.
//!
//! `IBD_BENCH_ROUNDS` changes the five rounds; `IBD_BENCH_ORIGINAL` adds the original.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "road/floors.rs"]
mod floors;
#[path = "road/orders.rs"]
mod orders;
#[path = "road/original.rs"]
mod original;
#[path = "road/process.rs"]
mod process;
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

use ibd_tests::world::binary;
use ibd_tests::{Sim, World};
use process::{Used, pss, rss};
use serde_json::{Value, json};
use stats::{Samples, rank};
use stdio::{Server, is_good, timed_crowd, timed_start};
use symbols::SYMBOLS;
use table::Table;
use tokio::runtime::Runtime;

const ROUNDS: usize = 5;
/// Starts in one round, with a daemon and without.
const STARTS: usize = 40;
const COLD_STARTS: usize = 10;
const CROWD: usize = 20;
const MANY: usize = 100;
/// Calls in one round that cost no request.
const CALLS: usize = 500;
/// Calls in one round that cost one request each; so far apart that nobody waits for the budget.
const READS: usize = 60;
const APART: Duration = Duration::from_millis(130);
/// As many as the budget lets go at once, after a pause in which every place has come back.
const BURST: usize = 8;
const PAUSE: Duration = Duration::from_millis(1_300);
const IDLE: Duration = Duration::from_secs(10);
/// An order of the simulator's account.
const ORDER: u64 = 1_234_567_890;
const PROGRAMS: [&str; 4] = ["ibd", "ib-mcp", "ibctl", "ib-sim"];

struct Bench {
    rounds: usize,
    runtime: Runtime,
    table: Table,
}

fn main() {
    let rounds = std::env::var("IBD_BENCH_ROUNDS").ok().and_then(|text| text.parse().ok());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut bench = Bench { rounds: rounds.unwrap_or(ROUNDS), runtime, table: Table::default() };
    bench.note_load("load before");
    let starts = bench.starts();
    let crowd = bench.crowd();
    bench.calls();
    orders::measure(&mut bench);
    bench.memory();
    bench.storm("the same ten symbols", 0);
    bench.storm("ten of forty symbols each", 2);
    bench.idle();
    bench.size();
    original::measure(&mut bench, &starts, &crowd);
    bench.note_load("load after");
    bench.table.print();
}

impl Bench {
    fn note_load(&mut self, name: &str) {
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
        self.table.other(name, load);
    }

    fn say(&self, what: &str) {
        eprintln!("road: {what}");
    }

    /// A simulator and a world with a daemon that is logged in.
    fn ready(&self, scenario: Value) -> (Sim, World) {
        let (sim, world) = self.down(scenario);
        let mut first = Server::spawn(shim(&world));
        first.greet();
        first.timed_call("get_session_status", &json!({}));
        first.close();
        (sim, world)
    }

    /// A simulator and a world without a daemon.
    fn down(&self, scenario: Value) -> (Sim, World) {
        let sim = self.runtime.block_on(Sim::scenario(scenario));
        let world = World::attached(&sim);
        (sim, world)
    }

    fn daemon(&self, world: &World) -> u32 {
        self.runtime.block_on(world.daemon_pid()).expect("a daemon runs")
    }

    /// How fast a client gets going; the time to `tools/list` beside a daemon that is up.
    fn starts(&mut self) -> Samples {
        let (mut truth, mut cat, mut version) =
            (Samples::default(), Samples::default(), Samples::default());
        let (mut warm, mut warm_list) = (Samples::default(), Samples::default());
        let (mut cold, mut cold_list) = (Samples::default(), Samples::default());
        let (_sim, up) = self.ready(json!({}));
        let (_other, down) = self.down(json!({}));
        for round in 1..=self.rounds {
            self.say(&format!("starts, round {round}"));
            truth.add(floors::spawn_to_exit(STARTS, || like(&up, "true")));
            cat.add(floors::spawn_to_line(STARTS, || like(&up, "cat")));
            version.add(floors::spawn_to_exit(STARTS, || {
                let mut command = shim(&up);
                command.arg("--version");
                command
            }));
            let (first, second) = started(STARTS, || shim(&up), || {});
            warm.add(first);
            warm_list.add(second);
            let stop = || {
                let stopped = down.command("ibctl").into_std().arg("stop").output().unwrap();
                assert!(stopped.status.success(), "{stopped:?}");
            };
            let (first, second) = started(COLD_STARTS, || shim(&down), stop);
            cold.add(first);
            cold_list.add(second);
        }
        let floor = Some(cat.p50());
        let times = &mut self.table.times;
        times.push(truth.row("floor: `true`, spawn → exit", None));
        times.push(cat.row("floor: `cat`, spawn → its first line", None));
        times.push(version.row("`ib-mcp --version`, spawn → exit", Some(truth.p50())));
        times.push(warm.row("spawn → `initialize`, daemon up", floor));
        times.push(warm_list.row("spawn → `tools/list`, daemon up", floor));
        times.push(cold.row("spawn → `initialize`, daemon down", floor));
        times.push(cold_list.row("spawn → `tools/list`, daemon down", floor));
        warm_list
    }

    fn crowd(&mut self) -> Samples {
        let (mut cats, mut all) = (Samples::default(), Samples::default());
        let (_sim, world) = self.ready(json!({}));
        for round in 1..=self.rounds {
            self.say(&format!("{CROWD} at once, round {round}"));
            cats.add(vec![floors::crowd(CROWD, || like(&world, "cat"))]);
            let (servers, wall) = timed_crowd(CROWD, || shim(&world));
            all.add(vec![wall]);
            servers.into_iter().for_each(Server::close);
        }
        let times = &mut self.table.times;
        times.push(cats.row("floor: 20 × `cat` at once, all answered", None));
        times.push(all.row("20 shims at once, all listed", Some(cats.p50())));
        all
    }

    /// What shim and daemon add to a call.
    fn calls(&mut self) {
        let (mut pipe, mut socket, mut path) =
            (Samples::default(), Samples::default(), Samples::default());
        let (mut direct, mut tool) = (Samples::default(), Samples::default());
        let (mut direct_burst, mut tool_burst) = (Samples::default(), Samples::default());
        let (sim, world) = self.ready(json!({ "pacing": false }));
        let mut cat = Server::spawn(like(&world, "cat"));
        let mut shim = Server::spawn(shim(&world));
        shim.greet();
        let order = json!({ "orderId": ORDER.to_string() });
        shim.timed_call("get_order_status", &order);
        let client = floors::direct(&sim);
        self.runtime.block_on(floors::ask(&client, ORDER));
        for round in 1..=self.rounds {
            self.say(&format!("calls, round {round}"));
            pipe.add(floors::pipe(CALLS, &mut cat));
            socket.add(floors::unix_socket(CALLS));
            let call = |_| shim.timed_call("get_session_status", &json!({}));
            path.add((0..CALLS).map(call).collect());

            direct.add(self.runtime.block_on(async {
                let mut times = Vec::with_capacity(READS);
                for _ in 0..READS {
                    tokio::time::sleep(APART).await;
                    times.push(floors::ask(&client, ORDER).await);
                }
                times
            }));
            let read = |_| {
                sleep(APART);
                shim.timed_call("get_order_status", &order)
            };
            tool.add((0..READS).map(read).collect());

            for _ in 0..4 {
                sleep(PAUSE);
                direct_burst.add(self.runtime.block_on(async {
                    let mut times = Vec::with_capacity(BURST);
                    for _ in 0..BURST {
                        times.push(floors::ask(&client, ORDER).await);
                    }
                    times
                }));
                let call = |_| shim.timed_call("get_order_status", &order);
                tool_burst.add((0..BURST).map(call).collect());
            }
        }
        cat.close();
        shim.close();
        let both = pipe.p50() + socket.p50();
        let times = &mut self.table.times;
        times.push(pipe.row("floor: pipe to `cat` and back, 64 B", None));
        times.push(socket.row("floor: unix socket and back, 64 B, two threads", None));
        times.push(path.row("`get_session_status` (floor: pipe + socket)", Some(both)));
        times.push(direct.row("floor: order status straight from ib-sim, every 130 ms", None));
        times.push(tool.row("`get_order_status`, every 130 ms", Some(direct.p50())));
        times.push(direct_burst.row("floor: order status straight from ib-sim, 8 in a row", None));
        times.push(tool_burst.row("`get_order_status`, 8 in a row", Some(direct_burst.p50())));
        // What a slow call has over a usual reply of the gateway.
        let added = |tool: &Samples, direct: &Samples| {
            let p50 = table::difference(tool.p50(), direct.p50());
            let p99 = table::difference(tool.p99(), direct.p50());
            format!("{p50} / {p99}")
        };
        let apart = added(&tool, &direct);
        let burst = added(&tool_burst, &direct_burst);
        self.table.other("added to a read, every 130 ms: p50 / p99", apart);
        self.table.other("added to a read, 8 in a row: p50 / p99", burst);
    }

    fn memory(&mut self) {
        self.say("memory");
        let (_sim, world) = self.ready(json!({}));
        let daemon = self.daemon(&world);
        let mut one = Server::spawn(shim(&world));
        one.greet();
        sleep(Duration::from_secs(2));
        let alone = (rss(one.pid()), pss(one.pid()));
        let idle = (rss(daemon), pss(daemon));
        let (servers, _) = timed_crowd(MANY, || shim(&world));
        sleep(Duration::from_secs(2));
        let each: Vec<u64> = servers.iter().filter_map(|server| pss(server.pid())).collect();
        let resident: Vec<u64> = servers.iter().map(|server| rss(server.pid())).collect();
        let full = (rss(daemon), pss(daemon));
        let all = pss(one.pid()).map(|first| first + each.iter().sum::<u64>());
        let more = all.zip(alone.1).map(|(all, alone)| all.saturating_sub(alone) / MANY as u64);
        servers.into_iter().for_each(Server::close);
        one.close();
        self.table.other("one shim idle: RSS / PSS", both(alone));
        let each = (rank(resident, 50), (!each.is_empty()).then(|| rank(each, 50)));
        self.table.other("a shim among 100: RSS / PSS, median", both(each));
        let more = more.map_or("not readable".to_owned(), table::mib);
        self.table.other("one more shim: PSS of 101 less PSS of one, by 100", more);
        self.table.other("daemon idle, one client: RSS / PSS", both(idle));
        self.table.other("daemon with 101 clients: RSS / PSS", both(full));
    }

    /// Twenty clients with ten calls each, all at once: the same ten for everybody, or forty of which everybody takes
    /// another ten.
    fn storm(&mut self, name: &str, step: usize) {
        let (mut peaks, mut counts, mut refused, mut failed) = (Vec::new(), Vec::new(), 0, 0);
        let mut walls = Samples::default();
        for round in 1..=self.rounds {
            self.say(&format!("storm of {name}, round {round}"));
            let (sim, world) = self.ready(json!({}));
            let mut clients: Vec<Server> =
                (0..CROWD).map(|_| Server::spawn(shim(&world))).collect();
            clients.iter_mut().for_each(Server::greet);
            let before = self.runtime.block_on(sim.requests())["count"].as_u64().unwrap();
            let begun = Instant::now();
            for (n, client) in clients.iter_mut().enumerate() {
                for k in 0..10 {
                    let symbol = SYMBOLS[(n * step + k) % SYMBOLS.len()];
                    client.begin_call("get_market_data", &json!({ "symbol": symbol }));
                }
            }
            for client in &mut clients {
                for _ in 0..10 {
                    let answer = client.message();
                    if !is_good(&answer) {
                        eprintln!("road: {answer}");
                        failed += 1;
                    }
                }
            }
            walls.add(vec![begun.elapsed()]);
            clients.into_iter().for_each(Server::close);
            let requests = self.runtime.block_on(sim.requests());
            refused += requests["status429"].as_u64().unwrap();
            counts.push(requests["count"].as_u64().unwrap() - before);
            peaks.push(peak(&requests));
        }
        self.table.times.push(walls.row(&format!("storm, {name}: 200 calls answered"), None));
        let (peak, count) = (rank(peaks.clone(), 100), rank(counts, 50));
        let what = format!(
            "at most {peak} requests in any second, {refused} × 429, {count} requests (median), \
             {failed} of {} calls failed",
            200 * self.rounds
        );
        self.table.other(format!("storm, {name}"), what);
    }

    fn idle(&mut self) {
        let (_sim, world) = self.ready(json!({}));
        let daemon = self.daemon(&world);
        let mut one = Server::spawn(shim(&world));
        one.greet();
        sleep(Duration::from_secs(3));
        let (mut of_shim, mut of_daemon) = (Vec::new(), Vec::new());
        for round in 1..=self.rounds {
            self.say(&format!("idle, round {round}"));
            let before = (Used::by(one.pid()), Used::by(daemon));
            sleep(IDLE);
            of_shim.push(Used::by(one.pid()).since(before.0));
            of_daemon.push(Used::by(daemon).since(before.1));
        }
        one.close();
        self.table.other("idle CPU of the shim, and wake-ups a second", idleness(&of_shim));
        self.table.other("idle CPU of the daemon, and wake-ups a second", idleness(&of_daemon));
    }

    fn size(&mut self) {
        let mut total = 0;
        for program in PROGRAMS {
            let kib = std::fs::metadata(binary(program)).unwrap().len() / 1024;
            self.table.other(format!("size of {program}"), table::mib(kib));
            total += kib;
        }
        self.table.other("size of all four", table::mib(total));
    }
}

fn shim(world: &World) -> Command {
    world.command("ib-mcp").into_std()
}

/// Another program in the same surroundings, so that a floor differs in nothing else.
fn like(world: &World, program: &str) -> Command {
    let ours = shim(world);
    let mut command = Command::new(program);
    command.env_clear().current_dir(world.path(""));
    command.envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

/// Starts one after the other: to `initialize`, and to `tools/list`.
fn started(
    count: usize,
    command: impl Fn() -> Command,
    before: impl Fn(),
) -> (Vec<Duration>, Vec<Duration>) {
    let one = |_| {
        before();
        let (server, initialized, listed) = timed_start(command());
        server.close();
        (initialized, listed)
    };
    (0..count).map(one).unzip()
}

/// The most requests that arrived within any one second.
fn peak(requests: &Value) -> usize {
    let all = requests["requests"].as_array().unwrap();
    let mut times: Vec<i64> = all.iter().map(|request| request["ms"].as_i64().unwrap()).collect();
    times.sort_unstable();
    let within =
        |(n, at): (usize, &i64)| n + 1 - times.partition_point(|earlier| *earlier <= at - 1000);
    times.iter().enumerate().map(within).max().unwrap_or(0)
}

fn both((rss, pss): (u64, Option<u64>)) -> String {
    let pss = pss.map_or("not readable".to_owned(), table::mib);
    format!("{} / {pss}", table::mib(rss))
}

fn idleness(rounds: &[Used]) -> String {
    let cpu = rank(rounds.iter().map(|used| used.cpu).collect(), 50);
    let sleeps = rank(rounds.iter().map(|used| used.sleeps).collect(), 50);
    let percent = 100.0 * cpu.as_secs_f64() / IDLE.as_secs_f64();
    format!("{percent:.3} %, {:.1}", sleeps as f64 / IDLE.as_secs_f64())
}
