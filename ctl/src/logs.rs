//! `ibctl logs`: the end of the daemon's log, and where all of it is.

use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::json;

use crate::daemon::Fault;
use crate::{Context, Ended, answer};

pub(crate) async fn run(context: &Context, count: usize) -> Result<Ended, Fault> {
    // Why a daemon did not start stands in the first of these; nothing is started by looking.
    let folder = context.places.logs();
    let mut lines = Vec::new();
    for name in ["ibd.start.log", "ibd.log"] {
        lines.extend(last_lines(&folder.join(name), count));
    }
    let from = lines.len().saturating_sub(count);
    let lines = &lines[from..];
    if !context.json {
        eprintln!("{}", folder.display());
    }
    answer(context, &json!({ "folder": folder, "lines": lines }), &lines.join("\n"))?;
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
