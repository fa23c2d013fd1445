#![allow(clippy::unwrap_used)]

#[path = "tests/changes.rs"]
mod changes;
#[path = "tests/fills.rs"]
mod fills;

use super::*;
use crate::orders::asked::{Attached, Pricing};
use crate::orders::change::Change;
use crate::orders::guardrails::tests::order;
use crate::orders::life::{Doubt, End, State};
use ibd_cpapi::money::Price;
use ibd_cpapi::orders::{OrderStatus, Side};

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
fn what_is_called_filled_of_which_less_is_filled_leaves_it_into_what_it_was() {
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
