//! Whether the broker shows an order as a change wanted it.

use ibd_cpapi::orders::OrderRow;
use rust_decimal::Decimal;

use crate::orders::asked::Size;
use crate::orders::change::Change;
use crate::orders::list;
use crate::orders::order::Order;
use crate::orders::page::Page;

/// Whether a row shows what a change named, and nothing that contradicts it. What it does not say of what was
/// named is no proof.
pub(super) fn shows_row(row: &OrderRow, order: &Order, change: &Change) -> bool {
    let shown = Shown {
        quantity: row.quantity.map(|q| q.get()),
        limit: list::limit_price(row).map(|p| p.get()),
        stop: list::stop_price(row).map(|p| p.get()),
        tif: row.tif.as_ref().map(ToString::to_string),
        outside_rth: row.outside_rth,
    };
    shown.is_as_wanted(order, change)
}

/// The same of a page. Whether it works outside regular hours no page says.
pub(super) fn shows_page(page: &Page, order: &Order, change: &Change) -> bool {
    let shown = Shown {
        quantity: page.quantity,
        limit: page.limit.map(|p| p.get()),
        stop: page.stop.map(|p| p.get()),
        tif: page.tif.map(|tif| tif.as_str().to_owned()),
        outside_rth: None,
    };
    shown.is_as_wanted(order, change)
}

/// Whether an order's page shows what a change wanted: what just was sent, looked at in the same round.
pub fn is_carried_out(page: &Page, order: &Order, change: &Change) -> bool {
    let without_hours = Change { outside_rth: None, trail: None, ..change.clone() };
    shows_page(page, order, &without_hours)
}

/// Terms as the broker shows them.
struct Shown {
    quantity: Option<Decimal>,
    limit: Option<Decimal>,
    stop: Option<Decimal>,
    tif: Option<String>,
    outside_rth: Option<bool>,
}

impl Shown {
    fn is_as_wanted(&self, order: &Order, change: &Change) -> bool {
        let quantity = match order.size {
            Size::Quantity(quantity) => Some(quantity.get()),
            Size::Cash(_) => None,
        };
        let (limit, stop) =
            (order.pricing.limit().map(|p| p.get()), order.pricing.stop().map(|p| p.get()));
        // Earlier journals say only what the whole should be.
        let all = change.is_nothing();
        let same =
            |has: Option<Decimal>, wanted: Option<Decimal>, is_named: bool| match (has, wanted) {
                (Some(has), Some(wanted)) => has == wanted || !(is_named || all),
                (None, Some(_)) => !(is_named || all),
                (_, None) => true,
            };
        let tif = match &self.tif {
            Some(has) => has == order.tif.as_str() || !(change.tif.is_some() || all),
            // A tif that is not told may be the old one.
            None => !(change.tif.is_some() || all),
        };
        let outside = match change.outside_rth {
            Some(wanted) => self.outside_rth == Some(wanted),
            None => true,
        };
        // How far a trail follows nobody shows.
        change.trail.is_none()
            && tif
            && outside
            && same(self.quantity, quantity, change.quantity.is_some())
            && same(self.limit, limit, change.price.is_some())
            && same(self.stop, stop, change.stop.is_some())
    }
}
