//! How the gateway is, as others see it.

use ibd_cpapi::Client;
use ibd_cpapi::pin::Pin;
use ibd_protocol::{GatewayMode, states};

use crate::config::GatewayChoice;

/// What others may know about the gateway.
#[derive(Debug, Clone, Default)]
pub struct GatewayView {
    /// Which one, once somebody has said.
    pub choice: Option<GatewayChoice>,
    /// How it is.
    pub state: GatewayState,
    /// Its process, if it is ours.
    pub pid: Option<u32>,
    /// Where it answers.
    pub address: Option<String>,
    /// What it talks to was a client's choice.
    pub is_upstream_of_a_client: bool,
    /// The certificate that it must show.
    pub pin: Pin,
    /// The door to it, while it is up.
    pub client: Option<Client>,
    /// Grows whenever another gateway, or another life of it, takes over.
    pub generation: u64,
}

/// How the gateway is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayState {
    /// Something is not there, and what. Empty: nobody has looked.
    NotInstalled(String),
    /// It is being installed, and how far that is.
    Installing(String),
    /// Its process is coming up.
    Starting,
    /// It can be asked.
    Up,
    /// A person ended it.
    Stopped,
    /// It is not there, and why; it is started again.
    Down(String),
}

impl Default for GatewayState {
    fn default() -> Self {
        Self::NotInstalled(String::new())
    }
}

impl GatewayState {
    /// Without its words.
    pub fn word(&self) -> states::Gateway {
        match self {
            Self::NotInstalled(_) => states::Gateway::NotInstalled,
            Self::Installing(_) => states::Gateway::Installing,
            Self::Starting => states::Gateway::Starting,
            Self::Up => states::Gateway::Up,
            Self::Stopped => states::Gateway::Stopped,
            Self::Down(_) => states::Gateway::Down,
        }
    }

    /// Whether it is on its way to another state by itself.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Installing(_) | Self::Starting)
    }
}

impl GatewayView {
    /// Which arrangement; managed unless somebody chose another.
    pub fn mode(&self) -> GatewayMode {
        self.choice.as_ref().map_or(GatewayMode::Managed, GatewayChoice::mode)
    }

    /// Whether credentials may be typed at its page: we started it, or the configuration names its
    /// certificate.
    pub fn is_trusted_with_credentials(&self) -> bool {
        self.mode() != GatewayMode::Attach || self.pin.is_expected()
    }
}
