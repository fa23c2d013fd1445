//! Who is connected, and how many calls are under way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ibd_protocol::ClientStatus;
use tokio::sync::watch;
use tokio::time::Instant;

/// Who is connected, and how many calls are under way. Clones share it.
#[derive(Debug, Clone)]
pub struct Roster(Arc<Mutex<Clients>>, Arc<watch::Sender<usize>>);

#[derive(Debug)]
struct Clients {
    next: u64,
    connected: BTreeMap<u64, ClientStatus>,
    /// Since when nobody has been connected.
    empty_since: Instant,
}

impl Default for Roster {
    fn default() -> Self {
        let clients = Clients { next: 0, connected: BTreeMap::new(), empty_since: Instant::now() };
        Self(Arc::new(Mutex::new(clients)), Arc::new(watch::Sender::new(0)))
    }
}

impl Roster {
    pub(super) fn clients(&self) -> Vec<ClientStatus> {
        self.lock().connected.values().cloned().collect()
    }

    pub(super) fn enter(&self) -> u64 {
        let mut clients = self.lock();
        clients.next += 1;
        let id = clients.next;
        let status = ClientStatus { name: String::new(), read_only: false, calls: 0 };
        clients.connected.insert(id, status);
        id
    }

    pub(super) fn change(&self, id: u64, change: impl FnOnce(&mut ClientStatus)) {
        if let Some(client) = self.lock().connected.get_mut(&id) {
            change(client);
        }
    }

    pub(super) fn leave(&self, id: u64) {
        let mut clients = self.lock();
        clients.connected.remove(&id);
        if clients.connected.is_empty() {
            clients.empty_since = Instant::now();
        }
    }

    /// For how long nobody has been connected.
    pub fn empty_for(&self) -> Option<Duration> {
        let clients = self.lock();
        clients.connected.is_empty().then(|| clients.empty_since.elapsed())
    }

    /// Calls under way, to be watched.
    pub fn calls(&self) -> watch::Receiver<usize> {
        self.1.subscribe()
    }

    pub(super) fn call_begins(&self) {
        self.1.send_modify(|calls| *calls += 1);
    }

    pub(super) fn call_ends(&self) {
        self.1.send_modify(|calls| *calls = calls.saturating_sub(1));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Clients> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
