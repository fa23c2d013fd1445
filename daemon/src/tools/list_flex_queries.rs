//! `list_flex_queries`: which Flex queries are remembered, and what of each is archived.

use ibd_flex::archive::{Usage, describe};
use ibd_protocol::{Effect, Toolset};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::args::Confirm;
use super::cell::Time;
use super::{Ctx, Tool};
use crate::flex::files::off;
use crate::flex::{Listed, listed, words};
use crate::refusal::Refusal;

/// Nothing is needed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    #[schemars(skip)]
    #[allow(dead_code)]
    confirm: Confirm,
}

/// The queries.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// How many.
    count: usize,
    /// Each.
    queries: Vec<One>,
    /// Where the statements are.
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_location: Option<String>,
    /// Statements in the archive.
    statements: u64,
    /// Bytes of disk that they take; `ibctl flex prune` removes old ones.
    bytes: u64,
    /// What to do first, if there is anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// When this was given.
    as_of: Time,
}

/// A query.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct One {
    /// Its name.
    name: String,
    /// Its number; absent where statements were only imported from files.
    #[serde(skip_serializing_if = "Option::is_none")]
    query_id: Option<String>,
    /// When it was first run.
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<Time>,
    /// When it last gave a statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used: Option<Time>,
    /// Its archived statements.
    statements: usize,
    /// Which days they cover and which are missing.
    coverage: String,
    /// When it is run by itself every day, in New York.
    #[serde(skip_serializing_if = "Option::is_none")]
    daily: Option<String>,
    /// What a run under way is doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    running: Option<String>,
}

/// The tool.
#[derive(Debug)]
pub struct ListFlexQueries;

impl Tool for ListFlexQueries {
    const NAME: &'static str = "list_flex_queries";
    const TITLE: &'static str = "Flex queries";
    const ABOUT: &'static str = "The Flex Queries that are remembered or imported: name, number, when \
        each last gave a statement, and which days its archived statements cover. IBKR has no list of \
        queries: one that never ran here is run by its number with get_flex_query.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Flex;
    const EXAMPLE: &'static str = "{}";
    const ANSWER: usize = 700;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, _: Args) -> Result<Out, Refusal> {
        let flex = &ctx.desks.flex;
        let view = flex.view();
        let usage = match view.archive.clone() {
            None => Usage::default(),
            Some(archive) => {
                off(move || archive.usage().map_err(|error| words::not_stored(&error.to_string())))
                    .await?
            }
        };
        let has_token = flex.access().await.is_some();
        let queries: Vec<One> = listed(&view).into_iter().map(One::from).collect();
        Ok(Out {
            count: queries.len(),
            queries,
            storage_location: view.archive.map(|archive| archive.folder().display().to_string()),
            statements: usage.files,
            bytes: usage.bytes,
            next: if has_token {
                flex.expiring(Timestamp::now()).map(|text| format!("{text} {}", words::GET_A_TOKEN))
            } else {
                Some(format!("No token is configured. {}", words::GET_A_TOKEN))
            },
            as_of: Time(Timestamp::now()),
        })
    }
}

impl From<Listed> for One {
    fn from(listed: Listed) -> Self {
        Self {
            coverage: describe(&listed.coverage),
            name: listed.name,
            query_id: listed.id,
            created_at: listed.created.map(Time),
            last_used: listed.last_used.map(Time),
            statements: listed.statements,
            daily: listed.daily,
            running: listed.running,
        }
    }
}
