//! Alerts: entered, changed, listed, switched, deleted; and the one of the Mobile Trading Assistant.

use serde_json::{Value, json};

use super::unknown_account;
use crate::alerts::{Alert, Condition};
use crate::clock::utc;
use crate::http::{Call, Reply};
use crate::state::World;

/// What the broker's example shows for the time zones and limits of the Mobile Trading Assistant, shortened.
const MTA_ZONES: &str = "GMT (GMT),US/Eastern (US/Eastern)";
const MTA_DEFAULTS: &str = "9:STATE=0,MIN=-15000,MAX=15000,STEP=500,DEF_MIN=-1500,DEF_MAX=1500";

pub(super) fn route(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    Some(match (call.method.as_str(), path) {
        ("GET", ["iserver", "account", "mta"]) => Reply::json(&page(world, world.alerts.mta())),
        ("GET", ["iserver", "account", "alert", id]) => details(world, call, id),
        ("GET", ["iserver", "account", account, "alerts"]) => list(world, account),
        ("POST", ["iserver", "account", account, "alert"]) => enter(world, call, account),
        ("POST", ["iserver", "account", account, "alert", "activate"]) => {
            activate(world, call, account)
        }
        ("DELETE", ["iserver", "account", account, "alert", id]) => delete(world, account, id),
        _ => return None,
    })
}

/// The Mobile Trading Assistant's is not among them.
fn list(world: &World, account: &str) -> Reply {
    if world.tradable(account).is_none() {
        return unknown_account(account);
    }
    let own = world.alerts.iter().filter(|alert| alert.account == account);
    let row = |alert: &Alert| {
        json!({
            "order_id": alert.id,
            "account": alert.account,
            "alert_name": alert.terms.name,
            "alert_active": i32::from(alert.is_active),
            "order_time": utc(alert.entered_ms, "%Y%m%d-%H:%M:%S"),
            "alert_triggered": alert.is_triggered,
            "alert_repeatable": i32::from(alert.terms.is_repeatable),
        })
    };
    Reply::json(&json!(own.map(row).collect::<Vec<_>>()))
}

/// `?type=Q` must be there. What does not exist is told with 200.
fn details(world: &World, call: &Call, id: &str) -> Reply {
    let Some(id) = id.parse::<i64>().ok().filter(|_| call.param("type") == Some("Q")) else {
        return Reply::bad_request("orderId and type are required");
    };
    match world.alerts.get(id) {
        Some(alert) => Reply::json(&page(world, alert)),
        None if id == 0 => Reply::error(200, "MTA alert tool ID is wrong =0"),
        None => Reply::error(200, &format!("Alert with order ID={id} not found.")),
    }
}

fn page(world: &World, alert: &Alert) -> Value {
    let (terms, tool) = (&alert.terms, world.alerts.tool(alert));
    let (status, front, back) = if alert.is_watching() {
        ("Submitted", "#FFFFFF", "#0000CC")
    } else {
        ("Inactive", "#000000", "#AFAFAF")
    };
    let currency = world.account(&alert.account).map(|account| account.currency.as_str());
    let conditions: Vec<Value> = terms.conditions.iter().map(|one| condition(world, one)).collect();
    json!({
        "account": alert.account,
        "order_id": alert.id,
        "alert_name": terms.name,
        "tif": if terms.expiry.is_some() { "GTD" } else { "GTC" },
        "expire_time": terms.expiry.as_ref().map(|expiry| expiry.text.as_str()),
        "alert_active": i32::from(alert.is_active),
        "alert_repeatable": i32::from(terms.is_repeatable),
        "alert_email": terms.email,
        "alert_send_message": i32::from(terms.sends_message),
        "alert_message": terms.message,
        "alert_show_popup": i32::from(terms.shows_popup),
        "alert_play_audio": terms.audio,
        "order_status": status,
        "alert_triggered": alert.is_triggered,
        "fg_color": front,
        "bg_color": back,
        "order_not_editable": false,
        "itws_orders_only": i32::from(terms.is_mobile_only),
        "alert_mta_currency": tool.and(currency),
        "alert_mta_defaults": tool.map(|_| MTA_DEFAULTS),
        "tool_id": tool,
        "time_zone": tool.map(|_| MTA_ZONES),
        "alert_default_type": null,
        "condition_size": conditions.len(),
        "condition_outside_rth": i32::from(terms.outside_rth),
        "conditions": conditions,
    })
}

fn condition(world: &World, condition: &Condition) -> Value {
    let of = condition.conid.and_then(|conid| world.universe.get(conid));
    json!({
        "condition_type": condition.kind.number(),
        "conidex": condition.conidex,
        "contract_description_1": of.map_or("*", |of| of.symbol.as_str()),
        "condition_operator": if condition.is_above { ">=" } else { "<=" },
        "condition_trigger_method": condition.method,
        "condition_value": condition.value,
        "condition_logic_bind": condition.bind.letter(),
        "condition_time_zone": condition.zone,
    })
}

fn enter(world: &mut World, call: &Call, account: &str) -> Reply {
    if world.tradable(account).is_none() {
        return unknown_account(account);
    }
    match world.enter_alert(account, &call.body) {
        Ok(id) => Reply::json(&json!({
            "request_id": null, "order_id": id, "success": true, "text": "Submitted",
            "order_status": null, "warning_message": null,
        })),
        Err(refusal) => refusal,
    }
}

fn activate(world: &mut World, call: &Call, account: &str) -> Reply {
    let whole = |key: &str| call.body.get(key).and_then(Value::as_i64);
    if world.tradable(account).is_none() {
        return unknown_account(account);
    }
    let done = match (whole("alertId"), whole("alertActive")) {
        (Some(id), Some(on @ (0 | 1))) => {
            Some(id).filter(|id| world.switch_alert((account, *id), on == 1))
        }
        _ => None,
    };
    done.map_or_else(|| Reply::error(500, "failed to activate/deactivate alert"), submitted)
}

fn delete(world: &mut World, account: &str, id: &str) -> Reply {
    if world.tradable(account).is_none() {
        return unknown_account(account);
    }
    let Ok(id) = id.parse::<i64>() else { return Reply::bad_request("alertId is not valid") };
    match world.delete_alert(account, id) {
        Ok(()) => submitted(id),
        Err(refusal) => refusal,
    }
}

/// It is taken, which says nothing of what became of it.
fn submitted(id: i64) -> Reply {
    Reply::json(&json!({
        "request_id": null, "order_id": id, "success": true, "text": "Request was submitted",
        "failure_list": null,
    }))
}
