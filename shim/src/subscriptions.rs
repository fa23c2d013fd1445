//! Tells the client which resources changed, of those that it wants to hear of.
//!
//! Up to 2025-11-25 a session subscribes to resources one by one. Since 2026-07-28 there is no session: a request names
//! some, and hears of them until it is cancelled. A client that does not read is told nothing until it does, and then
//! of each resource once, however often it changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ibd_protocol::Outcome;
use rmcp::RoleServer;
use rmcp::model::{ErrorData, ResourceUpdatedNotificationParam};
use rmcp::service::{Peer, SubscriptionContext};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use crate::link::{Link, Subscription};
use crate::{stdio, translate};

/// What a session has subscribed to; a subscription that is still being made is there without.
type Session = Arc<Mutex<BTreeMap<String, Option<Subscription>>>>;

/// Tells of changes.
#[derive(Debug, Clone)]
pub(crate) struct Subscriptions {
    link: Link,
    session: Session,
}

impl Subscriptions {
    pub(crate) fn new(link: Link) -> Self {
        Self { link, session: Session::default() }
    }

    /// The session wants to hear of a resource.
    pub(crate) async fn subscribe(&self, uri: String) -> Result<(), Outcome> {
        // It is the session's from now on, so that nothing is missed that is told before this is over.
        lock(&self.session).entry(uri.clone()).or_default();
        let subscribed = self.link.subscribe(uri.clone()).await;
        let mut session = lock(&self.session);
        match subscribed {
            Ok(subscription) => {
                // One that was there before ends, and with it nothing: this one goes on.
                session.insert(uri, Some(subscription));
                Ok(())
            }
            Err(refused) => {
                if let Some(None) = session.get(&uri) {
                    session.remove(&uri);
                }
                Err(refused)
            }
        }
    }

    /// No longer.
    pub(crate) fn unsubscribe(&self, uri: &str) {
        lock(&self.session).remove(uri);
    }

    /// Tells a session, as long as it lasts.
    pub(crate) fn to_session(&self, peer: Peer<RoleServer>) -> impl Future<Output = ()> + use<> {
        let (mut changes, session) = (self.link.changes(), self.session.clone());
        async move {
            let own = || lock(&session).keys().cloned().collect::<BTreeSet<String>>();
            while let Some(due) = next(&mut changes, &own).await {
                for uri in due {
                    let update = ResourceUpdatedNotificationParam::new(uri);
                    if peer.notify_resource_updated(update).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Tells whoever listens by this request, until it is cancelled.
    pub(crate) async fn to_listener(&self, context: &SubscriptionContext) -> Result<(), ErrorData> {
        // Heard from now on, so that nothing is missed that is told before all is subscribed to.
        let mut changes = self.link.changes();
        let uris = context.accepted().resource_subscriptions.iter().flatten();
        let uris: BTreeSet<String> = uris.cloned().collect();
        let mut held = Vec::with_capacity(uris.len());
        for uri in &uris {
            tokio::select! {
                subscribed = self.link.subscribe(uri.clone()) => match subscribed {
                    Ok(subscription) => held.push(subscription),
                    // What was acknowledged cannot be told: whoever listens is not left believing that it is.
                    Err(refused) => return Err(translate::no_resource(uri, refused)),
                },
                () = context.cancelled() => return Ok(()),
                () = stdio::is_over() => return Ok(()),
            }
        }
        let own = || uris.clone();
        loop {
            let due = tokio::select! {
                due = next(&mut changes, &own) => due,
                () = context.cancelled() => None,
                () = stdio::is_over() => None,
            };
            let Some(due) = due else { return Ok(()) };
            for uri in due {
                // The SDK takes no word any more once the client is gone, and waits for whoever has one.
                tokio::select! {
                    told = context.sink().notify_resource_updated(uri) => if told.is_err() { return Ok(()) },
                    () = context.cancelled() => return Ok(()),
                    () = stdio::is_over() => return Ok(()),
                }
            }
        }
    }
}

fn lock(session: &Session) -> MutexGuard<'_, BTreeMap<String, Option<Subscription>>> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What came of listening.
#[derive(Debug)]
enum Heard {
    /// This resource changed.
    Changed(String),
    /// Some did, and which ones was forgotten meanwhile.
    Missed,
}

/// What is to be told next: not before something is, and not before the client has read what it was told.
async fn next(
    changes: &mut Receiver<String>,
    own: &(impl Fn() -> BTreeSet<String> + Sync),
) -> Option<BTreeSet<String>> {
    loop {
        let first = match changes.recv().await {
            Ok(uri) => Heard::Changed(uri),
            Err(RecvError::Lagged(_)) => Heard::Missed,
            Err(RecvError::Closed) => return None,
        };
        stdio::is_read().await;
        let rest = std::iter::from_fn(|| match changes.try_recv() {
            Ok(uri) => Some(Heard::Changed(uri)),
            Err(TryRecvError::Lagged(_)) => Some(Heard::Missed),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        });
        let due = due(std::iter::once(first).chain(rest), &own());
        if !due.is_empty() {
            return Some(due);
        }
    }
}

/// Of what was heard, what its listener wants to know: each resource once.
fn due(heard: impl Iterator<Item = Heard>, own: &BTreeSet<String>) -> BTreeSet<String> {
    let mut due = BTreeSet::new();
    for one in heard {
        match one {
            Heard::Changed(uri) if own.contains(&uri) => {
                due.insert(uri);
            }
            Heard::Changed(_) => {}
            Heard::Missed => due.extend(own.iter().cloned()),
        }
    }
    due
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_resource_is_told_once_and_all_of_them_where_something_was_missed() {
        let own: BTreeSet<String> = ["a", "b"].map(str::to_owned).into();
        let changed = |uri: &str| Heard::Changed(uri.to_owned());
        for (heard, expected) in [
            (vec![], vec![]),
            (vec![changed("a"), changed("a"), changed("x")], vec!["a"]),
            (vec![changed("b"), changed("a")], vec!["a", "b"]),
            (vec![changed("x"), Heard::Missed], vec!["a", "b"]),
            (vec![changed("x")], vec![]),
        ] {
            let told: Vec<String> = due(heard.into_iter(), &own).into_iter().collect();
            assert_eq!(told, expected);
        }
    }
}
