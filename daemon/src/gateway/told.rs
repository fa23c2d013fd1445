//! What the gateway's actor tells of it: its view, with the client to ask through while it is up.

use ibd_cpapi::client::Address;
use ibd_cpapi::{Client, Failure};

use super::{GatewayState, GatewayView, State};
use crate::config::GatewayChoice;

impl State {
    pub(super) fn up(&mut self, address: &Address, pid: Option<u32>) {
        let client = Client::new(address, self.door.clone());
        self.up_with(address, pid, client);
    }

    pub(super) fn up_with(
        &mut self,
        address: &Address,
        pid: Option<u32>,
        client: Result<Client, Failure>,
    ) {
        match client {
            Ok(client) => {
                let view = GatewayView {
                    pid,
                    address: Some(address.url()),
                    pin: address.pin.clone(),
                    client: Some(client),
                    ..self.view(GatewayState::Up)
                };
                self.board.gateway().send_replace(view);
            }
            Err(Failure::Unreachable(why)) => self.publish(GatewayState::Down(why.to_string())),
            Err(other) => self.publish(GatewayState::Down(other.to_string())),
        }
    }

    pub(super) fn publish(&mut self, state: GatewayState) {
        self.board.gateway().send_replace(self.view(state));
    }

    fn view(&self, state: GatewayState) -> GatewayView {
        GatewayView {
            choice: self.choice.clone(),
            state,
            generation: self.generation,
            is_upstream_of_a_client: !self.is_own_choice
                && matches!(&self.choice, Some(GatewayChoice::Managed { upstream: Some(upstream) })
                    if !is_here(upstream)),
            ..GatewayView::default()
        }
    }
}

/// Whether an upstream is this machine: a test's simulator, and nobody else's page.
fn is_here(upstream: &str) -> bool {
    let host = upstream.split_once("://").map_or(upstream, |(_, host)| host);
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "127.0.0.1" | "localhost")
}

#[cfg(test)]
mod tests {
    use super::is_here;

    #[test]
    fn only_this_machine_is_here() {
        assert!(is_here("http://127.0.0.1:7001") && is_here("http://localhost:7001"));
        for other in
            ["https://api.ibkr.com", "http://127.0.0.1.example.com:80", "http://10.0.0.1:7001"]
        {
            assert!(!is_here(other), "{other}");
        }
    }
}
