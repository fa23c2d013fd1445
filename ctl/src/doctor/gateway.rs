//! The gateway: how it stands, who listens at its port, and which certificate it shows.

use std::net::SocketAddr;
use std::time::Duration;

use ibd_protocol::settings::{Key, Settings};
use ibd_protocol::{GatewayMode, GatewayReport, Status, states};

use super::check::Check;
use super::probe::{Address, Answer, Heard, visit};

/// For one request within this machine, or to a gateway elsewhere.
const PATIENCE: Duration = Duration::from_secs(3);

/// Who listens at a port.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Owner {
    pid: u32,
    program: String,
}

/// What is known of the gateway before anybody connects to it.
pub(super) struct Known<'a> {
    pub(super) mode: GatewayMode,
    /// Where it is, or would be.
    pub(super) address: Option<Address>,
    pub(super) status: Option<&'a Status>,
    pub(super) report: Option<&'a GatewayReport>,
}

impl<'a> Known<'a> {
    /// By the daemon, and where none runs by the settings.
    pub(super) fn of(
        settings: &Settings,
        status: Option<&'a Status>,
        report: Option<&'a GatewayReport>,
    ) -> Self {
        let mode = match status {
            Some(status) => status.gateway.mode,
            None => settings.gateway().unwrap_or(GatewayMode::Managed),
        };
        let told = status.and_then(|status| status.gateway.address.as_deref());
        let meant = || {
            let host = settings.text(Key::GatewayHost).unwrap_or("localhost").to_owned();
            let port = settings.number(Key::GatewayPort).unwrap_or(5_000);
            Address { host, port, is_tls: true }
        };
        let address = told.and_then(Address::of);
        // Only of one that is attached to it is known beforehand where it is.
        let address = address.or_else(|| (mode == GatewayMode::Attach).then(meant));
        Self { mode, address, status, report }
    }
}

/// All that is to be said of it, and what it answered.
pub(super) async fn look(known: &Known<'_>, settings: &Settings) -> (Vec<Check>, Option<Answer>) {
    let mut checks: Vec<Check> = known.status.map(state).into_iter().collect();
    let Some(address) = &known.address else {
        let why = "no gateway runs";
        checks.extend(["port", "certificate"].map(|name| Check::not_looked_at(name, why)));
        return (checks, None);
    };
    let heard = visit(address, "GET", PATIENCE).await;
    let owner = if address.is_here() { owner_of(address.port).await } else { None };
    let pid = known.status.and_then(|status| status.gateway.pid);
    checks.push(port(known.mode, address, &heard, (owner.as_ref(), pid)));
    let Heard::Somebody(answer) = heard else {
        checks.push(Check::not_looked_at("certificate", "no gateway shows one"));
        return (checks, None);
    };
    let pinned = known.report.and_then(|report| report.certificate.as_deref());
    let trust = Trust {
        pinned,
        is_named: settings.text(Key::GatewayCert).is_some(),
        is_headless: settings.flag(Key::HeadlessMode) == Some(true),
    };
    checks.push(certificate(known.mode, answer.certificate.as_deref(), &trust));
    (checks, Some(*answer))
}

/// The running gateway, as the daemon sees it.
fn state(status: &Status) -> Check {
    const NAME: &str = "gateway";
    let text = format!("The gateway is {}.", crate::status::gateway(status));
    use states::Gateway::{Installing, NotInstalled, Starting, Stopped, Up};
    match status.gateway.state.known() {
        Some(Up | Starting | Installing) => Check::ok(NAME, text),
        Some(Stopped) => {
            Check::warn(NAME, text, "`ibctl login` starts it too.").mend("ibctl gateway start")
        }
        Some(NotInstalled) => Check::warn(NAME, text, "").mend("ibctl gateway install"),
        _ => {
            let hint = status.conditions.first().map(|condition| condition.hint.clone());
            let hint = hint.filter(|hint| !hint.is_empty());
            Check::fail(NAME, text, hint.unwrap_or_else(|| "`ibctl status` tells more.".to_owned()))
        }
    }
}

/// Who listens at the port, and whether it is a gateway at all. Of a gateway of ours the process is known.
fn port(
    mode: GatewayMode,
    address: &Address,
    heard: &Heard,
    (owner, pid): (Option<&Owner>, Option<u32>),
) -> Check {
    const NAME: &str = "port";
    const ELSEWHERE: &str = "End that program, or let the gateway listen elsewhere and say where with \
        IB_GATEWAY_PORT.";
    let by = owner.map(|owner| format!("{} (pid {})", owner.program, owner.pid));
    let taken = |what: &str| {
        let by = by.clone().unwrap_or_else(|| "another program".to_owned());
        let text = format!("{address} is taken by {by}, which {what}: it is no gateway.");
        let is_airplay = address.port == 5_000 && std::env::consts::OS == "macos";
        let hint = if is_airplay {
            "It may be macOS's AirPlay Receiver: switch it off in System Settings, or choose another port."
        } else {
            ELSEWHERE
        };
        Check::fail(NAME, text, hint)
    };
    match heard {
        Heard::Nobody(why) if mode == GatewayMode::Attach => Check::warn(
            NAME,
            format!("No gateway answers at {address}: {why}."),
            "Start yours there, or say with IB_GATEWAY_HOST and IB_GATEWAY_PORT where it is.",
        ),
        Heard::Nobody(why) => Check::fail(NAME, format!("Nobody answers at {address}: {why}."), "")
            .mend("ibctl gateway start"),
        Heard::NoTls => taken("speaks no TLS"),
        Heard::Somebody(answer) if answer.status.is_none() => taken("speaks no HTTP"),
        Heard::Somebody(_) => match (owner, pid) {
            (Some(owner), Some(pid)) if owner.pid != pid => {
                let text = format!(
                    "{address} belongs to {} (pid {}), and the gateway is pid {pid}.",
                    owner.program, owner.pid
                );
                Check::fail(NAME, text, "Nothing is asked there that is not the gateway's own.")
                    .mend("ibctl gateway stop && ibctl gateway start")
            }
            _ => {
                let by = by.map(|by| format!("; it is {by}")).unwrap_or_default();
                Check::ok(NAME, format!("{address} answers{by}."))
            }
        },
    }
}

/// By what a gateway's certificate is trusted.
struct Trust<'a> {
    /// The SHA-256 that the daemon expects or saw first.
    pinned: Option<&'a str>,
    /// Whether a person has named it.
    is_named: bool,
    is_headless: bool,
}

fn certificate(mode: GatewayMode, shown: Option<&str>, trust: &Trust) -> Check {
    const NAME: &str = "certificate";
    let Some(shown) = shown else {
        return Check::not_looked_at(NAME, "none was shown");
    };
    match trust.pinned {
        None => Check::not_looked_at(NAME, "no daemon runs that knows which one is expected"),
        Some(pinned) if !pinned.eq_ignore_ascii_case(shown) => Check::fail(
            NAME,
            format!("The gateway shows the certificate {shown}, and {pinned} is expected: nothing is sent to it."),
            "If you have changed it, say so with IB_GATEWAY_CERT; then:",
        )
        .mend("ibctl restart"),
        Some(_) if mode == GatewayMode::Attach && trust.is_headless && !trust.is_named => Check::warn(
            NAME,
            "The gateway's certificate is the first one seen, so no password is typed there.",
            format!("If it is yours, put this into config.toml: gateway_cert = \"{shown}\""),
        ),
        Some(_) => Check::ok(NAME, "The gateway shows the certificate that is expected."),
    }
}

/// Which process listens there, where the system tells.
async fn owner_of(port: u16) -> Option<Owner> {
    let look = move || {
        let all = listeners::get_all().unwrap_or_default();
        let mut here = all.into_iter().filter(|one| {
            let is_tcp = one.protocol == listeners::Protocol::TCP;
            is_tcp && one.state == listeners::SocketState::Listen && is_at(one.socket, port)
        });
        here.next().map(|one| Owner { pid: one.process.pid, program: one.process.name })
    };
    tokio::task::spawn_blocking(look).await.ok().flatten()
}

/// Whether who listens there is reached through this machine's own address.
fn is_at(socket: SocketAddr, port: u16) -> bool {
    let ip = socket.ip();
    socket.port() == port && (ip.is_loopback() || ip.is_unspecified())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::check::State;
    use super::*;
    use GatewayMode::{Attach, Managed, Simulator};

    fn somebody(status: Option<u16>) -> Heard {
        Heard::Somebody(Box::new(Answer { status, ..Answer::default() }))
    }

    #[test]
    fn a_port_is_the_gateways_or_somebody_elses_and_then_it_is_said_whose() {
        let address = Address::of("https://localhost:5000").unwrap();
        let python = Owner { pid: 7, program: "python3".into() };
        let told = |mode, heard: Heard, owner, pid| {
            let check = port(mode, &address, &heard, (owner, pid));
            (check.state, check.text)
        };
        let nobody = || Heard::Nobody("connection refused".into());
        assert_eq!(told(Attach, somebody(Some(302)), None, None).0, State::Ok);
        assert_eq!(told(Managed, somebody(Some(404)), Some(&python), Some(7)).0, State::Ok);
        assert_eq!(told(Attach, nobody(), None, None).0, State::Warn);
        for (mode, heard, owner, pid, names) in [
            (Managed, nobody(), None, Some(8), "Nobody answers at localhost:5000"),
            (Attach, Heard::NoTls, Some(&python), None, "python3 (pid 7), which speaks no TLS"),
            (Attach, Heard::NoTls, None, None, "another program"),
            (Attach, somebody(None), Some(&python), None, "speaks no HTTP"),
            (Managed, somebody(Some(200)), Some(&python), Some(8), "the gateway is pid 8"),
        ] {
            let (state, text) = told(mode, heard, owner, pid);
            assert!(state == State::Fail && text.contains(names), "{text}");
        }
    }

    #[test]
    fn a_certificate_is_the_expected_one_or_said_not_to_be() {
        let state = |mode, shown, pinned, is_named, is_headless| {
            certificate(mode, shown, &Trust { pinned, is_named, is_headless }).state
        };
        let (a, b) = (Some("aa"), Some("bb"));
        assert_eq!(state(Managed, a, a, false, false), State::Ok);
        assert_eq!(state(Managed, a, Some("AA"), false, true), State::Ok);
        assert_eq!(state(Attach, a, b, true, false), State::Fail);
        assert_eq!(state(Attach, a, a, false, true), State::Warn);
        assert_eq!(state(Attach, a, a, true, true), State::Ok);
        assert_eq!(state(Attach, a, None, false, false), State::NotLookedAt);
        assert_eq!(state(Simulator, None, a, false, false), State::NotLookedAt);
    }

    #[test]
    fn who_listens_here_counts_and_who_listens_elsewhere_does_not() {
        let at = |socket: &str| is_at(socket.parse().unwrap(), 5_000);
        assert!(at("127.0.0.1:5000") && at("0.0.0.0:5000") && at("[::]:5000"));
        assert!(!at("127.0.0.1:5001") && !at("192.0.2.7:5000"));
    }

    #[test]
    fn without_a_daemon_only_an_attached_gateway_has_a_place() {
        let of = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            let settings = ibd_protocol::settings::from_toml_pairs(pairs);
            let known = Known::of(&settings, None, None);
            (known.mode, known.address.map(|address| address.to_string()))
        };
        assert_eq!(of(&[]), (Managed, None));
        assert_eq!(of(&[("gateway", "simulator")]), (Simulator, None));
        assert_eq!(of(&[("gateway_port", "5001")]), (Attach, Some("localhost:5001".into())));
    }
}
