//! The sessions of the era that has them: so many and no more, and none that its client has left.
//!
//! The SDK keeps them; here is who uses which, and when one was used last.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{SessionId, SessionManager};
use tokio::time::{Instant, timeout};

/// Sessions at a time: each is a connection to the daemon, which has room for other clients too.
const MOST: usize = 32;
/// A session that nobody uses and no stream is open of ends after so long.
const IDLE: Duration = Duration::from_secs(1_800);
/// One whose client does not read hears of its end too late to be waited for; it ends all the same.
const CLOSING: Duration = Duration::from_millis(100);

/// All of them.
#[derive(Debug)]
pub(crate) struct Sessions {
    manager: Arc<LocalSessionManager>,
    used: Mutex<BTreeMap<SessionId, Used>>,
}

/// How a session is used.
#[derive(Debug, Clone, Copy)]
struct Used {
    /// Requests under way and streams that are open.
    open: usize,
    last: Instant,
}

impl Used {
    fn now(open: usize) -> Self {
        Self { open, last: Instant::now() }
    }

    fn is_idle(self, time: Duration) -> bool {
        self.open == 0 && self.last.elapsed() >= time
    }
}

/// A use of a session, until it is dropped.
#[derive(Debug)]
pub(crate) struct Use {
    id: SessionId,
    sessions: Arc<Sessions>,
}

impl Drop for Use {
    fn drop(&mut self) {
        if let Some(used) = self.sessions.lock().get_mut(&self.id) {
            *used = Used::now(used.open.saturating_sub(1));
        }
    }
}

impl Sessions {
    pub(crate) fn new(manager: Arc<LocalSessionManager>) -> Self {
        Self { manager, used: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SessionId, Used>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Uses a session that there is. `None`: there is none of this name.
    pub(crate) fn use_of(self: &Arc<Self>, id: &str) -> Option<Use> {
        let mut all = self.lock();
        let (id, used) = all.get_key_value(id).map(|(id, used)| (id.clone(), *used))?;
        all.insert(id.clone(), Used::now(used.open + 1));
        drop(all);
        Some(Use { id, sessions: Arc::clone(self) })
    }

    /// Uses one that has just begun.
    pub(crate) fn begun(self: &Arc<Self>, id: &str) -> Use {
        let id = SessionId::from(id);
        self.lock().insert(id.clone(), Used::now(1));
        Use { id, sessions: Arc::clone(self) }
    }

    /// Makes room for one more: the one that was not used for longest gives way, and its client, if it still is one,
    /// begins another. Many clients leave without a word. `false`: all are in use.
    pub(crate) async fn make_room(&self) -> bool {
        if self.manager.sessions.read().await.len() < MOST {
            return true;
        }
        let left = {
            let all = self.lock();
            let idle = all.iter().filter(|(_, used)| used.is_idle(Duration::ZERO));
            idle.min_by_key(|(_, used)| used.last).map(|(id, _)| id.clone())
        };
        match left {
            Some(id) => {
                self.close(&id).await;
                true
            }
            None => false,
        }
    }

    /// Ends those that nobody uses, and forgets those that have ended.
    pub(crate) async fn sweep(&self) {
        let there: BTreeSet<SessionId> =
            self.manager.sessions.read().await.keys().cloned().collect();
        let idle: Vec<SessionId> = {
            let mut all = self.lock();
            all.retain(|id, _| there.contains(id));
            // Its client may have gone while it began.
            there.into_iter().for_each(|id| _ = all.entry(id).or_insert_with(|| Used::now(0)));
            all.iter().filter(|(_, used)| used.is_idle(IDLE)).map(|(id, _)| id.clone()).collect()
        };
        for id in idle {
            tracing::info!("a session was not used for long, and ends");
            self.close(&id).await;
        }
    }

    /// Ends all of them.
    pub(crate) async fn end(&self) {
        let all: Vec<SessionId> = self.manager.sessions.read().await.keys().cloned().collect();
        for id in all {
            self.close(&id).await;
        }
    }

    async fn close(&self, id: &SessionId) {
        self.lock().remove(id);
        if let Ok(Err(error)) = timeout(CLOSING, self.manager.close_session(id)).await {
            tracing::info!(%error, "a session could not be closed");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio::time::advance;

    async fn begin(sessions: &Arc<Sessions>) -> (String, Use) {
        let (id, _transport) = sessions.manager.create_session().await.unwrap();
        (id.to_string(), sessions.begun(&id))
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_room_while_somebody_has_left_and_whoever_stays_is_kept() {
        let sessions = Arc::new(Sessions::new(Arc::default()));
        let mut uses = Vec::new();
        for _ in 0..MOST {
            assert!(sessions.make_room().await);
            uses.push(begin(&sessions).await);
        }
        advance(IDLE * 2).await;
        assert!(!sessions.make_room().await, "all are in use");
        let ((left, one), (stays, other)) = (uses.remove(0), uses.remove(0));
        drop(one);
        advance(Duration::from_secs(1)).await;
        drop(other);
        assert!(sessions.make_room().await);
        assert!(sessions.use_of(&left).is_none(), "it was not used for longest");
        assert!(sessions.use_of(&stays).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_that_nobody_uses_ends_and_one_with_an_open_stream_does_not() {
        let sessions = Arc::new(Sessions::new(Arc::default()));
        let (stays, stream) = begin(&sessions).await;
        let (goes, used) = begin(&sessions).await;
        drop(used);
        let _unused = sessions.manager.create_session().await.unwrap();
        sessions.sweep().await;
        assert_eq!(sessions.lock().len(), 3);
        advance(IDLE).await;
        sessions.sweep().await;
        assert!(sessions.use_of(&goes).is_none());
        assert!(sessions.use_of(&stays).is_some());
        assert_eq!(sessions.lock().len(), 1);
        drop(stream);
        sessions.end().await;
        sessions.sweep().await;
        assert!(sessions.lock().is_empty());
    }
}
