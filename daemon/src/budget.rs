//! What the broker still counts when the daemon starts anew.
//!
//! IBKR counts requests by session and address; it does not know that we were killed. So each request
//! is noted in a small file of the state folder, without syncing: the page cache survives `kill -9`,
//! and after a power cut the broker's seconds are over anyway.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
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
    let file = RequestFile { path, noted: Mutex::new(noted.clone()) };
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
            "iserver/account/orders",
            "iserver/account/pnl/partitioned",
        ];
        windowed.into_iter().map(|endpoint| (endpoint.to_owned(), now)).collect()
    })
}

#[derive(Debug)]
struct RequestFile {
    path: PathBuf,
    noted: Mutex<HashMap<String, i64>>,
}

impl Notebook for RequestFile {
    fn note(&self, endpoint: &'static str, at: Timestamp) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let now = at.as_millisecond();
        noted.insert(endpoint.to_owned(), now);
        noted.retain(|_, millis| now - *millis < LONGEST_WINDOW * 1_000);
        let text = serde_json::to_string(&*noted).unwrap_or_default();
        if let Err(error) = std::fs::write(&self.path, text) {
            tracing::warn!(%error, "a request could not be noted");
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
        let file = RequestFile { path: path.clone(), noted: Mutex::default() };
        let at = Timestamp::now();
        file.note("tickle", at);
        file.note("portfolio/accounts", at);
        assert_eq!(read(&path)["tickle"], at.as_millisecond());
        assert_eq!(read(&path).len(), 2);
        // A kill in the middle of the write.
        std::fs::write(&path, "{\"tick").unwrap();
        assert!(read(&path).contains_key("portfolio/accounts"));
    }
}
