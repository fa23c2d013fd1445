#![allow(clippy::unwrap_used)]

#[path = "tests/news.rs"]
mod news;

use super::*;
use crate::orders::approval::By;
use crate::orders::guardrails::Worth;
use ibd_protocol::ReasonCode;

pub(crate) fn now() -> Timestamp {
    "2026-11-23T15:00:00Z".parse().unwrap()
}

fn approval() -> Box<Approval> {
    Box::new(Approval {
        id: "7F3K".into(),
        token: "t".into(),
        by: By::Person,
        digest: "d".into(),
        questions: Vec::new(),
        worth: Worth::default(),
        asked_at: now(),
        expires_at: now(),
        boot: None,
    })
}

fn standing(status: &str) -> Standing {
    Standing::new("7".parse().unwrap(), status)
}

fn part(id: &str, status: &str) -> Part {
    Part { status: Some(status.into()), ..Part::new(id.parse().unwrap()) }
}

/// The same with a stop and a profit that came with it.
fn bracket(status: &str, stop: &str, profit: &str) -> Standing {
    Standing { others: vec![part("8", stop), part("9", profit)], ..standing(status) }
}

fn reply() -> ReplyId {
    "r1".parse().unwrap()
}

fn question() -> Vec<Question> {
    vec![Question { id: Some("o163".into()), text: "Sure?".into() }]
}

fn doubt() -> Doubt {
    Doubt { cause: "x".into(), since: now(), looks: 0 }
}

/// An intent for this order, in doubt.
pub(crate) fn intent_of(order: crate::orders::order::Order) -> crate::orders::intent::Intent {
    let state = State::Unknown(doubt());
    let intent = crate::orders::intent::tests::placed(order, state);
    crate::orders::intent::Intent { created_at: now(), since: now(), ..intent }
}

pub(crate) fn every_state() -> Vec<State> {
    vec![
        State::Denied(Denial::new(ReasonCode::Internal, "x", "x")),
        State::Awaiting(approval()),
        State::Ready,
        State::Sending,
        State::Replying { reply: reply(), round: 1, questions: question() },
        State::Declining { reply: reply(), questions: question() },
        State::Unknown(doubt()),
        State::Parked(doubt()),
        State::Working(standing("Submitted")),
        State::Over(End::Filled(standing("Filled"))),
        State::Over(End::Cancelled(standing("Cancelled"))),
        State::Over(End::Filled(bracket("Filled", "PreSubmitted", "Filled"))),
        State::Working(standing("Missing")),
        State::Over(End::Unlisted(standing("Unlisted"))),
        State::Over(End::NotTaken),
        State::Over(End::Rejected("no".into())),
        State::Over(End::NotPlaced(NotPlaced::Expired)),
        State::Over(End::NotPlaced(NotPlaced::ByPerson)),
        State::Over(End::Done),
    ]
}

fn every_event() -> Vec<Event> {
    vec![
        Event::Approved,
        Event::Declined("a person".into()),
        Event::Expired,
        Event::Moved(approval()),
        Event::Refused(Denial::new(ReasonCode::Internal, "x", "x")),
        Event::Turn,
        Event::NotSent("x".into()),
        Event::Accepted(standing("Submitted")),
        Event::Applied,
        Event::StillThere,
        Event::Asked(reply(), question(), Decision::Yes),
        Event::Asked(reply(), question(), Decision::No),
        Event::Rejected("no".into()),
        Event::Silence("x".into()),
        Event::Restarted(false),
        Event::Restarted(true),
        Event::Shown(standing("Submitted")),
        Event::Corrected(standing("Submitted")),
        Event::Found(standing("Submitted")),
        Event::Found(standing("Filled")),
        Event::Unlisted("7".parse().unwrap(), Term::Over),
        Event::Unlisted("7".parse().unwrap(), Term::Open),
        Event::Unlisted("8".parse().unwrap(), Term::Over),
        Event::Absent(2),
        Event::Resolved(None),
        Event::Resolved(Some(standing("Submitted"))),
    ]
}

fn name(state: &State, event: Event) -> &'static str {
    step(state, event, now()).map_or("-", |(state, _)| state.name())
}

#[test]
fn the_usual_way() {
    assert_eq!(name(&State::Awaiting(approval()), Event::Approved), "ready");
    assert_eq!(step(&State::Ready, Event::Turn, now()).unwrap().1, [Effect::Send]);
    let accepted = Event::Accepted(standing("PreSubmitted"));
    let (state, effects) = step(&State::Sending, accepted, now()).unwrap();
    assert_eq!((state.name(), effects), ("working", vec![Effect::Free, Effect::Tell]));
    assert_eq!(name(&state, Event::Found(standing("Filled"))), "filled");
}

#[test]
fn a_question_is_answered_yes_or_declined_and_followed() {
    let (state, effects) =
        step(&State::Sending, Event::Asked(reply(), question(), Decision::Yes), now()).unwrap();
    assert_eq!((state.name(), effects), ("replying", vec![Effect::Reply(reply(), Decision::Yes)]));
    let (state, effects) =
        step(&state, Event::Asked(reply(), question(), Decision::No), now()).unwrap();
    assert_eq!((state.name(), effects), ("declining", vec![Effect::Reply(reply(), Decision::No)]));
    let (state, effects) =
        step(&state, Event::Rejected("Order not confirmed".into()), now()).unwrap();
    assert_eq!(state, State::Over(End::NotPlaced(NotPlaced::Asked(question()))));
    assert_eq!(effects, [Effect::Free, Effect::Follow(question())]);
}

#[test]
fn there_is_an_end_to_questions() {
    let last = State::Replying { reply: reply(), round: ROUNDS, questions: question() };
    assert_eq!(name(&last, Event::Asked(reply(), question(), Decision::Yes)), "declining");
}

/// The heart: nothing that may have reached the broker is taken for not placed, except by a person.
#[test]
fn silence_is_never_taken_for_a_no() {
    for state in every_state().into_iter().filter(State::is_in_round) {
        for event in [Event::Silence("x".into()), Event::Restarted(false)] {
            let (next, effects) = step(&state, event, now()).unwrap();
            assert_eq!(next.name(), "unknown", "{state:?}");
            assert!(effects.contains(&Effect::Look), "{state:?}");
        }
    }
    for state in [State::Unknown(doubt()), State::Parked(doubt())] {
        for event in every_event() {
            let by_person = matches!(event, Event::Resolved(_));
            if let Some((next, _)) = step(&state, event, now()) {
                assert!(by_person || next.name() != "not_placed", "{state:?} became {next:?}");
            }
        }
    }
}

#[test]
fn nothing_is_sent_but_at_its_turn_and_never_twice() {
    for state in every_state() {
        for event in every_event() {
            let is_turn = event == Event::Turn;
            if let Some((_, effects)) = step(&state, event, now()) {
                let sends = effects.contains(&Effect::Send);
                assert_eq!(sends, is_turn && state == State::Ready, "{state:?}");
            }
        }
    }
}

#[test]
fn what_is_over_stays_over_unless_the_broker_shows_otherwise() {
    for state in every_state().into_iter().filter(State::is_over) {
        for event in every_event() {
            let is_filled =
                matches!(&event, Event::Found(standing) if standing.status.as_str() == "Filled");
            let is_cancelled = matches!(state, State::Over(End::Cancelled(_)));
            let is_found = matches!(event, Event::Found(_) | Event::Shown(_) | Event::Corrected(_));
            let is_unlisted = matches!(state, State::Over(End::Unlisted(_)));
            let is_part = event == Event::Unlisted("8".parse().unwrap(), Term::Over);
            let Some((next, effects)) = step(&state, event, now()) else { continue };
            if is_cancelled && is_filled {
                // A fill was seen, whatever was said before.
                assert!(matches!(next, State::Over(End::Filled(_))));
            } else if is_unlisted && is_found {
                // A list that has it again is worth more than one that had not.
                assert!(next.standing().is_some() && next.name() != state.name());
            } else if is_part {
                // Of the first order that says nothing.
                assert_eq!(next.name(), state.name());
            } else {
                assert!(is_found, "{state:?} became {next:?}");
                let risen = next.standing().is_some_and(|standing| standing.risen.is_some());
                let works_again = matches!(state, State::Over(End::Cancelled(_) | End::Filled(_)))
                    && !next.is_over();
                let is_alarm = effects == [Effect::Alarm];
                assert_eq!(risen || works_again, is_alarm, "{state:?} became {next:?}");
            }
        }
    }
}

#[test]
fn a_word_that_nobody_knows_is_neither_working_nor_over() {
    let working = State::Working(standing("Submitted"));
    let (state, _) = step(&working, Event::Found(standing("Sleeping")), now()).unwrap();
    assert_eq!(state.name(), "at_broker");
    assert!(!state.is_over());
    for (status, name) in [
        ("Rejected", "rejected"),
        ("Expired", "expired"),
        ("ApiCancelled", "cancelled"),
        ("FILLED", "filled"),
        ("Inactive", "inactive"),
        ("pending_cancel", "working"),
    ] {
        assert_eq!(State::at_broker(standing(status)).name(), name, "{status}");
    }
}

#[test]
fn an_unsent_order_is_not_placed_but_an_unsent_answer_is_in_doubt() {
    assert_eq!(name(&State::Sending, Event::NotSent("x".into())), "not_placed");
    let replying = State::Replying { reply: reply(), round: 1, questions: question() };
    assert_eq!(name(&replying, Event::NotSent("x".into())), "unknown");
}

#[test]
fn what_is_not_found_for_long_is_given_to_a_person_and_may_still_be_found() {
    let (state, effects) = step(&State::Unknown(doubt()), Event::Absent(9), now()).unwrap();
    assert!(matches!(&state, State::Parked(Doubt { looks: 9, .. })));
    assert_eq!(effects, [Effect::Tell]);
    assert_eq!(name(&state, Event::Found(standing("Submitted"))), "working", "even later");
}

#[test]
fn every_state_is_read_back_into_what_it_was_written() {
    for state in every_state() {
        let json = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<State>(&json).unwrap(), state, "{json}");
    }
}
