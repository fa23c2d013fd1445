//! One door for HTTP: a turn in the budget, a deadline on everything, a typed outcome.

mod address;
#[cfg(test)]
mod tests;
mod tokens;
mod wire;
mod writes;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};

use crate::direct::{Signer, Ticket};
use crate::door::Door;
use crate::endpoint::{Endpoint, Method, Path};
use crate::failure::{Failure, classify};
use crate::faults::{patience, scaled};
use crate::pace::Want;
use crate::pin;
use crate::unreachable::Unreachable;

pub use address::Address;
pub use writes::Sent;

const FRONT_PAGE: Duration = Duration::from_secs(3);
const CONNECT: Duration = Duration::from_secs(5);
/// The gateway refuses request lines over 4096 bytes.
const MAX_PATH: usize = 3_800;

/// A typed reply, and how old it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// The reply.
    pub value: T,
    /// When the gateway gave it.
    pub at: Timestamp,
    /// Given again from a short memory, because the endpoint may not be asked more often.
    pub is_cached: bool,
}

/// A client of one gateway. Clones share everything.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    address: Address,
    http: reqwest::Client,
    /// Who signs requests, where that is to be done.
    signer: Option<Signer>,
    front: String,
    base: String,
    door: Arc<Door>,
    under_way: Mutex<HashMap<String, Joinable>>,
    remembered: Mutex<HashMap<String, Reply>>,
}

/// A request, and whether it has left the queue.
type UnderWay = (Shared<Request>, Arc<AtomicBool>);

/// The same, held by nobody: it ends when its last caller leaves.
type Joinable = (WeakShared<Request>, Arc<AtomicBool>);

type Request = BoxFuture<'static, Result<Reply, Failure>>;

#[derive(Debug, Clone)]
struct Reply {
    body: Arc<str>,
    at: Timestamp,
    moment: Instant,
}

impl Client {
    /// See [`Door::orders_left`].
    pub fn orders_left(&self) -> u64 {
        self.0.door.orders_left()
    }

    /// A client of the gateway at `address`, taking its turns at `door`.
    pub fn new(address: &Address, door: Arc<Door>) -> Result<Self, Failure> {
        Self::with(address, door, None)
    }

    /// A client of IBKR itself at `address`, whose requests are signed.
    pub fn direct(address: &Address, door: Arc<Door>, signer: Signer) -> Result<Self, Failure> {
        Self::with(address, door, Some(signer))
    }

    fn with(address: &Address, door: Arc<Door>, signer: Option<Signer>) -> Result<Self, Failure> {
        let unusable = |why: String| Failure::Unreachable(Unreachable::Other(why));
        let builder = reqwest::Client::builder()
            .user_agent(concat!("ibd/", env!("CARGO_PKG_VERSION")))
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .cookie_store(true)
            .connect_timeout(patience(CONNECT))
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(door.limits().in_flight);
        let builder = if address.is_pinned() {
            builder.tls_backend_preconfigured(
                pin::tls(address.pin.clone()).map_err(|e| unusable(e.to_string()))?,
            )
        } else {
            // The default verifier of the platform needs a process-wide provider; a second call is fine.
            let _ = rustls::crypto::ring::default_provider().install_default();
            builder
        };
        let http = builder.build().map_err(|e| unusable(e.to_string()))?;
        Ok(Self(Arc::new(Inner {
            address: address.clone(),
            http,
            signer,
            front: address.url() + "/",
            base: address.url() + "/v1/api",
            door,
            under_way: Mutex::default(),
            remembered: Mutex::default(),
        })))
    }

    /// Asks once, by `deadline`. A reply to an identical read under way is shared, and where the
    /// endpoint's limit demands it a recent reply is given again.
    pub async fn ask<E: Endpoint>(
        &self,
        endpoint: &E,
        deadline: Instant,
    ) -> Result<Answer<E::Reply>, Failure> {
        let path = endpoint.path();
        if let Some(reply) = self.recall::<E>(&path) {
            return read::<E>(&reply, true);
        }
        let under_way = match E::METHOD {
            Method::Get => self.join::<E>(&path),
            Method::Post | Method::Delete => self.begin::<E>(&path, endpoint.body()),
        };
        self.await_reply::<E>(path, under_way, deadline).await
    }

    /// The same, neither from memory nor shared with a request that is under way: for whoever must see what
    /// came after a write.
    pub async fn ask_anew<E: Endpoint>(
        &self,
        endpoint: &E,
        deadline: Instant,
    ) -> Result<Answer<E::Reply>, Failure> {
        let path = endpoint.path();
        let under_way = self.begin::<E>(&path, endpoint.body());
        self.await_reply::<E>(path, under_way, deadline).await
    }

    /// From when on an endpoint's own limit lets it be asked; `None`: it does already. For whoever would rather do
    /// something else than wait for a quarter of an hour.
    pub fn opens<E: Endpoint>(&self) -> Option<Timestamp> {
        self.0.door.opens(&Want { endpoint: E::NAME, window: E::WINDOW, lane: E::LANE })
    }

    async fn await_reply<E: Endpoint>(
        &self,
        path: Path,
        (request, is_sent): UnderWay,
        deadline: Instant,
    ) -> Result<Answer<E::Reply>, Failure> {
        let started = Instant::now();
        let reply = timeout_at(deadline, request).await.map_err(|_| {
            if is_sent.load(Ordering::Relaxed) {
                // It is at the gateway: that nobody waits any more does not make it unsent.
                Failure::Silent(started.elapsed())
            } else {
                Failure::Queued
            }
        })??;
        if E::CACHE > Duration::ZERO {
            self.remember(path, reply.clone());
        }
        read::<E>(&reply, false)
    }

    pub(crate) fn address(&self) -> &Address {
        &self.0.address
    }

    /// What the websocket of a session is opened with, where requests are signed.
    pub(crate) fn ticket(&self, session: &str) -> Option<Ticket> {
        self.0.signer.as_ref().map(|signer| signer.ticket(session))
    }

    /// Where the gateway answers.
    pub fn url(&self) -> &str {
        &self.0.front
    }

    /// Whether the gateway answers its own front page, which it does without asking IBKR. Tells a
    /// gateway that is cut off from one that hangs.
    pub async fn answers_itself(&self) -> bool {
        if self.0.signer.is_some() {
            // There is none between us and IBKR.
            return true;
        }
        let page = self.0.http.get(&self.0.front).send();
        matches!(tokio::time::timeout(patience(FRONT_PAGE), page).await, Ok(Ok(_)))
    }

    /// Forgets every remembered reply: after a new brokerage session nothing of the old one counts.
    pub fn forget(&self) {
        lock(&self.0.remembered).clear();
    }

    fn recall<E: Endpoint>(&self, path: &Path) -> Option<Reply> {
        let mut remembered = lock(&self.0.remembered);
        let reply = remembered.get(path.as_str())?;
        if reply.moment.elapsed() < scaled(E::CACHE) {
            return Some(reply.clone());
        }
        remembered.remove(path.as_str());
        None
    }

    fn remember(&self, path: Path, reply: Reply) {
        lock(&self.0.remembered).insert(path.as_str().to_owned(), reply);
    }

    /// The identical request that is under way, or a new one for others to join.
    fn join<E: Endpoint>(&self, path: &Path) -> UnderWay {
        let mut under_way = lock(&self.0.under_way);
        if let Some((request, is_sent)) = under_way.get(path.as_str())
            && let Some(request) = request.upgrade()
            && request.peek().is_none()
        {
            return (request, is_sent.clone());
        }
        let (request, is_sent) = self.begin::<E>(path, None);
        under_way
            .retain(|_, (other, _)| other.upgrade().is_some_and(|other| other.peek().is_none()));
        if let Some(weak) = request.downgrade() {
            under_way.insert(path.as_str().to_owned(), (weak, is_sent.clone()));
        }
        (request, is_sent)
    }

    fn begin<E: Endpoint>(&self, path: &Path, body: Option<String>) -> UnderWay {
        let is_sent = Arc::new(AtomicBool::new(false));
        (self.request::<E>(path, body, is_sent.clone()).boxed().shared(), is_sent)
    }

    fn request<E: Endpoint>(
        &self,
        path: &Path,
        body: Option<String>,
        is_sent: Arc<AtomicBool>,
    ) -> impl Future<Output = Result<Reply, Failure>> + Send + use<E> {
        let inner = self.0.clone();
        let path = path.clone();
        async move {
            check_length(&path, E::NAME)?;
            let want = Want { endpoint: E::NAME, window: E::WINDOW, lane: E::LANE };
            let pass = inner.door.enter(want).await?;
            let _held = inner.hold().await;
            let wire::Outgoing { builder, token } = wire::request(&inner, E::METHOD, &path, body)?;
            is_sent.store(true, Ordering::Relaxed);
            let wire::Received { status, retry_after, body, .. } =
                wire::send(builder, E::NAME).await.map_err(|broken| broken.failure)?;
            if status == 429 {
                pass.rate_limited(retry_after);
                let wait = retry_after.unwrap_or(scaled(Duration::from_secs(10)));
                let until = inner.door.load().penalty_until.unwrap_or_else(|| after(wait));
                return Err(Failure::RateLimited(until));
            }
            match inner.settle((E::NAME, token), status, classify(status, &body)) {
                Some(failure) => Err(failure),
                None => {
                    Ok(Reply { body: body.into(), at: Timestamp::now(), moment: Instant::now() })
                }
            }
        }
    }
}

fn read<E: Endpoint>(reply: &Reply, is_cached: bool) -> Result<Answer<E::Reply>, Failure> {
    let value = serde_json::from_str(&reply.body).map_err(|error| Failure::Garbled {
        endpoint: E::NAME,
        what: unreadable(&reply.body, &error),
    })?;
    Ok(Answer { value, at: reply.at, is_cached })
}

fn unreadable(body: &str, error: &serde_json::Error) -> String {
    match body.trim_start() {
        "" => "an empty body".to_owned(),
        text if text.starts_with('<') => "an HTML page instead of data".to_owned(),
        _ if error.is_eof() => "data that is cut off in the middle".to_owned(),
        _ => format!("data of another shape ({error})"),
    }
}

fn check_length(path: &Path, endpoint: &'static str) -> Result<(), Failure> {
    match path.as_str().len() {
        0..=MAX_PATH => Ok(()),
        length => {
            let what = format!("a path of {length} bytes is too long for the gateway");
            Err(Failure::Garbled { endpoint, what })
        }
    }
}

fn after(wait: Duration) -> Timestamp {
    Timestamp::now().saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// Plain data behind it: a panic elsewhere leaves it usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
