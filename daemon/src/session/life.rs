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

use std::time::Duration;

use jiff::Timestamp;

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

/// Where a session stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// There is no gateway to ask.
    Stopped,
    /// There should be one, and nobody answers at its address.
    Gone {
        /// Why not.
        why: String,
    },
    /// It shows another certificate than the one that was pinned.
    Untrusted,
    /// The login is being ended; until that is over nothing else happens.
    LoggingOut,
    /// Not looked at yet.
    Starting,
    /// Somebody must log in.
    NeedLogin,
    /// The brokerage session is being opened.
    Opening,
    /// It is open; IBKR loads the accounts.
    Loading {
        /// Looks so far.
        looks: u32,
    },
    /// It is loaded; the calls that every session needs first are made.
    Priming,
    /// IBKR would not open it; looked at often, opened again only after a pause.
    Refused,
    /// Everything works.
    Ready,
    /// It was ready, and one look was bad.
    Doubtful,
    /// TWS, a phone or another gateway holds the brokerage session.
    Competing,
    /// IBKR answers with errors.
    Maint {
        /// There is a login that must be kept alive meanwhile, as far as is known.
        login: bool,
    },
    /// The gateway answers, IBKR behind it does not.
    Network {
        /// Looks so far.
        looks: u32,
    },
    /// The gateway itself does not answer.
    Hung {
        /// Looks so far.
        looks: u32,
    },
    /// IBKR's rate limit.
    Penalty {
        /// Its end.
        until: Timestamp,
    },
}

/// What one look at the gateway showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// A login, and how its brokerage session stands.
    Login {
        /// Accepted.
        authenticated: bool,
        /// Account data loaded; servers of older builds do not say.
        established: Option<bool>,
        /// Held by another platform.
        competing: bool,
    },
    /// No login.
    NoLogin,
    /// Nobody listens, or TLS failed, and why.
    Gone(String),
    /// Another certificate than the one that was pinned.
    Untrusted,
    /// No answer in time; the gateway's own page did come.
    SilentUpstream,
    /// No answer in time, not even the gateway's own page.
    SilentGateway,
    /// 429.
    Limited(Timestamp),
    /// 5xx, or a page instead of data.
    Trouble,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A gateway is there.
    GatewayUp,
    /// There is none.
    GatewayDown,
    /// A look is over.
    Looked(Sight),
    /// The brokerage session was asked for.
    Opened(Opening),
    /// The first calls were made: all went well, or not.
    Primed(bool),
    /// A call failed in a way that casts doubt on the session.
    Doubted,
    /// A call, or the session's first calls, were answered with an error of IBKR's servers.
    Troubled,
    /// A call was told that the session's first calls are missing: somebody opened it anew.
    Unprimed,
    /// A caller waits.
    Wanted,
    /// A person says to go on, whoever has the session.
    Resume,
    /// A pause is over.
    Due,
    /// The session is being ended on purpose.
    LoggingOut,
    /// It was.
    LoggedOut,
}

/// What came of asking for the brokerage session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// IBKR has taken it up.
    Accepted,
    /// Somebody else has it.
    Held,
    /// It did not work.
    Failed,
}

/// What to do. The actor does it and comes back with an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Look at the gateway now.
    Look,
    /// Look, and if all seems well, also ask for something that needs the brokerage session.
    Probe,
    /// Come back with `Due` after this time.
    Wait(Duration),
    /// Open the brokerage session; `compete` takes it away from others.
    Open {
        /// Take it away from others.
        compete: bool,
    },
    /// Make the calls that every brokerage session needs first.
    Prime,
    /// The gateway hangs: whoever owns it shall end it.
    Escalate,
}

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

impl Phase {
    /// Whether there is a login to be kept alive, as far as is known.
    pub fn has_login(&self) -> bool {
        matches!(
            self,
            Self::Opening
                | Self::Loading { .. }
                | Self::Priming
                | Self::Refused
                | Self::Ready
                | Self::Doubtful
                | Self::Competing
                | Self::Maint { login: true }
        )
    }

    /// Whether waiting a little is likely to help.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Starting
                | Self::LoggingOut
                | Self::Opening
                | Self::Loading { .. }
                | Self::Priming
                | Self::Doubtful
        )
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
            troubles: 0,
            yielded_looks: 0,
        }
    }

    /// What `event` leads to.
    pub fn step(&mut self, event: &Event) -> Vec<Effect> {
        match event {
            Event::GatewayUp => self.to(Phase::Starting, vec![Effect::Look]),
            Event::GatewayDown => self.to(Phase::Stopped, vec![]),
            Event::LoggingOut => self.to(Phase::LoggingOut, vec![]),
            Event::LoggedOut => self.to(Phase::NeedLogin, vec![Effect::Wait(self.watch.waiting)]),
            Event::Looked(sight) => self.looked(sight),
            Event::Opened(Opening::Accepted) => {
                self.to(Phase::Loading { looks: 0 }, vec![Effect::Look])
            }
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
                self.to(Phase::Opening, vec![Effect::Open { compete: true }])
            }
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
    fn open(&mut self, compete: bool) -> Vec<Effect> {
        if self.now < self.not_before {
            return vec![Effect::Wait(WAITING_LOOK.min(self.not_before - self.now))];
        }
        if compete {
            // Two that both take must not do so in a loop.
            self.not_before = self.now + self.reopen;
            self.reopen = (self.reopen * 2).min(LONGEST_REOPEN);
        }
        self.to(Phase::Opening, vec![Effect::Open { compete }])
    }

    fn looked(&mut self, sight: &Sight) -> Vec<Effect> {
        let was_ready = self.phase == Phase::Ready;
        if was_ready && self.now.saturating_sub(self.ready_since) >= HEALTHY {
            self.reopen = REOPEN;
        }
        match sight {
            Sight::Login { authenticated: true, established: Some(false), competing: false } => {
                self.loading()
            }
            Sight::Login { authenticated: true, competing: false, .. } => self.alive(),
            Sight::Trouble => self.trouble_seen(),
            _ if was_ready && !self.watch.is_urgent && !matches!(sight, Sight::Limited(_)) => {
                self.to(Phase::Doubtful, vec![Effect::Wait(SECOND_LOOK)])
            }
            Sight::Login { competing: true, .. } => self.competing(),
            Sight::Login { .. } => self.closed(),
            Sight::NoLogin => self.to(Phase::NeedLogin, vec![Effect::Wait(self.watch.waiting)]),
            Sight::Gone(why) => {
                self.to(Phase::Gone { why: why.clone() }, vec![Effect::Wait(WAITING_LOOK)])
            }
            Sight::Untrusted => self.to(Phase::Untrusted, vec![Effect::Wait(WAITING_LOOK)]),
            Sight::SilentUpstream => self.silent(),
            Sight::SilentGateway => self.hung(),
            Sight::Limited(until) => {
                self.to(Phase::Penalty { until: *until }, vec![Effect::Wait(MAINTENANCE_LOOK)])
            }
        }
    }

    fn trouble_seen(&mut self) -> Vec<Effect> {
        let login = self.phase.has_login();
        let (phase, pause) = match self.phase {
            Phase::Ready | Phase::Doubtful => match self.more_trouble() {
                Phase::Doubtful => (Phase::Doubtful, SECOND_LOOK),
                maintenance => (maintenance, MAINTENANCE_LOOK),
            },
            _ => (Phase::Maint { login }, MAINTENANCE_LOOK),
        };
        self.to(phase, vec![Effect::Wait(pause)])
    }

    /// Authenticated and, as far as the server says, established.
    fn alive(&mut self) -> Vec<Effect> {
        match self.phase {
            Phase::Ready | Phase::Doubtful => {
                self.to(Phase::Ready, vec![Effect::Wait(self.watch.ready)])
            }
            Phase::Priming => vec![],
            _ => {
                self.epoch += 1;
                self.to(Phase::Priming, vec![Effect::Prime])
            }
        }
    }

    fn loading(&mut self) -> Vec<Effect> {
        let looks = match self.phase {
            Phase::Loading { looks } => looks + 1,
            _ => 0,
        };
        if looks < OPENING_LOOKS {
            self.to(Phase::Loading { looks }, vec![Effect::Wait(OPENING_LOOK)])
        } else {
            self.refused()
        }
    }

    /// Logged in, the brokerage session not open, nobody else known to hold it.
    fn closed(&mut self) -> Vec<Effect> {
        match self.phase {
            // Just opened: it takes a moment until the status says so.
            Phase::Loading { .. } => self.loading(),
            // Whoever is thrown out by TWS often sees nobody compete: only a person knows.
            Phase::Competing if self.compete == Compete::Ask => self.competing(),
            _ => self.open(self.compete == Compete::Take),
        }
    }

    fn competing(&mut self) -> Vec<Effect> {
        match (self.compete, &self.phase) {
            // The flag lags behind an opening.
            (Compete::Take, Phase::Loading { .. }) => self.loading(),
            (Compete::Take, _) => self.open(true),
            _ => {
                self.yielded_looks = self.yielded_looks.saturating_add(1);
                let pause = MAINTENANCE_LOOK.saturating_mul(self.yielded_looks).min(LONGEST_YIELD);
                self.to(Phase::Competing, vec![Effect::Wait(pause)])
            }
        }
    }

    /// Our own gateway is started anew after some looks; of another one nothing is known to do.
    fn hung(&mut self) -> Vec<Effect> {
        let looks = match self.phase {
            Phase::Hung { looks } => looks + 1,
            _ => 1,
        };
        let phase = Phase::Hung { looks };
        if looks < HUNG_LOOKS {
            self.to(phase, vec![Effect::Wait(SECOND_LOOK)])
        } else {
            // Its owner sees to it that this has an effect once in a while only.
            self.to(phase, vec![Effect::Escalate, Effect::Wait(WAITING_LOOK)])
        }
    }

    fn silent(&mut self) -> Vec<Effect> {
        let looks = match self.phase {
            Phase::Network { looks } => looks + 1,
            _ => 1,
        };
        if looks < SILENT_LOOKS {
            self.to(Phase::Network { looks }, vec![Effect::Wait(SECOND_LOOK)])
        } else {
            self.to(Phase::Network { looks }, vec![Effect::Wait(WAITING_LOOK)])
        }
    }
}

#[cfg(test)]
mod tests;
