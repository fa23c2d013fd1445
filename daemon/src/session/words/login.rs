//! What is said while somebody logs in, or after that failed. Pure.

use ibd_protocol::{ErrorCode, GatewayMode};

use super::phase::stopped;
use super::{Assistant, Situation, Words, say};
use crate::session::SessionState;
use crate::session::life::{Compete, Phase};
use crate::session::login::{LoginView, Stage, Way};
use crate::session::view::LEFT;

/// While somebody logs in, that is the news.
pub(super) fn of_login(situation: &Situation<'_>, login: &LoginView) -> Words {
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
        Stage::Checking if login.way == Way::Direct => {
            say(SessionState::Starting, "Asking IBKR for a session.", "")
        }
        Stage::Checking | Stage::Found => {
            say(SessionState::Starting, "Logged in. Opening the trading session.", "")
        }
        Stage::Failed(failure) => {
            let state = match (failure.error, situation.phase) {
                (ErrorCode::LockoutGuard, _) => SessionState::LockoutGuard,
                (_, Phase::Stopped) => SessionState::Stopped,
                _ => SessionState::NeedLogin,
            };
            let assistant = match failure.error {
                ErrorCode::GatewayDown | ErrorCode::NotLoggedIn => Assistant::LogsIn,
                ErrorCode::SessionOpening => Assistant::TriesAgain,
                _ => Assistant::Tells,
            };
            Words { assistant, ..say(state, &failure.message, &failure.next) }
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
        (_, GatewayMode::Simulator | GatewayMode::Direct) | (Compete::Take, _) => "",
        _ => {
            "If this user is logged in to TWS or on the phone, the login takes the trading session from \
             there."
        }
    }
}
