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

use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::{Meaning, ReplyId};
use ibd_protocol::states;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::approval::Approval;
use super::guardrails::Denial;
use super::standing::{Part, Seen, Standing};

/// Questions that are answered in one round at most.
pub const ROUNDS: u32 = 8;

/// Where an intent stands; each holds only what exists there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Our own rules refuse it; it was never sent.
    Denied(Denial),
    /// A person, or the client, must say yes.
    Awaiting(Box<Approval>),
    /// It may be sent and waits for its turn.
    Ready,
    /// It is being sent: from here on the broker may have it.
    Sending,
    /// The broker asked, and is being answered with yes.
    Replying {
        /// The broker's name for its question.
        reply: ReplyId,
        /// Which question of this round, from 1.
        round: u32,
        /// What it asks.
        questions: Vec<Question>,
    },
    /// The broker asked, and is being answered with no.
    Declining {
        /// The broker's name for its question.
        reply: ReplyId,
        /// What it asks.
        questions: Vec<Question>,
    },
    /// Whether the broker has it is not known.
    Unknown(Doubt),
    /// The same, and looking did not help: a person must find out.
    Parked(Doubt),
    /// The broker has it.
    Working(Standing),
    /// It is over.
    Over(End),
}

/// A question of the broker's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Its kind, for instance `o163`.
    pub id: Option<String>,
    /// Its words: untrusted text, cleaned.
    pub text: String,
}

/// Why it is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// What happened.
    pub cause: String,
    /// Since when.
    pub since: Timestamp,
    /// Complete looks that have not found it.
    pub looks: u32,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// The whole is filled.
    Filled(Standing),
    /// It was cancelled, by whomever; part of it may be filled.
    Cancelled(Standing),
    /// The broker's lists no longer have it. How it ended nobody said; a `DAY` order ends with its day.
    Unlisted(Standing),
    /// The broker refused it.
    Rejected(String),
    /// It was not sent, or the broker was told no.
    NotPlaced(NotPlaced),
    /// A change or cancellation was taken by the broker; a change is seen there.
    Done,
    /// A change was taken by the broker, and the order's page does not show it.
    Requested,
    /// A cancellation did not reach it: the order works as before.
    NotTaken,
}

/// Why it was not placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotPlaced {
    /// A person or the client said no.
    Declined(String),
    /// Nobody said yes in time, or it waited too long for its turn.
    Expired,
    /// The gateway could not be reached; not a byte was sent.
    NotSent(String),
    /// The broker asked, and was told no.
    Asked(Vec<Question>),
    /// A person found out that the broker does not have it.
    ByPerson,
    /// The daemon was started anew before it was sent; whether somebody had said yes to it.
    Restarted(bool),
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
    Asked(ReplyId, Vec<Question>, bool),
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
    Unlisted(OrderId, bool),
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
    Reply(ReplyId, bool),
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
        (S::Sending, E::Asked(reply, questions, yes)) => answer(reply, 1, questions, yes),
        (S::Replying { round, .. }, E::Asked(reply, questions, yes)) => {
            answer(reply, round + 1, questions, yes && *round < ROUNDS)
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
        (_, E::Unlisted(order_id, ends)) => return unlisted(state, order_id, ends),
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

/// Whether what was seen may be late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Lists lag behind, and pushes and executions come late.
    Late,
    /// The order's own page, or a list so late that it cannot be from before.
    Now,
    /// The order's own page, asked for well after everything that is known.
    Since,
}

/// What was told as not placed, and the broker has it. One that has ended without a fill is as good as none.
fn rise(state: &State, news: Standing) -> Option<(State, Vec<Effect>)> {
    #[cfg(feature = "faults")]
    if super::mutant::is("sinks") {
        return None;
    }
    let works = !news.is_over() || news.has_open_part();
    if !works && !news.has_any_fill() {
        return None;
    }
    let told = super::record::why(state).unwrap_or_else(|| "not placed".to_owned());
    let risen = Standing { risen: Some(told), ..news };
    Some((State::at_broker(risen), vec![Effect::Alarm]))
}

/// What newer word of an order that the broker has, or had, makes of it.
fn seen(state: &State, mut news: Standing, sight: Sight) -> Option<(State, Vec<Effect>)> {
    let known = &state.last_standing()?;
    let is_further = news.filled.unwrap_or_default() > known.filled.unwrap_or_default();
    let is_older = sight != Sight::Since && news.is_older_than(known);
    let is_back = sight != Sight::Late && !news.is_over() && !is_older;
    let is_otherwise = news.meaning() != known.meaning()
        || news.filled.is_some_and(|filled| known.filled.is_some_and(|known| known != filled));
    let moves = match state {
        State::Working(_) => !is_older,
        // What was told before, filled or cancelled, was not so.
        State::Over(End::Cancelled(_) | End::Filled(_))
            if sight == Sight::Since && is_otherwise =>
        {
            true
        }
        // Called cancelled, and filled all the same: that was seen.
        State::Over(End::Cancelled(_)) if news.meaning() == Meaning::Filled => true,
        // It works again: a list that says so may only be late, its own page is not.
        State::Over(End::Cancelled(_) | End::Filled(_)) if is_back => true,
        // A part that was filled before the end may be told after it, in the words of before.
        State::Over(End::Cancelled(_)) => {
            news.status.clone_from(&known.status);
            is_further
        }
        // Executions alone do not say that it works again.
        State::Over(End::Unlisted(_)) => news.status != Seen::Unlisted || is_further,
        _ => false,
    };
    let standing = if moves { known.updated(news) } else { known.with_parts(&news.others) };
    if *known == standing {
        return None;
    }
    // That it moves from one waiting room to the next is no news to anybody.
    let has_moved = standing.status != known.status
        && matches!(standing.meaning(), Meaning::Filled | Meaning::Ended | Meaning::Held);
    let is_back = standing.status != known.status && known.has_come_back(&standing);
    let is_news = standing.filled != known.filled || has_moved || is_back;
    let came_alive = is_back && state.is_over() && known.status != Seen::Unlisted;
    let told = is_news.then_some(if came_alive { Effect::Alarm } else { Effect::Tell });
    let parts = standing.news_since(known).into_iter().map(Effect::TellPart);
    let effects = told.into_iter().chain(parts).collect();
    let state = if moves { State::at_broker(standing) } else { state.standing_as(standing)? };
    Some((state, effects))
}

/// What its own page makes of another order of the submission.
fn part_shown(state: &State, page: &Part, sight: Sight) -> Option<(State, Vec<Effect>)> {
    let known = state.standing()?;
    let before = known.part(page.order_id)?;
    let now = before.shown(page, sight);
    let standing = known.with_part(now);
    if standing == *known {
        return None;
    }
    let is_back = before.is_over()
        && !before.is_unlisted()
        && standing.part(page.order_id).is_some_and(|part| !part.is_over());
    let told = standing.news_since(known).into_iter().map(|order| match is_back {
        true if order == page.order_id => Effect::AlarmPart(order),
        _ => Effect::TellPart(order),
    });
    let told = told.collect();
    Some((state.standing_as(standing)?, told))
}

/// What it means that the broker's lists no longer have an order. What does not end by itself may be there all
/// the same, or was ended elsewhere: which, a person finds out.
fn unlisted(state: &State, order_id: OrderId, ends: bool) -> Option<(State, Vec<Effect>)> {
    let known = state.standing()?;
    let is_main = known.order_id == order_id;
    let ends = ends || !is_main && known.has_no_use_for(order_id);
    let word = if ends { Seen::Unlisted } else { Seen::Missing };
    if is_main {
        let State::Working(standing) = state else { return None };
        if standing.status == word {
            return None;
        }
        let gone = Standing { status: word, ..standing.clone() };
        let state = if ends { State::Over(End::Unlisted(gone)) } else { State::Working(gone) };
        return Some((state, vec![Effect::Tell]));
    }
    let part = known.part(order_id).filter(|part| !part.is_over())?;
    let standing = known.with_parts(&[Part { status: Some(word), ..part.clone() }]);
    if standing == *known {
        return None;
    }
    let told = standing.news_since(known).into_iter().map(Effect::TellPart).collect();
    Some((state.standing_as(standing)?, told))
}

fn answer(reply: ReplyId, round: u32, questions: Vec<Question>, yes: bool) -> (State, Vec<Effect>) {
    let effects = vec![Effect::Reply(reply.clone(), yes)];
    let state = if yes {
        State::Replying { reply, round, questions }
    } else {
        State::Declining { reply, questions }
    };
    (state, effects)
}

impl State {
    /// The state of an order that the broker has.
    pub fn at_broker(standing: Standing) -> Self {
        match standing.meaning() {
            Meaning::Filled => Self::Over(End::Filled(standing)),
            Meaning::Ended => Self::Over(End::Cancelled(standing)),
            _ if standing.status == Seen::Unlisted => Self::Over(End::Unlisted(standing)),
            _ => Self::Working(standing),
        }
    }

    /// Whether it may be at the broker, and nobody knows.
    pub fn is_in_doubt(&self) -> bool {
        matches!(
            self,
            Self::Sending
                | Self::Replying { .. }
                | Self::Declining { .. }
                | Self::Unknown(_)
                | Self::Parked(_)
        )
    }

    /// Whether nothing will change it any more; of a submission's other orders see [`State::is_open`].
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Denied(_) | Self::Over(_))
    }

    /// Whether it holds the lane: the broker has heard of it in this round.
    pub fn is_in_round(&self) -> bool {
        matches!(self, Self::Sending | Self::Replying { .. } | Self::Declining { .. })
    }

    /// Whether a caller who waits for an outcome has one.
    pub fn is_settled(&self) -> bool {
        !matches!(
            self,
            Self::Ready | Self::Sending | Self::Replying { .. } | Self::Declining { .. }
        )
    }

    /// How it stands at the broker, where it does.
    pub fn standing(&self) -> Option<&Standing> {
        match self {
            Self::Working(standing)
            | Self::Over(
                End::Filled(standing) | End::Cancelled(standing) | End::Unlisted(standing),
            ) => Some(standing),
            _ => None,
        }
    }

    /// How it stands, as of today: earlier journals kept the broker's last one where it was forgotten.
    fn last_standing(&self) -> Option<Standing> {
        let standing = self.standing()?.clone();
        Some(match self {
            Self::Over(End::Unlisted(_)) => Standing { status: Seen::Unlisted, ..standing },
            _ => standing,
        })
    }

    /// The same state, of an order that stands like this.
    fn standing_as(&self, standing: Standing) -> Option<Self> {
        Some(match self {
            Self::Working(_) => Self::Working(standing),
            Self::Over(End::Filled(_)) => Self::Over(End::Filled(standing)),
            Self::Over(End::Cancelled(_)) => Self::Over(End::Cancelled(standing)),
            Self::Over(End::Unlisted(_)) => Self::Over(End::Unlisted(standing)),
            _ => return None,
        })
    }

    /// Whether the broker may yet make something of it, or of another order of the submission.
    pub fn is_open(&self) -> bool {
        !self.is_over() || self.standing().is_some_and(Standing::has_open_part)
    }

    /// The same in a sentence: it is …
    pub fn in_words(&self) -> String {
        match self {
            Self::Denied(_) => "refused".to_owned(),
            Self::Awaiting(_) => "waiting for approval".to_owned(),
            Self::Ready => "waiting for its turn to be sent".to_owned(),
            Self::Sending | Self::Replying { .. } | Self::Declining { .. } => {
                "being sent".to_owned()
            }
            Self::Unknown(_) | Self::Parked(_) => "in doubt".to_owned(),
            Self::Working(standing) if standing.status == Seen::Missing => {
                "not in IBKR's lists any more".to_owned()
            }
            Self::Working(standing) => match standing.meaning() {
                Meaning::Held => "held by IBKR and not worked".to_owned(),
                Meaning::Unknown => "at IBKR".to_owned(),
                _ => "working".to_owned(),
            },
            Self::Over(End::NotTaken) => "not carried out".to_owned(),
            Self::Over(_) => self.name().replace('_', " "),
        }
    }

    /// In snake_case, for the audit trail and for a person.
    pub fn name(&self) -> &'static str {
        self.word().as_str()
    }

    /// The same, as a word of the list that is shared with `ibctl`.
    pub fn word(&self) -> states::Order {
        use states::Order as Word;
        match self {
            Self::Denied(_) => Word::Denied,
            Self::Awaiting(_) => Word::AwaitingApproval,
            Self::Ready => Word::Ready,
            Self::Sending => Word::Sending,
            Self::Replying { .. } => Word::Replying,
            Self::Declining { .. } => Word::Declining,
            Self::Unknown(_) => Word::Unknown,
            Self::Parked(_) => Word::Parked,
            Self::Working(standing) if standing.status == Seen::Missing => Word::Missing,
            Self::Working(standing) if standing.risen.is_some() => Word::CameAlive,
            Self::Working(standing) => match standing.meaning() {
                Meaning::Held => Word::Inactive,
                Meaning::Unknown => Word::AtBroker,
                _ => Word::Working,
            },
            Self::Over(End::Filled(_)) => Word::Filled,
            Self::Over(End::Cancelled(standing)) => standing.ended(),
            Self::Over(End::Unlisted(_)) => Word::NoLongerListed,
            Self::Over(End::Rejected(_)) => Word::Rejected,
            Self::Over(End::NotPlaced(_)) => Word::NotPlaced,
            Self::Over(End::Done) => Word::Done,
            Self::Over(End::Requested) => Word::Requested,
            Self::Over(End::NotTaken) => Word::NotTaken,
        }
    }
}

#[cfg(test)]
#[path = "life/tests.rs"]
pub(crate) mod tests;
