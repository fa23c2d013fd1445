//! The portfolio side: accounts, meta, summary, ledger, allocation. Needs only the web login.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{summary, unknown_account};
use crate::accounts::Account;
use crate::http::{Call, Reply};
use crate::market::round_to;
use crate::state::World;
use crate::value::{Purse, Worth};

/// Accounts per page of `subaccounts2`.
const SUBACCOUNTS_PAGE: usize = 20;

pub(super) fn route(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    Some(match (call.method.as_str(), path) {
        ("GET", ["portfolio", "accounts" | "subaccounts"]) => accounts(world),
        ("GET", ["portfolio", "subaccounts2"]) => subaccounts(world, call),
        ("GET", ["portfolio", id, "meta"]) => with_account(world, id, meta),
        ("GET", ["portfolio", id, "summary"]) => with_account(world, id, summary::portfolio),
        ("GET", ["portfolio", id, "ledger"]) => with_account(world, id, ledger),
        ("GET", ["portfolio", id, "allocation"]) => {
            with_account(world, id, |w, a| allocation(w, &[a]))
        }
        ("POST", ["portfolio", "allocation"]) => consolidated(world, call),
        _ => return None,
    })
}

/// Answers for one account, or says that there is none of this name.
pub(super) fn with_account(
    world: &World,
    id: &str,
    make: impl FnOnce(&World, &Account) -> Value,
) -> Reply {
    match world.account(id) {
        Some(account) => Reply::json(&make(world, account)),
        None => unknown_account(id),
    }
}

fn accounts(world: &mut World) -> Reply {
    world.session.primed.portfolio = true;
    let all: Vec<Value> = world.accounts.iter().map(|a| meta(world, a)).collect();
    Reply::json(&json!(all))
}

fn subaccounts(world: &mut World, call: &Call) -> Reply {
    world.session.primed.portfolio = true;
    let page: usize = call.param("page").and_then(|p| p.parse().ok()).unwrap_or(0);
    let shown =
        world.accounts.iter().skip(page.saturating_mul(SUBACCOUNTS_PAGE)).take(SUBACCOUNTS_PAGE);
    let rows: Vec<Value> = shown.map(|a| meta(world, a)).collect();
    let metadata =
        json!({ "total": world.accounts.len(), "pageSize": SUBACCOUNTS_PAGE, "pageNum": page });
    Reply::json(&json!({ "metadata": metadata, "subaccounts": rows }))
}

fn meta(world: &World, account: &Account) -> Value {
    let id = &account.id;
    json!({
        "id": id,
        "PrepaidCrypto-Z": false,
        "PrepaidCrypto-P": false,
        "brokerageAccess": true,
        "accountId": id,
        "accountVan": id,
        "accountTitle": account.title,
        "displayName": account.alias.as_deref().unwrap_or(&account.title),
        "accountAlias": account.alias,
        "accountStatus": 1_678_852_800_000_i64,
        "currency": account.currency,
        "type": if world.is_paper() { "DEMO" } else { "INDIVIDUAL" },
        "tradingType": "STKNOPT",
        "businessType": "INDEPENDENT",
        "category": "",
        "ibEntity": "IBLLC-US",
        "faclient": false,
        "clearingStatus": "O",
        "covestor": false,
        "noClientTrading": false,
        "trackVirtualFXPortfolio": false,
        "acctCustType": "INDIVIDUAL",
        "parent": { "mmc": [], "accountId": "", "isMParent": false, "isMChild": false, "isMultiplex": false },
        "desc": id,
    })
}

/// One entry per currency plus `BASE`; the last real currency carries `endofbundle`.
fn ledger(world: &World, account: &Account) -> Value {
    let Worth { purses, base } = world.worth(account);
    let at = world.clock.now_ms() / 1000;
    let mut map: Map<String, Value> = Map::new();
    for (currency, purse) in &purses {
        map.insert(currency.clone(), ledger_line(&account.id, currency, purse, at));
    }
    if let Some(last) = purses.keys().next_back().and_then(|key| map.get_mut(key)) {
        last["endofbundle"] = json!(1);
    }
    map.insert("BASE".to_owned(), ledger_line(&account.id, "BASE", &base, at));
    for row in map.values_mut().filter_map(Value::as_object_mut) {
        world.masks.ledger(row);
    }
    Value::Object(map)
}

fn ledger_line(id: &str, currency: &str, purse: &Purse, at: i64) -> Value {
    const ZEROES: [&str; 15] = [
        "cashbalancefxsegment",
        "commoditymarketvalue",
        "corporatebondsmarketvalue",
        "cryptocurrencyvalue",
        "dividends",
        "funds",
        "futuremarketvalue",
        "interest",
        "issueroptionsmarketvalue",
        "moneyfunds",
        "tbillsmarketvalue",
        "tbondsmarketvalue",
        "warrantsmarketvalue",
        "severity",
        "sessionid",
    ];
    let mut line: Map<String, Value> =
        ZEROES.iter().map(|key| ((*key).to_owned(), json!(0.0))).collect();
    let own = json!({
        "acctcode": id,
        "cashbalance": round_to(purse.cash, 4),
        "currency": currency,
        "exchangerate": round_to(purse.rate, 7),
        "futureoptionmarketvalue": round_to(purse.future_options, 4),
        "futuresonlypnl": round_to(purse.futures, 4),
        "key": "LedgerList",
        "netliquidationvalue": round_to(purse.net(), 4),
        "secondkey": currency,
        "realizedpnl": round_to(purse.realized, 4),
        "sessionid": 1,
        "settledcash": round_to(purse.cash, 4),
        "severity": 0,
        "stockmarketvalue": round_to(purse.stocks, 4),
        "stockoptionmarketvalue": round_to(purse.options, 4),
        "timestamp": at,
        "unrealizedpnl": round_to(purse.unrealized, 4),
    });
    if let Value::Object(own) = own {
        line.extend(own);
    }
    Value::Object(line)
}

fn consolidated(world: &World, call: &Call) -> Reply {
    let ids: Vec<&str> = call
        .body
        .get("acctIds")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if ids.is_empty() {
        return Reply::bad_request("acctIds are required");
    }
    if let Some(unknown) = ids.iter().find(|id| world.account(id).is_none()) {
        return unknown_account(unknown);
    }
    let accounts: Vec<&Account> = ids.iter().filter_map(|id| world.account(id)).collect();
    Reply::json(&allocation(world, &accounts))
}

/// Market values by class, sector and group, long and short, in the first account's base currency.
fn allocation(world: &World, accounts: &[&Account]) -> Value {
    let base = accounts.first().map_or("USD", |a| a.currency.as_str());
    let mut classes = Sides::default();
    let (mut sectors, mut groups) = (Sides::default(), Sides::default());
    for account in accounts {
        for held in world.holdings(account) {
            let rate = world.rate(&held.instrument.currency, base).unwrap_or(1.0);
            let amount =
                if held.instrument.is("FUT") { held.unrealized } else { held.market_value } * rate;
            classes.add(&held.instrument.sec_type, amount);
            sectors.add(held.instrument.sector.as_deref().unwrap_or("Others"), amount);
            groups.add(held.instrument.group.as_deref().unwrap_or("Others"), amount);
        }
        let rate = world.rate(&account.currency, base).unwrap_or(1.0);
        classes.add("CASH", world.worth(account).base.cash * rate);
    }
    json!({ "assetClass": classes.show(), "sector": sectors.show(), "group": groups.show() })
}

/// Sums by name, apart for long and short.
#[derive(Default)]
struct Sides {
    long: BTreeMap<String, f64>,
    short: BTreeMap<String, f64>,
}

impl Sides {
    fn add(&mut self, name: &str, amount: f64) {
        let side = if amount < 0.0 { &mut self.short } else { &mut self.long };
        *side.entry(name.to_owned()).or_default() += amount;
    }

    fn show(&self) -> Value {
        let rounded = |side: &BTreeMap<String, f64>| -> Map<String, Value> {
            side.iter().map(|(name, amount)| (name.clone(), json!(round_to(*amount, 4)))).collect()
        };
        json!({ "long": rounded(&self.long), "short": rounded(&self.short) })
    }
}
