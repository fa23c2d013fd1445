//! `get_option_chain`: the expiries of an underlying's options, or one expiry with prices and greeks.

mod asked;
mod classes;
mod options;
mod ours;

use ibd_cpapi::Failure;
use ibd_cpapi::contracts::SecType;
use ibd_cpapi::id::Conid;
use ibd_cpapi::snapshot::{Field, Signs};
use ibd_pricing::Style;
use ibd_protocol::{Effect, ErrorCode, Toolset};
use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cell::{Cell, Num, Time};
use super::{Ctx, Tool, args};
use crate::contracts::chain::Chain;
use crate::contracts::option::is_of_futures;
use crate::contracts::{self, Contract, Finder, is_exchange};
use crate::market::{Freshness, Wanted};
use crate::refusal::{Refusal, Unserved};
use crate::session::Lease;
use asked::Asked;
use options::{Month, options};
use ours::Computed;

/// Which options.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
#[schemars(extend("required" = ["symbol"]))]
pub struct Args {
    /// The underlying's symbol, for instance AAPL or SPX.
    #[serde(deserialize_with = "args::text")]
    symbol: Option<String>,
    /// Where the options are routed; SMART if left out.
    #[serde(deserialize_with = "args::text")]
    exchange: Option<String>,
    /// Of the underlying.
    #[serde(deserialize_with = "args::text")]
    currency: Option<String>,
    /// The day 2027-01-15 or the month JAN27. Without it the expiries are listed.
    #[serde(deserialize_with = "args::text")]
    expiry: Option<String>,
    /// C or P; both if left out.
    #[serde(deserialize_with = "args::text")]
    #[schemars(extend("enum" = ["C", "P"]))]
    right: Option<String>,
    /// How many strikes around the money, up to 40; 10 if left out.
    #[serde(deserialize_with = "args::count")]
    strikes: Option<usize>,
    /// Deltas at least this far from zero: 0.2.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    min_delta: Option<Decimal>,
    /// Deltas at most this far from zero.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    max_delta: Option<Decimal>,
    /// One of several trading classes: SPXW.
    #[serde(deserialize_with = "args::text")]
    trading_class: Option<String>,
    /// Expiries at most, without expiry; 12 if left out.
    #[serde(deserialize_with = "args::count")]
    limit: Option<usize>,
}

/// The expiries, or the options of one.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// The underlying's symbol.
    symbol: String,
    /// The underlying's number.
    #[schemars(with = "u32")]
    underlying_conid: Conid,
    /// The underlying's price.
    #[serde(skip_serializing_if = "Option::is_none")]
    underlying_price: Option<Num>,
    /// What that is: last, middle (of bid and ask), mark, or close (nothing of today).
    #[serde(skip_serializing_if = "Option::is_none")]
    underlying_price_is: Option<&'static str>,
    /// Days on which options end, without expiry.
    #[serde(skip_serializing_if = "Option::is_none")]
    expiries: Option<Vec<Ends>>,
    /// Months of later expiries, whose days were not looked up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    later_months: Vec<String>,
    /// The day on which these options end.
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<String>,
    /// Days until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<i32>,
    /// Other days of the month with options.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    other_expiries: Vec<String>,
    /// The trading class of these options, where several end on that day.
    #[serde(skip_serializing_if = "Option::is_none")]
    trading_class: Option<String>,
    /// Whether the prices are live, delayed, frozen or none: of most of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'static str>,
    /// Column names: iv in percent; theta a day, vega for one point of volatility.
    #[serde(skip_serializing_if = "Option::is_none")]
    cols: Option<[&'static str; 13]>,
    /// One row an option, by strike; null where IBKR gave no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<[Cell; 13]>>,
    /// Who computed iv and greeks.
    #[serde(skip_serializing_if = "Option::is_none")]
    greeks: Option<&'static str>,
    /// Whose iv and greeks IBKR did not send in time: computed here.
    #[serde(skip_serializing_if = "Option::is_none")]
    computed: Option<Computed>,
    /// To be read first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// When this was given.
    as_of: Time,
}

/// An expiry.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ends {
    /// The day.
    expiry: String,
    /// Days until then.
    days: i32,
    /// The month it belongs to.
    month: String,
}

/// The tool.
#[derive(Debug)]
pub struct GetOptionChain;

impl Tool for GetOptionChain {
    const NAME: &'static str = "get_option_chain";
    const TITLE: &'static str = "Option chain";
    const ABOUT: &'static str = "Options on a stock, ETF or index. Without expiry: the days on which options end. \
        With one: bid, ask, last, implied volatility, greeks, open interest, volume and conid of the strikes \
        around the money, calls and puts, beside the underlying's price. For one option use get_market_data.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Market;
    const EXAMPLE: &'static str = r#"{"symbol":"AAPL","expiry":"JAN27","strikes":4}"#;
    const ANSWER: usize = 3_500;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let wanted = &Asked::of(args)?;
        ctx.tell(0, None, "finding the options");
        let ctx_ = &ctx;
        ctx.serve(|lease| async move { answer(&lease, ctx_, wanted).await }).await
    }
}

async fn answer(lease: &Lease, ctx: &Ctx, asked: &Asked) -> Result<Out, Unserved> {
    let (store, underlyings) = (&ctx.desks.store, ctx.desks.market.underlyings());
    let finder = Finder { lease, store, underlyings, deadline: ctx.deadline };
    if let Some(exchange) = asked.exchange.as_deref().filter(|exchange| is_of_futures(exchange)) {
        return Err(on_futures(&asked.wish.symbol, exchange).into());
    }
    let underlying = finder.underlying(&asked.wish).await?;
    ctx.note_asked(&underlying);
    let has_options =
        |kind: &SecType| matches!(kind, SecType::Stock | SecType::Index | SecType::Fund);
    if underlying.sec_type.as_ref().is_some_and(|kind| !has_options(kind)) {
        return Err(no_options(&asked.wish.symbol).into());
    }
    let (money, confirmed) = price(lease, ctx, &underlying).await?;
    let chain = Chain {
        finder,
        underlying: underlying.conid,
        symbol: &asked.wish.symbol,
        exchange: asked.exchange.as_deref(),
    };
    if let Some(exchange) = chain.exchange {
        listed_at(&asked.wish.symbol, exchange, chain.exchanges().await?)?;
    }
    let mut out = Out {
        symbol: asked.wish.symbol.clone(),
        underlying_conid: underlying.conid,
        underlying_price: money.map(|(price, _)| Num(price)),
        underlying_price_is: money.map(|(_, what)| what),
        expiries: None,
        later_months: Vec::new(),
        expiry: None,
        days: None,
        other_expiries: Vec::new(),
        trading_class: None,
        data: None,
        cols: None,
        rows: None,
        greeks: None,
        computed: None,
        warnings: asked.unheeded().into_iter().collect(),
        as_of: confirmed,
    };
    let money = money.map(|(price, _)| price);
    match asked.expiry {
        None => expiries(chain, asked, money, &mut out).await?,
        Some(expiry) => {
            // An index cannot be delivered, and its options nearly all end only on their day.
            let style = match underlying.sec_type {
                Some(SecType::Index) => Style::European,
                _ => Style::American,
            };
            let of = Month { style, chain, expiry, money };
            options(lease, ctx, asked, of, &mut out).await?;
        }
    }
    Ok(out)
}

/// A price, and what it is.
type Priced = Option<(Decimal, &'static str)>;

/// The underlying's price, and when it was confirmed; without one the strikes in the middle are taken.
async fn price(
    lease: &Lease,
    ctx: &Ctx,
    underlying: &Contract,
) -> Result<(Priced, Time), Unserved> {
    let wanted = [Wanted { conid: underlying.conid, is_option: false }];
    let rows = ctx.desks.market.quotes(lease, &wanted, Freshness::Streamed, ctx.deadline).await?;
    let quote = rows.quote(underlying.conid, Signs::Positive);
    let sum = quote.bid.zip(quote.ask).and_then(|(bid, ask)| bid.checked_add(ask));
    let middle = sum.map(|sum| sum / Decimal::TWO);
    let close = quote.last.or(quote.number(Field::PriorClose));
    let of_now = quote.last.filter(|_| quote.last_is.is_none()).map(|last| (last, "last"));
    let other = [(middle, "middle"), (quote.traded, "mark"), (close, "close")];
    let other = other.into_iter().find_map(|(price, what)| Some((price?, what)));
    let priced = of_now.or(other).filter(|(price, _)| *price > Decimal::ZERO);
    Ok((priced, rows.as_of.map_or_else(Time::now, Time)))
}

async fn expiries(
    chain: Chain<'_>,
    asked: &Asked,
    money: Option<Decimal>,
    out: &mut Out,
) -> Result<(), Unserved> {
    let months = chain.months().await?;
    if months.is_empty() {
        return Err(no_options(&asked.wish.symbol).into());
    }
    let (today, mut found) = (contracts::today(), Vec::new());
    let mut rest = months.into_iter();
    for month in rest.by_ref() {
        let days = match chain.days(&month, money).await {
            Ok(days) => days,
            // One month that cannot be read does not hide the others.
            Err(
                failure @ (Failure::Refused { .. }
                | Failure::Trouble { .. }
                | Failure::Garbled { .. }),
            ) => {
                out.warnings.push(format!("The days of {month} could not be read: {failure}."));
                continue;
            }
            Err(failure) => return Err(failure.into()),
        };
        let days = days.into_iter().filter(|day| *day >= today);
        found.extend(days.map(|day| Ends {
            expiry: day.to_string(),
            days: until(day, today),
            month: month.clone(),
        }));
        if found.len() >= asked.limit {
            break;
        }
    }
    found.truncate(asked.limit);
    (out.expiries, out.later_months) = (Some(found), rest.collect());
    Ok(())
}

fn until(day: Date, today: Date) -> i32 {
    today.until(day).map_or(0, |span| span.get_days())
}

/// Whether options are traded at an exchange that was named; where IBKR lists none, anything may be.
fn listed_at(symbol: &str, exchange: &str, exchanges: Vec<String>) -> Result<(), Refusal> {
    if exchanges.is_empty() || exchanges.iter().any(|one| is_exchange(exchange, Some(one))) {
        return Ok(());
    }
    Err(Refusal::new(
        ErrorCode::UnknownSymbol,
        format!("IBKR lists no options on {symbol} at {exchange}."),
        "Use one of the candidates as exchange, or leave it out.",
    )
    .at("exchange")
    .or(exchanges))
}

fn on_futures(symbol: &str, exchange: &str) -> Refusal {
    Refusal::argument(
        "exchange",
        format!(
            "Options at {exchange} are on futures, and chains are of options on shares, ETFs and indices."
        ),
        format!(
            "Ask for one option of {symbol} at a time: get_market_data and resolve_option_conid take symbol, expiry, \
             strike, right and exchange {exchange}."
        ),
    )
}

fn no_options(symbol: &str) -> Refusal {
    Refusal::new(
        ErrorCode::UnknownSymbol,
        format!("IBKR lists no options on {symbol}."),
        "Check the symbol: search_contracts with secType OPT lists what has optionMonths.",
    )
    .at("symbol")
}
