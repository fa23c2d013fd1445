//! What was held and asked for lately, for completions: it may be lost, and it is no answer to anything. Kept apart by
//! where it came from, as contracts are.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ibd_cpapi::id::Conid;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::store::Store;

/// Contracts that were asked for are remembered up to this number, the latest ones.
const MOST: usize = 60;
/// What is older than this is nothing that somebody types again.
const MEMORY: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A contract as a person names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its symbol; of an option or future the underlying's.
    pub symbol: String,
    /// IBKR's number of it.
    pub conid: Conid,
    /// The day on which it ends, of what does, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<Date>,
}

/// What is known of one login.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// By account, as its positions were last read.
    #[serde(default)]
    pub held: BTreeMap<String, Vec<Named>>,
    /// The latest first.
    #[serde(default)]
    pub asked: Vec<Named>,
    /// Names of alerts by account, as they were last read.
    #[serde(default)]
    pub alerts: BTreeMap<String, Vec<String>>,
}

/// All of it. Clones share it.
#[derive(Debug, Clone)]
pub struct Recent {
    store: Store,
    /// By where it came from.
    known: Arc<Mutex<HashMap<String, Known>>>,
}

impl Recent {
    /// What was remembered here before.
    pub fn new(store: Store) -> Self {
        Self { store, known: Arc::default() }
    }

    /// What is known of a login.
    pub fn known(&self, source: &str) -> Known {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(source.to_owned()).or_insert_with(|| self.remembered(source)).clone()
    }

    /// An account holds these.
    pub fn held(&self, source: &str, account: &str, held: Vec<Named>) {
        self.change(source, |known| known.holds(account, held));
    }

    /// Somebody asked for this.
    pub fn asked(&self, source: &str, named: Named) {
        self.change(source, |known| known.asks(named));
    }

    /// An account has alerts of these names.
    pub fn alerts(&self, source: &str, account: &str, names: Vec<String>) {
        self.change(source, |known| {
            known.alerts.insert(account.to_owned(), names);
        });
    }

    fn change(&self, source: &str, change: impl FnOnce(&mut Known)) {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.entry(source.to_owned()).or_insert_with(|| self.remembered(source));
        let before = known.clone();
        change(known);
        if *known != before {
            let _ = self.store.remember(&key(source), known);
        }
    }

    fn remembered(&self, source: &str) -> Known {
        self.store.recall(&key(source), MEMORY).unwrap_or_default()
    }
}

fn key(source: &str) -> String {
    format!("recent/{source}")
}

impl Known {
    fn holds(&mut self, account: &str, held: Vec<Named>) {
        self.held.insert(account.to_owned(), held);
    }

    fn asks(&mut self, named: Named) {
        self.asked.retain(|one| one.conid != named.conid);
        self.asked.insert(0, named);
        self.asked.truncate(MOST);
    }

    /// What one account holds, or all; then what was asked for.
    pub fn names(&self, account: Option<&str>) -> impl Iterator<Item = &Named> {
        let held = self.held.iter().filter(move |(of, _)| account.is_none_or(|one| one == *of));
        held.flat_map(|(_, held)| held).chain(&self.asked)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn named(symbol: &str, conid: u32) -> Named {
        let conid = conid.to_string().parse().unwrap();
        Named { symbol: symbol.to_owned(), conid, expiry: None }
    }

    fn symbols(known: &Known, account: Option<&str>) -> Vec<String> {
        known.names(account).map(|named| named.symbol.clone()).collect()
    }

    #[test]
    fn what_is_held_comes_first_then_what_was_asked_for_last() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path()).unwrap();
        let recent = Recent::new(store.clone());
        for (symbol, conid) in [("MSFT", 2), ("IBM", 3), ("MSFT", 2)] {
            recent.asked("sim/a", named(symbol, conid));
        }
        recent.held("sim/a", "DU1", vec![named("AAPL", 1)]);
        recent.held("sim/a", "DU2", vec![named("SAP", 4)]);
        let known = recent.known("sim/a");
        assert_eq!(symbols(&known, None), ["AAPL", "SAP", "MSFT", "IBM"]);
        assert_eq!(symbols(&known, Some("DU2")), ["SAP", "MSFT", "IBM"]);
        // Another login's is not this one's, and the next daemon still knows it.
        assert_eq!(recent.known("ibkr/a"), Known::default());
        assert_eq!(Recent::new(store).known("sim/a"), known);
    }

    #[test]
    fn only_the_latest_are_remembered() {
        let mut known = Known::default();
        for conid in 1..=100 {
            known.asks(named("X", conid));
        }
        assert_eq!(known.asked.len(), MOST);
        assert_eq!(known.asked[0], named("X", 100));
    }
}
