//! What executions say of an order that no list has.

use super::*;
use crate::orders::asked::Leg;
use rust_decimal::Decimal;

#[test]
fn an_order_that_the_list_forgot_is_known_by_its_fills() {
    let intent = intent(Purpose::Place, unknown());
    let fill = |id: &str, size: u32| {
        format!(
            r#"{{"execution_id":"{id}","order_id":7,"order_ref":"{}","size":{size},"price":"100"}}"#,
            intent.client_order_id
        )
    };
    let whole = format!("[{},{}]", fill("a", 4), fill("b", 6));
    let Some(Event::Found(standing)) = evidence("[]", &whole).about(&intent) else {
        unreachable!("it is there")
    };
    assert_eq!((standing.status.as_str(), standing.filled), ("Filled", Some(Decimal::TEN)));
    let part = format!("[{}]", fill("a", 4));
    let Some(Event::Found(standing)) = evidence("[]", &part).about(&intent) else {
        unreachable!("it is there")
    };
    assert_eq!(standing.status.as_str(), "Submitted");
}

#[test]
fn executions_alone_say_nothing_about_the_rest() {
    let fills = r#"[{"execution_id":"a","order_id":7,"size":4,"price":"100"}]"#;
    let known = |status: &str| Standing::new("7".parse().unwrap(), status);
    let found = |state: State| match evidence("[]", fills).about(&intent(Purpose::Place, state)) {
        Some(Event::Found(standing)) => (standing.status.to_string(), standing.filled),
        other => unreachable!("{other:?}"),
    };
    let four = Some(Decimal::from(4));
    let working = State::Working(known("PendingCancel"));
    assert_eq!(found(working), ("PendingCancel".to_owned(), four));
    let over = State::Over(End::Unlisted(known("Unlisted")));
    assert_eq!(found(over), ("Unlisted".to_owned(), four), "it does not come back by them");
    let cancelled = State::Over(End::Cancelled(known("Cancelled")));
    assert_eq!(found(cancelled), ("Cancelled".to_owned(), four));
}

#[test]
fn executions_make_a_known_order_filled_once_the_broker_knows_nothing_else_of_it() {
    let fills = r#"[{"execution_id":"a","order_id":7,"size":10,"price":"100"}]"#;
    let known = Standing::new("7".parse().unwrap(), "Submitted");
    let intent = intent(Purpose::Place, State::Working(known));
    let status = |evidence: Evidence| match evidence.about(&intent) {
        Some(Event::Found(standing)) => standing.status.to_string(),
        other => unreachable!("{other:?}"),
    };
    assert_eq!(
        status(evidence("[]", fills)),
        "Submitted",
        "it may have been made larger elsewhere"
    );
    let absent = vec!["7".parse().unwrap()];
    assert_eq!(status(Evidence { absent, ..evidence("[]", fills) }), "Filled");
}

#[test]
fn executions_of_a_combinations_legs_are_not_what_is_filled_of_it() {
    let mut intent = intent(Purpose::Place, unknown());
    let leg = |conid: &str, ratio, side| Leg::new(conid.parse().unwrap(), ratio, side);
    if let Some(order) = &mut intent.order {
        order.contract.legs = vec![leg("265598", 1, Side::Buy), leg("8314", 2, Side::Sell)];
    }
    let fills = format!(
        r#"[{{"execution_id":"a","order_id":7,"order_ref":"{}","size":10,"price":"100"}}]"#,
        intent.client_order_id
    );
    let Some(Event::Found(standing)) = evidence("[]", &fills).about(&intent) else {
        unreachable!("it is there")
    };
    assert_eq!((standing.status.as_str(), standing.filled), ("Submitted", None));
}

#[test]
fn the_same_execution_counts_once() {
    let mut seen = Evidence::begin(1, None);
    let fills: Vec<Execution> =
        serde_json::from_str(r#"[{"execution_id":"a","size":4},{"execution_id":"a","size":4}]"#)
            .unwrap();
    seen.add_fills(fills.clone());
    seen.add_fills(fills);
    assert_eq!(seen.fills.len(), 1);
}
