//! What was dealt in one contract: executions by order and day, and dividends.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{accounts, base, body, count, digits};
use crate::flex::{Deal, Gain, Past};
use crate::http::{Call, Reply};
use crate::market::round_to;
use crate::state::World;

/// Days that are told of if the request does not say.
const USUAL_DAYS: i64 = 90;
/// The most: all that there is is younger.
const MOST_DAYS: i64 = 3650;

/// Whose rows, in which contract, and in what they are converted.
struct About<'a> {
    account: &'a str,
    conid: i64,
    currency: &'a str,
}

/// `POST /pa/transactions {"acctIds":[…],"conids":[265598],"currency":"USD","days":90}`, one contract at a time.
pub(super) fn answer(world: &World, call: &Call) -> Result<Reply, Reply> {
    let body = body(call, &["acctIds", "conids", "currency", "days"])?;
    let ids = accounts(world, body)?;
    let conid = conid(body.get("conids"))?;
    let days = days(body.get("days"))?;
    let currency = match body.get("currency") {
        None => base(world, &ids),
        Some(currency) => currency.as_str().unwrap_or_default(),
    };
    if world.rate(currency, "USD").is_none() {
        return Err(Reply::bad_request("currency is not valid"));
    }
    let (mut rows, mut gained, mut sum) = (Vec::new(), Vec::new(), 0.0);
    let mut range = None;
    for id in &ids {
        let Some(past) = Past::of(world, id) else { continue };
        let about = About { account: id, conid, currency };
        let from = past.today.checked_sub(days.days()).unwrap_or(past.today);
        range = Some((from, past.today));
        let (deals, gains) = past.deals(conid, from);
        rows.extend(deals.iter().map(|deal| (deal.day, row(&past, &about, deal))));
        for gain in by_day(gains) {
            let rate = past.rate(&gain.currency, currency, gain.day);
            sum += gain.amount * rate;
            gained.push((gain.day, gain_row(&about, &gain, rate)));
        }
    }
    rows.sort_by_key(|(day, _)| *day);
    gained.sort_by_key(|(day, _)| *day);
    let only = |rows: Vec<(Date, Value)>| rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>();
    let (from, to) = range.unwrap_or_default();
    Ok(Reply::json(&json!({
        "rc": 0,
        "nd": count(from, to),
        "rpnl": { "data": only(gained), "amt": text(sum) },
        "currency": currency,
        "from": midnight(from),
        "id": "getTransactions",
        "to": midnight(to),
        "includesRealTime": true,
        "transactions": only(rows),
    })))
}

/// The one contract; its number may be text.
fn conid(list: Option<&Value>) -> Result<i64, Reply> {
    let list = list.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let [one] = list else {
        return Err(Reply::bad_request("conids: one contract at a time"));
    };
    let number = one.as_i64().or_else(|| one.as_str()?.parse().ok());
    number.ok_or_else(|| Reply::bad_request("conids are not valid"))
}

fn days(value: Option<&Value>) -> Result<i64, Reply> {
    let Some(value) = value else { return Ok(USUAL_DAYS) };
    let days = value.as_i64().filter(|days| (0..=MOST_DAYS).contains(days));
    days.ok_or_else(|| Reply::bad_request("days is not valid"))
}

fn row(past: &Past<'_>, about: &About<'_>, deal: &Deal) -> Value {
    let rate = past.rate(&deal.currency, about.currency, deal.day);
    json!({
        "date": written(deal.day),
        "rawDate": digits(deal.day),
        "cur": deal.currency,
        "fxRate": round_to(rate, 8),
        "pr": round_to(deal.price, 8),
        "qty": deal.quantity,
        "acctid": about.account,
        "amt": round_to(deal.amount, 4),
        "conid": about.conid,
        "type": deal.kind,
        "desc": deal.name,
    })
}

/// The contract's number is text here.
fn gain_row(about: &About<'_>, gain: &Gain, rate: f64) -> Value {
    json!({
        "date": digits(gain.day),
        "cur": gain.currency,
        "fxRate": round_to(rate, 8),
        "side": if gain.amount < 0.0 { "L" } else { "G" },
        "acctid": about.account,
        "amt": text(gain.amount),
        "conid": about.conid.to_string(),
    })
}

/// One row for each day.
fn by_day(gains: Vec<Gain>) -> Vec<Gain> {
    let mut days: Vec<Gain> = Vec::new();
    for gain in gains {
        match days.last_mut().filter(|last| last.day == gain.day) {
            Some(last) => last.amount += gain.amount,
            None => days.push(gain),
        }
    }
    days
}

/// An amount as text: `0.0`, `12.25`.
fn text(amount: f64) -> String {
    format!("{:?}", round_to(amount, 4))
}

/// `Fri Oct 30 00:00:00 EDT 2026`.
fn written(day: Date) -> String {
    let zone = TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC);
    let midnight = day.to_zoned(zone);
    midnight.map(|at| at.strftime("%a %b %d %H:%M:%S %Z %Y").to_string()).unwrap_or_default()
}

/// The day's beginning in UTC, epoch milliseconds.
fn midnight(day: Date) -> i64 {
    day.to_zoned(TimeZone::UTC).map_or(0, |at| at.timestamp().as_millisecond())
}
