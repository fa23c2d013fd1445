//! What one websocket subscribed to. It dies with the socket, and with the brokerage session.

mod charts;
mod ladders;
mod money;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::api::socket as words;
use crate::book::News;
use crate::clock::DAY_MS;
use crate::state::World;
use charts::Charts;
use ladders::Ladders;
use money::{Money, Page};

/// The broker ends quotes after this long (simulated milliseconds).
const QUOTES_END_MS: i64 = 900_000;
/// Sent with every quote, changed or not.
const ENVELOPE: [&str; 6] = ["topic", "conid", "conidEx", "server_id", "6119", "_updated"];

/// One socket's subscriptions.
#[derive(Debug, Default)]
pub(crate) struct Feeds {
    /// The brokerage session that they belong to.
    generation: u64,
    /// Number of the next change to tell, for orders and for trades.
    orders: Option<u64>,
    trades: Option<u64>,
    quotes: BTreeMap<String, Quotes>,
    charts: Charts,
    ladders: Ladders,
    money: Money,
}

/// Quotes of one contract.
#[derive(Debug, Default)]
struct Quotes {
    conid: i64,
    fields: BTreeSet<String>,
    since: i64,
    /// Step of the market that was told last.
    step: i64,
    told: Map<String, Value>,
}

impl Feeds {
    /// Takes what a client said; the answer is what it gets at once. Unknown topics are ignored.
    pub(crate) fn hear(&mut self, world: &World, text: &str) -> Vec<Value> {
        self.forget_old(world);
        if !world.session.is_established(world.now()) {
            return Vec::new();
        }
        let (topic, rest) = text.split_once('+').unwrap_or((text, ""));
        let next = world.book.log.next();
        match topic {
            "sor" => self.orders = Some(next),
            "uor" => self.orders = None,
            "str" => return self.begin_trades(world, rest),
            "utr" => self.trades = None,
            "smd" => return self.begin_quotes(world, rest),
            "smh" => return self.charts.begin(world, rest),
            "umh" => return self.charts.end(rest),
            "sbd" => return self.ladders.begin(world, rest),
            "ubd" => self.ladders.end(rest),
            "spl" => return self.money.begin_pnl(world),
            "upl" => self.money.end_pnl(),
            "ssd" => return self.money.begin(world, Page::Summary, rest),
            "usd" => return self.money.end(Page::Summary, rest),
            "sld" => return self.money.begin(world, Page::Ledger, rest),
            "uld" => return self.money.end(Page::Ledger, rest),
            "umd" => {
                self.quotes.remove(rest.split('+').next().unwrap_or_default());
            }
            _ => {}
        }
        Vec::new()
    }

    /// First nothing, then what happened already, then what happens.
    fn begin_trades(&mut self, world: &World, rest: &str) -> Vec<Value> {
        let Some(wanted) = arguments(rest) else { return vec![words::bad_subscription("str")] };
        let mut frames = vec![json!({ "topic": "str", "args": [] })];
        self.trades = Some(world.book.log.next());
        let days = wanted.get("days").and_then(Value::as_i64).unwrap_or(1);
        if wanted.get("realtimeUpdatesOnly") != Some(&Value::Bool(true)) {
            let from_ms = world.clock.now_ms() - days * DAY_MS;
            let past = world.book.trades.iter().filter(|trade| trade.at_ms >= from_ms);
            frames.extend(past.filter_map(|trade| words::trade(world, trade)));
        }
        frames
    }

    /// Asking again adds fields.
    fn begin_quotes(&mut self, world: &World, rest: &str) -> Vec<Value> {
        let (key, rest) = rest.split_once('+').unwrap_or((rest, ""));
        let conid = key.split('@').next().and_then(|conid| conid.parse().ok());
        let (Some(conid), Some(wanted)) = (conid, arguments(rest)) else {
            return vec![words::bad_subscription("smd")];
        };
        let fields = wanted.get("fields").and_then(Value::as_array);
        let fields = fields.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        let quotes = self.quotes.entry(key.to_owned()).or_default();
        quotes.fields.extend(fields);
        (quotes.conid, quotes.since, quotes.step) = (conid, world.now(), i64::MIN);
        self.quotes(world)
    }

    /// What happened since the last look.
    pub(crate) fn news(&mut self, world: &World) -> Vec<Value> {
        self.forget_old(world);
        let mut frames = Vec::new();
        let next = world.book.log.next();
        if let Some(from) = moved(&mut self.orders, next) {
            let told = world.book.log.since(from).filter(|_| !world.session.primed.is_silenced);
            frames.extend(told.filter_map(|news| words::order(world, news)));
        }
        if let Some(from) = moved(&mut self.trades, next) {
            let told = world.book.log.since(from).filter_map(|news| match news {
                News::Trade(trade) => words::trade(world, trade),
                _ => None,
            });
            frames.extend(told);
        }
        frames.extend(self.quotes(world));
        frames.extend(self.charts.news(world));
        frames.extend(self.ladders.news(world));
        frames.extend(self.money.news(world));
        frames
    }

    /// Quotes that changed: the envelope and what is another value than before.
    fn quotes(&mut self, world: &World) -> Vec<Value> {
        let (now, step) = (world.now(), world.market.step(world.clock.now_ms()));
        self.quotes.retain(|_, quotes| now - quotes.since < QUOTES_END_MS);
        let mut frames = Vec::new();
        for (key, quotes) in &mut self.quotes {
            if quotes.step == step {
                continue;
            }
            quotes.step = step;
            let full = words::quote(world, (key, quotes.conid), &quotes.fields);
            let changed = |(name, value): &(String, Value)| {
                ENVELOPE.contains(&name.as_str()) || quotes.told.get(name) != Some(value)
            };
            let frame: Map<String, Value> = full.clone().into_iter().filter(changed).collect();
            if frame.len() > ENVELOPE.len() {
                frames.push(Value::Object(frame));
            }
            quotes.told = full;
        }
        frames
    }

    /// Another brokerage session, or none, knows nothing of what was subscribed to.
    fn forget_old(&mut self, world: &World) {
        let generation = world.session.generation;
        if self.generation != generation || !world.session.is_authenticated() {
            *self = Self { generation, ..Self::default() };
        }
    }
}

/// The part of a subscription in braces, which may be missing.
fn arguments(text: &str) -> Option<Value> {
    if text.is_empty() {
        return Some(json!({}));
    }
    serde_json::from_str(text).ok().filter(Value::is_object)
}

/// Moves a cursor that is there; the answer is where it was.
fn moved(cursor: &mut Option<u64>, next: u64) -> Option<u64> {
    cursor.as_mut().map(|cursor| std::mem::replace(cursor, next))
}
