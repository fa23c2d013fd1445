//! Opens a page in the person's browser.

use ibd_protocol::display;

/// Whether it could be opened.
pub(crate) async fn open(address: String) -> bool {
    let open = move || {
        display::has_display()
            && display::is_page(&address)
            && display::open_with(commands(&address))
    };
    tokio::task::spawn_blocking(open).await.unwrap_or(false)
}

/// The browser of Windows comes first where this is a Linux below it.
fn commands(address: &str) -> impl Iterator<Item = std::process::Command> {
    display::above(address).into_iter().chain(open::commands(address))
}
