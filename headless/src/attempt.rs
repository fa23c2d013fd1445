//! What one attempt needs to know.

use std::path::PathBuf;
use std::time::Duration;

use ibd_protocol::Secret;

/// One login at one gateway.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The gateway's front page, as `https://127.0.0.1:5055/`. Nothing is typed at any other origin.
    pub url: String,
    /// What [`crate::spki_sha256`] says of the pinned certificate.
    pub spki_sha256: [u8; 32],
    /// The user's name.
    pub username: String,
    /// The user's password.
    pub password: Secret,
    /// Seed of an authenticator app, in base32. Without it a person is asked for codes.
    pub totp: Option<Secret>,
    /// Live or paper.
    pub mode: Mode,
    /// Where things are on the page.
    pub selectors: Selectors,
    /// Chrome or Chromium, if it is not to be looked for.
    pub browser: Option<PathBuf>,
    /// A private folder, for attempts only. What earlier ones left in it is removed.
    pub scratch: PathBuf,
    /// Time for the whole attempt.
    pub limit: Duration,
    /// Time for a push to be approved. IBKR's own limit is 180 s.
    pub push_limit: Duration,
}

/// Which of a user's logins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Real money.
    Live,
    /// Paper trading.
    Paper,
}

impl Mode {
    /// Whether the page's switch must be on.
    pub(crate) fn is_paper(self) -> bool {
        self == Self::Paper
    }
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Live => "live",
            Self::Paper => "paper",
        })
    }
}

/// CSS selectors, best first: the first that finds something visible counts.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Selectors {
    /// `IB_SELECTOR_USERNAME`.
    pub username: Vec<String>,
    /// `IB_SELECTOR_PASSWORD`.
    pub password: Vec<String>,
    /// `IB_SELECTOR_LOGIN_SUBMIT`.
    pub login_submit: Vec<String>,
    /// `IB_SELECTOR_TOTP_INPUT`.
    pub totp_input: Vec<String>,
    /// `IB_SELECTOR_TOTP_SUBMIT`.
    pub totp_submit: Vec<String>,
    /// `IB_SELECTOR_TOTP_DEVICE_SELECT`.
    pub device_select: Vec<String>,
}

impl Default for Selectors {
    /// IBKR's page of 2026, then those of earlier years.
    fn default() -> Self {
        let list = |items: &[&str]| items.iter().map(|&item| item.to_owned()).collect();
        Self {
            username: list(&[
                "input[name=username]",
                "#xyz-field-username",
                "input[name=user_name]",
                "#user_name",
            ]),
            password: list(&["input[name=password]", "#xyz-field-password", "#password"]),
            login_submit: list(&[
                ".btn.btn-lg.xyz-button-login",
                "form button[type=submit]",
                "#submitForm",
            ]),
            totp_input: list(&[
                "#xyz-field-silver-response",
                "#xyz-field-bronze-response",
                "#xyz-field-gold-response",
                "#xyz-field-temp-response",
                "#twofactbase input[name$=response]",
                "#chlginput",
            ]),
            totp_submit: list(&[
                "#twofactbase .xyz-button-login",
                "#twofactbase button[type=submit]",
                ".btn.btn-lg.xyz-button-login",
                "form button[type=submit]",
            ]),
            device_select: list(&["#twofactbase select", ".xyz-multipledevices select", "select"]),
        }
    }
}

impl Selectors {
    /// The defaults, with one of them replaced: an override is the only one then.
    pub fn set(&mut self, variable: &str, selector: &str) -> bool {
        let list = match variable {
            "IB_SELECTOR_USERNAME" => &mut self.username,
            "IB_SELECTOR_PASSWORD" => &mut self.password,
            "IB_SELECTOR_LOGIN_SUBMIT" => &mut self.login_submit,
            "IB_SELECTOR_TOTP_INPUT" => &mut self.totp_input,
            "IB_SELECTOR_TOTP_SUBMIT" => &mut self.totp_submit,
            "IB_SELECTOR_TOTP_DEVICE_SELECT" => &mut self.device_select,
            _ => return false,
        };
        *list = vec![selector.to_owned()];
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_override_is_the_only_selector() {
        let mut selectors = Selectors::default();
        assert!(selectors.set("IB_SELECTOR_USERNAME", "#mine"));
        assert_eq!(selectors.username, ["#mine"]);
        assert!(!selectors.set("IB_SELECTOR_OTHER", "#mine"));
    }

    #[test]
    fn an_attempt_can_be_logged_without_its_secrets() {
        let attempt = Attempt {
            url: "https://127.0.0.1:5055/".into(),
            spki_sha256: [0; 32],
            username: "me".into(),
            password: Secret::new("canary-1"),
            totp: Some(Secret::new("canary-2")),
            mode: Mode::Paper,
            selectors: Selectors::default(),
            browser: None,
            scratch: "/tmp".into(),
            limit: Duration::from_secs(300),
            push_limit: Duration::from_secs(180),
        };
        assert!(!format!("{attempt:?}").contains("canary"));
    }
}
