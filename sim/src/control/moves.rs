//! The control API's part about a person at TWS, and about a broker that shows what is not true.

use serde::Deserialize;
use serde_json::{Value, json};

use super::orders::{telling, truth};
use super::{with_body, with_reply};
use crate::book::News;
use crate::http::Reply;
use crate::masks::{Fields, StatusMask};
use crate::state::World;
use crate::trading::{NextBody, Telling, TwsBody};

/// Body of `POST /status`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StatusBody {
    order_id: i64,
    /// Any text; null, or nothing, ends it.
    status: Option<String>,
    filled: Option<f64>,
    /// The websocket does not tell of it now.
    #[serde(default)]
    silent: bool,
}

/// Body of `POST /revive`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReviveBody {
    order_id: i64,
    #[serde(default)]
    silent: bool,
}

/// Body of `POST /quote`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct QuoteBody {
    conid: i64,
    /// Null, or nothing, ends it.
    fields: Option<Fields>,
}

/// Body of `POST /rules` and `POST /secdef`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SetBody {
    conid: i64,
    /// Null, or nothing, ends it.
    set: Option<Fields>,
}

/// Body of `POST /ledger`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LedgerBody {
    without: Vec<String>,
}

/// Answers these requests; `None` for any other.
pub(super) fn answer(world: &mut World, method: &str, path: &str, body: &[u8]) -> Option<Reply> {
    if method != "POST" {
        return None;
    }
    Some(match path {
        "/tws" => with_reply(body, |body: TwsBody| match world.at_tws(body) {
            Ok(id) => truth(world, id),
            Err(wrong) => Reply::error(400, &wrong),
        }),
        "/next" => with_body(body, |next: NextBody| {
            world.next.add(next);
            ok()
        }),
        "/status" => with_reply(body, |body: StatusBody| status(world, body)),
        "/revive" => with_reply(body, |body: ReviveBody| {
            if world.revive(body.order_id, telling(body.silent)) {
                truth(world, body.order_id)
            } else {
                Reply::error(400, "there is no such order that is over and not filled")
            }
        }),
        "/quote" => with_reply(body, |body: QuoteBody| {
            of_contract(world, body.conid, |world| {
                world.masks.show_quote(body.conid, body.fields);
                world.market.stir();
            })
        }),
        "/rules" => with_reply(body, |body: SetBody| {
            of_contract(world, body.conid, |world| {
                world.masks.show_rules(body.conid, body.set);
            })
        }),
        "/secdef" => with_reply(body, |body: SetBody| {
            of_contract(world, body.conid, |world| {
                world.masks.show_definition(body.conid, body.set);
            })
        }),
        "/ledger" => with_body(body, |body: LedgerBody| {
            world.masks.cut_ledger(body.without);
            ok()
        }),
        _ => return None,
    })
}

fn ok() -> Value {
    json!({ "ok": true })
}

/// Does something about a contract that must exist.
fn of_contract(world: &mut World, conid: i64, act: impl FnOnce(&mut World)) -> Reply {
    if world.universe.get(conid).is_none() {
        return Reply::error(400, "there is no such contract");
    }
    act(world);
    Reply::json(&ok())
}

/// An order is shown otherwise from now on.
fn status(world: &mut World, body: StatusBody) -> Reply {
    let Some(order) = world.book.order(body.order_id).cloned() else {
        return Reply::error(400, "there is no such order");
    };
    let filled = body.filled;
    if body.status.is_none() && filled.is_some() {
        return Reply::error(400, "filled needs a status beside it");
    }
    let mask = body.status.map(|word| StatusMask { word, filled });
    world.masks.show_order(order.id, mask);
    if telling(body.silent) == Telling::Pushed {
        let now = world.clock.now_ms();
        world.book.note(now, News::Row(Box::new(order)));
    }
    truth(world, body.order_id)
}
