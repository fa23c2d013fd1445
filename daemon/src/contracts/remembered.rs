//! What is remembered of a symbol, for whoever may not ask IBKR: never more than was asked for before.

use std::collections::BTreeSet;

use ibd_cpapi::contracts::SecType;
use jiff::ToSpan;
use jiff::civil::Date;

use super::expiry::Expiry;
use super::{Contract, MEMORY, chain, symbol_key};
use crate::store::Store;

/// Options are listed at most so far ahead, in months.
const MONTHS: i32 = 36;

/// The days and months on which something of a symbol expires, the next one first. A month is named where its days
/// are not known.
pub fn expiries(store: &Store, source: &str, symbol: &str, today: Date) -> Vec<String> {
    let of = |kind: &str| -> Vec<Contract> {
        store.recall(&symbol_key(source, kind, symbol), MEMORY).unwrap_or_default()
    };
    let futures = of(SecType::Future.as_str());
    let underlyings: Vec<Contract> =
        ["-", SecType::Stock.as_str(), SecType::Index.as_str()].into_iter().flat_map(of).collect();
    let mut days: BTreeSet<Date> = futures.iter().filter_map(|future| future.expiry).collect();
    let mut open = Vec::new();
    for month in months(today) {
        let key = |one: &Contract| chain::days_key(source, one.conid, "SMART", &month);
        let recalled = |one: &Contract| store.recall::<Vec<Date>>(&key(one), chain::MEMORY);
        let known: Vec<Date> = underlyings.iter().filter_map(recalled).flatten().collect();
        let is_listed = || underlyings.iter().any(|one| one.option_months.contains(&month));
        if known.is_empty() && is_listed() {
            open.push(month);
        } else {
            days.extend(known);
        }
    }
    let days = days.into_iter().filter(|day| *day >= today).map(|day| day.to_string());
    days.chain(open).collect()
}

/// The months from this one on, as IBKR names them.
fn months(today: Date) -> impl Iterator<Item = String> {
    let first = today.first_of_month();
    (0..MONTHS).filter_map(move |n| Some(Expiry::of(first.checked_add(n.months()).ok()?).month()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn days_come_before_months_and_what_is_over_does_not_come() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path()).unwrap();
        let today: Date = "2026-11-22".parse().unwrap();
        let day = |text: &str| text.parse::<Date>().unwrap();
        let conid = "265598".parse().unwrap();
        let months = ["DEC26", "JAN27"].map(str::to_owned).to_vec();
        let stock = Contract { option_months: months, ..Contract::bare(conid) };
        store.remember(&symbol_key("sim/a", "-", "AAPL"), &[stock]).unwrap();
        let days = [day("2026-12-18"), day("2026-12-24")];
        store.remember(&chain::days_key("sim/a", conid, "SMART", "DEC26"), &days).unwrap();
        let future = Contract { expiry: Some(day("2026-11-20")), ..Contract::bare(conid) };
        store.remember(&symbol_key("sim/a", "FUT", "AAPL"), &[future]).unwrap();
        let found = expiries(&store, "sim/a", "AAPL", today);
        assert_eq!(found, ["2026-12-18", "2026-12-24", "JAN27"]);
        assert!(expiries(&store, "ibkr/a", "AAPL", today).is_empty());
    }
}
