//! What an account is worth, told again and again: profit and loss, summary, ledger. The whole first, then what
//! changed.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::arguments;
use crate::api::money as facts;
use crate::api::socket as words;
use crate::state::World;

/// Between two frames of profit and loss, and of a page (simulated milliseconds).
const PNL_MS: i64 = 1000;
const PAGE_MS: i64 = 10_000;
/// A row of the summary that is sent every time: clients tell accounts apart by it.
const ALWAYS: &str = "AccountCode";
/// What rows say whatever fields were asked for.
const ENVELOPE: [&str; 3] = ["severity", "acctCode", "secondKey"];

/// Which page of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Page {
    Summary,
    Ledger,
}

impl Page {
    /// The topic that begins it.
    fn topic(self) -> &'static str {
        match self {
            Self::Summary => "ssd",
            Self::Ledger => "sld",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Ledger => "ledger",
        }
    }
}

/// The subscriptions of one socket.
#[derive(Debug, Default)]
pub(super) struct Money {
    pnl: Option<Pnl>,
    pages: BTreeMap<(Page, String), Asked>,
}

/// Profit and loss.
#[derive(Debug, Default)]
struct Pnl {
    /// Simulated milliseconds.
    due: i64,
    told: Map<String, Value>,
}

/// A page of one account. Without keys or fields all are meant.
#[derive(Debug)]
struct Asked {
    keys: Vec<String>,
    fields: Vec<String>,
    /// Simulated milliseconds.
    due: i64,
    told: Map<String, Value>,
}

impl Money {
    /// Begins with profit and loss, or begins anew.
    pub(super) fn begin_pnl(&mut self, world: &World) -> Vec<Value> {
        self.pnl = Some(Pnl { due: world.now(), told: Map::new() });
        self.news(world)
    }

    /// Nothing confirms that it is over.
    pub(super) fn end_pnl(&mut self) {
        self.pnl = None;
    }

    /// Begins with a page, or begins anew.
    pub(super) fn begin(&mut self, world: &World, page: Page, rest: &str) -> Vec<Value> {
        let (account, rest) = rest.split_once('+').unwrap_or((rest, ""));
        let wanted = arguments(rest).filter(|_| world.account(account).is_some());
        let Some(wanted) = wanted else { return vec![words::bad_subscription(page.topic())] };
        let texts = |key: &str| -> Vec<String> {
            let list = wanted.get(key).and_then(Value::as_array);
            list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let (keys, fields) = (texts("keys"), texts("fields"));
        let asked = Asked { keys, fields, due: world.now(), told: Map::new() };
        self.pages.insert((page, account.to_owned()), asked);
        self.news(world)
    }

    /// Ends a page, which is confirmed, whether or not it was there.
    pub(super) fn end(&mut self, page: Page, rest: &str) -> Vec<Value> {
        let account = rest.split('+').next().unwrap_or_default();
        self.pages.remove(&(page, account.to_owned()));
        vec![json!({ "result": format!("unsubscribed from {}", page.name()) })]
    }

    /// What is due.
    pub(super) fn news(&mut self, world: &World) -> Vec<Value> {
        let mut frames: Vec<Value> = Vec::new();
        frames.extend(self.pnl.as_mut().and_then(|pnl| pnl.news(world)));
        for ((page, account), asked) in &mut self.pages {
            frames.extend(asked.news(world, (*page, account.as_str())));
        }
        frames
    }
}

impl Pnl {
    /// The row of the selected account: all of it first, then what is another number than before.
    fn news(&mut self, world: &World) -> Option<Value> {
        if world.now() < self.due {
            return None;
        }
        self.due = world.now() + PNL_MS;
        let account = world.selected()?;
        let row = facts::pnl(world, account);
        let is_news = |(key, value): &(String, Value)| self.told.get(key) != Some(value);
        let mut changed: Map<String, Value> = row.clone().into_iter().filter(is_news).collect();
        self.told = row;
        if changed.is_empty() {
            return None;
        }
        changed.insert("rowType".to_owned(), json!(1));
        let args = json!({ format!("{}.Core", account.id): changed });
        Some(json!({ "topic": "spl", "args": args }))
    }
}

impl Asked {
    fn news(&mut self, world: &World, (page, account): (Page, &str)) -> Option<Value> {
        if world.now() < self.due {
            return None;
        }
        self.due = world.now() + PAGE_MS;
        let owner = world.account(account)?;
        let rows = match page {
            Page::Summary => facts::summary(world, owner),
            Page::Ledger => facts::ledger(world, owner),
        };
        let at = world.clock.now_ms() / 1000;
        let mut result: Vec<Value> = Vec::new();
        for (key, mut row) in rows {
            if !self.keys.is_empty() && !self.keys.contains(&key) {
                continue;
            }
            row.retain(|field, _| self.wants(field));
            let row = Value::Object(row);
            let is_news = key == ALWAYS || self.told.get(&key) != Some(&row);
            result.push(shown((&key, at), is_news.then_some(&row)));
            self.told.insert(key, row);
        }
        Some(json!({ "topic": format!("{}+{account}", page.topic()), "result": result }))
    }

    /// Clients write some fields in other letters than the broker does.
    fn wants(&self, field: &str) -> bool {
        self.fields.is_empty()
            || ENVELOPE.contains(&field)
            || self.fields.iter().any(|wanted| wanted.eq_ignore_ascii_case(field))
    }
}

/// A row; what did not change is only named.
fn shown((key, at): (&str, i64), row: Option<&Value>) -> Value {
    let mut shown = Map::new();
    shown.insert("key".to_owned(), json!(key));
    shown.insert("timestamp".to_owned(), json!(at));
    if let Some(Value::Object(row)) = row {
        shown.extend(row.clone());
    }
    Value::Object(shown)
}
