//! The handle to ask for alerts with.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ibd_protocol::{AlertReport, AlertsReport, ErrorCode};
use ractor::RpcReplyPort;
use tokio::sync::{Mutex, MutexGuard, oneshot, watch};

use super::alert::{AlertId, Draft, Login};
use super::desk::{Listing, Made, Named, Shown, Switch, Switched};
use super::words::moment;
use super::{Asking, Msg};
use crate::policy::Policy;
use crate::post::Post;
use crate::refusal::Refusal;

/// A handle; survives restarts of the actor.
#[derive(Debug, Clone)]
pub struct AlertsHandle {
    post: Post<Msg>,
    seen: Arc<Seen>,
    turn: Arc<Mutex<()>>,
}

/// What is seen without asking the actor.
#[derive(Debug, Default)]
struct Seen {
    has_news: AtomicBool,
    is_at_work: AtomicBool,
    /// Counts what may have changed.
    changes: watch::Sender<u64>,
}

impl AlertsHandle {
    /// Reaches the actor through `post`.
    pub fn new(post: Post<Msg>) -> Self {
        Self { post, seen: Arc::default(), turn: Arc::default() }
    }

    pub(super) fn show(&self, has_news: bool, is_at_work: bool) {
        self.seen.has_news.store(has_news, Ordering::Relaxed);
        self.seen.is_at_work.store(is_at_work, Ordering::Relaxed);
    }

    pub(super) fn changed(&self) {
        self.seen.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Says whenever there may be something else than before.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.seen.changes.subscribe()
    }

    /// Whether something is watched, or somebody is still to be told.
    pub fn is_at_work(&self) -> bool {
        self.seen.is_at_work.load(Ordering::Relaxed)
    }

    /// Held while one is entered at IBKR: of two that are alike, the second one sees the first.
    pub async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    async fn call<T: Send + 'static>(
        &self,
        msg: impl FnOnce(RpcReplyPort<T>) -> Msg,
    ) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.post.send(msg(reply.into()));
        answer.await.map_err(|_| away())
    }

    /// Makes an alert, or changes one.
    pub async fn create(&self, draft: Draft, replaced: Option<AlertId>) -> Result<Made, Refusal> {
        let draft = Box::new(draft);
        self.call(|reply| Msg::Create(draft, replaced, reply)).await?
    }

    /// Switches one on or off.
    pub async fn switch(&self, named: Named, switch: Switch) -> Result<Switched, Refusal> {
        self.call(|reply| Msg::Switch(named, switch, reply)).await?
    }

    /// Deletes one; what it was.
    pub async fn delete(&self, named: Named) -> Result<Shown, Refusal> {
        self.call(|reply| Msg::Delete(named, reply)).await?
    }

    /// What there is.
    pub async fn list(&self) -> Result<Listing, Refusal> {
        self.call(Msg::List).await
    }

    /// What a client may hear of.
    pub async fn list_for(&self, policy: &Policy) -> Result<Listing, Refusal> {
        let mut listing = self.list().await?;
        listing.alerts.retain(|alert| may_hear(policy, alert.login.as_ref()));
        Ok(listing)
    }

    /// News that a client has not heard; it has, once it is answered with them.
    pub async fn news(&self, asking: Asking) -> Vec<String> {
        if !self.seen.has_news.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let asking = Box::new(asking);
        self.call(|reply| Msg::News(asking, reply)).await.unwrap_or_default()
    }

    /// What there is, for a person.
    pub async fn report(&self) -> AlertsReport {
        match self.list().await {
            Ok(listing) => report(&listing),
            Err(refusal) => AlertsReport {
                ok: false,
                text: refusal.message,
                hint: "Try again in a moment.".to_owned(),
                ..AlertsReport::default()
            },
        }
    }
}

/// Whether a client may hear of what happened under a login; before there is one nothing is anybody's.
pub(super) fn may_hear(policy: &Policy, login: Option<&Login>) -> bool {
    login.is_none_or(|login| policy.may_hear(login.paper, login.username.as_deref()))
}

fn report(listing: &Listing) -> AlertsReport {
    let alerts: Vec<AlertReport> = listing.alerts.iter().map(row).collect();
    let text = match alerts.len() {
        0 => "ibd watches no alert of its own. Those that IBKR keeps: get_alerts.".to_owned(),
        1 => "One alert of ibd's own.".to_owned(),
        many => format!("{many} alerts of ibd's own."),
    };
    let hint = listing.trouble.clone().unwrap_or_default();
    AlertsReport { ok: true, text, hint, alerts, not_watched: listing.not_watched.clone() }
}

fn row(shown: &Shown) -> AlertReport {
    AlertReport {
        id: shown.id.to_string(),
        text: shown.text.clone(),
        state: shown.state.to_owned(),
        reason: shown.why.clone(),
        value: shown.value.clone(),
        seen_at: shown.seen_at.map(moment),
        made_at: moment(shown.made_at),
        fired_at: shown.fired_at.map(moment),
        client: shown.client.clone(),
    }
}

fn away() -> Refusal {
    Refusal::new(
        ErrorCode::Internal,
        "The part of the daemon that owns alerts is being restarted.",
        "Try again in a few seconds; get_alerts shows what there is.",
    )
}
