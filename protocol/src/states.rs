//! How things stand, in the words that cross the socket: one closed list each, which daemon and command share.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::words::words;

words! {
    /// The session at the broker.
    #[derive(Default)]
    Session {
        /// No gateway.
        #[default]
        Stopped = "stopped";
        /// Not known yet.
        Starting = "starting";
        /// Somebody must log in.
        NeedLogin = "need_login";
        /// A second factor is awaited.
        Wait2fa = "wait_2fa";
        /// Too many logins failed; only a person goes on.
        LockoutGuard = "lockout_guard";
        /// The trading session is being opened.
        Init = "init";
        /// Everything works.
        Ready = "ready";
        /// It worked a moment ago.
        Degraded = "degraded";
        /// Another platform holds it.
        Competing = "competing";
        /// IBKR is under maintenance.
        Maint = "maint";
        /// No way to IBKR.
        Network = "network";
        /// The gateway hangs.
        Hung = "hung";
        /// IBKR's rate limit.
        Penalty = "penalty";
    }

    /// The gateway.
    #[derive(Default)]
    Gateway {
        /// Something is not there, or nobody has looked.
        #[default]
        NotInstalled = "not_installed";
        /// It is being installed.
        Installing = "installing";
        /// Its process is coming up.
        Starting = "starting";
        /// It can be asked.
        Up = "up";
        /// A person ended it.
        Stopped = "stopped";
        /// It is not there; one of ours is started again.
        Down = "down";
        /// One that is not ours accepts connections and does not answer.
        Hung = "hung";
    }

    /// Whether orders may be sent.
    #[derive(Default)]
    Trading {
        /// They go through the guardrails.
        Open = "open";
        /// Not now, and why is said beside it.
        #[default]
        Closed = "closed";
        /// Not until a person lets them go on.
        Frozen = "frozen";
    }

    /// An order that was asked for here.
    #[derive(Default)]
    Order {
        /// Refused by our own rules: it never left.
        Denied = "denied";
        /// It waits for a yes.
        AwaitingApproval = "awaiting_approval";
        /// It waits for its turn.
        #[default]
        Ready = "ready";
        /// It is being sent.
        Sending = "sending";
        /// IBKR's question is being answered with yes.
        Replying = "replying";
        /// IBKR's question is being answered with no.
        Declining = "declining";
        /// Whether IBKR has it is being found out.
        Unknown = "unknown";
        /// Nobody could find out whether IBKR has it.
        Parked = "parked";
        /// IBKR has it, and it can be filled.
        Working = "working";
        /// IBKR holds it and does not work it.
        Inactive = "inactive";
        /// IBKR has it, and calls it by a word that is not known.
        AtBroker = "at_broker";
        /// IBKR has it although it was told as not placed.
        CameAlive = "came_alive";
        /// IBKR's lists no longer have it, though it does not end by itself.
        Missing = "missing";
        /// All of it is filled.
        Filled = "filled";
        /// It was cancelled; a part may be filled.
        Cancelled = "cancelled";
        /// Its time was over.
        Expired = "expired";
        /// IBKR or the exchange refused it.
        Rejected = "rejected";
        /// IBKR's lists no longer have it, and it has ended by itself.
        NoLongerListed = "no_longer_listed";
        /// It is not at IBKR, and that is certain.
        NotPlaced = "not_placed";
        /// A change or cancellation that is seen at IBKR.
        Done = "done";
        /// A change or cancellation that IBKR took, and that is not seen there.
        Requested = "requested";
        /// A change or cancellation that IBKR did not take.
        NotTaken = "not_taken";
    }
}

/// A state as it crossed the socket: one of a newer daemon may have no name here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said<T> {
    /// This.
    Known(T),
    /// A word that this version does not know.
    Unknown(String),
}

impl<T: Copy> Said<T> {
    /// Which one, where this version knows it.
    pub fn known(&self) -> Option<T> {
        match self {
            Self::Known(state) => Some(*state),
            Self::Unknown(_) => None,
        }
    }
}

impl<T: Copy + PartialEq> Said<T> {
    /// Whether it is this one.
    pub fn is(&self, state: T) -> bool {
        self.known() == Some(state)
    }

    /// Whether it is one of these.
    pub fn is_one_of(&self, states: &[T]) -> bool {
        self.known().is_some_and(|state| states.contains(&state))
    }
}

impl<T: fmt::Display> Said<T> {
    /// For a person.
    pub fn in_words(&self) -> String {
        self.to_string().replace('_', " ")
    }
}

impl<T: Default> Default for Said<T> {
    fn default() -> Self {
        Self::Known(T::default())
    }
}

impl<T> From<T> for Said<T> {
    fn from(state: T) -> Self {
        Self::Known(state)
    }
}

impl<T: fmt::Display> fmt::Display for Said<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(state) => state.fmt(f),
            Self::Unknown(word) => f.write_str(word),
        }
    }
}

impl<T: fmt::Display> Serialize for Said<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Said<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let word = String::deserialize(from)?;
        Ok(word.parse().map_or_else(|_| Self::Unknown(word), Self::Known))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_state_crosses_as_its_word_and_one_of_a_newer_daemon_is_kept() {
        for state in Session::ALL {
            let json = serde_json::to_string(&Said::from(*state)).unwrap();
            assert_eq!(json, format!("{:?}", state.as_str()));
            assert!(serde_json::from_str::<Said<Session>>(&json).unwrap().is(*state));
        }
        let newer: Said<Trading> = serde_json::from_str("\"half_open\"").unwrap();
        assert_eq!((newer.known(), newer.in_words().as_str()), (None, "half open"));
        assert_eq!(serde_json::to_string(&newer).unwrap(), "\"half_open\"");
        assert!(Said::from(Order::Parked).is_one_of(&[Order::Parked, Order::Unknown]));
    }
}
