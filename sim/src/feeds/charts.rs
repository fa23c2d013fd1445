//! Histories that go on: the whole first, then the bars that changed. They end by the id that the server gave
//! them; the contract's number ends nothing.

use serde_json::{Map, Value, json};

use super::arguments;
use crate::api::chart::{self, Head};
use crate::api::socket as words;
use crate::bars::{Bar, Source, Wanted};
use crate::hours::Part;
use crate::state::World;

/// Histories of one socket at once.
const MOST: usize = 5;
/// Between two looks at a history (simulated milliseconds).
const PAUSE_MS: i64 = 1000;
/// What is sent if nothing, or nonsense, was asked for.
const PERIOD: &str = "1d";
/// All that a bar can tell besides its time.
const LETTERS: &str = "ochlv";

/// The histories of one socket.
#[derive(Debug, Default)]
pub(super) struct Charts(Vec<Chart>);

/// One of them.
#[derive(Debug)]
struct Chart {
    server: String,
    /// As it was asked for, perhaps with an exchange.
    key: String,
    conid: i64,
    wanted: Wanted,
    letters: String,
    /// The last bar that was told, and when it is looked at next (simulated milliseconds).
    told: Option<Bar>,
    due: i64,
}

impl Charts {
    /// Begins one: the answer is all of it.
    pub(super) fn begin(&mut self, world: &World, rest: &str) -> Vec<Value> {
        let (key, rest) = rest.split_once('+').unwrap_or((rest, ""));
        let conid = key.split('@').next().and_then(|conid| conid.parse().ok());
        let of = conid.and_then(|conid| world.universe.get(conid));
        let (Some(of), Some(asked)) = (of, arguments(rest)) else {
            return vec![words::bad_subscription("smh")];
        };
        if self.0.len() >= MOST {
            return vec![json!({ "topic": "error", "error": "smh: too many histories at once" })];
        }
        let wanted = understand(&asked, world.clock.now_ms());
        let server = format!("{}-{}", 1000 + world.next_number(), of.conid % 10_000);
        let bars = world.bars(of, &wanted);
        let period = format!("{}s", wanted.minutes * 60);
        let head = Head { of, wanted: &wanted, period: &period, server: &server };
        let mut frame = Map::new();
        frame.insert("topic".to_owned(), json!(format!("smh+{key}")));
        frame.extend(chart::show(&head, &bars));
        let chart = Chart {
            server,
            key: key.to_owned(),
            conid: of.conid,
            wanted,
            letters: letters(&asked),
            told: bars.last().copied(),
            due: world.now() + PAUSE_MS,
        };
        frame.insert("data".to_owned(), chart.rows(&bars));
        self.0.push(chart);
        vec![Value::Object(frame)]
    }

    /// Ends one by the server's id. What is no such id ends nothing and is not answered.
    pub(super) fn end(&mut self, rest: &str) -> Vec<Value> {
        let server = rest.split('+').next().unwrap_or_default();
        let Some(at) = self.0.iter().position(|chart| chart.server == server) else {
            return Vec::new();
        };
        let ended = self.0.remove(at);
        vec![json!({ "message": format!("Unsubscribed {}", ended.server) })]
    }

    /// The bars that changed since they were told.
    pub(super) fn news(&mut self, world: &World) -> Vec<Value> {
        self.0.iter_mut().filter_map(|chart| chart.news(world)).collect()
    }
}

impl Chart {
    fn news(&mut self, world: &World) -> Option<Value> {
        if world.now() < self.due {
            return None;
        }
        self.due = world.now() + PAUSE_MS;
        let of = world.universe.get(self.conid)?;
        let (bar, end_ms) = (self.wanted.bar, world.clock.now_ms());
        // Not the whole again: the bar that was the last, and what came after it.
        let mut late = Wanted { minutes: bar * 2, end_ms, ..self.wanted.clone() };
        if let Some(told) = self.told {
            late.minutes = late.minutes.max((end_ms - told.at) / 60_000 + bar);
        }
        let mut bars = world.bars(of, &late);
        let told = self.told;
        bars.retain(|bar| told.is_none_or(|told| bar.at >= told.at && *bar != told));
        self.told = Some(*bars.last()?);
        Some(json!({
            "topic": format!("smh+{}", self.key), "serverId": self.server, "symbol": of.symbol,
            "data": self.rows(&bars), "points": bars.len() - 1,
        }))
    }

    /// Bars with what was asked for of each.
    fn rows(&self, bars: &[Bar]) -> Value {
        let row = |bar: &Bar| {
            let mut row = chart::row(bar);
            if let Value::Object(row) = &mut row {
                row.retain(|key, _| key == "t" || self.letters.contains(key.as_str()));
            }
            row
        };
        Value::Array(bars.iter().map(row).collect())
    }
}

/// What cannot be understood is taken as if it had not been said.
fn understand(asked: &Value, end_ms: i64) -> Wanted {
    let text = |key: &str| asked.get(key).and_then(Value::as_str);
    let usual = || chart::period_minutes(PERIOD);
    let minutes = text("period").and_then(chart::period_minutes).or_else(usual).unwrap_or(1440);
    let bar = text("bar").and_then(chart::bar_minutes);
    let bar = bar.filter(|bar| chart::is_allowed(minutes, *bar));
    let outside = asked.get("outsideRth") == Some(&Value::Bool(true));
    Wanted {
        minutes,
        bar: bar.unwrap_or_else(|| chart::default_bar(minutes)),
        end_ms,
        part: if outside { Part::Extended } else { Part::Regular },
        source: text("source").and_then(chart::source).unwrap_or(Source::Trades),
    }
}

/// The letters of `%o/%c/%h/%l`; all if there are none.
fn letters(asked: &Value) -> String {
    let format = asked.get("format").and_then(Value::as_str).unwrap_or_default();
    let known: String = format.chars().filter(|letter| LETTERS.contains(*letter)).collect();
    if known.is_empty() { LETTERS.to_owned() } else { known }
}
