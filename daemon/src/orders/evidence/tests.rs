#![allow(clippy::unwrap_used)]

use super::*;
use crate::orders::asked::{Attached, Leg, Pricing};
use crate::orders::change::Change;
use crate::orders::guardrails::tests::order;
use crate::orders::life::{Doubt, End, State};
use ibd_cpapi::money::Price;
use ibd_cpapi::orders::{OrderStatus, Side};
use rust_decimal::Decimal;

fn intent(purpose: Purpose, state: State) -> Intent {
    let order = order(Side::Buy, "10", Pricing::Limit(Price::new("100".parse().unwrap())));
    crate::orders::intent::tests::intent(purpose, order, state)
}

fn modify(change: Change) -> Purpose {
    Purpose::Modify { order_id: "7".parse().unwrap(), of: None, change }
}

fn unknown() -> State {
    State::Unknown(Doubt { cause: "x".into(), since: Timestamp::now(), looks: 0 })
}

fn evidence(rows: &str, fills: &str) -> Evidence {
    Evidence {
        rows: serde_json::from_str(rows).unwrap(),
        fills: serde_json::from_str(fills).unwrap(),
        is_complete: true,
        ..Evidence::begin(1, None)
    }
}

#[test]
fn an_order_is_known_by_the_name_that_we_gave_it() {
    let intent = intent(Purpose::Place, unknown());
    let rows = format!(
        r#"[{{"orderId":7,"status":"Submitted","order_ref":"{0}"}},{{"orderId":8,"parentId":"{0}","status":"PreSubmitted"}},
            {{"orderId":9,"status":"Submitted","order_ref":"mine"}},{{"orderId":10,"parentId":7,"status":"PreSubmitted"}}]"#,
        intent.client_order_id
    );
    let Some(Event::Found(standing)) = evidence(&rows, "[]").about(&intent) else {
        unreachable!("it is there")
    };
    assert_eq!(standing.order_id.get(), 7);
    let others: Vec<u64> = standing.others.iter().map(|part| part.order_id.get()).collect();
    assert_eq!(others, [8, 10], "its children, by either way of naming a parent");
    assert_eq!(evidence("[]", "[]").about(&intent), None);
}

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
    let leg = |conid: &str, ratio, side| Leg {
        conid: conid.parse().unwrap(),
        ratio,
        side,
        symbol: None,
        sec_type: None,
        unit: None,
        negative: false,
    };
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
fn another_order_of_a_group_is_not_taken_for_the_first_one() {
    let intent = intent(Purpose::Place, unknown());
    let rows = format!(
        r#"[{{"orderId":8,"status":"Filled","order_ref":"{}-2"}}]"#,
        intent.client_order_id
    );
    let pushed = Evidence { is_complete: false, ..evidence(&rows, "[]") };
    assert_eq!(pushed.about(&intent), None, "the first one may come with the next frame");
    let Some(Event::Found(standing)) = evidence(&rows, "[]").about(&intent) else {
        unreachable!("its like is there")
    };
    assert_eq!(standing.order_id.get(), 8, "the broker did not take the first one");

    let both = format!(
        r#"[{{"orderId":9,"status":"Submitted","order_ref":"{0}"}},{{"orderId":7,"status":"Filled"}}]"#,
        intent.client_order_id
    );
    let known = State::Working(Standing::new("7".parse().unwrap(), "Submitted"));
    let alone = Intent { state: known, ..intent };
    let first = |intent: &Intent| match evidence(&both, "[]").about(intent) {
        Some(Event::Found(standing)) => standing.order_id.get(),
        other => unreachable!("it is there: {other:?}"),
    };
    assert_eq!(first(&alone), 7, "what came alone is what IBKR said it is");
    let order = alone.order.clone().unwrap();
    let group = Order { attached: Attached::Oca(Vec::new()), ..order };
    let group = Intent { order: Some(group), ..alone };
    assert_eq!(first(&group), 9, "of several the name decides which one is the first");
}

#[test]
fn an_order_that_somebody_entered_under_our_name_does_not_become_ours() {
    let known = State::Working(Standing::new("7".parse().unwrap(), "Submitted"));
    let known = intent(Purpose::Place, known);
    let (own, other) = (named_row(&known, ""), named_row(&known, r#","totalSize":3"#));
    let other = other.replace(r#""orderId":7"#, r#""orderId":9"#);
    let found = |rows: String| match evidence(&rows, "[]").about(&known) {
        Some(Event::Found(standing)) => Some(standing.order_id.get()),
        _ => None,
    };
    assert_eq!(found(format!("[{other},{own}]")), Some(7));
    assert_eq!(found(format!("[{other}]")), None);
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

#[test]
fn a_change_is_done_when_the_order_is_what_was_wanted() {
    let change = intent(modify(Change::default()), unknown());
    let row = |price: &str, tif: &str| {
        format!(
            r#"[{{"orderId":7,"status":"Submitted","side":"BUY","totalSize":10.0,"price":"{price}","origOrderType":"LIMIT"{tif}}}]"#
        )
    };
    let day = r#","timeInForce":"CLOSE""#;
    assert_eq!(evidence(&row("100.00", day), "[]").about(&change), Some(Event::Applied));
    assert_eq!(evidence(&row("101.00", day), "[]").about(&change), None, "not seen is not refused");
    let gtc = r#","timeInForce":"GTC""#;
    assert_eq!(evidence(&row("100.00", gtc), "[]").about(&change), None, "it dies tonight, or not");
    assert_eq!(
        evidence(&row("100.00", ""), "[]").about(&change),
        None,
        "what is not said is not so"
    );
}

#[test]
fn a_cancellation_is_done_when_nothing_works_and_may_be_asked_again_otherwise() {
    let cancel = intent(Purpose::Cancel { order_id: "7".parse().unwrap(), of: None }, unknown());
    let row = |status: &str| format!(r#"[{{"orderId":7,"status":"{status}"}}]"#);
    for (status, expected) in [
        ("Cancelled", Some(Event::Applied)),
        ("Filled", Some(Event::Applied)),
        ("PendingCancel", Some(Event::Applied)),
        ("Submitted", Some(Event::StillThere)),
    ] {
        assert_eq!(evidence(&row(status), "[]").about(&cancel), expected, "{status}");
    }
    let mut glance = evidence(&row("Submitted"), "[]");
    glance.is_complete = false;
    assert_eq!(glance.about(&cancel), None, "one stale list proves nothing");
}

#[test]
fn what_a_change_named_must_be_shown_and_the_rest_may_be_anybodys() {
    let named = |change| intent(modify(change), unknown());
    let row = |extra: &str| {
        format!(
            r#"[{{"orderId":7,"status":"Submitted","side":"BUY","totalSize":3.0,"price":"100.00","origOrderType":"LIMIT","timeInForce":"CLOSE"{extra}}}]"#
        )
    };
    let price = Change { price: Some("100".parse().unwrap()), ..Change::default() };
    let applied = |intent: &Intent, rows: &str| evidence(rows, "[]").about(intent);
    assert_eq!(
        applied(&named(price), &row("")),
        Some(Event::Applied),
        "quantity was changed in TWS"
    );
    let quantity = Change { quantity: Some("10".parse().unwrap()), ..Change::default() };
    assert_eq!(applied(&named(quantity), &row("")), None);
    let hours = Change { outside_rth: Some(true), ..Change::default() };
    assert_eq!(applied(&named(hours.clone()), &row("")), None, "not said");
    let shown = r#","outsideRTH":true"#;
    assert_eq!(applied(&named(hours), &row(shown)), Some(Event::Applied));
}

fn named_row(intent: &Intent, extra: &str) -> String {
    format!(
        r#"{{"orderId":7,"status":"Submitted","order_ref":"{}"{extra}}}"#,
        intent.client_order_id
    )
}

#[test]
fn an_order_under_our_name_that_cannot_be_ours_is_an_alarm_and_no_evidence() {
    let intent = intent(Purpose::Place, unknown());
    for (extra, word) in [
        (r#","account":"DU9""#, "account DU9"),
        (r#","conid":4"#, "contract 4"),
        (r#","side":"SELL""#, "SELL"),
    ] {
        let seen = evidence(&format!("[{}]", named_row(&intent, extra)), "[]");
        assert_eq!(seen.about(&intent), None, "{extra}");
        let alarms = seen.alarms(&intent);
        assert!(alarms.len() == 1 && alarms[0].contains(word), "{alarms:?}");
    }
    let twice =
        format!("[{},{}]", named_row(&intent, ""), named_row(&intent, "").replace(":7,", ":8,"));
    let alarms = evidence(&twice, "[]").alarms(&intent);
    assert!(alarms[0].contains("2 orders under the one name"), "{alarms:?}");
    let child = format!(
        "[{},{}]",
        named_row(&intent, ""),
        named_row(&intent, r#","parentId":7"#).replace("\"orderId\":7", "\"orderId\":8")
    );
    assert!(evidence(&child, "[]").alarms(&intent).len() <= 1);
}

#[test]
fn an_id_says_nothing_through_another_gateway_and_a_name_everything() {
    let through = |gateway: &str| Some(Through { gateway: gateway.into(), login: None });
    let mut intent =
        intent(Purpose::Place, State::Working(Standing::new("7".parse().unwrap(), "Submitted")));
    intent.through = through("the gateway at localhost:5000");
    let rows = r#"[{"orderId":7,"status":"Filled"}]"#;
    let here =
        Evidence { through: through("the gateway at localhost:5000"), ..evidence(rows, "[]") };
    assert!(here.about(&intent).is_some());
    let there = Evidence { through: through("the simulator"), ..evidence(rows, "[]") };
    assert_eq!(there.about(&intent), None);
    let named = format!("[{}]", named_row(&intent, "").replace("Submitted", "Filled"));
    let there = Evidence { through: through("the simulator"), ..evidence(&named, "[]") };
    assert!(there.about(&intent).is_some(), "nobody else has this name");
    // Another order's name under an id of ours.
    let other = r#"[{"orderId":7,"status":"Filled","order_ref":"mine"}]"#;
    assert_eq!(evidence(other, "[]").about(&intent), None);
}

#[test]
fn a_page_brings_word_that_is_never_late_unless_it_contradicts_itself() {
    let intent = intent(
        Purpose::Place,
        State::Over(End::Cancelled(Standing::new("7".parse().unwrap(), "Cancelled"))),
    );
    let page = |json: &str| {
        let mut seen = evidence("[]", "[]");
        seen.pages = vec![Page::of(&serde_json::from_str(json).unwrap())];
        seen.about(&intent)
    };
    let working = r#"{"order_id":7,"order_status":"Submitted","total_size":"10","cum_fill":"0"}"#;
    assert!(matches!(page(working), Some(Event::Shown(_))));
    let odd = r#"{"order_id":7,"order_status":"Submitted","total_size":"10","cum_fill":"10"}"#;
    assert!(matches!(page(odd), Some(Event::Found(_))));
    let other = r#"{"order_id":7,"order_status":"Submitted","side":"S"}"#;
    assert_eq!(page(other), None, "it is another order");
}

#[test]
fn what_is_called_filled_of_which_less_is_filled_leaves_it_as_it_was() {
    let standing = Standing::new("7".parse().unwrap(), "PreSubmitted");
    let intent = intent(Purpose::Place, State::Working(standing));
    let status = |event: Option<Event>| match event {
        Some(Event::Found(standing) | Event::Shown(standing)) => {
            format!("{} {:?}", standing.status, standing.filled.map(|filled| filled.to_string()))
        }
        _ => "nothing".to_owned(),
    };
    let row = |quantities: &str| {
        let name = &intent.client_order_id;
        let row =
            format!(r#"[{{"orderId":7,"order_ref":"{name}","status":"Filled"{quantities}}}]"#);
        status(evidence(&row, "[]").about(&intent))
    };
    assert_eq!(row(r#","totalSize":10,"filledQuantity":0"#), "PreSubmitted None");
    assert_eq!(row(r#","totalSize":10,"filledQuantity":7"#), "PreSubmitted None", "nor the number");
    assert_eq!(row(r#","totalSize":10,"filledQuantity":10"#), r#"Filled Some("10")"#);
    assert_eq!(row(""), "Filled None");
    let page = |filled: &str| {
        let json = format!(
            r#"{{"order_id":7,"order_status":"Filled","total_size":"10","cum_fill":"{filled}"}}"#
        );
        let mut seen = evidence("[]", "[]");
        seen.pages = vec![Page::of(&serde_json::from_str(&json).unwrap())];
        status(seen.about(&intent))
    };
    assert_eq!((page("0").as_str(), page("10").as_str()), ("nothing", r#"Filled Some("10")"#));
}

#[test]
fn a_page_under_the_name_of_what_was_not_placed_is_word_of_it() {
    let intent = intent(Purpose::Place, State::Over(End::Rejected("no".into())));
    let seen = |extra: &str| {
        let page = format!(
            r#"{{"order_id":7,"order_status":"Submitted","order_ref":"{}"{extra}}}"#,
            intent.client_order_id
        );
        let page = Page::of(&serde_json::from_str::<OrderStatus>(&page).unwrap());
        Evidence { pages: vec![page], ..Evidence::begin(1, None) }.about(&intent)
    };
    let Some(Event::Found(standing)) = seen("") else { unreachable!("it is there") };
    assert_eq!((standing.order_id.get(), standing.status.as_str()), (7, "Submitted"));
    assert_eq!(seen(r#","side":"S""#), None, "an order of the other side is another one");
    assert_eq!(seen(r#","account":"DU9""#), None);
}
