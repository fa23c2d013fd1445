//! `run_scanner`: IBKR's market scanner, by words.

use std::collections::BTreeMap;

use ibd_cpapi::id::Conid;
use ibd_cpapi::scanner::RunScanner as Run;
use ibd_cpapi::snapshot::Field;
use ibd_protocol::{Effect, ErrorCode, Toolset};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::args;
use super::cell::{Cell, Time};
use super::{Ctx, Tool};
use crate::contracts::hours;
use crate::market::{Freshness, Rows, Wanted, signs};
use crate::refusal::{Refusal, Unserved};
use crate::scanner::{Catalogue, Location, Named, Scan, catalogue};
use crate::session::Lease;

/// Rows of one answer unless the call asks for fewer or more.
const ROWS: usize = 10;
/// Rows that IBKR gives.
const MOST: usize = 50;
/// Candidates that are shown.
const SHOWN: usize = 20;
/// Where is scanned unless a place is named.
const HOME: &str = "STK.US.MAJOR";

/// What to scan for.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// A scan's code, TOP_PERC_GAIN, or words of its name: gainers.
    #[serde(alias = "query", deserialize_with = "args::text")]
    scan: Option<String>,
    /// A place's code, STK.EU.IBIS, or words: Germany, NASDAQ. The United States if left out.
    #[serde(deserialize_with = "args::text")]
    location: Option<String>,
    /// By code, for instance {"priceAbove": 5}.
    filters: Option<BTreeMap<String, Value>>,
    /// Rows at most, up to 50; 10 if left out.
    #[serde(deserialize_with = "args::count")]
    limit: Option<usize>,
}

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// The scan, as IBKR calls it.
    scan: String,
    /// Where, as IBKR calls it.
    location: String,
    /// What the column value is.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    /// Column names.
    cols: [&'static str; 9],
    /// One row a contract, the best first; null where there is no value.
    rows: Vec<[Cell; 9]>,
    /// Contracts that IBKR found; at most 50.
    total: usize,
    /// Rows, or quotes, that could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_read: Vec<String>,
    /// When the oldest part of this was given.
    as_of: Time,
}

const COLS: [&str; 9] =
    ["symbol", "conid", "name", "exchange", "value", "last", "changePct", "volume", "data"];

/// The tool.
#[derive(Debug)]
pub struct RunScanner;

impl Tool for RunScanner {
    const NAME: &'static str = "run_scanner";
    const TITLE: &'static str = "Market scanner";
    const ABOUT: &'static str = "Find contracts by what their market does: gainers, losers, most active, dividend \
        yield and IBKR's other scans, in a country or at an exchange, with quotes.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Market;
    const EXAMPLE: &'static str = r#"{"scan":"gainers","filters":{"priceAbove":5},"limit":5}"#;
    const ANSWER: usize = 1_000;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let limit = args.limit.unwrap_or(ROWS).min(MOST);
        let (args, ctx_) = (&args, &ctx);
        ctx.serve(|lease| async move { answer(&lease, ctx_, args, limit).await }).await
    }
}

async fn answer(lease: &Lease, ctx: &Ctx, args: &Args, limit: usize) -> Result<Out, Unserved> {
    let catalogue = catalogue(lease, &ctx.desks.store, ctx.deadline).await?;
    let location = location(&catalogue, args.location.as_deref())?;
    let scan = scan(&catalogue, args.scan.as_deref(), location)?;
    let request = Run {
        instrument: location.instrument.clone(),
        scan: scan.named.code.clone(),
        location: location.named.code.clone(),
        filters: filters(&catalogue, args.filters.as_ref())?,
    };
    let found = lease.client().ask(&request, ctx.deadline).await?;
    let (column, (contracts, unread)) =
        (found.value.column.clone(), found.value.contracts.into_parts());
    let total = contracts.len();
    let wanted: Vec<Wanted> = contracts
        .iter()
        .take(limit)
        .map(|found| Wanted { conid: found.conid, is_option: false })
        .collect();
    let mut not_read: Vec<String> = unread.iter().map(ToString::to_string).collect();
    let conids: Vec<Conid> = wanted.iter().map(|one| one.conid).collect();
    let (quotes, markets) = tokio::join!(
        ctx.desks.market.quotes(lease, &wanted, Freshness::Streamed, ctx.deadline),
        hours::open_now_of(lease, &ctx.desks.store, &conids, ctx.deadline),
    );
    let quotes = match quotes {
        Err(failure) if failure.casts_doubt() => return Err(failure.into()),
        // What was found is worth knowing without its quotes.
        Err(failure) => {
            not_read.push(format!("quotes: {failure}"));
            Rows::default()
        }
        Ok(quotes) => quotes,
    };
    let clean = |text: &String| ibd_cpapi::failure::clean(text);
    let rows = contracts.iter().take(limit).map(|found| {
        let quote = quotes.quote(found.conid, signs(found.sec_type.as_ref()));
        let conid: Conid = found.conid;
        [
            Cell::text(found.symbol.as_ref().map(clean)),
            Cell::number(Some(conid.get().into()), 0),
            Cell::text(found.name.as_ref().map(clean)),
            Cell::text(found.exchange.as_ref().map(clean)),
            Cell::text(found.value.as_ref().map(clean)),
            Cell::number(quote.last, 8),
            Cell::number(quote.number(Field::ChangePercent), 2),
            Cell::number(quote.number(Field::Volume), 0),
            Cell::text(Some(quote.data.in_market(markets.get(&conid).copied()).as_str())),
        ]
    });
    Ok(Out {
        scan: told(&scan.named),
        location: told(&location.named),
        value: column.as_ref().map(clean),
        cols: COLS,
        rows: rows.collect(),
        total,
        not_read,
        as_of: Time(quotes.as_of.map_or(found.at, |at| at.min(found.at))),
    })
}

fn told(named: &Named) -> String {
    format!("{} ({})", named.name, named.code)
}

fn location<'c>(catalogue: &'c Catalogue, words: Option<&str>) -> Result<&'c Location, Refusal> {
    let found = catalogue.locations_named(words.unwrap_or(HOME));
    // Of a country with several places the one with all of its exchanges.
    let major = found.iter().find(|place| place.named.code.ends_with(".MAJOR"));
    match (found.as_slice(), major) {
        ([only], _) => Ok(only),
        (_, Some(major)) => Ok(major),
        ([], None) => Err(none("location", words, catalogue.locations.iter().map(|l| &l.named))),
        (several, None) => {
            Err(ambiguous("location", words, several.iter().map(|place| &place.named)))
        }
    }
}

fn scan<'c>(
    catalogue: &'c Catalogue,
    words: Option<&str>,
    location: &Location,
) -> Result<&'c Scan, Refusal> {
    let is_there = |scan: &&Scan| {
        scan.instruments.is_empty() || scan.instruments.contains(&location.instrument)
    };
    let here = catalogue.scans.iter().filter(is_there);
    let Some(words) = words else {
        return Err(none("scan", None, here.map(|scan| &scan.named)));
    };
    let found: Vec<&Scan> = catalogue.scans_named(words);
    let fitting: Vec<&Scan> = found.iter().copied().filter(|scan| is_there(scan)).collect();
    match (fitting.as_slice(), found.as_slice()) {
        ([only], _) => Ok(only),
        ([], [only, ..]) => Err(Refusal::argument(
            "scan",
            format!("{} is not for {}.", told(&only.named), told(&location.named)),
            "Use another scan, or another location.",
        )),
        ([], []) => Err(none("scan", Some(words), here.map(|scan| &scan.named))),
        (several, _) => Err(ambiguous("scan", Some(words), several.iter().map(|scan| &scan.named))),
    }
}

fn filters(
    catalogue: &Catalogue,
    asked: Option<&BTreeMap<String, Value>>,
) -> Result<Vec<(String, Value)>, Refusal> {
    let known = |(code, value): (&String, &Value)| {
        let filter = catalogue.filter(code).ok_or_else(|| {
            let mut likely: Vec<&Named> = catalogue.filters.iter().collect();
            let unlike = |filter: &&Named| {
                let likeness =
                    strsim::jaro_winkler(&filter.code.to_lowercase(), &code.to_lowercase());
                ((1.0 - likeness) * 1_000.0) as u32
            };
            likely.sort_by_key(unlike);
            let message = format!("IBKR's scanner has no filter {code:?}.");
            Refusal::argument("filters", message, "Use the code of a candidate.")
                .or(likely.into_iter().take(SHOWN).map(told))
        })?;
        if value.is_number() || value.is_string() {
            Ok((filter.code.clone(), value.clone()))
        } else {
            let message = format!("{code} is neither a number nor text.");
            Err(Refusal::argument("filters", message, "Write it as {\"priceAbove\": 5}."))
        }
    };
    asked.into_iter().flatten().map(known).collect()
}

fn none<'c>(field: &str, words: Option<&str>, all: impl Iterator<Item = &'c Named>) -> Refusal {
    let message = match words {
        Some(words) => format!("IBKR's scanner has no {field} called {words:?}."),
        None => format!("No {field} is given."),
    };
    Refusal::argument(field, message, "Use a candidate's code, or words of its name.")
        .or(all.take(SHOWN).map(told))
}

fn ambiguous<'c>(
    field: &str,
    words: Option<&str>,
    several: impl Iterator<Item = &'c Named>,
) -> Refusal {
    Refusal::new(
        ErrorCode::InvalidArgument,
        format!("{:?} fits several.", words.unwrap_or_default()),
        "Repeat the call with the code of a candidate.",
    )
    .at(field)
    .or(several.take(SHOWN).map(told))
}
