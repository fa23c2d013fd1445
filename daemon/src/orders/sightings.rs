//! What is seen of orders at the broker, by whoever looked and by what it pushes: held against what is known of each
//! intent, also of what is over or was never placed.

mod alarm;
mod missing;
mod pushed;

use std::collections::BTreeSet;

use ibd_cpapi::faults;
use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::{Meaning, OrderRow};
use ibd_protocol::Level;
use jiff::Timestamp;
use ractor::ActorRef;

use super::evidence::{self, Evidence};
use super::intent::{Intent, IntentId};
use super::life::{self, Event, Sight};
use super::order::Purpose;
use super::page::{self, Page};
use super::peeks::Until;
use super::record::Record;
use super::watch::PARK;
use super::{Msg, State, lateness};

/// Complete looks that have not seen what is in doubt, at least, before a person is asked.
const LOOKS: u32 = 2;

impl State {
    /// What somebody has read of orders at the broker, whoever it was: it is held against what is known, also of
    /// what is over or was never placed.
    pub(super) async fn sighted(&mut self, me: &ActorRef<Msg>, seen: Evidence) {
        let evidence = Evidence { through: self.broker.through(), ..seen };
        self.watch.see_gone(&evidence);
        self.watch.elsewhere.see(&evidence);
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
        self.watch.elsewhere.see(&evidence);
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
            // A child whose price or time was changed elsewhere.
            Some(part) => page::differs_as_part(row, part, intent, order),
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

    /// Whose a page is: what was told as not placed has no id here, and a name there.
    fn of_page(&self, page: &Page) -> Option<IntentId> {
        let known = self.ledger.book.by_order(page.order_id).map(|intent| intent.id);
        let named = || page.order_ref.as_deref().and_then(IntentId::of_client_order_id);
        known.or_else(named).filter(|id| self.ledger.book.get(*id).is_some())
    }

    /// Whose a pushed row is.
    pub(super) fn of_row(&self, row: &OrderRow) -> Option<IntentId> {
        let named = row.order_ref.as_deref().and_then(IntentId::of_client_order_id);
        named.or_else(|| self.ledger.book.by_order(row.order_id).map(|intent| intent.id))
    }
}

pub(super) fn can_fill(row: &OrderRow) -> bool {
    row.status.as_ref().is_some_and(|status| status.can_fill() == Some(true))
}
