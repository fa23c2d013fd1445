//! One daemon at a time sends orders for an account through a gateway: two would each count and hold for
//! themselves. On Linux the kernel keeps that, by the name of a socket that no file belongs to and that ends
//! with its process; elsewhere the journals of the other profiles are all that is known.

use ibd_protocol::ReasonCode;
use std::collections::BTreeMap;

use ibd_cpapi::id::AccountId;

use super::guardrails::Denial;

/// The accounts that this daemon may send orders for.
#[derive(Debug, Default)]
pub struct Claims {
    gateway: String,
    /// By account; an error: who else has it.
    taken: BTreeMap<AccountId, Result<Claim, String>>,
}

impl Claims {
    /// Takes what is not taken yet of the accounts at `gateway`, and gives back every other one.
    pub fn keep(&mut self, gateway: &str, accounts: &[AccountId]) {
        if self.gateway != gateway {
            self.taken.clear();
            gateway.clone_into(&mut self.gateway);
        }
        self.taken.retain(|account, _| accounts.contains(account));
        for account in accounts {
            if !matches!(self.taken.get(account), Some(Ok(_))) {
                self.taken.insert(account.clone(), Claim::take(gateway, account));
            }
        }
    }

    /// Gives everything back.
    pub fn release(&mut self) {
        self.taken.clear();
    }

    /// Why no order may be sent for an account.
    pub fn problem(&self, account: &AccountId) -> Option<&str> {
        self.taken.get(account)?.as_ref().err().map(String::as_str)
    }

    /// Why no order may be sent for some account.
    pub fn any_problem(&self) -> Option<&str> {
        self.taken.values().find_map(|claim| claim.as_ref().err()).map(String::as_str)
    }
}

/// What is said of an account that another daemon trades in.
pub fn denial(why: &str) -> Denial {
    Denial::new(
        ReasonCode::TradingClosed,
        format!("Trading is closed: {why}."),
        "Nothing was sent. Tell the user to use the client or profile of that daemon, or to end it \
         (`ibctl stop --profile NAME`); orders can still be cancelled.",
    )
}

/// Held until it is dropped, or this process ends in whatever way.
#[derive(Debug)]
struct Claim {
    #[cfg(target_os = "linux")]
    _socket: std::os::unix::net::UnixListener,
}

#[cfg(target_os = "linux")]
impl Claim {
    fn take(gateway: &str, account: &AccountId) -> Result<Self, String> {
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::net::{SocketAddr, UnixListener};
        let bound = SocketAddr::from_abstract_name(name(gateway, account))
            .and_then(|address| UnixListener::bind_addr(&address));
        match bound {
            Ok(socket) => Ok(Self { _socket: socket }),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Err(format!(
                "another ibd, of another profile, sends orders for {account} through {gateway}"
            )),
            Err(error) => Err(format!(
                "whether another ibd sends orders for {account} cannot be found out ({error})"
            )),
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Claim {
    fn take(_: &str, _: &AccountId) -> Result<Self, String> {
        Ok(Self {})
    }
}

/// The same for every daemon of a user, whatever its folders are.
#[cfg(target_os = "linux")]
fn name(gateway: &str, account: &AccountId) -> String {
    let said = format!("{}\n{account}", plain(gateway));
    let sum = ring::digest::digest(&ring::digest::SHA256, said.as_bytes());
    let sum: String = sum.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("ibd-orders-{}-{sum}", rustix::process::geteuid().as_raw())
}

/// This machine has several names.
#[cfg(target_os = "linux")]
fn plain(gateway: &str) -> String {
    let is_here = |host: &str| {
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host.eq_ignore_ascii_case("localhost")
            || address.is_ok_and(|address| address.is_loopback() || address.is_unspecified())
    };
    match gateway.trim_start_matches("https://").rsplit_once(':') {
        Some((host, port)) if is_here(host) => format!("here:{port}"),
        _ => gateway.to_ascii_lowercase(),
    }
}

impl super::State {
    /// Takes the accounts of the session, or tries again those that another daemon had.
    pub(super) fn claim(&mut self) {
        let had = self.controls.claims.any_problem().map(str::to_owned);
        match &self.broker.ready {
            Some(lease) => self.controls.claims.keep(lease.client().url(), &lease.facts().accounts),
            None => self.controls.claims.release(),
        }
        let has = self.controls.claims.any_problem();
        if had.as_deref() != has {
            match has {
                Some(why) => tracing::warn!(why, "no new orders"),
                None => tracing::info!("no other daemon sends orders any more"),
            }
            self.publish();
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn another_name_of_this_machine_is_the_same_gateway() {
        let names = ["localhost", "LOCALHOST", "127.0.0.1", "127.0.0.2", "[::1]", "0.0.0.0"];
        assert!(names.iter().all(|host| plain(&format!("https://{host}:5000")) == "here:5000"));
        assert_ne!(plain("https://localhost:5000"), plain("https://localhost:5001"));
        assert_eq!(plain("https://Gw.example:5000"), "https://gw.example:5000");
    }

    #[test]
    fn one_daemon_has_an_account_and_the_next_one_when_it_is_gone() {
        let gateway = format!("https://test-{}", ulid::Ulid::new());
        let accounts: Vec<AccountId> =
            ["DU1111111", "DU2222222"].map(|id| id.parse().unwrap()).into();
        let (mut first, mut second) = (Claims::default(), Claims::default());
        first.keep(&gateway, &accounts);
        first.keep(&gateway, &accounts);
        assert_eq!(first.any_problem(), None);
        second.keep(&gateway, &accounts[..1]);
        let why = second.problem(&accounts[0]).unwrap();
        assert!(why.contains("DU1111111") && why.contains(&gateway), "{why}");
        assert_eq!(denial(why).code, ReasonCode::TradingClosed.into());
        second.keep("https://elsewhere", &accounts[..1]);
        assert_eq!(second.any_problem(), None, "another gateway is another matter");
        // Who has only one of them gives back the other.
        first.keep(&gateway, &accounts[1..]);
        second.keep(&gateway, &accounts[..1]);
        assert_eq!(second.any_problem(), None);
        first.keep(&gateway, &accounts);
        assert!(first.problem(&accounts[0]).is_some() && first.problem(&accounts[1]).is_none());
        second.release();
        first.keep(&gateway, &accounts);
        assert_eq!(first.any_problem(), None);
    }
}
