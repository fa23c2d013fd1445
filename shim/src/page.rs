//! Opens a login page in the person's browser.

use ibd_protocol::client::Outgoing;
use ibd_protocol::{ToDaemon, display};

/// Opens a page that the daemon names, and tells it whether that worked.
pub(crate) fn open(address: String, outgoing: Outgoing) {
    tokio::spawn(async move {
        let opened = tokio::task::spawn_blocking(move || try_to_open(&address)).await;
        let opened = opened.unwrap_or(false);
        tracing::info!(opened, "asked to open a page");
        let _ = outgoing.send(&ToDaemon::PageOpened(opened)).await;
    });
}

fn try_to_open(address: &str) -> bool {
    display::has_display() && display::is_page(address) && display::open_with(commands(address))
}

/// The browser of Windows comes first where this is a Linux below it.
fn commands(address: &str) -> impl Iterator<Item = std::process::Command> {
    display::above(address).into_iter().chain(open::commands(address))
}
