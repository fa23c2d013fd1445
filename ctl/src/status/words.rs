//! The page of `ibctl status`, in words: each thing once.

use std::fmt::Write;

use ibd_protocol::states::Said;
use ibd_protocol::{Condition, GatewayMode, SessionStatus, Status, TradingStatus, states};

use crate::clients;
use crate::terminal::plain;
use crate::times::{clock, duration, local};

/// What lines begin with that say what to do.
pub(super) const TO_DO: &str = "To do";
/// How far values are set in.
pub(super) const INDENT: usize = 10;

/// All of it, a line each.
pub(super) fn text(status: &Status, profile: &str) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: String| {
        let _ = writeln!(text, "{label:<9} {value}");
    };
    let daemon = &status.daemon;
    let up = duration(daemon.uptime_seconds);
    line(
        "Daemon",
        format!("ibd {}, profile {profile}, up {up} (pid {})", daemon.version, daemon.pid),
    );
    line("Session", session(&status.session));
    for (at, hint) in to_do(&status.conditions).into_iter().enumerate() {
        line(if at == 0 { TO_DO } else { "" }, hint.to_owned());
    }
    if let Some(login) = login(&status.session) {
        line("Login", login);
    }
    line("Trading", trading(&status.trading));
    if let Some(orders) = orders(&status.trading) {
        line("Orders", orders);
    }
    line("Gateway", format!("{}{}", gateway(status), invented(status)));
    line("Clients", clients_of(status));
    line("Budget", budget(status));
    for note in notes(status) {
        line("Note", note);
    }
    text.trim_end().to_owned()
}

/// The state, and for how long it has been open.
fn session(session: &SessionStatus) -> String {
    match session.age_seconds {
        Some(age) => format!("{} Open for {}.", session.text, duration(age)),
        None => session.text.clone(),
    }
}

/// What is to be done, each once, the worst first.
fn to_do(conditions: &[Condition]) -> Vec<&str> {
    let mut hints: Vec<&str> = Vec::new();
    for hint in conditions.iter().map(|one| one.hint.as_str()).filter(|hint| !hint.is_empty()) {
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    }
    hints
}

/// What no other line says.
fn notes(status: &Status) -> Vec<String> {
    let said = [&status.session.text, &status.trading.text];
    let is_said = |text: &str| said.iter().any(|one| one.contains(text));
    let new = status.conditions.iter().filter(|one| !is_said(&one.text));
    new.map(|one| format!("{} (since {})", one.text, local(&one.since))).collect()
}

/// Who is logged in, since when, and until when about.
fn login(session: &SessionStatus) -> Option<String> {
    let since = session.login_at.as_deref().map(|moment| format!("since {}", local(moment)));
    let next = session.next_login_at.as_deref();
    let next = next.map(|moment| format!("next login needed about {}", local(moment)));
    let parts: Vec<String> =
        [session.username.as_deref().map(plain), since, next].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The gateway in one line.
pub(crate) fn gateway(status: &Status) -> String {
    let gateway = &status.gateway;
    let mut text = format!("{} ({})", gateway_state(&gateway.state), gateway.mode.as_str());
    if let Some(address) = &gateway.address {
        let _ = write!(text, " at {address}");
    }
    if let Some(pid) = gateway.pid {
        let _ = write!(text, ", pid {pid}");
    }
    text
}

/// Nobody shall take the simulator for their account.
fn invented(status: &Status) -> &'static str {
    match status.gateway.mode {
        GatewayMode::Simulator => ": account, prices and orders are invented",
        GatewayMode::Managed | GatewayMode::Attach | GatewayMode::Direct => "",
    }
}

fn gateway_state(state: &Said<states::Gateway>) -> String {
    match state.known() {
        Some(states::Gateway::Installing) => "being installed".to_owned(),
        _ => state.in_words(),
    }
}

fn budget(status: &Status) -> String {
    let budgets = &status.budgets;
    let load = format!("{} under way, {} waiting", budgets.in_flight, budgets.queued);
    match &budgets.penalty_until {
        Some(until) => {
            format!("IBKR's rate limit was hit; closed until {}; {load}", clock(until))
        }
        None => format!("{} requests a second; {load}", budgets.per_second),
    }
}

/// Where orders go through, the next line says how many wait; where not, why not.
fn trading(trading: &TradingStatus) -> String {
    let state = format!("{} ({})", trading.state, trading.protection.replace('_', " "));
    let is_open = trading.state.is(states::Trading::Open);
    if is_open || trading.text.is_empty() { state } else { format!("{state}: {}", trading.text) }
}

/// How many orders need a person, where there are any.
fn orders(trading: &TradingStatus) -> Option<String> {
    let waiting = match trading.waiting {
        0 => None,
        1 => Some("1 waits for your approval".to_owned()),
        count => Some(format!("{count} wait for your approval")),
    };
    let in_doubt = (trading.in_doubt > 0).then(|| format!("{} in doubt", trading.in_doubt));
    let counts: Vec<String> = [waiting, in_doubt].into_iter().flatten().collect();
    (!counts.is_empty()).then(|| format!("{}; `ibctl orders` lists them", counts.join(", ")))
}

fn clients_of(status: &Status) -> String {
    if status.clients.is_empty() {
        return "none".to_owned();
    }
    let clients = status.clients.iter().map(|client| {
        let mode = if client.read_only { ", read-only" } else { "" };
        format!("{} ({} calls{mode})", clients::name(client), client.calls)
    });
    clients.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use ibd_protocol::{Budgets, DaemonStatus, GatewayStatus};

    pub(in crate::status) fn trading_of(
        state: states::Trading,
        waiting: u32,
        in_doubt: u32,
    ) -> TradingStatus {
        let text = "So it is.".to_owned();
        let protection = "live_approval".into();
        TradingStatus { state: state.into(), protection, text, waiting, in_doubt }
    }

    fn status(mode: GatewayMode) -> Status {
        Status {
            daemon: DaemonStatus {
                running: true,
                version: "0.1.0".into(),
                pid: 7,
                uptime_seconds: 7_500,
            },
            gateway: GatewayStatus {
                mode,
                state: states::Gateway::Up.into(),
                pid: Some(8),
                address: Some("https://127.0.0.1:5055".into()),
            },
            session: SessionStatus {
                state: states::Session::Ready.into(),
                text: "Ready. Paper …567.".into(),
                paper: Some(true),
                accounts: vec!["DU1234567".into()],
                age_seconds: Some(7_500),
                username: Some("jdoe".into()),
                login_at: None,
                next_login_at: None,
            },
            budgets: Budgets { per_second: 10, in_flight: 0, queued: 0, penalty_until: None },
            clients: Vec::new(),
            trading: trading_of(states::Trading::Open, 0, 0),
            conditions: Vec::new(),
        }
    }

    fn condition(text: &str, hint: &str) -> Condition {
        let (code, since) = ("x".to_owned(), "then".to_owned());
        Condition { code, text: text.into(), hint: hint.into(), since }
    }

    #[test]
    fn a_quiet_page_is_short_and_names_profile_and_simulator() {
        let expected = "Daemon    ibd 0.1.0, profile paper, up 2 h 5 min (pid 7)\n\
            Session   Ready. Paper …567. Open for 2 h 5 min.\n\
            Login     jdoe\n\
            Trading   open (live approval)\n\
            Gateway   up (simulator) at https://127.0.0.1:5055, pid 8: account, prices and orders are invented\n\
            Clients   none\n\
            Budget    10 requests a second; 0 under way, 0 waiting";
        assert_eq!(text(&status(GatewayMode::Simulator), "paper"), expected);
        assert!(!text(&status(GatewayMode::Managed), "paper").contains("invented"));
    }

    #[test]
    fn nothing_is_said_twice() {
        let mut status = status(GatewayMode::Managed);
        status.session.text = "Not logged in.".into();
        status.trading = trading_of(states::Trading::Frozen, 0, 0);
        status.conditions = vec![
            condition("Not logged in.", "Run `ibctl login`."),
            condition("So it is.", "Run `ibctl unfreeze`."),
            condition("The disk is full.", "Run `ibctl login`."),
        ];
        let told = text(&status, "default");
        for part in ["Not logged in.", "So it is.", "`ibctl login`", "`ibctl unfreeze`"] {
            assert_eq!(told.matches(part).count(), 1, "{part}: {told}");
        }
        assert!(
            told.contains("To do     Run `ibctl login`.\n          Run `ibctl unfreeze`."),
            "{told}"
        );
        assert!(told.contains("Note      The disk is full. (since then)"), "{told}");
    }

    #[test]
    fn gateway_states_read_well() {
        assert_eq!(gateway_state(&states::Gateway::NotInstalled.into()), "not installed");
        assert_eq!(gateway_state(&states::Gateway::Installing.into()), "being installed");
        assert_eq!(gateway_state(&states::Gateway::Up.into()), "up");
    }

    #[test]
    fn the_trading_line_names_state_and_protection_and_why_not() {
        let open = trading_of(states::Trading::Open, 1, 2);
        assert_eq!(trading(&open), "open (live approval)");
        let counts = "1 waits for your approval, 2 in doubt; `ibctl orders` lists them";
        assert_eq!(orders(&open).as_deref(), Some(counts));
        assert_eq!(orders(&trading_of(states::Trading::Open, 0, 0)), None);
        let frozen = trading_of(states::Trading::Frozen, 0, 0);
        assert_eq!(trading(&frozen), "frozen (live approval): So it is.");
    }
}
