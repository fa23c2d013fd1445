//! The life of one intent: what it becomes, and what is done about that. Pure: no clock, no await.
//!
//! Every step is journalled before its effects are performed; so at any crash the journal says at least
//! as much as the broker can know.
//!
//! ```text
//!            ┌─────────────── refused ───────────────▶ Denied
//!  (vetted) ─┼─▶ Awaiting ──approved──▶ Ready ──turn──▶ Sending ──accepted──▶ Working ──▶ Over
//!            │      │  ▲                 │ ▲              │  ▲                  ▲   ▲
//!            │      │  └── market moved ─┘ │              │  └─ yes ─ Replying ─┘   │ found
//!            └──────┼─────────────────────┘           asked ─ no ─ Declining ─▶ Over(asked)
//!                   └─ declined, expired ─▶ Over         │             │
//!                                         any silence ──▶ Unknown ─────┴── absent ─▶ Parked
//! ```
//!
//! Nothing is ever sent again, and nothing that may be at the broker is called not placed except by a
//! person. A question that is not answered with yes ends its intent; a person's yes makes a new one.

mod news;
mod state;

use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::ReplyId;
use jiff::Timestamp;

use super::approval::Approval;
use super::guardrails::Denial;
use super::standing::{Part, Seen, Standing};
pub use news::Sight;
use news::{part_shown, rise, seen, unlisted};
pub use state::{Doubt, End, NotPlaced, Question, State};

/// Questions that are answered in one round at most.
pub const ROUNDS: u32 = 8;

/// A yes or a no: to a question of the broker's, or of somebody who is asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It may go.
    Yes,
    /// It may not.
    No,
}

impl Decision {
    /// A yes where this is so.
    pub fn yes_if(is_so: bool) -> Self {
        if is_so { Self::Yes } else { Self::No }
    }
}

/// Whether the time that an order was good for is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    /// It has ended by itself by now.
    Over,
    /// It goes on, as far as is known.
    Open,
}

/// What happens to an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Somebody who may said yes.
    Approved,
    /// Somebody said no: who.
    Declined(String),
    /// Its time is up.
    Expired,
    /// The market is no longer what was shown.
    Moved(Box<Approval>),
    /// A last look refused it.
    Refused(Denial),
    /// Its turn: the lane is its own.
    Turn,
    /// Not a byte was sent.
    NotSent(String),
    /// The broker took it.
    Accepted(Standing),
    /// The broker took a change or a cancellation, or shows that it was done.
    Applied,
    /// The broker took a change, and does not show it.
    Taken,
    /// A cancellation in doubt: the order works as before. To ask again does no harm.
    StillThere,
    /// The broker asks; whether that is answered with yes.
    Asked(ReplyId, Vec<Question>, Decision),
    /// The broker refused it, in its words.
    Rejected(String),
    /// What became of what was sent is not known.
    Silence(String),
    /// The daemon starts; it was like this when the last one ended. Whether somebody had said yes to it.
    Restarted(bool),
    /// It was seen at the broker, in a list or by a push: both may be late.
    Found(Standing),
    /// It is so now: its own page at the broker was read, which is never late, or a list that is later than
    /// lists are late.
    Shown(Standing),
    /// The same, asked for so long after what is known was learnt that it counts whatever it takes back.
    Corrected(Standing),
    /// The own page of another order of the submission was read: how it stands, and whether that is so late that it
    /// counts whatever it takes back.
    PartShown(Part, Sight),
    /// For long the broker's lists have not had this order, of what it was known to have. Whether it ends by
    /// itself.
    Unlisted(OrderId, Term),
    /// So many complete looks, over a long time, have not seen it.
    Absent(u32),
    /// A person found out.
    Resolved(Option<Standing>),
}

/// What is done after a step is journalled, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Join the queue for the lane.
    Queue,
    /// Send it.
    Send,
    /// Answer the broker's question.
    Reply(ReplyId, Decision),
    /// The lane is free for the next.
    Free,
    /// Look for it at the broker.
    Look,
    /// Somebody must approve it.
    Ask,
    /// A new intent that follows it waits for a yes to these questions.
    Follow(Vec<Question>),
    /// Something happened that somebody should hear of.
    Tell,
    /// The same, to another order of the submission.
    TellPart(OrderId),
    /// The broker has what was told as not placed, or works again what was over.
    Alarm,
    /// The same of another order of the submission.
    AlarmPart(OrderId),
}

/// What an event makes of a state. `None`: it changes nothing.
pub fn step(state: &State, event: Event, now: Timestamp) -> Option<(State, Vec<Effect>)> {
    use Effect::{Ask, Follow, Free, Look, Queue, Send, Tell};
    use Event as E;
    use State as S;
    let over = |end| S::Over(end);
    let not_placed = |why| S::Over(End::NotPlaced(why));
    let doubt = |cause: String| Doubt { cause, since: now, looks: 0 };
    Some(match (state, event) {
        (S::Awaiting(_), E::Approved) => (S::Ready, vec![Queue]),
        (S::Awaiting(_), E::Declined(by)) => (not_placed(NotPlaced::Declined(by)), vec![Tell]),
        (S::Awaiting(_) | S::Ready, E::Expired) => (not_placed(NotPlaced::Expired), vec![Tell]),
        (S::Ready, E::Moved(approval)) => (S::Awaiting(approval), vec![Free, Ask]),
        (S::Ready | S::Awaiting(_), E::Refused(denial)) => (S::Denied(denial), vec![Free, Tell]),
        (S::Ready, E::Turn) => (S::Sending, vec![Send]),
        (S::Ready, E::Restarted(had_yes)) => {
            (not_placed(NotPlaced::Restarted(had_yes)), vec![Tell])
        }

        (S::Sending, E::NotSent(why)) => (not_placed(NotPlaced::NotSent(why)), vec![Free, Tell]),
        (S::Sending | S::Replying { .. } | S::Declining { .. }, E::Accepted(standing)) => {
            (S::at_broker(standing), vec![Free, Tell])
        }
        (S::Sending | S::Replying { .. } | S::Declining { .. }, E::Applied) => {
            (over(End::Done), vec![Free, Tell])
        }
        (S::Sending | S::Replying { .. } | S::Declining { .. }, E::Taken) => {
            (over(End::Requested), vec![Free, Tell])
        }
        (S::Unknown(_) | S::Parked(_), E::Applied) => (over(End::Done), vec![Tell]),
        (S::Unknown(_), E::StillThere) => (over(End::NotTaken), vec![Tell]),
        (S::Sending, E::Asked(reply, questions, decision)) => answer(reply, 1, questions, decision),
        (S::Replying { round, .. }, E::Asked(reply, questions, decision)) => {
            let decision = if *round < ROUNDS { decision } else { Decision::No };
            answer(reply, round + 1, questions, decision)
        }
        (S::Declining { questions, .. }, E::Rejected(_)) => {
            let asked = questions.clone();
            (not_placed(NotPlaced::Asked(asked.clone())), vec![Free, Follow(asked)])
        }
        (S::Sending | S::Replying { .. }, E::Rejected(text)) => {
            (over(End::Rejected(text)), vec![Free, Tell])
        }
        (S::Declining { .. }, E::Asked(..)) => {
            let cause = "the broker asked again instead of taking the no".to_owned();
            (S::Unknown(doubt(cause)), vec![Free, Look, Tell])
        }
        // Unanswered, the question may still be taken for answered: that was seen.
        (
            S::Sending | S::Replying { .. } | S::Declining { .. },
            E::Silence(cause) | E::NotSent(cause),
        ) => (S::Unknown(doubt(cause)), vec![Free, Look, Tell]),
        (S::Sending | S::Replying { .. } | S::Declining { .. }, E::Restarted(_)) => {
            let cause = "the daemon ended in the middle of sending it".to_owned();
            (S::Unknown(doubt(cause)), vec![Look, Tell])
        }

        (
            S::Unknown(_) | S::Parked(_),
            E::Found(standing) | E::Shown(standing) | E::Corrected(standing),
        ) => (S::at_broker(standing), vec![Tell]),
        (S::Unknown(doubt), E::Absent(looks)) => {
            (S::Parked(Doubt { looks, ..doubt.clone() }), vec![Tell])
        }
        (S::Unknown(_) | S::Parked(_), E::Resolved(None)) => {
            (not_placed(NotPlaced::ByPerson), vec![Tell])
        }
        (S::Unknown(_) | S::Parked(_), E::Resolved(Some(standing))) => {
            (S::at_broker(standing), vec![Tell])
        }

        (S::Working(_), E::Accepted(news)) => return seen(state, news, Sight::Late),
        (S::Working(_) | S::Over(_), E::Found(news)) if state.standing().is_some() => {
            return seen(state, news, Sight::Late);
        }
        (S::Working(_) | S::Over(_), E::Shown(news)) if state.standing().is_some() => {
            return seen(state, news, Sight::Now);
        }
        (S::Working(_) | S::Over(_), E::Corrected(news)) if state.standing().is_some() => {
            return seen(state, news, Sight::Since);
        }
        (_, E::PartShown(part, sight)) => return part_shown(state, &part, sight),
        (_, E::Unlisted(order_id, term)) => return unlisted(state, order_id, term),
        (_, E::Resolved(None)) if state.standing().is_some_and(Standing::has_missing) => {
            let gone = state.standing()?.without_missing();
            if gone.status == Seen::Unlisted {
                (over(End::Unlisted(gone)), vec![Tell])
            } else {
                (state.standing_as(gone)?, Vec::new())
            }
        }
        // What was told as not placed is there all the same: from now on everything says so.
        (
            S::Denied(_) | S::Over(End::NotPlaced(_) | End::Rejected(_)),
            E::Found(news) | E::Shown(news) | E::Corrected(news),
        ) => return rise(state, news),
        _ => return None,
    })
}

fn answer(
    reply: ReplyId,
    round: u32,
    questions: Vec<Question>,
    decision: Decision,
) -> (State, Vec<Effect>) {
    let effects = vec![Effect::Reply(reply.clone(), decision)];
    let state = match decision {
        Decision::Yes => State::Replying { reply, round, questions },
        Decision::No => State::Declining { reply, questions },
    };
    (state, effects)
}

#[cfg(test)]
#[path = "life/tests.rs"]
pub(crate) mod tests;
