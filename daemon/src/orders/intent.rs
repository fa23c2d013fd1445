//! An intent: one thing that somebody asked for, once. Its id and the client order id that follows from
//! it are made here and nowhere else, and never made again for the same intent. Pure.

use std::fmt;
use std::str::FromStr;
use std::time::Instant;

use ibd_cpapi::id::{AccountId, ClientOrderId, OrderId};
use ibd_cpapi::orders::Side;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use super::clock::Boot;
use super::guardrails::Worth;
use super::life::{Question, State};
use super::order::{Order, Purpose, digest};

/// What our orders carry at the broker, in front of the intent's id.
pub const PREFIX: &str = "ibd";

/// What the keys of requests begin with that their callers named.
pub const NAMED: &str = "request/";

/// Names an intent for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IntentId(Ulid);

impl IntentId {
    /// A new one. Each call is another intent.
    pub fn new() -> Self {
        Self(Ulid::new())
    }

    /// The one client order id that this intent has. It cannot be chosen, so a second one cannot be made.
    pub fn client_order_id(self) -> Option<ClientOrderId> {
        format!("{PREFIX}{}", self.0).parse().ok()
    }

    /// The intent that sent a client order id, if it is one of ours. Orders of the same submission have
    /// theirs with a number behind it.
    pub fn of_client_order_id(text: &str) -> Option<Self> {
        let own = text.strip_prefix(PREFIX)?;
        own.split('-').next()?.parse().ok()
    }
}

impl Default for IntentId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for IntentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for IntentId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| format!("{text:?} is not an intentId"))
    }
}

/// Through which gateway and login something was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Through {
    /// The gateway, in words.
    pub gateway: String,
    /// The username, where it was known.
    pub login: Option<String>,
}

impl Through {
    /// Whether the two may be the same. A username that is not known may be any.
    pub fn may_be(&self, other: &Self) -> bool {
        let is_other_login = match (&self.login, &other.login) {
            (Some(one), Some(other)) => !one.eq_ignore_ascii_case(other),
            _ => false,
        };
        self.gateway == other.gateway && !is_other_login
    }
}

impl fmt::Display for Through {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.login {
            Some(login) => write!(f, "{} as {login}", self.gateway),
            None => f.write_str(&self.gateway),
        }
    }
}

/// Who asked, and how the request is known again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The client's own name.
    pub client: String,
    /// Which tool it called.
    pub tool: String,
    /// The same for a request that is made again.
    pub key: String,
    /// SHA-256 of what was asked for.
    pub hash: String,
    /// Limits that the client brought along.
    pub bound: Vec<(String, String)>,
}

/// One thing that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Its name.
    pub id: IntentId,
    /// The name that the broker knows it by.
    pub client_order_id: ClientOrderId,
    /// What is to be done.
    pub purpose: Purpose,
    /// Whose.
    pub account: AccountId,
    /// The order; of a cancellation there is none.
    pub order: Option<Order>,
    /// The whole in one line.
    pub text: String,
    /// Who asked.
    pub origin: Origin,
    /// The intent whose question this one is the yes to.
    pub follows: Option<IntentId>,
    /// Questions that were agreed to, by their ids: what earlier journals know of them.
    pub agreed: Vec<String>,
    /// Questions that were agreed to, with their words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agreed_to: Vec<Question>,
    /// Whether the allow-list answers the broker's questions.
    pub suppress: bool,
    /// The alike intent that was named on purpose.
    pub beside: Option<IntentId>,
    /// What it was worth when it was vetted.
    pub worth: Worth,
    /// What whoever asked should hear first: a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Through which gateway and login it was sent; earlier journals do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<Through>,
    /// When it was made, and then when it was sent, by the time since the machine was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<Boot>,
    /// As it was asked for, where the order was changed since: a second call of the same says this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_asked: Option<Box<Order>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
    /// Where it stands.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
    /// When it was made, by a clock that nobody sets; not known of what an earlier daemon made.
    #[serde(skip)]
    pub born: Option<Instant>,
    /// When something was last learned of it.
    #[serde(skip)]
    pub known_at: Option<Timestamp>,
    /// The same of the other orders of the submission, where that was later.
    #[serde(skip)]
    pub parts_known_at: Option<Timestamp>,
    /// Somebody said yes to it. Told by its steps.
    #[serde(skip)]
    pub had_yes: bool,
}

/// What an intent is made of.
#[derive(Debug, Clone)]
pub struct Seed {
    /// What is to be done.
    pub purpose: Purpose,
    /// Whose.
    pub account: AccountId,
    /// The order.
    pub order: Option<Order>,
    /// In one line.
    pub text: String,
    /// Who asked.
    pub origin: Origin,
}

impl Intent {
    /// A new intent in its first state.
    pub fn new(id: IntentId, seed: Seed, state: State, now: Timestamp) -> Option<Self> {
        Some(Self {
            id,
            client_order_id: id.client_order_id()?,
            purpose: seed.purpose,
            account: seed.account,
            order: seed.order,
            text: seed.text,
            origin: seed.origin,
            follows: None,
            agreed: Vec::new(),
            agreed_to: Vec::new(),
            suppress: true,
            beside: None,
            worth: Worth::default(),
            warnings: Vec::new(),
            through: None,
            boot: Boot::now(),
            as_asked: None,
            created_at: now,
            sent_at: None,
            state,
            since: now,
            born: Some(Instant::now()),
            known_at: Some(now),
            parts_known_at: None,
            had_yes: false,
        })
    }

    /// When something was last learned of one order of the submission.
    pub fn known_at_of(&self, order_id: OrderId) -> Timestamp {
        let known_at = self.known_at.unwrap_or(self.since);
        match self.state.standing().and_then(|standing| standing.part(order_id)) {
            Some(_) => self.parts_known_at.map_or(known_at, |at| at.max(known_at)),
            None => known_at,
        }
    }

    /// Whether one order of the submission is over: each goes its own way.
    pub fn has_ended(&self, order_id: OrderId) -> bool {
        match self.state.standing().and_then(|standing| standing.part(order_id)) {
            Some(part) => part.is_over(),
            None => self.state.is_over(),
        }
    }

    /// SHA-256 of exactly what will be sent.
    pub fn digest(&self) -> String {
        digest(&self.purpose, self.order.as_ref(), &self.client_order_id)
    }

    /// The intent whose order a change or an end is about, where it is one of ours.
    pub fn target(&self) -> Option<IntentId> {
        match self.purpose {
            Purpose::Modify { of, .. } | Purpose::Cancel { of, .. } => of,
            Purpose::Place | Purpose::CancelAll => None,
        }
    }

    /// Whether it is an order, and not a change or an end of one.
    pub fn is_order(&self) -> bool {
        self.purpose == Purpose::Place
    }

    /// The broker's id, where it has one.
    pub fn order_id(&self) -> Option<OrderId> {
        match self.purpose {
            Purpose::Modify { order_id, .. } | Purpose::Cancel { order_id, .. } => Some(order_id),
            Purpose::Place | Purpose::CancelAll => self.state.standing().map(|s| s.order_id),
        }
    }

    /// Buy or sell.
    pub fn side(&self) -> Option<Side> {
        self.order.as_ref().map(|order| order.side)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// An order in this state, as somebody asked for it just now.
    pub(crate) fn placed(order: Order, state: State) -> Intent {
        intent(Purpose::Place, order, state)
    }

    /// The same with another purpose.
    pub(crate) fn intent(purpose: Purpose, order: Order, state: State) -> Intent {
        let seed = Seed {
            purpose,
            account: order.account.clone(),
            text: order.shown(),
            order: Some(order),
            origin: Origin {
                client: "claude".into(),
                tool: "place_order".into(),
                key: "key".into(),
                hash: "hash".into(),
                bound: Vec::new(),
            },
        };
        Intent::new(IntentId::new(), seed, state, Timestamp::now()).unwrap()
    }

    #[test]
    fn an_intent_has_one_client_order_id_and_is_known_by_it() {
        let id = IntentId::new();
        let name = id.client_order_id().unwrap();
        assert_eq!(id.client_order_id().unwrap(), name);
        assert_eq!(name.as_str().len(), 29);
        assert_eq!(IntentId::of_client_order_id(name.as_str()), Some(id));
        assert_eq!(IntentId::of_client_order_id(&format!("{name}-2")), Some(id));
        for other in ["mine", "ibd", "ibdx", "", "IBD01J"] {
            assert_eq!(IntentId::of_client_order_id(other), None, "{other}");
        }
    }
}
