#![allow(clippy::unwrap_used)]

use super::*;
use crate::orders::asked::Pricing;
use crate::orders::change::Change;
use crate::orders::clock::Boot;
use crate::orders::guardrails::tests::order;
use crate::orders::intent::tests::placed;
use crate::orders::life::{Doubt, NotPlaced};
use crate::orders::standing::{Part, Standing};
use ibd_cpapi::money::Price;
use ibd_cpapi::orders::Side;
use ibd_protocol::ReasonCode;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_446_000 + seconds).unwrap()
}

/// The machine was started some time before.
fn boot(seconds: i64) -> Option<Boot> {
    let millis = u64::try_from(1_000_000 + seconds * 1_000).unwrap();
    Some(Boot { id: "b".into(), millis })
}

fn now(seconds: i64) -> Now {
    Now { wall: at(seconds), steady: Instant::now(), boot: boot(seconds) }
}

fn limit(price: &str) -> Order {
    order(Side::Buy, "10", Pricing::Limit(Price::new(price.parse().unwrap())))
}

fn intent(key: &str, order: Order, state: State) -> Intent {
    let mut intent = placed(order, state);
    intent.origin.key = key.into();
    (intent.created_at, intent.since, intent.known_at) = (at(0), at(0), Some(at(0)));
    intent.born = None;
    intent.boot = boot(0);
    intent
}

fn working() -> State {
    State::Working(Standing {
        others: vec![Part::new("8".parse().unwrap())],
        ..Standing::new("7".parse().unwrap(), "Submitted")
    })
}

fn book(intents: &[&Intent]) -> Book {
    let mut book = Book::default();
    for intent in intents {
        book.apply(Record::Intent(Box::new((*intent).clone())), at(0));
    }
    book
}

const WINDOW: Duration = Duration::from_secs(120);

fn alike(book: &Book, order: &Order, seconds: i64) -> Option<bool> {
    book.alike(order, WINDOW, &now(seconds)).map(|(_, in_doubt)| in_doubt)
}

fn filled() -> State {
    State::Over(End::Filled(Standing::new("7".parse().unwrap(), "Filled")))
}

#[test]
fn an_alike_order_is_held_as_long_as_the_first_one_may_be_filled_and_a_while_after() {
    let placed = book(&[&intent("a", limit("100"), working())]);
    assert_eq!(alike(&placed, &limit("100.9"), 119), Some(false), "price within one percent");
    assert_eq!(alike(&placed, &limit("102"), 10), None);
    assert_eq!(alike(&placed, &limit("100"), 86_400), Some(false), "it still works");
    let missing = State::Working(Standing::new("7".parse().unwrap(), "Missing"));
    let lost = book(&[&intent("a", limit("100"), missing)]);
    assert_eq!(alike(&lost, &limit("100"), 86_400), Some(false), "the lists lost it");
    let over = book(&[&intent("a", limit("100"), filled())]);
    assert_eq!(alike(&over, &limit("100"), 119), Some(false));
    assert_eq!(alike(&over, &limit("100"), 121), None);
    assert_eq!(alike(&over, &limit("100"), -50), Some(false), "a clock that was set back");
    let mut sell = limit("100");
    sell.side = Side::Sell;
    assert_eq!(alike(&placed, &sell, 10), None);
    let doubt = Doubt { cause: "x".into(), since: at(0), looks: 0 };
    for state in [State::Sending, State::Unknown(doubt.clone()), State::Parked(doubt)] {
        let unsure = book(&[&intent("a", limit("100"), state)]);
        assert_eq!(alike(&unsure, &limit("100"), 100_000), Some(true));
    }
}

#[test]
fn what_is_in_doubt_for_the_same_contract_and_side_is_named_whatever_its_terms() {
    let doubt = Doubt { cause: "x".into(), since: at(0), looks: 0 };
    let unsure = book(&[&intent("a", limit("100"), State::Unknown(doubt))]);
    let market = |side| order(side, "7", Pricing::Market);
    assert_eq!(alike(&unsure, &market(Side::Buy), 10), None, "it is no second one of it");
    assert_eq!(unsure.in_doubt_beside(&market(Side::Buy)).len(), 1);
    assert!(unsure.in_doubt_beside(&market(Side::Sell)).is_empty());
    let known = book(&[&intent("a", limit("100"), working())]);
    assert!(known.in_doubt_beside(&market(Side::Buy)).is_empty());
}

#[test]
fn an_order_that_was_changed_since_holds_its_like_into_what_it_was_asked_for_and_as_it_is() {
    let first = intent("a", limit("100"), working());
    let mut changed = book(&[&first]);
    for price in ["120", "140"] {
        let order = Box::new(limit(price));
        changed.apply(Record::Amended { id: first.id, text: order.shown(), order }, at(1));
    }
    assert_eq!(alike(&changed, &limit("100"), 10), Some(false), "asked for so");
    assert_eq!(alike(&changed, &limit("140"), 10), Some(false), "works so");
    assert_eq!(alike(&changed, &limit("120"), 10), None);
}

#[test]
fn the_last_change_that_was_taken_is_known_as_long_as_its_order_works() {
    let first = intent("a", limit("100"), working());
    let change = |key: &str, order_id: &str, sent: i64, state| {
        let order_id = order_id.parse().unwrap();
        let purpose = Purpose::Modify { order_id, of: Some(first.id), change: Change::default() };
        let mut change = intent(key, limit("99"), state);
        (change.purpose, change.sent_at) = (purpose, Some(at(sent)));
        change
    };
    let done = || State::Over(End::Done);
    let changes = [
        change("b", "7", 1, done()),
        change("c", "7", 3, State::Over(End::Requested)),
        change("d", "7", 2, done()),
        change("e", "7", 4, State::Over(End::NotTaken)),
        change("f", "8", 5, done()),
    ];
    let mut book = book(&[&first, &changes[0], &changes[1], &changes[2], &changes[3], &changes[4]]);
    let last = |book: &Book, order_id: &str| {
        book.last_change(order_id.parse().unwrap()).map(|change| change.origin.key.clone())
    };
    assert_eq!(last(&book, "7").as_deref(), Some("c"));
    assert_eq!(last(&book, "8").as_deref(), Some("f"), "each of a submission has its own");
    assert_eq!(last(&book, "9"), None);
    book.tidy(at(400 * 86_400));
    assert_eq!(last(&book, "7").as_deref(), Some("c"), "what works is not forgotten");
}

#[test]
fn an_order_that_was_given_up_at_a_question_is_looked_for_before_its_like_goes() {
    let asked = State::Over(End::NotPlaced(NotPlaced::Asked(Vec::new())));
    let first = intent("a", limit("100"), asked);
    let book = book(&[&first, &intent("b", limit("100"), State::Ready)]);
    assert_eq!(book.declined_like(&limit("100.5"), WINDOW, &now(60)), [first.id]);
    assert!(book.declined_like(&limit("100.5"), WINDOW, &now(121)).is_empty());
    assert!(book.declined_like(&limit("150"), WINDOW, &now(1)).is_empty());
}

#[test]
fn a_clock_that_jumps_ahead_lets_nothing_through_over_a_restart_either() {
    let mut recent = intent("a", limit("100"), filled());
    recent.born = None;
    recent.sent_at = Some(at(0));
    let book = book(&[&recent]);
    // A day by the clock on the wall, ten seconds by the machine's.
    let jumped = Now { wall: at(86_400), steady: Instant::now(), boot: boot(10) };
    assert!(book.alike(&limit("100"), WINDOW, &jumped).is_some());
    assert_eq!(book.counts(&jumped), Counts { minute: 1, day: 1 });
    let restarted = Boot { id: "another".into(), millis: 5 };
    let other = Now { boot: Some(restarted), ..jumped };
    assert!(book.alike(&limit("100"), WINDOW, &other).is_none(), "the wall alone is left");
}

#[test]
fn what_was_never_placed_holds_nothing() {
    for state in [
        State::Denied(crate::orders::guardrails::Denial::new(ReasonCode::Internal, "x", "x")),
        State::Over(End::Rejected("no".into())),
        State::Over(End::NotPlaced(NotPlaced::Expired)),
    ] {
        assert_eq!(alike(&book(&[&intent("a", limit("100"), state)]), &limit("100"), 1), None);
    }
}

#[test]
fn a_request_is_known_by_its_key_and_an_order_by_the_brokers_ids() {
    let one = intent("a", limit("100"), working());
    let book = book(&[&one]);
    assert_eq!(book.by_key("a").unwrap().id, one.id);
    assert_eq!(book.by_order("8".parse().unwrap()).unwrap().id, one.id);
    assert!(book.by_key("b").is_none());
}

#[test]
fn of_several_tries_the_one_that_is_at_the_broker_says_how_it_stands() {
    let gone = || State::Over(End::NotPlaced(NotPlaced::Expired));
    for (first, second, is_sent, expected) in [
        (gone(), State::Ready, false, 2),
        (gone(), working(), true, 2),
        // The first came alive before the second was sent.
        (working(), State::Ready, false, 1),
        (working(), gone(), false, 1),
        // Where the second may be at the broker, it is what must be known.
        (working(), State::Sending, true, 2),
        (working(), working(), true, 2),
    ] {
        let told = format!("{first:?} {second:?}");
        let one = intent("a", limit("100"), first);
        let mut two = intent("a", limit("100"), second);
        two.follows = Some(one.id);
        two.sent_at = is_sent.then(|| at(1));
        let book = book(&[&one, &two]);
        let expected = if expected == 1 { one.id } else { two.id };
        assert_eq!(book.latest(one.id).unwrap().id, expected, "{told}");
    }
}

#[test]
fn rejects_in_a_row_are_counted_up_to_the_last_good_one() {
    let ended = |key: &str, sent: i64, state: State| {
        let mut intent = intent(key, limit("100"), state);
        intent.sent_at = Some(at(sent));
        intent
    };
    let no = || State::Over(End::Rejected("no".into()));
    let (a, b, c) = (ended("a", 1, no()), ended("b", 2, working()), ended("c", 3, no()));
    let mut book = book(&[&a, &b, &c]);
    assert_eq!(book.rejects(), 1);
    book.apply(Record::Intent(Box::new(ended("d", 4, no()))), at(4));
    assert_eq!(book.rejects(), 2);
    book.apply(Record::Unfrozen { by: "a person".into() }, at(5));
    assert_eq!(book.rejects(), 0, "a person has let it go on");
}

#[test]
fn orders_are_counted_by_minute_and_by_new_yorks_day() {
    let mut sent = intent("a", limit("100"), working());
    sent.sent_at = Some(at(0));
    let book = book(&[&sent]);
    assert_eq!(book.counts(&now(30)), Counts { minute: 1, day: 1 });
    assert_eq!(book.counts(&now(90)), Counts { minute: 0, day: 1 });
    assert_eq!(book.counts(&now(2 * 86_400)), Counts { minute: 0, day: 0 });
}

#[test]
fn what_is_over_for_a_month_is_forgotten_and_nothing_else() {
    let mut book = book(&[
        &intent("a", limit("100"), State::Over(End::Done)),
        &intent(
            "b",
            limit("100"),
            State::Parked(Doubt { cause: "x".into(), since: at(0), looks: 2 }),
        ),
    ]);
    book.tidy(at(40 * 86_400));
    assert!(book.by_key("a").is_none());
    assert!(book.by_key("b").is_some());
}

#[test]
fn freezing_is_remembered() {
    let mut book = Book::default();
    book.apply(Record::Frozen { by: "a person".into() }, at(0));
    assert_eq!(book.frozen(), Some("a person"));
    book.apply(Record::Unfrozen { by: "a person".into() }, at(1));
    assert_eq!(book.frozen(), None);
}

#[test]
fn what_waits_for_a_yes_follows_its_first_try() {
    let declined = State::Over(End::NotPlaced(NotPlaced::Expired));
    let first = intent("a", limit("100"), declined);
    let mut follower = intent("b", limit("100"), State::Ready);
    follower.follows = Some(first.id);
    let mut book = book(&[&first]);
    assert_eq!(book.follower(first.id), None);
    book.apply(Record::Intent(Box::new(follower.clone())), at(0));
    assert_eq!(book.follower(first.id), Some(follower.id));
}

#[test]
fn an_approval_is_known_by_its_name_after_it_was_answered() {
    let approval = crate::orders::life::tests::every_state()
        .into_iter()
        .find(|state| matches!(state, State::Awaiting(_)))
        .unwrap();
    let asked = intent("a", limit("100"), approval);
    let mut book = book(&[&asked]);
    let became = |state| Record::Became {
        id: asked.id,
        state: Box::new(state),
        sent_at: None,
        through: None,
        boot: None,
        by: "a person".into(),
    };
    book.apply(became(State::Ready), at(1));
    book.apply(became(working()), at(2));
    let past = book.by_past_approval("7f3k").unwrap();
    assert!(past.id == asked.id && past.had_yes);
}

#[test]
fn a_request_with_a_name_is_known_for_ever() {
    let mut named = intent("request/claude/place_order/monday", limit("100"), filled());
    named.since = at(0);
    let mut book = book(&[&named]);
    book.tidy(at(400 * 86_400));
    assert!(book.by_key("request/claude/place_order/monday").is_some());
}

#[test]
fn what_waits_holds_its_like_however_long_it_waits() {
    let waits = book(&[&intent("a", limit("100"), State::Ready)]);
    assert_eq!(alike(&waits, &limit("100"), 100_000), Some(false));
}
