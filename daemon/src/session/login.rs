//! Logins: who wants one, in which way, and how far it is. One at a time, whoever asks. Pure.
//!
//! ```text
//!   ask ──decide──▶ Preparing ──gateway up, nobody logged in──▶ Person ───┐ seen by the next look
//!                       │ headless                                        ▼
//!                       └──────────────▶ Typing ⇄ Approval ⇄ Code ──▶ Checking ──▶ the session is ready
//!                                            └────────────┴──▶ Failed
//! ```

pub mod browser;
pub mod direct;
mod directly;
pub mod headless;
mod wish;

use ibd_protocol::ErrorCode;
use std::time::Duration;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::calendar::{self, Window};
use super::guard::{Asker, Held};
use super::life::{Compete, Phase};
pub use super::login_view::{LoginView, Page, Stage, Way};
use crate::refusal::Refusal;
pub use wish::{Credentials, Wish};

/// A login time is kept for so long: one that is missed because the machine slept is not made up for.
const APPOINTMENT: SignedDuration = SignedDuration::from_mins(30);
/// A login younger than this is not renewed.
const YOUNG: SignedDuration = SignedDuration::from_hours(1);
/// Without a login time a phone is asked only between these hours, local time.
const DAYTIME: std::ops::Range<i8> = 7..22;
/// Between two logins that are begun by themselves, whatever came of the first; doubles with each failure
/// in a row. The guard is stricter about those that IBKR counts.
const UNASKED: SignedDuration = SignedDuration::from_mins(5);

/// Somebody asks for a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// Who.
    pub asker: Asker,
    /// A person insists.
    pub forced: bool,
    /// To the paper account.
    pub paper: bool,
    /// This client wants no person to be needed.
    pub headless: bool,
    /// A new login although there is one.
    pub renew: bool,
    /// Only what is under way counts: nothing new begins.
    pub join_only: bool,
}

/// What an ask leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// There is nothing to do: it is ready, or will be without a login.
    Wait,
    /// One is under way.
    Join,
    /// A new one begins.
    Begin(Way),
    /// None may begin.
    Refuse(Refusal),
}

/// Whether there is a page to log in at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum LoginPage {
    /// There is, or there will be when it is wanted.
    #[default]
    Open,
    /// The gateway is coming up, or was not looked at yet: it may hold a login.
    Unknown,
    /// The gateway is not ours to start, and does not answer; what is said about that.
    Gone(Refusal),
}

/// Everything that decides about an ask.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    /// Where the session stands.
    pub phase: &'a Phase,
    /// Whether there is a page to log in at.
    pub login_page: LoginPage,
    /// Paper or live, as far as the broker has said.
    pub is_paper: Option<bool>,
    /// A login that is under way, and whether it is to be a paper one.
    pub running: Option<bool>,
    /// How the last one ended, if it failed.
    pub last: Option<&'a Refusal>,
    /// It failed just now, and nobody was told.
    pub is_news: bool,
    /// Whether headless logins are configured.
    pub headless: bool,
    /// Requests are signed: there is no page, and nothing that IBKR counts.
    pub is_direct: bool,
    /// Why IBKR gives no session to whoever signs them, if it does not.
    pub denied: Option<Refusal>,
    /// Somebody else has this login's session.
    pub taken: Option<Taken>,
    /// What to do about them.
    pub compete: Compete,
    /// Whether a headless login may be tried.
    pub guard: Result<(), Held>,
}

/// What an ask leads to.
pub fn decide(situation: &Situation<'_>, ask: Ask) -> Start {
    let Situation { phase, running, .. } = situation;
    match running {
        Some(false) if ask.paper => return Start::Refuse(live_is_under_way()),
        Some(_) => return Start::Join,
        None if situation.is_direct => return directly::start(situation, ask),
        None => {}
    }
    match &situation.login_page {
        LoginPage::Open => {}
        LoginPage::Unknown => return Start::Wait,
        LoginPage::Gone(failure) => return Start::Refuse(failure.clone()),
    }
    let is_persons_will = ask.asker == Asker::Person && ask.forced;
    match phase {
        Phase::Ready | Phase::Doubtful if ask.paper && situation.is_paper == Some(false) => {
            return Start::Refuse(live_is_logged_in());
        }
        Phase::Ready | Phase::Doubtful if !ask.renew => return Start::Wait,
        Phase::Opening | Phase::Loading { .. } | Phase::Priming | Phase::LoggingOut => {
            return Start::Wait;
        }
        // It is not known yet whether one is needed.
        Phase::Starting => return Start::Wait,
        // Its owner brings it back, with or without the login that it held.
        Phase::Gone { .. } => return Start::Wait,
        Phase::Penalty { .. } | Phase::Untrusted | Phase::Hung { .. } => return Start::Wait,
        // Only where requests are signed.
        Phase::Denied { .. } => return Start::Wait,
        _ if ask.join_only => {
            return situation.last.map_or(Start::Wait, |failure| Start::Refuse(failure.clone()));
        }
        Phase::Competing if !is_persons_will => return Start::Refuse(taken(situation.taken)),
        _ => {}
    }
    // The same again would cost another of the few attempts that IBKR allows.
    if let (Some(failure), true, false) = (situation.last, situation.is_news, ask.forced) {
        return Start::Refuse(failure.clone());
    }
    // A login through the gateway takes the session from whoever has it. Whoever asks where that is only
    // a guess means it.
    // Where that is only a guess, a person decides: at a terminal, or by logging in at the page.
    let is_headless = situation.headless || ask.headless;
    let is_persons = ask.asker == Asker::Person || (ask.asker == Asker::Client && !is_headless);
    let is_taken = situation.taken.is_some_and(|taken| taken.is_sure || !is_persons);
    if is_taken && situation.compete != Compete::Take && !is_persons_will {
        return Start::Refuse(taken(situation.taken));
    }
    // Without a way to IBKR, or while it is maintained, a password has nowhere to go.
    let is_closed = matches!(phase, Phase::Maint { .. } | Phase::Network { .. });
    if is_headless && is_closed && !is_persons_will {
        return Start::Wait;
    }
    if is_headless {
        match &situation.guard {
            Ok(()) => Start::Begin(Way::Headless),
            Err(held) => Start::Refuse(guarded(held)),
        }
    } else {
        Start::Begin(Way::Browser)
    }
}

fn live_is_under_way() -> Refusal {
    Refusal::new(
        ErrorCode::LiveSession,
        "A live login is under way, and paper was asked for.",
        "Run `ibctl login --cancel` first, or use another IB_PROFILE for the paper account.",
    )
}

fn live_is_logged_in() -> Refusal {
    Refusal::new(
        ErrorCode::LiveSession,
        "A live session is logged in, and paper was asked for.",
        "Run `ibctl logout` first, or use another IB_PROFILE for the paper account.",
    )
}

fn taken(taken: Option<Taken>) -> Refusal {
    let since = taken.map(|taken| format!(" since {}", clock(taken.at))).unwrap_or_default();
    Refusal::new(
        ErrorCode::CompetingSession,
        format!(
            "TWS, a phone or another program may have this login's session{since}, and a login here would \
             take it away."
        ),
        "Ask the user. If they agree, they run `ibctl resume`.",
    )
}

/// What a login says that the guard holds back.
pub fn guarded(held: &Held) -> Refusal {
    let text = format!("{held}.");
    match held {
        Held::Soon(at) => {
            Refusal::new(ErrorCode::LoginHeld, text, "Wait, or run `ibctl login`.").until(*at)
        }
        Held::Locked => Refusal::new(
            ErrorCode::LockoutGuard,
            text,
            "Unlock it with IBKR (log in at ibkr.com, or call them); then run `ibctl login --force`.",
        ),
        _ => Refusal::new(
            ErrorCode::LockoutGuard,
            text,
            "Check username, password and second factor; then run `ibctl login --force`.",
        ),
    }
}

/// HH:MM on this machine's clock.
pub fn clock(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%H:%M").to_string()
}

/// What decides about a login that nobody asks for.
#[derive(Debug, Clone)]
pub struct Unasked<'a> {
    /// Now.
    pub now: Timestamp,
    /// This machine's time zone.
    pub zone: TimeZone,
    /// Where the session stands.
    pub phase: &'a Phase,
    /// Whether headless logins are configured, with username and password.
    pub headless: bool,
    /// Whether no phone or person is needed: a seed is there, or it is a paper login.
    pub is_alone: bool,
    /// When the daily login shall be.
    pub login_time: Option<Time>,
    /// When the login was made that is there.
    pub login_at: Option<Timestamp>,
    /// A client waits for a session: that is asked for, but not by a person.
    pub is_wanted: bool,
    /// When one was last begun by itself, or failed.
    pub last: Option<Timestamp>,
    /// How many have failed since the last success.
    pub failures: u32,
    /// A maintenance that goes on.
    pub window: Option<Window>,
    /// Somebody else has the session, or a person logged out.
    pub is_unwanted: bool,
}

/// That another platform has this login's session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Taken {
    /// Since when.
    pub at: Timestamp,
    /// It was seen; otherwise the login ended for no other reason that is known.
    pub is_sure: bool,
}

/// Whether to log in although no person asks: `Some(renew)`.
pub fn unasked(situation: &Unasked<'_>) -> Option<bool> {
    let Unasked { now, phase, login_at, .. } = situation;
    let pause = UNASKED * 2_i32.pow(situation.failures.min(6));
    // A caller who waits need not wait for that, unless it failed the last time.
    let is_spaced = !situation.is_wanted || situation.failures > 0;
    let is_soon = is_spaced && situation.last.is_some_and(|last| now.duration_since(last) < pause);
    if !situation.headless || situation.is_unwanted || situation.window.is_some() || is_soon {
        return None;
    }
    let appointment = situation.login_time.and_then(|at| {
        let kept = calendar::next(at, &situation.zone, *now - APPOINTMENT)?;
        (kept <= *now).then_some(kept)
    });
    match phase {
        Phase::Stopped if !situation.is_wanted => None,
        Phase::NeedLogin | Phase::Stopped => {
            let hour = now.to_zoned(situation.zone.clone()).hour();
            let is_time = match situation.login_time {
                _ if situation.is_alone => true,
                Some(_) => appointment.is_some(),
                None => DAYTIME.contains(&hour),
            };
            is_time.then_some(false)
        }
        Phase::Ready => {
            let kept = appointment?;
            let is_due = login_at.is_some_and(|at| at < kept && now.duration_since(at) > YOUNG);
            is_due.then_some(true)
        }
        _ => None,
    }
}

/// Whether it is time to say that a login will be needed.
pub fn is_due_soon(login_at: Option<Timestamp>, now: Timestamp) -> bool {
    login_at.is_some_and(|at| {
        let ends = calendar::login_ends(at);
        (ends - calendar::SAID_AHEAD..ends).contains(&now)
    })
}

/// How long a login may take.
pub fn limit(seconds: Option<u64>) -> Duration {
    Duration::from_secs(seconds.unwrap_or(300).max(10))
}

#[cfg(test)]
mod tests;
