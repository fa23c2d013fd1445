//! The portfolio side: accounts, meta, summary, ledger, allocation. Needs only the web login.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{summary, unknown_account};
use crate::accounts::Account;
use crate::advisor::Listed;
use crate::http::{Call, Reply};
use crate::market::round_to;
use crate::state::World;
use crate::value::{Purse, Worth};

/// Accounts per page of `subaccounts2`.
const SUBACCOUNTS_PAGE: usize = 20;
/// The most that `subaccounts` lists.
const MOST_SUBACCOUNTS: usize = 100;

pub(super) fn route(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    Some(match (call.method.as_str(), path) {
        ("GET", ["portfolio", "accounts"]) => accounts(world),
        ("GET", ["portfolio", "subaccounts"]) => all_accounts(world),
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
    let advisor = world.advisor.as_ref().filter(|advisor| advisor.listed == Listed::Master);
    let only = advisor.map(|advisor| advisor.master.as_str());
    let listed = tiers(world).into_iter().filter(|account| only.is_none_or(|id| id == account.id));
    let rows: Vec<Value> = listed.map(|account| meta(world, account)).collect();
    Reply::json(&json!(rows))
}

/// The same, with an adviser's clients; only what it lists may be asked about then.
fn all_accounts(world: &mut World) -> Reply {
    (world.session.primed.portfolio, world.session.primed.subaccounts) = (true, true);
    let listed = tiers(world).into_iter().take(MOST_SUBACCOUNTS);
    let rows: Vec<Value> = listed.map(|account| meta(world, account)).collect();
    Reply::json(&json!(rows))
}

/// All accounts, an adviser's own before the clients'.
fn tiers(world: &World) -> Vec<&Account> {
    let mut all: Vec<&Account> = world.accounts.iter().collect();
    all.sort_by_key(|account| world.tradable(&account.id).is_some());
    all
}

fn subaccounts(world: &mut World, call: &Call) -> Reply {
    (world.session.primed.portfolio, world.session.primed.subaccounts) = (true, true);
    let page: usize = call.param("page").and_then(|p| p.parse().ok()).unwrap_or(0);
    let all = tiers(world).into_iter();
    let shown = all.skip(page.saturating_mul(SUBACCOUNTS_PAGE)).take(SUBACCOUNTS_PAGE);
    let rows: Vec<Value> = shown.map(|a| meta(world, a)).collect();
    let metadata =
        json!({ "total": world.accounts.len(), "pageSize": SUBACCOUNTS_PAGE, "pageNum": page });
    Reply::json(&json!({ "metadata": metadata, "subaccounts": rows }))
}

fn meta(world: &World, account: &Account) -> Value {
    let id = &account.id;
    let is_client = world.advisor.is_some() && world.tradable(id).is_some();
    let is_master = world.advisor.is_some() && !is_client;
    let (kind, business) = match (world.is_paper(), is_master, is_client) {
        (true, true, _) => ("DEMO", "FA"),
        (true, _, true) => ("DEMO", "FA_CLIENT"),
        (_, true, _) => ("FNF", "FA"),
        (_, _, true) => ("INDIVIDUAL", "FA_CLIENT"),
        (true, ..) => ("DEMO", "INDEPENDENT"),
        _ => ("INDIVIDUAL", "INDEPENDENT"),
    };
    json!({
        "id": id,
        "PrepaidCrypto-Z": false,
        "PrepaidCrypto-P": false,
        "brokerageAccess": world.advisor.is_none(),
        "accountId": id,
        "accountVan": id,
        "accountTitle": account.title,
        "displayName": account.alias.as_deref().unwrap_or(&account.title),
        "accountAlias": account.alias,
        "accountStatus": 1_678_852_800_000_i64,
        "currency": account.currency,
        "type": kind,
        "tradingType": "STKNOPT",
        "businessType": business,
        "category": "",
        "ibEntity": "IBLLC-US",
        "faclient": is_client,
        "clearingStatus": "O",
        "covestor": false,
        "noClientTrading": is_client,
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
