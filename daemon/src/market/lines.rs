//! Which contracts are followed, and what is known of each. Pure.
//!
//! IBKR lets one user follow so many contracts at once, by stream or by snapshot; each takes a line. A line lives as
//! long as somebody wants it and some minutes longer, and is given up sooner only for another one. What is held is
//! followed for as long as it is held, through sessions and breaks, and gives way to nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use ibd_cpapi::id::Conid;
use ibd_cpapi::snapshot::{Field, Row};

use super::followers::Followers;

/// Lines that IBKR gives a user without boosters.
pub(super) const LINES: usize = 100;
/// A line that nobody asked for in this time is given up.
const KEPT: Duration = Duration::from_secs(5 * 60);
/// What the stream has not said a word about for so long is looked at again: a subscription can end in silence.
const FRESH: Duration = Duration::from_secs(15);
/// What is followed and was not heard of for so long is looked at: whoever follows it does not ask.
const SILENT: Duration = Duration::from_secs(60);
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
    /// When the stream last did.
    streamed: Option<Instant>,
    /// It was asked for and answered with data, and the stream has not broken since: what the stream tells are changes.
    is_asked: bool,
    /// The stream told of it, and has not broken since.
    is_streaming: bool,
}

impl Line {
    /// Nothing was heard of it for too long.
    fn is_silent(&self, now: Instant) -> bool {
        now.duration_since(self.heard.unwrap_or(self.opened)) >= SILENT
    }
}

/// The lines of one brokerage session.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines {
    lines: BTreeMap<Conid, Line>,
    /// Those of the followed contracts of which each word is heard.
    held: BTreeSet<Conid>,
    epoch: u64,
    /// Who wants to be told. It outlives sessions.
    pub(super) followers: Followers,
}

impl Lines {
    /// Another session: nothing is known, and nothing has a line but what somebody follows.
    pub(super) fn begin(&mut self, epoch: u64, now: Instant) {
        if self.epoch != epoch {
            (self.epoch, self.lines) = (epoch, BTreeMap::new());
            self.want(&self.followers.live(), now);
        }
    }

    /// From now on these are held, and no others.
    pub(super) fn hold(&mut self, conids: BTreeSet<Conid>, now: Instant) {
        self.held.difference(&conids).for_each(|gone| self.followers.release(*gone));
        conids.difference(&self.held).for_each(|new| self.followers.hold(*new));
        self.held = conids;
        self.want(&self.followers.live(), now);
    }

    /// Whether a contract is held.
    pub(super) fn is_held(&self, conid: Conid) -> bool {
        self.held.contains(&conid)
    }

    /// Somebody wants these now; whether any of them was not followed. Where all lines are taken, those that were
    /// wanted longest ago give way: whoever asks for few things is served beside whoever asks for many.
    pub(super) fn want(&mut self, conids: &[Conid], now: Instant) -> bool {
        for conid in conids {
            if let Some(line) = self.lines.get_mut(conid) {
                line.wanted = now;
            }
        }
        let mut is_more = false;
        for conid in conids {
            if self.lines.contains_key(conid) {
                continue;
            }
            if self.lines.len() >= LINES {
                self.give_way(conids);
            }
            // What does not fit at once is not followed; a snapshot tells of it.
            if self.lines.len() >= LINES {
                break;
            }
            let line = Line {
                row: None,
                opened: now,
                wanted: now,
                heard: None,
                streamed: None,
                is_asked: false,
                is_streaming: false,
            };
            self.lines.insert(*conid, line);
            is_more = true;
        }
        is_more
    }

    fn give_way(&mut self, to: &[Conid]) {
        let may_go = |conid: &Conid| !to.contains(conid) && !self.followers.is_live(*conid);
        let others = self.lines.iter().filter(|(conid, _)| may_go(conid));
        let longest = others.min_by_key(|(_, line)| line.wanted).map(|(conid, _)| *conid);
        if let Some(conid) = longest {
            self.lines.remove(&conid);
        }
    }

    /// Something was told of a contract. Whether that shows that its subscription has ended in silence: prices have
    /// moved, and the stream has long said nothing.
    #[must_use]
    pub(super) fn heard(&mut self, row: &Row, from: Source, now: Instant) -> bool {
        let Some(line) = self.lines.get_mut(&row.conid) else { return false };
        let mut has_ended = false;
        // An answer without data, as the first one of a session is, says nothing of what is known.
        if row.has_data() {
            match from {
                Source::Stream => (line.is_streaming, line.streamed) = (true, Some(now)),
                Source::Snapshot => {
                    line.is_asked = true;
                    let is_silent = line.streamed.is_none_or(|at| now.duration_since(at) >= FRESH);
                    has_ended = line.is_streaming
                        && is_silent
                        && line.row.as_ref().is_some_and(|known| has_moved(known, row));
                    line.is_streaming &= !has_ended;
                }
            }
            line.heard = Some(now);
        }
        match &mut line.row {
            Some(known) => known.merge(row),
            None => line.row = Some(row.clone()),
        }
        has_ended
    }

    /// The stream broke: what it did not tell meanwhile nobody knows, nor which of the old values still stand.
    pub(super) fn gap(&mut self) {
        for line in self.lines.values_mut() {
            (line.row, line.heard, line.streamed) = (None, None, None);
            (line.is_asked, line.is_streaming) = (false, false);
        }
    }

    /// What is known of a contract.
    pub(super) fn row(&self, conid: Conid) -> Option<&Row> {
        self.lines.get(&conid)?.row.as_ref()
    }

    /// When something was last heard of a contract.
    pub(super) fn heard_at(&self, conid: Conid) -> Option<Instant> {
        self.lines.get(&conid)?.heard
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
            line.is_streaming
                && line.is_asked
                && is_fresh
                && (is_old || line.row.as_ref().is_some_and(is_whole))
        })
    }

    /// Whether somebody follows a contract of which this says anything else than was known.
    pub(super) fn is_news(&self, row: &Row) -> bool {
        if !self.followers.is_live(row.conid) || !row.has_data() {
            return false;
        }
        let line = self.lines.get(&row.conid);
        line.is_some_and(|line| line.row.as_ref().is_none_or(|known| known.is_changed_by(row)))
    }

    /// Contracts that are followed and that nothing was heard of for too long.
    pub(super) fn silent(&self, now: Instant) -> Vec<Conid> {
        let followed = self.lines.iter().filter(|(conid, _)| self.followers.is_live(**conid));
        followed.filter(|(_, line)| line.is_silent(now)).map(|(conid, _)| *conid).collect()
    }

    /// Gives up what nobody follows, or has asked for in a while; what is followed and found no line finds one now.
    pub(super) fn sweep(&mut self, now: Instant) {
        let followers = &self.followers;
        self.lines.retain(|conid, line| {
            followers.is_live(*conid) || now.duration_since(line.wanted) < KEPT
        });
        self.want(&self.followers.live(), now);
    }

    /// All that are followed.
    pub(super) fn conids(&self) -> BTreeSet<Conid> {
        self.lines.keys().copied().collect()
    }
}

/// Whether a price is another one than was known.
fn has_moved(known: &Row, told: &Row) -> bool {
    [Field::Last, Field::Bid, Field::Ask].into_iter().any(|field| {
        let told = told.text(field);
        told.is_some() && told != known.text(field)
    })
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
        let heard = |lines: &mut Lines, row: Row, from: Source, after: u64| {
            lines.heard(&row, from, start + Duration::from_secs(after))
        };
        assert!(!heard(&mut lines, row(0, r#","31":"9""#), Source::Snapshot, 0));
        assert!(!warm(&lines, 1), "it was asked once, and nobody tells of changes");
        heard(&mut lines, row(0, ""), Source::Stream, 0);
        assert!(warm(&lines, 14));
        assert!(!warm(&lines, 16), "too long without a word");
        lines.gap();
        assert!(!warm(&lines, 1), "the stream broke");
        assert_eq!(lines.row(conid(0)), None, "an old bid may be gone");
        let stub = serde_json::from_str(r#"{"conid":1}"#).unwrap();
        heard(&mut lines, stub, Source::Snapshot, 0);
        assert_eq!(lines.heard_at(conid(0)), None, "an empty answer confirms nothing");
        lines.begin(7, start);
        assert_eq!(lines.row(conid(0)), None, "another session");
    }

    #[test]
    fn a_subscription_that_ended_in_silence_shows_by_a_price_that_moved() {
        let (mut lines, start) = (Lines::default(), Instant::now());
        lines.want(&[conid(0)], start);
        let mut heard = |last: &str, from, after: u64| {
            let row = row(0, &format!(r#","31":"{last}""#));
            lines.heard(&row, from, start + Duration::from_secs(after))
        };
        assert!(!heard("9", Source::Snapshot, 0));
        assert!(!heard("9", Source::Stream, 1));
        assert!(!heard("10", Source::Snapshot, 2), "the stream has not had its time yet");
        assert!(!heard("10", Source::Snapshot, 20), "nothing has moved, so nothing was to be told");
        assert!(heard("11", Source::Snapshot, 40));
        assert!(!heard("12", Source::Snapshot, 41), "it is said once");
        assert!(!lines.is_warm(conid(0), start + Duration::from_secs(41), |_| true));
        let row = row(0, r#","31":"12""#);
        assert!(!lines.heard(&row, Source::Stream, start + Duration::from_secs(42)));
        assert!(lines.is_warm(conid(0), start + Duration::from_secs(43), |_| true));
    }

    #[test]
    fn who_comes_last_takes_the_line_that_was_wanted_longest_ago() {
        let (mut lines, start) = (Lines::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        let first: Vec<Conid> = (0..LINES).map(conid).collect();
        assert!(lines.want(&first, start));
        assert!(!lines.want(&first[1..], after(10)), "they are followed");
        assert!(lines.want(&[conid(200)], after(11)));
        let followed = lines.conids();
        assert!(followed.contains(&conid(200)) && !followed.contains(&conid(0)));
        // What is wanted in one go does not push itself out.
        let others: Vec<Conid> = (300..300 + LINES).map(conid).collect();
        lines.want(&others, after(12));
        assert_eq!(lines.conids(), others.iter().copied().collect());
        let more: Vec<Conid> = (300..310 + LINES).map(conid).collect();
        lines.want(&more, after(13));
        assert_eq!(lines.conids().len(), LINES, "no more than there are");
    }

    #[test]
    fn what_is_followed_keeps_its_line_and_its_news_is_what_was_not_known() {
        let (mut lines, start) = (Lines::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert!(lines.followers.join(conid(0)));
        lines.followers.turn(conid(0), true);
        assert!(lines.want(&[conid(0)], start));
        let others: Vec<Conid> = (300..310 + LINES).map(conid).collect();
        lines.want(&others, after(1));
        assert!(lines.conids().contains(&conid(0)), "it gives way to nobody");
        lines.sweep(after(3_600));
        assert_eq!(lines.conids(), BTreeSet::from([conid(0)]));
        let nine = row(0, r#","31":"9""#);
        assert!(lines.is_news(&nine));
        let _ = lines.heard(&nine, Source::Stream, after(3_600));
        assert!(!lines.is_news(&nine), "the same again");
        assert!(!lines.is_news(&row(0, "")), "nothing is said");
        assert!(lines.is_news(&row(0, r#","31":"9","84":"8""#)));
        assert!(!lines.is_news(&row(5, r#","31":"9""#)), "nobody follows it");
        assert!(lines.silent(after(3_659)).is_empty());
        assert_eq!(lines.silent(after(3_660)), [conid(0)]);
        lines.begin(7, after(3_700));
        assert_eq!(lines.conids(), BTreeSet::from([conid(0)]), "another session");
        assert!(lines.is_news(&nine));
        lines.followers.turn(conid(0), false);
        lines.sweep(after(4_100));
        assert!(lines.conids().is_empty());
    }

    #[test]
    fn what_nobody_asks_for_is_given_up() {
        let (mut lines, start) = (Lines::default(), Instant::now());
        lines.want(&[conid(0), conid(1)], start);
        lines.want(&[conid(1)], start + Duration::from_secs(200));
        lines.sweep(start + Duration::from_secs(301));
        assert_eq!(lines.conids(), BTreeSet::from([conid(1)]));
    }

    #[test]
    fn what_is_held_outlasts_sweeps_crowds_and_sessions() {
        let (mut lines, start) = (Lines::default(), Instant::now());
        lines.hold(BTreeSet::from([conid(0)]), start);
        assert!(lines.is_held(conid(0)) && !lines.is_held(conid(1)));
        let crowd: Vec<Conid> = (1..=LINES).map(conid).collect();
        lines.want(&crowd, start + Duration::from_secs(1));
        assert!(lines.conids().contains(&conid(0)), "others give way");
        assert_eq!(lines.conids().len(), LINES);
        lines.sweep(start + Duration::from_secs(600));
        assert_eq!(lines.conids(), BTreeSet::from([conid(0)]));
        lines.begin(7, start + Duration::from_secs(601));
        assert_eq!(lines.conids(), BTreeSet::from([conid(0)]));
        lines.hold(BTreeSet::new(), start + Duration::from_secs(602));
        lines.sweep(start + Duration::from_secs(2_000));
        assert_eq!(lines.conids(), BTreeSet::new());
    }
}
