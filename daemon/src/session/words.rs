//! What each state says to a person, and to a caller who cannot be served in it. Pure.

mod direct;
mod login;
mod news;
mod phase;

use ibd_protocol::ErrorCode;
use jiff::Timestamp;

use super::calendar::Window;
use super::guard::Held;
use super::life::{Compete, Phase};
use super::login::{LoginView, Stage, Taken};
use super::view::LEFT;
use super::{Facts, SessionState};
use crate::gateway::GatewayView;
use crate::refusal::Refusal;
use login::of_login;
pub use login::warning;
pub use news::{due, due_event, logged_out, news};
use phase::of_phase;

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
    /// Why nobody can be served, where the state does not tell.
    pub code: Option<ErrorCode>,
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
    Words { state, text: text.into(), hint: hint.into(), until: None, assistant, code: None }
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

impl Words {
    /// What a caller is told who needs a session.
    pub fn refusal(&self, phase: &Phase, login: Option<&LoginView>) -> Refusal {
        let failure = login.and_then(|login| match &login.stage {
            Stage::Failed(failure) => Some(failure),
            _ => None,
        });
        let by_state = match self.state {
            SessionState::Stopped if *phase == Phase::Untrusted => {
                ErrorCode::GatewayCertificateChanged
            }
            SessionState::Init if !phase.is_passing() => ErrorCode::SessionRefused,
            SessionState::NeedLogin => {
                failure.map_or(ErrorCode::NotLoggedIn, |failure| failure.error)
            }
            SessionState::Stopped => {
                failure.map_or(ErrorCode::GatewayDown, |failure| failure.error)
            }
            SessionState::Wait2fa => ErrorCode::Wait2fa,
            SessionState::LockoutGuard => ErrorCode::LockoutGuard,
            SessionState::Competing => ErrorCode::CompetingSession,
            SessionState::Maint => ErrorCode::BrokerMaintenance,
            SessionState::Network => ErrorCode::BrokerUnreachable,
            SessionState::Hung => ErrorCode::GatewayHung,
            SessionState::Penalty => ErrorCode::RateLimited,
            _ => ErrorCode::SessionOpening,
        };
        let code = self.code.unwrap_or(by_state);
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
