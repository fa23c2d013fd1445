//! What the journal says: the truth about orders, and the audit trail. JSON, so that it can be read for
//! ever; `record/examples.jsonl` has one line of each kind that was ever written. Pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::clock::Boot;
use super::intent::{Intent, IntentId, Through};
use super::life::State;
use super::order::Order;

/// One entry of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// A daemon began.
    Started {
        /// Its build.
        build: String,
    },
    /// Somebody asked for something; this is its first state.
    Intent(Box<Intent>),
    /// An intent became something else.
    Became {
        /// Which.
        id: IntentId,
        /// What.
        state: Box<State>,
        /// When it was sent, where this is what happened.
        sent_at: Option<Timestamp>,
        /// Through which gateway and login, where it was sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        through: Option<Through>,
        /// The same moment by the time since the machine was started.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        boot: Option<Boot>,
        /// Who or what made it so.
        by: String,
    },
    /// No new orders until a person lets them through again.
    Frozen {
        /// Who or what froze it.
        by: String,
    },
    /// Orders go through again.
    Unfrozen {
        /// Who let them.
        by: String,
    },
    /// Something that should be seen by whoever reads the trail.
    Note {
        /// About which intent.
        id: Option<IntentId>,
        /// What.
        text: String,
    },
    /// The broker took a change, or what is held became another quantity before it was sent to be closed: this
    /// is what the order is from now on.
    Amended {
        /// Which intent's order.
        id: IntentId,
        /// In one line.
        text: String,
        /// The whole.
        order: Box<Order>,
    },
}

impl Record {
    /// As it is written.
    pub fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }

    /// As it was read.
    pub fn from_bytes(bytes: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes)
    }

    /// What happened, in snake_case.
    pub fn what(&self) -> String {
        match self {
            Self::Started { .. } => "started".to_owned(),
            Self::Intent(intent) if intent.state.name() == "ready" => "asked".to_owned(),
            Self::Intent(intent) => intent.state.name().to_owned(),
            Self::Became { state, .. } => state.name().to_owned(),
            Self::Frozen { .. } => "frozen".to_owned(),
            Self::Unfrozen { .. } => "unfrozen".to_owned(),
            Self::Note { .. } => "note".to_owned(),
            Self::Amended { .. } => "amended".to_owned(),
        }
    }

    /// About which intent.
    pub fn intent(&self) -> Option<IntentId> {
        match self {
            Self::Intent(intent) => Some(intent.id),
            Self::Became { id, .. } | Self::Amended { id, .. } => Some(*id),
            Self::Note { id, .. } => *id,
            _ => None,
        }
    }

    /// Which client asked.
    pub fn client(&self) -> Option<&str> {
        match self {
            Self::Intent(intent) => Some(&intent.origin.client),
            _ => None,
        }
    }

    /// In words.
    pub fn text(&self) -> String {
        match self {
            Self::Started { build } => format!("ibd {build}"),
            Self::Intent(intent) => {
                let asked = format!("{} by {}", intent.text, intent.origin.tool);
                match why(&intent.state) {
                    Some(why) => format!("{asked}: {why}"),
                    None => asked,
                }
            }
            Self::Became { state, by, .. } => match why(state) {
                Some(why) => format!("{why} (by {by})"),
                None => format!("by {by}"),
            },
            Self::Frozen { by } => format!("no new orders (by {by})"),
            Self::Unfrozen { by } => format!("orders go through again (by {by})"),
            Self::Note { text, .. } | Self::Amended { text, .. } => text.clone(),
        }
    }
}

/// Why a state is as it is, in words.
pub fn why(state: &State) -> Option<String> {
    use super::life::{End, NotPlaced};
    let asks = |questions: &[super::life::Question]| {
        let texts: Vec<String> = questions
            .iter()
            .map(|q| format!("{} {:?}", q.id.as_deref().unwrap_or("-"), q.text))
            .collect();
        texts.join("; ")
    };
    match state {
        State::Denied(denial) => {
            let rule = denial.setting.clone().unwrap_or_else(|| denial.code.to_string());
            Some(format!("{} [{rule}]", denial.message))
        }
        State::Awaiting(approval) => {
            Some(format!("waits for {} {}", approval.by.as_str(), approval.id))
        }
        State::Ready | State::Sending | State::Over(End::Done) => None,
        State::Over(End::Requested) => {
            Some("IBKR took the change, and its page does not show it".to_owned())
        }
        State::Replying { questions, .. } => Some(format!("yes to {}", asks(questions))),
        State::Declining { questions, .. } => Some(format!("no to {}", asks(questions))),
        State::Unknown(doubt) | State::Parked(doubt) => Some(doubt.cause.clone()),
        State::Working(standing)
        | State::Over(End::Filled(standing) | End::Cancelled(standing) | End::Unlisted(standing)) =>
        {
            let filled = standing.filled.map(|f| format!(", filled {}", f.normalize()));
            let risen = standing.risen.as_ref().map(|told| format!("; told before: {told}"));
            Some(format!(
                "order {} {}{}{}",
                standing.order_id,
                standing.status,
                filled.unwrap_or_default(),
                risen.unwrap_or_default()
            ))
        }
        State::Over(End::NotTaken) => {
            Some("IBKR did not take it; the order works as before".to_owned())
        }
        State::Over(End::Rejected(text)) => Some(format!("IBKR: {text}")),
        State::Over(End::NotPlaced(why)) => Some(match why {
            NotPlaced::Declined(by) => format!("declined by {by}"),
            NotPlaced::Expired => "nobody said yes in time, or its turn did not come".to_owned(),
            NotPlaced::NotSent(why) => format!("not sent: {why}"),
            NotPlaced::Asked(questions) => format!("IBKR asks {}", asks(questions)),
            NotPlaced::ByPerson => "a person found that IBKR does not have it".to_owned(),
            NotPlaced::Restarted(true) => {
                "approved, and the daemon was started anew before it was sent".to_owned()
            }
            NotPlaced::Restarted(false) => {
                "the daemon was started anew before its turn came".to_owned()
            }
        }),
    }
}

#[cfg(test)]
mod tests;
