//! The daemon as a program: arguments, log, signals, and the one line that says that it is ready.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use ibd_protocol::logging::{self, Log, Logging};
use ibd_protocol::{DrainReason, PROTOCOL, build};

use crate::config::{Config, Invocation, help};
use crate::gateway;
use crate::ipc::Shared;
use crate::root::{BeginError, Daemon, Successor};
use crate::service::{self, Socket};

/// What still runs when the daemon has ended is given this long before another program takes its place.
const LET_GO: Duration = Duration::from_secs(2);

/// How it ended.
enum Ended {
    With(ExitCode),
    /// The process goes on as this program.
    AnotherTakesOver(PathBuf),
}

/// All of it, from the command line to the exit code.
pub fn main() -> ExitCode {
    let config = match Config::read(std::env::args().skip(1)) {
        Ok(Invocation::Run(config)) => config,
        Ok(Invocation::Version) => return say(&format!("ibd {}", build())),
        Ok(Invocation::Help) => return say(&help()),
        Err(error) => {
            // Whoever started us reads one line on stdout; a person reads stderr.
            say(&format!("FAIL {error}"));
            eprintln!("ibd: {error}");
            return ExitCode::from(2);
        }
    };
    if let Err(error) = clock(std::time::SystemTime::now()) {
        say(&format!("FAIL {error}"));
        eprintln!("ibd: {error}");
        return ExitCode::FAILURE;
    }
    harden();
    // While there is no second thread.
    let socket = Socket::handed();
    let logging = start_log(&config);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(run(*config, socket.as_ref()));
            runtime.shutdown_timeout(LET_GO);
            drop(logging);
            match ended {
                Ended::With(code) => code,
                Ended::AnotherTakesOver(program) => go_on_as(&program, socket),
            }
        }
        Err(error) => {
            eprintln!("ibd: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether times can be told by this clock. Orders, certificates and logins all count by it.
fn clock(now: std::time::SystemTime) -> Result<(), String> {
    const YEAR: u64 = 31_556_952;
    let seconds = now.duration_since(std::time::UNIX_EPOCH).map(|since| since.as_secs());
    match seconds {
        // Before this program was written, or after anything it could be asked for.
        Ok(seconds) if (50 * YEAR..7_000 * YEAR).contains(&seconds) => Ok(()),
        _ => Err("the clock of this machine is not set: no order, login or certificate can be dated; set it, then \
                  start again"
            .to_owned()),
    }
}

/// Does not come back, unless it fails; then whoever starts daemons starts the next one.
fn go_on_as(program: &Path, socket: Option<Socket>) -> ExitCode {
    let variables = socket.as_ref().map_or(Ok(Vec::new()), Socket::hand_on);
    // Without the socket it publishes its own.
    let error = gateway::go_on_as(program, variables.unwrap_or_default());
    eprintln!("ibd: {} cannot take this one's place: {error}", program.display());
    ExitCode::FAILURE
}

async fn run(config: Config, socket: Option<&Socket>) -> Ended {
    for warning in &config.settings.warnings {
        tracing::warn!(warning);
        eprintln!("ibd: {warning}");
    }
    let passed = socket.and_then(|socket| socket.passed().ok());
    let daemon = match Daemon::begin(config, passed).await {
        Ok(daemon) => daemon,
        Err(error) => {
            tracing::error!(%error, "could not begin");
            // Whoever wants a daemon has one then: it only has to be connected to.
            let is_served = matches!(error, BeginError::AlreadyRuns(_));
            say(&format!("{} {error}", if is_served { "BUSY" } else { "FAIL" }));
            eprintln!("ibd: {error}");
            // What another start would not mend is told as such: a service manager does not try again.
            let is_lasting = matches!(error, BeginError::Newer(_));
            return Ended::With(ExitCode::from(if is_lasting { 2 } else { 1 }));
        }
    };
    tracing::info!(build = build(), protocol = PROTOCOL, pid = std::process::id(), "ready");
    say(&format!("READY {PROTOCOL} {}", std::process::id()));
    service::ready();
    let successor = daemon.successor();
    let announcing = tokio::spawn(announce(daemon.shared().clone(), successor.clone()));
    let shared = daemon.shared().clone();
    let signals = tokio::spawn(async move {
        if signal().await.is_some() {
            shared.end(DrainReason::Signal);
            // A second one means now.
            signal().await;
            std::process::exit(1);
        }
    });
    let ended = daemon.work().await;
    signals.abort();
    announcing.abort();
    tracing::info!(?ended, "ended");
    match (ended, successor.get()) {
        (Some(DrainReason::Upgrade), Some(program)) => Ended::AnotherTakesOver(program.clone()),
        (Some(_), _) => Ended::With(ExitCode::SUCCESS),
        (None, _) => Ended::With(ExitCode::FAILURE),
    }
}

/// Tells the service manager that the daemon ends, or that another program goes on in its place.
async fn announce(shared: Shared, successor: Successor) {
    let mut ending = shared.ending.subscribe();
    match ending.wait_for(Option::is_some).await.ok().and_then(|reason| *reason) {
        Some(DrainReason::Upgrade) if successor.get().is_some() => service::reloading(),
        Some(_) => service::stopping(),
        None => {}
    }
}

/// The next signal that asks for an end.
#[cfg(unix)]
async fn signal() -> Option<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).ok()?;
    let mut interrupt = signal(SignalKind::interrupt()).ok()?;
    tokio::select! {
        got = terminate.recv() => got,
        got = interrupt.recv() => got,
    }
}

#[cfg(not(unix))]
async fn signal() -> Option<()> {
    tokio::signal::ctrl_c().await.ok()
}

/// Other programs of the same user may not read our memory or environment, and there are no dumps.
fn harden() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

fn start_log(config: &Config) -> Logging {
    let is_ready = config.places.make().is_ok();
    let folder = config.places.logs();
    logging::start(Log {
        folder: is_ready.then_some(folder.as_path()),
        file: "ibd.log",
        stderr: !config.auto_started,
        filter: config.settings.log_filter(),
    })
}

/// One line on stdout. A reader that has gone is no reason to fail.
fn say(text: &str) -> ExitCode {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn a_clock_that_is_not_set_is_refused() {
        let at = |seconds| clock(UNIX_EPOCH + Duration::from_secs(seconds)).is_ok();
        assert!(at(1_796_000_000));
        assert!(!at(0) && !at(300_000_000_000));
        assert!(clock(UNIX_EPOCH - Duration::from_secs(1)).is_err());
    }
}
