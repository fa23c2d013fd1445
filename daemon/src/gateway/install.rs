//! Installing what a managed gateway needs, and telling whoever waits.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ibd_install::{Order, Progress, Stage};

use crate::config::Sources;

/// A line for a person, at most this often.
const SAY: Duration = Duration::from_millis(500);

/// Installs the gateway, and Java where this machine has none that fits.
pub(super) async fn install(
    data: &Path,
    sources: &Sources,
    tell: impl Fn(String) + Clone + Send + Sync + 'static,
) -> Result<(), String> {
    let is_there = ibd_install::installed_gateway(data).is_ok();
    if !is_there {
        let order = Order::from(sources.gateway.clone());
        let teller = teller("IBKR's gateway", tell.clone());
        let done = ibd_install::install_gateway(data, &order, teller)
            .await
            .map_err(|error| error.to_string())?;
        tracing::info!(?done, "the gateway was installed");
    }
    if ibd_install::find_java(data, None).await.is_err() {
        let order = Order::from(sources.java.clone());
        let done = ibd_install::install_java(data, &order, teller("a Java runtime", tell))
            .await
            .map_err(|error| error.to_string())?;
        tracing::info!(?done, "a Java runtime was installed");
    }
    Ok(())
}

/// Turns bytes into lines for a person.
fn teller(
    what: &'static str,
    tell: impl Fn(String) + Send + Sync + 'static,
) -> impl Fn(Progress) + Send + Sync + 'static {
    let last: Arc<Mutex<Option<(Stage, Instant)>>> = Arc::default();
    move |progress| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|(stage, at)| stage != progress.stage || at.elapsed() >= SAY);
        if is_due {
            *last = Some((progress.stage, Instant::now()));
            tell(line(what, progress));
        }
    }
}

fn line(what: &str, progress: Progress) -> String {
    let verb = match progress.stage {
        Stage::Waiting => {
            return format!("Installing {what}: another installation has to end first.");
        }
        Stage::Downloading => "downloading",
        Stage::Checking => "checking",
        Stage::Unpacking => "unpacking",
    };
    let megabytes = |bytes: u64| bytes.div_ceil(1 << 20);
    match progress.total {
        Some(total) => format!(
            "Installing {what}: {verb}, {} of {} MB.",
            megabytes(progress.done),
            megabytes(total)
        ),
        None => format!("Installing {what}: {verb}, {} MB.", megabytes(progress.done)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_lines() {
        let progress = Progress { stage: Stage::Downloading, done: 5 << 20, total: Some(12 << 20) };
        assert_eq!(
            line("IBKR's gateway", progress),
            "Installing IBKR's gateway: downloading, 5 of 12 MB."
        );
    }
}
