//! What a person does about orders through `ibctl`, and what is answered.

use serde::{Deserialize, Serialize};

use crate::Secret;
use crate::states::{self, Said};

/// What a person does about orders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum OrdersVerb {
    /// What works, waits or is in doubt.
    List,
    /// Settles by hand an order of which nobody could find out what became of it.
    Resolve {
        /// The intent's id.
        id: String,
        /// What a person found out.
        found: Resolution,
        /// The PIN, where one is set.
        pin: Option<Secret>,
    },
    /// Approves an order: its approval's id, and the digest of what was shown.
    Approve {
        /// The approval's id.
        id: String,
        /// [`ApprovalReport::digest`] of what the person saw.
        digest: String,
        /// The PIN, where one is set.
        pin: Option<Secret>,
    },
    /// Declines an order, or a question of the broker's.
    Deny(String),
    /// Stops all new orders at once.
    Freeze {
        /// Also cancels whatever works, in all accounts.
        cancel_all: bool,
    },
    /// Lets orders through again, also after the breaker has stopped them.
    Unfreeze {
        /// The PIN, where one is set.
        pin: Option<Secret>,
    },
    /// The newest entries of the audit trail, at most so many.
    Audit(u32),
    /// Whether the audit trail is whole.
    AuditVerify,
    /// What works at the broker and was not sent from here, as it was last seen: nothing is asked for it. Not `ok`:
    /// nothing is known of it.
    Elsewhere,
}

/// What a person found out about an order in doubt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resolution {
    /// The broker never had it.
    NotPlaced,
    /// The broker has it under this order id.
    Placed(String),
}

/// The answer to an [`OrdersVerb`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrdersReport {
    /// Whether what was asked for is so now.
    pub ok: bool,
    /// One sentence for a person.
    pub text: String,
    /// What to do; empty when there is nothing to do.
    pub hint: String,
    /// `open`, `closed` or `frozen`.
    pub trading: Said<states::Trading>,
    /// Whether approving, resolving and unfreezing want a PIN.
    pub needs_pin: bool,
    /// Orders, those that need a person first.
    pub orders: Vec<OrderReport>,
    /// What waits for a person's approval, oldest first.
    pub approvals: Vec<ApprovalReport>,
    /// The audit trail, oldest first.
    pub audit: Vec<AuditLine>,
}

/// One order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderReport {
    /// Our id; empty of one that was not sent from here.
    pub intent_id: String,
    /// The id that it was sent with.
    pub client_order_id: String,
    /// The broker's id.
    pub order_id: Option<String>,
    /// Whose.
    pub account: String,
    /// How it stands.
    pub state: Said<states::Order>,
    /// The order in one line.
    pub text: String,
    /// Which client asked for it.
    pub client: String,
    /// When it came to stand there, RFC 3339.
    pub since: String,
    /// Why it stands there, where there is something to say.
    pub reason: Option<String>,
    /// What to do; empty when there is nothing to do.
    pub hint: String,
    /// Whether something of it may still become something.
    pub open: bool,
    /// The other orders of the same submission, a line each.
    pub others: Vec<String>,
    /// What should be known first, a sentence each.
    pub warnings: Vec<String>,
}

/// One order that waits for a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalReport {
    /// What `ibctl approve` and `deny` take.
    pub id: String,
    /// The order's own id.
    pub intent_id: String,
    /// Whose.
    pub account: String,
    /// Whether the account is a paper one.
    pub paper: bool,
    /// The whole order, a line each.
    pub lines: Vec<String>,
    /// What the broker asks, a question each.
    pub questions: Vec<String>,
    /// Which client asked for it.
    pub client: String,
    /// SHA-256 of exactly what will be sent.
    pub digest: String,
    /// RFC 3339.
    pub asked_at: String,
    /// RFC 3339.
    pub expires_at: String,
    /// How long it has waited.
    pub age_seconds: u64,
}

/// One entry of the audit trail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditLine {
    /// Its number; none is left out.
    pub seq: u64,
    /// RFC 3339.
    pub at: String,
    /// What happened, in snake_case.
    pub what: String,
    /// Which order.
    pub intent_id: Option<String>,
    /// Which client asked.
    pub client: Option<String>,
    /// In words: what was decided, by which rule, what the broker said.
    pub text: String,
    /// The record's hash, over itself and the hash before it.
    pub hash: String,
}
