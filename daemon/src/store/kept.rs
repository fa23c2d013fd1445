//! The log of what cannot be fetched again.
//!
//! One line a record: `<crc32 in hex> <json>\n`, the JSON being `[key, value]` or `[key]` for a
//! removal. A torn last line fails its checksum and is dropped: it was never acknowledged.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ibd_disk::sync_folder;
use serde_json::value::RawValue;

const NAME: &str = "kept.log";
/// A log with more superseded records than this, and more than live ones, is written afresh.
const SUPERSEDED: usize = 1_000;

#[derive(Debug)]
pub(super) struct KeptLog {
    path: PathBuf,
    file: File,
    /// Bytes of whole records; what lies beyond was never acknowledged.
    length: u64,
    values: BTreeMap<String, String>,
    records: usize,
}

impl KeptLog {
    /// Reads the log in `folder`, cuts a torn end off, and opens it for appending.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join(NAME);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let Read { values, records, sound, damaged } = read(&bytes);
        if damaged > 0 {
            let aside = path.with_extension("log.damaged");
            tracing::error!(damaged, aside = %aside.display(), "kept.log is damaged; a copy was set aside");
            std::fs::copy(&path, aside)?;
        }
        if sound < bytes.len() {
            tracing::warn!(
                bytes = bytes.len() - sound,
                "an unfinished end of kept.log was cut off"
            );
        }
        let file = ibd_disk::private().create(true).truncate(false).write(true).open(&path)?;
        file.set_len(sound as u64)?;
        file.sync_all()?;
        let length = sound as u64;
        sync_folder(folder)?;
        Ok(Self { path, file, length, values, records })
    }

    /// Every kept value as JSON.
    pub(super) fn values(&self) -> &BTreeMap<String, String> {
        &self.values
    }

    /// Appends one record; durable when this returns.
    pub(super) fn put(&mut self, key: &str, json: Option<&str>) -> io::Result<()> {
        self.append(&record(key, json)?)?;
        match json {
            Some(json) => self.values.insert(key.to_owned(), json.to_owned()),
            None => self.values.remove(key),
        };
        self.records += 1;
        if self.records > SUPERSEDED + 2 * self.values.len() { self.rewrite() } else { Ok(()) }
    }

    /// A record that could not be written whole, as on a full disk, must not spoil the next.
    fn append(&mut self, record: &str) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.length))?;
        let written = self.file.write_all(record.as_bytes()).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            let _ = self.file.set_len(self.length);
            return Err(error);
        }
        self.length += record.len() as u64;
        Ok(())
    }

    /// Written beside, synced, renamed over: at every moment one whole log is there.
    fn rewrite(&mut self) -> io::Result<()> {
        ibd_disk::replace_with(&self.path, |file| {
            let mut records = self.values.iter().map(|(key, json)| record(key, Some(json)));
            records.try_for_each(|record| file.write_all(record?.as_bytes()))
        })?;
        self.file = File::options().write(true).open(&self.path)?;
        self.length = self.file.metadata()?.len();
        self.records = self.values.len();
        Ok(())
    }
}

/// What a log says.
#[derive(Default)]
struct Read {
    values: BTreeMap<String, String>,
    records: usize,
    /// Bytes up to the end of the last sound record.
    sound: usize,
    /// Unreadable records with sound ones after them: no torn write does that.
    damaged: usize,
}

fn read(bytes: &[u8]) -> Read {
    let (mut read, mut at, mut unreadable) = (Read::default(), 0, 0);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        let Some((key, value)) = parse(line) else {
            unreadable += 1;
            continue;
        };
        match value {
            Some(value) => read.values.insert(key, value),
            None => read.values.remove(&key),
        };
        read.records += 1;
        read.sound = at;
        read.damaged += std::mem::take(&mut unreadable);
    }
    read
}

fn record(key: &str, json: Option<&str>) -> io::Result<String> {
    let key = serde_json::to_string(key)?;
    let json = match json {
        Some(json) => format!("[{key},{json}]"),
        None => format!("[{key}]"),
    };
    Ok(format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes())))
}

fn parse(line: &[u8]) -> Option<(String, Option<String>)> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (crc, json) = line.split_once(' ')?;
    if u32::from_str_radix(crc, 16).ok()? != crc32fast::hash(json.as_bytes()) {
        return None;
    }
    let parts: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    let key = serde_json::from_str(parts.first()?.get()).ok()?;
    Some((key, parts.get(1).map(|value| value.get().to_owned())))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn write(folder: &Path) -> Vec<u8> {
        let mut log = KeptLog::open(folder).unwrap();
        log.put("a", Some("1")).unwrap();
        log.put("b", Some("\"two\"")).unwrap();
        std::fs::read(folder.join(NAME)).unwrap()
    }

    /// Wherever the last write was torn, what was acknowledged before it is there.
    #[test]
    fn a_torn_end_costs_only_itself() {
        let folder = tempfile::tempdir().unwrap();
        let whole = write(folder.path());
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for end in first..whole.len() {
            std::fs::write(folder.path().join(NAME), &whole[..end]).unwrap();
            let log = KeptLog::open(folder.path()).unwrap();
            assert_eq!(log.values().len(), 1, "cut at {end}");
            assert_eq!(log.values()["a"], "1");
        }
    }

    #[test]
    fn a_flipped_bit_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = write(folder.path());
        let last = bytes.len() - 3;
        bytes[last] ^= 1;
        std::fs::write(folder.path().join(NAME), bytes).unwrap();
        assert_eq!(KeptLog::open(folder.path()).unwrap().values().len(), 1);
    }

    #[test]
    fn damage_in_the_middle_costs_only_its_record_and_is_kept_for_inspection() {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = write(folder.path());
        bytes[12] ^= 1;
        std::fs::write(folder.path().join(NAME), bytes).unwrap();
        let log = KeptLog::open(folder.path()).unwrap();
        assert_eq!(log.values().keys().collect::<Vec<_>>(), ["b"]);
        assert!(folder.path().join("kept.log.damaged").exists());
    }

    #[test]
    fn a_long_log_is_written_afresh() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = KeptLog::open(folder.path()).unwrap();
        for n in 0..SUPERSEDED + 10 {
            log.put("same", Some(&n.to_string())).unwrap();
        }
        let length = std::fs::metadata(folder.path().join(NAME)).unwrap().len();
        assert!(length < 1_000, "{length} bytes");
        drop(log);
        let log = KeptLog::open(folder.path()).unwrap();
        assert_eq!(log.values()["same"], (SUPERSEDED + 9).to_string());
    }
}
