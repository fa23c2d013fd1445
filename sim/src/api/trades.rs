//! Trades of the selected account.

use serde_json::{Value, json};

use crate::book::Trade;
use crate::clock::utc;
use crate::http::{Call, Reply};
use crate::market::round_to;
use crate::state::World;

/// `GET /iserver/account/trades[?days=1..7]`; the first call of a session sees none.
pub(super) fn list(world: &mut World, call: &Call) -> Reply {
    let days = call.param("days").map_or(Some(1), |d| d.parse::<u8>().ok());
    if !days.is_some_and(|d| (1..=7).contains(&d)) {
        return Reply::bad_request("days is not valid");
    }
    if !std::mem::replace(&mut world.session.primed.trades, true) {
        return Reply::json(&json!([]));
    }
    let rows: Vec<Value> = world.book.trades.iter().filter_map(|t| row(world, t)).collect();
    Reply::json(&json!(rows))
}

/// `None` for a trade of another account than the selected one.
fn row(world: &World, trade: &Trade) -> Option<Value> {
    let account = &world.selected()?.id;
    let order = world.book.order(trade.order).filter(|o| &o.account == account)?;
    let of = world.universe.get(order.conid)?;
    let held = world.account(account)?.holdings.iter().find(|h| h.conid == of.conid);
    let verb = if order.is_buy { "Bot" } else { "Sold" };
    let price = of.show(trade.price);
    Some(json!({
        "execution_id": trade.execution_id,
        "symbol": of.symbol,
        "supports_tax_opt": "1",
        "side": if order.is_buy { "B" } else { "S" },
        "order_description": format!("{verb} {} @ {price} on ISLAND", trade.size),
        "order_ref": order.client_id.clone().unwrap_or_default(),
        "trade_time": utc(trade.at_ms, "%Y%m%d-%H:%M:%S"),
        "trade_time_r": trade.at_ms,
        "size": trade.size,
        "price": price,
        "submitter": world.user(),
        "exchange": "ISLAND",
        "commission": format!("{:?}", round_to((trade.size * 0.005).max(1.0), 2)),
        "net_amount": round_to(trade.size * trade.price * of.size(), 2),
        "account": account,
        "accountCode": account,
        "account_allocation_name": account,
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
        "order_id": order.id,
    }))
}
