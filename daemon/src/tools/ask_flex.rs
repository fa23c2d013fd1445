//! `ask_flex`: answers a question from archived statements.

use std::borrow::Cow;

use ibd_flex::answers::{self, NoAnswer};
use ibd_flex::question::{About, By, DatedBy, Given, Question, Side, Sort};
use ibd_protocol::{Effect, ErrorCode, Toolset};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
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

/// In which order rows can come.
const SORTS: [(&str, Sort); 4] = [
    ("largest", Sort::Largest),
    ("smallest", Sort::Smallest),
    ("newest", Sort::Newest),
    ("oldest", Sort::Oldest),
];
/// The dates of a row.
const DATES: [(&str, DatedBy); 3] = [
    ("reportDate", DatedBy::Report),
    ("settleDate", DatedBy::Settle),
    ("tradeDate", DatedBy::Trade),
];

/// A grouping, for the schema.
struct ByName;

impl JsonSchema for ByName {
    fn schema_name() -> Cow<'static, str> {
        "ByName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": By::ALL.map(By::name) })
    }
}

/// What is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// What is asked about; with the arguments below better than question.
    #[serde(deserialize_with = "args::text")]
    #[schemars(extend("enum" = About::ALL.map(|(name, _)| name)))]
    topic: Option<String>,
    /// Instead of topic: a short text in plain English.
    #[serde(deserialize_with = "args::text")]
    question: Option<String>,
    /// Symbol (BRK B), ISIN, or how the company's name begins.
    #[serde(deserialize_with = "args::text")]
    symbol: Option<String>,
    /// Instead of symbol.
    #[serde(deserialize_with = "args::text")]
    conid: Option<String>,
    /// true: with the symbol also its options.
    #[serde(deserialize_with = "args::yes_no")]
    #[schemars(with = "Option<bool>")]
    options: Option<bool>,
    /// What amounts are grouped by.
    #[serde(deserialize_with = "args::texts")]
    #[schemars(with = "Option<Vec<ByName>>")]
    by: Option<Vec<String>>,
    /// Only of this issuer's country: US.
    #[serde(deserialize_with = "args::text")]
    country: Option<String>,
    /// Of trades and what comes of them.
    #[serde(deserialize_with = "args::text")]
    #[schemars(extend("enum" = ["BUY", "SELL"]))]
    side: Option<String>,
    /// smallest: the greatest losses first. With limit the first ones.
    #[serde(deserialize_with = "args::text")]
    #[schemars(extend("enum" = SORTS.map(|(name, _)| name)))]
    sort: Option<String>,
    /// Only from this query; all: from all together.
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
    /// The date by which a row counts, where the usual one is not meant.
    #[serde(deserialize_with = "args::text")]
    #[schemars(extend("enum" = DATES.map(|(name, _)| name)))]
    date: Option<String>,
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
        dividends, tax, fees, interest, deposits, trades, positions on a day, net asset value over time, performance. \
        One topic a call; the other arguments say the rest. Amounts per currency and in base. Asks nothing of IBKR: \
        run get_flex_query first for newer statements.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Flex;
    const EXAMPLE: &'static str = r#"{"topic":"dividends","by":["country"],"year":2026}"#;
    const ANSWER: usize = 2_500;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let view = ctx.desks.flex.view();
        // A name that only imported statements have is looked for among them.
        let query = args.query.clone().map(|query| match flex::find(&query, &view.queries) {
            Ok(id) => id.to_string(),
            Err(_) => query,
        });
        let given = Given { query, ..args.given()? };
        let now = Timestamp::now();
        let today = now.to_zoned(TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC)).date();
        let question = args.question(&given, today)?;
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

impl Args {
    /// What is asked: by topic, or by a text that is understood to its last word.
    fn question(&self, given: &Given, today: Date) -> Result<Question, Refusal> {
        let next = || {
            format!(
                "{} Of now get_account_info, get_positions, get_trades and get_market_data tell.",
                topics()
            )
        };
        let (field, question) = match (&self.topic, &self.question) {
            (Some(topic), None) => {
                let about = named(topic, About::ALL).or_else(|| named(topic, About::ALSO));
                let about = about.ok_or_else(|| {
                    Refusal::argument("topic", format!("{topic:?} is no topic."), topics())
                })?;
                ("topic", Question::of(about, given, today))
            }
            (None, Some(text)) => ("question", Question::parse(text, given, today)),
            (Some(_), Some(_)) => {
                return Err(Refusal::argument(
                    "question",
                    "Both topic and question are given.",
                    "Give topic with the other arguments, and leave out question.",
                ));
            }
            (None, None) => {
                return Err(Refusal::argument("topic", "Nothing is asked.", topics()));
            }
        };
        let question =
            question.map_err(|error| Refusal::argument(field, format!("{error}."), next()))?;
        if question.ignored.is_empty() {
            Ok(question)
        } else {
            Err(Refusal::argument(
                "question",
                format!(
                    "These words were not understood: {}. Without them it would be another question: {}.",
                    question.ignored.join(", "),
                    question.restated()
                ),
                "Say it with arguments: topic, symbol or conid (with options), by, country, side, account, from, to, \
                 date, sort and limit.",
            ))
        }
    }

    fn given(&self) -> Result<Given, Refusal> {
        let year = self
            .year
            .map(i16::try_from)
            .transpose()
            .map_err(|_| Refusal::argument("year", "This is no year.", "Give it as 2026."))?;
        for (field, day) in
            [("from", day("from", self.from.as_deref())?), ("to", day("to", self.to.as_deref())?)]
        {
            if let (Some(year), Some(day)) = (year, day)
                && day.year() != year
            {
                return Err(Refusal::argument(
                    field,
                    format!("year says {year}, and {field} says {day}."),
                    "Leave out year, or give days of it.",
                ));
            }
        }
        let symbol = match (&self.symbol, &self.conid) {
            (Some(_), Some(_)) => {
                return Err(Refusal::argument(
                    "conid",
                    "Both symbol and conid are given.",
                    "Give one of them.",
                ));
            }
            (symbol, conid) => symbol.clone().or_else(|| conid.clone()),
        };
        let by = self.by.iter().flatten().map(|word| {
            let all = By::ALL.map(|by| (by.name(), by));
            named(word, all).ok_or_else(|| {
                let next = format!("Give one of {}.", all.map(|(name, _)| name).join(", "));
                Refusal::argument("by", format!("Nothing is grouped by {word:?}."), next)
            })
        });
        let country = self.country.as_deref().map(|text| {
            let is_code = text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic());
            // As people write it, and as ISO 3166 does.
            let code = match text.to_uppercase().as_str() {
                "UK" => "GB".to_owned(),
                code => code.to_owned(),
            };
            is_code.then_some(code).ok_or_else(|| {
                let message = format!("{text:?} is no country's code.");
                Refusal::argument(
                    "country",
                    message,
                    "Give its two letters, for instance US or CH.",
                )
            })
        });
        Ok(Given {
            from: day("from", self.from.as_deref())?,
            to: day("to", self.to.as_deref())?,
            year,
            account: self.account.clone(),
            query: None,
            symbol,
            options: self.options.unwrap_or(false),
            by: by.collect::<Result<_, _>>()?,
            country: country.transpose()?,
            side: one_of("side", self.side.as_deref(), [("BUY", Side::Buy), ("SELL", Side::Sell)])?,
            sort: one_of("sort", self.sort.as_deref(), SORTS)?,
            dated_by: one_of("date", self.date.as_deref(), DATES)?,
        })
    }
}

fn topics() -> String {
    format!("Give topic as one of {}.", About::ALL.map(|(name, _)| name).join(", "))
}

/// What a word names, in whatever case and with or without what parts it.
fn named<T: Copy, const N: usize>(word: &str, all: [(&str, T); N]) -> Option<T> {
    let plain = |text: &str| text.replace(['_', '-', ' '], "").to_lowercase();
    all.into_iter().find(|(name, _)| plain(name) == plain(word)).map(|(_, what)| what)
}

fn one_of<T: Copy, const N: usize>(
    field: &str,
    word: Option<&str>,
    all: [(&str, T); N],
) -> Result<Option<T>, Refusal> {
    let Some(word) = word else { return Ok(None) };
    named(word, all).map(Some).ok_or_else(|| {
        let next = format!("Give one of {}.", all.map(|(name, _)| name).join(", "));
        Refusal::argument(field, format!("{word:?} is none of what {field} can be."), next)
    })
}

fn no_answer(error: &NoAnswer) -> Refusal {
    let (code, next) = match error {
        NoAnswer::NoStatement(_) => (
            ErrorCode::FlexNoStatement,
            "Run a query that covers it with get_flex_query (list_flex_queries shows which there are), then \
             ask again. Statements end with the last day: of today get_account_info and get_trades tell.",
        ),
        NoAnswer::NotTicked(_) => (
            ErrorCode::FlexNotTicked,
            "Ask the user to tick that in the query's template (Client Portal, Flex Queries), run \
             get_flex_query with refresh:true, and ask again.",
        ),
        NoAnswer::NoSymbol { .. } => (
            ErrorCode::FlexNoSymbol,
            "Use one of those that there are, or a longer period; without symbol it is of everything.",
        ),
        NoAnswer::Statement { .. } | NoAnswer::Open { .. } => return unreadable(error),
    };
    Refusal::new(code, format!("{error}."), next)
}
