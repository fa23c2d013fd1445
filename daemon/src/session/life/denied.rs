//! What is done where IBKR gives no session to whoever signs requests. Pure.
//!
//! A key that is not in force yet comes by itself, and is tried every quarter of an hour. Every other refusal is
//! somebody's mistake, or IBKR's decision: it is tried three times in all, and then a person says when again. Refused
//! signatures in a loop are what gets a machine shut out.

use std::time::Duration;

use ibd_cpapi::Denial;

use super::{Effect, Life, Phase};

/// Refusals after which only a person goes on.
const DENIALS: u32 = 3;
/// After the first refusal; five times that after the second.
const AGAIN: Duration = Duration::from_secs(60);
/// Between looks whether a key is in force by now.
const IN_FORCE: Duration = Duration::from_secs(15 * 60);
/// Who asks meanwhile is looked for this often.
const ASKED: Duration = Duration::from_secs(60);

impl Life {
    pub(super) fn denied(&mut self, why: Denial) -> Vec<Effect> {
        if why.may_pass() {
            self.denied_until = self.now + ASKED;
            let phase = Phase::Denied { why, is_over: false };
            return self.to(phase, vec![Effect::Wait(IN_FORCE)]);
        }
        self.denials += 1;
        let is_over = self.denials >= DENIALS;
        let pause = if self.denials == 1 { AGAIN } else { AGAIN * 5 };
        self.denied_until = self.now + pause;
        let effects = if is_over { vec![] } else { vec![Effect::Wait(pause)] };
        self.to(Phase::Denied { why, is_over }, effects)
    }

    /// Whether a caller's wish makes it be tried again.
    pub(super) fn may_ask_again(&self) -> bool {
        !matches!(self.phase, Phase::Denied { is_over: true, .. }) && self.now >= self.denied_until
    }

    /// A person says so.
    pub(super) fn asked_again(&mut self) -> Vec<Effect> {
        self.denials = 0;
        self.denied_until = self.now;
        vec![Effect::Look]
    }
}
