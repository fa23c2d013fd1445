#![allow(clippy::unwrap_used)]
use super::*;
use crate::alerts::alert::{AlertId, Draft, Limit, Of, Side};
use crate::alerts::measure::Measure;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn of() -> Of {
    let conid = "265598".parse().unwrap();
    Of { conid, name: "AAPL".into(), currency: Some("USD".into()), kind: None }
}

fn alert(watch: Watch, pause: Option<u64>) -> Alert {
    let draft = Draft {
        watch,
        account: None,
        login: None,
        message: None,
        pause,
        seen: None,
        client: "harness".into(),
    };
    Alert::new(AlertId(1), draft, at(0))
}

fn above(limit: &str) -> Watch {
    let limit = Limit { side: Side::Above, value: number(limit) };
    Watch::Quote { of: of(), measure: Measure::Price, limit }
}

fn below(limit: &str) -> Watch {
    let limit = Limit { side: Side::Below, value: number(limit) };
    Watch::Quote { of: of(), measure: Measure::Price, limit }
}

/// What each of these values makes of an alert, a value and a second after the other.
fn told(mut alert: Alert, values: &[(i64, &str)]) -> String {
    let words = values.iter().map(|(second, value)| {
        let seen = Seen { value: number(value), at: at(*second), is_late: false };
        match see(&mut alert, &Sight::Value(seen), at(*second)) {
            Verdict::Nothing => "-",
            Verdict::Waits => "waits",
            Verdict::Rearms => "rearms",
            Verdict::Fires => "fires",
            Verdict::Ends => "ends",
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn an_alert_fires_when_its_limit_is_reached_and_once_unless_it_repeats() {
    for (watch, pause, values, expected) in [
        (above("300"), None, &[(1, "299"), (2, "300"), (3, "299"), (4, "301")][..], "- fires - -"),
        (below("300"), None, &[(1, "301"), (2, "300"), (3, "299")], "- fires -"),
        // It is so already when it is made.
        (above("300"), None, &[(1, "310")], "fires"),
        // Met all the time it fires no more; once it is not, it may again, after its pause.
        (
            above("300"),
            Some(60),
            &[(1, "300"), (2, "301"), (90, "302"), (91, "299"), (92, "300")],
            "fires waits waits rearms fires",
        ),
        (
            above("300"),
            Some(60),
            &[(1, "300"), (2, "299"), (3, "300"), (60, "301"), (61, "301")],
            "fires rearms waits waits fires",
        ),
    ] {
        assert_eq!(told(alert(watch.clone(), pause), values), expected, "{watch:?} {values:?}");
    }
}

#[test]
fn a_move_is_counted_from_the_first_price_and_from_where_it_last_fired() {
    let five = || Watch::Move { of: of(), percent: number("5") };
    for (pause, values, expected) in [
        (None, &[(1, "100"), (2, "104.9"), (3, "105"), (4, "200")][..], "- - fires -"),
        (None, &[(1, "100"), (2, "95")], "- fires"),
        (Some(10), &[(1, "100"), (2, "105"), (3, "107"), (20, "99.7")], "- fires - fires"),
        (Some(60), &[(1, "100"), (2, "105"), (3, "112"), (70, "112")], "- fires waits fires"),
    ] {
        assert_eq!(told(alert(five(), pause), values), expected, "{values:?}");
    }
    assert_eq!(moved(number("-4"), number("-5")), Some(number("-25")));
    assert_eq!(moved(Decimal::ZERO, number("5")), None);
}

#[test]
fn a_gap_fires_once_while_it_lasts() {
    let gap = Watch::Gap { minutes: 10 };
    let minutes = [(1, "0"), (2, "9.9"), (3, "10"), (4, "11"), (5, "0"), (9, "10")];
    assert_eq!(told(alert(gap.clone(), None), &minutes), "- - fires - - -");
    assert_eq!(told(alert(gap, Some(1)), &minutes), "- - fires waits rearms fires");
}

#[test]
fn an_order_is_filled_or_ends_and_both_are_news() {
    for (word, expected) in [
        ("Submitted", Verdict::Nothing),
        ("PendingCancel", Verdict::Nothing),
        ("Filled", Verdict::Fires),
        ("Cancelled", Verdict::Ends),
        ("Rejected", Verdict::Ends),
        ("Whatever", Verdict::Nothing),
    ] {
        let mut one = alert(Watch::Order { order_id: "7".parse().unwrap() }, None);
        assert_eq!(see(&mut one, &Sight::Order(Stage::of(word)), at(1)), expected, "{word}");
        assert_eq!(one.is_active(), expected == Verdict::Nothing, "{word}");
        let later = see(&mut one, &Sight::Order(Stage::Filled), at(2));
        assert_eq!(later.is_news(), expected == Verdict::Nothing, "{word}: it is told once");
    }
}

#[test]
fn what_is_off_or_over_is_not_looked_at_and_an_old_value_hides_no_newer_one() {
    let mut off = alert(above("300"), None);
    off.phase = Phase::Off;
    assert_eq!(told(off, &[(1, "300")]), "-");
    let mut one = alert(above("300"), None);
    for (second, value) in [(5, "299"), (3, "298")] {
        let seen = Seen { value: number(value), at: at(second), is_late: false };
        see(&mut one, &Sight::Value(seen), at(6));
    }
    assert_eq!(one.seen.unwrap().value, number("299"));
}

#[test]
fn a_clock_that_was_set_back_makes_no_pause_longer() {
    let mut one = alert(above("300"), Some(60));
    one.fired_at = Some(at(1_000_000));
    assert_eq!(told(one, &[(1, "300")]), "fires");
}
