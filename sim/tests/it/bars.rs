//! Histories say what quotes say.

use serde_json::Value;

use crate::harness::World;
use crate::hours::{frozen, quote};
use crate::tickets::APPLE;

/// One in the afternoon in New York on a Wednesday, and a Sunday.
const OPEN: &str = "2026-11-25T18:00:00Z";
const SUNDAY: &str = "2026-11-22T16:00:00Z";
const SIEMENS: i64 = 14_217;

async fn bars(world: &World, conid: i64, rest: &str) -> Vec<Value> {
    let path = format!("/iserver/marketdata/history?conid={conid}&{rest}");
    world.json(&path).await["data"].as_array().unwrap().clone()
}

fn shown(quote: &Value, field: &str) -> f64 {
    let text = quote[field].as_str().unwrap_or_else(|| panic!("{field}: {quote}"));
    text.trim_start_matches('C').parse().unwrap()
}

fn number(bar: &Value, key: &str) -> f64 {
    bar[key].as_f64().unwrap()
}

#[tokio::test]
async fn the_bar_of_a_day_is_what_its_quote_says() {
    for (now, hours) in [(OPEN, "open"), (OPEN, "real"), (SUNDAY, "open"), (SUNDAY, "real")] {
        let world = frozen(now, hours).await;
        for conid in [APPLE, SIEMENS] {
            let quote = quote(&world, conid).await;
            let days = bars(&world, conid, "period=1m&bar=1d").await;
            let (today, yesterday) = (&days[days.len() - 1], &days[days.len() - 2]);
            for (key, field) in
                [("o", "7295"), ("h", "70"), ("l", "71"), ("c", "31"), ("v", "7762")]
            {
                let about = format!("{key} of {conid} at {now}, {hours}");
                assert_eq!(number(today, key), shown(&quote, field), "{about}");
            }
            assert_eq!(number(yesterday, "c"), shown(&quote, "7741"), "{conid} at {now}, {hours}");
        }
    }
}

#[tokio::test]
async fn the_minutes_of_a_day_make_its_bar() {
    let world = frozen(OPEN, "real").await;
    let day = bars(&world, APPLE, "period=1w&bar=1d").await.pop().unwrap();
    for bar in ["1min", "5min", "1h"] {
        let all = bars(&world, APPLE, &format!("period=1d&bar={bar}")).await;
        let from = number(&day, "t");
        let parts: Vec<&Value> = all.iter().filter(|part| number(part, "t") >= from).collect();
        let of = |key: &str| parts.iter().map(|part| number(part, key)).collect::<Vec<_>>();
        assert_eq!(number(parts[0], "o"), number(&day, "o"), "{bar}");
        assert_eq!(number(parts[parts.len() - 1], "c"), number(&day, "c"), "{bar}");
        assert_eq!(of("h").into_iter().fold(f64::MIN, f64::max), number(&day, "h"), "{bar}");
        assert_eq!(of("l").into_iter().fold(f64::MAX, f64::min), number(&day, "l"), "{bar}");
        assert_eq!(of("v").into_iter().sum::<f64>(), number(&day, "v"), "{bar}");
    }
}

#[tokio::test]
async fn bars_keep_the_hours_of_their_exchange() {
    let world = frozen(OPEN, "real").await;
    let utc = |bar: &Value| {
        let at = jiff::Timestamp::from_millisecond(bar["t"].as_i64().unwrap()).unwrap();
        at.strftime("%H:%M").to_string()
    };
    for (conid, first, count) in [(APPLE, "14:30", 7), (SIEMENS, "08:00", 8)] {
        let hours = bars(&world, conid, "period=1w&bar=1h").await;
        let opening = hours.iter().position(|bar| utc(bar) == first).unwrap();
        let next = hours.iter().skip(opening + 1).position(|bar| utc(bar) == first).unwrap() + 1;
        assert_eq!(next, count, "bars of a day of {conid}");
    }
    let around = bars(&world, APPLE, "period=1d&bar=1h&outsideRth=true").await;
    assert!(around.iter().any(|bar| utc(bar) == "09:00"), "four in the morning in New York");
}

#[tokio::test]
async fn bid_and_ask_are_beside_the_trades() {
    let world = frozen(OPEN, "real").await;
    let last = |source: &'static str| {
        let world = &world;
        async move {
            bars(world, APPLE, &format!("period=1d&bar=1h&source={source}")).await.pop().unwrap()
        }
    };
    let (trades, both, middle) =
        (last("Trades").await, last("Bid_Ask").await, last("Midpoint").await);
    let tick = |a: f64, b: f64| ((a - b) * 100.0).round();
    assert_eq!(tick(number(&both, "h"), number(&trades, "h")), 1.0);
    assert_eq!(tick(number(&trades, "l"), number(&both, "l")), 1.0);
    assert_eq!(tick(number(&both, "c"), number(&both, "o")), 2.0, "average ask over average bid");
    assert_eq!((number(&both, "v"), number(&middle, "v")), (0.0, 0.0));
    assert_eq!(middle["c"], trades["c"]);
}
