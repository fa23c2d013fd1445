//! What happens to a session, and what is done about it. Pure.

use std::time::Duration;

use ibd_cpapi::Denial;
use jiff::Timestamp;

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
    /// IBKR gives none to whoever signs requests with these keys.
    Denied(Denial),
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
    /// IBKR gives none to whoever signs requests with these keys.
    Denied(Denial),
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
    /// Open the brokerage session.
    Open(Claim),
    /// Make the calls that every brokerage session needs first.
    Prime,
    /// The gateway hangs: whoever owns it shall end it.
    Escalate,
}

/// How the brokerage session is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Only if nobody else has it.
    IfFree,
    /// Taken away from whoever has it.
    FromOthers,
}
