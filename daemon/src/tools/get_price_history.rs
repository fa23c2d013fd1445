//! `get_price_history`: bars of a contract's past.

mod chart;
mod part;

use ibd_cpapi::contracts::SecType;
use ibd_cpapi::failure::Failure;
use ibd_cpapi::history::Bar;
use ibd_cpapi::id::Conid;
use ibd_cpapi::money::Price;
use ibd_protocol::{Effect, ErrorCode, Toolset};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cell::{Cell, Num, Time};
use super::instrument::Instrument;
use super::{Ctx, Tool, args};
use crate::contracts::Contract;
use crate::contracts::hours::hours;
use crate::history::{Asked, Days, Series, Span, Told, by_calendar, resampled};
use crate::refusal::{Refusal, Unserved};
use part::Part;

/// Rows of one answer unless the call asks for another number.
const ROWS: usize = 200;
/// Decimal places of prices.
const PLACES: u32 = 8;

/// Which contract, and which part of its past.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// For instance AAPL, EUR.USD; of an option or future with expiry.
    #[serde(deserialize_with = "args::text")]
    symbol: Option<String>,
    /// IBKR's number instead.
    #[serde(deserialize_with = "args::conid")]
    #[schemars(with = "Option<u32>")]
    conid: Option<Conid>,
    /// The listing exchange.
    #[serde(deserialize_with = "args::text")]
    exchange: Option<String>,
    /// 2027-01-15 or JAN27.
    #[serde(deserialize_with = "args::text")]
    expiry: Option<String>,
    /// Of an option.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    strike: Option<Decimal>,
    /// Of an option.
    #[serde(deserialize_with = "args::text")]
    #[schemars(extend("enum" = ["C", "P"]))]
    right: Option<String>,
    /// 30min, 8h, 5d, 2w, 6m (months), 1y; 1m if neither this nor from is given.
    #[serde(deserialize_with = "args::text")]
    period: Option<String>,
    /// First day, 2026-01-31, instead of period.
    #[serde(deserialize_with = "args::text")]
    from: Option<String>,
    /// Last day; today if left out.
    #[serde(deserialize_with = "args::text")]
    to: Option<String>,
    /// 1min to 30min, 1h to 8h, 1d, 1w, 1m; what shows the period best if left out.
    #[serde(deserialize_with = "args::text")]
    bar: Option<String>,
    /// Rows at most, 200 if left out: more bars are put together.
    #[serde(deserialize_with = "args::count")]
    limit: Option<usize>,
    /// true: also outside regular trading hours.
    #[serde(rename = "outsideRth", alias = "outsideRTH", deserialize_with = "args::yes_no")]
    #[schemars(with = "Option<bool>")]
    outside_rth: Option<bool>,
    /// true: also a picture of it (PNG).
    #[serde(deserialize_with = "args::yes_no")]
    #[schemars(with = "Option<bool>")]
    chart: Option<bool>,
}

/// The bars.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// The symbol, or a derivative's description.
    #[serde(skip_serializing_if = "Option::is_none")]
    symbol: Option<String>,
    /// IBKR's number of the contract.
    #[schemars(with = "u32")]
    conid: Conid,
    /// The listing exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange: Option<String>,
    /// The currency of the prices.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// How long each bar is.
    bar: String,
    /// How many of these bars are put together in a row, where that is more than one.
    #[serde(skip_serializing_if = "Option::is_none")]
    bars_in_row: Option<usize>,
    /// Column names. time is when a bar begins: a day of the exchange for bars of days and longer, else UTC.
    cols: [&'static str; 6],
    /// One row a bar, the oldest first; null where IBKR gave no value.
    rows: Vec<[Cell; 6]>,
    /// The whole period in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    whole: Option<Whole>,
    /// The exchange's time zone, where IBKR says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    /// What the prices are.
    prices: &'static str,
    /// By how many seconds the newest prices are late.
    #[serde(skip_serializing_if = "Option::is_none")]
    delayed_seconds: Option<u64>,
    /// To be read first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// When IBKR gave this.
    as_of: Time,
}

/// A period as one bar.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Whole {
    /// First price.
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<Num>,
    /// Highest.
    #[serde(skip_serializing_if = "Option::is_none")]
    high: Option<Num>,
    /// Lowest.
    #[serde(skip_serializing_if = "Option::is_none")]
    low: Option<Num>,
    /// Last.
    #[serde(skip_serializing_if = "Option::is_none")]
    close: Option<Num>,
    /// From the first price to the last, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    change_pct: Option<Num>,
}

/// The tool.
#[derive(Debug)]
pub struct GetPriceHistory;

impl Tool for GetPriceHistory {
    const NAME: &'static str = "get_price_history";
    const TITLE: &'static str = "Price history";
    const ABOUT: &'static str = "Open, high, low, close and volume of any contract over a period or between \
        two days, by minutes, hours, days, weeks or months, with the change of the whole. For prices of now \
        use get_market_data.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Market;
    const EXAMPLE: &'static str = r#"{"symbol":"AAPL","period":"3m"}"#;
    const ANSWER: usize = 5_000;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let part = Part::of(&args, Timestamp::now())?;
        let (limit, outside_rth) = (args.limit.unwrap_or(ROWS), args.outside_rth.unwrap_or(false));
        let is_drawn = args.chart.unwrap_or(false);
        let contract = args.instrument().find(&ctx).await?;
        let asked = Asked {
            conid: contract.conid,
            period: part.period.to_string(),
            bar: part.source.to_string(),
            outside_rth,
            end: part.end,
        };
        let (histories, asked, about) = (&ctx.desks.histories, &asked, &contract);
        let (store, deadline) = (&ctx.desks.store, ctx.deadline);
        let (told, zone) = ctx
            .serve(|lease| async move {
                // In which zone its days are is worth knowing, and no reason to say nothing.
                let zone = hours(&lease, store, about, deadline).await.ok();
                let zone = zone.and_then(|hours| hours.zone);
                let told = match series(&zone, asked, &part) {
                    Some((series, days)) => {
                        histories.between(&lease, store, &series, days, deadline).await
                    }
                    None => histories.of(&lease, asked.clone(), deadline).await,
                };
                Ok((told.map_err(|failure| no_bars(failure, about, &part))?, zone))
            })
            .await?;
        let (mut out, bars) = Out::new(contract, &part, &told, zone, limit);
        if is_drawn {
            match chart::picture(&out, &part, bars).await {
                Ok(picture) => ctx.pictures.add(picture),
                Err(why) => out.warnings.push(format!("There is no picture: {why}.")),
            }
        }
        Ok(out)
    }
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

/// The question by days, whose bars can be kept; none where it is not by days, or nobody knows whose they are.
fn series(zone: &Option<String>, asked: &Asked, part: &Part) -> Option<(Series, Days)> {
    let zone = TimeZone::get(zone.as_deref()?).ok()?;
    let days = part.days(Timestamp::now(), &zone)?;
    let Asked { conid, outside_rth, .. } = *asked;
    Some((Series { conid, bar: part.source, outside_rth, zone }, days))
}

/// IBKR refuses what it has no bars of in several ways.
fn no_bars(failure: Failure, contract: &Contract, part: &Part) -> Unserved {
    // 500 is how it says that there are none; 503 is trouble.
    if !matches!(failure, Failure::Refused { .. } | Failure::Trouble { status: 500, .. }) {
        return failure.into();
    }
    let of = contract.description.as_ref().or(contract.symbol.as_ref());
    let of = of.map_or_else(|| contract.conid.to_string(), |text| ibd_cpapi::failure::clean(text));
    Refusal::new(
        ErrorCode::NoData,
        format!("IBKR gave no bars of {of} for {}: {failure}.", part.told()),
        "It may not have traded then, have expired, or need a market data subscription. Try a longer period or bar.",
    )
    .at(if part.from.is_some() { "from" } else { "period" })
    .into()
}

impl Out {
    fn new(
        contract: Contract,
        part: &Part,
        told: &Told,
        zone: Option<String>,
        limit: usize,
    ) -> (Self, Vec<Bar>) {
        let history = &told.history;
        let days = zone.as_deref().and_then(|zone| TimeZone::get(zone).ok());
        let days = days.unwrap_or(TimeZone::UTC);
        let day = |bar: &Bar| bar.time.map(|time| part.source.day_of(time, &days));
        let is_asked = |bar: &&Bar| day(bar).is_some_and(|day| part.reaches(day));
        let undated = history.data.iter().filter(|bar| bar.time.is_none()).count();
        let bars: Vec<Bar> = history.data.iter().filter(is_asked).cloned().collect();
        let all = bars.len();
        let can_be = |bar: &Bar| can_be(bar, contract.sec_type.as_ref());
        let bars: Vec<Bar> = bars.into_iter().filter(can_be).collect();
        let impossible = all - bars.len();
        let early =
            bars.first().and_then(day).filter(|day| part.from.is_some_and(|from| *day < from));
        let bars = if part.source == part.bar { bars } else { by_calendar(&bars, part.bar, &days) };
        let (each, shown) = resampled(&bars, limit);
        let mut warnings: Vec<String> =
            history.data.unread().iter().map(|row| format!("A bar was not read: {row}.")).collect();
        if impossible > 0 {
            warnings.push(format!(
                "{impossible} bars are left out: their prices cannot be (zero or less, or a high below a low)."
            ));
        }
        if undated > 0 {
            warnings.push(format!("{undated} bars are left out: IBKR did not say when they were."));
        }
        if let Some(day) = early {
            warnings.push(format!(
                "The first bar begins on {day}, before from: IBKR has no shorter ones so far back."
            ));
        }
        if all == 0 {
            warnings.push("IBKR has no bar in these days.".to_owned());
        }
        let clean = |text: String| ibd_cpapi::failure::clean(&text);
        let out = Self {
            symbol: contract.description.or(contract.symbol).map(clean),
            conid: contract.conid,
            exchange: contract.exchange,
            currency: contract.currency,
            bar: part.bar.to_string(),
            bars_in_row: (each > 1).then_some(each),
            cols: ["time", "open", "high", "low", "close", "volume"],
            rows: shown.iter().map(|bar| row(bar, part.bar, &days)).collect(),
            whole: whole(&bars),
            time_zone: zone,
            prices: "trades (of currency pairs the middle of bid and ask), adjusted for splits and not for dividends; \
                volume as IBKR counts it",
            delayed_seconds: history.delay.filter(|delay| *delay > 0),
            warnings,
            as_of: Time(told.at),
        };
        (out, shown)
    }
}

fn row(bar: &Bar, length: Span, zone: &TimeZone) -> [Cell; 6] {
    let time = bar.time.map(|time| {
        if length.is_of_days() { length.day_of(time, zone).to_string() } else { time.to_string() }
    });
    let price = |price: Option<Price>| Cell::number(price.map(Price::get), PLACES);
    [
        Cell::text(time),
        price(bar.open),
        price(bar.high),
        price(bar.low),
        price(bar.close),
        Cell::number(bar.volume.map(|volume| volume.get()), 2),
    ]
}

/// Whether prices are such as the kind of contract can have.
fn can_be(bar: &Bar, kind: Option<&SecType>) -> bool {
    let prices = [bar.open, bar.high, bar.low, bar.close];
    let is_ordered = bar.high.zip(bar.low).is_none_or(|(high, low)| high >= low);
    // Futures and spreads can be below zero.
    let is_signed =
        !matches!(kind, Some(SecType::Stock | SecType::Option | SecType::Cash | SecType::Fund));
    let is_price = |price: &Price| is_signed || price.get() > Decimal::ZERO;
    is_ordered && prices.iter().flatten().all(is_price)
}

fn whole(bars: &[Bar]) -> Option<Whole> {
    let (_, one) = resampled(bars, 1);
    let bar = one.first()?;
    let num = |price: Option<Price>| price.map(|price| Num::rounded(price.get(), PLACES));
    let change = bar.open.zip(bar.close).and_then(|(open, close)| {
        let moved = close.get().checked_sub(open.get())?;
        moved.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(open.get().abs())
    });
    Some(Whole {
        open: num(bar.open),
        high: num(bar.high),
        low: num(bar.low),
        close: num(bar.close),
        change_pct: change.map(|change| Num::rounded(change, 2)),
    })
}
