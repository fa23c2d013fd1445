//! What newer word of an order makes of an intent.

use super::*;
use rust_decimal::Decimal;

#[test]
fn a_cancellation_that_is_seen_again_is_no_news() {
    let over = State::Over(End::Cancelled(standing("Cancelled")));
    let again = Standing { filled: Some(Decimal::ZERO), ..standing("Cancelled") };
    assert_eq!(step(&over, Event::Found(again), now()), None);
    let part = Standing { filled: Some(Decimal::ONE), ..standing("Cancelled") };
    let (next, _) = step(&over, Event::Found(part), now()).unwrap();
    assert!(matches!(next, State::Over(End::Cancelled(s)) if s.filled == Some(Decimal::ONE)));
}

#[test]
fn what_was_told_as_not_placed_and_is_there_is_an_order_of_ours_that_says_so() {
    let refused = State::Over(End::Rejected("Order rejected".into()));
    let (risen, effects) = step(&refused, Event::Found(standing("Submitted")), now()).unwrap();
    assert_eq!((risen.name(), effects), ("came_alive", vec![Effect::Alarm]));
    let told = risen.standing().unwrap().risen.as_deref().unwrap();
    assert!(told.contains("Order rejected"), "{told}");
    let (filled, effects) = step(&risen, Event::Found(standing("Filled")), now()).unwrap();
    assert_eq!((filled.name(), effects), ("filled", vec![Effect::Tell]));
    assert!(filled.standing().unwrap().risen.is_some(), "for ever");
    assert_eq!(step(&refused, Event::Found(standing("Cancelled")), now()), None, "nothing of it");
    let declined = State::Over(End::NotPlaced(NotPlaced::Asked(question())));
    let part = Standing { filled: Some(Decimal::ONE), ..standing("Cancelled") };
    let (state, _) = step(&declined, Event::Shown(part), now()).unwrap();
    assert_eq!(state.name(), "cancelled", "a part of it was filled");
}

#[test]
fn only_its_own_page_brings_an_order_back_from_its_end() {
    let over = State::Over(End::Cancelled(standing("Cancelled")));
    assert_eq!(step(&over, Event::Found(standing("Submitted")), now()), None, "a list is late");
    let (back, effects) = step(&over, Event::Shown(standing("Submitted")), now()).unwrap();
    assert_eq!((back.name(), effects), ("working", vec![Effect::Alarm]));
    // One that it holds and does not work has not ended either.
    let (held, effects) = step(&over, Event::Shown(standing("Inactive")), now()).unwrap();
    assert_eq!((held.is_over(), effects), (false, vec![Effect::Alarm]));
}

#[test]
fn a_fill_that_was_told_and_is_not_so_is_taken_back_by_a_page_that_is_late_enough() {
    let with = |status: &str, filled: i64| Standing {
        filled: Some(Decimal::from(filled)),
        ..standing(status)
    };
    let filled = State::Over(End::Filled(with("Filled", 10)));
    let truth = with("Submitted", 0);
    assert_eq!(step(&filled, Event::Found(truth.clone()), now()), None, "a list is late");
    assert_eq!(step(&filled, Event::Shown(truth.clone()), now()), None, "it may be from before");
    let same = Standing { text: Some("Order Filled".into()), ..with("Filled", 10) };
    assert_eq!(step(&filled, Event::Corrected(same), now()), None, "no news");
    let (back, effects) = step(&filled, Event::Corrected(truth.clone()), now()).unwrap();
    assert_eq!((back.name(), effects), ("working", vec![Effect::Alarm]));
    assert_eq!(back.standing().unwrap().filled, Some(Decimal::ZERO));
    let (ended, _) = step(&filled, Event::Corrected(with("Cancelled", 0)), now()).unwrap();
    assert_eq!(ended.name(), "cancelled");
    let partly = State::Working(with("Submitted", 4));
    assert_eq!(step(&partly, Event::Shown(truth.clone()), now()), None);
    let (none, _) = step(&partly, Event::Corrected(truth), now()).unwrap();
    assert_eq!(none.standing().unwrap().filled, Some(Decimal::ZERO));
}

#[test]
fn the_first_order_of_a_submission_may_turn_out_to_be_another() {
    let known = State::Working(bracket("PreSubmitted", "Submitted", "PreSubmitted"));
    let first = Standing { others: Vec::new(), ..Standing::new("8".parse().unwrap(), "Submitted") };
    let (state, _) = step(&known, Event::Found(first), now()).unwrap();
    let standing = state.standing().unwrap();
    assert_eq!(standing.order_id.get(), 8);
    let others: Vec<u64> = standing.others.iter().map(|part| part.order_id.get()).collect();
    assert_eq!(others, [7, 9], "what was taken for the first one is among the others");
}

#[test]
fn each_order_of_a_bracket_goes_its_own_way() {
    let (stop, profit): (OrderId, OrderId) = ("8".parse().unwrap(), "9".parse().unwrap());
    let entered = State::Working(bracket("Submitted", "PreSubmitted", "PreSubmitted"));
    let found =
        |status: &str, stop: &str, profit: &str| Event::Found(bracket(status, stop, profit));

    let filled = found("Filled", "PreSubmitted", "Submitted");
    let (state, effects) = step(&entered, filled, now()).unwrap();
    assert_eq!((state.name(), effects), ("filled", vec![Effect::Tell]));
    assert!(state.is_over() && state.is_open(), "its children are followed on");

    let stopped = found("Filled", "Filled", "Cancelled");
    let (end, effects) = step(&state, stopped.clone(), now()).unwrap();
    assert_eq!((end.name(), effects), ("filled", vec![Effect::TellPart(stop)]));
    assert!(!end.is_open());
    assert_eq!(step(&end, stopped, now()), None, "told once");

    let alone = found("Filled", "PreSubmitted", "Cancelled");
    let (_, effects) = step(&state, alone, now()).unwrap();
    assert_eq!(effects, [Effect::TellPart(profit)], "nothing here explains it");

    let gone = found("Cancelled", "Cancelled", "Cancelled");
    let (end, effects) = step(&entered, gone, now()).unwrap();
    assert_eq!((end.name(), effects), ("cancelled", vec![Effect::Tell]), "one word for the whole");
}

#[test]
fn the_page_of_a_child_brings_it_back_and_a_later_one_takes_a_fill_back() {
    let stop: OrderId = "8".parse().unwrap();
    let page = |status: &str, filled: i64| Part {
        status: Some(status.into()),
        filled: Some(Decimal::from(filled)),
        ..Part::new(stop)
    };
    let with = |known: Part| State::Over(End::Filled(bracket("Filled", "", "").with_part(known)));
    let back = vec![Effect::AlarmPart(stop)];
    let told = vec![Effect::TellPart(stop)];
    for (known, shown, sight, expected) in [
        (page("Cancelled", 0), page("PreSubmitted", 0), Sight::Late, None),
        (page("Cancelled", 0), page("PreSubmitted", 0), Sight::Now, Some(&back)),
        (page("Filled", 10), page("PreSubmitted", 0), Sight::Now, None),
        (page("Filled", 10), page("PreSubmitted", 0), Sight::Since, Some(&back)),
        (page("Filled", 10), page("Cancelled", 0), Sight::Since, Some(&told)),
        (page("Submitted", 4), page("Submitted", 0), Sight::Since, Some(&told)),
        (page("Submitted", 0), page("Filled", 10), Sight::Now, Some(&told)),
        (page("Unlisted", 0), page("Submitted", 0), Sight::Now, Some(&told)),
    ] {
        let after = step(&with(known.clone()), Event::PartShown(shown.clone(), sight), now());
        assert_eq!(after.as_ref().map(|after| &after.1), expected, "{known:?} {shown:?} {sight:?}");
        if let Some((state, _)) = after {
            assert_eq!(state.standing().unwrap().part(stop), Some(&shown));
        }
    }
}

#[test]
fn what_the_lists_forgot_is_over_if_it_ends_by_itself() {
    let working = State::Working(bracket("Submitted", "PreSubmitted", "Inactive"));
    let (main, stop): (OrderId, OrderId) = ("7".parse().unwrap(), "8".parse().unwrap());
    let (state, effects) = step(&working, Event::Unlisted(main, Term::Over), now()).unwrap();
    assert_eq!((state.name(), effects), ("no_longer_listed", vec![Effect::Tell]));
    let (state, effects) = step(&state, Event::Unlisted(stop, Term::Over), now()).unwrap();
    assert_eq!(effects, [Effect::TellPart(stop)]);
    assert!(state.is_open(), "the other one is still there");
    assert_eq!(step(&state, Event::Unlisted(stop, Term::Over), now()), None);
    let (again, effects) = step(&state, Event::Found(standing("Submitted")), now()).unwrap();
    assert_eq!((again.name(), effects), ("working", vec![Effect::Tell]), "a row has it");
    let late = Standing { filled: Some(Decimal::ONE), ..standing("Unlisted") };
    let (late, effects) = step(&state, Event::Found(late), now()).unwrap();
    assert_eq!((late.name(), effects), ("no_longer_listed", vec![Effect::Tell]), "only a fill");
    assert_eq!(late.standing().unwrap().filled, Some(Decimal::ONE));
    assert_eq!(step(&State::Unknown(doubt()), Event::Unlisted(stop, Term::Over), now()), None);
}

#[test]
fn what_does_not_end_by_itself_is_looked_for_on_until_a_person_knows() {
    let main: OrderId = "7".parse().unwrap();
    let working = State::Working(standing("Submitted"));
    let (missing, effects) = step(&working, Event::Unlisted(main, Term::Open), now()).unwrap();
    assert_eq!((missing.name(), effects), ("missing", vec![Effect::Tell]));
    assert!(missing.is_open());
    assert_eq!(step(&missing, Event::Unlisted(main, Term::Open), now()), None, "told once");
    let (back, effects) = step(&missing, Event::Found(standing("Submitted")), now()).unwrap();
    assert_eq!((&back, effects), (&working, vec![Effect::Tell]));
    assert_eq!(name(&missing, Event::Resolved(None)), "no_longer_listed");
    assert_eq!(step(&working, Event::Resolved(None), now()), None, "it is there");

    let entered = State::Over(End::Filled(bracket("Filled", "PreSubmitted", "PreSubmitted")));
    let stop: OrderId = "8".parse().unwrap();
    let (missing, effects) = step(&entered, Event::Unlisted(stop, Term::Open), now()).unwrap();
    assert_eq!(effects, [Effect::TellPart(stop)]);
    let (resolved, _) = step(&missing, Event::Resolved(None), now()).unwrap();
    assert_eq!(resolved.standing().unwrap().part(stop).unwrap().status, Some(Seen::Unlisted));
    assert!(resolved.is_open(), "the profit is still there");
    let done = State::Over(End::Filled(bracket("Filled", "PreSubmitted", "Filled")));
    let (gone, effects) = step(&done, Event::Unlisted(stop, Term::Open), now()).unwrap();
    assert!(
        !gone.is_open() && effects.is_empty(),
        "it went when the profit was taken: {effects:?}"
    );

    let old = State::Over(End::Unlisted(standing("Submitted")));
    let (back, effects) = step(&old, Event::Found(standing("Submitted")), now()).unwrap();
    assert_eq!((back.name(), effects), ("working", vec![Effect::Tell]), "from an older journal");
}

#[test]
fn a_sparse_update_keeps_what_is_known() {
    let known = Standing { filled: Some(Decimal::ONE), ..standing("Submitted") };
    let (state, _) =
        step(&State::Working(known.clone()), Event::Found(standing("PendingCancel")), now())
            .unwrap();
    assert_eq!(state.standing().unwrap().filled, Some(Decimal::ONE));
    assert_eq!(step(&State::Working(known.clone()), Event::Found(known), now()), None, "no news");
}
