//! The login page as text. Its script is inline and its addresses are relative, so that it works
//! behind a gateway on any port.

const PAGE: &str = include_str!("page.html");

const CLOSED: &str = "<!DOCTYPE html><html><head><title>ib-sim login</title></head><body>\
<h1>System maintenance</h1><p>This is ib-sim, a simulator. Its broker is closed for maintenance; \
please try again later.</p></body></html>";

/// The page with its form.
pub(crate) fn login_page() -> &'static str {
    PAGE
}

/// What stands in its place while the broker is closed.
pub(crate) fn closed_page() -> &'static str {
    CLOSED
}
