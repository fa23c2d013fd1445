//! `ibctl status`: never starts a daemon, and answers at once when there is none.

use std::fmt::Write;

use ibd_protocol::{Condition, SessionStatus, Status, ToClient, ToDaemon};
use serde_json::json;

use crate::daemon::{Fault, ask, running};
use crate::times::local;
use crate::{Context, Ended, answer, say};

pub(crate) async fn run(context: &Context) -> Result<Ended, Fault> {
    let Some(mut connection) = running(&context.places).await? else {
        not_running(context);
        return Ok(Ended::NotRunning);
    };
    let status = ask(&mut connection, &ToDaemon::Status(1), |answer| match answer {
        ToClient::Status(_, status) => Some(*status),
        _ => None,
    })
    .await?;
    answer(context, &status, &text(&status))?;
    Ok(if needs_person(&status.session.state) { Ended::NeedsPerson } else { Ended::Fine })
}

fn not_running(context: &Context) {
    let text =
        "ibd is not running. A client starts it when it is needed; `ibctl restart` starts it now.";
    match context.json {
        true => say(&json!({ "daemon": { "running": false } }).to_string()),
        false => say(text),
    }
}

/// States that nothing but a person ends.
fn needs_person(state: &str) -> bool {
    matches!(state, "stopped" | "need_login" | "wait_2fa" | "lockout_guard" | "competing" | "hung")
}

fn text(status: &Status) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: String| {
        let _ = writeln!(text, "{label:<9} {value}");
    };
    line("Session", status.session.text.clone());
    if let Some(hint) = status.conditions.first().map(|c| &c.hint).filter(|hint| !hint.is_empty()) {
        line("To do", hint.clone());
    }
    if let Some(login) = login(&status.session) {
        line("Login", login);
    }
    if let Some(age) = status.session.age_seconds {
        line("Age", format!("{} since the trading session was opened", duration(age)));
    }
    line("Gateway", gateway(status));
    line("Budget", budget(status));
    line("Clients", clients(status));
    line(
        "Trading",
        format!("{} ({})", status.trading.state, status.trading.protection.replace('_', " ")),
    );
    let daemon = &status.daemon;
    line(
        "Daemon",
        format!("{} (pid {}), up {}", daemon.version, daemon.pid, duration(daemon.uptime_seconds)),
    );
    for Condition { text: what, hint, since, .. } in status.conditions.iter().skip(1) {
        line("Note", format!("{what} {hint} (since {since})"));
    }
    text.trim_end().to_owned()
}

/// Who is logged in, since when, and until when about.
fn login(session: &SessionStatus) -> Option<String> {
    let since = session.login_at.as_deref().map(|moment| format!("since {}", local(moment)));
    let next = session.next_login_at.as_deref();
    let next = next.map(|moment| format!("next login needed about {}", local(moment)));
    let parts: Vec<String> =
        [session.username.clone(), since, next].into_iter().flatten().collect();
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

fn gateway_state(state: &str) -> String {
    match state {
        "installing" => "being installed".to_owned(),
        other => other.replace('_', " "),
    }
}

fn budget(status: &Status) -> String {
    let budgets = &status.budgets;
    let load = format!("{} under way, {} waiting", budgets.in_flight, budgets.queued);
    match &budgets.penalty_until {
        Some(until) => format!("IBKR's rate limit was hit; closed until {until}; {load}"),
        None => format!("{} requests a second; {load}", budgets.per_second),
    }
}

fn clients(status: &Status) -> String {
    if status.clients.is_empty() {
        return "none".to_owned();
    }
    let clients = status.clients.iter().map(|client| {
        let name = if client.name.is_empty() { "(unnamed)" } else { &client.name };
        let mode = if client.read_only { ", read-only" } else { "" };
        format!("{name} ({} calls{mode})", client.calls)
    });
    clients.collect::<Vec<_>>().join(", ")
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_that_wait_for_a_person_are_told_from_those_that_pass() {
        for state in ["need_login", "wait_2fa", "lockout_guard", "competing", "hung", "stopped"] {
            assert!(needs_person(state), "{state}");
        }
        for state in ["ready", "init", "starting", "maintenance"] {
            assert!(!needs_person(state), "{state}");
        }
    }

    #[test]
    fn gateway_states_read_well() {
        assert_eq!(gateway_state("not_installed"), "not installed");
        assert_eq!(gateway_state("installing"), "being installed");
        assert_eq!(gateway_state("up"), "up");
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(duration(7), "7 s");
        assert_eq!(duration(150), "2 min");
        assert_eq!(duration(18_120), "5 h 2 min");
    }
}
