#![allow(clippy::unwrap_used)]
use super::*;
use crate::refusal::Refusal;
use ibd_protocol::ErrorCode;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn ask(asker: Asker) -> Ask {
    Ask { asker, forced: false, paper: false, headless: false, renew: false, join_only: false }
}

fn situation(phase: &Phase) -> Situation<'_> {
    Situation {
        phase,
        login_page: LoginPage::Open,
        is_paper: None,
        running: None,
        last: None,
        is_news: false,
        headless: false,
        is_direct: false,
        denied: None,
        taken: None,
        compete: Compete::Ask,
        guard: Ok(()),
    }
}

#[test]
fn where_requests_are_signed_a_login_is_a_token_and_what_was_refused_is_a_persons() {
    let refusal = Refusal::new(ErrorCode::OauthSignature, "Refused.", "Do this.");
    let denied = |is_over| Phase::Denied { why: ibd_cpapi::Denial::Signature, is_over };
    let begins = Start::Begin(Way::Direct);
    for (phase, client, person) in [
        (Phase::NeedLogin, begins.clone(), begins.clone()),
        (Phase::Stopped, begins.clone(), begins.clone()),
        (Phase::Ready, Start::Wait, Start::Wait),
        (Phase::Network { looks: 1 }, Start::Wait, Start::Wait),
        (denied(false), Start::Refuse(refusal.clone()), begins.clone()),
        (denied(true), Start::Refuse(refusal.clone()), begins.clone()),
    ] {
        // Whatever is configured about pages and passwords makes no difference.
        let situation = Situation {
            is_direct: true,
            headless: true,
            guard: Err(Held::Locked),
            denied: matches!(phase, Phase::Denied { .. }).then(|| refusal.clone()),
            ..situation(&phase)
        };
        assert_eq!(decide(&situation, ask(Asker::Client)), client, "{phase:?}");
        assert_eq!(decide(&situation, ask(Asker::Person)), person, "{phase:?}");
    }
    let ready = Situation { is_direct: true, ..situation(&Phase::Ready) };
    let renewed = Ask { renew: true, ..ask(Asker::Person) };
    assert_eq!(decide(&ready, renewed), begins);
    let competing = Situation { is_direct: true, ..situation(&Phase::Competing) };
    assert_eq!(refused(&decide(&competing, ask(Asker::Person))), "competing_session");
}

fn refused(start: &Start) -> &'static str {
    match start {
        Start::Refuse(failure) => failure.error.as_str(),
        _ => "not refused",
    }
}

#[test]
fn a_login_begins_only_where_one_is_needed() {
    for (phase, expected) in [
        (Phase::NeedLogin, Start::Begin(Way::Browser)),
        (Phase::Stopped, Start::Begin(Way::Browser)),
        (Phase::Maint { login: false }, Start::Begin(Way::Browser)),
        (Phase::Ready, Start::Wait),
        (Phase::Starting, Start::Wait),
        (Phase::Opening, Start::Wait),
        (Phase::Priming, Start::Wait),
        (Phase::LoggingOut, Start::Wait),
        (Phase::Hung { looks: 1 }, Start::Wait),
        (Phase::Gone { why: "x".into() }, Start::Wait),
        (Phase::Untrusted, Start::Wait),
        (Phase::Penalty { until: at("2026-11-22T14:02:00Z") }, Start::Wait),
    ] {
        assert_eq!(decide(&situation(&phase), ask(Asker::Client)), expected, "{phase:?}");
    }
}

/// A gateway that is coming up may hold a login, whoever asks and however much they insist.
#[test]
fn nothing_begins_before_the_gateway_was_looked_at() {
    for phase in [Phase::Stopped, Phase::NeedLogin] {
        for asker in [Asker::Person, Asker::Client, Asker::Nobody] {
            for (forced, headless) in [(true, false), (false, true), (true, true)] {
                let coming =
                    Situation { login_page: LoginPage::Unknown, headless, ..situation(&phase) };
                assert_eq!(decide(&coming, Ask { forced, ..ask(asker) }), Start::Wait);
            }
        }
    }
}

#[test]
fn where_no_gateway_answers_that_is_said() {
    let phase = Phase::Gone { why: "connection refused".into() };
    let failure = Refusal::new(ErrorCode::GatewayDown, "No gateway answers.", "Start it.");
    for forced in [true, false] {
        let gone = Situation { login_page: LoginPage::Gone(failure.clone()), ..situation(&phase) };
        let ask = Ask { forced, ..ask(Asker::Person) };
        assert_eq!(refused(&decide(&gone, ask)), "gateway_down");
    }
}

#[test]
fn there_is_never_a_second_one() {
    for asker in [Asker::Person, Asker::Client, Asker::Nobody] {
        for forced in [true, false] {
            let running = Situation { running: Some(false), ..situation(&Phase::NeedLogin) };
            assert_eq!(decide(&running, Ask { forced, ..ask(asker) }), Start::Join);
        }
    }
}

#[test]
fn paper_is_not_had_by_joining_a_live_login() {
    let paper = Ask { paper: true, ..ask(Asker::Person) };
    let live = Situation { running: Some(false), ..situation(&Phase::NeedLogin) };
    assert_eq!(refused(&decide(&live, paper)), "live_session");
    let same = Situation { running: Some(true), ..situation(&Phase::NeedLogin) };
    assert_eq!(decide(&same, paper), Start::Join);
}

#[test]
fn whoever_only_follows_begins_nothing() {
    let follows = Ask { join_only: true, ..ask(Asker::Person) };
    let failure = Refusal::new(ErrorCode::CodeRefused, "IBKR refused the code.", "Correct it.");
    let failed = Situation { last: Some(&failure), ..situation(&Phase::NeedLogin) };
    assert_eq!(refused(&decide(&failed, follows)), "code_refused");
    assert_eq!(decide(&situation(&Phase::NeedLogin), follows), Start::Wait);
}

#[test]
fn what_failed_by_itself_is_told_before_it_is_tried_again() {
    let failure =
        Refusal::new(ErrorCode::WrongCredentials, "IBKR refused the password.", "Correct it.");
    let failed = Situation {
        last: Some(&failure),
        is_news: true,
        headless: true,
        ..situation(&Phase::NeedLogin)
    };
    for asker in [Asker::Person, Asker::Client] {
        assert_eq!(refused(&decide(&failed, ask(asker))), "wrong_credentials");
        let told = Situation { is_news: false, ..failed.clone() };
        assert_eq!(decide(&told, ask(asker)), Start::Begin(Way::Headless));
    }
    let insists = Ask { forced: true, ..ask(Asker::Person) };
    assert_eq!(decide(&failed, insists), Start::Begin(Way::Headless));
}

#[test]
fn a_password_is_not_typed_into_a_closed_door() {
    for phase in [Phase::Maint { login: false }, Phase::Network { looks: 1 }] {
        let headless = Situation { headless: true, ..situation(&phase) };
        assert_eq!(decide(&headless, ask(Asker::Client)), Start::Wait, "{phase:?}");
        let will = Ask { forced: true, ..ask(Asker::Person) };
        assert_eq!(decide(&headless, will), Start::Begin(Way::Headless));
    }
}

#[test]
fn one_client_that_wants_no_person_makes_it_headless() {
    let phase = Phase::NeedLogin;
    let headless = Situation { headless: true, ..situation(&phase) };
    assert_eq!(decide(&headless, ask(Asker::Client)), Start::Begin(Way::Headless));
    let asked = Ask { headless: true, ..ask(Asker::Client) };
    assert_eq!(decide(&situation(&phase), asked), Start::Begin(Way::Headless));
}

#[test]
fn the_guard_holds_headless_logins_and_not_a_persons_own() {
    let phase = Phase::NeedLogin;
    let held = Situation { guard: Err(Held::Failures(2)), ..situation(&phase) };
    assert_eq!(decide(&held, ask(Asker::Client)), Start::Begin(Way::Browser));
    let headless = Situation { headless: true, ..held };
    assert_eq!(refused(&decide(&headless, ask(Asker::Client))), "lockout_guard");
    let soon = Held::Soon(at("2026-11-22T10:30:00Z"));
    let start = decide(&Situation { guard: Err(soon), ..headless }, ask(Asker::Nobody));
    assert_eq!(refused(&start), "login_held");
    assert!(matches!(start, Start::Refuse(Refusal { retry_at: Some(_), .. })));
}

#[test]
fn a_login_that_takes_the_session_from_somebody_is_asked_for_first() {
    let taken = Some(Taken { at: at("2026-11-22T14:02:00Z"), is_sure: true });
    for phase in [Phase::NeedLogin, Phase::Competing] {
        let taken = Situation { taken, ..situation(&phase) };
        assert_eq!(refused(&decide(&taken, ask(Asker::Client))), "competing_session");
        assert_eq!(refused(&decide(&taken, ask(Asker::Person))), "competing_session");
        let will = Ask { forced: true, ..ask(Asker::Person) };
        assert_eq!(decide(&taken, will), Start::Begin(Way::Browser));
        // An assistant cannot insist.
        let claim = Ask { forced: true, ..ask(Asker::Client) };
        assert_eq!(refused(&decide(&taken, claim)), "competing_session");
    }
    let takes = Situation { taken, compete: Compete::Take, ..situation(&Phase::NeedLogin) };
    assert_eq!(decide(&takes, ask(Asker::Nobody)), Start::Begin(Way::Browser));
    // Where it is only a guess, a person decides; a model does not.
    let guess = taken.map(|taken| Taken { is_sure: false, ..taken });
    let perhaps = Situation { taken: guess, ..situation(&Phase::NeedLogin) };
    let headless = Situation { headless: true, ..perhaps.clone() };
    assert_eq!(
        decide(&perhaps, ask(Asker::Client)),
        Start::Begin(Way::Browser),
        "a person logs in"
    );
    assert_eq!(decide(&headless, ask(Asker::Person)), Start::Begin(Way::Headless));
    assert_eq!(refused(&decide(&headless, ask(Asker::Client))), "competing_session");
    assert_eq!(refused(&decide(&perhaps, ask(Asker::Nobody))), "competing_session");
}

#[test]
fn paper_is_not_had_from_a_live_session() {
    let live = Situation { is_paper: Some(false), ..situation(&Phase::Ready) };
    let paper = Ask { paper: true, ..ask(Asker::Client) };
    assert_eq!(refused(&decide(&live, paper)), "live_session");
    let live_but_unclear = Situation { is_paper: None, ..situation(&Phase::Ready) };
    assert_eq!(decide(&live_but_unclear, paper), Start::Wait);
}

fn nobody(phase: &Phase) -> Unasked<'_> {
    Unasked {
        now: at("2026-11-23T10:00:00Z"),
        zone: TimeZone::UTC,
        phase,
        headless: true,
        is_alone: true,
        login_time: None,
        login_at: None,
        is_wanted: false,
        last: None,
        failures: 0,
        window: None,
        is_unwanted: false,
    }
}

#[test]
fn what_needs_no_person_comes_back_by_itself() {
    let phase = Phase::NeedLogin;
    assert_eq!(unasked(&nobody(&phase)), Some(false));
    for not in [
        Unasked { headless: false, ..nobody(&phase) },
        Unasked { is_unwanted: true, ..nobody(&phase) },
        Unasked { window: Some(Window::Night(at("2026-11-23T10:15:00Z"))), ..nobody(&phase) },
        Unasked { last: Some(at("2026-11-23T09:56:00Z")), ..nobody(&phase) },
        Unasked { last: Some(at("2026-11-23T09:00:00Z")), failures: 4, ..nobody(&phase) },
        nobody(&Phase::Competing),
        nobody(&Phase::Maint { login: false }),
        nobody(&Phase::Ready),
    ] {
        assert_eq!(unasked(&not), None, "{not:?}");
    }
}

#[test]
fn a_caller_who_waits_gets_a_login_but_not_at_night_from_a_phone() {
    let phase = Phase::NeedLogin;
    let last = Some(at("2026-11-23T09:59:00Z"));
    let wanted = Unasked { is_wanted: true, last, ..nobody(&phase) };
    assert_eq!(unasked(&wanted), Some(false));
    assert_eq!(unasked(&Unasked { failures: 1, ..wanted.clone() }), None, "it failed a minute ago");
    let night = Unasked { now: at("2026-11-23T03:00:00Z"), is_alone: false, ..wanted.clone() };
    assert_eq!(unasked(&night), None);
    // Nothing is installed yet: a wish brings it, time alone does not.
    assert_eq!(unasked(&Unasked { phase: &Phase::Stopped, ..wanted.clone() }), Some(false));
    assert_eq!(unasked(&nobody(&Phase::Stopped)), None);
}

#[test]
fn a_phone_is_never_asked_at_night() {
    let phase = Phase::NeedLogin;
    for (now, login_time, expected) in [
        ("2026-11-23T03:00:00Z", None, None),
        ("2026-11-23T10:00:00Z", None, Some(false)),
        ("2026-11-23T22:00:00Z", None, None),
        // With a time of its own: then, and not at other times.
        ("2026-11-23T07:29:00Z", Some("07:30"), None),
        ("2026-11-23T07:31:00Z", Some("07:30"), Some(false)),
        ("2026-11-23T08:01:00Z", Some("07:30"), None),
        ("2026-11-23T10:00:00Z", Some("07:30"), None),
    ] {
        let login_time = login_time.map(|text: &str| text.parse().unwrap());
        let push = Unasked { now: at(now), is_alone: false, login_time, ..nobody(&phase) };
        assert_eq!(unasked(&push), expected, "{now} {login_time:?}");
    }
}

#[test]
fn the_daily_login_renews_what_is_older() {
    let phase = Phase::Ready;
    let daily = |now: &str, login_at: &str| {
        unasked(&Unasked {
            now: at(now),
            login_at: Some(at(login_at)),
            login_time: Some("07:30".parse().unwrap()),
            ..nobody(&phase)
        })
    };
    assert_eq!(daily("2026-11-23T07:30:10Z", "2026-11-22T07:30:40Z"), Some(true));
    assert_eq!(daily("2026-11-23T07:31:00Z", "2026-11-23T07:30:40Z"), None, "it was just made");
    assert_eq!(daily("2026-11-23T12:00:00Z", "2026-11-22T20:00:00Z"), None, "not the time");
}

#[test]
fn the_end_of_a_login_is_said_an_hour_ahead() {
    let login_at = Some(at("2026-11-22T09:00:00Z"));
    assert!(!is_due_soon(login_at, at("2026-11-23T07:59:00Z")));
    assert!(is_due_soon(login_at, at("2026-11-23T08:01:00Z")));
    assert!(!is_due_soon(login_at, at("2026-11-23T09:01:00Z")));
    assert!(!is_due_soon(None, at("2026-11-23T08:01:00Z")));
}
