//! What a person asks for through `ibctl`, and what the daemon asks of a person.

use serde::{Deserialize, Serialize};

use crate::Secret;
use crate::states::{self, Said};

/// What a person wants of a login.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LoginRequest {
    /// The code that a login under way waits for.
    pub code: Option<Secret>,
    /// `true`: log in to the paper account, whatever the configuration says.
    pub paper: bool,
    /// Send another approval to the phone.
    pub resend: bool,
    /// A new login although there is one.
    pub renew: bool,
    /// Only follow what is under way.
    pub join: bool,
    /// Go on although failed attempts, or somebody else's session, speak against it.
    pub force: bool,
    /// Seconds until the answer must be given, whatever it is by then.
    pub wait_seconds: u32,
}

/// How a login stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoginReport {
    /// How the session stands.
    pub state: Said<states::Session>,
    /// Whether the session can be used now.
    pub ready: bool,
    /// One sentence for a person.
    pub text: String,
    /// What to do; empty when there is nothing to do.
    pub next: String,
    /// `browser`, `headless` or `direct`; empty when no login was needed.
    pub mode: String,
    /// The login page.
    pub auth_url: Option<String>,
    /// Whether a browser was opened at it.
    pub browser_opened: bool,
    /// `approval`: on the phone; `code`: a code must be given.
    pub waiting_for: Option<String>,
    /// Why a login that was asked for is over without one.
    pub failed: Option<String>,
}

/// What a person does with a managed gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum GatewayVerb {
    /// Start it, installing it first where it is missing.
    Start,
    /// End it, and with it the login that it holds.
    Stop,
    /// How it is.
    Status,
}

/// A managed gateway, in detail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayReport {
    /// Whether what was asked for is so now.
    pub ok: bool,
    /// How it stands.
    pub state: Said<states::Gateway>,
    /// One sentence for a person.
    pub text: String,
    /// What to do; empty when there is nothing to do.
    pub hint: String,
    /// Its process.
    pub pid: Option<u32>,
    /// Where it answers.
    pub address: Option<String>,
    /// SHA-256 of the certificate that is pinned.
    pub certificate: Option<String>,
    /// Where its log is.
    pub log: Option<String>,
}

/// What a person does with secrets in the keyring.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum SecretsVerb {
    /// Keep one under its variable's name.
    Set(String, Secret),
    /// Which there are and where each comes from.
    List,
    /// Forget one.
    Forget(String),
}

/// One secret; never its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretReport {
    /// The variable's name.
    pub name: String,
    /// Whether it is known.
    pub set: bool,
    /// Where from: `keyring`, `systemd credential`, `environment`, …
    pub origin: Option<String>,
}

/// What a person does about the keys of the direct way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OauthVerb {
    /// Log in with them and say what came of it.
    Test,
    /// They were changed on the disk: read them again.
    Reread,
}

/// The plain answer to something that was to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Whether it was done.
    pub ok: bool,
    /// One sentence for a person.
    pub text: String,
    /// What to do; empty when there is nothing to do.
    pub hint: String,
}

/// What only a person can answer. A client that can ask asks; for any other one `fallback` is the
/// call's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Names the question; good for one answer.
    pub token: String,
    /// What to ask.
    pub message: String,
    /// The field to fill in.
    pub field: String,
    /// Its label.
    pub title: String,
    /// What belongs into it.
    pub description: String,
    /// The values to choose from; empty where it is free text. The first one means no.
    pub choices: Vec<String>,
    /// What the call answers where nobody can be asked: a JSON object as text.
    pub fallback: String,
}

/// A person's answer to a [`Question`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Names the question.
    pub token: String,
    /// What was filled in; `None`: the person declined.
    pub value: Option<Secret>,
}

/// How much an event matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Good to know.
    Info,
    /// Somebody should look.
    Warning,
}

/// Something happened that nobody asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// How much it matters.
    pub level: Level,
    /// In snake_case, stable.
    pub code: String,
    /// One sentence.
    pub text: String,
    /// What to do; empty when there is nothing to do.
    pub hint: String,
}
