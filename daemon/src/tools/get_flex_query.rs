//! `get_flex_query`: runs a Flex query, and shows what is in the statement.

use std::time::Duration;

use ibd_flex::archive::{Entry, QueryNames};
use ibd_flex::{section, summary};
use ibd_protocol::{Effect, Toolset};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;

use super::args::{self, Confirm};
use super::cell::Time;
use super::{Ctx, Tool};
use crate::flex::files::{self, Form, day, export, off};
use crate::flex::schedule::Daily;
use crate::flex::{Ask, RunState, View, find, is_of, words};
use crate::refusal::Refusal;

/// Rows of one page, if the call does not say.
const ROWS: usize = 50;
const MAX_ROWS: usize = 500;
/// A call answers within this time.
const WAIT: Duration = Duration::from_secs(40);
/// What is said of statements that did not come from IBKR by this way.
const IMPORTED: &str = "This statement was imported from a file. With from and to the one of those days is shown; \
    list_flex_queries shows which days there are.";
/// For reading what came.
const MARGIN: Duration = Duration::from_secs(3);

/// Which query, and what of its statement.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// Number of the query, or a name it is remembered by.
    #[serde(deserialize_with = "args::text")]
    query_id: Option<String>,
    /// How to remember it.
    #[serde(deserialize_with = "args::text")]
    query_name: Option<String>,
    /// false: the XML goes to a file.
    #[serde(deserialize_with = "args::yes_no")]
    parse_xml: Option<bool>,
    /// true: a new statement even if one came within ten minutes.
    #[serde(deserialize_with = "args::yes_no")]
    refresh: Option<bool>,
    /// Show rows of this section, e.g. Trades.
    #[serde(deserialize_with = "args::text")]
    section: Option<String>,
    /// Only these columns.
    #[serde(deserialize_with = "args::texts")]
    columns: Option<Vec<String>>,
    /// Only this symbol, conid or ISIN.
    #[serde(deserialize_with = "args::text")]
    symbol: Option<String>,
    /// Only this account.
    #[serde(deserialize_with = "args::text")]
    account: Option<String>,
    /// Rows from this day, e.g. 2026-11-02.
    #[serde(deserialize_with = "args::text")]
    from: Option<String>,
    /// Rows to this day.
    #[serde(deserialize_with = "args::text")]
    to: Option<String>,
    /// Only rows of this type, asset class or side, e.g. Dividends.
    #[serde(rename = "type", deserialize_with = "args::text")]
    kind: Option<String>,
    /// Only this level of detail, e.g. EXECUTION.
    #[serde(deserialize_with = "args::text")]
    level: Option<String>,
    /// Rows at most; 50 if left out.
    #[serde(deserialize_with = "args::count")]
    limit: Option<usize>,
    /// From a previous answer.
    #[serde(deserialize_with = "args::count")]
    cursor: Option<usize>,
    /// Write a file: xml, or with a section csv or json.
    #[serde(deserialize_with = "args::text")]
    #[schemars(extend("enum" = ["xml", "csv", "json"]))]
    export: Option<String>,
    /// Run it every day at this New York time, e.g. 06:15; off ends that.
    #[serde(deserialize_with = "args::text")]
    daily: Option<String>,
    #[schemars(skip)]
    #[allow(dead_code)]
    confirm: Confirm,
}

/// The statement, in short.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// `ready`, or `pending`: IBKR is still making it.
    status: &'static str,
    /// The query, as it was asked for.
    query: String,
    /// Number of the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    query_id: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    query_name: Option<String>,
    /// What is going on, and what to do; when ready, what to tell the user of the token's end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// When it is run by itself every day, in New York.
    #[serde(skip_serializing_if = "Option::is_none")]
    daily: Option<String>,
    /// Whether IBKR was not asked because the statement is at most ten minutes old.
    from_archive: bool,
    /// When it came from IBKR.
    #[serde(skip_serializing_if = "Option::is_none")]
    fetched_at: Option<Time>,
    /// Accounts, period, and each section with its rows and sums by currency. Levels of detail show the same things:
    /// never add one to another. Each sum is told once, at the closest level that has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<Value>,
    /// Rows of the section that was asked for: cols, rows, matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Value>,
    /// Pass it as `cursor` for the rows after these; absent when this is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<u64>,
    /// The file that was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// Its size.
    #[serde(skip_serializing_if = "Option::is_none")]
    file_bytes: Option<u64>,
    /// When this was given.
    as_of: Time,
}

/// The tool.
#[derive(Debug)]
pub struct GetFlexQuery;

impl Tool for GetFlexQuery {
    const NAME: &'static str = "get_flex_query";
    const TITLE: &'static str = "Flex statement";
    const ABOUT: &'static str = "Runs a Flex Query at Interactive Brokers (statements, trade \
        confirmations, history, tax) and says what is in its statement: period, sections, rows, sums. \
        Named by number, or by name once it ran or was imported. With section: its rows, filtered, in \
        pages. For questions (realised P&L, dividends, fees) use ask_flex. If it says pending, make the \
        same call again.";
    const EFFECT: Effect = Effect::Acts;
    const SET: Toolset = Toolset::Flex;
    const EXAMPLE: &'static str =
        r#"{"queryId":"1001","section":"Trades","symbol":"AAPL","level":"EXECUTION"}"#;
    const ANSWER: usize = 3_500;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let Some(query) = args.query_id.clone().or_else(|| args.query_name.clone()) else {
            return Err(Refusal::argument(
                "queryId",
                "No query is named.",
                "Give its number or name; list_flex_queries shows which are known.",
            ));
        };
        let daily = daily(args.daily.as_deref())?;
        let form = form(&args)?;
        let rows = rows(&args)?;
        let section = needs_section(&args);
        if let Some(imported) = imported(&ctx.desks.flex.view(), &query, &rows) {
            if args.refresh == Some(true) || daily.is_some() {
                return Err(words::cannot_run(&imported.query_name));
            }
            // Of which days the statement is to be is said by from and to.
            if let Some(field) = section.filter(|field| !matches!(*field, "from" | "to")) {
                return Err(no_section(field));
            }
            let out = Out {
                status: "ready",
                next: Some(IMPORTED.to_owned()),
                query,
                query_name: Some(imported.query_name.clone()),
                from_archive: true,
                fetched_at: Some(Time(imported.added)),
                as_of: Time(Timestamp::now()),
                ..Out::default()
            };
            return shown(&ctx, imported, out, (rows, form)).await;
        }
        if let Some(field) = section {
            return Err(no_section(field));
        }
        let ask = Ask {
            query: query.clone(),
            name: args.query_id.as_ref().and(args.query_name.clone()),
            refresh: args.refresh == Some(true),
        };
        // An end needs no statement first.
        if let (Some(None), true) = (daily, is_remembered(&ctx.desks.flex.view(), &query)) {
            ctx.desks.flex.schedule(query.clone(), None).await?;
        }
        let latest = ctx.deadline.checked_sub(MARGIN).unwrap_or(ctx.deadline);
        let deadline = latest.min(Instant::now() + WAIT);
        let standing = ctx.desks.flex.run(ask, deadline, |text| ctx.tell(0, None, text)).await?;
        let now = Timestamp::now();
        match standing {
            RunState::Failed(refusal) => Err(*refusal),
            RunState::Going(text) => Ok(Out {
                status: "pending",
                query,
                next: Some(format!(
                    "{text} Make the same call again in a few seconds: it goes on with this request."
                )),
                as_of: Time(now),
                ..Out::default()
            }),
            RunState::Done(entry, from_archive) => {
                let flex = &ctx.desks.flex;
                if let Some(daily) = daily {
                    flex.schedule(query.clone(), daily).await?;
                }
                let next = flex.expiring(now).map(|text| format!("{text} {}", words::GET_A_TOKEN));
                let out = Out {
                    status: "ready",
                    daily: scheduled(&flex.view(), &entry),
                    next,
                    query,
                    query_id: entry.query_id.clone(),
                    query_name: Some(entry.query_name.clone()),
                    from_archive,
                    fetched_at: Some(Time(entry.added)),
                    as_of: Time(now),
                    ..Out::default()
                };
                shown(&ctx, *entry, out, (rows, form)).await
            }
        }
    }
}

/// An argument that says which rows, where no section is named whose rows it could be.
fn needs_section(args: &Args) -> Option<&'static str> {
    if args.section.is_some() {
        return None;
    }
    let is_of_rows = matches!(args.export.as_deref(), Some("csv" | "json"));
    // Days come last: of an imported statement they mean something without a section, too.
    [
        ("export", is_of_rows),
        ("columns", args.columns.is_some()),
        ("symbol", args.symbol.is_some()),
        ("account", args.account.is_some()),
        ("type", args.kind.is_some()),
        ("level", args.level.is_some()),
        ("limit", args.limit.is_some()),
        ("cursor", args.cursor.is_some()),
        ("from", args.from.is_some()),
        ("to", args.to.is_some()),
    ]
    .into_iter()
    .find_map(|(name, is_given)| is_given.then_some(name))
}

fn no_section(field: &'static str) -> Refusal {
    Refusal::argument(
        field,
        format!("{field} is about rows of one section, and no section is named."),
        "Name the section, too, e.g. Trades; without both the answer tells which sections there are. Questions about \
         days or symbols are for ask_flex.",
    )
}

/// The newest statement of a query of which there are only imported ones; of the days that are asked for, if
/// any are.
fn imported(view: &View, query: &str, asked: &section::Ask) -> Option<Entry> {
    if find(query, &view.queries).is_ok() {
        return None;
    }
    let names = QueryNames::of(&view.entries);
    let own = view.entries.iter().filter(|entry| names.is_imported_as(entry, query.trim()));
    let is_asked = |entry: &&Entry| {
        let days = entry.period;
        days.is_none_or(|days| {
            asked.from.is_none_or(|from| days.to >= from)
                && asked.to.is_none_or(|to| days.from <= to)
        })
    };
    let last = |entry: &&Entry| entry.period.map(|days| days.to);
    own.clone().filter(is_asked).max_by_key(last).or_else(|| own.max_by_key(last)).cloned()
}

async fn shown(
    ctx: &Ctx,
    entry: Entry,
    mut out: Out,
    (mut rows, form): (section::Ask, Option<Form>),
) -> Result<Out, Refusal> {
    let archive = ctx.desks.flex.view().archive.ok_or_else(words::away)?;
    let folder = ctx.desks.flex.exports().clone();
    rows.order = entry.date_order;
    off(move || {
        let read = || archive.read(&entry).map_err(|error| files::unreadable(&error));
        match form {
            Some(form) => {
                let (path, bytes) = export(&archive, &entry, &folder, form, &rows)?;
                (out.file, out.file_bytes) = (Some(path.display().to_string()), Some(bytes));
            }
            None if rows.section.is_empty() => {
                let summary = summary::of(read()?).map_err(|error| files::unreadable(&error))?;
                out.summary = serde_json::to_value(summary).ok();
            }
            None => {
                let page = section::page(read()?, &rows).map_err(|error| files::no_rows(&error))?;
                out.cursor = page.next;
                out.rows = serde_json::to_value(page).ok();
            }
        }
        Ok(out)
    })
    .await
}

/// What is asked for about daily runs: a time, none any more, or nothing.
fn daily(text: Option<&str>) -> Result<Option<Option<Daily>>, Refusal> {
    match text {
        None => Ok(None),
        Some(text) if text.eq_ignore_ascii_case("off") => Ok(Some(None)),
        Some(text) => Daily::parse(text).map(|daily| Some(Some(daily))).ok_or_else(|| {
            let message = format!("{text:?} is no time of day.");
            Refusal::argument("daily", message, "Give it as 06:15 (New York), or off.")
        }),
    }
}

fn is_remembered(view: &View, query: &str) -> bool {
    let id = find(query, &view.queries).ok();
    id.is_some_and(|id| view.queries.iter().any(|query| query.id == id))
}

fn scheduled(view: &View, entry: &Entry) -> Option<String> {
    let query = view.queries.iter().find(|query| is_of(entry, &query.id))?;
    query.daily.map(|daily| daily.to_string())
}

fn form(args: &Args) -> Result<Option<Form>, Refusal> {
    match &args.export {
        None => Ok((args.parse_xml == Some(false)).then_some(Form::Xml)),
        Some(text) => Form::parse(text).map(Some).ok_or_else(|| {
            Refusal::argument("export", format!("{text:?} is no form."), "Give xml, csv or json.")
        }),
    }
}

fn rows(args: &Args) -> Result<section::Ask, Refusal> {
    Ok(section::Ask {
        section: args.section.clone().unwrap_or_default(),
        symbol: args.symbol.clone(),
        account: args.account.clone(),
        from: day("from", args.from.as_deref())?,
        to: day("to", args.to.as_deref())?,
        kind: args.kind.clone(),
        level: args.level.clone(),
        columns: args.columns.clone().unwrap_or_default(),
        skip: args.cursor.unwrap_or(0) as u64,
        limit: args.limit.unwrap_or(ROWS).clamp(1, MAX_ROWS),
        ..section::Ask::default()
    })
}
