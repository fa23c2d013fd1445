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

/// The last lines of a file; none if it cannot be read.
pub(crate) fn last_lines(path: &Path, count: usize) -> Vec<String> {
    let Ok(file) = std::fs::File::open(path) else { return Vec::new() };
    let mut lines = std::collections::VecDeque::with_capacity(count.min(10_000));
    for line in BufReader::new(file).lines().map_while(Result::ok) {
        if lines.len() >= count {
            lines.pop_front();
        }
        lines.push_back(line);
    }
    lines.into()
}
