//! The fault campaign: the true daemon, killed and lied to, thousands of times. See docs/faults.md.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod arguments;
mod beside;
mod check;
mod client;
mod dice;
mod limits;
mod moves;
#[path = "../../daemon/src/orders/mutant/names.rs"]
mod mutants;
mod night;
mod plan;
mod rig;
mod run;
mod scenes;
mod shims;
mod tally;
mod tear;
mod truth;
mod vanish;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arguments::Arguments;
use rig::{Sim, Tools};
use tally::Tally;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("--scenario") {
        println!("{}", rig::scenario());
        return ExitCode::SUCCESS;
    }
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("faults: {problem}\n{}", arguments::HELP);
            return ExitCode::from(2);
        }
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if arguments.night {
        runtime.block_on(night(&arguments))
    } else {
        runtime.block_on(campaign(&arguments))
    }
}

async fn night(arguments: &Arguments) -> ExitCode {
    let folder = Base::make(arguments);
    match night::run(&folder.tools(arguments)).await {
        Ok(()) => folder.leave(ExitCode::SUCCESS),
        Err(problem) => {
            println!("the night: {problem}\n  folder: {}", folder.path.display());
            folder.leave(ExitCode::FAILURE)
        }
    }
}

async fn campaign(arguments: &Arguments) -> ExitCode {
    let folder = Base::make(arguments);
    let tools = folder.tools(arguments);
    let (first, last) = arguments.seeds();
    println!(
        "seeds {first} … {last}; {} at a time; homes in {}",
        arguments.jobs,
        folder.path.display()
    );
    tokio::spawn(rig::measure_slowness());
    let begun = Instant::now();
    let seeds = Arc::new(Mutex::new((first..=last).collect::<VecDeque<u64>>()));
    let (to, mut results) = tokio::sync::mpsc::channel(64);
    for _ in 0..arguments.jobs.min(last - first + 1) {
        tokio::spawn(work(tools.clone(), seeds.clone(), to.clone()));
    }
    drop(to);
    let mut tally = Tally::default();
    let mut told = Instant::now();
    while let Some((seed, outcome)) = results.recv().await {
        let run::Outcome { tally: one, problems } = outcome;
        tally.add(one);
        if !problems.is_empty() && tally.failed.len() <= SHOWN {
            say_failure(arguments, &tools, seed, &problems);
        }
        if told.elapsed() > Duration::from_secs(30) {
            told = Instant::now();
            println!("{} runs, {} failed", tally.runs, tally.failed.len());
        }
        if arguments.stops_at.is_some_and(|most| tally.failed.len() as u64 >= most) {
            break;
        }
    }
    println!("\n{}", tally.table((first, last), begun.elapsed()));
    folder.leave(verdict(arguments, &tally))
}

/// Failed runs that are told of; the others are only listed.
const SHOWN: usize = 200;

/// One job: a simulator, and one run after the other.
async fn work(
    tools: Tools,
    seeds: Arc<Mutex<VecDeque<u64>>>,
    to: tokio::sync::mpsc::Sender<(u64, run::Outcome)>,
) {
    let mut sim = Sim::start(&tools).await;
    loop {
        let next = seeds.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(seed) = next else { return };
        let outcome = run::run(&tools, &mut sim, &tools.plan(seed)).await;
        if to.send((seed, outcome)).await.is_err() {
            return;
        }
    }
}

fn say_failure(arguments: &Arguments, tools: &Tools, seed: u64, problems: &[String]) {
    println!("seed {seed} FAILED");
    for problem in problems {
        println!("  {problem}");
    }
    let mutant = arguments.mutant.as_deref().map(|name| format!(" --mutant {name}"));
    let scene = arguments.scene.as_deref().map(|name| format!(" --scene {name}"));
    println!("  folder: {}", tools.base.join(format!("run-{seed}")).display());
    println!(
        "  again:  faults --only {seed}{}{}",
        mutant.unwrap_or_default(),
        scene.unwrap_or_default()
    );
    if arguments.is_single() {
        println!("  plan:   {:#?}", tools.plan(seed));
    }
}

fn verdict(arguments: &Arguments, tally: &Tally) -> ExitCode {
    let unhit = tally.unhit();
    // A few runs cannot come to every point.
    if tally.runs >= 500 && arguments.mutant.is_none() && !unhit.is_empty() {
        println!("no daemon died at {unhit:?}");
        return ExitCode::FAILURE;
    }
    match (tally.failed.is_empty(), &arguments.mutant) {
        (true, None) => ExitCode::SUCCESS,
        (false, None) => {
            println!("failed seeds: {:?}", tally.failed);
            ExitCode::FAILURE
        }
        // A mutant that is not found is a failure of the campaign.
        (false, Some(mutant)) => {
            println!("{mutant} was caught {} times in {} runs", tally.failed.len(), tally.runs);
            ExitCode::SUCCESS
        }
        (true, Some(mutant)) => {
            println!("{mutant} was NOT caught in {} runs", tally.runs);
            ExitCode::FAILURE
        }
    }
}

/// Where homes are made. It goes with this, unless something in it is to be looked at.
struct Base {
    path: PathBuf,
    is_temporary: bool,
}

impl Base {
    fn make(arguments: &Arguments) -> Self {
        if let Some(path) = &arguments.keep {
            std::fs::create_dir_all(path).unwrap();
            return Self { path: path.canonicalize().unwrap(), is_temporary: false };
        }
        // Kills prove nothing about the disk; memory is quicker.
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory } else { Path::new("/tmp") };
        let folder = tempfile::Builder::new().prefix("ibd-faults-").tempdir_in(place).unwrap();
        Self { path: folder.keep(), is_temporary: true }
    }

    /// What failed is kept to be looked at. The programs are two hundred megabytes of memory, and go in any case.
    fn leave(&self, code: ExitCode) -> ExitCode {
        if self.is_temporary && code == ExitCode::SUCCESS {
            let _ = std::fs::remove_dir_all(&self.path);
        } else if self.is_temporary {
            for copy in ["ibd-faults", "ib-sim"] {
                let _ = std::fs::remove_file(self.path.join(copy));
            }
            let _ = std::fs::remove_dir_all(self.path.join("programs"));
        }
        code
    }

    fn tools(&self, arguments: &Arguments) -> Tools {
        // As they are now: what is built while this runs does not get in between.
        let copy = |program: &str| {
            let to = self.path.join(program);
            std::fs::copy(beside(program), &to).unwrap();
            to
        };
        Tools {
            daemon: copy("ibd-faults"),
            sim: copy("ib-sim"),
            shim: shims::install(&self.path, &beside("ib-mcp")),
            clock: clock(&self.path),
            base: self.path.clone(),
            is_loud: arguments.is_single(),
            mutant: arguments.mutant.clone(),
            scene: arguments.scene.clone(),
            outside: arguments.gateway.clone(),
        }
    }
}

/// One of our programs, beside this one.
fn beside(program: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let found = own.ancestors().skip(1).take(3).map(|folder| folder.join(program));
    let mut found = found.filter(|path| path.is_file());
    found.next().unwrap_or_else(|| {
        panic!(
            "{program} is not built: `cargo build -p ib-sim -p ib-mcp` and \
             `cargo build -p ibd --features faults --bin ibd-faults`, with --release if this was"
        )
    })
}

/// Builds the clock that can be moved, where there is a C compiler (Rust's own linker is one) and a Linux.
fn clock(base: &Path) -> Option<PathBuf> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let (source, library) = (base.join("clock.c"), base.join("clock.so"));
    std::fs::write(&source, include_str!("clock.c")).unwrap();
    let built = std::process::Command::new("cc")
        .args(["-O2", "-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .status();
    match built {
        Ok(status) if status.success() => Some(library),
        _ => {
            println!("no C compiler: clocks do not jump in these runs");
            None
        }
    }
}
