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
/// Single orders of one look. IBKR takes five seconds to say that it does not know one.
const ASKED: usize = 3;
const ANSWER: Duration = Duration::from_secs(10);
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
    /// Single orders that were asked for by their ids, and that the broker knows nothing of.
    pub absent: Vec<OrderId>,
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

/// What to look at.
#[derive(Debug, Clone)]
pub struct Look {
    /// Whose orders.
    pub accounts: Vec<AccountId>,
    /// How thoroughly.
    pub care: Care,
    /// Orders that the lists have not had for long: asked for one by one, by a thorough look.
    pub missing: Vec<OrderId>,
}

/// Looks.
pub async fn gather(
    lease: &Lease,
    feeds: &Feeds,
    look: &Look,
    deadline: Instant,
) -> Result<Evidence, Failure> {
    let mut evidence = Evidence::begin(lease.epoch());
    let is_thorough = look.care == Care::Thorough;
    let rounds = if is_thorough { 2 } else { 1 };
    for round in 0..rounds {
        if round > 0 {
            tokio::time::sleep(faults::scaled(APART)).await;
        }
        for account in &look.accounts {
            let rows = match is_thorough {
                false => feeds.list(lease, account, deadline).await?.value.orders,
                true => {
                    let request = GetOrders { account: Some(account.clone()), force: false };
                    lease.client().ask(&request, deadline).await?.value.orders
                }
            };
            evidence.add_rows(rows);
        }
        if is_thorough {
            let fills = lease.client().ask(&GetTrades { days: DAYS }, deadline).await?.value;
            evidence.add_fills(fills);
        }
    }
    for order_id in look.missing.iter().take(ASKED).filter(|_| is_thorough) {
        let patience = deadline.min(Instant::now() + faults::scaled(ANSWER));
        match list::status(lease, *order_id, patience).await {
            Ok(Some(answer)) => evidence.standings.push(of_status(&answer.value)),
            Ok(None) => evidence.absent.push(*order_id),
            // What the lists said counts all the same; this one is asked for by the next look.
            Err(failure) => tracing::info!(%failure, %order_id, "an order could not be asked for"),
        }
    }
    evidence.accounts = look.accounts.clone();
    evidence.is_complete = is_thorough;
    Ok(evidence)
}

impl Evidence {
    /// Nothing yet.
    pub fn begin(epoch: u64) -> Self {
        Self {
            rows: Vec::new(),
            fills: Vec::new(),
            standings: Vec::new(),
            absent: Vec::new(),
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
        let Some(known) = known else { return self.unknown_main(intent, order) };
        let id = known.order_id;
        if let Some(asked) = self.standings.iter().find(|asked| asked.order_id == id) {
            return Some(asked.clone());
        }
        let is_named =
            |row: &&OrderRow| row.order_ref.as_deref() == Some(intent.client_order_id.as_str());
        let row = self.row(id).or_else(|| self.rows.iter().find(is_named));
        match row {
            Some(row) => Some(of_sparse_row(row, Some(&known.status))),
            None => {
                let fills = self.fills_of(id)?;
                let counted = self.settled(id, fills.counted(order, order.size));
                Some(Standing { others: Vec::new(), ..counted.onto(known.clone()) })
            }
        }
    }

    /// The same of an order that nothing is known of: by the name that it was sent with.
    fn unknown_main(&self, intent: &Intent, order: &Order) -> Option<Standing> {
        let name = intent.client_order_id.as_str();
        let named = |row: &&OrderRow| row.order_ref.as_deref() == Some(name);
        if let Some(row) = self.rows.iter().find(named) {
            return Some(of_sparse_row(row, None));
        }
        let fill = self.fills.iter().find(|fill| fill.order_ref.as_deref() == Some(name));
        if let Some(id) = fill.and_then(|fill| fill.order_id) {
            let fills = self.fills_of(id)?;
            let counted = fills.counted(order, order.size);
            return Some(counted.onto(Standing::new(id, "Submitted")));
        }
        // Of a group whose first order the broker did not take, the others may be there all the same.
        let is_own = |row: &&OrderRow| is_of(row.order_ref.as_ref(), intent);
        let row = self.rows.iter().filter(|_| self.is_complete).find(is_own)?;
        let refused = Some("IBKR does not have the first order of this group".to_owned());
        Some(Standing { refused, ..of_sparse_row(row, None) })
    }

    /// The other orders of the submission, as far as something is seen of them.
    fn parts(
        &self,
        intent: &Intent,
        order: &Order,
        known: Option<&Standing>,
        main: OrderId,
    ) -> Vec<Part> {
        let known = |id: OrderId| known.and_then(|known| known.part(id));
        let asked = self.standings.iter().filter(|asked| known(asked.order_id).is_some()).cloned();
        let rows = self.rows.iter().filter(|row| {
            row.order_id != main
                && (known(row.order_id).is_some()
                    || is_of(row.order_ref.as_ref(), intent)
                    || is_child(row, main, intent))
        });
        let listed = rows.map(|row| {
            let before = known(row.order_id).and_then(|part| part.status.as_deref());
            of_sparse_row(row, before)
        });
        let mut parts: Vec<Part> = Vec::new();
        for standing in asked.chain(listed) {
            if !parts.iter().any(|part| part.order_id == standing.order_id) {
                parts.push(Part::from(standing));
            }
        }
        let others = intent.state.standing().into_iter().flat_map(|standing| &standing.others);
        for part in others {
            let is_seen = parts.iter().any(|seen| seen.order_id == part.order_id);
            if let Some(fills) = self.fills_of(part.order_id).filter(|_| !is_seen) {
                let Some(size) = part_size(order, &fills) else { continue };
                let counted = self.settled(part.order_id, fills.counted(order, size));
                parts.push(counted.onto_part(part));
            }
        }
        parts.sort_unstable_by_key(|part| part.order_id);
        parts
    }

    /// How much an order is may have been changed elsewhere; so executions make it filled only once the
    /// broker knows nothing else of it.
    fn settled(&self, order_id: OrderId, counted: Counted) -> Counted {
        let is_whole = counted.is_whole && self.absent.contains(&order_id);
        Counted { is_whole, ..counted }
    }

    fn fills_of(&self, order_id: OrderId) -> Option<Fills<'_>> {
        let fills: Vec<&Execution> =
            self.fills.iter().filter(|fill| fill.order_id == Some(order_id)).collect();
        (!fills.is_empty()).then_some(Fills(fills))
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
fn part_size(order: &Order, fills: &Fills<'_>) -> Option<Size> {
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

/// Executions of one order that no list has.
struct Fills<'e>(Vec<&'e Execution>);

/// What executions say about an order.
struct Counted {
    filled: Option<Decimal>,
    average: Option<Decimal>,
    is_whole: bool,
}

impl Fills<'_> {
    /// Added up. Those of a combination are of its legs, each with a size of its own: what is filled of the
    /// whole they do not say.
    fn counted(&self, order: &Order, size: Size) -> Counted {
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
    fn onto(self, known: Standing) -> Standing {
        let is_more = self.filled.unwrap_or_default() > known.filled.unwrap_or_default();
        let status = if self.is_whole { "Filled".to_owned() } else { known.status.clone() };
        match is_more {
            true => Standing { status, filled: self.filled, average: self.average, ..known },
            false => Standing { status, ..known },
        }
    }

    fn onto_part(self, known: &Part) -> Part {
        let is_more = self.filled.unwrap_or_default() > known.filled.unwrap_or_default();
        let status = if self.is_whole { Some("Filled".to_owned()) } else { known.status.clone() };
        match is_more {
            true => Part { status, filled: self.filled, average: self.average, ..known.clone() },
            false => Part { status, ..known.clone() },
        }
    }
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
