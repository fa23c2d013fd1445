//! What becomes of an alert when something is seen. Pure: phase × what is seen × time → fires, waits, rearms.

use ibd_cpapi::orders::{Meaning, Stage};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::alert::{Alert, Phase, Seen, Watch};

/// Something that was seen of what an alert watches.
#[derive(Debug, Clone, PartialEq)]
pub enum Sight {
    /// A value.
    Value(Seen),
    /// How an order stands.
    Order(Stage),
}

/// What it makes of the alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing new.
    Nothing,
    /// Its condition is met, and its pause is not over.
    Waits,
    /// Its condition is not met any more: it may fire again.
    Rearms,
    /// It fires.
    Fires,
    /// What it waits for cannot come any more, which is worth the same.
    Ends,
}

impl Verdict {
    /// Whether somebody is to be told.
    pub fn is_news(self) -> bool {
        matches!(self, Self::Fires | Self::Ends)
    }
}

/// Takes what was seen into an alert.
pub fn see(alert: &mut Alert, sight: &Sight, now: Timestamp) -> Verdict {
    if !alert.is_active() {
        return Verdict::Nothing;
    }
    match sight {
        Sight::Value(seen) => value(alert, *seen, now),
        Sight::Order(stage) => order(alert, stage, now),
    }
}

fn value(alert: &mut Alert, seen: Seen, now: Timestamp) -> Verdict {
    if alert.seen.is_none_or(|before| before.at <= seen.at) {
        alert.seen = Some(seen);
    }
    let Some(is_met) = is_met(alert, seen.value) else { return Verdict::Nothing };
    let verdict = verdict(alert.phase, is_met, rests(alert, now));
    match verdict {
        Verdict::Rearms => alert.phase = Phase::Armed,
        Verdict::Fires => fire(alert, seen.value, now),
        Verdict::Nothing | Verdict::Waits | Verdict::Ends => {}
    }
    verdict
}

/// Whether the condition is met; nothing where that cannot be said yet.
fn is_met(alert: &mut Alert, value: Decimal) -> Option<bool> {
    match &alert.watch {
        Watch::Quote { limit, .. } | Watch::Pnl { limit, .. } => Some(limit.is_met(value)),
        Watch::Gap { minutes } => Some(value >= Decimal::from(*minutes)),
        Watch::Move { percent, .. } => {
            let percent = *percent;
            let Some(base) = alert.base else {
                alert.base = Some(value);
                return None;
            };
            Some(moved(base, value)?.abs() >= percent)
        }
        Watch::Order { .. } => None,
    }
}

/// By how many per cent a price has moved.
pub fn moved(base: Decimal, value: Decimal) -> Option<Decimal> {
    let change = value.checked_sub(base)?.checked_mul(Decimal::ONE_HUNDRED)?;
    change.checked_div(base.abs())
}

/// The table.
fn verdict(phase: Phase, is_met: bool, rests: bool) -> Verdict {
    match (phase, is_met) {
        (Phase::Armed, true) if rests => Verdict::Waits,
        (Phase::Armed, true) => Verdict::Fires,
        (Phase::Spent, true) => Verdict::Waits,
        (Phase::Spent, false) => Verdict::Rearms,
        (Phase::Armed, false) | (Phase::Over | Phase::Off, _) => Verdict::Nothing,
    }
}

fn fire(alert: &mut Alert, value: Decimal, now: Timestamp) {
    let repeats = alert.pause.is_some();
    alert.times += 1;
    alert.fired_at = Some(now);
    alert.phase = match &alert.watch {
        _ if !repeats => Phase::Over,
        // The next move is counted from here.
        Watch::Move { .. } => Phase::Armed,
        _ => Phase::Spent,
    };
    if matches!(alert.watch, Watch::Move { .. }) && repeats {
        alert.base = Some(value);
    }
}

/// Whether its pause is not over. A clock that was set back makes no pause longer.
fn rests(alert: &Alert, now: Timestamp) -> bool {
    let (Some(fired), Some(pause)) = (alert.fired_at, alert.pause) else { return false };
    let since = now.duration_since(fired);
    let pause = SignedDuration::from_secs(i64::try_from(pause).unwrap_or(i64::MAX));
    !since.is_negative() && since < pause
}

/// An order is filled once, so its alert does not repeat.
fn order(alert: &mut Alert, stage: &Stage, now: Timestamp) -> Verdict {
    let verdict = match stage.meaning() {
        Meaning::Filled => Verdict::Fires,
        Meaning::Ended => Verdict::Ends,
        Meaning::Works | Meaning::Ending | Meaning::Held | Meaning::Unknown => {
            return Verdict::Nothing;
        }
    };
    alert.times += 1;
    alert.fired_at = Some(now);
    alert.phase = Phase::Over;
    verdict
}

#[cfg(test)]
#[path = "decide/tests.rs"]
mod tests;
