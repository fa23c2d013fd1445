//! What happens to the session and what follows: each event is a step of its life, and what the life answers is done.

use ibd_cpapi::{Failure, faults};
use ibd_protocol::GatewayMode;
use jiff::Timestamp;
use ractor::ActorRef;
use tokio::time::Instant;

use super::known::{Identity, Seen};
use super::life::{Effect, Event, Opening, Phase, Sight, Watch};
use super::login::Taken;
use super::look::Entry;
use super::{Facts, Msg, State, calendar};
use crate::gateway::{GatewayState, GatewayView};

/// Seconds by which a clock is noticeably wrong.
const NOTED: i64 = 60;

impl State {
    /// The news of a gateway may still be on its way to us, and what is decided now must not be decided on
    /// what was.
    pub(super) fn catch_up(&mut self, me: &ActorRef<Msg>) {
        let view = self.board.gateway().borrow().clone();
        if view.generation != self.gateway.generation || view.state != self.gateway.state {
            self.gateway_changed(me, view);
        }
    }

    pub(super) fn gateway_changed(&mut self, me: &ActorRef<Msg>, view: GatewayView) {
        let is_up = view.state == GatewayState::Up;
        let was_up = self.gateway.state == GatewayState::Up;
        let is_same = self.gateway.generation == view.generation && was_up == is_up;
        self.gateway = view;
        if is_same && self.life.phase != Phase::LoggingOut {
            // Only its own words have changed.
            return self.publish();
        }
        if self.life.phase == Phase::LoggingOut {
            // The logout has a gateway of its own; what comes of it is the next event.
            return;
        }
        self.errands.stop();
        self.event(me, if is_up { &Event::GatewayUp } else { &Event::GatewayDown });
    }

    /// A look that is under way, or only just over, is look enough.
    pub(super) fn look_again(&mut self, me: &ActorRef<Msg>) {
        if self.errands.is_looking() {
            return;
        }
        if self.errands.has_looked() {
            self.consider_login(me);
            self.publish();
        } else {
            self.event(me, &Event::Wanted);
        }
    }

    /// Another login at the gateway is another session, however ready it looks: another user, or the
    /// same one in the other mode.
    pub(super) fn looked(&mut self, me: &ActorRef<Msg>, sight: Sight, identity: Option<Identity>) {
        self.errands.looked();
        let is_working = matches!(self.life.phase, Phase::Ready | Phase::Doubtful);
        match self.known.see(identity) {
            Seen::Other if is_working => {
                tracing::warn!("another login is at the gateway");
                self.known.facts = Facts::default();
                return self.event(me, &Event::Unprimed);
            }
            // What is known of a login is of the one before, until the first calls of this one are over.
            Seen::New if is_working => self.known.remember(&mut self.logins.memory),
            _ => {}
        }
        self.event(me, &Event::Looked(sight));
        self.ask_for_name(me);
    }

    fn ask_for_name(&mut self, me: &ActorRef<Msg>) {
        let is_direct = self.gateway.mode() == GatewayMode::Direct;
        let is_known = self.known.is_complete() || is_direct && self.known.facts.username.is_some();
        let is_wanted = self.life.phase == Phase::Ready && !is_known;
        let Some(client) = self.gateway.client.clone().filter(|_| is_wanted) else { return };
        self.errands.ask_who(me, client, self.life.epoch);
    }

    /// Who is logged in is known.
    pub(super) fn named(&mut self, who: Option<(Option<String>, Option<Timestamp>)>) {
        self.known.named(who);
        self.known.remember(&mut self.logins.memory);
        self.publish();
    }

    pub(super) fn primed(&mut self, me: &ActorRef<Msg>, facts: Result<Facts, Failure>) {
        match facts {
            Ok(facts) => {
                self.known.facts = facts;
                self.known.remember(&mut self.logins.memory);
                self.known.opened = Some(Instant::now());
                self.note_clock();
                self.event(me, &Event::Primed(true));
            }
            Err(failure) => {
                tracing::warn!(%failure, "the session's first calls failed");
                let event = match failure {
                    Failure::RateLimited(until) => Event::Looked(Sight::Limited(until)),
                    Failure::Trouble { .. } => Event::Troubled,
                    _ => Event::Primed(false),
                };
                self.event(me, &event);
            }
        }
    }

    pub(super) fn event(&mut self, me: &ActorRef<Msg>, event: &Event) {
        let before = self.life.phase.clone();
        self.life.watch = self.how_to_watch();
        self.life.now = faults::hastened(self.begun.elapsed());
        let effects = self.life.step(event);
        if before != self.life.phase {
            tracing::info!(?before, after = ?self.life.phase, ?event, "session");
            self.told.turned(&self.life.phase);
            let is_nobody = matches!(
                self.life.phase,
                Phase::NeedLogin | Phase::Denied { .. } | Phase::Stopped | Phase::LoggingOut
            );
            if is_nobody {
                // Whoever comes next is no other one than this.
                self.known.identity = None;
            }
            self.remember_taken();
        }
        for effect in effects {
            self.perform(me, effect);
        }
        if matches!(event, Event::Looked(Sight::Denied(_)) | Event::Opened(Opening::Denied(_))) {
            self.login_is_denied();
        }
        self.consider_login(me);
        self.publish();
    }

    fn how_to_watch(&self) -> Watch {
        let now = Timestamp::now();
        let is_managed = self.gateway.mode() == GatewayMode::Managed;
        let window = calendar::window(self.logins.region(), now);
        let is_night = matches!(window, Some(calendar::Window::Night(_)));
        let usual = Watch::default();
        Watch {
            ready: calendar::between_looks(self.logins.region(), now, is_managed),
            waiting: self.logins.between_looks().unwrap_or(usual.waiting),
            is_urgent: is_managed && is_night,
            is_maintained: window.is_some(),
        }
    }

    /// That somebody has the session outlives the login: the next one would take it from them.
    fn remember_taken(&mut self) {
        let now = Timestamp::now();
        let is_explained =
            calendar::explains_an_end(self.logins.region(), now, self.known.facts.login_at);
        let was_ready = self.was_ready;
        match self.life.phase {
            Phase::Competing => {
                let taken = Taken { at: now, is_sure: true };
                self.logins.memory.change(|memory| memory.taken = memory.taken.or(Some(taken)));
            }
            Phase::Ready => {
                self.was_ready = true;
                self.logins.memory.change(|memory| memory.taken = None);
            }
            // The gateway that went took the login with it.
            Phase::Stopped | Phase::LoggingOut => self.was_ready = false,
            Phase::NeedLogin => {
                self.was_ready = false;
                // Where requests are signed only a person's logout ends a login for good.
                let is_gateways = self.gateway.mode() != GatewayMode::Direct;
                if was_ready && !is_explained && is_gateways {
                    let taken = Taken { at: now, is_sure: false };
                    self.logins.memory.change(|memory| memory.taken = memory.taken.or(Some(taken)));
                }
            }
            _ => {}
        }
    }

    /// How a look comes to a login: at a gateway it is or it is not; where requests are signed it is asked for, unless a
    /// person has logged out.
    fn entry(&self) -> Entry {
        match self.gateway.mode() {
            GatewayMode::Direct if self.logins.memory.get().logged_out => Entry::OldToken,
            GatewayMode::Direct => Entry::Token,
            _ if self.life.phase.has_login() => Entry::Known,
            _ => Entry::Unknown,
        }
    }

    /// A clock that is wrong does no harm to signatures, which are corrected; to a person it is news.
    fn note_clock(&self) {
        let signer = self.gateway.client.as_ref().and_then(|client| client.signer());
        let off = signer.and_then(|signer| signer.clock_off());
        match off.filter(|seconds| seconds.abs() >= NOTED) {
            Some(seconds) => {
                let which = if seconds > 0 { "slow" } else { "fast" };
                let text = format!(
                    "This machine's clock is {} s {which} beside IBKR's; signed requests are corrected for it.",
                    seconds.abs()
                );
                self.board.note(
                    "clock_off",
                    text,
                    "Set the clock: other times said here are as wrong.",
                );
            }
            None => self.board.clear("clock_off"),
        }
    }

    fn perform(&mut self, me: &ActorRef<Msg>, effect: Effect) {
        match effect {
            Effect::Escalate => self.handle.hangs(self.gateway.generation),
            Effect::Wait(usual) => {
                let pause = self.life.phase.pause(usual, Timestamp::now());
                self.errands.wait(me, pause);
            }
            effect => match self.gateway.client.clone() {
                Some(client) => self.errands.begin(me, client, effect, self.entry()),
                None => self.errands.stop(),
            },
        }
    }
}
