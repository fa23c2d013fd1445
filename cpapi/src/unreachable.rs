//! Why nobody could be reached, read off the error's own types and said in plain words. Pure.

use std::error::Error;
use std::io;

use crate::pin::NotPinned;

/// Why no connection could be made. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// Nobody listens at that port.
    #[error("connection refused")]
    Refused,
    /// Somebody hung up before anything could be said.
    #[error("the connection was cut off")]
    CutOff,
    /// Nobody answered in time.
    #[error("no answer in time")]
    TimedOut,
    /// This machine has no network.
    #[error("no network")]
    NoNetwork,
    /// The network knows no way to that machine.
    #[error("no way to that machine")]
    NoRoute,
    /// The name of the host does not resolve.
    #[error("that name is not known")]
    NoName,
    /// What answers does not speak TLS.
    #[error("it does not speak TLS")]
    NotTls,
    /// TLS was not agreed upon.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// Anything else, in the words of the innermost error.
    #[error("{0}")]
    Other(String),
}

/// What the causes of an error come to.
pub(crate) enum Cause {
    /// The peer shows another certificate than the pinned one.
    OtherCertificate,
    /// Anything else.
    Unreachable(Unreachable),
}

/// Reads the chain of causes from the outside in; the innermost that means something counts.
pub(crate) fn cause(error: &(dyn Error + 'static)) -> Cause {
    let mut found = None;
    let mut words = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        words = error.to_string();
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return of_tls(tls);
        }
        if let Some(io) = error.downcast_ref::<io::Error>() {
            found = of_io(io).or(found);
        }
        next = inner(error);
    }
    Cause::Unreachable(found.unwrap_or_else(|| of_words(words)))
}

/// What caused an error; one that is wrapped in an error of the system's is not among its sources.
fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    wrapped.map(|wrapped| wrapped as &(dyn Error + 'static)).or_else(|| error.source())
}

fn of_tls(error: &rustls::Error) -> Cause {
    match error {
        rustls::Error::Other(other) if other.0.is::<NotPinned>() => Cause::OtherCertificate,
        rustls::Error::InvalidMessage(_) => Cause::Unreachable(Unreachable::NotTls),
        other => Cause::Unreachable(Unreachable::Tls(other.to_string())),
    }
}

fn of_io(error: &io::Error) -> Option<Unreachable> {
    use io::ErrorKind;
    Some(match error.kind() {
        ErrorKind::ConnectionRefused => Unreachable::Refused,
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => Unreachable::CutOff,
        ErrorKind::TimedOut => Unreachable::TimedOut,
        ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => Unreachable::NoNetwork,
        ErrorKind::HostUnreachable => Unreachable::NoRoute,
        _ => match error.raw_os_error() {
            Some(number) => {
                let words = error.to_string();
                let suffix = format!(" (os error {number})");
                Unreachable::Other(words.strip_suffix(&suffix).unwrap_or(&words).to_owned())
            }
            None => return None,
        },
    })
}

/// What has no type of its own. The resolver's errors are among it: the standard library gives them one
/// constant beginning, and nothing else.
fn of_words(words: String) -> Unreachable {
    if words.starts_with("failed to lookup address information") {
        Unreachable::NoName
    } else {
        Unreachable::Other(words)
    }
}

impl From<io::Error> for Unreachable {
    fn from(error: io::Error) -> Self {
        match cause(&error) {
            Cause::Unreachable(unreachable) => unreachable,
            Cause::OtherCertificate => Self::Tls(NotPinned.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn said(error: io::Error) -> String {
        Unreachable::from(error).to_string()
    }

    #[test]
    fn errors_of_the_system_are_told_by_their_kind() {
        for (number, expected) in [
            (111, "connection refused"),
            (104, "the connection was cut off"),
            (110, "no answer in time"),
            (101, "no network"),
            (113, "no way to that machine"),
            // Without a kind of its own: the system's words without its number.
            (98, "Address already in use"),
        ] {
            if cfg!(target_os = "linux") {
                assert_eq!(said(io::Error::from_raw_os_error(number)), expected);
            }
        }
        assert_eq!(said(io::ErrorKind::UnexpectedEof.into()), "the connection was cut off");
    }

    #[test]
    fn an_unknown_name_is_told_as_one() {
        use std::net::ToSocketAddrs;
        let error = ("no-such-host.invalid", 1).to_socket_addrs().err();
        assert_eq!(error.map(Unreachable::from), Some(Unreachable::NoName));
    }

    #[test]
    fn errors_of_tls_are_found_inside_those_of_the_system() {
        let tls = rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType);
        assert_eq!(Unreachable::from(io::Error::other(tls)), Unreachable::NotTls);
        let pinned = rustls::Error::Other(rustls::OtherError(Arc::new(NotPinned)));
        assert!(matches!(cause(&io::Error::other(pinned)), Cause::OtherCertificate));
    }
}
