//! Tells a person who is not looking: a desktop notification, a webhook. Both only if configured.

use std::time::Duration;

use ibd_protocol::settings::{Key, Settings};
use ibd_protocol::{Event, Level};
use tokio::sync::broadcast::error::RecvError;

use crate::board::Board;

/// A webhook answers within this time, or is given up.
const LIMIT: Duration = Duration::from_secs(10);
/// The event of an alert. Whoever owns alerts tells it, tries again, and knows who has heard.
pub const ALERT: &str = "alert_fired";

/// The ways to a person that are configured.
#[derive(Debug, Clone)]
pub struct Ways {
    is_desktop: bool,
    webhook: Option<Webhook>,
}

/// Where to, and with what.
#[derive(Clone)]
struct Webhook {
    address: String,
    client: reqwest::Client,
}

/// The address may hold a token.
impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Webhook")
    }
}

impl Ways {
    /// Those of the daemon's own settings.
    pub fn of(settings: &Settings) -> Self {
        let address = settings.text(Key::Webhook).map(str::to_owned);
        let webhook =
            address.and_then(|address| client().map(|client| Webhook { address, client }));
        Self { is_desktop: settings.text(Key::Notify) == Some("desktop"), webhook }
    }

    /// Whether the desktop is told.
    pub fn has_desktop(&self) -> bool {
        self.is_desktop
    }

    /// Whether a webhook is told.
    pub fn has_webhook(&self) -> bool {
        self.webhook.is_some()
    }

    /// Tells the desktop; why it took nothing.
    pub async fn desktop(&self, event: &Event) -> Result<(), String> {
        if !self.is_desktop {
            return Ok(());
        }
        let mut notification = notify_rust::Notification::new();
        notification
            .appname("ibd")
            .summary("Interactive Brokers (ibd)")
            .body(&format!("{} {}", event.text, event.hint));
        match tokio::time::timeout(LIMIT, notification.show_async()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(format!("the desktop took no notification ({error})")),
            Err(_) => Err("the desktop did not take the notification in time".to_owned()),
        }
    }

    /// Tells the webhook; why it took nothing. `text` is what Slack, Discord's compatible endpoint and ntfy show; the
    /// rest is for programs. `id` is the same each time that one thing is told.
    pub async fn post(&self, event: &Event, id: Option<&str>) -> Result<(), String> {
        let Some(Webhook { address, client }) = &self.webhook else { return Ok(()) };
        let mut body = serde_json::json!({
            "text": format!("{} {}", event.text, event.hint).trim(),
            "code": event.code,
            "hint": event.hint,
        });
        if let (Some(id), Some(fields)) = (id, body.as_object_mut()) {
            fields.insert("id".to_owned(), id.into());
        }
        let sent = client
            .post(address)
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await;
        match sent {
            Ok(reply) if reply.status().is_success() => Ok(()),
            Ok(reply) => Err(format!("the webhook answered {}", reply.status().as_u16())),
            // The address may hold a token; the error names it.
            Err(error) => Err(format!("the webhook was not reached ({})", error.without_url())),
        }
    }
}

/// Listens for ever. What needs a person, or is good to know ahead, is passed on.
pub async fn run(board: Board, settings: Settings) {
    // First of all: what happens meanwhile is to be heard as well.
    let mut events = board.events();
    let ways = Ways::of(&settings);
    if !ways.has_desktop() && !ways.has_webhook() {
        return;
    }
    loop {
        let event = match events.recv().await {
            Ok(event) => event,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        if !is_worth_it(&event) {
            continue;
        }
        for told in [ways.desktop(&event).await, ways.post(&event, None).await] {
            if let Err(why) = told {
                tracing::warn!(why, "a person was not told");
            }
        }
    }
}

fn is_worth_it(event: &Event) -> bool {
    event.code != ALERT && (event.level == Level::Warning || event.code == "login_due")
}

fn client() -> Option<reqwest::Client> {
    // A second provider is no harm, and none would be an error.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .timeout(LIMIT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("ibd/", env!("CARGO_PKG_VERSION")))
        .build();
    client.map_err(|error| tracing::error!(%error, "no webhook can be told")).ok()
}
