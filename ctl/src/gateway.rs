//! `ibctl gateway`: the managed Java gateway.

mod install;

use std::time::Duration;

use clap::Subcommand;
use ibd_protocol::{GatewayReport, GatewayVerb, ToClient, ToDaemon, states};
use serde_json::json;

use crate::daemon::Fault;
use crate::errand::Errand;
use crate::logs::last_lines;
use crate::{Context, Ended, answer};

/// Without a word of progress: a slow disk and a cold Java take this long.
const SILENCE: Duration = Duration::from_secs(120);

/// What to do with it.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Install IBKR's gateway, and Java where this machine has none
    Install(Box<install::Args>),
    /// Start it
    Start,
    /// End it, and with it the login that it holds
    Stop,
    /// How it is
    Status,
    /// The end of its log
    Logs {
        /// Lines from the end.
        #[arg(short = 'n', long, default_value_t = 50)]
        lines: usize,
    },
}

pub(crate) async fn run(context: &Context, verb: &Verb) -> Result<Ended, Fault> {
    match verb {
        Verb::Install(args) => install::run(context, args).await,
        Verb::Start => ask(context, GatewayVerb::Start).await,
        Verb::Stop => ask(context, GatewayVerb::Stop).await,
        Verb::Status => ask(context, GatewayVerb::Status).await,
        Verb::Logs { lines } => logs(context, *lines),
    }
}

async fn ask(context: &Context, verb: GatewayVerb) -> Result<Ended, Fault> {
    let mut errand = match verb {
        GatewayVerb::Status => Errand::present(context, SILENCE).await?,
        // Only the daemon ends it so that the login is known to be over.
        GatewayVerb::Start | GatewayVerb::Stop => Errand::start(context, SILENCE).await?,
    };
    let report = errand.ask(|id| ToDaemon::Gateway(id, verb), report_of).await?;
    if report.ok {
        answer(context, &report, &text(&report))?;
        // One that is not ours, does not answer, and comes back only by somebody's doing.
        let is_gone = verb == GatewayVerb::Status
            && report.state.is_one_of(&[states::Gateway::Down, states::Gateway::Hung]);
        Ok(if is_gone { Ended::NeedsPerson } else { Ended::Fine })
    } else {
        Err(Fault::new(report.text.clone(), report.hint.clone()).with(&report))
    }
}

/// Picks the answer to a question about the gateway.
pub(crate) fn report_of(id: u64, answer: ToClient) -> Option<GatewayReport> {
    match answer {
        ToClient::Gateway(of, report) if of == id => Some(*report),
        _ => None,
    }
}

fn text(report: &GatewayReport) -> String {
    let mut lines = vec![report.text.clone()];
    lines.extend((!report.hint.is_empty()).then(|| report.hint.clone()));
    let details = [
        ("State", Some(report.state.in_words())),
        ("Address", report.address.clone()),
        ("Process", report.pid.map(|pid| pid.to_string())),
        ("SHA-256", report.certificate.clone().map(|sha256| format!("{sha256} (certificate)"))),
        ("Log", report.log.clone()),
    ];
    let details = details.into_iter().filter_map(|(label, value)| Some((label, value?)));
    lines.extend(details.map(|(label, value)| format!("{label:<9} {value}")));
    lines.join("\n")
}

/// Needs no daemon: its log is what one looks at when nothing runs.
fn logs(context: &Context, count: usize) -> Result<Ended, Fault> {
    let file = context.places.gateway().join("logs/gateway.log");
    if !file.exists() {
        let hint = "It is there once a managed gateway has been started: `ibctl gateway start`.";
        return Err(Fault::new(format!("there is no {}", file.display()), hint)
            .with(&json!({ "file": file })));
    }
    let lines = last_lines(&file, count);
    if !context.json {
        eprintln!("{}", file.display());
    }
    answer(context, &json!({ "file": file, "lines": lines }), &lines.join("\n"))?;
    Ok(Ended::Fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_is_listed() {
        let report = GatewayReport {
            state: states::Gateway::NotInstalled.into(),
            text: "No gateway is installed.".into(),
            hint: "`ibctl gateway install` brings it.".into(),
            ..Default::default()
        };
        let expected = "No gateway is installed.\n`ibctl gateway install` brings it.\n\
            State     not installed";
        assert_eq!(text(&report), expected);
    }
}
