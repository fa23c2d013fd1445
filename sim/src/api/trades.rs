//! Trades of the selected account, or of the accounts of a group.

use serde_json::{Value, json};

use crate::book::Trade;
use crate::clock::{DAY_MS, utc};
use crate::http::{Call, Reply};
use crate::market::round_to;
use crate::state::World;

/// What the websocket leaves out of a row.
const ONLY_IN_LIST: [&str; 5] =
    ["submitter", "account_allocation_name", "listing_exchange", "position", "is_event_trading"];

/// `GET /iserver/account/trades[?days=1..7]`; the first call of a session sees none.
pub(super) fn list(world: &mut World, call: &Call) -> Reply {
    let days = call.param("days").map_or(Some(1), |d| d.parse::<u8>().ok());
    let Some(days) = days.filter(|d| (1..=7).contains(d)) else {
        return Reply::bad_request("days is not valid");
    };
    let now = world.now();
    let since = world.session.primed.trades_since;
    world.session.primed.trades_since = since.or(Some(now));
    if since.is_none_or(|at| now - at < world.rules.trades_warm_millis) {
        return Reply::json(&json!([]));
    }
    let from_ms = world.clock.now_ms() - i64::from(days) * DAY_MS;
    let names = world.covered(&world.followed());
    let wanted = |t: &&Trade| names.contains(&t.account) && t.at_ms >= from_ms;
    let shown = world.book.trades.iter().filter(wanted);
    let rows: Vec<Value> = shown.filter_map(|t| row(world, t)).collect();
    Reply::json(&json!(rows))
}

/// One execution as the websocket sends it.
pub(super) fn frame_row(world: &World, trade: &Trade) -> Option<Value> {
    let mut row = row(world, trade)?;
    if let Value::Object(row) = &mut row {
        row.retain(|key, _| !ONLY_IN_LIST.contains(&key.as_str()));
    }
    Some(row)
}

/// One execution; without its commission while nobody knows it, and without what currencies lack.
fn row(world: &World, trade: &Trade) -> Option<Value> {
    let account = &trade.account;
    // What its order was given for: the account, or its group.
    let given_for = world.book.order(trade.order).map_or(account, |order| &order.account);
    let of = world.universe.get(trade.conid)?;
    let held = world.account(account)?.holdings.iter().find(|h| h.conid == of.conid);
    let verb = if trade.is_buy { "Bot" } else { "Sold" };
    let price = of.show(trade.price);
    let mut row = json!({
        "execution_id": trade.execution_id,
        "symbol": of.symbol,
        "supports_tax_opt": "1",
        "side": if trade.is_buy { "B" } else { "S" },
        "order_description": format!("{verb} {} @ {price} on ISLAND", trade.size),
        "order_ref": trade.client_id.clone().unwrap_or_default(),
        "trade_time": utc(trade.at_ms, "%Y%m%d-%H:%M:%S"),
        "trade_time_r": trade.at_ms,
        "size": trade.size,
        "price": price,
        "submitter": world.user(),
        "exchange": "ISLAND",
        "commission": format!("{:?}", round_to(trade.commission, 2)),
        "net_amount": round_to(trade.size * trade.price * of.size(), 2),
        "account": account,
        "accountCode": account,
        "account_allocation_name": given_for,
        "company_name": of.name,
        "contract_description_1": of.symbol,
        "sec_type": of.sec_type,
        "listing_exchange": of.order_exchange(),
        "conid": of.conid,
        "conidEx": of.conid.to_string(),
        "position": held.map_or(0.0, |h| h.quantity).to_string(),
        "clearing_id": "IB",
        "clearing_name": "IB",
        "liquidation_trade": "0",
        "is_event_trading": "0",
        "order_id": trade.order,
    });
    if let Value::Object(row) = &mut row {
        let is_charged = world.clock.now_ms() >= trade.charged_ms;
        let is_money = of.is("CASH");
        row.retain(|key, _| match key.as_str() {
            "commission" => is_charged,
            "listing_exchange" | "position" => !is_money,
            _ => true,
        });
    }
    Some(row)
}
