//! Whose a row or a page is: told by name, account, contract and side together.

use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::{OrderRow, Side, Word};

use super::Evidence;
use super::rows::{differs, is_at_odds};
use crate::orders::asked::Attached;
use crate::orders::intent::{Intent, IntentId};
use crate::orders::order::Order;
use crate::orders::page::Page;

impl Evidence {
    /// The row of an id, if it is of what an intent is about: an id alone proves nothing.
    pub(super) fn row_of(&self, id: OrderId, intent: &Intent, order: &Order) -> Option<&OrderRow> {
        let is_ours = |row: &&OrderRow| {
            let has_other_name = intent.is_order()
                && row.order_ref.as_ref().is_some_and(|name| !is_of(Some(name), intent));
            !has_other_name && is_other(row, intent, order, &[order.side]).is_none()
        };
        self.row(id).filter(|_| self.is_from_where(intent)).filter(is_ours)
    }

    /// The same of a page.
    pub(super) fn page_of(&self, id: OrderId, intent: &Intent, order: &Order) -> Option<&Page> {
        let is_ours = |page: &&Page| {
            let has_other_name = intent.is_order()
                && page.order_ref.as_ref().is_some_and(|name| !is_of(Some(name), intent));
            let is_other = page.is_other(&intent.account, order, &[order.side]).is_some();
            let standing = &page.standing;
            let is_at_odds = is_at_odds(standing.meaning(), page.quantity, page.filled);
            !has_other_name && !is_other && !is_at_odds
        };
        let mut pages = self.pages.iter().filter(|page| page.order_id == id);
        pages.find(is_ours).filter(|_| self.is_from_where(intent))
    }

    /// The row that carries exactly the name of an intent, of its account, contract and side. Somebody may have
    /// entered another one under that name: then it is the one that is known, or else the one with its terms.
    pub(super) fn named(&self, intent: &Intent, order: &Order) -> Option<&OrderRow> {
        let known = intent.order_id();
        let named = || {
            self.rows.iter().filter(|row| {
                has_name(row, intent)
                    && !is_child(row, None, intent)
                    && is_other(row, intent, order, &[order.side]).is_none()
            })
        };
        let is_known = |row: &&OrderRow| Some(row.order_id) == known;
        let has_terms = |row: &&OrderRow| !differs(row, order);
        let first = named().find(is_known).or_else(|| named().find(has_terms)).or(named().next())?;
        // An order that came alone does not turn out to be another one.
        let is_alone = matches!(order.attached, Attached::Nothing);
        let is_it = known.is_none_or(|known| known == first.order_id || !is_alone);
        is_it.then_some(first)
    }
}

pub(super) fn is_of(order_ref: Option<&String>, intent: &Intent) -> bool {
    order_ref.and_then(|text| IntentId::of_client_order_id(text)) == Some(intent.id)
}

/// Whether a page carries exactly the name that an intent's first order was sent with, and is of its account,
/// contract and side.
pub(super) fn is_page_of(page: &Page, intent: &Intent, order: &Order) -> bool {
    page.order_ref.as_deref() == Some(intent.client_order_id.as_str())
        && page.is_other(&intent.account, order, &[order.side]).is_none()
        && !is_at_odds(page.standing.meaning(), page.quantity, page.filled)
}

/// Whether a row carries exactly the name that an intent's first order was sent with.
pub(super) fn has_name(row: &OrderRow, intent: &Intent) -> bool {
    row.order_ref.as_deref() == Some(intent.client_order_id.as_str())
}

/// Children of a bracket carry no name of ours; they name their parent.
pub(super) fn is_child(row: &OrderRow, parent: Option<OrderId>, intent: &Intent) -> bool {
    let is_own_account = row.account.as_ref().is_none_or(|account| *account == intent.account);
    let is_parent = |name: &String| {
        parent.is_some_and(|parent| *name == parent.to_string())
            || name.as_str() == intent.client_order_id.as_str()
    };
    is_own_account && row.parent_id.as_ref().is_some_and(is_parent)
}

/// Why a row is not of an intent's account, contract and one of these sides. What it does not say is no reason.
pub(super) fn is_other(
    row: &OrderRow,
    intent: &Intent,
    order: &Order,
    sides: &[Side],
) -> Option<String> {
    #[cfg(feature = "faults")]
    if crate::orders::mutant::is("id-alone") {
        return None;
    }
    if let Some(own) = row.account.as_ref().filter(|own| **own != intent.account) {
        return Some(format!("it is an order of the account {own}"));
    }
    if let (Some(has), Some(wanted)) = (row.conid, order.contract.conid)
        && has != wanted
    {
        return Some(format!("it is for the contract {has}, and not for {wanted}"));
    }
    let side = row.side.as_ref().and_then(Word::known);
    let other = side.filter(|side| !sides.contains(side))?;
    Some(format!("it is a {} order", other.as_str()))
}
