//! Who says yes, and to what: approvals are made, answered and counted here.

use std::time::Duration;

use ibd_cpapi::faults;
use ibd_protocol::ErrorCode;
use jiff::{SignedDuration, Timestamp};
use ractor::ActorRef;

use super::{Answerer, Pin, TOKEN, closed};
use crate::orders::approval::{Approval, By};
use crate::orders::clock::{Boot, Now};
use crate::orders::guardrails::Worth;
use crate::orders::intent::{Intent, IntentId};
use crate::orders::life::{self, Decision, Event, Question};
use crate::orders::{Msg, State, lane};
use crate::refusal::Refusal;

/// What a short id is made of: nothing that is taken for something else.
const LETTERS: &[u8] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";

impl State {
    /// The one place where something becomes approved. The model cannot: what needs a person is not
    /// decided by a tool.
    pub(in crate::orders) async fn decide(
        &mut self,
        me: &ActorRef<Msg>,
        name: &str,
        decision: Decision,
        who: Answerer,
        pin: &Pin,
    ) -> Result<IntentId, Refusal> {
        let Some(intent) = self.ledger.book.by_approval(name).cloned() else {
            // What the same client answered before, perhaps through an earlier daemon, has its outcome.
            let is_its = |past: &&Intent| {
                matches!(&who, Answerer::Client(client) if *client == past.origin.client)
                    && (past.had_yes || decision == Decision::No)
            };
            let past = self.ledger.book.by_past_approval(name).filter(is_its);
            return past.map(|past| past.id).ok_or_else(|| unknown_approval(name));
        };
        let life::State::Awaiting(approval) = &intent.state else {
            return Err(unknown_approval(name));
        };
        if approval.is_expired(&Now::get()) {
            self.step(me, intent.id, Event::Expired, "the daemon").await;
            return Err(expired(&approval.id));
        }
        if decision == Decision::No {
            let by = match &who {
                Answerer::Client(client) => client.clone(),
                Answerer::Dialog => "a person in the client's dialog".to_owned(),
                Answerer::Ctl(..) => "a person".to_owned(),
            };
            self.step(me, intent.id, Event::Declined(by.clone()), &by).await;
            return Ok(intent.id);
        }
        let by = self.may_approve(&intent, approval, &who, pin)?;
        if let Some(why) = self.frozen() {
            let denial = lane::frozen(&why);
            return Err(Refusal::new(ErrorCode::TradingFrozen, denial.message, denial.next));
        }
        if let Err(why) = &self.ledger.journal {
            return Err(closed(why));
        }
        self.approvals.shown.insert(intent.id, (**approval).clone());
        // What was known when it was asked for says nothing about where the market is now.
        self.lane.scenes.remove(&intent.id);
        self.step(me, intent.id, Event::Approved, by).await;
        // A yes that cannot be kept is none.
        let still = self.ledger.book.get(intent.id).map(|intent| &intent.state);
        match (&self.ledger.journal, still) {
            (Err(why), Some(life::State::Awaiting(_))) => Err(closed(why)),
            _ => Ok(intent.id),
        }
    }

    /// Whether this answerer's yes counts, and its name in the journal.
    fn may_approve(
        &mut self,
        intent: &Intent,
        approval: &Approval,
        who: &Answerer,
        wanted: &Pin,
    ) -> Result<&'static str, Refusal> {
        match (approval.by, who) {
            (By::Client, Answerer::Client(client)) if *client == intent.origin.client => {
                Ok("the client")
            }
            (By::Client, Answerer::Client(_)) => Err(Refusal::new(
                ErrorCode::NotYours,
                format!("Only {}, which asked for this order, may say yes.", intent.origin.client),
                "Tell the user; `ibctl approve` does it too.",
            )),
            (By::Person, Answerer::Client(_)) => Err(needs_person(&approval.id)),
            (_, Answerer::Dialog) if self.controls.rules_of(intent).is_ctl_only => {
                Err(needs_person(&approval.id))
            }
            (_, Answerer::Dialog) if wanted.0.is_some() => Err(needs_person(&approval.id)),
            (_, Answerer::Dialog) => Ok("a person in the client's dialog"),
            (_, Answerer::Ctl(digest, pin)) => {
                if digest.as_deref().is_some_and(|shown| shown != intent.digest()) {
                    return Err(Refusal::new(
                        ErrorCode::ApprovalChanged,
                        "What was shown is not what would be sent.",
                        "Look at it again.",
                    ));
                }
                self.approvals.check_pin(wanted, pin.as_ref())?;
                Ok("a person with ibctl")
            }
        }
    }

    /// What must be said yes to.
    pub(in crate::orders) fn approval(
        &self,
        intent: &Intent,
        by: By,
        questions: Vec<Question>,
        worth: &Worth,
    ) -> Approval {
        let now = Timestamp::now();
        let life =
            faults::scaled(Duration::from_secs(self.controls.rules_of(intent).approval_seconds));
        let life = SignedDuration::try_from(life).unwrap_or(SignedDuration::from_secs(300));
        Approval {
            id: self.short_id(),
            token: format!("{TOKEN}{}{}", ulid::Ulid::new(), ulid::Ulid::new()),
            by,
            digest: intent.digest(),
            questions,
            worth: worth.clone(),
            asked_at: now,
            expires_at: now.saturating_add(life).unwrap_or(now),
            boot: Boot::now(),
        }
    }

    /// Short enough to be typed, and none that waits already.
    fn short_id(&self) -> String {
        loop {
            let mut random = ulid::Ulid::new().random();
            let letters = (0..5).map(|_| {
                let letter = LETTERS[(random % LETTERS.len() as u128) as usize];
                random /= LETTERS.len() as u128;
                char::from(letter)
            });
            let id: String = letters.collect();
            if self.ledger.book.by_approval(&id).is_none()
                && self.ledger.book.by_past_approval(&id).is_none()
            {
                return id;
            }
        }
    }
}

fn unknown_approval(name: &str) -> Refusal {
    Refusal::new(
        ErrorCode::UnknownConfirmation,
        format!("Nothing waits for a yes under the name {name}."),
        "It was answered, or it has expired. Call get_live_orders, or get_order_status with the intentId.",
    )
    .at("confirmationId")
}

fn expired(id: &str) -> Refusal {
    Refusal::new(
        ErrorCode::ConfirmationExpired,
        format!("{id} has expired: the market has moved on."),
        "Nothing was sent. Place the order again if it is still wanted.",
    )
    .at("confirmationId")
}

fn needs_person(id: &str) -> Refusal {
    Refusal::new(
        ErrorCode::NeedsPerson,
        format!("Only a person can approve {id}; nothing was changed."),
        format!("Tell the user to run `ibctl approve {id}`, or `ibctl deny {id}`."),
    )
    .at("confirmationId")
}
