//! Where an intent stands, how it ended and why it is in doubt. Pure: as the journal has it, and in words.

use ibd_cpapi::orders::{Meaning, ReplyId};
use ibd_protocol::states;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::orders::approval::Approval;
use crate::orders::guardrails::Denial;
use crate::orders::standing::{Seen, Standing};

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
    pub(super) fn last_standing(&self) -> Option<Standing> {
        let standing = self.standing()?.clone();
        Some(match self {
            Self::Over(End::Unlisted(_)) => Standing { status: Seen::Unlisted, ..standing },
            _ => standing,
        })
    }

    /// The same state, of an order that stands like this.
    pub(super) fn standing_as(&self, standing: Standing) -> Option<Self> {
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
