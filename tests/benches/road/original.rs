//! The program that this one replaces, where it is installed: `IBD_BENCH_ORIGINAL` names the folder
//! of the npm package interactive-brokers-mcp 1.24.1.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use ibd_tests::Sim;
use tempfile::TempDir;

use crate::Bench;
use crate::process::{pss, rss};
use crate::stats::Samples;
use crate::stdio::{timed_crowd, timed_start};
use crate::{floors, table};

/// Starts in one round.
const STARTS: usize = 4;
/// After which its memory is looked at.
const SETTLED: Duration = Duration::from_secs(5);

struct Original {
    script: PathBuf,
    home: TempDir,
    port: u16,
}

impl Original {
    fn command(&self) -> Command {
        let mut command = self.node();
        command.arg(&self.script);
        command
    }

    fn node(&self) -> Command {
        let mut command = Command::new("node");
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("IB_GATEWAY_HOST", "127.0.0.1")
            .env("IB_GATEWAY_PORT", self.port.to_string())
            .current_dir(self.home.path());
        command
    }
}

/// Measures it beside ours.
pub(crate) fn measure(bench: &mut Bench, ours: &Samples, our_crowd: &Samples) {
    let Some(folder) = std::env::var_os("IBD_BENCH_ORIGINAL").map(PathBuf::from) else {
        bench.table.other("the original", "not installed (IBD_BENCH_ORIGINAL)");
        return;
    };
    let sim = bench.runtime.block_on(Sim::start());
    let home = tempfile::tempdir().unwrap();
    let original = Original { script: folder.join("dist/index.js"), home, port: sim.port() };
    let (mut node, mut initialized, mut listed) =
        (Samples::default(), Samples::default(), Samples::default());
    let mut memory = None;
    for _ in 0..bench.rounds {
        node.add(floors::spawn_to_exit(STARTS, || {
            let mut node = original.node();
            node.args(["-e", "0"]);
            node
        }));
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for _ in 0..STARTS {
            let (server, to_initialize, to_tools) = timed_start(original.command());
            first.push(to_initialize);
            second.push(to_tools);
            if memory.is_none() {
                std::thread::sleep(SETTLED);
                memory = Some((rss(server.pid()), pss(server.pid())));
            }
            server.end();
        }
        initialized.add(first);
        listed.add(second);
    }
    let (servers, wall) = timed_crowd(20, || original.command());
    servers.into_iter().for_each(|server| server.end());
    let times = &mut bench.table.times;
    times.push(node.row("`node -e 0`: spawn → exit", None));
    times.push(initialized.row("original: spawn → `initialize`", Some(node.p50())));
    times.push(listed.row("original: spawn → `tools/list`", Some(node.p50())));
    let (rss, pss) = memory.unwrap_or_default();
    let pss = pss.map(table::mib).unwrap_or_default();
    let others = &mut bench.table;
    others.other("original idle: RSS / PSS", format!("{} / {pss}", table::mib(rss)));
    others.other("original: 20 at once, all listed (one run)", table::time(wall));
    let times = table::ratio(listed.p50(), ours.p50());
    others.other("original ÷ ours: spawn → `tools/list`, daemon up", times);
    others.other("original ÷ ours: 20 at once", table::ratio(wall, our_crowd.p50()));
}
