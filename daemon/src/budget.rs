//! What the broker still counts when the daemon starts anew.
//!
//! IBKR counts requests by session and address; it does not know that we were killed. So each request
//! is noted in a small file of the state folder, without syncing: the page cache survives `kill -9`,
//! and after a power cut the broker's seconds are over anyway.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ibd_cpapi::door::{Door, Notebook};
use ibd_protocol::GatewayMode;
use jiff::Timestamp;

use crate::board::Board;
use crate::store::Store;

/// Where the end of a penalty is kept: a restart must not forget it.
const PENALTY: &str = "pace/penalty_until";
/// The longest window of any endpoint, in seconds.
const LONGEST_WINDOW: i64 = 15 * 60;

/// A door that goes on counting where the last daemon was stopped.
pub fn door(folder: &Path, store: &Store) -> Arc<Door> {
    let path = folder.join("requests.json");
    let noted = read(&path);
    let file = RequestFile::new(&path, noted.clone());
    let door = Door::with(Box::new(file));
    for (endpoint, millis) in noted {
        if let Ok(at) = Timestamp::from_millisecond(millis) {
            door.resume_request(&endpoint, at);
        }
    }
    if let Some(until) = store.kept::<Timestamp>(PENALTY) {
        door.resume_penalty(until);
    }
    Arc::new(door)
}

/// Keeps every penalty that begins, for as long as the daemon lives. A simulator's is not IBKR's.
pub async fn keep_penalties(door: Arc<Door>, store: Store, board: Board) {
    let mut penalties = door.penalties();
    while penalties.changed().await.is_ok() {
        let until = *penalties.borrow_and_update();
        if board.gateway().borrow().mode() == GatewayMode::Simulator {
            continue;
        }
        let store = store.clone();
        let kept = tokio::task::spawn_blocking(move || match until {
            Some(until) => store.keep(PENALTY, &until),
            None => store.discard(PENALTY),
        });
        if let Ok(Err(error)) = kept.await {
            tracing::error!(%error, "a penalty could not be kept");
        }
    }
}

/// Milliseconds since 1970 by endpoint. A file that cannot be read was torn by a kill just now, so
/// every endpoint it may have named counts as asked just now; those are found by asking slowly.
fn read(path: &Path) -> HashMap<String, i64> {
    let Ok(text) = std::fs::read_to_string(path) else { return HashMap::new() };
    let now = Timestamp::now().as_millisecond();
    serde_json::from_str(&text).unwrap_or_else(|_| {
        let windowed = [
            "tickle",
            "portfolio/accounts",
            "portfolio/subaccounts",
            "iserver/account/orders",
            "iserver/account/pnl/partitioned",
        ];
        windowed.into_iter().map(|endpoint| (endpoint.to_owned(), now)).collect()
    })
}

#[derive(Debug)]
struct RequestFile {
    noted: Mutex<Noted>,
}

#[derive(Debug)]
struct Noted {
    /// Kept open and written over in one piece: opening and truncating for every request would cost a
    /// millisecond on file systems that guard against lost truncations.
    file: Option<File>,
    at: HashMap<String, i64>,
    width: usize,
}

impl RequestFile {
    fn new(path: &Path, at: HashMap<String, i64>) -> Self {
        let file = File::options().create(true).truncate(false).write(true).open(path);
        if let Err(error) = &file {
            tracing::warn!(%error, "requests cannot be noted for the next daemon");
        }
        let width = std::fs::metadata(path).map_or(0, |found| found.len() as usize);
        Self { noted: Mutex::new(Noted { file: file.ok(), at, width }) }
    }
}

impl Notebook for RequestFile {
    fn note(&self, endpoint: &'static str, at: Timestamp) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let now = at.as_millisecond();
        noted.at.insert(endpoint.to_owned(), now);
        noted.at.retain(|_, millis| now - *millis < LONGEST_WINDOW * 1_000);
        let text = serde_json::to_string(&noted.at).unwrap_or_default();
        // Blanks after the JSON cover what a longer note left behind.
        noted.width = noted.width.max(text.len());
        let line = format!("{text:<width$}", width = noted.width);
        if let Some(file) = &mut noted.file {
            let _ = file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(line.as_bytes()));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_was_asked_is_known_to_the_next_daemon() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requests.json");
        let file = RequestFile::new(&path, HashMap::new());
        let at = Timestamp::now();
        file.note("tickle", at);
        file.note("portfolio/accounts", at);
        assert_eq!(read(&path)["tickle"], at.as_millisecond());
        assert_eq!(read(&path).len(), 2);
        // A shorter note leaves nothing of a longer one behind.
        RequestFile::new(&path, HashMap::new()).note("tickle", at);
        assert_eq!(read(&path).keys().collect::<Vec<_>>(), ["tickle"]);
        file.note("portfolio/accounts", at);
        // A kill in the middle of the write.
        std::fs::write(&path, "{\"tick").unwrap();
        assert!(read(&path).contains_key("portfolio/accounts"));
    }
}
