//! What others see of the session: its state, and the lease that proves it.

use std::sync::Arc;

use ibd_cpapi::Client;
use ibd_cpapi::accounts::ALL;
use ibd_cpapi::id::AccountId;
use ibd_cpapi::portfolio::Account;
use ibd_protocol::Condition;
use jiff::Timestamp;
use tokio::time::Instant;

use super::login_view::LoginView;
use crate::refusal::Refusal;

/// Stands in a text for the time that is left, which is filled in when it is read.
pub const LEFT: &str = "{left}";

/// Where the session stands.
pub use ibd_protocol::states::Session as SessionState;

/// What the broker said about the login.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Paper or live; `None`: the broker's facts contradict each other, or are not known.
    pub paper: Option<bool>,
    /// Its accounts: what can be traded, and what can only be looked at. Never the name of a group of accounts.
    pub accounts: Vec<AccountId>,
    /// Those that orders can be given for; an adviser's own account is not one of them.
    pub tradable: Vec<AccountId>,
    /// What the brokerage names with the accounts and is none: groups of them, of an adviser's login.
    pub groups: Vec<AccountId>,
    /// What the portfolio says of accounts.
    pub described: Vec<Account>,
    /// Its username.
    pub username: Option<String>,
    /// When it was made.
    pub login_at: Option<Timestamp>,
}

impl Facts {
    /// What the portfolio said of an account when the session began.
    pub fn described(&self, account: &AccountId) -> Option<&Account> {
        self.described.iter().find(|described| described.id == *account)
    }

    /// Whether this is what IBKR calls several accounts together.
    pub fn is_group(&self, name: &AccountId) -> bool {
        let is_known = self.accounts.contains(name);
        !is_known && (self.groups.contains(name) || name.as_str().eq_ignore_ascii_case(ALL))
    }
}

/// What others may know about the session.
#[derive(Debug, Clone, Default)]
pub struct SessionView {
    /// Where it stands.
    pub state: SessionState,
    /// In one sentence; what is left until `until` is filled in when it is read.
    pub text: String,
    /// The end of a wait that the text tells of.
    pub until: Option<Timestamp>,
    /// What to do.
    pub hint: String,
    /// When it came to stand there.
    pub since: String,
    /// What the broker said.
    pub facts: Facts,
    /// A login under way, or the last one if it failed.
    pub login: Option<Box<LoginView>>,
    /// When the brokerage session was opened.
    pub opened: Option<Instant>,
    /// What a caller is told who cannot be served.
    pub refusal: Option<Refusal>,
    /// The proof of a live session.
    pub lease: Option<Lease>,
    /// Whether waiting a little is likely to help.
    pub is_passing: bool,
    /// Counts what was seen, so that a caller can wait for the next thing seen.
    pub seen: u64,
    /// Which life of the gateway this speaks of.
    pub generation: u64,
}

impl SessionView {
    /// The sentence, at this moment.
    pub fn text_at(&self, now: Timestamp) -> String {
        let left = self.until.map_or(0, |until| until.duration_since(now).as_secs().max(0));
        self.text.replace(LEFT, &format!("{}:{:02}", left / 60, left % 60))
    }

    /// Whether there is a login that must be kept, as far as is known: a flicker, an outage or a night's
    /// maintenance does not end one.
    pub fn may_have_login(&self) -> bool {
        let is_without = matches!(
            self.state,
            SessionState::Stopped | SessionState::NeedLogin | SessionState::LockoutGuard
        );
        !is_without
    }

    /// The view as something a person should know, if it is not as it should be.
    pub fn condition(&self) -> Option<Condition> {
        let is_fine =
            matches!(self.state, SessionState::Ready | SessionState::Starting | SessionState::Init);
        (!is_fine || !self.hint.is_empty()).then(|| Condition {
            code: self
                .refusal
                .as_ref()
                .map_or("session", |refusal| refusal.error.as_str())
                .to_owned(),
            text: self.text_at(Timestamp::now()),
            hint: self.hint.clone(),
            since: self.since.clone(),
        })
    }
}

/// Proof of a live session: only a session that is ready gives it out, and every request to the
/// broker on a caller's behalf needs one.
#[derive(Debug, Clone)]
pub struct Lease {
    pub(super) client: Client,
    pub(super) facts: Arc<Facts>,
    pub(super) epoch: u64,
    pub(super) grant: u64,
}

impl Lease {
    /// The way to the broker.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What the broker said about the login.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Names where facts come from, so that what a simulator said is never taken for what IBKR said.
    pub fn source(&self) -> String {
        let username = self.facts.username.as_deref().unwrap_or("-");
        format!("{}/{username}", self.client.url())
    }

    /// Which brokerage session it proves.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }
}
