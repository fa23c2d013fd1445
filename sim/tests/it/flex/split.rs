//! A share that became three: histories are in today's shares, executions in those of their day.

use serde_json::{Value, json};

use super::books::Books;
use super::{AGENT, Flex};

#[test]
fn bars_are_adjusted_for_a_split_and_executions_are_not() {
    let mut flex = Flex::quick(json!({}));
    let path = "/v1/api/iserver/marketdata/history?conid=13824&period=3y&bar=1d";
    let (status, text) = flex.0.ask(AGENT, "GET", path, "");
    assert_eq!(status, 200, "{text}");
    let history: Value = serde_json::from_str(&text).unwrap();
    let bars = history["data"].as_array().unwrap();
    let number = |bar: &Value, key: &str| bar[key].as_f64().unwrap();
    for pair in bars.windows(2) {
        let change = number(&pair[1], "o") / number(&pair[0], "c");
        assert!((0.9..1.1).contains(&change), "nothing jumps by itself: {pair:?}");
    }
    let text = flex.statement("1001&fd=20231215&td=20241201");
    let books = Books::all(&text);
    let trades: Vec<_> = books[0].of("Trade").filter(|t| t.get("symbol") == "WMT").collect();
    assert!(!trades.is_empty());
    for trade in trades {
        let day = &trade.get("dateTime")[..8];
        let is_day = |bar: &&Value| {
            let at = jiff::Timestamp::from_millisecond(bar["t"].as_i64().unwrap()).unwrap();
            at.strftime("%Y%m%d").to_string() == day
        };
        let bar = bars.iter().find(is_day).unwrap_or_else(|| panic!("no bar of {day}"));
        let paid: f64 = trade.get("tradePrice").parse().unwrap();
        let (low, high) = (number(bar, "l") * 3.0 - 0.05, number(bar, "h") * 3.0 + 0.05);
        assert!((low..=high).contains(&paid), "{paid} is not in {low} to {high} on {day}");
    }
}
