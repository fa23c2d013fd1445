//! What the answer to an order write means. Pure: no clock, no wire.
//!
//! Only words of the broker's order system, in a shape we know, are an acceptance or a refusal.
//! Everything else is ambiguous: the order may be live, and must be looked for.

mod ambiguity;
mod refusals;
mod shape;
#[cfg(test)]
mod tests;

use crate::client::Sent;
use crate::failure::{Failure, clean, clean_to};
use crate::id::{OrderId, ReplyId};
use crate::orders::Stage;

use shape::Shape;

pub use ambiguity::Ambiguity;
pub use refusals::Certainty;

/// Room for a question: a person decides on its words, so nothing of a real one is cut off.
const MAX_QUESTION: usize = 2_000;

/// What became of an order that was placed, confirmed or modified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderAnswer {
    /// It is certain that nothing left.
    NotSent(Failure),
    /// Every order of the set is registered; `status` tells how each stands.
    Accepted(Vec<AcceptedRow>),
    /// Of a bracket, some are registered and some are refused.
    PartlyAccepted {
        /// The registered ones.
        accepted: Vec<AcceptedRow>,
        /// The refused ones.
        refused: Vec<Refusal>,
    },
    /// The broker asks first. Nothing is registered yet, as far as anybody knows.
    Asked(QuestionSet),
    /// The broker refused, and nothing of it is registered.
    Refused(Refusal),
    /// It may have been done, or not.
    Ambiguous(Ambiguity),
}

/// One registered order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedRow {
    /// The broker's id.
    pub order_id: OrderId,
    /// `PreSubmitted`, `Submitted`, …
    pub status: Option<Stage>,
    /// Our name for it, on older builds of the server.
    pub local_order_id: Option<String>,
    /// The name or id of its parent, on older builds.
    pub parent_order_id: Option<String>,
    /// A warning beside it: untrusted text, cleaned.
    pub warning: Option<String>,
}

/// The broker's no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its words: untrusted text, cleaned.
    pub text: String,
    /// The refused order's id, if it got one. Such an order is looked up once before it is believed
    /// to be dead.
    pub order_id: Option<OrderId>,
}

impl Refusal {
    /// Whether nothing has to be looked at before it is believed: it is the order system's own check, and no
    /// order got an id.
    pub fn is_certain(&self) -> bool {
        self.order_id.is_none() && refusals::certainty(&self.text) == Certainty::Checked
    }
}

/// The broker's questions. There is always at least one, even if the broker left out its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionSet {
    /// What the reply goes to. For a prompt its request id, which is *not* answered by a
    /// [`super::SendReply`] but by a [`super::AnswerPrompt`].
    pub reply_id: ReplyId,
    /// Reply ids of further elements of the same answer, each about another order of the set.
    pub further: Vec<ReplyId>,
    /// What is asked, of all elements.
    pub questions: Vec<BrokerQuestion>,
    /// It is a prompt and not a question.
    pub prompt: Option<Prompt>,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerQuestion {
    /// The kind, such as `o163`.
    pub id: Option<String>,
    /// Its words: untrusted text, cleaned.
    pub text: String,
}

/// A choice that the broker wants before it goes on with an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The order.
    pub order_id: OrderId,
    /// Which prompt.
    pub req_id: ReplyId,
    /// What can be chosen: untrusted text.
    pub options: Vec<String>,
}

impl QuestionSet {
    /// Whether this is answered by a [`super::AnswerPrompt`].
    pub fn is_prompt(&self) -> bool {
        self.prompt.is_some()
    }
}

/// What became of a request to cancel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelAnswer {
    /// It is certain that nothing left.
    NotSent(Failure),
    /// The broker took the request. The order is not cancelled before its status says so.
    Requested {
        /// The order; none when all were meant.
        order_id: Option<OrderId>,
    },
    /// The broker's no: untrusted text, cleaned.
    Refused(String),
    /// It may have been taken, or not. To ask again does no harm.
    Ambiguous(Ambiguity),
}

/// What the answer to [`super::PlaceOrders`], [`super::SendReply`] or [`super::ModifyOrder`] means.
pub fn read_answer(sent: Sent) -> OrderAnswer {
    let (status, body) = match sent {
        Sent::NotSent(failure) => return OrderAnswer::NotSent(failure),
        Sent::Ambiguous(failure) => return OrderAnswer::Ambiguous(Ambiguity::Wire(failure)),
        Sent::Answered { status, body } => (status, body),
    };
    match understand(status, &body) {
        Err(ambiguity) => OrderAnswer::Ambiguous(ambiguity),
        Ok(Shape::Error(text)) => OrderAnswer::Refused(Refusal { text, order_id: None }),
        Ok(Shape::Rows { accepted, refused }) => rows(accepted, refused),
        Ok(Shape::Asked(asked)) => OrderAnswer::Asked(asked),
        Ok(Shape::Rejected(refusal)) => OrderAnswer::Refused(refusal),
        Ok(Shape::Requested { .. }) => {
            let what = "that of a cancellation".to_owned();
            OrderAnswer::Ambiguous(Ambiguity::UnknownShape(what))
        }
    }
}

/// What the answer to [`super::CancelOrder`] means.
pub fn read_cancel(sent: Sent) -> CancelAnswer {
    let (status, body) = match sent {
        Sent::NotSent(failure) => return CancelAnswer::NotSent(failure),
        Sent::Ambiguous(failure) => return CancelAnswer::Ambiguous(Ambiguity::Wire(failure)),
        Sent::Answered { status, body } => (status, body),
    };
    match understand(status, &body) {
        Err(ambiguity) => CancelAnswer::Ambiguous(ambiguity),
        Ok(Shape::Requested { order_id }) => CancelAnswer::Requested { order_id },
        Ok(Shape::Error(text)) => CancelAnswer::Refused(text),
        Ok(Shape::Rejected(refusal)) => CancelAnswer::Refused(refusal.text),
        Ok(Shape::Rows { .. } | Shape::Asked(_)) => {
            let what = "that of a placed order".to_owned();
            CancelAnswer::Ambiguous(Ambiguity::UnknownShape(what))
        }
    }
}

fn rows(accepted: Vec<AcceptedRow>, mut refused: Vec<Refusal>) -> OrderAnswer {
    match (accepted.is_empty(), refused.len()) {
        (false, 0) => OrderAnswer::Accepted(accepted),
        (false, _) => OrderAnswer::PartlyAccepted { accepted, refused },
        (true, 1) => OrderAnswer::Refused(refused.remove(0)),
        // All legs refused: the first id is enough to look up, the words are kept of all.
        (true, _) => {
            let order_id = refused.iter().find_map(|refusal| refusal.order_id);
            let mut texts: Vec<String> = refused.into_iter().map(|refusal| refusal.text).collect();
            texts.dedup();
            OrderAnswer::Refused(Refusal { text: texts.join(" · "), order_id })
        }
    }
}

/// A readable word of the order system, or why there is none.
fn understand(status: u16, body: &str) -> Result<Shape, Ambiguity> {
    match status {
        200..=299 => {
            let shape = Shape::read(body)?;
            match &shape {
                Shape::Error(text) => not_a_refusal(text).map_or(Ok(shape), Err),
                Shape::Rejected(refusal) => not_a_refusal(&refusal.text).map_or(Ok(shape), Err),
                Shape::Rows { accepted, refused } if accepted.is_empty() => {
                    let doubt = refused.iter().find_map(|refusal| not_a_refusal(&refusal.text));
                    doubt.map_or(Ok(shape), Err)
                }
                _ => Ok(shape),
            }
        }
        400 => match Shape::read(body)? {
            Shape::Error(text) => not_a_refusal(&text).map_or(Ok(Shape::Error(text)), Err),
            _ => Err(Ambiguity::UnknownShape("an answer with status 400".to_owned())),
        },
        401 if is_no_brokerage(body) => Err(Ambiguity::NoBrokerage),
        401 => Err(Ambiguity::NotLoggedIn),
        429 => Err(Ambiguity::RateLimited),
        _ if is_no_brokerage(body) => Err(Ambiguity::NoBrokerage),
        500..=599 => Err(Ambiguity::Trouble { status, text: words(body) }),
        _ => Err(Ambiguity::UnexpectedStatus { status, text: words(body) }),
    }
}

/// Error texts that do not say that the order was refused.
fn not_a_refusal(text: &str) -> Option<Ambiguity> {
    refusals::doubt(text)
}

fn is_no_brokerage(text: &str) -> bool {
    text.contains("no bridge") || text.contains("not authenticated")
}

/// The error text of a body, or the body.
fn words(body: &str) -> String {
    match Shape::read(body) {
        Ok(Shape::Error(text)) | Err(Ambiguity::Trouble { text, .. }) => text,
        _ => clean(body),
    }
}

fn question_text(text: &str) -> String {
    clean_to(text, MAX_QUESTION)
}
