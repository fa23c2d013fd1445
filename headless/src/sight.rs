//! What one look at the page shows.

use serde::Deserialize;

/// Told by `page.js`. "Visible" is what a person could see; what is not visible is `None`, empty or
/// false.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Sight {
    /// Of the document; `null` (as text) where it has none.
    pub(crate) origin: String,
    /// Origins to which the forms of the fields would be sent.
    pub(crate) destinations: Vec<String>,
    /// The document and all that belongs to it has come.
    pub(crate) loaded: bool,
    /// What is in the field for the username.
    pub(crate) username: Option<String>,
    /// Length of what is in the field for the password.
    pub(crate) password: Option<usize>,
    /// There is a button to log in.
    pub(crate) submit: bool,
    /// The switch for paper trading is on.
    pub(crate) paper: Option<bool>,
    /// Text of an error.
    pub(crate) error: Option<String>,
    /// There is a field for a code.
    pub(crate) code: bool,
    /// Text of the panel for the second factor.
    pub(crate) panel: String,
    /// Methods on offer for the second factor, and which of them is chosen.
    pub(crate) devices: Vec<String>,
    /// Which of them is chosen.
    pub(crate) chosen: Option<usize>,
    /// Text about a push.
    pub(crate) notice: Option<String>,
    /// There is a link for another push.
    pub(crate) resend: bool,
    /// Advertisement in the way, with a link to skip it.
    pub(crate) promo: bool,
    /// Text of the whole page, shortened.
    pub(crate) text: String,
}

/// The answer of the gateway to a login that IBKR has accepted.
const SUCCESS: &str = "Client login succeeds";

impl Sight {
    /// The page says that the login succeeded.
    pub(crate) fn is_success(&self) -> bool {
        self.text.contains(SUCCESS)
    }

    /// The login form is there with all that is needed to fill it in.
    pub(crate) fn has_form(&self) -> bool {
        self.username.is_some() && self.password.is_some() && self.submit
    }
}
