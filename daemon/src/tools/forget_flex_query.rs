//! `forget_flex_query`: removes a query from memory, and its statements if asked.

use ibd_protocol::Effect;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ctx, Tool, args};
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
    /// Not needed.
    #[serde(deserialize_with = "args::yes_no")]
    confirm: Option<bool>,
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
    query_id: String,
    /// Statements that were removed.
    statements_removed: usize,
}

/// The tool.
#[derive(Debug)]
pub struct ForgetFlexQuery;

impl Tool for ForgetFlexQuery {
    const NAME: &'static str = "forget_flex_query";
    const TITLE: &'static str = "Forget a Flex query";
    const ABOUT: &'static str = "Forgets a remembered Flex Query, by number or name. With statements:true its \
        archived statements are removed from disk too. Nothing changes at IBKR: the query can be run again by its \
        number.";
    const EFFECT: Effect = Effect::Forgets;
    const EXAMPLE: &'static str = r#"{"queryId":"Activity"}"#;
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
        let gone = ctx.desks.flex.forget(query, args.statements == Some(true)).await?;
        Ok(Out {
            success: true,
            message: format!("Query {:?} ({}) has been forgotten", gone.query.name, gone.query.id),
            query_id: gone.query.id.to_string(),
            statements_removed: gone.statements,
        })
    }
}
