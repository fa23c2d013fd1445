//! `forget_flex_query`: removes a query from memory, and its statements if asked.

use ibd_protocol::{Effect, Toolset};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::args::{self, Confirm};
use super::{Ctx, Tool};
use crate::flex::Statements;
use crate::refusal::Refusal;

/// Which.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// Number of the query, or its name.
    #[serde(deserialize_with = "args::text")]
    query_id: Option<String>,
    /// true: its archived statements are removed too.
    #[serde(deserialize_with = "args::yes_no")]
    statements: Option<bool>,
    #[schemars(skip)]
    #[allow(dead_code)]
    confirm: Confirm,
}

/// What was forgotten.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// Always true.
    success: bool,
    /// One sentence.
    message: String,
    /// The query's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    query_id: Option<String>,
    /// Statements that were removed.
    statements_removed: usize,
}

/// The tool.
#[derive(Debug)]
pub struct ForgetFlexQuery;

impl Tool for ForgetFlexQuery {
    const NAME: &'static str = "forget_flex_query";
    const TITLE: &'static str = "Forget a Flex query";
    const ABOUT: &'static str = "Forgets a remembered Flex Query, by number or name. With statements:true \
        its archived statements are removed from disk too. Nothing changes at IBKR.";
    const EFFECT: Effect = Effect::Forgets;
    const SET: Toolset = Toolset::Flex;
    const EXAMPLE: &'static str = r#"{"queryId":"Activity"}"#;
    const ANSWER: usize = 400;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let Some(query) = args.query_id else {
            return Err(Refusal::argument(
                "queryId",
                "No query is named.",
                "Give its number or name; list_flex_queries shows which are known.",
            ));
        };
        let statements = match args.statements {
            Some(true) => Statements::Removed,
            _ => Statements::Kept,
        };
        let gone = ctx.desks.flex.forget(query, statements).await?;
        Ok(Out {
            success: true,
            message: match &gone.id {
                Some(id) => format!("Query {:?} ({id}) has been forgotten", gone.name),
                None => format!("The imported statements of {:?} have been removed", gone.name),
            },
            query_id: gone.id.map(|id| id.to_string()),
            statements_removed: gone.statements,
        })
    }
}
