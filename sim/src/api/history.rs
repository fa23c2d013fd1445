//! Bars of the past.

use jiff::Timestamp;
use jiff::civil::{DateTime, Weekday};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::clock::{DAY_MS, utc};
use crate::http::{Call, Reply};
use crate::instruments::Instrument;
use crate::market::round_to;
use crate::state::World;

/// The most bars in one reply.
const MOST: usize = 1000;
const MINUTE_MS: i64 = 60_000;
/// Regular hours of exchanges that close, minutes of the day in UTC; good enough for a simulator.
const REGULAR: std::ops::Range<i64> = 870..1260;
/// The same outside regular hours.
const EXTENDED: std::ops::Range<i64> = 540..1440;
/// Shortest and longest bar (minutes) allowed for periods of at least so many minutes.
const BARS: [(i64, i64, i64); 10] = [
    (0, 1, 480),
    (7 * 1440, 10, 10_080),
    (30 * 1440, 60, 43_200),
    (90 * 1440, 120, 43_200),
    (180 * 1440, 240, 43_200),
    (365 * 1440, 480, 43_200),
    (730 * 1440, 1440, 43_200),
    (1095 * 1440, 1440, 43_200),
    (1461 * 1440, 10_080, 43_200),
    (5475 * 1440, 10_080, 43_200),
];

/// What was asked for, understood.
struct Asked {
    period: String,
    minutes: i64,
    bar: i64,
    end_ms: i64,
    outside: bool,
    mid_only: bool,
}

pub(super) fn route(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    (call.method == "GET" && path == ["iserver", "marketdata", "history"])
        .then(|| history(world, call))
}

fn history(world: &World, call: &Call) -> Reply {
    let asked = match understand(world, call) {
        Ok(asked) => asked,
        Err(refusal) => return refusal,
    };
    let conid = call.param("conid").and_then(|c| c.parse().ok());
    let found = conid.and_then(|conid| world.universe.get(conid));
    let Some(instrument) = found else { return Reply::error(500, "No data.") };
    let bars = bars(world, instrument, &asked);
    if bars.is_empty() {
        return Reply::error(500, "No data.");
    }
    Reply::json(&show(instrument, &asked, &bars)).delayed(world.rules.history_millis)
}

fn understand(world: &World, call: &Call) -> Result<Asked, Reply> {
    if call.param("conid").is_none() {
        return Err(Reply::bad_request("conid is required"));
    }
    let period = call.param("period").unwrap_or("1w");
    let minutes =
        period_minutes(period).ok_or_else(|| Reply::bad_request("period is not valid"))?;
    let bar = match call.param("bar") {
        None => default_bar(minutes),
        Some(bar) => bar_minutes(bar).ok_or_else(|| Reply::bad_request("bar is not valid"))?,
    };
    let (_, least, most) =
        BARS.iter().rev().find(|(from, _, _)| minutes >= *from).copied().unwrap_or(BARS[0]);
    let most = most.max(if minutes >= 1440 { 1440 } else { 0 });
    if bar < least || bar > most {
        return Err(Reply::error(500, "Bar size is not valid for this period"));
    }
    let end_ms = end(world, call, minutes)?;
    let (outside, source) = (call.flag("outsideRth"), call.param("source").unwrap_or("Trades"));
    let mid_only = matches!(source, "Midpoint" | "Bid_Ask");
    Ok(Asked { period: period.to_owned(), minutes, bar, end_ms, outside, mid_only })
}

/// The end of the period: now, `startTime`, or with `direction=1` that much after it.
fn end(world: &World, call: &Call, minutes: i64) -> Result<i64, Reply> {
    let now = world.clock.now_ms();
    let Some(text) = call.param("startTime") else { return Ok(now) };
    let parsed = DateTime::strptime("%Y%m%d-%H:%M:%S", text)
        .ok()
        .and_then(|at| at.to_zoned(TimeZone::UTC).ok());
    let from = parsed
        .ok_or_else(|| Reply::bad_request("startTime is not valid"))?
        .timestamp()
        .as_millisecond();
    let end = if call.param("direction") == Some("1") { from + minutes * MINUTE_MS } else { from };
    Ok(end.min(now))
}

/// Number and unit of `15min`, `2h`, `1d`, …
fn split(text: &str) -> Option<(i64, &str)> {
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(at);
    Some((number.parse().ok()?, unit))
}

fn period_minutes(text: &str) -> Option<i64> {
    let (number, unit) = split(text)?;
    let (most, each) = match unit {
        "min" => (30, 1),
        "h" => (8, 60),
        "d" => (1000, 1440),
        "w" => (792, 7 * 1440),
        "m" => (182, 30 * 1440),
        "y" => (15, 365 * 1440),
        _ => return None,
    };
    (1..=most).contains(&number).then_some(number * each)
}

fn bar_minutes(text: &str) -> Option<i64> {
    const ALLOWED: [&str; 15] = [
        "1min", "2min", "3min", "5min", "10min", "15min", "30min", "1h", "2h", "3h", "4h", "8h",
        "1d", "1w", "1m",
    ];
    if !ALLOWED.contains(&text) {
        return None;
    }
    let (number, unit) = split(text)?;
    let each = match unit {
        "min" => 1,
        "h" => 60,
        "d" => 1440,
        "w" => 7 * 1440,
        _ => 30 * 1440,
    };
    Some(number * each)
}

fn default_bar(minutes: i64) -> i64 {
    match minutes {
        0..10_080 => 1,
        10_080..43_200 => 15,
        43_200..129_600 => 60,
        129_600..525_600 => 1440,
        525_600..1_576_800 => 1440,
        _ => 10_080,
    }
}

/// One bar: start, open, high, low, close, volume.
struct Bar {
    at: i64,
    open: f64,
    high: f64,
    low: f64,
    close: f64,
    volume: f64,
}

/// Walks back from the end, over open times only, until the period is full.
fn bars(world: &World, of: &Instrument, asked: &Asked) -> Vec<Bar> {
    let step = asked.bar * MINUTE_MS;
    let wanted = wanted(of, asked);
    let oldest = asked.end_ms - asked.minutes * MINUTE_MS - 7 * DAY_MS;
    let mut at = (asked.end_ms - 1).div_euclid(step) * step;
    let mut bars = Vec::new();
    while bars.len() < wanted && at >= oldest {
        if is_open(of, asked, at) {
            bars.push(bar(world, of, asked, at));
        }
        at -= step;
    }
    bars.reverse();
    bars
}

/// How many bars the period has.
fn wanted(of: &Instrument, asked: &Asked) -> usize {
    let days = asked.minutes / 1440;
    let count = if asked.bar >= 7 * 1440 || days == 0 {
        asked.minutes / asked.bar
    } else {
        let trading_days = days - days / 7 * 2;
        let hours = if asked.outside { EXTENDED } else { REGULAR };
        let minutes = if closes(of) { hours.end - hours.start } else { 1440 };
        trading_days * if asked.bar >= 1440 { 1 } else { minutes / asked.bar }
    };
    usize::try_from(count).unwrap_or(1).clamp(1, MOST)
}

/// Futures and currencies trade around the clock here.
fn closes(of: &Instrument) -> bool {
    !(of.is("FUT") || of.is("CASH"))
}

fn is_open(of: &Instrument, asked: &Asked, at_ms: i64) -> bool {
    let Ok(at) = Timestamp::from_millisecond(at_ms) else { return false };
    if asked.bar >= 7 * 1440 {
        return true;
    }
    if matches!(at.to_zoned(TimeZone::UTC).weekday(), Weekday::Saturday | Weekday::Sunday) {
        return false;
    }
    let minute = at_ms.rem_euclid(DAY_MS) / MINUTE_MS;
    let hours = if asked.outside { EXTENDED } else { REGULAR };
    asked.bar >= 1440 || !closes(of) || (minute + asked.bar > hours.start && minute < hours.end)
}

fn bar(world: &World, of: &Instrument, asked: &Asked, at: i64) -> Bar {
    let last = (at + asked.bar * MINUTE_MS - 500).min(world.clock.now_ms());
    let price = |n: i64| world.market.price(&world.universe, of, at + (last - at) * n / 4);
    let path: Vec<f64> = (0..=4).map(price).collect();
    let (open, close) = (path.first().copied().unwrap_or(0.0), path.last().copied().unwrap_or(0.0));
    Bar {
        at,
        open,
        high: path.iter().copied().fold(open, f64::max),
        low: path.iter().copied().fold(open, f64::min),
        close,
        volume: if asked.mid_only { 0.0 } else { world.market.bar_volume(of.conid, at, asked.bar) },
    }
}

fn show(of: &Instrument, asked: &Asked, bars: &[Bar]) -> Value {
    let start = bars.first().map_or(0, |b| b.at);
    let factor = 10f64.powi(i32::try_from(of.decimals()).unwrap_or(2));
    let extreme = |pick: fn(&Bar) -> f64, beats: fn(f64, f64) -> bool| {
        let best =
            bars.iter().reduce(|best, bar| if beats(pick(bar), pick(best)) { bar } else { best });
        best.map(|b| format!("{:.0}/{}/{}", pick(b) * factor, b.volume, (b.at - start) / MINUTE_MS))
            .unwrap_or_default()
    };
    let row = |b: &Bar| json!({ "o": b.open, "c": b.close, "h": b.high, "l": b.low, "v": b.volume, "t": b.at });
    json!({
        "serverId": (of.conid % 100_000).to_string(),
        "symbol": of.symbol,
        "text": of.name,
        "priceFactor": round_to(factor, 0) as i64,
        "startTime": utc(start, "%Y%m%d-%H:%M:%S"),
        "high": extreme(|b| b.high, |a, b| a > b),
        "low": extreme(|b| b.low, |a, b| a < b),
        "timePeriod": asked.period,
        "barLength": asked.bar * 60,
        "mdAvailability": "S",
        "mktDataDelay": 0,
        "outsideRth": asked.outside,
        "tradingDayDuration": if closes(of) { 390 } else { 1440 },
        "volumeFactor": 1,
        "priceDisplayRule": 1,
        "priceDisplayValue": of.decimals().to_string(),
        "chartAnnotations": "",
        "negativeCapable": false,
        "messageVersion": 2,
        "data": bars.iter().map(row).collect::<Vec<_>>(),
        "points": bars.len() - 1,
        "travelTime": 48,
    })
}
