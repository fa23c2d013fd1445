//! What goes into a step of a login and what the page is told of it.

use serde_json::{Value, json};

use crate::scenario::Scenario;

/// The methods of the drop-down, in its order.
pub(super) const METHODS: [&str; 2] = ["IB Key", "Mobile Authenticator App"];
pub(super) const WRONG: &str = "Invalid username password combination";
/// The broker's word for everything that goes wrong after the password.
pub(super) const FAILED: &str = "failed";
pub(super) const PAPER_AS_LIVE: &str = "You have selected the Live Account Mode, but the specified user is a Paper Trading user. Please select the correct Login mode.";
pub(super) const LIVE_AS_PAPER: &str = "You have selected the Paper Trading Account Mode, but the specified user is a Live Trading user. Please select the correct Login mode.";
pub(super) const LOCKED: &str = "Your account has been locked due to too many failed login attempts. Please contact Customer Service.";

/// When something happens, and the rules for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Simulated milliseconds since the start.
    pub(super) now: i64,
    /// The system's time, epoch seconds: authenticator apps know no other.
    pub(super) epoch_s: i64,
    pub(super) push_ms: i64,
    pub(super) lock_after: u32,
}

impl Moment {
    /// This simulated moment, at that system time.
    pub(crate) fn new(now: i64, epoch_s: i64, rules: &Scenario) -> Self {
        let push_ms = i64::from(rules.push_seconds) * 1000;
        Self { now, epoch_s, push_ms, lock_after: rules.lock_after }
    }
}

/// What a person typed into the first form.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: String,
    /// The paper switch is on.
    pub(crate) paper: bool,
}

/// What the page is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Go to the dispatcher; by way of the advertisement if true.
    Complete(bool),
    /// Wait for the phone.
    Push,
    /// Ask for six digits.
    Code,
    /// Show this number and ask for the response.
    Challenge(String),
    /// Show the drop-down.
    Choose,
    /// Show this and let the same step be tried again.
    Again(&'static str),
    /// Show this and begin with the password.
    Failed(&'static str),
}

impl Answer {
    /// As the page reads it.
    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Complete(promo) => json!({ "state": "complete", "promo": promo }),
            Self::Push => json!({ "state": "push" }),
            Self::Code => json!({ "state": "code" }),
            Self::Challenge(number) => json!({ "state": "challenge", "challenge": number }),
            Self::Choose => json!({ "state": "choose", "methods": METHODS }),
            Self::Again(text) => json!({ "state": "failed", "message": text, "restart": false }),
            Self::Failed(text) => json!({ "state": "failed", "message": text, "restart": true }),
        }
    }
}
