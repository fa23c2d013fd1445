//! Which contracts are followed, and what is known of each. Pure.
//!
//! IBKR lets one user follow so many contracts at once, by stream or by snapshot; each takes a line. A line lives as
//! long as somebody wants it and some minutes longer, and is given up sooner only for another one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use ibd_cpapi::id::Conid;
use ibd_cpapi::snapshot::Row;

/// Lines that IBKR gives a user without boosters.
pub(super) const LINES: usize = 100;
/// A line that nobody asked for in this time is given up.
const KEPT: Duration = Duration::from_secs(5 * 60);
/// A line that was asked for so recently is not given up for another one: its caller may still wait.
const IN_USE: Duration = Duration::from_secs(5);
/// What the stream has not said a word about for so long is looked at again: a subscription can end in silence.
const FRESH: Duration = Duration::from_secs(60);
/// What has not come in this time after a line was opened will not be waited for again.
const YOUNG: Duration = Duration::from_millis(3_500);

/// From where a row came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// By itself, over the websocket.
    Stream,
    /// Because it was asked for.
    Snapshot,
}

/// One contract that is followed.
#[derive(Debug, Clone)]
struct Line {
    /// All that was told of it.
    row: Option<Row>,
    opened: Instant,
    wanted: Instant,
    heard: Option<Instant>,
    /// The stream told of it, and has not broken since.
    is_streaming: bool,
}

/// The lines of one brokerage session.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines {
    lines: BTreeMap<Conid, Line>,
    epoch: u64,
}

/// What became of a wish.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Granted {
    /// Contracts that are followed from now on.
    pub(super) opened: usize,
    /// Contracts for which there is no line: all are in use.
    pub(super) refused: Vec<Conid>,
}

impl Lines {
    /// Another session: nothing is known, and nothing followed.
    pub(super) fn begin(&mut self, epoch: u64) {
        if self.epoch != epoch {
            *self = Self { epoch, ..Self::default() };
        }
    }

    /// Somebody wants these now. Where all lines are taken, the ones that were wanted longest ago give way.
    pub(super) fn want(&mut self, conids: &[Conid], now: Instant) -> Granted {
        for conid in conids {
            if let Some(line) = self.lines.get_mut(conid) {
                line.wanted = now;
            }
        }
        let mut granted = Granted::default();
        for conid in conids {
            if self.lines.contains_key(conid) {
                continue;
            }
            if self.lines.len() >= LINES && !self.give_way(now) {
                granted.refused.push(*conid);
                continue;
            }
            let line =
                Line { row: None, opened: now, wanted: now, heard: None, is_streaming: false };
            self.lines.insert(*conid, line);
            granted.opened += 1;
        }
        granted
    }

    fn give_way(&mut self, now: Instant) -> bool {
        let longest = self.lines.iter().min_by_key(|(_, line)| line.wanted);
        let idle = longest.filter(|(_, line)| now.duration_since(line.wanted) > IN_USE);
        idle.map(|(conid, _)| *conid).is_some_and(|conid| self.lines.remove(&conid).is_some())
    }

    /// Something was told of a contract.
    pub(super) fn heard(&mut self, row: Row, from: Source, now: Instant) {
        let Some(line) = self.lines.get_mut(&row.conid) else { return };
        line.is_streaming |= from == Source::Stream && row.has_data();
        line.heard = Some(now);
        match &mut line.row {
            Some(known) => known.merge(row),
            None => line.row = Some(row),
        }
    }

    /// The stream broke: what it did not tell meanwhile nobody knows.
    pub(super) fn gap(&mut self) {
        for line in self.lines.values_mut() {
            line.is_streaming = false;
        }
    }

    /// What is known of a contract.
    pub(super) fn row(&self, conid: Conid) -> Option<&Row> {
        self.lines.get(&conid)?.row.as_ref()
    }

    /// Whether what is known of a contract is what IBKR would say now. `is_whole`: nothing more is expected of it.
    pub(super) fn is_warm(
        &self,
        conid: Conid,
        now: Instant,
        is_whole: impl Fn(&Row) -> bool,
    ) -> bool {
        self.lines.get(&conid).is_some_and(|line| {
            let is_fresh = line.heard.is_some_and(|at| now.duration_since(at) < FRESH);
            let is_old = now.duration_since(line.opened) > YOUNG;
            line.is_streaming && is_fresh && (is_old || line.row.as_ref().is_some_and(is_whole))
        })
    }

    /// Gives up what nobody has asked for in a while.
    pub(super) fn sweep(&mut self, now: Instant) {
        self.lines.retain(|_, line| now.duration_since(line.wanted) < KEPT);
    }

    /// All that are followed.
    pub(super) fn conids(&self) -> BTreeSet<Conid> {
        self.lines.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn conid(number: usize) -> Conid {
        (number + 1).to_string().parse().unwrap()
    }

    fn row(number: usize, values: &str) -> Row {
        let json = format!(r#"{{"conid":{},"_updated":1790000000123{values}}}"#, conid(number));
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn a_line_is_warm_while_the_stream_tells_of_it() {
        let (mut lines, start) = (Lines::default(), Instant::now());
        lines.want(&[conid(0)], start);
        let warm = |lines: &Lines, after: u64| {
            lines.is_warm(conid(0), start + Duration::from_secs(after), |_| true)
        };
        assert!(!warm(&lines, 0), "nothing has come");
        lines.heard(row(0, r#","31":"9""#), Source::Snapshot, start);
        assert!(!warm(&lines, 1), "it was asked once, and nobody tells of changes");
        lines.heard(row(0, ""), Source::Stream, start);
        assert!(warm(&lines, 59));
        assert!(!warm(&lines, 61), "too long without a word");
        lines.gap();
        assert!(!warm(&lines, 1), "the stream broke");
        lines.begin(7);
        assert_eq!(lines.row(conid(0)), None, "another session");
    }

    #[test]
    fn who_comes_last_takes_the_line_that_was_wanted_longest_ago() {
        let (mut lines, start) = (Lines::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        let first: Vec<Conid> = (0..LINES).map(conid).collect();
        assert_eq!(lines.want(&first, start).opened, LINES);
        // All of them may still be waited for.
        assert_eq!(lines.want(&[conid(200)], after(1)).refused, [conid(200)]);
        lines.want(&first[1..], after(10));
        assert_eq!(lines.want(&[conid(200)], after(11)), Granted { opened: 1, refused: vec![] });
        let followed = lines.conids();
        assert!(followed.contains(&conid(200)) && !followed.contains(&conid(0)));
        assert_eq!(followed.len(), LINES);
    }

    #[test]
    fn what_nobody_asks_for_is_given_up() {
        let (mut lines, start) = (Lines::default(), Instant::now());
        lines.want(&[conid(0), conid(1)], start);
        lines.want(&[conid(1)], start + Duration::from_secs(200));
        lines.sweep(start + Duration::from_secs(301));
        assert_eq!(lines.conids(), BTreeSet::from([conid(1)]));
    }
}
