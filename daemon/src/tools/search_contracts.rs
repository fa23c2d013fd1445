//! `search_contracts`: from a symbol or a name to contracts that can be told apart.

use ibd_cpapi::Failure;
use ibd_cpapi::contracts::SecType;
use ibd_cpapi::id::Conid;
use ibd_protocol::{Effect, Toolset};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::args;
use super::cell::Time;
use super::{Ctx, Tool};
use crate::contracts::find::not_known;
use crate::contracts::{self, Contract, Wish};
use crate::refusal::Refusal;

/// Hits of one answer unless the call asks for more.
const HITS: usize = 10;
/// Hits that a call may ask for.
const MAX_HITS: usize = 50;
/// Kinds that can be searched.
const SEC_TYPES: &[&str] = &["STK", "ETF", "FUT", "CASH", "IND", "OPT", "FUND", "BOND"];

/// What to look for.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// A symbol, for instance AAPL, SAP, ES or EUR.USD. Or query.
    #[serde(deserialize_with = "args::text")]
    symbol: Option<String>,
    /// Words of a company's name, for instance "apple".
    #[serde(deserialize_with = "args::text")]
    query: Option<String>,
    /// STK (stocks and ETFs), ETF, FUT, CASH (currency pairs), IND, OPT (what has options). Futures are found only
    /// with FUT.
    #[serde(deserialize_with = "args::text")]
    sec_type: Option<String>,
    /// Only this listing exchange: NASDAQ, IBIS.
    #[serde(deserialize_with = "args::text")]
    exchange: Option<String>,
    /// Only this currency.
    #[serde(deserialize_with = "args::text")]
    currency: Option<String>,
    /// Hits at most, up to 50; 10 if left out.
    #[serde(deserialize_with = "args::count")]
    limit: Option<usize>,
}

/// The hits.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// Contracts that fit, the broker's order.
    contracts: Vec<Hit>,
    /// Hits in all; more than shown if the limit cut some off.
    total: usize,
    /// When this was answered; what contracts are is remembered for up to a day.
    as_of: Time,
    /// To be read first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// One contract.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hit {
    /// IBKR's number; the sure way to name it in other tools.
    #[schemars(with = "u32")]
    conid: Conid,
    /// The symbol.
    #[serde(skip_serializing_if = "Option::is_none")]
    symbol: Option<String>,
    /// Company or product.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Kind of contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    sec_type: Option<String>,
    /// The listing exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange: Option<String>,
    /// The currency it trades in.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// YYYYMMDD, of what expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<String>,
    /// Months with options on it, for instance JAN27.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    option_months: Vec<String>,
}

impl From<Contract> for Hit {
    fn from(contract: Contract) -> Self {
        let clean = |text: Option<String>| text.map(|text| ibd_cpapi::failure::clean(&text));
        Self {
            conid: contract.conid,
            symbol: clean(contract.symbol),
            name: clean(contract.name),
            sec_type: contract.sec_type.map(|kind| kind.to_string()),
            exchange: contract.exchange,
            currency: contract.currency,
            expiry: contract.expiry.map(contracts::expiry::plain),
            option_months: contract.option_months,
        }
    }
}

/// The tool.
#[derive(Debug)]
pub struct SearchContracts;

impl Tool for SearchContracts {
    const NAME: &'static str = "search_contracts";
    const TITLE: &'static str = "Find contracts";
    const ABOUT: &'static str = "Find stocks, ETFs, futures, indices and currency pairs by symbol or \
        company name, with conid, listing exchange and currency. Use it when a symbol is ambiguous, \
        foreign, or only a name is known; pass the conid on.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Market;
    const EXAMPLE: &'static str = r#"{"symbol":"SAN","currency":"EUR"}"#;
    const ANSWER: usize = 800;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let limit = args.limit.unwrap_or(HITS).min(MAX_HITS);
        let sec_type = args.sec_type.as_deref().map(sec_type).transpose()?;
        let wish = Wish {
            symbol: args.symbol.clone().unwrap_or_default().to_uppercase(),
            sec_type,
            exchange: args.exchange.map(|text| text.to_uppercase()),
            currency: args.currency.map(|text| text.to_uppercase()),
            expiry: None,
        };
        ctx.lease().await?;
        let (store, wish, deadline) = (&ctx.desks.store, &wish, ctx.deadline);
        let found = match (&args.symbol, &args.query) {
            (Some(_), None) => {
                ctx.read(|lease| async move {
                    contracts::by_symbol(&lease, store, wish, deadline).await
                })
                .await?
            }
            (None, Some(words)) => {
                ctx.read(
                    |lease| async move { contracts::by_name(&lease, store, words, deadline).await },
                )
                .await?
            }
            _ => {
                return Err(Refusal::argument(
                    "symbol",
                    "Exactly one of symbol and query is needed.",
                    "Give symbol for a ticker, or query for words of a name.",
                ));
            }
        };
        let kind = args.sec_type.as_deref().map(str::to_uppercase);
        let is_kind = |contract: &Contract| match kind.as_deref() {
            Some("ETF") => contract.is_etf(),
            // An underlying with its months stands for its options.
            Some("OPT") | None => true,
            Some(kind) => contract.sec_type == Some(SecType::of(kind)),
        };
        let fits = |contract: &Contract| wish.fits(contract) && is_kind(contract);
        let fitting: Vec<Contract> = found.contracts.into_iter().filter(fits).collect();
        if let (true, Some(unread)) = (fitting.is_empty(), &found.unread) {
            let field = if args.query.is_some() { "query" } else { "symbol" };
            return Err(not_known(unread).at(field));
        }
        let more = |unread: Failure| {
            format!("There may be others: not everything could be read ({unread}).")
        };
        Ok(Out {
            total: fitting.len(),
            contracts: fitting.into_iter().take(limit).map(Hit::from).collect(),
            as_of: Time::now(),
            warnings: found.unread.map(more).into_iter().collect(),
        })
    }
}

fn sec_type(text: &str) -> Result<SecType, Refusal> {
    let text = text.to_uppercase();
    if SEC_TYPES.contains(&text.as_str()) {
        Ok(SecType::of(&text))
    } else {
        Err(Refusal::argument(
            "secType",
            format!("{text:?} is not a kind of contract."),
            format!("Use one of {}.", SEC_TYPES.join(", ")),
        ))
    }
}
