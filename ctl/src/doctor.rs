//! `ibctl doctor`: looks at everything that ibd needs, changes nothing and starts nothing.

mod exposure;
mod firewall;
mod machine;

use std::fmt::Write;

use ibd_protocol::settings::Settings;
use ibd_protocol::{GatewayMode, Status, ToClient, ToDaemon, states};
use serde::Serialize;
use serde_json::json;

use crate::daemon::{Fault, ask, running};
use crate::{Context, Ended, answer, own, say};

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warn,
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Check {
    /// In snake_case, stable.
    name: &'static str,
    state: State,
    /// One sentence.
    text: String,
    /// What to do; empty when there is nothing to do.
    hint: String,
    /// Commands that a person may run for it.
    commands: Vec<String>,
}

impl Check {
    fn ok(name: &'static str, text: impl Into<String>) -> Self {
        Self {
            name,
            state: State::Ok,
            text: text.into(),
            hint: String::new(),
            commands: Vec::new(),
        }
    }

    fn warn(name: &'static str, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { state: State::Warn, hint: hint.into(), ..Self::ok(name, text) }
    }

    fn fail(name: &'static str, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { state: State::Fail, hint: hint.into(), ..Self::ok(name, text) }
    }
}

pub(crate) async fn run(context: &Context) -> Result<Ended, Fault> {
    let checks = look(context).await;
    let failed = checks.iter().filter(|check| check.state == State::Fail).count();
    let list = json!({ "checks": checks });
    if failed == 0 {
        answer(context, &list, &text(&checks))?;
        return Ok(Ended::Fine);
    }
    if !context.json {
        say(&text(&checks));
    }
    let count = if failed == 1 { "1 check".to_owned() } else { format!("{failed} checks") };
    Err(Fault::new(format!("{count} failed"), "Do what stands beside it, then look again.")
        .with(&list))
}

async fn look(context: &Context) -> Vec<Check> {
    let places = &context.places;
    let mut checks = vec![machine::folders(places), machine::config_file(places)];
    let settings = match own::settings(places) {
        Ok(settings) => settings,
        Err(fault) => {
            checks.push(Check::fail("settings", fault.text, fault.hint));
            Settings::default()
        }
    };
    let (daemon, status) = daemon(context).await;
    checks.push(daemon);
    let mode = match &status {
        Some(status) => status.gateway.mode,
        None => settings.gateway().unwrap_or(GatewayMode::Managed),
    };
    if mode == GatewayMode::Managed {
        checks.push(machine::gateway(places));
        checks.push(machine::java(places).await);
    }
    if let Some(status) = &status {
        checks.push(gateway(status));
        checks.push(exposure::check(&status.gateway).await);
    }
    checks.push(machine::browser(&settings));
    checks.extend(machine::headless(&settings));
    checks.extend(machine::lingering(places).await);
    checks
}

/// Whether a daemon runs, and what it says.
async fn daemon(context: &Context) -> (Check, Option<Status>) {
    const NAME: &str = "daemon";
    let connection = running(&context.places).await;
    let mut connection = match connection {
        Ok(Some(connection)) => connection,
        Ok(None) => {
            let check = Check::warn(
                NAME,
                "No daemon is running.",
                "A client starts it when it is needed; `ibctl restart` starts it now.",
            );
            return (check, None);
        }
        Err(fault) => return (Check::fail(NAME, fault.text, fault.hint), None),
    };
    let status = ask(&mut connection, &ToDaemon::Status(1), |answer| match answer {
        ToClient::Status(_, status) => Some(*status),
        _ => None,
    })
    .await;
    match status {
        Ok(status) => {
            let daemon = &status.daemon;
            let text = format!("ibd {} runs (pid {}).", daemon.version, daemon.pid);
            (Check::ok(NAME, text), Some(status))
        }
        Err(fault) => (Check::fail(NAME, fault.text, fault.hint), None),
    }
}

/// The running gateway, as the daemon sees it.
fn gateway(status: &Status) -> Check {
    const NAME: &str = "gateway";
    let gateway = &status.gateway;
    let text = format!("The gateway is {}.", crate::status::gateway(status));
    use states::Gateway::{Installing, NotInstalled, Starting, Stopped, Up};
    match gateway.state.known() {
        Some(Up | Starting | Installing) => Check::ok(NAME, text),
        Some(Stopped) => {
            Check::warn(NAME, text, "`ibctl gateway start` or `ibctl login` starts it.")
        }
        Some(NotInstalled) => Check::warn(NAME, text, "`ibctl gateway install` brings it."),
        _ => {
            let hint = status.conditions.first().map(|condition| condition.hint.clone());
            let hint = hint.filter(|hint| !hint.is_empty());
            Check::fail(NAME, text, hint.unwrap_or_else(|| "`ibctl status` tells more.".to_owned()))
        }
    }
}

fn text(checks: &[Check]) -> String {
    let mut text = String::new();
    for check in checks {
        let mark = match check.state {
            State::Ok => "ok",
            State::Warn => "warn",
            State::Fail => "FAIL",
        };
        let _ = writeln!(text, "{mark:<5} {:<14} {}", check.name, check.text);
        let more = std::iter::once(check.hint.clone()).filter(|hint| !hint.is_empty());
        for line in more.chain(check.commands.iter().map(|command| format!("  {command}"))) {
            let _ = writeln!(text, "{:<20} {line}", "");
        }
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_one_line_and_what_to_do_about_it() {
        let checks = [
            Check::ok("daemon", "It runs."),
            Check {
                commands: vec!["sudo true".into()],
                ..Check::warn("websocket", "It is open.", "Close it.")
            },
        ];
        let expected = "ok    daemon         It runs.\n\
            warn  websocket      It is open.\n\
            \x20                    Close it.\n\
            \x20                      sudo true";
        assert_eq!(text(&checks), expected);
    }
}
