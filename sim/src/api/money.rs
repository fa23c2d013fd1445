//! What the websocket says of an account's money: the facts of the portfolio, in other names.

use serde_json::{Map, Value, json};

use crate::accounts::Account;
use crate::market::round_to;
use crate::state::World;
use crate::value::{Purse, Worth};

/// A row without what names it.
type Row = Map<String, Value>;

/// Profit and loss of an account.
pub(crate) fn pnl(world: &World, account: &Account) -> Row {
    let worth = world.worth(account);
    object(json!({
        "rowType": 1,
        "dpl": round_to(worth.base.daily, 2),
        "nl": round_to(worth.base.net(), 2),
        "upl": round_to(worth.base.unrealized, 2),
        "uel": round_to(worth.excess(), 2),
        "mv": round_to(worth.base.owned(), 2),
    }))
}

/// The summary, each row with its key: texts first, then amounts for the whole and for its segments.
pub(crate) fn summary(world: &World, account: &Account) -> Vec<(String, Row)> {
    let worth = world.worth(account);
    let text = |(key, value): (&str, &str)| {
        (key.to_owned(), object(json!({ "value": value, "severity": 0 })))
    };
    let amount = |key: String, amount: f64| {
        let amount = round_to(amount, 2);
        let row = json!({ "currency": account.currency, "monetaryValue": amount, "severity": 0 });
        (key, object(row))
    };
    let texts = [
        ("AccountCode", account.id.as_str()),
        ("AccountReady", "true"),
        ("AccountType", "INDIVIDUAL"),
    ];
    let mut rows: Vec<(String, Row)> = texts.into_iter().map(text).collect();
    for (key, value) in in_segments(&worth) {
        rows.push(amount(key.to_owned(), value));
        rows.push(amount(format!("{key}-C"), 0.0));
        rows.push(amount(format!("{key}-S"), value));
    }
    for (key, value) in [
        ("BuyingPower", worth.available() * 4.0),
        ("Cushion", worth.excess() / worth.base.net()),
        ("PreviousDayEquityWithLoanValue", worth.base.net() - worth.base.daily),
    ] {
        rows.push(amount(key.to_owned(), value));
    }
    rows
}

/// Amounts that the securities segment has too; that of commodities has nothing.
fn in_segments(worth: &Worth) -> [(&'static str, f64); 14] {
    let (net, available, excess) = (worth.base.net(), worth.available(), worth.excess());
    [
        ("AccruedCash", 0.0),
        ("AccruedDividend", 0.0),
        ("AvailableFunds", available),
        ("EquityWithLoanValue", net),
        ("ExcessLiquidity", excess),
        ("FullAvailableFunds", available),
        ("FullExcessLiquidity", excess),
        ("FullInitMarginReq", worth.initial()),
        ("FullMaintMarginReq", worth.maintenance()),
        ("GrossPositionValue", worth.base.gross),
        ("InitMarginReq", worth.initial()),
        ("MaintMarginReq", worth.maintenance()),
        ("NetLiquidation", net),
        ("TotalCashValue", worth.base.cash),
    ]
}

/// The ledger: a row for each currency, and one for all in the base currency.
pub(crate) fn ledger(world: &World, account: &Account) -> Vec<(String, Row)> {
    let Worth { purses, base } = world.worth(account);
    let row = |currency: &str, purse: &Purse| {
        (format!("LedgerList{currency}"), line(&account.id, currency, purse))
    };
    let mut rows: Vec<(String, Row)> =
        purses.iter().map(|(currency, purse)| row(currency, purse)).collect();
    rows.push(row("BASE", &base));
    rows
}

fn line(id: &str, currency: &str, purse: &Purse) -> Row {
    object(json!({
        "acctCode": id,
        "secondKey": currency,
        // In small letters, unlike the others.
        "cashbalance": round_to(purse.cash, 4),
        "exchangeRate": round_to(purse.rate, 7),
        "futureOptionMarketValue": round_to(purse.future_options, 4),
        "futuresOnlyPnl": round_to(purse.futures, 4),
        "netLiquidationValue": round_to(purse.net(), 4),
        "settledCash": round_to(purse.cash, 4),
        "stockMarketValue": round_to(purse.stocks, 4),
        "stockOptionMarketValue": round_to(purse.options, 4),
        "realizedPnl": round_to(purse.realized, 4),
        "unrealizedPnl": round_to(purse.unrealized, 4),
        "severity": 0,
    }))
}

fn object(value: Value) -> Row {
    match value {
        Value::Object(row) => row,
        _ => Row::new(),
    }
}
