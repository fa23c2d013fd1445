//! Watchlists: listed, shown, put in place, deleted.

use serde_json::{Map, Value, json};

use super::secdef;
use crate::http::{Call, Reply};
use crate::instruments::Universe;
use crate::state::World;
use crate::watchlists::{Row, Watchlist};

/// What a row has of its contract's definition.
const DEFINED: [&str; 4] = ["fullName", "assetClass", "ticker", "chineseName"];
/// What it has before that is loaded.
const EARLY: [&str; 4] = ["C", "H", "conid", "name"];

pub(super) fn route(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    Some(match (call.method.as_str(), path) {
        ("GET", ["iserver", "watchlists"]) => list(world, call),
        ("GET", ["iserver", "watchlist"]) => show(world, call),
        ("POST", ["iserver", "watchlist"]) => put(world, call),
        ("DELETE", ["iserver", "watchlist"]) => delete(world, call),
        _ => return None,
    })
}

/// Lists that the broker made do not exist here, so that `SC=USER_WATCHLIST` changes nothing.
fn list(world: &mut World, call: &Call) -> Reply {
    if call.param("SC").is_some_and(|kind| kind != "USER_WATCHLIST") {
        return Reply::bad_request("SC is not valid");
    }
    let row = |(id, list): (&String, &Watchlist)| {
        json!({
            "is_open": false, "read_only": false, "name": list.name, "modified": list.modified_ms,
            "id": id, "type": "watchlist",
        })
    };
    let rows: Vec<Value> = world.watchlists.iter().map(row).collect();
    let data = json!({
        "scanners_only": false, "show_scanners": false, "bulk_delete": false, "user_lists": rows,
    });
    Reply::json(&json!({ "data": data, "action": "content", "MID": number(world) }))
}

/// The contract half of its rows is there from the second look on.
fn show(world: &mut World, call: &Call) -> Reply {
    let Some(id) = call.param("id") else { return Reply::bad_request("id is required") };
    let is_loaded = !world.session.primed.watchlists.insert(id.to_owned());
    let Some(list) = world.watchlists.get(id) else { return unavailable() };
    let mut rows: Vec<Map<String, Value>> =
        list.rows.iter().map(|row| instrument(&world.universe, row)).collect();
    if !is_loaded {
        rows.iter_mut().for_each(|row| row.retain(|key, _| EARLY.contains(&key.as_str())));
    }
    Reply::json(&whole(id, list, rows.into_iter().map(Value::Object).collect()))
}

/// `{"id":"1234","name":"W","rows":[{"C":8314},{"H":""}]}`: it replaces a list of the same number. Contracts
/// are not looked up.
fn put(world: &mut World, call: &Call) -> Reply {
    let Some(body) = call.body.as_object().filter(|body| !body.is_empty()) else {
        return Reply::bad_request("body can't be empty");
    };
    let text = |key: &str| body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let number = text("id").filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
    let (Some(id), Some(name)) = (number, text("name")) else { return unavailable() };
    let rows = body.get("rows").and_then(Value::as_array).into_iter().flatten();
    let rows: Option<Vec<Row>> = rows.map(row).collect();
    let Some(rows) = rows else { return unavailable() };
    let list = Watchlist { name: name.to_owned(), modified_ms: world.clock.now_ms(), rows };
    let reply = whole(id, &list, Vec::new());
    world.watchlists.put(id, list);
    world.session.primed.watchlists.remove(id);
    Reply::json(&reply)
}

/// A list that does not exist is deleted all the same, unless nothing about lists was asked before.
fn delete(world: &mut World, call: &Call) -> Reply {
    let Some(id) = call.param("id") else { return Reply::bad_request("id is required") };
    let is_cold = world.session.primed.watchlist_calls == 0;
    if !world.watchlists.remove(id) && is_cold {
        return unavailable();
    }
    let data = json!({ "deleted": id });
    Reply::json(&json!({ "data": data, "action": "context", "MID": number(world) }))
}

/// How often the session asked, as text.
fn number(world: &mut World) -> String {
    let calls = &mut world.session.primed.watchlist_calls;
    *calls += 1;
    calls.to_string()
}

fn unavailable() -> Reply {
    let text = "Details currently unavailable. Please try again later and contact client services if the issue persists.";
    Reply::refusal(503, text)
}

/// `{"C":8314}`, the number perhaps as text, or `{"H":""}`.
fn row(value: &Value) -> Option<Row> {
    match (value.get("C"), value.get("H")) {
        (Some(conid), None) => {
            let number = conid.as_i64().or_else(|| conid.as_str()?.parse().ok());
            number.map(Row::Contract)
        }
        (None, Some(title)) => title.as_str().map(|title| Row::Header(title.to_owned())),
        _ => None,
    }
}

fn whole(id: &str, list: &Watchlist, rows: Vec<Value>) -> Value {
    json!({
        "id": id, "hash": list.modified_ms.to_string(), "name": list.name, "readOnly": false,
        "instruments": rows,
    })
}

/// The number is text in one place and a number in another.
fn instrument(universe: &Universe, row: &Row) -> Map<String, Value> {
    let conid = match row {
        Row::Header(title) => return [("H".to_owned(), json!(title))].into_iter().collect(),
        Row::Contract(conid) => *conid,
    };
    let mut shown = Map::new();
    let of = universe.get(conid);
    if let Some(of) = of {
        shown.insert("ST".to_owned(), json!(of.sec_type));
    }
    shown.insert("C".to_owned(), json!(conid.to_string()));
    shown.insert("conid".to_owned(), json!(conid));
    if let Some(of) = of {
        shown.insert("name".to_owned(), json!(of.name));
        let defined = secdef::contract(of).into_iter();
        shown.extend(
            defined.filter(|(key, value)| DEFINED.contains(&key.as_str()) && !value.is_null()),
        );
    }
    shown
}
