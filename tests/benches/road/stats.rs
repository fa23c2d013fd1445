//! Samples in rounds: the median is a median of the rounds' medians, p99, min and max are
//! of all samples. Each benchmark uses its part.
#![allow(dead_code)]

use std::time::Duration;

use crate::table::{self, Row};

/// What was measured, by round.
#[derive(Debug, Clone, Default)]
pub(crate) struct Samples(Vec<Vec<Duration>>);

impl Samples {
    pub(crate) fn add(&mut self, round: Vec<Duration>) {
        self.0.push(round);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    pub(crate) fn p50(&self) -> Duration {
        let medians = self.0.iter().map(|round| rank(round.clone(), 50)).collect();
        rank(medians, 50)
    }

    pub(crate) fn p99(&self) -> Duration {
        rank(self.0.concat(), 99)
    }

    pub(crate) fn min(&self) -> Duration {
        self.0.concat().into_iter().min().unwrap_or_default()
    }

    pub(crate) fn max(&self) -> Duration {
        self.0.concat().into_iter().max().unwrap_or_default()
    }

    /// A row of the table; `floor` is a p50 of the same run.
    pub(crate) fn row(&self, name: &str, floor: Option<Duration>) -> Row {
        Row {
            name: name.to_owned(),
            count: self.count(),
            min: table::time(self.min()),
            p50: table::time(self.p50()),
            // Below this the last percentile is a maximum by another name.
            p99: if self.count() >= 30 { table::time(self.p99()) } else { "–".to_owned() },
            ratio: floor.map_or("–".to_owned(), |floor| table::ratio(self.p50(), floor)),
        }
    }
}

/// The nearest rank.
pub(crate) fn rank<T: Ord + Copy + Default>(mut all: Vec<T>, percent: usize) -> T {
    all.sort();
    let rank = (all.len() * percent).div_ceil(100).max(1);
    all.get(rank - 1).copied().unwrap_or_default()
}
