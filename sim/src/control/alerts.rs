//! The control API's part about alerts: what is there, and how often it fired.

use serde_json::{Value, json};

use crate::alerts::Alert;
use crate::http::Reply;
use crate::state::World;

/// Answers `GET /alerts`; `None` for any other request.
pub(super) fn answer(world: &World, method: &str, path: &str) -> Option<Reply> {
    if (method, path) != ("GET", "/alerts") {
        return None;
    }
    let all = world.alerts.iter().chain([world.alerts.mta()]);
    let rows: Vec<Value> = all.map(|alert| row(world, alert)).collect();
    Some(Reply::json(&json!({ "count": rows.len(), "alerts": rows })))
}

fn row(world: &World, alert: &Alert) -> Value {
    json!({
        "alertId": alert.id,
        "toolId": world.alerts.tool(alert),
        "account": alert.account,
        "name": alert.terms.name,
        "active": alert.is_active,
        "triggered": alert.is_triggered,
        "repeatable": alert.terms.is_repeatable,
        "fires": alert.fires,
        "firedMs": alert.fired_ms,
    })
}
