//! What a person does about Flex queries, through `ibctl flex`.

use std::time::Duration;

use ibd_flex::archive::{Keep, describe};
use ibd_flex::section;
use ibd_protocol::{ErrorCode, FlexQueryReport, FlexReport, FlexVerb};
use jiff::{Timestamp, ToSpan};
use tokio::time::Instant;
use ulid::Ulid;

use super::files::{self, Form, off};
use super::schedule::Daily;
use super::{Ask, FlexHandle, Pruning, RunState, Statements, find, is_of, listed, words};
use crate::refusal::{Refusal, for_person};

/// For one answer; `ibctl` asks again.
const WAIT: Duration = Duration::from_secs(40);

/// Does it; what came of it.
pub async fn verb(flex: &FlexHandle, verb: FlexVerb, tell: impl Fn(&str)) -> FlexReport {
    let done = match verb {
        FlexVerb::List => list(flex).await,
        FlexVerb::Schedule { query, daily } => schedule(flex, query, daily).await,
        FlexVerb::Prune { superseded, days, bytes, dry_run } => {
            let keep = Keep { newest: superseded, since: days.map(days_ago), bytes };
            let how = if dry_run { Pruning::Trial } else { Pruning::Real };
            prune(flex, keep, how).await
        }
        FlexVerb::Run { query, name, refresh } => {
            run(flex, Ask { query, name, refresh }, tell).await
        }
        FlexVerb::Import(path) => import(flex, &path).await,
        FlexVerb::Export { query, section, form } => export(flex, &query, section, &form).await,
        FlexVerb::Forget { query, statements } => {
            let statements = if statements { Statements::Removed } else { Statements::Kept };
            flex.forget(query, statements).await.map(|gone| {
                let id = gone.id.map(|id| format!(" ({id})")).unwrap_or_default();
                said(format!(
                    "{:?}{id} is forgotten; statements removed: {}.",
                    gone.name, gone.statements
                ))
            })
        }
    };
    done.unwrap_or_else(|refusal| FlexReport {
        text: refusal.message,
        hint: for_person(&refusal.next),
        ..FlexReport::default()
    })
}

/// Only what lies in the inbox, by the name that `ibctl` gave it.
async fn import(flex: &FlexHandle, name: &str) -> Result<FlexReport, Refusal> {
    let name: Ulid = name.parse().map_err(|_| {
        Refusal::new(
            ErrorCode::FlexImport,
            "This is no name of a file in the inbox.",
            "Use `ibctl flex import FILE`.",
        )
    })?;
    flex.import(name).await.map(said)
}

fn said(text: String) -> FlexReport {
    FlexReport { ok: true, text, ..FlexReport::default() }
}

async fn schedule(
    flex: &FlexHandle,
    query: String,
    daily: Option<String>,
) -> Result<FlexReport, Refusal> {
    let daily = daily
        .map(|text| {
            Daily::parse(&text).ok_or_else(|| {
                let message = format!("{text:?} is no time of day.");
                Refusal::argument("daily", message, "Give it as 06:15, New York's time.")
            })
        })
        .transpose()?;
    let query = flex.schedule(query, daily).await?;
    let (name, id) = (&query.name, &query.id);
    Ok(said(match query.daily {
        Some(daily) => format!(
            "{name:?} ({id}) is run every day at {daily} in New York, while ibd runs; if it does not at that \
             time, then as soon as it does."
        ),
        None => format!("{name:?} ({id}) is not run by itself any more."),
    }))
}

fn days_ago(days: u32) -> Timestamp {
    Timestamp::now().checked_sub((i64::from(days) * 24).hours()).unwrap_or(Timestamp::MIN)
}

async fn prune(flex: &FlexHandle, keep: Keep, how: Pruning) -> Result<FlexReport, Refusal> {
    let gone = flex.prune(keep, how).await?;
    let bytes: u64 = gone.iter().map(|entry| entry.packed).sum();
    let what = match how {
        Pruning::Trial => "would be removed",
        Pruning::Real => "were removed",
    };
    let files: Vec<&str> = gone.iter().map(|entry| entry.file.as_str()).collect();
    let text = format!("{} statements of {} {what}.", gone.len(), size(bytes));
    Ok(FlexReport { hint: files.join("\n"), ..said(text) })
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

async fn list(flex: &FlexHandle) -> Result<FlexReport, Refusal> {
    let view = flex.view();
    let queries: Vec<FlexQueryReport> = listed(&view)
        .into_iter()
        .map(|one| FlexQueryReport {
            name: one.name,
            query_id: one.id,
            last_used: one.last_used.map(|at| at.to_string()),
            statements: one.statements as u64,
            coverage: describe(&one.coverage),
            daily: one.daily,
        })
        .collect();
    let Some(archive) = view.archive else {
        return Ok(FlexReport { queries, ..said(String::new()) });
    };
    let folder = archive.folder().display().to_string();
    let used = off(move || archive.usage().map_err(|error| words::not_stored(&error.to_string())));
    let used = used.await?;
    let mut text = format!("{} statements, {}, in {folder}.", used.files, size(used.bytes));
    if used.damaged_files > 0 {
        text.push_str(&format!(
            " Set aside as damaged: {}, {}.",
            used.damaged_files,
            size(used.damaged_bytes)
        ));
    }
    if queries.is_empty() {
        text = "No Flex query is remembered.".to_owned();
    }
    let hint = flex.expiring(Timestamp::now()).unwrap_or_default();
    Ok(FlexReport { queries, hint, ..said(text) })
}

async fn run(flex: &FlexHandle, ask: Ask, tell: impl Fn(&str)) -> Result<FlexReport, Refusal> {
    let query = ask.query.clone();
    match flex.run(ask, Instant::now() + WAIT, tell).await? {
        RunState::Failed(refusal) => Err(*refusal),
        RunState::Going(text) => {
            let hint = format!("The daemon goes on; `ibctl flex run {query}` shows how it stands.");
            Ok(FlexReport { pending: true, hint, ..said(text) })
        }
        RunState::Done(entry, _) => {
            let days = entry.period.map(|p| format!(", {} … {}", p.from, p.to)).unwrap_or_default();
            let rows: u64 = entry.sections.iter().map(|section| section.rows).sum();
            Ok(said(format!(
                "{:?}{days}: {} sections, {rows} rows, {} bytes.",
                entry.query_name,
                entry.sections.len(),
                entry.bytes
            )))
        }
    }
}

async fn export(
    flex: &FlexHandle,
    query: &str,
    section: Option<String>,
    form: &str,
) -> Result<FlexReport, Refusal> {
    let view = flex.view();
    let archive = view.archive.ok_or_else(words::away)?;
    let form = Form::parse(form).unwrap_or(Form::Xml);
    if form != Form::Xml && section.is_none() {
        return Err(Refusal::argument(
            "section",
            "Only rows of one section can be written as csv or json.",
            "Name it with --section.",
        ));
    }
    let id = find(query, &view.queries).ok();
    let of_query = |entry: &&ibd_flex::archive::Entry| match &id {
        Some(id) => is_of(entry, id),
        None => entry.is_of(query),
    };
    let entry = view.entries.iter().rev().find(of_query).cloned().ok_or_else(|| {
        Refusal::new(
            ErrorCode::FlexNoStatement,
            format!("No statement of {query:?} is archived."),
            format!("Run `ibctl flex run {query}` first."),
        )
    })?;
    let ask = section::Ask {
        section: section.unwrap_or_default(),
        order: entry.date_order,
        ..section::Ask::default()
    };
    let folder = flex.exports().clone();
    let (path, bytes) =
        files::off(move || files::export(&archive, &entry, &folder, form, &ask)).await?;
    let file = Some(path.display().to_string());
    Ok(FlexReport { file, ..said(format!("{bytes} bytes were written.")) })
}
