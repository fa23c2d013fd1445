//! Evidence: what the broker shows of orders, and what that means for an intent.
//!
//! "Not found" is not "not placed": a list may be cold, stale, or come too early. So an absence counts
//! only after two lists and two reads of the trades, five seconds apart, of one session.

mod changes;
mod family;
mod fills;
mod identity;
mod look;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use ibd_cpapi::id::{AccountId, OrderId};
use ibd_cpapi::orders::{Meaning, OrderRow, Stage};
use ibd_cpapi::trades::Execution;
use jiff::Timestamp;

use super::intent::{Intent, IntentId, Through};
use super::lateness;
use super::life::{Event, Sight};
use super::order::{Order, Purpose};
use super::page::Page;
use super::standing::Standing;
pub use changes::is_carried_out;
use changes::{shows_page, shows_row};
use identity::{has_name, is_child, is_of, is_other, is_page_of};
pub use look::{Care, Look, gather};
use rows::of_sparse_row;
pub use rows::{contradicts_itself, differs, of_status};

/// What the broker shows.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// Orders.
    pub rows: Vec<OrderRow>,
    /// Executions.
    pub fills: Vec<Execution>,
    /// Single orders, asked for by their ids.
    pub pages: Vec<Page>,
    /// Single orders that were asked for by their ids, and that the broker knows nothing of.
    pub absent: Vec<OrderId>,
    /// Single orders that were asked for by their ids, and nothing was heard of.
    pub unread: Vec<OrderId>,
    /// Whose lists were read.
    pub accounts: Vec<AccountId>,
    /// Whether each row of the lists could be read: one that could not may be of any order.
    pub is_whole: bool,
    /// Whether an absence means something.
    pub is_complete: bool,
    /// Of which brokerage session.
    pub epoch: u64,
    /// Through which gateway and login; nothing where that does not matter.
    pub through: Option<Through>,
    /// When the look began: what was sent after that could not be seen.
    pub began: Timestamp,
    /// When the gateway gave the oldest of the lists that the rows are from; nothing for what was pushed.
    pub listed_at: Option<Timestamp>,
}

impl Evidence {
    /// Nothing yet.
    pub fn begin(epoch: u64, through: Option<Through>) -> Self {
        Self {
            rows: Vec::new(),
            fills: Vec::new(),
            pages: Vec::new(),
            absent: Vec::new(),
            unread: Vec::new(),
            accounts: Vec::new(),
            is_whole: true,
            is_complete: false,
            epoch,
            through,
            began: Timestamp::now(),
            listed_at: None,
        }
    }

    /// A later row of the same order replaces the earlier one.
    pub fn add_rows(&mut self, rows: Vec<OrderRow>) {
        for row in rows {
            match self.rows.iter_mut().find(|known| known.order_id == row.order_id) {
                Some(known) => *known = row,
                None => self.rows.push(row),
            }
        }
    }

    fn add_fills(&mut self, fills: Vec<Execution>) {
        for fill in fills {
            if !self.fills.iter().any(|known| known.execution_id == fill.execution_id) {
                self.fills.push(fill);
            }
        }
    }

    /// Whether this was seen through the gateway and login that an intent was sent through. Elsewhere only the
    /// name that it was sent with says anything: ids begin anew there, and an absence means nothing.
    pub fn is_from_where(&self, intent: &Intent) -> bool {
        match (&self.through, &intent.through) {
            (Some(seen), Some(sent)) => seen.may_be(sent),
            _ => true,
        }
    }

    /// What it says about an intent; nothing if it says nothing.
    pub fn about(&self, intent: &Intent) -> Option<Event> {
        match (&intent.purpose, &intent.order) {
            (Purpose::Place, Some(order)) => self.order(intent, order),
            (Purpose::Modify { order_id, change, .. }, Some(order)) => {
                let is_as_wanted = match self.page_of(*order_id, intent, order) {
                    Some(page) => shows_page(page, order, change),
                    None => shows_row(self.row_of(*order_id, intent, order)?, order, change),
                };
                is_as_wanted.then_some(Event::Applied)
            }
            (Purpose::Cancel { order_id, .. }, _) if self.is_from_where(intent) => {
                let is_it = |page: &&Page| page.order_id == *order_id;
                let page = self.pages.iter().find(is_it).map(|page| page.standing.meaning());
                let row = || Some(self.row(*order_id)?.status.as_ref()?.meaning());
                match page.or_else(row)? {
                    Meaning::Filled | Meaning::Ended | Meaning::Ending => Some(Event::Applied),
                    _ if self.is_complete || page.is_some() => Some(Event::StillThere),
                    _ => None,
                }
            }
            (Purpose::CancelAll, _) if self.is_from_where(intent) && self.is_complete => {
                let mut own =
                    self.rows.iter().filter(|r| r.account.as_ref() == Some(&intent.account));
                let works =
                    own.any(|r| r.status.as_ref().is_some_and(|s| s.can_fill() != Some(false)));
                Some(if works { Event::StillThere } else { Event::Applied })
            }
            _ => None,
        }
    }

    fn row(&self, order_id: OrderId) -> Option<&OrderRow> {
        self.rows.iter().find(|row| row.order_id == order_id)
    }

    fn order(&self, intent: &Intent, order: &Order) -> Option<Event> {
        let known = intent.state.standing();
        let main = self.main(intent, order, known);
        let id =
            main.as_ref().map(|(main, _)| main.order_id).or(known.map(|known| known.order_id))?;
        let others = self.parts(intent, order, known, id);
        match (main, known) {
            (Some((main, Sight::Now)), _) => Some(Event::Shown(Standing { others, ..main })),
            (Some((main, Sight::Late)), _) => Some(Event::Found(Standing { others, ..main })),
            // Word of the others alone leaves the first one as it was.
            (None, Some(known)) if !others.is_empty() => {
                Some(Event::Found(Standing { others, ..known.clone() }))
            }
            _ => None,
        }
    }

    /// The order that answers for the submission.
    fn main(
        &self,
        intent: &Intent,
        order: &Order,
        known: Option<&Standing>,
    ) -> Option<(Standing, Sight)> {
        let Some(known) = known else {
            return self.unknown_main(intent, order).map(|standing| (standing, Sight::Late));
        };
        let named = self.named(intent, order);
        // What was taken for the first one may have been another of the submission: the name decides.
        let id = named.map_or(known.order_id, |row| row.order_id);
        if let Some(page) = self.page_of(id, intent, order) {
            let sight = if page.is_plain() { Sight::Now } else { Sight::Late };
            return Some((page.standing.clone(), sight));
        }
        match named.or_else(|| self.row_of(id, intent, order)) {
            Some(row) => Some((of_sparse_row(row, Some(&known.status)), Sight::Late)),
            None => {
                let fills = self.fills_of(id, intent, order)?;
                let counted = self.settled(id, fills.counted(order, order.size));
                let standing = counted.onto(known.clone());
                Some((Standing { others: Vec::new(), ..standing }, Sight::Late))
            }
        }
    }

    /// Whether its lists are so much later than a moment that what they show is of after it.
    pub fn is_listed_after(&self, moment: Timestamp) -> bool {
        let late = lateness::scaled(lateness::LIST_AT_MOST);
        self.listed_at.is_some_and(|at| at.duration_since(moment) > late || is_yet_to_come(moment))
    }

    /// Whether its pages were asked for so long after a moment that they say what has been so since.
    pub fn is_asked_after(&self, moment: Timestamp) -> bool {
        let way = lateness::scaled(lateness::PAGE);
        self.began.duration_since(moment) > way || is_yet_to_come(moment)
    }

    /// The same of an order that nothing is known of: by the name that it was sent with.
    fn unknown_main(&self, intent: &Intent, order: &Order) -> Option<Standing> {
        if let Some(row) = self.named(intent, order) {
            return Some(of_sparse_row(row, None));
        }
        if let Some(page) = self.pages.iter().find(|page| is_page_of(page, intent, order)) {
            return Some(page.standing.clone());
        }
        let name = intent.client_order_id.as_str();
        let fill = self.fills.iter().find(|fill| fill.order_ref.as_deref() == Some(name));
        if let Some(id) = fill.and_then(|fill| fill.order_id) {
            let fills = self.fills_of(id, intent, order)?;
            let counted = fills.counted(order, order.size);
            return Some(counted.onto(Standing::new(id, Stage::Submitted)));
        }
        // Of a group whose first order the broker did not take, the others may be there all the same.
        let is_own = |row: &&OrderRow| {
            is_of(row.order_ref.as_ref(), intent) && !has_name(row, intent)
                || is_child(row, None, intent)
        };
        let row = self.rows.iter().filter(|_| self.is_complete).find(is_own)?;
        let refused = Some("IBKR does not have the first order of this group".to_owned());
        Some(Standing { refused, ..of_sparse_row(row, None) })
    }

    /// What stands under an intent's name at the broker and cannot be its order: a sentence each.
    pub fn alarms(&self, intent: &Intent) -> Vec<String> {
        let Some(order) = intent.order.as_ref().filter(|_| intent.is_order()) else {
            return Vec::new();
        };
        let named =
            || self.rows.iter().filter(|row| has_name(row, intent) && !is_child(row, None, intent));
        let mut alarms: Vec<String> = named()
            .filter_map(|row| {
                let why = is_other(row, intent, order, &[order.side])?;
                Some(format!(
                    "IBKR has order {} under the name of {} ({}), and {why}.",
                    row.order_id, intent.id, intent.text
                ))
            })
            .collect();
        let ids: BTreeSet<OrderId> = named().map(|row| row.order_id).collect();
        if ids.len() > 1 {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            alarms.push(format!(
                "IBKR has {} orders under the one name of {} ({}): {}.",
                ids.len(),
                intent.id,
                intent.text,
                ids.join(" and ")
            ));
        }
        alarms
    }

    /// Whether a list still has it.
    pub fn lists(&self, order_id: OrderId) -> bool {
        self.row(order_id).is_some()
    }

    /// Intents whose orders are here, by what they were sent with, each once; and an order of theirs.
    pub fn ours(&self) -> BTreeMap<IntentId, OrderId> {
        let named = self.rows.iter().filter_map(|row| {
            let id = IntentId::of_client_order_id(row.order_ref.as_deref()?)?;
            Some((id, row.order_id))
        });
        named.collect()
    }
}

/// Whether a moment of the past was written down by a clock that has been set back since: how long ago it was, nobody
/// knows.
fn is_yet_to_come(moment: Timestamp) -> bool {
    moment > Timestamp::now()
}

#[cfg(test)]
#[path = "evidence/tests.rs"]
mod tests;
