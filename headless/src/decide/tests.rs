use super::*;

const ORIGIN: &str = "https://127.0.0.1:5055";

fn goal() -> Goal {
    Goal {
        origin: ORIGIN.into(),
        mode: Mode::Paper,
        username: "me".into(),
        password_length: 5,
        has_seed: false,
        push_limit: Duration::from_secs(180),
    }
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn blank() -> Sight {
    Sight { origin: ORIGIN.into(), loaded: true, ..Sight::default() }
}

fn login_form(paper: bool) -> Sight {
    Sight {
        username: Some(String::new()),
        password: Some(0),
        submit: true,
        paper: Some(paper),
        ..blank()
    }
}

fn filled(paper: bool) -> Sight {
    Sight { username: Some("me".into()), password: Some(5), ..login_form(paper) }
}

/// Sees and decides.
fn step(memory: &mut Memory, sight: &Sight, goal: &Goal, now: Duration) -> Move {
    memory.saw(sight, now);
    next(sight, memory, goal, now)
}

/// A memory in which the password was submitted at 10 s.
fn submitted() -> Memory {
    let mut memory = Memory::new(secs(0));
    memory.saw(&login_form(true), secs(1));
    memory.did(&Move::Type, &login_form(true), secs(9));
    memory.did(&Move::Submit, &filled(true), secs(10));
    memory
}

fn failed(made: &Move) -> String {
    match made {
        Move::Fail(failed) => format!("{failed:?}").split(['(', ' ']).next().unwrap().to_owned(),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_login_goes_its_way() {
    let (mut memory, goal) = (Memory::new(secs(0)), goal());
    assert_eq!(step(&mut memory, &blank(), &goal, secs(1)), Move::Wait);
    assert_eq!(step(&mut memory, &login_form(false), &goal, secs(2)), Move::Switch);
    memory.did(&Move::Switch, &login_form(false), secs(2));
    assert_eq!(step(&mut memory, &login_form(false), &goal, secs(3)), Move::Wait);
    assert_eq!(step(&mut memory, &login_form(true), &goal, secs(4)), Move::Wait);
    assert_eq!(step(&mut memory, &login_form(true), &goal, secs(5)), Move::Type);
    memory.did(&Move::Type, &login_form(true), secs(6));
    assert_eq!(step(&mut memory, &filled(true), &goal, secs(6)), Move::Submit);
    memory.did(&Move::Submit, &filled(true), secs(6));
    assert_eq!(step(&mut memory, &filled(true), &goal, secs(7)), Move::Wait);
    let success = Sight { text: "Client login succeeds".into(), ..blank() };
    assert_eq!(step(&mut memory, &success, &goal, secs(8)), Move::Done);
}

#[test]
fn a_switch_that_is_right_is_left_alone() {
    let (mut memory, goal) = (Memory::new(secs(0)), Goal { mode: Mode::Live, ..goal() });
    assert_eq!(step(&mut memory, &login_form(false), &goal, secs(1)), Move::Wait);
    assert_eq!(step(&mut memory, &login_form(false), &goal, secs(2)), Move::Type);
}

#[test]
fn without_a_switch_no_password_is_typed_in_either_mode() {
    for mode in [Mode::Live, Mode::Paper] {
        let (mut memory, goal) = (Memory::new(secs(0)), Goal { mode, ..goal() });
        let no_switch = Sight { paper: None, ..login_form(false) };
        assert_eq!(step(&mut memory, &no_switch, &goal, secs(1)), Move::Wait);
        let end = step(&mut memory, &no_switch, &goal, secs(10));
        assert_eq!(failed(&end), "ModeUnverified", "{mode}");
    }
}

#[test]
fn a_switch_that_does_not_move_is_clicked_twice_and_then_given_up() {
    let (mut memory, goal) = (Memory::new(secs(0)), goal());
    let mut made = Vec::new();
    for now in 1..30 {
        let todo = step(&mut memory, &login_form(false), &goal, secs(now));
        memory.did(&todo, &login_form(false), secs(now));
        if todo != Move::Wait {
            made.push(failed(&todo));
        }
        if matches!(todo, Move::Fail(_)) {
            break;
        }
    }
    assert_eq!(made, ["Switch", "Switch", "ModeUnverified"]);
}

#[test]
fn a_switch_that_moves_behind_our_back_stops_the_login() {
    for (wanted, shown) in
        [(Mode::Paper, Some(false)), (Mode::Live, Some(true)), (Mode::Paper, None)]
    {
        let (mut memory, goal) = (Memory::new(secs(0)), Goal { mode: wanted, ..goal() });
        memory.saw(&login_form(wanted.is_paper()), secs(1));
        memory.did(&Move::Type, &login_form(wanted.is_paper()), secs(2));
        let sight = Sight { paper: shown, ..filled(true) };
        assert_eq!(failed(&step(&mut memory, &sight, &goal, secs(3))), "ModeUnverified");
    }
}

#[test]
fn a_form_that_is_not_filled_as_it_should_is_not_submitted() {
    let (mut memory, goal) = (Memory::new(secs(0)), goal());
    memory.saw(&login_form(true), secs(1));
    memory.did(&Move::Type, &login_form(true), secs(2));
    for sight in [
        Sight { username: Some("mesecr".into()), ..filled(true) },
        Sight { password: Some(4), ..filled(true) },
    ] {
        let made = step(&mut memory, &sight, &goal, secs(3));
        assert_eq!(made, Move::Fail(Failed::PageUnknown(Missing::Typed)));
    }
}

#[test]
fn a_page_of_another_origin_is_never_touched() {
    let elsewhere = "https://127.0.0.1:5055.evil.example".to_owned();
    let sights = [
        Sight { origin: elsewhere.clone(), ..filled(true) },
        Sight { destinations: vec![ORIGIN.into(), elsewhere], ..filled(true) },
        Sight { origin: "null".into(), text: "Client login succeeds".into(), ..blank() },
    ];
    for sight in sights {
        for mut memory in [Memory::new(secs(0)), submitted()] {
            assert_eq!(failed(&step(&mut memory, &sight, &goal(), secs(11))), "WrongPage");
        }
    }
}

#[test]
fn success_counts_only_after_a_submission() {
    let mut memory = Memory::new(secs(0));
    let success = Sight { text: "Client login succeeds".into(), ..blank() };
    assert_eq!(step(&mut memory, &success, &goal(), secs(1)), Move::Wait);
    assert_eq!(failed(&step(&mut memory, &success, &goal(), secs(40))), "PageUnknown");
}

#[test]
fn what_is_missing_on_the_page_is_named() {
    let some = Some(String::new());
    for (sight, missing) in [
        (blank(), Missing::Username),
        (Sight { username: some.clone(), ..blank() }, Missing::Password),
        (Sight { username: some, password: Some(0), ..blank() }, Missing::LoginSubmit),
    ] {
        let mut memory = Memory::new(secs(0));
        let made = step(&mut memory, &sight, &goal(), secs(31));
        assert_eq!(made, Move::Fail(Failed::PageUnknown(missing)));
    }
}

#[test]
fn maintenance_is_told_from_a_changed_page() {
    let mut memory = Memory::new(secs(0));
    let sight = Sight { text: "We are down for scheduled maintenance.".into(), ..blank() };
    assert_eq!(failed(&step(&mut memory, &sight, &goal(), secs(4))), "Maintenance");
    // A banner about next weekend beside the form is none.
    let banner = Sight { text: sight.text, ..login_form(true) };
    let mut memory = Memory::new(secs(0));
    step(&mut memory, &banner, &goal(), secs(1));
    assert_eq!(step(&mut memory, &banner, &goal(), secs(2)), Move::Type);
}

#[test]
fn the_password_is_submitted_once() {
    let mut memory = submitted();
    for now in 11..=54 {
        for sight in [login_form(true), filled(true)] {
            assert_eq!(step(&mut memory, &sight, &goal(), secs(now)), Move::Wait);
        }
    }
    assert_eq!(failed(&step(&mut memory, &filled(true), &goal(), secs(56))), "TimedOut");
}

#[test]
fn errors_end_the_attempt() {
    for (text, expected) in [
        ("Invalid username password combination", "WrongCredentials"),
        ("failed", "WrongCredentials"),
        ("Please select the correct Login mode.", "WrongMode"),
        ("This user is locked", "Locked"),
        ("Something new", "Refused"),
    ] {
        let sight = Sight { error: Some(text.into()), ..login_form(true) };
        assert_eq!(failed(&step(&mut submitted(), &sight, &goal(), secs(11))), expected, "{text}");
    }
}

#[test]
fn an_error_of_before_the_submission_counts_only_when_it_stays() {
    let old = Sight { error: Some("Invalid username".into()), ..filled(true) };
    let mut memory = Memory::new(secs(0));
    memory.saw(&old, secs(1));
    memory.did(&Move::Type, &old, secs(2));
    memory.did(&Move::Submit, &old, secs(3));
    assert_eq!(step(&mut memory, &old, &goal(), secs(4)), Move::Wait);
    assert_eq!(failed(&step(&mut memory, &old, &goal(), secs(9))), "WrongCredentials");
}

fn push_panel(notice: &str) -> Sight {
    Sight { panel: notice.into(), notice: Some(notice.into()), resend: true, ..blank() }
}

#[test]
fn a_push_is_waited_for_as_long_as_it_lives() {
    let (mut memory, sight) = (submitted(), push_panel("A notification has been sent"));
    assert_eq!(step(&mut memory, &sight, &goal(), secs(11)), Move::Push);
    memory.did(&Move::Push, &sight, secs(11));
    assert_eq!(step(&mut memory, &sight, &goal(), secs(190)), Move::Wait);
    // Approved at the last moment: the page needs time to change.
    assert_eq!(step(&mut memory, &blank(), &goal(), secs(200)), Move::Wait);
    assert_eq!(step(&mut memory, &sight, &goal(), secs(192)), Move::Fail(Failed::PushExpired));
    memory.resent(secs(192));
    assert_eq!(step(&mut memory, &sight, &goal(), secs(370)), Move::Wait);
}

#[test]
fn a_push_can_be_denied_or_expire() {
    for (notice, expected) in
        [("The request was denied", "PushDenied"), ("The notification has expired", "PushExpired")]
    {
        let (mut memory, sight) = (submitted(), push_panel("A notification has been sent"));
        step(&mut memory, &sight, &goal(), secs(11));
        memory.did(&Move::Push, &sight, secs(11));
        assert_eq!(failed(&step(&mut memory, &push_panel(notice), &goal(), secs(12))), expected);
        let error = Sight { error: Some(notice.into()), ..login_form(true) };
        assert_eq!(failed(&step(&mut memory, &error, &goal(), secs(12))), expected);
    }
}

#[test]
fn a_push_that_failed_was_denied_if_it_was_not_too_old() {
    for (now, expected) in [(60, Failed::PushDenied), (189, Failed::PushExpired)] {
        let mut memory = submitted();
        memory.did(&Move::Push, &blank(), secs(11));
        let error = Sight { error: Some("failed".into()), ..login_form(true) };
        assert_eq!(step(&mut memory, &error, &goal(), secs(now)), Move::Fail(expected));
    }
}

fn code_panel(text: &str) -> Sight {
    Sight { panel: text.into(), code: true, ..blank() }
}

#[test]
fn codes_are_told_apart() {
    for (text, kind) in [
        ("Security Code", CodeKind::Totp),
        ("Enter the code we sent by text message", CodeKind::Sms),
        ("Challenge: 123 456", CodeKind::Challenge("123456".into())),
    ] {
        assert_eq!(step(&mut submitted(), &code_panel(text), &goal(), secs(11)), Move::Code(kind));
    }
}

#[test]
fn two_codes_are_given_at_most_and_the_second_only_after_an_error() {
    let (mut memory, asks) = (submitted(), code_panel("Security Code"));
    let code = Move::Code(CodeKind::Totp);
    memory.did(&code, &asks, secs(12));
    assert_eq!(step(&mut memory, &asks, &goal(), secs(13)), Move::Wait);
    let refused = Sight { error: Some("failed".into()), ..asks.clone() };
    assert_eq!(step(&mut memory, &refused, &goal(), secs(14)), code);
    memory.did(&code, &refused, secs(15));
    assert_eq!(step(&mut memory, &refused, &goal(), secs(16)), Move::Wait);
    assert_eq!(failed(&step(&mut memory, &refused, &goal(), secs(21))), "CodeRefused");
    let restarted = Sight { error: Some("failed".into()), ..login_form(true) };
    assert_eq!(failed(&step(&mut memory, &restarted, &goal(), secs(21))), "CodeRefused");
}

#[test]
fn a_person_may_take_long_to_find_a_code() {
    let (mut memory, asks) = (submitted(), code_panel("Security Code"));
    memory.wants_code(secs(11));
    let code = Move::Code(CodeKind::Totp);
    assert_eq!(step(&mut memory, &asks, &goal(), secs(200)), code);
    assert_eq!(step(&mut memory, &blank(), &goal(), secs(201)), Move::Wait);
}

#[test]
fn a_method_is_chosen_once() {
    let options =
        ["Select Device", "IB Key", "Mobile Authenticator App"].map(String::from).to_vec();
    let sight = Sight { devices: options, chosen: Some(0), panel: "Choose".into(), ..blank() };
    for (has_seed, index) in [(false, 1), (true, 2)] {
        let (mut memory, goal) = (submitted(), Goal { has_seed, ..goal() });
        assert_eq!(step(&mut memory, &sight, &goal, secs(11)), Move::Device(index));
        memory.did(&Move::Device(index), &sight, secs(11));
        assert_eq!(step(&mut memory, &sight, &goal, secs(12)), Move::Wait);
        let end = step(&mut memory, &sight, &goal, secs(60));
        assert_eq!(end, Move::Fail(Failed::PageUnknown(Missing::Device)));
    }
}

#[test]
fn a_second_factor_that_is_not_known_is_said_to_be_so() {
    let sight = Sight { panel: "Touch your key".into(), ..blank() };
    let end = step(&mut submitted(), &sight, &goal(), secs(60));
    assert_eq!(end, Move::Fail(Failed::PageUnknown(Missing::SecondFactor)));
}

#[test]
fn advertisements_are_skipped_but_not_for_ever() {
    let (mut memory, sight) = (submitted(), Sight { promo: true, ..blank() });
    let mut skipped = 0;
    for now in 11..80 {
        let todo = step(&mut memory, &sight, &goal(), secs(now));
        skipped += u32::from(todo == Move::SkipPromo);
        memory.did(&todo, &sight, secs(now));
    }
    assert_eq!(skipped, PROMOS);
}
