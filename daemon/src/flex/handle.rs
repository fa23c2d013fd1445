//! The handle to ask for Flex statements with.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use ibd_cpapi::flex::{PATH, PUBLISHED, Token};
use ibd_flex::archive::{Entry, Keep};
use ibd_protocol::settings::Key;
use ibd_protocol::{GatewayMode, Secret, Wishes};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ractor::RpcReplyPort;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout_at};
use ulid::Ulid;

use super::memory::Query;
use super::schedule::Daily;
use super::{Ask, Forgotten, Msg, Pruning, RunState, Statements, View, words};
use crate::board::Board;
use crate::config::Config;
use crate::post::Post;
use crate::refusal::Refusal;
use crate::secrets;

/// A handle; survives restarts of the actor.
#[derive(Debug, Clone)]
pub struct FlexHandle {
    post: Post<Msg>,
    board: Board,
    view: watch::Sender<View>,
    own: Given,
    /// What the first client that had a token brought along.
    given: Arc<Mutex<Given>>,
    profile: String,
    exports: PathBuf,
}

/// What a call to the service needs.
#[derive(Debug)]
pub struct Access {
    /// Where the service is.
    pub address: String,
    /// Its key.
    pub token: Token,
    /// The same for the same token.
    pub mark: String,
}

#[derive(Debug, Clone, Default)]
struct Given {
    token: Option<Secret>,
    address: Option<String>,
    /// The day on which the token ends, if somebody said so.
    expires: Option<Date>,
}

impl FlexHandle {
    /// Reaches the actor through `post`.
    pub fn new(post: Post<Msg>, board: Board, config: &Config) -> Self {
        let own = Given {
            token: config.settings.text(Key::FlexToken).map(Secret::new),
            address: config.settings.text(Key::FlexUrl).map(str::to_owned),
            expires: config.settings.text(Key::FlexTokenExpires).and_then(|day| day.parse().ok()),
        };
        Self {
            post,
            board,
            view: watch::Sender::new(View::default()),
            own,
            given: Arc::default(),
            profile: config.places.profile.clone(),
            exports: config.places.state.join("flex-exports"),
        }
    }

    /// What is there now.
    pub fn view(&self) -> View {
        self.view.borrow().clone()
    }

    pub(super) fn show(&self, view: View) {
        self.view.send_replace(view);
    }

    /// Where files for other programs are written.
    pub fn exports(&self) -> &PathBuf {
        &self.exports
    }

    /// Takes a token that a client brought along. Only with its own address does it go anywhere: no
    /// client can send another's token to a place of its choice.
    pub fn wishes(&self, wishes: &Wishes) {
        let brought = |key: Key| {
            wishes.login.iter().find(|(name, _)| name == key.name()).map(|(_, value)| value)
        };
        let Some(token) = brought(Key::FlexToken) else { return };
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        if self.own.token.is_none() && given.token.is_none() {
            given.token = Some(token.clone());
            given.address = brought(Key::FlexUrl).map(|address| address.expose().to_owned());
            given.expires =
                brought(Key::FlexTokenExpires).and_then(|day| day.expose().parse().ok());
            drop(given);
            self.post.send(Msg::Resume);
        }
    }

    /// Whether there is a token without asking the keyring for it.
    pub(super) fn has_brought(&self) -> bool {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        self.own.token.is_some() || given.token.is_some()
    }

    /// The address and the token; the keyring may want to be unlocked by a person, so this belongs off
    /// the actors.
    pub async fn access(&self) -> Option<Access> {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (token, address) = match (&self.own.token, given.token) {
            (Some(token), _) => (token.clone(), None),
            (None, Some(token)) => (token, given.address),
            (None, None) => (secrets::get(&self.profile, Key::FlexToken).await?, None),
        };
        let address = address.or_else(|| self.own.address.clone()).or_else(|| self.simulated());
        Some(Access {
            address: address.unwrap_or_else(|| PUBLISHED.to_owned()),
            mark: mark(token.expose()),
            token: Token::new(token.expose()),
        })
    }

    /// What is to be said ahead about the end of the token.
    pub fn expiring(&self, now: Timestamp) -> Option<String> {
        let day = |at: Timestamp| at.to_zoned(TimeZone::system()).date();
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner).expires;
        words::expiring(
            self.own.expires.or(given),
            self.view.borrow().token_since.map(day),
            day(now),
        )
    }

    /// The daemon's own simulator has the service too.
    fn simulated(&self) -> Option<String> {
        let gateway = self.board.gateway().borrow();
        let client = gateway.client.as_ref();
        let client = client.filter(|_| gateway.mode() == GatewayMode::Simulator)?;
        Some(format!("{}{PATH}", client.url()))
    }

    async fn call<T: Send + 'static>(
        &self,
        msg: impl FnOnce(RpcReplyPort<Result<T, Refusal>>) -> Msg,
    ) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.post.send(msg(reply.into()));
        answer.await.unwrap_or_else(|_| Err(words::away()))
    }

    /// Asks for a statement; how that is when it has come or failed, or at the deadline.
    pub async fn run(
        &self,
        ask: Ask,
        deadline: Instant,
        tell: impl Fn(&str),
    ) -> Result<RunState, Refusal> {
        let mut standing = self.call(|reply| Msg::Run(ask, reply)).await?;
        loop {
            let now = standing.borrow_and_update().clone();
            let RunState::Going(text) = &now else { return Ok(now) };
            tell(text);
            match timeout_at(deadline, standing.changed()).await {
                Err(_) => return Ok(now),
                Ok(Err(_)) => {
                    return match standing.borrow().clone() {
                        RunState::Going(_) => Err(words::away()),
                        over => Ok(over),
                    };
                }
                Ok(Ok(())) => {}
            }
        }
    }

    /// Forgets a query, by number or name; its statements too, if asked.
    pub async fn forget(
        &self,
        query: String,
        statements: Statements,
    ) -> Result<Forgotten, Refusal> {
        self.call(|reply| Msg::Forget(query, statements, reply)).await
    }

    /// Runs a query by itself once a day from now on, or no more.
    pub async fn schedule(&self, query: String, daily: Option<Daily>) -> Result<Query, Refusal> {
        self.call(|reply| Msg::Schedule(query, daily, reply)).await
    }

    /// Removes statements that need not be kept, or only names them.
    pub async fn prune(&self, keep: Keep, how: Pruning) -> Result<Vec<Entry>, Refusal> {
        self.call(|reply| Msg::Prune(keep, how, reply)).await
    }

    /// Takes a file of the inbox over; what it was.
    pub async fn import(&self, name: Ulid) -> Result<String, Refusal> {
        self.call(|reply| Msg::Import(name, reply)).await
    }
}

/// The same for the same token, and nothing to find it by.
fn mark(token: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, format!("flex {token}").as_bytes());
    digest.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}
