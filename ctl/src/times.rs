//! Moments and ages, as a person reads them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};

/// An RFC 3339 moment in this machine's time zone; what is none is shown as it is.
pub(crate) fn local(moment: &str) -> String {
    match moment.parse::<Timestamp>() {
        Ok(moment) => in_zone(moment, TimeZone::system()),
        Err(_) => moment.to_owned(),
    }
}

fn in_zone(moment: Timestamp, zone: TimeZone) -> String {
    moment.to_zoned(zone).strftime("%a %-d %b %Y, %H:%M %Z").to_string()
}

/// The time of day alone, to the second, for what is over within the hour.
pub(crate) fn clock(moment: &str) -> String {
    match moment.parse::<Timestamp>() {
        Ok(moment) => moment.to_zoned(TimeZone::system()).strftime("%H:%M:%S").to_string(),
        Err(_) => moment.to_owned(),
    }
}

/// The same to the second, of one width, for columns.
pub(crate) fn exact(moment: &str) -> String {
    match moment.parse::<Timestamp>() {
        Ok(moment) => moment.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => moment.to_owned(),
    }
}

/// How long until then; absent if that is no moment.
pub(crate) fn until(moment: &str, now: Timestamp) -> Option<String> {
    let seconds = moment.parse::<Timestamp>().ok()?.duration_since(now).as_secs();
    Some(match u64::try_from(seconds) {
        Ok(seconds @ 1..) => format!("in {}", duration(seconds)),
        _ => "now".to_owned(),
    })
}

/// How long ago that was, roughly; what is no moment is shown as it is.
pub(crate) fn ago(moment: &str, now: Timestamp) -> String {
    let Ok(then) = moment.parse::<Timestamp>() else { return moment.to_owned() };
    let seconds = now.duration_since(then).as_secs();
    match u64::try_from(seconds) {
        // A clock that was set.
        Err(_) => local(moment),
        Ok(0..10) => "just now".to_owned(),
        Ok(seconds @ 10..60) => format!("{seconds} s ago"),
        Ok(seconds @ 60..3_600) => format!("{} min ago", seconds / 60),
        Ok(seconds @ 3_600..172_800) => format!("{} h ago", seconds / 3_600),
        Ok(seconds) => format!("{} days ago", seconds / 86_400),
    }
}

/// A length of time, roughly.
pub(crate) fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// `24 Apr 2023, 3 years 7 months ago`.
pub(crate) fn day_and_age(day: Date, today: Date) -> String {
    format!("{}, {}", day.strftime("%-d %b %Y"), age(day, today))
}

/// The two largest units tell enough.
fn age(day: Date, today: Date) -> String {
    let Ok(span) = day.until((Unit::Year, today)) else { return "at an unknown time".to_owned() };
    let units = [
        (i64::from(span.get_years()), "year"),
        (i64::from(span.get_months()), "month"),
        (i64::from(span.get_days()), "day"),
    ];
    let known = units.into_iter().filter(|(count, _)| *count > 0).take(2);
    let words = known.map(|(count, unit)| match count {
        1 => format!("1 {unit}"),
        count => format!("{count} {unit}s"),
    });
    match words.collect::<Vec<_>>().join(" ") {
        // A build of tomorrow, in another time zone, is new.
        nothing if nothing.is_empty() => "today".to_owned(),
        words => format!("{words} ago"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use jiff::civil::date;

    #[test]
    fn ages_are_told_in_words() {
        let today = date(2026, 11, 24);
        let told = |day| day_and_age(day, today);
        assert_eq!(told(date(2023, 4, 24)), "24 Apr 2023, 3 years 7 months ago");
        assert_eq!(told(date(2026, 10, 23)), "23 Oct 2026, 1 month 1 day ago");
        assert_eq!(told(today), "24 Nov 2026, today");
        assert_eq!(told(date(2026, 11, 25)), "25 Nov 2026, today");
    }

    #[test]
    fn a_moment_is_told_in_local_time() {
        let moment = "2026-11-23T07:30:00Z".parse().unwrap();
        let told = in_zone(moment, TimeZone::fixed(jiff::tz::offset(1)));
        assert!(told.starts_with("Mon 23 Nov 2026, 08:30"), "{told}");
        assert_eq!(local("soon"), "soon");
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(duration(7), "7 s");
        assert_eq!(duration(150), "2 min");
        assert_eq!(duration(18_120), "5 h 2 min");
    }

    #[test]
    fn what_was_is_told_by_its_age() {
        let now = "2026-11-23T07:30:00Z".parse().unwrap();
        for (moment, told) in [
            ("2026-11-23T07:29:58Z", "just now"),
            ("2026-11-23T07:29:30Z", "30 s ago"),
            ("2026-11-23T07:25:00Z", "5 min ago"),
            ("2026-11-22T20:00:00Z", "11 h ago"),
            ("2026-11-20T07:30:00Z", "3 days ago"),
            ("then", "then"),
        ] {
            assert_eq!(ago(moment, now), told, "{moment}");
        }
        assert!(ago("2026-11-23T08:00:00Z", now).contains("2026"), "never negative");
    }

    #[test]
    fn what_is_left_is_told_and_never_negative() {
        let now = "2026-11-23T07:30:00Z".parse().unwrap();
        assert_eq!(until("2026-11-23T07:34:10Z", now).as_deref(), Some("in 4 min"));
        assert_eq!(until("2026-11-23T07:29:00Z", now).as_deref(), Some("now"));
        assert_eq!(until("soon", now), None);
    }
}
