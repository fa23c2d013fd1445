//! The connections that are open: so many and no more. Where there is no room the oldest that has not shown the token
//! gives way, so that whoever only knocks keeps nobody out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

/// Connections at a time: with a descriptor each, and one for the daemon per session, far below what a process may have.
const MOST: usize = 128;

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Connections(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    next: u64,
    /// By their age.
    all: BTreeMap<u64, Connection>,
}

#[derive(Debug)]
struct Connection {
    task: AbortHandle,
    is_known: bool,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub(crate) struct Visitor {
    id: u64,
    connections: Arc<Connections>,
}

impl Visitor {
    /// It has shown the token.
    pub(crate) fn is_let_in(&self) {
        if let Some(connection) = self.connections.lock().all.get_mut(&self.id) {
            connection.is_known = true;
        }
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        self.connections.lock().all.remove(&self.id);
    }
}

impl Connections {
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes room for one more. `false`: all that are open have shown the token.
    pub(crate) fn make_room(&self) -> bool {
        let mut open = self.lock();
        if open.all.len() < MOST {
            return true;
        }
        let oldest = open.all.iter().find(|(_, one)| !one.is_known).map(|(id, _)| *id);
        let given_way = oldest.and_then(|id| open.all.remove(&id));
        drop(open);
        given_way.inspect(|one| one.task.abort()).is_some()
    }

    /// Has somebody served.
    pub(crate) fn serve<F>(self: &Arc<Self>, serve: impl FnOnce(Visitor) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut open = self.lock();
        let id = open.next;
        open.next += 1;
        let visitor = Visitor { id, connections: Arc::clone(self) };
        let task = tokio::spawn(serve(visitor)).abort_handle();
        open.all.insert(id, Connection { task, is_known: false });
    }

    /// Ends all of them.
    pub(crate) fn end(&self) {
        let all = std::mem::take(&mut self.lock().all);
        all.values().for_each(|one| one.task.abort());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn stay(visitor: Visitor) {
        let _visitor = visitor;
        std::future::pending::<()>().await;
    }

    #[tokio::test]
    async fn who_only_knocks_gives_way_and_who_is_known_does_not() {
        let connections = Arc::new(Connections::default());
        for _ in 0..MOST {
            assert!(connections.make_room());
            connections.serve(stay);
        }
        if let Some(first) = connections.lock().all.get_mut(&0) {
            first.is_known = true;
        }
        assert!(connections.make_room());
        connections.serve(stay);
        let ids = |count| connections.lock().all.keys().copied().take(count).collect::<Vec<_>>();
        assert_eq!(ids(2), [0, 2], "the oldest that is not known has gone");
        connections.lock().all.values_mut().for_each(|one| one.is_known = true);
        assert!(!connections.make_room());
        assert_eq!(connections.lock().all.len(), MOST);
        connections.end();
        assert!(ids(1).is_empty());
    }
}
