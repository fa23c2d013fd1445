//! Keeps the browser at the gateway's origin.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::{Value, json};

use crate::pipe::{Command, Event};

/// Lets the browser load documents of one origin only.
#[derive(Debug)]
pub(crate) struct Guard {
    origin: String,
    /// Id of the tab's own frame.
    frame: OnceLock<String>,
    /// Where the tab was about to go.
    refused: Mutex<Option<String>>,
    has_crashed: AtomicBool,
}

impl Guard {
    pub(crate) fn new(origin: String) -> Self {
        Self {
            origin,
            frame: OnceLock::new(),
            refused: Mutex::default(),
            has_crashed: AtomicBool::new(false),
        }
    }

    /// Answers the browser's question whether to load a document, and closes dialogs, which would
    /// stop the page.
    pub(crate) fn answer(&self, event: &Event) -> Option<Command> {
        match event.method.as_str() {
            "Fetch.requestPaused" => Some(self.judge(&event.params)),
            "Page.javascriptDialogOpening" => {
                Some(Command::new("Page.handleJavaScriptDialog", json!({"accept": false})))
            }
            "Inspector.targetCrashed" => {
                self.has_crashed.store(true, Ordering::Relaxed);
                None
            }
            _ => None,
        }
    }

    /// The page's process is gone, and nothing will be answered any more.
    pub(crate) fn has_crashed(&self) -> bool {
        self.has_crashed.load(Ordering::Relaxed)
    }

    /// The main frame is this one.
    pub(crate) fn watch(&self, frame: String) {
        // A guard has one tab.
        let _ = self.frame.set(frame);
    }

    /// Where the tab was about to go, if that was elsewhere.
    pub(crate) fn refused(&self) -> Option<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn judge(&self, params: &Value) -> Command {
        let id = &params["requestId"];
        let url = params["request"]["url"].as_str().unwrap_or_default();
        if origin(url).is_some_and(|origin| origin == self.origin) {
            return Command::new("Fetch.continueRequest", json!({"requestId": id}));
        }
        if params["frameId"].as_str() == self.frame.get().map(String::as_str) {
            let place = origin(url).unwrap_or_else(|| "an address that is none".into());
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
        }
        let blocked = json!({"requestId": id, "errorReason": "BlockedByClient"});
        Command::new("Fetch.failRequest", blocked)
    }
}

/// Scheme, host and port of an address, as a browser writes them.
pub(crate) fn origin(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://")?;
    let host = rest.split(['/', '?', '#']).next().filter(|host| !host.is_empty())?;
    // Browsers read a backslash as a slash, and what is before an @ is no host.
    if host.contains(['\\', '@']) {
        return None;
    }
    let host = host.strip_suffix(":443").unwrap_or(host).to_ascii_lowercase();
    Some(format!("https://{host}"))
}

#[cfg(test)]
mod tests;
