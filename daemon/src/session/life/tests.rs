use super::*;
use Effect::{Look, Open, Prime, Probe, Wait};
use jiff::Timestamp;

const UP: Sight = Sight::Login { authenticated: true, established: Some(true), competing: false };
const LOADING: Sight =
    Sight::Login { authenticated: true, established: Some(false), competing: false };
const CLOSED: Sight =
    Sight::Login { authenticated: false, established: Some(false), competing: false };
const TAKEN: Sight = Sight::Login { authenticated: false, established: None, competing: true };
/// Servers of older builds do not say `established`.
const UP_OLD: Sight = Sight::Login { authenticated: true, established: None, competing: false };

fn at(phase: Phase) -> Life {
    Life { phase, ..Life::new(Compete::Ask, 1) }
}

fn looked(phase: Phase, sight: Sight) -> (Phase, Vec<Effect>) {
    let mut life = at(phase);
    let effects = life.step(&Event::Looked(sight));
    (life.phase, effects)
}

#[test]
fn a_short_penalty_is_not_waited_for_a_minute() {
    let now = Timestamp::UNIX_EPOCH;
    let penalty = |left: i64| Phase::Penalty { until: now + jiff::SignedDuration::from_secs(left) };
    for (phase, expected) in [
        (penalty(14), 15),
        (penalty(-3), 1),
        (penalty(900), 60),
        (Phase::Maint { login: true }, 60),
    ] {
        let pause = phase.pause(MAINTENANCE_LOOK, now);
        assert_eq!(pause, Duration::from_secs(expected), "{phase:?}");
    }
}

#[test]
fn each_sight_leads_from_the_start_to_its_state() {
    let until = Timestamp::UNIX_EPOCH;
    let (denied, minute) = (ibd_cpapi::Denial::Signature, Duration::from_secs(60));
    for (sight, phase, effects) in [
        (Sight::Denied(denied), Phase::Denied { why: denied, is_over: false }, vec![Wait(minute)]),
        (UP, Phase::Priming, vec![Prime]),
        (UP_OLD, Phase::Priming, vec![Prime]),
        (LOADING, Phase::Loading { looks: 0 }, vec![Wait(OPENING_LOOK)]),
        (CLOSED, Phase::Opening, vec![Open(Claim::IfFree)]),
        (TAKEN, Phase::Competing, vec![Wait(MAINTENANCE_LOOK)]),
        (Sight::NoLogin, Phase::NeedLogin, vec![Wait(WAITING_LOOK)]),
        (Sight::Gone("x".into()), Phase::Gone { why: "x".into() }, vec![Wait(WAITING_LOOK)]),
        (Sight::Untrusted, Phase::Untrusted, vec![Wait(WAITING_LOOK)]),
        (Sight::Trouble, Phase::Maint { login: false }, vec![Wait(MAINTENANCE_LOOK)]),
        (Sight::SilentUpstream, Phase::Network { looks: 1 }, vec![Wait(SECOND_LOOK)]),
        (Sight::SilentGateway, Phase::Hung { looks: 1 }, vec![Wait(SECOND_LOOK)]),
        (Sight::Limited(until), Phase::Penalty { until }, vec![Wait(MAINTENANCE_LOOK)]),
    ] {
        assert_eq!(looked(Phase::Starting, sight.clone()), (phase, effects), "{sight:?}");
    }
}

#[test]
fn one_bad_look_makes_a_ready_session_doubtful_and_a_good_one_heals_it() {
    for bad in [
        CLOSED,
        TAKEN,
        Sight::NoLogin,
        Sight::Gone("x".into()),
        Sight::Trouble,
        Sight::SilentUpstream,
    ] {
        let mut life = at(Phase::Ready);
        assert_eq!(life.step(&Event::Looked(bad.clone())), [Wait(SECOND_LOOK)], "{bad:?}");
        assert_eq!(life.phase, Phase::Doubtful);
        assert_eq!(life.step(&Event::Looked(UP)), [Wait(TICKLE)]);
        assert_eq!((life.phase, life.epoch), (Phase::Ready, 1), "the same session as before");
    }
}

#[test]
fn a_second_bad_look_counts() {
    assert_eq!(looked(Phase::Doubtful, CLOSED), (Phase::Opening, vec![Open(Claim::IfFree)]));
    assert_eq!(looked(Phase::Doubtful, Sight::NoLogin).0, Phase::NeedLogin);
    assert_eq!(looked(Phase::Doubtful, Sight::Untrusted).0, Phase::Untrusted);
}

#[test]
fn a_call_that_fails_is_evidence_enough_for_one_bad_look_to_count() {
    let mut life = at(Phase::Ready);
    assert_eq!(life.step(&Event::Doubted), [Look]);
    assert_eq!(life.phase, Phase::Doubtful, "nobody is served meanwhile");
    assert_eq!(life.step(&Event::Looked(CLOSED)), [Open(Claim::IfFree)]);
}

#[test]
fn a_session_that_somebody_opened_anew_is_primed_again() {
    let mut life = at(Phase::Ready);
    assert_eq!(life.step(&Event::Unprimed), [Prime]);
    assert_eq!((life.phase, life.epoch), (Phase::Priming, 2));
}

#[test]
fn a_reopened_session_is_a_new_epoch() {
    let mut life = at(Phase::Doubtful);
    life.step(&Event::Looked(CLOSED));
    assert_eq!(life.step(&Event::Opened(Opening::Accepted)), [Look]);
    assert_eq!(life.step(&Event::Looked(LOADING)), [Wait(OPENING_LOOK)]);
    assert_eq!(life.step(&Event::Looked(UP)), [Prime]);
    assert_eq!(life.step(&Event::Primed(true)), [Wait(TICKLE)]);
    assert_eq!((life.phase, life.epoch), (Phase::Ready, 2));
}

#[test]
fn a_refused_opening_is_tried_again_ever_more_rarely_but_looked_at_often() {
    let mut life = at(Phase::Opening);
    let mut minutes = Vec::new();
    for _ in 0..8 {
        assert_eq!(life.step(&Event::Opened(Opening::Failed)), [Wait(WAITING_LOOK)]);
        let refused = life.now;
        loop {
            // Somebody asks every five seconds: that neither shortens the pause nor makes it longer.
            life.now += Duration::from_secs(5);
            assert_eq!(life.step(&Event::Wanted), [Look], "a new login is noticed");
            if life.step(&Event::Looked(CLOSED)) == [Open(Claim::IfFree)] {
                break;
            }
            assert_eq!(life.phase, Phase::Refused);
        }
        minutes.push((life.now - refused).as_secs() / 60);
    }
    assert_eq!(minutes, [1, 2, 4, 8, 16, 30, 30, 30]);
}

#[test]
fn a_session_that_never_finishes_loading_is_refused_after_a_minute() {
    let mut life = at(Phase::Opening);
    life.step(&Event::Opened(Opening::Accepted));
    for _ in 0..OPENING_LOOKS - 1 {
        assert_eq!(life.step(&Event::Looked(CLOSED)), [Wait(OPENING_LOOK)]);
    }
    assert_eq!(life.step(&Event::Looked(CLOSED)), [Wait(WAITING_LOOK)]);
    assert_eq!(life.phase, Phase::Refused);
}

#[test]
fn first_calls_that_keep_failing_are_not_repeated_in_a_tight_loop() {
    let mut life = at(Phase::Priming);
    for expected in [SECOND_LOOK, SECOND_LOOK, WAITING_LOOK, WAITING_LOOK] {
        assert_eq!(life.step(&Event::Primed(false)), [Wait(expected)]);
        life.step(&Event::Due);
        assert_eq!(life.step(&Event::Looked(UP)), [Prime]);
    }
}

/// Whatever is seen while another platform holds the session, `ask` and `yield` never open it.
#[test]
fn a_persons_tws_is_never_fought() {
    for policy in [Compete::Ask, Compete::Yield] {
        let mut life = Life { phase: Phase::Doubtful, ..Life::new(policy, 1) };
        let held = Event::Opened(Opening::Held);
        for event in [Event::Looked(TAKEN), Event::Due, Event::Wanted, held, Event::Looked(TAKEN)] {
            let effects = life.step(&event);
            assert!(!effects.iter().any(|e| matches!(e, Open(_))), "{policy:?} {event:?}");
            assert_eq!(life.phase, Phase::Competing);
        }
    }
}

#[test]
fn policy_take_takes_but_not_in_a_loop() {
    let mut life = Life { phase: Phase::Doubtful, ..Life::new(Compete::Take, 1) };
    assert_eq!(life.step(&Event::Looked(TAKEN)), [Open(Claim::FromOthers)]);
    assert_eq!(life.step(&Event::Opened(Opening::Accepted)), [Look]);
    assert_eq!(life.step(&Event::Looked(TAKEN)), [Wait(OPENING_LOOK)], "the flag may lag behind");
    // Another one that takes as well: each round is longer than the last.
    let mut pauses = Vec::new();
    for _ in 0..4 {
        life.phase = Phase::Doubtful;
        let taken = life.now;
        while life.step(&Event::Looked(TAKEN)) != [Open(Claim::FromOthers)] {
            life.now += Duration::from_secs(1);
        }
        pauses.push((life.now - taken).as_secs());
        life.step(&Event::Primed(true));
    }
    assert_eq!(pauses, [60, 120, 240, 480]);
}

#[test]
fn nothing_comes_between_a_logout() {
    let mut life = at(Phase::Ready);
    assert!(life.step(&Event::LoggingOut).is_empty());
    for event in [Event::Wanted, Event::Doubted, Event::Unprimed, Event::Due] {
        assert!(life.step(&event).is_empty(), "{event:?}");
        assert_eq!(life.phase, Phase::LoggingOut);
    }
}

#[test]
fn in_the_penalty_box_nobody_is_asked_for_a_callers_sake() {
    let mut life = at(Phase::Penalty { until: Timestamp::UNIX_EPOCH });
    assert!(life.step(&Event::Wanted).is_empty());
}

#[test]
fn a_caller_who_waits_for_a_login_gets_a_look() {
    for phase in [
        Phase::NeedLogin,
        Phase::Maint { login: false },
        Phase::Hung { looks: 1 },
        Phase::Gone { why: "x".into() },
        Phase::Competing,
        Phase::Starting,
    ] {
        assert_eq!(at(phase.clone()).step(&Event::Wanted), [Look], "{phase:?}");
    }
}

#[test]
fn a_logout_is_not_undone() {
    let mut life = at(Phase::Ready);
    assert_eq!(life.step(&Event::LoggedOut), [Wait(WAITING_LOOK)]);
    assert_eq!(life.phase, Phase::NeedLogin);
    assert_eq!(life.step(&Event::Looked(Sight::NoLogin)), [Wait(WAITING_LOOK)]);
}

#[test]
fn ask_waits_for_a_person_and_yield_for_a_free_session() {
    let mut ask = Life { phase: Phase::Competing, ..Life::new(Compete::Ask, 1) };
    assert!(matches!(ask.step(&Event::Looked(CLOSED))[..], [Wait(_)]));
    assert_eq!(ask.phase, Phase::Competing);
    assert_eq!(ask.step(&Event::Resume), [Open(Claim::FromOthers)]);
    let mut yields = Life { phase: Phase::Competing, ..Life::new(Compete::Yield, 1) };
    assert_eq!(yields.step(&Event::Looked(CLOSED)), [Open(Claim::IfFree)]);
    // It was not free after all: callers who look do not make it an attempt each.
    yields.step(&Event::Opened(Opening::Held));
    for _ in 0..10 {
        yields.now += Duration::from_secs(2);
        yields.step(&Event::Wanted);
        assert!(matches!(yields.step(&Event::Looked(CLOSED))[..], [Wait(_)]));
    }
}

#[test]
fn whoever_has_the_session_is_looked_at_ever_more_rarely() {
    let mut life = Life { phase: Phase::Doubtful, ..Life::new(Compete::Yield, 1) };
    let mut pauses = Vec::new();
    for _ in 0..7 {
        if let [Wait(pause)] = life.step(&Event::Looked(TAKEN))[..] {
            pauses.push(pause.as_secs());
        }
    }
    assert_eq!(pauses, [60, 120, 180, 240, 300, 300, 300]);
}

#[test]
fn at_the_hour_of_the_reset_the_first_bad_look_counts() {
    let watch = Watch { is_urgent: true, ..Watch::default() };
    let mut life = Life { phase: Phase::Ready, watch, ..Life::new(Compete::Ask, 1) };
    assert_eq!(life.step(&Event::Looked(CLOSED)), [Open(Claim::IfFree)]);
}

#[test]
fn a_gateway_that_hangs_is_ended() {
    let mut life = at(Phase::Doubtful);
    let mut effects = Vec::new();
    for _ in 0..5 {
        effects.extend(life.step(&Event::Looked(Sight::SilentGateway)));
    }
    assert_eq!(effects[2], Effect::Escalate, "after the third look, and whenever it goes on");
    assert_eq!(effects.iter().filter(|effect| **effect == Effect::Escalate).count(), 3);
}

/// During IBKR's maintenance tickles are answered as ever: what calls are answered counts.
#[test]
fn calls_that_are_answered_with_errors_make_a_maintenance_and_a_probe_ends_it() {
    let mut life = at(Phase::Ready);
    assert_eq!(life.step(&Event::Troubled), [Probe]);
    assert_eq!(life.phase, Phase::Doubtful, "nobody is served until it is known");
    assert_eq!(life.step(&Event::Looked(Sight::Trouble)), [Wait(MAINTENANCE_LOOK)]);
    assert_eq!(life.phase, Phase::Maint { login: true });
    assert!(life.phase.has_login(), "it is kept alive meanwhile");
    for event in [Event::Due, Event::Wanted] {
        assert_eq!(life.step(&event), [Probe], "{event:?}");
        assert_eq!(life.step(&Event::Looked(Sight::Trouble)), [Wait(MAINTENANCE_LOOK)]);
    }
    // Whatever was primed before it may be gone.
    assert_eq!(life.step(&Event::Looked(UP)), [Prime]);
    assert_eq!(life.step(&Event::Primed(true)), [Wait(TICKLE)]);
    assert_eq!((life.phase, life.epoch), (Phase::Ready, 2));
}

#[test]
fn one_endpoints_own_trouble_is_no_maintenance() {
    let mut life = at(Phase::Ready);
    for _ in 0..5 {
        assert_eq!(life.step(&Event::Troubled), [Probe]);
        assert_eq!(life.step(&Event::Looked(UP)), [Wait(TICKLE)]);
        assert_eq!((&life.phase, life.epoch), (&Phase::Ready, 1), "the same session as before");
    }
}

#[test]
fn in_ibkrs_own_hours_the_first_error_counts() {
    let watch = Watch { is_maintained: true, ..Watch::default() };
    for (event, effect) in
        [(Event::Troubled, Probe), (Event::Looked(Sight::Trouble), Wait(MAINTENANCE_LOOK))]
    {
        let mut life = Life { watch, ..at(Phase::Ready) };
        assert_eq!(life.step(&event), [effect], "{event:?}");
        assert_eq!(life.phase, Phase::Maint { login: true }, "{event:?}");
        assert_eq!(life.step(&Event::Due), [Probe]);
        assert_eq!(life.step(&Event::Looked(UP)), [Prime]);
    }
}

#[test]
fn first_calls_that_are_answered_with_errors_are_a_maintenance_and_no_storm() {
    let mut life = at(Phase::Priming);
    for expected in [SECOND_LOOK, MAINTENANCE_LOOK, MAINTENANCE_LOOK] {
        assert_eq!(life.step(&Event::Troubled), [Wait(expected)]);
        assert_eq!(life.phase, Phase::Maint { login: true });
        assert_eq!(life.step(&Event::Due), [Probe]);
        assert_eq!(life.step(&Event::Looked(UP)), [Prime]);
    }
}

#[test]
fn a_maintenance_that_ends_the_login_is_left_by_a_login() {
    for (sight, phase) in [
        (Sight::NoLogin, Phase::NeedLogin),
        (CLOSED, Phase::Opening),
        (Sight::SilentUpstream, Phase::Network { looks: 1 }),
    ] {
        assert_eq!(looked(Phase::Maint { login: true }, sight).0, phase);
    }
    let (phase, effects) = looked(Phase::Maint { login: false }, UP);
    assert_eq!((phase, effects), (Phase::Priming, vec![Prime]));
}

#[test]
fn a_refused_signature_is_tried_three_times_and_then_by_a_person() {
    let why = ibd_cpapi::Denial::Signature;
    let mut life = at(Phase::Starting);
    let mut pauses = Vec::new();
    for _ in 0..3 {
        pauses.push(life.step(&Event::Looked(Sight::Denied(why))));
        // Callers who wait do not make it be tried.
        assert!(life.step(&Event::Wanted).is_empty());
        life.now += Duration::from_secs(300);
    }
    let minutes = |minutes: u64| vec![Wait(Duration::from_secs(60 * minutes))];
    assert_eq!(pauses, [minutes(1), minutes(5), vec![]]);
    assert_eq!(life.phase, Phase::Denied { why, is_over: true });
    life.now += Duration::from_secs(86_400);
    assert!(life.step(&Event::Wanted).is_empty(), "a person's, for ever");
    assert_eq!(life.step(&Event::Resume), [Look]);
    assert_eq!(life.step(&Event::Looked(Sight::Denied(why))), minutes(1), "counted anew");
}

#[test]
fn a_key_that_is_not_in_force_yet_is_tried_until_it_is() {
    let why = ibd_cpapi::Denial::NotActive;
    let mut life = at(Phase::Starting);
    for _ in 0..500 {
        let pause = Duration::from_secs(15 * 60);
        assert_eq!(life.step(&Event::Looked(Sight::Denied(why))), [Wait(pause)]);
        assert_eq!(life.phase, Phase::Denied { why, is_over: false });
        assert!(life.step(&Event::Wanted).is_empty(), "not at every call");
        life.now += pause;
        assert_eq!(life.step(&Event::Due), [Look]);
    }
    assert_eq!(life.step(&Event::Wanted), [Look], "a minute later a caller's wish counts");
    assert_eq!(life.step(&Event::Looked(CLOSED)), [Open(Claim::IfFree)], "at once");
}

#[test]
fn who_may_not_trade_this_way_is_not_asked_for_ever() {
    let why = ibd_cpapi::Denial::NotEntitled;
    let mut life = at(Phase::Starting);
    for is_over in [false, false, true] {
        life.now += Duration::from_secs(600);
        assert_eq!(life.step(&Event::Looked(CLOSED)), [Open(Claim::IfFree)]);
        life.step(&Event::Opened(Opening::Denied(why)));
        assert_eq!(life.phase, Phase::Denied { why, is_over });
    }
}
