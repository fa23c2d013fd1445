//! Opens a page in the person's browser.

use ibd_protocol::display;

/// Whether it could be opened.
pub(crate) async fn open(address: String) -> bool {
    let open = move || {
        display::has_display()
            && display::is_page(&address)
            && display::open_with(open::commands(&address))
    };
    tokio::task::spawn_blocking(open).await.unwrap_or(false)
}
