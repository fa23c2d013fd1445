//! `get_market_data`: quotes of one or many contracts, warmed up and decoded.

mod quote;
mod unit;

use ibd_cpapi::id::Conid;
use ibd_protocol::{Effect, ErrorCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::args;
use super::cell::Time;
use super::{Ctx, Tool};
use crate::contracts::{self, Choice, Contract, Given, Wish};
use crate::market::{self, Wanted};
use crate::refusal::Refusal;
use quote::Quote;
use unit::Unit;

/// Contracts of one call.
const MAX: usize = 100;
/// What may be meant, as shown in an error.
const MAX_CANDIDATES: usize = 10;

/// Which contracts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// One symbol, for instance AAPL or EUR.USD. Give one of symbol, symbols, conid, conids.
    #[serde(deserialize_with = "args::text")]
    symbol: Option<String>,
    /// Up to 100 symbols.
    #[serde(deserialize_with = "args::texts")]
    symbols: Option<Vec<String>>,
    /// From search_contracts or get_positions; needed for options and futures.
    #[serde(deserialize_with = "args::conid")]
    #[schemars(with = "Option<u32>")]
    conid: Option<Conid>,
    /// Up to 100 conids.
    #[serde(deserialize_with = "args::conids")]
    #[schemars(with = "Option<Vec<u32>>")]
    conids: Option<Vec<Conid>>,
    /// The listing exchange of the symbols; of a conid it must be its own.
    #[serde(deserialize_with = "args::text")]
    exchange: Option<String>,
}

/// The quotes.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// One entry a contract.
    quotes: Vec<Quote>,
    /// Symbols and conids that could not be quoted, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Problem>,
    /// When this was asked.
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
    candidates: Vec<Candidate>,
}

/// A contract that may have been meant: enough to tell it from the others.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// IBKR's number.
    conid: u32,
    /// The symbol.
    #[serde(skip_serializing_if = "Option::is_none")]
    symbol: Option<String>,
    /// Company or product.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The listing exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange: Option<String>,
    /// The currency it trades in.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
}

/// The tool.
#[derive(Debug)]
pub struct GetMarketData;

impl Tool for GetMarketData {
    const NAME: &'static str = "get_market_data";
    const TITLE: &'static str = "Quotes";
    const ABOUT: &'static str = "Current quotes of up to 100 contracts in one call: last, bid, ask, \
        change, volume, and implied volatility and greeks of options. Each says which listing it is, \
        whether it is live or delayed, and why a value is missing. A symbol means the United States' \
        listing unless exchange is given; an ambiguous one is answered with the candidates.";
    const EFFECT: Effect = Effect::Reads;
    const EXAMPLE: &'static str = r#"{"symbols":["AAPL","MSFT"]}"#;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let wanted = Meant::from(args)?;
        ctx.lease().await?;
        let (contracts, problems) = wanted.resolve(&ctx).await?;
        let wanted = contracts.iter().filter_map(to_quote);
        let wanted: Vec<Wanted> = wanted.collect();
        let (wanted, deadline) = (wanted.as_slice(), ctx.deadline);
        let underlyings = &ctx.desks.underlyings;
        let steps = contracts.len() as u32 + 1;
        ctx.tell(steps, Some(steps + 1), "waiting for quotes");
        let (rules, known) = (&ctx.desks.rules, contracts.as_slice());
        let (rows, mut units) = ctx
            .read(|lease| async move {
                underlyings.prepare(&lease, wanted, deadline).await?;
                let units = unit::units(rules, &lease, known, deadline);
                let (rows, units) = tokio::join!(market::quotes(&lease, wanted, deadline), units);
                Ok((rows?, units))
            })
            .await?;
        let quotes = contracts.into_iter().map(|contract| {
            let row = contract.id().and_then(|conid| rows.get(&conid));
            let unit = contract.id().and_then(|conid| units.remove(&conid));
            Quote::new(contract, row, unit.unwrap_or(Unit::Whole))
        });
        Ok(Out { quotes: quotes.collect(), problems, as_of: Time::now() })
    }
}

fn to_quote(contract: &Contract) -> Option<Wanted> {
    let kind = contract.sec_type.as_deref();
    let is_option = matches!(kind, Some("OPT" | "FOP"));
    let is_derived = is_option || matches!(kind, Some("FUT" | "WAR"));
    let underlying = contract.symbol.clone().filter(|_| is_derived);
    Some(Wanted { conid: contract.id()?, is_option, underlying })
}

/// What a call asks for, in one of its forms.
enum Meant {
    Symbols { symbols: Vec<String>, exchange: Option<String>, is_single: bool },
    Conids { conids: Vec<Conid>, exchange: Option<String> },
}

impl Meant {
    fn from(args: Args) -> Result<Self, Refusal> {
        let exchange = args.exchange.map(|text| text.to_uppercase());
        let asked = match (args.symbol, args.symbols, args.conid, args.conids) {
            (Some(symbol), None, None, None) => {
                Self::Symbols { symbols: vec![symbol], exchange, is_single: true }
            }
            (None, Some(symbols), None, None) => {
                Self::Symbols { symbols, exchange, is_single: false }
            }
            (None, None, Some(conid), None) => Self::Conids { conids: vec![conid], exchange },
            (None, None, None, Some(conids)) => Self::Conids { conids, exchange },
            _ => {
                return Err(Refusal::argument(
                    "symbol",
                    "Exactly one of symbol, symbols, conid and conids is needed.",
                    "Give symbols for tickers, or conids from search_contracts.",
                ));
            }
        };
        let count = match &asked {
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
            Self::Symbols { symbols, exchange, is_single } => {
                for (done, symbol) in symbols.iter().enumerate() {
                    ctx.tell(done as u32, Some(symbols.len() as u32 + 2), "finding contracts");
                    match by_symbol(ctx, symbol, exchange.as_deref()).await {
                        Ok(contract) => contracts.push(contract),
                        Err(Unresolved::Symbol { refusal, candidates }) if !*is_single => {
                            let (given, message) = (symbol.clone(), refusal.message);
                            problems.push(Problem { given, message, candidates });
                        }
                        Err(unresolved) => return Err(unresolved.into_refusal()),
                    }
                }
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

async fn by_symbol(
    ctx: &Ctx,
    symbol: &str,
    exchange: Option<&str>,
) -> Result<Contract, Unresolved> {
    let wish = Wish {
        symbol: symbol.trim().to_uppercase(),
        exchange: exchange.map(str::to_owned),
        ..Wish::default()
    };
    let (store, wish, deadline) = (&ctx.desks.store, &wish, ctx.deadline);
    let found = ctx
        .read(|lease| async move { contracts::by_symbol(&lease, store, wish, deadline).await })
        .await
        .map_err(Unresolved::Other)?;
    let (refusal, others) = match contracts::choose(wish, found) {
        Choice::One(contract) => {
            let given = Given { symbol: Some(wish.symbol.clone()), ..Given::default() };
            return match given.agrees(&contract, symbol) {
                Ok(()) => Ok(*contract),
                Err(refusal) => {
                    Err(Unresolved::Symbol { refusal, candidates: candidates(&[*contract]) })
                }
            };
        }
        Choice::Several(several) => (ambiguous(symbol, several.len()), several),
        Choice::None(others) if others.is_empty() => (unknown(symbol), others),
        Choice::None(others) => (elsewhere(symbol, exchange), others),
    };
    Err(Unresolved::Symbol { refusal, candidates: candidates(&others) })
}

fn ambiguous(symbol: &str, count: usize) -> Refusal {
    Refusal::new(
        ErrorCode::AmbiguousSymbol,
        format!("{symbol} may mean {count} contracts."),
        "Repeat the call with the conid of the one that is meant, or with exchange; ask the user if unsure.",
    )
    .at("symbol")
}

fn unknown(symbol: &str) -> Refusal {
    Refusal::new(
        ErrorCode::UnknownSymbol,
        format!("IBKR knows no contract with the symbol {symbol}."),
        "Look for it with search_contracts, by query if only the name is known.",
    )
    .at("symbol")
}

fn elsewhere(symbol: &str, exchange: Option<&str>) -> Refusal {
    Refusal::new(
        ErrorCode::UnknownSymbol,
        format!("{symbol} is not listed at {}.", exchange.unwrap_or("that exchange")),
        "Repeat the call with one of the candidates.",
    )
    .at("exchange")
}

async fn by_conids(
    ctx: &Ctx,
    conids: &[Conid],
    problems: &mut Vec<Problem>,
) -> Result<Vec<Contract>, Refusal> {
    let (store, deadline) = (&ctx.desks.store, ctx.deadline);
    let found = ctx
        .read(|lease| async move { contracts::by_conids(&lease, store, conids, deadline).await })
        .await?;
    let unknown: Vec<&Conid> =
        conids.iter().filter(|conid| !found.iter().any(|c| c.conid == conid.get())).collect();
    if let ([only], true) = (unknown.as_slice(), conids.len() == 1) {
        return Err(Refusal::argument(
            "conid",
            format!("IBKR knows no contract with the conid {only}."),
            "Find the right one with search_contracts.",
        ));
    }
    problems.extend(unknown.into_iter().map(|conid| Problem {
        given: conid.to_string(),
        message: "IBKR knows no contract with this conid.".to_owned(),
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
                let candidates = candidates(&[contract]);
                problems.push(Problem { given: given_as, message: refusal.message, candidates });
            }
        }
    }
    Ok(agreeing)
}

fn candidates(contracts: &[Contract]) -> Vec<Candidate> {
    let shown = contracts.iter().take(MAX_CANDIDATES).map(|contract| Candidate {
        conid: contract.conid,
        symbol: contract.symbol.clone(),
        name: contract.name.as_deref().map(ibd_cpapi::failure::clean),
        exchange: contract.exchange.clone(),
        currency: contract.currency.clone(),
    });
    shown.collect()
}

/// Why a symbol is not quoted.
enum Unresolved {
    /// The symbol itself is the problem.
    Symbol { refusal: Refusal, candidates: Vec<Candidate> },
    /// Something else is: no symbol would be.
    Other(Refusal),
}

impl Unresolved {
    fn into_refusal(self) -> Refusal {
        match self {
            Self::Symbol { refusal, candidates } => refusal.or(candidates),
            Self::Other(refusal) => refusal,
        }
    }
}
