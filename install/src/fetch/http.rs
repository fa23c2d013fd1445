//! The HTTP client, and what its errors mean.

use std::error::Error;
use std::sync::Arc;

use reqwest::redirect::{Attempt, Policy};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use url::Url;

use crate::error::InstallError;
use crate::source::{Limits, bare, is_loopback};

/// More than any mirror needs.
const REDIRECTS: usize = 10;

/// A redirect that we do not follow. Kept within the client's error, and found again there.
#[derive(Debug, thiserror::Error)]
#[error("sent on to {0}")]
struct Refused(Url);

/// A client for one download.
pub(super) fn client(url: &Url, limits: &Limits) -> Result<reqwest::Client, InstallError> {
    let untrusted = |why: String| InstallError::Untrusted { url: bare(url).to_string(), why };
    let is_here = is_loopback(url);
    let tls = tls(url.scheme() == "https").map_err(untrusted)?;
    let builder = reqwest::Client::builder()
        .user_agent(concat!("ibd/", env!("CARGO_PKG_VERSION")))
        .tls_backend_preconfigured(tls)
        .redirect(Policy::custom(move |attempt| redirect(attempt, is_here)))
        .referer(false)
        .connect_timeout(limits.connect);
    // No proxy reaches this machine better than this machine does.
    let builder = if is_here { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| untrusted(root_cause(&error).0))
}

/// Trust in the system's authorities, or in those of `SSL_CERT_FILE`.
fn tls(is_needed: bool) -> Result<ClientConfig, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() && is_needed {
        let why = found.errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        return Err(format!("this machine has no certificates of authorities {why}"));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

fn redirect(attempt: Attempt, is_from_here: bool) -> reqwest::redirect::Action {
    if may_follow(attempt.url(), is_from_here) && attempt.previous().len() <= REDIRECTS {
        return attempt.follow();
    }
    let refused = Refused(bare(attempt.url()));
    attempt.error(refused)
}

/// To https anywhere; to this machine only from this machine, whose services trust whoever asks.
fn may_follow(to: &Url, is_from_here: bool) -> bool {
    if is_loopback(to) { is_from_here } else { to.scheme() == "https" }
}

/// What an error before the first byte of the file means.
pub(super) fn unanswered(url: &Url, error: &reqwest::Error) -> InstallError {
    let url = bare(url).to_string();
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(Refused(to)) = error.downcast_ref() {
            return InstallError::Redirected { url, to: to.to_string() };
        }
        cause = error.source();
    }
    let (why, is_untrusted) = root_cause(error);
    match (is_untrusted, error.is_connect()) {
        (true, _) => InstallError::Untrusted { url, why },
        (false, true) => InstallError::Unreachable { url, why },
        (false, false) => InstallError::Cut { url, done: 0 },
    }
}

/// The innermost error in words, since those around it say "error" in several ways; and whether it is about the
/// server's certificate.
fn root_cause(error: &reqwest::Error) -> (String, bool) {
    let mut cause: &(dyn Error + 'static) = error;
    while let Some(inner) = inner(cause) {
        cause = inner;
    }
    let is_untrusted = matches!(cause.downcast_ref(), Some(rustls::Error::InvalidCertificate(_)));
    let why = cause.downcast_ref().map_or_else(|| cause.to_string(), ibd_disk::plainly);
    (why, is_untrusted)
}

/// An error that is wrapped in one of the system's is not among its sources.
fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    wrapped.map(|wrapped| wrapped as &(dyn Error + 'static)).or_else(|| error.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_elsewhere_cannot_send_us_to_this_machine_or_off_https() {
        let follow = |to: &str, from_here| may_follow(&to.parse().unwrap(), from_here);
        assert!(follow("https://mirror.example/x", false));
        assert!(follow("http://127.0.0.1:1/x", true));
        assert!(!follow("http://127.0.0.1:1/x", false));
        assert!(!follow("https://localhost/x", false));
        assert!(!follow("http://mirror.example/x", false));
        assert!(!follow("http://mirror.example/x", true));
    }
}
