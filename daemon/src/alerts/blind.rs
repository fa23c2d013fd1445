//! Times in which nothing was watched: why, which of them are kept, which are told, and how long they were together.
//! Pure.

use std::cmp::Reverse;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::words::{length, moment};
use crate::session::SessionState;

/// So many are kept; of more the shortest are only counted.
const KEPT: usize = 20;
/// So many are told one by one,
const TOLD: usize = 5;
/// these of them because they are the longest, and the others because they are the newest.
const LONGEST: usize = 2;
/// Why nothing is watched between two daemons.
const NOT_AT_WORK: &str = "ibd was not at work";
/// Why nothing is watched otherwise, where no more than that is known.
const NO_SESSION: &str = "no session";

/// A time in which nothing was watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blind {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub why: String,
}

impl Blind {
    fn seconds(&self) -> i64 {
        seconds(self.from, self.until)
    }

    fn in_words(&self) -> String {
        format!("{} to {}: {}", moment(self.from), moment(self.until), self.why)
    }
}

fn seconds(from: Timestamp, until: Timestamp) -> i64 {
    until.duration_since(from).as_secs().max(0)
}

/// Those that were too short to be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shorter {
    /// When the first of them began.
    pub from: Timestamp,
    /// When the last of them ended.
    pub until: Timestamp,
    /// How many.
    pub times: usize,
    /// How long together.
    pub seconds: i64,
}

/// One more. One that follows another at once, for the same reason, is one with it; a long one is never pushed out by
/// shorter ones.
pub fn add(blinds: &mut Vec<Blind>, shorter: &mut Option<Shorter>, blind: Blind) {
    match blinds.last_mut() {
        Some(last) if last.until >= blind.from && last.why == blind.why => {
            last.from = blind.from.min(last.from);
            last.until = blind.until.max(last.until);
        }
        _ => blinds.push(blind),
    }
    while blinds.len() > KEPT {
        // The newest ones stay, however short they are.
        let old = blinds.iter().enumerate().take(blinds.len() - TOLD);
        let Some((at, _)) = old.min_by_key(|(_, blind)| blind.seconds()) else { return };
        let gone = blinds.remove(at);
        let known = shorter.take();
        *shorter = Some(Shorter {
            from: known.as_ref().map_or(gone.from, |known| known.from.min(gone.from)),
            until: known.as_ref().map_or(gone.until, |known| known.until.max(gone.until)),
            times: known.as_ref().map_or(1, |known| known.times.saturating_add(1)),
            seconds: known.map_or(0, |known| known.seconds).saturating_add(gone.seconds()),
        });
    }
}

/// Leaves out what ended before any of the alerts was made: nobody missed anything then. `since`: when the oldest was.
pub fn forget(blinds: &mut Vec<Blind>, shorter: &mut Option<Shorter>, since: Option<Timestamp>) {
    let is_over = |until: Timestamp| since.is_none_or(|since| until < since);
    blinds.retain(|blind| !is_over(blind.until));
    if shorter.as_ref().is_some_and(|shorter| is_over(shorter.until)) {
        *shorter = None;
    }
}

/// What is told of them, the newest last: where not every one is, first how long they were together.
pub fn told(blinds: &[Blind], shorter: Option<&Shorter>) -> Vec<String> {
    let newest = blinds.len().saturating_sub(TOLD - LONGEST);
    let mut longest: Vec<usize> = (0..newest).collect();
    longest.sort_by_key(|at| Reverse(blinds[*at].seconds()));
    longest.truncate(LONGEST);
    let is_told = |at: usize| at >= newest || longest.contains(&at);
    let told = blinds.iter().enumerate().filter(|(at, _)| is_told(*at));
    let mut told: Vec<String> = told.map(|(_, blind)| blind.in_words()).collect();
    let times = blinds.len() + shorter.map_or(0, |shorter| shorter.times);
    let first = blinds.iter().map(|blind| blind.from).chain(shorter.map(|one| one.from)).min();
    if let Some(first) = first.filter(|_| times > told.len()) {
        let seconds = together(blinds) + shorter.map_or(0, |shorter| shorter.seconds);
        let all = length(SignedDuration::from_secs(seconds));
        told.insert(0, format!("{times} times since {}, {all} in all; of these:", moment(first)));
    }
    told
}

/// What two of them share counts once.
fn together(blinds: &[Blind]) -> i64 {
    let mut spans: Vec<_> = blinds.iter().map(|blind| (blind.from, blind.until)).collect();
    spans.sort_unstable();
    let (mut all, mut end) = (0, None::<Timestamp>);
    for (from, until) in spans {
        all += seconds(end.map_or(from, |end| end.max(from)), until);
        end = Some(end.map_or(until, |end| end.max(until)));
    }
    all
}

/// Why there is no session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// In words.
    pub text: String,
    /// It goes by itself, or is what comes after something else: no more than a stage on the way back.
    pub is_passing: bool,
}

/// A reason in words.
pub fn text(why: Option<&Why>) -> &str {
    why.map_or(NO_SESSION, |why| why.text.as_str())
}

/// What the last daemon left behind.
#[derive(Debug, Clone, Copy)]
pub struct Left<'a> {
    /// When it was last at work.
    pub alive: Timestamp,
    /// Since when it had no session, if it had none.
    pub dark: Option<Timestamp>,
    /// Why it had none, as far as it saw.
    pub why: Option<&'a Why>,
}

/// A time without a session that was not over when the last daemon ended. It ends here with the reason that it had:
/// what comes after it is none of that.
pub fn without_session(left: Left<'_>) -> Option<Blind> {
    let from = left.dark.filter(|dark| *dark < left.alive)?;
    Some(Blind { from, until: left.alive, why: text(left.why).to_owned() })
}

/// The time in which no daemon was at work.
pub fn without_daemon(left: Left<'_>, now: Timestamp) -> Option<Blind> {
    let is_any = left.alive < now;
    is_any.then(|| Blind { from: left.alive, until: now, why: NOT_AT_WORK.to_owned() })
}

/// A time without a session that lasts.
#[derive(Debug, Clone, Copy)]
pub struct Lasting<'a> {
    /// Since when.
    pub since: Timestamp,
    /// From when on this daemon saw it; the reasons before are told with the times that are over.
    pub from: Timestamp,
    /// Why, as far as was seen from then on.
    pub why: Option<&'a Why>,
    /// Why there is none now.
    pub now: Option<&'a Why>,
}

impl Lasting<'_> {
    /// Why it began, and why it is so now where that is something else.
    pub fn in_words(self) -> String {
        let why = text(self.why);
        let since = match self.since < self.from {
            true => format!("since {}; from {} on", moment(self.since), moment(self.from)),
            false => format!("since {}", moment(self.since)),
        };
        match self.now {
            Some(now) if now.text != why => format!("{since}: {why}; now: {}", now.text),
            _ => format!("{since}: {why}"),
        }
    }
}

/// What is seen of a session.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// Where it stands.
    pub state: SessionState,
    /// What is said of that.
    pub text: &'a str,
    /// Waiting a little is likely to help.
    pub is_passing: bool,
    /// The failure that cast doubt on it a moment ago.
    pub doubt: Option<&'a str>,
}

/// Why there is no session, by what is seen of it; nothing where nobody has looked.
pub fn why(sight: Sight<'_>) -> Option<Why> {
    let text = sight.text.trim_end_matches('.');
    let is_passing = match sight.state {
        SessionState::Starting | SessionState::Degraded | SessionState::Ready => true,
        SessionState::Init => sight.is_passing,
        _ => false,
    };
    let text = match (sight.state, sight.doubt) {
        // It may be the answer of one endpoint: the session is there, and is only looked at.
        (SessionState::Degraded | SessionState::Ready, Some(doubt)) => {
            format!("the session was looked at anew ({doubt})")
        }
        (SessionState::Ready, None) => return None,
        (SessionState::Maint, Some(doubt)) if !text.is_empty() => {
            format!("no session ({text}; {doubt})")
        }
        _ if text.is_empty() => return None,
        _ => format!("no session ({text})"),
    };
    Some(Why { text, is_passing })
}

/// Of two reasons for one time without a session the one that is told: what does not pass by itself, and of two such the
/// first, which led to the other.
pub fn graver(known: Option<Why>, seen: Why) -> Why {
    match known {
        Some(known) if !known.is_passing || seen.is_passing => known,
        _ => seen,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + seconds).unwrap()
    }

    fn blind(from: i64, until: i64, why: &str) -> Blind {
        Blind { from: at(from), until: at(until), why: why.into() }
    }

    #[test]
    fn times_without_a_watch_that_touch_are_one() {
        let (mut blinds, mut shorter) = (Vec::new(), None);
        for one in [blind(0, 5, "a"), blind(5, 9, "a"), blind(7, 8, "a"), blind(9, 12, "b")] {
            add(&mut blinds, &mut shorter, one);
        }
        assert_eq!((blinds, shorter), (vec![blind(0, 9, "a"), blind(9, 12, "b")], None));
    }

    #[test]
    fn a_long_time_is_not_forgotten_over_short_ones_and_the_sum_has_all() {
        let (mut blinds, mut shorter) = (Vec::new(), None);
        add(&mut blinds, &mut shorter, blind(0, 7_200, "long"));
        for n in 1..=50 {
            add(&mut blinds, &mut shorter, blind(10_000 * n, 10_000 * n + 2, "short"));
        }
        assert_eq!((blinds.len(), &blinds[0].why[..]), (KEPT, "long"));
        let counted = shorter.clone().unwrap();
        assert_eq!((counted.times, counted.seconds), (31, 62));
        let told = told(&blinds, shorter.as_ref());
        assert_eq!(told.len(), 1 + TOLD, "{told:?}");
        assert_eq!(told[0], "51 times since 2026-09-21T14:13:20Z, 2 h 1 min in all; of these:");
        assert!(told[1].ends_with("2026-09-21T16:13:20Z: long"), "{told:?}");
        assert!(told[5].starts_with(&moment(at(500_000))), "{told:?}");
    }

    #[test]
    fn a_few_are_told_one_by_one_and_what_two_share_counts_once() {
        let few = [blind(0, 60, "a"), blind(30, 90, "b")];
        let told = told(&few, None);
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(together(&few), 90);
    }

    #[test]
    fn what_was_before_every_alert_is_forgotten() {
        let mut blinds = vec![blind(0, 10, "a"), blind(20, 30, "b")];
        let mut shorter = Some(Shorter { from: at(0), until: at(5), times: 3, seconds: 4 });
        forget(&mut blinds, &mut shorter, Some(at(15)));
        assert_eq!((&blinds[..], &shorter), (&[blind(20, 30, "b")][..], &None));
        forget(&mut blinds, &mut shorter, None);
        assert!(blinds.is_empty());
    }

    #[test]
    fn each_time_keeps_its_own_reason_over_a_restart() {
        let taken = Why { text: "taken".into(), is_passing: false };
        for (dark, why, alive, expected) in [
            // It had none when it ended, and then there was no daemon.
            (
                Some(0),
                Some(&taken),
                600,
                vec![blind(0, 600, "taken"), blind(600, 3_600, NOT_AT_WORK)],
            ),
            (Some(0), None, 600, vec![blind(0, 600, NO_SESSION), blind(600, 3_600, NOT_AT_WORK)]),
            // It had one.
            (None, None, 600, vec![blind(600, 3_600, NOT_AT_WORK)]),
            // It ended as soon as it began.
            (Some(600), Some(&taken), 600, vec![blind(600, 3_600, NOT_AT_WORK)]),
            // The clock went back.
            (Some(0), Some(&taken), 4_000, vec![blind(0, 4_000, "taken")]),
        ] {
            let left = Left { alive: at(alive), dark: dark.map(at), why };
            let over = without_session(left).into_iter().chain(without_daemon(left, at(3_600)));
            assert_eq!(over.collect::<Vec<_>>(), expected, "{dark:?} {why:?} {alive}");
        }
    }

    #[test]
    fn the_reason_now_is_not_told_as_that_of_the_beginning() {
        let why = |text: &str| Why { text: text.into(), is_passing: false };
        let (taken, opening) = (why("taken"), why("opening"));
        let (early, late) = (moment(at(0)), moment(at(60)));
        for (from, known, now, expected) in [
            (0, Some(&taken), Some(&opening), format!("since {early}: taken; now: opening")),
            (0, Some(&taken), Some(&taken), format!("since {early}: taken")),
            (0, Some(&taken), None, format!("since {early}: taken")),
            (0, None, Some(&opening), format!("since {early}: no session; now: opening")),
            (0, None, None, format!("since {early}: no session")),
            // A daemon began meanwhile.
            (60, Some(&opening), None, format!("since {early}; from {late} on: opening")),
        ] {
            let lasting = Lasting { since: at(0), from: at(from), why: known, now };
            assert_eq!(lasting.in_words(), expected);
        }
    }

    #[test]
    fn the_reason_is_the_real_one_and_of_several_the_one_that_did_not_pass() {
        let seen = |state, text, doubt| why(Sight { state, text, is_passing: true, doubt });
        let error = Some("IBKR's server has a problem (500): x");
        let told = |why: &Option<Why>| why.as_ref().map(|why| why.text.clone());
        let doubted = seen(SessionState::Degraded, "It did not answer.", error);
        let expected = "the session was looked at anew (IBKR's server has a problem (500): x)";
        assert_eq!(told(&doubted).as_deref(), Some(expected));
        assert_eq!(told(&seen(SessionState::Ready, "Ready.", error)).as_deref(), Some(expected));
        assert_eq!(seen(SessionState::Ready, "Ready.", None), None);
        assert_eq!(seen(SessionState::Stopped, "", None), None);
        let taken = seen(SessionState::Competing, "Another app took over.", error);
        assert_eq!(told(&taken).as_deref(), Some("no session (Another app took over)"));
        let opening = seen(SessionState::Init, "Opening the trading session.", None);
        let gone = seen(SessionState::NeedLogin, "Nobody is logged in.", None);
        let mut known = None;
        for one in [doubted, taken.clone(), gone, opening] {
            known = Some(graver(known, one.unwrap()));
        }
        assert_eq!(known, taken);
    }
}
