//! By which names this server may be asked for, and by which pages: a page in a browser that has its own name lead
//! here (DNS rebinding) still sends that name. Pure.

use std::net::IpAddr;

use hyper::http::Uri;
use hyper::http::uri::Authority;

/// Who can reach the server at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Programs of this machine.
    Machine,
    /// Others too.
    Network,
}

/// The names that count.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    reach: Reach,
    /// In small letters.
    more: Vec<String>,
}

impl Names {
    /// `more`: names besides those that every machine has for itself.
    pub(crate) fn new(reach: Reach, more: Vec<String>) -> Self {
        Self { reach, more }
    }

    /// Whether a request may name this `Host`.
    pub(crate) fn may_be_called(&self, host: &str) -> bool {
        let Some(name) = name_of(host) else { return false };
        // Nobody can have an address lead elsewhere.
        let is_address = || self.reach == Reach::Network && name.parse::<IpAddr>().is_ok();
        self.is_own(&name) || is_address()
    }

    /// Whether a page of this `Origin` may send a request that names this `Host`.
    pub(crate) fn may_ask(&self, origin: &str, host: &str) -> bool {
        let Ok(origin) = origin.parse::<Uri>() else { return false };
        let is_web = matches!(origin.scheme_str(), Some("http" | "https"));
        let Some(authority) = origin.authority().filter(|_| is_web) else { return false };
        let is_same = authority.as_str().eq_ignore_ascii_case(host);
        is_same || name_of(authority.as_str()).is_some_and(|name| self.is_own(&name))
    }

    fn is_own(&self, name: &str) -> bool {
        let is_loopback = name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        is_loopback || name == "localhost" || self.more.iter().any(|one| one == name)
    }
}

/// The name or address in a `Host`, in small letters.
fn name_of(host: &str) -> Option<String> {
    let authority: Authority = host.parse().ok()?;
    let is_plain = !authority.as_str().contains('@');
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    is_plain.then(|| name.trim_end_matches('.').to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_server_are_answered_to() {
        let machine = Names::new(Reach::Machine, vec!["mcp.example".to_owned()]);
        let network = Names::new(Reach::Network, Vec::new());
        for (host, here, there) in [
            ("localhost", true, true),
            ("LOCALHOST:8000", true, true),
            ("127.0.0.1:8000", true, true),
            ("[::1]:8000", true, true),
            ("mcp.example:8000", true, false),
            ("192.168.1.5:8000", false, true),
            ("0.0.0.0:8000", false, true),
            ("evil.example", false, false),
            ("localhost.evil.example", false, false),
            ("127.0.0.1.evil.example:8000", false, false),
            ("localhost@evil.example", false, false),
            ("evil.example@localhost", false, false),
            ("", false, false),
            ("a b", false, false),
        ] {
            let may = (machine.may_be_called(host), network.may_be_called(host));
            assert_eq!(may, (here, there), "{host}");
        }
    }

    #[test]
    fn only_pages_of_this_machine_or_of_the_server_itself_may_ask() {
        let network = Names::new(Reach::Network, vec!["mcp.example".to_owned()]);
        for (origin, may) in [
            ("http://localhost:3000", true),
            ("http://127.0.0.1", true),
            ("https://mcp.example", true),
            ("https://192.168.1.5:8000", true),
            ("https://192.168.1.6:8000", false),
            ("https://evil.example", false),
            ("https://evil.example/?localhost", false),
            ("file://localhost", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(network.may_ask(origin, "192.168.1.5:8000"), may, "{origin}");
        }
    }
}
