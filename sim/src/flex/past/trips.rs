//! Round trips: everything that was opened here is closed again before the simulator starts.

use std::sync::Arc;

use jiff::civil::Date;

use super::event::{Event, Order};
use super::plan::{Draft, exchange};
use crate::flex::days::{between, business_from, each, is_business, plus};
use crate::flex::dec::Dec;
use crate::instruments::{Derivative, Instrument, Right};

/// The shares that come and go within months.
const SHARES: [&str; 23] = [
    "AMZN", "META", "TSLA", "JPM", "BAC", "GS", "JNJ", "PFE", "INTC", "AMD", "ORCL", "BA", "T",
    "SIE", "AIR", "MC", "NOVN", "AZN", "SHEL", "6758", "9988", "TLT", "IWM",
];
/// Those that stay for more than a year.
const KEPT: [&str; 7] = ["GOOGL", "V", "PG", "PEP", "MCD", "XOM", "CVX"];
/// Days that a position lasts: shortest and longest.
const SHORT: (i64, i64) = (1, 20);
const MIDDLE: (i64, i64) = (20, 150);
const LONG: (i64, i64) = (367, 500);

/// Bought and sold, or sold and bought back.
pub(super) fn shares(draft: &mut Draft<'_>) {
    for day in each(draft.plan.first, draft.last()) {
        if is_business(day) && draft.dice.percent(45) {
            let is_kept = draft.dice.percent(25);
            let names: &[&str] = if is_kept { &KEPT } else { &SHARES };
            let symbol = draft.dice.pick(names).copied().unwrap_or("T");
            if let Some(of) = draft.prices.universe().named(symbol, "STK").cloned() {
                share(draft, &Arc::new(of), (day, is_kept));
            }
        }
    }
}

fn share(draft: &mut Draft<'_>, of: &Arc<Instrument>, (day, is_kept): (Date, bool)) {
    let price = of.base.max(1.0);
    let about = (6000.0 / price / f64::from(of.lot)).max(1.0);
    let lots = draft.dice.between(1, about as i64) * i64::from(of.lot);
    let is_short = !is_kept && draft.dice.percent(12);
    let quantity = Dec::whole(if is_short { -lots } else { lots });
    let Some(end) = end(draft, (day, is_kept)) else { return };
    let parts = draft.dice.between(1, 4);
    draft.trade(of, (day, quantity), None, parts);
    let half = quantity.times(Dec::parts(5, 1));
    let middle = business_from(plus(day, between(day, end) / 2));
    // Some are closed in two steps, on different days.
    if draft.dice.percent(30) && half.round(0) == half && of.lot == 1 && middle < end {
        draft.trade(of, (middle, -half), None, 1);
        draft.trade(of, (end, half - quantity), None, 2);
    } else {
        let parts = draft.dice.between(1, 3);
        draft.trade(of, (end, -quantity), None, parts);
    }
}

/// The day on which something that was opened on `day` is closed; `None` if that is too late.
fn end(draft: &mut Draft<'_>, (day, is_kept): (Date, bool)) -> Option<Date> {
    let (low, high) = match draft.dice.percent(60) {
        _ if is_kept => LONG,
        true => SHORT,
        false => MIDDLE,
    };
    let wanted = business_from(plus(day, draft.dice.between(low, high)));
    let soon = business_from(plus(day, 1));
    let found = [wanted, soon].into_iter().find(|end| draft.has(*end));
    found.filter(|end| !is_kept || *end == wanted)
}

/// Options of every month and futures of every quarter, all of them over by now.
pub(super) fn derivatives(draft: &mut Draft<'_>) {
    let mut month = draft.plan.first.first_of_month();
    while month < draft.last() {
        let next = plus(month, 40).first_of_month();
        option(draft, ("AAPL", Right::Call), month, next);
        option(draft, ("SPY", Right::Put), month, next);
        if month.month() % 3 == 1 {
            future(draft, month);
        }
        month = next;
    }
}

fn third_friday(month: Date) -> Date {
    month.nth_weekday_of_month(3, jiff::civil::Weekday::Friday).unwrap_or(month)
}

/// Calls are bought, puts are sold; those without worth at the end expire.
fn option(draft: &mut Draft<'_>, (symbol, right): (&str, Right), month: Date, next: Date) {
    let (open, expiry) = (business_from(plus(month, 4)), third_friday(next));
    if !draft.has(plus(expiry, 1)) {
        return;
    }
    let Some(root) = draft.prices.universe().named(symbol, "STK").cloned() else { return };
    let spot = draft.prices.close(&root, open).float();
    let steps = if right == Right::Call { 1.0 } else { -1.0 };
    let step = root.strike_step.max(1) as f64;
    let strike = ((spot / step).round() + steps * 2.0) * step;
    let number = i64::from(expiry.year() - 2000) * 1200 + i64::from(expiry.month()) * 100;
    let conid = 600_000_000 + root.conid % 1000 * 100_000 + number;
    let option = Some((right, strike));
    let kind = Derivative::on(&root, expiry, option);
    let of = derived(&root, (conid, "OPT", 100.0), kind);
    let size = draft.dice.between(2, 4);
    let quantity = Dec::whole(if right == Right::Call { size } else { -size });
    draft.trade(&of, (open, quantity), None, 2);
    let one = Dec::whole(if right == Right::Call { 1 } else { -1 });
    draft.trade(&of, (business_from(plus(open, 12)), -one), None, 1);
    let at_end = draft.prices.close(&root, expiry).float();
    let is_worthless = if right == Right::Call { at_end < strike } else { at_end > strike };
    if is_worthless {
        expire(draft, &of, expiry, one - quantity);
    } else {
        draft.trade(&of, (expiry, one - quantity), None, 1);
    }
}

/// What expired is booked out for nothing.
fn expire(draft: &mut Draft<'_>, of: &Arc<Instrument>, day: Date, quantity: Dec) {
    let at = draft.prices.clock().moment(day, 58_800);
    let order = draft.order_id();
    let mut fill = draft.fill(of, (order, 0), (at, quantity, Dec::ZERO));
    (fill.commission, fill.exchange, fill.execution) = (Dec::ZERO, "--", String::new());
    let order = Order {
        id: order,
        of: Arc::clone(of),
        kind: "",
        reference: String::new(),
        is_api: false,
        transaction: "BookTrade",
        note: "Ep",
        entered_ms: at,
        fills: vec![fill],
    };
    draft.add(day, Event::Order(order));
}

/// One contract, for some weeks.
fn future(draft: &mut Draft<'_>, month: Date) {
    let expiry = third_friday(plus(month, 70).first_of_month());
    let (open, close) = (business_from(plus(month, 8)), business_from(plus(month, 33)));
    let Some(root) = draft.prices.universe().named("ES", "IND").cloned() else { return };
    if !draft.has(close) {
        return;
    }
    let number = i64::from(expiry.year() - 2000) * 100 + i64::from(expiry.month());
    let derivative = Derivative::on(&root, expiry, None);
    let of = derived(&root, (495_000_000 + number, "FUT", root.multiplier), derivative);
    let quantity = Dec::whole(if draft.dice.percent(70) { 2 } else { -2 });
    draft.trade(&of, (open, quantity), None, 2);
    draft.trade(&of, (close, -quantity), None, 1);
}

/// A contract on something, which no longer trades.
fn derived(
    root: &Instrument,
    (conid, sec_type, multiplier): (i64, &str, f64),
    kind: Derivative,
) -> Arc<Instrument> {
    let tick = if sec_type == "OPT" { 0.01 } else { root.tick };
    Arc::new(Instrument {
        conid,
        sec_type: sec_type.to_owned(),
        class: String::new(),
        multiplier,
        tick,
        options: false,
        futures: String::new(),
        derivative: Some(kind),
        ..root.clone()
    })
}

/// Currencies are changed now and then, with a conversion by the broker among them.
pub(super) fn currencies(draft: &mut Draft<'_>) {
    let pairs: Vec<Instrument> =
        draft.prices.universe().iter().filter(|of| of.is("CASH")).take(2).cloned().collect();
    let mut day = plus(draft.plan.first, 20);
    while draft.has(day) {
        let thousands = draft.dice.between(1, 9) * 1000;
        let quantity = Dec::whole(if draft.dice.percent(50) { thousands } else { -thousands });
        if let Some(of) = draft.dice.pick(&pairs).cloned() {
            currency(draft, &Arc::new(of), business_from(day), quantity);
        }
        day = plus(day, draft.dice.between(15, 60));
    }
}

pub(super) fn currency(draft: &mut Draft<'_>, of: &Arc<Instrument>, day: Date, quantity: Dec) {
    let at = draft.moment(day);
    let order = draft.order_id();
    let price = draft.prices.at(of, day, at);
    let mut fill = draft.fill(of, (order, 0), (at, quantity, price));
    fill.exchange = exchange(of, 0);
    let is_automatic = draft.dice.percent(25);
    let order = Order {
        id: order,
        of: Arc::clone(of),
        kind: if is_automatic { "" } else { "MKT" },
        reference: String::new(),
        is_api: false,
        transaction: "ExchTrade",
        note: if is_automatic { "AFx" } else { "" },
        entered_ms: at,
        fills: vec![fill],
    };
    draft.add(day, Event::Order(order));
}
