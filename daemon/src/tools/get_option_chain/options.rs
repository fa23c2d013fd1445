//! The options of one expiry around the money, with prices and greeks.

use ibd_cpapi::Failure;
use ibd_cpapi::contracts::Right;
use ibd_cpapi::id::Conid;
use ibd_cpapi::snapshot::{Field, Signs};
use ibd_pricing::Style;
use ibd_protocol::ErrorCode;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::asked::Asked;
use super::classes::{OneClass, one_class};
use super::ours::Ours;
use super::{Out, no_options, until};
use crate::contracts;
use crate::contracts::chain::{Chain, Listed, around};
use crate::contracts::expiry::Expiry;
use crate::contracts::hours;
use crate::market::{Freshness, Quote, Wanted};
use crate::refusal::{Refusal, Unserved};
use crate::session::Lease;
use crate::tools::Ctx;
use crate::tools::cell::{Cell, Time};

/// Decimal places.
const PRICE: u32 = 4;
const GREEK: u32 = 5;

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

/// One month of a chain, or one day of it, and the price that its strikes lie around.
pub(super) struct Month<'a> {
    pub(super) style: Style,
    pub(super) chain: Chain<'a>,
    pub(super) expiry: Expiry,
    pub(super) money: Option<Decimal>,
}

pub(super) async fn options(
    lease: &Lease,
    ctx: &Ctx,
    asked: &Asked,
    Month { style, chain, expiry, money }: Month<'_>,
    out: &mut Out,
) -> Result<(), Unserved> {
    let (month, today) = (expiry.month(), contracts::today());
    let strikes = match chain.strikes(&month).await {
        Ok(strikes) => strikes,
        // Its way of saying that there is no such month; or it has trouble.
        Err(failure @ (Failure::Refused { .. } | Failure::Trouble { .. })) => {
            let months = chain.months().await?;
            if months.contains(&month) {
                return Err(failure.into());
            }
            return Err(no_month(&asked.wish.symbol, &month, months).into());
        }
        Err(failure) => return Err(failure.into()),
    };
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
    // Away from the money a strike may not be listed for every day.
    if money.is_some() && unanswered == 0 {
        chain.note_days(&month, &days);
    }
    let day = expiry.day().or(days.first().copied()).filter(|day| days.contains(day));
    let day = day.ok_or_else(|| no_day(&asked.wish.symbol, expiry, &days))?;
    let listed: Vec<Listed> = all.into_iter().filter(|option| option.expiry == day).collect();
    let OneClass { class, options: mut listed, others } = one_class(listed, asked)?;
    if !others.is_empty() {
        out.warnings.push(format!(
            "Options of other trading classes end on this day, too: tradingClass {}.",
            others.join(", ")
        ));
        out.trading_class = class;
    }
    listed.sort_by(|one, other| {
        (one.strike, one.right.as_str()).cmp(&(other.strike, other.right.as_str()))
    });
    ctx.tell(2, None, "waiting for quotes and greeks");
    let quoted: Vec<Wanted> =
        listed.iter().map(|option| Wanted { conid: option.conid, is_option: true }).collect();
    let market = &ctx.desks.market;
    // They have one market, whatever their strikes.
    let first: Vec<Conid> = listed.first().map(|option| option.conid).into_iter().collect();
    let (found, markets) = tokio::join!(
        market.quotes(lease, &quoted, Freshness::Streamed, ctx.deadline),
        hours::open_now_of(lease, &ctx.desks.store, &first, ctx.deadline),
    );
    let (found, open) = (found?, markets.into_values().next());
    out.as_of = found.as_of.map_or(out.as_of, |at| Time(at.min(out.as_of.0)));
    let quotes: Vec<Quote> =
        listed.iter().map(|option| found.quote(option.conid, Signs::Positive)).collect();
    let of_ours = Ours::of(&listed, &quotes, money.zip(Some((day, style))));
    let (mut rows, mut data, mut lacking, mut ours) = (Vec::new(), Vec::new(), 0, Vec::new());
    for (option, quote) in listed.iter().zip(&quotes) {
        let sent = quote.number(Field::Delta);
        let own = sent.is_none().then(|| of_ours.as_ref()?.greeks(option, quote)).flatten();
        let delta = sent.or(own.map(|own| own.delta));
        lacking += usize::from(delta.is_none());
        data.push(quote.data.in_market(open).as_str());
        if asked.is_wanted(delta) {
            ours.extend(own.map(|_| option.conid));
            let number = |field, places| Cell::number(quote.number(field), places);
            let greek = |field, own: Option<Decimal>, places| {
                Cell::number(if sent.is_some() { quote.number(field) } else { own }, places)
            };
            rows.push([
                Cell::number(Some(option.strike), PRICE),
                Cell::text(Some(option.right.as_str())),
                Cell::number(Some(option.conid.get().into()), 0),
                Cell::number(quote.bid, PRICE),
                Cell::number(quote.ask, PRICE),
                Cell::number(quote.last, PRICE),
                greek(Field::ImpliedVolatility, own.map(|own| own.iv), 2),
                Cell::number(delta, GREEK),
                greek(Field::Gamma, own.map(|own| own.gamma), GREEK),
                greek(Field::Theta, own.map(|own| own.theta), GREEK),
                greek(Field::Vega, own.map(|own| own.vega), GREEK),
                number(Field::OpenInterest, 0),
                number(Field::Volume, 0),
            ]);
        }
    }
    if lacking > 0 {
        out.warnings.push(format!(
            "IBKR sent no greeks of {lacking} of {} options in time, and their prices do not tell them{}; ask again \
             in some seconds.",
            listed.len(),
            if asked.has_delta() { " (they are left out here)" } else { "" }
        ));
    }
    if asked.has_delta() {
        out.warnings.push(format!(
            "Deltas were looked for among {} strikes around the money{}.",
            asked.strikes,
            if asked.can_widen() { "; strikes takes more" } else { "" }
        ));
    }
    if money.is_none() {
        out.warnings.push(
            "The underlying has no price now: the strikes are those in the middle, not around the money."
                .to_owned(),
        );
    }
    out.expiry = Some(day.to_string());
    out.days = Some(until(day, today));
    out.other_expiries =
        days.iter().filter(|other| **other != day).map(ToString::to_string).collect();
    out.data = most(&data);
    (out.cols, out.rows) = (Some(COLS), Some(rows));
    out.greeks = Some(if ours.is_empty() { "IBKR" } else { "IBKR, and ibd those of computed" });
    out.computed = of_ours.filter(|_| !ours.is_empty()).map(|of_ours| of_ours.told(ours));
    Ok(())
}

/// The word that most of them say.
fn most(words: &[&'static str]) -> Option<&'static str> {
    let count = |word: &&str| words.iter().filter(|one| *one == word).count();
    words.iter().max_by_key(|word| count(word)).copied()
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
