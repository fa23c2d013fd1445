//! A broker that says one thing and does another: by chance, or because a test wants it.

use serde::Deserialize;
use serde_json::{Value, json};

use super::round::Answer;
use super::script::{Rows, Script};
use crate::http::Reply;
use crate::state::World;

/// What is said of orders that were accepted or changed all the same; `{}` is the client's own id.
const UNTRUE: [&str; 7] = [
    "Request timeout",
    "Internal Server Error",
    "Unknown error, please check order status",
    "Bad reply id",
    "Order couldn't be submitted: LOCAL ORDER ID={} IS ALREADY REGISTERED.",
    "parent accepted, child rejected",
    "Order rejected",
];
/// True refusals in words that no list has.
const UNHEARD_OF: [&str; 2] =
    ["Order rejected by the risk desk", "Please contact customer service"];

/// What the rows of an acceptance say of the client's own ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LocalIds {
    /// The parent's order id.
    Usual,
    /// The client's own id too.
    All,
    /// Neither.
    None,
}

/// What the broker makes of one change or cancellation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Whim {
    /// It is carried out, and said to be.
    #[default]
    Obey,
    /// It is said to be carried out.
    Ignore,
    /// It is carried out, and answered by an error with this text.
    Error(String),
}

impl TryFrom<String> for Whim {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("error", text)) => Ok(Self::Error(text.to_owned())),
            None if text == "ignore" => Ok(Self::Ignore),
            _ => Err(format!("{text} is neither ignore nor error:TEXT")),
        }
    }
}

/// Body of `POST /next`: what becomes of the next change and of the next cancellation.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NextBody {
    change: Option<Whim>,
    cancel: Option<Whim>,
}

impl NextBody {
    /// Takes over what another one says.
    pub(crate) fn add(&mut self, other: Self) {
        self.change = other.change.or(self.change.take());
        self.cancel = other.cancel.or(self.cancel.take());
    }
}

impl World {
    /// Refuses a request to place, by chance.
    pub(super) fn refuses(&mut self) -> Option<Reply> {
        let pick = self.chaos.rolls_refusal(UNHEARD_OF.len() as u64)?;
        UNHEARD_OF.get(pick as usize).map(|text| Reply::error(200, text))
    }

    /// What is said of orders that were accepted.
    pub(super) fn tell_of_placement(&mut self, mut orders: Vec<i64>, script: &Script) -> Answer {
        if let Some(text) = &script.error {
            return Answer::Told(Reply::error(200, text));
        }
        match script.rows {
            Some(Rows::NoIds) => return Answer::Told(without_ids(orders.len())),
            Some(Rows::Reversed) => orders.reverse(),
            None => self.chaos.shuffles(&mut orders),
        }
        let first = orders.iter().min().copied().unwrap_or_default();
        match self.tells_untruth(first) {
            Some(reply) => Answer::Told(reply),
            None => Answer::Placed { orders, ids: self.chaos.rolls_local_ids() },
        }
    }

    /// What is said of an order that was changed.
    pub(super) fn tell_of_change(&mut self, order: i64, whim: Whim) -> Answer {
        if let Whim::Error(text) = whim {
            return Answer::Told(Reply::error(200, &text));
        }
        self.tells_untruth(order).map_or(Answer::Modified(order), Answer::Told)
    }

    /// An answer that is not what became of this order, by chance.
    fn tells_untruth(&mut self, order: i64) -> Option<Reply> {
        let pick = self.chaos.rolls_error(UNTRUE.len() as u64 + 1)?;
        let Some(text) = UNTRUE.get(pick as usize) else { return Some(without_ids(1)) };
        let name = self.book.order(order).and_then(|order| order.client_id.as_deref());
        Some(Reply::error(200, &text.replace("{}", name.unwrap_or("0"))))
    }

    /// What becomes of the change that is about to be carried out.
    pub(super) fn whim_of_change(&mut self) -> Whim {
        if let Some(whim) = self.next.change.take() {
            return whim;
        }
        if self.chaos.rolls_ignored_change() { Whim::Ignore } else { Whim::Obey }
    }

    /// What becomes of the cancellation that is about to be carried out.
    fn whim_of_cancel(&mut self) -> Whim {
        if let Some(whim) = self.next.cancel.take() {
            return whim;
        }
        if self.chaos.rolls_ignored_cancel() { Whim::Ignore } else { Whim::Obey }
    }

    /// Carries out a request to cancel these orders, or seems to; the answer is an error in place of the
    /// acknowledgement.
    pub(crate) fn cancel_all(&mut self, orders: &[i64]) -> Option<Reply> {
        if orders.is_empty() {
            return None;
        }
        let whim = self.whim_of_cancel();
        for order in orders {
            match whim {
                Whim::Ignore => self.seem_to_cancel(*order),
                _ => self.cancel(*order),
            }
        }
        match whim {
            Whim::Error(text) => Some(Reply::error(200, &text)),
            _ => None,
        }
    }
}

/// Rows that say that orders live, and not which.
fn without_ids(count: usize) -> Reply {
    let row = json!({ "order_status": "PreSubmitted", "encrypt_message": "1" });
    Reply::json(&Value::Array(vec![row; count]))
}
