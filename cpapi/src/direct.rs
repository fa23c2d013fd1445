//! The way to IBKR without a gateway: who signs requests, and the session token that they are signed with.
//!
//! ```text
//!   none ──begin_session──▶ a token, 24 hours ──an hour before its end──▶ the next one
//!     ▲                        │
//!     └─────── 401, 410 ───────┘
//! ```
//!
//! A token is asked for by whoever looks after the session ([`crate::Client::begin_session`]) and by nobody else: a new
//! one is a new login at IBKR. A request for which there is none is not sent, and is not logged in.

mod denial;
mod reply;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ibd_oauth::{
    Asking, Authorization, Credentials, Nonce, Opening, Query, Randomness, Session, Skew, Stamp,
    Target,
};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tokio::time::Instant;

use crate::failure::Failure;

pub use denial::Denial;
pub(crate) use reply::answer;

/// So long before its end a token is replaced.
const AHEAD: SignedDuration = SignedDuration::from_hours(1);
/// Between two attempts to replace one that still lives.
const BETWEEN: Duration = Duration::from_secs(10 * 60);
/// A clock that is off by less is right: answers are dated in whole seconds, and travel.
const NOTABLE: i64 = 5;

/// Signs requests. Clones share the token.
#[derive(Clone)]
pub struct Signer(Arc<Inner>);

struct Inner {
    credentials: Credentials,
    randomness: Mutex<Randomness>,
    token: Mutex<Token>,
    /// Held by each request while it is under way: no token is replaced under one.
    gate: Arc<RwLock<()>>,
}

/// The token, and what was learnt about it.
#[derive(Default)]
struct Token {
    session: Option<Arc<Session>>,
    /// Tells it from the one before.
    number: u64,
    skew: Skew,
    /// It is not replaced ahead of its end before this.
    not_before: Option<Instant>,
}

/// Whether a token has to be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// There is one.
    Nothing,
    /// There is none.
    First,
    /// There is one that ends soon.
    Next,
}

/// What came of making sure that there is a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// There was one.
    There,
    /// It is a new one: IBKR knows of nothing that was before it.
    New,
}

/// A request's header, and which token made it.
pub(crate) struct Signed {
    pub(crate) authorization: Authorization,
    pub(crate) token: u64,
}

/// What a websocket is opened with. Both are as good as a password.
pub(crate) struct Ticket {
    pub(crate) query: String,
    pub(crate) cookie: String,
}

impl Signer {
    /// Signs for these credentials; `seed` is of the operating system's generator, and is used once.
    pub fn new(credentials: Credentials, seed: &[u8; 32]) -> Self {
        Self(Arc::new(Inner {
            credentials,
            randomness: Mutex::new(Randomness::from_seed(seed)),
            token: Mutex::default(),
            gate: Arc::default(),
        }))
    }

    /// Whether there is a token that is good by IBKR's clock.
    pub fn has_token(&self) -> bool {
        self.need(Timestamp::now()) != Need::First
    }

    /// Forgets the token: a new one must be asked for.
    pub fn forget(&self) {
        self.token().session = None;
    }

    /// Seconds by which this machine's clock is slow beside IBKR's, below zero if it is fast; nothing where both may be
    /// right.
    pub fn clock_off(&self) -> Option<i64> {
        let seconds = self.token().skew.seconds();
        (seconds.abs() >= NOTABLE).then_some(seconds)
    }

    pub(crate) fn need(&self, now: Timestamp) -> Need {
        let token = self.token();
        let now = token.skew.corrected(now);
        let Some(left) = token.session.as_ref().map(|session| session.remaining(now)) else {
            return Need::First;
        };
        let is_held = token.not_before.is_some_and(|at| Instant::now() < at);
        match left {
            left if left.is_zero() => Need::First,
            left if left < AHEAD && !is_held => Need::Next,
            _ => Need::Nothing,
        }
    }

    /// A token that could not be replaced is good until it ends.
    pub(crate) fn keep(&self) {
        self.token().not_before = Some(Instant::now() + BETWEEN);
    }

    /// The request for a token.
    pub(crate) fn asking(&self, address: &str, now: Timestamp) -> Result<Asking, Failure> {
        let now = self.token().skew.corrected(now);
        let mut randomness = self.randomness();
        let stamp = Stamp::new(Nonce::draw(&mut randomness), now);
        let exchange = self.0.credentials.exchange(&mut randomness);
        let opening = Opening { address, stamp, exchange };
        self.0.credentials.ask(opening, &mut randomness).map_err(|error| {
            // Read and tried when they were loaded; this says what is wrong with them, and none of them.
            tracing::warn!(%error, "the keys cannot ask for a session token");
            Failure::Denied(Denial::Token)
        })
    }

    /// What an answer's date says of the clocks; whether that is news.
    pub(crate) fn measure(&self, date: Option<&str>, sent: Timestamp, got: Timestamp) -> bool {
        let Some(skew) = date.and_then(|date| Skew::measure(date, sent, got)) else { return false };
        let mut token = self.token();
        let is_news = (skew.seconds() - token.skew.seconds()).abs() >= NOTABLE;
        if is_news {
            tracing::info!(seconds = skew.seconds(), "IBKR's clock is ahead of this machine's");
            token.skew = skew;
        }
        is_news
    }

    /// From now on this session's token signs.
    pub(crate) fn begin(&self, session: Session) {
        tracing::info!(until = %session.expires(), "IBKR issued a session token");
        let mut token = self.token();
        token.session = Some(Arc::new(session));
        token.number += 1;
        token.not_before = None;
    }

    /// Signs a request to this address, letter for letter.
    pub(crate) fn sign(&self, method: &str, url: &str) -> Result<Signed, Failure> {
        let (session, number, skew) = {
            let token = self.token();
            (token.session.clone(), token.number, token.skew)
        };
        let now = skew.corrected(Timestamp::now());
        let session = session.filter(|session| !session.remaining(now).is_zero());
        let session = session.ok_or(Failure::NotLoggedIn)?;
        let stamp = Stamp::new(Nonce::draw(&mut self.randomness()), now);
        let authorization = session.sign(method, &Target::new(url, Query::LeftOut), stamp);
        Ok(Signed { authorization, token: number })
    }

    /// IBKR has forgotten the token that a request was signed with. One that came after it stays.
    pub(crate) fn void(&self, number: u64) {
        let mut token = self.token();
        if token.number == number && token.session.take().is_some() {
            tracing::info!("IBKR does not know the session token any more");
        }
    }

    /// While this is held no token is replaced.
    pub(crate) async fn hold(&self) -> OwnedRwLockReadGuard<()> {
        self.0.gate.clone().read_owned().await
    }

    /// Waits until no request is under way; none begins while this is held.
    pub(crate) async fn alone(&self) -> OwnedRwLockWriteGuard<()> {
        self.0.gate.clone().write_owned().await
    }

    /// What the websocket of a session is opened with.
    pub(crate) fn ticket(&self, session: &str) -> Ticket {
        // No character of either has to be encoded: others are refused where they are read, or by the header.
        let query = format!("?oauth_token={}", self.0.credentials.token.expose());
        Ticket { query, cookie: format!("api={session}") }
    }

    /// Plain data behind both: a panic elsewhere leaves it usable.
    fn token(&self) -> MutexGuard<'_, Token> {
        self.0.token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn randomness(&self) -> MutexGuard<'_, Randomness> {
        self.0.randomness.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(…)")
    }
}
