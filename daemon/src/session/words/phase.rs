//! What is said of where the session stands, while no login is the news. Pure.

use ibd_protocol::{ErrorCode, GatewayMode};
use jiff::Timestamp;

use super::direct::{denied, logged_out, troubled, unreached};
use super::{Assistant, Situation, Words, say};
use crate::gateway::{self, GatewayState, GatewayView};
use crate::session::calendar::Window;
use crate::session::life::{Compete, Phase};
use crate::session::login::{clock, guarded};
use crate::session::{Facts, SessionState};

pub(super) fn of_phase(situation: &Situation<'_>) -> Words {
    let at = situation.gateway.address.as_deref().map(|address| format!(" at {address}"));
    let at = at.unwrap_or_default();
    let is_direct = situation.gateway.mode() == GatewayMode::Direct;
    match situation.phase {
        Phase::Stopped => stopped(situation.gateway),
        Phase::Denied { why, is_over } => denied(*why, *is_over),
        Phase::Gone { .. } | Phase::Network { .. } if is_direct => unreached(),
        Phase::Starting if is_direct => {
            say(SessionState::Starting, "Asking IBKR for a session.", "")
        }
        Phase::NeedLogin if is_direct => logged_out(),
        Phase::Maint { .. } if is_direct && situation.window.is_none() => troubled(),
        Phase::Gone { why } if situation.gateway.mode() != GatewayMode::Attach => say(
            SessionState::Stopped,
            format!(
                "The gateway does not answer ({}). If it does not come back it is started anew.",
                why
            ),
            "Wait a moment; then look at `ibctl gateway status`.",
        ),
        Phase::Gone { why } => say(
            SessionState::Stopped,
            format!("No gateway answers{at} ({}).", why),
            "Start the gateway there, or correct IB_GATEWAY_HOST and IB_GATEWAY_PORT.",
        ),
        Phase::Untrusted => say(
            SessionState::Stopped,
            format!("The gateway{at} shows another certificate than before."),
            "If you replaced or restarted it yourself, `ibctl restart` trusts the new one.",
        ),
        Phase::LoggingOut => say(SessionState::Starting, "Logging out.", ""),
        Phase::Starting => say(SessionState::Starting, "Looking at the gateway.", ""),
        Phase::NeedLogin => need_login(situation, &at),
        Phase::Opening | Phase::Loading { .. } | Phase::Priming => {
            say(SessionState::Init, "Logged in. Opening the trading session.", "")
        }
        // IBKR opens none during its maintenance, and ends some.
        Phase::Refused if situation.window.is_some() => maintenance(situation.window),
        Phase::Refused => say(
            SessionState::Init,
            "Logged in, but IBKR did not open the trading session. It is tried again in a while.",
            "If this stays, run `ibctl resume`, or log in again with `ibctl login --renew`.",
        ),
        Phase::Ready => say(SessionState::Ready, ready(situation.facts), ""),
        Phase::Doubtful => Words {
            assistant: Assistant::TriesAgain,
            ..say(
                SessionState::Degraded,
                "The session did not answer as it should a moment ago; looking again.",
                "Try again in a few seconds.",
            )
        },
        Phase::Competing => competing(situation),
        Phase::Maint { .. } => maintenance(situation.window),
        Phase::Network { .. } => say(
            SessionState::Network,
            "No connection to IBKR: the gateway runs, and nothing comes back. Your working orders stay at \
             IBKR.",
            "Look at this machine's internet connection.",
        ),
        Phase::Hung { .. } => say(
            SessionState::Hung,
            match situation.gateway.mode() {
                GatewayMode::Managed => {
                    "The gateway stopped answering; it is started anew. You may need to log in again."
                        .to_owned()
                }
                _ => format!("The gateway{at} accepts connections and does not answer."),
            },
            "If this stays, restart the gateway; a new login may be needed.",
        ),
        Phase::Penalty { until } => say(
            SessionState::Penalty,
            format!("IBKR's rate limit was hit. Paused until {}.", seconds(*until)),
            "Wait. Requests from other programs on this machine count too.",
        ),
    }
}

fn need_login(situation: &Situation<'_>, at: &str) -> Words {
    if let Some(held) = situation.held {
        let failure = guarded(held);
        return say(SessionState::LockoutGuard, failure.message, failure.next);
    }
    if let (Some(taken), false) = (situation.taken, situation.compete == Compete::Take) {
        let at = clock(taken.at);
        let text = if taken.is_sure {
            format!("Nobody is logged in: another IBKR app took over at {at}.")
        } else {
            format!(
                "Nobody is logged in: the login ended at {at} for no known reason. Another IBKR app may have \
                 taken over."
            )
        };
        let hint =
            "A login here takes the session from any other app. Run `ibctl resume` to do that.";
        return say(SessionState::NeedLogin, text, hint);
    }
    let text = match at {
        "" => "Nobody is logged in. Waiting for a login.".to_owned(),
        at => format!("Nobody is logged in. Waiting for a login{at}/"),
    };
    let hint = "Run `ibctl login` (an assistant can call authenticate), or open that address in a browser on this \
        machine; ibd notices by itself.";
    Words { assistant: Assistant::LogsIn, ..say(SessionState::NeedLogin, text, hint) }
}

fn competing(situation: &Situation<'_>) -> Words {
    let at = situation.taken.map(|taken| format!(" at {}", clock(taken.at))).unwrap_or_default();
    let text = format!("Another IBKR app (TWS or phone) took over{at}.");
    match situation.compete {
        Compete::Yield => say(
            SessionState::Competing,
            text,
            "Close it there; ibd goes on by itself. `ibctl resume` takes the session back now.",
        ),
        _ => say(SessionState::Competing, text, "Run `ibctl resume` to use it here."),
    }
}

fn maintenance(window: Option<Window>) -> Words {
    let (what, hint) = match window {
        Some(window) => {
            let what = match window {
                Window::Night(_) => "IBKR's nightly maintenance",
                Window::Weekend(_) => "IBKR's weekend maintenance",
            };
            let end = clock(window.end());
            (format!("{what}, usually over at about {end}. Looked at again every minute."), "Wait.")
        }
        None => (
            "IBKR answers with errors, as during maintenance. Looked at again every minute."
                .to_owned(),
            "Wait. If this stays for an hour, look at the gateway's page in a browser.",
        ),
    };
    say(SessionState::Maint, what, hint)
}

/// Without a gateway the gateway's own state is the news.
pub(super) fn stopped(gateway: &GatewayView) -> Words {
    let (text, hint) = match gateway.state {
        GatewayState::Up => ("Looking at the gateway.".to_owned(), String::new()),
        _ => gateway::words(gateway),
    };
    // One that is up is about to be looked at.
    let state = if gateway.state.is_passing() || gateway.state == GatewayState::Up {
        SessionState::Starting
    } else {
        SessionState::Stopped
    };
    let code = match (&gateway.state, gateway.mode()) {
        (GatewayState::NotInstalled(_), GatewayMode::Direct) => Some(ErrorCode::OauthIncomplete),
        _ => None,
    };
    // A simulator that is down comes back by itself.
    let assistant = match (&gateway.state, gateway.mode()) {
        (GatewayState::NotInstalled(_), GatewayMode::Direct) => Assistant::Tells,
        (GatewayState::Down(_), GatewayMode::Simulator) => Assistant::TriesAgain,
        _ => Assistant::LogsIn,
    };
    Words { assistant, code, ..say(state, text, hint) }
}

fn ready(facts: &Facts) -> String {
    let mode = match facts.paper {
        Some(true) => "Paper",
        Some(false) => "Live",
        None => "Mode unclear:",
    };
    let accounts: Vec<String> = facts.accounts.iter().map(|a| a.masked()).collect();
    if accounts.is_empty() {
        format!("Ready. {}.", mode.trim_end_matches(':'))
    } else {
        format!("Ready. {mode} {}.", accounts.join(", "))
    }
}

fn seconds(at: Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string()
}
