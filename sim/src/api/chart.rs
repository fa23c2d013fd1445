//! Histories in the broker's words: periods and lengths of bars, and the reply that REST and websocket share.

use serde_json::{Map, Value, json};

use crate::bars::{Bar, DAY, Source, WEEK, Wanted};
use crate::clock::utc;
use crate::hours::{Hours, Part};
use crate::instruments::Instrument;
use crate::market::round_to;

const MINUTE_MS: i64 = 60_000;
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

/// What a reply says besides its bars.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) of: &'a Instrument,
    pub(crate) wanted: &'a Wanted,
    /// The period in the words of whoever asked.
    pub(crate) period: &'a str,
    pub(crate) server: &'a str,
}

/// Number and unit of `15min`, `2h`, `1d`, …
fn split(text: &str) -> Option<(i64, &str)> {
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(at);
    Some((number.parse().ok()?, unit))
}

/// How many minutes a period has; `None` if there is no such period.
pub(crate) fn period_minutes(text: &str) -> Option<i64> {
    let (number, unit) = split(text)?;
    let (most, each) = match unit {
        "min" => (30, 1),
        "h" => (8, 60),
        "d" => (1000, DAY),
        "w" => (792, WEEK),
        "m" => (182, 30 * DAY),
        "y" => (15, 365 * DAY),
        _ => return None,
    };
    (1..=most).contains(&number).then_some(number * each)
}

/// How many minutes a bar has; `None` if there is no such bar.
pub(crate) fn bar_minutes(text: &str) -> Option<i64> {
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
        "d" => DAY,
        "w" => WEEK,
        _ => 30 * DAY,
    };
    Some(number * each)
}

/// The bar of a period for which none was asked.
pub(crate) fn default_bar(minutes: i64) -> i64 {
    match minutes {
        0..10_080 => 1,
        10_080..43_200 => 15,
        43_200..129_600 => 60,
        129_600..1_576_800 => DAY,
        _ => WEEK,
    }
}

/// Whether a period may be cut into such bars.
pub(crate) fn is_allowed(minutes: i64, bar: i64) -> bool {
    let (_, least, most) =
        BARS.iter().rev().find(|(from, _, _)| minutes >= *from).copied().unwrap_or(BARS[0]);
    let most = most.max(if minutes >= DAY { DAY } else { 0 });
    (least..=most).contains(&bar)
}

/// What bars are made of, in words of either side; `None` for any other word.
pub(crate) fn source(word: &str) -> Option<Source> {
    Some(match word.to_ascii_lowercase().as_str() {
        "trades" | "last" | "t" => Source::Trades,
        "midpoint" | "m" => Source::Midpoint,
        "bid_ask" => Source::BidAsk,
        "bid" | "b" => Source::Bid,
        "ask" | "a" => Source::Ask,
        _ => return None,
    })
}

/// A whole history. There is at least one bar.
pub(crate) fn show(head: &Head<'_>, bars: &[Bar]) -> Map<String, Value> {
    let Head { of, wanted, period, server } = *head;
    let start = bars.first().map_or(0, |b| b.at);
    let factor = 10f64.powi(i32::try_from(of.decimals()).unwrap_or(2));
    let extreme = |pick: fn(&Bar) -> f64, beats: fn(f64, f64) -> bool| {
        let best =
            bars.iter().reduce(|best, bar| if beats(pick(bar), pick(best)) { bar } else { best });
        best.map(|b| format!("{:.0}/{}/{}", pick(b) * factor, b.volume, (b.at - start) / MINUTE_MS))
            .unwrap_or_default()
    };
    let reply = json!({
        "serverId": server,
        "symbol": of.symbol,
        "text": of.name,
        "priceFactor": round_to(factor, 0) as i64,
        "startTime": utc(start, "%Y%m%d-%H:%M:%S"),
        "high": extreme(|b| b.high, |a, b| a > b),
        "low": extreme(|b| b.low, |a, b| a < b),
        "timePeriod": period,
        "barLength": wanted.bar * 60,
        "mdAvailability": "S",
        "mktDataDelay": 0,
        "outsideRth": wanted.part == Part::Extended,
        "tradingDayDuration": Hours::of(of).minutes(Part::Regular),
        "volumeFactor": 1,
        "priceDisplayRule": 1,
        "priceDisplayValue": of.decimals().to_string(),
        "chartAnnotations": "",
        "negativeCapable": false,
        "messageVersion": 2,
        "data": bars.iter().map(row).collect::<Vec<_>>(),
        "points": bars.len().saturating_sub(1),
        "travelTime": 48,
    });
    match reply {
        Value::Object(reply) => reply,
        _ => Map::new(),
    }
}

/// One bar.
pub(crate) fn row(bar: &Bar) -> Value {
    json!({
        "o": bar.open, "c": bar.close, "h": bar.high, "l": bar.low, "v": bar.volume as f64, "t": bar.at,
    })
}
