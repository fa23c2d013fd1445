//! What a value may be of which a part is typed: only what is known here. A completion asks IBKR for nothing.

mod fitting;

use std::collections::BTreeSet;

use ibd_protocol::{Completable, Completed, Completing};
use jiff::civil::Date;

use crate::contracts;
use crate::contracts::remembered::expiries;
use crate::desks::Desks;
use crate::flex::{View, listed};
use crate::orders::Intent;
use crate::policy::Policy;
use crate::recent::{Known, Named};
use fitting::{fitting, named_by};

/// What it may be, for a client that may be told.
pub async fn complete(desks: &Desks, policy: &Policy, typed: Completing) -> Completed {
    let begins = typed.begins.trim();
    match typed.what {
        Completable::FlexQuery => fitting(begins, queries(&desks.flex.view(), begins)),
        Completable::Year => {
            fitting(begins, years(&desks.flex.view(), typed.account.as_deref(), contracts::today()))
        }
        _ if !is_admitted(desks, policy) => Completed::default(),
        Completable::Account => fitting(begins, accounts(desks)),
        Completable::Order => fitting(begins, orders(desks, typed.account.as_deref()).await),
        Completable::Symbol => {
            let known = known(desks);
            let names = known.names(typed.account.as_deref());
            fitting(begins, names.map(|named| named.symbol.clone()))
        }
        Completable::Conid => {
            let known = known(desks);
            named_by(begins, known.names(typed.account.as_deref()).map(Named::pair))
        }
        Completable::Alert => fitting(begins, alerts(known(desks), typed.account.as_deref())),
        Completable::Expiry => {
            let symbol = typed.symbol.as_deref().unwrap_or_default().trim().to_uppercase();
            let (source, today) = (source(desks).unwrap_or_default(), contracts::today());
            let known = known(desks);
            let is_of = |named: &&Named| symbol.is_empty() || named.symbol.to_uppercase() == symbol;
            let held = known.names(typed.account.as_deref()).filter(is_of);
            let held = held.filter_map(|named| named.expiry).filter(|day| *day >= today);
            fitting(begins, ends(held, expiries(&desks.store, &source, &symbol, today)))
        }
    }
}

/// Whether this client may know of the login that there is.
fn is_admitted(desks: &Desks, policy: &Policy) -> bool {
    let gateway = desks.board.gateway().borrow().clone();
    let facts = desks.session.view().facts;
    policy.admits_gateway(&gateway).is_ok() && policy.admits_login(&facts).is_ok()
}

fn accounts(desks: &Desks) -> Vec<String> {
    desks.session.view().facts.accounts.iter().map(ToString::to_string).collect()
}

/// Where facts come from now.
fn source(desks: &Desks) -> Option<String> {
    desks.session.view().lease.map(|lease| lease.source())
}

fn known(desks: &Desks) -> Known {
    source(desks).map(|source| desks.recent.known(&source)).unwrap_or_default()
}

/// Orders of this login's accounts that were sent from here and are not over: what IBKR calls them, else what we do.
async fn orders(desks: &Desks, account: Option<&str>) -> Vec<String> {
    let own = accounts(desks);
    let intents = desks.orders.recent().await.unwrap_or_default();
    let is_meant = |intent: &&Intent| {
        let of = intent.account.to_string();
        let is_own = account.map_or_else(|| own.contains(&of), |account| account == of);
        is_own && intent.is_order() && intent.state.is_open()
    };
    let name = |intent: &Intent| {
        intent.order_id().map_or_else(|| intent.id.to_string(), |order| order.to_string())
    };
    intents.iter().filter(is_meant).map(name).collect()
}

/// Names of alerts of one account, or of all.
fn alerts(known: Known, account: Option<&str>) -> Vec<String> {
    let is_meant = |of: &str| account.is_none_or(|account| account == of);
    let all = known.alerts.into_iter().filter(|(of, _)| is_meant(of));
    all.flat_map(|(_, names)| names).collect()
}

/// Names of Flex queries; their numbers where a number is typed.
fn queries(view: &View, begins: &str) -> Vec<String> {
    let is_number = !begins.is_empty() && begins.bytes().all(|byte| byte.is_ascii_digit());
    let queries = listed(view);
    let numbers = queries.iter().filter_map(|query| query.id.clone()).filter(|_| is_number);
    let names = queries.iter().map(|query| query.name.clone());
    names.chain(numbers).filter(|name| !name.is_empty()).collect()
}

/// Days on which something ends that is held or was asked for, and those that are listed: days in their order, then months
/// whose days are not known.
fn ends(held: impl Iterator<Item = Date>, listed: Vec<String>) -> Vec<String> {
    let is_day = |text: &String| text.starts_with(|c: char| c.is_ascii_digit());
    let (days, months): (Vec<String>, Vec<String>) = listed.into_iter().partition(is_day);
    let days: BTreeSet<String> = held.map(|day| day.to_string()).chain(days).collect();
    days.into_iter().chain(months).collect()
}

/// Years of which a day is covered by a statement, and the present and the last one, of which one can be had; the latest
/// first.
fn years(view: &View, account: Option<&str>, today: Date) -> Vec<String> {
    let of = |name: &str| account.is_none_or(|account| account.eq_ignore_ascii_case(name));
    let periods = view
        .entries
        .iter()
        .flat_map(|entry| &entry.accounts)
        .filter(|covered| of(&covered.account))
        .filter_map(|covered| covered.period);
    years_of(periods.map(|one| (one.from.year(), one.to.year())), today.year())
}

fn years_of(covered: impl Iterator<Item = (i16, i16)>, this: i16) -> Vec<String> {
    let mut years = BTreeSet::from([this, this.saturating_sub(1)]);
    // What a statement says of its days may be nonsense: it is no year that has not begun.
    years.extend(covered.flat_map(|(from, to)| from.max(1900)..=to.min(this)));
    years.into_iter().rev().map(|year| year.to_string()).collect()
}

impl Named {
    fn pair(&self) -> (String, String) {
        (self.symbol.clone(), self.conid.to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn days_that_are_held_stand_among_those_that_are_listed_and_months_after_them() {
        let held = ["2027-03-19", "2027-01-15"].map(|day| day.parse().unwrap());
        let listed = ["2027-01-15", "2027-02-19", "APR27"].map(str::to_owned).to_vec();
        assert_eq!(
            ends(held.into_iter(), listed),
            ["2027-01-15", "2027-02-19", "2027-03-19", "APR27"]
        );
        assert!(ends(std::iter::empty(), Vec::new()).is_empty());
    }

    #[test]
    fn years_are_those_of_statements_and_the_last_two() {
        for (covered, expected) in [
            (vec![], &["2026", "2025"][..]),
            (vec![(2023, 2023), (2025, 2026)], &["2026", "2025", "2023"]),
            (vec![(2022, 2024)], &["2026", "2025", "2024", "2023", "2022"]),
            (vec![(2026, 9999)], &["2026", "2025"]),
        ] {
            assert_eq!(years_of(covered.clone().into_iter(), 2026), expected, "{covered:?}");
        }
    }
}
