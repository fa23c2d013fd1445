//! The life of a session, decided purely: evidence in, the next state and what to do out.
//!
//! ```text
//!                       ┌───────────── not logged in ─────────────▶ NeedLogin
//!   Starting ──looked──▶┼── brokerage closed ──▶ Opening ──opened─▶ Loading ──established─┐
//!       ▲               ├── competing ─────────▶ Competing ◀─held─┘│                      │
//!       │               ├── 5xx, HTML ─────────▶ Maint             └refused▶ Refused      │
//!       │ gateway up    ├── silent ────────────▶ Network                      Priming ◀───┘
//!   Stopped             ├── silent gateway ────▶ Hung, escalated            primed │
//!                Gone ◀─┴── 429 ───────────────▶ Penalty                           ▼
//!                         Maint ◀─probe: 5xx── Doubtful ◀──one bad look or call─ Ready
//!                           └──probe: answered──▶ Priming
//! ```
//!
//! A single bad look makes a ready session doubtful, not lost: IBKR's status flickers. At the hour of
//! IBKR's nightly reset one is enough, because our own gateway gives up its login when it is the first
//! to see that the brokerage session is closed. Reopening is never tried in a tight loop: somebody's
//! 4,528 attempts in a night had the login refused.
//!
//! During IBKR's maintenance tickles go on being answered and calls are not. So a call that was answered
//! with an error is followed by a probe, a look that also asks for what needs the brokerage session; one
//! endpoint's own trouble ends there. While it is maintained the login is kept alive by the same probe.
//!
//! A person's TWS or phone is never fought. `ask` leaves the session to them until a person says
//! `ibctl resume`; `yield` takes it up again when it is free; `take` takes it.

mod denied;
mod event;
mod looked;
mod phase;

use std::time::Duration;

pub use event::{Claim, Effect, Event, Opening, Sight};
pub use phase::Phase;

/// Between tickles of a ready session, unless told otherwise. IBKR ends a session after about five
/// minutes without one.
const TICKLE: Duration = Duration::from_secs(55);
/// A doubtful session is looked at again after this time.
const SECOND_LOOK: Duration = Duration::from_secs(3);
/// While the brokerage session opens, it is looked at this often, so many times.
const OPENING_LOOK: Duration = Duration::from_secs(1);
const OPENING_LOOKS: u32 = 60;
/// Between looks when only a person, IBKR or time can help. A caller's request looks at once.
const WAITING_LOOK: Duration = Duration::from_secs(30);
const MAINTENANCE_LOOK: Duration = Duration::from_secs(60);
/// Answers with errors, and none without in between, that make a maintenance; in a known window one does.
const TROUBLES: u32 = 2;
/// A session that was ready for so long begins anew with its patience.
const HEALTHY: Duration = Duration::from_secs(300);
/// Pause before the brokerage session is opened again after a refusal; doubles up to the longest.
const REOPEN: Duration = Duration::from_secs(60);
/// Times that the first calls of a session may fail in a row before that counts as a refusal.
const PRIMINGS: u32 = 3;
const LONGEST_REOPEN: Duration = Duration::from_secs(30 * 60);
/// Silent looks after which nothing is expected to come back soon.
const SILENT_LOOKS: u32 = 3;
/// Looks that the gateway itself leaves unanswered, after which it is started anew if it is ours.
const HUNG_LOOKS: u32 = 3;
/// Between looks when another platform has the session and it shall be taken up after it.
const LONGEST_YIELD: Duration = Duration::from_secs(300);

/// What to do about others who hold the brokerage session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compete {
    /// Leave it to them, and say so, until a person decides.
    #[default]
    Ask,
    /// Leave it to them, and take it up again when they are gone.
    Yield,
    /// Take it.
    Take,
}

/// The whole of a session's life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// Where it stands.
    pub phase: Phase,
    /// Grows with every brokerage session: what was learnt in an earlier one no longer counts.
    pub epoch: u64,
    /// How closely a ready session is watched, for now.
    pub watch: Watch,
    /// Time since some beginning; told before each step.
    pub now: Duration,
    /// The brokerage session is not opened again before this moment, however often somebody looks.
    not_before: Duration,
    ready_since: Duration,
    compete: Compete,
    reopen: Duration,
    failed_primings: u32,
    /// Refusals of what requests are signed with, since the session last worked or a person last said to try again.
    denials: u32,
    /// After a refusal nobody's wish makes it be tried before this moment.
    denied_until: Duration,
    /// Answers with errors since the session last worked.
    troubles: u32,
    /// Looks since another platform was seen to have the session.
    yielded_looks: u32,
}

/// How closely a session is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// Between looks at a ready session.
    pub ready: Duration,
    /// Between looks while a person, or nobody, is awaited.
    pub waiting: Duration,
    /// The first bad look counts.
    pub is_urgent: bool,
    /// IBKR's known hours of maintenance: the first answer with an error counts.
    pub is_maintained: bool,
}

impl Default for Watch {
    fn default() -> Self {
        Self { ready: TICKLE, waiting: WAITING_LOOK, is_urgent: false, is_maintained: false }
    }
}

impl Life {
    /// Before anything is known.
    pub fn new(compete: Compete, epoch: u64) -> Self {
        Self {
            phase: Phase::Stopped,
            epoch,
            watch: Watch::default(),
            now: Duration::ZERO,
            not_before: Duration::ZERO,
            ready_since: Duration::ZERO,
            compete,
            reopen: REOPEN,
            failed_primings: 0,
            denials: 0,
            denied_until: Duration::ZERO,
            troubles: 0,
            yielded_looks: 0,
        }
    }

    /// What `event` leads to.
    pub fn step(&mut self, event: &Event) -> Vec<Effect> {
        match event {
            Event::GatewayUp => {
                self.denials = 0;
                self.to(Phase::Starting, vec![Effect::Look])
            }
            Event::GatewayDown => self.to(Phase::Stopped, vec![]),
            Event::LoggingOut => self.to(Phase::LoggingOut, vec![]),
            Event::LoggedOut => self.to(Phase::NeedLogin, vec![Effect::Wait(self.watch.waiting)]),
            Event::Looked(sight) => self.looked(sight),
            Event::Opened(Opening::Accepted) => {
                self.to(Phase::Loading { looks: 0 }, vec![Effect::Look])
            }
            Event::Opened(Opening::Denied(why)) => self.denied(*why),
            Event::Opened(Opening::Held) if self.compete != Compete::Take => {
                self.not_before = self.now + REOPEN;
                self.competing()
            }
            Event::Opened(Opening::Held | Opening::Failed) => self.refused(),
            Event::Primed(true) => self.primed(),
            Event::Primed(false) => self.not_primed(),
            Event::Doubted => self.doubted(),
            Event::Troubled => self.troubled(),
            Event::Unprimed => self.unprimed(),
            Event::Wanted => self.wanted(),
            Event::Resume => self.resume(),
            Event::Due => self.due(),
        }
    }

    fn to(&mut self, phase: Phase, effects: Vec<Effect>) -> Vec<Effect> {
        if !matches!(phase, Phase::Doubtful | Phase::Maint { .. } | Phase::Priming) {
            self.troubles = 0;
        }
        self.phase = phase;
        effects
    }

    /// Someone waits: look now, unless a look or an opening is under way, or would do harm.
    fn wanted(&mut self) -> Vec<Effect> {
        match self.phase {
            Phase::Stopped
            | Phase::LoggingOut
            | Phase::Opening
            | Phase::Loading { .. }
            | Phase::Priming
            | Phase::Penalty { .. } => vec![],
            Phase::Denied { .. } if !self.may_ask_again() => vec![],
            _ => vec![self.look()],
        }
    }

    /// After an error of IBKR's servers a tickle that is answered proves nothing.
    fn look(&self) -> Effect {
        match self.phase {
            Phase::Maint { login: true } => Effect::Probe,
            Phase::Doubtful if self.troubles > 0 => Effect::Probe,
            _ => Effect::Look,
        }
    }

    /// What a person says goes, once: if the session is taken away again, they are asked again.
    fn resume(&mut self) -> Vec<Effect> {
        match self.phase {
            Phase::Competing | Phase::Refused => {
                self.to(Phase::Opening, vec![Effect::Open(Claim::FromOthers)])
            }
            Phase::Denied { .. } => self.asked_again(),
            _ => self.wanted(),
        }
    }

    /// The failed call is the first piece of evidence, this look the second.
    fn doubted(&mut self) -> Vec<Effect> {
        match self.phase {
            Phase::Ready => self.to(Phase::Doubtful, vec![Effect::Look]),
            _ => self.wanted(),
        }
    }

    /// An error of IBKR's servers, in answer to a call: the one endpoint's, or all of them are down.
    fn troubled(&mut self) -> Vec<Effect> {
        match self.phase {
            Phase::Ready | Phase::Doubtful => {
                let phase = self.more_trouble();
                self.to(phase, vec![Effect::Probe])
            }
            // The session cannot be used, whatever the reason; a hiccup is over at the next probe.
            Phase::Priming => {
                self.troubles += 1;
                let is_hiccup = self.troubles < TROUBLES;
                let pause = if is_hiccup { SECOND_LOOK } else { MAINTENANCE_LOOK };
                self.to(Phase::Maint { login: true }, vec![Effect::Wait(pause)])
            }
            _ => self.wanted(),
        }
    }

    /// Of a session that was ready: doubtful until there is trouble enough.
    fn more_trouble(&mut self) -> Phase {
        self.troubles += 1;
        if self.watch.is_maintained || self.troubles >= TROUBLES {
            Phase::Maint { login: true }
        } else {
            Phase::Doubtful
        }
    }

    fn unprimed(&mut self) -> Vec<Effect> {
        match self.phase {
            Phase::Ready | Phase::Doubtful => {
                self.epoch += 1;
                self.to(Phase::Priming, vec![Effect::Prime])
            }
            _ => vec![],
        }
    }

    fn due(&mut self) -> Vec<Effect> {
        match self.phase {
            Phase::Stopped | Phase::LoggingOut => vec![],
            _ => vec![self.look()],
        }
    }

    fn primed(&mut self) -> Vec<Effect> {
        self.failed_primings = 0;
        self.denials = 0;
        self.yielded_looks = 0;
        self.ready_since = self.now;
        self.to(Phase::Ready, vec![Effect::Wait(self.watch.ready)])
    }

    fn not_primed(&mut self) -> Vec<Effect> {
        self.failed_primings += 1;
        if self.failed_primings < PRIMINGS {
            self.to(Phase::Starting, vec![Effect::Wait(SECOND_LOOK)])
        } else {
            self.refused()
        }
    }

    fn refused(&mut self) -> Vec<Effect> {
        self.not_before = self.now + self.reopen;
        self.reopen = (self.reopen * 2).min(LONGEST_REOPEN);
        self.to(Phase::Refused, vec![Effect::Wait(WAITING_LOOK)])
    }

    /// Opens the brokerage session, unless that was tried too short a time ago.
    fn open(&mut self, claim: Claim) -> Vec<Effect> {
        if self.now < self.not_before {
            return vec![Effect::Wait(WAITING_LOOK.min(self.not_before - self.now))];
        }
        if claim == Claim::FromOthers {
            // Two that both take must not do so in a loop.
            self.not_before = self.now + self.reopen;
            self.reopen = (self.reopen * 2).min(LONGEST_REOPEN);
        }
        self.to(Phase::Opening, vec![Effect::Open(claim)])
    }
}

#[cfg(test)]
mod tests;
