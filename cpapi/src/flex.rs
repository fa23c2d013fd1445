//! The Flex Web Service, version 3: asking for a statement, and fetching it.
//!
//! It has a token of its own and knows no session. A reply is written to a file as it comes, because a
//! statement may have any size; what it says is for whoever reads the file. No error holds an address with
//! a token in it.
//!
//! Source: IBKR's Flex Web Service reference (v3); codes also from what users report.

use std::fs::File;
use std::io::Write;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Url;
use tokio::sync::mpsc;

use crate::faults::patience;
use crate::pin::{self, Pin};
use crate::unreachable::{self, Cause, Unreachable};

/// Where IBKR has it.
pub const PUBLISHED: &str =
    "https://ndcdyn.interactivebrokers.com/AccountManagement/FlexWebService";
/// The path of it, for a service that has another host.
pub const PATH: &str = "AccountManagement/FlexWebService";

const CONNECT: Duration = Duration::from_secs(10);
/// Nothing at all comes for so long.
const SILENCE: Duration = Duration::from_secs(60);
/// The answer to a request is a few lines.
const MAX_ANSWER: u64 = 64 << 10;
/// A statement larger than this is not one.
const MAX_STATEMENT: u64 = 8 << 30;
/// IBKR refuses requests without an agent of the form `technology/version`.
const AGENT: &str = concat!("ibd/", env!("CARGO_PKG_VERSION"));
/// IBKR's own domains.
const DOMAINS: [&str; 3] = ["interactivebrokers.com", "ibkr.com", "ibkr.com.cn"];

/// A token of the service. It cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Takes the text over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Why there is no reply. It never shows an address.
#[derive(Debug, thiserror::Error)]
pub enum FlexFailure {
    /// The configured address is none, or would send the token over the network in the clear.
    #[error("the Flex service's address is no https address, or http on this machine")]
    Address,
    /// The reply names a place that is not IBKR's.
    #[error(
        "IBKR's reply sends us to {0:?}, which is not a place of IBKR's; nothing was asked there"
    )]
    Foreign(String),
    /// No connection, or it broke.
    #[error("the Flex service cannot be reached ({0})")]
    Unreachable(Unreachable),
    /// It answered with something else than 200.
    #[error("the Flex service answers HTTP {0}")]
    Status(u16),
    /// It sent more than any reply has.
    #[error("the Flex service sent more than {0} bytes")]
    TooLong(u64),
    /// The reply could not be written down.
    #[error("the reply cannot be written: {0}")]
    Disk(#[from] std::io::Error),
}

/// What a code of the service means for whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It is being made.
    Pending,
    /// The same request may work in seconds to hours.
    Transient,
    /// Too many requests with this token: at least a minute without one.
    Throttle,
    /// The reference is lost; the statement must be asked for anew.
    Restart,
    /// Somebody must change something first.
    Permanent,
}

/// The class of a code. One that nobody knows is worth another try.
pub fn class(code: u32) -> Class {
    match code {
        1019 => Class::Pending,
        1018 => Class::Throttle,
        1017 => Class::Restart,
        1003 | 1010..=1016 | 1020 => Class::Permanent,
        _ => Class::Transient,
    }
}

/// The service, with a token.
#[derive(Debug, Clone)]
pub struct Service {
    http: reqwest::Client,
    base: Url,
    token: Token,
}

impl Service {
    /// At an address up to and including `/FlexWebService`. On this machine it may be http, or https with
    /// a certificate that nobody vouches for.
    pub fn new(base: &str, token: Token) -> Result<Self, FlexFailure> {
        let base = Url::parse(base.trim_end_matches('/')).map_err(|_| FlexFailure::Address)?;
        let is_loopback = is_loopback(&base);
        if base.scheme() != "https" && !(is_loopback && base.scheme() == "http") {
            return Err(FlexFailure::Address);
        }
        let trust = if is_loopback { pin::tls(Pin::default()) } else { pin::tls_of_authorities() };
        let trust = trust
            .map_err(|error| FlexFailure::Unreachable(Unreachable::Other(error.to_string())))?;
        let http = reqwest::Client::builder()
            .user_agent(AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(patience(CONNECT))
            .read_timeout(patience(SILENCE))
            .tls_backend_preconfigured(trust);
        let http = if is_loopback { http.no_proxy() } else { http };
        Ok(Self { http: http.build().map_err(unreachable)?, base, token })
    }

    /// Asks for a statement; the answer, a `FlexStatementResponse`, is in the file.
    pub async fn send(&self, query: &str, into: &Path) -> Result<u64, FlexFailure> {
        let url = self.address(&below(&self.base, "SendRequest"), query);
        self.fetch(url, into, MAX_ANSWER).await
    }

    /// Fetches a statement by its reference, where the answer to [`send`](Self::send) said. The file has
    /// the statement, or a `FlexStatementResponse`, or whatever else came.
    pub async fn get(
        &self,
        at: Option<&str>,
        reference: &str,
        into: &Path,
    ) -> Result<u64, FlexFailure> {
        let place = match at {
            Some(at) => self.followed(at)?,
            None => below(&self.base, "GetStatement"),
        };
        self.fetch(self.address(&place, reference), into, MAX_STATEMENT).await
    }

    /// The address in a reply, if the token may go there.
    fn followed(&self, at: &str) -> Result<Url, FlexFailure> {
        let foreign = || FlexFailure::Foreign(host_of(at));
        let url = Url::parse(at).map_err(|_| foreign())?;
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        let is_ours = if is_loopback(&self.base) {
            is_loopback(&url)
        } else {
            let is_below = |domain: &str| {
                host == domain || host.strip_suffix(domain).is_some_and(|h| h.ends_with('.'))
            };
            let is_same = self.base.host_str() == url.host_str()
                && self.base.port_or_known_default() == url.port_or_known_default();
            let is_of_ibkr = DOMAINS.iter().any(|domain| is_below(domain));
            url.scheme() == "https" && (is_same || is_of_ibkr)
        };
        let is_plain = url.username().is_empty() && url.password().is_none();
        (is_ours && is_plain && matches!(url.scheme(), "http" | "https"))
            .then_some(url)
            .ok_or_else(foreign)
    }

    fn address(&self, place: &Url, query: &str) -> Url {
        let mut url = place.clone();
        url.set_query(None);
        url.query_pairs_mut()
            .append_pair("t", &self.token.0)
            .append_pair("q", query)
            .append_pair("v", "3");
        url
    }

    async fn fetch(&self, url: Url, into: &Path, most: u64) -> Result<u64, FlexFailure> {
        let mut response = self.http.get(url).send().await.map_err(unreachable)?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(FlexFailure::Status(status));
        }
        // Writing waits for a disk, so it has a thread of its own; the channel bounds what is in between.
        let (to_disk, mut parts) = mpsc::channel::<Bytes>(8);
        let path = into.to_owned();
        let writer = tokio::task::spawn_blocking(move || -> std::io::Result<()> {
            let mut file = private(&path)?;
            while let Some(part) = parts.blocking_recv() {
                file.write_all(&part)?;
            }
            file.flush()
        });
        let mut bytes = 0;
        let mut end = Ok(());
        loop {
            match response.chunk().await {
                Ok(Some(part)) => {
                    bytes += part.len() as u64;
                    if bytes > most {
                        end = Err(FlexFailure::TooLong(most));
                        break;
                    }
                    // The writer has failed; why is told below.
                    if to_disk.send(part).await.is_err() {
                        break;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    end = Err(unreachable(error));
                    break;
                }
            }
        }
        drop(to_disk);
        writer.await.map_err(|error| std::io::Error::other(error.to_string()))??;
        end.map(|()| bytes)
    }
}

fn private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true).create(true).truncate(true).open(path)
}

fn below(base: &Url, name: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{name}", base.path().trim_end_matches('/')));
    url
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// For a message: the host alone, without anything that may be secret.
fn host_of(address: &str) -> String {
    let url = Url::parse(address).ok();
    url.as_ref().and_then(|url| url.host_str()).unwrap_or("no address").to_owned()
}

fn unreachable(error: reqwest::Error) -> FlexFailure {
    let error = error.without_url();
    FlexFailure::Unreachable(match unreachable::cause(&error) {
        Cause::Unreachable(Unreachable::Other(_)) if error.is_timeout() => Unreachable::TimedOut,
        Cause::Unreachable(why) => why,
        Cause::OtherCertificate => Unreachable::Tls("another certificate than before".to_owned()),
    })
}

#[cfg(test)]
mod tests;
