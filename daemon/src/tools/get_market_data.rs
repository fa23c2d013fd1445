//! `get_market_data`: quotes of one or many contracts, warmed up and decoded.

mod fields;
mod quote;
mod table;
mod unit;

use ibd_cpapi::contracts::SecType;
use ibd_cpapi::id::Conid;
use ibd_protocol::{Effect, ErrorCode, Toolset};
use jiff::Timestamp;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::args;
use super::cell::{Cell, Num, Time};
use super::instrument::Instrument;
use super::{Ctx, Tool};
use crate::contracts::find::{not_known, unknown_conid, unless_unread};
use crate::contracts::hours;
use crate::contracts::{self, Candidate, Contract, Given, Listed, candidates};
use crate::market::{self, Freshness, Wanted};
use crate::refusal::Refusal;
use fields::Asked;
use quote::Quote;
use table::{MANY, Table};
use unit::Unit;

/// Contracts of one call.
const MAX: usize = 100;

/// Which contracts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// AAPL or EUR.USD. Give one of symbol, symbols, conid, conids.
    #[serde(deserialize_with = "args::text")]
    symbol: Option<String>,
    /// Up to 100 symbols.
    #[serde(deserialize_with = "args::texts")]
    symbols: Option<Vec<String>>,
    /// From search_contracts or get_positions.
    #[serde(deserialize_with = "args::conid")]
    #[schemars(with = "Option<u32>")]
    conid: Option<Conid>,
    /// Up to 100 conids.
    #[serde(deserialize_with = "args::conids")]
    #[schemars(with = "Option<Vec<u32>>")]
    conids: Option<Vec<Conid>>,
    /// The listing exchange of the symbols; of a conid it must be its own. Of an option on a future: CME, CBOT, …
    #[serde(deserialize_with = "args::text")]
    exchange: Option<String>,
    /// What to tell besides: open, high, low, priorClose, bidSize, yearHigh, marketCap, priceEarnings, dividendYield,
    /// exDividend, averageVolume, shortable, openInterest, …
    #[serde(deserialize_with = "args::texts")]
    fields: Option<Vec<String>>,
    /// Of symbol's option or future: 2027-01-15 or JAN27.
    #[serde(deserialize_with = "args::text")]
    expiry: Option<String>,
    /// Of the option.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    strike: Option<Decimal>,
    /// Of the option.
    #[serde(deserialize_with = "args::text")]
    #[schemars(extend("enum" = ["C", "P"]))]
    right: Option<String>,
}

impl Args {
    fn instrument(self) -> Instrument {
        Instrument {
            conid: self.conid,
            symbol: self.symbol,
            exchange: self.exchange,
            expiry: self.expiry,
            strike: self.strike,
            right: self.right,
            ..Instrument::default()
        }
    }
}

/// The quotes.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// One entry a contract; of more than five there are cols and rows instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<Quote>>")]
    quotes: Option<Vec<Map<String, Value>>>,
    /// What is the same of all rows: data, currency, market.
    #[serde(skip_serializing_if = "Map::is_empty")]
    shared: Map<String, Value>,
    /// Column names, those of an entry; a column that no row has is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    cols: Option<Vec<String>>,
    /// One row a contract; null where there is no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<Vec<Cell>>>")]
    rows: Option<Vec<Vec<Value>>>,
    /// Of rows: why a value that one would expect is absent, by conid.
    #[serde(skip_serializing_if = "Map::is_empty")]
    missing: Map<String, Value>,
    /// Symbols and conids that could not be quoted, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Problem>,
    /// To be read first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// When the quote that was heard of longest ago was last confirmed.
    as_of: Time,
}

/// What could not be quoted.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The symbol or conid as given.
    given: String,
    /// Why not.
    message: String,
    /// What may have been meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<Candidate>")]
    candidates: Vec<Value>,
}

/// The tool.
#[derive(Debug)]
pub struct GetMarketData;

impl Tool for GetMarketData {
    const NAME: &'static str = "get_market_data";
    const TITLE: &'static str = "Quotes";
    const ABOUT: &'static str = "Current quotes of up to 100 contracts in one call: last, bid, ask, \
        change, volume, and greeks of options. Each says which listing it is, whether it is live or \
        delayed, and why a value is missing. A symbol means the United States' listing unless exchange \
        is given.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Market;
    const EXAMPLE: &'static str = r#"{"symbols":["AAPL","MSFT"]}"#;
    const ANSWER: usize = 1_100;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let fields = Asked::of(args.fields.as_deref())?;
        let wanted = Meant::from(args)?;
        ctx.lease().await?;
        let (contracts, problems) = wanted.resolve(&ctx).await?;
        let wanted: Vec<Wanted> = contracts.iter().map(to_quote).collect();
        let (wanted, deadline) = (wanted.as_slice(), ctx.deadline);
        let lines = &ctx.desks.market;
        let steps = contracts.len() as u32 + 1;
        ctx.tell(steps, Some(steps + 1), "waiting for quotes");
        let (rules, store) = (&ctx.desks.rules, &ctx.desks.store);
        let known = contracts.as_slice();
        let more = &fields.more();
        let asked_more = known.iter().map(|contract| contract.conid).filter(|_| !more.is_empty());
        let asked_more = &asked_more.collect::<Vec<Conid>>();
        let (found, mut units, hours, portraits) = ctx
            .read(|lease| async move {
                lines
                    .underlyings()
                    .prepare(&lease, known.iter().filter_map(underlying), deadline)
                    .await?;
                let (found, units, hours, portraits) = tokio::join!(
                    lines.quotes(&lease, wanted, Freshness::Streamed, deadline),
                    unit::units(rules, &lease, known, deadline),
                    hours::of_each(&lease, store, known, deadline),
                    lines.portraits(&lease, asked_more, more, deadline),
                );
                // What is told besides is said to be missing, and hides no price.
                Ok((found?, units, hours, portraits.unwrap_or_default()))
            })
            .await?;
        let warnings = contracts.iter().filter_map(untradable).collect();
        let now = Timestamp::now();
        let quotes = contracts.into_iter().zip(hours).map(|(contract, hours)| {
            let unit = units.remove(&contract.conid).unwrap_or(Unit::Whole);
            let conid = contract.conid;
            let quote = found.quote(conid, market::signs(contract.sec_type.as_ref()));
            let told = Quote::new(contract, &quote, unit, hours.as_ref(), now);
            let Ok(Value::Object(mut told)) = serde_json::to_value(told) else { return Map::new() };
            fields.add(portraits.get(&conid), &mut told);
            told
        });
        let as_of = found.as_of.map_or_else(Time::now, Time);
        Ok(Out { problems, warnings, as_of, ..Out::of(quotes.collect(), &fields) })
    }
}

impl Out {
    /// Quotes one by one, or many as a table.
    fn of(mut quotes: Vec<Map<String, Value>>, fields: &Asked) -> Self {
        let mut out = Self::default();
        if quotes.len() <= MANY {
            out.quotes = Some(quotes);
            return out;
        }
        for quote in &mut quotes {
            let conid = quote.get("conid").map(Value::to_string);
            if let (Some(conid), Some(missing)) = (conid, quote.remove("missing")) {
                out.missing.insert(conid, missing);
            }
        }
        let table = Table::of(&quotes, fields.names());
        (out.shared, out.cols, out.rows) = (table.shared, Some(table.cols), Some(table.rows));
        out
    }
}

/// An index looks like what is traded on it.
fn untradable(contract: &Contract) -> Option<String> {
    let symbol = contract.symbol.as_ref().filter(|_| contract.sec_type == Some(SecType::Index))?;
    Some(format!(
        "{symbol} is an index here, which cannot be traded itself. Futures on it may go by another symbol: \
         search_contracts with secType FUT; with expiry a quote is the future's."
    ))
}

fn to_quote(contract: &Contract) -> Wanted {
    let is_option = contract.sec_type.as_ref().is_some_and(SecType::is_option);
    Wanted { conid: contract.conid, is_option }
}

/// The symbol that a contract is written on.
fn underlying(contract: &Contract) -> Option<String> {
    let is_derived = contract.sec_type.as_ref().is_some_and(SecType::is_derivative);
    contract.symbol.clone().filter(|_| is_derived)
}

/// What a call asks for, in one of its forms.
enum Meant {
    One(Box<Instrument>),
    Symbols { symbols: Vec<String>, exchange: Option<String> },
    Conids { conids: Vec<Conid>, exchange: Option<String> },
}

impl Meant {
    fn from(args: Args) -> Result<Self, Refusal> {
        let exchange = args.exchange.as_ref().map(|text| text.to_uppercase());
        let asked = match (&args.symbol, &args.symbols, args.conid, &args.conids) {
            (Some(_), None, None, None) | (None, None, Some(_), None) => {
                return Ok(Self::One(Box::new(args.instrument())));
            }
            (None, Some(symbols), None, None) => {
                Self::Symbols { symbols: symbols.clone(), exchange }
            }
            (None, None, None, Some(conids)) => Self::Conids { conids: conids.clone(), exchange },
            _ => {
                return Err(Refusal::argument(
                    "symbol",
                    "Exactly one of symbol, symbols, conid and conids is needed.",
                    "Symbols such as AAPL or EUR.USD; conids from search_contracts.",
                ));
            }
        };
        // What is said of one instrument says nothing of several.
        if let Some(field) = args.instrument().part() {
            return Err(Refusal::argument(
                field,
                format!("{field} goes with one symbol, not with several."),
                "Ask for one option or future at a time, or give conids.",
            ));
        }
        let count = match &asked {
            Self::One(_) => 1,
            Self::Symbols { symbols, .. } => symbols.len(),
            Self::Conids { conids, .. } => conids.len(),
        };
        if count <= MAX {
            Ok(asked)
        } else {
            Err(Refusal::argument(
                if matches!(asked, Self::Conids { .. }) { "conids" } else { "symbols" },
                format!("{count} contracts were asked for; at most {MAX} fit one call."),
                "Split the list into several calls.",
            ))
        }
    }

    /// The contracts that are meant, each once, and what could not be made out. A call for a single
    /// symbol fails with that as its error.
    async fn resolve(&self, ctx: &Ctx) -> Result<(Vec<Contract>, Vec<Problem>), Refusal> {
        let (mut contracts, mut problems) = (Vec::new(), Vec::new());
        match self {
            Self::Symbols { symbols, exchange } => {
                for (done, symbol) in symbols.iter().enumerate() {
                    ctx.tell(done as u32, Some(symbols.len() as u32 + 2), "finding contracts");
                    let instrument = Instrument {
                        symbol: Some(symbol.clone()),
                        exchange: exchange.clone(),
                        ..Instrument::default()
                    };
                    match instrument.find(ctx).await {
                        Ok(contract) => contracts.push(contract),
                        Err(refusal) if is_of_symbol(&refusal) => problems.push(Problem {
                            given: symbol.clone(),
                            message: refusal.message,
                            candidates: refusal.candidates,
                        }),
                        Err(refusal) => return Err(refusal),
                    }
                }
            }
            Self::One(instrument) => {
                ctx.tell(0, Some(3), "finding the contract");
                contracts.push(instrument.find(ctx).await?);
            }
            Self::Conids { conids, exchange } => {
                let found = by_conids(ctx, conids, &mut problems).await?;
                contracts = agreeing(found, exchange.as_deref(), conids.len(), &mut problems)?;
            }
        }
        let mut seen = std::collections::HashSet::new();
        contracts.retain(|contract| seen.insert(contract.conid));
        Ok((contracts, problems))
    }
}

/// Whether a refusal is about this one symbol, so that the others of the call can be quoted all the same.
fn is_of_symbol(refusal: &Refusal) -> bool {
    match refusal.error {
        ErrorCode::AmbiguousSymbol | ErrorCode::UnknownSymbol | ErrorCode::Contradiction => true,
        // A row of it could not be read; where nothing could be, no argument is named.
        ErrorCode::GatewayGarbled => refusal.field.is_some(),
        _ => false,
    }
}

async fn by_conids(
    ctx: &Ctx,
    conids: &[Conid],
    problems: &mut Vec<Problem>,
) -> Result<Vec<Contract>, Refusal> {
    let (store, deadline) = (&ctx.desks.store, ctx.deadline);
    let found = ctx
        .read(|lease| async move { contracts::looked_up(&lease, store, conids, deadline).await })
        .await?;
    let Listed { contracts: found, unread } = found;
    let unknown: Vec<&Conid> =
        conids.iter().filter(|conid| !found.iter().any(|c| c.conid == **conid)).collect();
    if let ([only], true) = (unknown.as_slice(), conids.len() == 1) {
        return Err(unless_unread(unknown_conid(**only), unread));
    }
    problems.extend(unknown.into_iter().map(|conid| Problem {
        given: conid.to_string(),
        message: match &unread {
            Some(unread) => not_known(unread).message,
            None => "IBKR knows no contract with this conid.".to_owned(),
        },
        candidates: Vec::new(),
    }));
    Ok(found)
}

/// Those that are listed where the call says. Of several the others are a problem each; a single one is the
/// call's own mistake.
fn agreeing(
    found: Vec<Contract>,
    exchange: Option<&str>,
    asked: usize,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Contract>, Refusal> {
    let given = Given { exchange: exchange.map(str::to_owned), ..Given::default() };
    let mut agreeing = Vec::with_capacity(found.len());
    for contract in found {
        let given_as = contract.conid.to_string();
        match given.agrees(&contract, &format!("conid {given_as}")) {
            Ok(()) => agreeing.push(contract),
            Err(refusal) if asked == 1 => return Err(refusal),
            Err(refusal) => {
                let refusal = refusal.or(candidates(&[contract]));
                let (message, candidates) = (refusal.message, refusal.candidates);
                problems.push(Problem { given: given_as, message, candidates });
            }
        }
    }
    Ok(agreeing)
}
