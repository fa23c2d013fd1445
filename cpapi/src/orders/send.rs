//! What is sent about orders: place, answer a question, modify, cancel.

use serde::Serialize;

use super::ticket::Ticket;
use crate::endpoint::{Method, Path, Write};
use crate::id::{AccountId, OrderId, ReplyId};

/// One ticket, or one bracket or one-cancels-all set; nothing else may be sent together.
/// `POST /iserver/account/{account}/orders`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceOrders {
    /// Whose.
    pub account: AccountId,
    /// The parent first.
    pub tickets: Vec<Ticket>,
}

/// Answers a question. Any other order in between makes it void.
/// `POST /iserver/reply/{id}`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendReply {
    /// Which question.
    pub reply_id: ReplyId,
    /// Yes, or no: then the order is discarded.
    pub confirmed: bool,
}

/// Changes an order. The ticket repeats everything, changed or not; its quantity is the new total.
/// `POST /iserver/account/{account}/order/{order}`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModifyOrder {
    /// Whose.
    pub account: AccountId,
    /// Which.
    pub order_id: OrderId,
    /// What it shall be.
    pub ticket: Ticket,
}

/// What is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelTarget {
    /// One order.
    Order(OrderId),
    /// Every open order of the account.
    All,
}

/// Asks for a cancellation; that it was asked for is not that it happened.
/// `DELETE /iserver/account/{account}/order/{order}`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelOrder {
    /// Whose.
    pub account: AccountId,
    /// Which.
    pub target: CancelTarget,
    /// Futures: whether a person does it.
    pub manual_indicator: Option<bool>,
    /// Futures: who does it.
    pub ext_operator: Option<String>,
}

/// Answers a prompt ([`super::Prompt`]). The answer is a word of plain text, so what became of the
/// order must be looked up. `POST /iserver/notification`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerPrompt {
    /// The order it is about.
    pub order_id: OrderId,
    /// Which prompt.
    pub req_id: ReplyId,
    /// One of its options.
    pub text: String,
}

impl Write for PlaceOrders {
    const NAME: &'static str = "iserver/account/orders/place";
    const METHOD: Method = Method::Post;

    fn path(&self) -> Path {
        Path::new("/iserver/account").segment(&self.account).then("/orders")
    }

    fn body(&self) -> Option<String> {
        #[derive(Serialize)]
        struct Body<'a> {
            orders: &'a [Ticket],
        }
        json(&Body { orders: &self.tickets })
    }
}

impl Write for SendReply {
    const NAME: &'static str = "iserver/reply";
    const METHOD: Method = Method::Post;

    fn path(&self) -> Path {
        Path::new("/iserver/reply").segment(&self.reply_id)
    }

    fn body(&self) -> Option<String> {
        // A JSON bool: a text gives a 500.
        Some(format!(r#"{{"confirmed":{}}}"#, self.confirmed))
    }
}

impl Write for ModifyOrder {
    const NAME: &'static str = "iserver/account/order/modify";
    const METHOD: Method = Method::Post;

    fn path(&self) -> Path {
        Path::new("/iserver/account").segment(&self.account).then("/order").segment(self.order_id)
    }

    fn body(&self) -> Option<String> {
        json(&self.ticket)
    }
}

impl Write for CancelOrder {
    const NAME: &'static str = "iserver/account/order/cancel";
    const METHOD: Method = Method::Delete;

    fn path(&self) -> Path {
        let path = Path::new("/iserver/account").segment(&self.account).then("/order");
        let mut path = match self.target {
            CancelTarget::Order(order_id) => path.segment(order_id),
            CancelTarget::All => path.then("/-1"),
        };
        if let Some(is_manual) = self.manual_indicator {
            path = path.query("manualIndicator", is_manual);
        }
        match &self.ext_operator {
            Some(operator) => path.query("extOperator", operator),
            None => path,
        }
    }

    fn body(&self) -> Option<String> {
        None
    }
}

impl Write for AnswerPrompt {
    const NAME: &'static str = "iserver/notification";
    const METHOD: Method = Method::Post;

    fn path(&self) -> Path {
        Path::new("/iserver/notification")
    }

    fn body(&self) -> Option<String> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            order_id: OrderId,
            req_id: &'a ReplyId,
            text: &'a str,
        }
        json(&Body { order_id: self.order_id, req_id: &self.req_id, text: &self.text })
    }
}

/// Plain data always becomes JSON. Should it ever not, an empty object goes out, which the broker
/// refuses; an order it is not.
fn json(value: &impl Serialize) -> Option<String> {
    serde_json::to_string(value).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::lenient::FromBroker;
    use crate::money::{Price, Quantity};
    use crate::orders::{Deal, Instrument, Pricing, Side, Size, Tif};

    const TICKET: &str = r#"{"acctId":"DU1234567","conid":265598,"cOID":"ibd1","orderType":"LMT","price":150.05,"side":"BUY","tif":"DAY","quantity":5}"#;

    fn ticket() -> Ticket {
        let deal = Deal {
            side: Side::Buy,
            size: Size::Quantity(Quantity::from_broker("5").unwrap()),
            pricing: Pricing::Limit(Price::from_broker("150.05").unwrap()),
            tif: Tif::Day,
        };
        let instrument = Instrument::Conid("265598".parse().unwrap());
        let c_oid = Some("ibd1".parse().unwrap());
        Ticket { c_oid, ..Ticket::new(account(), instrument, deal) }
    }

    fn account() -> AccountId {
        "DU1234567".parse().unwrap()
    }

    #[test]
    fn orders_are_placed_in_a_list() {
        let place = PlaceOrders { account: account(), tickets: vec![ticket(), ticket()] };
        assert_eq!(place.path().as_str(), "/iserver/account/DU1234567/orders");
        assert_eq!(place.body().unwrap(), format!(r#"{{"orders":[{TICKET},{TICKET}]}}"#));
    }

    #[test]
    fn a_modification_is_a_single_object() {
        let order_id = "77".parse().unwrap();
        let modify = ModifyOrder { account: account(), order_id, ticket: ticket() };
        assert_eq!(modify.path().as_str(), "/iserver/account/DU1234567/order/77");
        assert_eq!(modify.body().unwrap(), TICKET);
    }

    #[test]
    fn a_reply_says_yes_or_no_to_one_question() {
        let reply = SendReply { reply_id: "07a1-b/2".parse().unwrap(), confirmed: true };
        assert_eq!(reply.path().as_str(), "/iserver/reply/07a1-b%2F2");
        assert_eq!(reply.body().unwrap(), r#"{"confirmed":true}"#);
    }

    #[test]
    fn a_cancellation_names_one_order_or_all() {
        let cancel = |target, manual_indicator, ext_operator| {
            let cancel = CancelOrder { account: account(), target, manual_indicator, ext_operator };
            assert_eq!(cancel.body(), None);
            cancel.path().as_str().to_owned()
        };
        let one = CancelTarget::Order("77".parse().unwrap());
        assert_eq!(cancel(one, None, None), "/iserver/account/DU1234567/order/77");
        assert_eq!(cancel(CancelTarget::All, None, None), "/iserver/account/DU1234567/order/-1");
        assert_eq!(
            cancel(one, Some(false), Some("a b".into())),
            "/iserver/account/DU1234567/order/77?manualIndicator=false&extOperator=a%20b"
        );
    }

    #[test]
    fn a_prompt_is_answered_with_one_of_its_options() {
        let order_id = "77".parse().unwrap();
        let answer =
            AnswerPrompt { order_id, req_id: "22170".parse().unwrap(), text: "Yes".into() };
        assert_eq!(answer.body().unwrap(), r#"{"orderId":77,"reqId":"22170","text":"Yes"}"#);
    }
}
