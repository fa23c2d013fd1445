//! Orders: the ticket, what is sent, how its answer is understood, and how orders are read.

pub mod answer;
pub mod pricing;
mod read;
pub mod send;
pub mod stage;
pub mod status;
pub mod ticket;
pub mod words;

pub use crate::id::{ClientOrderId, ReplyId};
pub use answer::{
    AcceptedRow, Ambiguity, BrokerQuestion, CancelAnswer, Certainty, OrderAnswer, Prompt,
    QuestionSet, Refusal, read_answer, read_cancel,
};
pub use pricing::{Pricing, Size, Trail};
pub use read::{GetOrders, OrderRow, Orders};
pub use send::{AnswerPrompt, CancelOrder, CancelTarget, ModifyOrder, PlaceOrders, SendReply};
pub use stage::{Meaning, Stage};
pub use status::{GetOrderStatus, OrderStatus};
pub use ticket::{Deal, Instrument, Ticket};
pub use words::{OrderType, Side, Tif, TrailingType, Word};
