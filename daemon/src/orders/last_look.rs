//! The last look before something is sent: what the broker shows just now of the order, of its first tries, of the
//! position and the market. What is sent is what was meant then, or nothing.

mod denials;

use std::time::Duration;

use ibd_protocol::ReasonCode;
use ractor::ActorRef;

use super::approval::By;
use super::clock::Now;
use super::evidence::Evidence;
use super::guardrails::{self, Denial, Scene, Vetted, vet};
use super::intent::{Intent, IntentId};
use super::lane::frozen;
use super::life::Event;
use super::order::{Order, Purpose};
use super::record::Record;
use super::round::Target;
use super::{Msg, Proof, State, page, scene, told};
pub(super) use denials::change_in_doubt;
use denials::{
    changed_meanwhile, closed, first_is_there, first_was_there, is_over, no_page, no_terms,
    not_the_one,
};

impl State {
    /// A last look: then, and only then, it is sent.
    pub(super) async fn proved(
        &mut self,
        me: &ActorRef<Msg>,
        id: IntentId,
        proof: Result<Proof, Denial>,
    ) {
        if !self.lane.is_of(id) {
            return;
        }
        let event = match proof {
            Err(denial) => Event::Refused(denial),
            Ok(proof) => match self.prepare_to_send(me, id, &proof).await {
                Err(denial) => Event::Refused(denial),
                Ok(()) => {
                    let Some(intent) = self.ledger.book.get(id) else { return };
                    match self.last_look(intent, proof.scene.as_ref()) {
                        Ok(vetted) => {
                            self.lane.vetted = vetted;
                            Event::Turn
                        }
                        Err(event) => *event,
                    }
                }
            },
        };
        self.step(me, id, event, "the daemon").await;
    }

    /// What a last look showed of other orders, before it is decided about this one.
    async fn prepare_to_send(
        &mut self,
        me: &ActorRef<Msg>,
        id: IntentId,
        proof: &Proof,
    ) -> Result<(), Denial> {
        self.check_egress(&proof.lease).await;
        self.lane.lease = Some(proof.lease.clone());
        let Some(intent) = self.ledger.book.get(id).cloned() else { return Ok(()) };
        let looked_for = proof.first.as_ref();
        #[cfg(feature = "faults")]
        let looked_for = looked_for.filter(|_| !super::mutant::is("blind-follower"));
        if let Some(seen) = looked_for {
            self.hold_against_first_tries(me, &intent, seen).await?;
        }
        if let Some((page, began)) = proof.target.as_ref().and_then(|target| target.seen()) {
            // What was over may work: that is known before anything is decided about it.
            let seen = Evidence { pages: vec![page], began, ..Evidence::begin(0, None) };
            self.sighted(me, seen).await;
        }
        match (&intent.purpose, &proof.target) {
            (Purpose::Modify { .. }, Some(target)) => self.rebase(&intent, target).await,
            (Purpose::Cancel { .. }, Some(target)) => self.is_the_one(&intent, target),
            _ => self.resize(&intent, proof.scene.as_ref()).await,
        }
    }

    /// None of an order's first tries may be at the broker in any state, or there would be two.
    async fn hold_against_first_tries(
        &mut self,
        me: &ActorRef<Msg>,
        intent: &Intent,
        seen: &Evidence,
    ) -> Result<(), Denial> {
        for first in self.first_tries(intent) {
            self.hold_against(me, first, seen).await;
            let Some(first) = self.ledger.book.get(first) else { continue };
            if first.state.standing().is_some() {
                return Err(first_is_there(first));
            }
            // One that is called cancelled may be filled yet.
            if let Some(Event::Found(standing) | Event::Shown(standing)) = seen.about(first) {
                return Err(first_was_there(&standing));
            }
        }
        Ok(())
    }

    /// What closes a position is for what is held now: the journal has it before it is sent.
    async fn resize(&mut self, intent: &Intent, scene: Option<&Scene>) -> Result<(), Denial> {
        // By the same that it is vetted by right after this.
        let own =
            |scene| scene::with_own(scene, self.ledger.book.iter(), intent, &self.seen_gone());
        let scene = scene.map(own);
        let resized = |order: &Order| guardrails::resized(order, scene.as_ref()?);
        let Some(order) = intent.order.as_ref().and_then(resized) else { return Ok(()) };
        #[cfg(feature = "faults")]
        if super::mutant::is("keeps-quantity") {
            return Ok(());
        }
        let (id, text) = (intent.id, order.shown());
        let amended = Record::Amended { id, text, order: Box::new(order) };
        self.write(id, vec![amended]).await.map_err(|why| closed(&why))
    }

    /// What is not named in a change stays as it is at the broker: the change is put together anew from the
    /// order's own page, whatever it was put together from before.
    async fn rebase(&mut self, intent: &Intent, target: &Target) -> Result<(), Denial> {
        let (Purpose::Modify { order_id, change, .. }, Some(order)) =
            (&intent.purpose, &intent.order)
        else {
            return Ok(());
        };
        let other = self
            .ledger
            .book
            .open_change(*order_id)
            .filter(|other| other.id != intent.id && other.state.is_in_doubt());
        if let Some(other) = other {
            return Err(change_in_doubt(other));
        }
        let Some(page) = &target.page else { return Err(no_page(*order_id, target)) };
        if let Some(why) = page.is_other(&intent.account, order, &[order.side]) {
            return Err(not_the_one(*order_id, &why));
        }
        if page.standing.is_over() {
            return Err(is_over(*order_id, page.standing.status.as_str()));
        }
        // Earlier journals say only what the whole should be.
        if change.is_nothing() {
            return Ok(());
        }
        #[cfg(feature = "faults")]
        if super::mutant::is("writes-back") {
            return Ok(());
        }
        let as_sent = self.as_sent(intent, order);
        let Some((now, _)) = page::as_it_is(&as_sent, page, target.row.as_ref()) else {
            return Err(no_terms(*order_id));
        };
        let before = now.clone();
        let wanted = change.apply(now).map_err(|refusal| {
            Denial::new(ReasonCode::CannotModify, refusal.message, refusal.next)
        })?;
        check_filled(page, &wanted)?;
        if wanted == *order {
            return Ok(());
        }
        let text = told::change(*order_id, &page::differences(&before, &wanted), &wanted);
        let amended = Record::Amended { id: intent.id, text, order: Box::new(wanted) };
        self.write(intent.id, vec![amended]).await.map_err(|why| closed(&why))
    }

    /// The order that a change is about as it was sent from here, so far as one knows; else the change itself.
    fn as_sent(&self, intent: &Intent, order: &Order) -> Order {
        let target = intent.target().and_then(|id| self.ledger.book.get(id));
        let own = target.filter(|target| target.order_id() == intent.order_id());
        own.and_then(|own| own.order.clone()).unwrap_or_else(|| order.clone())
    }

    /// An end is asked for of exactly the order that was meant. What cannot be looked at is ended all the same,
    /// unless its id is all that is known of it.
    fn is_the_one(&self, intent: &Intent, target: &Target) -> Result<(), Denial> {
        let Purpose::Cancel { order_id, of } = intent.purpose else { return Ok(()) };
        let Some(own) = of.and_then(|id| self.ledger.book.get(id)) else { return Ok(()) };
        let Some(order) = &own.order else { return Ok(()) };
        match &target.page {
            Some(page) => match page.is_not(own, order) {
                Some(why) => Err(not_the_one(order_id, &why)),
                None => Ok(()),
            },
            None => match (self.broker.through(), &own.through) {
                (Some(now), Some(sent)) if !now.may_be(sent) => {
                    Err(not_the_one(order_id, &format!("it was placed through {sent}")))
                }
                _ => Ok(()),
            },
        }
    }

    /// What may be sent now; nothing of a cancellation is vetted. An error: what becomes of the intent instead.
    fn last_look(
        &self,
        intent: &Intent,
        scene: Option<&Scene>,
    ) -> Result<Option<Vetted>, Box<Event>> {
        let Some(order) = &intent.order else { return Ok(None) };
        if let Some(why) = self.frozen() {
            return Err(refused(frozen(&why)));
        }
        if let Some(why) = self.controls.claims.problem(&order.account) {
            return Err(refused(super::claim::denial(why)));
        }
        let now = Now::get();
        let rules = self.controls.rules_of(intent);
        let empty = Scene::default();
        let scene = scene.unwrap_or(&empty);
        let window = Duration::from_secs(rules.duplicate_seconds);
        if let Some(first) = self.controls.siblings.was_sent(intent, window, &now) {
            return Err(refused(first.denial()));
        }
        let scene = scene::with_own(scene, self.ledger.book.iter(), intent, &self.seen_gone());
        let counts = self.counts(&order.account, &now);
        let vetted = vet(order.clone(), &scene, &rules, counts, now.wall).map_err(refused)?;
        #[cfg(feature = "faults")]
        let vetted = if super::mutant::is("keeps-quantity") {
            vetted.passing_for(order.clone())
        } else {
            vetted
        };
        // What is sent is what the journal has.
        if vetted.order() != order {
            return Err(refused(changed_meanwhile()));
        }
        let value = vetted.worth().value.unwrap_or(rust_decimal::Decimal::MAX);
        let needs_person = vetted.wants_person() || rules.needs_approval(order.paper, value);
        let shown = self.approvals.shown.get(&intent.id);
        // What is sent is what was shown, to the letter; a market or an order that moved is shown again. Only what
        // is held may have become another quantity since.
        let holds = |shown: &super::approval::Approval| {
            shown.digest == intent.digest()
                && !shown.has_moved(vetted.worth())
                && (shown.by == By::Person || !needs_person)
        };
        let is_meant = match shown {
            Some(shown) => holds(shown),
            None => !needs_person,
        };
        #[cfg(feature = "faults")]
        let is_meant = is_meant || super::mutant::is("judges-once");
        if is_meant {
            return Ok(Some(vetted));
        }
        let by = match shown {
            Some(shown) if !needs_person => shown.by,
            _ => By::Person,
        };
        let asked = shown.map(|shown| shown.questions.clone()).unwrap_or_default();
        let approval = self.approval(intent, by, asked, vetted.worth());
        Err(Box::new(Event::Moved(Box::new(approval))))
    }
}

fn refused(denial: Denial) -> Box<Event> {
    Box::new(Event::Refused(denial))
}

/// A total that is filled already is none.
fn check_filled(page: &page::Page, wanted: &Order) -> Result<(), Denial> {
    let super::asked::Size::Quantity(quantity) = wanted.size else { return Ok(()) };
    match page.filled.filter(|filled| quantity.get() <= *filled && !filled.is_zero()) {
        Some(filled) => Err(Denial::new(
            ReasonCode::AlreadyFilled,
            format!("{} of it are filled: the new total must be more.", filled.normalize()),
            "Nothing was sent. quantity is the whole with what is filled; to end the rest use cancel_order.",
        )),
        None => Ok(()),
    }
}
