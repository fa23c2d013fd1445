//! The store: the only file that opens sled.
//!
//! sled 0.34 loses a whole database about once per 880 `kill -9`, and its `flush()` is no fsync
//! (docs/adr/002). So it holds only what can be had again, and the recipe for opening it is: remove
//! leftover `snap.*.generating` files and nothing else; if it does not open, set the folder aside
//! and begin afresh. What cannot be fetched again ("kept") is first appended to `kept.log`, one
//! record with its checksum per line and one fdatasync per write; the log is the truth, sled its
//! index.

mod kept;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use kept::KeptLog;

const KEPT: &str = "kept";
const CACHE: &str = "cache";
/// How long a store that was just closed may take to let go of its lock: sled's own threads end
/// after its handle is dropped.
const LET_GO: Duration = Duration::from_secs(10);

/// Why something could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk said no.
    #[error("the store: {0}")]
    Io(#[from] io::Error),
    /// sled said no.
    #[error("the store: {0}")]
    Sled(#[from] sled::Error),
    /// A value has no form as JSON.
    #[error("the store: {0}")]
    Json(#[from] serde_json::Error),
}

/// What had to be done to open the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// Nothing.
    Sound,
    /// sled's folder could not be read; it was set aside and its index built again.
    SetAside(PathBuf),
    /// The disk has no room for an index, and why. It is kept in memory until the next start.
    InMemory(String),
}

/// A handle; clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    kept: sled::Tree,
    cache: sled::Tree,
    log: Arc<Mutex<KeptLog>>,
}

/// A cached value with the time it was put there.
#[derive(Serialize, Deserialize)]
struct Dated<T> {
    at: Timestamp,
    value: T,
}

impl Store {
    /// Opens the store in `folder`. Only the holder of the daemon lock may do this.
    pub fn open(folder: &Path) -> Result<(Self, Opened), StoreError> {
        std::fs::create_dir_all(folder)?;
        let index = folder.join("sled");
        remove_unfinished_snapshots(&index)?;
        let (db, opened) = open_or_set_aside(&index)?;
        let log = KeptLog::open(folder)?;
        let store = Self {
            kept: db.open_tree(KEPT)?,
            cache: db.open_tree(CACHE)?,
            log: Arc::new(Mutex::new(log)),
        };
        store.index_kept()?;
        Ok((store, opened))
    }

    /// Keeps a value for good: when this returns, neither `kill -9` nor a power cut loses it.
    pub fn keep<T: Serialize>(&self, key: &str, value: &T) -> Result<(), StoreError> {
        let json = serde_json::to_string(value)?;
        self.log.lock().unwrap_or_else(PoisonError::into_inner).put(key, Some(&json))?;
        self.kept.insert(key, json.as_bytes())?;
        Ok(())
    }

    /// Forgets a kept value, for good.
    pub fn discard(&self, key: &str) -> Result<(), StoreError> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).put(key, None)?;
        self.kept.remove(key)?;
        Ok(())
    }

    /// A kept value.
    pub fn kept<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        serde_json::from_slice(&self.kept.get(key).ok()??).ok()
    }

    /// Remembers what can be fetched again; how many bytes it takes. May be lost.
    pub fn remember<T: Serialize>(&self, key: &str, value: &T) -> Result<usize, StoreError> {
        let json = serde_json::to_vec(&Dated { at: Timestamp::now(), value })?;
        let bytes = json.len();
        self.cache.insert(key, json)?;
        Ok(bytes)
    }

    /// Forgets what was remembered.
    pub fn forget(&self, key: &str) -> Result<(), StoreError> {
        self.cache.remove(key)?;
        Ok(())
    }

    /// What was remembered at most `max_age` ago.
    pub fn recall<T: DeserializeOwned>(&self, key: &str, max_age: Duration) -> Option<T> {
        let dated: Dated<T> = serde_json::from_slice(&self.cache.get(key).ok()??).ok()?;
        let age = Timestamp::now().duration_since(dated.at);
        // A clock that was set back makes the age negative: then it is not to be trusted.
        Duration::try_from(age).is_ok_and(|age| age <= max_age).then_some(dated.value)
    }

    /// Makes the index what the log says.
    fn index_kept(&self) -> Result<(), StoreError> {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        for key in self.kept.iter().keys() {
            let key = key?;
            if !std::str::from_utf8(&key).is_ok_and(|key| log.values().contains_key(key)) {
                self.kept.remove(key)?;
            }
        }
        for (key, json) in log.values() {
            self.kept.insert(key, json.as_bytes())?;
        }
        Ok(())
    }
}

/// A snapshot that sled was writing when it was killed makes the next open fail.
fn remove_unfinished_snapshots(index: &Path) -> io::Result<()> {
    let entries = match std::fs::read_dir(index) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let name = entry?.file_name();
        let text = name.to_string_lossy();
        if text.starts_with("snap.") && text.ends_with(".generating") {
            std::fs::remove_file(index.join(&name))?;
        }
    }
    Ok(())
}

fn open_or_set_aside(index: &Path) -> Result<(sled::Db, Opened), StoreError> {
    let open = || sled::Config::new().path(index).cache_capacity(8 << 20).open();
    let since = Instant::now();
    let mut opened = open();
    while opened.as_ref().is_err_and(is_held) && since.elapsed() < LET_GO {
        std::thread::sleep(Duration::from_millis(20));
        opened = open();
    }
    match opened {
        Ok(db) => Ok((db, Opened::Sound)),
        // Another process holds it: setting its folder aside would pull it from under that one.
        Err(error) if is_held(&error) => Err(error.into()),
        // Nothing is wrong with what is there.
        Err(error) if is_full(&error) => in_memory(&error),
        Err(error) => {
            let aside = free_name(index);
            tracing::error!(%error, aside = %aside.display(), "the store could not be read; set aside");
            std::fs::rename(index, &aside)?;
            match open() {
                Ok(db) => Ok((db, Opened::SetAside(aside))),
                Err(error) if is_full(&error) => in_memory(&error),
                Err(error) => Err(error.into()),
            }
        }
    }
}

/// An index that nothing is lost with: what is kept stands in its log, and the rest can be had again.
fn in_memory(why: &sled::Error) -> Result<(sled::Db, Opened), StoreError> {
    tracing::error!(%why, "the store has no room on this disk; it is kept in memory");
    let db = sled::Config::new().temporary(true).cache_capacity(8 << 20).open()?;
    Ok((db, Opened::InMemory(why.to_string())))
}

fn is_full(error: &sled::Error) -> bool {
    let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
    matches!(error, sled::Error::Io(error) if full.contains(&error.kind()))
}

/// A name beside the index that nothing has: two may be set aside within one second.
fn free_name(index: &Path) -> PathBuf {
    let second = Timestamp::now().as_second();
    let name = |n: u32| match n {
        0 => index.with_extension(format!("broken-{second}")),
        n => index.with_extension(format!("broken-{second}-{n}")),
    };
    (0..).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(0))
}

fn is_held(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("acquire lock"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_kept_is_there_again() {
        let folder = tempfile::tempdir().unwrap();
        {
            let (store, opened) = Store::open(folder.path()).unwrap();
            assert_eq!(opened, Opened::Sound);
            store.keep("a", &1).unwrap();
            store.keep("a", &2).unwrap();
            store.keep("b", &3).unwrap();
            store.discard("b").unwrap();
        }
        let (store, _) = Store::open(folder.path()).unwrap();
        assert_eq!(store.kept("a"), Some(2));
        assert_eq!(store.kept::<i32>("b"), None);
    }

    #[test]
    fn two_that_are_set_aside_in_one_second_have_two_names() {
        let folder = tempfile::tempdir().unwrap();
        let index = folder.path().join("sled");
        let first = free_name(&index);
        std::fs::create_dir(&first).unwrap();
        std::fs::write(first.join("x"), "x").unwrap();
        let second = free_name(&index);
        assert!(!second.exists() && first != second, "{}", second.display());
    }

    #[test]
    fn a_broken_index_is_set_aside_and_nothing_kept_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        {
            let (store, _) = Store::open(folder.path()).unwrap();
            store.keep("a", &"kept").unwrap();
        }
        let snapshot = folder.path().join("sled/snap.00000000000000FF");
        std::fs::write(snapshot, b"this is no snapshot of sled's").unwrap();
        let (store, opened) = Store::open(folder.path()).unwrap();
        assert!(matches!(opened, Opened::SetAside(aside) if aside.exists()));
        assert_eq!(store.kept::<String>("a").unwrap(), "kept");
    }

    #[test]
    fn only_an_unfinished_snapshot_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let index = folder.path().join("sled");
        std::fs::create_dir(&index).unwrap();
        for name in ["snap.01.generating", "snap.01", "db"] {
            std::fs::write(index.join(name), b"").unwrap();
        }
        remove_unfinished_snapshots(&index).unwrap();
        assert!(!index.join("snap.01.generating").exists());
        assert!(index.join("snap.01").exists() && index.join("db").exists());
    }

    #[test]
    fn what_is_remembered_grows_old() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path()).unwrap();
        store.remember("c", &"AAPL").unwrap();
        assert_eq!(store.recall::<String>("c", Duration::from_secs(60)).unwrap(), "AAPL");
        assert_eq!(store.recall::<String>("c", Duration::ZERO), None);
    }
}
