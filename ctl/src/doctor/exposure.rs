//! Whether other machines can reach the gateway.
//!
//! The gateway listens on every address of this machine. Its list of allowed addresses turns plain
//! requests away, but not its websocket: whoever can reach the port can listen to an open session.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ibd_protocol::{GatewayMode, GatewayStatus, states};

use super::check::Check;
use super::firewall;
use super::probe::{Address, connector, status_of};

const NAME: &str = "websocket";
/// For one request; all of it stays within this machine.
const PATIENCE: Duration = Duration::from_secs(3);
/// Containers and tunnels give a machine many addresses; they all lead to the same gateway.
const ADDRESSES: usize = 8;

/// What one address of this machine lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    address: IpAddr,
    /// Status of a plain request.
    page: Option<u16>,
    /// Status of a websocket's beginning.
    websocket: Option<u16>,
}

/// Looks from outside, as far as a machine can look at itself from there.
pub(super) async fn check(gateway: &GatewayStatus) -> Check {
    let Some(port) = port_here(gateway) else {
        return Check::ok(
            NAME,
            "No Java gateway of this machine runs now, so there is none to reach.",
        );
    };
    let tls = match connector() {
        Ok(tls) => tls,
        Err(error) => return Check::warn(NAME, format!("This cannot be tried: {error}."), ""),
    };
    let mut seen = Vec::new();
    for address in own_addresses() {
        let at = SocketAddr::new(address, port);
        let page = status_of(&tls, at, &page_request(at), PATIENCE).await;
        let websocket = status_of(&tls, at, &websocket_request(at), PATIENCE).await;
        seen.push(Seen { address, page, websocket });
    }
    verdict(port, &seen)
}

/// The port of a Java gateway on this machine that runs now.
fn port_here(gateway: &GatewayStatus) -> Option<u16> {
    let is_none = matches!(gateway.mode, GatewayMode::Simulator | GatewayMode::Direct);
    let is_java = !is_none && gateway.state.is(states::Gateway::Up);
    let address = Address::of(gateway.address.as_deref().filter(|_| is_java)?)?;
    (address.is_tls && address.is_here()).then_some(address.port)
}

/// Those that other machines might use.
fn own_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let outside = interfaces.into_iter().filter(|i| !i.is_loopback() && !i.is_link_local());
    let mut addresses: Vec<IpAddr> = outside.map(|interface| interface.ip()).collect();
    addresses.sort();
    addresses.dedup();
    addresses.truncate(ADDRESSES);
    addresses
}

fn verdict(port: u16, seen: &[Seen]) -> Check {
    let at = |has: fn(&Seen) -> bool| {
        let addresses = seen.iter().filter(|seen| has(seen)).map(|seen| seen.address.to_string());
        addresses.collect::<Vec<_>>().join(", ")
    };
    // Anything but a refusal means that the list of allowed addresses is not in force.
    let open = at(|seen| seen.page.is_some_and(|status| status != 404 && status != 403));
    if !open.is_empty() {
        let text = format!(
            "The gateway serves requests that come to {open}, not only those of this \
            machine: who can reach port {port} there can use the account."
        );
        let hint = "`ibctl gateway stop`, then `ibctl gateway start` gives a managed gateway our \
            configuration; in one of your own allow only 127.0.0.1 (`ips` in conf.yaml). Until then \
            close the port with one of:";
        return Check { commands: firewall::rules(port), ..Check::fail(NAME, text, hint) };
    }
    let listening = at(|seen| seen.websocket == Some(101));
    if !listening.is_empty() {
        let text = format!(
            "The gateway's websocket answers at {listening}, port {port}: other \
            machines that can reach it can listen to an open session. Its list of allowed addresses \
            does not cover websockets."
        );
        let hint = "Close the port to other machines with one of these, unless a firewall does so \
            already (this check runs inside of it and cannot tell):";
        return Check { commands: firewall::rules(port), ..Check::warn(NAME, text, hint) };
    }
    Check::ok(NAME, format!("From other addresses of this machine, port {port} gives nothing."))
}

fn page_request(at: SocketAddr) -> String {
    format!("GET / HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n")
}

fn websocket_request(at: SocketAddr) -> String {
    // The key is the example of RFC 6455; any would do.
    format!(
        "GET /v1/api/ws HTTP/1.1\r\nHost: {at}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::super::check::State;
    use super::*;

    fn seen(page: Option<u16>, websocket: Option<u16>) -> Seen {
        Seen { address: IpAddr::from([192, 0, 2, 7]), page, websocket }
    }

    #[test]
    fn an_open_websocket_is_a_warning_with_rules_and_an_open_page_a_failure() {
        let warned = verdict(5055, &[seen(None, None), seen(Some(404), Some(101))]);
        assert_eq!(warned.state, State::Warn);
        assert!(warned.text.contains("192.0.2.7"), "{}", warned.text);
        let failed = verdict(5055, &[seen(Some(302), Some(101))]);
        assert_eq!(failed.state, State::Fail);
        for quiet in [seen(None, None), seen(Some(404), Some(404)), seen(Some(403), None)] {
            assert_eq!(verdict(5055, &[quiet]).state, State::Ok);
        }
        assert_eq!(verdict(5055, &[]).state, State::Ok);
    }

    #[test]
    fn only_a_java_gateway_of_this_machine_is_looked_at() {
        let gateway = |mode, address: &str| GatewayStatus {
            mode,
            state: states::Gateway::Up.into(),
            pid: None,
            address: Some(address.into()),
        };
        let port = |mode, address| port_here(&gateway(mode, address));
        assert_eq!(port(GatewayMode::Managed, "https://localhost:5055"), Some(5055));
        assert_eq!(port(GatewayMode::Attach, "https://127.0.0.1:5000/"), Some(5000));
        assert_eq!(port(GatewayMode::Attach, "https://[::1]:5000"), Some(5000));
        assert_eq!(port(GatewayMode::Attach, "https://gateway.example:5000"), None);
        assert_eq!(port(GatewayMode::Simulator, "https://127.0.0.1:5000"), None);
        let down = GatewayStatus {
            state: states::Gateway::Stopped.into(),
            ..gateway(GatewayMode::Managed, "https://localhost:5055")
        };
        assert_eq!(port_here(&down), None);
    }
}
