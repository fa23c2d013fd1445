//! What is appended to a log, as it comes, also where another file takes its place.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use crate::{for_terminal, say};

/// Between two looks.
const EVERY: Duration = Duration::from_millis(250);

/// Says what comes until Ctrl-C.
pub(super) async fn run(tails: &mut [Tail]) {
    let mut end = pin!(tokio::signal::ctrl_c());
    loop {
        for line in tails.iter_mut().flat_map(Tail::news) {
            say(&for_terminal(&line));
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = &mut end => return,
        }
    }
}

/// A log, read up to some place.
pub(super) struct Tail {
    path: PathBuf,
    /// Which file it is: a log that is full is put aside, and a new one has its name.
    file: Option<u64>,
    at: u64,
    /// A line of which the end has not come yet.
    begun: Vec<u8>,
}

impl Tail {
    /// What comes from now on; of a file that is not there yet, all of it.
    pub(super) fn at_end(path: &Path) -> Self {
        let found = std::fs::metadata(path).ok();
        Self {
            path: path.to_owned(),
            file: found.as_ref().map(number),
            at: found.map_or(0, |found| found.len()),
            begun: Vec::new(),
        }
    }

    /// The lines that have come since the last look. What cannot be read now is read later.
    fn news(&mut self) -> Vec<String> {
        let Ok(mut file) = File::open(&self.path) else { return Vec::new() };
        let Ok(found) = file.metadata() else { return Vec::new() };
        let number = Some(number(&found));
        if self.file != number || found.len() < self.at {
            (self.file, self.at) = (number, 0);
            self.begun.clear();
        }
        let mut bytes = Vec::new();
        if file.seek(SeekFrom::Start(self.at)).is_err() || file.read_to_end(&mut bytes).is_err() {
            return Vec::new();
        }
        self.at += bytes.len() as u64;
        self.begun.extend(bytes);
        self.whole_lines()
    }

    fn whole_lines(&mut self) -> Vec<String> {
        let Some(last) = self.begun.iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        let rest = self.begun.split_off(last + 1);
        let whole = std::mem::replace(&mut self.begun, rest);
        let text = String::from_utf8_lossy(&whole);
        text.lines().map(str::to_owned).collect()
    }
}

/// Tells two files of one name apart.
#[cfg(unix)]
fn number(found: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(found)
}

/// Elsewhere a new one is known by being shorter.
#[cfg(not(unix))]
fn number(_: &std::fs::Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Write;

    #[test]
    fn whole_lines_are_told_once_also_of_a_file_that_takes_the_old_ones_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        std::fs::write(&path, "old\n").unwrap();
        let mut tail = Tail::at_end(&path);
        assert!(tail.news().is_empty());
        let append = |text: &str| {
            let mut file = File::options().append(true).create(true).open(&path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        append("one\ntw");
        assert_eq!(tail.news(), ["one"]);
        append("o\n");
        assert_eq!(tail.news(), ["two"]);
        std::fs::rename(&path, folder.path().join("x.log.1")).unwrap();
        assert!(tail.news().is_empty());
        append("three\n");
        assert_eq!(tail.news(), ["three"]);
        std::fs::write(&path, "").unwrap();
        append("four\n");
        assert_eq!(tail.news(), ["four"]);
    }

    #[test]
    fn a_log_that_comes_later_is_told_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("later.log");
        let mut tail = Tail::at_end(&path);
        assert!(tail.news().is_empty());
        std::fs::write(&path, "first\n").unwrap();
        assert_eq!(tail.news(), ["first"]);
    }
}
