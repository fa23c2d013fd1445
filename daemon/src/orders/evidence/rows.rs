//! How an order stands by a row of a list, or by what its own endpoint says.

use ibd_cpapi::money::Price;
use ibd_cpapi::orders::{Meaning, OrderRow, OrderStatus, OrderType, Stage, Word};
use rust_decimal::Decimal;

use crate::orders::asked::{Pricing, Size};
use crate::orders::list;
use crate::orders::order::Order;
use crate::orders::standing::{Seen, Standing};

/// How a row stands.
pub fn of_row(row: &OrderRow) -> Standing {
    let kind = row.order_type.as_ref();
    let price = list::stop_price(row).or(list::limit_price(row));
    Standing {
        filled: row.filled.map(|filled| filled.get()),
        average: row.average_price.map(|price| price.get()),
        text: row.cancel_reason.as_deref().map(ibd_cpapi::failure::clean),
        terms: terms(kind, price),
        ..Standing::new(row.order_id, row.status.clone().unwrap_or(Stage::Submitted))
    }
}

/// How a row stands. One that does not say so leaves the status as it was, and one that contradicts itself what is
/// filled as well.
pub(super) fn of_sparse_row(row: &OrderRow, before: Option<&Seen>) -> Standing {
    let mut standing = of_row(row);
    let contradicts = contradicts_itself(row);
    if row.status.is_none() || contradicts {
        standing.status = before.cloned().unwrap_or(Seen::Listed(Stage::Submitted));
    }
    if contradicts {
        (standing.filled, standing.average) = (None, None);
    }
    standing
}

/// How an order stands that was asked for by its id.
pub fn of_status(order: &OrderStatus) -> Standing {
    let status = order.status.clone().unwrap_or(Stage::Submitted);
    let works = status.can_fill() == Some(true);
    Standing {
        filled: order.filled.map(|filled| filled.get()),
        average: order.average_price.map(|price| price.get()).filter(|price| !price.is_zero()),
        // While it works that only says once more that it does, and of which terms it was once.
        text: order.status_description.as_deref().filter(|_| !works).map(ibd_cpapi::failure::clean),
        terms: terms(order.order_type.as_ref(), order.stop_price.or(order.limit_price)),
        ..Standing::new(order.order_id, status)
    }
}

/// Kind and price in our words.
fn terms(kind: Option<&Word<OrderType>>, price: Option<Price>) -> Option<String> {
    let kind = kind?;
    let price = price.map(|price| format!(" {}", price.get().normalize()));
    Some(format!("{kind}{}", price.unwrap_or_default()))
}

/// Whether a row shows other terms than an order has.
pub fn differs(row: &OrderRow, order: &Order) -> bool {
    let other = |has: Option<Decimal>, known: Option<Decimal>| matches!((has, known), (Some(has), Some(known)) if has != known);
    let quantity = match order.size {
        Size::Quantity(quantity) => Some(quantity.get()),
        Size::Cash(_) => None,
    };
    let is_trail = matches!(order.pricing, Pricing::Trail { .. } | Pricing::TrailLimit { .. });
    let tif = row.tif.as_ref().map(ToString::to_string);
    other(row.quantity.map(|q| q.get()), quantity)
        || other(list::limit_price(row).map(|p| p.get()), order.pricing.limit().map(|p| p.get()))
        || !is_trail
            && other(list::stop_price(row).map(|p| p.get()), order.pricing.stop().map(|p| p.get()))
        || tif.is_some_and(|tif| tif != order.tif.as_str())
}

/// Whether a row calls something filled of which less than all is. Which is so, its page says.
pub fn contradicts_itself(row: &OrderRow) -> bool {
    let (all, filled) = (row.quantity.map(|q| q.get()), row.filled.map(|q| q.get()));
    row.status.as_ref().is_some_and(|status| is_at_odds(status.meaning(), all, filled))
}

/// Whether something is called filled of which, in the same breath, less than all is. An amount of money says no
/// quantity, or none that counts.
pub(super) fn is_at_odds(meaning: Meaning, all: Option<Decimal>, filled: Option<Decimal>) -> bool {
    #[cfg(feature = "faults")]
    if crate::orders::mutant::is("trusts-pushes") {
        return false;
    }
    meaning == Meaning::Filled && matches!((all, filled), (Some(all), Some(filled)) if filled < all)
}
