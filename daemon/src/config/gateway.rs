//! Which gateway is asked for, and where it and its Java come from.

use ibd_install::Source;
use ibd_protocol::settings::Key;
use ibd_protocol::{GatewayMode, Wishes};

/// What may be said about a gateway beside its mode.
#[derive(Debug, Clone, Copy, Default)]
pub struct Details<'a> {
    /// Of one to attach to.
    pub host: Option<&'a str>,
    /// Of one to attach to.
    pub port: Option<u16>,
    /// Of a managed one.
    pub upstream: Option<&'a str>,
}

/// A gateway, chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayChoice {
    /// IBKR's Java gateway, run by us.
    Managed {
        /// What it talks to, if not IBKR.
        upstream: Option<String>,
    },
    /// One that somebody else runs.
    Attach {
        /// Name or address.
        host: String,
        /// TCP port.
        port: u16,
        /// SHA-256 of its certificate, if the configuration names it.
        certificate: Option<String>,
    },
    /// Our own simulator.
    Simulator,
    /// None: IBKR itself, by signed requests.
    Direct,
}

impl GatewayChoice {
    /// From what was asked for, with the defaults of host and port.
    pub fn from(mode: GatewayMode, details: Details<'_>) -> Self {
        match mode {
            GatewayMode::Managed => Self::Managed { upstream: details.upstream.map(str::to_owned) },
            GatewayMode::Simulator => Self::Simulator,
            GatewayMode::Direct => Self::Direct,
            GatewayMode::Attach => Self::Attach {
                host: details.host.unwrap_or("localhost").to_owned(),
                port: details.port.unwrap_or(5000),
                certificate: None,
            },
        }
    }

    /// Whether a wish for `self` is met by `chosen`. What a wish leaves open is met by anything.
    pub fn is_met_by(&self, chosen: &Self) -> bool {
        match (self, chosen) {
            (Self::Managed { upstream: None }, Self::Managed { .. }) => true,
            (
                Self::Attach { host, port, .. },
                Self::Attach { host: their_host, port: their_port, .. },
            ) => (host, port) == (their_host, their_port),
            _ => self == chosen,
        }
    }

    /// The gateway that these wishes ask for, if they ask for one.
    pub fn wished(wishes: &Wishes) -> Option<Self> {
        let details = Details {
            host: wishes.host.as_deref(),
            port: wishes.port,
            // Checked where it was read, and here again: it becomes a line of the gateway's configuration.
            upstream: wishes.upstream.as_deref().filter(|text| is_upstream(text)),
        };
        Some(Self::from(wishes.gateway?, details))
    }

    /// Which arrangement it is.
    pub fn mode(&self) -> GatewayMode {
        match self {
            Self::Managed { .. } => GatewayMode::Managed,
            Self::Attach { .. } => GatewayMode::Attach,
            Self::Simulator => GatewayMode::Simulator,
            Self::Direct => GatewayMode::Direct,
        }
    }
}

fn is_upstream(text: &str) -> bool {
    Key::GatewayUpstream.setting().kind.check(text).is_ok()
}

impl std::fmt::Display for GatewayChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Managed { upstream: None } => f.write_str("a managed gateway"),
            Self::Managed { upstream: Some(upstream) } => {
                write!(f, "a managed gateway for {upstream}")
            }
            Self::Attach { host, port, .. } => write!(f, "the gateway at {host}:{port}"),
            Self::Simulator => f.write_str("the simulator"),
            Self::Direct => f.write_str("signed requests to IBKR"),
        }
    }
}

/// Where gateway and Java come from.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The gateway's archive.
    pub gateway: Source,
    /// The Java runtime's.
    pub java: Source,
}

impl Sources {
    /// From the configuration's texts; nothing means where their makers publish them.
    pub fn parse(gateway: Option<&str>, java: Option<&str>) -> Result<Self, String> {
        let source = |key: Key, text: Option<&str>| match text {
            None => Ok(Source::Published),
            Some(text) => text.parse().map_err(|error| format!("{key}: {error}")),
        };
        Ok(Self {
            gateway: source(Key::GatewayArchive, gateway)?,
            java: source(Key::JavaArchive, java)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_has_the_defaults_of_the_original() {
        let details = Details { host: None, port: Some(5001), upstream: None };
        let choice = GatewayChoice::from(GatewayMode::Attach, details);
        assert_eq!(choice.to_string(), "the gateway at localhost:5001");
    }

    #[test]
    fn a_place_that_cannot_be_trusted_is_named() {
        let refused = Sources::parse(Some("http://example.com/gw.zip"), None);
        assert!(refused.is_err_and(|text| text.starts_with("IB_GATEWAY_ARCHIVE:")));
    }
}
