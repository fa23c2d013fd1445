//! Tells the client what happens, where it has asked for that or is of an era that expects it.
//!
//! Up to 2025-11-25 a session has a level, which `logging/setLevel` changes. Since 2026-07-28 there is
//! no session: a request says which level it wants to hear of while it runs, or hears nothing.

// The SDK marks logging as deprecated, as the newest revision does; the clients of today show it.
#![allow(deprecated)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use ibd_protocol::{Event, Level};
use rmcp::RoleServer;
use rmcp::model::{LoggingLevel, LoggingMessageNotificationParam, ProtocolVersion};
use rmcp::service::{Peer, RequestContext};
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::AbortHandle;

use crate::link::Link;

/// Passes events on.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    link: Link,
    /// The least that the session wants to hear of.
    level: Arc<AtomicU8>,
}

/// Ends the telling when the request, or the session, that wanted it is over.
#[derive(Debug)]
pub(crate) struct Telling(AbortHandle);

impl Telling {
    /// Tells until this is dropped.
    pub(crate) fn spawn(tells: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(tells).abort_handle())
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Events {
    pub(crate) fn new(link: Link) -> Self {
        Self { link, level: Arc::new(AtomicU8::new(LoggingLevel::Info as u8)) }
    }

    /// Sets what the session wants to hear of.
    pub(crate) fn set_level(&self, level: LoggingLevel) {
        self.level.store(level as u8, Ordering::Relaxed);
    }

    /// Tells a session, as long as it lasts. A client without one is told nothing.
    pub(crate) fn to_session(&self, peer: Peer<RoleServer>) -> impl Future<Output = ()> + use<> {
        let (mut events, level) = (self.link.events(), self.level.clone());
        async move {
            while let Some(event) = next(&mut events).await {
                let wanted = severity(event.level) as u8 >= level.load(Ordering::Relaxed);
                let has_session = peer.peer_info().is_some();
                if wanted && has_session && tell(&peer, event).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Tells whoever made this request, until it is over, if it asked for that.
    pub(crate) fn to_request(&self, context: &RequestContext<RoleServer>) -> Option<Telling> {
        let least = context.meta.log_level().filter(|_| is_modern(context))? as u8;
        let (mut events, peer) = (self.link.events(), context.peer.clone());
        Some(Telling::spawn(async move {
            while let Some(event) = next(&mut events).await {
                if severity(event.level) as u8 >= least && tell(&peer, event).await.is_err() {
                    return;
                }
            }
        }))
    }
}

/// Whether a request is of the era without sessions.
pub(crate) fn is_modern(context: &RequestContext<RoleServer>) -> bool {
    context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28)
}

async fn next(events: &mut Receiver<Event>) -> Option<Event> {
    loop {
        match events.recv().await {
            Ok(event) => return Some(event),
            // What was missed is history; the next status shows what it came to.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
        }
    }
}

async fn tell(peer: &Peer<RoleServer>, event: Event) -> Result<(), rmcp::ServiceError> {
    peer.notify_logging_message(message(event)).await
}

fn severity(level: Level) -> LoggingLevel {
    match level {
        Level::Info => LoggingLevel::Info,
        Level::Warning => LoggingLevel::Warning,
    }
}

fn message(event: Event) -> LoggingMessageNotificationParam {
    let data = json!({ "code": event.code, "text": event.text, "hint": event.hint });
    LoggingMessageNotificationParam::new(severity(event.level), data).with_logger("ibd")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_event_is_a_log_message_of_ours() {
        let event = Event {
            level: Level::Warning,
            code: "need_login".into(),
            text: "The login is over.".into(),
            hint: "Log in.".into(),
        };
        let message = serde_json::to_value(message(event)).unwrap();
        assert_eq!(
            message,
            json!({
                "level": "warning",
                "logger": "ibd",
                "data": { "code": "need_login", "text": "The login is over.", "hint": "Log in." },
            })
        );
    }

    #[test]
    fn levels_are_ordered_as_the_protocol_orders_them() {
        assert!((LoggingLevel::Debug as u8) < LoggingLevel::Info as u8);
        assert!((LoggingLevel::Notice as u8) < LoggingLevel::Warning as u8);
        assert!((LoggingLevel::Warning as u8) < LoggingLevel::Error as u8);
    }
}
