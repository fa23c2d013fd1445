//! What is shown in place of the truth, until a test ends it.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::book::{Order, Status};
use crate::state::World;
use crate::trading::Place;

/// Keys and their values.
pub(crate) type Fields = Map<String, Value>;

/// What is shown of an order.
#[derive(Debug, Clone)]
pub(crate) struct StatusMask {
    /// Any text.
    pub(crate) word: String,
    /// How much is shown as filled; the truth if missing.
    pub(crate) filled: Option<f64>,
}

/// Everything that is shown in place of the truth.
#[derive(Debug, Default)]
pub(crate) struct Masks {
    /// By order id.
    statuses: HashMap<i64, StatusMask>,
    /// By conid.
    quotes: HashMap<i64, Fields>,
    rules: HashMap<i64, Fields>,
    definitions: HashMap<i64, Fields>,
    /// Keys that ledgers lack.
    unledgered: Vec<String>,
}

impl Masks {
    /// Shows an order so from now on, or as it is.
    pub(crate) fn show_order(&mut self, order: i64, mask: Option<StatusMask>) {
        put(&mut self.statuses, order, mask);
    }

    /// Shows these fields of a quote so, or all as they are.
    pub(crate) fn show_quote(&mut self, conid: i64, fields: Option<Fields>) {
        put(&mut self.quotes, conid, fields);
    }

    /// The same for a contract's rules.
    pub(crate) fn show_rules(&mut self, conid: i64, fields: Option<Fields>) {
        put(&mut self.rules, conid, fields);
    }

    /// The same for its definition.
    pub(crate) fn show_definition(&mut self, conid: i64, fields: Option<Fields>) {
        put(&mut self.definitions, conid, fields);
    }

    /// Ledgers lack these keys from now on.
    pub(crate) fn cut_ledger(&mut self, keys: Vec<String>) {
        self.unledgered = keys;
    }

    /// What of a ledger's row is shown.
    pub(crate) fn ledger(&self, row: &mut Fields) {
        row.retain(|key, _| !self.unledgered.contains(key));
    }

    /// Fields of a quote, where they were asked for or are there anyway; null takes one away.
    pub(crate) fn quote(&self, conid: i64, asked: &[String], row: &mut Fields) {
        for (key, value) in self.quotes.get(&conid).into_iter().flatten() {
            if value.is_null() {
                row.remove(key);
            } else if asked.contains(key) || row.contains_key(key) {
                row.insert(key.clone(), value.clone());
            }
        }
    }

    /// A contract's rules.
    pub(crate) fn rules(&self, conid: i64, row: &mut Value) {
        for (key, value) in self.rules.get(&conid).into_iter().flatten() {
            row[key.as_str()] = value.clone();
        }
    }

    /// Whether the rules say that its price may be zero or less.
    pub(crate) fn may_be_negative(&self, conid: i64) -> bool {
        let rules = self.rules.get(&conid);
        rules.and_then(|rules| rules.get("negativeCapable")) == Some(&Value::Bool(true))
    }

    /// A contract's definition.
    pub(crate) fn definition(&self, conid: i64, row: &mut Fields) {
        row.extend(self.definitions.get(&conid).cloned().unwrap_or_default());
    }

    /// Another page about the contract, which has only some of the keys.
    pub(crate) fn details(&self, conid: i64, row: &mut Value) {
        for (key, value) in self.definitions.get(&conid).into_iter().flatten() {
            if let Some(old) = row.get_mut(key) {
                *old = value.clone();
            }
        }
    }
}

/// Sets what is shown, or ends it.
fn put<T>(all: &mut HashMap<i64, T>, key: i64, mask: Option<T>) {
    match mask {
        Some(mask) => drop(all.insert(key, mask)),
        None => drop(all.remove(&key)),
    }
}

/// An order as it is shown.
pub(crate) struct Shown<'a> {
    pub(crate) order: Cow<'a, Order>,
    /// The word for its status.
    pub(crate) word: String,
    /// That is none of the broker's words.
    pub(crate) is_unknown: bool,
}

impl Shown<'_> {
    /// It is not shown as it is.
    pub(crate) fn is_masked(&self) -> bool {
        matches!(self.order, Cow::Owned(_))
    }
}

impl World {
    /// An order as it is shown in this place.
    pub(crate) fn show<'a>(&self, order: &'a Order, place: Place) -> Shown<'a> {
        let Some(mask) = self.masks.statuses.get(&order.id) else {
            let word = self.chaos.spell(order.status.word(), order.id, place);
            return Shown { order: Cow::Borrowed(order), word, is_unknown: false };
        };
        let mut masked = order.clone();
        let status = Status::parse(&mask.word);
        masked.status = status.unwrap_or(order.status);
        if let Some(filled) = mask.filled {
            if order.filled <= 0.0 {
                masked.avg_price = self.own_price(order.id);
            }
            masked.filled = filled;
        }
        let (order, word) = (Cow::Owned(masked), mask.word.clone());
        Shown { order, word, is_unknown: status.is_none() }
    }
}
