#![allow(clippy::unwrap_used)]
use super::*;
use crate::orders::guardrails::tests::order as plain;
use crate::orders::intent::tests::placed;
use crate::orders::life::State;
use ibd_cpapi::money::{Price, Quantity};
use ibd_cpapi::orders::Side;
use jiff::SignedDuration;

fn price(text: &str) -> Price {
    Price::new(text.parse().unwrap())
}

fn bracket() -> Order {
    let attached = Attached::Bracket {
        take_profit: Some(price("110")),
        stop_loss: Some(price("95")),
        stop_loss_limit: None,
    };
    Order { attached, tif: Tif::Gtc, ..plain(Side::Buy, "10", Pricing::Limit(price("100"))) }
}

fn part(id: &str, terms: &str, status: &str) -> Part {
    Part {
        status: Some(status.into()),
        terms: Some(terms.to_owned()),
        ..Part::new(id.parse().unwrap())
    }
}

/// A bracket whose first order, take profit and stop loss stand like this.
fn standing(first: &str, filled: &str, profit: &str, stop: &str) -> Standing {
    Standing {
        filled: Some(filled.parse().unwrap()),
        others: vec![part("8", "LMT 110", profit), part("9", "STP 95", stop)],
        ..Standing::new("7".parse().unwrap(), first)
    }
}

fn intent(order: Order, standing: Standing) -> Intent {
    placed(order, State::at_broker(standing))
}

fn warned(intent: &Intent) -> String {
    warnings(intent, Timestamp::now()).join(" ")
}

#[test]
fn a_stop_that_does_not_protect_is_said_whatever_it_is_called() {
    for (first, filled, profit, stop, words) in [
        ("Filled", "10", "Submitted", "PreSubmitted", &[][..]),
        ("Filled", "10", "Submitted", "Cancelled", &["order 9, is Cancelled: what was filled"]),
        ("Filled", "10", "Submitted", "Rejected", &["order 9, is Rejected: what was filled"]),
        ("Filled", "10", "Submitted", "Inactive", &["which IBKR does not work", "was filled"]),
        ("Filled", "10", "Submitted", "Suspended", &["whether it works is not known"]),
        // One of them closed the position.
        ("Filled", "10", "Filled", "Cancelled", &[]),
        ("Filled", "10", "Cancelled", "Filled", &[]),
        // Before the first one is filled, a child that is held is as it should be.
        ("Submitted", "0", "Inactive", "Inactive", &[]),
        ("Submitted", "0", "PreSubmitted", "Cancelled", &["what will be filled stands without it"]),
        ("Submitted", "4", "Submitted", "Cancelled", &["what was filled stands without it"]),
        ("Cancelled", "0", "Cancelled", "Cancelled", &[]),
    ] {
        let said = warned(&intent(bracket(), standing(first, filled, profit, stop)));
        assert_eq!(said.is_empty(), words.is_empty(), "{first} {filled} {profit} {stop}: {said}");
        assert!(words.iter().all(|word| said.contains(word)), "{stop}: {said}");
    }
}

#[test]
fn children_that_are_for_more_than_is_held_are_said() {
    let part_filled = intent(bracket(), standing("Cancelled", "4", "Submitted", "PreSubmitted"));
    let said = warned(&part_filled);
    assert!(said.contains("Only 4 of 10 were filled") && said.contains("10 each"), "{said}");
    let over = intent(bracket(), standing("Cancelled", "4", "Cancelled", "Filled"));
    assert_eq!(warned(&over), "");
    let mut smaller = intent(bracket(), standing("Submitted", "0", "PreSubmitted", "PreSubmitted"));
    let size = Size::Quantity(Quantity::new("3".parse().unwrap()));
    smaller.as_asked = smaller.order.replace(Order { size, ..bracket() }).map(Box::new);
    let said = warned(&smaller);
    assert!(said.contains("It is for 3 now") && said.contains("sent for 10 each"), "{said}");
    assert!(said.contains("quantity 3 (not 10)"), "what was asked for is told as well: {said}");
    let change = of_new_size(&bracket(), Some("8".parse().unwrap())).unwrap();
    assert!(change.contains("10 each") && change.contains("to 8"), "{change}");
    assert_eq!(of_new_size(&bracket(), None), None);
    assert_eq!(of_new_size(&plain(Side::Buy, "1", Pricing::Market), Some(Decimal::TEN)), None);
}

#[test]
fn what_was_so_when_it_was_sent_is_not_told_as_of_now() {
    let order = plain(Side::Sell, "10", Pricing::Stop(price("95")));
    let mut sell = intent(order, Standing::new("7".parse().unwrap(), "PreSubmitted"));
    sell.warnings = vec!["The position is 10.".into(), STOP_ENDS.into()];
    let now = Timestamp::now();
    sell.sent_at = Some(now);
    assert_eq!(warnings(&sell, now), [STOP_ENDS, "The position is 10."]);
    let later = now + SignedDuration::from_secs(60);
    assert_eq!(warnings(&sell, later), [STOP_ENDS, "When it was sent: The position is 10."]);
    let over = Standing::new("7".parse().unwrap(), "Filled");
    sell.state = State::at_broker(over);
    assert_eq!(warnings(&sell, now), ["The position is 10."], "there is no stop that could end");
}

#[test]
fn a_stop_that_ends_with_the_day_is_said_by_how_it_is_now() {
    use Tif::{Day, Gtc};
    let of = |sent: Tif, first: Tif, stop: Option<Tif>, status: &str| {
        let mut standing = standing("Submitted", "0", "PreSubmitted", status);
        standing.others[1].tif = stop;
        let mut intent = intent(Order { tif: first, ..bracket() }, standing);
        if first != sent {
            intent.as_asked = Some(Box::new(Order { tif: sent, ..bracket() }));
        }
        // What was said when it was sent.
        intent.warnings = (sent == Day).then(|| STOP_ENDS.to_owned()).into_iter().collect();
        let said = warnings(&intent, Timestamp::now());
        let differs = said.iter().find(|text| text.contains("stopLoss tif")).cloned();
        (said.iter().filter(|text| *text == STOP_ENDS).count(), differs.is_some())
    };
    for (sent, first, stop, status, expected) in [
        (Gtc, Gtc, None, "PreSubmitted", (0, false)),
        (Gtc, Gtc, Some(Gtc), "PreSubmitted", (0, false)),
        (Gtc, Gtc, Some(Day), "PreSubmitted", (1, true)),
        (Day, Day, None, "PreSubmitted", (1, false)),
        (Day, Day, Some(Day), "PreSubmitted", (1, false)),
        (Day, Day, Some(Gtc), "PreSubmitted", (0, true)),
        // A change of the first one is none of its children.
        (Gtc, Day, None, "PreSubmitted", (0, false)),
        (Day, Gtc, Some(Day), "PreSubmitted", (1, false)),
        // Of a stop that is gone it is said that it is.
        (Day, Day, Some(Day), "Cancelled", (0, false)),
    ] {
        assert_eq!(of(sent, first, stop, status), expected, "{sent:?} {first:?} {stop:?} {status}");
    }
    let mut day = standing("Submitted", "0", "PreSubmitted", "PreSubmitted");
    day.others[1].tif = Some(Day);
    let lines = others(&intent(bracket(), day));
    assert_eq!(lines[1], "stop loss STP 95 DAY, order 9: PreSubmitted");
    // A change alone says it as of then.
    let change = Order {
        attached: Attached::Nothing,
        ..plain(Side::Sell, "10", Pricing::Stop(price("95")))
    };
    assert_eq!(ends_with_day(&change).as_deref(), Some(STOP_ENDS));
    assert_eq!(ends_with_day(&Order { tif: Gtc, ..change }), None);
}

#[test]
fn a_trail_is_told_as_what_was_sent_and_each_child_by_its_role() {
    use ibd_cpapi::orders::TrailingType;
    let trail = crate::orders::asked::Trail { by: "5".parse().unwrap(), of: TrailingType::Percent };
    let order = plain(Side::Sell, "10", Pricing::Trail { trail, stop: None });
    let order = Order { tif: Tif::Gtc, ..order };
    let mut sell = intent(order, Standing::new("7".parse().unwrap(), "Submitted"));
    sell.sent_at = Some(Timestamp::now());
    assert_eq!(warned(&sell), "", "it was sent just now");
    sell.sent_at = Some(Timestamp::now() - SignedDuration::from_secs(60));
    let said = warned(&sell);
    assert!(said.contains("IBKR does not show") && said.contains('5'), "{said}");
    let lines = others(&intent(bracket(), standing("Filled", "10", "Submitted", "Inactive")));
    assert_eq!(
        lines,
        ["take profit LMT 110, order 8: Submitted", "stop loss STP 95, order 9: Inactive"]
    );
}

#[test]
fn a_change_says_what_it_changes() {
    let before = plain(Side::Buy, "10", Pricing::Limit(price("100")));
    let after = plain(Side::Buy, "10", Pricing::Limit(price("90")));
    let text = change("7".parse().unwrap(), &page::differences(&before, &after), &after);
    assert_eq!(text, format!("change order 7 (price 90 (not 100)) to {}", after.shown()));
}
