//! What a person does about Flex queries, through `ibctl flex`.

use std::path::PathBuf;
use std::time::Duration;

use ibd_flex::archive::describe;
use ibd_flex::section;
use ibd_protocol::{FlexQueryReport, FlexReport, FlexVerb};
use tokio::time::Instant;

use super::files::{self, Form};
use super::{Ask, FlexHandle, Standing, find, is_of, listed, words};
use crate::refusal::Refusal;

/// For one answer; `ibctl` asks again.
const WAIT: Duration = Duration::from_secs(40);

/// Does it; what came of it.
pub async fn verb(flex: &FlexHandle, verb: FlexVerb, tell: impl Fn(&str)) -> FlexReport {
    let done = match verb {
        FlexVerb::List => Ok(list(flex)),
        FlexVerb::Run { query, name, refresh } => {
            run(flex, Ask { query, name, refresh }, tell).await
        }
        FlexVerb::Import(path) => flex.import(PathBuf::from(path)).await.map(said),
        FlexVerb::Export { query, section, form } => export(flex, &query, section, &form).await,
        FlexVerb::Forget { query, statements } => {
            flex.forget(query, statements).await.map(|gone| {
                said(format!(
                    "{:?} ({}) is forgotten; statements removed: {}.",
                    gone.query.name, gone.query.id, gone.statements
                ))
            })
        }
    };
    done.unwrap_or_else(|refusal| FlexReport {
        text: refusal.message,
        hint: refusal.next,
        ..FlexReport::default()
    })
}

fn said(text: String) -> FlexReport {
    FlexReport { ok: true, text, ..FlexReport::default() }
}

fn list(flex: &FlexHandle) -> FlexReport {
    let queries: Vec<FlexQueryReport> = listed(&flex.view())
        .into_iter()
        .map(|one| FlexQueryReport {
            name: one.name,
            query_id: one.id,
            last_used: one.last_used.map(|at| at.to_string()),
            statements: one.statements as u64,
            coverage: describe(&one.coverage),
        })
        .collect();
    let text = if queries.is_empty() { "No Flex query is remembered." } else { "" };
    FlexReport { queries, ..said(text.to_owned()) }
}

async fn run(flex: &FlexHandle, ask: Ask, tell: impl Fn(&str)) -> Result<FlexReport, Refusal> {
    let query = ask.query.clone();
    match flex.run(ask, Instant::now() + WAIT, tell).await? {
        Standing::Failed(refusal) => Err(*refusal),
        Standing::Going(text) => {
            let hint = format!("The daemon goes on; `ibctl flex run {query}` shows how it stands.");
            Ok(FlexReport { pending: true, hint, ..said(text) })
        }
        Standing::Done(entry, _) => {
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
            "flex_no_statement",
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
        files::off(move || files::export(&archive, &entry, (&folder, form), &ask)).await?;
    let file = Some(path.display().to_string());
    Ok(FlexReport { file, ..said(format!("{bytes} bytes were written.")) })
}
