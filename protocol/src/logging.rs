//! Logs: to stderr and to a file of the profile that never grows without bound.
//!
//! Never to stdout, which belongs to MCP in the shim and to answers in the command.

use std::borrow::Cow;
use std::io::{self, Write};
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

/// Levels, by which a filter's parts are told from targets without one.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Whether this is a filter that [`start`] takes. A word alone is a level: as a target it would silence all others,
/// which nobody means who writes `verbose`.
pub fn is_filter(text: &str) -> bool {
    let is_level = |word: &str| LEVELS.contains(&word.trim().to_ascii_lowercase().as_str());
    let mut parts = text.split(',').map(str::trim);
    let is_fine = |part: &str| match part.split_once('=') {
        Some((target, level)) => !target.is_empty() && is_level(level),
        None => is_level(part),
    };
    parts.all(is_fine) && text.parse::<Targets>().is_ok()
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
            .with_writer(Mutex::new(OneLine(rotating)))
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
                .with_writer(move || OneLine(writer.clone()))
                .with_filter(filter);
            (layer, guard)
        })
        .unzip();
    let _ = tracing_subscriber::registry().with(file).with(stderr).try_init();
    Logging { _stderr: guard }
}

/// Writes each event on one line, and nothing odd in it: what others wrote cannot forge a line of the log.
#[derive(Debug)]
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let (line, end) = match text.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (&*text, ""),
        };
        match ibd_text::plain(line) {
            Cow::Borrowed(_) => self.0.write_all(event)?,
            Cow::Owned(line) => self.0.write_all(format!("{line}{end}").as_bytes())?,
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
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
    let mut options = ibd_disk::private();
    options.read(true).create(true).append(true);
    options
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_others_wrote_forges_no_line() {
        let mut written = OneLine(Vec::new());
        written.write_all("INFO name=x\nWARN forged \u{1b}[2J\u{202e}\n".as_bytes()).unwrap();
        written.write_all(b"INFO plain\n").unwrap();
        let text = String::from_utf8(written.0).unwrap();
        assert_eq!(text, "INFO name=x WARN forged  [2J\nINFO plain\n");
    }
}
