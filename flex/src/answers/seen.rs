//! Tells rows that an earlier statement had already.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::fields::{Field, Item};

/// What was in the statements read before. With one statement nothing is kept.
#[derive(Debug, Default)]
pub(super) struct Seen {
    is_needed: bool,
    before: HashSet<u64>,
    /// Of the statement being read: it is not compared with itself, since what it says twice happened
    /// twice.
    now: Vec<u64>,
    /// How often the statement being read said the same thing.
    times: HashMap<u64, u64>,
    repeated: u64,
}

/// Each is one execution's or one booking's alone.
pub(super) const IDS: [Field; 3] = [Field::TransactionId, Field::TradeId, Field::ExecId];

impl Seen {
    pub(super) fn of(statements: usize) -> Self {
        Self { is_needed: statements > 1, ..Self::default() }
    }

    /// Another statement begins.
    pub(super) fn begin(&mut self) {
        self.before.extend(self.now.drain(..));
        self.times.clear();
    }

    /// Rows that were passed over.
    pub(super) fn repeated(&self) -> u64 {
        self.repeated
    }

    /// Whether an earlier statement had the row. `text` is all that it says.
    pub(super) fn is_repeated(&mut self, item: &Item<'_>, level: &str, text: &str) -> bool {
        if !self.is_needed {
            return false;
        }
        let keys = self.keys(item, level, text);
        let is_repeated = keys.iter().any(|key| self.before.contains(key));
        self.repeated += u64::from(is_repeated);
        self.now.extend(keys);
        is_repeated
    }

    fn keys(&mut self, item: &Item<'_>, level: &str, text: &str) -> Vec<u64> {
        let account = item.account();
        // Lots carry the ids of the trade that closed them, and share them.
        let has_ids = matches!(level, "EXECUTION" | "DETAIL" | "");
        let ids: Vec<u64> = IDS
            .iter()
            .filter(|_| has_ids)
            .filter_map(|field| {
                let id = item.text(*field)?;
                Some(hash((item.section, level, &*account, *field as usize, &*id)))
            })
            .collect();
        if !ids.is_empty() {
            return ids;
        }
        let whole = hash((item.section, level, &*account, text));
        let times = self.times.entry(whole).or_default();
        *times += 1;
        vec![hash((whole, *times))]
    }
}

fn hash(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
