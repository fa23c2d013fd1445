//! The other orders of a submission: what lists, pages and executions say of them.

use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::Side;

use super::Evidence;
use super::fills::part_size;
use super::identity::{has_name, is_child, is_of, is_other};
use super::rows::{is_at_odds, of_sparse_row};
use crate::orders::asked::Attached;
use crate::orders::intent::Intent;
use crate::orders::life::Sight;
use crate::orders::order::Order;
use crate::orders::page::Page;
use crate::orders::standing::{Part, Standing};
use crate::orders::tickets::opposite;

impl Evidence {
    /// The other orders of the submission, as far as something is seen of them.
    pub(super) fn parts(
        &self,
        intent: &Intent,
        order: &Order,
        known: Option<&Standing>,
        main: OrderId,
    ) -> Vec<Part> {
        let is_here = self.is_from_where(intent);
        let part = |id: OrderId| known.and_then(|known| known.part(id));
        let sides = part_sides(order);
        let asked = self.pages.iter().filter(|page| {
            is_here
                && page.order_id != main
                && part(page.order_id).is_some()
                && page.is_other(&intent.account, order, sides).is_none()
        });
        let rows = self.rows.iter().filter(|row| {
            let is_known = is_here && part(row.order_id).is_some() && row.order_ref.is_none();
            let has_part_name = is_of(row.order_ref.as_ref(), intent) && !has_name(row, intent);
            row.order_id != main
                && (is_known || has_part_name || is_child(row, Some(main), intent))
                && is_other(row, intent, order, sides).is_none()
        });
        let listed = rows.map(|row| {
            let before = part(row.order_id).and_then(|part| part.status.as_ref());
            Part::from(of_sparse_row(row, before))
        });
        let mut parts: Vec<Part> = Vec::new();
        for part in asked.map(of_page).chain(listed) {
            if !parts.iter().any(|seen| seen.order_id == part.order_id) {
                parts.push(part);
            }
        }
        let others = intent.state.standing().into_iter().flat_map(|standing| &standing.others);
        for part in others.filter(|part| part.order_id != main) {
            let is_seen = parts.iter().any(|seen| seen.order_id == part.order_id);
            if let Some(fills) = self.fills_of(part.order_id, intent, order).filter(|_| !is_seen) {
                let Some(size) = part_size(order, &fills) else { continue };
                let counted = self.settled(part.order_id, fills.counted(order, size));
                parts.push(counted.onto_part(part));
            }
        }
        parts.sort_unstable_by_key(|part| part.order_id);
        parts
    }

    /// What their own pages say of the other orders of a submission.
    pub fn parts_shown(&self, intent: &Intent) -> Vec<(Part, Sight)> {
        let known = intent.state.standing().filter(|_| self.is_from_where(intent));
        let (Some(order), Some(known)) = (&intent.order, known) else { return Vec::new() };
        let sides = part_sides(order);
        let sight = if self.is_asked_after(intent.since) { Sight::Since } else { Sight::Now };
        let is_it = |page: &&Page| {
            known.part(page.order_id).is_some()
                && page.is_other(&intent.account, order, sides).is_none()
                && !is_at_odds(page.standing.meaning(), page.quantity, page.filled)
        };
        let shown = self.pages.iter().filter(is_it).map(|page| {
            let sight = if page.is_plain() { sight } else { Sight::Late };
            (of_page(page), sight)
        });
        shown.collect()
    }
}

/// What its own page says of one; for how long it is good no list of before could take back.
fn of_page(page: &Page) -> Part {
    Part { tif: page.tif, ..Part::from(page.standing.clone()) }
}

/// The sides that the other orders of a submission can have.
fn part_sides(order: &Order) -> &'static [Side] {
    match (&order.attached, opposite(order.side)) {
        (Attached::Bracket { .. }, Side::Buy) => &[Side::Buy],
        (Attached::Bracket { .. }, Side::Sell) => &[Side::Sell],
        _ => &[Side::Buy, Side::Sell],
    }
}
