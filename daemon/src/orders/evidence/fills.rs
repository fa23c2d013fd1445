//! Executions of an order, added up: what is filled where no list has it any more.

use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::Stage;
use ibd_cpapi::trades::Execution;
use rust_decimal::Decimal;

use super::Evidence;
use super::identity::is_of;
use crate::orders::asked::{Attached, Size};
use crate::orders::intent::Intent;
use crate::orders::order::Order;
use crate::orders::standing::{Part, Seen, Standing};

/// Executions of one order that no list has.
pub(super) struct Fills<'e>(Vec<&'e Execution>);

/// What executions say about an order.
pub(super) struct Counted {
    pub(super) filled: Option<Decimal>,
    pub(super) average: Option<Decimal>,
    pub(super) is_whole: bool,
}

impl Fills<'_> {
    /// Added up. Those of a combination are of its legs, each with a size of its own: what is filled of the
    /// whole they do not say.
    pub(super) fn counted(&self, order: &Order, size: Size) -> Counted {
        if !order.contract.legs.is_empty() {
            return Counted { filled: None, average: None, is_whole: false };
        }
        let filled: Decimal = self.0.iter().map(|fill| fill.size.get()).sum();
        let cost: Decimal = self
            .0
            .iter()
            .filter_map(|fill| fill.price.map(|price| price.get() * fill.size.get()))
            .sum();
        let average = cost.checked_div(filled).map(|price| price.round_dp(6).normalize());
        let is_whole = match size {
            Size::Quantity(quantity) => filled >= quantity.get(),
            Size::Cash(_) => false,
        };
        Counted { filled: Some(filled), average, is_whole }
    }
}

impl Counted {
    /// What is known of an order, with these executions: they say nothing about whether the rest works.
    pub(super) fn onto(self, known: Standing) -> Standing {
        let is_more = self.filled.unwrap_or_default() > known.filled.unwrap_or_default();
        let status = if self.is_whole { Seen::Listed(Stage::Filled) } else { known.status.clone() };
        if is_more {
            Standing { status, filled: self.filled, average: self.average, ..known }
        } else {
            Standing { status, ..known }
        }
    }

    pub(super) fn onto_part(self, known: &Part) -> Part {
        let is_more = self.filled.unwrap_or_default() > known.filled.unwrap_or_default();
        let status =
            if self.is_whole { Some(Seen::Listed(Stage::Filled)) } else { known.status.clone() };
        if is_more {
            Part { status, filled: self.filled, average: self.average, ..known.clone() }
        } else {
            Part { status, ..known.clone() }
        }
    }
}

impl Evidence {
    /// How much an order is may have been changed elsewhere; so executions make it filled only once the
    /// broker knows nothing else of it.
    pub(super) fn settled(&self, order_id: OrderId, counted: Counted) -> Counted {
        let is_whole = counted.is_whole && self.absent.contains(&order_id);
        Counted { is_whole, ..counted }
    }

    /// Executions of one order of a submission: by id where that is told apart by account and contract, too.
    pub(super) fn fills_of(
        &self,
        order_id: OrderId,
        intent: &Intent,
        order: &Order,
    ) -> Option<Fills<'_>> {
        let is_ours = |fill: &&Execution| {
            let is_account = fill.account.as_ref().is_none_or(|account| *account == intent.account);
            let is_contract = order.contract.conid.is_none()
                || fill.conid.is_none_or(|conid| Some(conid) == order.contract.conid);
            let has_name = fill.order_ref.as_ref().filter(|name| !name.is_empty());
            let is_named = match has_name {
                Some(name) => is_of(Some(name), intent),
                None => self.is_from_where(intent),
            };
            fill.order_id == Some(order_id) && is_account && is_contract && is_named
        };
        let fills: Vec<&Execution> = self.fills.iter().filter(is_ours).collect();
        (!fills.is_empty()).then_some(Fills(fills))
    }
}

/// How much the order is that these executions belong to; each of a group has a size of its own.
pub(super) fn part_size(order: &Order, fills: &Fills<'_>) -> Option<Size> {
    match &order.attached {
        Attached::Nothing => None,
        Attached::Bracket { .. } => Some(order.size),
        Attached::Oca(siblings) => {
            let name = fills.0.iter().find_map(|fill| fill.order_ref.as_deref())?;
            let number: usize = name.rsplit_once('-')?.1.parse().ok()?;
            siblings.get(number.checked_sub(2)?).map(|sibling| sibling.size)
        }
    }
}
