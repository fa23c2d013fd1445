//! What each state says to a person, and to a caller who cannot be served in it.

use super::life::Phase;
use super::{Facts, SessionState};
use crate::gateway::{GatewayState, GatewayView};
use crate::refusal::Refusal;
use ibd_protocol::GatewayMode;

/// The words of one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// As `ibctl status` names it.
    pub state: SessionState,
    /// One sentence.
    pub text: String,
    /// What to do; empty when there is nothing to do.
    pub hint: String,
}

/// The words for where a session stands.
pub fn words(phase: &Phase, gateway: &GatewayView, facts: &Facts) -> Words {
    let address = gateway.address.as_deref().unwrap_or("its address");
    let say = |state, text: String, hint: &str| Words { state, text, hint: hint.to_owned() };
    match phase {
        Phase::Stopped => stopped(gateway),
        Phase::Gone { why } => say(
            SessionState::Stopped,
            format!("No gateway answers at {address} ({why})."),
            "Start the gateway there, or correct IB_GATEWAY_HOST and IB_GATEWAY_PORT.",
        ),
        Phase::Untrusted => say(
            SessionState::Stopped,
            format!("The gateway at {address} shows another certificate than before."),
            "If you replaced or restarted it yourself, `ibctl restart` trusts the new one.",
        ),
        Phase::LoggingOut => say(SessionState::Starting, "Logging out.".into(), ""),
        Phase::Starting => say(SessionState::Starting, "Looking at the gateway.".into(), ""),
        Phase::NeedLogin => say(
            SessionState::NeedLogin,
            format!("Nobody is logged in. Waiting for a login at {address}/"),
            "Open that address in a browser on this machine and log in; ibd notices by itself.",
        ),
        Phase::Opening | Phase::Loading { .. } | Phase::Priming => {
            say(SessionState::Init, "Logged in. Opening the trading session.".into(), "")
        }
        Phase::Refused { .. } => say(
            SessionState::Init,
            "Logged in, but IBKR did not open the trading session. It is tried again in a while."
                .into(),
            "If this stays, log in again at the gateway's page; ibd notices by itself.",
        ),
        Phase::Ready => say(SessionState::Ready, ready(facts), ""),
        Phase::Doubtful => say(
            SessionState::Degraded,
            "The session did not answer as it should a moment ago; looking again.".into(),
            "Try again in a few seconds.",
        ),
        Phase::Competing => say(
            SessionState::Competing,
            "TWS, a phone or another program holds this login's trading session.".into(),
            "Close it there; ibd goes on by itself. IB_COMPETE=take in config.toml takes it over instead.",
        ),
        Phase::Maint => say(
            SessionState::Maint,
            "IBKR answers with errors, as during maintenance. Looked at again every minute.".into(),
            "Wait. If this stays for an hour, look at the gateway's page in a browser.",
        ),
        Phase::Network { .. } => say(
            SessionState::Network,
            "The gateway runs, but there is no answer from IBKR. Working orders stay at IBKR."
                .into(),
            "Look at this machine's internet connection.",
        ),
        Phase::Hung => say(
            SessionState::Hung,
            format!("The gateway at {address} accepts connections and does not answer."),
            "Restart the gateway; a new login may be needed.",
        ),
        Phase::Penalty { until } => say(
            SessionState::Penalty,
            format!("IBKR's rate limit was hit. Paused until {}.", clock(*until)),
            "Wait. Requests from other programs on this machine count too.",
        ),
    }
}

/// Without a gateway the gateway's own state is the news.
fn stopped(gateway: &GatewayView) -> Words {
    let (text, hint) = match (&gateway.state, gateway.mode()) {
        (GatewayState::Starting, _) => ("The gateway is starting.".to_owned(), ""),
        (GatewayState::NotInstalled, _) => (
            "No gateway: this version does not install IBKR's gateway by itself.".to_owned(),
            "Start IBKR's Client Portal Gateway and set IB_GATEWAY_PORT (5000), or try the \
             simulator with IB_GATEWAY=simulator.",
        ),
        (GatewayState::Down(why), GatewayMode::Simulator) => (
            format!("The simulator is down: {why}. It is started again."),
            "Try again in a few seconds.",
        ),
        (GatewayState::Down(why), _) => {
            (format!("The gateway cannot be used: {why}."), "See `ibctl logs`.")
        }
        (GatewayState::Up, _) => ("The gateway is being looked for.".to_owned(), ""),
    };
    let state = match gateway.state {
        GatewayState::Starting => SessionState::Starting,
        _ => SessionState::Stopped,
    };
    Words { state, text, hint: hint.to_owned() }
}

fn ready(facts: &Facts) -> String {
    let mode = match facts.paper {
        Some(true) => "Paper",
        Some(false) => "Live",
        None => "Mode unclear:",
    };
    let accounts: Vec<String> = facts.accounts.iter().map(|a| a.masked()).collect();
    format!("Ready. {mode} {}.", accounts.join(", "))
}

fn clock(at: jiff::Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string()
}

impl Words {
    /// What a caller is told who needs a session.
    pub fn refusal(&self, phase: &Phase) -> Refusal {
        let code = match self.state {
            SessionState::Stopped if *phase == Phase::Untrusted => "gateway_certificate_changed",
            SessionState::Init if !phase.is_passing() => "session_refused",
            SessionState::Stopped => "gateway_down",
            SessionState::NeedLogin => "not_logged_in",
            SessionState::Competing => "competing_session",
            SessionState::Maint => "broker_maintenance",
            SessionState::Network => "broker_unreachable",
            SessionState::Hung => "gateway_hung",
            SessionState::Penalty => "rate_limited",
            _ => "session_opening",
        };
        let next = match self.hint.is_empty() {
            true => "Try again in a few seconds.".to_owned(),
            false => format!("Tell the user: {}", self.hint),
        };
        let refusal = Refusal::new(code, self.text.clone(), next);
        match phase {
            Phase::Penalty { until } => refusal.until(*until),
            _ => refusal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn every_state_reads_well_and_says_what_to_do() {
        let gateway = GatewayView {
            state: GatewayState::Up,
            address: Some("https://localhost:5000".into()),
            ..GatewayView::default()
        };
        for phase in [
            Phase::Gone { why: "x".into() },
            Phase::Untrusted,
            Phase::NeedLogin,
            Phase::Refused { looks_left: 2 },
            Phase::Doubtful,
            Phase::Competing,
            Phase::Maint,
            Phase::Network { looks: 1 },
            Phase::Hung,
            Phase::Penalty { until: Timestamp::UNIX_EPOCH },
        ] {
            let words = words(&phase, &gateway, &Facts::default());
            assert!(words.text.ends_with(['.', '/']), "{phase:?}: {}", words.text);
            assert!(words.hint.ends_with('.'), "{phase:?}: {}", words.hint);
            let refusal = words.refusal(&phase);
            assert!(refusal.next.starts_with("Tell the user:"), "{phase:?}");
            assert_eq!(refusal.retry_at.is_some(), matches!(phase, Phase::Penalty { .. }));
        }
    }
}
