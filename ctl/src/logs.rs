//! `ibctl logs`: the end of the daemon's log, and where all of it is.

mod follow;

use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::json;

use crate::daemon::Fault;
use crate::{Context, Ended, answer};

/// Why a daemon did not start stands in the first of these.
const FILES: [&str; 2] = ["ibd.start.log", "ibd.log"];

/// Flags of the verb.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Lines from the end.
    #[arg(short = 'n', long, default_value_t = 50)]
    lines: usize,
    /// Go on with what comes, until Ctrl-C.
    #[arg(short, long)]
    follow: bool,
}

pub(crate) async fn run(context: &Context, args: &Args) -> Result<Ended, Fault> {
    if args.follow && context.json {
        return Err(Fault::usage(
            "--follow has no end, and --json is one object",
            "Leave one of the two out.",
        ));
    }
    let (folder, count) = (context.places.logs(), args.lines);
    // From where on they are followed is known before they are read: so nothing is left out between.
    let mut tails: Vec<follow::Tail> =
        FILES.iter().map(|name| follow::Tail::at_end(&folder.join(name))).collect();
    // Nothing is started by looking.
    let mut lines = Vec::new();
    for name in FILES {
        lines.extend(last_lines(&folder.join(name), count));
    }
    let from = lines.len().saturating_sub(count);
    let lines = &lines[from..];
    if !context.json {
        eprintln!("{}", folder.display());
    }
    answer(context, &json!({ "folder": folder, "lines": lines }), &lines.join("\n"))?;
    if args.follow {
        follow::run(&mut tails).await;
    }
    Ok(Ended::Fine)
}

/// The last lines of a file; none if it cannot be read. Bytes that are no text are shown as such.
pub(crate) fn last_lines(path: &Path, count: usize) -> Vec<String> {
    let Ok(file) = std::fs::File::open(path) else { return Vec::new() };
    let mut lines = std::collections::VecDeque::with_capacity(count.min(10_000));
    for line in BufReader::new(file).split(b'\n').map_while(Result::ok) {
        if lines.len() >= count {
            lines.pop_front();
        }
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        lines.push_back(String::from_utf8_lossy(line).into_owned());
    }
    lines.into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_last_lines_are_shown_whatever_is_in_them() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("x.log");
        std::fs::write(&log, b"one\ntwo \xff\r\nthree \x1b[2J\n").unwrap();
        let lines = last_lines(&log, 2);
        assert_eq!(lines, ["two \u{fffd}", "three \u{1b}[2J"]);
        assert!(last_lines(&folder.path().join("none"), 2).is_empty());
    }
}
