#![allow(clippy::unwrap_used)]
use super::*;
use crate::gateway::GatewayState;
use crate::session::SessionView;
use crate::session::login::{Page, Way};
use ibd_cpapi::Denial;
use ibd_protocol::{ErrorCode, GatewayMode};

fn situation<'a>(phase: &'a Phase, gateway: &'a GatewayView, facts: &'a Facts) -> Situation<'a> {
    Situation {
        phase,
        gateway,
        facts,
        login: None,
        held: None,
        taken: None,
        compete: Compete::Ask,
        window: None,
    }
}

fn gateway() -> GatewayView {
    GatewayView {
        state: GatewayState::Up,
        address: Some("https://127.0.0.1:5055".into()),
        ..GatewayView::default()
    }
}

fn reads_well(words: &Words, what: &dyn std::fmt::Debug) {
    assert!(words.text.ends_with(['.', '/']), "{what:?}: {}", words.text);
    assert!(words.hint.is_empty() || words.hint.ends_with('.'), "{what:?}: {}", words.hint);
    assert!(
        words.text.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit()),
        "{what:?}: {}",
        words.text
    );
}

#[test]
fn every_state_reads_well_and_says_what_to_do() {
    let (gateway, facts) = (gateway(), Facts::default());
    for phase in [
        Phase::Gone { why: "x".into() },
        Phase::Untrusted,
        Phase::NeedLogin,
        Phase::Refused,
        Phase::Doubtful,
        Phase::Competing,
        Phase::Maint { login: true },
        Phase::Network { looks: 1 },
        Phase::Hung { looks: 1 },
        Phase::Penalty { until: Timestamp::UNIX_EPOCH },
        Phase::Denied { why: Denial::NotActive, is_over: false },
        Phase::Denied { why: Denial::NotEntitled, is_over: true },
    ] {
        let words = words(&situation(&phase, &gateway, &facts));
        reads_well(&words, &phase);
        assert!(!words.hint.is_empty(), "{phase:?}");
        let refusal = words.refusal(&phase, None);
        let tells_user = refusal.next.to_lowercase().contains("tell the user:");
        assert_eq!(tells_user, !phase.is_passing(), "{phase:?}: {}", refusal.next);
        assert_eq!(refusal.retry_at.is_some(), matches!(phase, Phase::Penalty { .. }));
    }
}

#[test]
fn every_stage_of_a_login_reads_well() {
    let (gateway, facts) = (gateway(), Facts::default());
    let failure = Refusal::new(ErrorCode::WrongCredentials, "IBKR refused them.", "Correct them.");
    for (stage, state) in [
        (Stage::Preparing("Starting the gateway.".into()), SessionState::Starting),
        (Stage::Person, SessionState::NeedLogin),
        (Stage::Typing("Giving the code.".into()), SessionState::Starting),
        (Stage::Approval(Timestamp::UNIX_EPOCH), SessionState::Wait2fa),
        (Stage::Code("The code of the app".into(), "1".into()), SessionState::Wait2fa),
        (Stage::Checking, SessionState::Starting),
        (Stage::Failed(failure), SessionState::NeedLogin),
    ] {
        let login = LoginView { number: 1, way: Way::Headless, stage, page: Page::Closed };
        let situation =
            Situation { login: Some(&login), ..situation(&Phase::NeedLogin, &gateway, &facts) };
        let words = words(&situation);
        reads_well(&words, &login);
        assert_eq!(words.state, state, "{login:?}");
    }
}

#[test]
fn a_held_login_names_the_way_out() {
    let (gateway, facts) = (gateway(), Facts::default());
    for held in [Held::Failures(2), Held::Locked, Held::Factors, Held::Unreadable("x".into())] {
        let situation =
            Situation { held: Some(&held), ..situation(&Phase::NeedLogin, &gateway, &facts) };
        let words = words(&situation);
        reads_well(&words, &held);
        assert_eq!(words.state, SessionState::LockoutGuard);
        assert!(words.hint.contains("--force"), "{}", words.hint);
    }
}

#[test]
fn each_state_of_the_gateway_reads_well() {
    let facts = Facts::default();
    for state in [
        GatewayState::NotInstalled(String::new()),
        GatewayState::NotInstalled("no Java was found".into()),
        GatewayState::Installing("Installing IBKR's gateway: 3 of 12 MB.".into()),
        GatewayState::Starting,
        GatewayState::Stopped,
        GatewayState::Down("it ended".into()),
    ] {
        let gateway = GatewayView { state, ..GatewayView::default() };
        reads_well(&words(&situation(&Phase::Stopped, &gateway, &facts)), &gateway.state);
    }
}

const PHASES: &[Phase] = &[
    Phase::Stopped,
    Phase::Gone { why: String::new() },
    Phase::Untrusted,
    Phase::LoggingOut,
    Phase::Starting,
    Phase::NeedLogin,
    Phase::Opening,
    Phase::Loading { looks: 1 },
    Phase::Priming,
    Phase::Refused,
    Phase::Ready,
    Phase::Doubtful,
    Phase::Competing,
    Phase::Maint { login: true },
    Phase::Maint { login: false },
    Phase::Network { looks: 1 },
    Phase::Hung { looks: 1 },
    Phase::Penalty { until: Timestamp::UNIX_EPOCH },
    Phase::Denied { why: Denial::NotActive, is_over: false },
    Phase::Denied { why: Denial::Token, is_over: false },
    Phase::Denied { why: Denial::Token, is_over: true },
    Phase::Denied { why: Denial::Signature, is_over: true },
    Phase::Denied { why: Denial::Exchange, is_over: true },
    Phase::Denied { why: Denial::Clock, is_over: true },
    Phase::Denied { why: Denial::NotEntitled, is_over: true },
    Phase::Denied { why: Denial::Blocked, is_over: true },
    Phase::Denied { why: Denial::OtherHost, is_over: true },
];

/// As cpapi says why nobody answers.
const WHY: &str = "connection refused";

/// A new phase does not compile until it stands in the table above.
fn phases() -> impl Iterator<Item = Phase> {
    PHASES.iter().map(|phase| match phase {
        Phase::Gone { .. } => Phase::Gone { why: WHY.into() },
        Phase::Stopped
        | Phase::Untrusted
        | Phase::LoggingOut
        | Phase::Starting
        | Phase::NeedLogin
        | Phase::Opening
        | Phase::Loading { .. }
        | Phase::Priming
        | Phase::Refused
        | Phase::Ready
        | Phase::Doubtful
        | Phase::Competing
        | Phase::Maint { .. }
        | Phase::Network { .. }
        | Phase::Hung { .. }
        | Phase::Denied { .. }
        | Phase::Penalty { .. } => phase.clone(),
    })
}

fn gateways() -> Vec<GatewayView> {
    use crate::config::GatewayChoice;
    let attach = GatewayChoice::Attach { host: "localhost".into(), port: 5000, certificate: None };
    let choices = [
        None,
        Some(GatewayChoice::Managed { upstream: None }),
        Some(GatewayChoice::Simulator),
        Some(GatewayChoice::Direct),
        Some(attach),
    ];
    let states = [
        GatewayState::NotInstalled(String::new()),
        GatewayState::NotInstalled(format!("its archive cannot be had: {WHY}")),
        GatewayState::Installing("Installing IBKR's gateway: 3 of 12 MB.".into()),
        GatewayState::Starting,
        GatewayState::Up,
        GatewayState::Stopped,
        GatewayState::Down(WHY.into()),
    ];
    let mut gateways = Vec::new();
    for choice in choices {
        for state in &states {
            // Also where the news of an address is still on its way.
            for address in [None, Some("https://127.0.0.1:5055".to_owned())] {
                let (choice, state) = (choice.clone(), state.clone());
                gateways.push(GatewayView { choice, state, address, ..GatewayView::default() });
            }
        }
    }
    gateways
}

fn logins() -> Vec<Option<LoginView>> {
    let failure = Refusal::new(ErrorCode::WrongCredentials, "IBKR refused them.", "Correct them.");
    let locked = Refusal::new(ErrorCode::LockoutGuard, "Too many failed.", "Unlock it.");
    let stages = [
        Stage::Preparing("Starting the gateway.".into()),
        Stage::Person,
        Stage::Typing("Giving the code.".into()),
        Stage::Approval(Timestamp::UNIX_EPOCH),
        Stage::Code("The code of the app".into(), "1".into()),
        Stage::Checking,
        Stage::Found,
        Stage::Failed(failure),
        Stage::Failed(locked),
    ];
    let login = |(way, stage)| LoginView { number: 1, way, stage, page: Page::Closed };
    let ways = [Way::Browser, Way::Headless, Way::Direct];
    let both = stages.into_iter().flat_map(|stage| ways.map(|way| (way, stage.clone())));
    std::iter::once(None).chain(both.map(login).map(Some)).collect()
}

/// Everything that decides about the words, in every combination: none of them may show what is inside.
#[test]
fn whatever_is_so_is_said_readably() {
    let at = Timestamp::UNIX_EPOCH;
    let helds = [None, Some(Held::Failures(2)), Some(Held::Locked), Some(Held::Factors)];
    let takens = [true, false].map(|is_sure| Some(Taken { at, is_sure }));
    let windows = [None, Some(Window::Night(at)), Some(Window::Weekend(at))];
    let facts = Facts::default();
    let mut told = std::collections::BTreeSet::new();
    for phase in &phases().collect::<Vec<_>>() {
        for gateway in &gateways() {
            for login in &logins() {
                for held in &helds {
                    for taken in [None].into_iter().chain(takens) {
                        for compete in [Compete::Ask, Compete::Yield, Compete::Take] {
                            for window in windows {
                                let (login, held) = (login.as_ref(), held.as_ref());
                                let situation = Situation {
                                    phase,
                                    gateway,
                                    facts: &facts,
                                    login,
                                    held,
                                    taken,
                                    compete,
                                    window,
                                };
                                let words = words(&situation);
                                let refusal = words.refusal(phase, login);
                                let key =
                                    (words.text.clone(), words.hint.clone(), refusal.next.clone());
                                if told.insert(key) {
                                    is_readable(&situation, &words, &refusal);
                                }
                                is_true(&situation, &words);
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(told.len() > 45, "{} sentences", told.len());
}

fn is_readable(situation: &Situation<'_>, words: &Words, refusal: &Refusal) {
    reads_well(words, situation);
    let view = SessionView { text: words.text.clone(), until: words.until, ..Default::default() };
    let shown = view.text_at(Timestamp::UNIX_EPOCH);
    assert!(
        !refusal.next.trim().is_empty() && refusal.next.ends_with('.'),
        "{situation:?}: {refusal:?}"
    );
    for text in [&shown, &words.hint, &refusal.message, &refusal.next] {
        for inner in
            ["{", "}", "its address", "os error", "(Connect)", "//.", "..", ": .", "  ", "None"]
        {
            assert!(!text.contains(inner), "{inner:?} in {text:?}: {situation:?}");
        }
        assert!(text.len() < 300, "{text}");
    }
}

fn is_true(situation: &Situation<'_>, words: &Words) {
    let all = format!("{} {}", words.text, words.hint);
    let is_managed = situation.gateway.mode() == GatewayMode::Managed;
    assert!(is_managed || !all.contains("which ibd made"), "{situation:?}");
    // What does not pass by itself says what to do.
    let needs_person = matches!(
        words.state,
        SessionState::Stopped
            | SessionState::NeedLogin
            | SessionState::Wait2fa
            | SessionState::LockoutGuard
            | SessionState::Competing
            | SessionState::Maint
            | SessionState::Network
            | SessionState::Hung
            | SessionState::Penalty
    );
    assert!(!needs_person || !words.hint.is_empty(), "{words:?}: {situation:?}");
    let promises_page = words.text.contains("Waiting for you to log in");
    assert!(!promises_page || situation.gateway.address.is_some(), "{situation:?}");
    let is_cut_off =
        matches!(situation.phase, Phase::Gone { .. } | Phase::Untrusted | Phase::Hung { .. });
    assert!(!is_cut_off || !promises_page, "{situation:?}");
}
