//! Whatever stands in whichever field of a reply: the rest of it is read as before.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::rows::{Entries, Rows};
use crate::{accounts, contracts, fixtures, orders, portfolio, session, snapshot, trades, whatif};

/// Values that brokers have been seen to give where something else belongs, and their relatives.
fn known_oddities() -> Vec<Value> {
    let texts =
        ["", "NaN", "5%", "N/A", "1.7976931348623157E308", "-", "Group_1", "\u{1b}[1m", "112'165"];
    let mut all: Vec<Value> = texts.into_iter().map(Value::from).collect();
    all.extend([json!(null), json!(true), json!(-1), json!(0), json!(1.7976931348623157e308)]);
    all.extend([
        json!(1.3877787807814457e-17),
        json!({}),
        json!([]),
        json!([null]),
        json!({ "a": [1] }),
    ]);
    all
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(".{0,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// All places within a reply, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let mut each = |key: String, inner: &Value| {
        let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
        places(inner, &at, found);
        found.push(at);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, inner)| each(key.clone(), inner)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, inner)| each(n.to_string(), inner));
        }
        _ => {}
    }
}

/// Puts each odd value into each place but those that a reply is nothing without.
fn with_each(fixture: &str, needed: &[&str], check: impl Fn(&Value, &str)) {
    let reply: Value = fixtures::reply(fixture);
    let mut all = Vec::new();
    places(&reply, "", &mut all);
    all.retain(|place| !needed.contains(&place.as_str()));
    let put = |place: &str, odd: Value| {
        let mut changed = reply.clone();
        *changed.pointer_mut(place).unwrap() = odd;
        check(&changed, place);
    };
    for place in &all {
        known_oddities().into_iter().for_each(|odd| put(place, odd));
    }
    let config =
        ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(place in proptest::sample::select(all), odd in any_json())| {
        put(&place, odd);
    });
}

fn is_read<T: DeserializeOwned>(fixture: &str, needed: &[&str]) {
    with_each(fixture, needed, |changed, place| {
        let read = serde_json::from_str::<T>(&changed.to_string());
        assert!(read.is_ok(), "{fixture}{place}: {:?} {changed}", read.err());
    });
}

/// And of a list each row but the one that is odd is as it was.
fn rows_are_read<T: DeserializeOwned + PartialEq + std::fmt::Debug>(fixture: &str) {
    let before: Rows<T> = fixtures::reply(fixture);
    with_each(fixture, &[], |changed, place| {
        let odd: usize = place.split('/').nth(1).unwrap().parse().unwrap();
        let read: Rows<T> = serde_json::from_str(&changed.to_string()).unwrap();
        assert_eq!(read.len() + read.unread().len(), before.len(), "{fixture}{place}: {changed}");
        let others = before.iter().enumerate().filter(|(n, _)| *n != odd).map(|(_, row)| row);
        assert!(others.clone().all(|row| read.contains(row)), "{fixture}{place}: {changed}");
    });
}

/// The same of a table.
fn entries_are_read<T: DeserializeOwned + PartialEq + std::fmt::Debug>(fixture: &str) {
    let before: Entries<T> = fixtures::reply(fixture);
    with_each(fixture, &[], |changed, place| {
        let odd = place.split('/').nth(1).unwrap();
        let read: Entries<T> = serde_json::from_str(&changed.to_string()).unwrap();
        let mut others = before.iter().filter(|(name, _)| *name != odd);
        assert!(
            others.all(|(name, entry)| read.get(name) == Some(entry)),
            "{fixture}{place}: {changed}"
        );
    });
}

#[test]
fn one_odd_value_costs_no_other_row() {
    rows_are_read::<trades::Execution>("trades");
    rows_are_read::<portfolio::Account>("portfolio_accounts");
    rows_are_read::<portfolio::Position>("portfolio_positions");
    rows_are_read::<portfolio::Holding>("portfolio2_positions");
    rows_are_read::<snapshot::Row>("snapshot");
    rows_are_read::<contracts::OptionInfo>("secdef_info");
    entries_are_read::<portfolio::SummaryItem>("portfolio_summary");
    entries_are_read::<portfolio::LedgerRow>("portfolio_ledger");
    entries_are_read::<Rows<contracts::Company>>("trsrv_stocks");
    entries_are_read::<Rows<contracts::Future>>("trsrv_futures");
    entries_are_read::<Rows<contracts::CurrencyPair>>("currency_pairs");
}

#[test]
fn one_odd_value_costs_no_reply() {
    is_read::<orders::Orders>("orders", &[]);
    is_read::<orders::Orders>("orders_linked", &[]);
    is_read::<orders::OrderStatus>("order_status", &["/order_id"]);
    is_read::<accounts::BrokerageAccounts>("iserver_accounts", &[]);
    is_read::<accounts::PnlPartitioned>("pnl_partitioned", &[]);
    is_read::<contracts::Secdefs>("trsrv_secdef", &[]);
    is_read::<contracts::Hits>("secdef_search", &[]);
    is_read::<contracts::Strikes>("secdef_strikes", &[]);
    is_read::<contracts::Rules>("contract_rules", &[]);
    is_read::<contracts::ContractInfo>("contract_info", &["/con_id"]);
    is_read::<contracts::ExchangeRate>("exchangerate", &[]);
    is_read::<whatif::Preview>("whatif", &[]);
    is_read::<session::Tickled>("tickle", &[]);
    is_read::<session::AuthStatus>("auth_status", &[]);
    is_read::<session::SsoLogin>("sso_validate", &[]);
    is_read::<session::LoggedOut>("logout", &[]);
}
