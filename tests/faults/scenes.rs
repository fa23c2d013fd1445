//! Runs that are about one thing: chance alone seldom brings its parts together at the right moment. The daemons of
//! a scene die as in any other run, a little later.

use serde_json::json;

use crate::dice::Dice;
use crate::moves::{Act, At, Deed, Vanishing};
use crate::plan::{ACCOUNTS, Broker, End, HELD, Kind, Manner, Plan, Then, Wish};

/// AAPL.
pub const CONID: u64 = 265_598;

/// Every scene, by its name.
pub const NAMES: [&str; 12] = [
    "squeezed",
    "reworded",
    "touched",
    "refused-and-there",
    "other-row-first",
    "declined-and-alive",
    "namesake",
    "glimpsed",
    "unheard",
    "vanished",
    "pence",
    "closing",
];

/// Makes a scene of a run.
pub fn set(name: &str, dice: &mut Dice, plan: &mut Plan) {
    (plan.approves, plan.freeze, plan.session) = (false, None, None);
    (plan.broker, plan.deeds) = (Broker::default(), Vec::new());
    for life in &mut plan.lives {
        life.disk = None;
        if let End::Kill(millis) = &mut life.end {
            *millis += 500;
        }
    }
    match name {
        "squeezed" => squeezed(plan),
        "reworded" => reworded(plan),
        "touched" => touched(dice, plan),
        "refused-and-there" => refused_and_there(dice, plan),
        "other-row-first" => other_row_first(dice, plan),
        "declined-and-alive" => declined_and_alive(dice, plan),
        "namesake" => namesake(dice, plan),
        "glimpsed" => glimpsed(dice, plan),
        "vanished" => vanished(dice, plan),
        "pence" => pence(dice, plan),
        "closing" => closing(dice, plan),
        _ => unheard(dice, plan),
    }
}

/// The lane is taken while the market rises: what waits for it is worth more when it is sent than when it was
/// asked for, and more than what goes without a person.
fn squeezed(plan: &mut Plan) {
    plan.above = Some(5_000);
    let hangs = json!({ "match": "/orders", "method": "POST", "mode": "accept_hang" });
    plan.broker.faults = vec![hangs];
    let waiting = |number| Wish { kind: Kind::Market, waits: true, ..plain(number, 11 + number) };
    plan.wishes = vec![plain(0, 11), waiting(1), waiting(2)];
    plan.lives.truncate(1);
    for life in &mut plan.lives {
        (life.end, life.clock, life.jump) = (End::Kill(3_000), 0, None);
    }
    plan.deeds = vec![Deed { at: At::Order(150), act: Act::Jump { conid: CONID, last: 800 } }];
}

/// A question is agreed to, and asked again in other words.
fn reworded(plan: &mut Plan) {
    let other = json!([{
        "id": "07a13a5a-4a48-44a5-bb25-5ab37b79186c",
        "message": ["All of it at any price?"],
        "isSuppressed": false,
        "messageIds": ["o999"],
    }]);
    plan.broker.faults = vec![json!({
        "match": "/orders", "method": "POST", "mode": "status", "status": 200, "body": other, "skip": 1,
    })];
    plan.broker.scripts = vec![json!({ "questions": ["o999"], "then": "rest" })];
    plan.wishes = vec![Wish { then: Then::Confirm(true), ..plain(0, 11) }];
    linger(plan);
}

/// A person changes an order at TWS, and a client something else of it.
fn touched(dice: &mut Dice, plan: &mut Plan) {
    let terms = ["quantity", "price", "tif"];
    let at = dice.between(0, 2) as usize;
    plan.wishes = vec![Wish {
        then: Then::Modify(terms[at]),
        pause: dice.between(60, 300),
        looks: dice.percent(50),
        ..plain(0, 11)
    }];
    let other = terms[(at + dice.between(1, 2) as usize) % 3];
    plan.deeds = vec![Deed { at: At::Order(dice.between(0, 50)), act: Act::Change(other) }];
    plan.broker.scripts = vec![json!({ "questions": [], "then": "rest" })];
    linger(plan);
}

/// The broker takes an order and answers with an error; whoever hears "not placed" asks again.
fn refused_and_there(dice: &mut Dice, plan: &mut Plan) {
    let texts = ["Order rejected", "parent accepted, child rejected", "Request timeout"];
    let script = json!({ "questions": [], "then": "rest", "error": dice.pick(&texts) });
    plan.broker.scripts = vec![script];
    plan.wishes = vec![Wish { manner: Manner::Blind, ..plain(0, 11) }];
    linger(plan);
}

/// The rows of a bracket come in another order than its tickets.
fn other_row_first(dice: &mut Dice, plan: &mut Plan) {
    plan.broker.chaos = Some(json!({ "seed": 1, "noLocalIds": dice.pick(&[0.0, 1.0]) }));
    plan.broker.scripts = vec![json!({ "questions": [], "then": "rest", "rows": "reversed" })];
    let then = dice.pick(&[Then::Cancel, Then::CancelById, Then::Modify("price"), Then::Nothing]);
    plan.wishes = vec![Wish { kind: Kind::Bracket, then, looks: true, ..plain(0, 11) }];
    linger(plan);
}

/// A question is declined, the order goes live all the same, and a client says yes.
fn declined_and_alive(dice: &mut Dice, plan: &mut Plan) {
    let script = json!({ "questions": ["o999"], "then": "rest", "declinedRises": true });
    plan.broker.scripts = vec![script];
    let then =
        dice.pick(&[Then::Confirm(true), Then::ConfirmTwice, Then::ConfirmOn, Then::Nothing]);
    plan.wishes = vec![Wish { then, pause: dice.between(0, 300), ..plain(0, 11) }];
    linger(plan);
}

/// A person at TWS enters an order under the name of ours.
fn namesake(dice: &mut Dice, plan: &mut Plan) {
    let then = dice.pick(&[Then::Cancel, Then::Modify("price"), Then::Nothing]);
    plan.wishes = vec![Wish { then, pause: dice.between(50, 300), looks: true, ..plain(0, 11) }];
    let act = Act::EnterAsOurs { hides: dice.pick(&[0, 300, 600]) };
    plan.deeds = vec![Deed { at: At::Order(0), act }];
    plan.broker.scripts = vec![json!({ "questions": [], "then": "rest" })];
    if dice.percent(60) {
        // What was answered is lost: the order is looked for by its name.
        let lost = json!({ "match": "/orders", "method": "POST", "mode": "accept_drop" });
        plan.broker.faults = vec![lost];
    }
    linger(plan);
}

/// An order is pushed as filled, which it is not.
fn glimpsed(dice: &mut Dice, plan: &mut Plan) {
    plan.wishes = vec![Wish { looks: true, pause: dice.between(0, 100), ..plain(0, 11) }];
    plan.deeds = vec![Deed { at: At::Order(dice.between(5, 80)), act: Act::Glimpse }];
    plan.broker.scripts = vec![json!({ "questions": [], "then": "rest" })];
    linger(plan);
}

/// The broker acknowledges a change or an end, and does nothing.
fn unheard(dice: &mut Dice, plan: &mut Plan) {
    let (next, then) = if dice.percent(70) {
        (json!({ "change": "ignore" }), dice.pick(&["quantity", "price", "tif"]))
    } else {
        (json!({ "cancel": "ignore" }), "")
    };
    let then = if then.is_empty() { Then::Cancel } else { Then::Modify(then) };
    plan.wishes = vec![Wish { then, looks: true, ..plain(0, 11) }];
    plan.deeds = vec![Deed { at: At::Start(0), act: Act::Next(next) }];
    plan.broker.scripts = vec![json!({ "questions": [], "then": "rest" })];
    linger(plan);
}

/// The journal's folder is moved away or removed, between two daemons or under one; clients go on.
fn vanished(dice: &mut Dice, plan: &mut Plan) {
    let is_moved = dice.percent(50);
    plan.vanishing = Some(if dice.percent(50) {
        Vanishing::Between { is_moved }
    } else {
        Vanishing::Under { is_moved, millis: dice.between(200, 900) }
    });
    plan.wishes = (0..4)
        .map(|number| Wish {
            at: dice.between(0, 1_500),
            manner: dice.pick(&[Manner::Blind, Manner::Steady, Manner::Both]),
            looks: false,
            ..plain(number, 11 + 10 * number)
        })
        .collect();
    linger(plan);
    for life in &mut plan.lives {
        (life.clock, life.jump) = (0, None);
    }
}

/// Prices are in hundredths: of four orders two are worth what an order may be, and two are worth more.
fn pence(dice: &mut Dice, plan: &mut Plan) {
    (plan.magnifier, plan.max_value) = (Some(100), Some(100));
    let order = |number| {
        let quantity = if number % 2 == 0 { 11 + 10 * number } else { 101 + 10 * number };
        let manner = dice.pick(&[Manner::Blind, Manner::Steady]);
        Wish { at: dice.between(0, 300), manner, ..plain(number, quantity) }
    };
    plan.wishes = (0..4).map(order).collect();
    plan.broker.scripts = vec![json!({ "questions": [], "then": "rest" }); 4];
    linger(plan);
}

/// The lane is taken while a person sells a part: what closes the position and waits for the lane is for the rest.
fn closing(dice: &mut Dice, plan: &mut Plan) {
    let hangs = json!({ "match": "/orders", "method": "POST", "mode": "accept_hang" });
    plan.broker.faults = vec![hangs];
    plan.broker.scripts = vec![json!({ "questions": [], "then": "rest" })];
    let manner = dice.pick(&[Manner::Steady, Manner::Blind, Manner::Echo]);
    let close = Wish { kind: Kind::Close, waits: true, manner, ..plain(1, 1) };
    plan.wishes = vec![plain(0, 11), close];
    let sold = dice.between(1, HELD as u64 - 1);
    plan.deeds = vec![Deed { at: At::Order(dice.between(100, 200)), act: Act::Sell(sold) }];
    linger(plan);
}

/// The first daemon lives until what the scene is about has happened.
fn linger(plan: &mut Plan) {
    if let Some(first) = plan.lives.first_mut() {
        first.end = End::Kill(1_500);
        (first.clock, first.jump) = (0, None);
    }
}

/// A limit far below the market, and nothing remarkable.
fn plain(number: u64, quantity: u64) -> Wish {
    Wish {
        number,
        at: 0,
        account: ACCOUNTS[0],
        symbol: "AAPL",
        side: "BUY",
        kind: Kind::Limit,
        price: "200.00",
        quantity,
        manner: Manner::Steady,
        then: Then::Nothing,
        pause: 0,
        looks: false,
        waits: false,
    }
}
