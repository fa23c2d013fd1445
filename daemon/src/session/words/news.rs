//! What is said of what happened: between two views, after a logout, ahead of a login's end. Pure.

use ibd_cpapi::{Failure, Unreachable};
use ibd_protocol::{Event, Level, LogoutReport};
use jiff::Timestamp;

use crate::session::{LoggedOut, SessionState, SessionView};

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
