//! Where requests go, and whom they trust there. Pure.

use std::net::IpAddr;

use crate::pin::Pin;

/// Where a gateway answers and how it is trusted.
#[derive(Debug, Clone)]
pub struct Address {
    /// Name or address, as configured.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Its certificate, on loopback.
    pub pin: Pin,
}

impl Address {
    /// `https://host:port`, as it is called and signed: the usual port is not named.
    pub fn url(&self) -> String {
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == 443 {
            format!("https://{host}")
        } else {
            format!("https://{host}:{}", self.port)
        }
    }

    /// Whether exactly one certificate is trusted there, and no authority.
    pub(crate) fn is_pinned(&self) -> bool {
        self.is_loopback() || self.pin.is_expected()
    }

    /// Whether it is this machine, where a self-signed certificate may be pinned.
    pub fn is_loopback(&self) -> bool {
        match self.host.parse::<IpAddr>() {
            Ok(address) => address.is_loopback(),
            Err(_) => self.host.eq_ignore_ascii_case("localhost"),
        }
    }
}
