//! Deposits and conversions, so that the cash ends up at what the account had.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::event::MovementKind;
use super::payments::movement;
use super::plan::Draft;
use super::trips::currency;
use crate::flex::days::{business_from, plus};
use crate::flex::dec::Dec;
use crate::flex::ledger::Ledger;
use crate::instruments::Instrument;

const CAME: &str = "CASH RECEIPTS / ELECTRONIC FUND TRANSFERS";
const WENT: &str = "DISBURSEMENT INITIATED BY Sim Person";

/// Adds what is missing in each currency; the base currency last, since conversions cost it something.
pub(super) fn balance(draft: &mut Draft<'_>) {
    let base = draft.prices.base().to_owned();
    for (currency, amount) in missing(draft) {
        if currency != base {
            convert(draft, &currency, amount);
        }
    }
    for (currency, amount) in missing(draft) {
        if currency != base {
            settle(draft, &currency, amount);
        }
    }
    let amount = missing(draft).remove(&base).unwrap_or_default();
    fund(draft, &base, amount);
}

/// What the cash at the end lacks.
fn missing(draft: &Draft<'_>) -> BTreeMap<String, Dec> {
    let mut ledger = Ledger::new(draft.prices, &draft.plan);
    ledger.run_to(draft.last());
    let mut missing = draft.opening.cash.clone();
    for (currency, cash) in ledger.cash() {
        *missing.entry(currency.clone()).or_default() -= *cash;
    }
    // Futures are settled every day here, but only at their end in the account.
    for (currency, amount) in ledger.futures() {
        *missing.entry(currency).or_default() += amount;
    }
    missing.retain(|_, amount| !amount.is_zero());
    missing
}

/// Most of it is exchanged, in round amounts.
fn convert(draft: &mut Draft<'_>, wanted: &str, amount: Dec) {
    let base = draft.prices.base().to_owned();
    let pairs = draft.prices.universe().iter().filter(|of| of.is("CASH"));
    let fits = |of: &&Instrument| {
        (of.symbol == wanted && of.currency == base) || (of.symbol == base && of.currency == wanted)
    };
    let Some(of) = pairs.into_iter().find(fits).cloned() else { return };
    let day = business_from(plus(draft.plan.first, 3));
    let quantity =
        if of.symbol == wanted { amount } else { -amount.over(draft.prices.close(&of, day), 2) };
    let quantity = quantity.down_to(Dec::whole(100));
    if !quantity.is_zero() {
        currency(draft, &Arc::new(of), day, quantity);
    }
}

/// The rest came or went as it is.
fn settle(draft: &mut Draft<'_>, currency: &str, amount: Dec) {
    let day = plus(draft.plan.first, 9);
    put(draft, day, currency, amount);
}

/// The base currency came in two parts: the first a round sum, before anything else happened.
fn fund(draft: &mut Draft<'_>, base: &str, amount: Dec) {
    let first = amount.times(Dec::parts(6, 1)).down_to(Dec::whole(1000)).positive();
    let day = draft.plan.first;
    put(draft, day, base, first);
    put(draft, plus(day, 100), base, amount - first);
}

fn put(draft: &mut Draft<'_>, day: jiff::civil::Date, currency: &str, amount: Dec) {
    let (kind, text) = if amount.is_negative() {
        (MovementKind::Withdrawal, WENT)
    } else {
        (MovementKind::Deposit, CAME)
    };
    if !amount.is_zero() {
        movement(draft, day, (kind, currency, amount), text);
    }
}
