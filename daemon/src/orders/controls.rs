//! What stands between a request and the broker besides the market: limits, the flags that freeze, what other
//! profiles sent, and whose the accounts are.

use ibd_protocol::settings::{Key, Settings};

use super::claim::Claims;
use super::flags::Flags;
use super::intent::Intent;
use super::limits::{Limits, Rules};
use super::siblings::Siblings;

/// The risk controls of this daemon.
#[derive(Debug)]
pub(super) struct Controls {
    /// The daemon's own limits.
    pub(super) limits: Limits,
    settings: Settings,
    /// The files whose being there freezes trading.
    pub(super) flags: Flags,
    /// What other profiles sent.
    pub(super) siblings: Siblings,
    /// The accounts that no other daemon sends orders for.
    pub(super) claims: Claims,
}

impl Controls {
    /// Those of a daemon's settings.
    pub(super) fn new(settings: Settings, flags: Flags, siblings: Siblings) -> Self {
        let limits = Limits::of(&settings);
        Self { limits, settings, flags, siblings, claims: Claims::default() }
    }

    /// The limits for an intent: the daemon's, and what its client brought along.
    pub(super) fn rules_of(&self, intent: &Intent) -> Rules {
        let is_paper = intent.order.as_ref().is_some_and(|order| order.paper);
        self.limits.strictest(&Limits::of_client(&intent.origin.bound), is_paper)
    }

    /// No client of this daemon sends orders.
    pub(super) fn is_read_only(&self) -> bool {
        self.settings.flag(Key::ReadOnlyMode) == Some(true)
    }

    /// What stands between an assistant and an order, in words.
    pub(super) fn in_words(&self, has_pin: bool) -> String {
        let by = match (has_pin, self.settings.text(Key::ApproveBy)) {
            (true, _) => "with ibctl only, with a PIN",
            (false, Some("ibctl")) => "with ibctl only",
            (false, _) => "in the client's dialog or with ibctl",
        };
        format!("guardrails; {} {by}", self.limits.confirm_in_words())
    }
}
