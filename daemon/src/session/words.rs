//! What each state says to a person, and to a caller who cannot be served in it. Pure.

use ibd_protocol::{ErrorCode, GatewayMode, Level, LogoutReport};
use jiff::Timestamp;

use super::calendar::Window;
use super::guard::Held;
use super::life::{Compete, Phase};
use super::login::{LoginView, Stage, Taken, clock, guarded};
use super::view::LEFT;
use super::{Facts, LoggedOut, SessionState, SessionView};
use crate::gateway::{self, GatewayState, GatewayView};
use crate::refusal::Refusal;
use ibd_cpapi::{Failure, Unreachable};
use ibd_protocol::Event;

/// The words of one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// As `ibctl status` names it.
    pub state: SessionState,
    /// One sentence.
    pub text: String,
    /// What to do; empty when there is nothing to do.
    pub hint: String,
    /// Until when, where [`LEFT`] stands in the text.
    pub until: Option<Timestamp>,
    /// What an assistant does.
    pub assistant: Assistant,
}

/// What an assistant does that needs a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assistant {
    /// It may begin a login.
    LogsIn,
    /// It tries again by itself in a moment.
    TriesAgain,
    /// It tells a person.
    Tells,
}

/// Everything that the words depend on.
#[derive(Debug)]
pub struct Situation<'a> {
    /// Where the session stands.
    pub phase: &'a Phase,
    /// The way to IBKR.
    pub gateway: &'a GatewayView,
    /// What the broker has said.
    pub facts: &'a Facts,
    /// A login under way, or the last one if it failed.
    pub login: Option<&'a LoginView>,
    /// Why no login may be tried.
    pub held: Option<&'a Held>,
    /// Somebody else has the session.
    pub taken: Option<Taken>,
    /// What to do about them.
    pub compete: Compete,
    /// A maintenance that goes on.
    pub window: Option<Window>,
}

fn say(state: SessionState, text: impl Into<String>, hint: impl Into<String>) -> Words {
    let assistant = Assistant::Tells;
    Words { state, text: text.into(), hint: hint.into(), until: None, assistant }
}

/// The words for where a session stands.
pub fn words(situation: &Situation<'_>) -> Words {
    let is_without_login =
        matches!(situation.phase, Phase::NeedLogin | Phase::Stopped | Phase::Starting);
    match situation.login {
        Some(login) if is_without_login => of_login(situation, login),
        _ => of_phase(situation),
    }
}

/// While somebody logs in, that is the news.
fn of_login(situation: &Situation<'_>, login: &LoginView) -> Words {
    match &login.stage {
        Stage::Preparing(how_far) => say(SessionState::Starting, how_far, takes(situation)),
        Stage::Person => match &situation.gateway.address {
            Some(address) => Words {
                assistant: Assistant::LogsIn,
                ..say(
                    SessionState::NeedLogin,
                    format!("Waiting for you to log in: {address}/"),
                    format!(
                        "Log in at that page in a browser on this machine{}; ibd notices by itself.{}",
                        warning(situation.gateway.mode()),
                        match takes(situation) {
                            "" => String::new(),
                            takes => format!(" {takes}"),
                        }
                    ),
                )
            },
            // The page went while somebody was about to log in; it comes back with its gateway.
            None => stopped(situation.gateway),
        },
        Stage::Typing(what) => {
            say(SessionState::Starting, format!("Logging in at IBKR's page. {what}"), "")
        }
        Stage::Approval(until) => Words {
            until: Some(*until),
            ..say(
                SessionState::Wait2fa,
                format!("Approve the login in IBKR Mobile ({LEFT} left)."),
                "Approve it on the phone; ibd notices by itself.",
            )
        },
        Stage::Code(what, _) => say(
            SessionState::Wait2fa,
            format!("IBKR asks for a code. {what}."),
            "Run `ibctl login --code CODE`.",
        ),
        Stage::Checking | Stage::Found => {
            say(SessionState::Starting, "Logged in. Opening the trading session.", "")
        }
        Stage::Failed(failure) => {
            let state = match (failure.code, situation.phase) {
                (ErrorCode::LockoutGuard, _) => SessionState::LockoutGuard,
                (_, Phase::Stopped) => SessionState::Stopped,
                _ => SessionState::NeedLogin,
            };
            let assistant = match failure.code {
                ErrorCode::GatewayDown | ErrorCode::NotLoggedIn => Assistant::LogsIn,
                ErrorCode::SessionOpening => Assistant::TriesAgain,
                _ => Assistant::Tells,
            };
            Words { assistant, ..say(state, &failure.text, &failure.next) }
        }
    }
}

/// What a page says whose certificate ibd made itself.
pub fn warning(mode: GatewayMode) -> &'static str {
    match mode {
        GatewayMode::Managed => {
            " (it warns about the certificate, which ibd made for this gateway)"
        }
        _ => "",
    }
}

/// Under `ask` a person should know before they log in.
fn takes(situation: &Situation<'_>) -> &'static str {
    match (situation.compete, situation.gateway.mode()) {
        (_, GatewayMode::Simulator) | (Compete::Take, _) => "",
        _ => {
            "If this user is logged in to TWS or on the phone, the login takes the trading session from \
             there."
        }
    }
}

fn of_phase(situation: &Situation<'_>) -> Words {
    let at = situation.gateway.address.as_deref().map(|address| format!(" at {address}"));
    let at = at.unwrap_or_default();
    match situation.phase {
        Phase::Stopped => stopped(situation.gateway),
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
        return say(SessionState::LockoutGuard, failure.text, failure.next);
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
fn stopped(gateway: &GatewayView) -> Words {
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
    // A simulator that is down comes back by itself.
    let assistant = match (&gateway.state, gateway.mode()) {
        (GatewayState::Down(_), GatewayMode::Simulator) => Assistant::TriesAgain,
        _ => Assistant::LogsIn,
    };
    Words { assistant, ..say(state, text, hint) }
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

/// What is said an hour before a login ends: text and hint.
pub fn due(ends: &str) -> (String, String) {
    (
        format!("A login lasts 24 hours: the next one is needed at about {ends}."),
        "Run `ibctl login --renew` when it suits you; IB_LOGIN_TIME sets a daily time for it."
            .to_owned(),
    )
}

/// The same as an event.
pub fn due_event(ends: &str) -> Event {
    let (text, hint) = due(ends);
    Event { level: Level::Info, code: "login_due".to_owned(), text, hint }
}

/// What happened between two views that somebody should hear of.
pub fn news(before: &SessionView, after: &SessionView) -> Vec<Event> {
    use SessionState::{Competing, Hung, LockoutGuard, NeedLogin, Ready, Wait2fa};
    let event = |level, code: &str| Event {
        level,
        code: code.to_owned(),
        text: after.text_at(Timestamp::now()),
        hint: after.hint.clone(),
    };
    if before.state == after.state {
        return Vec::new();
    }
    let was_working = matches!(before.state, Ready | SessionState::Degraded);
    match after.state {
        Ready if !was_working => vec![event(Level::Info, "ready")],
        NeedLogin => vec![event(Level::Warning, "need_login")],
        Wait2fa => vec![event(Level::Warning, "wait_2fa")],
        LockoutGuard => vec![event(Level::Warning, "lockout_guard")],
        Competing => vec![event(Level::Warning, "competing")],
        Hung => vec![event(Level::Warning, "hung")],
        _ => Vec::new(),
    }
}

/// What is said after a logout: only what was verified.
pub fn logged_out(outcome: &LoggedOut) -> LogoutReport {
    let report = |logged_out, text: &str| LogoutReport { logged_out, text: text.to_owned() };
    let ended = match &outcome.gateway {
        None => "",
        Some(Ok(Some(_))) => " The gateway has ended, and its cookies with it.",
        Some(Ok(None)) => "",
        Some(Err(why)) => return report(false, &format!("The gateway does not end: {why}.")),
    };
    let Some(at_broker) = &outcome.at_broker else {
        return report(true, "The gateway does not run, so no session is left in it.");
    };
    match at_broker {
        Ok(true) => {
            report(true, &format!("Logged out; IBKR confirms that no session is left.{ended}"))
        }
        Ok(false) => report(
            false,
            &format!("IBKR still shows a session after the logout. Try again.{ended}"),
        ),
        Err(Failure::Unreachable(Unreachable::Refused)) => {
            report(true, "The gateway does not run, so no session is left in it.")
        }
        Err(failure) => {
            report(false, &format!("The logout could not be verified: {failure}.{ended}"))
        }
    }
}

impl Words {
    /// What a caller is told who needs a session.
    pub fn refusal(&self, phase: &Phase, login: Option<&LoginView>) -> Refusal {
        let failure = login.and_then(|login| match &login.stage {
            Stage::Failed(failure) => Some(failure),
            _ => None,
        });
        let code = match self.state {
            SessionState::Stopped if *phase == Phase::Untrusted => {
                ErrorCode::GatewayCertificateChanged
            }
            SessionState::Init if !phase.is_passing() => ErrorCode::SessionRefused,
            SessionState::NeedLogin => {
                failure.map_or(ErrorCode::NotLoggedIn, |failure| failure.code)
            }
            SessionState::Stopped => failure.map_or(ErrorCode::GatewayDown, |failure| failure.code),
            SessionState::Wait2fa => ErrorCode::Wait2fa,
            SessionState::LockoutGuard => ErrorCode::LockoutGuard,
            SessionState::Competing => ErrorCode::CompetingSession,
            SessionState::Maint => ErrorCode::BrokerMaintenance,
            SessionState::Network => ErrorCode::BrokerUnreachable,
            SessionState::Hung => ErrorCode::GatewayHung,
            SessionState::Penalty => ErrorCode::RateLimited,
            _ => ErrorCode::SessionOpening,
        };
        let next = match (code, self.assistant) {
            // The one thing that an assistant can do itself.
            (ErrorCode::NotLoggedIn | ErrorCode::GatewayDown, Assistant::LogsIn) => {
                format!("Call authenticate. Or tell the user: {}", self.hint)
            }
            _ if self.hint.is_empty() => "Try again in a few seconds.".to_owned(),
            // It goes on by itself; what should be known meanwhile is said as well.
            _ if self.state == SessionState::Starting => {
                format!("Try again in a few seconds. {}", self.hint)
            }
            (_, Assistant::TriesAgain) => self.hint.clone(),
            _ => format!("Tell the user: {}", self.hint),
        };
        let text = self.text.replace(LEFT, "a little time");
        let refusal = Refusal::new(code, text, next);
        let retry_at = failure.and_then(|failure| failure.retry_at);
        match (phase, retry_at) {
            (Phase::Penalty { until }, _) => refusal.until(*until),
            (_, Some(at)) => refusal.until(at),
            _ => refusal,
        }
    }
}

#[cfg(test)]
mod tests;
