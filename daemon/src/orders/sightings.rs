//! What is seen of orders at the broker, by whoever looked and by what it pushes: held against what is known of each
//! intent, also of what is over or was never placed.

use std::collections::BTreeSet;

use ibd_cpapi::faults;
use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::{Meaning, OrderRow, Stage, Tif};
use ibd_cpapi::trades::Execution;
use ibd_protocol::Level;
use jiff::civil::Weekday;
use jiff::{SignedDuration, Timestamp, ToSpan};
use ractor::ActorRef;
use tokio::time::Instant;

use super::asked::Size;
use super::book::day;
use super::evidence::{self, Evidence};
use super::intent::{Intent, IntentId};
use super::lateness;
use super::life::{self, Event, Sight};
use super::order::Purpose;
use super::page::{self, Page};
use super::peeks::Until;
use super::record::Record;
use super::watch::PARK;
use super::{Msg, State};

/// Complete looks that have not seen what is in doubt, at least, before a person is asked.
const LOOKS: u32 = 2;

impl State {
    /// What IBKR pushed is as good as what a look shows; what it leaves out means nothing.
    pub(super) async fn pushed(
        &mut self,
        me: &ActorRef<Msg>,
        rows: Vec<OrderRow>,
        fills: Vec<Execution>,
    ) {
        // One execution does not say how much of its order is filled: that is asked.
        for fill in &fills {
            let ours = fill.order_ref.as_deref().and_then(IntentId::of_client_order_id);
            let known = fill.order_id.filter(|order| self.ledger.book.by_order(*order).is_some());
            match (known, ours.and_then(|id| self.ledger.book.get(id))) {
                (Some(order), _) => self.expect_now(me, order),
                (None, Some(_)) => self.watch.wants_look = true,
                (None, None) => {}
            }
        }
        // An end is final only where the push says enough; every order begins as Inactive, and a dead one is so
        // too. Which it is, its page says.
        let is_asked = |row: &OrderRow| {
            let Some(intent) = self.of_row(row).and_then(|id| self.ledger.book.get(id)) else {
                return false;
            };
            let meaning = row.status.as_ref().map(Stage::meaning);
            match meaning {
                Some(Meaning::Held | Meaning::Unknown) => true,
                Some(Meaning::Filled | Meaning::Ended) => !says_whole(row, intent),
                _ => false,
            }
        };
        let (asked, told): (Vec<OrderRow>, Vec<OrderRow>) = rows.into_iter().partition(is_asked);
        for row in asked {
            if self.ledger.book.by_order(row.order_id).is_some() {
                self.expect_now(me, row.order_id)
            } else {
                self.watch.wants_look = true
            }
        }
        // A mark that says nothing but that there is an order is no news of how it stands.
        let is_news = |row: &OrderRow| row.status.is_some() || row.filled.is_some();
        let rows = told.into_iter().filter(is_news).collect();
        self.sighted(me, Evidence { rows, ..Evidence::begin(0, None) }).await;
    }

    /// What somebody has read of orders at the broker, whoever it was: it is held against what is known, also of
    /// what is over or was never placed.
    pub(super) async fn sighted(&mut self, me: &ActorRef<Msg>, seen: Evidence) {
        let evidence = Evidence { through: self.broker.through(), ..seen };
        self.watch.see_gone(&evidence);
        let named = evidence.rows.iter().filter_map(|row| self.of_row(row));
        let pages = &evidence.pages;
        let paged = pages.iter().filter_map(|page| self.of_page(page));
        let mut ids: Vec<IntentId> = named.chain(paged).collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            let Some(intent) = self.ledger.book.get(id) else { continue };
            if intent.state.is_in_round() {
                continue;
            }
            self.look_for_alarms(id, &evidence).await;
            self.hold_against(me, id, &evidence).await;
            self.ask_what_differs(me, id, &evidence);
        }
        self.look_at_terms(&evidence).await;
    }

    /// Orders that a list may still show as working, and that are known to be over.
    pub(super) fn seen_gone(&self) -> BTreeSet<OrderId> {
        let now = Timestamp::now();
        let late = lateness::scaled(lateness::LIST_AT_MOST);
        let is_recent = |at: &Timestamp| now.duration_since(*at).abs() < late;
        let pages = self.watch.gone.iter().filter(|(_, at)| is_recent(at)).map(|(order, _)| *order);
        let own = self.ledger.book.iter().filter(|intent| intent.is_order()).flat_map(|intent| {
            let standing = intent.state.standing();
            let first = standing.filter(|one| one.is_over()).map(|one| one.order_id);
            let others = standing.into_iter().flat_map(|one| &one.others);
            let over = others.filter(|part| part.is_over()).map(|part| part.order_id);
            let over = first.into_iter().chain(over);
            over.filter(|order| is_recent(&intent.known_at_of(*order))).collect::<Vec<_>>()
        });
        pages.chain(own).collect()
    }

    /// What a look means for each intent.
    pub(super) async fn seen(&mut self, me: &ActorRef<Msg>, evidence: Option<Box<Evidence>>) {
        let Some(evidence) = evidence else {
            // Tried again when it is due; a session that is gone is found out by its owner.
            return;
        };
        faults::point("look.seen");
        self.watch.see_gone(&evidence);
        // What was asked for by its id may be over: part of it may have been filled before that.
        let asked: Vec<IntentId> =
            evidence.pages.iter().filter_map(|page| self.of_page(page)).collect();
        let open: Vec<IntentId> = self
            .ledger
            .book
            .iter()
            .filter(|intent| intent.state.is_open() || asked.contains(&intent.id))
            .filter(|intent| !intent.state.is_in_round())
            .map(|intent| intent.id)
            .collect();
        for id in open {
            self.look_for_alarms(id, &evidence).await;
            self.hold_against(me, id, &evidence).await;
            self.ask_what_differs(me, id, &evidence);
        }
        self.look_at_terms(&evidence).await;
        self.look_for_missing(me, &evidence).await;
        self.look_for_strays(me, &evidence).await;
        for page in &evidence.pages {
            self.watch.unlisted.is_listed(page.order_id);
        }
        self.watch.see_unread(&self.ledger.book, &evidence);
        let is_whole = !self.ledger.book.iter().any(|intent| match &intent.state {
            life::State::Unknown(doubt) if evidence.accounts.contains(&intent.account) => {
                doubt.since >= evidence.began
            }
            _ => false,
        });
        if evidence.is_complete && is_whole {
            self.watch.examined = Some(evidence.epoch);
        }
        self.publish();
        self.next_turn(me);
    }

    pub(super) async fn hold_against(
        &mut self,
        me: &ActorRef<Msg>,
        id: IntentId,
        evidence: &Evidence,
    ) {
        let parts =
            self.ledger.book.get(id).map(|intent| evidence.parts_shown(intent)).unwrap_or_default();
        self.hold_first_against(me, id, evidence).await;
        for (page, sight) in parts {
            let known = self.ledger.book.get(id).and_then(|intent| intent.state.standing());
            let known = known.and_then(|known| known.part(page.order_id));
            // It takes back what was learnt just now, and may be from before: it is read again.
            if known.is_some_and(|known| sight == Sight::Now && page.is_older_than(known)) {
                self.expect(me, page.order_id, Until::Asked);
            }
            self.step(me, id, Event::PartShown(page, sight), "a look at IBKR").await;
        }
    }

    async fn hold_first_against(&mut self, me: &ActorRef<Msg>, id: IntentId, evidence: &Evidence) {
        let Some(intent) = self.ledger.book.get(id) else { return };
        // A look through another login has not seen this one's account.
        if evidence.is_complete && !evidence.accounts.contains(&intent.account) {
            return;
        }
        let event = match (evidence.about(intent), &intent.state) {
            // Its page, which would say more, cannot be read.
            (Some(Event::Found(standing)), state)
                if state.is_over()
                    && self.watch.unread.contains(&standing.order_id)
                    && evidence.is_listed_after(intent.since) =>
            {
                Event::Shown(standing)
            }
            (Some(Event::Shown(standing)), _) if evidence.is_asked_after(intent.since) => {
                Event::Corrected(standing)
            }
            (Some(event), _) => event,
            // What it was to end is over, by this or by itself.
            (None, state) if state.is_in_doubt() && self.is_target_over(intent) => Event::Applied,
            // What was sent after the look had begun could not be seen by it.
            (None, life::State::Unknown(doubt))
                if evidence.is_complete
                    && evidence.is_from_where(intent)
                    && doubt.since < evidence.began =>
            {
                let park = lateness::scaled(PARK);
                let is_long = Timestamp::now().duration_since(doubt.since) >= park;
                let looks = self.watch.absences.entry(id).or_default();
                *looks += 1;
                match (*looks, is_long) {
                    (looks, true) if looks >= LOOKS => Event::Absent(looks),
                    _ => return,
                }
            }
            _ => return,
        };
        // A list of before what is known may show an end that was none: the page decides.
        if let (Event::Found(end), life::State::Working(known)) = (&event, &intent.state)
            && end.order_id == known.order_id
            && end.meaning() == Meaning::Ended
            && evidence.listed_at.is_some()
            && !evidence.is_listed_after(intent.since)
        {
            let order_id = end.order_id;
            return self.expect_now(me, order_id);
        }
        // It takes back what was learnt just now, and may be from before: it is read again.
        let known = intent.state.standing();
        if let (Event::Shown(page), Some(known)) = (&event, known)
            && page.is_older_than(known)
        {
            let order_id = page.order_id;
            self.expect(me, order_id, Until::Asked);
        }
        self.step(me, id, event, "a look at IBKR").await;
    }

    /// Whether the order that a cancellation is about is known to be over.
    fn is_target_over(&self, intent: &Intent) -> bool {
        let Purpose::Cancel { order_id, of } = intent.purpose else { return false };
        let target = match of {
            Some(id) => self.ledger.book.get(id),
            None => self.ledger.book.by_order(order_id),
        };
        target.is_some_and(|target| target.has_ended(order_id))
    }

    /// A list that shows an order otherwise than it is known, or one that is over, may only be late: its page is
    /// read.
    fn ask_what_differs(&mut self, me: &ActorRef<Msg>, id: IntentId, evidence: &Evidence) {
        let Some(intent) = self.ledger.book.get(id) else { return };
        let (Some(known), Some(order)) = (intent.state.standing(), &intent.order) else { return };
        let is_asked = |row: &&OrderRow| match known.part(row.order_id) {
            Some(_) if evidence::contradicts_itself(row) => true,
            None if row.order_id == known.order_id && evidence::contradicts_itself(row) => true,
            Some(part) if part.is_over() => can_fill(row),
            // A child whose price was changed elsewhere.
            Some(_) => page::differs_as_child(row, order),
            None if row.order_id != known.order_id => false,
            None if known.is_over() => can_fill(row),
            None => evidence::differs(row, order),
        };
        let asked: Vec<OrderId> =
            evidence.rows.iter().filter(is_asked).map(|row| row.order_id).collect();
        for order_id in asked {
            self.expect_now(me, order_id);
        }
    }

    /// An order's own page shows other terms than were sent: somebody changed it elsewhere, or a change was not
    /// carried out. From now on it is what the broker shows.
    async fn look_at_terms(&mut self, evidence: &Evidence) {
        #[cfg(feature = "faults")]
        if super::mutant::is("writes-back") {
            return;
        }
        for page in &evidence.pages {
            let Some(intent) = self.ledger.book.by_order(page.order_id) else { continue };
            let is_settled = self.ledger.book.open_change(page.order_id).is_none();
            let Some(order) = intent.order.as_ref().filter(|_| is_settled) else { continue };
            if !evidence.is_from_where(intent) || page.is_not(intent, order).is_some() {
                continue;
            }
            let Some((order, differences)) = page::shown(intent, order, page) else { continue };
            let (id, before) = (intent.id, intent.text.clone());
            let why = if self.ledger.book.has_unseen_change(page.order_id) {
                "a change that was asked for here is seen now, or it was changed elsewhere"
            } else {
                "it was changed elsewhere"
            };
            let text = order.shown();
            let amended = Record::Amended { id, text: text.clone(), order: Box::new(order) };
            if let Err(why) = self.write_all(vec![amended]).await {
                tracing::error!(why, "what IBKR shows of an order could not be kept");
                continue;
            }
            self.say(
                Level::Warning,
                "order_changed_elsewhere",
                format!("{before} ({id}) is at IBKR now: {}; {why}.", differences.join(", ")),
                "",
            );
            self.changed();
        }
    }

    /// What stands under our name and cannot be ours: told once, and kept.
    async fn look_for_alarms(&mut self, id: IntentId, evidence: &Evidence) {
        let Some(intent) = self.ledger.book.get(id) else { return };
        for text in evidence.alarms(intent) {
            if !self.watch.said.insert(text.clone()) {
                continue;
            }
            let hint = "Look at it in TWS now: another program may use these names, or an order was doubled.";
            tracing::error!(text, "an alarm about orders");
            self.board.note("order_name_clash", text.clone(), hint);
            self.say(Level::Warning, "order_name_clash", text.clone(), hint);
            let _ = self.write_all(vec![Record::Note { id: Some(id), text }]).await;
        }
    }

    /// What the broker was known to have and its lists no longer show.
    async fn look_for_missing(&mut self, me: &ActorRef<Msg>, evidence: &Evidence) {
        let now = Instant::now();
        let known: Vec<(IntentId, OrderId)> = self
            .ledger
            .book
            .iter()
            .filter(|intent| evidence.accounts.contains(&intent.account))
            .filter(|intent| evidence.is_from_where(intent))
            .flat_map(|intent| open_orders(intent).map(|order| (intent.id, order)))
            .collect();
        for (id, order) in known {
            if evidence.lists(order) {
                self.watch.unlisted.is_listed(order);
            } else if !evidence.is_whole {
                // It may be the row that could not be read.
            } else if self.watch.unlisted.is_missing(order, now) {
                self.expect(me, order, Until::Asked);
            } else if evidence.absent.contains(&order) {
                self.watch.unlisted.is_listed(order);
                let today = Timestamp::now();
                let ends = self.ledger.book.get(id).is_some_and(|intent| has_ended(intent, today));
                self.step(me, id, Event::Unlisted(order, ends), "a look at IBKR").await;
            }
        }
    }

    /// What carries our name and should not be there, or is in no journal.
    async fn look_for_strays(&mut self, me: &ActorRef<Msg>, evidence: &Evidence) {
        for (id, order) in evidence.ours() {
            let Some(intent) = self.ledger.book.get(id) else {
                self.stray(id, order);
                continue;
            };
            let is_looked_at = evidence.accounts.contains(&intent.account);
            if intent.state.is_over() && is_looked_at {
                self.look_for_alarms(id, evidence).await;
                self.hold_against(me, id, evidence).await;
                self.ask_what_differs(me, id, evidence);
            }
        }
    }

    fn stray(&self, id: IntentId, order: OrderId) {
        self.board.note(
            "unknown_order",
            format!(
                "IBKR has order {order} with our name {id}, and this journal does not know it."
            ),
            "Another machine or profile may have sent it. Look at it in TWS or Client Portal.",
        );
    }

    /// The broker has an order that was told as not placed, or works one that was over. Everybody is told.
    pub(super) async fn alarm(&mut self, me: &ActorRef<Msg>, id: IntentId) {
        let Some(standing) = self.ledger.book.get(id).and_then(|i| i.state.standing()).cloned()
        else {
            return;
        };
        let order_id = standing.order_id;
        let text = match standing.risen {
            Some(_) => format!("IBKR has order {order_id} although it was taken for not placed."),
            None => came_back(order_id, standing.status.as_str()),
        };
        self.alert(id, text).await;
        // A yes to its question would make a second one.
        if let Some(follower) = self.ledger.book.follower(id).filter(|next| !self.lane.is_of(*next))
        {
            let by = "the daemon, because the first try is at IBKR after all".to_owned();
            Box::pin(self.step(me, follower, Event::Declined(by.clone()), &by)).await;
        }
    }

    /// The same of another order of a submission.
    pub(super) async fn alarm_part(&mut self, id: IntentId, order: OrderId) {
        let standing = self.ledger.book.get(id).and_then(|intent| intent.state.standing());
        let Some(part) = standing.and_then(|standing| standing.part(order)) else { return };
        let text = came_back(order, part.word());
        self.alert(id, text).await;
    }

    async fn alert(&mut self, id: IntentId, text: String) {
        let hint = "Look at it now; cancel it if it is not wanted.";
        self.board.note("order_came_alive", text.clone(), hint);
        self.say(Level::Warning, "order_came_alive", text.clone(), hint);
        let _ = self.write_all(vec![Record::Note { id: Some(id), text }]).await;
    }

    /// Whose a page is: what was told as not placed has no id here, and a name there.
    fn of_page(&self, page: &Page) -> Option<IntentId> {
        let known = self.ledger.book.by_order(page.order_id).map(|intent| intent.id);
        let named = || page.order_ref.as_deref().and_then(IntentId::of_client_order_id);
        known.or_else(named).filter(|id| self.ledger.book.get(*id).is_some())
    }

    /// Whose a pushed row is.
    fn of_row(&self, row: &OrderRow) -> Option<IntentId> {
        let named = row.order_ref.as_deref().and_then(IntentId::of_client_order_id);
        named.or_else(|| self.ledger.book.by_order(row.order_id).map(|intent| intent.id))
    }
}

/// Whether an order has ended by itself: it is none that is good till cancelled, and its day is over. What is
/// sent after the evening's end in New York is of the next trading day.
fn has_ended(intent: &Intent, now: Timestamp) -> bool {
    let Some(order) = &intent.order else { return false };
    let Some(sent) = intent.sent_at.filter(|_| order.tif != Tif::Gtc) else { return false };
    // Elsewhere the day is another one; after a day and a night it is over everywhere.
    let is_over_everywhere = now.duration_since(sent) >= SignedDuration::from_hours(36);
    let is_us = order.contract.currency == "USD";
    trading_day(sent) < day(now) && (is_us || is_over_everywhere)
}

/// The trading day in New York that an order of this moment is of: after 20:00 the next one, and none is at a
/// weekend. Holidays are not known; on them it is taken for over a day late.
fn trading_day(at: Timestamp) -> jiff::civil::Date {
    let local = super::book::local(at);
    let mut date = local.date();
    if local.hour() >= 20 {
        date = date.saturating_add(1.day());
    }
    while matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) {
        date = date.saturating_add(1.day());
    }
    date
}

fn came_back(order_id: OrderId, status: &str) -> String {
    format!("IBKR has order {order_id} as {status} after its end.")
}

pub(super) fn can_fill(row: &OrderRow) -> bool {
    row.status.as_ref().is_some_and(|status| status.can_fill() == Some(true))
}

/// Whether a push about the end of an order says all that makes it believed: of the account and contract, all
/// of it filled, or how much of it was when it ended.
fn says_whole(row: &OrderRow, intent: &Intent) -> bool {
    #[cfg(feature = "faults")]
    if super::mutant::is("trusts-pushes") {
        return true;
    }
    let Some(order) = &intent.order else { return false };
    let is_account = row.account.as_ref() == Some(&intent.account);
    let is_contract = row.conid.is_some() && row.conid == order.contract.conid;
    let is_filled = row.status.as_ref().map(Stage::meaning) == Some(Meaning::Filled);
    let (all, filled) = (row.quantity.map(|q| q.get()), row.filled.map(|q| q.get()));
    let is_whole = match order.size {
        Size::Quantity(wanted) => all == Some(wanted.get()) && filled == all,
        Size::Cash(_) => all.is_some() && filled == all,
    };
    is_account && is_contract && filled.is_some() && (is_whole || !is_filled)
}

/// Orders of an intent that the broker has and that may still become something.
fn open_orders(intent: &Intent) -> impl Iterator<Item = OrderId> {
    let main = match &intent.state {
        life::State::Working(standing) if intent.is_order() => Some(standing.order_id),
        _ => None,
    };
    let others = intent.state.standing().into_iter().flat_map(|standing| &standing.others);
    main.into_iter().chain(others.filter(|part| !part.is_over()).map(|part| part.order_id))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_order_of_the_evening_is_of_the_next_trading_day() {
        for (sent, trading) in [
            // New York is five hours behind.
            ("2026-11-23T15:00:00Z", "2026-11-23"),
            ("2026-11-24T00:59:00Z", "2026-11-23"),
            ("2026-11-24T01:00:00Z", "2026-11-24"),
            ("2026-11-24T04:59:00Z", "2026-11-24"),
            ("2026-11-28T02:00:00Z", "2026-11-30"),
            ("2026-11-28T15:00:00Z", "2026-11-30"),
        ] {
            assert_eq!(trading_day(sent.parse().unwrap()).to_string(), trading, "{sent}");
        }
    }
}
