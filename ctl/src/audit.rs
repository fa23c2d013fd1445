//! `ibctl audit`: what was done about orders, by whom and why; and whether the record of it is whole.

use clap::Subcommand;
use ibd_protocol::{AuditLine, OrdersReport, OrdersVerb};

use crate::daemon::Fault;
use crate::talk::{self, Talk};
use crate::times::exact;
use crate::{Context, Ended, answer, columns};

/// Entries that are shown.
const LINES: u32 = 50;

/// What it takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Entries from the end; 50 unless told otherwise.
    #[arg(short = 'n', long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    lines: Option<u32>,
}

/// What else to do with it.
#[derive(Debug, Subcommand)]
enum Verb {
    /// Check that no entry was changed or left out
    Verify,
}

pub(crate) async fn run(context: &Context, args: &Args) -> Result<Ended, Fault> {
    // Not left to clap, which would then refuse `--json` before the subcommand too.
    if args.verb.is_some() && args.lines.is_some() {
        return Err(Fault::usage("all entries are verified: leave -n out", ""));
    }
    let mut talk = Talk::present(context).await?;
    let (report, text) = match args.verb {
        // A trail that is broken is no answer that can be overlooked: `look` makes it exit code 1.
        Some(Verb::Verify) => {
            let report = talk.look(OrdersVerb::AuditVerify).await?;
            let text = talk::text(&report);
            (report, text)
        }
        None => {
            let report = talk.look(OrdersVerb::Audit(args.lines.unwrap_or(LINES))).await?;
            let text = text(&report);
            (report, text)
        }
    };
    answer(context, &report, &text)?;
    Ok(Ended::Fine)
}

fn text(report: &OrdersReport) -> String {
    if report.audit.is_empty() {
        return "The audit trail is empty.".to_owned();
    }
    let rows: Vec<[String; 6]> = report.audit.iter().map(row).collect();
    columns::lines(["SEQ", "TIME", "WHAT", "CLIENT", "INTENT", "TEXT"], &rows).join("\n")
}

fn row(line: &AuditLine) -> [String; 6] {
    let (client, intent) = (line.client.clone(), line.intent_id.clone());
    [
        line.seq.to_string(),
        exact(&line.at),
        line.what.clone(),
        client.unwrap_or_default(),
        intent.unwrap_or_default(),
        line.text.clone(),
    ]
}
