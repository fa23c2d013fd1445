//! Dividends, interest, fees, deposits and withdrawals.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use super::Opening;
use super::event::{Dividend, Event, Movement, MovementKind};
use super::plan::Draft;
use crate::flex::days::{business_from, plus};
use crate::flex::dec::Dec;

/// Symbol, hundredths of the currency per share, first month, months between.
const DIVIDENDS: [(&str, i64, i8, i8); 20] = [
    ("AAPL", 26, 2, 3),
    ("MSFT", 83, 2, 3),
    ("IBM", 168, 2, 3),
    ("SPY", 178, 3, 3),
    ("F", 15, 2, 3),
    ("KO", 51, 3, 3),
    ("JNJ", 130, 2, 3),
    ("JPM", 140, 1, 3),
    ("XOM", 99, 2, 3),
    ("T", 28, 1, 3),
    ("PFE", 43, 1, 3),
    ("WMT", 24, 3, 3),
    ("TLT", 30, 1, 1),
    ("SAP", 235, 5, 12),
    ("ASML", 160, 2, 3),
    ("NESN", 305, 4, 12),
    ("VOD", 2, 6, 6),
    ("7203", 4500, 3, 6),
    ("700", 450, 5, 12),
    ("SHEL", 27, 2, 3),
];

/// Thousandths of a per cent that a country withholds.
fn withheld(country: &str) -> Dec {
    let thousandths = match country {
        "US" | "NL" => 15_000,
        "DE" => 26_375,
        "CH" => 35_000,
        "FR" => 25_000,
        "JP" => 15_315,
        _ => 0,
    };
    Dec::parts(thousandths, 5)
}

/// Everything that is paid without being traded.
pub(super) fn all(draft: &mut Draft<'_>) {
    let mut month = draft.plan.first.first_of_month();
    while month < draft.plan.start {
        dividends(draft, month);
        fees(draft, month);
        let day = business_from(plus(month, 3));
        let at = draft.prices.clock().moment(day, 73_200);
        draft.add(day, Event::Interest { at });
        month = plus(month, 40).first_of_month();
    }
}

fn dividends(draft: &mut Draft<'_>, month: Date) {
    for (symbol, hundredths, first, every) in DIVIDENDS {
        let is_due = month.month() >= first && (month.month() - first) % every == 0;
        let found = draft.prices.universe().named(symbol, "STK").cloned();
        let Some(of) = found.filter(|_| is_due) else { continue };
        let ex = business_from(plus(month, draft.dice.between(7, 12)));
        let pay = business_from(plus(ex, draft.dice.between(12, 28)));
        if !draft.has(pay) {
            continue;
        }
        let dividend = Arc::new(Dividend {
            number: draft.trade_id(),
            tax: withheld(&of.country),
            of: Arc::new(of),
            per_share: Dec::parts(hundredths, 2),
            ex,
            pay,
            paid_ms: draft.prices.clock().moment(pay, 73_200),
        });
        draft.add(ex, Event::Ex(Arc::clone(&dividend)));
        draft.add(pay, Event::Pay(dividend));
    }
}

fn fees(draft: &mut Draft<'_>, month: Date) {
    let day = business_from(plus(month, 2));
    let name = month.strftime("%b %Y").to_string().to_uppercase();
    let (text, amount) = match month.month() % 3 {
        0 => (format!("P*****67:OPRA NP L1 FOR {name}"), Dec::parts(-150, 2)),
        1 => (
            format!("P*****67:US SECURITIES SNAPSHOT & FUTURES VALUE BUNDLE FOR {name}"),
            Dec::whole(-10),
        ),
        _ => (format!("E*****67:\"GLOBAL <SNAPSHOT>\" FOR {name}"), Dec::parts(-3, 2)),
    };
    let currency = draft.prices.base().to_owned();
    movement(draft, day, (MovementKind::Fee, &currency, amount), &text);
    // Money is put in once a year and taken out twice; what comes and what goes are not the same, so that no
    // year's return is its change in value.
    let (kind, amount, text) = match month.month() {
        3 => (MovementKind::Deposit, 2530, "CASH RECEIPTS / ELECTRONIC FUND TRANSFERS"),
        6 => (MovementKind::Withdrawal, -1560, "DISBURSEMENT INITIATED BY Sim Person"),
        12 => (MovementKind::Withdrawal, -1620, "DISBURSEMENT INITIATED BY Sim Person"),
        _ => return,
    };
    movement(draft, plus(day, 7), (kind, &currency, Dec::whole(amount)), text);
}

/// Money comes or goes on this day or the next open one.
pub(super) fn movement(
    draft: &mut Draft<'_>,
    day: Date,
    (kind, currency, amount): (MovementKind, &str, Dec),
    text: &str,
) {
    let day = business_from(day);
    // Before anything is traded.
    let at_ms = draft.prices.clock().moment(day, 3600);
    let (currency, text) = (currency.to_owned(), text.to_owned());
    draft.add(day, Event::Movement(Movement { kind, currency, amount, text, at_ms }));
}

/// Interest per day, as if the account had always had the cash that it has.
pub(super) fn daily(opening: &Opening) -> BTreeMap<String, Dec> {
    let daily = opening.cash.iter().map(|(currency, cash)| {
        let yearly = if cash.is_negative() { Dec::parts(58, 3) } else { Dec::parts(21, 3) };
        (currency.clone(), cash.times(yearly).over(Dec::whole(360), 4))
    });
    daily.filter(|(_, amount)| !amount.is_zero()).collect()
}
