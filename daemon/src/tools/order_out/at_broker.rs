//! How an order stands at IBKR, and the others of its submission.

use ibd_cpapi::orders::Tif;
use schemars::JsonSchema;
use serde::Serialize;

use crate::orders::told;
use crate::orders::{Order, Part, Role, Standing};
use crate::tools::cell::Num;

/// How an order stands at IBKR.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AtBroker {
    /// IBKR's word: PreSubmitted, Submitted, Filled, Cancelled, Inactive, …; ours are Unlisted and Missing:
    /// its lists no longer have it.
    pub(super) status: String,
    /// What is filled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) filled: Option<Num>,
    /// Average price of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) avg_price: Option<Num>,
    /// What IBKR says about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
}

/// Another order of the same submission.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Other {
    /// IBKR's id as text.
    order_id: String,
    /// take_profit or stop_loss of a bracket, group of a one-cancels-all group; absent until it was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    /// Its kind and price: STP 95.
    #[serde(skip_serializing_if = "Option::is_none")]
    terms: Option<String>,
    /// For how long it is good, where that is not the order's tif.
    #[serde(skip_serializing_if = "Option::is_none")]
    tif: Option<&'static str>,
    /// IBKR's word; Unlisted: its lists no longer have it and it has ended; Missing: they do not have it, and
    /// it does not end by itself. Absent until it was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// What is filled.
    #[serde(skip_serializing_if = "Option::is_none")]
    filled: Option<Num>,
    /// Average price of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    avg_price: Option<Num>,
    /// What IBKR says about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl Other {
    pub(super) fn of(part: &Part, order: Option<&Order>) -> Self {
        Self {
            order_id: part.order_id.to_string(),
            role: order.and_then(|order| order.role_of(part)).map(Role::as_str),
            terms: part.terms.clone(),
            tif: told::other_tif(part, order).map(Tif::as_str),
            status: part.status.as_ref().map(ToString::to_string),
            filled: part.filled.map(Num),
            avg_price: part
                .average
                .filter(|_| part.filled.is_some_and(|filled| !filled.is_zero()))
                .map(Num),
            text: part.text.clone(),
        }
    }
}

impl AtBroker {
    pub(super) fn of_part(part: &Part) -> Option<Self> {
        let Other { status, filled, avg_price, text, .. } = Other::of(part, None);
        Some(Self { status: status?, filled, avg_price, text })
    }

    pub(super) fn of(standing: &Standing) -> Self {
        Self {
            status: standing.status.to_string(),
            filled: standing.filled.map(Num),
            avg_price: standing.average.filter(|_| standing.has_fills()).map(Num),
            text: standing.text.clone(),
        }
    }
}
