//! Which statements can go.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Entry;

/// What is to be kept. Each rule removes on its own; `None` removes nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keep {
    /// Only the newest of the same query, accounts and days.
    pub newest: bool,
    /// What came at this time or later.
    pub since: Option<Timestamp>,
    /// So many compressed bytes in all; the oldest statements go first.
    pub bytes: Option<u64>,
}

/// What has to go so that `keep` is true, oldest first. Nothing is removed by this.
pub fn prune(entries: &[Entry], keep: &Keep) -> Vec<Entry> {
    let mut gone = BTreeSet::new();
    if keep.newest {
        gone.extend(superseded(entries).into_iter().map(|entry| entry.file));
    }
    if let Some(since) = keep.since {
        let old = entries.iter().filter(|entry| entry.added < since);
        gone.extend(old.map(|entry| entry.file.clone()));
    }
    let mut by_age: Vec<&Entry> = entries.iter().collect();
    by_age.sort_by(|a, b| (a.age(), &a.file).cmp(&(b.age(), &b.file)));
    if let Some(most) = keep.bytes {
        let mut left: u64 = entries
            .iter()
            .filter(|entry| !gone.contains(&entry.file))
            .map(|entry| entry.packed)
            .sum();
        for entry in &by_age {
            if left <= most {
                break;
            }
            if gone.insert(entry.file.clone()) {
                left -= entry.packed;
            }
        }
    }
    by_age.into_iter().filter(|entry| gone.contains(&entry.file)).cloned().collect()
}

/// What a newer edition makes needless: the same query, accounts and days, and nothing in it that
/// the newer one lacks.
pub fn superseded(entries: &[Entry]) -> Vec<Entry> {
    let is_needless = |old: &&Entry| {
        entries.iter().any(|new| {
            let is_later = new.age() > old.age() || (new.age() == old.age() && new.file > old.file);
            is_later && new.is_newer_edition_of(old) && new.has_all_of(old)
        })
    };
    entries.iter().filter(is_needless).cloned().collect()
}
