//! An order that was asked for here and that IBKR does not list as working.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::orders::{Intent, IntentState as State, Purpose, Seen};
use crate::tools::order_out;

/// The state of one that worked when it was last seen, and that is not listed now.
const NOT_LISTED: &str = "not_listed";
/// Said of one whose list could not be read.
const NOT_READ: &str =
    "It worked when it was last seen; IBKR's list could not be read now (see notRead).";

/// An order that was asked for here.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FromHere {
    /// Our id of it.
    intent_id: String,
    /// IBKR's id, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
    /// The account.
    account: String,
    /// awaiting_approval, unknown, parked, rejected, not_placed, denied, …; not_listed: it worked when it was last
    /// seen, and IBKR's list does not have it now.
    state: &'static str,
    /// The order in one line.
    text: String,
    /// modify or cancel, where it is no new order.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<&'static str>,
    /// Names what waits for a yes, for confirm_order and `ibctl approve`.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmation_id: Option<String>,
    /// How long it has waited for a yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_seconds: Option<u64>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What IBKR's list says of an order that is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listing {
    /// It was read, and does not have it.
    Without,
    /// It could not be read.
    NotRead,
}

impl FromHere {
    /// What is known of one that IBKR does not list as working.
    pub(super) fn of(intent: &Intent, listing: Listing) -> Self {
        let told = Self::told(intent);
        let works = intent.is_order()
            && matches!(&intent.state, State::Working(standing) if standing.status != Seen::Missing);
        match listing {
            _ if !works => told,
            Listing::Without => Self {
                state: NOT_LISTED,
                next: Some(order_out::not_shown("IBKR's list does not have")),
                ..told
            },
            Listing::NotRead => Self { next: Some(NOT_READ.to_owned()), ..told },
        }
    }

    fn told(intent: &Intent) -> Self {
        let approval = match &intent.state {
            State::Awaiting(approval) => Some(approval),
            _ => None,
        };
        Self {
            intent_id: intent.id.to_string(),
            order_id: intent.order_id().map(|id| id.to_string()),
            account: intent.account.to_string(),
            state: intent.state.name(),
            text: intent.text.clone(),
            request: match intent.purpose {
                Purpose::Place => None,
                Purpose::Modify { .. } => Some("modify"),
                Purpose::Cancel { .. } | Purpose::CancelAll => Some("cancel"),
            },
            confirmation_id: approval.map(|approval| approval.id.clone()),
            age_seconds: approval.map(|approval| approval.age(Timestamp::now())),
            reason: crate::orders::why(&intent.state),
            next: (!intent.state.is_over()).then(|| order_out::next(intent)),
        }
    }
}
