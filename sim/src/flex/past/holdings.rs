//! How the account came by what it holds.

use std::sync::Arc;

use super::opening::Held;
use super::plan::Draft;
use crate::flex::days::{between, business_until, plus};
use crate::flex::dec::Dec;

/// Buys (or sells short) everything that the account had when the simulator started.
pub(super) fn open(draft: &mut Draft<'_>) {
    for held in draft.opening.held.clone() {
        buy(draft, held);
    }
}

fn buy(draft: &mut Draft<'_>, held: Held) {
    let Some(of) = draft.prices.universe().get(held.conid).cloned() else { return };
    let of = Arc::new(of);
    let age = match of.derivative {
        // Contracts that end are not old.
        Some(_) => draft.dice.between(3, 40),
        None => {
            let span = between(draft.plan.first, draft.last());
            draft.dice.between(span / 20, span - 30)
        }
    };
    let day = business_until(plus(draft.last(), -age));
    let day = day.max(draft.plan.first);
    // Four even parts, whose prices have the wanted one in the middle.
    let quarter = held.quantity.times(Dec::parts(25, 2));
    let parts = if quarter.round(0) == quarter { 4 } else { 1 };
    draft.trade(&of, (day, held.quantity), Some(held.price), parts);
}
