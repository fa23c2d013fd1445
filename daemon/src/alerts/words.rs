//! What is said of alerts. Pure.

use jiff::{RoundMode, SignedDuration, Timestamp, TimestampRound, Unit};
use rust_decimal::{Decimal, RoundingStrategy};

use super::alert::{Alert, Limit, Of, Phase, Side, Watch};
use super::decide::{Verdict, moved};

/// What an alert waits for, in a line.
pub fn watch(watch: &Watch) -> String {
    match watch {
        Watch::Quote { of, measure, limit } => {
            let unit = if measure.is_price() { unit(of) } else { String::new() };
            format!("{} {} {}{unit}", of.name, measure.name(), self::limit(limit))
        }
        Watch::Move { of, percent } => {
            format!("{} moves {} % either way", of.name, percent.normalize())
        }
        Watch::Pnl { of, limit } => {
            format!("unrealised P&L of {} {}{}", of.name, self::limit(limit), unit(of))
        }
        Watch::Order { order_id } => format!("order {order_id} is filled"),
        Watch::Gap { minutes } => format!("no trading session for {minutes} min"),
    }
}

fn limit(limit: &Limit) -> String {
    format!("{} {}", side(limit.side), limit.value.normalize())
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Above => "above",
        Side::Below => "below",
    }
}

fn unit(of: &Of) -> String {
    of.currency.as_ref().map(|currency| format!(" {currency}")).unwrap_or_default()
}

/// A value as it is told, in what it is counted.
pub fn value(alert: &Alert, value: Decimal) -> String {
    // What an older daemon wrote down of a P&L may have more digits than money has.
    let places = if matches!(alert.watch, Watch::Pnl { .. }) { 2 } else { 6 };
    let number =
        value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero).normalize();
    match &alert.watch {
        Watch::Quote { of, measure, .. } if measure.is_price() => format!("{number}{}", unit(of)),
        Watch::Quote { .. } | Watch::Order { .. } => number.to_string(),
        Watch::Move { of, .. } | Watch::Pnl { of, .. } => format!("{number}{}", unit(of)),
        Watch::Gap { .. } => format!("{number} min"),
    }
}

/// The news of an alert that fired, or that cannot any more. `base`: from where a move was counted.
pub fn news(alert: &Alert, verdict: Verdict, base: Option<Decimal>) -> String {
    let seen = alert.seen.map(|seen| (value(alert, seen.value), seen));
    let late = seen.as_ref().filter(|(_, seen)| seen.is_late);
    let late = late.map_or("", |_| " (delayed data)");
    let what = match (&alert.watch, seen.as_ref()) {
        (Watch::Order { order_id }, _) if verdict == Verdict::Ends => {
            format!("order {order_id} has ended and was not filled")
        }
        (Watch::Order { order_id }, _) => format!("order {order_id} is filled"),
        (Watch::Gap { .. }, Some((value, _))) => format!("no trading session for {value}"),
        (Watch::Move { of, .. }, Some((value, seen))) => {
            let by = base.and_then(|base| moved(base, seen.value)).map(|by| by.round_dp(2));
            let by = by.map(|by| format!(", {} % from where it was", signed(by)));
            format!("{} is {value}{late}{}", of.name, by.unwrap_or_default())
        }
        (Watch::Quote { of, measure, limit }, Some((value, _))) => {
            let limit = self::limit(limit);
            format!("{} {} is {value}{late} ({limit})", of.name, measure.name())
        }
        (Watch::Pnl { of, limit }, Some((value, _))) => {
            format!("unrealised P&L of {} is {value}{late} ({})", of.name, self::limit(limit))
        }
        (watch, None) => self::watch(watch),
    };
    let message = alert.message.as_ref().map(|message| format!(" {message:?}"));
    format!("Alert {}: {what}.{}", alert.id, message.unwrap_or_default())
}

fn signed(number: Decimal) -> String {
    let plus = if number.is_sign_positive() { "+" } else { "" };
    format!("{plus}{}", number.normalize())
}

/// How an alert stands, in a word.
pub fn state(alert: &Alert, not_watched: bool) -> &'static str {
    match alert.phase {
        Phase::Over => "fired",
        Phase::Off => "off",
        Phase::Armed | Phase::Spent if not_watched => "not watched",
        Phase::Spent => "waiting",
        Phase::Armed => "watching",
    }
}

/// A moment to the second, RFC 3339.
pub fn moment(at: Timestamp) -> String {
    let down = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Trunc);
    at.round(down).unwrap_or(at).to_string()
}

/// A length of time in its two largest units.
pub fn length(duration: SignedDuration) -> String {
    let minutes = duration.as_secs().max(0) / 60;
    match (minutes / 1_440, minutes / 60 % 24, minutes % 60) {
        (0, 0, 0) => format!("{} s", duration.as_secs().max(0)),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::alerts::alert::{AlertId, Draft, Seen};
    use crate::alerts::measure::Measure;

    fn of() -> Of {
        let conid = "265598".parse().unwrap();
        Of { conid, name: "AAPL".into(), currency: Some("USD".into()), kind: None }
    }

    fn alert(watch: Watch, seen: &str, message: Option<&str>) -> Alert {
        let at: Timestamp = "2026-11-24T14:02:03.5Z".parse().unwrap();
        let draft = Draft {
            watch,
            account: None,
            login: None,
            message: message.map(str::to_owned),
            pause: None,
            seen: None,
            client: "harness".into(),
        };
        let mut alert = Alert::new(AlertId(7), draft, at);
        alert.seen = Some(Seen { value: seen.parse().unwrap(), at, is_late: false });
        alert
    }

    fn limit(side: Side, value: &str) -> Limit {
        Limit { side, value: value.parse().unwrap() }
    }

    #[test]
    fn an_alert_says_what_it_waits_for_and_what_came() {
        let quote =
            |measure, value| Watch::Quote { of: of(), measure, limit: limit(Side::Above, value) };
        let order_id = "77".parse().unwrap();
        for (watch, seen, waits, told) in [
            (
                quote(Measure::Price, "300"),
                "301.20",
                "AAPL price above 300 USD",
                "Alert ibd-7: AAPL price is 301.2 USD (above 300).",
            ),
            (
                quote(Measure::ChangePct, "2.50"),
                "3",
                "AAPL changePct above 2.5",
                "Alert ibd-7: AAPL changePct is 3 (above 2.5).",
            ),
            (
                Watch::Move { of: of(), percent: "5".parse().unwrap() },
                "105.5",
                "AAPL moves 5 % either way",
                "Alert ibd-7: AAPL is 105.5 USD, +5.5 % from where it was.",
            ),
            (
                Watch::Pnl { of: of(), limit: limit(Side::Below, "-500") },
                "-512.500000000000004",
                "unrealised P&L of AAPL below -500 USD",
                "Alert ibd-7: unrealised P&L of AAPL is -512.5 USD (below -500).",
            ),
            (
                Watch::Order { order_id },
                "0",
                "order 77 is filled",
                "Alert ibd-7: order 77 is filled.",
            ),
            (
                Watch::Gap { minutes: 10 },
                "10",
                "no trading session for 10 min",
                "Alert ibd-7: no trading session for 10 min.",
            ),
        ] {
            assert_eq!(super::watch(&watch), waits);
            let alert = alert(watch, seen, None);
            assert_eq!(news(&alert, Verdict::Fires, Some(Decimal::ONE_HUNDRED)), told);
        }
        let ended = alert(Watch::Order { order_id }, "0", Some("look"));
        assert_eq!(
            news(&ended, Verdict::Ends, None),
            r#"Alert ibd-7: order 77 has ended and was not filled. "look""#
        );
    }

    #[test]
    fn moments_and_lengths_read_well() {
        assert_eq!(moment("2026-11-24T14:02:03.9Z".parse().unwrap()), "2026-11-24T14:02:03Z");
        for (seconds, expected) in
            [(7, "7 s"), (150, "2 min"), (18_120, "5 h 2 min"), (200_000, "2 d 7 h"), (-5, "0 s")]
        {
            assert_eq!(length(SignedDuration::from_secs(seconds)), expected);
        }
    }
}
