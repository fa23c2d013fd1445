//! `get_option_chain`: the expiries of an underlying's options, or one expiry with prices and greeks.

use ibd_cpapi::Failure;
use ibd_cpapi::contracts::Right;
use ibd_cpapi::id::Conid;
use ibd_cpapi::snapshot::{Field, Signs};
use ibd_protocol::{Effect, ErrorCode};
use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::args;
use super::cell::{Cell, Num, Time};
use super::{Ctx, Tool};
use crate::contracts::chain::{Chain, Listed, around};
use crate::contracts::expiry::Expiry;
use crate::contracts::{self, Contract, Finder, Wish};
use crate::market::{Freshness, Wanted};
use crate::refusal::{Refusal, Unserved};
use crate::session::Lease;

/// Strikes of one answer unless the call asks for fewer or more.
const STRIKES: usize = 10;
/// Strikes that a call may ask for: with calls and puts they fit the lines of market data.
const MAX_STRIKES: usize = 40;
/// Expiries of one answer unless the call asks for fewer or more.
const EXPIRIES: usize = 12;
/// Decimal places.
const PRICE: u32 = 4;
const GREEK: u32 = 5;

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
    /// The currency of the underlying, where several listings have options.
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
    /// Only options whose delta is at least this far from zero, for instance 0.2.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    min_delta: Option<Decimal>,
    /// Only options whose delta is at most this far from zero.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    max_delta: Option<Decimal>,
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

const COLS: [&str; 13] = [
    "strike",
    "right",
    "conid",
    "bid",
    "ask",
    "last",
    "iv",
    "delta",
    "gamma",
    "theta",
    "vega",
    "openInterest",
    "volume",
];

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
    const EXAMPLE: &'static str = r#"{"symbol":"AAPL","expiry":"JAN27","strikes":4}"#;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let wanted = &Asked::of(args)?;
        ctx.tell(0, None, "finding the options");
        let ctx_ = &ctx;
        ctx.serve(|lease| async move { answer(&lease, ctx_, wanted).await }).await
    }
}

/// What is asked for, read.
struct Asked {
    wish: Wish,
    exchange: Option<String>,
    expiry: Option<Expiry>,
    right: Option<Right>,
    strikes: usize,
    /// How far from zero a delta may be.
    delta: (Option<Decimal>, Option<Decimal>),
    limit: usize,
}

impl Asked {
    fn of(args: Args) -> Result<Self, Refusal> {
        let upper = |text: Option<String>| text.map(|text| text.trim().to_uppercase());
        let symbol = upper(args.symbol).ok_or_else(|| {
            let next = "Give the underlying's, for instance AAPL.";
            Refusal::argument("symbol", "No symbol is given.", next)
        })?;
        let right = args.right.as_deref().map(str::parse::<Right>).transpose();
        let right = right.map_err(|_| {
            Refusal::argument("right", "right is neither C nor P.", "Give C or P, or leave it out.")
        })?;
        let strikes = args.strikes.unwrap_or(STRIKES);
        if strikes > MAX_STRIKES {
            return Err(Refusal::argument(
                "strikes",
                format!("{strikes} strikes were asked for; at most {MAX_STRIKES} fit one answer."),
                "Ask for fewer around the money, or for one right.",
            ));
        }
        for (field, delta) in [("minDelta", args.min_delta), ("maxDelta", args.max_delta)] {
            if delta.is_some_and(|delta| delta < Decimal::ZERO || delta > Decimal::ONE) {
                let message = format!("{field} is how far a delta is from zero: from 0 to 1.");
                return Err(Refusal::argument(field, message, "Give it as 0.3."));
            }
        }
        if let (Some(least), Some(most)) = (args.min_delta, args.max_delta)
            && least > most
        {
            let message = format!("minDelta, {least}, is more than maxDelta, {most}.");
            return Err(Refusal::argument("minDelta", message, "Exchange them."));
        }
        let expiry = args.expiry.as_deref();
        let expiry = expiry.map(|text| Expiry::read_alive(text, contracts::today())).transpose()?;
        if expiry.is_none() && (args.min_delta.is_some() || args.max_delta.is_some()) {
            return Err(Refusal::argument(
                "expiry",
                "Deltas are of the options of one expiry, and none is given.",
                "Give expiry; without it the expiries are listed.",
            ));
        }
        Ok(Self {
            wish: Wish { symbol, currency: upper(args.currency), ..Wish::default() },
            exchange: upper(args.exchange),
            expiry,
            right,
            strikes,
            delta: (args.min_delta, args.max_delta),
            limit: args.limit.unwrap_or(EXPIRIES),
        })
    }

    fn has_delta(&self) -> bool {
        self.delta.0.is_some() || self.delta.1.is_some()
    }

    fn is_wanted(&self, delta: Option<Decimal>) -> bool {
        let (least, most) = self.delta;
        let Some(delta) = delta.map(|delta| delta.abs()) else {
            return least.is_none() && most.is_none();
        };
        least.is_none_or(|least| delta >= least) && most.is_none_or(|most| delta <= most)
    }
}

async fn answer(lease: &Lease, ctx: &Ctx, asked: &Asked) -> Result<Out, Unserved> {
    let (store, underlyings) = (&ctx.desks.store, ctx.desks.market.underlyings());
    let finder = Finder { lease, store, underlyings, deadline: ctx.deadline };
    let underlying = finder.underlying(&asked.wish).await?;
    let (money, confirmed) = price(lease, ctx, &underlying).await?;
    let chain = Chain {
        finder,
        underlying: underlying.conid,
        symbol: &asked.wish.symbol,
        exchange: asked.exchange.as_deref(),
    };
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
        data: None,
        cols: None,
        rows: None,
        greeks: None,
        warnings: Vec::new(),
        as_of: confirmed,
    };
    let money = money.map(|(price, _)| price);
    match asked.expiry {
        None => expiries(chain, asked, money, &mut out).await?,
        Some(expiry) => {
            let of = Month { chain, expiry, money };
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

/// One month of a chain, or one day of it, and the price that its strikes lie around.
struct Month<'a> {
    chain: Chain<'a>,
    expiry: Expiry,
    money: Option<Decimal>,
}

fn until(day: Date, today: Date) -> i32 {
    today.until(day).map_or(0, |span| span.get_days())
}

async fn options(
    lease: &Lease,
    ctx: &Ctx,
    asked: &Asked,
    Month { chain, expiry, money }: Month<'_>,
    out: &mut Out,
) -> Result<(), Unserved> {
    let (month, today) = (expiry.month(), contracts::today());
    let strikes = chain.strikes(&month).await?;
    let sides = [(Right::Call, &strikes.call), (Right::Put, &strikes.put)];
    let sides = sides.into_iter().filter(|(right, _)| asked.right.is_none_or(|one| one == *right));
    let wanted: Vec<(Decimal, Right)> = sides
        .flat_map(|(right, strikes)| {
            around(strikes, money, asked.strikes).into_iter().map(move |strike| (strike, right))
        })
        .collect();
    if wanted.is_empty() {
        let months = chain.months().await?;
        return Err(no_month(&asked.wish.symbol, &month, months).into());
    }
    ctx.tell(1, None, "asking for the contracts of its strikes");
    let (all, unanswered) = chain.options(&month, &wanted).await?;
    if unanswered > 0 {
        out.warnings.push(format!(
            "IBKR did not answer for {unanswered} of {} options: they are missing here; ask again.",
            wanted.len()
        ));
    }
    let mut days: Vec<Date> =
        all.iter().map(|option| option.expiry).filter(|day| *day >= today).collect();
    days.sort_unstable();
    days.dedup();
    let day = expiry.day().or(days.first().copied()).filter(|day| days.contains(day));
    let day = day.ok_or_else(|| no_day(&asked.wish.symbol, expiry, &days))?;
    let mut listed: Vec<Listed> = all.into_iter().filter(|option| option.expiry == day).collect();
    listed.sort_by(|one, other| {
        (one.strike, one.right.as_str()).cmp(&(other.strike, other.right.as_str()))
    });
    ctx.tell(2, None, "waiting for quotes and greeks");
    let quoted: Vec<Wanted> =
        listed.iter().map(|option| Wanted { conid: option.conid, is_option: true }).collect();
    let market = &ctx.desks.market;
    let found = market.quotes(lease, &quoted, Freshness::Streamed, ctx.deadline).await?;
    out.as_of = found.as_of.map_or(out.as_of, |at| Time(at.min(out.as_of.0)));
    let (mut rows, mut data, mut lacking) = (Vec::new(), Vec::new(), 0);
    for option in &listed {
        let quote = found.quote(option.conid, Signs::Positive);
        let delta = quote.number(Field::Delta);
        lacking += usize::from(delta.is_none());
        data.push(quote.data.as_str());
        if asked.is_wanted(delta) {
            let number = |field, places| Cell::number(quote.number(field), places);
            rows.push([
                Cell::number(Some(option.strike), PRICE),
                Cell::text(Some(option.right.as_str())),
                Cell::number(Some(option.conid.get().into()), 0),
                Cell::number(quote.bid, PRICE),
                Cell::number(quote.ask, PRICE),
                Cell::number(quote.last, PRICE),
                number(Field::ImpliedVolatility, 2),
                Cell::number(delta, GREEK),
                number(Field::Gamma, GREEK),
                number(Field::Theta, GREEK),
                number(Field::Vega, GREEK),
                number(Field::OpenInterest, 0),
                number(Field::Volume, 0),
            ]);
        }
    }
    if lacking > 0 {
        out.warnings.push(format!(
            "IBKR sent no greeks of {lacking} of {} options in time{}; ask again in some seconds.",
            listed.len(),
            if asked.has_delta() { " (they are left out here)" } else { "" }
        ));
    }
    if asked.has_delta() {
        out.warnings.push(format!(
            "Deltas were looked for among {} strikes around the money; strikes takes more.",
            asked.strikes
        ));
    }
    if money.is_none() {
        out.warnings.push(
            "The underlying has no price now: the strikes are those in the middle, not around the money."
                .to_owned(),
        );
    }
    let classes: std::collections::BTreeSet<&str> =
        listed.iter().filter_map(|option| option.class.as_deref()).collect();
    if classes.len() > 1 {
        out.warnings.push(format!(
            "Options of several trading classes end on this day ({}): a strike may stand twice.",
            classes.into_iter().collect::<Vec<_>>().join(", ")
        ));
    }
    out.expiry = Some(day.to_string());
    out.days = Some(until(day, today));
    out.other_expiries =
        days.iter().filter(|other| **other != day).map(ToString::to_string).collect();
    out.data = most(&data);
    (out.cols, out.rows, out.greeks) = (Some(COLS), Some(rows), Some("IBKR"));
    Ok(())
}

/// The word that most of them say.
fn most(words: &[&'static str]) -> Option<&'static str> {
    let count = |word: &&str| words.iter().filter(|one| *one == word).count();
    words.iter().max_by_key(|word| count(word)).copied()
}

fn no_options(symbol: &str) -> Refusal {
    Refusal::new(
        ErrorCode::UnknownSymbol,
        format!("IBKR lists no options on {symbol}."),
        "Check the symbol: search_contracts with secType OPT lists what has optionMonths.",
    )
    .at("symbol")
}

fn no_month(symbol: &str, month: &str, months: Vec<String>) -> Refusal {
    if months.is_empty() {
        return no_options(symbol);
    }
    Refusal::new(
        ErrorCode::UnknownSymbol,
        format!("{symbol} has no options in {month}."),
        "Use one of the candidates as expiry.",
    )
    .at("expiry")
    .or(months)
}

fn no_day(symbol: &str, expiry: Expiry, days: &[Date]) -> Refusal {
    let when = expiry.day().map_or_else(|| expiry.month(), |day| day.to_string());
    Refusal::new(
        ErrorCode::UnknownSymbol,
        format!("{symbol} has no options that end on {when}."),
        "Use one of the candidates as expiry.",
    )
    .at("expiry")
    .or(days.iter().map(ToString::to_string))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bad_arguments_name_their_field() {
        for (json, field) in [
            ("{}", "symbol"),
            (r#"{"symbol":"AAPL","right":"X"}"#, "right"),
            (r#"{"symbol":"AAPL","strikes":41}"#, "strikes"),
            (r#"{"symbol":"AAPL","expiry":"JAN20"}"#, "expiry"),
            (r#"{"symbol":"AAPL","expiry":"JAN99","minDelta":2}"#, "minDelta"),
            (r#"{"symbol":"AAPL","maxDelta":0.5}"#, "expiry"),
            (r#"{"symbol":"AAPL","expiry":"JAN99","minDelta":0.6,"maxDelta":0.3}"#, "minDelta"),
        ] {
            let args = args::read::<Args>(json, Effect::Reads).unwrap().args;
            let refused = Asked::of(args).err().unwrap();
            assert_eq!(refused.field.as_deref(), Some(field), "{json}");
        }
    }

    #[test]
    fn a_delta_is_how_far_it_is_from_zero() {
        let asked = |json: &str| {
            Asked::of(args::read::<Args>(json, Effect::Reads).unwrap().args).ok().unwrap()
        };
        let some = asked(r#"{"symbol":"A","expiry":"JAN99","minDelta":0.2,"maxDelta":0.4}"#);
        let delta = |text: &str| Some(text.parse().unwrap());
        assert!(some.is_wanted(delta("0.3")) && some.is_wanted(delta("-0.3")));
        assert!(!some.is_wanted(delta("0.5")) && !some.is_wanted(None));
        assert!(asked(r#"{"symbol":"A","expiry":"JAN99"}"#).is_wanted(None));
    }
}
