//! One step of one intent: decided, journalled, then acted on.

use ibd_cpapi::orders::Stage;
use ibd_protocol::ReasonCode;
use jiff::Timestamp;
use ractor::ActorRef;

use crate::orders::book::Book;
use crate::orders::clock::Boot;
use crate::orders::guardrails::Denial;
use crate::orders::intent::{Intent, IntentId};
use crate::orders::life::{self, Effect, Event};
use crate::orders::order::{Order, Purpose};
use crate::orders::peeks::Until;
use crate::orders::record::Record;
use crate::orders::{Msg, State};

impl State {
    /// One step of one intent: decided, journalled, then acted on.
    pub(in crate::orders) async fn step(
        &mut self,
        me: &ActorRef<Msg>,
        id: IntentId,
        event: Event,
        by: &str,
    ) {
        let Some(intent) = self.ledger.book.get(id) else { return };
        let (is_turn, is_yes) = (event == Event::Turn, event == Event::Approved);
        let now = Timestamp::now();
        let Some((state, mut effects)) = life::step(&intent.state, event, now) else { return };
        let changed = state != intent.state;
        if changed {
            let sent_at = is_turn.then_some(now);
            let through = is_turn.then(|| self.broker.through()).flatten();
            let boot = is_turn.then(Boot::now).flatten();
            let amended = amended(&self.ledger.book, intent, &state);
            let state = Box::new(state);
            let became = Record::Became { id, state, sent_at, through, boot, by: by.to_owned() };
            let records: Vec<Record> = std::iter::once(became).chain(amended).collect();
            if let Err(why) = self.write(id, records.clone()).await {
                tracing::error!(why, intent = %id, "a step could not be journalled");
                // It waits for its yes on: the next daemon would ask for one again, and it may be sent then.
                if is_yes {
                    return;
                }
                let is_end = self.ledger.book.get(id).is_some_and(|intent| intent.order.is_none());
                let records = match unwritten(id, &effects, is_turn, is_end, &why, now) {
                    Some(record) => {
                        effects = vec![Effect::Free, Effect::Tell];
                        vec![record]
                    }
                    None => records,
                };
                for record in records {
                    self.ledger.apply(record, now);
                }
            }
        }
        for effect in effects {
            self.perform(me, id, effect).await;
        }
        if changed {
            self.changed();
            self.expect_news(me, id);
            // While anything may become something, somebody listens.
            self.listen(me);
        }
        self.next_turn(me);
    }

    /// What IBKR has just taken is followed at once, without waiting for the next look.
    fn expect_news(&mut self, me: &ActorRef<Msg>, id: IntentId) {
        let Some(intent) = self.ledger.book.get(id) else { return };
        if let (life::State::Working(standing), true) = (&intent.state, is_new(&intent.state)) {
            self.expect(me, standing.order_id, Until::Settled);
        }
    }

    async fn perform(&mut self, me: &ActorRef<Msg>, id: IntentId, effect: Effect) {
        match effect {
            Effect::Queue => self.enqueue(id),
            Effect::Send => self.send(me, id),
            Effect::Reply(reply, decision) => self.reply(me, id, reply, decision),
            Effect::Free if self.lane.is_of(id) => self.lane.free(),
            Effect::Free => {}
            Effect::Look => self.watch.wants_look = true,
            Effect::Ask => self.tell_approval(id),
            Effect::Follow(questions) => self.follow(id, questions).await,
            Effect::Tell => self.tell(id),
            Effect::TellPart(order) => self.tell_part(id, order),
            Effect::Alarm => self.alarm(me, id).await,
            Effect::AlarmPart(order) => self.alarm_part(id, order).await,
        }
    }
}

/// What an intent becomes, in memory alone, if its step could not be journalled; nothing if it goes on all
/// the same. No order is sent, and no question answered, that a later daemon would not know of. An end of
/// an order is sent, and what the broker says is known.
fn unwritten(
    id: IntentId,
    effects: &[Effect],
    is_turn: bool,
    is_end: bool,
    why: &str,
    now: Timestamp,
) -> Option<Record> {
    let sends = effects.iter().any(|effect| matches!(effect, Effect::Send | Effect::Reply(..)));
    if !sends || is_end {
        return None;
    }
    let state = if is_turn {
        life::State::Denied(Denial::new(
            ReasonCode::TradingClosed,
            format!("Trading is closed: {why}. Nothing was sent."),
            "Tell the user; `ibctl status` says more.",
        ))
    } else {
        life::State::Unknown(life::Doubt {
            cause: format!("IBKR asked a question, which is left open: {why}"),
            since: now,
            looks: 0,
        })
    };
    let by = "the daemon".to_owned();
    let state = Box::new(state);
    Some(Record::Became { id, state, sent_at: None, through: None, boot: None, by })
}

/// A change that was taken is what its order is from then on.
fn amended(book: &Book, change: &Intent, state: &life::State) -> Option<Record> {
    let (Purpose::Modify { order_id, .. }, life::State::Over(life::End::Done)) =
        (&change.purpose, state)
    else {
        return None;
    };
    let target = match change.target() {
        Some(id) => book.get(id),
        None => book.by_order(*order_id),
    };
    let target = target?;
    let (before, wanted) = (target.order.as_ref()?, change.order.clone()?);
    let order = if target.order_id() == Some(*order_id) {
        Order { attached: before.attached.clone(), ..wanted }
    } else {
        // One of a bracket's children: what is told of the whole names its price.
        Order { attached: before.attached.with_child(wanted.pricing)?, ..before.clone() }
    };
    Some(Record::Amended { id: target.id, text: order.shown(), order: Box::new(order) })
}

/// An order that was only just taken has more to tell within a moment.
pub(in crate::orders) fn is_new(state: &life::State) -> bool {
    matches!(state, life::State::Working(standing)
        if matches!(
            standing.status.stage(),
            Some(Stage::PendingSubmit | Stage::PreSubmitted | Stage::PendingCancel)
        ) && !standing.has_fills())
}
