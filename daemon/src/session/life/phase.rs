//! Where a session stands. Pure.

use std::time::Duration;

use ibd_cpapi::Denial;
use jiff::Timestamp;

/// After the end of a penalty.
const AFTER: Duration = Duration::from_secs(1);

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
    /// IBKR gives no session to whoever signs requests with these keys.
    Denied {
        /// Why not.
        why: Denial,
        /// It is not tried any more until a person says so.
        is_over: bool,
    },
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

    /// How long until the next look, where it would usually be so long: a penalty of seconds is over when it ends,
    /// and not a minute later.
    pub fn pause(&self, usual: Duration, now: Timestamp) -> Duration {
        match self {
            Self::Penalty { until } => {
                let left = Duration::try_from(until.duration_since(now)).unwrap_or_default();
                left.saturating_add(AFTER).min(usual)
            }
            _ => usual,
        }
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
