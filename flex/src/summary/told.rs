//! Sums as a summary tells them: each once, by kind and currency. Levels of detail show the same things more or less
//! closely, so that each of their sums would stand there several times.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::Total;
use crate::cell::Cell;

/// Levels whose sums are told before those of others: what happened, before what it was put together to.
const LEVELS: [&str; 6] =
    ["EXECUTION", "ORDER", "DETAIL", "CLOSED_LOT", "SYMBOL_SUMMARY", "SUMMARY"];

/// Sums of one level.
#[derive(Debug, Serialize)]
struct Table<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    level: &'a str,
    cols: Vec<&'a str>,
    rows: Vec<Vec<Cell>>,
}

/// For `#[serde(serialize_with = "told::once")]`.
pub(super) fn once<S: Serializer>(totals: &[Total], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(tables(totals))
}

/// Each amount at the best level that has it: one table a level that is the best of any.
fn tables(totals: &[Total]) -> Vec<Table<'_>> {
    let mut best: BTreeMap<&str, &str> = BTreeMap::new();
    for total in totals {
        let level = best.entry(&total.field).or_insert(&total.level);
        if rank(&total.level) < rank(level) {
            *level = &total.level;
        }
    }
    let mut levels: Vec<&str> = best.values().copied().collect();
    levels.sort_by_key(|level| (rank(level), *level));
    levels.dedup();
    let is_of = |total: &&Total, level: &str| best.get(total.field.as_str()) == Some(&level);
    levels
        .into_iter()
        .map(|level| {
            let own = totals.iter().filter(|total| total.level == level && is_of(total, level));
            table(level, &own.collect::<Vec<_>>())
        })
        .collect()
}

fn rank(level: &str) -> usize {
    LEVELS.iter().position(|one| *one == level).unwrap_or(LEVELS.len())
}

fn table<'a>(level: &'a str, totals: &[&'a Total]) -> Table<'a> {
    let (mut fields, mut keys): (Vec<&str>, Vec<(&str, &str)>) = Default::default();
    for total in totals {
        let key = (total.kind.as_str(), total.currency.as_str());
        if !fields.contains(&total.field.as_str()) {
            fields.push(&total.field);
        }
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let has_kinds = keys.iter().any(|(kind, _)| !kind.is_empty());
    let rows = keys.iter().map(|(kind, currency)| {
        let sum = |field: &&str| {
            let is_it =
                |t: &&&Total| t.field == *field && t.kind == *kind && t.currency == *currency;
            totals.iter().find(is_it).map_or(Cell::Missing, |total| Cell::Number(total.sum))
        };
        let about = has_kinds.then_some(*kind).into_iter().chain([*currency]);
        about.map(|text| Cell::Text(text.to_owned())).chain(fields.iter().map(sum)).collect()
    });
    let rows = rows.collect();
    let about = has_kinds.then_some("type").into_iter().chain(["currency"]);
    Table { level, cols: about.chain(fields).collect(), rows }
}
