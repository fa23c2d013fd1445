//! Evidence: what the broker shows of orders, and what that means for an intent.
//!
//! "Not found" is not "not placed": a list may be cold, stale, or come too early. So an absence counts
//! only after two lists and two reads of the trades, five seconds apart, of one session.

use std::collections::{BTreeMap, BTreeSet};

use ibd_cpapi::id::{AccountId, OrderId};
use ibd_cpapi::money::Price;
use ibd_cpapi::orders::{Meaning, OrderRow, OrderStatus, OrderType, Side, Stage, Word};
use ibd_cpapi::trades::Execution;
use ibd_cpapi::{Failure, faults};
use jiff::Timestamp;
use rust_decimal::Decimal;
use tokio::time::Instant;

use super::asked::{Attached, Pricing, Size};
use super::change::Change;
use super::intent::{Intent, IntentId, Through};
use super::lateness;
use super::life::{Event, Sight};
use super::list::{self, Feeds};
use super::order::{Order, Purpose};
use super::page::Page;
use super::standing::{Part, Seen, Standing};
use super::tickets::opposite;
use crate::session::Lease;

/// Single orders of one look.
const ASKED: usize = 3;
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
    pub missing: Vec<(AccountId, OrderId)>,
    /// Through which gateway and login.
    pub through: Option<Through>,
}

/// Looks.
pub async fn gather(
    lease: &Lease,
    feeds: &Feeds,
    look: &Look,
    deadline: Instant,
) -> Result<Evidence, Failure> {
    let mut evidence = Evidence::begin(lease.epoch(), look.through.clone());
    let is_thorough = look.care == Care::Thorough;
    let rounds = if is_thorough { 2 } else { 1 };
    for round in 0..rounds {
        if round > 0 {
            tokio::time::sleep(faults::scaled(lateness::LIST)).await;
        }
        // Later rows replace earlier ones.
        (evidence.listed_at, evidence.is_whole) = (None, true);
        for account in &look.accounts {
            let list = if is_thorough {
                feeds.list_anew(lease, account, deadline).await?
            } else {
                feeds.list(lease, account, deadline).await?
            };
            evidence.listed_at = Some(evidence.listed_at.map_or(list.at, |at| at.min(list.at)));
            evidence.is_whole &= list.value.orders.is_whole();
            evidence.add_rows(list.value.orders.into_rows());
            if is_thorough {
                let fills = feeds.trades_anew(lease, account, DAYS, deadline).await?.value;
                evidence.is_whole &= fills.is_whole();
                evidence.add_fills(fills.into_rows());
            }
        }
    }
    for (account, order_id) in look.missing.iter().take(ASKED).filter(|_| is_thorough) {
        let patience = deadline.min(Instant::now() + faults::patience(lateness::PAGE_ANSWER));
        match feeds.page(lease, account, *order_id, patience).await {
            Ok(Some(answer)) => evidence.pages.push(Page::of(&answer.value)),
            Ok(None) => evidence.absent.push(*order_id),
            // What the lists said counts all the same; this one is asked for by the next look.
            Err(failure) => tracing::info!(%failure, %order_id, "an order could not be asked for"),
        }
    }
    evidence.accounts = look.accounts.clone();
    evidence.is_complete = is_thorough && evidence.is_whole;
    Ok(evidence)
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

    /// The row of an id, if it is of what an intent is about: an id alone proves nothing.
    fn row_of(&self, id: OrderId, intent: &Intent, order: &Order) -> Option<&OrderRow> {
        let is_ours = |row: &&OrderRow| {
            let has_other_name = intent.is_order()
                && row.order_ref.as_ref().is_some_and(|name| !is_of(Some(name), intent));
            !has_other_name && is_other(row, intent, order, &[order.side]).is_none()
        };
        self.row(id).filter(|_| self.is_from_where(intent)).filter(is_ours)
    }

    /// The same of a page.
    fn page_of(&self, id: OrderId, intent: &Intent, order: &Order) -> Option<&Page> {
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
    fn named(&self, intent: &Intent, order: &Order) -> Option<&OrderRow> {
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

    /// The other orders of the submission, as far as something is seen of them.
    fn parts(
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
            of_sparse_row(row, before)
        });
        let mut parts: Vec<Part> = Vec::new();
        for standing in asked.map(|page| page.standing.clone()).chain(listed) {
            if !parts.iter().any(|part| part.order_id == standing.order_id) {
                parts.push(Part::from(standing));
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
            (Part::from(page.standing.clone()), sight)
        });
        shown.collect()
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

    /// How much an order is may have been changed elsewhere; so executions make it filled only once the
    /// broker knows nothing else of it.
    fn settled(&self, order_id: OrderId, counted: Counted) -> Counted {
        let is_whole = counted.is_whole && self.absent.contains(&order_id);
        Counted { is_whole, ..counted }
    }

    /// Executions of one order of a submission: by id where that is told apart by account and contract, too.
    fn fills_of(&self, order_id: OrderId, intent: &Intent, order: &Order) -> Option<Fills<'_>> {
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

fn is_of(order_ref: Option<&String>, intent: &Intent) -> bool {
    order_ref.and_then(|text| IntentId::of_client_order_id(text)) == Some(intent.id)
}

/// Whether a page carries exactly the name that an intent's first order was sent with, and is of its account,
/// contract and side.
fn is_page_of(page: &Page, intent: &Intent, order: &Order) -> bool {
    page.order_ref.as_deref() == Some(intent.client_order_id.as_str())
        && page.is_other(&intent.account, order, &[order.side]).is_none()
        && !is_at_odds(page.standing.meaning(), page.quantity, page.filled)
}

/// Whether a row carries exactly the name that an intent's first order was sent with.
fn has_name(row: &OrderRow, intent: &Intent) -> bool {
    row.order_ref.as_deref() == Some(intent.client_order_id.as_str())
}

/// Children of a bracket carry no name of ours; they name their parent.
fn is_child(row: &OrderRow, parent: Option<OrderId>, intent: &Intent) -> bool {
    let is_own_account = row.account.as_ref().is_none_or(|account| *account == intent.account);
    let is_parent = |name: &String| {
        parent.is_some_and(|parent| *name == parent.to_string())
            || name.as_str() == intent.client_order_id.as_str()
    };
    is_own_account && row.parent_id.as_ref().is_some_and(is_parent)
}

/// Why a row is not of an intent's account, contract and one of these sides. What it does not say is no reason.
fn is_other(row: &OrderRow, intent: &Intent, order: &Order, sides: &[Side]) -> Option<String> {
    #[cfg(feature = "faults")]
    if super::mutant::is("id-alone") {
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

/// The sides that the other orders of a submission can have.
fn part_sides(order: &Order) -> &'static [Side] {
    match (&order.attached, opposite(order.side)) {
        (Attached::Bracket { .. }, Side::Buy) => &[Side::Buy],
        (Attached::Bracket { .. }, Side::Sell) => &[Side::Sell],
        _ => &[Side::Buy, Side::Sell],
    }
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

/// How a row stands. One that does not say so leaves the status as it was, and one that contradicts itself what is
/// filled as well.
fn of_sparse_row(row: &OrderRow, before: Option<&Seen>) -> Standing {
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

/// Whether a row calls something filled of which less than all is. Which is so, its page says.
pub fn contradicts_itself(row: &OrderRow) -> bool {
    let (all, filled) = (row.quantity.map(|q| q.get()), row.filled.map(|q| q.get()));
    row.status.as_ref().is_some_and(|status| is_at_odds(status.meaning(), all, filled))
}

/// Whether something is called filled of which, in the same breath, less than all is. An amount of money says no
/// quantity, or none that counts.
fn is_at_odds(meaning: Meaning, all: Option<Decimal>, filled: Option<Decimal>) -> bool {
    #[cfg(feature = "faults")]
    if super::mutant::is("trusts-pushes") {
        return false;
    }
    meaning == Meaning::Filled && matches!((all, filled), (Some(all), Some(filled)) if filled < all)
}

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
        let status = if self.is_whole { Seen::Listed(Stage::Filled) } else { known.status.clone() };
        if is_more {
            Standing { status, filled: self.filled, average: self.average, ..known }
        } else {
            Standing { status, ..known }
        }
    }

    fn onto_part(self, known: &Part) -> Part {
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

/// Whether a row shows what a change named, and nothing that contradicts it. What it does not say of what was
/// named is no proof.
fn shows_row(row: &OrderRow, order: &Order, change: &Change) -> bool {
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
fn shows_page(page: &Page, order: &Order, change: &Change) -> bool {
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

#[cfg(test)]
#[path = "evidence/tests.rs"]
mod tests;
