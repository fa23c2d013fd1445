//! `ibctl status`: never starts a daemon, and answers at once when there is none.

use std::fmt::Write;

use ibd_protocol::states::Said;
use ibd_protocol::{
    Condition, Places, SessionStatus, Status, ToClient, ToDaemon, TradingStatus, states,
};
use serde_json::json;

use crate::daemon::{Fault, ask, running};
use crate::terminal::plain;
use crate::times::{clock, duration, local};
use crate::{Context, Ended, answer, freeze, own, say};

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
    let needs_person = needs_person(&status.session.state) || waits_for_person(&status.trading);
    Ok(if needs_person { Ended::NeedsPerson } else { Ended::Fine })
}

fn not_running(context: &Context) {
    let text =
        "ibd is not running. A client starts it when it is needed; `ibctl restart` starts it now.";
    let problem = own::problem(&context.places);
    let is_frozen = is_frozen(&context.places);
    if context.json {
        let mut report = json!({ "daemon": { "running": false } });
        if let Some(problem) = problem {
            report["daemon"]["problem"] = problem.into();
        }
        if is_frozen {
            report["trading"] = json!({ "state": "frozen" });
        }
        say(&report.to_string());
        return;
    }
    match problem {
        Some(problem) => say(&format!("ibd is not running, and cannot start: {problem}.")),
        None => say(text),
    }
    if is_frozen {
        say("Trading is frozen; `ibctl unfreeze` ends that.");
    }
}

/// Without a daemon only the flag can tell.
fn is_frozen(places: &Places) -> bool {
    freeze::flag::is_up(places)
}

/// Whether orders stand still until a person does something.
fn waits_for_person(trading: &TradingStatus) -> bool {
    trading.state.is(states::Trading::Frozen) || trading.waiting > 0 || trading.in_doubt > 0
}

/// States that nothing but a person ends.
fn needs_person(state: &Said<states::Session>) -> bool {
    use states::Session::{Competing, Hung, LockoutGuard, NeedLogin, Stopped, Wait2fa};
    state.is_one_of(&[Stopped, NeedLogin, Wait2fa, LockoutGuard, Competing, Hung])
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
    line("Trading", trading(&status.trading));
    if let Some(orders) = orders(&status.trading) {
        line("Orders", orders);
    }
    let daemon = &status.daemon;
    line(
        "Daemon",
        format!("{} (pid {}), up {}", daemon.version, daemon.pid, duration(daemon.uptime_seconds)),
    );
    for Condition { text: what, hint, since, .. } in status.conditions.iter().skip(1) {
        line("Note", format!("{what} {hint} (since {})", local(since)));
    }
    text.trim_end().to_owned()
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

fn trading(trading: &TradingStatus) -> String {
    let state = format!("{} ({})", trading.state, trading.protection.replace('_', " "));
    if trading.text.is_empty() { state } else { format!("{state}: {}", trading.text) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_that_wait_for_a_person_are_told_from_those_that_pass() {
        use states::Session::{
            Competing, Hung, Init, LockoutGuard, Maint, NeedLogin, Ready, Starting, Stopped,
            Wait2fa,
        };
        for state in [NeedLogin, Wait2fa, LockoutGuard, Competing, Hung, Stopped] {
            assert!(needs_person(&state.into()), "{state}");
        }
        for state in [Ready, Init, Starting, Maint] {
            assert!(!needs_person(&state.into()), "{state}");
        }
    }

    #[test]
    fn gateway_states_read_well() {
        assert_eq!(gateway_state(&states::Gateway::NotInstalled.into()), "not installed");
        assert_eq!(gateway_state(&states::Gateway::Installing.into()), "being installed");
        assert_eq!(gateway_state(&states::Gateway::Up.into()), "up");
    }

    fn trading_of(state: states::Trading, waiting: u32, in_doubt: u32) -> TradingStatus {
        let text = "So it is.".to_owned();
        TradingStatus {
            state: state.into(),
            protection: "live_approval".into(),
            text,
            waiting,
            in_doubt,
        }
    }

    #[test]
    fn orders_wait_for_a_person_when_frozen_or_asked_for_or_in_doubt() {
        assert!(!waits_for_person(&trading_of(states::Trading::Open, 0, 0)));
        assert!(
            !waits_for_person(&trading_of(states::Trading::Closed, 0, 0)),
            "that is the session's matter"
        );
        assert!(waits_for_person(&trading_of(states::Trading::Frozen, 0, 0)));
        assert!(waits_for_person(&trading_of(states::Trading::Open, 1, 0)));
        assert!(waits_for_person(&trading_of(states::Trading::Open, 0, 1)));
    }

    #[test]
    fn the_trading_line_names_state_protection_and_why() {
        let open = trading_of(states::Trading::Open, 1, 2);
        assert_eq!(trading(&open), "open (live approval): So it is.");
        let counts = "1 waits for your approval, 2 in doubt; `ibctl orders` lists them";
        assert_eq!(orders(&open).as_deref(), Some(counts));
        assert_eq!(orders(&trading_of(states::Trading::Open, 0, 0)), None);
    }
}
