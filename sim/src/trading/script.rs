//! What a test wants to become of the next orders.

use std::collections::VecDeque;

use serde::Deserialize;

use crate::book::{Course, Status};

/// Body of `POST /script`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScriptBody {
    pub(crate) orders: VecDeque<Script>,
}

/// What becomes of one request to place orders.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Script {
    /// These questions instead of the usual ones; an empty list asks nothing.
    pub(crate) questions: Option<Vec<String>>,
    /// Refused in these words, or the text of the failed row.
    pub(crate) reject: Option<String>,
    /// Refused by a row with the order id -1 and this status; of a bracket only the last leg fails.
    pub(crate) row_status: Option<String>,
    /// Refused by this object.
    pub(crate) advanced_reject: Option<serde_json::Value>,
    /// Refused by 200 without a body.
    pub(crate) empty: bool,
    /// Accepted, and held until a prompt is answered at `/iserver/notification`.
    pub(crate) prompt: bool,
    /// What happens after the acceptance: to the first ticket of a set, and to the others.
    pub(crate) then: Then,
    /// See `then`.
    pub(crate) then_others: Then,
    /// What a late reject turns the order into, and why.
    pub(crate) late_status: LateStatus,
    pub(crate) reason: Option<String>,
    /// If its question is given up, it goes live all the same, some time later.
    pub(crate) zombie: bool,
    /// If its question is answered by no, it goes live all the same, some time later.
    pub(crate) declined_rises: bool,
    /// Accepted, and answered by an error with this text.
    pub(crate) error: Option<String>,
    /// What is odd about the rows of its acceptance.
    pub(crate) rows: Option<Rows>,
}

/// Odd rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Rows {
    /// The last ticket's first.
    Reversed,
    /// A status and no id.
    NoIds,
}

/// What happens to an accepted order.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Then {
    /// What the market says.
    #[default]
    Market,
    Fill,
    Rest,
    Partial,
    LateReject,
}

/// What a late reject turns an order into.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) enum LateStatus {
    #[default]
    Cancelled,
    Inactive,
}

impl Script {
    /// Who decides about fills of the ticket with this number.
    pub(super) fn course(&self, number: usize) -> Course {
        match if number == 0 { self.then } else { self.then_others } {
            Then::Market => Course::Market,
            Then::Fill => Course::Fill,
            Then::Rest => Course::Rest,
            Then::Partial => Course::Partial,
            Then::LateReject => Course::LateReject(match self.late_status {
                LateStatus::Cancelled => Status::Cancelled,
                LateStatus::Inactive => Status::Inactive,
            }),
        }
    }
}
