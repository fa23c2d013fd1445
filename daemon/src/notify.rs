//! Tells a person who is not looking: a desktop notification, a webhook. Both only if configured.

use std::time::Duration;

use ibd_protocol::settings::{Key, Settings};
use ibd_protocol::{Event, Level};
use tokio::sync::broadcast::error::RecvError;

use crate::board::Board;

/// A webhook answers within this time, or is given up.
const LIMIT: Duration = Duration::from_secs(10);

/// Listens for ever. What needs a person, or is good to know ahead, is passed on.
pub async fn run(board: Board, settings: Settings) {
    // First of all: what happens meanwhile is to be heard as well.
    let mut events = board.events();
    let is_desktop = settings.text(Key::Notify) == Some("desktop");
    let webhook = settings.text(Key::Webhook).map(str::to_owned);
    if !is_desktop && webhook.is_none() {
        return;
    }
    let client = webhook.is_some().then(client).flatten();
    loop {
        let event = match events.recv().await {
            Ok(event) => event,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        if !is_worth_it(&event) {
            continue;
        }
        if is_desktop {
            desktop(&event).await;
        }
        if let (Some(client), Some(address)) = (&client, &webhook) {
            post(client, address, &event).await;
        }
    }
}

fn is_worth_it(event: &Event) -> bool {
    event.level == Level::Warning || event.code == "login_due"
}

async fn desktop(event: &Event) {
    let mut notification = notify_rust::Notification::new();
    notification
        .appname("ibd")
        .summary("Interactive Brokers (ibd)")
        .body(&format!("{} {}", event.text, event.hint));
    match tokio::time::timeout(LIMIT, notification.show_async()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the desktop took no notification"),
        Err(_) => tracing::warn!("the desktop did not take the notification in time"),
    }
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

/// `text` is what Slack, Discord's compatible endpoint and ntfy show; the rest is for programs.
async fn post(client: &reqwest::Client, address: &str, event: &Event) {
    let body = serde_json::json!({
        "text": format!("{} {}", event.text, event.hint).trim(),
        "code": event.code,
        "hint": event.hint,
    });
    let sent = client
        .post(address)
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await;
    match sent {
        Ok(reply) if reply.status().is_success() => {}
        Ok(reply) => tracing::warn!(status = reply.status().as_u16(), "the webhook refused"),
        // The address may hold a token; the error names it.
        Err(error) => tracing::warn!(error = %error.without_url(), "the webhook was not reached"),
    }
}
