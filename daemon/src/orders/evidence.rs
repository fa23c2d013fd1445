//! Evidence: what the broker shows of orders, and what that means for an intent.
//!
//! "Not found" is not "not placed": a list may be cold, stale, or come too early. So an absence counts
//! only after two lists and two reads of the trades, five seconds apart, of one session.

use std::collections::BTreeMap;
use std::time::Duration;

use ibd_cpapi::id::{AccountId, OrderId};
use ibd_cpapi::orders::{GetOrders, OrderRow, OrderStatus, Side};
use ibd_cpapi::trades::{Execution, GetTrades};
use ibd_cpapi::{Failure, faults};
use jiff::Timestamp;
use rust_decimal::Decimal;
use tokio::time::Instant;

use super::asked::{Attached, Size};
use super::intent::{Intent, IntentId};
use super::life::Event;
use super::list::{self, Feeds};
use super::order::{Order, Purpose};
use super::standing::{Part, Standing};
use crate::session::Lease;

/// Lists and trades may be asked for once in five seconds, and an earlier answer would be given again.
const APART: Duration = Duration::from_millis(5_050);
/// Trades of so many days.
const DAYS: u8 = 7;

/// What the broker shows.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// Orders.
    pub rows: Vec<OrderRow>,
    /// Executions.
    pub fills: Vec<Execution>,
    /// Single orders, asked for by their ids.
    pub standings: Vec<Standing>,
    /// Whose lists were read.
    pub accounts: Vec<AccountId>,
    /// Whether an absence means something.
    pub is_complete: bool,
    /// Of which brokerage session.
    pub epoch: u64,
    /// When the look began: what was sent after that could not be seen.
    pub began: Timestamp,
}

/// How thoroughly to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// One list: news of what is known to be there.
    Glance,
    /// Twice everything: only then does an absence mean something.
    Thorough,
}

/// Looks.
pub async fn gather(
    lease: &Lease,
    feeds: &Feeds,
    accounts: &[AccountId],
    care: Care,
    deadline: Instant,
) -> Result<Evidence, Failure> {
    let mut evidence = Evidence::begin(lease.epoch());
    let rounds = if care == Care::Thorough { 2 } else { 1 };
    for round in 0..rounds {
        if round > 0 {
            tokio::time::sleep(faults::scaled(APART)).await;
        }
        for account in accounts {
            let rows = match care {
                Care::Glance => feeds.list(lease, account, deadline).await?.value.orders,
                Care::Thorough => {
                    let request = GetOrders { account: Some(account.clone()), force: false };
                    lease.client().ask(&request, deadline).await?.value.orders
                }
            };
            evidence.add_rows(rows);
        }
        if care == Care::Thorough {
            let fills = lease.client().ask(&GetTrades { days: DAYS }, deadline).await?.value;
            evidence.add_fills(fills);
        }
    }
    evidence.accounts = accounts.to_vec();
    evidence.is_complete = care == Care::Thorough;
    Ok(evidence)
}

impl Evidence {
    /// Nothing yet.
    pub fn begin(epoch: u64) -> Self {
        Self {
            rows: Vec::new(),
            fills: Vec::new(),
            standings: Vec::new(),
            accounts: Vec::new(),
            is_complete: false,
            epoch,
            began: Timestamp::now(),
        }
    }

    /// A later row of the same order replaces the earlier one.
    fn add_rows(&mut self, rows: Vec<OrderRow>) {
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

    /// What it says about an intent; nothing if it says nothing.
    pub fn about(&self, intent: &Intent) -> Option<Event> {
        match (&intent.purpose, &intent.order) {
            (Purpose::Place, Some(order)) => self.order(intent, order).map(Event::Found),
            (Purpose::Modify { order_id }, Some(order)) => {
                let row = self.row(*order_id)?;
                is_as_wanted(row, order).then_some(Event::Applied)
            }
            (Purpose::Cancel { order_id }, _) => {
                let status = self.row(*order_id)?.status.as_deref()?;
                match list::is_working(status) {
                    Some(false) => Some(Event::Applied),
                    _ if status == "PendingCancel" => Some(Event::Applied),
                    _ if self.is_complete => Some(Event::StillThere),
                    _ => None,
                }
            }
            (Purpose::CancelAll, _) => {
                let mut own =
                    self.rows.iter().filter(|r| r.account.as_ref() == Some(&intent.account));
                let works =
                    own.any(|r| r.status.as_deref().and_then(list::is_working) == Some(true));
                match works {
                    false if self.is_complete => Some(Event::Applied),
                    true if self.is_complete => Some(Event::StillThere),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn row(&self, order_id: OrderId) -> Option<&OrderRow> {
        self.rows.iter().find(|row| row.order_id == order_id)
    }

    fn order(&self, intent: &Intent, order: &Order) -> Option<Standing> {
        let known = intent.state.standing();
        let main = self.main(intent, order, known);
        let id = main.as_ref().map(|main| main.order_id).or(known.map(|known| known.order_id))?;
        let others = self.parts(intent, order, known, id);
        match (main, known) {
            (Some(main), _) => Some(Standing { others, ..main }),
            // Word of the others alone leaves the first one as it was.
            (None, Some(known)) if !others.is_empty() => Some(Standing { others, ..known.clone() }),
            _ => None,
        }
    }

    /// The order that answers for the submission.
    fn main(&self, intent: &Intent, order: &Order, known: Option<&Standing>) -> Option<Standing> {
        let id = known.map(|known| known.order_id);
        if let Some(asked) = self.standings.iter().find(|asked| Some(asked.order_id) == id) {
            return Some(asked.clone());
        }
        let is_own = |row: &&OrderRow| match id {
            Some(id) => row.order_id == id,
            None => is_of(row.order_ref.as_ref(), intent),
        };
        let is_named =
            |row: &&OrderRow| row.order_ref.as_deref() == Some(intent.client_order_id.as_str());
        let rows = || self.rows.iter().filter(|row| is_own(row) || is_named(row));
        if let Some(row) = rows().find(is_named).or(rows().next()) {
            return Some(of_sparse_row(row, known.map(|known| known.status.as_str())));
        }
        let named =
            |fill: &&Execution| fill.order_ref.as_deref() == Some(intent.client_order_id.as_str());
        let id = id.or_else(|| self.fills.iter().find(named)?.order_id)?;
        let fills: Vec<&Execution> =
            self.fills.iter().filter(|fill| fill.order_id == Some(id)).collect();
        by_fills(&fills, order.size)
    }

    /// The other orders of the submission, as far as something is seen of them.
    fn parts(
        &self,
        intent: &Intent,
        order: &Order,
        known: Option<&Standing>,
        main: OrderId,
    ) -> Vec<Part> {
        let is_known = |id: OrderId| known.is_some_and(|known| known.part(id).is_some());
        let mut parts: Vec<Part> = Vec::new();
        let asked = self.standings.iter().filter(|asked| is_known(asked.order_id)).cloned();
        let rows = self.rows.iter().filter(|row| {
            row.order_id != main
                && (is_known(row.order_id)
                    || is_of(row.order_ref.as_ref(), intent)
                    || is_child(row, main, intent))
        });
        let listed = rows.map(|row| {
            let before = known.and_then(|known| known.part(row.order_id));
            of_sparse_row(row, before.and_then(|part| part.status.as_deref()))
        });
        let filled = known.into_iter().flat_map(|known| &known.others).filter_map(|part| {
            let fills: Vec<&Execution> =
                self.fills.iter().filter(|fill| fill.order_id == Some(part.order_id)).collect();
            by_fills(&fills, part_size(order, &fills)?)
        });
        for standing in asked.chain(listed).chain(filled) {
            if !parts.iter().any(|part| part.order_id == standing.order_id) {
                parts.push(Part::from(standing));
            }
        }
        parts.sort_unstable_by_key(|part| part.order_id);
        parts
    }

    /// Whether a list, or the order's own endpoint, still has it.
    pub fn lists(&self, order_id: OrderId) -> bool {
        self.row(order_id).is_some() || self.standings.iter().any(|one| one.order_id == order_id)
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

fn is_of(order_ref: Option<&String>, intent: &Intent) -> bool {
    order_ref.and_then(|text| IntentId::of_client_order_id(text)) == Some(intent.id)
}

/// Children of a bracket carry no name of ours; they name their parent.
fn is_child(row: &OrderRow, parent: OrderId, intent: &Intent) -> bool {
    let is_own_account = row.account.as_ref().is_none_or(|account| *account == intent.account);
    let is_parent = |name: &String| {
        *name == parent.to_string() || name.as_str() == intent.client_order_id.as_str()
    };
    is_own_account && row.parent_id.as_ref().is_some_and(is_parent)
}

/// How much the order is that these executions belong to; each of a group has a size of its own.
fn part_size(order: &Order, fills: &[&Execution]) -> Option<Size> {
    match &order.attached {
        Attached::Nothing => None,
        Attached::Bracket { .. } => Some(order.size),
        Attached::Oca(siblings) => {
            let name = fills.iter().find_map(|fill| fill.order_ref.as_deref())?;
            let number: usize = name.rsplit_once('-')?.1.parse().ok()?;
            siblings.get(number.checked_sub(2)?).map(|sibling| sibling.size)
        }
    }
}

/// How a row stands. One that does not say so leaves the status as it was.
fn of_sparse_row(row: &OrderRow, before: Option<&str>) -> Standing {
    let mut standing = of_row(row);
    if let (None, Some(before)) = (&row.status, before) {
        standing.status = before.to_owned();
    }
    standing
}

/// How a row stands.
pub fn of_row(row: &OrderRow) -> Standing {
    Standing {
        filled: row.filled.map(|filled| filled.get()),
        average: row.average_price.map(|price| price.get()),
        text: row
            .cancel_reason
            .as_deref()
            .or(row.description.as_deref())
            .map(ibd_cpapi::failure::clean),
        ..Standing::new(row.order_id, row.status.as_deref().unwrap_or("Submitted"))
    }
}

/// How an order stands that was asked for by its id.
pub fn of_status(order: &OrderStatus) -> Standing {
    Standing {
        filled: order.filled.map(|filled| filled.get()),
        average: order.average_price.map(|price| price.get()).filter(|price| !price.is_zero()),
        text: order
            .status_description
            .as_deref()
            .or(order.description.as_deref())
            .map(ibd_cpapi::failure::clean),
        ..Standing::new(order.order_id, order.status.as_deref().unwrap_or("Submitted"))
    }
}

/// An order that the list no longer has, and whose executions are there.
fn by_fills(fills: &[&Execution], size: Size) -> Option<Standing> {
    let order_id = fills.iter().find_map(|fill| fill.order_id)?;
    let filled: Decimal = fills.iter().map(|fill| fill.size.get()).sum();
    let is_whole = match size {
        Size::Quantity(quantity) => filled >= quantity.get(),
        Size::Cash(_) => false,
    };
    let cost: Decimal =
        fills.iter().filter_map(|fill| fill.price.map(|price| price.get() * fill.size.get())).sum();
    Some(Standing {
        filled: Some(filled),
        average: cost.checked_div(filled).map(|price| price.round_dp(6).normalize()),
        ..Standing::new(order_id, if is_whole { "Filled" } else { "Submitted" })
    })
}

/// Whether an order at the broker is what a change wanted it to be.
fn is_as_wanted(row: &OrderRow, order: &Order) -> bool {
    let same = |has: Option<Decimal>, wanted: Option<Decimal>| match (has, wanted) {
        (Some(has), Some(wanted)) => has == wanted,
        (None, Some(_)) => false,
        (_, None) => true,
    };
    let quantity = match order.size {
        Size::Quantity(quantity) => Some(quantity.get()),
        Size::Cash(_) => None,
    };
    let side = row.side.as_deref().and_then(|side| side.parse::<Side>().ok());
    // A tif that the row does not name may be the old one.
    row.tif.as_deref().is_some_and(|tif| list::tif(tif).eq_ignore_ascii_case(order.tif.as_str()))
        && side.is_none_or(|side| side == order.side)
        && same(row.quantity.map(|q| q.get()), quantity)
        && same(list::limit_price(row).map(|p| p.get()), order.pricing.limit().map(|p| p.get()))
        && same(list::stop_price(row).map(|p| p.get()), order.pricing.stop().map(|p| p.get()))
}

#[cfg(test)]
#[path = "evidence/tests.rs"]
mod tests;
