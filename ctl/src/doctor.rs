//! `ibctl doctor`: looks at everything that ibd needs, layer by layer, changes nothing and starts nothing. Each file
//! has one layer: a look that is thin, and a verdict that is pure.

mod check;
mod clients;
mod exposure;
mod firewall;
mod folders;
mod gateway;
mod journal;
mod machine;
mod probe;
mod programs;
mod running;
mod session;
mod upstream;

use ibd_protocol::GatewayMode;
use ibd_protocol::settings::Settings;
use jiff::Timestamp;
use serde_json::json;

use crate::daemon::Fault;
use crate::screen::Screen;
use crate::{Context, Ended, answer, own, say};
use check::{Check, State};
use gateway::Known;
use probe::Answer;
use running::Told;
use upstream::Reach;

/// Flags of the verb.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Do not try to reach IBKR: without it one connection is made there, and no login.
    #[arg(long)]
    offline: bool,
}

pub(crate) async fn run(context: &Context, args: &Args) -> Result<Ended, Fault> {
    let reach = if args.offline { Reach::Offline } else { Reach::Try };
    let checks = look(context, reach).await;
    let failed = checks.iter().filter(|check| check.state == State::Fail).count();
    let list = json!({ "checks": checks });
    if !context.json {
        // Each part is made harmless where it is put together; colours are ours.
        say(&check::text(&checks, Screen::of_stdout()));
    }
    if failed == 0 {
        if context.json {
            answer(context, &list, "")?;
        }
        return Ok(Ended::Fine);
    }
    let count = if failed == 1 { "1 check".to_owned() } else { format!("{failed} checks") };
    Err(Fault::new(format!("{count} failed"), "Do what stands beside it, then look again.")
        .with(&list))
}

async fn look(context: &Context, reach: Reach) -> Vec<Check> {
    let places = &context.places;
    let mut checks = vec![programs::check().await, folders::folders(places)];
    let (settings, read) = settings(context);
    checks.extend(read);
    checks.extend([folders::secrets(places), folders::room(places)]);
    let Told { checks: of_daemon, status, gateway: report } = running::look(places).await;
    checks.extend(of_daemon);
    checks.push(journal::check(context, status.is_some()).await);
    let known = Known::of(&settings, status.as_ref(), report.as_ref());
    if known.mode == GatewayMode::Managed {
        checks.push(machine::java(places).await);
        checks.push(machine::gateway(places));
    }
    let (of_gateway, answered) = gateway::look(&known, &settings).await;
    checks.extend(of_gateway);
    checks.push(match &status {
        Some(status) => exposure::check(&status.gateway).await,
        None => Check::not_looked_at("websocket", "no daemon runs that knows the gateway"),
    });
    let (way, reached) = upstream::look(reach, known.mode, &settings).await;
    checks.push(way);
    checks.push(upstream::clock(
        who_tells_time(answered.as_ref(), reached.as_ref()),
        Timestamp::now(),
    ));
    checks.extend(session::checks(places, status.as_ref()));
    checks.push(machine::browser(&settings));
    checks.extend(machine::headless(&settings));
    checks.extend(machine::lingering(places).await);
    checks.extend(clients::checks());
    checks
}

/// The settings of this shell and of the file, and what is to be said of them.
fn settings(context: &Context) -> (Settings, Vec<Check>) {
    let mut checks = vec![folders::config_file(&context.places)];
    let is_file_fine = checks.iter().all(|check| check.state != State::Fail);
    let settings = own::settings(&context.places).unwrap_or_else(|fault| {
        // What is wrong with the file as a file has been said.
        if is_file_fine {
            checks.push(Check::fail("settings", format!("{}.", fault.text), fault.hint));
        }
        Settings::default()
    });
    (settings, checks)
}

/// IBKR's own clock counts; a gateway's is this machine's, or passes IBKR's on.
fn who_tells_time<'a>(
    gateway: Option<&'a Answer>,
    ibkr: Option<&'a Answer>,
) -> Option<(&'static str, &'a Answer)> {
    let tells = |who, answer: Option<&'a Answer>| {
        answer.filter(|answer| answer.date.is_some()).map(|answer| (who, answer))
    };
    tells("IBKR", ibkr).or_else(|| tells("the gateway", gateway))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ibd_protocol::{
        Budgets, DaemonStatus, GatewayStatus, SessionStatus, Status, TradingStatus, states,
    };

    /// A status with this session.
    pub(super) fn status(session: SessionStatus) -> Status {
        Status {
            daemon: DaemonStatus { running: true, version: "0".into(), pid: 1, uptime_seconds: 1 },
            gateway: GatewayStatus {
                mode: GatewayMode::Managed,
                state: states::Gateway::Up.into(),
                pid: None,
                address: None,
            },
            session,
            budgets: Budgets { per_second: 10, in_flight: 0, queued: 0, penalty_until: None },
            clients: Vec::new(),
            trading: TradingStatus {
                state: states::Trading::Open.into(),
                protection: String::new(),
                text: String::new(),
                waiting: 0,
                in_doubt: 0,
            },
            conditions: Vec::new(),
        }
    }

    #[test]
    fn ibkrs_clock_is_asked_before_a_gateways() {
        let at = |date: &str| Answer { date: Some(date.into()), ..Answer::default() };
        let (gateway, ibkr, silent) = (at("g"), at("i"), Answer::default());
        let who = |gateway, ibkr| who_tells_time(gateway, ibkr).map(|(who, _)| who);
        assert_eq!(who(Some(&gateway), Some(&ibkr)), Some("IBKR"));
        assert_eq!(who(Some(&gateway), Some(&silent)), Some("the gateway"));
        assert_eq!(who(Some(&silent), None), None);
    }
}
