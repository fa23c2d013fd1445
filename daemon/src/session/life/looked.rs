//! What a look at the gateway leads to. Pure.

use super::{
    Claim, Compete, Effect, HEALTHY, HUNG_LOOKS, LONGEST_YIELD, Life, MAINTENANCE_LOOK,
    OPENING_LOOK, OPENING_LOOKS, Phase, REOPEN, SECOND_LOOK, SILENT_LOOKS, Sight, WAITING_LOOK,
};

impl Life {
    pub(super) fn looked(&mut self, sight: &Sight) -> Vec<Effect> {
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
            Sight::Denied(why) => self.denied(*why),
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
            _ if self.compete == Compete::Take => self.open(Claim::FromOthers),
            _ => self.open(Claim::IfFree),
        }
    }

    pub(super) fn competing(&mut self) -> Vec<Effect> {
        match (self.compete, &self.phase) {
            // The flag lags behind an opening.
            (Compete::Take, Phase::Loading { .. }) => self.loading(),
            (Compete::Take, _) => self.open(Claim::FromOthers),
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
