//! The `ib-sim` program: flags, the ready line, and the ways to end.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use ib_sim::{MarketHours, Options, Scenario, Sim};
use tokio::sync::oneshot;

/// A simulated broker: Client Portal API over HTTPS, with a control API for tests and demos.
#[derive(Debug, Parser)]
#[command(name = "ib-sim", version, after_long_help = include_str!("help.txt"))]
struct Flags {
    /// Where the simulated broker listens; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where the control API listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    control: SocketAddr,
    /// Plain HTTP instead of TLS
    #[arg(long)]
    http: bool,
    /// Decides all prices; the same seed gives the same prices
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Start logged out
    #[arg(long)]
    require_login: bool,
    /// The real gateway is in front of it: ends a login as that expects
    #[arg(long)]
    behind_gateway: bool,
    /// Simulated seconds per real second
    #[arg(long, value_name = "RATE")]
    clock_rate: Option<f64>,
    /// When exchanges are open: always, or by their own schedules
    #[arg(long, value_name = "open|real", value_parser = market_hours)]
    market_hours: Option<MarketHours>,
    /// A JSON file that changes the world; see below
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Exit when standard input reaches its end, so that it never outlives its parent
    #[arg(long)]
    until_stdin_closes: bool,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    match serve(flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("ib-sim: {message}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn serve(flags: Flags) -> Result<(), String> {
    let until_stdin_closes = flags.until_stdin_closes;
    let sim = Sim::start(options(flags)?).await.map_err(|error| error.to_string())?;
    let ended = end_of_input(until_stdin_closes);
    ready(&sim).map_err(|error| error.to_string())?;
    tokio::select! {
        () = signalled() => {}
        () = ended => {}
    }
    Ok(())
}

fn options(flags: Flags) -> Result<Options, String> {
    let mut scenario = match &flags.scenario {
        None => Scenario::default(),
        Some(path) => read(path).map_err(|error| format!("{}: {error}", path.display()))?,
    };
    scenario.behind_gateway |= flags.behind_gateway;
    scenario.clock_rate = flags.clock_rate.unwrap_or(scenario.clock_rate);
    scenario.market_hours = flags.market_hours.unwrap_or(scenario.market_hours);
    let Flags { listen, control, http, seed, require_login, .. } = flags;
    Ok(Options { listen, control, http, seed, require_login, scenario })
}

fn market_hours(text: &str) -> Result<MarketHours, String> {
    match text {
        "open" => Ok(MarketHours::Open),
        "real" => Ok(MarketHours::Real),
        _ => Err("must be open or real".to_owned()),
    }
}

fn read(path: &Path) -> Result<Scenario, Box<dyn std::error::Error>> {
    Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
}

/// Tells whoever started us where we are.
#[allow(clippy::print_stdout, reason = "the ready line is this program's one output")]
fn ready(sim: &Sim) -> std::io::Result<()> {
    let (gateway, control) = (sim.gateway(), sim.control());
    println!("{{\"ready\":true,\"gateway\":\"{gateway}\",\"control\":\"{control}\"}}");
    std::io::stdout().flush()
}

/// Resolves when standard input ends, or never if nobody asked for that.
///
/// A thread of our own reads it: one of the runtime's would keep the program from ending by signal.
async fn end_of_input(wanted: bool) {
    if !wanted {
        return std::future::pending().await;
    }
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || {
        // Whatever ends the reading, the input is over.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = tell.send(());
    });
    // An error means that the thread is gone, which is as good as the end.
    let _ = told.await;
}

/// Resolves at ctrl-c, or at SIGTERM where there is such a thing.
#[cfg(unix)]
async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// Resolves at ctrl-c.
#[cfg(not(unix))]
async fn signalled() {
    let _ = tokio::signal::ctrl_c().await;
}
