//! Orders are placed, and questions about them answered.

use serde_json::{Value, json};

use super::{unknown_account, whatif};
use crate::http::{Call, Reply};
use crate::state::World;
use crate::trading::{Answer, LocalIds, MOST_SUPPRESSED, Place, Question};

pub(super) fn route(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    Some(match (call.method.as_str(), path) {
        ("POST", ["iserver", "account", account, "orders"]) => place(world, call, account),
        ("POST", ["iserver", "account", account, "orders", "whatif"]) => {
            whatif::answer(world, call, account)
        }
        ("POST", ["iserver", "reply", id]) => reply(world, call, id),
        ("POST", ["iserver", "questions", "suppress"]) => suppress(world, call),
        ("POST", ["iserver", "questions", "suppress", "reset"]) => {
            world.session.primed.suppressed.clear();
            submitted()
        }
        ("POST", ["iserver", "notification"]) => notification(world, call),
        _ => return None,
    })
}

/// `POST /iserver/account/{account}/orders` with `{"orders":[…]}`.
fn place(world: &mut World, call: &Call, account: &str) -> Reply {
    let Some(orders) = call.body.get("orders").and_then(Value::as_array) else {
        return Reply::bad_request("orders are required");
    };
    if !world.takes_orders(account) {
        return unknown_account(account);
    }
    match world.order(account, orders) {
        Ok(answer) => show(world, answer),
        Err(refusal) => refusal,
    }
}

/// `POST /iserver/reply/{id}` with `{"confirmed":true}`; anything but a bool is too much for the broker.
fn reply(world: &mut World, call: &Call, id: &str) -> Reply {
    match call.body.get("confirmed") {
        Some(Value::Bool(confirmed)) => {
            let answer = world.reply_to(id, *confirmed);
            show(world, answer)
        }
        Some(_) => Reply::error(500, "confirmed is not true or false"),
        None => Reply::bad_request("confirmed is required"),
    }
}

/// The shapes of an answer.
pub(super) fn show(world: &mut World, answer: Answer) -> Reply {
    match answer {
        Answer::Question { id, question } => Reply::json(&json!([ask(&id, &question)])),
        Answer::Placed { orders, ids } => Reply::json(&rows(world, &orders, ids)),
        Answer::Modified(order) => Reply::json(&rows(world, &[order], LocalIds::Usual)),
        Answer::Failed { placed, status, text } => {
            let mut rows = rows(world, &placed, LocalIds::Usual);
            if let Value::Array(rows) = &mut rows {
                rows.push(failed(&status, &text));
            }
            Reply::json(&rows)
        }
        Answer::Prompt(order) => {
            let request = world.hold(order);
            Reply::json(&prompt(order, &request))
        }
        Answer::Told(reply) | Answer::Refused(reply) => reply,
    }
}

fn ask(id: &str, question: &Question) -> Value {
    let mut row = json!({
        "id": id,
        "message": [question.text],
        "isSuppressed": false,
        "messageIds": [question.id],
        "messageOptions": ["Yes", "No"],
    });
    if question.is_dialog {
        row["isSuppressible"] = json!(true);
        row["defaultSuppressionOption"] = json!("Accept and Continue");
        row["messageOptions"] = json!(["Decline", "Accept and Continue"]);
    }
    row
}

/// One row per accepted ticket.
fn rows(world: &World, orders: &[i64], ids: LocalIds) -> Value {
    let row = |id: &i64| {
        let order = world.book.order(*id)?;
        let mut row = json!({
            "order_id": order.id.to_string(),
            "order_status": world.chaos.spell(order.status.word(), order.id, Place::Answer),
            "encrypt_message": "1",
        });
        if let Some(name) = order.client_id.as_ref().filter(|_| ids == LocalIds::All) {
            row["local_order_id"] = json!(name);
        }
        if let Some(parent) = order.parent.filter(|_| ids != LocalIds::None) {
            row["parent_order_id"] = json!(parent.to_string());
        }
        Some(row)
    };
    json!(orders.iter().filter_map(row).collect::<Vec<_>>())
}

fn failed(status: &str, text: &str) -> Value {
    json!({
        "order_id": "-1", "order_status": status, "encrypt_message": "1",
        "text": text, "warning_message": "",
    })
}

fn prompt(order: i64, request: &str) -> Value {
    json!({
        "orderId": order,
        "reqId": request,
        "dismissable": [],
        "text": "Use the Price Management Algo?",
        "options": ["Yes", "No"],
        "type": "M",
        "messageId": "p12",
        "prompt": true,
    })
}

/// `POST /iserver/questions/suppress` with `{"messageIds":[…]}`, all of them each time.
fn suppress(world: &mut World, call: &Call) -> Reply {
    let ids = call.body.get("messageIds").and_then(Value::as_array);
    let ids = ids.map(|ids| ids.iter().map(|id| id.as_str().map(str::to_owned)).collect());
    match ids {
        Some(Some(ids)) => {
            let ids: Vec<String> = ids;
            if ids.len() > MOST_SUPPRESSED {
                return Reply::error(500, "System error");
            }
            world.session.primed.suppressed = ids.into_iter().collect();
            submitted()
        }
        _ => Reply::bad_request("messageIds are required"),
    }
}

fn submitted() -> Reply {
    Reply::json(&json!({ "status": "submitted" }))
}

/// `POST /iserver/notification`: the answer to a prompt.
fn notification(world: &mut World, call: &Call) -> Reply {
    let (request, text) = (call.either("reqId"), call.either("text"));
    let (Some(request), Some(_)) = (request, text) else {
        return Reply::bad_request("reqId and text are required");
    };
    let known = world.let_go(&request);
    Reply::text(200, if known { "Success" } else { "Request was submitted" })
}
