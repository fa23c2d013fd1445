//! `ask_flex`: answers a question from archived statements.

use ibd_flex::answers::{self, NoAnswer};
use ibd_flex::question::{Given, Question};
use ibd_protocol::Effect;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cell::Time;
use super::{Ctx, Tool, args};
use crate::flex::files::{day, off, unreadable};
use crate::flex::{self, words};
use crate::refusal::Refusal;

/// Rows of a table, if the call does not say.
const ROWS: usize = 50;
const MAX_ROWS: usize = 500;

/// What is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// In plain English.
    #[serde(deserialize_with = "args::text")]
    question: Option<String>,
    /// Only from this query, by number or name.
    #[serde(deserialize_with = "args::text")]
    query: Option<String>,
    /// The first day, e.g. 2026-01-01.
    #[serde(deserialize_with = "args::text")]
    from: Option<String>,
    /// The last day.
    #[serde(deserialize_with = "args::text")]
    to: Option<String>,
    /// A calendar year.
    #[serde(deserialize_with = "args::count")]
    year: Option<usize>,
    /// Only this account.
    #[serde(deserialize_with = "args::text")]
    account: Option<String>,
    /// Rows at most; 50 if left out.
    #[serde(deserialize_with = "args::count")]
    limit: Option<usize>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// The question as understood, the query and period it rests on, table, totals per currency and in
    /// base with the rates, what is not covered, and which box of the query's template to tick for more.
    answer: Value,
    /// When this was given.
    as_of: Time,
}

/// The tool.
#[derive(Debug)]
pub struct AskFlex;

impl Tool for AskFlex {
    const NAME: &'static str = "ask_flex";
    const TITLE: &'static str = "Ask statements";
    const ABOUT: &'static str = "Answers questions about the past from archived Flex statements: realised P&L, \
        dividends, withholding tax, fees and commissions, interest, deposits, trades, positions on a day, net asset \
        value over time; by symbol, country, year, month. Amounts per currency and in base. One topic a question. \
        Asks nothing of IBKR: run get_flex_query first for newer statements.";
    const EFFECT: Effect = Effect::Reads;
    const EXAMPLE: &'static str = r#"{"question":"dividends by country","year":2026}"#;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let Some(text) = args.question else {
            return Err(Refusal::argument(
                "question",
                "Nothing is asked.",
                format!("Ask about one of: {}.", ibd_flex::question::CAN),
            ));
        };
        let view = ctx.desks.flex.view();
        let year = args
            .year
            .map(i16::try_from)
            .transpose()
            .map_err(|_| Refusal::argument("year", "This is no year.", "Give it as 2026."))?;
        // A name that only imported statements have is looked for among them.
        let query = args.query.map(|query| match flex::find(&query, &view.queries) {
            Ok(id) => id.to_string(),
            Err(_) => query,
        });
        let given = Given {
            from: day("from", args.from.as_deref())?,
            to: day("to", args.to.as_deref())?,
            year,
            account: args.account,
            query,
        };
        let now = Timestamp::now();
        let today = now.to_zoned(TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC)).date();
        let question = Question::parse(&text, &given, today).map_err(|error| {
            Refusal::argument("question", format!("{error}."), "Ask in other words.")
        })?;
        let archive = view.archive.ok_or_else(words::away)?;
        let rows = args.limit.unwrap_or(ROWS).clamp(1, MAX_ROWS);
        let entries = view.entries;
        let answer = off(move || {
            answers::answer(&question, &entries, (|entry: &_| archive.read(entry), rows))
                .map_err(|error| no_answer(&error))
        })
        .await?;
        let answer = serde_json::to_value(answer).map_err(|error| unreadable(&error))?;
        Ok(Out { answer, as_of: Time(now) })
    }
}

fn no_answer(error: &NoAnswer) -> Refusal {
    let (code, next) = match error {
        NoAnswer::NoStatement(_) => (
            "flex_no_statement",
            "Run a query that covers it with get_flex_query (list_flex_queries shows which there are), then \
             ask again.",
        ),
        NoAnswer::NotTicked(_) => (
            "flex_not_ticked",
            "Ask the user to tick that in the query's template (Client Portal, Flex Queries), run \
             get_flex_query with refresh:true, and ask again.",
        ),
        NoAnswer::Statement { .. } | NoAnswer::Open { .. } => return unreadable(error),
    };
    Refusal::new(code, format!("{error}."), next)
}
