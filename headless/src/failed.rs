//! How an attempt ends when it does not succeed. The variants differ where the caller must act
//! differently; the words are for a person.

use std::time::Duration;

use crate::attempt::Mode;

/// Why a login did not succeed. Texts of the page are shortened and never hold what was typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// What is configured cannot be right; nothing was begun.
    #[error("cannot log in: {0}")]
    Unusable(&'static str),
    /// There is none to drive.
    #[error(
        "found no Chrome or Chromium: {looked}. Install one (Debian and Ubuntu: `sudo apt install chromium`, \
         Fedora: `sudo dnf install chromium`, macOS: `brew install --cask google-chrome`), or set IB_BROWSER to its path"
    )]
    NoBrowser {
        /// What was looked for.
        looked: String,
    },
    /// It did not start, died, or did not do as it was told. Nothing is known about the login then.
    #[error("the browser failed: {0}")]
    BrowserFailed(String),
    /// The gateway's page did not load.
    #[error("the login page did not load: {0}. See `ibctl gateway status`")]
    Unreachable(String),
    /// It shows another key than the pinned certificate's.
    #[error(
        "the gateway's certificate is not the one this daemon trusts ({0}), so nothing was typed. Restart the gateway, \
         and find out what listens on its port if that does not help"
    )]
    OtherCertificate(String),
    /// The page or its form is not the gateway's.
    #[error("the login page is at {0}, not at the gateway; nothing more was typed")]
    WrongPage(String),
    /// Refused by IBKR.
    #[error(
        "IBKR refused username or password: \"{0}\". Check them before you try again; too many failures lock the user"
    )]
    WrongCredentials(String),
    /// Refused by IBKR, in words that are not known here. To a guard it is as bad as a wrong password.
    #[error("IBKR refused the login: \"{0}\". Log in by hand, at the gateway's own page")]
    Refused(String),
    /// The user belongs to the other kind of login.
    #[error(
        "IBKR says the user does not belong to the chosen mode: \"{0}\". Change IB_PAPER_TRADING or the username"
    )]
    WrongMode(String),
    /// Too many failures.
    #[error(
        "IBKR has locked this user: \"{0}\". Wait 24 hours or call IBKR; do not try again before"
    )]
    Locked(String),
    /// The second factor was wrong, or the seed is unusable.
    #[error(
        "IBKR refused the code: \"{0}\". Check the clock of this computer and the seed of the authenticator"
    )]
    CodeRefused(String),
    /// Somebody pressed "no".
    #[error("the login was denied on the phone. If that was not you, change the password")]
    PushDenied,
    /// Nobody pressed anything.
    #[error(
        "the login was not approved on the phone in time. Log in again when the phone is at hand"
    )]
    PushExpired,
    /// Something is missing on the page, or IBKR has changed it.
    #[error("the login page is not as expected: {0}")]
    PageUnknown(Missing),
    /// The switch between live and paper could not be set and read back.
    #[error(
        "could not make sure that the login page is set to {mode} ({why}), so no password was sent. Log in by hand, \
         at the gateway's own page"
    )]
    ModeUnverified {
        /// What was wanted.
        mode: Mode,
        /// What stood in the way.
        why: String,
    },
    /// IBKR is not taking logins.
    #[error("IBKR takes no logins at the moment: \"{0}\". Try again in half an hour")]
    Maintenance(String),
    /// The time was up.
    #[error("gave up after {} s, {stage}", limit.as_secs())]
    TimedOut {
        /// Where it was.
        stage: Stage,
        /// How long that may take.
        limit: Duration,
    },
    /// The host did not allow a submission.
    #[error("stopped before the next submission, so that IBKR does not lock the user")]
    Held,
    /// A person gave up.
    #[error("the login was cancelled")]
    Cancelled,
}

/// What was looked for in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// No field for the username.
    #[error(
        "no field for the username. If IBKR has changed it, set IB_SELECTOR_USERNAME to its CSS selector"
    )]
    Username,
    /// No field for the password.
    #[error(
        "no field for the password. If IBKR has changed it, set IB_SELECTOR_PASSWORD to its CSS selector"
    )]
    Password,
    /// No button to log in.
    #[error(
        "no button to log in. If IBKR has changed it, set IB_SELECTOR_LOGIN_SUBMIT to its CSS selector"
    )]
    LoginSubmit,
    /// A field did not take what was typed.
    #[error(
        "a field did not hold what was typed. If it is another field, set IB_SELECTOR_USERNAME and IB_SELECTOR_PASSWORD"
    )]
    Typed,
    /// A second factor is asked for, and nothing known is there to give it.
    #[error(
        "IBKR asks for a second factor in a way that is not known here. If there is a field for a code, set \
         IB_SELECTOR_TOTP_INPUT to its CSS selector; else log in by hand"
    )]
    SecondFactor,
    /// None of the offered methods fits.
    #[error(
        "none of the methods on offer for the second factor fits the settings. If the wrong list was read, set \
         IB_SELECTOR_TOTP_DEVICE_SELECT; else change IB_TWO_FA_STRATEGY or the devices at IBKR"
    )]
    Device,
}

/// Where an attempt was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Stage {
    /// The browser.
    #[error("starting the browser")]
    Browser,
    /// The page.
    #[error("loading the login page")]
    Page,
    /// The form.
    #[error("filling in the login form")]
    Form,
    /// The password is sent.
    #[error("waiting for IBKR's answer to the password")]
    Password,
    /// A push is sent.
    #[error("waiting for approval on the phone")]
    Push,
    /// A code is wanted.
    #[error("waiting for a code")]
    CodeWanted,
    /// A code is sent.
    #[error("waiting for IBKR's answer to the code")]
    Code,
}
