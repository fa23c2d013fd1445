//! `ibctl audit`: what was done about orders, by whom and why; and whether the record of it is whole.

mod filter;

use clap::Subcommand;
use ibd_protocol::{AuditLine, OrdersReport, OrdersVerb};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::daemon::Fault;
use crate::orders::short;
use crate::talk::{self, Talk};
use crate::times::exact;
use crate::{Context, Ended, answer, columns};
use filter::{Filter, Since};

/// Entries that are shown.
const LINES: u32 = 50;
/// Entries that are looked through at most; the daemon gives no more at once.
const MOST: u32 = 10_000;

/// What it takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Entries from the end; 50 unless told otherwise, with a filter all that match.
    #[arg(short = 'n', long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    lines: Option<u32>,
    /// Only this order: our id or its end, or IBKR's id.
    #[arg(long, value_name = "ID")]
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    order: Option<String>,
    /// Only orders that this client asked for.
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// Only from then on: a day (2026-11-23), `today`, `yesterday`, or an age such as 2h or 7d.
    #[arg(long, value_name = "DAY|AGE", value_parser = filter::since)]
    since: Option<Since>,
    /// Only that day: 2026-11-23, `today` or `yesterday`.
    #[arg(long, value_name = "DAY", value_parser = filter::day, conflicts_with = "since")]
    day: Option<Since>,
}

/// What else to do with it.
#[derive(Debug, Subcommand)]
enum Verb {
    /// Check that no entry was changed or left out
    Verify,
}

impl Args {
    fn filter(&self, now: Timestamp) -> Filter {
        let zone = TimeZone::system();
        let today = Zoned::new(now, zone.clone()).date();
        let of = |since: Option<&Since>| since.map(|since| since.range(now, today, &zone));
        let (from, _) = of(self.since.as_ref()).unwrap_or_default();
        let (begin, until) = of(self.day.as_ref()).unwrap_or_default();
        Filter {
            order: self.order.clone(),
            client: self.client.clone(),
            from: from.or(begin),
            until,
        }
    }
}

pub(crate) async fn run(context: &Context, args: &Args) -> Result<Ended, Fault> {
    let filter = args.filter(Timestamp::now());
    // Not left to clap, which would then refuse `--json` before the subcommand too.
    if args.verb.is_some() && (args.lines.is_some() || !filter.takes_all()) {
        return Err(Fault::usage("all entries are verified: leave -n and filters out", ""));
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
            let report = entries(&mut talk, args, &filter).await?;
            let text = text(&report, &filter);
            (report, text)
        }
    };
    answer(context, &report, &text)?;
    Ok(Ended::Fine)
}

/// The newest entries; with a filter all of them are looked through first, as far as they are given.
async fn entries(talk: &mut Talk, args: &Args, filter: &Filter) -> Result<OrdersReport, Fault> {
    if filter.takes_all() {
        return talk.look(OrdersVerb::Audit(args.lines.unwrap_or(LINES))).await;
    }
    let mut report = talk.look(OrdersVerb::Audit(MOST)).await?;
    let is_all = report.audit.len() < MOST as usize;
    let mut kept = filter.kept(report.audit);
    if let Some(lines) = args.lines {
        kept.drain(..kept.len().saturating_sub(lines as usize));
    }
    report.audit = kept;
    if !is_all {
        report.text = format!("Only the newest {MOST} entries were looked through.");
    }
    Ok(report)
}

fn text(report: &OrdersReport, filter: &Filter) -> String {
    if report.audit.is_empty() {
        let none = if filter.takes_all() {
            "The audit trail is empty."
        } else {
            "No entry of the audit trail is so."
        };
        return format!("{none}\n{}", report.text).trim_end().to_owned();
    }
    let rows: Vec<[String; 6]> = report.audit.iter().map(row).collect();
    let mut lines = columns::lines(["SEQ", "TIME", "WHAT", "CLIENT", "INTENT", "TEXT"], &rows);
    lines.extend((!report.text.is_empty()).then(|| report.text.clone()));
    lines.join("\n")
}

fn row(line: &AuditLine) -> [String; 6] {
    let (client, intent) = (line.client.clone(), line.intent_id.as_deref());
    [
        line.seq.to_string(),
        exact(&line.at),
        line.what.clone(),
        client.unwrap_or_default(),
        intent.map(|intent| short(intent).to_owned()).unwrap_or_default(),
        line.text.clone(),
    ]
}
