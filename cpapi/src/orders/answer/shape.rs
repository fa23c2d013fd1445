//! The shapes of an order answer. No status is known here; see the parent.

use serde_json::{Map, Value};

use super::{AcceptedRow, Ambiguity, BrokerQuestion, Prompt, QuestionSet, Refusal, question_text};
use crate::failure::clean;
use crate::id::{OrderId, ReplyId};
use crate::lenient::FromBroker;
use crate::orders::stage::{Meaning, Stage};

/// What a body says.
#[derive(Debug)]
pub(super) enum Shape {
    /// Only an error text, cleaned.
    Error(String),
    /// Orders, each registered or refused; at least one.
    Rows { accepted: Vec<AcceptedRow>, refused: Vec<Refusal> },
    /// Questions or a prompt, and nothing else.
    Asked(QuestionSet),
    /// An order that was given an id and then refused, with choices that do not help.
    Rejected(Refusal),
    /// A cancellation was taken.
    Requested { order_id: Option<OrderId> },
}

/// One element of a list, or the object in its place.
enum Element {
    Accepted(AcceptedRow),
    Refused(Refusal),
    Question(ReplyId, Vec<BrokerQuestion>),
}

type Object = Map<String, Value>;

impl Shape {
    pub(super) fn read(body: &str) -> Result<Self, Ambiguity> {
        let body = body.trim();
        match body.chars().next() {
            None => return Err(Ambiguity::Empty),
            Some('<') => return Err(Ambiguity::Html),
            Some(_) => {}
        }
        match serde_json::from_str::<Value>(body) {
            Ok(Value::Object(object)) => Self::of_object(&object),
            Ok(Value::Array(list)) => Self::of_list(&list),
            Ok(Value::Null) => Err(Ambiguity::Empty),
            Ok(other) => Err(unknown(&other)),
            Err(error) if error.is_eof() => Err(Ambiguity::NotJson("it is cut off".to_owned())),
            Err(_) => Err(Ambiguity::NotJson(clean(body))),
        }
    }

    fn of_object(object: &Object) -> Result<Self, Ambiguity> {
        if object.is_empty() {
            return Err(Ambiguity::Empty);
        }
        // A server that is in trouble says so in the body even where a proxy made a 200 of it.
        let status = text(object, "statusCode").and_then(|status| status.parse().ok());
        match (status, error(object)) {
            (Some(401), _) => Err(Ambiguity::NotLoggedIn),
            (Some(429), _) => Err(Ambiguity::RateLimited),
            (Some(status @ 500..=599), text) => {
                Err(Ambiguity::Trouble { status, text: text.unwrap_or_default() })
            }
            // An error beside the id of an order is a row; alone it is an answer.
            (_, Some(text)) if order_id(object).is_none() => Ok(Self::Error(text)),
            _ if object.contains_key("reqId") => Self::of_prompt(object),
            _ if object.contains_key("msg") => Self::of_cancellation(object),
            _ => Self::of_elements(vec![Element::read(object)?]),
        }
    }

    fn of_list(list: &[Value]) -> Result<Self, Ambiguity> {
        let elements = list.iter().map(|value| match value {
            Value::Object(object) => Element::read(object),
            other => Err(unknown(other)),
        });
        Self::of_elements(elements.collect::<Result<_, _>>()?)
    }

    fn of_elements(elements: Vec<Element>) -> Result<Self, Ambiguity> {
        let (mut accepted, mut refused) = (Vec::new(), Vec::new());
        let (mut ids, mut questions) = (Vec::new(), Vec::new());
        for element in elements {
            match element {
                Element::Accepted(row) => accepted.push(row),
                Element::Refused(refusal) => refused.push(refusal),
                Element::Question(id, asked) => {
                    ids.push(id);
                    questions.extend(asked);
                }
            }
        }
        let has_rows = !accepted.is_empty() || !refused.is_empty();
        let mut ids = ids.into_iter();
        match (has_rows, ids.next()) {
            (true, None) => Ok(Self::Rows { accepted, refused }),
            (false, Some(reply_id)) => {
                let mut further: Vec<ReplyId> = ids.filter(|id| *id != reply_id).collect();
                further.dedup();
                Ok(Self::Asked(QuestionSet { reply_id, further, questions, prompt: None }))
            }
            // Which order the question is about, and whether a yes would place the others again,
            // nobody has written down.
            (true, Some(_)) => {
                Err(Ambiguity::UnknownShape("rows and questions in one answer".to_owned()))
            }
            (false, None) => Err(Ambiguity::Empty),
        }
    }

    /// `prompt: true` offers a choice; without it the order is refused.
    fn of_prompt(object: &Object) -> Result<Self, Ambiguity> {
        let order_id = order_id(object).flatten();
        let words = question_text(&text(object, "text").unwrap_or_default());
        if object.get("prompt") != Some(&Value::Bool(true)) {
            return Ok(Self::Rejected(Refusal { text: words, order_id }));
        }
        let req_id = text(object, "reqId").and_then(|id| id.parse::<ReplyId>().ok());
        let (Some(order_id), Some(req_id)) = (order_id, req_id) else {
            return Err(Ambiguity::UnknownShape("a prompt without its ids".to_owned()));
        };
        let options = texts(object, "options").iter().map(|option| clean(option)).collect();
        Ok(Self::Asked(QuestionSet {
            reply_id: req_id.clone(),
            further: Vec::new(),
            questions: vec![BrokerQuestion { id: text(object, "messageId"), text: words }],
            prompt: Some(Prompt { order_id, req_id, options }),
        }))
    }

    fn of_cancellation(object: &Object) -> Result<Self, Ambiguity> {
        match text(object, "msg") {
            Some(words) if words.contains("submitted") => {
                Ok(Self::Requested { order_id: order_id(object).flatten() })
            }
            words => Err(Ambiguity::UnknownShape(clean(&words.unwrap_or_default()))),
        }
    }
}

impl Element {
    fn read(object: &Object) -> Result<Self, Ambiguity> {
        if let Some(id) = text(object, "id")
            && (object.contains_key("message") || object.contains_key("messageIds"))
        {
            let id = id.parse().map_err(|_| Ambiguity::UnknownShape("a question's id".into()))?;
            return Ok(Self::Question(id, questions(object)));
        }
        match (order_id(object), error(object)) {
            (None | Some(None), None) if says_alive(object) => {
                Err(Ambiguity::UnknownShape("a row that is alive and has no order id".to_owned()))
            }
            (Some(order_id), reason) => Ok(Self::row(object, order_id, reason)),
            (None, Some(text)) => Ok(Self::Refused(Refusal { text, order_id: None })),
            (None, None) => Err(unknown(&Value::Object(object.clone()))),
        }
    }

    /// `order_id` is none when it is not positive: such an order was never registered.
    fn row(object: &Object, order_id: Option<OrderId>, reason: Option<String>) -> Self {
        let status = text(object, "order_status").or_else(|| text(object, "status"));
        let warning = text(object, "warning_message").map(|text| clean(&text));
        let has_error = reason.is_some();
        let reason = reason.or_else(|| said(object));
        let is_dead = match status.as_deref().map(Stage::of) {
            Some(Stage::Rejected) => true,
            // Without words an inactive order may still become active; a warning is no refusal.
            Some(Stage::Inactive) => reason.is_some(),
            _ => has_error,
        };
        match order_id {
            Some(order_id) if !is_dead => Self::Accepted(AcceptedRow {
                order_id,
                status: status.as_deref().map(Stage::of),
                local_order_id: text(object, "local_order_id"),
                parent_order_id: text(object, "parent_order_id"),
                warning: warning.or(reason),
            }),
            order_id => {
                let text = reason.or(warning).unwrap_or_else(|| no_words(status));
                Self::Refused(Refusal { text, order_id })
            }
        }
    }
}

/// Whether a row's status is one of an order that the broker has.
fn says_alive(object: &Object) -> bool {
    let status = text(object, "order_status").or_else(|| text(object, "status"));
    let meaning = status.map(|word| Stage::of(&word).meaning());
    matches!(meaning, Some(Meaning::Works | Meaning::Ending | Meaning::Filled))
}

fn no_words(status: Option<String>) -> String {
    match status {
        Some(status) => format!("the broker answered {} without a reason", clean(&status)),
        None => "the broker gave no reason".to_owned(),
    }
}

/// `message` and `messageIds` are parallel, but either may be shorter. Never none at all: a question
/// without words must not pass for one that every rule allows.
fn questions(object: &Object) -> Vec<BrokerQuestion> {
    let (messages, ids) = (texts(object, "message"), texts(object, "messageIds"));
    let count = messages.len().max(ids.len()).max(1);
    (0..count)
        .map(|n| BrokerQuestion {
            id: ids.get(n).cloned(),
            text: messages.get(n).map(|text| question_text(text)).unwrap_or_default(),
        })
        .collect()
}

/// Whether there is an order id, and if so, whether it is that of an order.
fn order_id(object: &Object) -> Option<Option<OrderId>> {
    let text = text(object, "order_id").or_else(|| text(object, "orderId"))?;
    // What is no number at all is no order id; a row with one is of an unknown shape.
    rust_decimal::Decimal::from_broker(&text)?;
    Some(OrderId::from_broker(&text))
}

fn error(object: &Object) -> Option<String> {
    let text = text(object, "error")?;
    Some(clean(&inner_reason(&text).unwrap_or(text)))
}

/// IBKR sometimes puts a second JSON object with a `reason` into the text.
fn inner_reason(text: &str) -> Option<String> {
    let inner = serde_json::from_str::<Object>(text).ok()?;
    self::text(&inner, "reason")
}

/// Words beside a row.
fn said(object: &Object) -> Option<String> {
    ["text", "message", "reject_reason"].iter().find_map(|key| {
        let texts = texts(object, key);
        (!texts.is_empty()).then(|| clean(&texts.join(" ")))
    })
}

/// A scalar as text; what is empty is missing.
fn text(object: &Object, key: &str) -> Option<String> {
    scalar(object.get(key)?)
}

/// A list of scalars, or one in its place.
fn texts(object: &Object, key: &str) -> Vec<String> {
    match object.get(key) {
        Some(Value::Array(list)) => list.iter().filter_map(scalar).collect(),
        Some(value) => scalar(value).into_iter().collect(),
        None => Vec::new(),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::String(_) | Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn unknown(value: &Value) -> Ambiguity {
    Ambiguity::UnknownShape(clean(&value.to_string()))
}
