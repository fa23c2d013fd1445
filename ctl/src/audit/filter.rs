//! Which entries of the audit trail are meant.

use std::collections::HashSet;

use ibd_protocol::AuditLine;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// What an entry must be. Nothing given: every one is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// Our id of the order or its end, or IBKR's id.
    pub(super) order: Option<String>,
    /// Who asked for the order.
    pub(super) client: Option<String>,
    pub(super) from: Option<Timestamp>,
    /// The first moment that is too late.
    pub(super) until: Option<Timestamp>,
}

/// From when on, as a person says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    Day(Date),
    /// So many days before today.
    DaysBack(i32),
    Ago(SignedDuration),
}

/// Reads a day or an age.
pub(super) fn since(text: &str) -> Result<Since, String> {
    if let Ok(day) = day(text) {
        return Ok(day);
    }
    let wrong = || format!("{text:?} is no day (2026-11-23, today) and no age (30m, 2h, 7d)");
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let count: i64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    let minutes = match unit {
        'm' => 1,
        'h' => 60,
        'd' => 24 * 60,
        'w' => 7 * 24 * 60,
        _ => return Err(wrong()),
    };
    // More than a journal can be old is as good as all of it.
    let minutes = count.saturating_mul(minutes).clamp(0, 100 * 365 * 24 * 60);
    Ok(Since::Ago(SignedDuration::from_mins(minutes)))
}

/// Reads a day.
pub(super) fn day(text: &str) -> Result<Since, String> {
    match text.to_ascii_lowercase().as_str() {
        "today" => Ok(Since::DaysBack(0)),
        "yesterday" => Ok(Since::DaysBack(1)),
        text => text
            .parse::<Date>()
            .map(Since::Day)
            .map_err(|_| format!("{text:?} is no day, such as 2026-11-23, today or yesterday")),
    }
}

impl Since {
    /// Its first moment, and of a day the first moment after it.
    pub(super) fn range(
        self,
        now: Timestamp,
        today: Date,
        zone: &TimeZone,
    ) -> (Option<Timestamp>, Option<Timestamp>) {
        let day = match self {
            Self::Ago(age) => return (now.checked_sub(age).ok(), None),
            Self::Day(day) => day,
            Self::DaysBack(back) => {
                (0..back).try_fold(today, |day, _| day.yesterday()).unwrap_or(today)
            }
        };
        let start = |day: Date| Some(day.to_zoned(zone.clone()).ok()?.timestamp());
        (start(day), day.tomorrow().ok().and_then(start))
    }
}

impl Filter {
    /// Whether it leaves nothing out.
    pub(super) fn takes_all(&self) -> bool {
        *self == Self::default()
    }

    /// The entries that are meant, in their order. What belongs to an order says its client once: the first entry
    /// answers for the others.
    pub(super) fn kept(&self, all: Vec<AuditLine>) -> Vec<AuditLine> {
        let of_client = self.client.as_ref().map(|name| intents_of(&all, name));
        let of_order = self.order.as_ref().map(|id| intents_named(&all, id));
        let is_of = |line: &AuditLine, intents: &Option<HashSet<String>>| match intents {
            None => true,
            Some(intents) => line.intent_id.as_ref().is_some_and(|id| intents.contains(id)),
        };
        let kept = all.into_iter().filter(|line| {
            is_of(line, &of_client) && is_of(line, &of_order) && self.is_in_time(line)
        });
        kept.collect()
    }

    fn is_in_time(&self, line: &AuditLine) -> bool {
        if self.from.is_none() && self.until.is_none() {
            return true;
        }
        // What is no moment is left in: better too much than too little of a trail.
        let Ok(at) = line.at.parse::<Timestamp>() else { return true };
        self.from.is_none_or(|from| at >= from) && self.until.is_none_or(|until| at < until)
    }
}

/// The orders that a client of this name asked for, in any letter case.
fn intents_of(all: &[AuditLine], name: &str) -> HashSet<String> {
    let asked = all.iter().filter(|line| {
        line.client.as_deref().is_some_and(|client| client.eq_ignore_ascii_case(name))
    });
    asked.filter_map(|line| line.intent_id.clone()).collect()
}

/// The orders of this id: ours, whole or its end, or IBKR's, which stands in the words of an entry.
fn intents_named(all: &[AuditLine], id: &str) -> HashSet<String> {
    let is_broker_id = id.bytes().all(|byte| byte.is_ascii_digit());
    let word = format!("order {id}");
    let says_it = |text: &str| {
        text.match_indices(&word)
            .any(|(at, _)| !text[at + word.len()..].starts_with(|c: char| c.is_ascii_digit()))
    };
    let is_it = |line: &&AuditLine| {
        let of_ours =
            line.intent_id.as_deref().is_some_and(|intent| crate::orders::is_named(intent, id));
        of_ours || is_broker_id && says_it(&line.text)
    };
    all.iter().filter(is_it).filter_map(|line| line.intent_id.clone()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use jiff::civil::date;

    fn line(seq: u64, intent: &str, client: Option<&str>, text: &str) -> AuditLine {
        AuditLine {
            seq,
            at: format!("2026-11-{:02}T12:00:00Z", 20 + seq),
            intent_id: Some(intent.into()),
            client: client.map(str::to_owned),
            text: text.into(),
            ..Default::default()
        }
    }

    fn trail() -> Vec<AuditLine> {
        vec![
            line(1, "01AAAAAAAA1111", Some("codex"), "BUY 1 AAPL"),
            line(2, "01AAAAAAAA1111", None, "order 1234 Submitted, filled 0"),
            line(3, "01AAAAAAAA2222", Some("cursor"), "BUY 2 MSFT"),
            line(4, "01AAAAAAAA2222", None, "order 12345 Filled"),
        ]
    }

    fn seqs(filter: &Filter) -> Vec<u64> {
        filter.kept(trail()).iter().map(|line| line.seq).collect()
    }

    #[test]
    fn an_order_is_found_by_our_id_its_end_and_ibkrs_id_and_all_its_entries_with_it() {
        let of = |id: &str| seqs(&Filter { order: Some(id.into()), ..Filter::default() });
        assert_eq!(of("01AAAAAAAA1111"), [1, 2]);
        assert_eq!(of("aa2222"), [3, 4]);
        assert_eq!(of("1234"), [1, 2], "and not 12345");
        assert!(of("9").is_empty());
    }

    #[test]
    fn a_clients_orders_are_told_to_their_end() {
        let filter = Filter { client: Some("Cursor".into()), ..Filter::default() };
        assert_eq!(seqs(&filter), [3, 4]);
    }

    #[test]
    fn a_time_has_a_beginning_and_a_day_an_end_too() {
        let now = "2026-11-23T18:00:00Z".parse().unwrap();
        let today = date(2026, 11, 23);
        let filter = |since: Since| {
            let (from, until) = since.range(now, today, &TimeZone::UTC);
            Filter { from, until, ..Filter::default() }
        };
        assert_eq!(seqs(&filter(day("2026-11-22").unwrap())), [2]);
        assert_eq!(seqs(&filter(day("yesterday").unwrap())), [2]);
        let from_then = |text: &str| {
            let (from, _) = since(text).unwrap().range(now, today, &TimeZone::UTC);
            seqs(&Filter { from, ..Filter::default() })
        };
        assert_eq!(from_then("2026-11-22"), [2, 3, 4]);
        assert_eq!(from_then("today"), [3, 4]);
        assert_eq!(from_then("24h"), [3, 4]);
        assert_eq!(from_then("9w"), [1, 2, 3, 4]);
    }

    #[test]
    fn what_is_no_day_and_no_age_says_what_would_be_one() {
        for bad in ["", "soon", "2026-13-01", "h", "2x", "-1ü"] {
            assert!(since(bad).is_err_and(|told| told.contains("2026-11-23")), "{bad:?}");
        }
        assert!(day("2h").is_err());
        assert!(Filter::default().takes_all());
    }
}
