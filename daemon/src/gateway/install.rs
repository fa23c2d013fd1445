//! Installing what a managed gateway needs, and telling whoever waits.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ibd_install::{Order, Progress, Source, Stage};

/// A line for a person, at most this often.
const SAY: Duration = Duration::from_millis(500);

/// Where gateway and Java come from.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The gateway's archive.
    pub gateway: Source,
    /// The Java runtime's.
    pub java: Source,
}

impl Sources {
    /// From the configuration's texts; nothing means where their makers publish them.
    pub fn parse(gateway: Option<&str>, java: Option<&str>) -> Result<Self, String> {
        let source = |name: &str, text: Option<&str>| match text {
            None => Ok(Source::Published),
            Some(text) => text.parse().map_err(|error| format!("{name}: {error}")),
        };
        Ok(Self {
            gateway: source("IB_GATEWAY_ARCHIVE", gateway)?,
            java: source("IB_JAVA_ARCHIVE", java)?,
        })
    }
}

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

    #[test]
    fn a_place_that_cannot_be_trusted_is_named() {
        let refused = Sources::parse(Some("http://example.com/gw.zip"), None);
        assert!(refused.is_err_and(|text| text.starts_with("IB_GATEWAY_ARCHIVE:")));
    }
}
