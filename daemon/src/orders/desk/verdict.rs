//! What a new order becomes by our own rules: refused, held as the same once more, shown to a person, or let through.

use std::time::Duration;

use ibd_protocol::ReasonCode;
use jiff::Timestamp;

use super::Request;
use crate::orders::approval::By;
use crate::orders::asked::{Attached, Size};
use crate::orders::clock::Now;
use crate::orders::guardrails::{Denial, Scene, Vetted, vet};
use crate::orders::intent::{Intent, IntentId};
use crate::orders::limits::Rules;
use crate::orders::order::{Order, Purpose};
use crate::orders::standing::Standing;
use crate::orders::{State, lane, last_look, life, scene};

impl State {
    /// What a new order becomes by our own rules.
    pub(super) fn judge(
        &self,
        id: IntentId,
        request: &Request,
        order: Order,
        now: Timestamp,
    ) -> Option<Intent> {
        let begin = |state| Intent::new(id, request.seed.clone(), state, now);
        let mut intent = begin(life::State::Ready)?;
        intent.suppress = request.suppress;
        intent.warnings.clone_from(&request.warnings);
        let rules = self.controls.rules_of(&intent);
        let verdict = self.verdict(&intent, request, order, &rules, now);
        match verdict {
            Err((denial, like)) => {
                intent.state = life::State::Denied(denial);
                intent.beside = like;
            }
            Ok((vetted, like)) => {
                intent.worth = vetted.worth().clone();
                // What waits for its parent to be filled does nothing to what is held now.
                if !self.waits_for_parent(&intent) {
                    intent.warnings.extend_from_slice(vetted.warnings());
                }
                if intent.is_order() {
                    intent.warnings.extend(self.in_doubt_beside(vetted.order()));
                }
                intent.beside = like;
                let order = vetted.order();
                if order.closes {
                    (intent.text, intent.order) = (order.shown(), Some(order.clone()));
                }
                let value = vetted.worth().value.unwrap_or(rust_decimal::Decimal::MAX);
                // On a live account a person looks at what may be the same order once more.
                let is_risky = like.is_some() && !order.paper;
                // What it was held against is no market of now: a person looks at that, too.
                let is_risky = is_risky || vetted.wants_person();
                if is_risky || rules.needs_approval(order.paper, value) {
                    let approval = self.approval(&intent, By::Person, Vec::new(), vetted.worth());
                    intent.state = life::State::Awaiting(Box::new(approval));
                }
            }
        }
        Some(intent)
    }

    /// Whether an intent changes a bracket's child whose parent is not filled yet.
    fn waits_for_parent(&self, intent: &Intent) -> bool {
        let Purpose::Modify { order_id, of: Some(of), .. } = intent.purpose else { return false };
        self.ledger.book.get(of).is_some_and(|first| {
            let is_bracket = |order: &Order| matches!(order.attached, Attached::Bracket { .. });
            let waits = |standing: &Standing| !standing.is_over() && !standing.has_fills();
            // A child for more than its parent does more than close what that opens.
            let size = |order: Option<&Order>| match order?.size {
                Size::Quantity(quantity) => Some(quantity.get()),
                Size::Cash(_) => None,
            };
            let sizes = size(intent.order.as_ref()).zip(size(first.order.as_ref()));
            first.order.as_ref().is_some_and(is_bracket)
                && sizes.is_some_and(|(child, parent)| child <= parent)
                && first.order_id() != Some(order_id)
                && first.state.standing().is_some_and(waits)
        })
    }

    /// What is to be known first of an order that stands beside others of which nobody knows whether they are
    /// there.
    fn in_doubt_beside(&self, order: &Order) -> Option<String> {
        let others = self.ledger.book.in_doubt_beside(order);
        let told = others.iter().map(|one| format!("{} ({})", one.text, one.id));
        let told = told.collect::<Vec<_>>().join("; ");
        let text = || {
            format!(
                "Whether IBKR has this is not known, and it would stand beside this order: {told}. Call \
                 get_order_status until it is settled if this one is meant instead of it."
            )
        };
        (!others.is_empty()).then(text)
    }

    fn verdict(
        &self,
        intent: &Intent,
        request: &Request,
        order: Order,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<(Vetted, Option<IntentId>), (Denial, Option<IntentId>)> {
        if let Some(why) = self.frozen() {
            return Err((lane::frozen(&why), None));
        }
        if let Purpose::Modify { order_id, .. } = intent.purpose
            && let Some(other) = self.ledger.book.open_change(order_id)
            && other.state.is_in_doubt()
        {
            return Err((last_look::change_in_doubt(other), None));
        }
        if let Some(why) = self.controls.claims.problem(&order.account) {
            return Err((crate::orders::claim::denial(why), None));
        }
        let like =
            if intent.is_order() { self.alike(&order, rules, request.beside)? } else { None };
        let empty = Scene::default();
        let scene = request.scene.as_ref().map_or(&empty, |(scene, _)| scene);
        let scene = scene::with_own(scene, self.ledger.book.iter(), intent, &self.seen_gone());
        let counts = self.counts(&order.account, &Now::get());
        vet(order, &scene, rules, counts, now)
            .map(|vetted| (vetted, like))
            .map_err(|denial| (denial, None))
    }

    /// Holds what may be the same order once more.
    fn alike(
        &self,
        order: &Order,
        rules: &Rules,
        beside: Option<IntentId>,
    ) -> Result<Option<IntentId>, (Denial, Option<IntentId>)> {
        let window = Duration::from_secs(rules.duplicate_seconds);
        let now = Now::get();
        let elsewhere = self.controls.siblings.alike(order, window, &now);
        if let Some(first) = elsewhere.as_ref().filter(|first| !first.is_meant(beside)) {
            return Err((first.denial(), Some(first.id())));
        }
        let Some((first, in_doubt)) = self.ledger.book.alike(order, window, &now) else {
            return Ok(elsewhere.map(|first| first.id()));
        };
        let state = first.state.in_words();
        if in_doubt {
            let denial = Denial::new(
                ReasonCode::SameOrderInDoubt,
                format!(
                    "An order like this one ({}) is {state}: whether IBKR has it is not known yet.",
                    first.text
                ),
                format!(
                    "Do not send it again. Call get_order_status with intentId {} until it is settled.",
                    first.id
                ),
            );
            return Err((denial, Some(first.id)));
        }
        if beside == Some(first.id) {
            return Ok(Some(first.id));
        }
        let denial = Denial::new(
            ReasonCode::PossibleDuplicate,
            if first.state.is_over() {
                format!(
                    "An order like this one ({}) was asked for less than {} seconds ago; it is {state}.",
                    first.text, rules.duplicate_seconds
                )
            } else {
                format!("An order like this one ({}) is there already; it is {state}.", first.text)
            },
            format!(
                "Look at it with get_order_status. Only if a second one is really wanted, repeat the call \
                 with allowDuplicateOf {}.",
                first.id
            ),
        );
        Err((denial, Some(first.id)))
    }
}
