//! Evidence: what the broker shows of orders, and what that means for an intent.
//!
//! "Not found" is not "not placed": a list may be cold, stale, or come too early. So an absence counts
//! only after two lists and two reads of the trades, five seconds apart, of one session.

use std::time::Duration;

use ibd_cpapi::id::{AccountId, OrderId};
use ibd_cpapi::orders::{GetOrders, OrderRow, OrderStatus, Side};
use ibd_cpapi::trades::{Execution, GetTrades};
use ibd_cpapi::{Failure, faults};
use jiff::Timestamp;
use rust_decimal::Decimal;
use tokio::time::Instant;

use super::asked::Size;
use super::intent::{Intent, IntentId};
use super::life::{Event, Standing};
use super::list::{self, Feeds};
use super::order::{Order, Purpose};
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
        if let Some(asked) =
            known.and_then(|k| self.standings.iter().find(|s| s.order_id == k.order_id))
        {
            return Some(asked.clone());
        }
        let is_ours = |order_ref: Option<&String>| {
            order_ref.and_then(|text| IntentId::of_client_order_id(text)) == Some(intent.id)
        };
        let own: Vec<&OrderRow> = self
            .rows
            .iter()
            .filter(|row| {
                is_ours(row.order_ref.as_ref()) || known.is_some_and(|s| s.order_id == row.order_id)
            })
            .collect();
        let main = own
            .iter()
            .find(|row| row.order_ref.as_deref() == Some(intent.client_order_id.as_str()))
            .or(own.first());
        let fills: Vec<&Execution> = self
            .fills
            .iter()
            .filter(|fill| {
                is_ours(fill.order_ref.as_ref())
                    || known.is_some_and(|s| Some(s.order_id) == fill.order_id)
            })
            .collect();
        match main {
            Some(row) => Some(self.standing(row, &own, order, known)),
            None => by_fills(&fills, order),
        }
    }

    fn standing(
        &self,
        row: &OrderRow,
        own: &[&OrderRow],
        order: &Order,
        known: Option<&Standing>,
    ) -> Standing {
        let others = own.iter().map(|row| row.order_id).chain(self.children(row, order));
        let mut others: Vec<OrderId> = others.filter(|id| *id != row.order_id).collect();
        others.sort_unstable();
        others.dedup();
        let standing = of_row(row);
        // A sparse row that does not say how it stands leaves that as it was.
        let status = match (&row.status, known) {
            (None, Some(known)) => known.status.clone(),
            _ => standing.status.clone(),
        };
        Standing { others, status, ..standing }
    }

    /// Children of a bracket carry no name of ours; they name their parent.
    fn children(&self, parent: &OrderRow, order: &Order) -> impl Iterator<Item = OrderId> {
        let id = parent.order_id.to_string();
        let name = parent.order_ref.clone();
        let account = order.account.clone();
        self.rows
            .iter()
            .filter(move |row| {
                row.account.as_ref().is_none_or(|of| *of == account)
                    && row.parent_id.as_ref().is_some_and(|p| *p == id || Some(p) == name.as_ref())
            })
            .map(|row| row.order_id)
    }

    /// Intents whose orders are here, by what they were sent with.
    pub fn ours(&self) -> impl Iterator<Item = (IntentId, Standing)> {
        self.rows.iter().filter_map(|row| {
            let id = IntentId::of_client_order_id(row.order_ref.as_deref()?)?;
            Some((id, of_row(row)))
        })
    }
}

/// How a row stands.
pub fn of_row(row: &OrderRow) -> Standing {
    Standing {
        order_id: row.order_id,
        others: Vec::new(),
        status: row.status.clone().unwrap_or_else(|| "Submitted".to_owned()),
        filled: row.filled.map(|filled| filled.get()),
        average: row.average_price.map(|price| price.get()),
        text: row
            .cancel_reason
            .as_deref()
            .or(row.description.as_deref())
            .map(ibd_cpapi::failure::clean),
        refused: None,
    }
}

/// How an order stands that was asked for by its id.
pub fn of_status(order: &OrderStatus) -> Standing {
    Standing {
        order_id: order.order_id,
        others: Vec::new(),
        status: order.status.clone().unwrap_or_else(|| "Submitted".to_owned()),
        filled: order.filled.map(|filled| filled.get()),
        average: order.average_price.map(|price| price.get()).filter(|price| !price.is_zero()),
        text: order
            .status_description
            .as_deref()
            .or(order.description.as_deref())
            .map(ibd_cpapi::failure::clean),
        refused: None,
    }
}

/// An order that the list no longer has, and whose executions are there.
fn by_fills(fills: &[&Execution], order: &Order) -> Option<Standing> {
    let order_id = fills.iter().find_map(|fill| fill.order_id)?;
    let filled: Decimal = fills.iter().map(|fill| fill.size.get()).sum();
    let is_whole = match order.size {
        Size::Quantity(quantity) => filled >= quantity.get(),
        Size::Cash(_) => false,
    };
    let cost: Decimal =
        fills.iter().filter_map(|fill| fill.price.map(|price| price.get() * fill.size.get())).sum();
    Some(Standing {
        order_id,
        others: Vec::new(),
        status: if is_whole { "Filled" } else { "Submitted" }.to_owned(),
        filled: Some(filled),
        average: cost.checked_div(filled).map(|price| price.round_dp(6).normalize()),
        text: None,
        refused: None,
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
