//! `ibctl approve`: shows the whole order, asks, and approves exactly what was shown.

use std::fmt::Write;

use ibd_protocol::{ApprovalReport, OrdersReport, OrdersVerb};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::daemon::Fault;
use crate::orders::waiting;
use crate::talk::{Talk, settle};
use crate::terminal::{self, plain};
use crate::times::{duration, local, until};
use crate::{Context, Ended, answer, for_terminal, say};

/// What it takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The approval's id; may be left out when only one order waits.
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    id: Option<String>,
    /// Do not ask; a PIN, where one is set, is asked for all the same.
    #[arg(long)]
    yes: bool,
}

/// The daemon's answer, and what it was about.
#[derive(Serialize)]
struct Approved<'a> {
    #[serde(flatten)]
    report: &'a OrdersReport,
    approval: &'a ApprovalReport,
}

pub(crate) async fn run(context: &Context, args: &Args) -> Result<Ended, Fault> {
    let mut talk = Talk::start(context).await?;
    let list = talk.look(OrdersVerb::List).await?;
    let approval = choose(context, args.id.as_deref(), &list.approvals)?;
    let shown = || json!({ "approval": approval });
    let is_asked = !args.yes || list.needs_pin;
    if is_asked && !terminal::is_there() {
        return Err(nobody_there(&approval.id, list.needs_pin).with(&shown()));
    }
    match (is_asked, context.json) {
        // What is asked about stands where the question stands, whatever becomes of stdout.
        (true, _) => eprintln!("{}", text(approval, Timestamp::now())),
        (false, false) => say(&text(approval, Timestamp::now())),
        (false, true) => {}
    }
    if !args.yes && !talk.while_person(|| terminal::agrees("Approve?")).await? {
        return left(context, approval);
    }
    let pin = if list.needs_pin {
        Some(talk.while_person(terminal::pin).await?.map_err(|f| f.with(&shown()))?)
    } else {
        None
    };
    let (id, digest) = (approval.id.clone(), approval.digest.clone());
    let report = talk.act(OrdersVerb::Approve { id, digest, pin }).await;
    let report = report.map_err(|fault| fault.with(&shown()))?;
    settle(context, &report, &Approved { report: &report, approval })
}

/// The approval that is meant.
fn choose<'a>(
    context: &Context,
    id: Option<&str>,
    approvals: &'a [ApprovalReport],
) -> Result<&'a ApprovalReport, Fault> {
    let all = || json!({ "approvals": approvals });
    match (id, approvals) {
        (_, []) => Err(Fault::new(
            "no order waits for approval",
            "`ibctl orders` lists what works or is in doubt.",
        )
        .with(&all())),
        (None, [only]) => Ok(only),
        (None, several) => {
            if !context.json {
                say(&for_terminal(&waiting(several)));
            }
            let text = format!("{} orders wait: say which", several.len());
            Err(Fault::usage(text, format!("`ibctl approve {}`", plain(&several[0].id)))
                .with(&all()))
        }
        (Some(id), several) => {
            several.iter().find(|one| one.id.eq_ignore_ascii_case(id)).ok_or_else(|| {
                let ids: Vec<String> = several.iter().map(|one| plain(&one.id)).collect();
                let text = format!("no approval {id:?} waits, only {}", ids.join(", "));
                Fault::new(text, "It may have expired or been decided; `ibctl orders` tells.")
                    .with(&all())
            })
        }
    }
}

fn nobody_there(id: &str, needs_pin: bool) -> Fault {
    if needs_pin {
        terminal::pin_needs_terminal(&format!("approve {id}"))
    } else {
        Fault::usage(
            "there is no terminal to ask at, so nothing was approved",
            "Run it in a terminal, or add `--yes` if you have read the whole order.",
        )
    }
}

fn left(context: &Context, approval: &ApprovalReport) -> Result<Ended, Fault> {
    let id = plain(&approval.id);
    let text = format!(
        "Not approved. It still waits, until {}; `ibctl deny {id}` declines it.",
        local(&approval.expires_at)
    );
    answer(context, &json!({ "ok": false, "text": text, "approval": approval }), &text)?;
    Ok(Ended::NeedsPerson)
}

/// The whole order, and who asked.
fn text(approval: &ApprovalReport, now: Timestamp) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: &str| {
        let _ = writeln!(text, "{label:<9} {}", plain(value));
    };
    let kind = if approval.paper { "paper" } else { "LIVE: real money" };
    let client = if approval.client.is_empty() { "(unnamed)" } else { &approval.client };
    line("Approval", &approval.id);
    line("Account", &format!("{} ({kind})", approval.account));
    line("Client", client);
    let age = duration(approval.age_seconds);
    line("Asked", &format!("{}, {age} ago", local(&approval.asked_at)));
    let left = until(&approval.expires_at, now).map(|left| format!(", {left}"));
    line("Expires", &format!("{}{}", local(&approval.expires_at), left.unwrap_or_default()));
    listed(&mut line, "Order", &approval.lines);
    listed(&mut line, "IBKR asks", &approval.questions);
    line("Digest", &approval.digest);
    text.trim_end().to_owned()
}

fn listed(line: &mut impl FnMut(&str, &str), label: &str, items: &[String]) {
    for (at, item) in items.iter().enumerate() {
        line(if at == 0 { label } else { "" }, item);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_whole_order_is_shown_and_nothing_in_it_can_pose_as_a_line_of_ours() {
        let approval = ApprovalReport {
            id: "a1".into(),
            account: "U7654321".into(),
            lines: vec!["BUY 10 AAPL".into(), "LMT 200.00 USD, DAY".into()],
            questions: vec!["Really?\nAccount   DU1 (paper)".into()],
            client: "codex\x1b[1A".into(),
            digest: "abc".into(),
            asked_at: "then".into(),
            expires_at: "2026-11-23T07:35:00Z".into(),
            age_seconds: 90,
            ..Default::default()
        };
        let told = text(&approval, "2026-11-23T07:31:00Z".parse().unwrap());
        for part in [
            "Account   U7654321 (LIVE: real money)",
            "Client    codex\\u{1b}[1A",
            "Asked     then, 1 min ago",
            ", in 4 min",
            "Order     BUY 10 AAPL\n          LMT 200.00 USD, DAY",
            "IBKR asks Really? Account   DU1 (paper)",
            "Digest    abc",
        ] {
            assert!(told.contains(part), "{part:?} in {told}");
        }
    }
}
