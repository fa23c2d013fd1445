//! One request on the wire: what goes out, and what came back or where it broke.

use std::time::Duration;

use tokio::sync::OwnedRwLockReadGuard;
use tokio::time::Instant;

use super::{CONNECT, Inner, tokens};
use crate::endpoint::{Method, Path};
use crate::failure::Failure;
use crate::faults::{patience, scaled};
use crate::unreachable::{self, Cause};

/// The gateway forwards to servers that answer 503 after ten seconds themselves; it never times out.
const ANSWER: Duration = Duration::from_secs(15);
/// A reply larger than this is not one we ask for.
const MAX_REPLY: usize = 16 << 20;

/// An answer, whatever it says.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) status: u16,
    /// What `Retry-After` says.
    pub(super) retry_after: Option<Duration>,
    /// What `Date` says.
    pub(super) date: Option<String>,
    pub(super) body: String,
}

/// No answer.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) failure: Failure,
    /// It is certain that no byte of the request left.
    pub(super) is_unsent: bool,
}

/// A request that may leave.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) builder: reqwest::RequestBuilder,
    /// Which session token signed it.
    pub(super) token: Option<u64>,
}

impl Inner {
    /// While this is held no session token is replaced.
    pub(super) async fn hold(&self) -> Option<OwnedRwLockReadGuard<()>> {
        match &self.signer {
            Some(signer) => Some(signer.hold().await),
            None => None,
        }
    }
}

/// The request, signed where that is to be done. An error: there is nothing to sign it with.
pub(super) fn request(
    inner: &Inner,
    method: Method,
    path: &Path,
    body: Option<String>,
) -> Result<Outgoing, Failure> {
    let url = format!("{}{}", inner.base, path.as_str());
    let signed =
        inner.signer.as_ref().map(|signer| signer.sign(method.as_str(), &url)).transpose()?;
    let builder = plain(inner, method, url, body);
    Ok(match signed {
        Some(signed) => {
            let header = tokens::header(&signed.authorization)?;
            let builder = builder.header("authorization", header);
            Outgoing { builder, token: Some(signed.token) }
        }
        None => Outgoing { builder, token: None },
    })
}

fn plain(
    inner: &Inner,
    method: Method,
    url: String,
    body: Option<String>,
) -> reqwest::RequestBuilder {
    match method {
        Method::Get => inner.http.get(url),
        Method::Delete => inner.http.delete(url),
        // Always a body: without Content-Length the gateway loses it.
        Method::Post => inner
            .http
            .post(url)
            .header("content-type", "application/json")
            .body(body.unwrap_or_else(|| "{}".to_owned())),
    }
}

/// Sends once; `head` is called when the head of an answer is there, or nothing will come.
pub(super) async fn send_telling(
    builder: reqwest::RequestBuilder,
    endpoint: &'static str,
    head: impl FnOnce(),
) -> Result<Received, Broken> {
    let started = Instant::now();
    let limit = patience(ANSWER);
    let outcome = tokio::time::timeout(limit, answer(builder, endpoint, head)).await;
    let outcome = outcome.unwrap_or_else(|_| Err(sent(Failure::Silent(limit))));
    let millis = started.elapsed().as_millis();
    match &outcome {
        Ok(Received { status, .. }) => tracing::debug!(endpoint, status, millis, "answered"),
        Err(Broken { failure, .. }) => tracing::debug!(endpoint, %failure, millis, "no answer"),
    }
    outcome
}

pub(super) async fn send(
    builder: reqwest::RequestBuilder,
    endpoint: &'static str,
) -> Result<Received, Broken> {
    send_telling(builder, endpoint, || ()).await
}

async fn answer(
    builder: reqwest::RequestBuilder,
    endpoint: &'static str,
    head: impl FnOnce(),
) -> Result<Received, Broken> {
    let response = builder.send().await.map_err(broken);
    head();
    let mut response = response?;
    let status = response.status().as_u16();
    let header = |name: &str| response.headers().get(name)?.to_str().ok().map(str::to_owned);
    let retry_after = header("retry-after")
        .and_then(|seconds| seconds.parse().ok())
        .map(|seconds| scaled(Duration::from_secs(seconds)));
    let date = header("date");
    let mut body = Vec::new();
    // Counted as it comes: an answer in chunks does not say how long it is, and may never end.
    while let Some(part) = response.chunk().await.map_err(|_| sent(Failure::Broke))? {
        if body.len() + part.len() > MAX_REPLY {
            let what = format!("more than {} MiB, which are not read", MAX_REPLY >> 20);
            return Err(sent(Failure::Garbled { endpoint, what }));
        }
        body.extend_from_slice(&part);
    }
    Ok(Received { status, retry_after, date, body: String::from_utf8_lossy(&body).into_owned() })
}

fn sent(failure: Failure) -> Broken {
    Broken { failure, is_unsent: false }
}

/// Before anything was sent, or after? Only an error of the connector is certainly before: TCP or TLS
/// was not made.
fn broken(error: reqwest::Error) -> Broken {
    let is_unsent = error.is_connect();
    let failure = match (is_unsent, error.is_timeout()) {
        (false, _) => Failure::Broke,
        (true, is_timeout) => match unreachable::cause(&error) {
            Cause::OtherCertificate => Failure::OtherCertificate,
            // A process that is stopped still accepts connections: the kernel does it in its place.
            Cause::Unreachable(_) if is_timeout => Failure::Silent(patience(CONNECT)),
            Cause::Unreachable(why) => Failure::Unreachable(why),
        },
    };
    Broken { failure, is_unsent }
}
