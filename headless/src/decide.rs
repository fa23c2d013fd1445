//! What to do next at the login page, decided purely: a sight and the time in, a move out.
//!
//! ```text
//!   Page ──form──▶ Form ──switch set, read back──▶ typed ──read back again──▶ submit
//!                                                                              │
//!         ┌──────────────── Password (IBKR answers) ◀──────────────────────────┘
//!         ├── list of methods ──▶ choose ──┐
//!         ├── notice ──▶ Push ─────────────┤
//!         ├── field ──▶ CodeWanted ──▶ Code┤
//!         ├── advertisement ──▶ skip ──────┤
//!         ├── error ──▶ failed             ▼
//!         └──────────────────────── "Client login succeeds" ──▶ done
//! ```
//!
//! The password is submitted once. Whatever the page shows after it, this attempt never goes back to
//! the form.

use std::time::Duration;

use crate::attempt::Mode;
use crate::failed::{Failed, Missing, Stage};
use crate::host::CodeKind;
use crate::memory::Memory;
use crate::sight::Sight;
use crate::words;

/// A page that is not complete after this time is not the one we know.
const PAGE: Duration = Duration::from_secs(30);
/// The switch appears with the form, or soon after it.
const SWITCH: Duration = Duration::from_secs(8);
/// IBKR's page needs a moment to change over after a click on the switch.
const SWITCHING: Duration = Duration::from_secs(4);
/// Time for which the switch must have stayed as it is: scripts of the page may set it late.
const SETTLED: Duration = Duration::from_millis(400);
/// Clicks on the switch before it counts as broken.
const CLICKS: u32 = 2;
/// IBKR's answer to what was submitted.
const ANSWER: Duration = Duration::from_secs(45);
/// An error of before a submission that is still there after this time is its answer, too.
const STALE_ERROR: Duration = Duration::from_secs(5);
/// A page without a form that speaks of maintenance is given this time to become another one.
const MAINTENANCE: Duration = Duration::from_secs(3);
/// IBKR's clock of a push began before ours.
const ALMOST: Duration = Duration::from_secs(5);
/// Codes of one attempt.
const CODES: u32 = 2;
/// Advertisements of one attempt.
const PROMOS: u32 = 3;

/// What the attempt is for.
#[derive(Debug)]
pub(crate) struct Goal {
    pub(crate) origin: String,
    pub(crate) mode: Mode,
    pub(crate) username: String,
    pub(crate) password_length: usize,
    pub(crate) has_seed: bool,
    pub(crate) push_limit: Duration,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Move {
    /// Look again in a moment.
    Wait,
    /// Click the switch between live and paper.
    Switch,
    /// Type username and password.
    Type,
    /// Press the button.
    Submit,
    /// Choose this method.
    Device(usize),
    /// Skip an advertisement.
    SkipPromo,
    /// A push is awaited now.
    Push,
    /// Give a code.
    Code(CodeKind),
    /// The page says that it worked.
    Done,
    /// It did not.
    Fail(Failed),
}

/// The next move.
pub(crate) fn next(sight: &Sight, memory: &Memory, goal: &Goal, now: Duration) -> Move {
    if let Some(failed) = foreign(sight, goal) {
        return Move::Fail(failed);
    }
    match memory.stage {
        Stage::Browser | Stage::Page => before_form(sight, memory, now),
        Stage::Form => form(sight, memory, goal, now),
        Stage::Password | Stage::Push | Stage::CodeWanted | Stage::Code => {
            after_submit(sight, memory, goal, now)
        }
    }
}

/// The page, or where its forms lead, is not the gateway's.
pub(crate) fn foreign(sight: &Sight, goal: &Goal) -> Option<Failed> {
    std::iter::once(&sight.origin)
        .chain(&sight.destinations)
        .find(|origin| **origin != goal.origin)
        .map(|origin| Failed::WrongPage(words::short(origin)))
}

fn before_form(sight: &Sight, memory: &Memory, now: Duration) -> Move {
    let waited = now.saturating_sub(memory.since);
    if sight.loaded && waited > MAINTENANCE && words::is_maintenance(&sight.text) {
        return Move::Fail(Failed::Maintenance(words::short(&sight.text)));
    }
    if waited < PAGE {
        return Move::Wait;
    }
    Move::Fail(Failed::PageUnknown(match sight {
        Sight { username: None, .. } => Missing::Username,
        Sight { password: None, .. } => Missing::Password,
        _ => Missing::LoginSubmit,
    }))
}

/// The form is there; nothing is submitted yet.
fn form(sight: &Sight, memory: &Memory, goal: &Goal, now: Duration) -> Move {
    let error = sight.error.as_deref().map(|text| words::error(text, memory.stage));
    if let Some(failed @ (Failed::Maintenance(_) | Failed::Locked(_))) = error {
        return Move::Fail(failed);
    }
    if !sight.has_form() {
        // It was there and is gone: perhaps it is being drawn anew.
        return if now.saturating_sub(memory.since) < PAGE {
            Move::Wait
        } else {
            Move::Fail(Failed::TimedOut { stage: Stage::Form, limit: PAGE })
        };
    }
    if memory.is_typed {
        return typed(sight, goal);
    }
    match memory.switch {
        Some((paper, since)) if paper == goal.mode.is_paper() => {
            if now.saturating_sub(since) < SETTLED { Move::Wait } else { Move::Type }
        }
        switch => set(switch.is_some(), memory, goal, now),
    }
}

/// The switch is not where it must be, or there is none. Without it nobody can tell which mode a
/// page logs in to, so that is a failure for live and paper alike.
fn set(is_there: bool, memory: &Memory, goal: &Goal, now: Duration) -> Move {
    let unverified =
        |why: &str| Move::Fail(Failed::ModeUnverified { mode: goal.mode, why: why.into() });
    let waited = now.saturating_sub(memory.form.unwrap_or(now));
    match (is_there, memory.clicks) {
        (false, _) if waited < SWITCH + SWITCHING * memory.clicks => Move::Wait,
        (false, _) => unverified("the page shows no switch between live and paper"),
        (true, 0) => Move::Switch,
        (true, _) if now.saturating_sub(memory.clicked) < SWITCHING => Move::Wait,
        (true, 1..CLICKS) => Move::Switch,
        (true, _) => unverified("the switch between live and paper does not move"),
    }
}

/// Last look before the password is submitted.
fn typed(sight: &Sight, goal: &Goal) -> Move {
    if sight.paper != Some(goal.mode.is_paper()) {
        let why = "the switch between live and paper moved while the form was filled in".to_owned();
        return Move::Fail(Failed::ModeUnverified { mode: goal.mode, why });
    }
    let is_filled = sight.username.as_ref() == Some(&goal.username)
        && sight.password == Some(goal.password_length);
    if is_filled { Move::Submit } else { Move::Fail(Failed::PageUnknown(Missing::Typed)) }
}

/// The password is at IBKR.
fn after_submit(sight: &Sight, memory: &Memory, goal: &Goal, now: Duration) -> Move {
    if sight.is_success() {
        return Move::Done;
    }
    let waited = now.saturating_sub(memory.since);
    let is_new = sight.error != memory.error || waited > STALE_ERROR;
    if let Some(text) = sight.error.as_deref().filter(|_| is_new)
        && let Some(failed) = refused(text, sight, memory)
    {
        // The same text ends a push that was denied and one that nobody answered.
        let is_old = memory.stage == Stage::Push && waited + ALMOST >= goal.push_limit;
        let failed =
            if is_old && failed == Failed::PushDenied { Failed::PushExpired } else { failed };
        return Move::Fail(failed);
    }
    second_factor(sight, memory, goal, now).unwrap_or_else(|| waiting(sight, memory, now))
}

/// An error after a submission. A wrong code may be followed by another one, if the page still asks.
fn refused(text: &str, sight: &Sight, memory: &Memory) -> Option<Failed> {
    match words::error(text, memory.stage) {
        Failed::CodeRefused(_) if sight.code && memory.codes < CODES => None,
        failed => Some(failed),
    }
}

fn second_factor(sight: &Sight, memory: &Memory, goal: &Goal, now: Duration) -> Option<Move> {
    if sight.promo && memory.promos < PROMOS && !is_fresh(memory, now) {
        return Some(Move::SkipPromo);
    }
    if !memory.has_chosen
        && let Some(index) = words::device(&sight.devices, goal.has_seed)
        && sight.chosen != Some(index)
    {
        return Some(Move::Device(index));
    }
    if let Some(notice) = &sight.notice
        && !sight.code
    {
        return Some(push(notice, memory, goal, now));
    }
    let is_answered = memory.stage != Stage::Code || sight.error.is_some();
    (sight.code && is_answered && memory.codes < CODES).then(|| Move::Code(kind(&sight.panel)))
}

/// A click needs a moment to have its effect.
fn is_fresh(memory: &Memory, now: Duration) -> bool {
    memory.promos > 0 && now.saturating_sub(memory.since) < Duration::from_secs(2)
}

fn push(notice: &str, memory: &Memory, goal: &Goal, now: Duration) -> Move {
    if memory.stage != Stage::Push {
        return Move::Push;
    }
    match words::push(notice) {
        Some(failed) => Move::Fail(failed),
        None if now.saturating_sub(memory.since) > goal.push_limit => {
            Move::Fail(Failed::PushExpired)
        }
        None => Move::Wait,
    }
}

fn kind(panel: &str) -> CodeKind {
    match words::challenge(panel) {
        Some(challenge) => CodeKind::Challenge(challenge),
        None if words::is_sms(panel) => CodeKind::Sms,
        None => CodeKind::Totp,
    }
}

/// Nothing to do; for how long?
fn waiting(sight: &Sight, memory: &Memory, now: Duration) -> Move {
    if now.saturating_sub(memory.asked) < ANSWER {
        return Move::Wait;
    }
    Move::Fail(match memory.stage {
        Stage::Password if sight.devices.len() > 1 => Failed::PageUnknown(Missing::Device),
        Stage::Password if !sight.panel.is_empty() => Failed::PageUnknown(Missing::SecondFactor),
        // The notice is gone and nothing has come instead of it.
        Stage::Push => Failed::PushExpired,
        stage => Failed::TimedOut { stage, limit: ANSWER },
    })
}

#[cfg(test)]
mod tests;
