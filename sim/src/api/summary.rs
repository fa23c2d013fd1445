//! Account summaries: plain numbers and formatted strings of `/iserver`, and the long map of `/portfolio`.

use serde_json::{Map, Value, json};

use super::unknown_account;
use crate::accounts::Account;
use crate::http::Reply;
use crate::market::round_to;
use crate::state::World;
use crate::value::Worth;

/// `GET /iserver/account/{id}/summary`.
pub(super) fn brokerage(world: &World, id: &str) -> Reply {
    let Some(account) = world.tradable(id) else { return unknown_account(id) };
    let worth = world.worth(account);
    let net = round_to(worth.base.net(), 0);
    Reply::json(&json!({
        "accountType": "",
        "status": "",
        "balance": net,
        "SMA": round_to(worth.available() * 0.9, 0),
        "buyingPower": round_to(worth.available() * 4.0, 0),
        "availableFunds": round_to(worth.available(), 0),
        "excessLiquidity": round_to(worth.excess(), 0),
        "netLiquidationValue": net,
        "equityWithLoanValue": net,
        "regTLoan": 0.0,
        "securitiesGVP": round_to(worth.base.gross, 0),
        "totalCashValue": round_to(worth.base.cash, 0),
        "accruedInterest": 0.0,
        "regTMargin": 0.0,
        "initialMargin": round_to(worth.initial(), 0),
        "maintenanceMargin": round_to(worth.maintenance(), 0),
        "cashBalances": cash_balances(account, &worth),
    }))
}

fn cash_balances(account: &Account, worth: &Worth) -> Vec<Value> {
    let row = |currency: &str, cash: f64| json!({ "currency": currency, "balance": cash, "settledCash": cash });
    let mut rows: Vec<Value> =
        worth.purses.iter().map(|(currency, purse)| row(currency, purse.cash)).collect();
    rows.push(row(&format!("Total (in {})", account.currency), round_to(worth.base.cash, 2)));
    rows
}

/// `GET /iserver/account/{id}/summary/{part}`: strings with thousands separators; an unknown part is no path.
pub(super) fn part(world: &World, id: &str, part: &str) -> Option<Reply> {
    let Some(account) = world.tradable(id) else { return Some(unknown_account(id)) };
    let worth = world.worth(account);
    let money = |amount: f64| format!("{} {}", grouped(amount), account.currency);
    let rows = match part {
        "available_funds" => json!({
            "current_available": money(worth.available()), "current_excess": money(worth.excess()),
            "buying_power": money(worth.available() * 4.0),
            "leverage": format!("{:.2}", worth.base.gross / worth.base.net()),
            "look_ahead_available": money(worth.available()), "look_ahead_excess": money(worth.excess()),
        }),
        "balances" => json!({
            "net_liquidation": money(worth.base.net()), "equity_with_loan": money(worth.base.net()),
            "cash": money(worth.base.cash), "MTD Interest": money(0.0),
            "previous_day_equity_with_loan": money(worth.base.net() - worth.base.daily),
        }),
        "margins" => json!({
            "current_initial": money(worth.initial()), "current_maint": money(worth.maintenance()),
            "look_ahead_initial": money(worth.initial()), "look_ahead_maint": money(worth.maintenance()),
            "RegT Margin": money(worth.base.gross / 2.0),
        }),
        "market_value" => return Some(Reply::json(&market_value(&worth))),
        _ => return None,
    };
    Some(Reply::json(&json!({ "total": rows.clone(), "securities": rows })))
}

fn market_value(worth: &Worth) -> Value {
    let rows = worth.purses.iter().map(|(currency, purse)| {
        let row = json!({
            "total_cash": grouped(purse.cash), "stock": grouped(purse.stocks), "options": grouped(purse.options),
            "futures": grouped(purse.futures), "future_options": grouped(purse.future_options),
            "net_liquidation": grouped(purse.net()),
            "unrealized_pnl": grouped(purse.unrealized), "realized_pnl": "0",
        });
        (currency.clone(), row)
    });
    Value::Object(rows.collect())
}

/// Whole units with thousands separators: `-12,345`.
pub(super) fn grouped(amount: f64) -> String {
    let digits = format!("{:.0}", amount.abs());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if amount <= -0.5 { format!("-{text}") } else { text }
}

/// `GET /portfolio/{id}/summary`.
pub(super) fn portfolio(world: &World, account: &Account) -> Value {
    let worth = world.worth(account);
    let at_ms = world.clock.now_ms();
    let mut map = texts(world, account, at_ms);
    for (key, amount) in totals(&worth) {
        map.insert(key.to_owned(), figure(amount, &account.currency, at_ms));
    }
    for (key, amount) in segment(&worth) {
        map.insert(format!("{key}-s"), figure(amount, &account.currency, at_ms));
        map.insert(format!("{key}-c"), figure(0.0, &account.currency, at_ms));
    }
    Value::Object(map)
}

/// A number: 32-bit noise and all.
fn figure(amount: f64, currency: &str, at_ms: i64) -> Value {
    let noisy = f64::from(round_to(amount, 2) as f32);
    json!({
        "amount": noisy, "currency": currency, "isNull": false, "timestamp": at_ms, "value": null, "severity": 0,
    })
}

fn texts(world: &World, account: &Account, at_ms: i64) -> Map<String, Value> {
    let cash = account.cash.get(&account.currency).copied().unwrap_or_default();
    let settled = crate::clock::utc(at_ms, "%Y%m%d");
    let rows = [
        ("accountcode", account.id.clone()),
        ("accountready", "true".to_owned()),
        ("accounttype", "INDIVIDUAL".to_owned()),
        ("columnprio-c", "5".to_owned()),
        ("columnprio-s", "1".to_owned()),
        ("segmenttitle-c", "US Commodities".to_owned()),
        (
            "segmenttitle-s",
            format!("{} Securities", if world.is_paper() { "Simulated" } else { "US" }),
        ),
        ("tradingtype-s", "STKNOPT".to_owned()),
        ("settledcashbydate", format!("{settled}:{cash:.2}")),
        ("nlvandmargininreview", "false".to_owned()),
    ];
    let text = |value: String| {
        json!({
            "amount": 0.0, "currency": null, "isNull": false, "timestamp": at_ms, "value": value, "severity": 0,
        })
    };
    rows.into_iter().map(|(key, value)| (key.to_owned(), text(value))).collect()
}

/// Keys that are always zero in a simulated account, but always there.
const ZEROES: [&str; 15] = [
    "accruedcash",
    "accrueddividend",
    "billable",
    "depositoncredithold",
    "guarantee",
    "highestseverity",
    "incentivecoupons",
    "indianstockhaircut",
    "lookaheadnextchange",
    "netliquidationuncertainty",
    "pasharesvalue",
    "physicalcertificatevalue",
    "postexpirationexcess",
    "postexpirationmargin",
    "totaldebitcardpendingcharges",
];

fn totals(worth: &Worth) -> Vec<(&'static str, f64)> {
    let (net, initial, maintenance) = (worth.base.net(), worth.initial(), worth.maintenance());
    let (available, excess) = (worth.available(), worth.excess());
    let mut rows = vec![
        ("availablefunds", available),
        ("buyingpower", available * 4.0),
        ("cushion", excess / net),
        ("equitywithloanvalue", net),
        ("excessliquidity", excess),
        ("fullavailablefunds", available),
        ("fullexcessliquidity", excess),
        ("fullinitmarginreq", initial),
        ("fullmaintmarginreq", maintenance),
        ("grosspositionvalue", worth.base.gross),
        ("initmarginreq", initial),
        ("leverage-s", worth.base.gross / net),
        ("lookaheadavailablefunds", available),
        ("lookaheadexcessliquidity", excess),
        ("lookaheadinitmarginreq", initial),
        ("lookaheadmaintmarginreq", maintenance),
        ("maintmarginreq", maintenance),
        ("netliquidation", net),
        ("previousdayequitywithloanvalue", net - worth.base.daily),
        ("totalcashvalue", worth.base.cash),
    ];
    rows.extend(ZEROES.iter().map(|key| (*key, 0.0)));
    rows
}

/// What the securities segment has; the commodities segment shows zeroes for the same keys.
fn segment(worth: &Worth) -> [(&'static str, f64); 10] {
    let net = worth.base.net();
    [
        ("accruedcash", 0.0),
        ("accrueddividend", 0.0),
        ("availablefunds", worth.available()),
        ("equitywithloanvalue", net),
        ("excessliquidity", worth.excess()),
        ("grosspositionvalue", worth.base.gross),
        ("initmarginreq", worth.initial()),
        ("maintmarginreq", worth.maintenance()),
        ("netliquidation", net),
        ("totalcashvalue", worth.base.cash),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(grouped(0.2), "0");
        assert_eq!(grouped(999.0), "999");
        assert_eq!(grouped(1234567.4), "1,234,567");
        assert_eq!(grouped(-12345.0), "-12,345");
    }
}
