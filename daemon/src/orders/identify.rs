//! Which order of a submission is which: the broker answers with rows in any sequence, and builds differ in
//! what a row says. Pure. Until it is known, nothing is done to "the first".

use ibd_cpapi::orders::AcceptedRow;

use super::asked::Attached;
use super::evidence::Evidence;
use super::intent::Intent;
use super::order::Order;
use super::page::Page;

/// The place of the order that answers for the submission among the rows; nothing if that cannot be told.
pub fn main_row(
    rows: &[AcceptedRow],
    seen: Option<&Evidence>,
    intent: &Intent,
    order: &Order,
) -> Option<usize> {
    let pages = seen.map_or(&[][..], |seen| seen.pages.as_slice());
    by_themselves(rows, intent).or_else(|| by_pages(rows, pages, intent, order))
}

/// What the rows say by themselves.
pub fn by_themselves(rows: &[AcceptedRow], intent: &Intent) -> Option<usize> {
    let name = intent.client_order_id.as_str();
    if let Some(at) = rows.iter().position(|row| row.local_order_id.as_deref() == Some(name)) {
        return Some(at);
    }
    let is_single = intent.order.as_ref().is_none_or(|order| order.count() == 1);
    if rows.len() == 1 && is_single {
        return Some(0);
    }
    // A child names its parent: the one that names none is the parent, if all others do.
    let is_bracket = intent
        .order
        .as_ref()
        .is_some_and(|order| matches!(order.attached, Attached::Bracket { .. }));
    let mut orphans = (0..rows.len()).filter(|at| rows[*at].parent_order_id.is_none());
    match (is_bracket && rows.len() > 1, orphans.next(), orphans.next()) {
        (true, Some(parent), None) => Some(parent),
        _ => None,
    }
}

/// What their own pages say.
fn by_pages(rows: &[AcceptedRow], pages: &[Page], intent: &Intent, order: &Order) -> Option<usize> {
    let page_of = |row: &AcceptedRow| pages.iter().find(|page| page.order_id == row.order_id);
    let name = intent.client_order_id.as_str();
    let named = rows
        .iter()
        .position(|row| page_of(row).is_some_and(|page| page.order_ref.as_deref() == Some(name)));
    if named.is_some() {
        return named;
    }
    let is_it = |row: &AcceptedRow| page_of(row).is_some_and(|page| is_main(page, intent, order));
    let mut fitting = (0..rows.len()).filter(|at| is_it(&rows[*at]));
    match (fitting.next(), fitting.next(), &order.attached) {
        (Some(at), None, _) => Some(at),
        // Orders of a group with the very same terms stand for each other.
        (Some(at), Some(_), Attached::Oca(_)) => Some(at),
        _ => None,
    }
}

/// Whether a page is that of the order that answers for the submission.
fn is_main(page: &Page, intent: &Intent, order: &Order) -> bool {
    let same = |has: Option<ibd_cpapi::money::Price>, wanted: Option<ibd_cpapi::money::Price>| {
        has.is_none() || wanted.is_none() || has == wanted
    };
    let is_kind = page.kind.is_none_or(|kind| kind == order.pricing.order_type());
    let is_child =
        page.is_child == Some(true) && matches!(order.attached, Attached::Bracket { .. });
    !is_child
        && page.side == Some(order.side)
        && is_kind
        && same(page.limit, order.pricing.limit())
        && same(page.stop, order.pricing.stop())
        && page.is_other(&intent.account, order, &[order.side]).is_none()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::orders::asked::{Pricing, Sibling};
    use crate::orders::guardrails::tests::order;
    use crate::orders::life::tests::intent_of;
    use ibd_cpapi::money::Price;
    use ibd_cpapi::orders::{OrderStatus, Side};

    fn price(text: &str) -> Price {
        Price::new(text.parse().unwrap())
    }

    fn row(id: &str, local: Option<&str>, parent: Option<&str>) -> AcceptedRow {
        AcceptedRow {
            order_id: id.parse().unwrap(),
            status: None,
            local_order_id: local.map(str::to_owned),
            parent_order_id: parent.map(str::to_owned),
            warning: None,
        }
    }

    fn page(json: &str) -> Page {
        Page::of(&serde_json::from_str::<OrderStatus>(json).unwrap())
    }

    fn seen(pages: &[&str]) -> Evidence {
        let mut seen = Evidence::begin(1, None);
        seen.pages = pages.iter().map(|json| page(json)).collect();
        seen
    }

    fn bracket() -> Intent {
        let mut order = order(Side::Buy, "10", Pricing::Limit(price("100")));
        order.attached = Attached::Bracket {
            take_profit: Some(price("110")),
            stop_loss: Some(price("95")),
            stop_loss_limit: None,
        };
        intent_of(order)
    }

    #[test]
    fn rows_tell_themselves_apart_where_they_say_enough() {
        let intent = bracket();
        let (order, name) = (intent.order.clone().unwrap(), intent.client_order_id.to_string());
        let main = |rows: &[AcceptedRow]| main_row(rows, None, &intent, &order);
        let local = [row("3", None, None), row("1", Some(&name), None), row("2", None, None)];
        assert_eq!(main(&local), Some(1));
        let parents = [row("3", None, Some("1")), row("2", None, Some("1")), row("1", None, None)];
        assert_eq!(main(&parents), Some(2));
        let silent = [row("3", None, None), row("2", None, None), row("1", None, None)];
        assert_eq!(main(&silent), None, "the first is not taken for granted");
        assert_eq!(main(&[row("3", None, None)]), None, "it may be a child");
    }

    #[test]
    fn pages_tell_rows_apart_that_say_nothing() {
        let intent = bracket();
        let order = intent.order.clone().unwrap();
        let rows = [row("3", None, None), row("2", None, None), row("1", None, None)];
        let pages = seen(&[
            r#"{"order_id":3,"side":"S","order_type":"STOP","stop_price":"95","child_order_type":"A"}"#,
            r#"{"order_id":2,"side":"S","order_type":"LIMIT","limit_price":"110","child_order_type":"A"}"#,
            r#"{"order_id":1,"side":"B","order_type":"LIMIT","limit_price":"100","child_order_type":"0"}"#,
        ]);
        assert_eq!(main_row(&rows, Some(&pages), &intent, &order), Some(2));
        let only_children =
            seen(&[r#"{"order_id":3,"side":"S","order_type":"STOP","stop_price":"95"}"#]);
        assert_eq!(main_row(&rows[..1], Some(&only_children), &intent, &order), None);
    }

    #[test]
    fn orders_of_a_group_are_told_apart_by_their_terms() {
        let mut order = order(Side::Sell, "10", Pricing::Limit(price("110")));
        order.attached = Attached::Oca(vec![Sibling {
            side: Side::Sell,
            size: order.size,
            pricing: Pricing::Stop(price("95")),
        }]);
        let intent = intent_of(order.clone());
        let rows = [row("2", None, None), row("1", None, None)];
        let pages = seen(&[
            r#"{"order_id":2,"side":"S","order_type":"STOP","stop_price":"95"}"#,
            r#"{"order_id":1,"side":"S","order_type":"LIMIT","limit_price":"110"}"#,
        ]);
        assert_eq!(main_row(&rows, Some(&pages), &intent, &order), Some(1));
    }
}
