//! Logs: to stderr and to a file of the profile that never grows without bound.
//!
//! Never to stdout, which belongs to MCP in the shim and to answers in the command.

use std::io;
use std::path::Path;
use std::sync::Mutex;

use file_rotate::compression::Compression;
use file_rotate::suffix::AppendCount;
use file_rotate::{ContentLimit, FileRotate};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Size at which a log file is set aside, in bytes.
const FILE_SIZE: usize = 10 << 20;
/// Log files kept beside the current one.
const FILES: usize = 9;

/// Where a program's log goes.
#[derive(Debug, Clone, Copy)]
pub struct Log<'a> {
    /// The folder; without it there is no file.
    pub folder: Option<&'a Path>,
    /// The file's name, for instance `ibd.log`.
    pub file: &'a str,
    /// Whether stderr gets it too.
    pub stderr: bool,
    /// What to log, in tracing's syntax: `info`, or `ibd=debug,info`.
    pub filter: &'a str,
}

/// Whether this is a filter that [`start`] takes.
pub fn is_filter(text: &str) -> bool {
    text.parse::<Targets>().is_ok()
}

/// Lines that wait for a stderr that nobody reads; more are dropped, and nobody waits.
const LINES: usize = 1_000;

/// Keeps the log going. Dropped at the end, it writes what is still waiting.
#[derive(Debug)]
#[must_use = "what waits to be written is lost without it"]
pub struct Logging {
    _stderr: Option<WorkerGuard>,
}

/// Starts logging for the whole process. A second call changes nothing.
pub fn start(log: Log<'_>) -> Logging {
    let filter = quiet(log.filter);
    let file = log.folder.map(|folder| {
        let rotating = FileRotate::new(
            folder.join(log.file),
            AppendCount::new(FILES),
            ContentLimit::BytesSurpassed(FILE_SIZE),
            Compression::None,
            Some(private()),
        );
        tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(Mutex::new(rotating))
            .with_filter(filter.clone())
    });
    let (stderr, guard) = log
        .stderr
        .then(|| {
            let (writer, guard) = NonBlockingBuilder::default()
                .lossy(true)
                .buffered_lines_limit(LINES)
                .finish(io::stderr());
            let layer = tracing_subscriber::fmt::layer()
                .with_ansi(false)
                .with_writer(writer)
                .with_filter(filter);
            (layer, guard)
        })
        .unzip();
    let _ = tracing_subscriber::registry().with(file).with(stderr).try_init();
    Logging { _stderr: guard }
}

/// Libraries that print whole requests and answers when they are asked for detail are kept from it,
/// unless the filter names them: balances and account ids have no place in a log.
fn quiet(filter: &str) -> Targets {
    let mut targets: Targets = filter.parse().unwrap_or_default();
    for library in ["rmcp", "hyper", "hyper_util", "reqwest", "rustls", "h2"] {
        if !filter.contains(library) {
            targets = targets.with_target(library, LevelFilter::WARN);
        }
    }
    targets
}

/// Appending, so that several shims can share a file; readable by the user alone.
fn private() -> std::fs::OpenOptions {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}
